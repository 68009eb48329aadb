// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program's progress: from state to state, and what each of them asks of the other units.

use super::{
    CAUSE_BITS, DESCRIPTOR_BITS, Io,
    check::Verdict,
    fetch::{Fetch, Fields},
    sizes::Sizes,
};
use crate::{
    config::Config,
    descriptor::{self, Cause},
    engine::{
        act_buffer::{self, COLUMNS_BITS},
        dequant::FORMAT_BITS,
        weight_fetch::{BEATS_BITS, DEST_ACTIVATIONS, DEST_BITS, DEST_DESCRIPTOR, DEST_WEIGHTS},
    },
};
use heddle_lang::{Builder, Expr, Reg, Ty, builder::States};

/// Matrices issued and not finished, at most.
const IN_FLIGHT: i64 = 2;

/// What the other parts made.
pub struct Parts {
    pub io: Io,
    pub state: States,
    pub jobs: Jobs,
    pub fetch: Fetch,
    pub fields: Fields,
    pub verdict: Verdict,
    pub size: Sizes,
}

/// A read on its way to `weight_fetch`, in registers: its ready begins no path through the states.
pub struct Jobs {
    waiting: Reg,
    /// Another may be put in.
    pub free: Expr,
}

impl Jobs {
    pub fn new(m: &mut Builder, io: &Io) -> Jobs {
        m.comment("The read that is asked for");
        let waiting = m.reg("job_waiting", Ty::BIT, 0);
        m.on(&waiting, waiting.q() & &io.job_ready, 0);
        let free = m.wire("job_free", !waiting.q());
        Jobs { waiting, free }
    }
}

/// What happens in this cycle.
struct Step {
    /// A read is asked for.
    asked: Expr,
    begin: Expr,
    cleared: Expr,
    running: Expr,
    checked: Expr,
    bad: Expr,
    failed: Expr,
    /// With a DVFS unit: a layer begins.
    layer: Option<Expr>,
    loading: Expr,
    first_column: Expr,
    load_go: Expr,
    loaded: Expr,
    matrix_go: Expr,
    fence_out: Expr,
    stopped: Expr,
}

/// What goes from matrix to matrix.
struct Turn {
    in_flight: Reg,
    bank: Reg,
    tag: Reg,
    column: Reg,
    columns: Expr,
    error: Reg,
}

impl Turn {
    fn new(m: &mut Builder, f: &Fields) -> Turn {
        m.comment("Issue: activations column by column, then the weights");
        Turn {
            in_flight: m.reg("in_flight", Ty::Unsigned(2), 0),
            bank: m.reg("bank", Ty::BIT, 0),
            tag: m.reg("tag", Ty::BIT, 0),
            column: m.reg("column", Ty::Unsigned(COLUMNS_BITS), 0),
            columns: f.columns.resize(COLUMNS_BITS),
            error: m.reg("error", Ty::BIT, 0),
        }
    }
}

/// The program's progress.
pub fn issue(m: &mut Builder, config: &Config, parts: Parts) {
    let turn = Turn::new(m, &parts.fields);
    let step = step(m, &parts, &turn);
    transitions(m, &parts, &step);
    turns(m, config, &parts, &turn, &step);
    reads(m, config, &parts, &step);
    work(m, config, &parts, &turn, &step);
    status(m, &parts, &turn, &step);
}

fn step(m: &mut Builder, p: &Parts, turn: &Turn) -> Step {
    let Parts { io, state, fetch, fields: f, verdict: v, .. } = p;
    let free = &p.jobs.free;
    let first_column = m.wire("first_column", turn.column.q().is_zero());
    // A cycle late: between two matrices there are always some for the next descriptor.
    let slot = m.register_reset("slot", turn.in_flight.q().lt(IN_FLIGHT));
    // From a register, since it begins the longest path through the states: not in the cycle after one was asked for.
    let asked = m.forward("job_asked", Ty::BIT);
    let ours = m.register_reset("job_ours", &slot & !fetch.asking.q() & free & !&asked);
    let loading = m.wire("loading", state.is("load") & !&f.reuse & &ours);
    let load_go = m.wire("load_go", &loading & (!&first_column | &io.load_ready));
    // A cycle late too: two loads are never in cycles that follow each other.
    let last_column = m.register("last_column", turn.column.q().eq(turn.columns.wrapping_sub(1)));
    let loaded = m.wire("load_done", &load_go & last_column);
    let issuing = m.wire("issuing", state.is("issue") & &ours);
    // Units that are ready stay so until a matrix comes, and between two there are some cycles.
    let ready = m.register_reset("units_ready", &io.matrix_ready);
    let matrix_go = m.wire("matrix_go", &issuing & ready);
    let rst = m.reset();
    m.assert("units_wait_for_their_matrix", rst | !&matrix_go | &io.matrix_ready);
    let checked = state.is("check");
    let bad = m.wire("bad", v.cause.any());
    let failed = match &io.power_error {
        None => io.memory_error.clone(),
        Some(power) => m.wire("failed", &io.memory_error | power),
    };
    let running = m.wire("running", !state.is("idle"));
    let begin = m.wire("begin_program", &io.start & !&running & !turn.error.q());
    let cleared = m.wire("clear_accepted", &io.clear & !&running);
    m.drive(&io.forget, &cleared | &begin);
    // What a fence and the end wait for is seen a cycle late: nothing is issued in the states that come to them.
    let drained = m.register_reset("drained", turn.in_flight.q().is_zero() & &io.store_idle);
    let fetch_idle = m.register_reset("fetch_idle", !fetch.asking.q() & !fetch.waiting.q());
    let fence_out = m.wire("fence_out", state.is("fence") & &drained);
    let stopped = m.wire("stopped", state.is("stop") & &drained & fetch_idle);
    let layer = v.is_layer.as_ref().map(|is_layer| m.wire("layer", &checked & !&bad & is_layer));
    Step {
        asked,
        begin,
        cleared,
        running,
        checked,
        bad,
        failed,
        layer,
        loading,
        first_column,
        load_go,
        loaded,
        matrix_go,
        fence_out,
        stopped,
    }
}

