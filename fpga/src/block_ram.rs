// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory in block RAM, as an AXI4 slave: what a model of a few hundred kilobytes lives in on a board.
//!
//! Ports      `s_axi_*`: AXI4 slave, signals as those of the accelerator's memory port; INCR bursts of whole beats
//! Latency    5 cycles from a read address to its first beat, 2 from the last beat of a write to its response
//! Throughput one beat per cycle, reads and writes at the same time; a cycle between bursts
//! Rounding   none      Reset  what is under way is forgotten; the content stays
//!
//! The memory is cut into segments, so that a device's blocks need no multiplexer between them but one, which has
//! registers before and after it. A beat outside of the memory reads 0 and is answered, as a write is, with SLVERR.

use heddle_lang::{BuildError, Builder, Expr, Module, Ty, builder::address_bits, stdlib};
use std::sync::Arc;

/// Beats of a segment: 2048 x 9 bits are one block of an ECP5.
const SEGMENT: u32 = 2048;
/// Beats between the memory and a master that does not take them.
const QUEUE: u32 = 8;
/// Cycles from an address to the word: block, its output register, the choice of the segment.
const READ: u32 = 3;
const SLVERR: u64 = 2;

/// The memory; `port_bits`: 32 to 512, a power of two; `bytes`: a multiple of a beat.
pub fn block_ram(port_bits: u32, bytes: u64) -> Result<Arc<Module>, BuildError> {
    let beat = u64::from(port_bits / 8);
    let mut m = Builder::clocked(format!("block_ram_{port_bits}x{}", bytes / beat.max(1)), file!());
    m.doc(&format!("Memory of {bytes} bytes in block RAM, {port_bits} bits wide."));
    if !(port_bits.is_power_of_two() && (32..=512).contains(&port_bits)) {
        m.error(format!("port_bits = {port_bits}: must be 32, 64, 128, 256 or 512"));
        return m.build();
    }
    let beats = bytes / beat;
    if beats < 2 || !bytes.is_multiple_of(beat) || beats > 1 << 24 {
        m.error(format!("bytes = {bytes}: must be 2 to 2^24 beats of {beat} bytes"));
        return m.build();
    }
    let memory = Memory::new(port_bits, beats as u32);
    let write = memory.writes(&mut m);
    let read = memory.reads(&mut m);
    let word = memory.storage(&mut m, &write, &read);
    memory.answers(&mut m, &read, word)?;
    m.build()
}

/// The shape of the memory.
struct Memory {
    port_bits: u32,
    beats: u32,
    /// Bits of a beat's number, and of its byte address below it.
    bits: u32,
    offset: u32,
}

/// A beat that is written or read in this cycle.
struct Beat {
    valid: Expr,
    number: Expr,
    data: Option<(Expr, Expr)>,
    last: Option<Expr>,
    inside: Expr,
    /// Room in the queue, for reads.
    credit: Option<heddle_lang::Reg>,
}

impl Memory {
    fn new(port_bits: u32, beats: u32) -> Memory {
        Memory { port_bits, beats, bits: 32 - (port_bits / 8).ilog2(), offset: (port_bits / 8).ilog2() }
    }

    /// The number of the beat at a byte address.
    fn number(&self, m: &mut Builder, name: &str, address: &Expr) -> Expr {
        m.unused(name, "Bytes within a beat do not count.", &[address.slice(0, self.offset)]);
        address.slice(self.offset, self.bits)
    }

    fn writes(&self, m: &mut Builder) -> Beat {
        m.comment("Writes: one burst at a time");
        let valid = m.input("s_axi_awvalid", Ty::BIT);
        let address = m.input("s_axi_awaddr", Ty::Unsigned(32));
        let shape = [("s_axi_awlen", 8), ("s_axi_awsize", 3), ("s_axi_awburst", 2)].map(|(name, bits)| m.input(name, Ty::Unsigned(bits)));
        m.unused("write_shape", "The last beat of a write is marked, and every beat is whole.", &shape);
        let data_valid = m.input("s_axi_wvalid", Ty::BIT);
        let data = m.input("s_axi_wdata", Ty::Unsigned(self.port_bits));
        let strobes = m.input("s_axi_wstrb", Ty::Unsigned(self.port_bits / 8));
        let last = m.input("s_axi_wlast", Ty::BIT);
        let taken = m.input("s_axi_bready", Ty::BIT);
        let (busy, answers) = (m.reg("writes", Ty::BIT, 0), m.reg("write_answers", Ty::BIT, 0));
        let failed = m.reg("write_failed", Ty::BIT, 0);
        let number = m.reg_no_reset("write_number", Ty::Unsigned(self.bits));
        let start = m.wire("write_start", &valid & !busy.q() & !answers.q());
        let beat = m.wire("write_beat", &data_valid & busy.q());
        let inside = m.wire("write_inside", number.q().lt(u64::from(self.beats)));
        let first = self.number(m, "write_address", &address);
        m.on(&number, &start, first);
        m.on(&number, &beat, number.q().wrapping_add(1));
        m.on(&failed, &start, 0);
        m.on(&failed, &beat & !&inside, 1);
        m.on(&busy, &start, 1);
        m.on(&busy, &beat & &last, 0);
        m.on(&answers, &beat & &last, 1);
        m.on(&answers, &taken, 0);
        m.output("s_axi_awready", !busy.q() & !answers.q());
        m.output("s_axi_wready", busy.q());
        m.output("s_axi_bvalid", answers.q());
        m.output("s_axi_bresp", response(failed.q()));
        Beat { valid: beat, number: number.q(), data: Some((data, strobes)), last: None, inside, credit: None }
    }

