// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two words in a stream, each in a register that the consumer has no hand in: for wide words with a slow ready.
//!
//! Ports       `in`, `out`: streams of `width` bits
//! Latency     1 cycle        Throughput  1 word per cycle
//! Storage     2 words, filled and read in turns
//! Reset       empties it
//!
//! `in_ready` and `out_valid` come from registers. Where a skid buffer moves its words when the output is free, these
//! stay where they are: the output's ready reaches four flags and not the enable of a word. `out_data` has a multiplexer.

use super::stream::Stream;
use crate::{
    builder::{BuildError, Builder},
    expr::Ty,
    module::Module,
};
use std::sync::Arc;

/// A buffer of two words of `width` bits. In plain Rust: [`super::fifo::golden::Fifo`] of two words.
pub fn pair(width: u32) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked(format!("pair_{width}"), file!());
    m.doc("Two words that are filled and read in turns; the path of ready ends at flags.");
    let input = Stream::input(&mut m, "in", Ty::Unsigned(width));
    let output = Stream::output(&mut m, "out", Ty::Unsigned(width));
    m.comment("There is a word; there are two; where the next one goes and where it comes from");
    let (some, full) = (m.reg("some", Ty::BIT, 0), m.reg("full", Ty::BIT, 0));
    let (to, from) = (m.reg("to", Ty::BIT, 0), m.reg("from", Ty::BIT, 0));
    m.drive(&input.ready, !full.q());
    m.drive(&output.valid, some.q());
    let push = m.wire("push", &input.valid & !full.q());
    let pop = m.wire("pop", some.q() & &output.ready);
    m.on(&some, &push, 1);
    m.on(&some, &pop, full.q());
    m.on(&full, &pop, 0);
    m.on(&full, &push, some.q());
    m.on(&to, &push, !to.q());
    m.on(&from, &pop, !from.q());
    let word_0 = m.register_when("word_0", &push & !to.q(), &input.data);
    let word_1 = m.register_when("word_1", &push & to.q(), &input.data);
    m.drive(&output.data, from.q().mux(&word_1, &word_0));
    m.assert("turns_meet", m.reset() | (full.q() | !some.q()).eq(to.q().eq(from.q())));
    m.assert("two_are_some", m.reset() | !full.q() | some.q());
    m.build()
}
