// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `power::demand`: random matrices and chunks, domains that come and go, every output in every cycle.

use super::{Block, BlockError, Dut, geometry, shape};
use crate::{random::Random, simulator::Simulator};
use heddle_core::{
    config::Config,
    power::demand::{self, golden},
};
use heddle_lang::{BuildError, Module};
use std::sync::Arc;

const CYCLES: usize = 3000;
/// Matrices that may be issued and not done.
const IN_FLIGHT: usize = 2;

/// The unit of a configuration.
pub struct PowerDemand {
    pub config: Config,
}

impl PowerDemand {
    pub fn new(columns: u32, per_domain: u32) -> PowerDemand {
        let mut config = geometry(16, columns, 64);
        config.power.columns_per_domain = per_domain;
        PowerDemand { config }
    }
}

impl Block for PowerDemand {
    fn name(&self) -> String {
        format!("power_demand, {}, {} domain(s)", shape(&self.config), self.config.domains())
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        demand::demand(&self.config)
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        dut.reset()?;
        let pins = dut.inputs(["preparing", "preparing_columns", "go", "done", "offered", "emit", "columns", "on", "fault", "within"])?;
        let [need, busy, powered, stall, error] = dut.outputs(["need", "busy", "powered", "stall", "error"])?;
        let mut model = golden::Demand::new(&self.config);
        let most = u64::from(self.config.array.columns);
        let all = (1u64 << self.config.domains()) - 1;
        let mut flying = 0;
        let mut inputs = golden::Inputs::default();
        for _ in 0..CYCLES {
            if rng.chance(60) {
                inputs.preparing = rng.chance(160).then(|| (1 + rng.bits() % most) as u8);
            }
            if rng.chance(40) {
                (inputs.on, inputs.fault) = ((rng.bits() & all) as u8, (rng.bits() & rng.bits() & rng.bits() & all) as u8);
                inputs.columns = (1 + rng.bits() % most) as u8;
            }
            inputs.within ^= rng.chance(3);
            inputs.done = flying > 0 && rng.chance(12);
            inputs.go = inputs.preparing.is_some() && flying < IN_FLIGHT && rng.chance(20);
            inputs.offered = rng.chance(60);
            inputs.emit = inputs.offered && model.outputs(&inputs).powered;
            let columns = inputs.preparing.map_or(rng.bits() % (most + 1), u64::from);
            let values = [
                inputs.preparing.is_some().into(),
                columns,
                inputs.go.into(),
                inputs.done.into(),
                inputs.offered.into(),
                inputs.emit.into(),
                inputs.columns.into(),
                inputs.on.into(),
                inputs.fault.into(),
                inputs.within.into(),
            ];
            pins.iter().zip(values).for_each(|(pin, value)| dut.put(*pin, value));
            dut.settle()?;
            let want = model.outputs(&inputs);
            let wanted = [want.need.into(), want.busy.into(), want.powered.into(), want.stall.into(), want.error.into()];
            [need, busy, powered, stall, error].iter().zip(wanted).try_for_each(|(pin, value)| dut.expect(*pin, value))?;
            dut.tick()?;
            flying = flying + usize::from(inputs.go) - usize::from(inputs.done);
            model.step(&inputs);
        }
        Ok(())
    }
}
