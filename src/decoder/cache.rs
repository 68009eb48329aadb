// SPDX-License-Identifier: MIT OR Apache-2.0
//! The KV cache: rows of K and V as int8 blocks of `min(32, head size)` with one f24 scale each.

use heddle_core::numerics::F24;
use heddle_core::numerics::attention::Blocks;
use heddle_core::numerics::quant::{BLOCK, quantise_block};

/// Vectors of one length, each in equal int8 blocks; grows by one with each push.
#[derive(Clone, Debug)]
pub struct Rows {
    size: usize,
    block: usize,
    d: Vec<F24>,
    q: Vec<i8>,
}

impl Rows {
    /// No vectors yet; each will have `size` elements, in blocks of `min(32, size)`.
    pub fn new(size: usize) -> Rows {
        Rows { size, block: BLOCK.min(size), d: Vec::new(), q: Vec::new() }
    }

    pub fn clear(&mut self) {
        self.d.clear();
        self.q.clear();
    }

    /// Quantises a vector and appends it.
    pub fn push(&mut self, x: &[F24]) {
        for x in x.chunks(self.block) {
            let start = self.q.len();
            self.q.resize(start + x.len(), 0);
            self.d.push(quantise_block(x, &mut self.q[start..]));
        }
    }

    /// The vectors, in the order in which they were pushed.
    pub fn iter(&self) -> impl Iterator<Item = Blocks<'_>> {
        let scales = self.d.chunks_exact(self.size / self.block);
        scales.zip(self.q.chunks_exact(self.size)).map(|(d, q)| Blocks { d, q })
    }
}

/// Keys and values of one layer, by KV head.
#[derive(Clone, Debug)]
pub struct LayerCache {
    heads: Vec<Head>,
    head_size: usize,
}

/// One row for each position.
#[derive(Clone, Debug)]
pub struct Head {
    pub k: Rows,
    pub v: Rows,
}

impl LayerCache {
    pub fn new(heads: usize, head_size: usize) -> LayerCache {
        let rows = || Rows::new(head_size);
        LayerCache { heads: vec![Head { k: rows(), v: rows() }; heads], head_size }
    }

    pub fn clear(&mut self) {
        for head in &mut self.heads {
            head.k.clear();
            head.v.clear();
        }
    }

    /// Appends one position; `k` and `v`: heads x head size.
    pub fn push(&mut self, k: &[F24], v: &[F24]) {
        let rows = k.chunks_exact(self.head_size).zip(v.chunks_exact(self.head_size));
        for (head, (k, v)) in self.heads.iter_mut().zip(rows) {
            head.k.push(k);
            head.v.push(v);
        }
    }

    pub fn head(&self, index: usize) -> &Head {
        &self.heads[index]
    }
}
