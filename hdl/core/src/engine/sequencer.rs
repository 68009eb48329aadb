// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fetches descriptors, checks them, and issues their work in order.
//!
//! Ports      `start_i` (ignored while busy and in the error state), `clear_i` (ignored while busy), `program_i`,
//!            status; `job_*`: reads for `weight_fetch`; `beat_*`: descriptor beats back from it; `load_*`: to
//!            `act_buffer`; `matrix_*`: to `dequant`, `array` and `result_store` at once; `layer_*`, with a DVFS unit:
//!            to it, which is never waited for; `matrix_done_i`,
//!            `store_idle_i`, errors
//! Latency    about 30 cycles from a descriptor's beats to the first read of its weights, behind the matrix before
//! Throughput two matrices in flight: one streams, the next one's reads are already asked for
//! Rounding   none      Reset  stops
//!
//! A descriptor that cannot run stops the program: what was issued before it is finished, then `error` is set with
//! a cause and the descriptor's address. A memory error does the same at the next descriptor.

use super::{
    act_buffer::{self, COLUMNS_BITS},
    dequant::{FORMAT_BITS, ROWS_BITS},
    weight_fetch::{BEATS_BITS, DEST_ACTIVATIONS, DEST_BITS, DEST_DESCRIPTOR, DEST_WEIGHTS},
};
use crate::{
    config::{Config, Format},
    descriptor::{self, Cause, Field, Words},
};
use heddle_lang::{BuildError, Builder, Expr, Module, Reg, Ty, builder::States};
use std::sync::Arc;

const DESCRIPTOR_BITS: u32 = 8 * descriptor::BYTES;
/// Bits of a cause.
pub const CAUSE_BITS: u32 = 4;
/// Bits of rows x blocks: 24 and 10.
const PRODUCT_BITS: u32 = 34;
/// Matrices issued and not finished, at most.
const IN_FLIGHT: i64 = 2;

/// The sequencer.
pub fn sequencer(config: &Config) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked("sequencer", file!());
    m.doc("Fetches descriptors, checks them and issues their work in order.\nThe next descriptor is fetched while the work of the one before is under way.");
    let io = Io::new(&mut m, config);
    m.comment("What goes on");
    let state = m.states("state", &["idle", "fetch", "examine", "check", "size", "groups", "beats", "load", "issue", "fence", "stop"]);
    let fetch = Fetch::new(&mut m, config, &io, &state);
    let fields = Fields::new(&mut m, config, &fetch);
    let verdict = check(&mut m, config, &fields, &io, &state);
    let size = sizes(&mut m, config, &fields, &state);
    issue(&mut m, config, &io, &state, &fetch, &fields, &verdict, &size);
    m.build()
}

/// Ports that several parts use.
struct Io {
    start: Expr,
    clear: Expr,
    /// A program begins, or its traces are cleared.
    forget: Expr,
    program: Expr,
    job_ready: Expr,
    load_ready: Expr,
    matrix_ready: Expr,
    matrix_done: Expr,
    store_idle: Expr,
    memory_error: Expr,
    read_error: Expr,
    /// With power domains.
    power_error: Option<Expr>,
}

