// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `power::idle`: bursts of need, thresholds from 0 to beyond the end of the count.

use super::{Block, BlockError, Dut};
use crate::{random::Random, simulator::Simulator};
use heddle_core::power::idle::{
    self,
    golden::{Idle, Inputs},
};
use heddle_lang::{BuildError, Module, import::ImportError};
use std::sync::Arc;

const CYCLES: usize = 3000;
/// Long enough for the count to stop at its end.
const SILENCE: usize = 66_000;

/// The idle counter.
pub struct PowerIdle;

impl Block for PowerIdle {
    fn name(&self) -> String {
        "power_idle".into()
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        idle::idle().map_err(ImportError::build_error)
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        dut.reset()?;
        let [need, enable, threshold] = dut.inputs(["need", "enable", "threshold"])?;
        let [wanted] = dut.outputs(["wanted"])?;
        let mut model = Idle::default();
        let mut i = Inputs { enable: true, ..Inputs::default() };
        for cycle in 0..CYCLES + SILENCE {
            let silence = cycle >= CYCLES;
            i.need = !silence && rng.chance(if i.need { 180 } else { 12 });
            if rng.chance(4) || cycle == 0 {
                i.enable = silence || !rng.chance(40);
                i.threshold = if silence { 0xfffe + (rng.bits() as u16 & 1) } else { [0, 1, 2, 5, 20, 0xffff][rng.bits() as usize % 6] };
            }
            [(need, i.need.into()), (enable, i.enable.into()), (threshold, u64::from(i.threshold))]
                .into_iter()
                .for_each(|(pin, value)| dut.put(pin, value));
            dut.settle()?;
            dut.expect(wanted, model.wanted(&i).into())?;
            dut.tick()?;
            model.step(&i);
        }
        Ok(())
    }
}
