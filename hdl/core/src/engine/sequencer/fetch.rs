// SPDX-License-Identifier: MIT OR Apache-2.0
//! The descriptor on its way in, and the fields of the one in hand.
//!
//! The beats of the next descriptor wait in a small memory while the one before is at work; then they are read, one per
//! cycle, and each field takes its bits from the beat that has them. Bits that only have to be checked for being set
//! leave a flag and no register of their own.

use super::{DESCRIPTOR_BITS, issue::Jobs};
use crate::{
    config::Config,
    descriptor::{self, Field, REGION_ALIGN, Words},
    engine::{act_buffer, dequant::ROWS_BITS},
};
use heddle_lang::{
    Builder, Expr, Reg, Ty,
    builder::{States, address_bits},
};

/// The descriptor on its way in.
pub struct Fetch {
    pub address: Reg,
    pub asking: Reg,
    pub waiting: Reg,
    pub full: Reg,
    /// The last beat is being read: with the next cycle all fields are there.
    pub read: Expr,
    /// The beat that is being read, and `at[i]`: it is beat i.
    beat: Expr,
    at: Vec<Expr>,
}

impl Fetch {
    pub fn new(m: &mut Builder, config: &Config, state: &States, jobs: &Jobs) -> Fetch {
        let port = config.memory.port_bits;
        let beats = DESCRIPTOR_BITS.div_ceil(port);
        m.comment("The next descriptor: asked for, on its way, here");
        let address = m.reg_no_reset("fetch_addr", Ty::Unsigned(32));
        let asking = m.reg("fetch_asking", Ty::BIT, 0);
        let waiting = m.reg("fetch_waiting", Ty::BIT, 0);
        let full = m.reg("fetch_full", Ty::BIT, 0);
        let beat_valid = m.input("beat_valid", Ty::BIT);
        let beat_data = m.input("beat_data", Ty::Unsigned(port));
        let reading = state.is("read");
        let (arrived, beat, at) = if beats == 1 {
            // Two descriptors to a beat: bit 5 of the address says which.
            let word = if port == DESCRIPTOR_BITS { beat_data } else { address.q().bit(5).choose(&beat_data.chunks(DESCRIPTOR_BITS)) };
            let word = m.register_when("fetch_word", &beat_valid, word);
            (m.wire("fetch_last", beat_valid), word, vec![reading])
        } else {
            Self::through_memory(m, beats, &beat_valid, &beat_data, &reading)
        };
        let asked = m.wire("fetch_asked", asking.q() & &jobs.free);
        m.on(&asking, &asked, 0);
        m.on(&waiting, &asked, 1);
        m.on(&waiting, &arrived, 0);
        m.on(&full, &arrived, 1);
        let read = at.last().cloned().unwrap_or_else(|| Expr::bit_const(true));
        Fetch { address, asking, waiting, full, read, beat, at }
    }

    /// The last beat arrives; the beat that is being read, and which one it is.
    fn through_memory(m: &mut Builder, beats: u32, valid: &Expr, data: &Expr, reading: &Expr) -> (Expr, Expr, Vec<Expr>) {
        let bits = address_bits(beats);
        let count = m.reg("fetch_count", Ty::Unsigned(bits), 0);
        m.on(&count, valid, count.q().wrapping_add(1));
        let arrived = m.wire("fetch_last", valid & count.q().all());
        let words = m.memory("fetch_words", data.width(), beats);
        // A beat per cycle from registers would take a cell for each of their bits.
        let style = if beats >= 8 { "ram_style = \"block\", no_rw_check" } else { "no_rw_check" };
        m.memory_attribute(words, style);
        m.write(words, valid, &count.q(), data);
        let next = m.reg("read_count", Ty::Unsigned(bits), 0);
        let word = m.read(words, "fetch_word", reading, &next.q());
        let valid = m.forward("fetch_word_valid", Ty::BIT);
        let index = m.register("fetch_word_index", next.q());
        let at: Vec<Expr> = (0..beats).map(|k| m.wire(&format!("fetch_at_{k}"), &valid & index.eq(k))).collect();
        let last = &at[beats as usize - 1];
        let read = m.register_reset("fetch_was_read", reading & !last);
        m.drive(&valid, read);
        m.on(&next, last, 0);
        m.on(&next, reading, next.q().wrapping_add(1));
        (arrived, word, at)
    }
}

/// The descriptor in hand.
pub struct Fields {
    pub address: Expr,
    pub opcode: Expr,
    pub format: Expr,
    pub reuse: Expr,
    pub columns: Expr,
    pub rows: Expr,
    /// Rows that [`ROWS_BITS`] do not hold.
    pub rows_over: Expr,
    pub blocks: Expr,
    /// More blocks than the bits of `blocks` hold.
    pub blocks_over: Expr,
    pub weights: Expr,
    /// Address of the activation vector to load, at first that of the descriptor.
    pub vector: Reg,
    pub results: Expr,
    /// An address is not a multiple of [`REGION_ALIGN`].
    pub misaligned: Expr,
    pub reserved_matmul: Expr,
    pub reserved_marker: Expr,
    /// Only with a DVFS unit.
    pub reserved_layer: Option<Expr>,
}