fn transitions(m: &mut Builder, p: &Parts, s: &Step) {
    let Parts { state, fetch, fields: f, verdict: v, size, .. } = p;
    m.comment("States");
    m.go(state, s.begin.clone(), "fetch");
    m.go(state, state.is("fetch") & fetch.full.q(), "read");
    m.go(state, state.is("read") & &fetch.read, "examine");
    m.go(state, state.is("examine"), "check");
    m.go(state, &s.checked & &s.bad, "stop");
    m.go(state, &s.checked & &v.is_matmul, "size");
    if let Some(layer) = &s.layer {
        m.go(state, layer.clone(), "fetch");
    }
    m.go(state, s.checked.clone(), "fence");
    m.go(state, state.is("size") & &size.done, "beats");
    m.go(state, state.is("beats"), "load");
    m.go(state, state.is("load") & (&f.reuse | &s.loaded), "issue");
    m.go(state, s.matrix_go.clone(), "fetch");
    m.go(state, &s.fence_out & &s.failed, "stop");
    m.go(state, &s.fence_out & &v.is_end, "idle");
    m.go(state, s.fence_out.clone(), "fetch");
    m.go(state, s.stopped.clone(), "idle");
}

fn turns(m: &mut Builder, config: &Config, p: &Parts, turn: &Turn, s: &Step) {
    let Parts { io, fetch, fields: f, verdict: v, size, .. } = p;
    m.comment("The descriptor after this one is asked for as soon as this one is known to be good and not the last");
    let ahead = m.wire("ahead", &s.checked & !&s.bad & !&v.is_end);
    m.on(&fetch.address, &s.begin, &io.program);
    m.on(&fetch.address, &ahead, f.address.wrapping_add(u64::from(descriptor::BYTES)));
    m.on(&fetch.asking, &s.begin | &ahead, 1);
    m.on(&fetch.full, &fetch.read | &s.stopped, 0);

    let Turn { in_flight, bank, tag, column, columns, .. } = turn;
    m.on(column, &s.loaded, 0);
    m.on(column, &s.load_go, column.q().wrapping_add(1));
    let vector_bytes = size.vector.slice(0, 32).shift_left(config.port_bytes().ilog2()).truncate(32);
    m.on(&f.vector, &s.load_go, f.vector.q().wrapping_add(vector_bytes));
    m.on(bank, &s.loaded, !bank.q());
    m.on(tag, &s.matrix_go, !tag.q());
    m.on(in_flight, &s.matrix_go & !&io.matrix_done, in_flight.q().wrapping_add(1));
    m.on(in_flight, !&s.matrix_go & &io.matrix_done, in_flight.q().wrapping_sub(1));
    m.on(&v.loaded, &s.begin, 0);
    m.on(&v.loaded, &s.loaded, 1);
    m.on(&v.loaded_columns, &s.load_go, columns);
    m.on(&v.loaded_blocks, &s.load_go, &f.blocks);
}

