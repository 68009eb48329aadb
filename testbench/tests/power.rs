// SPDX-License-Identifier: MIT OR Apache-2.0
//! The accelerator with power domains: the same results under any gating, faults end in an error, no lost cycle.

use heddle_core::{
    config::{Config, Format},
    descriptor::Cause,
    power::domain::{CAUSES, STATES},
    registers::{Value, map},
    top,
};
use heddle_tb::{
    axi::{Backpressure, MemoryConfig},
    matmul::{self, Product},
    random::Random,
    rtl,
    simulator::Simulator,
    soc::{Soc, SwitchTiming},
    tools::have_verilator,
    verilator::BuildOptions,
};

const LIMIT: u64 = 4_000_000;

fn gated(lanes: u32, columns: u32, per_domain: u32, port: u32) -> Config {
    let settings = [
        format!("array.lanes={lanes}"),
        format!("array.columns={columns}"),
        format!("memory.port_bits={port}"),
        format!("power.columns_per_domain={per_domain}"),
        "power.dvfs_entries=0".into(),
        "activations.blocks=32".into(),
    ];
    Config::gated().with_settings(&settings).expect("a legal geometry")
}

fn program(rng: &mut Random, config: &Config, length: usize) -> Vec<Product> {
    let mut products: Vec<Product> = Vec::new();
    for _ in 0..length {
        let p = matmul::random_product(rng, config, products.last());
        products.push(p);
    }
    products
}

/// Random gating of every domain: threshold, mode, delays of the switches, stalls of the memory.
fn check<S: Simulator>(config: &Config, sim: impl Fn() -> S, seed: u64, length: usize) -> u64 {
    let mut rng = Random::new(seed);
    let products = program(&mut rng, config, length);
    let image = matmul::image(config, &products);
    let expected = matmul::golden(config, &image);
    let memory = MemoryConfig { backpressure: Some(Backpressure { seed, chance: 120 }), ..matmul::memory_config(config, &image) };
    let mut ups = 0;
    for within in [0, 1] {
        let mut soc = Soc::new(sim(), memory.clone()).expect("a system");
        let slow = rng.bits() as u32 % 20;
        soc.switches().expect("power domains").set_timing(SwitchTiming { delay: 0..=slow, seed });
        let idle = [0, 0, 3, 40][rng.bits() as usize % 4];
        soc.write_reg(map::POWER_IDLE.offset, idle).unwrap();
        soc.write_reg(map::POWER_MODE.offset, within).unwrap();
        soc.write_reg(map::POWER_ENABLE.offset, 0xff).unwrap();
        let what = format!("{config:?} seed {seed} idle {idle} within {within} delays up to {slow}");
        let (outcome, counters) = matmul::run(&mut soc, &image, LIMIT).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!((outcome.cause, outcome.saturated), (expected.cause, expected.saturated), "{what}");
        if let Some(at) = (0..outcome.memory.len()).find(|&i| outcome.memory[i] != expected.memory[i]) {
            panic!("{what}: byte {at:#x} of the memory is {:#04x}, not {:#04x}", outcome.memory[at], expected.memory[at]);
        }
        assert!(counters.cycles > 0);
        for domain in 0..config.domains() {
            soc.write_reg(map::POWER_SELECT.offset, domain).unwrap();
            ups += u64::from(soc.read_reg(map::POWER_UPS.offset).unwrap());
        }
    }
    ups
}

const GEOMETRIES: [(u32, u32, u32, u32); 4] = [(4, 2, 1, 32), (16, 4, 2, 64), (32, 3, 2, 128), (64, 2, 1, 256)];

#[test]
fn native_equals_golden() {
    for (lanes, columns, per_domain, port) in GEOMETRIES {
        let config = gated(lanes, columns, per_domain, port);
        let top = top::top(&config).expect("the top");
        let ups = check(&config, || rtl::Native::new(&top).expect("native"), 1, 3);
        assert!(ups > 4, "{ups}");
    }
}

