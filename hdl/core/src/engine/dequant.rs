// SPDX-License-Identifier: MIT OR Apache-2.0
//! From beats of the weight image to lanes: integers, scales, minima, and where in the matrix they stand.
//!
//! Ports      `start_*`: the matrix that comes next; `beat_*`: its beats, none before its start; `room_i`: another row may be started;
//!            the chunk: `valid_o`, `w_o` (L x int8), `d_o`, `dmin_o` (fp16 per block of the cycle), frame bits,
//!            activation address
//! Latency    4 cycles from a beat to its first chunk      Throughput  one beat or one chunk per cycle, whichever is
//!            slower; no bubble between blocks and rows, two cycles between matrices (in the accelerator three: the
//!            sequencer takes from a register that the unit is free)
//! Rounding   none      Reset  drops the matrix
//!
//! The image (docs/architecture.md) is a sequence of groups of whole beats: scales, then minima or high bits
//! where the format has them, then integers. A format that is not built in costs no gate.

use super::{act_buffer, column::BLOCK};
use crate::config::{Config, Format};
use heddle_lang::{BuildError, Builder, Expr, Module, Reg, Ty, builder::address_bits};
use std::sync::Arc;

/// Bits of a format's id.
pub const FORMAT_BITS: u32 = 2;
/// Bits that count rows.
pub const ROWS_BITS: u32 = 24;
/// Bits of a beat's position in its group of up to 17.
const POSITION_BITS: u32 = 5;

/// The unit.
pub fn dequant(config: &Config) -> Result<Arc<Module>, BuildError> {
    Dequant::new(config).build()
}

struct Dequant<'a> {
    config: &'a Config,
    m: Builder,
    /// Width of the word that beats are collected in: a beat, or the chunk of the widest integers.
    hold_bits: u32,
}

/// The word that chunks are taken from: how many it has, whether it has any, and just one.
struct Word {
    chunks: Reg,
    waiting: Reg,
    single: Reg,
}

/// What happens to the data, a cycle after it was decided: the beat, whether it has integers, a chunk leaves, a block
/// leaves with it.
struct Data {
    beat: Expr,
    integers: Expr,
    emit: Expr,
    block_out: Expr,
}

/// What the next beat of a group is.
struct Group {
    last: Expr,
    scales: Expr,
    minima: Option<Expr>,
    high: Option<Expr>,
    integers: Expr,
}

/// What the format of the matrix in hand says; constant where only one answer is built in.
struct Kind {
    is8: Expr,
    minima: Expr,
    high: Expr,
    format: Expr,
}

impl<'a> Dequant<'a> {
    fn new(config: &'a Config) -> Self {
        let mut m = Builder::clocked("dequant", file!());
        let names: Vec<&str> = config.formats.iter().map(|f| f.ggml_name()).collect();
        m.doc(&format!(
            "Weight image to lanes: {} bits a beat, {} lanes, {}.",
            config.memory.port_bits,
            config.array.lanes,
            names.join(", ")
        ));
        let widest = if config.formats.contains(&Format::Q8_0) { 8 } else { 4 };
        Dequant { config, m, hold_bits: config.memory.port_bits.max(widest * config.array.lanes) }
    }

    fn has(&self, format: Format) -> bool {
        self.config.formats.contains(&format)
    }

    /// Beats that make one word, and chunks that a word makes, for integers of `bits` bits.
    fn ratio(&self, bits: u32) -> (u32, u32) {
        let (chunk, port) = (bits * self.config.array.lanes, self.config.memory.port_bits);
        ((chunk / port).max(1), (port / chunk).max(1))
    }

    /// `eight` for Q8_0, `four` for the others.
    fn by_width(&self, kind: &Kind, eight: u32, four: u32, bits: u32) -> Expr {
        let constant = |v: u32| Expr::constant(Ty::Unsigned(bits), v.into());
        match (self.has(Format::Q8_0), self.config.formats.len() > 1) {
            (true, true) if eight != four => kind.is8.mux(constant(eight), &constant(four)),
            (true, _) => constant(eight),
            (false, _) => constant(four),
        }
    }

