// SPDX-License-Identifier: MIT OR Apache-2.0
//! The regulator and the PLL of an accelerator with a DVFS unit: they answer after a while, or never; and the reference
//! clock that its time is measured with.

use crate::{random::Random, simulator::Simulator, verilator::SimError};
use std::ops::RangeInclusive;

/// How the supplies answer.
#[derive(Clone, Debug)]
pub struct SupplyTiming {
    /// Cycles from a change of a request to its acknowledge, drawn for each change.
    pub delay: RangeInclusive<u32>,
    pub seed: u64,
    /// Cycles from one tick of the reference clock to the next.
    pub tick: u32,
}

impl Default for SupplyTiming {
    /// Answers in the next cycle, a tick in every cycle.
    fn default() -> SupplyTiming {
        SupplyTiming { delay: 0..=0, seed: 1, tick: 1 }
    }
}

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rail {
    Voltage,
    Clock,
}

/// A code that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    pub cycle: u64,
    pub rail: Rail,
    pub code: u8,
}

struct Supply<P> {
    rail: Rail,
    code: P,
    request: P,
    acknowledge: P,
    acknowledged: bool,
    /// Cycles that the answer still takes.
    left: Option<u32>,
    dead: bool,
}

/// Both supplies.
pub struct Supplies<P> {
    supplies: [Supply<P>; 2],
    tick: P,
    timing: SupplyTiming,
    rng: Random,
    cycle: u64,
    taken: Vec<Taken>,
}

impl<P: Copy> Supplies<P> {
    /// `None` for an accelerator without a DVFS unit, or whose supplies are within it.
    pub fn find<S: Simulator<Port = P>>(sim: &S) -> Result<Option<Self>, SimError> {
        if sim.port("dvfs_voltage_ack_i").is_err() {
            return Ok(None);
        }
        let tick = sim.port("dvfs_tick_i")?;
        let supply = |rail, name: &str| -> Result<Supply<P>, SimError> {
            let port = |what: &str| sim.port(&format!("dvfs_{name}{what}"));
            let (code, request, acknowledge) = (port("_o")?, port("_req_o")?, port("_ack_i")?);
            Ok(Supply { rail, code, request, acknowledge, acknowledged: false, left: None, dead: false })
        };
        let supplies = [supply(Rail::Voltage, "voltage")?, supply(Rail::Clock, "clock")?];
        let timing = SupplyTiming::default();
        let rng = Random::new(timing.seed);
        Ok(Some(Supplies { supplies, tick, timing, rng, cycle: 0, taken: Vec::new() }))
    }

    /// How they answer from now on.
    pub fn set_timing(&mut self, timing: SupplyTiming) {
        self.rng = Random::new(timing.seed);
        self.timing = timing;
    }

    /// A dead supply answers nothing until it is revived.
    pub fn set_dead(&mut self, rail: Rail, dead: bool) {
        self.supplies.iter_mut().filter(|s| s.rail == rail).for_each(|s| s.dead = dead);
    }

    /// Every code that was taken, in order.
    pub fn taken(&self) -> &[Taken] {
        &self.taken
    }

    /// Looks at the requests as the last edge left them, and sets what the design sees at the next one.
    pub fn step<S: Simulator<Port = P>>(&mut self, sim: &mut S) {
        self.cycle += 1;
        sim.set(self.tick, self.cycle.is_multiple_of(self.timing.tick.max(1).into()).into());
        for supply in &mut self.supplies {
            let request = sim.get(supply.request) != 0;
            if request == supply.acknowledged || supply.dead {
                supply.left = None;
                continue;
            }
            let (least, most) = (*self.timing.delay.start(), *self.timing.delay.end());
            let rng = &mut self.rng;
            let left = supply.left.get_or_insert_with(|| least + (rng.bits() % u64::from(most - least + 1)) as u32);
            if *left > 0 {
                *left -= 1;
                continue;
            }
            supply.acknowledged = request;
            supply.left = None;
            sim.set(supply.acknowledge, request.into());
            if request {
                let code = sim.get(supply.code) as u8;
                self.taken.push(Taken { cycle: self.cycle, rail: supply.rail, code });
            }
        }
    }
}
