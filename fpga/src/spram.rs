// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory in the SPRAM of an iCE40 UltraPlus, as an AXI4 slave.
//!
//! Ports      `s_axi_*`: AXI4 slave, signals as those of the accelerator's memory port; INCR bursts of whole beats
//! Latency    3 cycles from a read address to its first beat, 2 from the last beat of a write to its response
//! Throughput one beat per cycle, read or written: there is one port; a cycle between bursts
//! Rounding   none      Reset  what is under way is forgotten; the content stays
//!
//! A beat is as many cells side by side as it has parts of 16 bits; bursts of reads and writes take turns. A beat outside
//! of the memory reads 0 and is answered, as a write is, with SLVERR. Masters must take each beat that is read in the cycle
//! in which it is offered, as link and accelerator do: nothing holds it.

use heddle_lang::{
    BuildError, Builder, Expr, Module, Ty,
    builder::address_bits,
    primitive::{SPRAM_ADDRESS_BITS, spram},
};
use std::sync::Arc;

/// Bits of a cell's word, and bytes of a cell.
const WORD: u32 = 16;
const CELL_BYTES: u64 = 2 << SPRAM_ADDRESS_BITS;
/// Bursts that are under way at most: the answers of one come while the next one starts.
pub const UNDER_WAY: u32 = 2;
/// Cycles from an address to the word: cell, choice of the bank.
const READ: u32 = 2;
const SLVERR: u64 = 2;

/// A channel's signals of this cycle, and the burst that they started.
struct Burst {
    beat: Expr,
    number: Expr,
    inside: Expr,
}

/// The memory; `port_bits`: 32 or 64; `bytes`: whole cells.
pub fn spram_memory(port_bits: u32, bytes: u64) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked(format!("spram_{port_bits}x{}", bytes / u64::from(port_bits.max(8) / 8)), file!());
    m.doc(&format!("Memory of {bytes} bytes in SPRAM, {port_bits} bits wide."));
    let row = u64::from(port_bits / WORD) * CELL_BYTES;
    if ![32, 64].contains(&port_bits) || bytes == 0 || !bytes.is_multiple_of(row.max(1)) || bytes > 1 << 20 {
        m.error(format!("port_bits = {port_bits}, bytes = {bytes}: must be 32 or 64, and cells of 32 KiB for whole beats, at most 1 MiB"));
        return m.build();
    }
    let (beats, offset) = (bytes * 8 / u64::from(port_bits), (port_bits / 8).ilog2());
    m.comment("One burst at a time, of the other kind than the last one if both wait");
    let (reads, writes, answers) = (m.reg("reads", Ty::BIT, 0), m.reg("writes", Ty::BIT, 0), m.reg("write_answers", Ty::BIT, 0));
    let write_next = m.reg("write_next", Ty::BIT, 0);
    let (arvalid, awvalid) = (m.input("s_axi_arvalid", Ty::BIT), m.input("s_axi_awvalid", Ty::BIT));
    let idle = m.wire("idle", !reads.q() & !writes.q());
    let can_write = m.wire("can_write", &awvalid & !answers.q());
    let start_write = m.wire("start_write", &idle & &can_write & (!&arvalid | write_next.q()));
    let start_read = m.wire("start_read", &idle & &arvalid & !&start_write);
    m.on(&write_next, &start_read, 1);
    m.on(&write_next, &start_write, 0);
    m.output("s_axi_arready", &start_read);
    m.output("s_axi_awready", &start_write);

    m.comment("The beat of this cycle");
    let araddr = m.input("s_axi_araddr", Ty::Unsigned(32));
    let awaddr = m.input("s_axi_awaddr", Ty::Unsigned(32));
    m.unused("address", "Bytes within a beat do not count.", &[araddr.slice(0, offset), awaddr.slice(0, offset)]);
    let bits = address_bits(beats as u32);
    let number = m.reg_no_reset("number", Ty::Unsigned(bits));
    // A burst stays within 4 KiB and a cell has more: where its first beat is, all are.
    let within = m.reg_no_reset("within", Ty::BIT);
    let left = m.reg_no_reset("left", Ty::Unsigned(8));
    let wvalid = m.input("s_axi_wvalid", Ty::BIT);
    let wlast = m.input("s_axi_wlast", Ty::BIT);
    let arlen = m.input("s_axi_arlen", Ty::Unsigned(8));
    let shape = [("s_axi_arsize", 3), ("s_axi_arburst", 2), ("s_axi_awlen", 8), ("s_axi_awsize", 3), ("s_axi_awburst", 2)];
    let shape = shape.map(|(name, bits)| m.input(name, Ty::Unsigned(bits)));
    m.unused("shape", "Every beat is whole, addresses increase, and the last beat of a write is marked.", &shape);
    let read_beat = reads.q();
    let write_beat = m.wire("write_beat", writes.q() & &wvalid);
    let last = m.wire("last", left.q().is_zero());
    for (start, address) in [(&start_read, &araddr), (&start_write, &awaddr)] {
        m.on(&number, start, address.slice(offset, bits));
        m.on(&within, start, address.slice(offset + bits, 32 - offset - bits).is_zero());
    }
    let whole = beats.is_power_of_two();
    let inside = m.wire("in_memory", if whole { within.q() } else { within.q() & number.q().lt(beats) });
    m.on(&number, &read_beat | &write_beat, number.q().wrapping_add(1));
    m.on(&left, &start_read, &arlen);
    m.on(&left, &read_beat, left.q().wrapping_sub(1));
    m.on(&reads, &start_read, 1);
    m.on(&reads, &read_beat & &last, 0);

    m.comment("Writes");
    let failed = m.reg("write_failed", Ty::BIT, 0);
    let bready = m.input("s_axi_bready", Ty::BIT);
    m.on(&writes, &start_write, 1);
    m.on(&writes, &write_beat & &wlast, 0);
    m.on(&failed, &start_write, 0);
    m.on(&failed, &write_beat & !&inside, 1);
    m.on(&answers, &write_beat & &wlast, 1);
    m.on(&answers, bready, 0);
    m.output("s_axi_wready", writes.q());
    m.output("s_axi_bvalid", answers.q());
    m.output("s_axi_bresp", response(failed.q()));

    let burst = Burst { beat: read_beat.clone(), number: number.q(), inside: inside.clone() };
    let word = cells(&mut m, port_bits, beats, &burst, &write_beat)?;
    m.comment("Answers");
    let valid = m.delay_reset("answer", &read_beat, READ);
    let outside = m.delay("outside", &!inside, READ);
    let last = m.delay("last_answer", &last, READ);
    let ready = m.input("s_axi_rready", Ty::BIT);
    let none = Expr::constant(Ty::Unsigned(port_bits), 0);
    m.unused("rready", "Masters take each beat at once.", std::slice::from_ref(&ready));
    m.assert("beats_are_taken", m.reset() | !&valid | ready);
    m.output("s_axi_rvalid", valid);
    m.output("s_axi_rdata", outside.mux(none, &word));
    m.output("s_axi_rresp", response(outside));
    m.output("s_axi_rlast", last);
    m.build()
}

