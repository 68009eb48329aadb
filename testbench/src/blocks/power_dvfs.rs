// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `power::dvfs`: random layers, tables, targets and answers of the supplies, some of which never come, against
//! the golden model; and, without it, what holds at every moment of the pair that is acknowledged.

use super::{Block, BlockError, Dut, Pin};
use crate::random::Random;
use crate::simulator::Simulator;
use heddle_core::power::dvfs::{
    self, MoveState, RESET_VOLTAGE,
    golden::{self, Inputs, Layer, Outputs, Pair},
};
use heddle_lang::{BuildError, Module, import::ImportError};
use std::{collections::VecDeque, sync::Arc};

const CYCLES: u32 = 6000;
/// Cycles after which an episode, and with it what the inputs tend to, is drawn anew.
const EPISODE: u32 = 400;

/// The unit with a table of so many entries.
pub struct PowerDvfs {
    pub entries: u32,
    pub clock_limits: [u32; 8],
}

impl Block for PowerDvfs {
    fn name(&self) -> String {
        format!("power_dvfs, {} entries", self.entries)
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        dvfs::dvfs(self.entries, &self.clock_limits).map_err(ImportError::build_error)
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        dut.reset()?;
        let pins = Pins::find(&dut)?;
        let mut model = golden::Dvfs::new(self.entries, &self.clock_limits);
        // What the supplies were told before the reset.
        let voltage = rng.bits() as u8;
        let start = Pair { voltage, clock: rng.bits() as u8 % (self.clock_limits[usize::from(voltage) / 32] as u8 + 1) };
        let mut supplies = [Supply::new(start.voltage), Supply::new(start.clock)];
        let mut rules = Rules::new(self, start);
        let mut inputs = Inputs { limit: 40, ..Inputs::default() };
        let mut habits = Habits::draw(rng);
        for cycle in 0..CYCLES {
            if cycle % EPISODE == 0 {
                habits = Habits::draw(rng);
                inputs.limit = [3, 40, 40, 200][rng.bits() as usize % 4];
            }
            self.draw(rng, &habits, &model, &mut inputs);
            inputs.voltage_ack = supplies[0].ack;
            inputs.clock_ack = supplies[1].ack;
            pins.put(&mut dut, &inputs);
            dut.settle()?;
            let outputs = model.outputs();
            pins.expect(&dut, &outputs)?;
            let requests = [dut.high(pins.voltage_req), dut.high(pins.clock_req)];
            let codes = [dut.read(pins.voltage) as u8, dut.read(pins.clock_code) as u8];
            for ((supply, request), code) in supplies.iter_mut().zip(requests).zip(codes) {
                supply.step(request, code, &habits, rng)?;
            }
            let acknowledged = Pair { voltage: supplies[0].code, clock: supplies[1].code };
            rules.check(cycle, &inputs, outputs.state == MoveState::Settled as u8, outputs.applied_index, acknowledged)?;
            dut.tick()?;
            model.step(&inputs);
        }
        rules.finish()
    }
}

impl PowerDvfs {
    fn draw(&self, rng: &mut Random, habits: &Habits, model: &golden::Dvfs, i: &mut Inputs) {
        i.layer = rng.chance(habits.layers).then(|| Layer {
            decode: rng.chance(128),
            class: rng.bits() as u8 % 8,
            first: rng.chance(90),
            last: rng.chance(30),
            progress: rng.bits() as u8,
        });
        i.tick = rng.chance(habits.ticks);
        if !model.measuring() && rng.chance(4) {
            i.ttft = target(rng);
            i.tpot = target(rng);
        }
        i.write = rng.chance(habits.writes);
        i.index = rng.bits() as u8 % 64;
        if rng.chance(200) {
            i.index %= self.entries as u8;
        }
        let voltage = rng.bits() as u8;
        let limit = self.clock_limits[usize::from(voltage) / 32] as u8;
        // Just below, at and above the limit; or anything.
        let clock = if rng.chance(128) { (limit + 1).saturating_sub(rng.bits() as u8 % 3) } else { rng.bits() as u8 };
        i.pair = Pair { clock: clock % 64, voltage };
        i.clear = rng.chance(habits.clears);
    }
}

