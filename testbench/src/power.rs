// SPDX-License-Identifier: MIT OR Apache-2.0
//! The controller of a power domain on the native simulation, in surroundings that answer in the cycle of the
//! request: what latencies and timing diagrams are taken from.

mod area;
mod latency;

pub use area::{Area, AreaError, Family, area};
pub use latency::{Latency, latencies};

use crate::mutation::{Change, ChangeError, apply};
use heddle_core::power::domain::{self, DomainState};
use heddle_lang::{
    Simulator,
    import::ImportError,
    sim::{Port, SimError},
};

/// Cycles after which a state that was waited for will not come.
const PATIENCE: u32 = 1000;

/// What the unit answers to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Stops and goes on as it is told.
    Obeys,
    /// Refuses to stop.
    Refuses,
    /// Stays as it was.
    Silent,
}

/// An acknowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Follows,
    Stuck(bool),
}

impl Answer {
    fn to(self, request: bool) -> bool {
        match self {
            Answer::Follows => request,
            Answer::Stuck(value) => value,
        }
    }
}

/// Inputs of the controller, and who makes them.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings {
    pub wanted: bool,
    pub unit: Unit,
    pub weak: Answer,
    pub strong: Answer,
    /// The supply, behind the strong switches.
    pub supply: Answer,
    pub limit: u16,
    pub clear: bool,
}

impl Default for Surroundings {
    /// Not wanted; everything answers.
    fn default() -> Self {
        let all = Answer::Follows;
        Surroundings { wanted: false, unit: Unit::Obeys, weak: all, strong: all, supply: all, limit: 100, clear: false }
    }
}

/// Why there is no measurement.
#[derive(Debug, thiserror::Error)]
pub enum PowerError {
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error(transparent)]
    Sim(#[from] SimError),
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error("{what}: nothing after {PATIENCE} cycles, in state {state}")]
    Never { what: &'static str, state: u64 },
}

/// The controller with its surroundings.
pub struct Rig {
    pub around: Surroundings,
    sim: Simulator,
    stopped: bool,
}

impl Rig {
    /// Off, after reset.
    pub fn new() -> Result<Rig, PowerError> {
        Rig::of(&domain::domain()?)
    }

    /// After an upset that left an encoding that is no state.
    pub fn illegal(code: u8) -> Result<Rig, PowerError> {
        let module = domain::domain()?;
        Rig::of(&apply(&module, &module.name, "state_q", &Change::Reset(code.into()))?)
    }

    fn of(module: &std::sync::Arc<heddle_lang::Module>) -> Result<Rig, PowerError> {
        let mut sim = Simulator::new(module)?;
        sim.reset()?;
        Ok(Rig { around: Surroundings::default(), sim, stopped: true })
    }

    /// An output or an input, by its name without suffix.
    pub fn get(&mut self, name: &str) -> Result<u64, PowerError> {
        let port = self.sim.port(name)?;
        Ok(self.sim.get(port))
    }

    fn high(&mut self, name: &str) -> Result<bool, PowerError> {
        Ok(self.get(name)? == 1)
    }

    /// Sets the inputs of this cycle.
    pub fn drive(&mut self) -> Result<(), PowerError> {
        let (running, weak, strong) = (self.high("qreqn")?, self.high("weak_on")?, self.high("strong_on")?);
        let Surroundings { wanted, unit, limit, clear, .. } = self.around;
        self.stopped = match unit {
            Unit::Obeys => !running,
            Unit::Refuses => self.stopped && !running,
            Unit::Silent => self.stopped,
        };
        let refuses = unit == Unit::Refuses && !running && !self.stopped;
        let bits = [
            ("wanted", wanted),
            ("qacceptn", !self.stopped),
            ("qdeny", refuses),
            ("qactive", false),
            ("weak_ack", self.around.weak.to(weak)),
            ("strong_ack", self.around.strong.to(strong)),
            ("power_good", self.around.supply.to(strong)),
            ("clear", clear),
        ];
        for (name, value) in bits {
            let port = self.sim.port(name)?;
            self.sim.set(port, value.into());
        }
        let port: Port = self.sim.port("limit")?;
        self.sim.set(port, limit.into());
        Ok(())
    }

    /// One cycle with the present surroundings.
    pub fn cycle(&mut self) -> Result<(), PowerError> {
        self.drive()?;
        Ok(self.sim.step()?)
    }

    /// Cycles until an output has a value, 0 if it has it now.
    pub fn until(&mut self, what: &'static str, name: &str, value: u64) -> Result<u32, PowerError> {
        for cycle in 0..PATIENCE {
            if self.get(name)? == value {
                return Ok(cycle);
            }
            self.cycle()?;
        }
        let state = self.get("state_code")?;
        Err(PowerError::Never { what, state })
    }

    /// Cycles until a state.
    pub fn until_state(&mut self, what: &'static str, state: DomainState) -> Result<u32, PowerError> {
        self.until(what, "state_code", state as u64)
    }

    /// Brings the domain up, then on the way down to a state.
    pub fn descend(&mut self, state: DomainState) -> Result<(), PowerError> {
        self.around.wanted = true;
        self.until_state("up", DomainState::Running)?;
        self.around.wanted = state == DomainState::Running;
        self.until_state("down", state)?;
        Ok(())
    }
}