impl Io {
    fn new(m: &mut Builder, config: &Config) -> Io {
        m.comment("Control");
        let start = m.input("start", Ty::BIT);
        let clear = m.input("clear", Ty::BIT);
        let program = m.input("program", Ty::Unsigned(32));
        m.comment("Units");
        let job_ready = m.input("job_ready", Ty::BIT);
        let load_ready = m.input("load_ready", Ty::BIT);
        let matrix_ready = m.input("matrix_ready", Ty::BIT);
        let matrix_done = m.input("matrix_done", Ty::BIT);
        let store_idle = m.input("store_idle", Ty::BIT);
        let read_failed = m.input("read_error", Ty::BIT);
        let write_failed = m.input("write_error", Ty::BIT);
        let power_failed = (config.domains() > 0).then(|| m.input("power_error", Ty::BIT));
        m.comment("Memory errors since the start or the last clear");
        let forget = m.forward("forget", Ty::BIT);
        let read_error = m.reg("read_error", Ty::BIT, 0);
        let write_error = m.reg("write_error", Ty::BIT, 0);
        m.on(&read_error, &read_failed, 1);
        m.on(&read_error, &forget, 0);
        m.on(&write_error, &write_failed, 1);
        m.on(&write_error, &forget, 0);
        let memory_error = m.wire("memory_error", read_error.q() | write_error.q());
        let read_error = read_error.q();
        let power_error = power_failed.map(|failed| {
            m.comment("A domain that was needed has a fault");
            let power_error = m.reg("power_error", Ty::BIT, 0);
            m.on(&power_error, failed, 1);
            m.on(&power_error, &forget, 0);
            power_error.q()
        });
        Io {
            start,
            clear,
            forget,
            program,
            job_ready,
            load_ready,
            matrix_ready,
            matrix_done,
            store_idle,
            memory_error,
            read_error,
            power_error,
        }
    }
}

/// The descriptor on its way in.
struct Fetch {
    address: Reg,
    asking: Reg,
    waiting: Reg,
    full: Reg,
    data: Expr,
}

impl Fetch {
    fn new(m: &mut Builder, config: &Config, io: &Io, _state: &States) -> Fetch {
        let port = config.memory.port_bits;
        m.comment("The next descriptor: asked for, on its way, here");
        let address = m.reg_no_reset("fetch_addr", Ty::Unsigned(32));
        let asking = m.reg("fetch_asking", Ty::BIT, 0);
        let waiting = m.reg("fetch_waiting", Ty::BIT, 0);
        let full = m.reg("fetch_full", Ty::BIT, 0);
        let beat_valid = m.input("beat_valid", Ty::BIT);
        let beat = m.input("beat_data", Ty::Unsigned(port));
        let beats = DESCRIPTOR_BITS.div_ceil(port);
        let arrived = if beats > 1 {
            let count = m.reg("fetch_count", Ty::Unsigned(beats.ilog2()), 0);
            m.on(&count, &beat_valid, count.q().wrapping_add(1));
            m.wire("fetch_last", &beat_valid & count.q().all())
        } else {
            m.wire("fetch_last", beat_valid.clone())
        };
        m.on(&asking, asking.q() & &io.job_ready, 0);
        m.on(&waiting, asking.q() & &io.job_ready, 1);
        m.on(&waiting, &arrived, 0);
        m.on(&full, &arrived, 1);
        let buffer = m.reg_no_reset("fetch_buffer", Ty::Unsigned(DESCRIPTOR_BITS));
        let shifted = match port.cmp(&DESCRIPTOR_BITS) {
            std::cmp::Ordering::Less => Expr::concat([beat, buffer.q().slice(port, DESCRIPTOR_BITS - port)]),
            std::cmp::Ordering::Equal => beat,
            // Two descriptors to a beat: bit 5 of the address says which.
            std::cmp::Ordering::Greater => address.q().bit(5).choose(&beat.chunks(DESCRIPTOR_BITS)),
        };
        m.on(&buffer, &beat_valid, shifted);
        Fetch { address, asking, waiting, full, data: buffer.q() }
    }
}

/// The descriptor in hand.
struct Fields {
    address: Expr,
    take: Expr,
    opcode: Expr,
    format: Expr,
    reuse: Expr,
    columns: Expr,
    rows: Expr,
    blocks: Expr,
    weights: Expr,
    activations: Expr,
    results: Expr,
    reserved_matmul: Expr,
    reserved_marker: Expr,
    /// Only with a DVFS unit.
    reserved_layer: Option<Expr>,
}

