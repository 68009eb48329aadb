// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `engine::column_packed`: first every pair of weights with every activation in every lane, then blocks of random
//! and extreme operands, with gaps between and within blocks.

use super::{
    Block, BlockError, Dut,
    bits::pack,
    pipeline::{self, Step},
};
use crate::random::Random;
use heddle_core::engine::{
    column::BLOCK,
    column_packed::{self, SUM_BITS, golden},
};
use heddle_lang::{BuildError, Module};
use std::sync::Arc;

const BLOCKS: usize = 200;
/// Pairs of int4.
const PAIRS: usize = 256;

/// The column of so many lanes.
pub struct ColumnPacked {
    pub lanes: u32,
}

/// A block: activations and two rows of weights.
type Operands = [[i8; 32]; 3];

impl Block for ColumnPacked {
    fn name(&self) -> String {
        format!("column_packed, {} lanes", self.lanes)
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        column_packed::column_packed(self.lanes)
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        let [valid_pin, x_pin, w0_pin, w1_pin] = dut.inputs(["valid", "x", "w0", "w1"])?;
        let [sum0, sum1] = dut.outputs(["sum0", "sum1"])?;
        let first_pin = if self.lanes < BLOCK { Some(dut.inputs(["first"])?[0]) } else { None };
        let gaps = [0, 60, 200][rng.bits() as usize % 3];
        let lanes = self.lanes as usize;
        let mut steps = Vec::new();
        let mut cycle = |rng: &mut Random, operands: &Operands, part: usize, valid: bool, expected: Option<(i32, i32)>| {
            let of = part * lanes..(part + 1) * lanes;
            let [x, w0, w1] = operands.each_ref().map(|v| v[of.clone()].iter().map(|v| *v as u64).collect::<Vec<u64>>());
            let mut inputs = vec![(valid_pin, vec![valid.into()]), (x_pin, pack(8, x)), (w0_pin, pack(4, w0)), (w1_pin, pack(4, w1))];
            let first = if valid { part == 0 } else { rng.chance(128) };
            inputs.extend(first_pin.map(|pin| (pin, vec![first.into()])));
            let sums = expected.map(|(a, b)| [(sum0, pack(SUM_BITS, [a as u64])), (sum1, pack(SUM_BITS, [b as u64]))]);
            steps.push(Step { inputs, expected: sums.into_iter().flatten().collect() });
        };
        let mut block = |rng: &mut Random, operands: &Operands, gaps: u8| {
            let [x, w0, w1] = operands;
            let total = golden::column_packed(x, w0, w1);
            let parts = 32 / lanes;
            for part in 0..parts {
                while gaps > 0 && rng.chance(gaps) {
                    let idle = random(rng);
                    cycle(rng, &idle, 0, false, None);
                }
                cycle(rng, operands, part, true, (part + 1 == parts).then_some(total));
            }
        };
        // Each pair of weights in all lanes, and against each activation in each of them.
        for case in 0..PAIRS * 8 * lanes {
            let (pair, activation) = (case / (8 * lanes), 32 * (case / lanes % 8) + case % lanes);
            let operands =
                [std::array::from_fn(|lane| (activation + lane) as u8 as i8), [(pair % 16) as i8 - 8; 32], [(pair / 16) as i8 - 8; 32]];
            block(rng, &operands, 0);
        }
        for _ in 0..BLOCKS {
            let operands = random(rng);
            block(rng, &operands, gaps);
        }
        pipeline::run(&mut dut, column_packed::latency(self.lanes) as usize, &steps, None)
    }
}

/// One block in three has extremes.
fn random(rng: &mut Random) -> Operands {
    let x = std::array::from_fn(|_| rng.bits() as i8);
    let mut row = || std::array::from_fn(|_| (rng.bits() % 16) as i8 - 8);
    let (w0, w1) = (row(), row());
    match rng.bits() % 16 {
        0 => [[-128; 32], [-8; 32], [-8; 32]],
        1 => [[-128; 32], [7; 32], [-8; 32]],
        2 => [[127; 32], [-8; 32], [7; 32]],
        3 => [x, [-8; 32], w1],
        4 => [[0; 32], w0, w1],
        _ => [x, w0, w1],
    }
}
