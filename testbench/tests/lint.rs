// SPDX-License-Identifier: MIT OR Apache-2.0
//! The emitted Verilog is clean in three tools: Verilator `-Wall`, Yosys `check -assert` without a latch, and
//! Icarus as Verilog-2005; its memories map to block RAM. A tool that is missing skips its test visibly; with `CI=true` it fails it.

use heddle_core::config::{Config, Format, PRESETS};
use heddle_core::engine::ram::{self, Shape};
use heddle_core::link::{LinkConfig, link};
use heddle_core::power::intent::Intent;
use heddle_core::top;
use heddle_lang::{Builder, Expr, Module, Ty, builder::Mem, stdlib::fifo, verilog};
use heddle_tb::blocks::one_domain;
use heddle_tb::tools::{self, find_program, find_verilator, find_yosys};
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;

/// The Verilog of a configuration in a folder of its own.
struct Emitted {
    name: String,
    top: String,
    files: Vec<String>,
    dir: TempDir,
}

impl Emitted {
    fn new(config: &Config) -> Emitted {
        let top = top::top(config).unwrap_or_else(|e| panic!("{}: {e}", config.name));
        Emitted::of(&config.name, &top)
    }

    fn of(name: &str, top: &Arc<Module>) -> Emitted {
        let options = verilog::Options { prefix: "heddle_".into(), ..Default::default() };
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut files = Vec::new();
        for file in verilog::files(top, &options).unwrap_or_else(|e| panic!("{name}: {e}")) {
            std::fs::write(dir.path().join(&file.name), &file.text).expect("a written file");
            files.push(file.name);
        }
        Emitted { name: name.to_string(), top: format!("{}{}", options.prefix, top.name), files, dir }
    }

    /// Runs a tool in the folder; any output that `is_finding` picks out, and any failure, is reported whole.
    fn clean(&self, command: &mut Command, is_finding: fn(&str) -> bool) {
        let out = command.current_dir(self.dir.path()).output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success() && !text.lines().any(is_finding), "{}: {}\n{text}", self.name, out.status);
    }
}

/// The presets, and builds that lack what every preset has: one format only, a row of several blocks per cycle,
/// lanes wider and narrower than the port.
fn configurations() -> Vec<Config> {
    let mut all: Vec<Config> = PRESETS.iter().map(|name| Config::preset(name).expect("a preset")).collect();
    for format in Format::ALL {
        all.push(variant(format.name(), &[&format!("formats={}", format.name())]));
    }
    all.push(variant("narrow_port", &["array.lanes=32", "array.columns=1", "memory.port_bits=32"]));
    all.push(variant("wide_port", &["array.lanes=4", "array.columns=2", "memory.port_bits=512", "memory.burst_beats=64"]));
    all.push(variant("widest_lanes", &["array.lanes=128", "array.columns=1", "memory.port_bits=64"]));
    all.push(variant("gated_by_two", &["array.columns=3", "power.columns_per_domain=2", "power.switch_stages=1"]));
    for entries in [32, 64] {
        all.push(variant(&format!("dvfs_{entries}"), &["array.columns=1", &format!("power.dvfs_entries={entries}")]));
    }
    all.push(variant("two_blocks", &["array.lanes=64", "array.columns=1", "memory.port_bits=64", "activations.blocks=8"]));
    all
}

/// The configurations, those with power domains in their corrupted form as well, and the blocks of a power domain,
/// with short and long chains of switches, and the link of a board.
fn designs() -> Vec<Emitted> {
    let mut all: Vec<Emitted> = configurations().iter().map(Emitted::new).collect();
    for config in configurations().iter().filter(|config| config.domains() > 0) {
        let top = top::top(config).unwrap_or_else(|e| panic!("{}: {e}", config.name));
        let intent = Intent::of(config, &top).unwrap_or_else(|e| panic!("{}: {e}", config.name));
        let corrupted = intent.corrupted(&top).unwrap_or_else(|e| panic!("{}: {e}", config.name));
        all.push(Emitted::of(&format!("{}, corrupted", config.name), &corrupted));
        let fpga = top::fpga::fpga(config).unwrap_or_else(|e| panic!("{}: {e}", config.name)).expect("it has power domains");
        all.push(Emitted::of(&format!("{}, for an FPGA", config.name), &fpga));
    }
    for stages in [1, 4, 8] {
        let domain = one_domain(stages).unwrap_or_else(|e| panic!("a domain with {stages} segments: {e}"));
        all.push(Emitted::of(&domain.name, &domain));
    }
    for port_bits in [32, 128] {
        for frames in [true, false] {
            let link = link(&LinkConfig { frames, ..LinkConfig::new(port_bits, 1 << 20, 25_000_000, 115_200) });
            let link = link.unwrap_or_else(|e| panic!("a link with a port of {port_bits} bits: {e}"));
            all.push(Emitted::of(&format!("link, port of {port_bits} bits, frames: {frames}"), &link));
        }
    }
    all
}

