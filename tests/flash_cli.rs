// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle flash` as a user meets it, as far as it goes without a board; `fpga/tests/flash.rs` writes to a modelled one.

mod cli_support;

use std::process::{Command, Output};

use serde_json::Value;

fn flash(args: &[&str], env: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heddle")).arg("flash").args(args).envs(env.iter().copied()).output().unwrap()
}

fn refusal(args: &[&str], env: &[(&str, &str)]) -> String {
    cli_support::message(flash(args, env))
}

#[test]
fn boards_are_listed() {
    let text = String::from_utf8(flash(&["boards"], &[]).stdout).unwrap();
    for board in ["ulx3s", "icebreaker", "colorlight-i5"] {
        assert!(text.lines().any(|line| line.starts_with(board)), "{text}");
    }
    let json: Value = serde_json::from_slice(&flash(&["boards", "--json"], &[]).stdout).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 3);
}

#[test]
fn a_board_that_is_none_is_an_error_that_lists_those_there_are() {
    let text = refusal(&["ulx4s", "x.bit"], &[]);
    assert!(text.contains("`ulx4s`") && text.contains("icebreaker"), "{text}");
    assert!(refusal(&["ulx3s"], &[]).contains("heddle flash ulx3s FILE"));
    assert!(refusal(&["ulx3s", "/nowhere/x.bit", "--dry-run"], &[]).contains("/nowhere/x.bit"));
}

/// The cable of an iCEBreaker leads to its flash.
#[test]
fn an_ice40_is_written_to_its_flash_unless_asked_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("nano.bin");
    std::fs::write(&path, [0xff, 0, 0, 0xff, 0x7e, 0xaa, 0x99, 0x7e]).unwrap();
    let command = |options: &[&str]| {
        let output = flash(&[&["icebreaker", path.to_str().unwrap(), "--dry-run"], options].concat(), &[]);
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(command(&[]).contains("--write-flash"), "{}", command(&[]));
    assert!(command(&["--sram"]).contains("--write-sram"));
}

#[test]
fn a_loader_that_is_missing_is_an_error_with_its_fix() {
    let empty = tempfile::tempdir().unwrap();
    let folder = empty.path().to_str().unwrap();
    let text = refusal(&["detect", "ulx3s"], &[("HEDDLE_TOOLS", folder), ("PATH", folder)]);
    assert!(text.contains("openFPGALoader") && text.contains("tools/provision.sh"), "{text}");
}
