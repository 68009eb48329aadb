// SPDX-License-Identifier: MIT OR Apache-2.0
//! Imported modules in the native simulator against rust-hdl's own simulation.
#![cfg(feature = "import")]

mod import_cases;

use heddle_lang::sim::{Port, Simulator};
use import_cases::{Case, all};

const CYCLES: usize = 10_000;

fn seed() -> u64 {
    std::env::var("HEDDLE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1)
}

/// Runs the recorded inputs; with `reset`, after one cycle of it.
fn compare(case: &Case, seed: u64, reset: bool) {
    let record = case.record(seed, CYCLES);
    let block = (case.start)();
    let mut sim = Simulator::new(&case.module(reset)).unwrap_or_else(|e| panic!("{}: {e}", case.name));
    let port = |sim: &Simulator, name: &str| sim.port(name).unwrap_or_else(|e| panic!("{}: {e}", case.name));
    let inputs: Vec<Port> = block.inputs().iter().map(|(name, _)| port(&sim, name)).collect();
    let outputs: Vec<Port> = block.outputs().iter().map(|name| port(&sim, name)).collect();
    if let Ok(rst) = sim.port("rst") {
        sim.set(rst, 1);
        block.clocks().iter().for_each(|c| sim.step_clock(c).unwrap());
        sim.set(rst, 0);
    }
    for (i, cycle) in record.iter().enumerate() {
        inputs.iter().zip(&cycle.inputs).for_each(|(p, v)| sim.set_bits(*p, v));
        for ((p, name), want) in outputs.iter().zip(block.outputs()).zip(&cycle.outputs) {
            let got = sim.get_bits(*p);
            assert_eq!(got, *want, "{}: `{name}` in cycle {i}, seed {seed}, inputs {:?}", case.name, cycle.inputs);
        }
        block.clocks().iter().for_each(|c| sim.step_clock(c).unwrap());
    }
    println!("{:<20} {CYCLES} cycles equal, seed {seed}{}", case.name, if reset { ", with reset" } else { "" });
}

#[test]
fn native_simulation_equals_rust_hdl() {
    all().iter().for_each(|case| compare(case, seed(), false));
}

#[test]
fn native_simulation_with_reset_equals_rust_hdl() {
    all().iter().for_each(|case| compare(case, seed() + 1, true));
}
