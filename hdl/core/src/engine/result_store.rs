// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows to memory: accumulators to f24, packed into beats, written in order.
//!
//! Ports      `cmd_*`: where the results of the next matrix go; `row_*`: accumulators of a finished row;
//!            `row_issue_i` announces a row (`room_o` says that it may be started); `aw*`, `w*`, `b*`: AXI4 write
//!            channels, single beats; `idle_o`: everything announced is written and acknowledged
//! Latency    `to_float` + FIFO + 3 cycles      Throughput  one result per cycle
//! Rounding   as `to_float`      Reset  drops everything
//!
//! One converter serves all columns: rows are spaced by `dequant` (through `room_o`) at least as many cycles apart
//! as they have results.

use super::{
    act_buffer::COLUMNS_BITS,
    place::GRID_BITS,
    to_float::{self, FLOAT_BITS},
    to_float_serial,
};
use crate::config::Config;
use heddle_lang::{BuildError, Builder, Expr, Module, Reg, Ty, stdlib};
use std::sync::Arc;

/// Results that can be between the array and the memory.
const DEPTH: u32 = 64;
/// Matrices whose results may be on their way; with two, a third waits until the first is written.
fn commands(config: &Config) -> u32 {
    if config.compact { 2 } else { 4 }
}
/// Bits that count unacknowledged writes.
const WRITES_BITS: u32 = 8;
/// So many unacknowledged writes hold up the next; one may have left since they were counted.
const UNACKNOWLEDGED: i64 = 254;
/// With so many results to a beat there is time for both channels to empty before the next one: their ready begins no path.
const UNHURRIED: u32 = 4;
/// Bits of a result in memory.
const WORD: u32 = 32;

/// The store.
pub fn result_store(config: &Config) -> Result<Arc<Module>, BuildError> {
    let columns = config.array.columns;
    let mut m = Builder::clocked("result_store", file!());
    m.doc(&format!("Results of {} to f24 words in memory, one per cycle, rows outermost.", super::counted(columns, "column")));

    m.comment("Room: a row is announced when its results have room and the one before has been taken over");
    let issue = m.input("row_issue", Ty::BIT);
    let issue_columns = m.input("issue_columns", Ty::Unsigned(COLUMNS_BITS));
    let free_bits = DEPTH.ilog2() + 1;
    let free = m.reg("free", Ty::Unsigned(free_bits), DEPTH.into());
    let spacing = m.reg("spacing", Ty::Unsigned(COLUMNS_BITS), 0);
    let cycles =
        if config.serial_results() { Expr::constant(spacing.q().ty(), to_float_serial::LATENCY.into()) } else { issue_columns.clone() };
    m.on(&spacing, &issue, cycles.wrapping_sub(1));
    m.on(&spacing, spacing.q().any(), spacing.q().wrapping_sub(1));
    // Known a cycle ahead, so that it begins no path: a row that is issued now leaves room for another.
    let roomy = m.wire("roomy", free.q().ge(2 * columns));
    let apart = m.wire("apart", issue.mux(cycles.eq(1), &spacing.q().le(1)));
    let room = m.register_reset("room", roomy & apart);
    m.output("room", room);
    let pop = m.forward("pop", Ty::BIT);
    let taken = issue.mux(issue_columns.extend(free_bits), &Expr::constant(Ty::Unsigned(free_bits), 0));
    let after_take = m.wire("after_take", free.q().wrapping_sub(taken));

    m.comment("Accumulators of a row");
    let row_valid = m.input("row_valid", Ty::BIT);
    let row_matrix_last = m.input("row_matrix_last", Ty::BIT);
    let row_columns = m.input("row_columns", Ty::Unsigned(COLUMNS_BITS));
    let acc = m.input("acc", Ty::Unsigned(GRID_BITS * columns));
    let row = Row { valid: row_valid.clone(), matrix_last: row_matrix_last.clone(), columns: row_columns, acc };
    let (word_valid, word) = if config.serial_results() { convert_slowly(&mut m, &row)? } else { convert(&mut m, &row)? };
    let words = m.instance(
        "results",
        &stdlib::fifo(FLOAT_BITS + 1, DEPTH)?,
        &[("in_valid", word_valid), ("in_data", word), ("out_ready", pop.clone())],
    );
    m.unused("results", "Room was reserved when the row was announced.", &[words.get("in_ready"), words.get("count")]);
    // A cycle late: what takes a result has far to go already.
    let freed = m.register_reset("freed", words.get("out_valid") & &pop);
    m.next(&free, after_take.wrapping_add(freed.extend(free_bits)));
    let (offered, word) = (words.get("out_valid"), words.get("out_data"));
    if config.compact {
        pack(&mut m, config, &offered, &word, &pop)?;
    } else {
        m.comment("Two results behind the memory of the FIFO, on the way to the write channels");
        let take = m.forward("take_word", Ty::BIT);
        let inputs = [("in_valid", offered), ("in_data", word), ("out_ready", take.clone())];
        let next = m.instance("next", &stdlib::pair(FLOAT_BITS + 1)?, &inputs);
        m.drive(&pop, next.get("in_ready"));
        pack(&mut m, config, &next.get("out_valid"), &next.get("out_data"), &take)?;
    }
    m.output("matrix_done", &row_valid & &row_matrix_last);
    m.build()
}

