// SPDX-License-Identifier: MIT OR Apache-2.0
//! The benches of the blocks that an accelerator is made of, each in the geometry that it has there.

use super::{
    ActBuffer, Block, Column, Counters, Csr, Dequant, Lanes, Place, Program, ResultStore, ScaleAcc, Sequencer, ToFloat, WeightFetch,
};
use heddle_core::{
    config::Config,
    engine::{
        act_buffer,
        column::{BLOCK, SUM_BITS},
    },
};

/// One bench for each block of the matrix engine, from the smallest to the whole.
pub fn parts(config: &Config) -> Vec<Box<dyn Block>> {
    let lanes = config.array.lanes.min(BLOCK);
    let gated = config.domains() > 0;
    let (blocks, minima) = (config.blocks_per_cycle(), act_buffer::has_minima(config));
    let mut parts: Vec<Box<dyn Block>> = vec![
        Box::new(Column { lanes, lut_lanes: config.array.lut_lanes.min(lanes), gated }),
        Box::new(Place { bits: SUM_BITS, gated }),
        Box::new(ScaleAcc { blocks, minima, gated }),
        Box::new(ToFloat { serial: config.serial_results() }),
    ];
    parts.extend(config.formats.iter().map(|&format| Box::new(Lanes { format, lanes: config.array.lanes }) as Box<dyn Block>));
    let config = || config.clone();
    parts.extend([
        Box::new(Dequant { config: config(), matrices: vec![] }) as Box<dyn Block>,
        Box::new(ActBuffer { config: config() }),
        Box::new(WeightFetch { config: config() }),
        Box::new(ResultStore { config: config() }),
        Box::new(Sequencer { config: config() }),
        Box::new(Counters { config: config() }),
        Box::new(Csr { config: config() }),
        Box::new(Program { config: config() }),
    ]);
    parts
}
