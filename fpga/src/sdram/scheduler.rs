// SPDX-License-Identifier: MIT OR Apache-2.0
//! Commands to the device: column commands of the current piece, and rows opened ahead of it.
//!
//! Ports      `piece_*`: the stream of pieces; `beat_valid_i`: a beat to write is there; `room_i`: so is room for one
//!            that is read; `read_o`, `write_o`: a column command is chosen, with `read_last_o`, `refused_o`;
//!            `hold_i` and the commands of [`super::upkeep`]; `quiet_o`: every bank may be precharged; `busy_o`;
//!            `command_o` (RAS, CAS, WE), `ba_o`, `a_o`, `cke_o`: registers at the pins
//! Latency    5 cycles from a piece to its first column command in an open row
//! Throughput a column command per beat      Rounding  none      Reset  forgets the pieces; rows count as closed
//!
//! Two pieces are in hand. The current one has its column commands; between them, the row of the one ahead is looked
//! up and, where it lies in another bank, opened. A piece goes through the steps LOOKUP (is its row open?), CLOSE
//! (another row is), OPEN (none is), READY. Rows stay open until another one of the bank is needed, or a refresh.
//! A counter per piece says when its next activate or column command may come, one per bank when that may be precharged.

use super::{ADDRESS_PINS, BANK_PINS, config::SdramConfig};
use heddle_lang::{BuildError, Builder, Expr, Module, Reg, Ty, builder::address_bits};
use std::sync::Arc;

/// Levels of RAS, CAS and WE.
pub mod command {
    pub const LOAD_MODE: u32 = 0b000;
    pub const REFRESH: u32 = 0b001;
    pub const PRECHARGE: u32 = 0b010;
    pub const ACTIVATE: u32 = 0b011;
    pub const WRITE: u32 = 0b100;
    pub const READ: u32 = 0b101;
    pub const NOTHING: u32 = 0b111;
}

/// Address line that makes a precharge one of all banks.
pub const ALL_BANKS: u32 = 10;
/// Bits of a burst's length.
const LEN_BITS: u32 = 8;
/// Bits of the step of a piece.
const STEP_BITS: u32 = 2;

/// A piece in hand.
struct Piece {
    valid: Reg,
    step: Reg,
    /// Cycles until its next activate or column command.
    wait: Reg,
    /// Its bank may be precharged.
    may_close: Reg,
    write: Reg,
    refused: Reg,
    address: Reg,
    len: Reg,
    column_bits: u32,
    bank_bits: u32,
}

/// What is known of a bank.
struct Bank {
    open: Reg,
    row: Reg,
    /// Cycles until it may be precharged.
    close: Reg,
}

