// SPDX-License-Identifier: MIT OR Apache-2.0
//! The unit in plain Rust: the same outputs in every cycle.
//!
//! One thing is not modelled: a target that changes while a layer is measured ([`Dvfs::measuring`]) gives a slack of
//! neither target.

use super::{DvfsCause as Cause, MoveState, RESET_VOLTAGE};

/// A clock and a voltage code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    pub clock: u8,
    pub voltage: u8,
}

/// A layer begins, or the pass ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layer {
    /// Decode, not prefill.
    pub decode: bool,
    pub class: u8,
    pub first: bool,
    pub last: bool,
    /// Share of the pass that is done, in 1/256.
    pub progress: u8,
}

/// Inputs of one cycle.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inputs {
    pub layer: Option<Layer>,
    pub tick: bool,
    /// Targets in ticks, below 2^31; 0 is none.
    pub ttft: u32,
    pub tpot: u32,
    /// Write `pair` at `index`; without it, `index` is read.
    pub write: bool,
    pub index: u8,
    pub pair: Pair,
    pub limit: u16,
    pub clear: bool,
    pub voltage_ack: bool,
    pub clock_ack: bool,
}

/// Outputs between two edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outputs {
    pub pair: Pair,
    pub voltage_req: bool,
    pub clock_req: bool,
    /// The entry at `index` of the cycle before, if it was written since the reset.
    pub read: Option<Pair>,
    pub applied_index: u8,
    pub state: u8,
    pub cause: u8,
    pub elapsed: u32,
    pub slack: i32,
    pub ttft_violations: u16,
    pub tpot_violations: u16,
    pub moves: u16,
    pub ttft_event: bool,
    pub tpot_event: bool,
    pub event: bool,
}

/// What the reset moves to, clock first, whatever the supplies were told before.
const RESET: Pair = Pair { clock: 0, voltage: RESET_VOLTAGE };
/// Most ticks that are counted.
const TICKS_MAX: u32 = (1 << 31) - 1;
/// Age of a layer in work, in cycles: its slack is taken, its bin is added, the table reads, the entry is there.
const SLACK_AT: u32 = 8;
const BIN_AT: u32 = 9;
const READ_AT: u32 = 10;
const FOUND_AT: u32 = 11;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rail {
    Voltage,
    Clock,
}

/// What of a handshake is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Offered,
    Requested,
    Given,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Move {
    Settled,
    Choosing,
    Waiting(Rail, Phase),
}

/// A layer on its way to the table.
#[derive(Clone, Copy, Debug)]
struct Work {
    decode: bool,
    progress: u8,
    /// When the layer began.
    ticks: u32,
    age: u32,
}

/// The time of the pass under way, or of the last one.
#[derive(Clone, Copy, Debug, Default)]
struct Pass {
    decode: bool,
    running: bool,
    violated: bool,
    ticks: u32,
}

/// The unit's memory.
#[derive(Clone, Debug)]
pub struct Dvfs {
    limits: [u32; 8],
    table: Vec<Option<Pair>>,
    pass: Pass,
    /// The latest layer, and when it began.
    asked: Option<(Layer, u32)>,
    work: Option<Work>,
    index: u8,
    slack: i32,
    /// Violations by phase, and those noted in the cycle before.
    violations: [u16; 2],
    violated: [bool; 2],
    /// What the table read in the cycle before: for a look-up, and for the host.
    looked_up: Option<Pair>,
    read: Option<Pair>,
    refused: bool,
    pair: Pair,
    target: Pair,
    /// What is still to be moved, in order.
    plan: Vec<Rail>,
    moving: Move,
    waited: u16,
    /// What is waited for was called missing.
    overdue: bool,
    moves: u16,
    cause: Cause,
    event: bool,
}

impl Dvfs {
    /// As after reset, with an empty table: on the way to the reset's pair.
    pub fn new(entries: u32, limits: &[u32; 8]) -> Dvfs {
        Dvfs {
            limits: *limits,
            table: vec![None; entries as usize],
            pass: Pass::default(),
            asked: None,
            work: None,
            index: 0,
            slack: 0,
            violations: [0; 2],
            violated: [false; 2],
            looked_up: None,
            read: None,
            refused: false,
            pair: RESET,
            target: RESET,
            plan: vec![Rail::Clock, Rail::Voltage],
            moving: Move::Choosing,
            waited: 0,
            overdue: false,
            moves: 0,
            cause: Cause::None,
            event: false,
        }
    }