    fn build(mut self) -> Result<Arc<Module>, BuildError> {
        let config = self.config;
        let (lanes, port) = (config.array.lanes, config.memory.port_bits);
        let per_cycle = config.blocks_per_cycle();
        let parts = config.cycles_per_block();
        let steps_bits = act_buffer::scale_address_bits(config);

        self.m.comment("The matrix: format, rows, last step of a row (a step is a block, or the blocks taken together), bank, tag");
        let start_valid = self.m.input("start_valid", Ty::BIT);
        let start_ready = self.m.output_port("start_ready", Ty::BIT);
        let start_format = self.m.input("start_format", Ty::Unsigned(FORMAT_BITS));
        let start_rows = self.m.input("start_rows", Ty::Unsigned(ROWS_BITS));
        let start_last_step = self.m.input("start_last_step", Ty::Unsigned(steps_bits - 1));
        let start_bank = self.m.input("start_bank", Ty::BIT);
        let start_tag = self.m.input("start_tag", Ty::BIT);
        self.m.comment("Beats of the weights; room for the results of another row");
        let beat_valid = self.m.input("beat_valid", Ty::BIT);
        let beat_ready = self.m.output_port("beat_ready", Ty::BIT);
        let beat = self.m.input("beat_data", Ty::Unsigned(port));
        let room = self.m.input("room", Ty::BIT);
        let powered = (config.domains() > 0).then(|| {
            self.m.comment("The columns in use have power");
            self.m.input("powered", Ty::BIT)
        });

        let m = &mut self.m;
        let active = m.reg("active", Ty::BIT, 0);
        let drain = m.reg("drain", Ty::BIT, 0);
        m.drive(&start_ready, !active.q());
        let start = m.wire("start", &start_valid & !active.q());
        let format = if self.config.formats.len() > 1 {
            m.register_when("format", &start, &start_format)
        } else {
            m.unused("format", "Only one format is built in.", std::slice::from_ref(&start_format));
            start_format.clone()
        };
        let bank = m.register_when("matrix_bank", &start, &start_bank);
        let tag = m.register_when("matrix_tag", &start, &start_tag);
        let last_step = m.register_when("last_step", &start, &start_last_step);
        let kind = self.kind(&format);

        self.m.comment("Chunks waiting in the word, and where the next one stands in its matrix");
        let chunks_bits = address_bits(self.ratio(4).1.max(self.ratio(8).1) + 1).max(2);
        let m = &mut self.m;
        let chunks = m.reg("chunks", Ty::Unsigned(chunks_bits), 0);
        let rows = m.reg_no_reset("rows", Ty::Unsigned(ROWS_BITS));
        let step = m.reg("step", Ty::Unsigned(steps_bits - 1), 0);
        let part_bits = parts.trailing_zeros();
        let part = (parts > 1).then(|| m.reg("part", Ty::Unsigned(part_bits), 0));
        m.comment("The same as flags, so that whether a beat is taken is known early in a cycle");
        let waiting_flag = m.reg("waiting", Ty::BIT, 0);
        let single = m.reg("single", Ty::BIT, 0);
        let last_part = (parts > 1).then(|| m.reg("last_part", Ty::BIT, 0));
        let last_of_row = m.reg_no_reset("last_of_row", Ty::BIT);
        let last_row = m.reg_no_reset("last_row", Ty::BIT);
        let block_first = part.as_ref().map_or(Expr::bit_const(true), |p| m.wire("block_first", p.q().is_zero()));
        let block_last = last_part.as_ref().map_or(Expr::bit_const(true), |last| last.q());
        let row_last = m.wire("is_row_last", if parts > 1 { last_of_row.q() & &block_last } else { last_of_row.q() });
        let matrix_last = m.wire("is_matrix_last", &row_last & last_row.q());
        // What is left in the word behind the last chunk goes a cycle later, and counts for nothing until then.
        let ended = m.reg("ended", Ty::BIT, 0);
        let waiting = m.wire("has_chunk", waiting_flag.q() & !ended.q());
        let offered = m.wire("offered", &waiting & (&room | !&row_last));
        let emit = m.wire("emit", powered.iter().fold(offered.clone(), |offered, powered| offered & powered));
        let finish = m.wire("finish", &emit & &matrix_last);
        m.next(&ended, &finish);
        let row_out = m.wire("row_out", &emit & &row_last);
        m.on(&rows, &start, &start_rows);
        m.on(&rows, &row_out, rows.q().wrapping_sub(1));
        m.on(&last_row, &start, start_rows.eq(1));
        m.on(&last_row, &row_out, rows.q().eq(2));
        m.on(&step, &row_out, 0);
        let block_out = if parts > 1 { m.wire("block_out", &emit & &block_last) } else { emit.clone() };
        let next_step = m.wire("next_step", step.q().wrapping_add(1));
        m.on(&step, &block_out, &next_step);
        m.on(&last_of_row, &start, start_last_step.is_zero());
        m.on(&last_of_row, &row_out, last_step.is_zero());
        m.on(&last_of_row, &block_out, next_step.eq(&last_step));
        if let (Some(part), Some(last)) = (&part, &last_part) {
            m.on(part, &emit, part.q().wrapping_add(1));
            m.on(last, &emit, part.q().eq(parts - 2));
        }

        m.comment("Beats are taken when the word is empty or on its way out; the rest of the last group is dropped");
        let word_free = m.wire("word_free", !&waiting | (&emit & single.q()));
        let ready = m.wire("ready", drain.q() | (active.q() & &word_free));
        m.drive(&beat_ready, &ready);
        let take = m.wire("take", &beat_valid & &ready);
        let group = self.group(&kind, &take);
        let m = &mut self.m;
        let group_out = m.wire("group_out", &take & &group.last);
        // A beat that is taken with the last chunk is of the rest already.
        let over = m.wire("group_over", &group.scales | &group_out);
        let drained = m.wire("drained", drain.q() & &group_out);
        m.on(&drain, &finish & !&over, 1);
        m.on(&drain, &drained, 0);
        m.on(&active, &start, 1);
        m.on(&active, (&finish & &over) | &drained, 0);
        let ahead = &finish & &group.scales & &beat_valid;
        let rst = m.reset();
        m.assert("beats_come_after_their_start", rst | !ahead);

        m.comment("Fields of a group: scales, then minima or high bits, then integers");
        let load = m.wire("load", &beat_valid & active.q() & !drain.q() & &word_free);
        let (is_scales, is_minima, is_high, is_integers) = (group.scales, group.minima, group.high, group.integers);
        let load_integers = m.wire("takes_integers", &load & is_integers);
        // Wide registers follow a cycle behind, so that what decides stays small and close together.
        let data = Data {
            beat: m.register("beat", &beat),
            integers: m.register_reset("load_integers", &load_integers),
            emit: m.register_reset("emitted", &emit),
            block_out: if parts > 1 { m.register_reset("block_left", &block_out) } else { Expr::bit_const(false) },
        };
        let next = if parts > 1 { &data.block_out } else { &data.emit };
        let load_scales = self.m.register_reset("load_scales", &load & is_scales);
        let scales = self.shifter("scales", load_scales, &data.beat, next, 16 * per_cycle, port);
        let minima = is_minima.map(|at| {
            let load = self.m.register_reset("load_minima", &load & at);
            self.shifter("minima", load, &data.beat, next, 16 * per_cycle, port)
        });
        let high = is_high.map(|at| {
            let m = &mut self.m;
            let high = m.reg_no_reset("high", Ty::Unsigned(2 * port));
            let load = m.register_reset("load_high", &load & at);
            m.on(&high, load, Expr::concat([data.beat.clone(), high.q().slice(port, port)]));
            // Where a chunk takes all of it, nothing is left for the next.
            if lanes < 2 * port {
                m.on(&high, &data.emit, high.q().shift_right(lanes).extend(2 * port));
            }
            high.q().slice(0, lanes)
        });
        let word = Word { chunks, waiting: waiting_flag, single };
        self.fill(&kind, &load_integers, &emit, &ended.q(), &word);
        let (eight, four) = self.word(&kind, &data);
        self.m.comment("Integers of the lanes, by format");
        let w = self.decode(&kind, eight, four, high)?;

        let valid = self.m.register_reset("valid", &data.emit);
        self.m.comment("The chunk, and where it stands in block, row and matrix");
        self.m.output("valid", valid);
        let m = &mut self.m;
        let mut out = |name: &str, value: Expr| {
            let q = m.register(name, value);
            m.output(name, q);
        };
        out("w", w);
        out("d", scales.slice(0, 16 * per_cycle));
        if let Some(minima) = minima {
            // The register keeps the minima of the group before under a format that has none.
            let none = Expr::constant(Ty::Unsigned(16 * per_cycle), 0);
            out("dmin", kind.minima.mux(minima.slice(0, 16 * per_cycle), &none));
        }
        let address = Expr::concat([bank, step.q()].into_iter().chain(part.iter().map(|p| p.q())));
        let place = [
            ("block_last", block_last),
            ("row_first", step.q().is_zero()),
            ("row_last", row_last),
            ("matrix_last", matrix_last),
            ("tag", tag),
            ("x_addr", address),
        ];
        for (name, value) in place.into_iter().chain((parts > 1).then_some(("block_first", block_first))) {
            let q = m.delay(name, &value, 2);
            m.output(name, q);
        }

        m.comment("Events");
        m.output("row_issue", row_out);
        m.output("busy", emit.clone());
        m.output("block", block_out);
        m.output("starved", active.q() & !&waiting & !drain.q());
        m.output("blocked", &waiting & !&offered);
        if powered.is_some() {
            m.output("offered", offered);
        }
        m.output("taken", &take & !drain.q());
        self.m.build()
    }

