// SPDX-License-Identifier: MIT OR Apache-2.0
//! Attention over int8 blocks: rotation, scores, softmax and the weighted sum of values.
//!
//! Sums are on the grid of [`super::grid`], so no result depends on the order of positions or blocks.
//! A K or V row of a head is blocks of `min(32, head size)` int8 with one f24 scale each.

use super::f24::F24;
use super::functions::{exp, reciprocal};
use super::grid::{Accumulator, Scale, place1, place2};

/// Rotates one pair: `(x0 c - x1 s, x0 s + x1 c)`; each product and each sum is rounded to f24.
pub fn rotate(x0: F24, x1: F24, cos: F24, sin: F24) -> (F24, F24) {
    (x0 * cos - x1 * sin, x0 * sin + x1 * cos)
}

/// A vector as int8 blocks: `d.len()` equal blocks of `q`, one scale each.
#[derive(Clone, Copy, Debug)]
pub struct Blocks<'a> {
    pub d: &'a [F24],
    pub q: &'a [i8],
}

/// `sum q[i] k[i]` on the grid: `place2(dq, dk, sum of one block)` over the blocks.
///
/// Both have the same number of blocks and of elements, at most 32 elements to a block.
pub fn dot(q: Blocks, k: Blocks) -> Accumulator {
    let mut sum = Accumulator::default();
    let size = block_size(k);
    let (mut q_rest, mut k_rest) = (q.q, k.q);
    for (dq, dk) in q.d.iter().zip(k.d) {
        let s = integer_dot(next_block(&mut q_rest, size), next_block(&mut k_rest, size));
        match Scale::new(dq.to_f64() * dk.to_f64()) {
            Some(scale) => sum.add((scale.place(s), false)),
            None => sum.add(place2(*dq, *dk, s)),
        }
    }
    sum
}

fn integer_dot(q: &[i8], k: &[i8]) -> i32 {
    q.iter().zip(k).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
}

/// Softmax without its division: `s[t]` becomes `exp(s[t] - max s)`; gives the reciprocal of their sum.
///
/// The sum is on the grid and is rounded to f24 once. An empty slice gives [`F24::MAX`].
pub fn softmax(s: &mut [F24]) -> F24 {
    let max = s.iter().copied().fold(-F24::MAX, F24::max);
    let mut sum = Accumulator::default();
    for s in s.iter_mut() {
        *s = exp(*s - max);
        sum.add(place1(*s));
    }
    reciprocal(sum.to_f24())
}

/// A term of a weighted sum at or above this (2^11 in value) raises the flag: 65536 positions then cannot
/// overflow a sum, and the flag does not depend on their order.
const VALUE_LIMIT: i64 = 1 << 47;

/// The weighted sum of value rows of one head, element by element on the grid.
#[derive(Clone, Debug, Default)]
pub struct WeightedSum {
    sums: Vec<i64>,
    saturated: bool,
}

impl WeightedSum {
    /// An empty sum over heads of `size` elements.
    pub fn new(size: usize) -> WeightedSum {
        WeightedSum { sums: vec![0; size], saturated: false }
    }

    /// Back to an empty sum; the flag stays.
    pub fn clear(&mut self) {
        self.sums.fill(0);
    }

    /// Whether any term or sum left its range.
    pub fn saturated(&self) -> bool {
        self.saturated
    }

    /// Adds `place2(p, dv, qv)` to each element. `p`: a softmax weight; `v`: a row of `size` elements.
    pub fn add(&mut self, p: F24, v: Blocks) {
        let size = block_size(v);
        let (mut rest, mut sums_rest) = (v.q, &mut self.sums[..]);
        for dv in v.d {
            let q = next_block(&mut rest, size);
            let (sums, after) = sums_rest.split_at_mut(q.len().min(sums_rest.len()));
            sums_rest = after;
            match Scale::new(p.to_f64() * dv.to_f64()) {
                Some(scale) => self.saturated |= add_placed(scale, q, sums),
                None => self.saturated |= add_exactly(p, *dv, q, sums),
            }
        }
    }

    /// `y[i]` = the sum as f24, times `inv` (the reciprocal of the sum of the weights).
    pub fn finish(&self, inv: F24, y: &mut [F24]) {
        for (sum, y) in self.sums.iter().zip(y) {
            *y = super::grid::to_f24(*sum) * inv;
        }
    }
}

/// Adds terms that cannot saturate; the flag tells an overflow of a sum.
fn add_placed(scale: Scale, q: &[i8], sums: &mut [i64]) -> bool {
    let mut overflow = 0;
    for (q, sum) in q.iter().zip(sums) {
        let term = scale.place(i32::from(*q));
        let new = sum.wrapping_add(term);
        overflow |= (new ^ *sum) & (new ^ term);
        *sum = new;
    }
    overflow < 0
}

fn add_exactly(p: F24, dv: F24, q: &[i8], sums: &mut [i64]) -> bool {
    let mut saturated = false;
    for (q, sum) in q.iter().zip(sums) {
        let mut total = Accumulator { value: *sum, saturated: false };
        let (term, too_large) = place2(p, dv, i32::from(*q));
        total.add((term, too_large || !(-VALUE_LIMIT..VALUE_LIMIT).contains(&term)));
        *sum = total.value;
        saturated |= total.saturated;
    }
    saturated
}

/// Elements of a block. Small heads have one, for which a division would cost as much as the rest.
fn block_size(x: Blocks) -> usize {
    if x.d.len() == 1 { x.q.len() } else { x.q.len() / x.d.len().max(1) }
}

