// SPDX-License-Identifier: MIT OR Apache-2.0
//! f24: 1 sign, 8 exponent (bias 127) and 15 fraction bits, held as the f32 with the same value.
//!
//! Every operation computes the exact result and rounds it once, to nearest even. It goes through
//! `f64`, whose 53 bits make the second rounding innocuous for `+ - * / sqrt` (53 >= 2 * 16 + 2).
//! Results below the normal range flush to a zero of their sign, results above it saturate.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A vector float. Invariants: the low 8 bits are zero and the exponent field is not 0 with a
/// non-zero fraction. Equality is equality of bits, so `+0 != -0`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct F24(u32);

/// Fraction bits that an f64 has more than an f24.
const DROP: u32 = 52 - 15;
/// An f64 exponent field minus this is the f24 exponent field.
const REBIAS: u64 = 1023 - 127;

impl F24 {
    pub const ZERO: F24 = F24(0);
    pub const ONE: F24 = F24(0x3f80_0000);
    pub const HALF: F24 = F24(0x3f00_0000);
    /// The largest finite value, `(2 - 2^-15) * 2^127`; what an overflow saturates to.
    pub const MAX: F24 = F24(0x7f7f_ff00);
    /// The smallest positive value, `2^-126`.
    pub const MIN_POSITIVE: F24 = F24(0x0080_0000);

    /// Takes bits as they stand in memory; the low byte is dropped, a subnormal becomes a zero.
    #[inline]
    pub const fn from_bits(bits: u32) -> F24 {
        if bits & 0x7f80_0000 == 0 { F24(bits & 0x8000_0000) } else { F24(bits & 0xffff_ff00) }
    }

    /// The `u32` that is stored in memory.
    #[inline]
    pub const fn to_bits(self) -> u32 {
        self.0
    }

    /// Builds `(-1)^negative * significand * 2^(exponent - 142)`.
    ///
    /// `significand`: 0 or 2^15 .. 2^16 - 1; `exponent`: the field. An exponent below 1 flushes,
    /// one above 254 saturates; the flag tells the latter.
    #[inline]
    pub const fn from_parts(negative: bool, significand: u32, exponent: i32) -> (F24, bool) {
        let sign = (negative as u32) << 31;
        if significand == 0 || exponent < 1 {
            return (F24(sign), false);
        }
        if exponent > 254 {
            return (F24(sign | F24::MAX.0), true);
        }
        (F24(sign | (exponent as u32) << 23 | (significand & 0x7fff) << 8), false)
    }

    /// `(-1)^negative * magnitude * 2^exponent`, rounded once to nearest even; the flag as in [`F24::round`].
    #[inline]
    pub const fn from_integer(negative: bool, magnitude: u64, exponent: i32) -> (F24, bool) {
        if magnitude == 0 {
            return F24::from_parts(negative, 0, 0);
        }
        let zeros = magnitude.leading_zeros() as i32;
        let aligned = magnitude << zeros;
        // 16 bits stay, 48 go; a rounded-up 0xffff carries.
        let (kept, rest) = ((aligned >> 48) as u32, aligned << 16);
        let kept = kept + (rest > 1 << 63 || (rest == 1 << 63 && kept & 1 == 1)) as u32;
        let carry = kept >> 16;
        F24::from_parts(negative, kept >> carry, exponent + 190 - zeros + carry as i32)
    }

    /// Rounds once to nearest even; the flag is set when the value saturated (infinities and NaN do).
    #[inline]
    pub fn round(x: f64) -> (F24, bool) {
        let bits = x.to_bits();
        let sign = ((bits >> 32) as u32) & 0x8000_0000;
        let magnitude = bits & !(1 << 63);
        // Exponent and fraction together: a carry out of the fraction raises the exponent.
        let rounded = (magnitude + ((1 << (DROP - 1)) - 1) + (magnitude >> DROP & 1)) >> DROP;
        if rounded < (REBIAS + 1) << 15 {
            (F24(sign), false)
        } else if rounded >= (REBIAS + 255) << 15 {
            (F24(sign | F24::MAX.0), true)
        } else {
            (F24(sign | ((rounded - (REBIAS << 15)) as u32) << 8), false)
        }
    }

    /// [`F24::round`] without the flag.
    #[inline]
    pub fn from_f64(x: f64) -> F24 {
        F24::round(x).0
    }

    /// Rounds an f32 once; the flag is set when the value saturated.
    #[inline]
    pub fn round_f32(x: f32) -> (F24, bool) {
        F24::round(f64::from(x))
    }

