// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `engine::to_float`: every power of two and its neighbours, ties, extremes, random values of all sizes.

use super::{
    Block, BlockError, Dut,
    bits::pack,
    pipeline::{self, Step},
};
use crate::{random::Random, simulator::Simulator};
use heddle_core::engine::{
    to_float::{self, FLOAT_BITS},
    to_float_serial,
};
use heddle_lang::{BuildError, Module};
use std::sync::Arc;

const VALUES: usize = 2000;

/// The converter.
pub struct ToFloat {
    /// A digit at a time.
    pub serial: bool,
}

impl Block for ToFloat {
    fn name(&self) -> String {
        if self.serial { "to_float_serial".into() } else { "to_float".into() }
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        if self.serial { to_float_serial::to_float_serial() } else { to_float::to_float() }
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
        let bits = |value: i64| to_float::golden::to_f24(value).to_bits() >> 8;
        if self.serial {
            dut.reset()?;
            return values.iter().try_for_each(|&value| one_by_one(&mut dut, rng, value, bits(value)));
        }
        let step = |&value: &i64| {
            let bits = bits(value);
            Step { inputs: vec![(acc, value.to_le_bytes().into())], expected: vec![(float, pack(FLOAT_BITS, [bits.into()]))] }
        };
        let steps: Vec<Step> = values.iter().map(step).collect();
        pipeline::run(&mut dut, to_float::LATENCY as usize, &steps, None)
    }
}

/// A value at a time, now and then another before it is done, which takes its place.
fn one_by_one(dut: &mut Dut, rng: &mut Random, value: i64, expected: u32) -> Result<(), BlockError> {
    let [valid, acc] = dut.inputs(["valid", "acc"])?;
    let [done, float] = dut.outputs(["done", "f24"])?;
    if rng.chance(40) {
        dut.put(valid, 1);
        dut.put(acc, rng.bits());
        dut.tick()?;
        dut.put(valid, 0);
        for _ in 0..rng.bits() % u64::from(to_float_serial::LATENCY - 1) {
            dut.tick()?;
        }
    }
    dut.put(valid, 1);
    dut.put(acc, value as u64);
    dut.tick()?;
    dut.put(valid, 0);
    dut.put(acc, rng.bits());
    for cycle in 1..=to_float_serial::LATENCY {
        dut.settle()?;
        dut.expect(done, (cycle == to_float_serial::LATENCY).into())?;
        if cycle == to_float_serial::LATENCY {
            dut.expect(float, expected.into())?;
        }
        dut.tick()?;
    }
    Ok(())
}
