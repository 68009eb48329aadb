// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `engine::scale_acc`: rows of random length with gaps, against the golden accumulator.

use super::{
    Block, BlockError, Dut, Pin,
    bits::pack,
    gate,
    pipeline::{self, Step},
    place::scale_bits,
};
use crate::random::Random;
use heddle_core::{
    engine::{
        column::SUM_BITS,
        place::{self, GRID_BITS, SCALE_BITS},
        scale_acc::{self, SUM_X_BITS, golden},
    },
    numerics::{F24, grid},
};
use heddle_lang::{BuildError, Module};
use std::sync::Arc;

const ROWS: usize = 60;

/// The unit for so many blocks per cycle.
pub struct ScaleAcc {
    pub blocks: u32,
    pub minima: bool,
    /// With a clock gate.
    pub gated: bool,
}

impl Block for ScaleAcc {
    fn name(&self) -> String {
        format!("scale_acc, {} block(s){}{}", self.blocks, if self.minima { ", minima" } else { "" }, gate(self.gated))
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        scale_acc::scale_acc(self.blocks, self.minima, self.gated)
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        let [valid, first, sum, d, dx] = dut.inputs(["valid", "first", "sum", "d", "dx"])?;
        let [acc, too_large] = dut.outputs(["acc", "too_large"])?;
        let minima = if self.minima { Some(dut.inputs(["dmin", "sum_x"])?) } else { None };
        let latency = scale_acc::latency(self.blocks, self.minima) as usize;
        // The flag comes one cycle after the term, the accumulator later.
        let flag_lead = latency - (place::LATENCY + 1) as usize;
        let gaps = [0, 60, 180][rng.bits() as usize % 3];
        let mut steps: Vec<Step> = Vec::new();
        let mut flags = Vec::new();
        let mut cycle = |blocks: &[golden::Block], valid_now: bool, first_now: bool, row: Option<&[golden::Block]>| {
            let field = |width, f: &dyn Fn(&golden::Block) -> u64| pack(width, blocks.iter().map(f));
            let mut step = Step {
                inputs: vec![
                    (valid, vec![valid_now.into()]),
                    (first, vec![first_now.into()]),
                    (sum, field(SUM_BITS, &|b| b.2 as u64)),
                    (d, field(16, &|b| b.0.into())),
                    (dx, field(SCALE_BITS, &|b| scale_bits(b.1))),
                ],
                expected: row.map(|row| (acc, pack(GRID_BITS, [golden::scale_acc(row).0 as u64]))).into_iter().collect(),
            };
            if let Some([dmin, sum_x]) = minima {
                step.inputs.extend([(dmin, field(16, &|b| b.3.into())), (sum_x, field(SUM_X_BITS, &|b| b.4 as u64))]);
            }
            flags.push(valid_now && blocks.iter().any(|b| grid::place(b.0, b.1, b.2).1 || grid::place(b.3, b.1, b.4).1));
            steps.push(step);
        };
        for _ in 0..ROWS {
            let length = 1 + rng.bits() as usize % 12;
            let blocks = self.blocks as usize;
            let row: Vec<golden::Block> = (0..length * blocks).map(|_| block(rng, self.minima)).collect();
            for (i, step) in row.chunks(blocks).enumerate() {
                while rng.chance(gaps) {
                    let idle: Vec<golden::Block> = (0..blocks).map(|_| block(rng, self.minima)).collect();
                    cycle(&idle, false, rng.chance(128), None);
                }
                cycle(step, true, i == 0, (i + 1 == length).then_some(&row[..]));
            }
        }
        // The flag of step i is seen where step i - lead shows its accumulator.
        for (i, flag) in flags.into_iter().enumerate().skip(flag_lead) {
            steps[i - flag_lead].expected.push((too_large, vec![flag.into()]));
        }
        let early: Vec<Pin> = [d].into_iter().chain(minima.map(|[dmin, _]| dmin)).collect();
        pipeline::run(&mut dut, latency, &pipeline::ahead(steps, &early), self.gated.then_some(rng))
    }
}

/// One block in thirty exceeds the grid; the others are as in real models, some with a scale of zero.
fn block(rng: &mut Random, minima: bool) -> golden::Block {
    let large = rng.chance(8);
    let mut scale = || match rng.bits() % 8 {
        0 => 0,
        _ if large => 0x7800 | rng.bits() as u16 & 0x83ff,
        _ => (8 + rng.bits() as u16 % 10) << 10 | rng.bits() as u16 & 0x83ff,
    };
    let (d, dmin) = (scale(), scale());
    let exponent = if large { 127 + rng.bits() as u32 % 12 } else { 105 + rng.bits() as u32 % 20 };
    let dx = F24::from_bits(exponent << 23 | (rng.bits() as u32 & 0x7fff) << 8);
    let sum = rng.bits() as i32 % (32 * 128 * 128);
    let sum_x = rng.bits() as i32 % 4064;
    (d, dx, sum, if minima { dmin } else { 0 }, sum_x)
}
