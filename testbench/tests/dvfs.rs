// SPDX-License-Identifier: MIT OR Apache-2.0
//! The accelerator with a DVFS unit: the same results at any clock and voltage, the right entry at each layer, and what
//! happens when targets are missed, entries are illegal and supplies are dead.

use heddle_core::{
    config::Config,
    descriptor::{BYTES, Decoder, Descriptor, Layer, Phase, program_bytes},
    device::Device,
    power::dvfs::{CAUSES, MoveState, RESET_VOLTAGE},
    registers::{dvfs as regs, map},
    top,
};
use heddle_tb::{
    axi::{Backpressure, MemoryConfig},
    matmul::{self, Image, Product},
    random::Random,
    rtl,
    simulator::Simulator,
    soc::{Rail, Soc, SupplyTiming},
    tools::have_verilator,
    verilator::BuildOptions,
};

const LIMIT: u64 = 4_000_000;

/// `per_domain`: columns in a power domain, 0 for none.
fn built(entries: u32, lanes: u32, columns: u32, port: u32, per_domain: u32) -> Config {
    let settings = [
        format!("array.lanes={lanes}"),
        format!("array.columns={columns}"),
        format!("memory.port_bits={port}"),
        format!("power.dvfs_entries={entries}"),
        format!("power.columns_per_domain={per_domain}"),
        "activations.blocks=32".into(),
    ];
    Config::base().with_settings(&settings).expect("a legal geometry")
}

/// A program of random products, with these layers before them in turn.
fn image(config: &Config, rng: &mut Random, layers: &[Layer]) -> Image {
    let mut products: Vec<Product> = Vec::new();
    for _ in layers {
        products.push(matmul::random_product(rng, config, products.last()));
    }
    let mut image = matmul::image(config, &products);
    let mut decoder = Decoder::new(config);
    let mut layers = layers.iter();
    let mut program = Vec::new();
    for bytes in image.memory[image.program as usize..].chunks_exact(BYTES as usize) {
        let word = |i: usize| u32::from_le_bytes([bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2], bytes[4 * i + 3]]);
        let descriptor = decoder.decode(&std::array::from_fn(word)).expect("a legal program");
        if let Descriptor::Matmul(_) = descriptor {
            program.extend(layers.next().map(|layer| Descriptor::Layer(*layer)));
        }
        program.push(descriptor);
        if let Descriptor::End { .. } = descriptor {
            break;
        }
    }
    image.program = image.memory.len() as u32;
    image.memory.extend(program_bytes(&program));
    image.memory.resize(image.memory.len().next_multiple_of(4096), 0);
    image
}

fn random_layer(rng: &mut Random, config: &Config) -> Layer {
    Layer {
        phase: if rng.chance(128) { Phase::Decode } else { Phase::Prefill },
        class: (rng.bits() % u64::from(config.power.dvfs_entries / 8)) as u8,
        first: rng.chance(60),
        last: false,
        progress: rng.bits() as u8,
        tag: 0,
    }
}

/// A random legal table, as (clock, voltage).
fn random_table(rng: &mut Random, config: &Config) -> Vec<(u8, u8)> {
    let entry = |_| {
        let voltage = rng.bits() as u8;
        let limit = config.power.clock_limits[usize::from(voltage) / 32];
        ((rng.bits() % u64::from(limit + 1)) as u8, voltage)
    };
    (0..config.power.dvfs_entries).map(entry).collect()
}

fn write_entry<S: Simulator>(soc: &mut Soc<S>, index: usize, (clock, voltage): (u8, u8)) {
    let entry = u32::from(clock) | u32::from(voltage) << 8 | (index as u32) << 16;
    soc.write_reg(regs::DVFS_ENTRY.offset, entry).unwrap();
    soc.write_reg(regs::DVFS_CONTROL.offset, regs::DVFS_CONTROL_WRITE.mask()).unwrap();
}

fn read_entry<S: Simulator>(soc: &mut Soc<S>, index: usize) -> Option<(u8, u8)> {
    soc.write_reg(regs::DVFS_ENTRY.offset, (index as u32) << 16).unwrap();
    let read = soc.read_reg(regs::DVFS_READ.offset).unwrap();
    let codes = (regs::DVFS_ENTRY_CLOCK.get(read) as u8, regs::DVFS_ENTRY_VOLTAGE.get(read) as u8);
    (regs::DVFS_READ_PRESENT.get(read) == 1).then_some(codes)
}

