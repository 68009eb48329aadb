// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `power::domain`: random surroundings, from sound ones to noise; every output in every cycle. A run must
//! reach every state, every arc but those of an illegal state, and every cause.

use super::{
    Block, BlockError, Dut, Pin,
    power_env::{Follower, Mood, Unit},
};
use crate::{
    mutation::{Change, apply},
    random::Random,
    simulator::Simulator,
};
use heddle_core::power::domain::{
    self, DomainCause, STATES,
    golden::{Domain, Inputs, Outputs},
};
use heddle_lang::{BuildError, Module, import::ImportError};
use std::{collections::BTreeSet, sync::Arc};

const EPISODES: usize = 200;
const CYCLES: usize = 400;
const INPUTS: [&str; 9] = ["wanted", "qacceptn", "qdeny", "qactive", "weak_ack", "strong_ack", "power_good", "limit", "clear"];
const OUTPUTS: [&str; 13] = [
    "qreqn",
    "clock_enable",
    "isolate",
    "save",
    "restore",
    "domain_rst",
    "weak_on",
    "strong_on",
    "on",
    "fault",
    "event",
    "cause",
    "state_code",
];

/// The controller of a domain; after reset in its own state, or in an encoding that is none.
#[derive(Default)]
pub struct PowerDomain {
    pub illegal: Option<u8>,
}

impl Block for PowerDomain {
    fn name(&self) -> String {
        let from = self.illegal.map(|code| format!(", from the illegal state {code}"));
        format!("power_domain{}", from.unwrap_or_default())
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        let module = domain::domain().map_err(ImportError::build_error)?;
        let Some(code) = self.illegal else { return Ok(module) };
        let changed = apply(&module, &module.name, "state_q", &Change::Reset(code.into()));
        changed.map_err(|e| BuildError { module: module.name.clone(), messages: vec![e.to_string()] })
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        dut.reset()?;
        let pins = Pins { inputs: dut.inputs(INPUTS)?, outputs: dut.outputs(OUTPUTS)? };
        let mut seen = Seen::default();
        if self.illegal.is_some() {
            let mut model = recover(&mut dut, &pins, rng)?;
            return episode(&mut dut, &pins, &mut model, rng, &mut seen);
        }
        let mut model = Domain::default();
        for _ in 0..EPISODES {
            episode(&mut dut, &pins, &mut model, rng, &mut seen)?;
        }
        seen.complete()
    }
}

struct Pins {
    inputs: [Pin; INPUTS.len()],
    outputs: [Pin; OUTPUTS.len()],
}

impl Pins {
    fn put(&self, dut: &mut Dut, i: &Inputs) {
        let bits = [i.wanted, i.qacceptn, i.qdeny, i.qactive, i.weak_ack, i.strong_ack, i.power_good].map(u64::from);
        let values = bits.into_iter().chain([i.limit.into(), i.clear.into()]);
        self.inputs.iter().zip(values).for_each(|(pin, value)| dut.put(*pin, value));
    }

    fn expect(&self, dut: &Dut, o: &Outputs) -> Result<(), BlockError> {
        let power = [o.qreqn, o.clock_enable, o.isolate, o.save, o.restore, o.domain_rst, o.weak_on, o.strong_on];
        let status = [o.on, o.fault, o.event];
        let values = power.into_iter().chain(status).map(u64::from).chain([o.cause.into(), o.state_code.into()]);
        self.outputs.iter().zip(values).try_for_each(|(pin, value)| dut.expect(*pin, value))
    }
}

/// The edge after an illegal state: whatever the inputs, off and clamped, with its cause.
fn recover(dut: &mut Dut, pins: &Pins, rng: &mut Random) -> Result<Domain, BlockError> {
    let inputs = noise(rng);
    pins.put(dut, &inputs);
    dut.tick()?;
    let model = Domain::fallen(DomainCause::NoState);
    pins.expect(dut, &model.outputs())?;
    Ok(model)
}

fn noise(rng: &mut Random) -> Inputs {
    let bits = rng.bits();
    let bit = |at: u32| bits >> at & 1 == 1;
    Inputs {
        wanted: bit(0),
        qacceptn: bit(1),
        qdeny: bit(2),
        qactive: bit(3),
        weak_ack: bit(4),
        strong_ack: bit(5),
        power_good: bit(6),
        limit: (bits >> 8) as u16 & 7,
        clear: bit(7),
    }
}

/// A while in one mood; a tenth of the time there is none, only noise.
fn episode(dut: &mut Dut, pins: &Pins, model: &mut Domain, rng: &mut Random, seen: &mut Seen) -> Result<(), BlockError> {
    let noisy = rng.chance(26);
    let mood = if rng.chance(100) { Mood::sound(rng) } else { Mood::broken(rng) };
    let (mut unit, mut weak, mut strong, mut supply) = (Unit::default(), Follower::default(), Follower::default(), Follower::default());
    let mut inputs = Inputs::default();
    for _ in 0..CYCLES {
        let outputs = model.outputs();
        if noisy {
            inputs = noise(rng);
        } else {
            unit.step(outputs.qreqn, &mood, rng);
            inputs.wanted ^= rng.chance(mood.change);
            (inputs.qacceptn, inputs.qdeny, inputs.qactive) = (unit.qacceptn, unit.qdeny, unit.qactive);
            inputs.weak_ack = weak.step(outputs.weak_on, &mood, rng);
            inputs.strong_ack = strong.step(outputs.strong_on, &mood, rng);
            inputs.power_good = supply.step(outputs.strong_on, &mood, rng) && !rng.chance(mood.brownout);
            inputs.limit = mood.limit as u16;
            inputs.clear = rng.chance(mood.clear);
        }
        pins.put(dut, &inputs);
        dut.settle()?;
        pins.expect(dut, &outputs)?;
        dut.tick()?;
        let from = model.state as u8;
        model.step(&inputs);
        seen.step(from, model);
    }
    Ok(())
}

/// What a run reached.
#[derive(Default)]
struct Seen {
    arcs: BTreeSet<(u8, u8)>,
    causes: BTreeSet<u8>,
}

impl Seen {
    fn step(&mut self, from: u8, model: &Domain) {
        self.arcs.insert((from, model.state as u8));
        self.causes.insert(model.cause as u8);
    }

    fn complete(&self) -> Result<(), BlockError> {
        let missing: Vec<(u8, u8)> = domain::arcs::arcs().into_keys().filter(|arc| !self.arcs.contains(arc)).collect();
        if !missing.is_empty() {
            return Err(BlockError::wrong(format!("arcs that the stimulus did not reach: {missing:?}")));
        }
        let causes = (0..DomainCause::NoState as u8).filter(|cause| !self.causes.contains(cause)).collect::<Vec<_>>();
        let states: BTreeSet<u8> = self.arcs.iter().map(|(_, to)| *to).collect();
        match (causes.is_empty(), states.len() == STATES.len()) {
            (true, true) => Ok(()),
            _ => Err(BlockError::wrong(format!("reached states {states:?}, not the causes {causes:?}"))),
        }
    }
}
