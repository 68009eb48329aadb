// SPDX-License-Identifier: MIT OR Apache-2.0
//! The golden model of the whole device: memory, programs, results, errors and counts, without time.
//!
//! It reads descriptors, weights and activations from the same bytes as the hardware and writes the same
//! results. What it does not model: cycles, and how much of a result region is written before an error.

mod kernel;

#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::config::Config;
use crate::descriptor::{BYTES, Cause, Decoder, Descriptor, Matmul, Words};
use crate::format::layout::Layout;
use crate::format::region::{ActivationLayout, result_bytes, write_results};
use crate::numerics::quant::Activations;

pub use kernel::{Product, matmul};

/// Counts of one program; the names are those of the hardware's counters where it has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Descriptors completed.
    pub descriptors: u64,
    /// Results: rows times columns.
    pub rows: u64,
    /// Weight blocks (as stored in rows) times columns.
    pub blocks: u64,
    /// Beats of weights read.
    pub weight_beats: u64,
    /// Beats of activations read.
    pub activation_beats: u64,
}

/// Why and at which descriptor a program stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the program stopped at the descriptor at 0x{address:08x}: {cause}. {}", cause.doc())]
pub struct Stop {
    pub cause: Cause,
    pub address: u32,
}

/// A device with its memory.
#[derive(Clone, Debug)]
pub struct Device {
    config: Config,
    memory: Vec<u8>,
    saturated: bool,
}

impl Device {
    /// A device whose memory (from address 0) has these contents; reads and writes past it are errors.
    pub fn new(config: &Config, memory: Vec<u8>) -> Device {
        Device { config: config.clone(), memory, saturated: false }
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    pub fn memory(&self) -> &[u8] {
        &self.memory
    }

    pub fn memory_mut(&mut self) -> &mut [u8] {
        &mut self.memory
    }

    /// Sticky: some result since the last [`Device::clear`] left the accumulator's range and is wrong.
    pub fn saturated(&self) -> bool {
        self.saturated
    }

    /// `CONTROL.clear`.
    pub fn clear(&mut self) {
        self.saturated = false;
    }

    /// Runs the program at this address up to its END, or to the descriptor that cannot run.
    pub fn run(&mut self, program: u32) -> Result<Counts, Stop> {
        let mut decoder = Decoder::new(&self.config);
        let mut counts = Counts::default();
        let mut columns = Vec::new();
        let mut address = program;
        loop {
            let stop = |cause| Stop { cause, address };
            let words = self.descriptor(address).ok_or(stop(Cause::ReadError))?;
            let descriptor = decoder.decode(&words).map_err(stop)?;
            if let Descriptor::Matmul(descriptor) = &descriptor {
                self.product(descriptor, &mut columns, &mut counts).map_err(stop)?;
            }
            counts.descriptors += 1;
            if let Descriptor::End { .. } = descriptor {
                return Ok(counts);
            }
            address = address.wrapping_add(BYTES);
        }
    }

    fn descriptor(&self, address: u32) -> Option<Words> {
        let bytes = self.read(address, BYTES as usize)?;
        let (words, _) = bytes.as_chunks::<4>();
        Some(std::array::from_fn(|i| u32::from_le_bytes(words[i])))
    }

    fn product(&mut self, m: &Matmul, columns: &mut Vec<Activations>, counts: &mut Counts) -> Result<(), Cause> {
        let (lanes, port_bits) = (self.config.array.lanes as usize, self.config.memory.port_bits as usize);
        let (rows, blocks, count) = (m.rows as usize, m.blocks as usize, usize::from(m.columns));
        // The decoder and the config's own checks leave no way for these to fail.
        let layout = Layout::new(m.format, rows, blocks, lanes, port_bits).map_err(|_| Cause::BadBlocks)?;
        let activations = ActivationLayout::new(blocks, lanes, port_bits).map_err(|_| Cause::BadBlocks)?;
        if !m.reuse_act {
            let region = self.read(m.activations, count * activations.column_bytes()).ok_or(Cause::ReadError)?;
            *columns = activations.read(region);
            counts.activation_beats += (count * activations.column_beats()) as u64;
        }
        let image = self.read(m.weights, layout.bytes()).ok_or(Cause::ReadError)?;
        let results = range(m.results, result_bytes(rows, count), self.memory.len()).ok_or(Cause::WriteError)?;
        let product = matmul(&layout, image, columns);
        self.memory[results].copy_from_slice(&write_results(&product.y));
        self.saturated |= product.saturated;
        counts.weight_beats += layout.beats() as u64;
        counts.rows += (rows * count) as u64;
        counts.blocks += (rows * blocks * count) as u64;
        Ok(())
    }

    fn read(&self, address: u32, bytes: usize) -> Option<&[u8]> {
        range(address, bytes, self.memory.len()).map(|range| &self.memory[range])
    }
}

/// The byte range of a region, if it is within the memory.
fn range(address: u32, bytes: usize, memory: usize) -> Option<std::ops::Range<usize>> {
    let start = address as usize;
    let end = start.checked_add(bytes)?;
    (end <= memory).then_some(start..end)
}
