// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fixed-point grid on which products are summed: 64 bits, LSB 2^-36.
//!
//! A term is the product of two scales and an integer. Its significands are multiplied exactly, the
//! product is placed on the grid with one rounding to nearest even, and placed terms are added with
//! wrap-around. Integer addition is associative, so a sum has the same bits in any order.

use super::f24::F24;

/// The grid's LSB is `2^-LSB`.
pub const LSB: i32 = 36;

/// A term of a product of vectors at or above this raises the flag.
const TERM_LIMIT: i64 = 1 << 52;

/// Below this, a product of two scales is far from saturating and any term with it is below 2^51
/// on the grid, where adding [`MAGIC`] in f64 rounds to an integer.
const FAST_SCALE: f64 = 1.0 / 16.0;
/// 1.5 * 2^52: an f64 of this size has an LSB of one.
const MAGIC: f64 = 6_755_399_441_055_744.0;

/// A sum on the grid and its sticky flag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accumulator {
    pub value: i64,
    pub saturated: bool,
}

impl Accumulator {
    /// Adds one placed term; a signed overflow wraps and sets the flag.
    #[inline]
    pub fn add(&mut self, (term, saturated): (i64, bool)) {
        let (value, overflow) = self.value.overflowing_add(term);
        self.value = value;
        self.saturated |= saturated | overflow;
    }

    /// Subtracts one placed term; a signed overflow wraps and sets the flag.
    #[inline]
    pub fn sub(&mut self, (term, saturated): (i64, bool)) {
        let (value, overflow) = self.value.overflowing_sub(term);
        self.value = value;
        self.saturated |= saturated | overflow;
    }

    /// The sum as a float, rounded once.
    #[inline]
    pub fn to_f24(self) -> F24 {
        to_f24(self.value)
    }
}

/// Splits fp16 bits into `(sd, ed)` with the value `sd * 2^ed`; `|sd| < 2^11`, `ed` in -24..=6.
///
/// Exponent field 31 continues the normal range (the compiler keeps it out of images).
#[inline]
pub const fn split_fp16(bits: u16) -> (i32, i32) {
    let field = (bits >> 10 & 31) as i32;
    let fraction = (bits & 0x3ff) as i32;
    let magnitude = if field == 0 { fraction } else { fraction | 0x400 };
    let exponent = if field == 0 { 1 } else { field } - 25;
    (if bits >> 15 == 0 { magnitude } else { -magnitude }, exponent)
}

/// The value of fp16 bits, exact, with exponent field 31 as in [`split_fp16`].
#[inline]
pub fn fp16_to_f32(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    // As f32 bits the value is 2^112 times too small; the product is exact, also for subnormals.
    f32::from_bits(sign | u32::from(bits & 0x7fff) << 13) * f32::from_bits((112 + 127) << 23)
}

/// `x >> r`, rounded to nearest even; `r >= 64` gives 0, `r < 0` gives `x` and the flag if `x != 0`.
#[inline]
pub(super) fn shift(x: i64, r: i32) -> (i64, bool) {
    if r >= 64 {
        return (0, false);
    }
    if r <= 0 {
        return (x, r < 0 && x != 0);
    }
    let floor = x >> r;
    let half = x >> (r - 1) & 1;
    let sticky = i64::from(x & ((1 << (r - 1)) - 1) != 0);
    (floor + (half & (sticky | floor)), false)
}

/// Places `d * dx * s` (a weight scale, an activation scale, a sum of one block) on the grid.
///
/// `d`: fp16 bits; `dx`: its sign is ignored, a scale is never negative; `|s| <= 32 * 128 * 127`.
/// The flag tells that the product is too large for the grid, or the term outside of ±2^52: so small that
/// the 2048 terms of the longest row cannot overflow the accumulator in any order.
#[inline]
pub fn place(d: u16, dx: F24, s: i32) -> (i64, bool) {
    let (sd, ed) = split_fp16(d);
    let product = i64::from(sd) * i64::from(dx.significand()) * i64::from(s);
    limited(shift(product << 17, 123 - ed - dx.exponent()))
}

/// Raises the flag for a term outside of ±2^52.
#[inline]
fn limited((term, too_large): (i64, bool)) -> (i64, bool) {
    (term, too_large || !(-TERM_LIMIT..TERM_LIMIT).contains(&term))
}

