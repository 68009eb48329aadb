// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes of a wire to accesses of registers and memory by uartbone alone: the bridge where cells are scarce.
//!
//! Ports      `in_*`, `out_*`: streams of bytes from and to the wire; `silence_i`: cycles after which a started command is
//!            forgotten; `open_o`: a command is under way; `m_axil_*`, `m_axi_*`: the buses
//! Latency    11 cycles from the last byte of a word to its access      Throughput  a byte in 9 cycles
//! Rounding   none      Reset  between commands
//!
//! Each word of a write has its effect when its last byte has come, as in LiteX's bridge: no memory holds the payload. A
//! command leads to registers or memory by its first address; what it asks for behind their end reads 0. The word at
//! `wire::LINK` reads `wire::BONE_ONLY`, which tells the host that there are no frames; the word behind it is the CRC of what
//! has passed, which tells whether host and board have seen the same bytes. Both repeat in the window.

use super::{
    bus::{self, Signals},
    wire,
};
use heddle_lang::{
    BuildError, Builder, Expr, Module, Ty,
    builder::{Reg, States, address_bits},
    stdlib::Stream,
};
use std::sync::Arc;

/// Above it the windows of registers and memory could not be told apart by the bits above a word's number.
const MEMORY_BYTES_MAX: u64 = 1 << 28;
const WORD: Ty = Ty::Unsigned(32);
/// Bits of a word's number within the registers; a window is found by the bits above.
const PAGE_BITS: u32 = (wire::REGISTER_BYTES / 4).ilog2();

/// The machine: bytes of a command, then for each word an access, with its bytes ahead of it or after.
const STATES: [&str; 8] = ["idle", "count", "address", "place", "data", "start", "access", "send"];

/// What a command asks for.
struct Command {
    state: States,
    write: Expr,
    /// Words after the one under way; 0 ahead of the first is 256.
    left: Reg,
}

/// Where the word under way is.
struct Place {
    offset: Expr,
    to_registers: Expr,
    /// There is a register or memory.
    known: Expr,
    to_link: Expr,
}

/// The bridge, for a memory port of so many bits and a memory of so many bytes; the time-out has `silence_bits`.
pub fn bone(port_bits: u32, memory_bytes: u64, silence_bits: u32) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked(format!("link_bone_{port_bits}"), file!());
    m.doc("Bytes of uartbone to accesses of registers and memory; docs/link.md has the format.");
    if let Some(mistake) = bus::mistake(port_bits, memory_bytes, MEMORY_BYTES_MAX) {
        m.error(mistake);
        return m.build();
    }
    let input = Stream::input(&mut m, "in", Ty::Unsigned(8));
    let output = Stream::output(&mut m, "out", Ty::Unsigned(8));
    let silence = m.input("silence", Ty::Unsigned(silence_bits));

    m.comment("Commands");
    let state = m.states("state", &STATES);
    let quiet = m.forward("quiet", Ty::BIT);
    let busy = state.is("place") | state.is("start") | state.is("access") | state.is("send");
    let taking = m.wire("taking", !busy & &quiet);
    m.drive(&input.ready, &taking);
    let take = m.wire("take", &input.valid & &taking);
    let late = forgotten(&mut m, &state, &take, &silence);
    let begins = m.wire("begins", &take & state.is("idle"));
    let write = m.register_when("write", &begins, input.data.bit(0));
    let fixed = m.register_when("fixed", &begins, input.data.ge(u64::from(wire::bone::WRITE_FIXED)));
    let left = m.reg_no_reset("left", Ty::Unsigned(8));
    m.on(&left, &take & state.is("count"), &input.data);
    let start = m.wire("start", state.is("start") & &quiet);
    m.on(&left, &start, left.q().wrapping_sub(1));
    let command = Command { state, write, left };

    m.comment("Bytes of a word, highest first: of an address, or data in or out");
    let state = &command.state;
    let sends = m.wire("sends", state.is("send") & &quiet);
    let sent = m.wire("sent", &sends & &output.ready);
    let moves = m.wire("byte_moves", (&take & (state.is("address") | state.is("data"))) | &sent);
    let lane = m.reg("lane", Ty::Unsigned(2), 0);
    m.on(&lane, state.is("idle"), 0);
    m.on(&lane, &moves, lane.q().wrapping_add(1));
    let whole = m.wire("word_whole", &moves & lane.q().all());
    let word = m.reg_no_reset("word", WORD);

    m.comment("Where they lead");
    let done = m.forward("done", Ty::BIT);
    let place = place(&mut m, memory_bytes, state, &word.q(), &(&done & !fixed));

    m.comment("The access under way");
    let (finished, ok, data) = access(&mut m, port_bits, &command, &place, &start, &word.q());
    m.drive(&done, state.is("access") & (finished | !&place.known));
    let asked = m.wire("crc_asked", &done & !&command.write & &place.to_link & place.offset.bit(0));
    let out = word.q().slice(24, 8);
    let (crc, unsummed) = checksum(&mut m, &(&take | &sent), &sent.mux(&out, &input.data), &asked);
    m.drive(&quiet, !unsummed);
    let told = place.offset.bit(0).mux(!crc, &Expr::constant(WORD, wire::BONE_ONLY.into()));
    let value = place.to_link.mux(told, &Expr::constant(WORD, 0));
    m.on(&word, &done & !&command.write, ok.mux(data, &value));
    m.on(&word, &moves, Expr::concat([word.q().slice(0, 24), input.data.clone()]));
    transitions(&mut m, &command, &input, [&take, &late, &start, &whole, &done]);

    m.drive(&output.valid, sends);
    m.drive(&output.data, out);
    m.output("open", !command.state.is("idle"));
    m.build()
}

