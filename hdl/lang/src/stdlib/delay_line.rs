// SPDX-License-Identifier: MIT OR Apache-2.0
//! A word, some cycles later, through a block RAM instead of a register per bit and cycle.
//!
//! Ports       `in_data` of `width` bits; `out_data`
//! Latency     `cycles`, at least 2        Throughput  1 word per cycle
//! Storage     `cycles` words in a block RAM, and a counter that goes round them
//! Reset       the counter; what leaves in the first `cycles` cycles is undefined

use crate::{
    builder::{BuildError, Builder, address_bits},
    expr::{Expr, Ty},
    module::Module,
};
use std::sync::Arc;

/// Fewest cycles that a memory with a read register can do.
pub const LEAST: u32 = 2;

/// A delay of words of `width` bits by `cycles` cycles.
pub fn delay_line(width: u32, cycles: u32) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked(format!("delay_{width}x{cycles}"), file!());
    m.doc(&format!("{width} bits, {cycles} cycles later."));
    let data = m.input("in_data", Ty::Unsigned(width));
    if cycles < LEAST {
        m.error(format!("cycles = {cycles}: must be at least {LEAST}"));
        return m.build();
    }
    m.comment("Written here, and read at the place after it, which was written a round ago");
    let at = m.reg("at", Ty::Unsigned(address_bits(cycles)), 0);
    let next = m.wire("next", at.q().eq(cycles - 1).mux(Expr::constant(at.q().ty(), 0), &at.q().wrapping_add(1)));
    m.next(&at, &next);
    let words = m.memory("words", width, cycles);
    m.memory_attribute(words, "ram_style = \"block\", no_rw_check");
    let always = Expr::bit_const(true);
    m.write(words, always.clone(), &at.q(), &data);
    let out = m.read(words, "out", always, &next);
    m.output("out_data", out);
    m.build()
}

/// The same, in plain Rust.
pub mod golden {
    /// What leaves when word `n` enters: the word `cycles` before it.
    pub fn delayed<T: Copy>(words: &[T], n: usize, cycles: usize) -> Option<T> {
        n.checked_sub(cycles).map(|at| words[at])
    }
}
