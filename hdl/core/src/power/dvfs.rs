// SPDX-License-Identifier: MIT OR Apache-2.0
//! The DVFS unit: at each layer of the model, the pair of clock and voltage that its table holds for it.
//!
//! Ports      `layer_*`: a layer begins; `tick_i`: time passes; targets; `table_*`, `index_i`: a table write; `limit_i`,
//!            `clear_i`; `voltage_*`, `clock_*`: codes, requests and acknowledges; status, causes, events, counts
//! Latency    15 cycles from `layer_valid_i` to the first code that changes, then 4 for each code and, twice, what its
//!            supply takes to answer
//! Throughput one move at a time; of the layers that come meanwhile, the latest wins
//! Rounding   the share of the target is rounded down
//! Reset      no pass under way, an empty table, a move to the lowest clock and the highest voltage
//!
//! The index is {phase, layer class, slack bin}. Slack is the target's share for what of the pass is done, less the
//! time that has passed; bin 0: negative, 1: below an eighth of the target, 2: below a quarter, 3: more, or no target.
//! An entry that was never written changes nothing.

use crate::registers::Value;
use heddle_lang::{
    Module,
    import::{Import, ImportError},
};
use rust_hdl::prelude::*;
use std::sync::Arc;

pub mod attach;
pub mod golden;
mod mover;
mod slack;
mod table;

pub use mover::{DvfsCause, MoveState};

use mover::Mover;
use slack::Slack;
use table::Table;

/// Voltage code that a reset moves to; the clock code is 0.
pub const RESET_VOLTAGE: u8 = 255;

/// The states of a move, for registers and waveforms.
pub const STATES: [Value; 8] = [
    state(MoveState::Choosing, "choosing", "The code to move next is chosen; after a reset, too."),
    state(MoveState::Settled, "settled", "Both codes are acknowledged."),
    state(MoveState::VoltageOffered, "voltage_offered", "The voltage code is at the output, not yet requested."),
    state(MoveState::VoltageRequested, "voltage_requested", "The voltage is requested."),
    state(MoveState::VoltageGiven, "voltage_given", "The voltage is acknowledged; the acknowledge has to drop."),
    state(MoveState::ClockOffered, "clock_offered", "The clock code is at the output, not yet requested."),
    state(MoveState::ClockRequested, "clock_requested", "The clock is requested."),
    state(MoveState::ClockGiven, "clock_given", "The clock is acknowledged; the acknowledge has to drop."),
];

/// The causes, likewise.
pub const CAUSES: [Value; 7] = [
    cause(DvfsCause::None, "none", "No complaint."),
    cause(
        DvfsCause::Refused,
        "refused",
        "A write of the table was refused: its voltage does not carry its clock, or there is no such entry.",
    ),
    cause(DvfsCause::BadEntry, "bad_entry", "The table gave an entry whose voltage does not carry its clock; it was not applied."),
    cause(DvfsCause::VoltageMissing, "voltage_missing", "A voltage was not acknowledged in time."),
    cause(DvfsCause::VoltageStuck, "voltage_stuck", "The acknowledge of the voltage did not drop in time."),
    cause(DvfsCause::ClockMissing, "clock_missing", "A clock was not acknowledged in time."),
    cause(DvfsCause::ClockStuck, "clock_stuck", "The acknowledge of the clock did not drop in time."),
];

const fn state(state: MoveState, name: &'static str, doc: &'static str) -> Value {
    Value { name, value: state as u32, doc }
}

const fn cause(cause: DvfsCause, name: &'static str, doc: &'static str) -> Value {
    Value { name, value: cause as u32, doc }
}

/// The unit with a table of M = 2^N entries.
#[derive(LogicBlock)]
struct Dvfs<const N: usize, const M: usize> {
    pub clock: Signal<In, Clock>,
    pub layer_valid: Signal<In, Bit>,
    pub layer_phase: Signal<In, Bit>,
    pub layer_class: Signal<In, Bits<3>>,
    pub layer_first: Signal<In, Bit>,
    pub layer_last: Signal<In, Bit>,
    pub layer_progress: Signal<In, Bits<8>>,
    pub tick: Signal<In, Bit>,
    pub ttft: Signal<In, Bits<31>>,
    pub tpot: Signal<In, Bits<31>>,
    pub table_write: Signal<In, Bit>,
    pub index: Signal<In, Bits<6>>,
    pub table_clock: Signal<In, Bits<6>>,
    pub table_voltage: Signal<In, Bits<8>>,
    pub limit: Signal<In, Bits<16>>,
    pub clear: Signal<In, Bit>,
    pub voltage_ack: Signal<In, Bit>,
    pub clock_ack: Signal<In, Bit>,
    pub voltage: Signal<Out, Bits<8>>,
    pub voltage_req: Signal<Out, Bit>,
    pub clock_code: Signal<Out, Bits<6>>,
    pub clock_req: Signal<Out, Bit>,
    pub read_clock: Signal<Out, Bits<6>>,
    pub read_voltage: Signal<Out, Bits<8>>,
    pub read_present: Signal<Out, Bit>,
    pub applied_index: Signal<Out, Bits<6>>,
    pub state_code: Signal<Out, MoveState>,
    pub cause: Signal<Out, DvfsCause>,
    pub elapsed: Signal<Out, Bits<31>>,
    pub slack: Signal<Out, Bits<32>>,
    pub ttft_violations: Signal<Out, Bits<16>>,
    pub tpot_violations: Signal<Out, Bits<16>>,
    pub moves: Signal<Out, Bits<16>>,
    pub ttft_event: Signal<Out, Bit>,
    pub tpot_event: Signal<Out, Bit>,
    pub event: Signal<Out, Bit>,
    meter: Slack,
    points: Table<N, M>,
    mover: Mover,
}