fn cause<S: Simulator>(soc: &mut Soc<S>) -> &'static str {
    CAUSES[regs::DVFS_STATE_CAUSE.get(soc.read_reg(regs::DVFS_STATE.offset).unwrap()) as usize].name
}

fn run_cycles<S: Simulator>(soc: &mut Soc<S>, cycles: u32) {
    (0..cycles).for_each(|_| soc.cycle().unwrap());
}

/// Every pair that was taken is legal; gives the last one.
fn last_pair<S: Simulator>(soc: &mut Soc<S>, config: &Config) -> (u8, u8) {
    let (mut clock, mut voltage) = (0, RESET_VOLTAGE);
    for taken in soc.supplies().expect("a DVFS unit").taken() {
        match taken.rail {
            Rail::Voltage => voltage = taken.code,
            Rail::Clock => clock = taken.code,
        }
        let limit = config.power.clock_limits[usize::from(voltage) / 32];
        assert!(u32::from(clock) <= limit, "{taken:?}: clock {clock} at voltage {voltage}");
    }
    (clock, voltage)
}

/// Results are those of the golden device, and the pair in the end that of the last layer.
fn check<S: Simulator>(config: &Config, sim: S, seed: u64) {
    let mut rng = Random::new(seed);
    let layers: Vec<Layer> = (0..5).map(|_| random_layer(&mut rng, config)).collect();
    let image = image(config, &mut rng, &layers);
    let expected = matmul::golden(config, &image);
    let counts = Device::new(config, image.memory.clone()).run(image.program).expect("a legal program");
    let memory = MemoryConfig { backpressure: Some(Backpressure { seed, chance: 120 }), ..matmul::memory_config(config, &image) };
    let mut soc = Soc::new(sim, memory).expect("a system");
    let slow = [0, 5, 300][rng.bits() as usize % 3];
    soc.supplies().expect("a DVFS unit").set_timing(SupplyTiming { delay: 0..=slow, seed, tick: 3 });
    let table = random_table(&mut rng, config);
    for (index, entry) in table.iter().enumerate() {
        write_entry(&mut soc, index, *entry);
    }
    for (index, entry) in table.iter().enumerate() {
        assert_eq!(read_entry(&mut soc, index), Some(*entry), "entry {index}");
    }
    let (outcome, counters) = matmul::run(&mut soc, &image, LIMIT).unwrap_or_else(|e| panic!("{config:?} seed {seed}: {e}"));
    assert_eq!((outcome.cause, outcome.saturated), (expected.cause, expected.saturated));
    if let Some(at) = (0..outcome.memory.len()).find(|&i| outcome.memory[i] != expected.memory[i]) {
        panic!("{config:?} seed {seed}: byte {at:#x} of the memory is {:#04x}, not {:#04x}", outcome.memory[at], expected.memory[at]);
    }
    assert_eq!(counters.descriptors, counts.descriptors);
    run_cycles(&mut soc, 4000);
    // Without targets the slack bin is 3.
    let last = layers[4];
    let half = config.power.dvfs_entries as usize / 2;
    let index = usize::from(last.phase == Phase::Decode) * half + 4 * usize::from(last.class) + 3;
    assert_eq!(last_pair(&mut soc, config), table[index]);
    let state = soc.read_reg(regs::DVFS_STATE.offset).unwrap();
    assert_eq!((regs::DVFS_STATE_INDEX.get(state) as usize, regs::DVFS_STATE_STATE.get(state)), (index, MoveState::Settled as u32));
    assert_eq!(cause(&mut soc), "none");
}

const GEOMETRIES: [(u32, u32, u32, u32, u32); 3] = [(16, 4, 1, 32, 0), (32, 16, 2, 64, 1), (64, 32, 3, 512, 0)];

#[test]
fn native_equals_golden() {
    for (entries, lanes, columns, port, per_domain) in GEOMETRIES {
        let config = built(entries, lanes, columns, port, per_domain);
        let top = top::top(&config).expect("the top");
        check(&config, rtl::Native::new(&top).expect("native"), 1);
    }
}

