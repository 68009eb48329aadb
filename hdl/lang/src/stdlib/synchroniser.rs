// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bits from one clock to another, through two registers of the clock it goes to.
//!
//! Ports    `clk`: the clock it goes to; `from`: registers of the other clock; `to`: the bits
//! Latency  2 cycles of `clk`, one more where the first register caught the change late
//! Reset    none: the value follows `from`
//!
//! Bits do not keep together on the way: send a Gray code bit by bit, or a handshake beside them.

use crate::{
    builder::{BuildError, Builder},
    expr::Ty,
    module::Module,
};
use std::sync::Arc;

/// Two registers in a row for each of `bits` bits that have nothing to do with each other; the clock check accepts a
/// crossing here only.
pub fn synchroniser(bits: u32) -> Result<Arc<Module>, BuildError> {
    let base = crate::check::SYNCHRONISER;
    let name = if bits == 1 { base.into() } else { format!("{base}_{bits}") };
    let mut m = Builder::new(name, file!());
    m.doc("Bits from another clock, each for itself, through two registers.");
    m.clock("clk");
    let from = m.input("from", if bits == 1 { Ty::BIT } else { Ty::Unsigned(bits) });
    m.comment("May be metastable; nothing else reads it");
    let first = m.register("first", from);
    let second = m.register("second", first);
    m.output("to", second);
    m.build()
}
