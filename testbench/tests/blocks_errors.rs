// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the accelerator does with programs that cannot run and with a memory that fails: a cause, an address, the
//! way out, and never a hang. On the native simulation and on the Verilog.

use heddle_core::{
    config::{Config, Format},
    descriptor::{self, Cause, Words},
    numerics::{F24, quant::Activations},
    registers::{Bits, Register, map},
    top,
};
use heddle_tb::{
    axi::{Backpressure, MemoryConfig},
    blocks::{Dut, compare, geometry, seeds},
    matmul::{self, Image, Outcome, Product},
    random::Random,
    rtl,
    soc::Soc,
    tools::have_verilator,
    verilator::BuildOptions,
};

const LIMIT: u64 = 200_000;
const IRQS: u32 = map::IRQ_DONE.mask() | map::IRQ_ERROR.mask();

/// Runs a test on each simulation of the accelerator of a configuration.
fn on_each(name: &str, config: &Config, test: impl Fn(&dyn Fn() -> Dut)) {
    let top = top::top(config).expect("the top");
    test(&|| Dut::native(&top).expect("native"));
    if have_verilator(name) {
        let library = rtl::verilated(&top, &BuildOptions::quick(), &mut |_| {}).expect("verilated");
        test(&|| Dut::verilog(&library).expect("an instance"));
    }
}

fn config() -> Config {
    Config { formats: vec![Format::Q8_0, Format::Q4_1], ..geometry(16, 2, 64) }
}

fn product(rng: &mut Random, format: Format, rows: usize, blocks: usize, columns: usize) -> Product {
    let columns = (0..columns).map(|_| matmul::random_vector(rng, blocks)).collect();
    Product { format, rows, blocks, weights: matmul::random_matrix(rng, format, rows * blocks), columns, reuse: false, fence: false }
}

fn two_products(rng: &mut Random) -> Vec<Product> {
    vec![product(rng, Format::Q8_0, 7, 3, 2), product(rng, Format::Q4_1, 20, 5, 1)]
}

/// A system with a memory for the image and the pages behind it.
fn system(config: &Config, image: &Image, dut: Dut) -> Soc<Dut> {
    Soc::new(dut, matmul::memory_config(config, image)).expect("a system")
}

fn field(soc: &mut Soc<Dut>, register: &Register, field: &Bits) -> u32 {
    field.get(soc.read_reg(register.offset).expect("a register"))
}

/// Loads an image and starts its program, without clearing anything but the interrupts.
fn start(soc: &mut Soc<Dut>, image: &Image) {
    soc.memory_mut().bytes_mut()[..image.memory.len()].copy_from_slice(&image.memory);
    for (register, value) in
        [(&map::IRQ_STATUS, IRQS), (&map::IRQ_ENABLE, IRQS), (&map::PROGRAM, image.program), (&map::CONTROL, map::CONTROL_START.mask())]
    {
        soc.write_reg(register.offset, value).expect("a register");
    }
}

/// Waits for the end of a program.
fn finish(soc: &mut Soc<Dut>, image: &Image) -> Outcome {
    soc.run_until_irq(LIMIT).expect("an interrupt");
    assert_eq!(field(soc, &map::STATUS, &map::STATUS_BUSY), 0);
    let (done, error) = (field(soc, &map::STATUS, &map::STATUS_DONE), field(soc, &map::STATUS, &map::STATUS_ERROR));
    assert_eq!(done + error, 1);
    let cause = field(soc, &map::CAUSE, &map::CAUSE_CAUSE);
    assert_eq!(error == 1, cause != 0);
    Outcome {
        memory: soc.memory().bytes()[..image.memory.len()].to_vec(),
        cause,
        error_addr: soc.read_reg(map::ERROR_ADDR.offset).expect("a register"),
        saturated: field(soc, &map::STATUS, &map::STATUS_SATURATED) == 1,
    }
}

fn clear(soc: &mut Soc<Dut>) {
    soc.write_reg(map::CONTROL.offset, map::CONTROL_CLEAR.mask()).expect("a register");
}

/// Leaves the error state and runs the good program, which must give what it should.
fn recovers(soc: &mut Soc<Dut>, image: &Image, expected: &Outcome) {
    let cause = field(soc, &map::CAUSE, &map::CAUSE_CAUSE);
    if cause != 0 {
        // A start does not leave the error state.
        soc.write_reg(map::CONTROL.offset, map::CONTROL_START.mask()).expect("a register");
        assert_eq!(field(soc, &map::STATUS, &map::STATUS_BUSY), 0);
        assert_eq!(field(soc, &map::CAUSE, &map::CAUSE_CAUSE), cause);
    }
    clear(soc);
    assert_eq!(soc.read_reg(map::STATUS.offset), Ok(0));
    assert_eq!((soc.read_reg(map::CAUSE.offset), soc.read_reg(map::ERROR_ADDR.offset)), (Ok(0), Ok(0)));
    start(soc, image);
    compare(&finish(soc, image), expected).expect("the good program after an error");
}

type Patch = fn(&mut Words);

