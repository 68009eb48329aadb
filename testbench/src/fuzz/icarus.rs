// SPDX-License-Identifier: MIT OR Apache-2.0
//! A plan in Icarus Verilog: a text bench that reads the stimulus and prints the outputs of each cycle.

use super::engines::{Failure, Mismatch, Vectors};
use heddle_lang::{
    Module,
    module::{Item, NetKind},
    verilog,
};
use std::{fmt::Write, fs, path::Path, process::Command, sync::Arc};

/// Whether Icarus can be run.
pub fn is_present() -> bool {
    Command::new("iverilog").arg("-V").output().is_ok_and(|o| o.status.success())
}

/// Runs a module over its stimulus in an empty folder.
pub fn run(module: &Arc<Module>, v: &Vectors, folder: &Path) -> Result<(), Failure> {
    let broken = |e: &dyn std::fmt::Display| Failure::Broken(e.to_string());
    let mut files = verilog::files(module, &verilog::Options::default()).map_err(|e| broken(&e))?;
    files.push(verilog::File { name: "bench.v".into(), text: bench(module, v) });
    files.push(verilog::File { name: "stimulus.hex".into(), text: stimulus(v) });
    for file in &files {
        fs::write(folder.join(&file.name), &file.text).map_err(|e| broken(&e))?;
    }
    let sources = files.iter().map(|f| f.name.as_str()).filter(|n| n.ends_with(".v"));
    command(Command::new("iverilog").args(["-g2005", "-o", "bench.vvp", "-s", "bench"]).args(sources).current_dir(folder))?;
    let text = command(Command::new("vvp").args(["-n", "bench.vvp"]).current_dir(folder))?;
    compare(&text, v)
}

fn command(c: &mut Command) -> Result<String, Failure> {
    let out = c.output().map_err(|e| Failure::Broken(e.to_string()))?;
    match out.status.success() {
        true => Ok(String::from_utf8_lossy(&out.stdout).into_owned()),
        false => Err(Failure::Broken(format!("Icarus: {}", String::from_utf8_lossy(&out.stderr)))),
    }
}

/// One line per cycle: reset, then the inputs, most significant first.
fn stimulus(v: &Vectors) -> String {
    let mut text = String::new();
    for cycle in &v.cycles {
        let bits = |(value, (_, width)): (&u128, &(String, u32))| (0..*width).rev().map(|i| (value >> i & 1) as u8).collect::<Vec<_>>();
        let all: Vec<u8> = [u8::from(cycle.reset)].into_iter().chain(cycle.inputs.iter().zip(&v.inputs).flat_map(bits)).collect();
        let pad = all.len().next_multiple_of(4) - all.len();
        let padded: Vec<u8> = std::iter::repeat_n(0, pad).chain(all).collect();
        padded.chunks(4).for_each(|n| {
            let _ = write!(text, "{:x}", n.iter().fold(0, |d, b| d << 1 | b));
        });
        text.push('\n');
    }
    text
}

fn bench(module: &Arc<Module>, v: &Vectors) -> String {
    let width = 1 + v.inputs.iter().map(|(_, w)| w).sum::<u32>();
    let cycles = v.cycles.len();
    let mut t = format!("module bench;\nreg clk = 0;\nreg [{}:0] words [0:{}];\nreg [{}:0] now;\n", width - 1, cycles - 1, width - 1);
    let mut connections = vec![".clk_i(clk)".to_string(), format!(".rst_i(now[{}])", width - 1)];
    let mut at = width - 1;
    for (name, w) in &v.inputs {
        at -= w;
        connections.push(format!(".{name}_i(now[{}:{at}])", at + w - 1));
    }
    for (name, w) in &v.outputs {
        let _ = writeln!(t, "wire [{}:0] {name};", w - 1);
        connections.push(format!(".{name}_o({name})"));
    }
    let _ = writeln!(t, "{} dut ({});\ninteger i, j;\ninitial begin", module.name, connections.join(", "));
    zeros(module, "dut", &mut t);
    let _ = writeln!(t, "$readmemh(\"stimulus.hex\", words);\nfor (i = 0; i < {cycles}; i = i + 1) begin\nnow = words[i]; #1;");
    for (name, _) in &v.outputs {
        let _ = writeln!(t, "$write(\"%h \", {name});");
    }
    t + "$display(\"\"); clk = 1; #1 clk = 0; #1;\nend\n$finish(0);\nend\nendmodule\n"
}

/// Registers and memories start at zero, as in the other engines.
fn zeros(module: &Arc<Module>, path: &str, t: &mut String) {
    for net in module.nets.iter().filter(|n| matches!(n.kind, NetKind::Register | NetKind::ReadData)) {
        let _ = writeln!(t, "{path}.{} = 0;", verilog::net_name(net));
    }
    for item in &module.items {
        match item {
            Item::Memory(m) if (m.init.len() as u32) < m.depth => {
                let _ = writeln!(t, "for (j = {}; j < {}; j = j + 1) {path}.{}[j] = 0;", m.init.len(), m.depth, m.name);
            }
            Item::Instance(i) => zeros(&i.module, &format!("{path}.{}", i.name), t),
            _ => {}
        }
    }
}

fn compare(text: &str, v: &Vectors) -> Result<(), Failure> {
    let mut lines = text.lines();
    for (n, cycle) in v.cycles.iter().enumerate() {
        let line = lines.next().ok_or_else(|| Failure::Broken(format!("Icarus stopped before cycle {n}")))?;
        for ((word, (name, _)), expected) in line.split_whitespace().zip(&v.outputs).zip(&cycle.outputs) {
            if u128::from_str_radix(word, 16) != Ok(*expected) {
                let mismatch = Mismatch { cycle: n, output: name.clone(), expected: *expected, got: word.to_string() };
                let has_x = word.contains(['x', 'X', 'z', 'Z']);
                return Err(if has_x { Failure::Unknown(mismatch) } else { Failure::Differs(mismatch) });
            }
        }
    }
    Ok(())
}
