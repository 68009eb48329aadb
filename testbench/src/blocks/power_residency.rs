// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `power::residency`: walks of the controller, and codes that jump about; every count is read back.

use super::{Block, BlockError, Dut};
use crate::{random::Random, simulator::Simulator};
use heddle_core::power::{
    domain::DomainState,
    residency::{self, STATE_BITS, golden::Residency},
};
use heddle_lang::{BuildError, Module};
use std::sync::Arc;

const CYCLES: usize = 6000;

/// The residency counters.
pub struct PowerResidency;

impl Block for PowerResidency {
    fn name(&self) -> String {
        "power_residency".into()
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        residency::residency()
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        dut.reset()?;
        let [state_pin, select_pin] = dut.inputs(["state", "select"])?;
        let [residency, ups] = dut.outputs(["residency", "ups"])?;
        let mut model = Residency::default();
        let (mut state, mut select) = (DomainState::StrongOff as u8, 0);
        for cycle in 0..CYCLES {
            let wild = cycle / 1000 % 2 == 1;
            if rng.chance(if wild { 200 } else { 80 }) {
                let any = rng.bits() as u8 % (1 << STATE_BITS);
                let next = (state + 1) % (DomainState::Faulted as u8 + 1);
                state = match wild {
                    true if rng.chance(100) => [DomainState::PoweredOff, DomainState::Running][rng.bits() as usize % 2] as u8,
                    true => any,
                    false => next,
                };
            }
            select = if rng.chance(128) { state } else { (select + 1) % (1 << STATE_BITS) };
            dut.put(state_pin, state.into());
            dut.put(select_pin, select.into());
            dut.settle()?;
            dut.expect(residency, model.selected().into())?;
            dut.expect(ups, model.ups.into())?;
            dut.tick()?;
            model.step(state, select);
        }
        if model.ups == 0 { Err(BlockError::wrong("never switched on")) } else { Ok(()) }
    }
}