/// The CRC of the bytes that pass, and whether bits of the last one are missing in it. It begins anew where it is asked for.
fn checksum(m: &mut Builder, passes: &Expr, byte: &Expr, asked: &Expr) -> (Expr, Expr) {
    m.comment("CRC of what passes, either way: a bit in a cycle, and no byte passes meanwhile");
    let bits_left = m.reg("bits_left", Ty::Unsigned(4), 0);
    let bits = m.reg_no_reset("bits", Ty::Unsigned(8));
    let crc = m.reg("crc", WORD, wire::CRC_START.into());
    let unsummed = m.wire("unsummed", !bits_left.q().is_zero());
    m.on(&bits_left, passes, 8);
    m.on(&bits_left, &unsummed, bits_left.q().wrapping_sub(1));
    m.on(&bits, passes, byte);
    m.next(&bits, bits.q().slice(1, 7).extend(8));
    let turn = m.wire("crc_turn", crc.q().bit(0) ^ bits.q().bit(0)).repeat(32) & Expr::constant(WORD, wire::CRC_POLYNOMIAL.into());
    m.on(&crc, asked, i128::from(wire::CRC_START));
    m.on(&crc, &unsummed, crc.q().slice(1, 31).extend(32) ^ turn);
    (crc.q(), unsummed)
}

/// A byte of a command is missing for too long.
fn forgotten(m: &mut Builder, state: &States, take: &Expr, silence: &Expr) -> Expr {
    let expected = m.wire("byte_expected", state.is("count") | state.is("address") | state.is("data"));
    let waited = m.reg_no_reset("waited", silence.ty());
    m.on(&waited, take | !expected, 0);
    m.next(&waited, waited.q().wrapping_add(1));
    m.wire("late", waited.q().eq(silence))
}

fn place(m: &mut Builder, memory_bytes: u64, state: &States, word: &Expr, step: &Expr) -> Place {
    let words = (memory_bytes / 4) as u32;
    // One bit more than the larger window needs: a command goes at most 255 words beyond its end.
    let bits = address_bits(words).max(PAGE_BITS) + 1;
    let here = state.is("place");
    let offset = m.reg_no_reset("offset", Ty::Unsigned(bits));
    m.on(&offset, &here, Expr::concat([Expr::bit_const(false), word.slice(0, bits - 1)]));
    m.on(&offset, step, offset.q().wrapping_add(1));
    let begins = |bits: u32, address: u32| word.slice(bits, 32 - bits).eq(u64::from((address / 4) >> bits));
    let to_registers = m.register_when("to_registers", &here, begins(PAGE_BITS, wire::REGISTERS));
    let to_link = m.register_when("to_link", &here, begins(PAGE_BITS, wire::LINK));
    let to_memory = m.register_when("to_memory", &here, begins(bits - 1, wire::MEMORY));
    let in_registers = offset.q().slice(PAGE_BITS, bits - PAGE_BITS).is_zero();
    let in_memory = offset.q().lt(u64::from(words));
    let known = m.wire("known", to_registers.mux(in_registers, &(to_memory & in_memory)));
    Place { offset: m.wire("word_offset", offset.q().resize(30)), to_registers, known, to_link }
}

/// The masters: whether the slave has answered, without an error, and the word that was read.
fn access(m: &mut Builder, port_bits: u32, command: &Command, place: &Place, start: &Expr, word: &Expr) -> (Expr, Expr, Expr) {
    let starts = m.wire("starts", start & &place.known);
    let (aw, w, ar) = (m.reg("awvalid", Ty::BIT, 0), m.reg("wvalid", Ty::BIT, 0), m.reg("arvalid", Ty::BIT, 0));
    m.on(&aw, &starts, &command.write);
    m.on(&w, &starts, &command.write);
    m.on(&ar, &starts, !&command.write);
    let lite = bus::lite(m, &place.offset, word);
    let axi = bus::axi(m, port_bits, &place.offset, word);
    let choose = |name: &str| place.to_registers.mux(lite.get(name), &axi.get(name));
    for (name, reg) in [("aw", &aw), ("w", &w), ("ar", &ar)] {
        m.on(reg, choose(&format!("{name}ready")), 0);
        let port = |signals: &Signals| signals.get(&format!("{name}valid_port"));
        m.drive(&port(&lite), reg.q() & &place.to_registers);
        m.drive(&port(&axi), reg.q() & !&place.to_registers);
    }
    let failed = [lite.get("berror"), axi.get("berror")];
    m.unused("failed", "A write that fails is not told: uartbone has no place for it.", &failed);
    let finished = command.write.mux(choose("bvalid"), &choose("rvalid"));
    (finished, &place.known & !choose("rerror"), choose("rdata"))
}