    fn kind(&mut self, format: &Expr) -> Kind {
        let mut is = |f: Format, name: &str| match (self.config.formats.contains(&f), self.config.formats.len()) {
            (false, _) => Expr::bit_const(false),
            (true, 1) => Expr::bit_const(true),
            (true, _) => self.m.wire(name, format.eq(u32::from(f.id()))),
        };
        Kind {
            is8: is(Format::Q8_0, "is_q8_0"),
            minima: is(Format::Q4_1, "is_q4_1"),
            high: is(Format::Q5_0, "is_q5_0"),
            format: format.clone(),
        }
    }

    /// Which beat of its group the next one is, as flags.
    fn group(&mut self, kind: &Kind, take: &Expr) -> Group {
        let has = |format: Format| self.config.formats.contains(&format);
        let (has_minima, has_high) = (has(Format::Q4_1), has(Format::Q5_0));
        let last_position = self.last_position(kind);
        let m = &mut self.m;
        let position = m.reg("position", Ty::Unsigned(POSITION_BITS), 0);
        let last = m.reg("group_last", Ty::BIT, 0);
        let scales = m.reg("is_scales", Ty::BIT, 1);
        let next = m.wire("next_position", position.q().wrapping_add(1));
        m.on(&position, take & last.q(), 0);
        m.on(&position, take, &next);
        m.on(&last, take, next.eq(&last_position));
        m.on(&scales, take, last.q());
        let minima = has_minima.then(|| (m.reg("is_minima", Ty::BIT, 0), m.wire("minima_next", &kind.minima & scales.q())));
        let high = has_high.then(|| (m.reg("is_high", Ty::BIT, 0), m.wire("high_next", &kind.high & (scales.q() | position.q().eq(1)))));
        let header = [&minima, &high].into_iter().flatten().fold(last.q(), |any, (_, next)| any | next);
        let integers = m.reg("is_integers", Ty::BIT, 0);
        m.on(&integers, take, !header);
        let mut flag = |flag: Option<(Reg, Expr)>| {
            flag.map(|(reg, next)| {
                m.on(&reg, take, next);
                reg.q()
            })
        };
        let (minima, high) = (flag(minima), flag(high));
        Group { last: last.q(), scales: scales.q(), minima, high, integers: integers.q() }
    }