fn variant(name: &str, settings: &[&str]) -> Config {
    let settings: Vec<String> = settings.iter().map(|s| s.to_string()).chain([format!("name={name}")]).collect();
    Config::small().with_settings(&settings).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Says that a test is skipped for want of a tool; under CI that is a failure.
fn missing(test: &str, what: &str) {
    assert!(std::env::var_os("CI").is_none_or(|v| v != "true"), "{test} needs {what}");
    println!("skipped: {test}: {what} is missing; `tools/provision.sh lint --ci` installs it");
}

#[test]
fn verilator_has_no_warning() {
    if !tools::have_verilator("verilator_has_no_warning") {
        return;
    }
    let verilator = find_verilator().expect("Verilator was there a moment ago");
    for emitted in designs() {
        let mut command = verilator.command();
        command.args(["--lint-only", "-Wall", "--top-module", &emitted.top]).args(&emitted.files);
        emitted.clean(&mut command, |line| line.starts_with('%'));
    }
}

#[test]
fn icarus_has_no_warning() {
    let Some(iverilog) = find_program("iverilog") else {
        return missing("icarus_has_no_warning", "iverilog");
    };
    for emitted in designs() {
        let mut command = Command::new(&iverilog);
        command.args(["-g2005", "-Wall", "-tnull", "-s", &emitted.top]).args(&emitted.files);
        emitted.clean(&mut command, |line| !line.trim().is_empty());
    }
}

#[test]
fn yosys_finds_no_problem_and_no_latch() {
    let Ok(yosys) = find_yosys() else {
        return missing("yosys_finds_no_problem_and_no_latch", "Yosys");
    };
    for emitted in designs() {
        // The properties are read as well, so that they are known to parse.
        let read = format!("read_verilog -formal {}", emitted.files.join(" "));
        let passes = format!(
            "{read}; hierarchy -check -top {}; proc; opt_clean; check -assert; select -assert-none t:$dlatch t:$adlatch t:$dlatchsr",
            emitted.top
        );
        let mut command = yosys.command();
        command.args(["-p", &passes]);
        emitted.clean(&mut command, |line| line.contains("Warning:") || line.starts_with("ERROR"));
    }
}

/// Memories of each kind that the builder knows, 512 words of 32 bits.
fn memories() -> Vec<Arc<Module>> {
    let memory = |name: &str, rest: fn(&mut Builder, Mem, &[Expr; 3])| {
        let mut m = Builder::new(name, file!());
        m.clock("clk");
        let inputs = [m.input("write", Ty::BIT), m.input("address", Ty::Unsigned(9)), m.input("data", Ty::Unsigned(32))];
        let words = m.memory("words", 32, 512);
        rest(&mut m, words, &inputs);
        m.build().unwrap_or_else(|e| panic!("{name}: {e}"))
    };
    vec![
        memory("single_port", |m, words, [write, address, data]| {
            m.write(words, write, address, data);
            let read = m.read(words, "read", !write, address);
            m.output("q", read);
        }),
        memory("dual_port", |m, words, [write, address, data]| {
            let from = m.input("from", Ty::Unsigned(9));
            m.write(words, write, address, data);
            let read = m.read(words, "read", Expr::bit_const(true), &from);
            m.output("q", read);
        }),
        memory("byte_enables", |m, words, [write, address, data]| {
            let (from, bytes) = (m.input("from", Ty::Unsigned(9)), m.input("bytes", Ty::Unsigned(4)));
            m.write_bytes(words, write, address, data, Some(bytes));
            let read = m.read(words, "read", Expr::bit_const(true), &from);
            m.output("q", read);
        }),
        memory("two_reads", |m, words, [write, address, data]| {
            let (from, also) = (m.input("from", Ty::Unsigned(9)), m.input("also", Ty::Unsigned(9)));
            m.write(words, write, address, data);
            let read = [m.read(words, "read_a", Expr::bit_const(true), &from), m.read(words, "read_b", Expr::bit_const(true), &also)];
            m.output("q", Expr::pack(&read));
        }),
        fifo::fifo(32, 512).expect("a FIFO"),
        ram::ram(Shape { element_bits: 8, write_elements: 4, read_elements: 16, elements: 2048 }, 2).expect("a memory"),
        ram::ram(Shape { element_bits: 8, write_elements: 8, read_elements: 2, elements: 4096 }, 3).expect("a memory"),
    ]
}

#[test]
fn memories_map_to_block_ram() {
    let Ok(yosys) = find_yosys() else {
        return missing("memories_map_to_block_ram", "Yosys");
    };
    for (family, cell) in [("ecp5", "DP16KD"), ("ice40", "SB_RAM40_4K")] {
        for module in memories() {
            let emitted = Emitted::of(&module.name, &module);
            // Up to the flip-flops: a memory that is no block RAM has become some, or distributed RAM, by then.
            let passes = format!(
                "read_verilog {}; synth_{family} -top {} -run begin:map_gates; select -assert-min 1 t:{cell}; \
                 select -assert-none t:TRELLIS_DPR16X4 t:$mem_v2",
                emitted.files.join(" "),
                emitted.top
            );
            let mut command = yosys.command();
            command.args(["-p", &passes]);
            emitted.clean(&mut command, |line| line.starts_with("ERROR"));
        }
    }
}