/// Often none; else small enough to be missed now and then.
fn target(rng: &mut Random) -> u32 {
    match rng.bits() % 8 {
        0 => 0,
        1 => rng.bits() as u32 >> 1,
        _ => rng.bits() as u32 % 600,
    }
}

/// What the inputs tend to for a while, in 1/256.
struct Habits {
    layers: u8,
    ticks: u8,
    writes: u8,
    clears: u8,
    /// Chance of an answer in each cycle; 0 for supplies that are dead.
    answers: u8,
}

impl Habits {
    fn draw(rng: &mut Random) -> Habits {
        let mut pick = |from: [u8; 4]| from[rng.bits() as usize % 4];
        Habits {
            layers: pick([3, 10, 10, 100]),
            ticks: pick([255, 255, 128, 10]),
            writes: pick([2, 60, 120, 200]),
            clears: pick([0, 1, 4, 40]),
            answers: pick([255, 128, 20, 0]),
        }
    }
}

/// A regulator or a PLL: it answers a request after a while, and takes the code at that moment.
struct Supply {
    code: u8,
    ack: bool,
    requested: bool,
    offered: u8,
}

impl Supply {
    fn new(code: u8) -> Supply {
        Supply { code, ack: false, requested: false, offered: code }
    }

    /// One cycle; an error where the four phases are not kept, or the code moves under a request.
    fn step(&mut self, request: bool, code: u8, habits: &Habits, rng: &mut Random) -> Result<(), BlockError> {
        if request != self.requested && request == self.ack {
            return Err(BlockError::wrong(format!("a request went {request} while the acknowledge was {}", self.ack)));
        }
        if (request || self.ack) && code != self.offered {
            return Err(BlockError::wrong(format!("the code went from {} to {code} under a request", self.offered)));
        }
        (self.requested, self.offered) = (request, code);
        if request != self.ack && rng.chance(habits.answers) {
            self.ack = request;
            self.code = if request { code } else { self.code };
        }
        Ok(())
    }
}

/// What holds of the acknowledged pair, told from the pins and a table of the bench's own.
struct Rules<'a> {
    block: &'a PowerDvfs,
    table: Vec<Option<Pair>>,
    /// Writes that a look-up under way may not have seen.
    recent: VecDeque<(u32, u8, Pair)>,
    resting: bool,
    /// The pair at the last rest, and that of the move under way.
    rest: Pair,
    wanted: Option<Pair>,
    /// Which of voltage (0) and clock (1) was taken, in order.
    order: Vec<usize>,
    before: Pair,
    /// Ended; the first is that of the reset.
    moves: u32,
}

/// Cycles from a look-up's reading of the table until the move shows.
const SEEN_AFTER: u32 = 3;

