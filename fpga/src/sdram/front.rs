// SPDX-License-Identifier: MIT OR Apache-2.0
//! AXI4 bursts to pieces that lie in one row.
//!
//! Ports      `ar*`, `aw*`: address channels; `beat_stored_i`: a written beat has come in; `bvalid_o`, `bready_i`,
//!            `berror_o`: responses; `piece_*`: a stream of pieces: write or read, refused, address of the first beat,
//!            beats minus one (a row's end ends the piece earlier)
//! Latency    2 cycles      Throughput  a piece in 2 cycles      Rounding  none      Reset  forgets everything
//!
//! A read is cut where its row ends. A write is passed on beat by beat, each when it is there, so that a master that
//! is slow with its data holds nobody up. While reads wait, writes gather until they are many or old: each turn of
//! the data bus costs cycles. A write is acknowledged when its last beat is passed on, since pieces stay in order.
//! Bursts beyond the memory, not INCR or not of full width are refused: SLVERR, and nothing is written.

use super::{config::SdramConfig, write_path};
use heddle_lang::{BuildError, Builder, Expr, Module, Reg, Ty, stdlib};
use std::sync::Arc;

/// AXI `INCR` bursts.
const INCR: u32 = 1;
/// Bits of a burst's length.
const LEN_BITS: u32 = 8;
/// Write bursts that wait for their turn, and responses that wait to be taken.
const WRITES: u32 = 4;
/// Written beats that make writes urgent.
const MANY: u32 = 16;
/// Bits that count the cycles until a waiting write is urgent.
const AGE_BITS: u32 = 7;
/// Bits that count the beats of writes in a row while a read waits.
const STREAK_BITS: u32 = 5;

/// A burst in hand.
struct Burst {
    active: Reg,
    address: Reg,
    len: Reg,
    refused: Reg,
}

/// The unit.
pub fn front(config: &SdramConfig) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked("sdram_front", file!());
    m.doc("AXI4 bursts to pieces that lie in one row, reads before writes.");
    let (address_bits, row_bits) = (config.beat_address_bits(), config.column_beat_bits());

    m.comment("Reads");
    let (arvalid, asked) = channel(&mut m, config, "ar");
    let read = Burst::new(&mut m, "read", address_bits);
    m.output("arready", !read.active.q());
    let read_starts = m.wire("read_starts", arvalid & !read.active.q());
    read.load(&mut m, &read_starts, &asked);

    m.comment("Writes");
    let (awvalid, asked) = channel(&mut m, config, "aw");
    let write = Burst::new(&mut m, "write", address_bits);
    let waiting = m.instance(
        "writes",
        &stdlib::fifo(asked.width(), WRITES)?,
        &[("in_valid", awvalid), ("in_data", asked), ("out_ready", !write.active.q())],
    );
    m.unused("writes", "Its readiness says enough.", &[waiting.get("count")]);
    m.output("awready", waiting.get("in_ready"));
    let write_starts = m.wire("write_starts", waiting.get("out_valid") & !write.active.q());
    write.load(&mut m, &write_starts, &waiting.get("out_data"));
    m.comment("Beats that have come in and were not passed on");
    let stored = m.input("beat_stored", Ty::BIT);
    let stock = m.reg("stock", Ty::Unsigned(write_path::BEATS.ilog2() + 1), 0);

    m.comment("The piece that is offered");
    let valid_port = m.output_port("piece_valid", Ty::BIT);
    let ready = m.input("piece_ready", Ty::BIT);
    let valid = m.reg("piece_valid", Ty::BIT, 0);
    m.drive(&valid_port, valid.q());
    let free = m.wire("free", !valid.q() | ready);
    let b_ready = m.forward("responses_in_ready", Ty::BIT);
    let can_write = m.wire("can_write", write.active.q() & stock.q().any() & b_ready);
    let many = !waiting.get("in_ready") | stock.q().ge(MANY);
    let choose_write = choose(&mut m, &read.active.q(), &can_write, many, &free);
    let pass_write = m.wire("pass_write", &free & &choose_write);
    let pass_read = m.wire("pass_read", &free & read.active.q() & !&choose_write);
    m.on(&valid, &free, &pass_write | &pass_read);
    m.on(&stock, &stored & !&pass_write, stock.q().wrapping_add(1));
    m.on(&stock, !&stored & &pass_write, stock.q().wrapping_sub(1));
    let pick = |m: &mut Builder, name: &str, write: Expr, read: Expr| {
        let field = m.register_when(name, &free, choose_write.mux(write, &read));
        m.output(name, field);
    };
    pick(&mut m, "piece_write", Expr::bit_const(true), Expr::bit_const(false));
    pick(&mut m, "piece_refused", write.refused.q(), read.refused.q());
    pick(&mut m, "piece_address", write.address.q(), read.address.q());
    pick(&mut m, "piece_len", Expr::constant(Ty::Unsigned(LEN_BITS), 0), read.len.q());

    m.comment("A read goes on in the next row");
    let column = read.address.q().slice(0, row_bits);
    let end = m.wire("read_end", read.len.q() + column);
    let crosses = m.wire("read_crosses", end.slice(row_bits, end.width() - row_bits).any());
    if let Some(rest) = row_bits.checked_sub(LEN_BITS).filter(|rest| *rest > 0) {
        m.unused("read_end", "Less than 256 beats are left after the end of a row.", &[end.slice(LEN_BITS, rest)]);
    }
    let next_row = read.address.q().slice(row_bits, address_bits - row_bits).wrapping_add(1);
    m.on(&read.active, &pass_read & !crosses, 0);
    m.on(&read.address, &pass_read, Expr::concat([next_row, Expr::constant(Ty::Unsigned(row_bits), 0)]));
    m.on(&read.len, &pass_read, without_row(&end, row_bits));

    m.comment("A write goes on with the next beat");
    let last = m.wire("write_last", write.len.q().is_zero());
    m.on(&write.active, &pass_write & &last, 0);
    m.on(&write.address, &pass_write, write.address.q().wrapping_add(1));
    m.on(&write.len, &pass_write, write.len.q().wrapping_sub(1));

    m.comment("Responses");
    let bready = m.input("bready", Ty::BIT);
    let responses = m.instance(
        "responses",
        &stdlib::fifo(1, WRITES)?,
        &[("in_valid", pass_write & last), ("in_data", write.refused.q()), ("out_ready", bready)],
    );
    m.unused("responses", "Its readiness says enough.", &[responses.get("count")]);
    m.output("bvalid", responses.get("out_valid"));
    m.output("berror", responses.get("out_data"));
    m.build()
}

