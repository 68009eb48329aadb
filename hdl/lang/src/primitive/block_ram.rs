// SPDX-License-Identifier: MIT OR Apache-2.0
//! Block RAM with its output register: one write port, one read port.
//!
//! Ports      `write_en_i`, `write_addr_i`, `write_data_i`; `read_addr_i`, `read_en_i`: the read register takes the
//!            word; `out_en_i`: the output register takes the read register; `read_data_o`
//! Latency    [`LATENCY`](BlockRam::LATENCY) cycles from address to data      Throughput  one write and one read per cycle
//! Rounding   none      Reset  none: the content is written before it is read
//!
//! `out_en_i` without `read_en_i` leaves the read register with the word at `read_addr_i` all the same. A word must
//! not be read in the cycle in which it is written: what comes is the old word in simulation, anything on a device.

use super::{Primitive, cell::Cell};
use crate::{
    builder::{BuildError, Builder, address_bits},
    expr::Ty,
    module::Module,
};
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockRam {
    /// Bits of a word.
    pub width: u32,
    /// Words.
    pub depth: u32,
}

/// Shapes of a DP16KD: words, bits of a word, address bits below it.
const DP16KD: [(u32, u32, u32); 6] = [(512, 36, 5), (1024, 18, 4), (2048, 9, 3), (4096, 4, 2), (8192, 2, 1), (16384, 1, 0)];
/// Bits of an address of a DP16KD.
const DP16KD_ADDRESS: u32 = 14;
/// Data bits of one of its ports.
const DP16KD_PORT: u32 = 18;

/// A block RAM of `depth` words of `width` bits.
pub fn block_ram(width: u32, depth: u32) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::new(format!("block_ram_{depth}x{width}"), file!());
    m.doc(&format!(
        "Block RAM of {depth} words of {width} bits with its output register: data {} cycles after the address.\nA word is not read in the cycle in which it is written.",
        BlockRam::LATENCY
    ));
    m.clock("clk");
    let address = Ty::Unsigned(address_bits(depth));
    let write_en = m.input("write_en", Ty::BIT);
    let write_addr = m.input("write_addr", address);
    let write_data = m.input("write_data", Ty::Unsigned(width));
    m.comment("The read register takes a word; the output register takes what was read");
    let read_en = m.input("read_en", Ty::BIT);
    let out_en = m.input("out_en", Ty::BIT);
    let read_addr = m.input("read_addr", address);
    let words = m.memory("words", width, depth);
    m.memory_attribute(words, "ram_style = \"block\", no_rw_check");
    m.write(words, write_en, &write_addr, write_data);
    let read = m.read(words, "read", read_en | &out_en, &read_addr);
    let data = m.register_when("data", out_en, read);
    m.output("read_data", data);
    m.primitive(Primitive::BlockRam(BlockRam { width, depth }));
    m.build()
}

impl BlockRam {
    /// Cycles from an address to its data.
    pub const LATENCY: u32 = 2;

    fn shape(&self) -> Option<(u32, u32, u32)> {
        DP16KD.into_iter().find(|(words, ..)| self.depth <= *words)
    }

    pub(super) fn dp16kd(&self) -> u32 {
        self.shape().map_or(0, |(_, bits, _)| self.width.div_ceil(bits))
    }