#[test]
fn verilog_equals_golden() {
    if !have_verilator("verilog_equals_golden") {
        return;
    }
    for (lanes, columns, per_domain, port) in GEOMETRIES {
        let config = gated(lanes, columns, per_domain, port);
        let top = top::top(&config).expect("the top");
        let library = rtl::verilated(&top, &BuildOptions::quick(), &mut |_| {}).expect("verilated");
        let ups: u64 = (1..=8).map(|seed| check(&config, || library.instance().expect("instance"), seed, 6)).sum();
        println!("{lanes} lanes, {} domains: switched on {ups} times", config.domains());
        assert!(ups > 50, "{ups}");
    }
}

/// A domain that cannot be switched on ends the program with an error, and does not hang.
#[test]
fn a_fault_stops_the_program() {
    let config = gated(16, 4, 1, 64);
    let top = top::top(&config).expect("the top");
    let mut rng = Random::new(3);
    let mut products = program(&mut rng, &config, 4);
    let blocks = products[0].blocks;
    products[0].reuse = false;
    products[0].columns = (0..4).map(|_| matmul::random_vector(&mut rng, blocks)).collect();
    products.truncate(1);
    let image = matmul::image(&config, &products);
    let mut soc = Soc::new(rtl::Native::new(&top).expect("native"), matmul::memory_config(&config, &image)).expect("a system");
    soc.write_reg(map::POWER_IRQ_ENABLE.offset, map::POWER_IRQ_FAULT.mask()).unwrap();
    soc.write_reg(map::POWER_LIMIT.offset, 50).unwrap();
    soc.switches().expect("power domains").stuck_open = 1 << (3 * config.power.switch_stages + 1);
    soc.run_until_irq(1000).expect("an interrupt of the fault");
    assert_eq!(soc.read_reg(map::POWER_FAULTS.offset).unwrap(), 1 << 3);
    soc.write_reg(map::POWER_SELECT.offset, 3).unwrap();
    let state = soc.read_reg(map::POWER_STATE.offset).unwrap();
    assert_eq!((map::POWER_STATE_STATE.get(state), map::POWER_STATE_CAUSE.get(state)), (16, 2));
    soc.write_reg(map::POWER_IRQ_ENABLE.offset, 0).unwrap();
    let (outcome, _) = matmul::run(&mut soc, &image, LIMIT).expect("a run");
    assert_eq!(Cause::from_code(outcome.cause), Some(Cause::PowerFault));

    // Repaired and cleared, the same program runs.
    soc.switches().expect("power domains").stuck_open = 0;
    soc.write_reg(map::POWER_CLEAR.offset, 1 << 3).unwrap();
    for _ in 0..100 {
        soc.cycle().unwrap();
    }
    let (outcome, _) = matmul::run(&mut soc, &image, LIMIT).expect("a run");
    assert_eq!((outcome.cause, outcome.memory == matmul::golden(&config, &image).memory), (0, true));
}

type Native = Soc<rtl::Native>;

/// One product on all four columns, and a system that runs it.
fn one_product(seed: u64, rows: usize) -> (Config, matmul::Image, Native) {
    let config = gated(16, 4, 1, 64);
    let top = top::top(&config).expect("the top");
    let mut rng = Random::new(seed);
    let mut product = program(&mut rng, &config, 1).remove(0);
    product.rows = rows;
    product.weights = matmul::random_matrix(&mut rng, product.format, rows * product.blocks);
    product.columns = (0..4).map(|_| matmul::random_vector(&mut rng, product.blocks)).collect();
    let image = matmul::image(&config, &[product]);
    let soc = Soc::new(rtl::Native::new(&top).expect("native"), matmul::memory_config(&config, &image)).expect("a system");
    (config, image, soc)
}

fn cycles(soc: &mut Native, count: u32) {
    (0..count).for_each(|_| soc.cycle().expect("a cycle"));
}

/// State and cause of a domain's controller, by their names.
fn state(soc: &mut Native, domain: u32) -> (&'static str, &'static str) {
    soc.write_reg(map::POWER_SELECT.offset, domain).unwrap();
    let state = soc.read_reg(map::POWER_STATE.offset).unwrap();
    let name = |of: &[Value], code: u32| of.iter().find(|v| v.value == code).expect("a known code").name;
    (name(&STATES, map::POWER_STATE_STATE.get(state)), name(&CAUSES, map::POWER_STATE_CAUSE.get(state)))
}

