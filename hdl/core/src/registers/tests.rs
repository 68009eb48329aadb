// SPDX-License-Identifier: MIT OR Apache-2.0

use super::*;
use crate::config::PRESETS;
use std::path::Path;
use std::process::Command;

#[test]
fn the_declaration_is_consistent() {
    for pair in REGISTERS.windows(2) {
        assert!(pair[0].offset < pair[1].offset, "{}", pair[1].name);
        assert_ne!(pair[0].name, pair[1].name);
    }
    for register in REGISTERS {
        let reset = register.reset_value(&Config::wide());
        assert!(register.offset % 4 == 0 && register.offset < 1 << ADDRESS_BITS);
        assert_eq!(reset & !register.mask(), 0, "{}", register.name);
        let widths: u32 = register.fields.iter().map(|field| field.width).sum();
        let distinct = register.fields.is_empty() || widths == register.mask().count_ones();
        assert!(distinct, "{} has overlapping fields", register.name);
    }
}

#[test]
fn resets_describe_the_build() {
    let base = Config::base();
    assert_eq!(map::GEOMETRY.reset_value(&base), 0x0f10_0420);
    assert_eq!(map::LIMITS.reset_value(&base), 0x0067_0100);
    let digest = [map::DIGEST_LO, map::DIGEST_HI].map(|word| word.reset_value(&base).to_le_bytes());
    assert_eq!(digest.concat(), base.digest());
    assert_eq!(map::GEOMETRY_PORT_BYTES.get(map::GEOMETRY.reset_value(&base)), 16);
}

#[test]
fn svd_validates_and_reads_back() {
    for preset in PRESETS {
        let config = Config::preset(preset).unwrap();
        let strict = svd_parser::Config::default().validate_level(svd_parser::ValidateLevel::Strict);
        let device = svd_parser::parse_with_config(&svd(&config), &strict).unwrap();
        let peripheral = device.get_peripheral("HEDDLE").unwrap();
        assert_eq!(peripheral.registers().count(), present(&config).count());
        for register in present(&config) {
            let read = peripheral.get_register(register.name).unwrap();
            assert_eq!(read.address_offset, register.offset);
            let reset = read.properties.reset_value.unwrap();
            assert_eq!(reset, u64::from(register.reset_value(&config)));
            assert_eq!(read.fields().count(), register.fields.len());
        }
        let cause = peripheral.get_register("CAUSE").unwrap().get_field("CAUSE").unwrap();
        assert_eq!(cause.enumerated_values[0].values.len(), Cause::ALL.len());
    }
}

#[test]
fn c_header_compiles_as_c_and_cpp() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("registers.h"), c_header(&Config::base())).unwrap();
    let uses = "#include \"registers.h\"\n#include \"registers.h\"\n\
                typedef char offset[HEDDLE_LAST_RESULT_OFFSET == 0x138u ? 1 : -1];\n\
                typedef char lanes[(HEDDLE_GEOMETRY_RESET & HEDDLE_GEOMETRY_LANES_MASK) == 32u ? 1 : -1];\n\
                typedef char cause[HEDDLE_CAUSE_CAUSE_MISALIGNED == 6u ? 1 : -1];\n";
    for (file, compiler, standard) in [("a.c", "cc", "-std=c89"), ("a.cc", "c++", "-std=c++11")] {
        let source = dir.path().join(file);
        std::fs::write(&source, uses).unwrap();
        let strict = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"];
        compile(Command::new(compiler).arg(standard).args(strict), &source);
    }
}

#[test]
fn rust_source_compiles() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("registers.rs");
    let uses = "\npub const LANES: u32 = geometry::LANES.get(GEOMETRY.reset);\n\
                const _: () = assert!(LANES == 32 && LAST_RESULT.offset == 0x138);\n\
                const _: () = assert!(cause::CAUSE_MISALIGNED == 6 && control::CLEAR.set(1, 1) == 3);\n";
    std::fs::write(&source, rust_source(&Config::base()) + uses).unwrap();
    let strict = ["--edition=2021", "--crate-type=lib", "--emit=metadata", "-Dwarnings", "--out-dir"];
    compile(Command::new("rustc").args(strict).arg(dir.path()), &source);
}

fn compile(command: &mut Command, source: &Path) {
    match command.arg(source).output() {
        Err(missing) => {
            assert!(std::env::var_os("CI").is_none_or(|v| v != "true"), "{command:?}: {missing}");
            println!("skipped: {command:?}: {missing}");
        }
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
    }
}

#[test]
fn json_lists_every_register() {
    let map: serde_json::Value = serde_json::from_str(&json(&Config::gated())).unwrap();
    assert_eq!(map["registers"].as_array().unwrap().len(), REGISTERS.len());
    assert_eq!(map["registers"][0]["reset"], map::ID_VALUE);
}

#[test]
fn markdown_has_a_row_per_register_and_field() {
    let page = markdown(&Config::gated());
    for register in REGISTERS {
        assert!(page.contains(&format!("| `{}` | {} |", register.name, register.access.abbreviation())));
        for field in register.fields {
            assert!(page.contains(&format!("| {} | `{}` |", field.range(), field.name)));
        }
    }
}

#[test]
fn renderings_are_the_same_each_time() {
    for render in [json, svd, c_header, markdown, rust_source] {
        assert_eq!(render(&Config::base()), render(&Config::base()));
    }
}

#[test]
fn registers_of_parts_that_are_absent_are_absent() {
    let absent = |config: &Config| REGISTERS.iter().filter(|r| present(config).all(|p| p.name != r.name)).count();
    let of = |needs: Needs| REGISTERS.iter().filter(|r| r.needs == needs).count();
    assert_eq!(absent(&Config::gated()), 0);
    assert_eq!(absent(&Config::base()), REGISTERS.len() - of(Needs::Nothing) - of(Needs::Counters));
    assert_eq!(absent(&Config::nano()), REGISTERS.len() - of(Needs::Nothing));
    let domains_alone = Config::gated().with_settings(&["power.dvfs_entries=0"]).unwrap();
    assert_eq!(absent(&domains_alone), of(Needs::Dvfs));
}
