// SPDX-License-Identifier: MIT OR Apache-2.0
//! The power switches of the accelerator's domains: segments that acknowledge after a while, or never.

use crate::{random::Random, simulator::Simulator, verilator::SimError};
use std::ops::RangeInclusive;

/// How switches answer.
#[derive(Clone, Debug)]
pub struct SwitchTiming {
    /// Cycles from a change of a segment's control to its acknowledge, drawn for each change.
    pub delay: RangeInclusive<u32>,
    pub seed: u64,
}

impl Default for SwitchTiming {
    /// Every segment answers in the next cycle.
    fn default() -> SwitchTiming {
        SwitchTiming { delay: 0..=0, seed: 1 }
    }
}

/// A chain's ports and segments; bit `domain * stages + segment`.
struct Chain<P> {
    on: P,
    ack: P,
    closed: u64,
    /// Cycles that each segment still takes to follow its control.
    left: [u32; 64],
}

/// The switches of all domains.
pub struct Switches<P> {
    weak: Chain<P>,
    strong: Chain<P>,
    good: P,
    domains: u32,
    stages: u32,
    timing: SwitchTiming,
    rng: Random,
    /// Segments of the strong chains that never close.
    pub stuck_open: u64,
    /// Segments of the strong chains that never open again.
    pub stuck_closed: u64,
    /// Domains whose supply fails although their switches are closed.
    pub failed: u64,
}

impl<P: Copy> Switches<P> {
    /// `None` for an accelerator without power domains.
    pub fn find<S: Simulator<Port = P>>(sim: &S) -> Result<Option<Self>, SimError> {
        let Ok(good) = sim.port("power_good_i") else { return Ok(None) };
        let chain = |name: &str| -> Result<Chain<P>, SimError> {
            let (on, ack) = (sim.port(&format!("power_{name}_on_o"))?, sim.port(&format!("power_{name}_ack_i"))?);
            Ok(Chain { on, ack, closed: 0, left: [0; 64] })
        };
        let (weak, strong) = (chain("weak")?, chain("strong")?);
        let domains = sim.width(good);
        let stages = sim.width(weak.on) / domains;
        let timing = SwitchTiming::default();
        let rng = Random::new(timing.seed);
        Ok(Some(Switches { weak, strong, good, domains, stages, timing, rng, stuck_open: 0, stuck_closed: 0, failed: 0 }))
    }

    /// How segments answer from now on.
    pub fn set_timing(&mut self, timing: SwitchTiming) {
        self.rng = Random::new(timing.seed);
        self.timing = timing;
    }

    /// Looks at the controls as the last edge left them, and sets what the design sees at the next one.
    pub fn step<S: Simulator<Port = P>>(&mut self, sim: &mut S) {
        self.weak.step(sim, &self.timing, &mut self.rng, 0, 0);
        self.strong.step(sim, &self.timing, &mut self.rng, self.stuck_open, self.stuck_closed);
        let closed = self.weak.closed & self.strong.closed;
        let all = (1u64 << self.stages) - 1;
        let supplied = (0..self.domains).filter(|d| closed >> (d * self.stages) & all == all);
        let good = supplied.fold(0, |good, d| good | 1 << d) & !self.failed;
        sim.set(self.good, good);
    }
}

impl<P: Copy> Chain<P> {
    fn step<S: Simulator<Port = P>>(&mut self, sim: &mut S, timing: &SwitchTiming, rng: &mut Random, stuck_open: u64, stuck_closed: u64) {
        let told = (sim.get(self.on) | self.closed & stuck_closed) & !stuck_open;
        let moving = told ^ self.closed;
        if moving == 0 {
            return;
        }
        for segment in (0..64).filter(|s| moving >> s & 1 == 1) {
            let left = &mut self.left[segment as usize];
            if *left == 0 {
                let (least, most) = (*timing.delay.start(), *timing.delay.end());
                *left = 1 + least + (rng.bits() % u64::from(most - least + 1)) as u32;
            }
            *left -= 1;
            if *left == 0 {
                self.closed ^= 1 << segment;
            }
        }
        sim.set(self.ack, self.closed);
    }
}
