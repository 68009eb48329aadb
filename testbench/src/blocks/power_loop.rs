// SPDX-License-Identifier: MIT OR Apache-2.0
//! A domain closed upon itself: controller, device, two chains of switches, idle counter and residency counters
//! together, against the golden models together; with what a user may rely on checked beside.

use super::{
    Block, BlockError, Dut, Pin,
    power_env::{Follower, Mood},
};
use crate::{random::Random, simulator::Simulator};
use heddle_core::power::{
    domain::{self, DomainState},
    idle, q_device, residency, switches,
};
use heddle_lang::{BuildError, Builder, Module, Ty, import::ImportError};
use std::sync::Arc;

const EPISODES: usize = 40;
const CYCLES: usize = 600;
const INPUTS: [&str; 9] = ["need", "busy", "enable", "threshold", "limit", "clear", "power_good", "weak_acks", "strong_acks"];
const OUTPUTS: [&str; 12] =
    ["clock_enable", "isolate", "save", "restore", "domain_rst", "weak_on", "strong_on", "run", "fault", "cause", "state_code", "ups"];

/// A domain whose chains have so many segments.
pub struct PowerLoop {
    pub stages: u32,
}

/// All blocks of one domain, connected.
pub fn one_domain(stages: u32) -> Result<Arc<Module>, BuildError> {
    let own = ImportError::build_error;
    let (idle, device, controller) = (idle::idle().map_err(own)?, q_device::q_device().map_err(own)?, domain::domain().map_err(own)?);
    let (chain, residency) = (switches::switches(stages).map_err(own)?, residency::residency()?);
    let mut m = Builder::clocked(format!("power_one_domain_{stages}"), file!());
    m.doc("The blocks of one power domain, connected: policy, controller, device, switches, residency.");
    let [need, busy, enable, clear, good] = ["need", "busy", "enable", "clear", "power_good"].map(|name| m.input(name, Ty::BIT));
    let [threshold, limit] = ["threshold", "limit"].map(|name| m.input(name, Ty::Unsigned(16)));
    let [weak_acks, strong_acks] = ["weak_acks", "strong_acks"].map(|name| m.input(name, Ty::Unsigned(stages)));
    let select = m.input("select", Ty::Unsigned(residency::STATE_BITS));
    let [weak_ack, strong_ack] = ["weak_chain_ack", "strong_chain_ack"].map(|name| m.forward(name, Ty::BIT));
    let [qacceptn, qdeny, qactive] = ["device_qacceptn", "device_qdeny", "device_qactive"].map(|name| m.forward(name, Ty::BIT));
    let wanted = m.instance("idle", &idle, &[("need", need.clone()), ("enable", enable), ("threshold", threshold)]).get("wanted");
    let inputs = [
        ("wanted", wanted),
        ("qacceptn", qacceptn),
        ("qdeny", qdeny),
        ("qactive", qactive),
        ("weak_ack", weak_ack),
        ("strong_ack", strong_ack),
        ("power_good", good),
        ("limit", limit),
        ("clear", clear),
    ];
    let controller = m.instance("controller", &controller, &inputs);
    let inputs = [("qreqn", controller.get("qreqn")), ("busy", busy), ("need", need)];
    let device = m.instance("device", &device, &inputs);
    for (name, request, acks) in [("weak", "weak_on", weak_acks), ("strong", "strong_on", strong_acks)] {
        let inputs = [("request", controller.get(request)), ("acks", acks)];
        let chain = m.instance(&format!("{name}_chain"), &chain, &inputs);
        m.output(request, chain.get("on"));
    }
    let code = controller.get("state_code");
    let counts = m.instance("residency", &residency, &[("state", code.clone()), ("select", select)]);
    for name in ["clock_enable", "isolate", "save", "restore", "domain_rst", "on", "fault", "event", "cause"] {
        m.output(name, controller.get(name));
    }
    m.output("state_code", code);
    m.output("run", device.get("run"));
    m.output("residency", counts.get("residency"));
    m.output("ups", counts.get("ups"));
    m.build()
}