#[test]
fn verilog_equals_golden() {
    if !have_verilator("verilog_equals_golden") {
        return;
    }
    for (entries, lanes, columns, port, per_domain) in GEOMETRIES {
        let config = built(entries, lanes, columns, port, per_domain);
        let top = top::top(&config).expect("the top");
        let library = rtl::verilated(&top, &BuildOptions::quick(), &mut |_| {}).expect("verilated");
        (1..=6).for_each(|seed| check(&config, library.instance().expect("instance"), seed));
    }
}

/// A system with one layer's program.
fn one_layer(layer: Layer) -> (Config, Soc<rtl::Native>, Image) {
    let config = built(16, 16, 2, 64, 0);
    let image = image(&config, &mut Random::new(7), &[layer]);
    let top = top::top(&config).expect("the top");
    let soc = Soc::new(rtl::Native::new(&top).expect("native"), matmul::memory_config(&config, &image)).expect("a system");
    (config, soc, image)
}

#[test]
fn a_refused_entry_is_told_and_changes_nothing() {
    let (_, mut soc, _) = one_layer(Layer::default());
    write_entry(&mut soc, 3, (31, 127));
    soc.write_reg(map::POWER_IRQ_ENABLE.offset, map::POWER_IRQ_DVFS.mask()).unwrap();
    run_cycles(&mut soc, 20);
    assert!(!soc.irq());
    write_entry(&mut soc, 3, (32, 127));
    soc.run_until_irq(20).expect("an interrupt");
    assert_eq!((cause(&mut soc), read_entry(&mut soc, 3)), ("refused", Some((31, 127))));
    soc.write_reg(regs::DVFS_CONTROL.offset, regs::DVFS_CONTROL_CLEAR.mask()).unwrap();
    soc.write_reg(map::POWER_IRQ_STATUS.offset, map::POWER_IRQ_DVFS.mask()).unwrap();
    run_cycles(&mut soc, 4);
    assert_eq!((cause(&mut soc), soc.irq()), ("none", false));
    // Past the end of this table.
    write_entry(&mut soc, 16, (0, 127));
    soc.run_until_irq(20).expect("an interrupt");
    assert_eq!((cause(&mut soc), read_entry(&mut soc, 0)), ("refused", None));
}

#[test]
fn a_missed_target_is_counted_once_a_pass() {
    let (_, mut soc, image) = one_layer(Layer { phase: Phase::Decode, first: true, ..Layer::default() });
    for (target, violations) in [(50, 1), (50, 2), (0, 2), (1_000_000, 2)] {
        soc.write_reg(regs::DVFS_TPOT.offset, target).unwrap();
        matmul::run(&mut soc, &image, LIMIT).expect("a run");
        let count = soc.read_reg(regs::DVFS_VIOLATIONS.offset).unwrap();
        assert_eq!((regs::DVFS_VIOLATIONS_TPOT.get(count), regs::DVFS_VIOLATIONS_TTFT.get(count)), (violations, 0), "{target}");
    }
    assert_eq!(soc.read_reg(map::POWER_IRQ_STATUS.offset).unwrap(), map::POWER_IRQ_TPOT.mask());
    soc.write_reg(map::POWER_IRQ_ENABLE.offset, map::POWER_IRQ_TPOT.mask()).unwrap();
    run_cycles(&mut soc, 2);
    assert!(soc.irq());
}

#[test]
fn a_dead_regulator_leaves_a_safe_pair() {
    let (config, mut soc, image) = one_layer(Layer { phase: Phase::Decode, class: 1, ..Layer::default() });
    // The reset's own move; then down from 255, so the clock comes first and the voltage last.
    write_entry(&mut soc, 15, (9, 40));
    run_cycles(&mut soc, 50);
    soc.write_reg(regs::DVFS_LIMIT.offset, 100).unwrap();
    soc.supplies().expect("a DVFS unit").set_dead(Rail::Voltage, true);
    let (outcome, _) = matmul::run(&mut soc, &image, LIMIT).expect("a run");
    assert!(outcome.memory == matmul::golden(&config, &image).memory);
    soc.write_reg(map::POWER_IRQ_ENABLE.offset, map::POWER_IRQ_DVFS.mask()).unwrap();
    soc.run_until_irq(1000).expect("an interrupt");
    assert_eq!((cause(&mut soc), last_pair(&mut soc, &config)), ("voltage_missing", (9, RESET_VOLTAGE)));
    soc.supplies().expect("a DVFS unit").set_dead(Rail::Voltage, false);
    run_cycles(&mut soc, 50);
    assert_eq!(last_pair(&mut soc, &config), (9, 40));
}