/// The unit.
pub fn scheduler(config: &SdramConfig) -> Result<Arc<Module>, BuildError> {
    let cycles = config.cycles();
    let burst = config.burst();
    let mut m = Builder::clocked("sdram_scheduler", file!());
    m.doc("Commands to the device: beats of the current piece, and rows opened ahead of it.");

    m.comment("Pieces");
    let piece_valid = m.input("piece_valid", Ty::BIT);
    let piece_ready = m.output_port("piece_ready", Ty::BIT);
    let fields = [("write", 1), ("refused", 1), ("address", config.beat_address_bits()), ("len", LEN_BITS)];
    let fields = fields.map(|(name, bits)| m.input(&format!("piece_{name}"), Ty::Unsigned(bits)));
    m.comment("Data");
    let beat_valid = m.input("beat_valid", Ty::BIT);
    let room = m.input("room", Ty::BIT);
    m.comment("Upkeep");
    let hold = m.input("hold", Ty::BIT);
    let close_all = m.input("close_all", Ty::BIT);
    let refresh = m.input("refresh", Ty::BIT);
    let load_mode = m.input("load_mode", Ty::BIT);

    let current = Piece::new(&mut m, config, "current");
    let ahead = Piece::new(&mut m, config, "ahead");
    m.comment("Steps of a piece");
    let mut step = |name: &str, value| m.parameter(name, Ty::Unsigned(STEP_BITS), value);
    let (to_lookup, to_close, to_open, is_ready) = (step("LOOKUP", 0), step("CLOSE", 1), step("OPEN", 2), step("READY", 3));
    let read_to_write = config.cas_latency + config.read_delay + burst;
    let after_read = burst.max(cycles.ras.saturating_sub(cycles.rcd));
    let after_write = (burst + cycles.wr - 1).max(cycles.ras.saturating_sub(cycles.rcd));
    let most_close = cycles.ras.max(after_read).max(after_write) - 1;
    let banks: Vec<Bank> = (0..1 << config.geometry.bank_bits).map(|b| Bank::new(&mut m, config, b, most_close)).collect();

    m.comment("Cycles until the data bus is free, until it may turn to writing, until another bank may be opened");
    let gap = counter(&mut m, "gap", burst - 1);
    let turn = counter(&mut m, "turn", read_to_write);
    let rrd = counter(&mut m, "rrd", cycles.rrd - 1);

    m.comment("What the current piece wants");
    let free = m.wire("current_free", current.valid.q() & !&hold & current.wait.q().is_zero());
    let data = current.write.q().mux(beat_valid & turn.q().is_zero(), &room);
    let column = m.wire("column", &free & current.step.q().eq(&is_ready) & gap.q().is_zero() & data);
    let activate_current = m.wire("activate_current", &free & current.step.q().eq(&to_open) & rrd.q().is_zero());
    let close_current = m.wire("close_current", &free & current.step.q().eq(&to_close) & current.may_close.q());

    m.comment("The piece ahead has its turn when the current one waits for its row or for the data bus");
    let waits = current.wait.q().any() | (current.step.q().eq(&is_ready) & gap.q().any());
    let same_bank = m.wire("same_bank", current.valid.q() & current.bank().eq(ahead.bank()));
    let ahead_turn = m.wire("ahead_turn", current.valid.q() & !hold & waits);
    let slot = m.wire("ahead_free", &ahead_turn & ahead.valid.q() & !&same_bank & ahead.wait.q().is_zero());
    let activate_ahead = m.wire("activate_ahead", &slot & ahead.step.q().eq(&to_open) & rrd.q().is_zero());
    let close_ahead = m.wire("close_ahead", &slot & ahead.step.q().eq(&to_close) & ahead.may_close.q());
    m.comment("A bank that the current piece is about to change is looked up after that");
    let lookup = m.wire("lookup", ahead.step.q().eq(&to_lookup) & !(&same_bank & current.step.q().ne(&is_ready)));
    let is_open = m.wire("ahead_is_open", ahead.bank().choose(&banks.iter().map(|b| b.open.q()).collect::<Vec<_>>()));
    let rows: Vec<Expr> = banks.iter().map(|b| b.row.q().eq(ahead.row())).collect();
    let hit = m.wire("ahead_hit", ahead.bank().choose(&rows));

    m.comment("Pieces move up");
    let row_ends = m.wire("row_ends", current.len.q().is_zero() | current.column().all());
    let finish = m.wire("finish", &column & &row_ends);
    let up = m.wire("up", ahead.valid.q() & ahead.step.q().ne(&to_lookup) & (!current.valid.q() | &finish));
    let take = m.wire("take", &piece_valid & (!ahead.valid.q() | &up));
    m.drive(&piece_ready, !ahead.valid.q() | &up);
    m.on(&ahead.step, &take | &close_all, &to_lookup);
    let found = hit.mux(&is_ready, &to_close);
    m.on(&ahead.step, lookup, is_open.mux(found, &to_open));
    m.on(&current.step, &close_all, &to_open);
    m.on(&current.step, &up, ahead.step.q());
    for (piece, activate, close) in [(&ahead, &activate_ahead, &close_ahead), (&current, &activate_current, &close_current)] {
        m.on(&piece.step, activate, &is_ready);
        m.on(&piece.step, close, &to_open);
    }
    m.on(&ahead.wait, &take, 0);
    m.on(&current.wait, &up, ahead.wait.q());
    for (piece, activate, close) in [(&ahead, &activate_ahead, &close_ahead), (&current, &activate_current, &close_current)] {
        m.on(&piece.wait, activate, u64::from(cycles.rcd - 1));
        m.on(&piece.wait, close, u64::from(cycles.rp - 1));
        count_down(&mut m, &piece.wait);
    }
    m.on(&ahead.valid, &take, 1);
    m.on(&ahead.valid, &up, 0);
    m.on(&current.valid, &up, 1);
    m.on(&current.valid, &finish, 0);
    for ((current, ahead), new) in current.fields().into_iter().zip(ahead.fields()).zip(fields) {
        m.on(ahead, &take, new);
        m.on(current, &up, ahead.q());
    }
    m.on(&current.address, &column, current.address.q().wrapping_add(1));
    m.on(&current.len, &column, current.len.q().wrapping_sub(1));
    m.comment("Whether the bank of a piece may be precharged, from the cycle before: known when the piece has stood for one");
    for (piece, new) in [(&ahead, &take), (&current, &up)] {
        let over: Vec<Expr> = banks.iter().map(|b| b.close.q().is_zero()).collect();
        m.next(&piece.may_close, piece.bank().choose(&over) & !new);
    }

    m.comment("Banks");
    let write = m.wire("writes", &column & current.write.q());
    let read = m.wire("reads", &column & !current.write.q());
    let activate = m.wire("activate", &activate_current | &activate_ahead);
    let close = m.wire("close", &close_current | &close_ahead);
    let bank = m.wire("bank", ahead_turn.mux(ahead.bank(), &current.bank()));
    let row = m.wire("row", ahead_turn.mux(ahead.row(), &current.row()));
    for (i, b) in banks.iter().enumerate() {
        let this = m.wire(&format!("bank_{i}"), bank.eq(i));
        m.on(&b.open, &this & &activate, 1);
        m.on(&b.open, (&this & &close) | &close_all, 0);
        m.on(&b.row, &this & &activate, &row);
        m.on(&b.close, &this & &activate, u64::from(cycles.ras - 1));
        m.on(&b.close, &this & &read, u64::from(after_read - 1));
        m.on(&b.close, &this & &write, u64::from(after_write - 1));
        count_down(&mut m, &b.close);
    }
    m.on(&gap, &column, u64::from(burst - 1));
    m.on(&turn, &read, u64::from(read_to_write));
    m.on(&rrd, &activate, u64::from(cycles.rrd - 1));
    [&gap, &turn, &rrd].into_iter().for_each(|reg| count_down(&mut m, reg));
    m.output("quiet", Expr::pack(&banks.iter().map(|b| b.close.q().is_zero()).collect::<Vec<_>>()).all());
    m.output("busy", current.valid.q() | ahead.valid.q());
    m.output("read", &read);
    m.output("write", &write);
    m.output("read_last", current.len.q().is_zero());
    m.output("refused", current.refused.q());

    m.comment("Pins");
    let chosen = |m: &mut Builder, name: &str, ty: Ty, choices: &[(&Expr, Expr)], otherwise: u32| {
        let none = Expr::constant(ty, otherwise.into());
        let value = choices.iter().rev().fold(none, |rest, (when, value)| when.mux(value, &rest));
        m.wire(&format!("{name}_next"), value)
    };
    let code = |c: u32| Expr::constant(Ty::Unsigned(3), c.into());
    let pins = [
        (&read, code(command::READ)),
        (&write, code(command::WRITE)),
        (&activate, code(command::ACTIVATE)),
        (&close, code(command::PRECHARGE)),
        (&close_all, code(command::PRECHARGE)),
        (&refresh, code(command::REFRESH)),
        (&load_mode, code(command::LOAD_MODE)),
    ];
    let pins = chosen(&mut m, "command", Ty::Unsigned(3), &pins, command::NOTHING);
    let ty = Ty::Unsigned(ADDRESS_PINS);
    let column_address = current.column().shift_left(burst.ilog2()).extend(ADDRESS_PINS);
    let address = [
        (&column, column_address),
        (&activate, row.extend(ADDRESS_PINS)),
        (&close_all, Expr::constant(ty, 1 << ALL_BANKS)),
        (&load_mode, Expr::constant(ty, config.mode().into())),
    ];
    let address = chosen(&mut m, "a", ty, &address, 0);
    let given = m.reg("command", Ty::Unsigned(3), command::NOTHING.into());
    m.next(&given, pins);
    m.output("command", given.q());
    let ba = m.wire("ba_next", load_mode.mux(Expr::constant(Ty::Unsigned(BANK_PINS), 0), &bank.extend(BANK_PINS)));
    let ba = m.register("ba", ba);
    m.output("ba", ba);
    let a = m.register("a", address);
    m.output("a", a);
    let cke = m.register_reset("cke", Expr::bit_const(true));
    m.output("cke", cke);
    m.build()
}