fn reads(m: &mut Builder, config: &Config, p: &Parts, s: &Step) {
    let Parts { jobs, fetch, fields: f, size, .. } = p;
    m.comment("Reads: of a descriptor, of a vector, of weights");
    let fetching = fetch.asking.q();
    let asked = &s.asked;
    m.drive(asked, (&fetching & &jobs.free) | &s.load_go | &s.matrix_go);
    m.on(&jobs.waiting, asked, 1);
    let mut align = fetch.address.q();
    if config.port_bytes() > descriptor::BYTES {
        align = Expr::concat([align.slice(6, 26), Expr::constant(Ty::Unsigned(6), 0)]);
    }
    let choose = |descriptor: Expr, vector: Expr, weights: &Expr| fetching.mux(descriptor, &s.loading.mux(vector, weights));
    let beats_of_descriptor = Expr::constant(Ty::Unsigned(BEATS_BITS), DESCRIPTOR_BITS.div_ceil(config.memory.port_bits).into());
    let dest = |d: u64| Expr::constant(Ty::Unsigned(DEST_BITS), d.into());
    let mut job = |name: &str, value: Expr| {
        let value = m.register_when(&format!("{name}_asked"), asked, value);
        m.output(name, value);
    };
    job("job_addr", choose(align, f.vector.q(), &f.weights));
    job("job_beats", choose(beats_of_descriptor, size.vector.clone(), &size.weights));
    job("job_dest", choose(dest(DEST_DESCRIPTOR), dest(DEST_ACTIVATIONS), &dest(DEST_WEIGHTS)));
    m.output("job_valid", jobs.waiting.q());
}

fn work(m: &mut Builder, config: &Config, p: &Parts, turn: &Turn, s: &Step) {
    let Parts { state, fields: f, .. } = p;
    m.comment("Activations to load; the bank of the matrix is the one loaded last");
    m.output("load_valid", &s.loading & &s.first_column);
    let last_block = m.wire("last_block", f.blocks.wrapping_sub(1).truncate(act_buffer::last_block_bits(config)));
    m.output("load_last_block", last_block.clone());
    m.output("load_columns", turn.columns.clone());
    m.output("load_bank", turn.bank.q());
    m.comment("The matrix");
    m.output("matrix_start", s.matrix_go.clone());
    m.output("matrix_format", f.format.resize(FORMAT_BITS));
    m.output("matrix_rows", f.rows.clone());
    let step_bits = config.blocks_per_cycle().trailing_zeros();
    m.output("matrix_last_step", last_block.slice(step_bits, last_block.width() - step_bits));
    m.output("matrix_columns", turn.columns.clone());
    m.output("matrix_bank", !turn.bank.q());
    m.output("matrix_tag", turn.tag.q());
    m.output("matrix_results", f.results.clone());
    if let Some(layer) = &s.layer {
        m.comment("A layer begins; its fields lie where a matrix has format and columns");
        m.output("layer_valid", layer.clone());
        for (name, field) in [
            ("layer_phase", descriptor::PHASE),
            ("layer_first", descriptor::FIRST),
            ("layer_last", descriptor::LAST),
            ("layer_class", descriptor::CLASS),
        ] {
            m.output(name, f.format.slice(field.lsb - descriptor::FORMAT.lsb, field.width));
        }
        m.output("layer_progress", f.columns.clone());
    }
    if config.domains() > 0 {
        m.comment("A matrix is on its way to its issue");
        let states = ["size", "beats", "load", "issue"].map(|name| state.is(name));
        m.output("preparing", states.into_iter().reduce(|a, b| a | b).unwrap_or_else(|| Expr::bit_const(false)));
    }
}

fn status(m: &mut Builder, p: &Parts, turn: &Turn, s: &Step) {
    let Parts { io, fields: f, verdict: v, .. } = p;
    m.comment("Status");
    let done = m.reg("done", Ty::BIT, 0);
    let cause = m.reg("cause", Ty::Unsigned(CAUSE_BITS), 0);
    let finished = m.wire("finished", &s.fence_out & &v.is_end & !&s.failed);
    m.on(&done, &finished, 1);
    m.on(&done, &io.forget, 0);
    m.on(&turn.error, &s.stopped, 1);
    m.on(&turn.error, &io.forget, 0);
    let code = |c: Cause| Expr::constant(Ty::Unsigned(CAUSE_BITS), c.code().into());
    let late = match &io.power_error {
        None => code(Cause::WriteError),
        Some(_) => io.memory_error.mux(code(Cause::WriteError), &code(Cause::PowerFault)),
    };
    let late_cause = io.read_error.mux(code(Cause::ReadError), &late);
    m.on(&cause, &s.checked & &s.bad, &v.cause);
    m.on(&cause, &s.fence_out & &s.failed, late_cause);
    m.on(&cause, &io.forget, 0);
    m.comment("Status, and what happens in this cycle; a program that stopped has its last descriptor in hand");
    let error_addr = turn.error.q().mux(&f.address, &Expr::constant(Ty::Unsigned(32), 0));
    m.output("busy", s.running.clone());
    m.output("begin", s.begin.clone());
    m.output("cleared", s.cleared.clone());
    m.output("done", done.q());
    m.output("error", turn.error.q());
    m.output("cause", cause.q());
    m.output("error_addr", error_addr);
    m.output("finished", finished);
    m.output("stopped", s.stopped.clone());
    let completed = &s.matrix_go | (&s.fence_out & !&s.failed);
    let completed = s.layer.iter().fold(completed, |completed, layer| completed | layer);
    m.output("descriptor", completed);
}
