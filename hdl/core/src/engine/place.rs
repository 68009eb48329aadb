// SPDX-License-Identifier: MIT OR Apache-2.0
//! One term of a row on the fixed-point grid: `round(d * dx * s * 2^36)`.
//!
//! Ports      `valid_i`: operands; `d_i`: fp16; `dx_i`: f24 (exponent and fraction); `s_i`: signed integer; `term_o`: 64 bits signed;
//!            `too_large_o`: the term does not fit the grid's limit
//! Latency    [`LATENCY`] cycles      Throughput  one term per cycle
//! Rounding   once, to nearest even, of the exact product      Reset  none
//!
//! The exponent field 31 of the scale continues the normal range: infinities and NaNs do not reach the
//! hardware. The sign of the activation scale is ignored.

use heddle_lang::{BuildError, Builder, Expr, Module, Ty};
use std::sync::Arc;

/// Cycles from the operands to the term.
pub const LATENCY: u32 = 8;
/// Bits of an activation scale: an f24 without its sign.
pub const SCALE_BITS: u32 = 23;
/// Bits of the accumulator and of a term.
pub const GRID_BITS: u32 = 64;
/// The product is placed this far up before it is shifted down.
const HEADROOM: u32 = 17;
/// Bits from here up must agree, or the term is too large: +-2^52.
const LIMIT_BIT: u32 = 52;

/// The unit for integers of `bits` bits; `gated`: its clock can be stopped.
pub fn place(bits: u32, gated: bool) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::new(format!("place_{bits}"), file!());
    m.doc(&format!("round(d * dx * s * 2^36) for a signed s of {bits} bits, {LATENCY} cycles later.\nThe product of the significands is exact; it is rounded once, to nearest even."));
    m.clock("clk");
    if gated {
        m.clock_enable();
    }
    let valid = m.input("valid", Ty::BIT);
    let d = m.input("d", Ty::Unsigned(16));
    let dx = m.input("dx", Ty::Unsigned(SCALE_BITS));
    let s = m.input("s", Ty::Unsigned(bits));

    m.comment("Where the operands have got to");
    let at = m.stages("valid", &valid, LATENCY - 1);
    m.comment("Significands and exponents; fp16 subnormals are exact, an f24 of exponent 0 is 0");
    let de = d.slice(10, 5);
    let normal = m.wire("normal", de.any());
    let magnitude = m.wire("magnitude", Expr::concat([normal.clone(), d.slice(0, 10)]).to_signed());
    let sd = m.wire("sd", d.msb().mux(magnitude.negate(), &magnitude.extend(13)));
    let ex = dx.slice(15, 8);
    let nonzero = m.wire("nonzero", ex.any());
    let sx =
        m.wire("sx", nonzero.mux(Expr::concat([Expr::bit_const(true), dx.slice(0, 15)]), &Expr::constant(Ty::Unsigned(16), 0)).to_signed());
    let exponent = m.wire("exponent", normal.mux(&de, &Expr::constant(Ty::Unsigned(5), 1)));
    let down = Expr::constant(Ty::Signed(10), 148) - (&exponent + &ex).to_signed();

    m.comment("Product of the scales, then of the sum; two registers each");
    let scale = m.register_when("scale", &at[0], (&sd * &sx).truncate(28));
    let scale = m.register_when("scale_out", &at[1], scale);
    let s2 = m.delay_when("s", &s.as_signed(), &at[0..2]);
    let product = m.register_when("product", &at[2], (&scale * &s2).resize(GRID_BITS - HEADROOM));
    let product = m.register_when("product_out", &at[3], product);

    m.comment("Shift to the right by 148 - exponents; 64 and more give 0, less than 0 is too large");
    let down = m.register_when("down", &at[0], down.truncate(10));
    let negative = m.register_when("down_negative", &at[1], down.msb());
    let vanishes = m.register_when("down_vanishes", &at[1], &down.slice(6, 3).any() & !down.msb());
    let amount = m.register_when("down_amount", &at[1], down.msb().mux(Expr::constant(Ty::Unsigned(6), 0), &down.slice(0, 6)));
    let negative = m.delay_when("negative", &negative, &at[2..4]);
    let vanishes = m.delay_when("vanishes", &vanishes, &at[2..4]);
    let amount = m.delay_when("amount", &amount, &at[2..4]);
    let overflow = m.register_when("overflow", &at[4], &negative & product.any());
    let overflow = m.delay_when("overflow", &overflow, &at[5..7]);

    let placed = m.wire("placed", product.shift_left(HEADROOM));
    let keep = m.wire("keep", vanishes.mux(Expr::constant(placed.ty(), 0), &placed));
    let zero = Expr::bit_const(false);
    let start = Shifted { value: keep, guard: zero.clone(), sticky: zero, whole: true };
    let by16 = shift(&mut m, "by16", &at[4], &start, &amount.slice(4, 2), 16);
    let amount = m.register_when("amount_by16", &at[4], amount.slice(0, 4));
    let by4 = shift(&mut m, "by4", &at[5], &by16, &amount.slice(2, 2), 4);
    let amount = m.register_when("amount_by4", &at[5], amount.slice(0, 2));
    let by1 = shift(&mut m, "by1", &at[6], &by4, &amount, 1);

    m.comment("Round to nearest even");
    let up = m.wire("up", &by1.guard & (&by1.sticky | by1.value.bit(0)));
    let term = m.register_when("term", &at[7], (&by1.value + up.to_signed()).truncate(GRID_BITS));
    let top = term.slice(LIMIT_BIT, GRID_BITS - LIMIT_BIT);
    m.comment("A term outside of +-2^52 is too large");
    let overflow = m.register_when("overflow_out", &at[7], overflow);
    let beyond = m.wire("beyond", top.any() & !top.all());
    m.output("term", term.as_unsigned());
    m.output("too_large", overflow | beyond);
    m.build()
}

