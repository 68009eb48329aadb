// SPDX-License-Identifier: MIT OR Apache-2.0
//! Controller of one power domain: its states are the only order in which the steps can come.
//!
//! Ports      `wanted_i`: the domain is to be on; `q*`: requester's side of a Q-Channel; `weak_*`, `strong_*`:
//!            chains of switches with acknowledges; `power_good_i`; `limit_i`: cycles to wait for any answer;
//!            `clear_i`: leave the fault; `clock_enable_o`, `isolate_o`, `save_o`, `restore_o`, `domain_rst_o`;
//!            state, `on_o`, `fault_o`, `cause_o`, `event_o` (a pulse when a cause is noted)
//! Latency    [`WAKE_CYCLES`] and [`SLEEP_CYCLES`] plus the answers of the switches and of the unit
//! Throughput one transition at a time      Rounding  none      Reset  clamped, in reset, the
//!            switches told to open: off as soon as they have
//!
//! Every output is a flip-flop. Down: quiesce, stop the clock, isolate, save, assert reset, open the weak
//! chain, then the strong one. Up: weak chain, strong chain, release reset, restore, release isolation, start
//! the clock, let the unit go on. (Sources: OpenTitan's pwrmgr for fall-through and abort; AMBA IHI 0068 for the
//! Q-Channel.) A wake before the reset is asserted falls through to running; a unit that refuses keeps its power.
//! A switch that does not answer, lost power, an encoding that is no state, and a state that needs power which the
//! controller did not switch on (an upset) end in `Faulted`: off and clamped.
//! A unit that does not answer keeps its power, since it may have transfers outstanding; the cause is noted.

use crate::registers::Value;
use heddle_lang::{
    Module,
    import::{Import, ImportError},
};
use rust_hdl::prelude::*;
use std::sync::Arc;

pub mod arcs;
pub mod golden;

/// Cycles from `wanted_i` to `on_o`, with switches and a unit that answer at once.
pub const WAKE_CYCLES: u32 = 7;
/// Cycles from `wanted_i` low to both chains told to open, likewise.
pub const SLEEP_CYCLES: u32 = 7;

/// What holds in each state.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum DomainState {
    /// Also after a reset: the switches may still be closed, and have been told to open.
    StrongOff,
    PoweredOff,
    WeakOn,
    StrongOn,
    OutOfReset,
    Restored,
    Connected,
    Waking,
    Running,
    Quiescing,
    Refused,
    ClockStopped,
    Isolated,
    Saved,
    InReset,
    WeakOff,
    Faulted,
}

/// Why the controller complains; the first reason stays until it is cleared, or until a fault has another.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum DomainCause {
    None,
    /// A chain of switches did not close, or not open again, in time.
    WeakMissing,
    StrongMissing,
    OpenMissing,
    /// The unit neither stopped nor refused in time; or did not go on.
    QuietMissing,
    WakeMissing,
    PowerLost,
    NoState,
}

/// The states, for registers and waveforms.
pub const STATES: [Value; 17] = [
    state(DomainState::StrongOff, "strong_off", "Down, and after a reset: the strong switches open."),
    state(DomainState::PoweredOff, "powered_off", "Off, clamped."),
    state(DomainState::WeakOn, "weak_on", "Up: the weak switches close."),
    state(DomainState::StrongOn, "strong_on", "Up: the strong switches close, until power is good."),
    state(DomainState::OutOfReset, "out_of_reset", "Up: reset is released."),
    state(DomainState::Restored, "restored", "Up: what was saved is restored."),
    state(DomainState::Connected, "connected", "Up: isolation is released."),
    state(DomainState::Waking, "waking", "Up: the clock runs; the unit is told to go on."),
    state(DomainState::Running, "running", "On."),
    state(DomainState::Quiescing, "quiescing", "Down: the unit is asked to stop."),
    state(DomainState::Refused, "refused", "The unit has work and goes on."),
    state(DomainState::ClockStopped, "clock_stopped", "Down: the clock stands."),
    state(DomainState::Isolated, "isolated", "Down: outputs are clamped."),
    state(DomainState::Saved, "saved", "Down: retained registers are saved."),
    state(DomainState::InReset, "in_reset", "Down: in reset."),
    state(DomainState::WeakOff, "weak_off", "Down: the weak switches open."),
    state(DomainState::Faulted, "faulted", "Off, clamped, until it is cleared."),
];

