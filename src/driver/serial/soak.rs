// SPDX-License-Identifier: MIT OR Apache-2.0
//! Transfers over a bad wire until the time is over: what was accepted must be right.

use std::time::{Duration, Instant};

use heddle_core::link::golden::{Bus, Place, place};
use heddle_core::link::wire;
use heddle_tb::random::Random;

use super::board::Wire;
use super::faults::{FaultCounts, FaultRates, Faulty};
use super::link::{Link, LinkCounts, LinkError};

const MEMORY_BYTES: u64 = 1 << 18;
const BAUD: u32 = 3_000_000;
/// Sessions are this many operations long, unless the wire cuts them short.
const OPERATIONS: u64 = 200;

/// What a soak found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SoakReport {
    pub sessions: u64,
    pub operations: u64,
    /// Bytes that were read or written and accepted as right.
    pub accepted: u64,
    /// Of those, bytes that were wrong.
    pub wrong: u64,
    /// Greetings and operations that ended with an error, all of them clear ones.
    pub errors: u64,
    /// Boards that did not answer on a good wire after that; they would have needed a reset.
    pub unrecovered: u64,
    pub faults: FaultCounts,
    pub link: LinkCounts,
    /// Seconds of the simulated wire.
    pub wire_seconds: u64,
}

/// Plain memory, and registers that count their writes.
#[derive(Clone)]
struct Memory {
    words: Vec<u32>,
    /// Writes of the register at offset 0, each of which must happen once.
    strokes: u64,
}

impl Bus for Memory {
    fn read(&mut self, address: u32) -> Option<u32> {
        match place(address, MEMORY_BYTES)? {
            Place::Memory(at) => Some(self.words[at as usize / 4]),
            Place::Register(0) => Some(self.strokes as u32),
            Place::Register(_) => None,
        }
    }

    fn write(&mut self, address: u32, value: u32) -> bool {
        match place(address, MEMORY_BYTES) {
            Some(Place::Memory(at)) => self.words[at as usize / 4] = value,
            Some(Place::Register(0)) => self.strokes += 1,
            _ => return false,
        }
        true
    }
}

type Host = Link<Faulty<Wire<Memory>>>;

/// Soaks for so long; `tell` hears of the state now and then.
pub fn soak(time: Duration, seed: u64, tell: &mut dyn FnMut(&SoakReport)) -> SoakReport {
    let mut rng = Random::new(seed);
    let (start, mut told, mut report) = (Instant::now(), Instant::now(), SoakReport::default());
    while start.elapsed() < time {
        session(&mut rng, &mut report, &|| start.elapsed() >= time);
        if told.elapsed() > Duration::from_secs(1) {
            tell(&report);
            told = Instant::now();
        }
    }
    report
}

/// One board on one wire, whose faults are of another mixture each time: from rare to several in each frame.
fn session(rng: &mut Random, report: &mut SoakReport, over: &dyn Fn() -> bool) {
    report.sessions += 1;
    let rate = |rng: &mut Random| if rng.chance(64) { 0 } else { 1 << (rng.bits() % 14) };
    let rates = FaultRates { drop: rate(rng), double: rate(rng), flip: rate(rng), delay: rate(rng) };
    let memory = Memory { words: (0..MEMORY_BYTES / 4).map(|_| rng.bits() as u32).collect(), strokes: 0 };
    let mut expected = memory.words.clone();
    let wire = Faulty::new(Wire::new(memory, BAUD), rng.bits(), rates);
    let mut link = Link::closed(wire, BAUD);
    let mut ended = link.again().is_err();
    for _ in 0..OPERATIONS {
        if ended || over() {
            break;
        }
        report.operations += 1;
        ended = operation(&mut link, rng, &mut expected, report).is_err();
    }
    report.errors += u64::from(ended);
    recovers(&mut link, &expected, report);
}

/// The board answers on a good wire, and holds what it should. A write that ended with an error may have happened or
/// not; its words were marked.
fn recovers(link: &mut Host, expected: &[u32], report: &mut SoakReport) {
    let counts = link.counts();
    add(&mut report.link, counts);
    let faults = link.port().counts();
    let total = &mut report.faults;
    (total.bytes, total.dropped, total.doubled) =
        (total.bytes + faults.bytes, total.dropped + faults.dropped, total.doubled + faults.doubled);
    (total.flipped, total.delayed) = (total.flipped + faults.flipped, total.delayed + faults.delayed);
    report.wire_seconds += super::port::Port::now(link.port()).as_secs();
    let wire = link.port();
    wire.rates = FaultRates::default();
    if link.again().is_err() {
        report.unrecovered += 1;
    }
    let held = &link.port().inner().bus.words;
    report.wrong += 4 * held.iter().zip(expected).filter(|(a, b)| **b != UNKNOWN && a != b).count() as u64;
}

/// Stands for a word of which nothing is known.
const UNKNOWN: u32 = 0x5eed_5eed;

fn operation(link: &mut Host, rng: &mut Random, expected: &mut [u32], report: &mut SoakReport) -> Result<(), LinkError> {
    let words = 1 + rng.bits() as usize % if rng.chance(64) { 2000 } else { 64 };
    let at = rng.bits() as usize % (expected.len() - words);
    let address = wire::MEMORY + 4 * at as u32;
    match rng.bits() % 8 {
        0..=2 => {
            let mut bytes = vec![0; 4 * words];
            link.read(address, &mut bytes)?;
            let got = bytes.as_chunks::<4>().0.iter().map(|w| u32::from_le_bytes(*w));
            report.wrong += 4 * got.zip(&expected[at..]).filter(|(a, b)| a != *b).count() as u64;
            report.accepted += 4 * words as u64;
        }
        3..=5 => {
            let values: Vec<u32> = (0..words).map(|_| (rng.bits() >> 20) as u32 & !1).collect();
            let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            expected[at..at + words].fill(UNKNOWN);
            link.write(address, &bytes)?;
            expected[at..at + words].copy_from_slice(&values);
            report.accepted += 4 * words as u64;
        }
        6 => {
            let bytes: Vec<u8> = expected[at..at + words].iter().flat_map(|v| v.to_le_bytes()).collect();
            let found = link.check(&[(address, 4 * words as u32)])?;
            report.wrong += 4 * u64::from(found != [wire::crc(&bytes)]);
            report.accepted += 4;
        }
        _ => {
            // A register whose every write has an effect; one that ended with an error may have had it, once.
            let before = link.port().inner().bus.strokes;
            let done = link.write(wire::REGISTERS, &[1, 0, 0, 0]);
            let effects = link.port().inner().bus.strokes - before;
            report.wrong += 4 * u64::from(effects > 1 || (done.is_ok() && effects == 0));
            done?;
            report.accepted += 4;
        }
    }
    Ok(())
}

fn add(to: &mut LinkCounts, more: LinkCounts) {
    to.requests += more.requests;
    to.repeated += more.repeated;
    to.broken += more.broken;
    to.timeouts += more.timeouts;
}
