// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Verilog of memories, arbiter and whole boards is clean in Verilator and Yosys. A tool that is missing skips its test
//! visibly; with `CI=true` it fails it.

use heddle_core::config::Config;
use heddle_fpga::{
    arbiter::{UNDER_WAY, arbiter},
    block_ram::block_ram,
    board::Board,
    sdram::{Geometry, SdramConfig, sdram},
    top::{Wire, board_top},
};
use heddle_lang::{BuildError, Module, verilog};
use heddle_tb::tools::{self, find_verilator, find_yosys};
use std::{process::Command, sync::Arc};
use tempfile::TempDir;

fn designs() -> Result<Vec<Arc<Module>>, BuildError> {
    let small = Geometry { row_bits: 11, column_bits: 8, bank_bits: 1 };
    let large = Geometry { row_bits: 12, column_bits: 10, bank_bits: 2 };
    Ok(vec![
        sdram(&SdramConfig::ulx3s(100.0, 32))?,
        sdram(&SdramConfig::ulx3s(143.0, 64))?,
        sdram(&SdramConfig { geometry: small, ..SdramConfig::ulx3s(25.0, 128) })?,
        sdram(&SdramConfig { geometry: large, read_delay: 2, ..SdramConfig::ulx3s(100.0, 32) })?,
        arbiter(32, 2)?,
        arbiter(128, UNDER_WAY)?,
        block_ram(32, 4096)?,
        block_ram(64, 40 << 10)?,
    ])
}

/// Every board with each of its memories.
fn boards() -> Vec<Arc<Module>> {
    let mut designs = Vec::new();
    for board in Board::all().expect("legal boards") {
        let config = Config::preset(&board.preset).expect("a preset");
        for kind in board.memory.kinds() {
            designs.push(board_top(&board, &config, kind, Wire::of(&board)).unwrap_or_else(|e| panic!("{e}")));
        }
    }
    designs
}

/// Writes a design's Verilog, and gives its folder, its top module and the names of its files.
fn emitted(top: &Arc<Module>) -> (TempDir, String, Vec<String>) {
    let options = verilog::Options { prefix: "heddle_".into(), ..Default::default() };
    let dir = tempfile::tempdir().expect("a temporary folder");
    let files = verilog::files(top, &options).unwrap_or_else(|e| panic!("{}: {e}", top.name));
    files.iter().for_each(|file| std::fs::write(dir.path().join(&file.name), &file.text).expect("a written file"));
    (dir, format!("heddle_{}", top.name), files.into_iter().map(|file| file.name).collect())
}

/// Runs a tool in a folder; a line that is a finding, and a failure, is reported with all that was said.
fn clean(dir: &TempDir, command: &mut Command, is_finding: fn(&str) -> bool) {
    let out = command.current_dir(dir.path()).output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && !text.lines().any(is_finding), "{}\n{text}", out.status);
}

#[test]
fn verilator_has_no_warning() {
    if !tools::have_verilator("verilator_has_no_warning") {
        return;
    }
    let verilator = find_verilator().expect("Verilator was there a moment ago");
    for design in designs().unwrap_or_else(|e| panic!("{e}")).into_iter().chain(boards()) {
        let (dir, top, files) = emitted(&design);
        let mut command = verilator.command();
        command.args(["--lint-only", "-Wall", "--top-module", &top]).args(&files);
        clean(&dir, &mut command, |line| line.starts_with('%'));
    }
}

#[test]
fn yosys_finds_no_problem_and_no_latch() {
    let Ok(yosys) = find_yosys() else {
        assert!(std::env::var_os("CI").is_none_or(|v| v != "true"), "Yosys is missing");
        return println!("skipped: yosys_finds_no_problem_and_no_latch: Yosys is missing; `tools/provision.sh lint --ci` installs it");
    };
    for design in designs().unwrap_or_else(|e| panic!("{e}")).into_iter().chain(boards()) {
        let (dir, top, files) = emitted(&design);
        let passes = format!(
            "read_verilog -formal {}; hierarchy -check -top {top}; proc; opt_clean; check -assert; \
             select -assert-none t:$dlatch t:$adlatch t:$dlatchsr",
            files.join(" ")
        );
        let mut command = yosys.command();
        command.args(["-p", &passes]);
        clean(&dir, &mut command, |line| line.contains("Warning:") || line.starts_with("ERROR"));
    }
}
