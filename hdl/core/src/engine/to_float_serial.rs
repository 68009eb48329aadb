// SPDX-License-Identifier: MIT OR Apache-2.0
//! A fixed-point accumulator as f24, a digit at a time: for builds in which cells are scarce and rows far apart.
//!
//! Ports      `valid_i`, `acc_i`: 64 bits signed, LSB 2^-36; `done_o`: in this cycle `f24_o`, f24, is its float
//! Latency    [`LATENCY`] cycles      Throughput  one in [`LATENCY`] cycles; a value that comes sooner replaces it
//! Rounding   once, to nearest even; 0 gives +0      Reset  drops the value
//!
//! One register moves up by 16, 4 or 1 places where `to_float` has a stage for each: three cycles each.

use super::{
    place::GRID_BITS,
    to_float::{FLOAT_BITS, round},
};
use heddle_lang::{BuildError, Builder, Expr, Module, Ty};
use std::sync::Arc;

/// Places of a step, and how often each is tried.
const STEPS: [u32; 3] = [16, 4, 1];
const TIMES: u32 = 3;
/// Cycles from the accumulator to the float.
pub const LATENCY: u32 = STEPS.len() as u32 * TIMES + 1;
/// Bits of the exponent.
const EXPONENT_BITS: u32 = 8;

/// The converter.
pub fn to_float_serial() -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked("to_float_serial", file!());
    m.doc(&format!("Fixed point (LSB 2^-36) to f24, rounded to nearest even, in {LATENCY} cycles."));
    let valid = m.input("valid", Ty::BIT);
    let acc = m.input("acc", Ty::Unsigned(GRID_BITS));

    m.comment("Which step: two bits each for its places and how often it was tried; a step to nowhere ends it");
    let busy = m.reg("busy", Ty::BIT, 0);
    let places = m.reg_no_reset("places", Ty::Unsigned(2));
    let tried = m.reg_no_reset("tried", Ty::Unsigned(2));
    let last_try = m.wire("last_try", tried.q().eq(TIMES - 1));
    let done = m.wire("done", busy.q() & places.q().eq(STEPS.len()));
    m.on(&busy, &valid, 1);
    m.on(&busy, &done, 0);
    m.on(&places, &valid, 0);
    m.on(&places, &last_try, places.q().wrapping_add(1));
    m.on(&tried, valid.clone() | &last_try, 0);
    m.next(&tried, tried.q().wrapping_add(1));

    m.comment("Sign and magnitude, moved up while that loses nothing; the zeros that have left");
    let negated = m.wire("negated", Expr::constant(Ty::Unsigned(GRID_BITS), 0).wrapping_sub(&acc));
    let sign = m.register_when("sign", &valid, acc.msb());
    let magnitude = m.reg_no_reset("magnitude", Ty::Unsigned(GRID_BITS));
    let zeros = m.reg_no_reset("zeros", Ty::Unsigned(EXPONENT_BITS));
    let value = magnitude.q();
    let is = |k: usize| places.q().eq(k);
    let empty = |k: usize| value.slice(GRID_BITS - STEPS[k], STEPS[k]).is_zero();
    let moves: Vec<Expr> = (0..STEPS.len()).map(|k| m.wire(&format!("by{}", STEPS[k]), is(k) & empty(k))).collect();
    m.on(&magnitude, &valid, acc.msb().mux(&negated, &acc));
    m.on(&zeros, &valid, 0);
    for (moved, step) in moves.iter().zip(STEPS) {
        m.on(&magnitude, moved, value.shift_left(step).truncate(GRID_BITS));
        m.on(&zeros, moved, zeros.q().wrapping_add(u64::from(step)));
    }
    m.comment("Rounded");
    let float = round(&mut m, &value, &sign, &zeros.q());
    m.output("done", done);
    m.output("f24", float);
    debug_assert_eq!(FLOAT_BITS, EXPONENT_BITS + 16);
    m.build()
}

/// The same, in plain Rust: [`crate::numerics::grid::to_f24`].
pub mod golden {
    pub use crate::numerics::grid::to_f24;
}
