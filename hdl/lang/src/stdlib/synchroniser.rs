// SPDX-License-Identifier: MIT OR Apache-2.0
//! One bit from one clock to another, through two registers of the clock it goes to.
//!
//! Ports    `clk`: the clock it goes to; `from`: a register of the other clock; `to`: the bit
//! Latency  2 cycles of `clk`, one more where the first register caught the change late
//! Reset    none: the value follows `from`
//!
//! Wider values do not keep together on the way: send a Gray code bit by bit, or a handshake beside them.

use crate::{
    builder::{BuildError, Builder},
    expr::Ty,
    module::Module,
};
use std::sync::Arc;

/// Two registers in a row; the clock check accepts a crossing here only.
pub fn synchroniser() -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::new(crate::check::SYNCHRONISER, file!());
    m.doc("One bit from another clock, through two registers.");
    m.clock("clk");
    let from = m.input("from", Ty::BIT);
    m.comment("May be metastable; nothing else reads it");
    let first = m.register("first", from);
    let second = m.register("second", first);
    m.output("to", second);
    m.build()
}
