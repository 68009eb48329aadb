// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `engine::column`: blocks of random and extreme operands, with gaps between and within blocks.

use super::{
    Block, BlockError, Dut,
    bits::pack,
    gate,
    pipeline::{self, Step},
};
use crate::random::Random;
use heddle_core::engine::column::{self, BLOCK, SUM_BITS};
use heddle_lang::{BuildError, Module};
use std::sync::Arc;

const BLOCKS: usize = 200;

/// The column of so many lanes.
pub struct Column {
    pub lanes: u32,
    /// Of them, those that multiply in LUTs.
    pub lut_lanes: u32,
    /// With a clock gate.
    pub gated: bool,
}

impl Block for Column {
    fn name(&self) -> String {
        format!("column, {} lanes, {} in LUTs{}", self.lanes, self.lut_lanes, gate(self.gated))
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        column::column(self.lanes, self.lut_lanes, self.gated)
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        let [valid_pin, x_pin, w_pin] = dut.inputs(["valid", "x", "w"])?;
        let [sum] = dut.outputs(["sum"])?;
        let first_pin = if self.lanes < BLOCK { Some(dut.inputs(["first"])?[0]) } else { None };
        let gaps = [0, 60, 200][rng.bits() as usize % 3];
        let mut steps = Vec::new();
        let mut cycle = |rng: &mut Random, x: &[i8], w: &[i8], valid: bool, first: bool, expected: Option<i32>| {
            let operand = |v: &[i8]| v.iter().map(|v| *v as u8).collect::<Vec<u8>>();
            let inputs = vec![(valid_pin, vec![valid.into()]), (x_pin, operand(x)), (w_pin, operand(w))];
            let mut step = Step { inputs, expected: vec![] };
            let first = if valid { first } else { rng.chance(128) };
            step.inputs.extend(first_pin.map(|pin| (pin, vec![first.into()])));
            step.expected.extend(expected.map(|s| (sum, pack(SUM_BITS, [s as u64]))));
            steps.push(step);
        };
        for _ in 0..BLOCKS {
            let (x, w) = operands(rng);
            let total = column::golden::column(&x, &w);
            let parts = BLOCK / self.lanes;
            for part in 0..parts {
                while rng.chance(gaps) {
                    let (x, w) = operands(rng);
                    cycle(rng, &x[..self.lanes as usize], &w[..self.lanes as usize], false, false, None);
                }
                let of = (part * self.lanes) as usize..((part + 1) * self.lanes) as usize;
                let expected = (part + 1 == parts).then_some(total);
                cycle(rng, &x[of.clone()], &w[of], true, part == 0, expected);
            }
        }
        let steps = pipeline::ahead(steps, &[valid_pin]);
        pipeline::run(&mut dut, column::latency(self.lanes) as usize, &steps, self.gated.then_some(rng))
    }
}

/// One block in three has an operand that is extreme.
fn operands(rng: &mut Random) -> ([i8; 32], [i8; 32]) {
    let x = std::array::from_fn(|_| rng.bits() as i8);
    let w = std::array::from_fn(|_| rng.bits() as i8);
    match rng.bits() % 16 {
        0 => ([-128; 32], [-128; 32]),
        1 => ([-128; 32], [127; 32]),
        2 => ([127; 32], [127; 32]),
        3 => (x, [-128; 32]),
        4 => ([0; 32], w),
        _ => (x, w),
    }
}
