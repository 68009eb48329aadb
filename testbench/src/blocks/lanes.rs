// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `engine::lanes`: every raw value in every lane.

use super::{
    Block, BlockError, Dut,
    bits::pack,
    pipeline::{self, Step},
};
use crate::random::Random;
use heddle_core::{
    config::Format,
    engine::lanes::{self, golden},
};
use heddle_lang::{BuildError, Module};
use std::sync::Arc;

/// The decoder of a format with so many lanes.
pub struct Lanes {
    pub format: Format,
    pub lanes: u32,
}

impl Block for Lanes {
    fn name(&self) -> String {
        format!("lanes, {} x {}", self.lanes, self.format.ggml_name())
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        lanes::lanes(self.format, self.lanes)
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        let [raw] = dut.inputs(["raw"])?;
        let [w] = dut.outputs(["w"])?;
        let high = if self.format == Format::Q5_0 { Some(dut.inputs(["high"])?) } else { None };
        let bits = if self.format == Format::Q8_0 { 8 } else { 4 };
        let mut steps = Vec::new();
        for value in 0..256u64 {
            let of_lane = |lane: u32| (value + 37 * u64::from(lane)) & ((1 << bits) - 1);
            let upper: Vec<bool> = (0..self.lanes).map(|_| high.is_some() && rng.chance(128)).collect();
            let decoded = (0..self.lanes).zip(&upper).map(|(lane, h)| golden::integer(self.format, of_lane(lane) as u8, *h) as u64);
            let mut step = Step { inputs: vec![(raw, pack(bits, (0..self.lanes).map(of_lane)))], expected: vec![(w, pack(8, decoded))] };
            if let Some([high]) = high {
                step.inputs.push((high, pack(1, upper.iter().map(|h| u64::from(*h)))));
            }
            steps.push(step);
        }
        pipeline::run_combinational(&mut dut, &steps)
    }
}