impl Block for PowerLoop {
    fn name(&self) -> String {
        format!("power domain, closed loop, {} segment(s)", self.stages)
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        one_domain(self.stages)
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        dut.reset()?;
        let pins = Pins { inputs: dut.inputs(INPUTS)?, outputs: dut.outputs(OUTPUTS)? };
        let mut model = Model::new(self.stages);
        for episode in 0..EPISODES {
            self.episode(&mut dut, &pins, &mut model, rng, episode % 2 == 0)?;
        }
        match (model.served, model.counts.ups) {
            (0, _) | (_, 0) => Err(BlockError::wrong("no work was ever done")),
            _ => Ok(()),
        }
    }
}

struct Pins {
    inputs: [Pin; INPUTS.len()],
    outputs: [Pin; OUTPUTS.len()],
}

/// Inputs of one cycle.
#[derive(Clone, Copy, Default)]
struct Inputs {
    need: bool,
    busy: bool,
    idle: idle::golden::Inputs,
    limit: u16,
    clear: bool,
    good: bool,
    weak: u8,
    strong: u8,
}

/// The golden models, connected, and the unit's work.
struct Model {
    idle: idle::golden::Idle,
    domain: domain::golden::Domain,
    device: q_device::golden::QDevice,
    weak: switches::golden::Switches,
    strong: switches::golden::Switches,
    counts: residency::golden::Residency,
    /// The unit could begin in the cycle before.
    could: bool,
    /// Cycles for which it has waited to.
    waiting: u32,
    served: u32,
}

impl Model {
    fn new(stages: u32) -> Model {
        Model {
            idle: Default::default(),
            domain: Default::default(),
            device: Default::default(),
            weak: switches::golden::Switches::new(stages),
            strong: switches::golden::Switches::new(stages),
            counts: Default::default(),
            could: false,
            waiting: 0,
            served: 0,
        }
    }

    fn outputs(&self) -> [u64; OUTPUTS.len()] {
        let o = self.domain.outputs();
        let bits = [o.clock_enable, o.isolate, o.save, o.restore, o.domain_rst].map(u64::from);
        let [clock_enable, isolate, save, restore, domain_rst] = bits;
        let (weak, strong) = (self.weak.on().into(), self.strong.on().into());
        let (run, fault) = (self.device.outputs().run.into(), o.fault.into());
        let (cause, state, ups) = (o.cause.into(), o.state_code.into(), self.counts.ups.into());
        [clock_enable, isolate, save, restore, domain_rst, weak, strong, run, fault, cause, state, ups]
    }

    fn step(&mut self, i: &Inputs) {
        let (o, q) = (self.domain.outputs(), self.device.outputs());
        self.domain.step(&domain::golden::Inputs {
            wanted: self.idle.wanted(&i.idle),
            qacceptn: q.qacceptn,
            qdeny: q.qdeny,
            qactive: q.qactive,
            weak_ack: self.weak.ack(o.weak_on, i.weak),
            strong_ack: self.strong.ack(o.strong_on, i.strong),
            power_good: i.good,
            limit: i.limit,
            clear: i.clear,
        });
        self.device.step(&q_device::golden::Inputs { qreqn: o.qreqn, busy: i.busy, need: i.need });
        self.weak.step(o.weak_on, i.weak);
        self.strong.step(o.strong_on, i.strong);
        self.idle.step(&i.idle);
        self.counts.step(o.state_code, 0);
        self.could = q.run;
    }