impl<const N: usize, const M: usize> Dvfs<N, M> {
    fn new(limits: &[u32; 8]) -> Self {
        Dvfs {
            clock: Default::default(),
            layer_valid: Default::default(),
            layer_phase: Default::default(),
            layer_class: Default::default(),
            layer_first: Default::default(),
            layer_last: Default::default(),
            layer_progress: Default::default(),
            tick: Default::default(),
            ttft: Default::default(),
            tpot: Default::default(),
            table_write: Default::default(),
            index: Default::default(),
            table_clock: Default::default(),
            table_voltage: Default::default(),
            limit: Default::default(),
            clear: Default::default(),
            voltage_ack: Default::default(),
            clock_ack: Default::default(),
            voltage: Default::default(),
            voltage_req: Default::default(),
            clock_code: Default::default(),
            clock_req: Default::default(),
            read_clock: Default::default(),
            read_voltage: Default::default(),
            read_present: Default::default(),
            applied_index: Default::default(),
            state_code: Default::default(),
            cause: Default::default(),
            elapsed: Default::default(),
            slack: Default::default(),
            ttft_violations: Default::default(),
            tpot_violations: Default::default(),
            moves: Default::default(),
            ttft_event: Default::default(),
            tpot_event: Default::default(),
            event: Default::default(),
            meter: Slack::new(M as u32),
            points: Table::new(limits),
            mover: Mover::default(),
        }
    }
}

impl<const N: usize, const M: usize> Logic for Dvfs<N, M> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, meter, points, mover);
        self.meter.layer_valid.next = self.layer_valid.val();
        self.meter.layer_phase.next = self.layer_phase.val();
        self.meter.layer_class.next = self.layer_class.val();
        self.meter.layer_first.next = self.layer_first.val();
        self.meter.layer_last.next = self.layer_last.val();
        self.meter.layer_progress.next = self.layer_progress.val();
        self.meter.tick.next = self.tick.val();
        self.meter.ttft.next = self.ttft.val();
        self.meter.tpot.next = self.tpot.val();
        self.meter.settled.next = self.mover.settled.val();
        self.points.write.next = self.table_write.val();
        self.points.index.next = self.index.val();
        self.points.write_clock.next = self.table_clock.val();
        self.points.write_voltage.next = self.table_voltage.val();
        self.points.lookup.next = self.meter.lookup.val();
        self.points.lookup_index.next = self.meter.index.val();
        self.mover.found.next = self.points.found.val();
        self.mover.found_present.next = self.points.found_present.val();
        self.mover.found_legal.next = self.points.found_legal.val();
        self.mover.found_clock.next = self.points.found_clock.val();
        self.mover.found_voltage.next = self.points.found_voltage.val();
        self.mover.refused.next = self.points.refused.val();
        self.mover.limit.next = self.limit.val();
        self.mover.clear.next = self.clear.val();
        self.mover.voltage_ack.next = self.voltage_ack.val();
        self.mover.clock_ack.next = self.clock_ack.val();
        self.voltage.next = self.mover.voltage.val();
        self.voltage_req.next = self.mover.voltage_req.val();
        self.clock_code.next = self.mover.clock_code.val();
        self.clock_req.next = self.mover.clock_req.val();
        self.read_clock.next = self.points.read_clock.val();
        self.read_voltage.next = self.points.read_voltage.val();
        self.read_present.next = self.points.read_present.val();
        self.applied_index.next = self.meter.index.val();
        self.state_code.next = self.mover.state_code.val();
        self.cause.next = self.mover.cause.val();
        self.elapsed.next = self.meter.elapsed.val();
        self.slack.next = self.meter.slack.val();
        self.ttft_violations.next = self.meter.ttft_violations.val();
        self.tpot_violations.next = self.meter.tpot_violations.val();
        self.moves.next = self.mover.moves.val();
        self.ttft_event.next = self.meter.ttft_event.val();
        self.tpot_event.next = self.meter.tpot_event.val();
        self.event.next = self.mover.event.val();
    }
}

/// The unit as a module. `entries`: 16, 32 or 64; `clock_limits`: the highest clock code (at most 63) that voltage
/// codes `32 i` to `32 i + 31` carry, which may not fall. Anything else is refused.
pub fn dvfs(entries: u32, clock_limits: &[u32; 8]) -> Result<Arc<Module>, ImportError> {
    let refuse = |construct: &str, reason: String| ImportError { block: "power_dvfs".into(), construct: construct.into(), reason };
    if let Some(at) = (1..8).find(|&i| clock_limits[i] < clock_limits[i - 1]) {
        let (below, limit) = (clock_limits[at - 1], clock_limits[at]);
        return Err(refuse("clock_limits", format!("entry {at} is {limit}, below the {below} of a lower voltage: limits may not fall")));
    }
    if let Some(limit) = clock_limits.iter().find(|limit| **limit > 63) {
        return Err(refuse("clock_limits", format!("{limit} is no clock code: at most 63")));
    }
    let doc = "Clock and voltage for each layer, from a table: voltage raised before the clock, lowered after it.";
    let import = Import::new("power_dvfs", file!()).doc(doc).reset();
    match entries {
        16 => import.module(&Dvfs::<4, 16>::new(clock_limits)),
        32 => import.module(&Dvfs::<5, 32>::new(clock_limits)),
        64 => import.module(&Dvfs::<6, 64>::new(clock_limits)),
        _ => Err(refuse("entries", format!("{entries}: must be 16, 32 or 64"))),
    }
}
