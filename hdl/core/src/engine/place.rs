// SPDX-License-Identifier: MIT OR Apache-2.0
//! One term of a row on the fixed-point grid: `round(d * dx * s * 2^36)`.
//!
//! Ports      `valid_i`: operands; `d_i`: fp16, a cycle before the others; `dx_i`: f24 (exponent and fraction); `s_i`: signed integer; `term_o`: 64 bits signed;
//!            `too_large_o`: the term does not fit the grid's limit
//! Latency    [`LATENCY`] cycles      Throughput  one term per cycle
//! Rounding   once, to nearest even, of the exact product      Reset  none
//!
//! Operands are taken only with `valid_i`; behind them nothing changes while it is low.
//!
//! The exponent field 31 of the scale continues the normal range: infinities and NaNs do not reach the
//! hardware. The sign of the activation scale is ignored.

use heddle_lang::{
    BuildError, Builder, Expr, Module, Ty,
    primitive::{self, multiplier},
};
use std::sync::Arc;

/// Cycles from the operands to the term.
pub const LATENCY: u32 = PRODUCT + 4;
/// Bits of an activation scale: an f24 without its sign.
pub const SCALE_BITS: u32 = 23;
/// Bits of the accumulator and of a term.
pub const GRID_BITS: u32 = 64;
/// The product is placed this far up before it is shifted down.
const HEADROOM: u32 = 17;
/// Bits from here up must agree, or the term is too large: +-2^52.
const LIMIT_BIT: u32 = 52;
/// Cycles of a multiplication: a multiplier, and the register behind the sum of its parts.
const MULTIPLY: u32 = primitive::STAGES + 1;
/// Cycles to the product of all three.
const PRODUCT: u32 = 2 * MULTIPLY;
/// Widest operand that a multiplier of every device has.
const OPERAND: u32 = 16;
/// Bits of a signed fp16 significand.
const D_BITS: u32 = 12;

/// The unit for integers of `bits` bits; `gated`: its clock can be stopped.
pub fn place(bits: u32, gated: bool) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::new(format!("place_{bits}"), file!());
    m.doc(&format!("round(d * dx * s * 2^36) for a signed s of {bits} bits, {LATENCY} cycles later.\nThe product of the significands is exact; it is rounded once, to nearest even."));
    m.clock("clk");
    let gate = gated.then(|| m.clock_enable());
    let valid = m.input("valid", Ty::BIT);
    m.comment("Scale of the weights, a cycle before the other operands");
    let d = m.input("d", Ty::Unsigned(16));
    m.comment("Scale of the activations, integer");
    let dx = m.input("dx", Ty::Unsigned(SCALE_BITS));
    let s = m.input("s", Ty::Unsigned(bits));

    let multiply =
        Multiply { take: gate.as_ref().map_or(valid.clone(), |gate| gate & &valid), run: gate.unwrap_or_else(|| Expr::bit_const(true)) };
    m.comment("Significands and exponents; fp16 subnormals are exact, an f24 of exponent 0 is 0");
    let de = d.slice(10, 5);
    let normal = m.wire("normal", de.any());
    let magnitude = m.wire("magnitude", Expr::concat([normal.clone(), d.slice(0, 10)]).to_signed());
    let negative = Expr::constant(Ty::Signed(D_BITS), 0).wrapping_sub(&magnitude);
    // In registers, since the multiplier may be far away.
    let sd = m.register("sd", d.msb().mux(negative, &magnitude));
    let exponent = m.register("exponent", normal.mux(&de, &Expr::constant(Ty::Unsigned(5), 1)));
    let ex = dx.slice(15, 8);
    let down = Expr::constant(Ty::Signed(10), 148) - (&exponent + &ex).to_signed();

    let scaled = multiply.by_scale(&mut m, &valid, &s.as_signed(), &sd)?;
    m.comment("Significand of the activation scale, when the first product is there");
    let nonzero = m.wire("nonzero", ex.any());
    let fraction = Expr::concat([nonzero.clone(), &nonzero.repeat(15) & dx.slice(0, 15)]);
    let sx = m.register_when("sx", &valid, fraction);
    let sx = m.delay("sx", &sx, MULTIPLY - 1);
    let (product, not_zero) = multiply.by_activation(&mut m, &scaled, &sx)?;

    m.comment("Shift to the right by 148 - exponents; 64 and more give 0, less than 0 is too large");
    let down = m.register_when("down", &valid, down.truncate(10));
    let negative = m.register("down_negative", down.msb());
    let vanishes = m.register("down_vanishes", &down.slice(6, 3).any() & !down.msb());
    let amount = m.register("down_amount", down.msb().mux(Expr::constant(Ty::Unsigned(6), 0), &down.slice(0, 6)));
    let shift_by = m.delay("shift_by", &Expr::concat([negative, vanishes, amount]), PRODUCT - 2);
    let (amount, vanishes, negative) = (shift_by.slice(0, 6), shift_by.bit(6), shift_by.bit(7));
    let overflow = m.register("overflow", &negative & not_zero);
    let overflow = m.delay("overflow", &overflow, 2);

    let placed = m.wire("placed", product.shift_left(HEADROOM));
    let keep = m.wire("keep", vanishes.mux(Expr::constant(placed.ty(), 0), &placed));
    let zero = Expr::bit_const(false);
    let start = Shifted { value: keep, guard: zero.clone(), sticky: zero, whole: true };
    let by16 = shift(&mut m, "by16", &start, &amount.slice(4, 2), 16);
    let amount = m.register("amount_by16", amount.slice(0, 4));
    let by4 = shift(&mut m, "by4", &by16, &amount.slice(2, 2), 4);
    let amount = m.register("amount_by4", amount.slice(0, 2));
    let by1 = shift(&mut m, "by1", &by4, &amount, 1);

    m.comment("Round to nearest even");
    let up = m.wire("up", &by1.guard & (&by1.sticky | by1.value.bit(0)));
    let term = m.register("term", (&by1.value + up.to_signed()).truncate(GRID_BITS));
    let top = term.slice(LIMIT_BIT, GRID_BITS - LIMIT_BIT);
    m.comment("A term outside of +-2^52 is too large");
    let overflow = m.register("overflow_out", overflow);
    let beyond = m.wire("beyond", top.any() & !top.all());
    m.output("term", term.as_unsigned());
    m.output("too_large", overflow | beyond);
    m.build()
}