    /// What a user relies on: work only on a domain that is up, and no work that waits for ever.
    fn check(&self, i: &Inputs, sound: bool, bound: u32) -> Result<(), BlockError> {
        let o = self.domain.outputs();
        let up = o.clock_enable && !o.isolate && !o.domain_rst;
        if i.busy && !up && sound {
            return Err(BlockError::wrong(format!("work outstanding in state {:?}", self.domain.state)));
        }
        if !o.isolate && (self.weak.on() == 0 || self.strong.on() == 0) {
            return Err(BlockError::wrong(format!("connected without power in state {:?}", self.domain.state)));
        }
        if sound && self.domain.state == DomainState::Faulted && self.waiting > bound {
            return Err(BlockError::wrong(format!("faulted: {:?}", self.domain.cause)));
        }
        if sound && self.waiting > bound {
            return Err(BlockError::wrong(format!("{} cycles without an answer to a need", self.waiting)));
        }
        Ok(())
    }
}

impl PowerLoop {
    fn episode(&self, dut: &mut Dut, pins: &Pins, model: &mut Model, rng: &mut Random, sound: bool) -> Result<(), BlockError> {
        let mut mood = if sound { Mood::sound(rng) } else { Mood::broken(rng) };
        mood.limit = if sound { mood.limit.max(4 * u64::from(self.stages) * (mood.delay + 2)) } else { mood.limit };
        let mut segments = [vec![Follower::default(); self.stages as usize], vec![Follower::default(); self.stages as usize]];
        let mut supply = Follower::default();
        let mut i = Inputs::default();
        let threshold = [0, 1, 6, 40][rng.bits() as usize % 4];
        // Down, and up again: two chains each way, and the steps between.
        let bound = 4 * self.stages * (mood.delay as u32 + 2) + 60;
        model.waiting = 0;
        for cycle in 0..CYCLES {
            i.idle = idle::golden::Inputs { need: i.need, enable: !rng.chance(2), threshold };
            i.limit = mood.limit as u16;
            // What the episode before broke is forgotten.
            i.clear = if sound { cycle < 100 } else { rng.chance(mood.clear) };
            let told = [model.weak.on(), model.strong.on()];
            let acks = [0, 1].map(|chain| acknowledge(&mut segments[chain], told[chain], &mood, rng));
            [i.weak, i.strong] = acks;
            i.good = supply.step(model.domain.outputs().strong_on, &mood, rng) && !rng.chance(mood.brownout);
            self.cycle(dut, pins, model, &i)?;
            model.check(&i, sound && cycle > 200, bound)?;
            model.work(&mut i, &mood, rng);
        }
        Ok(())
    }

    fn cycle(&self, dut: &mut Dut, pins: &Pins, model: &mut Model, i: &Inputs) -> Result<(), BlockError> {
        let bits = [i.need, i.busy, i.idle.enable].map(u64::from);
        let rest = [i.idle.threshold.into(), i.limit.into(), i.clear.into(), i.good.into(), i.weak.into(), i.strong.into()];
        pins.inputs.iter().zip(bits.into_iter().chain(rest)).for_each(|(pin, value)| dut.put(*pin, value));
        dut.settle()?;
        pins.outputs.iter().zip(model.outputs()).try_for_each(|(pin, value)| dut.expect(*pin, value))?;
        dut.tick()?;
        model.step(i);
        Ok(())
    }
}

fn acknowledge(segments: &mut [Follower], told: u8, mood: &Mood, rng: &mut Random) -> u8 {
    let answer = |(at, segment): (usize, &mut Follower)| u8::from(segment.step(told >> at & 1 == 1, mood, rng)) << at;
    segments.iter_mut().enumerate().map(answer).sum()
}

impl Model {
    /// The unit after an edge: it needs the domain until it has begun, is busy from the cycle after that for a while,
    /// and loses its work when its domain is reset.
    fn work(&mut self, i: &mut Inputs, mood: &Mood, rng: &mut Random) {
        let begins = i.need && self.could && !i.busy && rng.chance(128);
        self.served += u32::from(begins);
        self.waiting = if i.need && !self.could { self.waiting + 1 } else { 0 };
        i.need = if i.need { !begins } else { rng.chance(mood.change) };
        i.busy = (begins || (i.busy && !rng.chance(30))) && !self.domain.outputs().domain_rst;
    }
}
