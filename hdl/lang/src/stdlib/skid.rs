// SPDX-License-Identifier: MIT OR Apache-2.0
//! A register in a stream that cuts every combinational path, ready's too.
//!
//! Ports       `in`, `out`: streams of `width` bits
//! Latency     1 cycle        Throughput  1 word per cycle
//! Storage     2 words: the output, and one aside for the word that arrives when the output stalls
//! Reset       empties it
//!
//! Every output comes from a register: `in_ready` says that nothing stands aside.

use super::stream::Stream;
use crate::{
    builder::{BuildError, Builder},
    expr::Ty,
    module::Module,
};
use std::sync::Arc;

/// A skid buffer for words of `width` bits. In plain Rust: [`super::fifo::golden::Fifo`] of two words.
pub fn skid(width: u32) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked(format!("skid_{width}"), file!());
    m.doc("A register in a stream that cuts the path of ready too.");
    let input = Stream::input(&mut m, "in", Ty::Unsigned(width));
    let output = Stream::output(&mut m, "out", Ty::Unsigned(width));
    let (valid, data) = (m.reg("valid", Ty::BIT, 0), m.reg_no_reset("data", input.data.ty()));
    m.comment("The word that came when the output stalled");
    let (aside_valid, aside) = (m.reg("aside_valid", Ty::BIT, 0), m.reg_no_reset("aside", input.data.ty()));
    m.drive(&input.ready, !aside_valid.q());
    let free = m.wire("free", !valid.q() | &output.ready);
    m.on(&valid, &free, aside_valid.q() | &input.valid);
    m.on(&data, &free & aside_valid.q(), aside.q());
    m.on(&data, &free, &input.data);
    m.on(&aside_valid, &free, 0);
    m.on(&aside_valid, &input.valid, 1);
    m.on(&aside, !aside_valid.q(), &input.data);
    m.drive(&output.valid, valid.q());
    m.drive(&output.data, data.q());
    m.assert("aside_only_behind_output", m.reset() | !aside_valid.q() | valid.q());
    m.build()
}
