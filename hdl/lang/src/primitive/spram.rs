// SPDX-License-Identifier: MIT OR Apache-2.0
//! Single-port RAM of 16,384 words of 16 bits: SB_SPRAM256KA of iCE40 UltraPlus.
//!
//! Ports      `en_i`: a read, or with `write_en_i` a write of the nibbles in `mask_i`; `addr_i`, `write_data_i`;
//!            `read_data_o`: valid from the cycle after a read until the next write
//! Latency    1 cycle      Throughput  one access per cycle      Rounding  none      Reset  none

use super::{Primitive, cell::Cell};
use crate::{
    builder::{BuildError, Builder},
    expr::Ty,
    module::Module,
};
use std::sync::Arc;

/// Bits of an address.
pub const SPRAM_ADDRESS_BITS: u32 = 14;
const WIDTH: u32 = 16;

/// The memory.
pub fn spram() -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::new("spram", file!());
    m.doc("Single-port RAM of 16384 words of 16 bits, written by nibbles: data 1 cycle after the address.");
    m.clock("clk");
    let en = m.input("en", Ty::BIT);
    let write_en = m.input("write_en", Ty::BIT);
    let mask = m.input("mask", Ty::Unsigned(4));
    let addr = m.input("addr", Ty::Unsigned(SPRAM_ADDRESS_BITS));
    let write_data = m.input("write_data", Ty::Unsigned(WIDTH));
    let words = m.memory("words", WIDTH, 1 << SPRAM_ADDRESS_BITS);
    let write = m.wire("write", &en & &write_en);
    m.write_bytes(words, write, &addr, write_data, Some(mask));
    let read = m.read(words, "read", en & !write_en, &addr);
    m.output("read_data", read);
    m.primitive(Primitive::Spram);
    m.build()
}

pub(super) fn ice40() -> Vec<String> {
    let mut cell = Cell::new("SB_SPRAM256KA", "spram");
    for (port, value) in [
        ("CLOCK", "clk_i"),
        ("CHIPSELECT", "en_i"),
        ("WREN", "write_en_i"),
        ("MASKWREN", "mask_i"),
        ("ADDRESS", "addr_i"),
        ("DATAIN", "write_data_i"),
        ("STANDBY", "1'b0"),
        ("SLEEP", "1'b0"),
        ("POWEROFF", "1'b1"),
        ("DATAOUT", "read_data_o"),
    ] {
        cell.port(port, value);
    }
    cell.lines()
}