/// Places `a * b * s` on the grid: two f24 scales and an integer.
///
/// Attention scores (`dq * dk * sum(qq * qk)`) and the weighted sum of values (`p * dv * qv`).
/// The signs of `a` and `b` are ignored; `|s| <= 32 * 127 * 127`. The flag as in [`place`].
#[inline]
pub fn place2(a: F24, b: F24, s: i32) -> (i64, bool) {
    let product = i64::from(a.significand()) * i64::from(b.significand()) * i64::from(s);
    limited(shift(product << 12, 260 - a.exponent() - b.exponent()))
}

/// Places one f24 on the grid (signed); the flag as in [`place`].
#[inline]
pub fn place1(x: F24) -> (i64, bool) {
    let significand = i64::from(x.significand());
    let signed = if x.is_negative() { -significand } else { significand };
    shift(signed << 47, 153 - x.exponent())
}

/// A grid value as f24: `value * 2^-36`, rounded once to nearest even; 0 gives +0.
#[inline]
pub fn to_f24(value: i64) -> F24 {
    F24::from_integer(value < 0, value.unsigned_abs(), -LSB).0
}

/// The product of two scales with the work of [`place`] or [`place2`] done ahead, for many integers.
#[derive(Clone, Copy, Debug)]
pub struct Scale(f64);

impl Scale {
    /// For scales below 1/16 (all that real models have); otherwise `None`: use `place` or `place2`.
    ///
    /// `product`: the exact product of the two scales, in f64.
    #[inline]
    pub fn new(product: f64) -> Option<Scale> {
        (product.abs() < FAST_SCALE).then_some(Scale(product * 2f64.powi(LSB)))
    }

    /// The same bits as `place(..).0` or `place2(..).0`; it cannot saturate, and is below 2^51.
    #[inline]
    pub fn place(self, s: i32) -> i64 {
        round_to_i64(self.0 * f64::from(s))
    }
}

