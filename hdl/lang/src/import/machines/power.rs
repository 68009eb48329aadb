// SPDX-License-Identifier: MIT OR Apache-2.0
//! Controller of one power domain: the order of steps is the order of states.
//!
//! Down: quiesce, stop the clock, isolate, save, assert reset, open the switches. Up: weak switches, strong
//! switches, release reset, restore, release isolation, start the clock. Each step that waits for an
//! acknowledge does so for `limit` cycles at most; then the domain is switched off, clamped, and a cause is
//! kept until `clear`. Losing power while on ends there as well. Every output is a register or a decoded
//! bit of one.

use rust_hdl::prelude::*;

#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum PowerDomainState {
    PoweredOff,
    WeakOn,
    StrongOn,
    Restoring,
    Running,
    Quiescing,
    ClockStopped,
    Isolated,
    Saved,
    Faulted,
}

#[derive(LogicBlock, Default)]
pub struct PowerDomain {
    pub clock: Signal<In, Clock>,
    /// The policy wants the domain on.
    pub wanted: Signal<In, Bit>,
    /// The unit has accepted to be quiet, or refuses to.
    pub quiet: Signal<In, Bit>,
    pub denied: Signal<In, Bit>,
    pub weak_good: Signal<In, Bit>,
    pub strong_good: Signal<In, Bit>,
    pub limit: Signal<In, Bits<8>>,
    pub clear: Signal<In, Bit>,
    pub quiesce: Signal<Out, Bit>,
    pub clock_enable: Signal<Out, Bit>,
    pub isolate: Signal<Out, Bit>,
    pub save: Signal<Out, Bit>,
    pub restore: Signal<Out, Bit>,
    pub unit_reset: Signal<Out, Bit>,
    pub weak_switch: Signal<Out, Bit>,
    pub strong_switch: Signal<Out, Bit>,
    pub cause: Signal<Out, Bits<3>>,
    state: DFF<PowerDomainState>,
    waited: DFF<Bits<8>>,
    cause_held: DFF<Bits<3>>,
    // Kept as "active", so that all of them start at zero: off, clamped, in reset.
    quiesce_out: DFF<Bit>,
    clock_on: DFF<Bit>,
    open: DFF<Bit>,
    save_pulse: DFF<Bit>,
    restore_pulse: DFF<Bit>,
    released: DFF<Bit>,
    weak_on: DFF<Bit>,
    strong_on: DFF<Bit>,
    late: Signal<Local, Bit>,
}

impl Logic for PowerDomain {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, waited, cause_held, quiesce_out, clock_on, open, released, weak_on, strong_on);
        clock!(self, clock, save_pulse, restore_pulse);
        self.save_pulse.d.next = false;
        self.restore_pulse.d.next = false;
        self.quiesce.next = self.quiesce_out.q.val();
        self.clock_enable.next = self.clock_on.q.val();
        self.isolate.next = !self.open.q.val();
        self.save.next = self.save_pulse.q.val();
        self.restore.next = self.restore_pulse.q.val();
        self.unit_reset.next = !self.released.q.val();
        self.weak_switch.next = self.weak_on.q.val();
        self.strong_switch.next = self.strong_on.q.val();
        self.cause.next = self.cause_held.q.val();
        self.late.next = self.waited.q.val() >= self.limit.val();
        self.waited.d.next = self.waited.q.val() + 1;
        match self.state.q.val() {
            PowerDomainState::PoweredOff => {
                self.waited.d.next = 0.into();
                if self.wanted.val() {
                    self.weak_on.d.next = true;
                    self.state.d.next = PowerDomainState::WeakOn;
                }
            }
            PowerDomainState::WeakOn => {
                if self.weak_good.val() {
                    self.waited.d.next = 0.into();
                    self.strong_on.d.next = true;
                    self.state.d.next = PowerDomainState::StrongOn;
                } else if self.late.val() {
                    self.cause_held.d.next = 1.into();
                    self.state.d.next = PowerDomainState::Faulted;
                }
            }
            PowerDomainState::StrongOn => {
                if self.strong_good.val() {
                    self.released.d.next = true;
                    self.restore_pulse.d.next = true;
                    self.state.d.next = PowerDomainState::Restoring;
                } else if self.late.val() {
                    self.cause_held.d.next = 2.into();
                    self.state.d.next = PowerDomainState::Faulted;
                }
            }
            PowerDomainState::Restoring => {
                self.open.d.next = true;
                self.clock_on.d.next = true;
                self.state.d.next = PowerDomainState::Running;
            }
            PowerDomainState::Running => {
                self.waited.d.next = 0.into();
                if !self.strong_good.val() {
                    self.cause_held.d.next = 3.into();
                    self.state.d.next = PowerDomainState::Faulted;
                } else if !self.wanted.val() {
                    self.quiesce_out.d.next = true;
                    self.state.d.next = PowerDomainState::Quiescing;
                }
            }
            PowerDomainState::Quiescing => {
                // A wake, a refusal or silence: nothing has been committed, back to work.
                if (self.wanted.val() | self.denied.val()) | self.late.val() {
                    self.quiesce_out.d.next = false;
                    self.state.d.next = PowerDomainState::Running;
                } else if self.quiet.val() {
                    self.clock_on.d.next = false;
                    self.state.d.next = PowerDomainState::ClockStopped;
                }
            }
            PowerDomainState::ClockStopped => {
                self.open.d.next = false;
                self.state.d.next = PowerDomainState::Isolated;
            }
            PowerDomainState::Isolated => {
                self.save_pulse.d.next = true;
                self.state.d.next = PowerDomainState::Saved;
            }
            PowerDomainState::Saved => {
                self.released.d.next = false;
                self.strong_on.d.next = false;
                self.weak_on.d.next = false;
                self.quiesce_out.d.next = false;
                self.state.d.next = PowerDomainState::PoweredOff;
            }
            PowerDomainState::Faulted => {
                self.waited.d.next = 0.into();
                self.quiesce_out.d.next = false;
                self.clock_on.d.next = false;
                self.open.d.next = false;
                self.released.d.next = false;
                self.weak_on.d.next = false;
                self.strong_on.d.next = false;
                if self.clear.val() {
                    self.cause_held.d.next = 0.into();
                    self.state.d.next = PowerDomainState::PoweredOff;
                }
            }
            // Rust knows no other state, but a flip-flop does.
            #[allow(unreachable_patterns)]
            _ => {
                self.clock_on.d.next = false;
                self.open.d.next = false;
                self.cause_held.d.next = 7.into();
                self.state.d.next = PowerDomainState::Faulted;
            }
        }
    }
}