/// Each way to make the second product illegal.
const PATCHES: [(Cause, Patch); 20] = [
    (Cause::BadOpcode, |w| descriptor::OPCODE.put(w, 0)),
    (Cause::BadOpcode, |w| descriptor::OPCODE.put(w, 77)),
    (Cause::FormatAbsent, |w| descriptor::FORMAT.put(w, 1)),
    (Cause::FormatAbsent, |w| descriptor::FORMAT.put(w, 4)),
    (Cause::FormatAbsent, |w| descriptor::FORMAT.put(w, 255)),
    (Cause::BadColumns, |w| descriptor::COLUMNS.put(w, 0)),
    (Cause::BadColumns, |w| descriptor::COLUMNS.put(w, 3)),
    (Cause::BadRows, |w| descriptor::ROWS.put(w, 0)),
    (Cause::BadRows, |w| descriptor::ROWS.put(w, 1 << 24)),
    (Cause::BadBlocks, |w| descriptor::BLOCKS.put(w, 0)),
    (Cause::BadBlocks, |w| descriptor::BLOCKS.put(w, 17)),
    (Cause::BadBlocks, |w| descriptor::BLOCKS.put(w, 0x8000_0001)),
    (Cause::Misaligned, |w| w[3] += 32),
    (Cause::Misaligned, |w| w[4] += 4),
    (Cause::Misaligned, |w| w[5] += 1),
    (Cause::ReservedNotZero, |w| w[0] |= 1 << 17),
    (Cause::ReservedNotZero, |w| w[6] |= 1 << 16),
    (Cause::ReservedNotZero, |w| w[7] |= 1),
    (Cause::ReuseWithoutActivations, |w| descriptor::REUSE_ACT.put(w, 1)),
    // Several at once: the lowest cause counts.
    (Cause::BadColumns, |w| {
        descriptor::COLUMNS.put(w, 0);
        w[3] += 4;
        w[7] = 1;
    }),
];

fn patched(image: &Image, index: usize, patch: Patch) -> Image {
    let mut memory = image.memory.clone();
    let at = image.program as usize + descriptor::BYTES as usize * index;
    let mut words: Words = std::array::from_fn(|i| u32::from_le_bytes(std::array::from_fn(|b| memory[at + 4 * i + b])));
    patch(&mut words);
    memory[at..at + descriptor::BYTES as usize].copy_from_slice(&words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>());
    Image { memory, program: image.program }
}

#[test]
fn each_illegal_descriptor_stops_with_its_cause_and_address() {
    let config = config();
    let image = matmul::image(&config, &two_products(&mut Random::new(5)));
    let good = matmul::golden(&config, &image);
    on_each("each_illegal_descriptor_stops_with_its_cause_and_address", &config, |dut| {
        let mut soc = system(&config, &image, dut());
        for (cause, patch) in PATCHES {
            for index in [0, 1] {
                let bad = patched(&image, index, patch);
                clear(&mut soc);
                start(&mut soc, &bad);
                let outcome = finish(&mut soc, &bad);
                compare(&outcome, &matmul::golden(&config, &bad)).unwrap_or_else(|e| panic!("{cause}: {e}"));
                let address = image.program + descriptor::BYTES * index as u32;
                assert_eq!((outcome.cause, outcome.error_addr), (cause.code(), address), "{cause}");
                recovers(&mut soc, &image, &good);
            }
        }
    });
}

/// A read or write error anywhere in the image: what part of it, and the causes that may follow.
#[test]
fn memory_errors_stop_with_a_cause() {
    let config = config();
    let products = two_products(&mut Random::new(6));
    let image = matmul::image(&config, &products);
    let good = matmul::golden(&config, &image);
    let word = |index: usize, word: usize| {
        let at = image.program as usize + 32 * index + 4 * word;
        u64::from(u32::from_le_bytes(std::array::from_fn(|b| image.memory[at + b])))
    };
    let (program, last) = (u64::from(image.program), image.program + 64);
    // Where the memory fails, the cause, and the first and last descriptor that may report it.
    let cases = [
        (program, Cause::ReadError, image.program, image.program),
        (program + 32, Cause::ReadError, image.program + 32, image.program + 32),
        (program + 64, Cause::ReadError, last, last),
        (word(0, 3), Cause::ReadError, image.program + 32, last),
        (word(0, 4), Cause::ReadError, image.program + 32, last),
        (word(1, 3), Cause::ReadError, last, last),
        (word(1, 4), Cause::ReadError, last, last),
        (word(0, 5), Cause::WriteError, image.program + 32, last),
        (word(1, 5), Cause::WriteError, last, last),
    ];
    on_each("memory_errors_stop_with_a_cause", &config, |dut| {
        let mut soc = system(&config, &image, dut());
        for (at, cause, first, last) in cases {
            soc.memory_mut().set_errors(at..at + 8);
            start(&mut soc, &image);
            let outcome = finish(&mut soc, &image);
            assert_eq!(outcome.cause, cause.code(), "at {at:#x}");
            assert!((first..=last).contains(&outcome.error_addr), "at {at:#x}: {:#x}", outcome.error_addr);
            soc.memory_mut().set_errors(0..0);
            recovers(&mut soc, &image, &good);
        }
    });
}

