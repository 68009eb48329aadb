// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the proofs of the controller share: its steps, the unit that it serves, and a register that it retains.

use super::{super::parts::Unit, within};
use crate::{
    formal::Mutation,
    mutation::Change::{Constant, DropAssign, DropNot},
};
use heddle_core::power::domain::{
    DomainState::{self as State, *},
    STATES,
};
use heddle_lang::{Builder, Expr, Ty};

/// One step from state to state.
pub struct Arc {
    pub from: State,
    pub to: State,
    pub name: &'static str,
    pub meaning: &'static str,
}

const fn arc(from: State, to: State, name: &'static str, meaning: &'static str) -> Arc {
    Arc { from, to, name, meaning }
}

/// Every step that there is; each state but the one of reset is the end of one.
pub const ARCS: [Arc; 35] = [
    arc(PoweredOff, WeakOn, "wakes", "off, and wanted"),
    arc(WeakOn, StrongOn, "weak_closed", "the weak switches have closed"),
    arc(WeakOn, Faulted, "weak_missing", "the weak switches do not close in time"),
    arc(StrongOn, OutOfReset, "power_is_good", "the strong switches have closed and power is good"),
    arc(StrongOn, Faulted, "strong_missing", "the strong switches do not close, or power is not good, in time"),
    arc(OutOfReset, Restored, "restores", "reset is released"),
    arc(OutOfReset, Faulted, "lost_out_of_reset", "power is lost after reset was released"),
    arc(Restored, Connected, "connects", "what was saved is back"),
    arc(Restored, Faulted, "lost_restored", "power is lost while the registers are restored"),
    arc(Connected, Waking, "starts_clock", "isolation is released"),
    arc(Connected, Faulted, "lost_connected", "power is lost before the clock starts"),
    arc(Waking, Running, "unit_goes_on", "the unit goes on"),
    arc(Waking, Faulted, "wake_missing", "the unit does not go on in time, or power is lost"),
    arc(Running, Quiescing, "asks_to_stop", "not wanted, and without work"),
    arc(Running, Faulted, "lost_running", "power is lost while the unit runs"),
    arc(Quiescing, Refused, "unit_refuses", "the unit refuses to stop"),
    arc(Quiescing, ClockStopped, "unit_stops", "the unit has stopped"),
    arc(Quiescing, Faulted, "lost_quiescing", "power is lost before the unit answers"),
    arc(Refused, Running, "refusal_ends", "the unit has taken back its refusal"),
    arc(Refused, Faulted, "lost_refused", "power is lost after a refusal"),
    arc(ClockStopped, Isolated, "isolates", "the clock stands"),
    arc(ClockStopped, Waking, "turns_back_clock_stopped", "a wake comes while the clock stands"),
    arc(ClockStopped, Faulted, "lost_clock_stopped", "power is lost while the clock stands"),
    arc(Isolated, Saved, "saves", "outputs are clamped"),
    arc(Isolated, Connected, "turns_back_isolated", "a wake comes while outputs are clamped"),
    arc(Isolated, Faulted, "lost_isolated", "power is lost before registers are saved"),
    arc(Saved, InReset, "resets", "registers are saved"),
    arc(Saved, Connected, "turns_back_saved", "a wake comes at the last moment"),
    arc(Saved, Faulted, "lost_saved", "power is lost while registers are saved"),
    arc(InReset, WeakOff, "opens_weak", "the domain is in reset"),
    arc(WeakOff, StrongOff, "weak_opened", "the weak switches have opened"),
    arc(WeakOff, Faulted, "weak_stuck", "the weak switches do not open in time"),
    arc(StrongOff, PoweredOff, "strong_opened", "all switches have opened"),
    arc(StrongOff, Faulted, "strong_stuck", "switches do not open in time"),
    arc(Faulted, StrongOff, "cleared", "the fault is cleared"),
];

/// The state is this one.
pub fn is(code: &Expr, state: State) -> Expr {
    code.eq(state as u32)
}

/// The state is one of these.
pub fn among(code: &Expr, states: &[State]) -> Expr {
    states.iter().map(|s| is(code, *s)).reduce(|a, b| a | b).unwrap_or_else(|| Expr::bit_const(false))
}

/// The controller and its past.
pub struct Control {
    pub unit: Unit,
    pub state: Expr,
    pub last_state: Expr,
    /// Reset in this cycle or in the one before: the past says nothing.
    pub fresh: Expr,
    /// A chain of switches is open, or power is not good.
    pub lost: Expr,
}