impl Fields {
    fn new(m: &mut Builder, config: &Config, fetch: &Fetch) -> Fields {
        m.comment("The descriptor in hand");
        let take = m.forward("take", Ty::BIT);
        let mut field = |f: Field| m.register_when(f.name, &take, fetch.data.slice(f.bit(), f.width));
        let (opcode, format, reuse, columns) =
            (field(descriptor::OPCODE), field(descriptor::FORMAT), field(descriptor::REUSE_ACT), field(descriptor::COLUMNS));
        let (rows, blocks) = (field(descriptor::ROWS), field(descriptor::BLOCKS));
        let (weights, results) = (field(descriptor::WEIGHTS), field(descriptor::RESULTS));
        let activations = field(descriptor::ACTIVATIONS);
        let mut reserved = |name: &str, bits: Words| {
            let parts =
                bits.iter().enumerate().flat_map(|(w, mask)| (0..32).filter(move |b| mask >> b & 1 == 1).map(move |b| 32 * w as u32 + b));
            let runs = runs(parts.collect());
            let any = runs.into_iter().map(|(lsb, width)| fetch.data.slice(lsb, width).any()).reduce(|a, b| a | b);
            m.register_when(name, &take, any.unwrap_or_else(|| Expr::bit_const(false)))
        };
        let reserved_matmul = reserved("reserved_matmul", descriptor::MATMUL.reserved());
        let reserved_marker = reserved("reserved_marker", descriptor::FENCE.reserved());
        let entries = config.power.dvfs_entries;
        let reserved_layer = (entries > 0).then(|| reserved("reserved_layer", descriptor::layer_reserved(entries)));
        let address = m.register_when("descriptor_addr", &take, fetch.address.q());
        let tag = descriptor::TAG;
        m.unused("tag", "The tag is the host's own.", &[fetch.data.slice(tag.bit(), tag.width)]);
        Fields {
            address,
            take,
            opcode,
            format,
            reuse,
            columns,
            rows,
            blocks,
            weights,
            activations,
            results,
            reserved_matmul,
            reserved_marker,
            reserved_layer,
        }
    }
}

/// Bit positions as `(lsb, width)` of runs.
fn runs(bits: Vec<u32>) -> Vec<(u32, u32)> {
    let mut out: Vec<(u32, u32)> = Vec::new();
    for b in bits {
        match out.last_mut() {
            Some((lsb, width)) if *lsb + *width == b => *width += 1,
            _ => out.push((b, 1)),
        }
    }
    out
}

struct Verdict {
    cause: Expr,
    is_matmul: Expr,
    is_end: Expr,
    is_layer: Option<Expr>,
    loaded: Reg,
    loaded_columns: Reg,
    loaded_blocks: Reg,
}

