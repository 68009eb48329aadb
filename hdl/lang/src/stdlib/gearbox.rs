// SPDX-License-Identifier: MIT OR Apache-2.0
//! A stream of narrow words into one of wide words, or back; the lowest part of a wide word is first.
//!
//! Ports       `in`: stream of `from` bits; `out`: stream of `to` bits
//! Latency     up: 1 cycle after the last part; down: 1 cycle
//! Throughput  1 narrow word per cycle, no bubble between wide words
//! Reset       drops what is inside
//!
//! One width is the other times a power of two. `in_ready` depends on `out_ready` within the cycle; `out` comes
//! from registers.

use super::stream::Stream;
use crate::{
    builder::{BuildError, Builder},
    expr::{Expr, Ty},
    module::Module,
};
use std::sync::Arc;

/// Words of `from` bits become words of `to` bits.
pub fn gearbox(from: u32, to: u32) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked(format!("gearbox_{from}_to_{to}"), file!());
    m.doc(&format!("Words of {from} bits become words of {to} bits, the lowest part first."));
    let (narrow, wide) = (from.min(to), from.max(to));
    let ratio = wide.checked_div(narrow).unwrap_or(0);
    if ratio < 2 || !ratio.is_power_of_two() || narrow * ratio != wide {
        m.error(format!("a gearbox changes the width by a power of two above 1, not from {from} to {to}"));
        return m.build();
    }
    let input = Stream::input(&mut m, "in", Ty::Unsigned(from));
    let output = Stream::output(&mut m, "out", Ty::Unsigned(to));
    match from < to {
        true => up(&mut m, ratio, &input, &output),
        false => down(&mut m, ratio, &input, &output),
    }
    m.build()
}

/// Parts enter at the top and move down; the word is whole when as many have entered as it has.
fn up(m: &mut Builder, ratio: u32, input: &Stream, output: &Stream) {
    let bits = ratio.trailing_zeros();
    let full = m.reg("full", Ty::BIT, 0);
    let part = m.reg("part", Ty::Unsigned(bits), 0);
    let word = m.reg_no_reset("word", output.data.ty());
    m.drive(&input.ready, !full.q() | &output.ready);
    let push = m.wire("push", input.transfer());
    m.on(&part, &push, part.q().wrapping_add(1));
    m.on(&full, &push & part.q().all(), 1);
    m.on(&full, &output.ready, 0);
    let rest = word.q().slice(input.data.width(), output.data.width() - input.data.width());
    m.on(&word, &push, Expr::concat([input.data.clone(), rest]));
    m.drive(&output.valid, full.q());
    m.drive(&output.data, word.q());
    // Parts of the next word enter from the cycle on in which this one leaves.
    m.assert("full_word_has_no_part", m.reset() | !full.q() | part.q().is_zero());
}

/// The word moves down by one part per transfer.
fn down(m: &mut Builder, ratio: u32, input: &Stream, output: &Stream) {
    let bits = ratio.trailing_zeros() + 1;
    m.comment("Parts still to go");
    let left = m.reg("left", Ty::Unsigned(bits), 0);
    let word = m.reg_no_reset("word", input.data.ty());
    let last = m.wire("last", left.q().eq(1));
    m.drive(&input.ready, left.q().is_zero() | (&last & &output.ready));
    let push = m.wire("push", input.transfer());
    let pop = m.wire("pop", output.transfer());
    m.on(&left, &push, Expr::constant(left.q().ty(), ratio.into()));
    m.on(&left, &pop, left.q().wrapping_sub(1));
    m.on(&word, &push, &input.data);
    m.on(&word, &pop, word.q().shift_right(output.data.width()).extend(input.data.width()));
    m.drive(&output.valid, left.q().any());
    m.drive(&output.data, word.q().truncate(output.data.width()));
    m.assert("parts_in_range", m.reset() | left.q().le(ratio));
}

/// The same, in plain Rust.
pub mod golden {
    use crate::bits::Bits;

    /// The words of `to` bits that words of one other width make; a rest that fills no word is left out.
    pub fn gearbox(words: &[Bits], to: u32) -> Vec<Bits> {
        let bits: Vec<bool> = words.iter().flat_map(|w| (0..w.width()).map(|i| w.bit(i))).collect();
        let word = |chunk: &[bool]| {
            let mut out = Bits::zero(to);
            chunk.iter().enumerate().for_each(|(i, &b)| out.set_bit(i as u32, b));
            out
        };
        bits.chunks_exact(to as usize).map(word).collect()
    }
}
