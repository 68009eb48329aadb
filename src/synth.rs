// SPDX-License-Identifier: MIT OR Apache-2.0
//! What of a configuration is synthesised, and for which device; the page of results.

mod dot;
pub mod page;
pub mod targets;

use heddle_core::{
    config::Config,
    engine::{array, column},
    top,
};
use heddle_lang::{BuildError, Module};
use heddle_synth::{Design, Device, Options, SynthError, expect};
use std::sync::Arc;

/// The part of an accelerator that is synthesised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// One dot product with its adder tree and an integer accumulator.
    Column,
    /// Two rows of int4 in one array of multipliers, each with its accumulator.
    Packed,
    /// All columns with their scaling.
    Array,
    /// The whole matrix engine.
    Engine,
}

impl Block {
    pub fn name(self) -> &'static str {
        match self {
            Block::Column => "column",
            Block::Packed => "packed",
            Block::Array => "array",
            Block::Engine => "engine",
        }
    }

    /// Products per cycle.
    pub fn products(self, config: &Config) -> u32 {
        match self {
            Block::Column => config.array.lanes.min(column::BLOCK),
            Block::Packed => 2 * column::BLOCK,
            Block::Array | Block::Engine => config.array.lanes * config.array.columns,
        }
    }

    /// Clock that a part is measured against in MHz: those of hand-written columns of 32 lanes on ECP5-85F at speed 6, less
    /// 10 %; else that of the configuration.
    fn goal_mhz(self, config: &Config) -> f64 {
        match self {
            Block::Column if config.array.lanes >= column::BLOCK => targets::COLUMN_MHZ,
            Block::Packed => targets::PACKED_MHZ,
            Block::Column | Block::Array | Block::Engine => config.clock_mhz,
        }
    }

    /// The module of this part. `Packed` has 32 lanes in every configuration; a `Column` of fewer has the sum of a block
    /// instead of an accumulator.
    pub fn module(self, config: &Config) -> Result<Arc<Module>, BuildError> {
        match self {
            Block::Column if config.array.lanes < column::BLOCK => {
                column::column(config.array.lanes, config.array.lut_lanes.min(config.array.lanes), false)
            }
            Block::Column => dot::int8(config.array.lut_lanes),
            Block::Packed => dot::int4_packed(),
            Block::Array => array::array(config),
            Block::Engine => top::top(config),
        }
    }
}

/// The device that a preset is made for; None for those of an ASIC.
pub fn device(preset: &str) -> Option<Device> {
    let name = match preset {
        "nano" => "up5k",
        "small" => "ecp5-25k",
        "base" | "gated" => "ecp5-85k",
        _ => return None,
    };
    Device::named(name)
}

/// The design of a part in its harness, and the options with what must come out.
pub fn prepare(config: &Config, block: Block, device: Device, mhz: Option<f64>, seeds: u32) -> Result<(Design, Options), SynthError> {
    let module = block.module(config)?;
    let mut options = Options::new(device, mhz.unwrap_or_else(|| block.goal_mhz(config)));
    options.seeds = seeds;
    options.expected = expect::expected(&module, &options.device);
    options.expected.lut = targets::most_luts(config, block, &options.device);
    Ok((Design::in_harness(&module)?, options))
}