/// The lowest cause that applies, 0 for none, as `crate::descriptor::Decoder` finds it.
fn check(m: &mut Builder, config: &Config, f: &Fields, io: &Io, state: &States) -> Verdict {
    m.comment("Checks, by cause");
    let is = |opcode: &descriptor::Opcode| f.opcode.eq(opcode.code);
    let is_matmul = m.wire("is_matmul", is(&descriptor::MATMUL));
    let is_end = m.wire("is_end", is(&descriptor::END));
    let is_layer = f.reserved_layer.as_ref().map(|_| m.wire("is_layer", is(&descriptor::LAYER)));
    let mut known = &is_matmul | is(&descriptor::FENCE) | &is_end;
    if let Some(is_layer) = &is_layer {
        known = known | is_layer;
    }
    let known = m.wire("is_known", known);
    let formats = config.formats.iter().map(|x| f.format.eq(u32::from(x.id()))).reduce(|a, b| a | b);
    let format_ok = m.wire("format_ok", formats.unwrap_or_else(|| Expr::bit_const(false)));
    let columns_ok = m.wire("columns_ok", f.columns.any() & f.columns.le(config.array.columns));
    let rows_ok = m.wire("rows_ok", f.rows.any() & f.rows.le(descriptor::ROWS_MAX));
    let mut blocks_ok = f.blocks.any() & f.blocks.le(config.activations.blocks);
    let step_bits = config.blocks_per_cycle().trailing_zeros();
    if step_bits > 0 {
        blocks_ok = blocks_ok & f.blocks.slice(0, step_bits).is_zero();
    }
    let blocks_ok = m.wire("blocks_ok", blocks_ok);
    let align_bits = descriptor::REGION_ALIGN.trailing_zeros();
    let low = |a: &Expr| a.slice(0, align_bits).any();
    let misaligned = m.wire("misaligned", low(&f.weights) | low(&f.activations) | low(&f.results));
    let mut reserved = f.reserved_marker.clone();
    if let (Some(is_layer), Some(reserved_layer)) = (&is_layer, &f.reserved_layer) {
        reserved = is_layer.mux(reserved_layer, &reserved);
    }
    let reserved = m.wire("reserved", is_matmul.mux(&f.reserved_matmul, &reserved));
    let loaded = m.reg("loaded", Ty::BIT, 0);
    let loaded_columns = m.reg_no_reset("loaded_columns", Ty::Unsigned(COLUMNS_BITS));
    let loaded_blocks = m.reg_no_reset("loaded_blocks", Ty::Unsigned(act_buffer::blocks_bits(config)));
    let same = loaded.q()
        & loaded_columns.q().eq(f.columns.resize(COLUMNS_BITS))
        & loaded_blocks.q().eq(f.blocks.resize(act_buffer::blocks_bits(config)));
    let reuse_bad = m.wire("reuse_bad", &f.reuse & !same);
    let checks = [
        (io.read_error.clone(), Cause::ReadError),
        (!known, Cause::BadOpcode),
        (&is_matmul & !format_ok, Cause::FormatAbsent),
        (&is_matmul & !columns_ok, Cause::BadColumns),
        (&is_matmul & !rows_ok, Cause::BadRows),
        (&is_matmul & !blocks_ok, Cause::BadBlocks),
        (&is_matmul & misaligned, Cause::Misaligned),
        (reserved, Cause::ReservedNotZero),
        (io.memory_error.clone(), Cause::WriteError),
        (&is_matmul & reuse_bad, Cause::ReuseWithoutActivations),
    ];
    let checks = checks.into_iter().chain(io.power_error.iter().map(|bad| (bad.clone(), Cause::PowerFault)));
    let checks: Vec<(Expr, Cause)> = checks.collect();
    let code = |c: Cause| Expr::constant(Ty::Unsigned(CAUSE_BITS), c.code().into());
    let cause = checks.into_iter().rev().fold(code(Cause::None), |other, (bad, c)| bad.mux(code(c), &other));
    let cause = m.register_when("check_cause", state.is("examine"), cause);
    Verdict { cause, is_matmul, is_end, is_layer, loaded, loaded_columns, loaded_blocks }
}

struct Sizes {
    /// Beats of the weights.
    weights: Expr,
    /// Beats of one activation vector.
    vector: Expr,
    done: Expr,
}

