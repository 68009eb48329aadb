// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `engine::to_float`: every power of two and its neighbours, ties, extremes, random values of all sizes.

use super::{
    Block, BlockError, Dut,
    bits::pack,
    pipeline::{self, Step},
};
use crate::random::Random;
use heddle_core::engine::to_float::{self, FLOAT_BITS};
use heddle_lang::{BuildError, Module};
use std::sync::Arc;

const VALUES: usize = 2000;

/// The converter.
pub struct ToFloat;

impl Block for ToFloat {
    fn name(&self) -> String {
        "to_float".into()
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        to_float::to_float()
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        let [acc] = dut.inputs(["acc"])?;
        let [float] = dut.outputs(["f24"])?;
        let mut values = vec![0, i64::MIN, i64::MAX, i64::MIN + 1];
        for bit in 0..63 {
            let power = 1i64 << bit;
            values.extend([power, power - 1, power + 1, -power]);
            // A half of the last place that stays, below an even and below an odd significand.
            let half = power >> 16;
            values.extend([power | half, power | half << 1 | half, power | half | 1, -(power | half)]);
        }
        values.extend((0..VALUES).map(|_| rng.bits() as i64 >> (rng.bits() % 64)));
        let step = |&value: &i64| {
            let bits = to_float::golden::to_f24(value).to_bits() >> 8;
            Step { inputs: vec![(acc, value.to_le_bytes().into())], expected: vec![(float, pack(FLOAT_BITS, [bits.into()]))] }
        };
        let steps: Vec<Step> = values.iter().map(step).collect();
        pipeline::run(&mut dut, to_float::LATENCY as usize, &steps, None)
    }
}