/// The multiplications, from multipliers of 16 bits: those of every device.
struct Multiply {
    /// The operands of the unit are there.
    take: Expr,
    /// Clock gate.
    run: Expr,
}

impl Multiply {
    /// `s * sd`: the upper 16 bits of s in a multiplier, what is below in rows of adders.
    fn by_scale(&self, m: &mut Builder, valid: &Expr, s: &Expr, sd: &Expr) -> Result<Expr, BuildError> {
        let below = s.width().saturating_sub(OPERAND);
        m.comment("Integer times weight scale");
        let upper = s.shift_right(below);
        let unit = multiplier(upper.ty(), sd.ty(), 1)?;
        let inputs = [("en", self.take.clone()), ("run", self.run.clone()), ("a", upper.as_unsigned()), ("b", sd.as_unsigned())];
        let high = m.instance("by_scale", &unit, &inputs).get("p").as_signed();
        if below == 0 {
            return Ok(m.register("scaled", high));
        }
        let bits = s.as_unsigned().slice(0, below);
        let none = Expr::constant(sd.ty(), 0);
        let rows: Vec<Expr> = (0..below).map(|k| bits.bit(k).mux(sd, &none).shift_left(k)).collect();
        let pairs = rows.chunks(2).map(|pair| pair.iter().cloned().reduce(|a, b| a + b).unwrap_or_else(|| none.clone()));
        let mut pairs = m.register_each_when("low_pair", valid, pairs.collect::<Vec<_>>());
        let last = pairs.pop().unwrap_or_else(|| none.clone());
        let fours = pairs.into_iter().reduce(|a, b| a + b).unwrap_or(none);
        let (fours, last) = (m.register("low_four", fours), m.register("low_last", last));
        let low = m.register("low", (fours + last).truncate(sd.width() + below));
        // The bits of the lower part pass by; what it has above them is added.
        let width = 2 * OPERAND - below;
        m.unused("by_scale", "A copy of the sign.", &[high.as_unsigned().slice(width, high.width() - width)]);
        let total = high.resize(width).wrapping_add(low.shift_right(below).extend(width));
        let scaled = Expr::concat([total.as_unsigned(), low.as_unsigned().slice(0, below)]).as_signed();
        Ok(m.register("scaled", scaled))
    }

    /// `scaled * sx` in two multipliers, for the lower 16 bits and for what is above; and whether it is not 0. The halves
    /// are added behind their registers, since the multipliers may be far away.
    fn by_activation(&self, m: &mut Builder, scaled: &Expr, sx: &Expr) -> Result<(Expr, Expr), BuildError> {
        m.comment("Times activation scale, in two halves");
        let upper = scaled.shift_right(OPERAND);
        let lower = scaled.as_unsigned().slice(0, OPERAND);
        let mut part = |name: &str, ty: Ty, a: Expr| {
            let inputs = [("en", self.run.clone()), ("run", self.run.clone()), ("a", a), ("b", sx.clone())];
            Ok(m.instance(name, &multiplier(ty, sx.ty(), 1)?, &inputs).get("p"))
        };
        let low = part("by_activation_low", lower.ty(), lower.clone())?;
        let high = part("by_activation_high", upper.ty(), upper.as_unsigned())?.as_signed();
        let width = GRID_BITS - HEADROOM - OPERAND;
        if high.width() > width {
            m.unused("by_activation", "A copy of the sign.", &[high.as_unsigned().slice(width, high.width() - width)]);
        }
        let (high, low) = (m.register("product_high", high.resize(width)), m.register("product_low", low));
        // Neither half makes up for the other: they are multiples of the same scale, of the two parts of one integer.
        let not_zero = high.any() | low.any();
        let total = m.wire("total", high.wrapping_add(low.slice(OPERAND, OPERAND).to_signed().extend(width)));
        Ok((m.wire("exact", Expr::concat([total.as_unsigned(), low.slice(0, OPERAND)]).as_signed()), not_zero))
    }
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
fn shift(m: &mut Builder, name: &str, from: &Shifted, digit: &Expr, step: u32) -> Shifted {
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
        value: m.register(&format!("{name}_value"), choose(value)),
        guard: m.register(&format!("{name}_guard"), choose(guard)),
        sticky: m.register(&format!("{name}_sticky"), choose(sticky)),
        whole: false,
    }
}

/// The same, in plain Rust: [`crate::numerics::grid::place`].
pub mod golden {
    pub use crate::numerics::grid::place;
}
