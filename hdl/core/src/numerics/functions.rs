// SPDX-License-Identifier: MIT OR Apache-2.0
//! exp, reciprocal, rsqrt, sigmoid, tanh, SiLU and GELU(tanh), defined bit by bit in integers.
//!
//! A function reduces its argument to a segment of [`super::tables`], evaluates a parabola (two
//! 18 x 18 products) and rounds once to nearest even. Largest errors, in units of the last place of
//! the result, over all f24 (tested below): exp 0.59, reciprocal 0.55, rsqrt 0.56, sigmoid 0.59,
//! tanh 0.58, SiLU 0.58, GELU 0.56. The functions whose results saturate have a flagged form.

use super::f24::F24;
use super::tables::{EXP2, FRACTION, RECIPROCAL, RSQRT, Segment, TANH, evaluate};

/// `log2(e) * 2^24`, rounded.
const LOG2_E: u64 = 24_204_406;
/// `2 * sqrt(2 / pi) * log2(e) * 2^24`, rounded.
const GELU_SLOPE: u64 = 38_624_644;
/// `0.044715 * 2^30`, rounded.
const GELU_CUBIC: u64 = 48_012_366;
/// Fraction bits of a power of two: 5 choose the segment, 16 the place in it.
const POWER: i32 = 21;
/// `|x| >= 2^8`: past every range end of the functions of `e^x`.
const HUGE: i32 = 127 + 8;

const ONE: u32 = 1 << FRACTION;

/// `e^x`; the flag is set when the result saturated (`x > 88.7`). `e^0` is 1 exactly.
pub fn exp_flagged(x: F24) -> (F24, bool) {
    if x.exponent() >= HUGE {
        return if x.is_negative() { (F24::ZERO, false) } else { (F24::MAX, true) };
    }
    let (k, m) = exp2(log2_of_exp(x, LOG2_E));
    F24::from_integer(false, m.into(), k - FRACTION as i32)
}

/// [`exp_flagged`] without the flag.
pub fn exp(x: F24) -> F24 {
    exp_flagged(x).0
}

/// `1 / x`; a zero saturates with its sign and the flag. Powers of two are exact.
pub fn reciprocal_flagged(x: F24) -> (F24, bool) {
    if x.is_zero() {
        return (if x.is_negative() { -F24::MAX } else { F24::MAX }, true);
    }
    let r = reciprocal_of((x.significand() & 0x7fff) << 7);
    F24::from_integer(x.is_negative(), r.into(), 127 - x.exponent() - FRACTION as i32)
}

/// [`reciprocal_flagged`] without the flag.
pub fn reciprocal(x: F24) -> F24 {
    reciprocal_flagged(x).0
}

/// `1 / sqrt(x)`; zeros and negative operands saturate with the flag. Powers of four are exact.
pub fn rsqrt_flagged(x: F24) -> (F24, bool) {
    if x.is_zero() || x.is_negative() {
        return (F24::MAX, true);
    }
    let exponent = x.exponent() - 127;
    let odd = exponent & 1;
    let fraction = x.significand() & 0x7fff;
    let segment = RSQRT[(odd << 5) as usize + (fraction >> 10) as usize];
    let r = evaluate(segment, (fraction & 0x3ff) << 6);
    F24::from_integer(false, r.into(), -((exponent - odd) / 2) - FRACTION as i32)
}

/// [`rsqrt_flagged`] without the flag.
pub fn rsqrt(x: F24) -> F24 {
    rsqrt_flagged(x).0
}

/// `1 / (1 + e^-x)`.
pub fn sigmoid(x: F24) -> F24 {
    if x.exponent() >= HUGE {
        return if x.is_negative() { F24::ZERO } else { F24::ONE };
    }
    let (k, r) = sigmoid_of(-log2_of_exp(x, LOG2_E));
    F24::from_integer(false, r.into(), -k - FRACTION as i32).0
}