    /// DP16KD side by side: port A writes, port B reads.
    pub(super) fn ecp5(&self) -> Option<Vec<String>> {
        let (_, bits, below) = self.shape()?;
        let address = address_bits(self.depth);
        let index = |net: &str| if address == 1 { net.to_string() } else { format!("{net}[{}:0]", address - 1) };
        let place = |net: &str, low: String| {
            let above = DP16KD_ADDRESS - below - address;
            let parts = [(above > 0).then(|| format!("{above}'d0")), Some(index(net)), (below > 0).then_some(low)];
            format!("{{{}}}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
        };
        // From 18 bits on the lowest address bits of the writing port are byte enables.
        let bytes = match bits / 9 {
            n @ (2 | 4) => {
                let rest = if below > n { format!("{}'d0, ", below - n) } else { String::new() };
                format!("{rest}{{{n}{{write_en_i}}}}")
            }
            _ => format!("{below}'d0"),
        };
        let mut out = vec![
            format!("wire [{}:0] write_at = {};", DP16KD_ADDRESS - 1, place("write_addr_i", bytes)),
            format!("wire [{}:0] read_at = {};", DP16KD_ADDRESS - 1, place("read_addr_i", format!("{below}'d0"))),
            "wire read_ce = read_en_i | out_en_i;".into(),
            String::new(),
        ];
        for n in 0..self.dp16kd() {
            let from = n * bits;
            let width = bits.min(self.width - from);
            let slice = |net: &str| match (self.width, width) {
                (1, _) => net.to_string(),
                (_, 1) => format!("{net}[{from}]"),
                _ => format!("{net}[{}:{from}]", from + width - 1),
            };
            let (data, read) = (format!("data_{n}"), format!("read_{n}"));
            let fill = 2 * DP16KD_PORT - width;
            let written = slice("write_data_i");
            let value = if fill > 0 { format!("{{{fill}'d0, {written}}}") } else { written };
            out.push(format!("wire [{}:0] {data} = {value};", 2 * DP16KD_PORT - 1));
            out.push(format!("wire [{}:0] {read};", 2 * DP16KD_PORT - 1));
            // Words of up to 18 bits leave through port B, which has the upper half of wider ones.
            let low = if bits > DP16KD_PORT { 0 } else { DP16KD_PORT };
            let top = low + width - 1;
            out.push(format!(
                "assign {} = {read}[{}];",
                slice("read_data_o"),
                if width == 1 { low.to_string() } else { format!("{top}:{low}") }
            ));
            let spare: Vec<String> =
                [(low > 0).then(|| format!("{read}[{}:0]", low - 1)), (top < 35).then(|| format!("{read}[35:{}]", top + 1))]
                    .into_iter()
                    .flatten()
                    .collect();
            if !spare.is_empty() {
                out.push("// Bits beyond the word".into());
                out.push(format!("wire unused_{n} = &{{1'b0, {}}};", spare.join(", ")));
            }
            out.extend(cell(n, bits, &data, &read).lines());
            out.push(String::new());
        }
        Some(out)
    }
}

fn cell(n: u32, bits: u32, data: &str, read: &str) -> Cell {
    let mut cell = Cell::new("DP16KD", format!("ram_{n}"));
    cell.number("DATA_WIDTH_A", bits);
    cell.number("DATA_WIDTH_B", bits);
    // The halves of a word of 36 bits leave through both ports.
    cell.text("REGMODE_A", if bits > DP16KD_PORT { "OUTREG" } else { "NOREG" });
    cell.text("REGMODE_B", "OUTREG");
    cell.text("RESETMODE", "SYNC");
    cell.text("ASYNC_RESET_RELEASE", "SYNC");
    for port in ["A", "B"] {
        cell.text(&format!("CSDECODE_{port}"), "0b000");
        cell.text(&format!("WRITEMODE_{port}"), "NORMAL");
    }
    cell.text("GSR", "DISABLED");
    // Words of two bytes and more are written through their byte enables.
    let write = if bits >= DP16KD_PORT { "1'b1" } else { "write_en_i" };
    for (port, address, [write, enable, output]) in
        [("A", "write_at", [write, "1'b1", "out_en_i"]), ("B", "read_at", ["1'b0", "read_ce", "out_en_i"])]
    {
        cell.port(&format!("CLK{port}"), "clk_i");
        cell.port(&format!("WE{port}"), write);
        cell.port(&format!("CE{port}"), enable);
        cell.port(&format!("OCE{port}"), output);
        cell.port(&format!("RST{port}"), "1'b0");
        cell.bits(&format!("CS{port}"), "", 0, 3, "1'b0");
        cell.bits(&format!("AD{port}"), address, DP16KD_ADDRESS, DP16KD_ADDRESS, "");
    }
    for (port, from) in [("A", 0), ("B", DP16KD_PORT)] {
        for i in 0..DP16KD_PORT {
            cell.port(&format!("DI{port}{i}"), format!("{data}[{}]", from + i));
        }
    }
    for (port, from) in [("A", 0), ("B", DP16KD_PORT)] {
        for i in 0..DP16KD_PORT {
            cell.port(&format!("DO{port}{i}"), format!("{read}[{}]", from + i));
        }
    }
    cell
}
