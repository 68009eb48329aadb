// SPDX-License-Identifier: MIT OR Apache-2.0
//! The controller in plain Rust: what follows each state, and what holds in it.

use super::{DomainCause as Cause, DomainState as State};

/// Inputs of one cycle.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inputs {
    pub wanted: bool,
    pub qacceptn: bool,
    pub qdeny: bool,
    pub qactive: bool,
    pub weak_ack: bool,
    pub strong_ack: bool,
    pub power_good: bool,
    pub limit: u16,
    pub clear: bool,
}

/// Outputs between two edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outputs {
    pub qreqn: bool,
    pub clock_enable: bool,
    pub isolate: bool,
    pub save: bool,
    pub restore: bool,
    pub domain_rst: bool,
    pub weak_on: bool,
    pub strong_on: bool,
    pub on: bool,
    pub fault: bool,
    pub event: bool,
    pub cause: u8,
    pub state_code: u8,
}

/// The controller's memory.
#[derive(Clone, Copy, Debug)]
pub struct Domain {
    pub state: State,
    pub cause: Cause,
    event: bool,
    waited: u16,
    saved: bool,
}

impl Default for Domain {
    /// As after reset: off once the switches have opened, whatever they were told before.
    fn default() -> Self {
        Domain { state: State::StrongOff, cause: Cause::None, event: false, waited: 0, saved: false }
    }
}

/// Whether a state is one of these.
fn among(state: State, set: &[State]) -> bool {
    set.contains(&state)
}

impl Domain {
    /// As it is after a complaint that ends in `Faulted`.
    pub fn fallen(cause: Cause) -> Self {
        Domain { state: State::Faulted, cause, event: true, ..Domain::default() }
    }

    /// In this state, with nothing to complain of and nothing saved, since this cycle.
    pub fn at(state: State) -> Self {
        Domain { state, ..Domain::default() }
    }

    /// Every output is a function of the state: that is the order of steps.
    pub fn outputs(&self) -> Outputs {
        use State::*;
        let s = self.state;
        let clock_enable = among(s, &[Waking, Running, Quiescing, Refused]);
        let connected = clock_enable || among(s, &[Connected, ClockStopped]);
        let alive = connected || among(s, &[OutOfReset, Restored, Isolated, Saved]);
        let strong_on = alive || among(s, &[StrongOn, InReset, WeakOff]);
        Outputs {
            qreqn: among(s, &[Waking, Running, Refused]),
            clock_enable,
            isolate: !connected,
            save: s == Saved,
            restore: s == Restored && self.saved,
            domain_rst: !alive,
            weak_on: alive || among(s, &[WeakOn, StrongOn, InReset]),
            strong_on,
            on: s == Running,
            fault: s == Faulted,
            event: self.event,
            cause: self.cause as u8,
            state_code: s as u8,
        }
    }

    /// One rising edge.
    pub fn step(&mut self, i: &Inputs) {
        let (next, complaint) = self.follow(i);
        let powered = i.weak_ack && i.strong_ack && i.power_good;
        let lost_while_alive = !(self.outputs().domain_rst || powered);
        let (next, complaint) = if lost_while_alive { (State::Faulted, Some(Cause::PowerLost)) } else { (next, complaint) };
        if i.clear {
            self.cause = Cause::None;
        }
        let falls = next == State::Faulted && self.state != State::Faulted;
        self.event = complaint.is_some() && (self.cause == Cause::None || falls);
        if self.event {
            self.cause = complaint.unwrap_or(Cause::None);
        }
        self.saved = (self.saved || next == State::Saved) && !falls;
        // Time counts from the entry into a state, up to the limit.
        self.waited = match next == self.state {
            true if self.waited < i.limit => self.waited + 1,
            true => self.waited,
            false => 0,
        };
        self.state = next;
    }

    /// The state that follows, and what there is to complain of.
    fn follow(&self, i: &Inputs) -> (State, Option<Cause>) {
        use State::*;
        let late = self.waited >= i.limit;
        let wake = i.wanted || i.qactive;
        let wait = |done: bool, next: State, cause: Cause| match (done, late) {
            (true, _) => (next, None),
            (false, false) => (self.state, None),
            (false, true) => (Faulted, Some(cause)),
        };
        let on = |condition: bool, yes: State, no: State| (if condition { yes } else { no }, None);
        let powered = i.weak_ack && i.strong_ack && i.power_good;
        match self.state {
            PoweredOff => on(wake, WeakOn, PoweredOff),
            WeakOn => wait(i.weak_ack, StrongOn, Cause::WeakMissing),
            StrongOn => wait(powered, OutOfReset, Cause::StrongMissing),
            OutOfReset => (Restored, None),
            Restored => (Connected, None),
            Connected => (Waking, None),
            Waking => wait(i.qacceptn && !i.qdeny, Running, Cause::WakeMissing),
            Running => on(wake, Running, Quiescing),
            Quiescing if i.qdeny => (Refused, None),
            Quiescing if !i.qacceptn => (ClockStopped, None),
            Quiescing => (Quiescing, late.then_some(Cause::QuietMissing)),
            Refused if !i.qdeny => (Running, None),
            Refused => (Refused, late.then_some(Cause::QuietMissing)),
            ClockStopped => on(wake, Waking, Isolated),
            Isolated => on(wake, Connected, Saved),
            Saved => on(wake, Connected, InReset),
            InReset => (WeakOff, None),
            WeakOff => wait(!i.weak_ack, StrongOff, Cause::OpenMissing),
            StrongOff => wait(!i.weak_ack && !i.strong_ack, PoweredOff, Cause::OpenMissing),
            Faulted => on(i.clear, StrongOff, Faulted),
        }
    }
}
