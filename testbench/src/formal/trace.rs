// SPDX-License-Identifier: MIT OR Apache-2.0
//! A counterexample: the value of every net in every cycle, as a table of the ports and as VCD.

use std::fmt::Write;

/// One net of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// Path in the flattened module: `unit.count_q`.
    pub name: String,
    pub width: u32,
    /// Per cycle, most significant bit first.
    pub values: Vec<String>,
}

/// A run from reset to the cycle in which a property does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    pub signals: Vec<Signal>,
    pub cycles: usize,
}

impl Trace {
    /// `values`: per cycle, the value of each net.
    pub fn new(nets: impl Iterator<Item = (String, u32)>, values: Vec<Vec<String>>) -> Trace {
        let column = |i: usize| values.iter().map(|cycle| cycle[i].clone()).collect();
        let signals = nets.enumerate().map(|(i, (name, width))| Signal { name, width, values: column(i) }).collect();
        Trace { signals, cycles: values.len() }
    }

    /// The values of a net as numbers, if it has at most 64 bits.
    pub fn numbers(&self, name: &str) -> Option<Vec<u64>> {
        let signal = self.signals.iter().find(|s| s.name == name)?;
        signal.values.iter().map(|bits| u64::from_str_radix(bits, 2).ok()).collect()
    }

    /// Ports of the top, one line each, a column per cycle.
    pub fn table(&self) -> String {
        let is_port = |s: &&Signal| !s.name.contains('.') && (s.name.ends_with("_i") || s.name.ends_with("_o")) && s.name != "clk_i";
        let ports: Vec<&Signal> = self.signals.iter().filter(is_port).collect();
        let name_width = ports.iter().map(|s| s.name.len()).max().unwrap_or(0).max("cycle".len());
        let width = ports.iter().map(|s| s.width.div_ceil(4) as usize).max().unwrap_or(1).max(self.cycles.to_string().len());
        let mut text = format!("{:name_width$}", "cycle");
        (0..self.cycles).for_each(|t| text += &format!(" {t:>width$}"));
        for port in ports {
            let _ = write!(text, "\n{:name_width$}", port.name);
            port.values.iter().for_each(|v| text += &format!(" {:>width$}", hex(v)));
        }
        text + "\n"
    }

    /// All nets, for a wave viewer; a cycle is 10 time units, its edge comes at the end.
    pub fn vcd(&self) -> String {
        let mut text = String::from("$timescale 1ns $end\n$scope module proof $end\n");
        for (i, s) in self.signals.iter().enumerate() {
            let range = if s.width == 1 { String::new() } else { format!(" [{}:0]", s.width - 1) };
            // A path is a name here: viewers show it whole.
            let _ = writeln!(text, "$var wire {} {} {}{range} $end", s.width, code(i), s.name);
        }
        text += "$upscope $end\n$enddefinitions $end\n";
        for t in 0..self.cycles {
            let _ = writeln!(text, "#{}", 10 * t);
            for (i, s) in self.signals.iter().enumerate().filter(|(_, s)| t == 0 || s.values[t] != s.values[t - 1]) {
                let _ = match s.width {
                    1 => writeln!(text, "{}{}", s.values[t], code(i)),
                    _ => writeln!(text, "b{} {}", s.values[t], code(i)),
                };
            }
        }
        let _ = writeln!(text, "#{}", 10 * self.cycles);
        text
    }
}

/// Bits as hexadecimal digits.
fn hex(bits: &str) -> String {
    let padded = format!("{}{bits}", "0".repeat((4 - bits.len() % 4) % 4));
    padded
        .as_bytes()
        .chunks(4)
        .map(|c| c.iter().fold(0, |d, b| 2 * d + u32::from(b - b'0')))
        .filter_map(|d| char::from_digit(d, 16))
        .collect()
}

/// The short name of a signal in a VCD.
fn code(mut i: usize) -> String {
    let mut text = String::new();
    loop {
        text.push((b'!' + (i % 94) as u8) as char);
        i /= 94;
        if i == 0 {
            return text;
        }
    }
}