impl<'a> Rules<'a> {
    fn new(block: &'a PowerDvfs, start: Pair) -> Rules<'a> {
        let reset = Pair { clock: 0, voltage: RESET_VOLTAGE };
        let table = vec![None; block.entries as usize];
        let recent = VecDeque::new();
        Rules { block, table, recent, resting: false, rest: start, wanted: Some(reset), order: vec![], before: start, moves: 0 }
    }

    fn limit(&self, voltage: u8) -> u32 {
        self.block.clock_limits[usize::from(voltage) / 32]
    }

    fn check(&mut self, cycle: u32, i: &Inputs, resting: bool, index: u8, now: Pair) -> Result<(), BlockError> {
        self.take_writes(cycle, i);
        let before = std::mem::replace(&mut self.before, now);
        let wrong = |what: &str| Err(BlockError::wrong(format!("cycle {cycle}: {what}: {now:?}, was {before:?}, index {index}")));
        if u32::from(now.clock) > self.limit(now.voltage) {
            return wrong("the clock is above what the voltage carries");
        }
        let changed = [now.voltage != before.voltage, now.clock != before.clock];
        self.order.extend((0..2).filter(|k| changed[*k]));
        match (std::mem::replace(&mut self.resting, resting), resting) {
            (true, false) => self.wanted = self.table[usize::from(index)],
            (false, true) => {
                let right = if now.voltage > self.rest.voltage && self.moves > 0 { [0, 1] } else { [1, 0] };
                let moved = [now.voltage != self.rest.voltage, now.clock != self.rest.clock];
                if !self.order.iter().eq(right.iter().filter(|k| moved[**k])) {
                    return wrong("the order of voltage and clock");
                }
                if self.wanted != Some(now) {
                    return wrong("this pair is not the entry of the index");
                }
                (self.rest, self.moves) = (now, self.moves + 1);
                self.order.clear();
            }
            _ => {}
        }
        if resting && now != self.rest { wrong("the pair moved at rest") } else { Ok(()) }
    }

    fn take_writes(&mut self, cycle: u32, i: &Inputs) {
        while let Some(&(at, index, pair)) = self.recent.front().filter(|(at, ..)| at + SEEN_AFTER <= cycle) {
            self.table[usize::from(index)] = Some(pair);
            self.recent.pop_front();
            debug_assert!(at < cycle);
        }
        if i.write && usize::from(i.index) < self.table.len() && u32::from(i.pair.clock) <= self.limit(i.pair.voltage) {
            self.recent.push_back((cycle, i.index, i.pair));
        }
    }

    /// A bench in which nothing moves would show nothing.
    fn finish(self) -> Result<(), BlockError> {
        if self.moves > 3 { Ok(()) } else { Err(BlockError::wrong(format!("only {} moves", self.moves))) }
    }
}

/// The unit's ports.
struct Pins {
    inputs: [Pin; 17],
    outputs: [Pin; 18],
    voltage: Pin,
    voltage_req: Pin,
    clock_code: Pin,
    clock_req: Pin,
}

impl Pins {
    fn find(dut: &Dut) -> Result<Pins, BlockError> {
        let inputs = dut.inputs([
            "layer_valid",
            "layer_phase",
            "layer_class",
            "layer_first",
            "layer_last",
            "layer_progress",
            "tick",
            "ttft",
            "tpot",
            "table_write",
            "index",
            "table_clock",
            "table_voltage",
            "limit",
            "clear",
            "voltage_ack",
            "clock_ack",
        ])?;
        let outputs = dut.outputs([
            "voltage",
            "voltage_req",
            "clock_code",
            "clock_req",
            "applied_index",
            "state_code",
            "cause",
            "elapsed",
            "slack",
            "ttft_violations",
            "tpot_violations",
            "moves",
            "ttft_event",
            "tpot_event",
            "event",
            "read_present",
            "read_clock",
            "read_voltage",
        ])?;
        let [voltage, voltage_req, clock_code, clock_req, ..] = outputs;
        Ok(Pins { inputs, outputs, voltage, voltage_req, clock_code, clock_req })
    }

    fn put(&self, dut: &mut Dut, i: &Inputs) {
        let layer = i.layer.unwrap_or_default();
        let values = [
            i.layer.is_some().into(),
            layer.decode.into(),
            layer.class.into(),
            layer.first.into(),
            layer.last.into(),
            layer.progress.into(),
            i.tick.into(),
            i.ttft.into(),
            i.tpot.into(),
            i.write.into(),
            i.index.into(),
            i.pair.clock.into(),
            i.pair.voltage.into(),
            i.limit.into(),
            i.clear.into(),
            i.voltage_ack.into(),
            i.clock_ack.into(),
        ];
        self.inputs.iter().zip(values).for_each(|(pin, value)| dut.put(*pin, value));
    }

    /// What an entry holds that was never written is not looked at.
    fn expect(&self, dut: &Dut, o: &Outputs) -> Result<(), BlockError> {
        let read = o.read.map(|pair| [pair.clock, pair.voltage].map(u64::from));
        let values = [
            u64::from(o.pair.voltage),
            o.voltage_req.into(),
            o.pair.clock.into(),
            o.clock_req.into(),
            o.applied_index.into(),
            o.state.into(),
            o.cause.into(),
            o.elapsed.into(),
            (o.slack as u32).into(),
            o.ttft_violations.into(),
            o.tpot_violations.into(),
            o.moves.into(),
            o.ttft_event.into(),
            o.tpot_event.into(),
            o.event.into(),
            o.read.is_some().into(),
        ];
        let values = values.into_iter().chain(read.into_iter().flatten());
        self.outputs.iter().zip(values).try_for_each(|(pin, value)| dut.expect(*pin, value))
    }
}
