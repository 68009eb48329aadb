// SPDX-License-Identifier: MIT OR Apache-2.0
//! Beats of the weights and of a vector, worked out from rows and blocks.

use super::fetch::Fields;
use crate::{
    config::{Config, Format},
    engine::{act_buffer, dequant::ROWS_BITS, weight_fetch::BEATS_BITS},
};
use heddle_lang::{Builder, Expr, Ty, builder::States};

/// Beats of what a matrix reads.
pub struct Sizes {
    /// Beats of the weights.
    pub weights: Expr,
    /// Beats of one activation vector.
    pub vector: Expr,
    pub done: Expr,
}

/// Beats of the weights: rows x blocks, a bit of `blocks` per cycle, to groups, to beats.
pub fn sizes(m: &mut Builder, config: &Config, f: &Fields, state: &States) -> Sizes {
    m.comment("Beats of the weights: rows x blocks by shift and add, to whole groups, to beats");
    let group = config.group_blocks();
    // Rows and blocks at their most; a vector has at least a group, so that rounding up to groups still fits.
    let ty = Ty::Unsigned(ROWS_BITS + config.activations.blocks.ilog2());
    let product = m.reg_no_reset("product", ty);
    let addend = m.reg_no_reset("addend", ty);
    let bits = m.reg_no_reset("multiplier", Ty::Unsigned(act_buffer::blocks_bits(config)));
    let beats = m.reg_no_reset("beats", Ty::Unsigned(BEATS_BITS));
    let (checking, adding) = (state.is("check"), state.is("size"));
    m.on(&product, &checking, u64::from(group - 1));
    m.on(&product, &adding & bits.q().bit(0), product.q().wrapping_add(addend.q()));
    m.on(&addend, &checking, f.rows.extend(ty.width()));
    m.on(&addend, &adding, addend.q().shift_left(1).truncate(ty.width()));
    m.on(&bits, &checking, &f.blocks);
    m.on(&bits, &adding, bits.q().shift_right(1).extend(bits.q().width()));
    let groups = m.wire("groups", product.q().shift_right(group.ilog2()));
    if group > 1 {
        m.unused("product", "Blocks within a group do not count.", &[product.q().slice(0, group.ilog2())]);
    }
    let times = |n: u32| groups.shift_left(n).extend(BEATS_BITS);
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
    let mut of = |name: &str, bytes: u32| {
        let rounded = m.wire(name, f.blocks.shift_left(bytes.trailing_zeros()) + (port_bytes - 1));
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
