// SPDX-License-Identifier: MIT OR Apache-2.0
//! The accelerator with power domains: the same results under any gating, faults end in an error, no lost cycle.

use heddle_core::{config::Config, descriptor::Cause, registers::map, top};
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
        let library = rtl::verilated(&top, &BuildOptions::default(), &mut |_| {}).expect("verilated");
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
