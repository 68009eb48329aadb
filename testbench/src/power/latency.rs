// SPDX-License-Identifier: MIT OR Apache-2.0
//! Latency of each transition of the controller, measured.

use super::{Answer, PowerError, Rig, Unit};
use heddle_core::power::domain::DomainState as State;
use std::fmt;

/// Cycles of a transition: so many, and so many times the limit for answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycles {
    pub fixed: u32,
    pub limits: u32,
}

impl fmt::Display for Cycles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.limits {
            0 => write!(f, "{}", self.fixed),
            1 => write!(f, "{} + limit", self.fixed),
            n => write!(f, "{} + {n} x limit", self.fixed),
        }
    }
}

/// One measured transition.
#[derive(Clone, Debug)]
pub struct Latency {
    pub name: &'static str,
    /// What starts it, in cycle 0, and what ends it.
    pub from: &'static str,
    pub to: &'static str,
    pub cycles: Cycles,
}

type Measure = fn(&mut Rig) -> Result<u32, PowerError>;

/// Every transition, with switches and a unit that answer in the cycle in which they are asked, or never.
pub fn latencies() -> Result<Vec<Latency>, PowerError> {
    TRANSITIONS.iter().map(|(name, from, to, measure)| Ok(Latency { name, from, to, cycles: cycles(*measure)? })).collect()
}

/// Measured with two limits, so that the share of the limit is known.
fn cycles(measure: Measure) -> Result<Cycles, PowerError> {
    const LIMITS: [u16; 2] = [50, 51];
    let with = |limit: u16| {
        let mut rig = Rig::new()?;
        rig.around.limit = limit;
        measure(&mut rig)
    };
    let [short, long] = [with(LIMITS[0])?, with(LIMITS[1])?];
    let limits = long - short;
    Ok(Cycles { fixed: short - limits * u32::from(LIMITS[0]), limits })
}

const TRANSITIONS: [(&str, &str, &str, Measure); 19] = [
    ("reset, to the end", "the reset ends, the switches are open", "`PoweredOff`", |rig| rig.until_state("reset", State::PoweredOff)),
    ("wake", "`wanted` rises while off", "`on`", |rig| {
        rig.until_state("reset", State::PoweredOff)?;
        rig.around.wanted = true;
        rig.until("wake", "on", 1)
    }),
    ("sleep", "`wanted` falls while on", "both chains told to open", |rig| {
        rig.descend(State::Running)?;
        rig.around.wanted = false;
        rig.until("sleep", "strong_on", 0)
    }),
    ("sleep, to the end", "`wanted` falls while on", "`PoweredOff`", |rig| {
        rig.descend(State::Running)?;
        rig.around.wanted = false;
        rig.until_state("sleep", State::PoweredOff)
    }),
    ("fall-through, clock stopped", "`wanted` rises in `ClockStopped`", "`on`", |rig| fall_through(rig, State::ClockStopped)),
    ("fall-through, isolated", "`wanted` rises in `Isolated`", "`on`", |rig| fall_through(rig, State::Isolated)),
    ("fall-through, saved", "`wanted` rises in `Saved`", "`on`", |rig| fall_through(rig, State::Saved)),
    ("wake too late to fall through", "`wanted` rises in `InReset`", "`on`", |rig| fall_through(rig, State::InReset)),
    ("refusal", "`wanted` falls while on, the unit denies", "`on` again", |rig| {
        rig.descend(State::Running)?;
        (rig.around.wanted, rig.around.unit) = (false, Unit::Refuses);
        rig.until_state("refusal", State::Quiescing)?;
        rig.around.wanted = true;
        Ok(1 + rig.until("refusal", "on", 1)?)
    }),
    ("power lost", "an acknowledge or `power_good` falls while on", "clamped, clock stopped, in reset, all off", |rig| {
        rig.descend(State::Running)?;
        rig.around.supply = Answer::Stuck(false);
        rig.until("power lost", "isolate", 1)
    }),
    ("time-out, weak switches close", "`weak_on` rises", "`Faulted`", |rig| {
        (rig.around.wanted, rig.around.weak) = (true, Answer::Stuck(false));
        rig.until("time-out", "weak_on", 1)?;
        rig.until_state("time-out", State::Faulted)
    }),
    ("time-out, strong switches close", "`strong_on` rises", "`Faulted`", |rig| {
        (rig.around.wanted, rig.around.strong) = (true, Answer::Stuck(false));
        rig.until("time-out", "strong_on", 1)?;
        rig.until_state("time-out", State::Faulted)
    }),
    ("time-out, unit goes on", "`qreqn` rises", "`Faulted`", |rig| {
        (rig.around.wanted, rig.around.unit) = (true, Unit::Silent);
        rig.until("time-out", "qreqn", 1)?;
        rig.until_state("time-out", State::Faulted)
    }),
    ("time-out, unit stops", "`qreqn` falls", "the cause; the unit keeps its power", |rig| {
        rig.descend(State::Running)?;
        (rig.around.wanted, rig.around.unit) = (false, Unit::Silent);
        rig.until("time-out", "qreqn", 0)?;
        rig.until("time-out", "event", 1)
    }),
    ("time-out, weak switches open", "`weak_on` falls", "`Faulted`", |rig| {
        rig.descend(State::Saved)?;
        rig.around.weak = Answer::Stuck(true);
        rig.until("time-out", "weak_on", 0)?;
        rig.until_state("time-out", State::Faulted)
    }),
    ("time-out, strong switches open", "`strong_on` falls", "`Faulted`", |rig| {
        rig.descend(State::Saved)?;
        rig.around.strong = Answer::Stuck(true);
        rig.until("time-out", "strong_on", 0)?;
        rig.until_state("time-out", State::Faulted)
    }),
    ("fault cleared", "`clear`", "`PoweredOff`", |rig| {
        rig.descend(State::Running)?;
        (rig.around.wanted, rig.around.supply) = (false, Answer::Stuck(false));
        rig.until_state("a fault", State::Faulted)?;
        (rig.around.clear, rig.around.supply) = (true, Answer::Follows);
        rig.until_state("cleared", State::PoweredOff)
    }),
    ("fault cleared, wanted", "`clear`", "`on`", |rig| {
        rig.descend(State::Running)?;
        rig.around.supply = Answer::Stuck(false);
        rig.until_state("a fault", State::Faulted)?;
        (rig.around.clear, rig.around.supply) = (true, Answer::Follows);
        rig.until("cleared", "on", 1)
    }),
    ("illegal state", "an upset of the state", "clamped, clock stopped, in reset, all off", |_| {
        let mut rig = Rig::illegal(31)?;
        rig.until_state("illegal state", State::Faulted)
    }),
];

fn fall_through(rig: &mut Rig, state: State) -> Result<u32, PowerError> {
    rig.descend(state)?;
    rig.around.wanted = true;
    rig.until("fall-through", "on", 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use heddle_core::power::domain::{SLEEP_CYCLES, WAKE_CYCLES};

    #[test]
    fn published_latencies_are_the_measured_ones() {
        let all = latencies().unwrap();
        let of = |name: &str| all.iter().find(|l| l.name == name).unwrap().cycles;
        assert_eq!(of("wake"), Cycles { fixed: WAKE_CYCLES, limits: 0 });
        assert_eq!(of("sleep"), Cycles { fixed: SLEEP_CYCLES, limits: 0 });
        assert_eq!(of("power lost").fixed, 1);
        assert_eq!(of("illegal state").fixed, 1);
        assert!(all.iter().filter(|l| l.name.starts_with("time-out")).all(|l| l.cycles == Cycles { fixed: 1, limits: 1 }));
    }
}