impl Control {
    pub fn new(m: &mut Builder, unit: Unit) -> Control {
        let state = unit.get("state_code");
        let last_state = m.register("last_state", &state);
        let rst = m.reset();
        let was_reset = m.register("was_reset", &rst);
        let fresh = m.wire("fresh", rst | was_reset);
        let supplied = unit.get("weak_ack") & unit.get("strong_ack") & unit.get("power_good");
        let lost = m.wire("lost", !supplied);
        Control { unit, state, last_state, fresh, lost }
    }

    pub fn get(&self, port: &str) -> Expr {
        self.unit.get(port)
    }

    /// A port as it was a cycle ago.
    pub fn last(&self, m: &mut Builder, port: &str) -> Expr {
        m.register(&format!("last_{port}"), self.get(port))
    }

    pub fn is(&self, state: State) -> Expr {
        is(&self.state, state)
    }

    /// Off, clamped, in reset, asking nothing of the unit.
    pub fn is_safe(&self) -> Expr {
        let low = ["clock_enable", "weak_on", "strong_on", "qreqn", "save", "restore", "on"];
        low.iter().fold(self.get("isolate") & self.get("domain_rst"), |safe, port| safe & !self.get(port))
    }

    /// The outputs are those of the state.
    pub fn outputs_of_state(&self) -> Expr {
        const CLOCKED: [State; 4] = [Waking, Running, Quiescing, Refused];
        let clocked = among(&self.state, &CLOCKED);
        let connected = &clocked | among(&self.state, &[Connected, ClockStopped]);
        let alive = &connected | among(&self.state, &[OutOfReset, Restored, Isolated, Saved]);
        let weak = &alive | among(&self.state, &[WeakOn, StrongOn, InReset]);
        let strong = &alive | among(&self.state, &[StrongOn, InReset, WeakOff]);
        let table = [
            ("qreqn", among(&self.state, &[Waking, Running, Refused])),
            ("clock_enable", clocked),
            ("isolate", !connected),
            ("save", self.is(Saved)),
            ("domain_rst", !alive),
            ("weak_on", weak),
            ("strong_on", strong),
            ("on", self.is(Running)),
            ("fault", self.is(Faulted)),
        ];
        let restores = !self.get("restore") | self.is(Restored);
        table.iter().fold(restores, |right, (port, value)| right & self.get(port).eq(value))
    }
}

/// What every proof leans on: the registers of the controller and of the channel hang together.
pub fn hang_together(m: &mut Builder, control: &Control, channel_of_state: Expr) {
    let rst = m.reset();
    m.assert("state_is_known", &rst | control.state.lt(STATES.len()));
    m.assert("order_of_steps", &rst | control.outputs_of_state());
    m.assert("channel_of_state", rst | channel_of_state);
}

/// Changes that violate it.
pub fn of_hang_together() -> Vec<Mutation> {
    vec![
        within("DOMAIN_STRONG_OFF", "state_d", Constant(1, 17), &["state_is_known"]),
        within("DOMAIN_SAVED", "released_d", DropAssign(0), &["order_of_steps"]),
        within("DOMAIN_QUIESCING", "state_d", DropNot, &["channel_of_state"]),
    ]
}

/// A Q-Channel in this cycle and in the last one, as `{QREQn, QACCEPTn, QDENY}`.
pub struct Channel {
    pub now: Expr,
    pub last: Expr,
}

/// Its steps: one signal each. Q_RUN, Q_REQUEST, Q_STOPPED, Q_EXIT; Q_REQUEST, Q_DENIED, Q_CONTINUE, Q_RUN.
const CHANNEL_STEPS: [(u32, u32); 7] =
    [(0b110, 0b010), (0b010, 0b000), (0b000, 0b100), (0b100, 0b110), (0b010, 0b011), (0b011, 0b111), (0b111, 0b110)];

impl Channel {
    pub fn new(m: &mut Builder, unit: &Unit) -> Channel {
        let now = m.wire("channel", Expr::concat([unit.get("qreqn"), unit.get("qacceptn"), unit.get("qdeny")]));
        let last = m.register("last_channel", &now);
        Channel { now, last }
    }

    /// One of the six states, reached by a step that there is, or by none.
    pub fn legal(&self) -> Expr {
        let steps = CHANNEL_STEPS.iter().map(|(from, to)| self.last.eq(*from) & self.now.eq(*to));
        steps.fold(self.now.eq(&self.last), |legal, step| legal | step) & self.now.slice(0, 2).ne(1)
    }

    /// Its state is one of those that go with a state of the controller; the unit stops with its domain.
    pub fn of_state(&self, state: &Expr) -> Expr {
        let waking = is(state, Waking) & (self.is(0b100) | self.is(0b110));
        let stopped = !among(state, &[Waking, Running, Quiescing, Refused]) & self.now.is_zero();
        self.in_use(state) | waking | stopped
    }