    /// Position of the last beat of a group.
    fn last_position(&self, kind: &Kind) -> Expr {
        let constant = |f: Format| Expr::constant(Ty::Unsigned(POSITION_BITS), f.group_beats() as i128 - 1);
        let flag = |f: Format| match f {
            Format::Q8_0 => &kind.is8,
            Format::Q4_1 => &kind.minima,
            _ => &kind.high,
        };
        // Q4_0, when built in, is what remains when no flag is set.
        let mut formats = self.config.formats.clone();
        formats.sort_by_key(|f| *f != Format::Q4_0);
        let (first, rest) = formats.split_first().expect("a valid configuration has a format");
        rest.iter().fold(constant(*first), |other, f| flag(*f).mux(constant(*f), &other))
    }

    /// A field of the group: filled by `load`, moved down by `bits` with each block that leaves.
    fn shifter(&mut self, name: &str, load: Expr, beat: &Expr, next: &Expr, bits: u32, port: u32) -> Expr {
        let r = self.m.reg_no_reset(name, Ty::Unsigned(port));
        self.m.on(&r, load, beat);
        if bits < port {
            self.m.on(&r, next, r.q().shift_right(bits).extend(port));
        }
        r.q()
    }

    /// Counts the beats that make a word, and the chunks that it has.
    fn fill(&mut self, kind: &Kind, load: &Expr, emit: &Expr, ended: &Expr, word: &Word) {
        let ((n8, m8), (n4, m4)) = (self.ratio(8), self.ratio(4));
        let beats = n8.max(n4);
        // Every number of beats is a power of two: the bits that a format does not count by are ignored.
        let ignored = self.by_width(kind, beats - n8, beats - n4, address_bits(beats));
        let refill = self.by_width(kind, m8, m4, word.chunks.q().width());
        let m = &mut self.m;
        let full = if beats > 1 {
            let fill = m.reg("fill", Ty::Unsigned(address_bits(beats)), 0);
            m.on(&fill, ended, 0);
            m.on(&fill, load, fill.q().wrapping_add(1));
            m.wire("full", load & (fill.q() | ignored).all())
        } else {
            load.clone()
        };
        // A word may hold some of the fill behind the matrix.
        [&word.chunks, &word.waiting, &word.single].into_iter().for_each(|r| m.on(r, ended, 0));
        m.on(&word.waiting, &full, 1);
        m.on(&word.waiting, emit, !word.single.q());
        m.on(&word.single, &full, refill.eq(1));
        m.on(&word.single, emit, word.chunks.q().eq(2));
        m.on(&word.chunks, &full, refill);
        m.on(&word.chunks, emit, word.chunks.q().wrapping_sub(1));
    }