fn run_is_golden(soc: &mut Native, config: &Config, image: &matmul::Image) {
    let (outcome, _) = matmul::run(soc, image, LIMIT).expect("a run");
    assert_eq!((outcome.cause, outcome.memory == matmul::golden(config, image).memory), (0, true));
}

/// A supply that fails in the middle of a matrix stops the program; once it is back, the same program runs.
#[test]
fn a_lost_supply_stops_the_program() {
    let (config, image, mut soc) = one_product(5, 300);
    run_is_golden(&mut soc, &config, &image);
    soc.write_reg(map::POWER_IRQ_ENABLE.offset, map::POWER_IRQ_FAULT.mask()).unwrap();
    soc.write_reg(map::CONTROL.offset, map::CONTROL_CLEAR.mask()).unwrap();
    soc.write_reg(map::IRQ_STATUS.offset, map::IRQ_DONE.mask()).unwrap();
    soc.write_reg(map::CONTROL.offset, map::CONTROL_START.mask()).unwrap();
    cycles(&mut soc, 500);
    assert!(!soc.irq(), "the program is under way");
    soc.switches().expect("power domains").failed = 1 << 2;
    soc.run_until_irq(20).expect("an interrupt of the fault");
    assert_eq!(state(&mut soc, 2), ("faulted", "power_lost"));
    soc.write_reg(map::POWER_IRQ_ENABLE.offset, 0).unwrap();
    soc.run_until_irq(LIMIT).expect("the end of the program");
    assert_eq!(Cause::from_code(soc.read_reg(map::CAUSE.offset).unwrap()), Some(Cause::PowerFault));
    soc.switches().expect("power domains").failed = 0;
    soc.write_reg(map::POWER_CLEAR.offset, 1 << 2).unwrap();
    cycles(&mut soc, 200);
    run_is_golden(&mut soc, &config, &image);
}

/// A segment that does not open is a fault with an interrupt; a program that needs the domain ends with an error.
#[test]
fn a_switch_that_stays_closed_is_a_fault() {
    let (config, image, mut soc) = one_product(6, 20);
    cycles(&mut soc, 200);
    soc.switches().expect("power domains").stuck_closed = 1 << config.power.switch_stages;
    soc.write_reg(map::POWER_LIMIT.offset, 60).unwrap();
    soc.write_reg(map::POWER_IDLE.offset, 4).unwrap();
    soc.write_reg(map::POWER_IRQ_STATUS.offset, map::POWER_IRQ_FAULT.mask()).unwrap();
    soc.write_reg(map::POWER_IRQ_ENABLE.offset, map::POWER_IRQ_FAULT.mask()).unwrap();
    soc.write_reg(map::POWER_ENABLE.offset, 0xf).unwrap();
    soc.run_until_irq(1000).expect("an interrupt of the fault");
    assert_eq!(state(&mut soc, 1), ("faulted", "open_missing"));
    soc.write_reg(map::POWER_IRQ_ENABLE.offset, 0).unwrap();
    let (outcome, _) = matmul::run(&mut soc, &image, LIMIT).expect("a run");
    assert_eq!(Cause::from_code(outcome.cause), Some(Cause::PowerFault));
    soc.switches().expect("power domains").stuck_closed = 0;
    soc.write_reg(map::POWER_CLEAR.offset, 0xf).unwrap();
    cycles(&mut soc, 200);
    run_is_golden(&mut soc, &config, &image);
}

/// After a reset no switch is told to close before the chains have opened: their acknowledges are of the time before.
#[test]
fn a_reset_waits_for_slow_switches() {
    let (config, image, mut soc) = one_product(7, 20);
    soc.switches().expect("power domains").set_timing(SwitchTiming { delay: 40..=40, seed: 1 });
    cycles(&mut soc, 1000);
    assert_eq!(state(&mut soc, 3), ("running", "none"));
    soc.reset(2).expect("a reset");
    let sim = soc.simulator();
    let ports = ["power_weak_on_o", "power_strong_on_o", "power_weak_ack_i", "power_strong_ack_i"].map(|p| sim.port(p).unwrap());
    let mut opened = false;
    for _ in 0..200 {
        soc.cycle().unwrap();
        let sim = soc.simulator();
        let [weak, strong, weak_ack, strong_ack] = ports.map(|port| sim.get(port));
        opened |= weak_ack == 0 && strong_ack == 0;
        assert!(opened || (weak == 0 && strong == 0), "told to close while {weak_ack:#x} and {strong_ack:#x} are still closed");
    }
    assert!(opened);
    cycles(&mut soc, 1000);
    run_is_golden(&mut soc, &config, &image);
}