#[test]
fn random_memory_errors_never_hang() {
    let config = config();
    on_each("random_memory_errors_never_hang", &config, |dut| {
        for seed in seeds(12) {
            let mut rng = Random::new(seed);
            let mut products = two_products(&mut rng);
            products.extend(two_products(&mut rng));
            products[2].fence = true;
            let image = matmul::image(&config, &products);
            let good = matmul::golden(&config, &image);
            let backpressure = Some(Backpressure { seed, chance: 80 });
            let memory = MemoryConfig { backpressure, ..matmul::memory_config(&config, &image) };
            let mut soc = Soc::new(dut(), memory).expect("a system");
            for _ in 0..4 {
                let from = rng.bits() % image.memory.len() as u64;
                soc.memory_mut().set_errors(from..from + 8 + rng.bits() % 600);
                start(&mut soc, &image);
                let outcome = finish(&mut soc, &image);
                let cause = Cause::from_code(outcome.cause);
                let program = image.program..image.program + 32 * 6;
                match cause {
                    Some(Cause::None) => {}
                    Some(Cause::ReadError | Cause::WriteError) => assert!(program.contains(&outcome.error_addr), "HEDDLE_SEED={seed}"),
                    other => panic!("HEDDLE_SEED={seed}: {other:?}"),
                }
                soc.memory_mut().set_errors(0..0);
                recovers(&mut soc, &image, &good);
            }
        }
    });
}

#[test]
fn start_and_clear_are_ignored_while_busy() {
    let config = config();
    let mut rng = Random::new(8);
    let image = matmul::image(&config, &[product(&mut rng, Format::Q8_0, 400, 8, 2), product(&mut rng, Format::Q4_1, 30, 3, 2)]);
    let good = matmul::golden(&config, &image);
    let results = u64::from(u32::from_le_bytes(std::array::from_fn(|b| image.memory[image.program as usize + 20 + b])));
    on_each("start_and_clear_are_ignored_while_busy", &config, |dut| {
        for failing in [false, true] {
            let mut soc = system(&config, &image, dut());
            if failing {
                soc.memory_mut().set_errors(results..results + 8);
            }
            start(&mut soc, &image);
            for i in 0..40 {
                assert_eq!(field(&mut soc, &map::STATUS, &map::STATUS_BUSY), 1, "after {i} writes");
                soc.write_reg(map::PROGRAM.offset, 0).expect("a register");
                let both = map::CONTROL_START.mask() | map::CONTROL_CLEAR.mask();
                soc.write_reg(map::CONTROL.offset, [map::CONTROL_START.mask(), map::CONTROL_CLEAR.mask(), both][i % 3])
                    .expect("a register");
            }
            let outcome = finish(&mut soc, &image);
            if failing {
                assert_eq!(outcome.cause, Cause::WriteError.code());
            } else {
                compare(&outcome, &good).expect("the program as if nothing had been written");
            }
            assert!(soc.read_reg(map::CYCLES.offset).expect("a register") > 1000);
        }
    });
}

#[test]
fn saturation_is_sticky_until_cleared() {
    let config = config();
    let mut rng = Random::new(9);
    // Scales so small that no weights leave the range.
    let mut products = two_products(&mut rng);
    products.iter_mut().flat_map(|p| &mut p.columns).for_each(|c| c.d.fill(F24::from_f64(2f64.powi(-20))));
    let fine = matmul::image(&config, &products);
    // One block of -128 x -127 with the largest scales: far beyond 2^16.
    let mut large = product(&mut rng, Format::Q8_0, 1, 1, 2);
    large.weights = [vec![0xff, 0x7b], vec![0x80; 32]].concat();
    let small = Activations { d: vec![F24::ZERO], q: vec![0; 32] };
    let loud = Activations { d: vec![F24::from_f64(64.0)], q: vec![-127; 32] };
    large.columns = vec![small.clone(), loud.clone()];
    // A column that is not in use does not raise the flag, whatever the buffer holds for it.
    let mut quiet = large.clone();
    quiet.columns = vec![small];
    let images = [&[large.clone()][..], &[quiet.clone()], &[large, quiet]].map(|p| matmul::image(&config, p));
    on_each("saturation_is_sticky_until_cleared", &config, |dut| {
        let size = images.iter().chain([&fine]).map(|i| i.memory.len()).max().unwrap_or(0);
        let memory = MemoryConfig::new(size, config.port_bytes() as usize);
        let mut soc = Soc::new(dut(), memory).expect("a system");
        for (program, image, flag) in
            [("fine", &fine, false), ("large", &images[0], true), ("fine", &fine, true), ("quiet", &images[1], true)]
        {
            start(&mut soc, image);
            assert_eq!(finish(&mut soc, image).saturated, flag, "{program}");
        }
        clear(&mut soc);
        for (program, image, flag) in [("quiet", &images[1], false), ("fine", &fine, false), ("both", &images[2], true)] {
            start(&mut soc, image);
            assert_eq!(finish(&mut soc, image).saturated, flag, "{program} after a clear");
        }
        clear(&mut soc);
        assert_eq!(soc.read_reg(map::STATUS.offset), Ok(0));
    });
}
