// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command `gen` as its users see it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn gen_in(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gen")).args(args).current_dir(dir).env("NO_COLOR", "1").output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a failing command and returns what it says.
fn complaint(dir: &Path, args: &[&str]) -> String {
    let output = gen_in(dir, args);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stdout(&output));
    assert!(output.stdout.is_empty(), "{args:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn writes_checks_and_notices_changes() {
    let dir = tempfile::tempdir().unwrap();
    for preset in ["nano", "small", "base", "gated", "wide"] {
        let output = gen_in(dir.path(), &["--preset", preset]);
        assert!(output.status.success() && stdout(&output).starts_with(&format!("rtl-out/{preset}: ")), "{output:?}");
        assert!(gen_in(dir.path(), &["--preset", preset, "--check"]).status.success());
    }
    let header = dir.path().join("rtl-out/base/registers.h");
    fs::write(&header, fs::read_to_string(&header).unwrap().replacen("ID", "id", 1)).unwrap();
    let output = gen_in(dir.path(), &["--preset", "base", "--check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("rtl-out/base/registers.h: differs from line"), "{output:?}");
    let output = gen_in(dir.path(), &["--preset", "base", "--check", "--out", "none"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), "none does not exist\n"));
}

#[test]
fn settings_change_name_and_folder() {
    let dir = tempfile::tempdir().unwrap();
    let output = gen_in(dir.path(), &["--preset", "base", "--set", "array.lanes=16", "--set", "name=half", "--json"]);
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["out"], "rtl-out/half");
    let manifest = fs::read_to_string(dir.path().join("rtl-out/half/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!((&manifest["config"]["array"]["lanes"], &manifest["digest"]), (&16.into(), &summary["digest"]));
    // The written configuration gives the same files again.
    let again = ["--config", "rtl-out/half/config.toml", "--check"];
    assert!(gen_in(dir.path(), &again).status.success());
}

#[test]
fn errors_say_what_is_legal() {
    let dir = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &str); 6] = [
        (&["--preset", "huge"], "unknown preset `huge`: must be one of nano, small, base, gated, wide"),
        (&["--preset", "base", "--set", "array.lane=4"], "must be one of activations.blocks, array.columns, array.lanes"),
        (&["--preset", "base", "--set", "array.lanes=24"], "must be one of 4, 8, 16, 32, 64, 128"),
        (&["--preset", "base", "--set", "lanes"], "key=value"),
        (&["--config", "none.toml"], "cannot read none.toml"),
        (&[], "--preset"),
    ];
    for (args, expected) in cases {
        let text = complaint(dir.path(), args);
        let text = text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(text.contains(expected), "{args:?}: {text}");
    }
    assert!(!dir.path().join("rtl-out").exists());
}

#[test]
fn errors_in_a_file_point_at_the_value() {
    let dir = tempfile::tempdir().unwrap();
    gen_in(dir.path(), &["--preset", "nano"]);
    let good = fs::read_to_string(dir.path().join("rtl-out/nano/config.toml")).unwrap();
    let cases = [
        ("columns = 1", "columns = 9", "must be from 1 to 8"),
        ("columns = 1", "colums = 1", "unknown field `colums`"),
        ("columns = 1", "columns = \"one\"", "invalid type"),
        ("columns = 1", "columns = \"one\"", "array.columns must be from 1 to 8"),
        ("columns = 1", "columns = -1", "array.columns must be from 1 to 8"),
        ("fifo_beats = 128", "fifo_beats = 64", "at least latency_cycles + burst_beats = 72"),
        ("[array]", "[array", "unclosed table"),
    ];
    for (old, new, expected) in cases {
        fs::write(dir.path().join("mine.toml"), good.replace(old, new)).unwrap();
        let text = complaint(dir.path(), &["--config", "mine.toml"]);
        assert!(text.contains("mine.toml:") && text.contains(new) && text.contains(expected), "{text}");
    }
    // There is nothing to point at in a file without content.
    for empty in ["", "\n\n"] {
        fs::write(dir.path().join("mine.toml"), empty).unwrap();
        let text = complaint(dir.path(), &["--config", "mine.toml"]);
        assert!(text.contains("mine.toml: not a valid configuration: missing field") && text.contains("gen --preset base"), "{text}");
    }
    // What is missing elsewhere is told as text, wherever the place is.
    fs::write(dir.path().join("mine.toml"), good.replace("lanes = 4\n", "")).unwrap();
    let text = complaint(dir.path(), &["--config", "mine.toml"]);
    assert!(text.contains("not a valid configuration: missing field `lanes`"), "{text}");
    // A setting may repair what the file has wrong.
    fs::write(dir.path().join("mine.toml"), good.replace("columns = 1", "columns = 9")).unwrap();
    assert!(gen_in(dir.path(), &["--config", "mine.toml", "--set", "array.columns=2"]).status.success());
    // A wrong setting is not blamed on the file.
    let text = complaint(dir.path(), &["--config", "mine.toml", "--set", "array.columns=0"]);
    assert!(text.contains("array.columns = 0") && !text.contains("mine.toml"), "{text}");
}

#[test]
fn foreign_folders_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("thesis.tex"), "years of work").unwrap();
    for out in [".", "../", "/"] {
        let text = complaint(dir.path(), &["--preset", "nano", "--out", out]);
        assert!(text.contains("--out"), "{text}");
    }
    let text = complaint(dir.path(), &["--preset", "nano", "--out", dir.path().to_str().unwrap()]);
    assert!(text.contains("thesis.tex"), "{text}");
    assert!(dir.path().join("thesis.tex").exists());
}

#[test]
fn presets_are_listed() {
    let dir = tempfile::tempdir().unwrap();
    let text = stdout(&gen_in(dir.path(), &["--list"]));
    assert_eq!(text.lines().count(), 6, "{text}");
    let json: serde_json::Value = serde_json::from_slice(&gen_in(dir.path(), &["--list", "--json"]).stdout).unwrap();
    assert_eq!(json["presets"][2]["name"], "base");
}

#[test]
fn an_output_that_cannot_be_written_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    let text = complaint(dir.path(), &["--preset", "nano", "--out", "file/deep/nano"]);
    assert_eq!(text.matches("Not a directory").count(), 1, "{text}");
    assert!(text.contains("file/deep/nano") && text.contains("--out"), "{text}");
    // No folder can be made there; what was tried is nobody's business.
    let text = complaint(dir.path(), &["--preset", "nano", "--out", "/proc/nano"]);
    assert!(text.starts_with("error: cannot write /proc/nano: ") && text.contains("with --out") && !text.contains(".nano."), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}
