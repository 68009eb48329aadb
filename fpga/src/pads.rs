// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a board's top to its pins: three-state buffers, and where each port is on the package.

use crate::board::{Board, Family};
use heddle_lang::{Module, module::NetKind, verilog};
use std::fmt::Write;

/// A bus whose pins are driven by both sides: `<name>_o`, `<name>_enable_o`, `<name>_read_i` of the top.
const SHARED: &str = "sdram_dq";

/// Name of the module around a top.
pub fn name(top: &Module) -> String {
    format!("{}_pads", top.name)
}

/// Instance of the top in it.
pub const INSTANCE: &str = "top";

/// Verilog of the module around a top whose ports are pins, the shared bus one port of them.
pub fn verilog(top: &Module) -> String {
    let (mut ports, mut pins, mut wires, mut tail) = (Vec::new(), Vec::new(), String::new(), String::new());
    for (_, net) in top.ports() {
        let (port, width) = (verilog::net_name(net), net.ty.width());
        let range = if width == 1 { String::new() } else { format!("[{}:0] ", width - 1) };
        match net.name.strip_prefix(SHARED) {
            Some(part @ ("" | "_enable" | "_read")) => {
                let _ = writeln!(wires, "    wire {range}{port};");
                if part.is_empty() {
                    ports.push(format!("    inout wire {range}{SHARED}_io"));
                    let _ = writeln!(tail, "    assign {SHARED}_io = {SHARED}_enable_o ? {port} : {width}'bz;");
                }
                if part == "_read" {
                    let _ = writeln!(tail, "    assign {port} = {SHARED}_io;");
                }
            }
            _ => ports.push(format!("    {} wire {range}{port}", if net.kind == NetKind::Output { "output" } else { "input" })),
        }
        pins.push(format!("        .{port}({port})"));
    }
    format!(
        "// SPDX-License-Identifier: MIT OR Apache-2.0\n// Pins of a board: three-state buffers around its top.\n\n`default_nettype none\n\n\
         module {} (\n{}\n);\n{wires}{}    {} {INSTANCE} (\n{}\n    );\n{tail}endmodule\n\n`default_nettype wire\n",
        name(top),
        ports.join(",\n"),
        if wires.is_empty() { "" } else { "\n" },
        top.name,
        pins.join(",\n")
    )
}

/// Ports of the pads with their pins, and what the pin is like.
fn pins(board: &Board) -> Vec<(String, &[String], &'static str)> {
    let one = std::slice::from_ref::<String>;
    let pulled = if board.reset.active_low { "PULLMODE=UP" } else { "PULLMODE=DOWN" };
    let mut all = vec![
        ("clk_i".to_owned(), one(&board.clock.pin), "PULLMODE=NONE"),
        ("button_i".into(), one(&board.reset.pin), pulled),
        ("rx_i".into(), one(&board.link.rx), "PULLMODE=UP"),
        ("tx_o".into(), one(&board.link.tx), "PULLMODE=UP DRIVE=4"),
        ("led_o".into(), &board.leds.pins, "PULLMODE=NONE DRIVE=4"),
        ("high_o".into(), &board.leds.held_high, "PULLMODE=UP DRIVE=4"),
    ];
    if let Some(sdram) = &board.memory.sdram {
        all.extend(sdram.signals().map(|(signal, pins)| (format!("sdram_{signal}"), pins, "PULLMODE=NONE DRIVE=4 SLEWRATE=FAST")));
    }
    all
}

/// Constraints of the pins that a top has: LPF of an ECP5, PCF of an iCE40.
pub fn constraints(board: &Board, top: &Module) -> String {
    let has = |port: &str| {
        let port = port.strip_suffix("_io").map_or(port.to_owned(), |base| format!("{base}_o"));
        top.ports().any(|(_, net)| verilog::net_name(net) == port)
    };
    let mut text = String::new();
    for (port, sites, kind) in pins(board).into_iter().filter(|(port, ..)| has(port)) {
        for (i, site) in sites.iter().enumerate() {
            let bit = if sites.len() == 1 { port.clone() } else { format!("{port}[{i}]") };
            let _ = match board.device.family {
                Family::Ecp5 => {
                    let io = board.device.io.as_deref().unwrap_or("LVCMOS33");
                    writeln!(text, "LOCATE COMP \"{bit}\" SITE \"{site}\";\nIOBUF PORT \"{bit}\" IO_TYPE={io} {kind};")
                }
                Family::Ice40 => writeln!(text, "set_io {bit} {site}"),
            };
        }
    }
    text
}
