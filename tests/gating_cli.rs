// SPDX-License-Identifier: MIT OR Apache-2.0
//! Power gating as a user meets it: `heddle infer --gate`, its report, its waveforms, its refusals.

use std::path::Path;
use std::process::{Command, Output};

use heddle::driver::sim::{Sim, build};
use heddle::driver::{Driver, DriverError, Gating, GatingError, TransportError};
use heddle_core::config::Config;
use heddle_core::registers::map;
use heddle_tb::soc::SwitchTiming;
use heddle_tb::tools::have_verilator;
use heddle_tb::verilator::BuildOptions;
use serde_json::Value;

/// Two columns, each a domain, without a DVFS unit: soon built.
const HARDWARE: [&str; 11] =
    ["infer", "--preset", "gated", "--set", "array.lanes=16", "--set", "array.columns=2", "--set", "power.dvfs_entries=0", "--tokens", "4"];

fn heddle(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heddle")).args(args).output().unwrap()
}

fn run(args: &[&str]) -> Output {
    let output = heddle(&[&HARDWARE[..], args].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn the_text_is_the_same_and_the_report_tells_what_was_off() {
    if !have_verilator("the_text_is_the_same_and_the_report_tells_what_was_off") {
        return;
    }
    let json = |args: &[&str]| -> Value { serde_json::from_slice(&run(&[&["--json"], args].concat()).stdout).unwrap() };
    let (on, gated, within) = (json(&[]), json(&["--gate", "20"]), json(&["--gate", "0", "--gate-within"]));
    assert_eq!(on["ids"], gated["ids"]);
    assert_eq!(on["ids"], within["ids"]);
    assert_eq!(on["power"]["share_off"].as_f64().map(|share| share < 0.01), Some(true));
    let share = gated["power"]["share_off"].as_f64().unwrap();
    assert!((0.2..1.0).contains(&share), "{share}");
    assert_eq!(gated["power"]["domains"].as_array().unwrap().len(), 2);
    assert!(within["power"]["domains"][0]["ups"].as_u64().unwrap() > gated["power"]["domains"][0]["ups"].as_u64().unwrap());
    assert!(within["counters"]["wake_stall"].as_u64().unwrap() > 0);
    let report = String::from_utf8(run(&["--gate", "20"]).stderr).unwrap();
    assert!(report.contains("2 domains, ") && report.contains("of their cycles off"), "{report}");
}

#[test]
fn waveforms_have_a_view_with_states_by_name() {
    if !have_verilator("waveforms_have_a_view_with_states_by_name") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.vcd");
    run(&["--gate", "0", "--trace", path.to_str().unwrap(), "--trace-cycles", "400"]);
    let trace = std::fs::read_to_string(&path).unwrap();
    let signals = signals(&trace);
    let view = std::fs::read_to_string(dir.path().join("run.vcd.gtkw")).unwrap();
    let names = std::fs::read_to_string(dir.path().join("run.vcd.states.txt")).unwrap();
    assert!(names.contains("08 running\n") && names.lines().count() == 17, "{names}");
    let shown: Vec<&str> = view.lines().filter(|line| line.starts_with("top.")).collect();
    assert_eq!(shown.len(), 1 + 2 * 8);
    for signal in shown {
        assert!(signals.iter().any(|s| s == signal), "{signal} is not in the trace");
    }
    let table = view.lines().find_map(|line| line.strip_prefix("^1 ")).unwrap();
    assert!(Path::new(table).exists(), "{table}");
}

/// Full names of the signals of a VCD.
fn signals(vcd: &str) -> Vec<String> {
    let mut scopes: Vec<&str> = Vec::new();
    let mut names = Vec::new();
    for line in vcd.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["$scope", _, name, ..] => scopes.push(name),
            ["$upscope", ..] => drop(scopes.pop()),
            ["$var", _, _, _, name, "$end"] => names.push(format!("{}.{name}", scopes.join("."))),
            ["$var", _, _, _, name, range, "$end"] => names.push(format!("{}.{name}{range}", scopes.join("."))),
            _ => {}
        }
    }
    names
}

#[test]
fn what_cannot_be_is_refused() {
    let refusal = |args: &[&str]| {
        let output = heddle(args);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(!text.contains("panicked"), "{text}");
        text
    };
    let text = refusal(&["infer", "--transport", "golden", "--gate", "5"]);
    assert!(text.contains("`base` has no power domains; build it with --preset gated"), "{text}");
    let text = refusal(&["infer", "--transport", "golden", "--preset", "gated", "--gate", "0", "--gate-limit", "8"]);
    assert!(text.contains("a limit of 8 cycles is below the 17 that a chain of 4 switches takes"), "{text}");
    assert!(refusal(&["infer", "--gate-within"]).contains("--gate"));
    assert!(refusal(&["infer", "--gate", "70000"]).contains("70000"));
}

/// Switches that answer later than the limit allows: every wake-up fails, and the run ends with a message, not a hang.
#[test]
fn a_missing_acknowledge_is_told() {
    if !have_verilator("a_missing_acknowledge_is_told") {
        return;
    }
    let settings = ["array.lanes=16", "array.columns=2", "power.dvfs_entries=0"];
    let config = Config::gated().with_settings(&settings).unwrap();
    let library = build(&config, &BuildOptions::default(), &mut |_| {}).unwrap();
    let mut sim = Sim::new(&library, &config).unwrap();
    sim.set_switches(SwitchTiming { delay: 30..=30, seed: 1 });
    let mut driver = Driver::connect(Box::new(sim), &config).unwrap();
    let refused = driver.set_gating(Some(Gating { idle: 0, limit: 8, within_matrix: false }));
    assert!(matches!(refused, Err(DriverError::Gating(GatingError::Limit { limit: 8, least: 17, stages: 4 }))));
    driver.set_gating(Some(Gating { idle: 0, limit: 60, within_matrix: false })).unwrap();
    // Off, then asked for again: a chain of 4 takes 4 x 31 cycles.
    wait(&mut driver, 1000).unwrap();
    let gguf = std::sync::Arc::new(heddle::model::open("nano-q8_0", &mut |_| {}).unwrap());
    let compiled = heddle::compile::compile(&gguf, &config).unwrap();
    let mut decoder = heddle::decoder::Decoder::new(&compiled, driver).unwrap();
    let error = decoder.prefill(&[1, 2]).unwrap_err().to_string();
    assert!(error.contains("power_fault") && error.contains("domain 0: weak_missing"), "{error}");
}

/// Lets cycles pass by reading a register.
fn wait(driver: &mut Driver, cycles: u64) -> Result<(), TransportError> {
    let start = driver.transport().clock_cycles().unwrap_or(0);
    while driver.transport().clock_cycles().unwrap_or(cycles) < start + cycles {
        driver.transport().read_reg(map::ID.offset)?;
    }
    Ok(())
}