/// Rounds `|x| < 2^51` to the nearest integer, ties to even.
#[inline]
pub(super) fn round_to_i64(x: f64) -> i64 {
    (x + MAGIC).to_bits().wrapping_sub(MAGIC.to_bits()) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `product * 2^(exponent + 36)` as an exact quotient, rounded by comparing remainders.
    fn place_rational(product: i128, exponent: i32) -> i64 {
        let e = exponent + LSB;
        if product == 0 {
            return 0;
        }
        if e >= 0 {
            return i64::try_from(product << e).expect("within the grid");
        }
        if -e >= 100 {
            return 0;
        }
        let divisor = 1i128 << -e;
        let (q, twice) = (product.div_euclid(divisor), 2 * product.rem_euclid(divisor));
        let up = twice > divisor || (twice == divisor && q & 1 != 0);
        (q + i128::from(up)) as i64
    }

    fn check(d: u16, dx: F24, s: i32) {
        let (sd, ed) = split_fp16(d);
        let product = i128::from(sd) * i128::from(dx.significand()) * i128::from(s);
        let (value, saturated) = place(d, dx, s);
        let too_large = 123 - ed - dx.exponent() < 0 && product != 0;
        let limit = !(-TERM_LIMIT..TERM_LIMIT).contains(&value);
        assert_eq!(saturated, too_large || limit, "{d:#06x} {dx:?} {s}");
        if !too_large {
            let exponent = if product == 0 { 0 } else { ed + dx.exponent() - 142 };
            assert_eq!(value, place_rational(product, exponent), "{d:#06x} {dx:?} {s}");
        }
        let exact = f64::from(fp16_to_f32(d)) * dx.abs().to_f64();
        if let Some(scale) = Scale::new(exact) {
            assert_eq!((scale.place(s), false), (value, saturated), "fast {d:#06x} {dx:?} {s}");
        }
    }

    proptest! {
        #[test]
        fn place_is_the_rounded_rational(d in any::<u16>(), f in 0u32..0x8000, e in 0u32..=254, s in -524288i32..=524288) {
            check(d, F24::from_bits(e << 23 | f << 8), s);
        }

        #[test]
        fn place_rounds_ties_to_even(d in 0x0400u16..0x4400, e in 90u32..120, k in 0u32..8, s in -64i32..64) {
            check(d & 0xfc00, F24::from_bits(e << 23 | k << 20), s);
        }

        #[test]
        fn place2_is_the_rounded_rational(a in any::<u32>(), b in any::<u32>(), s in -516128i32..=516128) {
            let (a, b) = (F24::from_bits(a & 0x7f7f_ffff), F24::from_bits(b & 0x7f7f_ffff));
            let product = i128::from(a.significand()) * i128::from(b.significand()) * i128::from(s);
            let (value, saturated) = place2(a, b, s);
            let sum = a.exponent() + b.exponent();
            let limit = !(-TERM_LIMIT..TERM_LIMIT).contains(&value);
            prop_assert_eq!(saturated, sum > 260 && product != 0 || limit);
            if sum <= 260 {
                prop_assert_eq!(value, place_rational(product, sum - 284));
            }
            if let Some(scale) = Scale::new(a.to_f64() * b.to_f64()) {
                prop_assert_eq!((scale.place(s), false), (value, saturated));
            }
        }

        #[test]
        fn place1_is_the_rounded_value(bits in any::<u32>()) {
            let x = F24::from_bits(bits & 0xff7f_ffff);
            let (value, saturated) = place1(x);
            prop_assert_eq!(saturated, x.exponent() > 153);
            if !saturated {
                let m = i128::from(x.significand());
                prop_assert_eq!(value, place_rational(if x.is_negative() { -m } else { m }, x.exponent() - 142));
            }
        }

        #[test]
        fn a_sum_becomes_the_nearest_float(value in any::<i64>(), drop in 0u32..63) {
            let value = value >> drop;
            let float = i128::from(value);
            // The two f24 neighbours are 2^(m-15) apart; the result must be within half of that.
            let got = to_f24(value);
            let exact = got.to_f64() * 2f64.powi(LSB);
            let step = 1i128 << (63 - value.unsigned_abs().leading_zeros() as i32 - 15).max(0);
            let distance = (exact as i128 - float).abs();
            prop_assert!(2 * distance <= step);
            if 2 * distance == step && step > 1 {
                prop_assert_eq!(got.to_bits() >> 8 & 1, 0);
            }
        }
    }

    #[test]
    fn every_fp16_is_exact() {
        for bits in 0..=u16::MAX {
            let (sd, ed) = split_fp16(bits);
            assert_eq!(f64::from(sd) * 2f64.powi(ed), f64::from(fp16_to_f32(bits)));
            let reference = half::f16::from_bits(bits);
            if reference.is_finite() {
                assert_eq!(reference.to_f32().to_bits(), fp16_to_f32(bits).to_bits());
            }
        }
    }

    #[test]
    fn extremes() {
        let worst = -128 * 127 * 32;
        for d in [0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x0400, 0x7bff, 0xfbff, 0x7c00, 0x7fff] {
            for dx in [F24::ZERO, F24::MIN_POSITIVE, F24::ONE, F24::MAX] {
                for s in [0, 1, -1, worst, -worst] {
                    check(d, dx, s);
                }
            }
        }
        // The largest product that fits: r = 0 at ed = 5, ex = 118.
        let dx = F24::from_bits(118 << 23 | 0x7fff00);
        assert_eq!(place(0x7bff, dx, worst), (-(2047i64 * 65535 * 520_192) << 17, true));
        assert!(place(0x7bff, F24::from_bits(119 << 23), 1).1);
    }

    #[test]
    fn the_accumulator_wraps_and_flags() {
        let mut a = Accumulator { value: i64::MAX, saturated: false };
        a.add((1, false));
        assert_eq!(a, Accumulator { value: i64::MIN, saturated: true });
        a.sub((1, false));
        assert_eq!(a, Accumulator { value: i64::MAX, saturated: true });
        assert_eq!(to_f24(i64::MIN).to_f64(), -(2f64.powi(27)));
        assert_eq!(to_f24(i64::MAX).to_f64(), 2f64.powi(27));
        assert_eq!(to_f24(0), F24::ZERO);
        assert_eq!(to_f24(-1).to_f64(), -(2f64.powi(-36)));
    }
}