    /// Collects beats into words and hands out chunks: the 8-bit and the 4-bit view of the chunk at hand.
    fn word(&mut self, kind: &Kind, data: &Data) -> (Expr, Expr) {
        let (port, lanes, hold_bits) = (self.config.memory.port_bits, self.config.array.lanes, self.hold_bits);
        let ((_, m8), (_, m4)) = (self.ratio(8), self.ratio(4));
        let m = &mut self.m;
        m.comment("The word: beats come in at the top, chunks leave at the bottom of what was filled");
        let hold = m.reg_no_reset("hold", Ty::Unsigned(hold_bits));
        let shifted = match hold_bits - port {
            0 => data.beat.clone(),
            rest => Expr::concat([data.beat.clone(), hold.q().slice(port, rest)]),
        };
        m.on(&hold, &data.integers, shifted);
        let by = |bits: u32| hold.q().shift_right(bits * lanes).extend(hold_bits);
        match (m8 > 1 && self.config.formats.contains(&Format::Q8_0), m4 > 1) {
            (true, true) => m.on(&hold, &data.emit, kind.is8.mux(by(8), &by(4))),
            (true, false) => m.on(&hold, &data.emit, by(8)),
            (false, true) if hold_bits > 4 * lanes => m.on(&hold, &data.emit, by(4)),
            _ => {}
        }
        let low4 = hold_bits - port.max(4 * lanes);
        let eight = if hold_bits >= 8 * lanes { hold.q().slice(hold_bits - port.max(8 * lanes), 8 * lanes) } else { hold.q() };
        (eight, hold.q().slice(low4, 4 * lanes))
    }

    /// The lanes' int8, chosen by format from one decoder module each.
    fn decode(&mut self, kind: &Kind, eight: Expr, four: Expr, high: Option<Expr>) -> Result<Expr, BuildError> {
        let lanes = self.config.array.lanes;
        let mut options: Vec<(Format, Expr)> = Vec::new();
        for &format in &self.config.formats {
            let unit = super::lanes::lanes(format, lanes)?;
            let raw = if format == Format::Q8_0 { &eight } else { &four };
            let mut inputs = vec![("raw", raw.clone())];
            if let (Format::Q5_0, Some(high)) = (format, &high) {
                inputs.push(("high", high.clone()));
            }
            let name = format.ggml_name().to_lowercase();
            options.push((format, self.m.instance(&name, &unit, &inputs).get("w")));
        }
        let (last, rest) = options.split_last().expect("a valid configuration has a format");
        Ok(rest.iter().fold(last.1.clone(), |other, (f, w)| kind.format.eq(u32::from(f.id())).mux(w, &other)))
    }
}

/// Blocks in the image of a matrix are [`crate::format::block`]; this is the order in which they leave.
pub mod golden {
    use super::BLOCK;

    /// `(row, step, part)` of each chunk of a matrix, in order.
    pub fn chunks(rows: u32, steps: u32, lanes: u32) -> impl Iterator<Item = (u32, u32, u32)> {
        let parts = (BLOCK / lanes).max(1);
        (0..rows).flat_map(move |r| (0..steps).flat_map(move |s| (0..parts).map(move |p| (r, s, p))))
    }
}