    /// [`F24::round_f32`] without the flag.
    #[inline]
    pub fn from_f32(x: f32) -> F24 {
        F24::from_f64(f64::from(x))
    }

    /// Exact.
    #[inline]
    pub fn to_f32(self) -> f32 {
        f32::from_bits(self.0)
    }

    /// Exact.
    #[inline]
    pub fn to_f64(self) -> f64 {
        f64::from(self.to_f32())
    }

    #[inline]
    pub const fn is_negative(self) -> bool {
        self.0 >> 31 != 0
    }

    #[inline]
    pub const fn is_zero(self) -> bool {
        self.0 << 1 == 0
    }

    /// The exponent field, 0..=255 (255 only from bits that no operation produces).
    #[inline]
    pub const fn exponent(self) -> i32 {
        (self.0 >> 23 & 0xff) as i32
    }

    /// The significand with its hidden bit: 2^15 .. 2^16 - 1, or 0 for a zero.
    #[inline]
    pub const fn significand(self) -> u32 {
        if self.exponent() == 0 { 0 } else { 0x8000 | (self.0 >> 8 & 0x7fff) }
    }

    #[inline]
    pub const fn abs(self) -> F24 {
        F24(self.0 & 0x7fff_ffff)
    }

    /// The square root; a negative operand gives +0.
    #[inline]
    pub fn sqrt(self) -> F24 {
        if self.is_negative() { F24::ZERO } else { F24::from_f64(self.to_f64().sqrt()) }
    }

    /// Multiplies by `2^k` exactly (flushing and saturating at the ends of the range).
    #[inline]
    pub const fn scale(self, k: i32) -> F24 {
        F24::from_parts(self.is_negative(), self.significand(), self.exponent().saturating_add(k)).0
    }

    /// The larger of two, with `-0 < +0`, so that a maximum does not depend on the order.
    #[inline]
    pub fn max(self, other: F24) -> F24 {
        if self.order() >= other.order() { self } else { other }
    }

    /// Sign-magnitude bits as an integer of the same order.
    #[inline]
    const fn order(self) -> i32 {
        let bits = self.0 as i32;
        bits ^ (bits >> 31 & 0x7fff_ffff)
    }
}

impl PartialOrd for F24 {
    fn partial_cmp(&self, other: &F24) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The order of the values, with `-0 < +0`.
impl Ord for F24 {
    fn cmp(&self, other: &F24) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl Add for F24 {
    type Output = F24;
    #[inline]
    fn add(self, other: F24) -> F24 {
        F24::from_f64(self.to_f64() + other.to_f64())
    }
}

impl Sub for F24 {
    type Output = F24;
    #[inline]
    fn sub(self, other: F24) -> F24 {
        F24::from_f64(self.to_f64() - other.to_f64())
    }
}

impl Mul for F24 {
    type Output = F24;
    #[inline]
    fn mul(self, other: F24) -> F24 {
        F24::from_f64(self.to_f64() * other.to_f64())
    }
}

/// Division by a zero (`0 / 0` too) gives the largest value with the sign of the quotient.
impl Div for F24 {
    type Output = F24;
    #[inline]
    fn div(self, other: F24) -> F24 {
        if other.is_zero() {
            return F24((self.0 ^ other.0) & 0x8000_0000 | F24::MAX.0);
        }
        F24::from_f64(self.to_f64() / other.to_f64())
    }
}

impl Neg for F24 {
    type Output = F24;
    #[inline]
    fn neg(self) -> F24 {
        F24(self.0 ^ 0x8000_0000)
    }
}

impl fmt::Debug for F24 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:e} (0x{:08x})", self.to_f32(), self.0)
    }
}

