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
    to_float::{EXPONENT_OF_BIT_0, FLOAT_BITS},
};
use heddle_lang::{BuildError, Builder, Expr, Module, Ty};
use std::sync::Arc;

/// Places of a step, and how often each is tried.
const STEPS: [u32; 3] = [16, 4, 1];
const TIMES: u32 = 3;
/// Cycles from the accumulator to the float.
pub const LATENCY: u32 = STEPS.len() as u32 * TIMES + 1;
/// Bits of the exponent, and of the significand without its top bit.
const EXPONENT_BITS: u32 = 8;
const KEPT: u32 = FLOAT_BITS - 1 - EXPONENT_BITS;
/// Bits of a value without its sign.
const VALUE_BITS: u32 = GRID_BITS - 1;

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

    m.comment("What is below the sign, moved up while only copies of the sign leave; how many have left");
    let sign = m.register_when("sign", &valid, acc.msb());
    let value = m.reg_no_reset("value", Ty::Unsigned(VALUE_BITS));
    let copies = m.reg_no_reset("copies", Ty::Unsigned(EXPONENT_BITS));
    m.on(&value, &valid, acc.slice(0, VALUE_BITS));
    m.on(&copies, &valid, 0);
    for (k, step) in STEPS.into_iter().enumerate() {
        let leaving = value.q().slice(VALUE_BITS - step, step);
        let moved = m.wire(&format!("by{step}"), places.q().eq(k) & (leaving ^ sign.repeat(step)).is_zero());
        m.on(&value, &moved, value.q().shift_left(step).truncate(VALUE_BITS));
        m.on(&copies, &moved, copies.q().wrapping_add(u64::from(step)));
    }
    let float = round(&mut m, &value.q(), &sign, &copies.q());
    m.output("done", done);
    m.output("f24", float);
    m.build()
}

/// The float of what was moved up. The magnitude of a negative value is its complement and one more: what that carries
/// into the bits that are kept is an increment, like that of rounding, and never together with it.
fn round(m: &mut Builder, value: &Expr, sign: &Expr, copies: &Expr) -> Expr {
    m.comment("Rounded to nearest even; the carry of the significand lands in the exponent");
    let below = VALUE_BITS - KEPT - 1;
    let kept = m.wire("kept", value.slice(below, KEPT) ^ sign.repeat(KEPT));
    let (half, rest) = (value.bit(below - 1), m.wire("rest", value.slice(0, below - 1).any()));
    let carry = sign & !&half & !&rest;
    let half = &half ^ (sign & &rest);
    let up = m.wire("up", carry | (half & (rest | kept.bit(0))));
    let top = Expr::constant(copies.ty(), EXPONENT_OF_BIT_0 + i128::from(VALUE_BITS) - 1);
    let exponent = m.wire("exponent", top.wrapping_sub(copies));
    let rounded = m.wire("rounded", Expr::concat([exponent, kept]).wrapping_add(up.extend(FLOAT_BITS - 1)));
    let nonzero = sign | value.msb();
    nonzero.mux(Expr::concat([sign.clone(), rounded]), &Expr::constant(Ty::Unsigned(FLOAT_BITS), 0))
}

/// The same, in plain Rust: [`crate::numerics::grid::to_f24`].
pub mod golden {
    pub use crate::numerics::grid::to_f24;
}
