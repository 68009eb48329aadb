// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the memory behind the port is like.

use std::ops::Range;

/// Beats per cycles, averaged: 1 in 1 is the port's peak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub beats: u32,
    pub cycles: u32,
}

/// A gap without data, as a DRAM's refresh makes: the last `length` of each `every` cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refresh {
    pub every: u32,
    pub length: u32,
}

/// Random stalls of every channel, each cycle with a probability of `chance` in 256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backpressure {
    pub seed: u64,
    pub chance: u8,
}

/// Size, address and timing of a memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryConfig {
    /// Bytes of memory, a multiple of `beat_bytes`.
    pub size: usize,
    /// Address of the first byte, a multiple of 4096.
    pub base: u64,
    /// Width of the data bus: 4, 8, 16, 32 or 64 bytes.
    pub beat_bytes: usize,
    /// Cycles from the cycle of the read address transfer to that of the first beat, at least 1.
    pub read_latency: u32,
    /// Cycles from the last write beat to its response, at least 1.
    pub write_latency: u32,
    /// Bursts that may wait in each direction, 1 to 64.
    pub outstanding: usize,
    pub rate: Rate,
    /// Reads and writes share `rate`, as they do on a memory with one data bus.
    pub half_duplex: bool,
    pub refresh: Option<Refresh>,
    pub backpressure: Option<Backpressure>,
    /// Addresses that answer SLVERR.
    pub errors: Range<u64>,
}

impl MemoryConfig {
    /// An ideal memory at address 0: a cycle of latency, a beat each cycle.
    pub fn new(size: usize, beat_bytes: usize) -> Self {
        Self {
            size,
            base: 0,
            beat_bytes,
            read_latency: 1,
            write_latency: 1,
            outstanding: 16,
            rate: Rate { beats: 1, cycles: 1 },
            half_duplex: false,
            refresh: None,
            backpressure: None,
            errors: 0..0,
        }
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let check = |ok: bool, field, value: u64, legal| match ok {
            true => Ok(()),
            false => Err(ConfigError { field, value, legal }),
        };
        let beat = self.beat_bytes;
        check([4, 8, 16, 32, 64].contains(&beat), "beat_bytes", beat as u64, "4, 8, 16, 32 or 64")?;
        check(self.size > 0 && self.size.is_multiple_of(beat), "size", self.size as u64, "a positive multiple of beat_bytes")?;
        check(self.base.is_multiple_of(4096), "base", self.base, "a multiple of 4096")?;
        check(self.read_latency > 0, "read_latency", 0, "at least 1")?;
        check(self.write_latency > 0, "write_latency", 0, "at least 1")?;
        check((1..=64).contains(&self.outstanding), "outstanding", self.outstanding as u64, "1 to 64")?;
        check(self.rate.beats > 0, "rate.beats", 0, "at least 1")?;
        check(self.rate.cycles >= self.rate.beats, "rate.cycles", self.rate.cycles.into(), "at least rate.beats")?;
        if let Some(refresh) = self.refresh {
            check(refresh.length < refresh.every, "refresh.length", refresh.length.into(), "less than refresh.every")?;
        }
        Ok(())
    }
}

/// A field of `MemoryConfig` that is not legal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("memory model: {field} = {value}; legal: {legal}")]
pub struct ConfigError {
    pub field: &'static str,
    pub value: u64,
    pub legal: &'static str,
}
