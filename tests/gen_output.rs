// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files of `gen` as a library: what they are, and how a folder is replaced and compared.

use heddle::generate::output::{Difference, OutputError, compare, write};
use heddle::generate::rtl::Rtl;
use heddle::generate::{Files, assemble, generate};
use heddle_core::config::{Config, PRESETS};
use heddle_lang::expr::Ty;
use heddle_lang::{Builder, Module};
use std::fs;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Two adders, one feeding the other, behind a bus.
fn design() -> Arc<Module> {
    let mut m = Builder::clocked("adder", file!());
    let (a, b) = (m.input("a", Ty::Unsigned(16)), m.input("b", Ty::Unsigned(16)));
    let sum = m.register("total", a.wrapping_add(b));
    m.output("sum", sum);
    let adder = m.build().unwrap();
    let mut m = Builder::clocked("top", file!());
    let x = m.input("bus_x", Ty::Unsigned(16));
    let first = m.instance("first", &adder, &[("a", x.clone()), ("b", x.clone())]);
    let held = m.register("held", first.get("sum"));
    let second = m.instance("second", &adder, &[("a", held), ("b", x)]);
    m.output("bus_y", second.get("sum"));
    m.build().unwrap()
}

fn files() -> Files {
    let config = Config::nano();
    assemble(&config, &Rtl::of(&design(), &config).unwrap())
}

#[test]
fn the_same_bytes_each_run() {
    assert_eq!(files(), files());
    for preset in PRESETS {
        let config = Config::preset(preset).unwrap();
        assert_eq!(generate(&config).unwrap(), generate(&config).unwrap());
    }
}

#[test]
fn the_manifest_and_the_file_list_describe_the_files() {
    let files = files();
    let manifest: serde_json::Value = serde_json::from_str(&files["manifest.json"]).unwrap();
    assert_eq!(manifest["top"], "heddle_top");
    assert_eq!(manifest["modules"], serde_json::json!(["heddle_adder", "heddle_top"]));
    assert_eq!(manifest["digest"], Config::nano().digest_hex());
    assert_eq!(manifest["config"]["array"]["lanes"], 4);
    for (name, text) in files.iter().filter(|(name, _)| *name != "manifest.json") {
        assert_eq!(manifest["sizes"][name], text.len(), "{name}");
    }
    assert_eq!(files["filelist.f"], "// SPDX-License-Identifier: MIT OR Apache-2.0\nheddle_adder.v\nheddle_top.v\n");
    assert!(files["heddle_top.v"].contains(&Config::nano().digest_hex()));
}

#[test]
fn every_file_says_its_licence() {
    for (name, text) in files() {
        let licensed = match name.as_str() {
            "config.schema.json" => text.contains("\"$comment\": \"SPDX-License-Identifier: MIT OR Apache-2.0\""),
            name if name.ends_with(".json") => text.contains("\"license\": \"MIT OR Apache-2.0\""),
            _ => text.lines().take(6).any(|line| line.contains("SPDX-License-Identifier: MIT OR Apache-2.0")),
        };
        assert!(licensed, "{name}");
    }
}

#[test]
fn the_written_configuration_reads_back() {
    for preset in PRESETS {
        let config = Config::preset(preset).unwrap();
        assert_eq!(Config::from_toml(&generate(&config).unwrap()["config.toml"]).unwrap(), config);
    }
}

#[test]
fn the_diagram_shows_blocks_and_the_data_between_them() {
    let diagram = &files()["diagram.svg"];
    for title in ["first", "second", "bus", "inputs", "outputs"] {
        assert!(diagram.contains(&format!(">{title}<")), "{title}");
    }
    assert!(!diagram.contains(">rst<"));
    // bus to first (twice 16 bits), bus to second, first to second through a register, second to the bus.
    assert_eq!(diagram.matches("marker-end").count(), 4);
    assert_eq!(diagram.matches(">32</text>").count(), 1);
}

#[test]
fn a_folder_is_replaced_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("deep/nano");
    let mut files = files();
    write(&files, &out).unwrap();
    assert_eq!(compare(&files, &out).unwrap(), []);
    files.remove("heddle_adder.v");
    write(&assemble(&Config::base(), &Rtl::default()), &out).unwrap();
    assert!(!out.join("heddle_adder.v").exists());
    let beside: Vec<_> = fs::read_dir(out.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside, ["nano"], "nothing is left beside the folder");
}

#[test]
fn each_difference_is_listed() {
    let dir = tempfile::tempdir().unwrap();
    let (files, out) = (files(), dir.path().join("nano"));
    write(&files, &out).unwrap();
    fs::remove_file(out.join("registers.h")).unwrap();
    fs::write(out.join("notes.txt"), "mine").unwrap();
    fs::write(out.join("filelist.f"), "// SPDX-License-Identifier: MIT OR Apache-2.0\nheddle_adder.v\nother.v\n").unwrap();
    let expected =
        [("filelist.f", Difference::Differs { line: 3 }), ("notes.txt", Difference::Unexpected), ("registers.h", Difference::Missing)];
    assert_eq!(compare(&files, &out).unwrap(), expected.map(|(name, difference)| (name.to_string(), difference)));
    assert_eq!(compare(&files, &dir.path().join("none")).unwrap().len(), files.len());
}