impl Piece {
    fn new(m: &mut Builder, config: &SdramConfig, name: &str) -> Piece {
        let cycles = config.cycles();
        let wait = counter(m, &format!("{name}_wait"), cycles.rcd.max(cycles.rp) - 1);
        let mut field = |field: &str, bits| m.reg_no_reset(&format!("{name}_{field}"), Ty::Unsigned(bits));
        Piece {
            step: field("step", STEP_BITS),
            wait,
            may_close: field("may_close", 1),
            write: field("write", 1),
            refused: field("refused", 1),
            address: field("address", config.beat_address_bits()),
            len: field("len", LEN_BITS),
            valid: m.reg(&format!("{name}_valid"), Ty::BIT, 0),
            column_bits: config.column_beat_bits(),
            bank_bits: config.geometry.bank_bits,
        }
    }

    fn column(&self) -> Expr {
        self.address.q().slice(0, self.column_bits)
    }

    fn bank(&self) -> Expr {
        self.address.q().slice(self.column_bits, self.bank_bits)
    }

    fn row(&self) -> Expr {
        let low = self.column_bits + self.bank_bits;
        self.address.q().slice(low, self.address.q().width() - low)
    }

    fn fields(&self) -> [&Reg; 4] {
        [&self.write, &self.refused, &self.address, &self.len]
    }
}

impl Bank {
    fn new(m: &mut Builder, config: &SdramConfig, number: u32, most_close: u32) -> Bank {
        Bank {
            open: m.reg(&format!("open_{number}"), Ty::BIT, 0),
            row: m.reg_no_reset(&format!("row_{number}"), Ty::Unsigned(config.geometry.row_bits)),
            close: counter(m, &format!("close_{number}"), most_close),
        }
    }
}

/// A counter that is set to at most `most`.
fn counter(m: &mut Builder, name: &str, most: u32) -> Reg {
    m.reg(name, Ty::Unsigned(address_bits(most + 1)), 0)
}

/// The counter's rule after those that set it.
fn count_down(m: &mut Builder, counter: &Reg) {
    m.on(counter, counter.q().any(), counter.q().wrapping_sub(1));
}
