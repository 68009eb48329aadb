// SPDX-License-Identifier: MIT OR Apache-2.0
//! The weight image: a matrix as whole beats of the memory port, scales ahead of their integers.
//!
//! Blocks go row-major into groups of `port_bits / 16`; a group is 1 beat of scales, for Q4_1 one of
//! minima, for Q5_0 two of high bits, then 8 or 16 beats of integers (`docs/architecture.md`).

use thiserror::Error;

use super::{BLOCK, Block, Format};

/// Where the blocks of one matrix are in its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    format: Format,
    rows: usize,
    blocks_per_row: usize,
    padded_blocks: usize,
    group_log2: u32,
}

/// Why a matrix cannot become an image.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LayoutError {
    #[error("port_bits = {0}: must be a power of two from 32 to 1024")]
    Port(usize),
    #[error("lanes = {0}: must be a power of two from 1 to 1024")]
    Lanes(usize),
    #[error("{what}: {got} bytes, but {rows} rows of {blocks_per_row} blocks are {want}")]
    Size { what: &'static str, got: usize, want: usize, rows: usize, blocks_per_row: usize },
    #[error("row {row}, block {block}: the {what} is fp16 {value} (0x{bits:04x}), which must be finite")]
    NotFinite { what: &'static str, value: &'static str, bits: u16, row: usize, block: usize },
}

impl Layout {
    /// `rows` x `blocks_per_row` blocks of 32 weights, for a device with `lanes` and `port_bits`.
    pub fn new(format: Format, rows: usize, blocks_per_row: usize, lanes: usize, port_bits: usize) -> Result<Layout, LayoutError> {
        check_port(port_bits)?;
        let padded_blocks = padded_blocks(blocks_per_row, lanes)?;
        Ok(Layout { format, rows, blocks_per_row, padded_blocks, group_log2: (port_bits / 16).ilog2() })
    }

    pub fn format(&self) -> Format {
        self.format
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Blocks per row as stored: what a descriptor and the activations count.
    pub fn padded_blocks(&self) -> usize {
        self.padded_blocks
    }

    /// Blocks of one group, `port_bits / 16`.
    pub fn group_blocks(&self) -> usize {
        1 << self.group_log2
    }

    /// Beats of the whole matrix.
    pub fn beats(&self) -> usize {
        (self.rows * self.padded_blocks).div_ceil(self.group_blocks()) * self.format.group_beats()
    }

    /// Bytes of the whole matrix.
    pub fn bytes(&self) -> usize {
        self.beats() * self.beat_bytes()
    }

    /// Bytes of one beat, `port_bits / 8`.
    pub fn beat_bytes(&self) -> usize {
        self.group_blocks() * 2
    }

    /// Bytes of one group.
    pub fn group_bytes(&self) -> usize {
        self.format.group_beats() * self.beat_bytes()
    }

    /// Offsets of one block's fields in the image. `index`: `row * padded_blocks + block`.
    #[inline]
    pub fn fields(&self, index: usize) -> Fields {
        let beat = self.beat_bytes();
        let start = (index >> self.group_log2) * self.group_bytes();
        let within = index & (self.group_blocks() - 1);
        let (second, integers, width) = match self.format {
            Format::Q8_0 => (0, beat, BLOCK),
            Format::Q4_0 => (0, beat, BLOCK / 2),
            Format::Q4_1 => (beat + 2 * within, 2 * beat, BLOCK / 2),
            Format::Q5_0 => (beat + 4 * within, 3 * beat, BLOCK / 2),
        };
        Fields { scale: start + 2 * within, second: start + second, integers: start + integers + width * within }
    }
}

/// Offsets of one block's fields, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    /// fp16 `d`.
    pub scale: usize,
    /// fp16 `dmin` (Q4_1) or the u32 of high bits (Q5_0); no meaning otherwise.
    pub second: usize,
    /// 32 bytes (Q8_0) or 16 bytes of nibbles in weight order.
    pub integers: usize,
}

/// Blocks per row after the fill that more than 32 lanes need: a multiple of `lanes / 32`.
pub fn padded_blocks(blocks_per_row: usize, lanes: usize) -> Result<usize, LayoutError> {
    if !lanes.is_power_of_two() || lanes > 1024 {
        return Err(LayoutError::Lanes(lanes));
    }
    Ok(blocks_per_row.next_multiple_of((lanes / BLOCK).max(1)))
}