    /// A layer's slack is being taken: targets have to stay as they are.
    pub fn measuring(&self) -> bool {
        self.work.is_some_and(|w| w.age < READ_AT)
    }

    pub fn outputs(&self) -> Outputs {
        use Phase::*;
        let asked = |rail| self.moving == Move::Waiting(rail, Requested);
        let state = match &self.moving {
            Move::Settled => MoveState::Settled,
            Move::Choosing => MoveState::Choosing,
            Move::Waiting(Rail::Voltage, Offered) => MoveState::VoltageOffered,
            Move::Waiting(Rail::Voltage, Requested) => MoveState::VoltageRequested,
            Move::Waiting(Rail::Voltage, Given) => MoveState::VoltageGiven,
            Move::Waiting(Rail::Clock, Offered) => MoveState::ClockOffered,
            Move::Waiting(Rail::Clock, Requested) => MoveState::ClockRequested,
            Move::Waiting(Rail::Clock, Given) => MoveState::ClockGiven,
        };
        Outputs {
            pair: self.pair,
            voltage_req: asked(Rail::Voltage),
            clock_req: asked(Rail::Clock),
            read: self.read,
            applied_index: self.index,
            state: state as u8,
            cause: self.cause as u8,
            elapsed: self.pass.ticks,
            slack: self.slack,
            ttft_violations: self.violations[0],
            tpot_violations: self.violations[1],
            moves: self.moves,
            ttft_event: self.violated[0],
            tpot_event: self.violated[1],
            event: self.event,
        }
    }

    /// One rising edge.
    pub fn step(&mut self, i: &Inputs) {
        let settled = self.moving == Move::Settled;
        let found = self.work.filter(|w| w.age == FOUND_AT).and(self.looked_up);
        let refusing = i.write && !self.is_writable(i.index, i.pair);
        let refused = std::mem::replace(&mut self.refused, refusing);
        let complaint = self.advance(found, i);
        self.complain(if refused { Some(Cause::Refused) } else { complaint }, i.clear);
        self.access(i);
        self.measure(settled, i);
        self.time(i);
    }

    fn is_writable(&self, index: u8, pair: Pair) -> bool {
        usize::from(index) < self.table.len() && self.is_legal(pair)
    }

    fn is_legal(&self, pair: Pair) -> bool {
        u32::from(pair.clock) <= self.limits[usize::from(pair.voltage) / 32]
    }

    /// The move: the state that follows, and what there is to complain of.
    fn advance(&mut self, found: Option<Pair>, i: &Inputs) -> Option<Cause> {
        let late = self.waited >= i.limit;
        let mut complaint = None;
        let mut waits = false;
        match self.moving {
            Move::Settled => match found {
                Some(pair) if !self.is_legal(pair) => complaint = Some(Cause::BadEntry),
                Some(pair) if pair != self.pair => self.begin(pair),
                _ => {}
            },
            Move::Choosing if self.plan.is_empty() => {
                self.moves = self.moves.wrapping_add(1);
                self.moving = Move::Settled;
            }
            Move::Choosing => {
                let rail = self.plan.remove(0);
                match rail {
                    Rail::Voltage => self.pair.voltage = self.target.voltage,
                    Rail::Clock => self.pair.clock = self.target.clock,
                }
                self.moving = Move::Waiting(rail, Phase::Offered);
            }
            Move::Waiting(rail, phase) => {
                let ack = if rail == Rail::Voltage { i.voltage_ack } else { i.clock_ack };
                let next = match phase {
                    Phase::Offered => Move::Waiting(rail, Phase::Requested),
                    Phase::Requested => Move::Waiting(rail, Phase::Given),
                    Phase::Given => Move::Choosing,
                };
                if ack == (phase == Phase::Requested) {
                    self.moving = next;
                } else {
                    waits = true;
                    complaint = (late && !self.overdue).then(|| missing(rail, phase));
                }
            }
        }
        self.waited = match (waits && !i.clear, late) {
            (false, _) => 0,
            (true, false) => self.waited + 1,
            (true, true) => self.waited,
        };
        self.overdue = waits && !i.clear && (self.overdue || late);
        complaint
    }

