// SPDX-License-Identifier: MIT OR Apache-2.0
//! The units around the sequencer in its bench: they accept work when they like, answer descriptor reads, and finish
//! matrices after a while.

use super::{
    BlockError, Dut, Pin,
    sequencer::{End, Event, Fault, Program},
};
use crate::{random::Random, simulator::Simulator};
use heddle_core::{
    config::Config,
    descriptor::{self, Layer, Phase},
    engine::weight_fetch::{DEST_DESCRIPTOR, DEST_WEIGHTS},
};
use std::collections::VecDeque;

/// Matrices that may be issued and not finished.
const IN_FLIGHT: usize = 2;

pub struct Units {
    dut: Dut,
    port_bytes: usize,
    control: [Pin; 5],
    answers: [Pin; 6],
    job: [Pin; 4],
    load: [Pin; 4],
    matrix: [Pin; 8],
    status: [Pin; 7],
    /// Only with a DVFS unit.
    layer: Option<[Pin; 6]>,
}

/// What must still come. Reads wait in a register of the sequencer, so they have an order of their own.
struct Expected<'a> {
    reads: VecDeque<&'a Event>,
    work: VecDeque<&'a Event>,
}

impl<'a> Expected<'a> {
    fn new(events: &'a [Event]) -> Self {
        let (reads, work) = events.iter().partition(|event| matches!(event, Event::Job { .. }));
        Expected { reads, work }
    }

    /// What must come instead of `event`, if it is not the same.
    fn next(&mut self, event: &Event) -> Option<&'a Event> {
        if matches!(event, Event::Job { .. }) { self.reads.pop_front() } else { self.work.pop_front() }
    }

    fn left(&self) -> Option<&'a Event> {
        self.reads.front().or(self.work.front()).copied()
    }
}

/// What is under way in a run.
#[derive(Default)]
struct State {
    /// The units can take a matrix, and stay so until it comes.
    matrix_ready: bool,
    /// Beats of descriptors that were asked for.
    beats: Vec<Vec<u8>>,
    /// Position of the next descriptor to answer.
    fetched: usize,
    in_flight: usize,
    /// Those of them whose weights were asked for: only they can end.
    streaming: usize,
    /// Cycles until the store has written everything.
    storing: u64,
    faulted: bool,
    pulses: (u32, u32),
}

impl Units {
    pub fn new(mut dut: Dut, config: &Config) -> Result<Units, BlockError> {
        dut.reset()?;
        Ok(Units {
            port_bytes: config.port_bytes() as usize,
            control: dut.inputs(["start", "clear", "program", "read_error", "write_error"])?,
            answers: dut.inputs(["job_ready", "load_ready", "matrix_ready", "matrix_done", "store_idle", "beat_valid"])?,
            job: dut.outputs(["job_valid", "job_addr", "job_beats", "job_dest"])?,
            load: dut.outputs(["load_valid", "load_last_block", "load_columns", "load_bank"])?,
            matrix: dut.outputs([
                "matrix_start",
                "matrix_format",
                "matrix_rows",
                "matrix_last_step",
                "matrix_columns",
                "matrix_bank",
                "matrix_tag",
                "matrix_results",
            ])?,
            status: dut.outputs(["busy", "done", "error", "cause", "error_addr", "finished", "stopped"])?,
            layer: match config.power.dvfs_entries {
                0 => None,
                _ => Some(dut.outputs(["layer_valid", "layer_phase", "layer_class", "layer_first", "layer_last", "layer_progress"])?),
            },
            dut,
        })
    }

    /// Runs a program to its end, then looks at the status, and leaves an error state.
    pub fn run(&mut self, program: &Program, rng: &mut Random) -> Result<(), BlockError> {
        let [start, clear, address, ..] = self.control;
        let [busy, ..] = self.status;
        let beat_data = self.dut.inputs(["beat_data"])?[0];
        self.dut.put(address, program.base.into());
        self.pulse(start)?;
        self.dut.put(address, rng.bits());
        let mut state = State::default();
        let mut events = Expected::new(&program.events);
        let ready_chance = [255, 128, 40][rng.bits() as usize % 3];
        let limit = 4000 + 3000 * program.words.len() as u64;
        for _ in 0..limit {
            self.drive(program, &mut state, rng, ready_chance, beat_data);
            // Neither does anything while a program runs.
            self.dut.put(start, rng.chance(20).into());
            self.dut.put(clear, rng.chance(20).into());
            self.dut.settle()?;
            if !self.dut.high(busy) {
                self.dut.put(start, 0);
                self.dut.put(clear, 0);
                return self.ended(program, &state, events.left(), rng);
            }
            self.sample(program, &mut state, &mut events, rng)?;
            self.dut.tick()?;
        }
        Err(BlockError::Limit { limit, state: format!("{:?} is next", events.left()) })
    }

    fn pulse(&mut self, pin: Pin) -> Result<(), BlockError> {
        self.dut.put(pin, 1);
        self.dut.tick()?;
        self.dut.put(pin, 0);
        self.dut.settle()?;
        Ok(())
    }

