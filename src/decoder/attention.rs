// SPDX-License-Identifier: MIT OR Apache-2.0
//! Attention of one token over the KV cache, head by head.

use heddle_core::numerics::F24;
use heddle_core::numerics::attention::{Blocks, WeightedSum, dot, softmax};
use rayon::prelude::*;

use super::cache::{Head, LayerCache, Rows};
use crate::model::llama::ModelSpec;

/// Positions times elements from which heads are worth more than one thread.
const PARALLEL: usize = 1 << 16;

/// The arithmetic of one layer's attention and its flag.
pub struct Attention {
    head_size: usize,
    /// Query heads that share a KV head.
    group: usize,
    inv_sqrt: F24,
    saturated: bool,
}

impl Attention {
    pub fn new(spec: &ModelSpec) -> Attention {
        Attention {
            head_size: spec.head_size,
            group: spec.heads / spec.kv_heads,
            inv_sqrt: F24::from_f64(1.0 / (spec.head_size as f64).sqrt()),
            saturated: false,
        }
    }

    /// Whether any sum left its range.
    pub fn saturated(&self) -> bool {
        self.saturated
    }

    /// `q` and `y`: heads x head size; the cache ends with the token's own position.
    pub fn token(&mut self, q: &[F24], cache: &LayerCache, y: &mut [F24]) {
        let (size, group, inv_sqrt) = (self.head_size, self.group, self.inv_sqrt);
        let one = |(i, (q, y)): (usize, (&[F24], &mut [F24]))| head(q, cache.head(i / group), inv_sqrt, y);
        let positions = cache.head(0).k.iter().count();
        self.saturated |= match positions * q.len() >= PARALLEL {
            true => q.par_chunks(size).zip(y.par_chunks_mut(size)).enumerate().map(one).reduce(|| false, |a, b| a | b),
            false => q.chunks_exact(size).zip(y.chunks_exact_mut(size)).enumerate().map(one).fold(false, |a, b| a | b),
        };
    }
}

/// One head; tells whether a sum left its range.
fn head(q: &[F24], cache: &Head, inv_sqrt: F24, y: &mut [F24]) -> bool {
    let mut quantised = Rows::new(q.len());
    quantised.push(q);
    let Some(q) = quantised.iter().next() else { return false };
    let (mut scores, mut saturated) = scores(q, &cache.k, inv_sqrt);
    let inv = softmax(&mut scores);
    let mut sum = WeightedSum::new(y.len());
    for (p, v) in scores.iter().zip(cache.v.iter()) {
        sum.add(*p, v);
    }
    sum.finish(inv, y);
    saturated |= sum.saturated();
    saturated
}

/// The score of each position.
fn scores(q: Blocks, keys: &Rows, inv_sqrt: F24) -> (Vec<F24>, bool) {
    let mut saturated = false;
    let score = |k| {
        let sum = dot(q, k);
        saturated |= sum.saturated;
        sum.to_f24() * inv_sqrt
    };
    (keys.iter().map(score).collect(), saturated)
}
