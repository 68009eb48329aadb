// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sums of squares and RMS normalisation, independent of the order of elements.

use super::f24::F24;
use super::functions::rsqrt;
use super::grid::shift;

/// Elements are scaled down by no less than this exponent field (2^-32): below it, squares are
/// nothing beside any epsilon, and the scaled epsilon stays in range.
const SCALE_MIN: i32 = 127 - 32;
/// The LSB of a sum of squares of scaled elements is `2^-SQUARES_LSB`.
const SQUARES_LSB: i32 = 44;

/// A sum of squares of elements that were scaled by `2^-k`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Squares {
    /// In units of `2^-44 * 4^k`; a scaled element's square is below 4 and is rounded once to this.
    pub sum: i64,
    /// The largest element's exponent, at least -32.
    pub k: i32,
}

impl Squares {
    /// `sum x[i]^2` of at most 65536 elements. At least 44 bits stay below the largest square.
    pub fn of(x: &[F24]) -> Squares {
        let largest = x.iter().map(|x| x.exponent()).fold(SCALE_MIN, i32::max);
        let square = |x: &F24| {
            let s = i64::from(x.significand());
            shift((s * s) << 14, 2 * (largest - x.exponent())).0
        };
        Squares { sum: x.iter().map(square).fold(0, i64::wrapping_add), k: largest - 127 }
    }

    /// The sum of the scaled squares as a float (without the factor `4^k`), rounded once.
    pub fn to_f24(self) -> F24 {
        F24::from_integer(false, self.sum as u64, -SQUARES_LSB).0
    }
}

/// `y[i] = x[i] / sqrt(mean(x^2) + epsilon) * weight[i]`, for any magnitude of `x`.
///
/// With `k` the largest exponent: `inv = rsqrt(sum * inv_n + epsilon * 4^-k)`, then
/// `y[i] = ((x[i] * 2^-k) * inv) * weight[i]`, each operation rounded to f24.
/// `inv_n`: `1 / n` in f24. All slices have `n` elements, at most 65536. ggml: `rms_norm`, `mul`.
pub fn rms_norm(x: &[F24], weight: &[F24], inv_n: F24, epsilon: F24, y: &mut [F24]) {
    let squares = Squares::of(x);
    let inv = rsqrt(squares.to_f24() * inv_n + epsilon.scale(-2 * squares.k));
    for ((x, weight), y) in x.iter().zip(weight).zip(y) {
        *y = x.scale(-squares.k) * inv * *weight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(exponents: std::ops::Range<u32>) -> impl Strategy<Value = Vec<F24>> {
        let value = (any::<bool>(), exponents, 0u32..0x8000).prop_map(|(s, e, f)| F24::from_bits(u32::from(s) << 31 | e << 23 | f << 8));
        proptest::collection::vec(value, 1..200)
    }

    proptest! {
        #[test]
        fn same_bits_in_any_order(x in values(1..255), by in 0usize..200) {
            let mut turned = x.clone();
            turned.rotate_left(by % x.len());
            turned.reverse();
            prop_assert_eq!(Squares::of(&x), Squares::of(&turned));
        }

        #[test]
        fn a_sum_keeps_32_bits(x in values(95..255)) {
            let squares = Squares::of(&x);
            let scale = 2f64.powi(-squares.k);
            let exact: f64 = x.iter().map(|x| (x.to_f64() * scale).powi(2)).sum();
            let got = squares.sum as f64 * 2f64.powi(-SQUARES_LSB);
            prop_assert!((got - exact).abs() <= exact * 2f64.powi(-32));
        }

        #[test]
        fn norm_is_close_at_any_magnitude(x in values(110..130), k in -100i32..110) {
            let x: Vec<F24> = x.iter().map(|x| x.scale(k)).collect();
            let n = x.len();
            let (ones, mut y) = (vec![F24::ONE; n], vec![F24::ZERO; n]);
            rms_norm(&x, &ones, F24::from_f64(1.0 / n as f64), F24::from_f64(1e-5), &mut y);
            let mean = x.iter().map(|x| x.to_f64().powi(2)).sum::<f64>() / n as f64;
            for (x, y) in x.iter().zip(y) {
                let exact = x.to_f64() / (mean + 1e-5).sqrt();
                // Half an ulp each: 1/n, sum, product, epsilon, their sum (halved by the root), rsqrt, product.
                prop_assert!((y.to_f64() - exact).abs() <= exact.abs() * 4.0 * 2f64.powi(-15) + 1e-30);
            }
        }
    }

    #[test]
    fn extremes() {
        let mut y = [F24::ONE; 2];
        rms_norm(&[F24::ZERO; 2], &[F24::ONE; 2], F24::HALF, F24::from_f32(1e-5), &mut y);
        assert_eq!(y, [F24::ZERO; 2]);
        rms_norm(&[F24::MAX; 2], &[F24::ONE; 2], F24::HALF, F24::from_f32(1e-5), &mut y);
        assert!(y.iter().all(|y| (y.to_f64() - 1.0).abs() < 1e-4), "{y:?}");
        assert_eq!(Squares::of(&[F24::MAX; 65536]).sum, (65535i64 * 65535) << 30);
    }
}
