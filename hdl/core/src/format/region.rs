// SPDX-License-Identifier: MIT OR Apache-2.0
//! The activation region and the result region of a MATMUL (`docs/architecture.md`).

use super::BLOCK;
use super::layout::{LayoutError, check_port, padded_blocks};
use crate::numerics::F24;
use crate::numerics::quant::Activations;

/// Where the columns of an activation region are. Each has its scales, then its integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActivationLayout {
    blocks: usize,
    scale_bytes: usize,
    integer_bytes: usize,
    beat_bytes: usize,
}

impl ActivationLayout {
    /// `blocks_per_row` as in the GGUF matrix; more than 32 lanes add fill.
    pub fn new(blocks_per_row: usize, lanes: usize, port_bits: usize) -> Result<ActivationLayout, LayoutError> {
        check_port(port_bits)?;
        let blocks = padded_blocks(blocks_per_row, lanes)?;
        let beat_bytes = port_bits / 8;
        Ok(ActivationLayout {
            blocks,
            scale_bytes: (4 * blocks).next_multiple_of(beat_bytes),
            integer_bytes: (BLOCK * blocks).next_multiple_of(beat_bytes),
            beat_bytes,
        })
    }

    /// Blocks per column as stored.
    pub fn blocks(&self) -> usize {
        self.blocks
    }

    /// Bytes of one column.
    pub fn column_bytes(&self) -> usize {
        self.scale_bytes + self.integer_bytes
    }

    /// Beats of one column.
    pub fn column_beats(&self) -> usize {
        self.column_bytes() / self.beat_bytes
    }

    /// The region of these columns. Each has at most `blocks()` blocks, the rest is filled with zeros.
    pub fn write(&self, columns: &[Activations]) -> Result<Vec<u8>, LayoutError> {
        let mut region = vec![0; columns.len() * self.column_bytes()];
        for (x, bytes) in columns.iter().zip(region.chunks_exact_mut(self.column_bytes())) {
            if x.d.len() > self.blocks || x.q.len() != x.d.len() * BLOCK {
                let want = self.blocks * BLOCK;
                return Err(LayoutError::Size { what: "activations", got: x.q.len(), want, rows: 1, blocks_per_row: self.blocks });
            }
            let (scales, integers) = bytes.split_at_mut(self.scale_bytes);
            for (d, bytes) in x.d.iter().zip(scales.chunks_exact_mut(4)) {
                bytes.copy_from_slice(&d.to_bits().to_le_bytes());
            }
            for (q, byte) in x.q.iter().zip(integers) {
                *byte = *q as u8;
            }
        }
        Ok(region)
    }

    /// The columns of a region; `region` has a whole number of columns (a rest is ignored).
    pub fn read(&self, region: &[u8]) -> Vec<Activations> {
        region.chunks_exact(self.column_bytes()).map(|column| self.read_column(column)).collect()
    }

    fn read_column(&self, column: &[u8]) -> Activations {
        let (scales, integers) = column.split_at(self.scale_bytes);
        Activations {
            d: words(&scales[..4 * self.blocks]).map(F24::from_bits).collect(),
            q: integers[..BLOCK * self.blocks].iter().map(|b| *b as i8).collect(),
        }
    }
}

/// Bytes of the result region of `rows` x `columns`.
pub fn result_bytes(rows: usize, columns: usize) -> usize {
    4 * rows * columns
}

/// Results of a region, row outermost: `y[row * columns + column]`.
pub fn read_results(region: &[u8]) -> Vec<F24> {
    words(region).map(F24::from_bits).collect()
}

/// The bytes that hold these results.
pub fn write_results(results: &[F24]) -> Vec<u8> {
    results.iter().flat_map(|y| y.to_bits().to_le_bytes()).collect()
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activations(blocks: usize, seed: usize) -> Activations {
        let x: Vec<F24> = (0..blocks * BLOCK).map(|i| F24::from_f64(((i * 37 + seed) % 101) as f64 - 50.0)).collect();
        Activations::quantise(&x)
    }

    #[test]
    fn what_is_written_is_read() {
        for (blocks, lanes, port) in [(1, 8, 32), (3, 16, 128), (5, 64, 64), (2, 128, 256)] {
            let layout = ActivationLayout::new(blocks, lanes, port).unwrap();
            let columns = [activations(blocks, 1), activations(blocks, 2)];
            let region = layout.write(&columns).unwrap();
            assert_eq!(region.len(), 2 * layout.column_beats() * port / 8);
            for (got, want) in layout.read(&region).iter().zip(&columns) {
                assert_eq!(got.d[..blocks], want.d);
                assert_eq!(got.q[..blocks * BLOCK], want.q);
                assert!(got.q[blocks * BLOCK..].iter().all(|q| *q == 0));
            }
        }
    }

    #[test]
    fn too_many_blocks_are_refused() {
        let layout = ActivationLayout::new(2, 8, 64).unwrap();
        assert!(matches!(layout.write(&[activations(3, 0)]), Err(LayoutError::Size { got: 96, want: 64, .. })));
    }

    #[test]
    fn results_are_words() {
        let y = [F24::ONE, -F24::HALF];
        assert_eq!(read_results(&write_results(&y)), y);
        assert_eq!(result_bytes(3, 2), 24);
    }
}