#[test]
fn a_design_with_power_domains_has_a_folder_for_simulation() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("gated");
    let gated = generate(&Config::gated()).unwrap();
    write(&gated, &out).unwrap();
    assert_eq!(compare(&gated, &out).unwrap(), []);
    let manifest: serde_json::Value = serde_json::from_str(&gated["manifest.json"]).unwrap();
    assert_eq!(manifest["simulation_top"], "heddle_top_corrupt");
    // Every file of the list is there, seen from its folder; the last is the top.
    let list: Vec<&str> = gated["sim/filelist.f"].lines().filter(|line| !line.starts_with("//")).collect();
    assert_eq!(*list.last().unwrap(), "heddle_top_corrupt.v");
    assert!(list.contains(&"../heddle_isolate.v") && list.contains(&"heddle_array_column_corrupt.v"), "{list:?}");
    assert!(list.iter().all(|file| out.join("sim").join(file).exists()), "{list:?}");
    assert!(gated.contains_key("power.upf"));
    // Changes there are found, and others' files there protected.
    fs::remove_file(out.join("sim/filelist.f")).unwrap();
    fs::write(out.join("sim/notes.txt"), "mine").unwrap();
    let found = compare(&gated, &out).unwrap();
    let expected = [("sim/filelist.f", Difference::Missing), ("sim/notes.txt", Difference::Unexpected)];
    assert_eq!(found, expected.map(|(name, difference)| (name.to_string(), difference)));
    let error = write(&gated, &out).unwrap_err();
    assert!(matches!(&error, OutputError::Foreign { foreign, .. } if foreign == &["sim/notes.txt"]), "{error}");
    fs::remove_file(out.join("sim/notes.txt")).unwrap();
    // A design without domains takes the place of all of it.
    write(&files(), &out).unwrap();
    assert!(!out.join("sim").exists());
}

#[test]
#[cfg(unix)]
fn a_link_in_the_place_of_the_folder_is_foreign() {
    let dir = tempfile::tempdir().unwrap();
    let (out, elsewhere) = (dir.path().join("gated"), dir.path().join("elsewhere"));
    write(&files(), &out).unwrap();
    fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, out.join("sim")).unwrap();
    let error = write(&generate(&Config::gated()).unwrap(), &out).unwrap_err();
    assert!(matches!(&error, OutputError::Foreign { foreign, .. } if foreign == &["sim"]), "{error}");
}

#[test]
fn files_of_others_are_never_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let (files, out) = (files(), dir.path().join("nano"));
    fs::create_dir(&out).unwrap();
    write(&files, &out).unwrap();
    fs::write(out.join("notes.txt"), "mine").unwrap();
    let error = write(&files, &out).unwrap_err();
    assert!(matches!(&error, OutputError::Foreign { foreign, .. } if foreign == &["notes.txt"]), "{error}");
    assert!(error.to_string().contains("--out"));
    assert_eq!(fs::read_to_string(out.join("notes.txt")).unwrap(), "mine");
    assert_eq!(compare(&files, &out).unwrap().len(), 1);
    // A folder of sources that happen to have names of ours, but no manifest.
    let other = dir.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("registers.h"), "mine").unwrap();
    assert!(matches!(write(&files, &other), Err(OutputError::Foreign { .. })));
}

#[test]
fn a_failing_run_leaves_the_old_output_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (mut files, out) = (files(), dir.path().join("nano"));
    write(&files, &out).unwrap();
    let before = files.clone();
    // The last file cannot be written: its folder does not exist.
    files.insert("zz/none.v".into(), String::new());
    assert!(matches!(write(&files, &out), Err(OutputError::Write { .. })));
    assert_eq!(compare(&before, &out).unwrap(), []);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn what_killed_runs_left_is_removed_when_it_is_old() {
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str, inner: &str, hours: u64| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.join(inner)).unwrap();
        fs::write(path.join(inner).join("registers.h"), "half").unwrap();
        fs::File::open(&path).unwrap().set_modified(SystemTime::now() - Duration::from_secs(3600 * hours + 60)).unwrap();
        path
    };
    let stale = [make(".nano.aB3dE6", "new", 1), make(".nano.ZZZZZZ", "old", 30)];
    let kept = [
        make(".nano.young1", "new", 0),  // perhaps in use
        make(".base.aB3dE6", "new", 9),  // of another output
        make(".nano.aB3dE6x", "new", 9), // not our pattern
        make(".nano.aB3d-6", "new", 9),
        make(".nano.foreig", "thesis", 9), // not our content
        make("nano.aB3dE6", "new", 9),
    ];
    write(&files(), &dir.path().join("nano")).unwrap();
    assert!(stale.iter().all(|path| !path.exists()));
    assert!(kept.iter().all(|path| path.exists()));
}