/// Layers that need 1 of 4 columns, then 4 of 4: gating costs no cycle where a wake-up can be hidden, and the counter
/// tells what could not.
#[test]
fn hidden_wake_ups_cost_no_cycle() {
    if !have_verilator("hidden_wake_ups_cost_no_cycle") {
        return;
    }
    let config = gated(16, 4, 1, 64);
    let mut rng = Random::new(8);
    let shapes = [(1, 96), (4, 96), (1, 96), (1, 96), (4, 128)];
    let product = |(columns, rows): (usize, usize)| Product {
        format: Format::Q4_0,
        rows,
        blocks: 8,
        weights: matmul::random_matrix(&mut rng, Format::Q4_0, rows * 8),
        columns: (0..columns).map(|_| matmul::random_vector(&mut rng, 8)).collect(),
        reuse: false,
        fence: false,
    };
    let image = matmul::image(&config, &shapes.map(product));
    let library = rtl::verilated(&top::top(&config).expect("the top"), &BuildOptions::quick(), &mut |_| {}).expect("verilated");
    let run = |enable: u32, delay: u32| {
        let mut soc = Soc::new(library.instance().expect("instance"), matmul::memory_config(&config, &image)).expect("a system");
        soc.switches().expect("power domains").set_timing(SwitchTiming { delay: delay..=delay, seed: 1 });
        soc.write_reg(map::POWER_IDLE.offset, 16).unwrap();
        soc.write_reg(map::POWER_ENABLE.offset, enable).unwrap();
        for _ in 0..40 * (delay + 4) {
            soc.cycle().unwrap();
        }
        let (outcome, counters) = matmul::run(&mut soc, &image, LIMIT).expect("a run");
        assert_eq!(outcome, matmul::golden(&config, &image));
        soc.write_reg(map::POWER_SELECT.offset, 3).unwrap();
        (counters.cycles, soc.read_reg(map::WAKE_STALL.offset).unwrap(), soc.read_reg(map::POWER_UPS.offset).unwrap())
    };
    let (on, _, _) = run(0, 0);
    let (gated, waited, ups) = run(0xf, 0);
    assert_eq!((gated, waited), (on, 0));
    assert!(ups >= 3, "domain 3 slept in between: {ups}");
    let (slow, waited, _) = run(0xf, 200);
    assert!(waited > 0 && slow > on && slow <= on + u64::from(waited), "{slow} {on} {waited}");
}

/// On an FPGA every switch answers at once: the whole sequence, and the same results.
#[test]
fn the_top_for_an_fpga_equals_golden() {
    for dvfs in [0, 16] {
        let config = gated(16, 4, 2, 64).with_settings(&[format!("power.dvfs_entries={dvfs}")]).expect("a legal configuration");
        let top = top::fpga::fpga(&config).expect("a module").expect("power domains");
        let mut rng = Random::new(9);
        let image = matmul::image(&config, &program(&mut rng, &config, 4));
        let mut soc = Soc::new(rtl::Native::new(&top).expect("native"), matmul::memory_config(&config, &image)).expect("a system");
        assert!(soc.switches().is_none() && soc.supplies().is_none());
        soc.write_reg(map::POWER_IDLE.offset, 3).unwrap();
        soc.write_reg(map::POWER_ENABLE.offset, 3).unwrap();
        cycles(&mut soc, 200);
        run_is_golden(&mut soc, &config, &image);
        soc.write_reg(map::POWER_SELECT.offset, 0).unwrap();
        assert!(soc.read_reg(map::POWER_UPS.offset).unwrap() > 1);
    }
    assert!(top::fpga::fpga(&Config::base()).expect("a module").is_none());
}
