// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `power::switches`: segments that answer late, never, or lose their acknowledge.

use super::{
    Block, BlockError, Dut,
    power_env::{Follower, Mood},
};
use crate::{random::Random, simulator::Simulator};
use heddle_core::power::switches::{self, golden::Switches};
use heddle_lang::{BuildError, Module, import::ImportError};
use std::sync::Arc;

const EPISODES: usize = 20;
const CYCLES: usize = 200;

/// A chain of so many segments.
pub struct PowerSwitches {
    pub stages: u32,
}

impl Block for PowerSwitches {
    fn name(&self) -> String {
        format!("power_switches, {} segment(s)", self.stages)
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        switches::switches(self.stages).map_err(ImportError::build_error)
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        dut.reset()?;
        let [request_pin, acks_pin] = dut.inputs(["request", "acks"])?;
        let [on, ack] = dut.outputs(["on", "ack"])?;
        let mut model = Switches::new(self.stages);
        let mut closed = 0;
        for episode in 0..EPISODES {
            let mood = if episode % 2 == 0 { Mood::sound(rng) } else { Mood::broken(rng) };
            let mut segments = vec![Follower::default(); self.stages as usize];
            let mut request = false;
            for _ in 0..CYCLES {
                request ^= rng.chance(mood.change / 2 + 1);
                let told = model.on();
                let answer = |(at, segment): (usize, &mut Follower)| u8::from(segment.step(told >> at & 1 == 1, &mood, rng)) << at;
                let acks = segments.iter_mut().enumerate().map(answer).sum();
                dut.put(request_pin, request.into());
                dut.put(acks_pin, u64::from(acks));
                dut.settle()?;
                dut.expect(on, told.into())?;
                dut.expect(ack, model.ack(request, acks).into())?;
                closed += u32::from(request && model.ack(request, acks));
                dut.tick()?;
                model.step(request, acks);
            }
        }
        if closed == 0 { Err(BlockError::wrong("the chain was never closed")) } else { Ok(()) }
    }
}