    fn drive(&mut self, program: &Program, state: &mut State, rng: &mut Random, ready_chance: u8, beat_data: Pin) {
        let [.., read_error, write_error] = self.control;
        let [job_ready, load_ready, matrix_ready, matrix_done, store_idle, beat_valid] = self.answers;
        for pin in [job_ready, load_ready] {
            self.dut.put(pin, rng.chance(ready_chance).into());
        }
        state.matrix_ready |= rng.chance(ready_chance);
        self.dut.put(matrix_ready, state.matrix_ready.into());
        let done = state.streaming > 0 && rng.chance(10);
        self.dut.put(matrix_done, done.into());
        if done {
            state.in_flight -= 1;
            state.streaming -= 1;
            state.storing = rng.bits() % 40;
        }
        let idle = state.in_flight == 0 && state.storing == 0;
        state.storing = state.storing.saturating_sub(1);
        self.dut.put(store_idle, idle.into());
        // The fault comes while the first descriptor is on its way.
        let fault = if state.faulted || state.beats.is_empty() { Fault::None } else { program.fault };
        state.faulted |= !state.beats.is_empty();
        self.dut.put(read_error, (fault == Fault::Read).into());
        self.dut.put(write_error, (fault == Fault::Write).into());
        let beat = state.faulted && !state.beats.is_empty() && fault == Fault::None && rng.chance(60);
        self.dut.put(beat_valid, beat.into());
        if beat {
            let beat = state.beats.remove(0);
            self.dut.put_bytes(beat_data, &beat);
        }
    }

    /// What is transferred in this cycle must be what comes next.
    fn sample(&mut self, program: &Program, state: &mut State, events: &mut Expected, rng: &mut Random) -> Result<(), BlockError> {
        let [job_ready, load_ready, ..] = self.answers;
        let get = |pin: Pin| self.dut.read(pin);
        let mut now = Vec::new();
        if let Some([valid, phase, class, first, last, progress]) = self.layer
            && self.dut.high(valid)
        {
            let phase = if self.dut.high(phase) { Phase::Decode } else { Phase::Prefill };
            let (class, progress) = (get(class) as u8, get(progress) as u8);
            now.push(Event::Layer(Layer { phase, class, first: self.dut.high(first), last: self.dut.high(last), progress, tag: 0 }));
        }
        let [valid, last_block, columns, bank] = self.load;
        if get(valid) & get(load_ready) == 1 {
            now.push(Event::Load { last_block: get(last_block), columns: get(columns), bank: get(bank) });
        }
        let [valid, address, beats, dest] = self.job;
        if get(valid) & get(job_ready) == 1 {
            now.push(Event::Job { address: get(address), beats: get(beats), dest: get(dest) });
        }
        let [start, format, rows, last_step, columns, bank, tag, results] = self.matrix;
        if self.dut.high(start) {
            if !state.matrix_ready {
                return Err(BlockError::wrong("a matrix starts and the units are not ready"));
            }
            state.matrix_ready = false;
            now.push(Event::Matrix {
                format: get(format),
                rows: get(rows),
                last_step: get(last_step),
                columns: get(columns),
                bank: get(bank),
                tag: get(tag),
                results: get(results),
            });
        }
        let [.., finished, stopped] = self.status;
        state.pulses.0 += get(finished) as u32;
        state.pulses.1 += get(stopped) as u32;
        for event in now {
            match events.next(&event) {
                Some(expected) if *expected == event => {}
                expected => return Err(BlockError::wrong(format!("{event:x?} instead of {expected:x?}"))),
            }
            match event {
                Event::Job { dest: DEST_DESCRIPTOR, .. } => self.answer(program, state, rng),
                Event::Job { dest: DEST_WEIGHTS, .. } => state.streaming += 1,
                Event::Matrix { .. } => state.in_flight += 1,
                _ => {}
            }
            if state.in_flight > IN_FLIGHT {
                return Err(BlockError::wrong(format!("{} matrices in flight", state.in_flight)));
            }
        }
        Ok(())
    }

    /// The beats of the next descriptor; beyond the program there is anything.
    fn answer(&self, program: &Program, state: &mut State, rng: &mut Random) {
        let size = descriptor::BYTES as usize;
        let mut bytes: Vec<u8> = (0..size.max(self.port_bytes)).map(|_| rng.bits() as u8).collect();
        let address = program.base as usize + state.fetched * size;
        if let Some(words) = program.words.get(state.fetched) {
            let at = address % bytes.len();
            bytes[at..at + size].copy_from_slice(&words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>());
        }
        state.fetched += 1;
        state.beats.extend(bytes.chunks(self.port_bytes).map(<[u8]>::to_vec));
    }

    fn ended(&mut self, program: &Program, state: &State, left: Option<&Event>, rng: &mut Random) -> Result<(), BlockError> {
        if let Some(event) = left {
            return Err(BlockError::wrong(format!("the program ended before {event:x?}")));
        }
        let expected = if program.end.is_ok() { (1, 0) } else { (0, 1) };
        if state.pulses != expected {
            return Err(BlockError::wrong(format!("{:?} pulses of finished and stopped", state.pulses)));
        }
        if state.in_flight > 0 || state.storing > 0 {
            return Err(BlockError::wrong("the program ended before its results were written"));
        }
        self.expect_status(&program.end)?;
        let [start, clear, ..] = self.control;
        if program.end.is_err() {
            // The error state lasts until it is cleared; a start does not leave it.
            self.pulse(start)?;
            self.expect_status(&program.end)?;
        }
        if program.end.is_err() || rng.chance(128) {
            self.pulse(clear)?;
            let [busy, done, error, cause, error_addr, ..] = self.status;
            [busy, done, error, cause, error_addr].into_iter().try_for_each(|pin| self.dut.expect(pin, 0))?;
        }
        Ok(())
    }

    fn expect_status(&self, end: &End) -> Result<(), BlockError> {
        let [busy, done, error, cause, error_addr, ..] = self.status;
        let (code, address) = end.err().unwrap_or_default();
        self.dut.expect(busy, 0)?;
        self.dut.expect(done, end.is_ok().into())?;
        self.dut.expect(error, end.is_err().into())?;
        self.dut.expect(cause, code.into())?;
        self.dut.expect(error_addr, address.into())
    }
}