/// Refuses a port width for which no layout is defined.
pub(super) fn check_port(port_bits: usize) -> Result<(), LayoutError> {
    if port_bits.is_power_of_two() && (32..=1024).contains(&port_bits) { Ok(()) } else { Err(LayoutError::Port(port_bits)) }
}

/// Re-lays a matrix from GGUF's blocks to the device's image.
///
/// `ggml`: `rows * blocks_per_row` blocks as in the file. Errors: a wrong size, and an infinity or
/// NaN in a scale or minimum, with its row and block (the caller knows the tensor's name).
pub fn relayout(
    format: Format,
    ggml: &[u8],
    rows: usize,
    blocks_per_row: usize,
    lanes: usize,
    port_bits: usize,
) -> Result<Vec<u8>, LayoutError> {
    let layout = Layout::new(format, rows, blocks_per_row, lanes, port_bits)?;
    let want = rows.saturating_mul(blocks_per_row).saturating_mul(format.block_bytes());
    if ggml.len() != want {
        return Err(LayoutError::Size { what: "matrix", got: ggml.len(), want, rows, blocks_per_row });
    }
    let mut image = vec![0; layout.bytes()];
    let mut blocks = ggml.chunks_exact(format.block_bytes());
    for row in 0..rows {
        for (block, bytes) in blocks.by_ref().take(blocks_per_row).enumerate() {
            let position = Position { row, block };
            write_block(&mut image, layout.fields(row * layout.padded_blocks + block), format, bytes, position)?;
        }
    }
    Ok(image)
}

#[derive(Clone, Copy)]
struct Position {
    row: usize,
    block: usize,
}

#[inline]
fn write_block(image: &mut [u8], at: Fields, format: Format, bytes: &[u8], position: Position) -> Result<(), LayoutError> {
    finite("scale", &bytes[..2], position)?;
    image[at.scale..at.scale + 2].copy_from_slice(&bytes[..2]);
    match format {
        Format::Q8_0 => image[at.integers..at.integers + BLOCK].copy_from_slice(&bytes[2..2 + BLOCK]),
        Format::Q4_0 => straighten(&mut image[at.integers..], &bytes[2..]),
        Format::Q4_1 => {
            finite("minimum", &bytes[2..4], position)?;
            image[at.second..at.second + 2].copy_from_slice(&[bytes[2], bytes[3] ^ 0x80]);
            straighten(&mut image[at.integers..], &bytes[4..]);
        }
        Format::Q5_0 => {
            image[at.second..at.second + 4].copy_from_slice(&bytes[2..6]);
            straighten(&mut image[at.integers..], &bytes[6..]);
        }
    }
    Ok(())
}

/// Refuses fp16 infinities and NaN.
#[inline]
fn finite(what: &'static str, bytes: &[u8], Position { row, block }: Position) -> Result<(), LayoutError> {
    let bits = u16::from_le_bytes([bytes[0], bytes[1]]);
    if bits & 0x7c00 != 0x7c00 {
        return Ok(());
    }
    let value = if bits & 0x03ff == 0 { "infinity" } else { "NaN" };
    Err(LayoutError::NotFinite { what, value, bits, row, block })
}

/// ggml's nibbles (byte `j`: weights `j` and `j + 16`) into weight order (byte `i`: `2i`, `2i + 1`).
#[inline]
fn straighten(out: &mut [u8], ggml: &[u8]) {
    let (low, high) = out[..16].split_at_mut(8);
    for (pair, (low, high)) in ggml[..16].chunks_exact(2).zip(low.iter_mut().zip(high)) {
        *low = (pair[0] & 15) | pair[1] << 4;
        *high = pair[0] >> 4 | (pair[1] & 0xf0);
    }
}