/// `tanh(x)`: an odd polynomial below 1/4, `1 - 2 sigmoid(-2|x|)` from there on.
pub fn tanh(x: F24) -> F24 {
    if x.exponent() >= HUGE {
        return if x.is_negative() { -F24::ONE } else { F24::ONE };
    }
    if x.exponent() < 125 {
        let square = u64::from(x.significand()).pow(2);
        let t = shift_down(square, 264 - 2 * x.exponent()) as u32;
        let p = evaluate(TANH, t.min(0xffff));
        return F24::from_integer(x.is_negative(), u64::from(x.significand()) * u64::from(p), x.exponent() - 142 - FRACTION as i32).0;
    }
    let (k, r) = sigmoid_of(2 * log2_of_exp(x.abs(), LOG2_E));
    // k >= 1, as 1 + e^(2|x|) >= 2.
    let value = ONE - r.checked_shr(k as u32 - 1).unwrap_or(0);
    F24::from_integer(x.is_negative(), value.into(), -(FRACTION as i32)).0
}

/// `x * sigmoid(x)`, with one rounding.
pub fn silu(x: F24) -> F24 {
    if x.exponent() >= HUGE {
        return if x.is_negative() { -F24::ZERO } else { x };
    }
    times_sigmoid(x, -log2_of_exp(x, LOG2_E))
}

/// `0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))`, as `x * sigmoid(2 sqrt(2/pi) (..))`, one rounding.
pub fn gelu(x: F24) -> F24 {
    if x.exponent() >= 127 + 4 {
        return if x.is_negative() { -F24::ZERO } else { x };
    }
    // Fixed point: x^2 with 20 fraction bits (below 2^8), then 1 + 0.044715 x^2 and the slope with 24.
    let square = shift_down(u64::from(x.significand()).pow(2), 264 - 2 * x.exponent());
    let cubic = (1 << 24) + shift_down(square * GELU_CUBIC, 26);
    let slope = shift_down(cubic * GELU_SLOPE, 24);
    times_sigmoid(x, -log2_of_exp(x, slope))
}

/// `x / (1 + 2^y)`, `y` with [`POWER`] fraction bits.
fn times_sigmoid(x: F24, y: i64) -> F24 {
    let (k, r) = sigmoid_of(y);
    let product = u64::from(x.significand()) * u64::from(r);
    F24::from_integer(x.is_negative(), product, x.exponent() - 142 - FRACTION as i32 - k).0
}

/// `x * slope` with [`POWER`] fraction bits, rounded half up in magnitude. `slope` has 24 fraction bits.
fn log2_of_exp(x: F24, slope: u64) -> i64 {
    let magnitude = shift_down(u64::from(x.significand()) * slope, 142 + 24 - POWER - x.exponent()) as i64;
    if x.is_negative() { -magnitude } else { magnitude }
}

/// `2^y = m * 2^k`: `(k, m)` with `m` in 1..2, [`FRACTION`] fraction bits.
fn exp2(y: i64) -> (i32, u32) {
    let fraction = (y & ((1 << POWER) - 1)) as u32;
    ((y >> POWER) as i32, segment_at(&EXP2, fraction))
}

/// `1 / (1 + 2^y) = r * 2^-k`: `(k, r)` with `r` in 1/2..=1, [`FRACTION`] fraction bits, `k >= 0`.
fn sigmoid_of(y: i64) -> (i32, u32) {
    let (k, m) = exp2(y);
    if k < 0 {
        let sum = ONE + m.checked_shr(k.unsigned_abs()).unwrap_or(0);
        return (0, reciprocal_of(sum - ONE));
    }
    let sum = m + ONE.checked_shr(k as u32).unwrap_or(0);
    let carry = u32::from(sum >= 2 * ONE);
    (k + carry as i32, reciprocal_of((sum >> carry) - ONE))
}

/// `1 / (1 + fraction * 2^-22)` in 1/2..=1, [`FRACTION`] fraction bits.
fn reciprocal_of(fraction: u32) -> u32 {
    segment_at(&RECIPROCAL, fraction)
}

/// Evaluates a table whose index is what `fraction` has above its low 16 bits.
fn segment_at(table: &[Segment], fraction: u32) -> u32 {
    evaluate(table[(fraction >> 16) as usize], fraction & 0xffff)
}