/// The causes, likewise.
pub const CAUSES: [Value; 8] = [
    cause(DomainCause::None, "none", "No complaint."),
    cause(DomainCause::WeakMissing, "weak_missing", "The weak switches did not close in time."),
    cause(DomainCause::StrongMissing, "strong_missing", "The strong switches did not close, or power was not good, in time."),
    cause(DomainCause::OpenMissing, "open_missing", "Switches did not open in time."),
    cause(DomainCause::QuietMissing, "quiet_missing", "The unit neither stopped nor refused in time; it keeps its power."),
    cause(DomainCause::WakeMissing, "wake_missing", "The unit did not go on in time."),
    cause(DomainCause::PowerLost, "power_lost", "Power went away by itself."),
    cause(DomainCause::NoState, "no_state", "The state was none of those defined."),
];

const fn state(state: DomainState, name: &'static str, doc: &'static str) -> Value {
    Value { name, value: state as u32, doc }
}

const fn cause(cause: DomainCause, name: &'static str, doc: &'static str) -> Value {
    Value { name, value: cause as u32, doc }
}

/// The controller.
#[derive(LogicBlock, Default)]
pub struct Domain {
    pub clock: Signal<In, Clock>,
    /// The policy wants the domain on.
    pub wanted: Signal<In, Bit>,
    /// The unit's answers: stopped (low), refused, and that it has work.
    pub qacceptn: Signal<In, Bit>,
    pub qdeny: Signal<In, Bit>,
    pub qactive: Signal<In, Bit>,
    /// The whole of a chain is closed.
    pub weak_ack: Signal<In, Bit>,
    pub strong_ack: Signal<In, Bit>,
    pub power_good: Signal<In, Bit>,
    pub limit: Signal<In, Bits<16>>,
    pub clear: Signal<In, Bit>,
    pub qreqn: Signal<Out, Bit>,
    pub clock_enable: Signal<Out, Bit>,
    pub isolate: Signal<Out, Bit>,
    pub save: Signal<Out, Bit>,
    pub restore: Signal<Out, Bit>,
    pub domain_rst: Signal<Out, Bit>,
    pub weak_on: Signal<Out, Bit>,
    pub strong_on: Signal<Out, Bit>,
    pub on: Signal<Out, Bit>,
    pub fault: Signal<Out, Bit>,
    pub event: Signal<Out, Bit>,
    pub cause: Signal<Out, DomainCause>,
    pub state_code: Signal<Out, DomainState>,
    state: DFF<DomainState>,
    cause_held: DFF<DomainCause>,
    event_pulse: DFF<Bit>,
    /// Cycles in this state.
    waited: DFF<Bits<16>>,
    /// The retention registers hold something.
    saved: DFF<Bit>,
    // Kept as what is active, so that all of them start at zero: off, clamped, in reset, quiescent.
    requested: DFF<Bit>,
    clock_on: DFF<Bit>,
    open: DFF<Bit>,
    save_pulse: DFF<Bit>,
    restore_pulse: DFF<Bit>,
    released: DFF<Bit>,
    weak: DFF<Bit>,
    strong: DFF<Bit>,
    running: DFF<Bit>,
    faulted: DFF<Bit>,
    late: Signal<Local, Bit>,
    /// The state is one in which the unit has power and no reset.
    alive: Signal<Local, Bit>,
    lost: Signal<Local, Bit>,
    wake: Signal<Local, Bit>,
    fail: Signal<Local, Bit>,
    complains: Signal<Local, Bit>,
    complaint: Signal<Local, DomainCause>,
}

