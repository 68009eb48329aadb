// SPDX-License-Identifier: MIT OR Apache-2.0
//! A wire that loses, doubles, flips and delays bytes, both ways, by seed.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use heddle_tb::random::Random;

use super::port::Port;

/// Probability of each fault per byte, in 2^-20.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultRates {
    pub drop: u32,
    pub double: u32,
    pub flip: u32,
    pub delay: u32,
}

/// Faults so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultCounts {
    pub bytes: u64,
    pub dropped: u64,
    pub doubled: u64,
    pub flipped: u64,
    pub delayed: u64,
}

impl FaultCounts {
    /// All faults.
    pub fn faults(&self) -> u64 {
        self.dropped + self.doubled + self.flipped + self.delayed
    }
}

/// The longest delay; those behind a delayed byte wait with it.
const LONGEST_DELAY_MS: u64 = 60;

/// A port with faults.
pub struct Faulty<P: Port> {
    inner: P,
    random: Random,
    pub rates: FaultRates,
    counts: FaultCounts,
    /// Bytes on their way out and in, and when they arrive.
    out: VecDeque<(u8, Duration)>,
    back: VecDeque<(u8, Duration)>,
}

impl<P: Port> Faulty<P> {
    pub fn new(inner: P, seed: u64, rates: FaultRates) -> Faulty<P> {
        let random = Random::new(seed);
        Faulty { inner, random, rates, counts: FaultCounts::default(), out: VecDeque::new(), back: VecDeque::new() }
    }

    pub fn inner(&mut self) -> &mut P {
        &mut self.inner
    }

    pub fn counts(&self) -> FaultCounts {
        self.counts
    }

    fn chance(&mut self, rate: u32) -> bool {
        (self.random.bits() >> 44) < u64::from(rate)
    }

    /// What becomes of bytes that enter the wire now.
    fn spoil(&mut self, bytes: &[u8], outward: bool) {
        let now = self.inner.now();
        for &byte in bytes {
            self.counts.bytes += 1;
            if self.chance(self.rates.drop) {
                self.counts.dropped += 1;
                continue;
            }
            let mut byte = byte;
            if self.chance(self.rates.flip) {
                self.counts.flipped += 1;
                byte ^= 1 << (self.random.bits() >> 61);
            }
            let mut due = now;
            if self.chance(self.rates.delay) {
                self.counts.delayed += 1;
                due += Duration::from_millis(1 + (self.random.bits() >> 33) % LONGEST_DELAY_MS);
            }
            let copies = if self.chance(self.rates.double) { 2 } else { 1 };
            self.counts.doubled += copies - 1;
            let queue = if outward { &mut self.out } else { &mut self.back };
            let due = queue.back().map_or(due, |(_, last)| due.max(*last));
            (0..copies).for_each(|_| queue.push_back((byte, due)));
        }
    }

    /// Sends what is due.
    fn flush(&mut self) -> io::Result<()> {
        let now = self.inner.now();
        let due = self.out.iter().take_while(|(_, due)| *due <= now).count();
        let bytes: Vec<u8> = self.out.drain(..due).map(|(byte, _)| byte).collect();
        if bytes.is_empty() { Ok(()) } else { self.inner.write(&bytes) }
    }
}

impl<P: Port> Port for Faulty<P> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn now(&self) -> Duration {
        self.inner.now()
    }

    fn read(&mut self, to: &mut [u8], until: Duration) -> io::Result<usize> {
        loop {
            self.flush()?;
            let now = self.inner.now();
            let due = self.back.iter().take_while(|(_, due)| *due <= now).count().min(to.len());
            if due > 0 {
                self.back.drain(..due).zip(to).for_each(|((byte, _), to)| *to = byte);
                return Ok(due);
            }
            if now >= until {
                return Ok(0);
            }
            // Something may become due before the time is over.
            let next = [&self.out, &self.back].into_iter().filter_map(|queue| queue.front().map(|(_, due)| *due)).min();
            let mut buffer = [0; 4096];
            let count = self.inner.read(&mut buffer, next.map_or(until, |due| due.min(until)))?;
            self.spoil(&buffer[..count], false);
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.spoil(bytes, true);
        self.flush()
    }
}