impl Burst {
    fn new(m: &mut Builder, name: &str, address_bits: u32) -> Burst {
        Burst {
            active: m.reg(&format!("{name}_active"), Ty::BIT, 0),
            address: m.reg_no_reset(&format!("{name}_address"), Ty::Unsigned(address_bits)),
            len: m.reg_no_reset(&format!("{name}_len"), Ty::Unsigned(LEN_BITS)),
            refused: m.reg_no_reset(&format!("{name}_refused"), Ty::BIT),
        }
    }

    fn load(&self, m: &mut Builder, starts: &Expr, asked: &Expr) {
        let address_bits = self.address.q().width();
        m.on(&self.active, starts, 1);
        m.on(&self.address, starts, asked.slice(LEN_BITS, address_bits));
        m.on(&self.len, starts, asked.slice(0, LEN_BITS));
        m.on(&self.refused, starts, asked.bit(LEN_BITS + address_bits));
    }
}

/// What is left of a length when a row of 2^row_bits beats is taken off.
fn without_row(end: &Expr, row_bits: u32) -> Expr {
    match LEN_BITS.checked_sub(row_bits) {
        None | Some(0) => end.truncate(LEN_BITS),
        Some(high) => Expr::concat([end.slice(row_bits, high).wrapping_sub(1), end.slice(0, row_bits)]),
    }
}

/// Valid of an address channel, and what it asks for: refused, address of the first beat, length.
fn channel(m: &mut Builder, config: &SdramConfig, name: &str) -> (Expr, Expr) {
    let valid = m.input(&format!("{name}valid"), Ty::BIT);
    let address = m.input(&format!("{name}addr"), Ty::Unsigned(32));
    let len = m.input(&format!("{name}len"), Ty::Unsigned(LEN_BITS));
    let size = m.input(&format!("{name}size"), Ty::Unsigned(3));
    let burst = m.input(&format!("{name}burst"), Ty::Unsigned(2));
    let byte_bits = (config.port_bits / 8).ilog2();
    let top = byte_bits + config.beat_address_bits();
    m.unused(&format!("{name}addr"), "Bursts start on a beat.", &[address.slice(0, byte_bits)]);
    let beyond = address.slice(top, 32 - top).any();
    let refused = m.wire(&format!("{name}_refused"), beyond | size.ne(byte_bits) | burst.ne(INCR));
    (valid, Expr::concat([refused, address.slice(byte_bits, config.beat_address_bits()), len]))
}

/// Whether the next piece is a write: when nothing is to be read; when writes are urgent; and on from there, for a
/// streak.
fn choose(m: &mut Builder, reads: &Expr, writes: &Expr, many: Expr, free: &Expr) -> Expr {
    m.comment("Whose turn it is");
    let writing = m.reg("writing", Ty::BIT, 0);
    let streak = m.reg("streak", Ty::Unsigned(STREAK_BITS), 0);
    let age = m.reg("age", Ty::Unsigned(AGE_BITS), 0);
    let go_on = writing.q().mux(!streak.q().all(), &(many | age.q().all()));
    let chosen = m.wire("choose_write", writes & (!reads | go_on));
    let passes = m.wire("write_passes", free & &chosen);
    m.on(&writing, &passes, 1);
    m.on(&writing, free & reads, 0);
    m.on(&streak, &passes & reads, streak.q().wrapping_add(1));
    m.on(&streak, free & reads, 0);
    m.on(&age, passes | !writes, 0);
    m.on(&age, !age.q().all(), age.q().wrapping_add(1));
    chosen
}