impl Logic for Domain {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, cause_held, waited, saved, requested, clock_on, open, released, weak, strong);
        clock!(self, clock, event_pulse, save_pulse, restore_pulse, running, faulted);
        self.qreqn.next = self.requested.q.val();
        self.clock_enable.next = self.clock_on.q.val();
        self.isolate.next = !self.open.q.val();
        self.save.next = self.save_pulse.q.val();
        self.restore.next = self.restore_pulse.q.val();
        self.domain_rst.next = !self.released.q.val();
        self.weak_on.next = self.weak.q.val();
        self.strong_on.next = self.strong.q.val();
        self.on.next = self.running.q.val();
        self.fault.next = self.faulted.q.val();
        self.event.next = self.event_pulse.q.val();
        self.cause.next = self.cause_held.q.val();
        self.state_code.next = self.state.q.val();
        self.save_pulse.d.next = false;
        self.restore_pulse.d.next = false;
        self.running.d.next = false;
        self.faulted.d.next = false;
        self.late.next = self.waited.q.val() >= self.limit.val();
        self.lost.next = !((self.weak_ack.val() & self.strong_ack.val()) & self.power_good.val());
        self.wake.next = self.wanted.val() | self.qactive.val();
        self.fail.next = false;
        self.alive.next = false;
        self.complains.next = false;
        self.complaint.next = DomainCause::None;
        if !self.late.val() {
            self.waited.d.next = self.waited.q.val() + 1;
        }
        match self.state.q.val() {
            DomainState::PoweredOff => {
                self.waited.d.next = 0.into();
                if self.wake.val() {
                    self.weak.d.next = true;
                    self.state.d.next = DomainState::WeakOn;
                }
            }
            DomainState::WeakOn => {
                if self.weak_ack.val() {
                    self.waited.d.next = 0.into();
                    self.strong.d.next = true;
                    self.state.d.next = DomainState::StrongOn;
                } else if self.late.val() {
                    self.complaint.next = DomainCause::WeakMissing;
                    self.complains.next = true;
                    self.fail.next = true;
                }
            }
            DomainState::StrongOn => {
                if !self.lost.val() {
                    self.waited.d.next = 0.into();
                    self.released.d.next = true;
                    self.state.d.next = DomainState::OutOfReset;
                } else if self.late.val() {
                    self.complaint.next = DomainCause::StrongMissing;
                    self.complains.next = true;
                    self.fail.next = true;
                }
            }
            DomainState::OutOfReset => {
                self.alive.next = true;
                self.restore_pulse.d.next = self.saved.q.val();
                self.state.d.next = DomainState::Restored;
            }
            DomainState::Restored => {
                self.alive.next = true;
                self.open.d.next = true;
                self.state.d.next = DomainState::Connected;
            }
            DomainState::Connected => {
                self.alive.next = true;
                self.waited.d.next = 0.into();
                self.clock_on.d.next = true;
                self.requested.d.next = true;
                self.state.d.next = DomainState::Waking;
            }
            DomainState::Waking => {
                self.alive.next = true;
                if self.qacceptn.val() & !self.qdeny.val() {
                    self.running.d.next = true;
                    self.state.d.next = DomainState::Running;
                } else if self.late.val() {
                    self.complaint.next = DomainCause::WakeMissing;
                    self.complains.next = true;
                    self.fail.next = true;
                }
            }
            DomainState::Running => {
                self.alive.next = true;
                self.waited.d.next = 0.into();
                self.running.d.next = true;
                if !self.wake.val() {
                    self.running.d.next = false;
                    self.requested.d.next = false;
                    self.state.d.next = DomainState::Quiescing;
                }
            }
            DomainState::Quiescing => {
                self.alive.next = true;
                if self.qdeny.val() {
                    self.waited.d.next = 0.into();
                    self.requested.d.next = true;
                    self.state.d.next = DomainState::Refused;
                } else if !self.qacceptn.val() {
                    self.waited.d.next = 0.into();
                    self.clock_on.d.next = false;
                    self.state.d.next = DomainState::ClockStopped;
                } else if self.late.val() {
                    self.complaint.next = DomainCause::QuietMissing;
                    self.complains.next = true;
                }
            }
            DomainState::Refused => {
                self.alive.next = true;
                if !self.qdeny.val() {
                    self.running.d.next = true;
                    self.state.d.next = DomainState::Running;
                } else if self.late.val() {
                    self.complaint.next = DomainCause::QuietMissing;
                    self.complains.next = true;
                }
            }
            DomainState::ClockStopped => {
                self.alive.next = true;
                self.waited.d.next = 0.into();
                if self.wake.val() {
                    self.clock_on.d.next = true;
                    self.requested.d.next = true;
                    self.state.d.next = DomainState::Waking;
                } else {
                    self.open.d.next = false;
                    self.state.d.next = DomainState::Isolated;
                }
            }
            DomainState::Isolated => {
                self.alive.next = true;
                if self.wake.val() {
                    self.open.d.next = true;
                    self.state.d.next = DomainState::Connected;
                } else {
                    self.save_pulse.d.next = true;
                    self.saved.d.next = true;
                    self.state.d.next = DomainState::Saved;
                }
            }
            DomainState::Saved => {
                self.alive.next = true;
                if self.wake.val() {
                    self.open.d.next = true;
                    self.state.d.next = DomainState::Connected;
                } else {
                    self.released.d.next = false;
                    self.state.d.next = DomainState::InReset;
                }
            }
            DomainState::InReset => {
                self.waited.d.next = 0.into();
                self.weak.d.next = false;
                self.state.d.next = DomainState::WeakOff;
            }
            DomainState::WeakOff => {
                if !self.weak_ack.val() {
                    self.waited.d.next = 0.into();
                    self.strong.d.next = false;
                    self.state.d.next = DomainState::StrongOff;
                } else if self.late.val() {
                    self.complaint.next = DomainCause::OpenMissing;
                    self.complains.next = true;
                    self.fail.next = true;
                }
            }
            DomainState::StrongOff => {
                if !(self.weak_ack.val() | self.strong_ack.val()) {
                    self.state.d.next = DomainState::PoweredOff;
                } else if self.late.val() {
                    self.complaint.next = DomainCause::OpenMissing;
                    self.complains.next = true;
                    self.fail.next = true;
                }
            }
            DomainState::Faulted => {
                self.waited.d.next = 0.into();
                self.faulted.d.next = true;
                if self.clear.val() {
                    self.faulted.d.next = false;
                    self.state.d.next = DomainState::StrongOff;
                }
            }
            // Rust knows no other state, but flip-flops do.
            #[allow(unreachable_patterns)]
            _ => {
                self.complaint.next = DomainCause::NoState;
                self.complains.next = true;
                self.fail.next = true;
            }
        }
        // An upset that led to such a state from one without power.
        if self.alive.val() & !((self.weak.q.val() & self.strong.q.val()) & self.released.q.val()) {
            self.complaint.next = DomainCause::NoState;
            self.complains.next = true;
            self.fail.next = true;
        }
        if self.released.q.val() & self.lost.val() {
            self.complaint.next = DomainCause::PowerLost;
            self.complains.next = true;
            self.fail.next = true;
        }
        if self.fail.val() {
            self.waited.d.next = 0.into();
            self.saved.d.next = false;
            self.requested.d.next = false;
            self.clock_on.d.next = false;
            self.open.d.next = false;
            self.save_pulse.d.next = false;
            self.restore_pulse.d.next = false;
            self.released.d.next = false;
            self.weak.d.next = false;
            self.strong.d.next = false;
            self.running.d.next = false;
            self.faulted.d.next = true;
            self.state.d.next = DomainState::Faulted;
        }
        self.event_pulse.d.next = false;
        if self.clear.val() {
            self.cause_held.d.next = DomainCause::None;
        }
        if self.fail.val() | (self.complains.val() & ((self.cause_held.q.val() == DomainCause::None) | self.clear.val())) {
            self.event_pulse.d.next = true;
            self.cause_held.d.next = self.complaint.val();
        }
    }
}

/// The controller as a module.
pub fn domain() -> Result<Arc<Module>, ImportError> {
    let doc = "Controller of one power domain. Every output is a flip-flop; the order of steps is the order of states.";
    Import::new("power_domain", file!()).doc(doc).reset().module(&Domain::default())
}
