// SPDX-License-Identifier: MIT OR Apache-2.0
//! Activations as int8 blocks with one f24 scale: ggml's Q8_0 rule, computed in f24.

use super::f24::F24;
use super::grid::round_to_i64;

/// Elements of a block, for weights and activations.
pub const BLOCK: usize = 32;

/// One quantised vector: `q.len() / BLOCK` blocks; element `i` is about `d[i / BLOCK] * q[i]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activations {
    pub d: Vec<F24>,
    pub q: Vec<i8>,
}

impl Activations {
    /// Quantises a vector; a last block that is not full is filled with zeros.
    pub fn quantise(x: &[F24]) -> Activations {
        let mut out = Activations { d: Vec::with_capacity(x.len().div_ceil(BLOCK)), q: vec![0; x.len().next_multiple_of(BLOCK)] };
        out.d.extend(x.chunks(BLOCK).zip(out.q.chunks_mut(BLOCK)).map(|(x, q)| quantise_block(x, q)));
        out
    }

    /// Number of blocks.
    pub fn blocks(&self) -> usize {
        self.d.len()
    }
}

/// Quantises one block of at most [`BLOCK`] elements into the first `x.len()` of `q`; gives its scale.
///
/// `amax = max |x|`, `dx = amax / 127`, `inv = 127 / amax`, each rounded once to f24;
/// `q = clamp(round_half_even(f24(x * inv)), -127, 127)`. A block whose `dx` is zero has `q = 0`.
pub fn quantise_block(x: &[F24], q: &mut [i8]) -> F24 {
    let amax = x.iter().fold(0, |m, x| m.max(x.abs().to_bits()));
    let amax = F24::from_bits(amax).to_f64();
    let dx = F24::from_f64(amax / 127.0);
    if dx.is_zero() {
        q[..x.len()].fill(0);
        return F24::ZERO;
    }
    let inv = F24::from_f64(127.0 / amax).to_f64();
    for (x, q) in x.iter().zip(q) {
        // |x * inv| is about 127 at most, so neither rounding can leave its range.
        let scaled = (*x).to_f64() * inv;
        *q = round_to_i64(round_to_16_bits(scaled)).clamp(-127, 127) as i8;
    }
    dx
}

/// An f64 rounded to 16 significant bits; f24's rounding away from the ends of its range.
///
/// (A product so small that f24 would flush it is 0 after the rounding to an integer either way.)
#[inline]
fn round_to_16_bits(x: f64) -> f64 {
    let bits = x.to_bits();
    let rounded = bits + ((1 << 36) - 1) + (bits >> 37 & 1);
    f64::from_bits(rounded & !((1 << 37) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block() -> impl Strategy<Value = Vec<F24>> {
        (proptest::collection::vec(-1f32..1f32, 1..=BLOCK), -100i32..100)
            .prop_map(|(x, e)| x.iter().map(|x| F24::from_f64(f64::from(*x) * 2f64.powi(e))).collect())
    }

    /// The rule as the specification words it, with one f24 operation after the other.
    fn by_the_words(x: &[F24]) -> (F24, Vec<i8>) {
        let seven = F24::from_f32(127.0);
        let amax = x.iter().fold(F24::ZERO, |m, x| m.max(x.abs()));
        let dx = amax / seven;
        if dx.is_zero() {
            return (F24::ZERO, vec![0; x.len()]);
        }
        let inv = seven / amax;
        let q = x.iter().map(|x| (*x * inv).to_f32().round_ties_even().clamp(-127.0, 127.0) as i8);
        (dx, q.collect())
    }

    /// ggml's `quantize_row_q8_0_ref`: f32 arithmetic, halves away from zero (scale before fp16).
    fn ggml(x: &[F24]) -> (f32, Vec<f32>) {
        let amax = x.iter().fold(0f32, |m, x| m.max(x.to_f32().abs()));
        let d = amax / 127.0;
        let id = if d == 0.0 { 0.0 } else { 1.0 / d };
        (d, x.iter().map(|x| x.to_f32() * id).collect())
    }

    proptest! {
        #[test]
        fn fast_path_equals_the_words(x in block()) {
            let mut q = vec![0; x.len()];
            let d = quantise_block(&x, &mut q);
            prop_assert_eq!((d, q), by_the_words(&x));
        }

        #[test]
        fn within_a_rounding_of_ggml(x in block()) {
            let mut q = vec![0; x.len()];
            let d = quantise_block(&x, &mut q);
            let (theirs, scaled) = ggml(&x);
            prop_assert!((d.to_f32() - theirs).abs() <= theirs * 2f32.powi(-16));
            for (q, scaled) in q.iter().zip(scaled) {
                // Two roundings to f24 (inv, product) move a value by at most 2^-15 of itself.
                prop_assert!((f32::from(*q) - scaled).abs() <= 0.5 + scaled.abs() * 2f32.powi(-15));
            }
        }

        #[test]
        fn the_largest_element_is_127(x in block()) {
            let mut q = vec![0; x.len()];
            let d = quantise_block(&x, &mut q);
            let largest = q.iter().map(|q| q.unsigned_abs()).max();
            prop_assert_eq!(largest, Some(if d.is_zero() { 0 } else { 127 }));
            prop_assert!(!q.contains(&-128));
        }
    }

    #[test]
    fn zero_tiny_and_huge_blocks() {
        let zero = Activations::quantise(&[F24::ZERO; 40]);
        assert_eq!((zero.d, zero.q), (vec![F24::ZERO; 2], vec![0; 64]));
        for x in [F24::MIN_POSITIVE, F24::MIN_POSITIVE.scale(6), F24::MIN_POSITIVE.scale(7), F24::MAX, -F24::MAX] {
            let mut q = [1; 2];
            let d = quantise_block(&[x, F24::ZERO], &mut q);
            assert_eq!((d, q.to_vec()), by_the_words(&[x, F24::ZERO]));
        }
    }
}