/// The word that was read, [`READ`] cycles after its number.
fn cells(m: &mut Builder, port_bits: u32, beats: u64, burst: &Burst, write_beat: &Expr) -> Result<Expr, BuildError> {
    m.comment("Cells");
    let data = m.input("s_axi_wdata", Ty::Unsigned(port_bits));
    let strobes = m.input("s_axi_wstrb", Ty::Unsigned(port_bits / 8));
    let banks = (beats >> SPRAM_ADDRESS_BITS) as u32;
    let cell = spram()?;
    let mut words = Vec::new();
    for bank in 0..banks {
        let high_bits = burst.number.width() - SPRAM_ADDRESS_BITS;
        let chosen = &burst.inside & (&burst.beat | write_beat);
        let chosen = if high_bits == 0 { chosen } else { chosen & burst.number.slice(SPRAM_ADDRESS_BITS, high_bits).eq(bank) };
        let here = m.wire(&format!("bank_{bank}"), chosen);
        let mut parts = Vec::new();
        for part in 0..port_bits / WORD {
            let mask: Vec<Expr> = (0..2).map(|byte| strobes.bit(2 * part + byte).repeat(2)).collect();
            let inputs = [
                ("en", here.clone()),
                ("write_en", write_beat.clone()),
                ("mask", Expr::pack(&mask)),
                ("addr", burst.number.slice(0, SPRAM_ADDRESS_BITS)),
                ("write_data", data.slice(part * WORD, WORD)),
            ];
            parts.push(m.instance(&format!("cell_{bank}_{part}"), &cell, &inputs).get("read_data"));
        }
        words.push(Expr::pack(&parts));
    }
    if banks == 1 {
        return Ok(m.register("word", words.remove(0)));
    }
    let choice = burst.number.slice(SPRAM_ADDRESS_BITS, address_bits(banks));
    let choice = m.register("choice", choice);
    Ok(m.register("word", choice.choose(&words)))
}

fn response(failed: Expr) -> Expr {
    failed.mux(Expr::constant(Ty::Unsigned(2), SLVERR.into()), &Expr::constant(Ty::Unsigned(2), 0))
}
