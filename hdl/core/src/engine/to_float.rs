// SPDX-License-Identifier: MIT OR Apache-2.0
//! A fixed-point accumulator as f24.
//!
//! Ports      `acc_i`: 64 bits signed, LSB 2^-36; `f24_o`: f24, 24 bits
//! Latency    [`LATENCY`] cycles      Throughput  one per cycle
//! Rounding   once, to nearest even; 0 gives +0      Reset  none

use super::place::GRID_BITS;
use heddle_lang::{BuildError, Builder, Expr, Module, Ty};
use std::sync::Arc;

/// Cycles from the accumulator to the float.
pub const LATENCY: u32 = 5;
/// Bits of an f24.
pub const FLOAT_BITS: u32 = 24;
/// Bits that are moved in the last step: the significand, the bit that rounds, and as many as that step moves at most.
const KEPT: u32 = 20;
/// Exponent field of a value whose most significant bit is bit 0 of the accumulator.
pub(super) const EXPONENT_OF_BIT_0: i128 = 91;

/// The converter.
pub fn to_float() -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::new("to_float", file!());
    m.doc(&format!("Fixed point (LSB 2^-36) to f24, rounded to nearest even, {LATENCY} cycles later."));
    m.clock("clk");
    let acc = m.input("acc", Ty::Unsigned(GRID_BITS));

    m.comment("Sign and magnitude");
    let negated = m.wire("negated", Expr::constant(Ty::Unsigned(GRID_BITS), 0).wrapping_sub(&acc));
    let mut magnitude = m.register("magnitude", acc.msb().mux(&negated, &acc));
    let sign = m.register("sign", acc.msb());
    let sign = m.delay("sign", &sign, 3);

    m.comment("The most significant bit to the top, 16, 4 and 1 places at a time; below the bits that are kept only whether any is set");
    let mut zeros: Vec<Expr> = Vec::new();
    let mut sticky = Expr::bit_const(false);
    for (name, step) in [("by16", 16), ("by4", 4), ("by1", 1)] {
        let empty = |k: u32| magnitude.slice(GRID_BITS - k * step, k * step).is_zero();
        let digit = m.wire(&format!("{name}_zeros"), Expr::concat([empty(2), (empty(2) & empty(3)) | (!empty(2) & empty(1))]));
        // After the last step, what is below the kept bits before it stays below.
        let low = if step == 1 { GRID_BITS - KEPT } else { 0 };
        let moved = |k: u32| magnitude.shift_left(k * step).slice(low, GRID_BITS - low);
        let options: Vec<Expr> = (0..4).map(moved).collect();
        if low > 0 {
            sticky = m.register("sticky", magnitude.slice(0, low).any());
        }
        magnitude = m.register(name, digit.choose(&options));
        zeros = zeros.iter().enumerate().map(|(i, z)| m.register(&format!("{name}_digit{i}"), z)).collect();
        zeros.push(m.register(&format!("{name}_digit"), digit));
    }

    m.comment("Rounding; the carry of a rounded-up significand lands in the exponent");
    let zeros = m.wire("zeros", Expr::concat(zeros));
    let nonzero = magnitude.msb();
    let kept = magnitude.slice(KEPT - 16, 15);
    let half = magnitude.bit(KEPT - 17);
    let rest = m.wire("rest", sticky | magnitude.slice(0, KEPT - 17).any());
    let up = m.wire("up", half & (rest | kept.bit(0)));
    let top = Expr::constant(Ty::Unsigned(8), EXPONENT_OF_BIT_0 + i128::from(GRID_BITS) - 1);
    let exponent = m.wire("exponent", top.wrapping_sub(zeros.extend(8)));
    let packed = m.wire("rounded", Expr::concat([exponent, kept]).wrapping_add(up.extend(FLOAT_BITS - 1)));
    let float = m.register("f24", nonzero.mux(Expr::concat([sign, packed]), &Expr::constant(Ty::Unsigned(FLOAT_BITS), 0)));
    m.output("f24", float);
    m.build()
}

/// The same, in plain Rust: [`crate::numerics::grid::to_f24`].
pub mod golden {
    pub use crate::numerics::grid::to_f24;
}