/// Reads one block of an image. `index`: `row * padded_blocks + block`.
///
/// `image` starts at the matrix and has at least `layout.bytes()`; a position of the fill reads as
/// stored, with `d = 0`.
pub fn block(layout: &Layout, image: &[u8], index: usize) -> Block {
    let at = layout.fields(index);
    let half = |at: usize| u16::from_le_bytes([image[at], image[at + 1]]);
    let nibble = |j: usize| image[at.integers + j / 2] >> (4 * (j % 2)) & 15;
    let high = |j: usize| image[at.second + j / 8] >> (j % 8) & 1;
    let q = std::array::from_fn(|j| match layout.format {
        Format::Q8_0 => image[at.integers + j] as i8,
        Format::Q4_0 => nibble(j) as i8 - 8,
        Format::Q4_1 => nibble(j) as i8,
        Format::Q5_0 => (nibble(j) | high(j) << 4) as i8 - 16,
    });
    Block { d: half(at.scale), dmin: if layout.format.has_minimum() { half(at.second) } else { 0 }, q }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matrix() -> impl Strategy<Value = (Format, usize, usize, Vec<u8>)> {
        (0usize..4, 1usize..6, 1usize..12).prop_flat_map(|(f, rows, blocks)| {
            let format = Format::ALL[f];
            let size = rows * blocks * format.block_bytes();
            proptest::collection::vec(any::<u8>(), size).prop_map(move |mut bytes| {
                for block in bytes.chunks_exact_mut(format.block_bytes()) {
                    block[1] &= 0xbf;
                    block[3] &= 0xbf;
                }
                (format, rows, blocks, bytes)
            })
        })
    }

    proptest! {
        #[test]
        fn an_image_holds_the_same_blocks((format, rows, blocks, ggml) in matrix(), port in 5u32..9, lanes in 0u32..8) {
            let (port, lanes) = (1 << port, 1 << lanes);
            let image = relayout(format, &ggml, rows, blocks, lanes, port).unwrap();
            let layout = Layout::new(format, rows, blocks, lanes, port).unwrap();
            prop_assert_eq!(image.len(), layout.bytes());
            for (i, bytes) in ggml.chunks_exact(format.block_bytes()).enumerate() {
                let index = i / blocks * layout.padded_blocks() + i % blocks;
                prop_assert_eq!(block(&layout, &image, index), format.decode_ggml(bytes));
            }
            for row in 0..rows {
                for fill in blocks..layout.padded_blocks() {
                    prop_assert_eq!(block(&layout, &image, row * layout.padded_blocks() + fill).d, 0);
                }
            }
        }
    }

    #[test]
    fn a_group_is_as_documented() {
        // Two Q5_0 blocks fill one group of a 32-bit port: 1 + 2 + 8 beats.
        let mut ggml = vec![];
        for n in 1..=2 {
            ggml.extend([n, 0x20, n, 0, 0, 0]);
            ggml.extend((0..16).map(|j| j | (n << 4)));
        }
        let image = relayout(Format::Q5_0, &ggml, 1, 2, 8, 32).unwrap();
        assert_eq!(image.len(), 11 * 4);
        assert_eq!(image[..4], [1, 0x20, 2, 0x20]);
        assert_eq!(image[4..12], [1, 0, 0, 0, 2, 0, 0, 0]);
        assert_eq!(image[12..28], [0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11]);
    }

    #[test]
    fn infinities_and_nan_are_refused_with_their_place() {
        let mut ggml = vec![0; 6 * 20];
        ggml[5 * 20 + 3] = 0x7c;
        let error = relayout(Format::Q4_1, &ggml, 3, 2, 8, 64).unwrap_err();
        assert_eq!(error.to_string(), "row 2, block 1: the minimum is fp16 infinity (0x7c00), which must be finite");
        ggml[20] = 1;
        ggml[21] = 0xfc;
        let error = relayout(Format::Q4_1, &ggml, 3, 2, 8, 64).unwrap_err();
        assert!(matches!(error, LayoutError::NotFinite { what: "scale", value: "NaN", bits: 0xfc01, row: 0, block: 1 }));
    }

    #[test]
    fn wrong_sizes_are_refused() {
        assert!(matches!(relayout(Format::Q8_0, &[0; 33], 1, 1, 8, 64), Err(LayoutError::Size { want: 34, .. })));
        assert_eq!(relayout(Format::Q8_0, &[0; 34], 1, 1, 8, 48), Err(LayoutError::Port(48)));
        assert_eq!(relayout(Format::Q8_0, &[0; 34], 1, 1, 12, 64), Err(LayoutError::Lanes(12)));
        assert!(relayout(Format::Q8_0, &[], usize::MAX, usize::MAX, 8, 64).is_err());
    }

    #[test]
    fn overhead_is_within_one_percent_for_real_shapes() {
        // (rows, columns): SmolLM2-135M, the embedded model, stories260K.
        let shapes = [(1536, 576), (576, 1536), (192, 576), (49152, 576), (512, 256), (128, 256), (192, 64), (32, 64), (64, 192)];
        for (rows, columns) in shapes {
            for format in Format::ALL {
                for port in [32, 64, 128] {
                    let layout = Layout::new(format, rows, columns / 32, 32, port).unwrap();
                    let ggml = rows * columns / 32 * format.block_bytes();
                    assert!(layout.bytes() * 100 <= ggml * 101, "{rows}x{columns} {format:?} {port}");
                }
            }
        }
    }
}
