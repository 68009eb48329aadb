// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where everything is in the device's memory: programs, activations, results, then the matrices.

use heddle_core::config::{Config, Format};
use heddle_core::descriptor::REGION_ALIGN;
use heddle_core::format::layout::{Layout, LayoutError};

use super::CompileError;

/// One matrix of the model on the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// Its name in the model.
    pub tensor: String,
    pub format: Format,
    pub rows: usize,
    /// Blocks of 32 in a row, before fill.
    pub blocks: usize,
    /// Byte address of the first weight.
    pub address: u32,
    pub bytes: usize,
    /// Beats of the memory port that one product reads of it.
    pub beats: usize,
}

/// Byte addresses and sizes; every region starts on a multiple of 64.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryMap {
    pub program_bytes: usize,
    pub activations: u32,
    pub activation_bytes: usize,
    pub results: u32,
    pub result_bytes: usize,
    /// In the order in which a token uses them.
    pub matrices: Vec<Matrix>,
    end: u64,
}

/// Hands out aligned regions; addresses are checked once, at the end.
#[derive(Default)]
struct Regions(u64);

impl Regions {
    fn take(&mut self, bytes: usize) -> u32 {
        let address = self.0;
        self.0 += (bytes as u64).next_multiple_of(REGION_ALIGN.into());
        address as u32
    }
}

impl MemoryMap {
    /// Places everything, or tells how much is missing.
    pub(super) fn new(
        config: &Config,
        program_bytes: usize,
        activation_bytes: usize,
        result_bytes: usize,
        mut matrices: Vec<Matrix>,
    ) -> Result<MemoryMap, CompileError> {
        let mut regions = Regions::default();
        regions.take(program_bytes);
        let activations = regions.take(activation_bytes);
        let results = regions.take(result_bytes);
        for matrix in &mut matrices {
            matrix.address = regions.take(matrix.bytes);
        }
        let (need, have) = (regions.0, config.memory_bytes());
        if need > have {
            return Err(CompileError::Memory { need, have, config: config.name.clone() });
        }
        Ok(MemoryMap { program_bytes, activations, activation_bytes, results, result_bytes, matrices, end: need })
    }

    /// Bytes in use, from address 0.
    pub fn bytes(&self) -> usize {
        self.end as usize
    }
}

impl Matrix {
    /// A matrix that has no address yet.
    pub(super) fn unplaced(tensor: String, format: Format, rows: usize, blocks: usize, config: &Config) -> Result<Matrix, LayoutError> {
        let layout = Layout::new(format, rows, blocks, config.array.lanes as usize, config.memory.port_bits as usize)?;
        Ok(Matrix { tensor, format, rows, blocks, address: 0, bytes: layout.bytes(), beats: layout.beats() })
    }
}
