// SPDX-License-Identifier: MIT OR Apache-2.0
//! Moves clock and voltage to a new pair: voltage raised before the clock, lowered after it.
//!
//! Ports      `found_*`: a pair to move to, or an entry that is no legal pair; `refused_i`: a table write was; `limit_i`:
//!            cycles to wait for any answer; `clear_i`: forget the cause; `voltage_*`, `clock_*`: code, request and
//!            acknowledge (four phases, the code is stable from a cycle before the request until the acknowledge has
//!            dropped); `settled_o`; `cause_o`, `event_o` (a pulse when a cause is noted), `moves_o`
//! Latency    1 cycle, then 4 for each code that changes and, twice, what its supply takes to answer
//! Throughput one move at a time      Rounding  none
//! Reset      a move to the lowest clock, then to the highest voltage: nobody knows what the supplies were told before
//!
//! Every output is a flip-flop. The pair at the outputs is legal at every moment, whatever is acknowledged: a new clock
//! is only offered under a voltage that carries it, and a voltage only goes down under a clock that it carries. So an
//! answer that does not come leaves a safe pair: the request stays (a regulator may still be at it), the cause is
//! noted once, and a late answer lets the move go on. Causes are told in the order in which they come: the latest stands.

use rust_hdl::prelude::*;

/// What holds in each state; with eight states there is no encoding that is none.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum MoveState {
    /// Some of the target is still to be reached: the next code is chosen. All of it after a reset.
    Choosing,
    /// The pair at the outputs is acknowledged.
    Settled,
    VoltageOffered,
    VoltageRequested,
    VoltageGiven,
    ClockOffered,
    ClockRequested,
    ClockGiven,
}

/// Why the unit complains; the latest reason stays until it is cleared.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum DvfsCause {
    None,
    /// A write of an entry whose voltage does not carry its clock, or past the end of the table.
    Refused,
    /// An entry that was looked up holds such a pair; it was not applied.
    BadEntry,
    /// An acknowledge did not come, or did not go, in time.
    VoltageMissing,
    VoltageStuck,
    ClockMissing,
    ClockStuck,
}

/// The mover.
#[derive(LogicBlock)]
pub struct Mover {
    pub clock: Signal<In, Clock>,
    pub found: Signal<In, Bit>,
    pub found_present: Signal<In, Bit>,
    pub found_legal: Signal<In, Bit>,
    pub found_clock: Signal<In, Bits<6>>,
    pub found_voltage: Signal<In, Bits<8>>,
    pub refused: Signal<In, Bit>,
    pub limit: Signal<In, Bits<16>>,
    pub clear: Signal<In, Bit>,
    pub voltage_ack: Signal<In, Bit>,
    pub clock_ack: Signal<In, Bit>,
    pub voltage: Signal<Out, Bits<8>>,
    pub voltage_req: Signal<Out, Bit>,
    pub clock_code: Signal<Out, Bits<6>>,
    pub clock_req: Signal<Out, Bit>,
    pub settled: Signal<Out, Bit>,
    pub state_code: Signal<Out, MoveState>,
    pub cause: Signal<Out, DvfsCause>,
    pub event: Signal<Out, Bit>,
    pub moves: Signal<Out, Bits<16>>,
    state: DFF<MoveState>,
    voltage_held: DFFWithInit<Bits<8>>,
    clock_held: DFF<Bits<6>>,
    voltage_target: DFFWithInit<Bits<8>>,
    clock_target: DFF<Bits<6>>,
    raising: DFF<Bit>,
    voltage_due: DFFWithInit<Bit>,
    clock_due: DFFWithInit<Bit>,
    voltage_asked: DFF<Bit>,
    clock_asked: DFF<Bit>,
    /// Cycles in this state.
    waited: DFF<Bits<16>>,
    /// What this state waits for was called missing.
    overdue: DFF<Bit>,
    cause_held: DFF<DvfsCause>,
    event_pulse: DFF<Bit>,
    move_count: DFF<Bits<16>>,
    late: Signal<Local, Bit>,
    silent: Signal<Local, Bit>,
    voltage_differs: Signal<Local, Bit>,
    clock_differs: Signal<Local, Bit>,
    complains: Signal<Local, Bit>,
    complaint: Signal<Local, DvfsCause>,
}

impl Default for Mover {
    fn default() -> Self {
        Mover {
            clock: Default::default(),
            found: Default::default(),
            found_present: Default::default(),
            found_legal: Default::default(),
            found_clock: Default::default(),
            found_voltage: Default::default(),
            refused: Default::default(),
            limit: Default::default(),
            clear: Default::default(),
            voltage_ack: Default::default(),
            clock_ack: Default::default(),
            voltage: Default::default(),
            voltage_req: Default::default(),
            clock_code: Default::default(),
            clock_req: Default::default(),
            settled: Default::default(),
            state_code: Default::default(),
            cause: Default::default(),
            event: Default::default(),
            moves: Default::default(),
            state: Default::default(),
            voltage_held: DFFWithInit::new(255.into()),
            clock_held: Default::default(),
            voltage_target: DFFWithInit::new(255.into()),
            clock_target: Default::default(),
            raising: Default::default(),
            voltage_due: DFFWithInit::new(true),
            clock_due: DFFWithInit::new(true),
            voltage_asked: Default::default(),
            clock_asked: Default::default(),
            waited: Default::default(),
            overdue: Default::default(),
            cause_held: Default::default(),
            event_pulse: Default::default(),
            move_count: Default::default(),
            late: Default::default(),
            silent: Default::default(),
            voltage_differs: Default::default(),
            clock_differs: Default::default(),
            complains: Default::default(),
            complaint: Default::default(),
        }
    }
}