/// A row whose accumulators are ready.
struct Row {
    valid: Expr,
    matrix_last: Expr,
    columns: Expr,
    acc: Expr,
}

/// One result per cycle, column 0 first: when there is one, and the float with its flag for the end of the matrix.
fn convert(m: &mut Builder, row: &Row) -> Result<(Expr, Expr), BuildError> {
    m.comment("The row being converted, column 0 first");
    let width = row.acc.width();
    let left = m.reg("left", Ty::Unsigned(COLUMNS_BITS), 0);
    let matrix_last = m.reg("matrix_last", Ty::BIT, 0);
    let hold = m.reg_no_reset("hold", Ty::Unsigned(width));
    let converting = m.wire("converting", left.q().any());
    m.on(&left, &row.valid, &row.columns);
    m.on(&left, &converting, left.q().wrapping_sub(1));
    m.on(&matrix_last, &row.valid, &row.matrix_last);
    m.on(&hold, &row.valid, &row.acc);
    if width > GRID_BITS {
        m.on(&hold, &converting, hold.q().shift_right(GRID_BITS).extend(width));
    }
    let float = m.instance("to_float", &to_float::to_float()?, &[("acc", hold.q().slice(0, GRID_BITS))]).get("f24");
    let last = m.wire("last_result", matrix_last.q() & left.q().eq(1));
    let word_valid = m.delay_reset("word_valid", &converting, to_float::LATENCY);
    let word_last = m.delay("word_last", &last, to_float::LATENCY);
    Ok((word_valid, Expr::concat([word_last, float])))
}

/// The same for a single column whose rows are far enough apart.
fn convert_slowly(m: &mut Builder, row: &Row) -> Result<(Expr, Expr), BuildError> {
    m.unused("row_columns", "There is one column.", std::slice::from_ref(&row.columns));
    let matrix_last = m.register_when("matrix_last", &row.valid, row.matrix_last.clone());
    let inputs = [("valid", row.valid.clone()), ("acc", row.acc.clone())];
    let float = m.instance("to_float", &to_float_serial::to_float_serial()?, &inputs);
    Ok((float.get("done"), Expr::concat([matrix_last, float.get("f24")])))
}

/// Words to beats to single-beat writes.
fn pack(m: &mut Builder, config: &Config, word_valid: &Expr, word: &Expr, pop: &Expr) -> Result<(), BuildError> {
    let (port_bits, per_beat) = (config.memory.port_bits, config.memory.port_bits / WORD);
    m.comment("Where the results of each matrix go");
    let cmd_valid = m.input("cmd_valid", Ty::BIT);
    let cmd_ready = m.output_port("cmd_ready", Ty::BIT);
    let cmd_addr = m.input("cmd_addr", Ty::Unsigned(32));
    let flush = m.forward("flush", Ty::BIT);
    let commands = m.instance(
        "commands",
        &stdlib::fifo(32, commands(config))?,
        &[("in_valid", cmd_valid.clone()), ("in_data", cmd_addr), ("out_ready", flush.clone())],
    );
    m.drive(&cmd_ready, commands.get("in_ready"));
    m.unused("commands", "A result comes after the command of its matrix.", &[commands.get("count")]);

    m.comment("The beat being filled");
    let beat = m.reg_no_reset("beat", Ty::Unsigned(port_bits));
    let strobe = m.reg("strobe", Ty::Unsigned(per_beat), 0);
    let full = m.reg("full", Ty::BIT, 0);
    let full_last = m.reg_no_reset("full_last", Ty::BIT);
    let send = m.forward("send", Ty::BIT);
    let take = m.wire("take", word_valid & (!full.q() | &send));
    m.drive(pop, take.clone());
    let filled = m.wire("filled", (full.q() & &send).mux(Expr::constant(Ty::Unsigned(per_beat), 0), &strobe.q()));
    let last = m.wire("word_ends_matrix", word.bit(FLOAT_BITS));
    // The next free place is the lowest one not filled.
    let place = match per_beat {
        1 => !&filled,
        n => Expr::concat([filled.slice(0, n - 1), Expr::bit_const(true)]) & !&filled,
    };
    let place = m.wire("place", place);
    let value = Expr::concat([word.slice(0, FLOAT_BITS), Expr::constant(Ty::Unsigned(WORD - FLOAT_BITS), 0)]);
    let lanes: Vec<Expr> = (0..per_beat).map(|i| place.bit(i).mux(&value, &beat.q().slice(i * WORD, WORD))).collect();
    m.on(&beat, &take, Expr::pack(&lanes));
    m.on(&strobe, &take, &filled | &place);
    m.on(&strobe, &send, 0);
    m.on(&full, &take, place.msb() | &last);
    m.on(&full, &send, 0);
    m.on(&full_last, &take, &last);

    m.comment("Address of the next beat: the command's, then on from there");
    let fresh = m.reg("fresh", Ty::BIT, 1);
    let next = m.reg_no_reset("next", Ty::Unsigned(32));
    let address = m.wire("address", fresh.q().mux(commands.get("out_data"), &next.q()));
    m.on(&next, &send, address.wrapping_add(u64::from(config.port_bytes())));
    m.on(&fresh, &send, full_last.q());
    m.drive(&flush, &send & full_last.q());

    write_channels(
        m,
        &Beat {
            data: beat.q(),
            strobe: strobe.q(),
            full,
            address,
            send,
            commands: commands.get("out_valid"),
            word_valid: word_valid.clone(),
        },
        port_bits,
    );
    Ok(())
}