    fn reads(&self, m: &mut Builder) -> Beat {
        m.comment("Reads: one burst at a time, as long as the queue has room");
        let valid = m.input("s_axi_arvalid", Ty::BIT);
        let address = m.input("s_axi_araddr", Ty::Unsigned(32));
        let length = m.input("s_axi_arlen", Ty::Unsigned(8));
        let shape = [("s_axi_arsize", 3), ("s_axi_arburst", 2)].map(|(name, bits)| m.input(name, Ty::Unsigned(bits)));
        m.unused("read_shape", "Every beat is whole, and addresses increase.", &shape);
        let busy = m.reg("reads", Ty::BIT, 0);
        let left = m.reg_no_reset("read_left", Ty::Unsigned(8));
        let number = m.reg_no_reset("read_number", Ty::Unsigned(self.bits));
        let credit = m.reg("credit", Ty::Unsigned(address_bits(QUEUE + 1)), QUEUE.into());
        let start = m.wire("read_start", &valid & !busy.q());
        let beat = m.wire("read_beat", busy.q() & credit.q().any());
        let last = m.wire("read_last", left.q().is_zero());
        let inside = m.wire("read_inside", number.q().lt(u64::from(self.beats)));
        let first = self.number(m, "read_address", &address);
        m.on(&busy, &start, 1);
        m.on(&busy, &beat & &last, 0);
        m.on(&left, &start, &length);
        m.on(&left, &beat, left.q().wrapping_sub(1));
        m.on(&number, &start, first);
        m.on(&number, &beat, number.q().wrapping_add(1));
        m.output("s_axi_arready", !busy.q());
        Beat { valid: beat, number: number.q(), data: None, last: Some(last), inside, credit: Some(credit) }
    }

    /// The word that was read, [`READ`] cycles after its number.
    fn storage(&self, m: &mut Builder, write: &Beat, read: &Beat) -> Expr {
        let segments = self.beats.div_ceil(SEGMENT);
        let depth = if segments == 1 { self.beats } else { SEGMENT };
        let bits = address_bits(depth);
        let (data, strobes) = write.data.clone().unwrap_or_else(|| unreachable!("a write has data"));
        let always = || Expr::bit_const(true);
        let of = |number: &Expr| number.slice(bits, self.bits - bits);
        let mut words = Vec::new();
        m.comment("Storage");
        for segment in 0..segments {
            let here = if segments == 1 { always() } else { of(&write.number).eq(segment) };
            let enable = m.wire(&format!("write_segment_{segment}"), &write.valid & &write.inside & here);
            let memory = m.memory(&format!("segment_{segment}"), self.port_bits, depth);
            m.memory_attribute(memory, "ram_style = \"block\"");
            m.write_bytes(memory, enable, &write.number.slice(0, bits), &data, Some(strobes.clone()));
            let word = m.read(memory, &format!("block_{segment}"), always(), &read.number.slice(0, bits));
            words.push(m.register(&format!("word_{segment}"), word));
        }
        if segments == 1 {
            return m.register("word", words.remove(0));
        }
        let choice = of(&read.number).slice(0, address_bits(segments));
        let choice = m.delay("choice", &choice, READ - 1);
        m.register("word", choice.choose(&words))
    }

    fn answers(&self, m: &mut Builder, read: &Beat, word: Expr) -> Result<(), BuildError> {
        m.comment("Answers wait until they are taken");
        let valid = m.delay_reset("answer", &read.valid, READ);
        let outside = m.delay("outside", &!&read.inside, READ);
        let last = m.delay("last", read.last.as_ref().unwrap_or(&read.inside), READ);
        let ready = m.input("s_axi_rready", Ty::BIT);
        let none = Expr::constant(Ty::Unsigned(self.port_bits), 0);
        let data = Expr::concat([last, outside.clone(), outside.mux(none, &word)]);
        let queue = stdlib::fifo(self.port_bits + 2, QUEUE)?;
        let queue = m.instance("queue", &queue, &[("in_valid", valid), ("in_data", data), ("out_ready", ready.clone())]);
        m.unused("queue", "There is room for every read that was started.", &[queue.get("in_ready"), queue.get("count")]);
        let out = queue.get("out_data");
        let pop = m.wire("taken", queue.get("out_valid") & ready);
        if let Some(credit) = &read.credit {
            m.on(credit, &read.valid & !&pop, credit.q().wrapping_sub(1));
            m.on(credit, !&read.valid & &pop, credit.q().wrapping_add(1));
        }
        m.output("s_axi_rvalid", queue.get("out_valid"));
        m.output("s_axi_rdata", out.slice(0, self.port_bits));
        m.output("s_axi_rresp", response(out.bit(self.port_bits)));
        m.output("s_axi_rlast", out.bit(self.port_bits + 1));
        Ok(())
    }
}

fn response(failed: Expr) -> Expr {
    failed.mux(Expr::constant(Ty::Unsigned(2), SLVERR.into()), &Expr::constant(Ty::Unsigned(2), 0))
}