/// `value >> shift`, rounded half up; `shift >= 1`, `value < 2^63`.
fn shift_down(value: u64, shift: i32) -> u64 {
    if shift >= 64 { 0 } else { (value + (1 << (shift - 1))) >> shift }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All f24 of a sign whose exponent field is in the range.
    fn all(negative: bool, exponents: std::ops::RangeInclusive<u32>) -> impl Iterator<Item = F24> {
        exponents.flat_map(move |e| (0..0x8000).map(move |f| F24::from_bits(u32::from(negative) << 31 | e << 23 | f << 8)))
    }

    /// Largest error in ulp of the exact result, over arguments whose result is in the normal range.
    fn worst(x: impl Iterator<Item = F24>, f: impl Fn(F24) -> F24, exact: impl Fn(f64) -> f64) -> f64 {
        let mut worst: f64 = 0.0;
        for x in x {
            let exact = exact(x.to_f64());
            if exact.abs() < F24::MIN_POSITIVE.to_f64() || exact.abs() > F24::MAX.to_f64() {
                continue;
            }
            let ulp = 2f64.powi((exact.abs().to_bits() >> 52) as i32 - 1023 - 15);
            let error = (f(x).to_f64() - exact).abs() / ulp;
            assert!(error <= 2.0, "{x:?}: {:?} against {exact:e}", f(x));
            worst = worst.max(error);
        }
        worst
    }

    fn both(exponents: std::ops::RangeInclusive<u32>) -> impl Iterator<Item = F24> {
        all(false, exponents.clone()).chain(all(true, exponents))
    }

    fn bound(name: &str, error: f64, stated: f64) {
        println!("{name}: {error:.3} ulp");
        assert!(error <= stated, "{name}: {error} ulp, stated {stated}");
    }

    #[test]
    fn exp_is_within_its_bound() {
        bound("exp", worst(both(100..=134), exp, f64::exp), 0.59);
    }

    #[test]
    fn reciprocal_and_rsqrt_are_within_their_bounds() {
        bound("reciprocal", worst(both(124..=131), reciprocal, f64::recip), 0.55);
        bound("reciprocal, whole range", worst(both(1..=254).step_by(61), reciprocal, f64::recip), 0.55);
        let root = |x: f64| 1.0 / x.sqrt();
        bound("rsqrt", worst(all(false, 124..=131), rsqrt, root), 0.56);
        bound("rsqrt, whole range", worst(all(false, 1..=254).step_by(61), rsqrt, root), 0.56);
    }

    #[test]
    fn sigmoid_and_silu_are_within_their_bounds() {
        let exact = |x: f64| 1.0 / (1.0 + (-x).exp());
        bound("sigmoid", worst(both(100..=134), sigmoid, exact), 0.59);
        bound("silu", worst(both(90..=134), silu, |x| x * exact(x)), 0.58);
    }

    #[test]
    fn tanh_is_within_its_bound() {
        bound("tanh", worst(both(90..=134), tanh, f64::tanh), 0.58);
    }

    #[test]
    fn gelu_is_within_its_bound() {
        let exact = |x: f64| {
            let u = 2.0 * (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x);
            x / (1.0 + (-u).exp())
        };
        bound("gelu", worst(both(90..=131), gelu, exact), 0.56);
    }

    #[test]
    fn special_arguments() {
        for zero in [F24::ZERO, -F24::ZERO] {
            assert_eq!((exp(zero), sigmoid(zero)), (F24::ONE, F24::HALF));
            assert_eq!((tanh(zero), silu(zero), gelu(zero)), (zero, zero, zero));
            assert!(reciprocal_flagged(zero).1 && rsqrt_flagged(zero).1);
        }
        let big = F24::from_f32(1e30);
        assert_eq!((exp_flagged(big), exp_flagged(-big)), ((F24::MAX, true), (F24::ZERO, false)));
        assert_eq!((sigmoid(big), sigmoid(-big), tanh(-big)), (F24::ONE, F24::ZERO, -F24::ONE));
        assert_eq!((silu(big), silu(-big), gelu(big), gelu(-big)), (big, -F24::ZERO, big, -F24::ZERO));
        assert!(exp_flagged(F24::from_f32(88.75)).1 && !exp_flagged(F24::from_f32(88.5)).1);
        assert_eq!(exp(F24::from_f32(-100.0)), F24::ZERO);
        assert_eq!(reciprocal(F24::from_f32(-4.0)), F24::from_f32(-0.25));
        assert_eq!(rsqrt(F24::from_f32(0.0625)), F24::from_f32(4.0));
        assert_eq!(rsqrt_flagged(-F24::ONE), (F24::MAX, true));
    }

    #[test]
    fn exp_does_not_fall() {
        let mut last = F24::ZERO;
        for x in all(false, 100..=133) {
            assert!(exp(x) >= last && exp(-x) <= F24::ONE, "{x:?}");
            last = exp(x);
        }
    }
}
