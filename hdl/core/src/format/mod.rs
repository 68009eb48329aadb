// SPDX-License-Identifier: MIT OR Apache-2.0
//! Weight formats: ids, sizes and the meaning of one block of 32 weights.
//!
//! [`layout`] re-lays a matrix for the memory port and reads it back, [`region`] writes activations
//! and reads results. The layouts are specified in `docs/architecture.md`.

pub mod layout;
pub mod region;

pub use crate::config::Format;
pub use crate::numerics::quant::BLOCK;

/// One block of weights as the arithmetic sees it: weight `j` is `d * q[j] - dmin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// fp16 bits.
    pub d: u16,
    /// fp16 bits of the inverted minimum; 0 for formats without one.
    pub dmin: u16,
    pub q: [i8; BLOCK],
}

impl Format {
    /// The tensor type in a GGUF file.
    pub const fn ggml_type(self) -> u32 {
        match self {
            Format::Q8_0 => 8,
            Format::Q4_0 => 2,
            Format::Q4_1 => 3,
            Format::Q5_0 => 6,
        }
    }

    /// The format of a GGUF tensor type, if the device has it.
    pub fn from_ggml_type(id: u32) -> Option<Format> {
        Format::ALL.into_iter().find(|f| f.ggml_type() == id)
    }

    /// ggml's name, for instance `Q4_0`.
    pub const fn ggml_name(self) -> &'static str {
        match self {
            Format::Q8_0 => "Q8_0",
            Format::Q4_0 => "Q4_0",
            Format::Q4_1 => "Q4_1",
            Format::Q5_0 => "Q5_0",
        }
    }

    /// Whether blocks carry a minimum beside their scale.
    pub const fn has_minimum(self) -> bool {
        matches!(self, Format::Q4_1)
    }

    /// Bytes of one block in a GGUF file; the device stores the same bits.
    pub const fn block_bytes(self) -> usize {
        match self {
            Format::Q8_0 => 34,
            Format::Q4_0 => 18,
            Format::Q4_1 => 20,
            Format::Q5_0 => 22,
        }
    }

    /// Beats of one group of `port_bits / 16` blocks, whatever the port width.
    pub const fn group_beats(self) -> usize {
        self.block_bytes() / 2
    }

    /// What is subtracted from the stored unsigned integer to give the weight's.
    pub const fn zero_point(self) -> i32 {
        match self {
            Format::Q8_0 | Format::Q4_1 => 0,
            Format::Q4_0 => 8,
            Format::Q5_0 => 16,
        }
    }

    /// Decodes one block as ggml stores it. `bytes`: `block_bytes()` of them.
    pub fn decode_ggml(self, bytes: &[u8]) -> Block {
        let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let (mut q, mut dmin) = ([0; BLOCK], 0);
        match self {
            Format::Q8_0 => q = std::array::from_fn(|j| bytes[2 + j] as i8),
            Format::Q4_0 => q = std::array::from_fn(|j| interleaved(&bytes[2..], j) as i8 - 8),
            Format::Q4_1 => {
                dmin = half(2) ^ 0x8000;
                q = std::array::from_fn(|j| interleaved(&bytes[4..], j) as i8);
            }
            Format::Q5_0 => {
                let high = u32::from_le_bytes([bytes[2], bytes[3], bytes[4], bytes[5]]);
                for (j, q) in q.iter_mut().enumerate() {
                    *q = (interleaved(&bytes[6..], j) | ((high >> j & 1) << 4) as u8) as i8 - 16;
                }
            }
        }
        Block { d: half(0), dmin, q }
    }
}

/// Nibble of weight `j` in ggml's order: byte `j` has weights `j` (low) and `j + 16` (high).
fn interleaved(bytes: &[u8], j: usize) -> u8 {
    if j < 16 { bytes[j] & 15 } else { bytes[j - 16] >> 4 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ggml_types_are_inverse() {
        for format in Format::ALL {
            assert_eq!(Format::from_ggml_type(format.ggml_type()), Some(format));
        }
        assert_eq!((Format::from_id(4), Format::from_ggml_type(12)), (None, None));
    }

    #[test]
    fn blocks_decode_as_ggml_lays_them_out() {
        let mut bytes = vec![0x00, 0x3c];
        bytes.extend((0..16).map(|j| j | (15 - j) << 4));
        let block = Format::Q4_0.decode_ggml(&bytes);
        assert_eq!((block.d, block.dmin), (0x3c00, 0));
        assert_eq!((block.q[0], block.q[15], block.q[16], block.q[31]), (-8, 7, 7, -8));

        let mut bytes = vec![0, 0x3c, 0, 0x40];
        bytes.extend([0xf0; 16]);
        let block = Format::Q4_1.decode_ggml(&bytes);
        assert_eq!((block.dmin, block.q[0], block.q[16]), (0xc000, 0, 15));

        let mut bytes = vec![0, 0x3c, 1, 0, 0, 0x80];
        bytes.extend([0x21; 16]);
        let block = Format::Q5_0.decode_ggml(&bytes);
        assert_eq!((block.q[0], block.q[1], block.q[16], block.q[31]), (1, -15, -14, 2));
    }
}