impl Logic for Mover {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, voltage_held, clock_held, voltage_target, clock_target, raising, voltage_due, clock_due);
        dff_setup!(self, clock, voltage_asked, clock_asked, waited, overdue, cause_held, move_count);
        clock!(self, clock, event_pulse);
        self.voltage.next = self.voltage_held.q.val();
        self.voltage_req.next = self.voltage_asked.q.val();
        self.clock_code.next = self.clock_held.q.val();
        self.clock_req.next = self.clock_asked.q.val();
        self.settled.next = self.state.q.val() == MoveState::Settled;
        self.state_code.next = self.state.q.val();
        self.cause.next = self.cause_held.q.val();
        self.event.next = self.event_pulse.q.val();
        self.moves.next = self.move_count.q.val();
        self.late.next = self.waited.q.val() >= self.limit.val();
        self.voltage_differs.next = self.found_voltage.val() != self.voltage_held.q.val();
        self.clock_differs.next = self.found_clock.val() != self.clock_held.q.val();
        self.complains.next = false;
        self.complaint.next = DvfsCause::None;
        self.silent.next = false;
        match self.state.q.val() {
            MoveState::Settled => {
                if self.found.val() & self.found_present.val() {
                    if self.found_legal.val() {
                        self.voltage_target.d.next = self.found_voltage.val();
                        self.clock_target.d.next = self.found_clock.val();
                        self.raising.d.next = self.found_voltage.val() > self.voltage_held.q.val();
                        self.voltage_due.d.next = self.voltage_differs.val();
                        self.clock_due.d.next = self.clock_differs.val();
                        if self.voltage_differs.val() | self.clock_differs.val() {
                            self.state.d.next = MoveState::Choosing;
                        }
                    } else {
                        self.complaint.next = DvfsCause::BadEntry;
                        self.complains.next = true;
                    }
                }
            }
            MoveState::Choosing => {
                if self.voltage_due.q.val() & (self.raising.q.val() | !self.clock_due.q.val()) {
                    self.voltage_due.d.next = false;
                    self.voltage_held.d.next = self.voltage_target.q.val();
                    self.state.d.next = MoveState::VoltageOffered;
                } else if self.clock_due.q.val() {
                    self.clock_due.d.next = false;
                    self.clock_held.d.next = self.clock_target.q.val();
                    self.state.d.next = MoveState::ClockOffered;
                } else {
                    self.move_count.d.next = self.move_count.q.val() + 1;
                    self.state.d.next = MoveState::Settled;
                }
            }
            MoveState::VoltageOffered => {
                if !self.voltage_ack.val() {
                    self.voltage_asked.d.next = true;
                    self.state.d.next = MoveState::VoltageRequested;
                } else {
                    self.complaint.next = DvfsCause::VoltageStuck;
                    self.silent.next = true;
                }
            }
            MoveState::VoltageRequested => {
                if self.voltage_ack.val() {
                    self.voltage_asked.d.next = false;
                    self.state.d.next = MoveState::VoltageGiven;
                } else {
                    self.complaint.next = DvfsCause::VoltageMissing;
                    self.silent.next = true;
                }
            }
            MoveState::VoltageGiven => {
                if !self.voltage_ack.val() {
                    self.state.d.next = MoveState::Choosing;
                } else {
                    self.complaint.next = DvfsCause::VoltageStuck;
                    self.silent.next = true;
                }
            }
            MoveState::ClockOffered => {
                if !self.clock_ack.val() {
                    self.clock_asked.d.next = true;
                    self.state.d.next = MoveState::ClockRequested;
                } else {
                    self.complaint.next = DvfsCause::ClockStuck;
                    self.silent.next = true;
                }
            }
            MoveState::ClockRequested => {
                if self.clock_ack.val() {
                    self.clock_asked.d.next = false;
                    self.state.d.next = MoveState::ClockGiven;
                } else {
                    self.complaint.next = DvfsCause::ClockMissing;
                    self.silent.next = true;
                }
            }
            MoveState::ClockGiven => {
                if !self.clock_ack.val() {
                    self.state.d.next = MoveState::Choosing;
                } else {
                    self.complaint.next = DvfsCause::ClockStuck;
                    self.silent.next = true;
                }
            }
        }
        self.waited.d.next = 0.into();
        self.overdue.d.next = false;
        if self.silent.val() & !self.clear.val() {
            self.waited.d.next = self.waited.q.val();
            self.overdue.d.next = self.overdue.q.val() | self.late.val();
            if !self.late.val() {
                self.waited.d.next = self.waited.q.val() + 1;
            }
        }
        if self.silent.val() & (self.late.val() & !self.overdue.q.val()) {
            self.complains.next = true;
        }
        if self.refused.val() {
            self.complaint.next = DvfsCause::Refused;
            self.complains.next = true;
        }
        self.event_pulse.d.next = self.complains.val();
        if self.clear.val() {
            self.cause_held.d.next = DvfsCause::None;
        }
        if self.complains.val() {
            self.cause_held.d.next = self.complaint.val();
        }
    }
}