    /// The same with a device that is always on: after a fault it goes on by itself, and may have refused.
    pub fn of_state_with_device(&self, state: &Expr) -> Expr {
        let waking = is(state, Waking) & self.now.bit(2) & self.now.slice(0, 2).ne(1);
        let stopped = among(state, &[ClockStopped, Isolated, Saved]) & self.now.is_zero();
        let off = !among(state, &[Waking, Running, Quiescing, Refused, ClockStopped, Isolated, Saved]) & !self.now.bit(2);
        self.in_use(state) | waking | stopped | off
    }

    fn in_use(&self, state: &Expr) -> Expr {
        let running = is(state, Running) & self.is(0b110);
        let asked = is(state, Quiescing) & (self.is(0b010) | self.is(0b000) | self.is(0b011));
        let refused = is(state, Refused) & (self.is(0b111) | self.is(0b110));
        running | asked | refused
    }

    fn is(&self, value: u32) -> Expr {
        self.now.eq(value)
    }

    /// The device's part of the rules: from what it saw in the last cycle to what it answers now.
    pub fn device_is_legal(&self) -> Expr {
        let (seen, answer) = (&self.last, self.now.slice(0, 2));
        let steps = [(0b100, 0b10), (0b010, 0b00), (0b010, 0b11), (0b111, 0b10)];
        let moved = steps.iter().map(|(from, to)| seen.eq(*from) & answer.eq(*to));
        moved.fold(answer.eq(seen.slice(0, 2)), |legal, step| legal | step) & answer.ne(1)
    }
}

/// The unit's work: the environment starts transfers where it may, while the unit has a clock, and ends them. In reset there are none.
pub fn transfers(m: &mut Builder, control: &Control, may_start: Expr) -> Expr {
    let (starts, ends) = (m.input("transfer_starts", Ty::BIT), m.input("transfer_ends", Ty::BIT));
    let outstanding = m.reg("outstanding", Ty::Unsigned(2), 0);
    let runs = may_start & control.get("clock_enable");
    m.on(&outstanding, control.get("domain_rst"), 0);
    m.on(&outstanding, &starts & !&ends & runs & !outstanding.q().all(), outstanding.q().wrapping_add(1));
    m.on(&outstanding, !starts & ends & outstanding.q().any(), outstanding.q().wrapping_sub(1));
    outstanding.q()
}

/// A register of the domain with its retention register, and what its user expects it to hold.
pub struct Retained {
    pub word: Expr,
    pub shadow: Expr,
    pub expected: Expr,
    /// Saved since the clock ran, and not given up by a fault.
    pub kept: Expr,
    /// The domain was off after that, and the word is not back.
    pub owed: Expr,
}

impl Retained {
    /// Without power the register holds anything. A fault gives up what was retained: then it starts from its reset value.
    pub fn new(m: &mut Builder, control: &Control) -> Retained {
        let ty = Ty::Unsigned(2);
        let (noise, data) = (m.input("noise", ty), m.input("data", ty));
        let [clock, save, restore, fault, domain_rst] = ["clock_enable", "save", "restore", "fault", "domain_rst"].map(|p| control.get(p));
        let off = m.wire("off", &control.lost | !control.get("weak_on") | !control.get("strong_on"));
        let [word, shadow] = ["word", "shadow"].map(|name| m.reg_no_reset(name, ty));
        m.on(&word, off, noise);
        m.on(&word, &domain_rst, 0);
        m.on(&word, &restore, shadow.q());
        m.on(&word, &clock, &data);
        m.on(&shadow, &save, word.q());
        let expected = m.reg("expected", ty, 0);
        m.on(&expected, &fault, 0);
        m.on(&expected, &clock, data);
        let [kept, owed] = ["kept", "owed"].map(|name| m.reg(name, Ty::BIT, 0));
        m.on(&kept, &fault | &clock, 0);
        m.on(&kept, save, 1);
        m.on(&owed, &fault | restore, 0);
        m.on(&owed, domain_rst & kept.q(), 1);
        Retained { word: word.q(), shadow: shadow.q(), expected: expected.q(), kept: kept.q(), owed: owed.q() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heddle_core::power::domain::arcs::arcs;
    use std::collections::BTreeSet;

    #[test]
    fn the_listed_steps_are_those_of_the_golden_model() {
        let listed: BTreeSet<(u8, u8)> = ARCS.iter().map(|arc| (arc.from as u8, arc.to as u8)).collect();
        let found: BTreeSet<(u8, u8)> = arcs().into_keys().filter(|(from, to)| from != to).collect();
        assert_eq!(listed, found);
    }
}
