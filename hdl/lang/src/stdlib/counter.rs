// SPDX-License-Identifier: MIT OR Apache-2.0
//! Counts from zero to a limit that is given at run time, and starts again.
//!
//! Ports    `clear`: back to zero, before everything else; `enable`: count; `limit`: the last value;
//!          `value`; `last`: this is the last value
//! Latency  1 cycle from `enable` to `value`; `last` follows `limit` within the cycle
//! Reset    zero
//!
//! A limit that is lowered below the value makes the counter wrap at 2^width, as hardware does.

use crate::{
    builder::{BuildError, Builder},
    expr::Ty,
    module::Module,
};
use std::sync::Arc;

/// A counter of `width` bits.
pub fn counter(width: u32) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked(format!("counter_{width}"), file!());
    m.doc("Counts from zero to a limit and starts again.");
    let (clear, enable) = (m.input("clear", Ty::BIT), m.input("enable", Ty::BIT));
    let limit = m.input("limit", Ty::Unsigned(width));
    let value = m.reg("value", Ty::Unsigned(width), 0);
    let last = m.wire("is_last", value.q().eq(&limit));
    m.on(&value, clear | (&enable & &last), 0);
    m.on(&value, enable, value.q().wrapping_add(1));
    m.output("value", value.q());
    m.output("last", last);
    m.build()
}

/// The same, in plain Rust.
pub mod golden {
    /// The value after a cycle; `width` below 64.
    pub fn counter(value: u64, clear: bool, enable: bool, limit: u64, width: u32) -> u64 {
        match (clear, enable) {
            (true, _) => 0,
            (_, false) => value,
            _ if value == limit => 0,
            _ => (value + 1) & ((1 << width) - 1),
        }
    }
}