/// Beats of the weights: rows x blocks, a bit of `blocks` per cycle, to groups, to beats.
fn sizes(m: &mut Builder, config: &Config, f: &Fields, state: &States) -> Sizes {
    m.comment("Beats of the weights: rows x blocks by shift and add, to groups, to beats");
    let ty = Ty::Unsigned(PRODUCT_BITS);
    let product = m.reg_no_reset("product", ty);
    let addend = m.reg_no_reset("addend", ty);
    let bits = m.reg_no_reset("multiplier", Ty::Unsigned(act_buffer::blocks_bits(config)));
    let groups = m.reg_no_reset("groups", ty);
    let beats = m.reg_no_reset("beats", Ty::Unsigned(BEATS_BITS));
    let checking = state.is("check");
    m.on(&product, &checking, 0);
    m.on(&product, state.is("size") & bits.q().bit(0), product.q().wrapping_add(addend.q()));
    m.on(&addend, &checking, f.rows.slice(0, ROWS_BITS).extend(PRODUCT_BITS));
    m.on(&addend, state.is("size"), addend.q().shift_left(1).truncate(PRODUCT_BITS));
    m.on(&bits, &checking, f.blocks.resize(bits.q().width()));
    m.on(&bits, state.is("size"), bits.q().shift_right(1).extend(bits.q().width()));
    let group = config.group_blocks();
    let rounded = m.wire("rounded", product.q().wrapping_add(u64::from(group - 1)));
    m.on(&groups, state.is("groups"), rounded.shift_right(group.ilog2()).extend(PRODUCT_BITS));
    if group > 1 {
        m.unused("rounded", "Blocks within a group do not count.", &[rounded.slice(0, group.ilog2())]);
    }
    let times = |n: u32| groups.q().shift_left(n).extend(BEATS_BITS);
    let beats_of = |n: u32| if n.is_power_of_two() { times(n.ilog2()) } else { times(1).wrapping_add(times(0)) };
    // One choice for each number of beats, however many formats share it.
    let pick = |count: fn(Format) -> u32| {
        let mut counts: Vec<u32> = config.formats.iter().map(|&x| count(x)).collect();
        counts.sort_unstable();
        counts.dedup();
        let (least, more) = counts.split_first().expect("a valid configuration has a format");
        more.iter().fold(beats_of(*least), |other, &n| {
            let formats = config.formats.iter().filter(|&&x| count(x) == n);
            let any = formats.map(|x| f.format.eq(u32::from(x.id()))).reduce(|a, b| a | b);
            any.map_or(other.clone(), |any| any.mux(beats_of(n), &other))
        })
    };
    let integers = m.wire("integer_beats", pick(|x| if x == Format::Q8_0 { 16 } else { 8 }));
    let header = m.wire("header_beats", pick(header_beats));
    m.on(&beats, state.is("beats"), integers.wrapping_add(header));

    m.comment("Beats of one activation vector: scales, then integers");
    let port_bytes = config.port_bytes();
    let blocks = f.blocks.resize(act_buffer::blocks_bits(config));
    let mut of = |name: &str, bytes: u32| {
        let rounded = m.wire(name, blocks.shift_left(bytes.trailing_zeros()) + (port_bytes - 1));
        m.unused(name, "Bytes within a beat do not count.", &[rounded.slice(0, port_bytes.ilog2())]);
        rounded.shift_right(port_bytes.ilog2())
    };
    let (scales, integers) = (of("scale_bytes", 4), of("integer_bytes", 32));
    let vector = m.register("vector_beats", (scales + integers).resize(BEATS_BITS));
    Sizes { weights: beats.q(), vector, done: bits.q().is_zero() }
}

/// Beats of a group ahead of its integers: scales, minima, high bits.
fn header_beats(format: Format) -> u32 {
    match format {
        Format::Q8_0 | Format::Q4_0 => 1,
        Format::Q4_1 => 2,
        Format::Q5_0 => 3,
    }
}

