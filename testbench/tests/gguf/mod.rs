// SPDX-License-Identifier: MIT OR Apache-2.0
//! The quantised matrices of a GGUF file that is known to be good: just enough of a reader for tests.

use heddle_core::config::Format;
use std::path::Path;

/// A matrix in GGUF's blocks.
pub struct Tensor {
    pub name: String,
    pub format: Format,
    pub rows: usize,
    /// Blocks of 32 in a row.
    pub blocks: usize,
    pub weights: Vec<u8>,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn number(&mut self, bytes: usize) -> usize {
        let value = self.bytes[self.at..self.at + bytes].iter().rev().fold(0, |n, b| n << 8 | usize::from(*b));
        self.at += bytes;
        value
    }

    fn text(&mut self) -> String {
        let length = self.number(8);
        self.at += length;
        String::from_utf8_lossy(&self.bytes[self.at - length..self.at]).into_owned()
    }

    /// Skips a value of the metadata.
    fn skip(&mut self, kind: usize) {
        match kind {
            8 => drop(self.text()),
            9 => {
                let (kind, count) = (self.number(4), self.number(8));
                (0..count).for_each(|_| self.skip(kind));
            }
            _ => self.at += [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8][kind],
        }
    }
}

/// The matrices in a format of the device, without those whose shape came before.
pub fn matrices(path: &Path) -> Vec<Tensor> {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut r = Reader { bytes: &bytes, at: 8 };
    let (tensors, keys) = (r.number(8), r.number(8));
    for _ in 0..keys {
        r.text();
        let kind = r.number(4);
        r.skip(kind);
    }
    let infos: Vec<_> = (0..tensors)
        .map(|_| {
            let (name, rank) = (r.text(), r.number(4));
            let shape: Vec<usize> = (0..rank).map(|_| r.number(8)).collect();
            (name, shape, r.number(4) as u32, r.number(8))
        })
        .collect();
    let data = r.at.next_multiple_of(32);
    let mut out: Vec<Tensor> = Vec::new();
    for (name, shape, kind, offset) in infos {
        let (Some(format), &[cols, rows]) = (Format::from_ggml_type(kind), &shape[..]) else { continue };
        let blocks = cols / 32;
        if out.iter().any(|t| (t.format, t.rows, t.blocks) == (format, rows, blocks)) {
            continue;
        }
        let weights = bytes[data + offset..][..rows * blocks * format.block_bytes()].to_vec();
        out.push(Tensor { name, format, rows, blocks, weights });
    }
    out
}