impl fmt::Display for F24 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_f32().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `significand * 2^exponent`, rounded in integers; an independent statement of the rule.
    fn round_integer(negative: bool, significand: u128, exponent: i32) -> F24 {
        if significand == 0 {
            return F24::from_bits((negative as u32) << 31);
        }
        let length = 128 - significand.leading_zeros() as i32;
        let (mut kept, shift) = (significand, length - 16);
        if shift <= 0 {
            kept <<= -shift;
        } else {
            let rest = significand & ((1 << shift) - 1);
            kept >>= shift;
            let half = 1u128 << (shift - 1);
            kept += u128::from(rest > half || (rest == half && kept & 1 == 1));
        }
        let carry = (kept >> 16) as i32;
        F24::from_parts(negative, (kept >> carry) as u32, exponent + shift + carry + 142).0
    }

    fn finite() -> impl Strategy<Value = F24> {
        (any::<bool>(), 0u32..=0x7fff, 0u32..=254).prop_map(|(s, f, e)| F24::from_bits((s as u32) << 31 | e << 23 | f << 8))
    }

    /// Exponents close together, so that sums cancel and carry.
    fn near() -> impl Strategy<Value = F24> {
        (any::<bool>(), 0u32..=0x7fff, 110u32..=144).prop_map(|(s, f, e)| F24::from_bits((s as u32) << 31 | e << 23 | f << 8))
    }

    fn sum_integer(a: F24, b: F24) -> F24 {
        let low = a.exponent().min(b.exponent());
        let value = |x: F24| {
            let m = (x.significand() as i128) << (x.exponent() - low);
            if x.is_negative() { -m } else { m }
        };
        let sum = value(a) + value(b);
        round_integer(sum < 0, sum.unsigned_abs(), low - 142)
    }

    proptest! {
        #[test]
        fn product_is_rounded_once(a in finite(), b in finite()) {
            let negative = a.is_negative() != b.is_negative();
            let exact = u128::from(a.significand()) * u128::from(b.significand());
            prop_assert_eq!(F24::from_integer(negative, exact as u64, a.exponent() + b.exponent() - 284).0, a * b);
            prop_assert_eq!(a * b, round_integer(negative, exact, a.exponent() + b.exponent() - 284));
        }

        #[test]
        fn sum_is_rounded_once(a in near(), b in near()) {
            prop_assert_eq!(a + b, sum_integer(a, b));
            prop_assert_eq!(a - b, sum_integer(a, -b));
        }

        #[test]
        fn quotient_is_rounded_once(a in finite(), b in finite()) {
            prop_assume!(!b.is_zero());
            // 64 more bits than the quotient needs, the last one sticky.
            let (n, d) = (u128::from(a.significand()) << 64, u128::from(b.significand()));
            let exact = ((n / d) << 1) | u128::from(n % d != 0);
            let negative = a.is_negative() != b.is_negative();
            prop_assert_eq!(a / b, round_integer(negative, exact, a.exponent() - b.exponent() - 65));
        }

        #[test]
        fn root_is_rounded_once(a in finite()) {
            let a = a.abs();
            let odd = (a.exponent() & 1) as u32;
            let n = u128::from(a.significand()) << (80 + odd);
            let root = n.isqrt();
            let exact = root << 1 | u128::from(root * root != n);
            prop_assert_eq!(a.sqrt(), round_integer(false, exact, (a.exponent() - 142 - 80 - odd as i32) / 2 - 1));
        }

        #[test]
        fn order_is_that_of_the_values(a in finite(), b in finite()) {
            if a.to_f32() != b.to_f32() {
                prop_assert_eq!(a < b, a.to_f32() < b.to_f32());
            }
            prop_assert_eq!(a.max(b), b.max(a));
        }

        #[test]
        fn scaling_is_exact(a in near(), k in -50i32..50) {
            prop_assert_eq!(a.scale(k).to_f64(), a.to_f64() * 2f64.powi(k));
        }
    }

    #[test]
    fn ends_of_the_range() {
        assert_eq!(F24::MAX + F24::MAX, F24::MAX);
        assert_eq!(F24::round(1e39), (F24::MAX, true));
        assert_eq!(F24::round(-f64::INFINITY), (-F24::MAX, true));
        assert!(F24::round(f64::NAN).1);
        assert_eq!(F24::round(f64::from(f32::MAX)), (F24::MAX, true), "rounds up past the largest");
        assert_eq!(F24::MIN_POSITIVE * F24::HALF, F24::ZERO);
        assert_eq!(-F24::MIN_POSITIVE * F24::HALF, -F24::ZERO);
        // Rounds as with an unlimited exponent, then looks at the range.
        assert_eq!(F24::from_f64(2f64.powi(-126) * (1.0 - 2f64.powi(-20))), F24::MIN_POSITIVE);
        assert_eq!(F24::ONE - F24::ONE, F24::ZERO);
        assert_eq!(F24::ONE / F24::ZERO, F24::MAX);
        assert_eq!(-F24::ONE / F24::ZERO, -F24::MAX);
        assert_eq!(F24::from_bits(0x8000_4200), -F24::ZERO);
        assert_eq!((-F24::ONE).sqrt(), F24::ZERO);
    }
}
