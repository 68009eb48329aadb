// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle synth` from the command line: exit codes, files, and a cache below the temporary folder, which the tools that
//! are WebAssembly do not see under its name.

use heddle::synth::targets::{self, Target};
use heddle_tb::tools::reference_file;
use heddle_tools::have_pinned;
use std::path::Path;
use std::process::{Command, Output};

fn synth(cache: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heddle"));
    command.arg("synth").args(args).env("HEDDLE_CACHE", cache).output().expect("heddle runs")
}

#[test]
fn a_column_is_placed_and_reported() {
    if !have_pinned("a_column_is_placed_and_reported", &["yosys", "nextpnr-ice40", "nextpnr-ecp5"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (cache, out) = (folder.path().join("cache"), folder.path().join("out"));
    let column = ["nano", "--block", "column", "--seeds", "1", "--json", "--out", out.to_str().unwrap(), "--freq"];
    let done = synth(&cache, &[&column[..], &["10"]].concat());
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).expect("one JSON object");
    assert!(report["fmax_mhz"].as_f64().unwrap() > 10.0 && report["slack_ns"].as_f64().unwrap() > 0.0, "{report}");
    assert_eq!((&report["dsp"], &report["ram"], &report["seeds"][0]["seed"]), (&2.into(), &0.into(), &1.into()));
    assert!(report["lut"].as_u64().unwrap() > 30 && report["modules"].as_array().unwrap().len() >= 2, "{report}");
    for name in ["report.json", "report.md", "area.svg", "floorplan.svg"] {
        assert!(out.join(name).is_file(), "{name}");
    }

    let slow = synth(&cache, &[&column[..], &["400"]].concat());
    assert_eq!(slow.status.code(), Some(1));
    let said = String::from_utf8_lossy(&slow.stderr).into_owned();
    assert!(said.contains("slack -") && said.contains("of 400.0 MHz"), "{said}");
}

#[test]
fn the_gates_of_a_build_without_counters_run_a_product() {
    let test = "the_gates_of_a_build_without_counters_run_a_product";
    let library = reference_file("liberty/ihp-sg13g2/sg13g2_stdcell_typ_1p20V_25C.lib.gz");
    if library.is_none() || !have_pinned(test, &["yosys"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let done = synth(folder.path(), &["nano", "--asic", "--json"]);
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    let view: serde_json::Value = serde_json::from_slice(&done.stdout).expect("one JSON object");
    // 64 rows of 8 blocks, 8 cycles each with 4 lanes.
    assert_eq!((&view["status"], &view["active_cycles"]), (&"estimate".into(), &4096.into()), "{view}");
    assert!(view["cycles"].as_u64().unwrap() > 4096 && !view["domains"].as_array().unwrap().is_empty(), "{view}");
}

#[test]
fn the_page_says_what_was_not_run_and_with_which_command() {
    if !have_pinned("the_page_says_what_was_not_run_and_with_which_command", &["yosys", "nextpnr-ice40", "nextpnr-ecp5"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (cache, docs) = (folder.path().join("cache"), folder.path().join("docs"));
    let done = synth(&cache, &["--docs", "--dir", docs.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(0), "{said}");
    let page = std::fs::read_to_string(docs.join("results/synth.md")).expect("a page");
    let all = targets::all().expect("targets");
    for target in &all {
        let command = target.command(targets::SEEDS);
        assert!(page.contains(&format!("| `{command}` | not run |")) && said.contains(&command), "{command}: {page}");
    }
    assert_eq!(page.matches(" | not run |\n").count(), all.len(), "{page}");
}

/// What `.ci/nightly` runs and what the page shows are one list.
#[test]
fn the_nightly_command_runs_every_target() {
    let script = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/nightly")).expect("the script");
    let (_, list) = script.split_once("<<'TARGETS'\n").expect("the list");
    let mut lines: Vec<String> = list.lines().take_while(|line| *line != "TARGETS").map(str::to_owned).collect();
    let line = |target: &Target| format!("{} {}", target.name(), target.command(targets::SEEDS).trim_start_matches("heddle synth "));
    let mut expected: Vec<String> = targets::all().expect("targets").iter().map(line).collect();
    lines.sort();
    expected.sort();
    assert_eq!(lines, expected);
}

#[test]
fn unknown_parts_are_refused() {
    if !have_pinned("unknown_parts_are_refused", &["yosys", "nextpnr-ice40", "nextpnr-ecp5"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let said = |args: &[&str]| String::from_utf8_lossy(&synth(folder.path(), args).stderr).into_owned();
    assert!(said(&["nano", "--part", "xc7"]).contains("there is no part `xc7`; there are up5k, "));
    assert!(said(&["wide"]).contains("`wide` is not made for an FPGA; choose one with --part"));
}