    /// Voltage first when it rises, last when it falls.
    fn begin(&mut self, pair: Pair) {
        let voltage = (pair.voltage != self.pair.voltage).then_some(Rail::Voltage);
        let clock = (pair.clock != self.pair.clock).then_some(Rail::Clock);
        let order = if pair.voltage > self.pair.voltage { [voltage, clock] } else { [clock, voltage] };
        self.plan = order.into_iter().flatten().collect();
        self.target = pair;
        self.moving = Move::Choosing;
    }

    /// The latest cause stays until it is cleared.
    fn complain(&mut self, complaint: Option<Cause>, clear: bool) {
        self.event = complaint.is_some();
        self.cause = complaint.unwrap_or(if clear { Cause::None } else { self.cause });
    }

    /// The table's memory: what was there before is read.
    fn access(&mut self, i: &Inputs) {
        self.looked_up = self.table[usize::from(self.index)];
        self.read = self.table[usize::from(i.index) % self.table.len()];
        if i.write && self.is_writable(i.index, i.pair) {
            self.table[usize::from(i.index)] = Some(i.pair);
        }
    }

    /// The layer in work.
    fn measure(&mut self, settled: bool, i: &Inputs) {
        match &mut self.work {
            None => {
                if let Some((layer, ticks)) = self.asked.take_if(|_| settled) {
                    let half = self.table.len() as u8 / 2;
                    let class = 4 * layer.class % half;
                    self.index = if layer.decode { half + class } else { class };
                    self.work = Some(Work { decode: layer.decode, progress: layer.progress, ticks, age: 0 });
                }
            }
            Some(work) => {
                let target = if work.decode { i.tpot } else { i.ttft };
                if work.age == SLACK_AT {
                    let share = u64::from(target) * u64::from(work.progress) / 256;
                    self.slack = (share as i64 - i64::from(work.ticks)) as i32;
                }
                if work.age == BIN_AT {
                    self.index += bin(target, self.slack);
                }
                work.age += 1;
                if work.age > FOUND_AT + 1 && settled {
                    self.work = None;
                }
            }
        }
    }

    /// The pass: time, target, and what the layer says of it.
    fn time(&mut self, i: &Inputs) {
        let pass = &mut self.pass;
        let target = if pass.decode { i.tpot } else { i.ttft };
        let overdue = pass.running && !pass.violated && target > 0 && pass.ticks > target;
        self.violated = [overdue && !pass.decode, overdue && pass.decode];
        for (count, violated) in self.violations.iter_mut().zip(self.violated) {
            *count = count.wrapping_add(violated.into());
        }
        pass.violated |= overdue;
        let before = pass.ticks;
        if i.tick && pass.running && pass.ticks < TICKS_MAX {
            pass.ticks += 1;
        }
        let Some(layer) = i.layer else { return };
        let begun = if layer.first { 0 } else { before };
        if layer.first {
            *pass = Pass { decode: pass.decode, running: true, violated: false, ticks: 0 };
        }
        if layer.last {
            pass.running = false;
        } else {
            pass.decode = layer.decode;
            self.asked = Some((layer, begun));
        }
    }
}

/// The slack bin, 0 to 3.
pub fn bin(target: u32, slack: i32) -> u8 {
    let target = i64::from(target);
    match i64::from(slack) {
        _ if target == 0 => 3,
        slack if slack < 0 => 0,
        slack if slack < target / 8 => 1,
        slack if slack < target / 4 => 2,
        _ => 3,
    }
}

fn missing(rail: Rail, phase: Phase) -> Cause {
    match (rail, phase) {
        (Rail::Voltage, Phase::Requested) => Cause::VoltageMissing,
        (Rail::Voltage, _) => Cause::VoltageStuck,
        (Rail::Clock, Phase::Requested) => Cause::ClockMissing,
        (Rail::Clock, _) => Cause::ClockStuck,
    }
}