impl Fields {
    pub fn new(m: &mut Builder, config: &Config, fetch: &Fetch) -> Fields {
        m.comment("The descriptor in hand");
        let (opcode, format) = (fetch.field(m, descriptor::OPCODE), fetch.field(m, descriptor::FORMAT));
        let (reuse, columns) = (fetch.field(m, descriptor::REUSE_ACT), fetch.field(m, descriptor::COLUMNS));
        let rows = fetch.field(m, part(descriptor::ROWS, 0, ROWS_BITS));
        let blocks_bits = act_buffer::blocks_bits(config);
        let blocks = fetch.field(m, part(descriptor::BLOCKS, 0, blocks_bits));
        let align = REGION_ALIGN.trailing_zeros();
        let mut aligned = |f: Field| Expr::concat([fetch.field(m, part(f, align, 32 - align)), Expr::constant(Ty::Unsigned(align), 0)]);
        let (weights, results) = (aligned(descriptor::WEIGHTS), aligned(descriptor::RESULTS));
        let vector = m.reg_no_reset("vector_addr", Ty::Unsigned(32));
        let (at, start) = fetch.slice(descriptor::ACTIVATIONS);
        m.on(&vector, at, start);

        m.comment("Bits that must not be set");
        let over = |f: Field, bits: u32| mask(&[(f, u32::MAX << bits)]);
        let rows_over = fetch.any(m, "rows_over", over(descriptor::ROWS, ROWS_BITS));
        let blocks_over = fetch.any(m, "blocks_over", over(descriptor::BLOCKS, blocks_bits));
        let addresses = [descriptor::WEIGHTS, descriptor::ACTIVATIONS, descriptor::RESULTS];
        let misaligned = fetch.any(m, "misaligned", mask(&addresses.map(|f| (f, REGION_ALIGN - 1))));
        let reserved_matmul = fetch.any(m, "reserved_matmul", descriptor::MATMUL.reserved());
        let reserved_marker = fetch.any(m, "reserved_marker", descriptor::FENCE.reserved());
        let entries = config.power.dvfs_entries;
        let reserved_layer = (entries > 0).then(|| fetch.any(m, "reserved_layer", descriptor::layer_reserved(entries)));
        let address = m.register_when("descriptor_addr", &fetch.read, fetch.address.q());
        let (_, tag) = fetch.slice(descriptor::TAG);
        m.unused("tag", "The tag is the host's own.", &[tag]);
        Fields {
            address,
            opcode,
            format,
            reuse,
            columns,
            rows,
            rows_over,
            blocks,
            blocks_over,
            weights,
            vector,
            results,
            misaligned,
            reserved_matmul,
            reserved_marker,
            reserved_layer,
        }
    }
}

impl Fetch {
    /// When a field is being read, and its bits.
    fn slice(&self, f: Field) -> (&Expr, Expr) {
        let width = self.beat.width();
        (&self.at[(f.bit() / width) as usize], self.beat.slice(f.bit() % width, f.width))
    }

    fn field(&self, m: &mut Builder, f: Field) -> Expr {
        let (at, bits) = self.slice(f);
        m.register_when(f.name, at, bits)
    }

    /// Whether any of these bits of the descriptor is set: a register for each beat that has some.
    fn any(&self, m: &mut Builder, name: &str, bits: Words) -> Expr {
        let words = (self.beat.width() / 32) as usize;
        let mut flags: Option<Expr> = None;
        for (k, (at, bits)) in self.at.iter().zip(bits.chunks(words)).enumerate() {
            let any = runs(bits).into_iter().map(|(lsb, width)| self.beat.slice(lsb, width).any()).reduce(|a, b| a | b);
            let Some(any) = any else { continue };
            let flag = m.register_when(&format!("{name}_{k}"), at, any);
            flags = Some(flags.map_or(flag.clone(), |flags| flags | flag));
        }
        m.wire(name, flags.unwrap_or_else(|| Expr::bit_const(false)))
    }
}

/// Some bits of a field.
fn part(f: Field, lsb: u32, width: u32) -> Field {
    Field { lsb: f.lsb + lsb, width, ..f }
}

/// Bits of fields that are words.
fn mask(fields: &[(Field, u32)]) -> Words {
    let mut out = Words::default();
    fields.iter().for_each(|(f, bits)| out[f.word] |= bits);
    out
}

/// The bits that are set in words, as `(lsb, width)` of runs.
fn runs(words: &[u32]) -> Vec<(u32, u32)> {
    let mut out: Vec<(u32, u32)> = Vec::new();
    let set = |b: &u32| words[*b as usize / 32] >> (b % 32) & 1 == 1;
    for b in (0..32 * words.len() as u32).filter(set) {
        match out.last_mut() {
            Some((lsb, width)) if *lsb + *width == b => *width += 1,
            _ => out.push((b, 1)),
        }
    }
    out
}
