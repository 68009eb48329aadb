// SPDX-License-Identifier: MIT OR Apache-2.0
//! A short run of the differential fuzz; the long one is `cargo run --release -p heddle-tb --example fuzz`.

use heddle_tb::{
    fuzz::{self, Config, plan::Op},
    tools,
};

#[test]
fn builder_and_native_simulation_mean_the_same() {
    let config = Config { seed: 10_000, modules: 300, batch: 100, verilator: false, icarus: false, ..Config::default() };
    let summary = fuzz::run(&config, &mut |_| {}).expect("no tool is needed");
    assert!(summary.found.is_empty(), "{}", summary.found[0]);
    println!("{summary}");
}

#[test]
fn simulation_and_verilog_mean_the_same() {
    let verilator = tools::have_verilator("simulation_and_verilog_mean_the_same");
    let config = Config { seed: 20_000, modules: 40, cycles: 60, verilator, ..Config::default() };
    if !config.icarus {
        assert!(std::env::var_os("CI").is_none_or(|v| v != "true"), "Icarus is needed; `tools/provision.sh lint --ci` installs it");
        println!("skipped: Icarus is not installed");
    }
    let summary = fuzz::run(&config, &mut |_| {}).expect("the tools run");
    assert!(summary.found.is_empty(), "{}", summary.found[0]);
    println!("{summary}");
}

/// Modules that a tool once got wrong, or could not read.
#[test]
fn what_once_differed_does_not() {
    let verilator = tools::have_verilator("what_once_differed_does_not");
    for seed in [100_181, 100_281, 200_594] {
        let config = Config { seed, modules: 1, verilator, ..Config::default() };
        let summary = fuzz::run(&config, &mut |_| {}).expect("the tools run");
        assert!(summary.found.is_empty(), "{}", summary.found[0]);
    }
}

#[test]
fn a_failure_is_cut_down() {
    let has_negation = |p: &fuzz::plan::Plan| {
        let reached = p.reached();
        p.nodes.iter().enumerate().any(|(i, n)| reached[i] && matches!(n.op, Op::Negate(_)))
    };
    let seed = (0..).find(|&s| has_negation(&fuzz::plan_of(s)) && fuzz::plan_of(s).size() > 40).expect("some seed has one");
    let large = fuzz::plan_of(seed);
    let small = fuzz::shrink::shrink(&large, 5000, &mut |p| has_negation(p));
    assert!(has_negation(&small) && small.size() <= 3, "{} of {} nodes", small.size(), large.size());
    fuzz::build::build(&small).expect("what is left builds");
}