/// A value on its way down: what has left it on the right is a guard bit and whether anything below it was set.
struct Shifted {
    value: Expr,
    guard: Expr,
    sticky: Expr,
    /// Nothing has left yet.
    whole: bool,
}

impl Shifted {
    /// Whether anything has left, if that can be.
    fn below(&self) -> Option<Expr> {
        (!self.whole).then(|| &self.sticky | &self.guard)
    }
}

/// Shifted right by `digit * step`, digit 0 to 3, into registers.
fn shift(m: &mut Builder, name: &str, enable: &Expr, from: &Shifted, digit: &Expr, step: u32) -> Shifted {
    let width = from.value.width();
    let choose = |options: [Expr; 4]| {
        let [a, b, c, d] = options;
        let low = digit.bit(0).mux(b, &a);
        let high = digit.bit(0).mux(d, &c);
        digit.bit(1).mux(high, &low)
    };
    let value = [0, 1, 2, 3].map(|k| from.value.shift_right(k * step).extend(width));
    let guard = [0, 1, 2, 3].map(|k| if k == 0 { from.guard.clone() } else { from.value.bit(k * step - 1) });
    // What has left by way of the guard bit before.
    let below = from.below();
    let sticky = [0, 1, 2, 3].map(|k| match (k * step, &below) {
        (0, _) => from.sticky.clone(),
        (1, Some(below)) => below.clone(),
        (n, Some(below)) => below | from.value.slice(0, n - 1).any(),
        (n, None) => from.value.slice(0, n - 1).any(),
    });
    Shifted {
        value: m.register_when(&format!("{name}_value"), enable, choose(value)),
        guard: m.register_when(&format!("{name}_guard"), enable, choose(guard)),
        sticky: m.register_when(&format!("{name}_sticky"), enable, choose(sticky)),
        whole: false,
    }
}

/// The same, in plain Rust: [`crate::numerics::grid::place`].
pub mod golden {
    pub use crate::numerics::grid::place;
}