struct Beat {
    data: Expr,
    strobe: Expr,
    full: Reg,
    address: Expr,
    send: Expr,
    commands: Expr,
    word_valid: Expr,
}

/// Address and data of a single-beat write go out together; each channel is accepted in its own time.
fn write_channels(m: &mut Builder, b: &Beat, port_bits: u32) {
    m.comment("AXI4 write channels");
    let awvalid_port = m.output_port("awvalid", Ty::BIT);
    let awready = m.input("awready", Ty::BIT);
    let awaddr_port = m.output_port("awaddr", Ty::Unsigned(32));
    let wvalid_port = m.output_port("wvalid", Ty::BIT);
    let wready = m.input("wready", Ty::BIT);
    let wdata_port = m.output_port("wdata", Ty::Unsigned(port_bits));
    let wstrb_port = m.output_port("wstrb", Ty::Unsigned(port_bits / 8));
    let bvalid = m.input("bvalid", Ty::BIT);
    let bresp = m.input("bresp", Ty::Unsigned(2));
    let awvalid = m.reg("awvalid", Ty::BIT, 0);
    let wvalid = m.reg("wvalid", Ty::BIT, 0);
    let unacknowledged = m.reg("unacknowledged", Ty::Unsigned(WRITES_BITS), 0);
    // A cycle late: one more may be on its way.
    let below = m.register_reset("below_limit", unacknowledged.q().lt(UNACKNOWLEDGED));
    let free = if port_bits < UNHURRIED * WORD {
        m.wire("channels_free", (!awvalid.q() | &awready) & (!wvalid.q() | &wready))
    } else {
        m.register_reset("channels_free", !awvalid.q() & !wvalid.q() & !&b.send)
    };
    m.drive(&b.send, b.full.q() & &free & &below);
    m.on(&awvalid, &b.send, 1);
    m.on(&awvalid, &awready, 0);
    m.on(&wvalid, &b.send, 1);
    m.on(&wvalid, &wready, 0);
    let awaddr = m.register_when("awaddr", &b.send, &b.address);
    let wdata = m.register_when("wdata", &b.send, &b.data);
    let bytes: Vec<Expr> = (0..b.strobe.width()).map(|i| b.strobe.bit(i).repeat(WORD / 8)).collect();
    let wstrb = m.register_when("wstrb", &b.send, Expr::pack(&bytes));
    m.drive(&awvalid_port, awvalid.q());
    m.drive(&awaddr_port, awaddr);
    m.drive(&wvalid_port, wvalid.q());
    m.drive(&wdata_port, wdata);
    m.drive(&wstrb_port, wstrb);
    m.on(&unacknowledged, &b.send & !&bvalid, unacknowledged.q().wrapping_add(1));
    m.on(&unacknowledged, !&b.send & &bvalid, unacknowledged.q().wrapping_sub(1));
    m.unused("bresp", "Bit 1 of the response says error.", &[bresp.bit(0)]);

    m.comment("Nothing announced, nothing under way");
    let idle = m.register_reset("nothing", !&b.commands & !b.full.q() & !unacknowledged.q().any() & !&b.word_valid);
    m.output("idle", idle);
    m.output("error", &bvalid & bresp.bit(1));
    m.output("beat", wvalid.q() & &wready);
    m.output("wait", wvalid.q() & !wready);
    m.output("acknowledged", bvalid);
}

/// The same, in plain Rust: [`crate::format::write_results`](crate::format) of rows of columns.
pub mod golden {
    pub use crate::numerics::grid::to_f24;
}
