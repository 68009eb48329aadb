// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tensor rows as f32, by ggml's own rules: for norms, embeddings and reference use.

use half::{bf16, f16};

use super::{GgmlType, Tensor};

impl Tensor<'_> {
    /// Row `row` as f32; `None` past the last row or for a type that is not read here
    /// (read: F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q8_0). Source: ggml `dequantize_row_*`.
    pub fn row_f32(&self, row: usize) -> Option<Vec<f32>> {
        let bytes = self.row_bytes(row)?;
        let weights = self.row_weights();
        let halves = bytes.as_chunks::<2>().0.iter();
        Some(match self.ty {
            GgmlType::F32 => bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            GgmlType::F16 => halves.map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
            GgmlType::BF16 => halves.map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
            GgmlType::Q4_0 => blocks(bytes, weights, 18, q4_0),
            GgmlType::Q4_1 => blocks(bytes, weights, 20, q4_1),
            GgmlType::Q5_0 => blocks(bytes, weights, 22, q5_0),
            GgmlType::Q8_0 => blocks(bytes, weights, 34, q8_0),
            _ => return None,
        })
    }

    /// The bytes of row `row`: whole blocks of [`Tensor::ty`].
    pub fn row_bytes(&self, row: usize) -> Option<&[u8]> {
        let stride = self.ty.row_bytes(self.dims[0])? as usize;
        self.data.chunks_exact(stride).nth(row)
    }
}

/// Walks blocks of `size` bytes; `weight(block, j)` is weight `j` of 32.
fn blocks(bytes: &[u8], weights: usize, size: usize, weight: fn(&[u8], usize) -> f32) -> Vec<f32> {
    let mut out = Vec::with_capacity(weights);
    for block in bytes.chunks_exact(size) {
        out.extend((0..32).map(|j| weight(block, j)));
    }
    out
}

fn half_at(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

/// The 4-bit part of weight `j`: the low nibbles hold weights 0 to 15, the high ones 16 to 31.
fn nibble(qs: &[u8], j: usize) -> u8 {
    if j < 16 { qs[j] & 15 } else { qs[j - 16] >> 4 }
}

fn q4_0(block: &[u8], j: usize) -> f32 {
    half_at(block, 0) * (f32::from(nibble(&block[2..], j)) - 8.0)
}

fn q4_1(block: &[u8], j: usize) -> f32 {
    half_at(block, 0) * f32::from(nibble(&block[4..], j)) + half_at(block, 2)
}

fn q5_0(block: &[u8], j: usize) -> f32 {
    let high = u32::from_le_bytes([block[2], block[3], block[4], block[5]]) >> j & 1;
    let q = nibble(&block[6..], j) | (high as u8) << 4;
    half_at(block, 0) * (f32::from(q) - 16.0)
}

fn q8_0(block: &[u8], j: usize) -> f32 {
    half_at(block, 0) * f32::from(block[2 + j] as i8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor<'a>(ty: GgmlType, dims: &'a [u64], data: &'a [u8]) -> Tensor<'a> {
        Tensor { name: "t", dims, ty, data }
    }

    #[test]
    fn nibbles_are_interleaved_as_in_ggml() {
        let mut block = f16::from_f32(0.5).to_le_bytes().to_vec();
        block.extend([0x98; 16]);
        let row = tensor(GgmlType::Q4_0, &[32], &block).row_f32(0).unwrap();
        assert_eq!(row[..16], [0.0; 16]);
        assert_eq!(row[16..], [0.5; 16]);
    }

    #[test]
    fn q4_1_adds_its_minimum_and_q5_0_its_fifth_bit() {
        let mut block = f16::from_f32(2.0).to_le_bytes().to_vec();
        block.extend(f16::from_f32(-1.0).to_le_bytes());
        block.extend([0x21; 16]);
        let row = tensor(GgmlType::Q4_1, &[32], &block).row_f32(0).unwrap();
        assert_eq!((row[0], row[31]), (1.0, 3.0));

        let mut block = f16::from_f32(1.0).to_le_bytes().to_vec();
        block.extend((1u32 << 31 | 1).to_le_bytes());
        block.extend([0x21; 16]);
        let row = tensor(GgmlType::Q5_0, &[32], &block).row_f32(0).unwrap();
        assert_eq!((row[0], row[1], row[30], row[31]), (1.0, -15.0, -14.0, 2.0));
    }

    #[test]
    fn rows_past_the_end_and_other_types_are_none() {
        assert!(tensor(GgmlType::F32, &[1, 2], &[0; 8]).row_f32(2).is_none());
        assert!(tensor(GgmlType::Q4_K, &[256], &[0; 144]).row_f32(0).is_none());
        assert_eq!(tensor(GgmlType::F16, &[1, 2], &[0, 0, 0, 0x3c]).row_f32(1), Some(vec![1.0]));
    }
}
