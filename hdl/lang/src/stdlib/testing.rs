// SPDX-License-Identifier: MIT OR Apache-2.0
//! Streams of a simulated module, driven and watched under random stalls: the tests of every block use it.

use super::stream::{Monitor, Violation};
use crate::{
    bits::Bits,
    sim::{Port, SimError, Simulator},
};
use std::collections::VecDeque;

/// Why a run ended early.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Sim(#[from] SimError),
    #[error(transparent)]
    Rule(#[from] Violation),
    #[error("{cycles} cycles are over, with {left} words still to come")]
    Timeout { cycles: u64, left: usize },
}

/// A small generator for stalls and stimulus: splitmix64, the same on every machine.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// True in `percent` of the calls.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.bits() % 100 < u64::from(percent)
    }

    /// A value below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.bits() % n.max(1)
    }

    pub fn word(&mut self, width: u32) -> Bits {
        let limbs: Vec<u64> = (0..width.div_ceil(64)).map(|_| self.bits()).collect();
        Bits::from_limbs(width, &limbs)
    }
}

/// The ports of one stream of the design.
#[derive(Clone, Copy, Debug)]
struct Ports {
    valid: Port,
    ready: Port,
    data: Port,
}

impl Ports {
    fn new(sim: &Simulator, name: &str) -> Result<Ports, SimError> {
        let port = |part: &str| sim.port(&format!("{name}_{part}"));
        Ok(Ports { valid: port("valid")?, ready: port("ready")?, data: port("data")? })
    }
}

/// Feeds an input stream.
#[derive(Debug)]
pub struct Source {
    ports: Ports,
    words: VecDeque<Bits>,
    stall: u32,
    offered: bool,
}

impl Source {
    /// `stall`: percent of the cycles in which a new word is not offered.
    pub fn new(sim: &Simulator, name: &str, words: impl IntoIterator<Item = Bits>, stall: u32) -> Result<Self, SimError> {
        Ok(Source { ports: Ports::new(sim, name)?, words: words.into_iter().collect(), stall, offered: false })
    }

    /// Words that are still to be transferred.
    pub fn left(&self) -> usize {
        self.words.len()
    }

    fn drive(&mut self, sim: &mut Simulator, random: &mut Random) {
        self.offered = !self.words.is_empty() && (self.offered || !random.percent(self.stall));
        sim.set(self.ports.valid, self.offered.into());
        // What stands on a stream that is not valid has no meaning; a design must not depend on it.
        match self.words.front().filter(|_| self.offered) {
            Some(word) => sim.set_bits(self.ports.data, word),
            None => sim.set_bits(self.ports.data, &random.word(self.ports.data.ty().width())),
        }
    }

    fn finish(&mut self, sim: &mut Simulator) {
        if self.offered && sim.get(self.ports.ready) == 1 {
            self.words.pop_front();
            self.offered = false;
        }
    }
}

/// Takes an output stream, checking its rules.
#[derive(Debug)]
pub struct Sink {
    ports: Ports,
    stall: u32,
    monitor: Monitor,
    pub received: Vec<Bits>,
    /// Cycle of each transfer.
    pub times: Vec<u64>,
    expected: usize,
}

impl Sink {
    /// `stall`: percent of the cycles in which ready is low; `expected`: words after which it is done.
    pub fn new(sim: &Simulator, name: &str, stall: u32, expected: usize) -> Result<Self, SimError> {
        let (received, times, monitor) = (vec![], vec![], Monitor::new(name));
        Ok(Sink { ports: Ports::new(sim, name)?, stall, monitor, received, times, expected })
    }

    fn finish(&mut self, sim: &mut Simulator) -> Result<(), Violation> {
        let (valid, ready) = (sim.get(self.ports.valid) == 1, sim.get(self.ports.ready) == 1);
        let data = sim.get_bits(self.ports.data);
        if let Some(word) = self.monitor.observe(valid, ready, &data)? {
            self.received.push(word);
            self.times.push(sim.cycles());
        }
        Ok(())
    }
}

/// The first half of a cycle: stalls are drawn and the streams set.
pub fn drive(sim: &mut Simulator, sources: &mut [Source], sinks: &mut [Sink], random: &mut Random) {
    sources.iter_mut().for_each(|s| s.drive(sim, random));
    for s in sinks.iter() {
        sim.set(s.ports.ready, (!random.percent(s.stall)).into());
    }
}

/// The second half: everything settles, transfers are noted, the clock rises.
pub fn finish(sim: &mut Simulator, sources: &mut [Source], sinks: &mut [Sink]) -> Result<(), RunError> {
    sources.iter_mut().for_each(|s| s.finish(sim));
    for s in sinks.iter_mut() {
        s.finish(sim)?;
    }
    Ok(sim.step()?)
}

/// One cycle.
pub fn cycle(sim: &mut Simulator, sources: &mut [Source], sinks: &mut [Sink], random: &mut Random) -> Result<(), RunError> {
    drive(sim, sources, sinks, random);
    finish(sim, sources, sinks)
}

/// Runs until every sink has what it expects; at most `limit` cycles.
pub fn run(sim: &mut Simulator, sources: &mut [Source], sinks: &mut [Sink], random: &mut Random, limit: u64) -> Result<(), RunError> {
    let left = |sinks: &[Sink]| sinks.iter().map(|s| s.expected.saturating_sub(s.received.len())).sum::<usize>();
    for _ in 0..limit {
        if left(sinks) == 0 {
            return Ok(());
        }
        cycle(sim, sources, sinks, random)?;
    }
    Err(RunError::Timeout { cycles: limit, left: left(sinks) })
}
