// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `engine::lut_multiplier`: every pair of operands.

use super::{
    Block, BlockError, Dut,
    bits::pack,
    pipeline::{self, Step},
};
use crate::random::Random;
use heddle_core::engine::lut_multiplier::{self, golden};
use heddle_lang::{BuildError, Module, primitive::STAGES};
use std::sync::Arc;

/// Two products.
pub struct LutMultiplier;

impl Block for LutMultiplier {
    fn name(&self) -> String {
        "lut_multiplier".into()
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        lut_multiplier::lut_multiplier(2)
    }

    fn run(&self, mut dut: Dut, _rng: &mut Random) -> Result<(), BlockError> {
        let [en, run, a, b] = dut.inputs(["en", "run", "a", "b"])?;
        let [p] = dut.outputs(["p"])?;
        // The lanes go through the pairs in opposite order.
        let pair = |n: u32| [n as u8 as i8, (n >> 8) as u8 as i8];
        let steps: Vec<Step> = (0..1 << 16)
            .map(|n: u32| {
                let [[a0, b0], [a1, b1]] = [pair(n), pair(0xffff - n)];
                let products = [golden::product(a0, b0), golden::product(a1, b1)];
                Step {
                    inputs: vec![(en, vec![1]), (run, vec![1]), (a, vec![a0 as u8, a1 as u8]), (b, vec![b0 as u8, b1 as u8])],
                    expected: vec![(p, pack(16, products.map(|p| p as u64)))],
                }
            })
            .collect();
        pipeline::run(&mut dut, STAGES as usize, &steps, None)
    }
}