/// Takes the first `size` elements off `rest`, or what is left.
fn next_block<'a>(rest: &mut &'a [i8], size: usize) -> &'a [i8] {
    let (block, after) = rest.split_at(size.min(rest.len()));
    *rest = after;
    block
}

#[cfg(test)]
mod tests {
    use super::super::quant::quantise_block;
    use super::*;
    use proptest::prelude::*;

    const HEAD: usize = 64;

    #[derive(Debug)]
    struct Row {
        d: Vec<F24>,
        q: Vec<i8>,
    }

    impl Row {
        fn new(x: &[f32]) -> Row {
            let x: Vec<F24> = x.iter().map(|x| F24::from_f32(*x)).collect();
            let mut q = vec![0; x.len()];
            let d = x.chunks(32).zip(q.chunks_mut(32)).map(|(x, q)| quantise_block(x, q)).collect();
            Row { d, q }
        }

        fn blocks(&self) -> Blocks<'_> {
            Blocks { d: &self.d, q: &self.q }
        }

        fn values(&self) -> Vec<f64> {
            self.q.iter().enumerate().map(|(i, q)| self.d[i / 32].to_f64() * f64::from(*q)).collect()
        }
    }

    fn row() -> impl Strategy<Value = Row> {
        (proptest::collection::vec(-4f32..4f32, HEAD), -6i32..3)
            .prop_map(|(x, k)| Row::new(&x.iter().map(|x| x * 2f32.powi(k)).collect::<Vec<_>>()))
    }

    proptest! {
        #[test]
        fn a_dot_is_the_rounded_sum(q in row(), k in row()) {
            let sum = dot(q.blocks(), k.blocks());
            let exact: f64 = q.values().iter().zip(k.values()).map(|(a, b)| a * b).sum();
            prop_assert!(!sum.saturated);
            prop_assert!((sum.value as f64 * 2f64.powi(-36) - exact).abs() <= 2f64.powi(-36) + exact.abs() * 1e-14);
            prop_assert_eq!(sum.value, q.d.iter().zip(&k.d).enumerate().map(|(b, (dq, dk))| {
                let s = (32 * b..32 * b + 32).map(|i| i32::from(q.q[i]) * i32::from(k.q[i])).sum();
                place2(*dq, *dk, s).0
            }).sum::<i64>());
        }

        #[test]
        fn same_bits_for_any_order_of_positions(rows in proptest::collection::vec((row(), 0f32..1.0), 1..20), by in 0usize..20) {
            let add = |rows: &mut dyn Iterator<Item = &(Row, f32)>| {
                let mut sum = WeightedSum::new(HEAD);
                rows.for_each(|(v, p)| sum.add(F24::from_f32(*p), v.blocks()));
                sum.sums
            };
            let split = by % rows.len();
            prop_assert_eq!(add(&mut rows.iter()), add(&mut rows[split..].iter().chain(&rows[..split]).rev()));
        }

        #[test]
        fn a_weighted_sum_is_the_rounded_sum(rows in proptest::collection::vec((row(), 0f32..1.0), 1..20)) {
            let mut sum = WeightedSum::new(HEAD);
            let mut exact = vec![0.0; HEAD];
            for (v, p) in &rows {
                let p = F24::from_f32(*p);
                sum.add(p, v.blocks());
                exact.iter_mut().zip(v.values()).for_each(|(e, v)| *e += p.to_f64() * v);
            }
            let mut y = vec![F24::ZERO; HEAD];
            sum.finish(F24::HALF, &mut y);
            prop_assert!(!sum.saturated());
            for (y, exact) in y.iter().zip(exact) {
                prop_assert!((y.to_f64() - exact / 2.0).abs() <= exact.abs() * 2f64.powi(-16) + 1e-9);
            }
        }

        #[test]
        fn softmax_is_close_and_has_no_order(s in proptest::collection::vec(-30f32..30.0, 1..600)) {
            let s: Vec<F24> = s.iter().map(|s| F24::from_f32(*s)).collect();
            let max = s.iter().map(|s| s.to_f64()).fold(f64::MIN, f64::max);
            let total: f64 = s.iter().map(|s| (s.to_f64() - max).exp()).sum();
            let (mut p, mut turned) = (s.clone(), s.clone());
            turned.reverse();
            let inv = softmax(&mut p);
            prop_assert_eq!(inv, softmax(&mut turned));
            prop_assert!((inv.to_f64() * total - 1.0).abs() < 2e-4);
            for (p, s) in p.iter().zip(s) {
                let exact = (s.to_f64() - max).exp();
                // s - max is rounded: at most 2^-11 for a difference below 64.
                prop_assert!((p.to_f64() - exact).abs() <= exact * 6e-4);
            }
        }
    }

    #[test]
    fn too_large_a_term_raises_the_flag() {
        let v = Row { d: vec![F24::MAX], q: vec![1; 32] };
        let mut sum = WeightedSum::new(32);
        sum.add(F24::ONE, v.blocks());
        assert!(sum.saturated() && dot(v.blocks(), v.blocks()).saturated);
        for (d, saturated) in [(16.0, false), (17.0, true)] {
            let v = Row { d: vec![F24::from_f32(d)], q: vec![127; 32] };
            let mut sum = WeightedSum::new(32);
            sum.add(F24::ONE, v.blocks());
            assert_eq!(sum.saturated(), saturated);
        }
    }

    #[test]
    fn rotation_keeps_the_length() {
        let (c, s) = (F24::from_f64(0.8), F24::from_f64(0.6));
        let (a, b) = rotate(F24::from_f32(3.0), F24::from_f32(4.0), c, s);
        assert!((a.to_f64().hypot(b.to_f64()) - 5.0).abs() < 1e-3);
    }
}