/// The program's progress.
#[allow(clippy::too_many_arguments)]
fn issue(m: &mut Builder, config: &Config, io: &Io, state: &States, fetch: &Fetch, f: &Fields, v: &Verdict, size: &Sizes) {
    m.comment("Issue: activations column by column, then the weights");
    let in_flight = m.reg("in_flight", Ty::Unsigned(2), 0);
    let bank = m.reg("bank", Ty::BIT, 0);
    let tag = m.reg("tag", Ty::BIT, 0);
    let column = m.reg("column", Ty::Unsigned(COLUMNS_BITS), 0);
    let vector_addr = m.reg_no_reset("vector_addr", Ty::Unsigned(32));
    let columns = f.columns.resize(COLUMNS_BITS);
    let first_column = m.wire("first_column", column.q().is_zero());
    let slot = m.wire("slot", in_flight.q().lt(IN_FLIGHT));
    let loading = m.wire("loading", state.is("load") & !&f.reuse & !fetch.asking.q() & &slot);
    let load_go = m.wire("load_go", &loading & &io.job_ready & (!&first_column | &io.load_ready));
    let last_column = m.wire("last_column", column.q().eq(columns.wrapping_sub(1)));
    let issuing = m.wire("issuing", state.is("issue") & !fetch.asking.q() & &slot);
    let matrix_go = m.wire("matrix_go", &issuing & &io.job_ready & &io.matrix_ready);
    let bad = m.wire("bad", v.cause.any());
    let failed = match &io.power_error {
        None => io.memory_error.clone(),
        Some(power) => m.wire("failed", &io.memory_error | power),
    };
    let running = m.wire("running", !state.is("idle"));
    let error = m.reg("error", Ty::BIT, 0);
    let begin = m.wire("begin_program", &io.start & !&running & !error.q());
    let cleared = m.wire("clear_accepted", &io.clear & !&running);
    m.drive(&io.forget, &cleared | &begin);
    let drained = m.wire("drained", in_flight.q().is_zero() & &io.store_idle);
    let fetch_idle = m.wire("fetch_idle", !fetch.asking.q() & !fetch.waiting.q());
    let fence_out = m.wire("fence_out", state.is("fence") & &drained);
    let stopped = m.wire("stopped", state.is("stop") & &drained & &fetch_idle);
    let take = m.wire("take_descriptor", state.is("fetch") & fetch.full.q());
    m.drive(&f.take, &take);

    m.comment("States");
    let checked = state.is("check");
    m.go(state, begin.clone(), "fetch");
    m.go(state, take.clone(), "examine");
    m.go(state, state.is("examine"), "check");
    m.go(state, &checked & &bad, "stop");
    m.go(state, &checked & &v.is_matmul, "size");
    let layer = v.is_layer.as_ref().map(|is_layer| m.wire("layer", &checked & !&bad & is_layer));
    if let Some(layer) = &layer {
        m.go(state, layer.clone(), "fetch");
    }
    m.go(state, checked.clone(), "fence");
    m.go(state, state.is("size") & &size.done, "groups");
    m.go(state, state.is("groups"), "beats");
    m.go(state, state.is("beats"), "load");
    m.go(state, state.is("load") & (&f.reuse | (&load_go & &last_column)), "issue");
    m.go(state, matrix_go.clone(), "fetch");
    m.go(state, &fence_out & &failed, "stop");
    m.go(state, &fence_out & &v.is_end, "idle");
    m.go(state, fence_out.clone(), "fetch");
    m.go(state, stopped.clone(), "idle");

    m.comment("The descriptor after this one is asked for as soon as this one is known to be good and not the last");
    let ahead = m.wire("ahead", &checked & !&bad & !&v.is_end);
    m.on(&fetch.address, &begin, &io.program);
    m.on(&fetch.address, &ahead, f.address.wrapping_add(u64::from(descriptor::BYTES)));
    m.on(&fetch.asking, &begin | &ahead, 1);
    m.on(&fetch.full, &take | &stopped, 0);

    m.on(&column, &load_go & &last_column, 0);
    m.on(&column, &load_go, column.q().wrapping_add(1));
    let vector_bytes = size.vector.slice(0, 32).shift_left(config.port_bytes().ilog2()).truncate(32);
    m.on(&vector_addr, &checked, &f.activations);
    m.on(&vector_addr, &load_go, vector_addr.q().wrapping_add(vector_bytes));
    m.on(&bank, &load_go & &last_column, !bank.q());
    m.on(&tag, &matrix_go, !tag.q());
    m.on(&in_flight, &matrix_go & !&io.matrix_done, in_flight.q().wrapping_add(1));
    m.on(&in_flight, !&matrix_go & &io.matrix_done, in_flight.q().wrapping_sub(1));
    m.on(&v.loaded, &begin, 0);
    m.on(&v.loaded, &load_go & &last_column, 1);
    m.on(&v.loaded_columns, &load_go, &columns);
    m.on(&v.loaded_blocks, &load_go, f.blocks.resize(act_buffer::blocks_bits(config)));

    m.comment("Reads");
    let job_is_load = m.wire("job_is_load", loading.clone());
    m.output("job_valid", fetch.asking.q() | (&loading & (!&first_column | &io.load_ready)) | (&issuing & &io.matrix_ready));
    let mut align = fetch.address.q();
    if config.port_bytes() > descriptor::BYTES {
        align = Expr::concat([align.slice(6, 26), Expr::constant(Ty::Unsigned(6), 0)]);
    }
    let choose = |fetching: Expr, load: Expr, weights: &Expr| fetch.asking.q().mux(fetching, &job_is_load.mux(load, weights));
    let beats_of_descriptor = Expr::constant(Ty::Unsigned(BEATS_BITS), DESCRIPTOR_BITS.div_ceil(config.memory.port_bits).into());
    let dest = |d: u64| Expr::constant(Ty::Unsigned(DEST_BITS), d.into());
    m.output("job_addr", choose(align, vector_addr.q(), &f.weights));
    m.output("job_beats", choose(beats_of_descriptor, size.vector.clone(), &size.weights));
    m.output("job_dest", choose(dest(DEST_DESCRIPTOR), dest(DEST_ACTIVATIONS), &dest(DEST_WEIGHTS)));

    m.comment("Activations to load; the bank of the matrix is the one loaded last");
    m.output("load_valid", &loading & &first_column & &io.job_ready);
    let last_block = m.wire("last_block", f.blocks.wrapping_sub(1).truncate(act_buffer::last_block_bits(config)));
    m.output("load_last_block", last_block.clone());
    m.output("load_columns", columns.clone());
    m.output("load_bank", bank.q());
    m.comment("The matrix");
    m.output("matrix_valid", &issuing & &io.job_ready);
    m.output("matrix_format", f.format.resize(FORMAT_BITS));
    m.output("matrix_rows", f.rows.slice(0, ROWS_BITS));
    let step_bits = config.blocks_per_cycle().trailing_zeros();
    m.output("matrix_last_step", last_block.slice(step_bits, last_block.width() - step_bits));
    m.output("matrix_columns", columns);
    m.output("matrix_bank", !bank.q());
    m.output("matrix_tag", tag.q());
    m.output("matrix_results", f.results.clone());
    if let Some(layer) = &layer {
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
        let states = ["size", "groups", "beats", "load", "issue"].map(|name| state.is(name));
        m.output("preparing", states.into_iter().reduce(|a, b| a | b).unwrap_or_else(|| Expr::bit_const(false)));
    }

    m.comment("Status");
    let done = m.reg("done", Ty::BIT, 0);
    let cause = m.reg("cause", Ty::Unsigned(CAUSE_BITS), 0);
    let error_addr = m.reg("error_addr", Ty::Unsigned(32), 0);
    let finished = m.wire("finished", &fence_out & &v.is_end & !&failed);
    m.on(&done, &finished, 1);
    m.on(&done, &io.forget, 0);
    m.on(&error, &stopped, 1);
    m.on(&error, &io.forget, 0);
    let code = |c: Cause| Expr::constant(Ty::Unsigned(CAUSE_BITS), c.code().into());
    let late = match &io.power_error {
        None => code(Cause::WriteError),
        Some(_) => io.memory_error.mux(code(Cause::WriteError), &code(Cause::PowerFault)),
    };
    let late_cause = io.read_error.mux(code(Cause::ReadError), &late);
    m.on(&cause, &checked & &bad, &v.cause);
    m.on(&cause, &fence_out & &failed, late_cause);
    m.on(&cause, &io.forget, 0);
    let failing = m.wire("failing", (&checked & &bad) | (&fence_out & &failed));
    m.on(&error_addr, failing, &f.address);
    m.on(&error_addr, &io.forget, 0);
    m.comment("Status, and what happens in this cycle");
    m.output("busy", running);
    m.output("begin", begin);
    m.output("cleared", cleared);
    m.output("done", done.q());
    m.output("error", error.q());
    m.output("cause", cause.q());
    m.output("error_addr", error_addr.q());
    m.output("finished", finished);
    m.output("stopped", stopped);
    let mut completed = &matrix_go | (&fence_out & !&failed);
    if let Some(layer) = layer {
        completed = completed | layer;
    }
    m.output("descriptor", completed);
}

/// The same, in plain Rust: [`crate::descriptor::Decoder`] decides, `crate::device` executes.
pub mod golden {
    pub use crate::descriptor::Decoder;
}
