// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bench of blocks without handshakes: inputs of a cycle, and what is on the outputs a fixed number of cycles
//! later.

use super::{BlockError, Dut, Pin};
use crate::{random::Random, simulator::Simulator};

/// One cycle.
#[derive(Clone, Debug, Default)]
pub struct Step {
    pub inputs: Vec<(Pin, Vec<u8>)>,
    /// Outputs `latency` cycles after this one.
    pub expected: Vec<(Pin, Vec<u8>)>,
}

/// Runs the steps, one per cycle. With `gate` the block has a clock gate `ce`, which is closed at random: then nothing
/// moves, whatever is on the inputs.
pub fn run(dut: &mut Dut, latency: usize, steps: &[Step], mut gate: Option<&mut Random>) -> Result<(), BlockError> {
    let ce = if gate.is_some() { Some(dut.inputs(["ce"])?[0]) } else { None };
    for cycle in 0..steps.len() + latency {
        if let Some(step) = steps.get(cycle) {
            step.inputs.iter().for_each(|(pin, value)| dut.put_bytes(*pin, value));
        }
        if let (Some(ce), Some(rng)) = (ce, &mut gate) {
            dut.put(ce, 0);
            while rng.chance(60) {
                dut.tick()?;
            }
            dut.put(ce, 1);
        }
        dut.settle()?;
        if let Some(step) = cycle.checked_sub(latency).and_then(|c| steps.get(c)) {
            step.expected.iter().try_for_each(|(pin, value)| dut.expect_bytes(*pin, value))?;
        }
        dut.tick()?;
    }
    Ok(())
}

/// The steps with the values of some pins a cycle before the others.
pub fn ahead(steps: Vec<Step>, pins: &[Pin]) -> Vec<Step> {
    let early = |step: &Step| step.inputs.iter().filter(|(pin, _)| pins.contains(pin)).cloned().collect::<Vec<_>>();
    let mut next: Vec<Vec<(Pin, Vec<u8>)>> = steps.iter().map(early).collect();
    next.push(Vec::new());
    let first = Step { inputs: next[0].clone(), expected: vec![] };
    let moved = steps.into_iter().zip(next.drain(1..)).map(|(step, next)| {
        let inputs = step.inputs.into_iter().filter(|(pin, _)| !pins.contains(pin)).chain(next).collect();
        Step { inputs, ..step }
    });
    std::iter::once(first).chain(moved).collect()
}

/// Runs the steps of a block without a clock.
pub fn run_combinational(dut: &mut Dut, steps: &[Step]) -> Result<(), BlockError> {
    for step in steps {
        step.inputs.iter().for_each(|(pin, value)| dut.put_bytes(*pin, value));
        dut.settle()?;
        step.expected.iter().try_for_each(|(pin, value)| dut.expect_bytes(*pin, value))?;
    }
    Ok(())
}