fn transitions(m: &mut Builder, command: &Command, input: &Stream, events: [&Expr; 5]) {
    let [take, late, start, whole, done] = events;
    let Command { state, write, left } = command;
    let known = input.data.ge(u64::from(wire::bone::WRITE)) & input.data.le(u64::from(wire::bone::READ_FIXED));
    let last = m.wire("last_word", left.q().is_zero());
    let steps = [
        (take & state.is("idle") & known, "count"),
        (take & state.is("count"), "address"),
        (whole & state.is("address"), "place"),
        (state.is("place") & write, "data"),
        (state.is("place") & !write, "start"),
        (whole & state.is("data"), "start"),
        (start.clone(), "access"),
        (done & !write, "send"),
        (done & write & !&last, "data"),
        (done & write & &last, "idle"),
        (whole & state.is("send") & !&last, "start"),
        (whole & state.is("send") & &last, "idle"),
        (late & !take, "idle"),
    ];
    for (condition, next) in steps {
        m.go(state, condition, next);
    }
}

/// The same, in plain Rust: same bytes in, same bytes out, same accesses in the same order.
pub mod golden {
    use crate::link::{
        golden::{Bus, Bytes, Place, place},
        wire::{self, WORD, bone},
    };

    /// The bridge.
    #[derive(Clone, Debug)]
    pub struct Bone {
        memory_bytes: u64,
        bytes: Vec<u8>,
        /// Words of the command that were carried out.
        done: u32,
        /// Of what has passed.
        crc: u32,
    }

    impl Bone {
        /// In front of a memory of so many bytes.
        pub fn new(memory_bytes: u64) -> Bone {
            Bone { memory_bytes, bytes: Vec::new(), done: 0, crc: wire::CRC_START }
        }

        /// The word at `i`-th place of a command that begins at `first`; `None` behind the end of its window.
        fn word(&self, first: u32, i: u32) -> Option<u32> {
            let window = |at| place(at, self.memory_bytes).map(|place| matches!(place, Place::Memory(_)));
            let at = first.wrapping_add(i);
            (window(first).is_some() && window(at) == window(first)).then_some(at)
        }

        fn read(&mut self, first: u32, i: u32, bus: &mut dyn Bus) -> u32 {
            let link = first & !(wire::REGISTER_BYTES / 4 - 1) == wire::LINK / 4;
            if !link {
                return self.word(first, i).and_then(|at| bus.read(at)).unwrap_or(0);
            }
            match first.wrapping_add(i) % 2 {
                0 => wire::BONE_ONLY,
                _ => !std::mem::replace(&mut self.crc, wire::CRC_START),
            }
        }

        fn send(&mut self, word: u32, out: &mut Vec<u8>) {
            let bytes = word.to_be_bytes();
            self.crc = bytes.into_iter().fold(self.crc, wire::crc_byte);
            out.extend(bytes);
        }
    }

    impl Bytes for Bone {
        fn byte(&mut self, byte: u8, bus: &mut dyn Bus, out: &mut Vec<u8>) {
            self.crc = wire::crc_byte(self.crc, byte);
            if self.bytes.is_empty() && !(bone::WRITE..=bone::READ_FIXED).contains(&byte) {
                return;
            }
            self.bytes.push(byte);
            let &[command, count, a, b, c, d, ref data @ ..] = self.bytes.as_slice() else { return };
            let (words, first) = (if count == 0 { 256 } else { u32::from(count) }, u32::from_be_bytes([a, b, c, d]));
            let step = u32::from(command <= bone::READ);
            if command % 2 == 0 {
                for i in 0..words {
                    let word = self.read(first, step * i, bus);
                    self.send(word, out);
                }
                self.done = words;
            } else if let Some(word) = data.as_chunks::<WORD>().0.get(self.done as usize) {
                if let Some(at) = self.word(first, step * self.done) {
                    bus.write(at, u32::from_be_bytes(*word));
                }
                self.done += 1;
            }
            if self.done == words {
                self.silence();
            }
        }

        fn silence(&mut self) {
            (self.bytes, self.done) = (Vec::new(), 0);
        }
    }
}
