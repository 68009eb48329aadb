// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `power::isolate`: random values, clamped and not.

use super::{
    Block, BlockError, Dut,
    pipeline::{self, Step},
};
use crate::random::Random;
use heddle_core::power::isolate::{self, golden};
use heddle_lang::{BuildError, Module};
use std::sync::Arc;

const STEPS: usize = 500;

/// The isolation cells of a column.
pub struct Isolate;

impl Block for Isolate {
    fn name(&self) -> String {
        "isolate".into()
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        isolate::isolate()
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        let [isolate, acc, too_large] = dut.inputs(["isolate", "acc", "too_large"])?;
        let [clamped_acc, clamped_too_large] = dut.outputs(["clamped_acc", "clamped_too_large"])?;
        let mut step = || {
            let (clamp, sum, flag) = (rng.chance(128), rng.bits(), rng.chance(128));
            let (want_sum, want_flag) = golden::isolate(clamp, sum, flag);
            Step {
                inputs: vec![(isolate, vec![clamp.into()]), (acc, sum.to_le_bytes().into()), (too_large, vec![flag.into()])],
                expected: vec![(clamped_acc, want_sum.to_le_bytes().into()), (clamped_too_large, vec![want_flag.into()])],
            }
        };
        let steps: Vec<Step> = (0..STEPS).map(|_| step()).collect();
        pipeline::run_combinational(&mut dut, &steps)
    }
}
