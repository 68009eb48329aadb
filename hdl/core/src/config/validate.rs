// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rules a configuration must keep.

use super::{BLOCK, Config, ConfigError};

pub(super) const LANES: [u32; 6] = [4, 8, 16, 32, 64, 128];
pub(super) const PORT_BITS: [u32; 5] = [32, 64, 128, 256, 512];
/// AXI4: a burst must not cross a 4 KiB boundary.
const BURST_BYTES_MAX: u32 = 4096;
/// One less than the 32-bit address space, so that the end of the memory is an address too.
pub(super) const SIZE_MIB_MAX: u32 = 4095;

impl Config {
    /// Checks every field and the relations between them; the error names the field, its value and what is legal.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.validate_general()?;
        self.validate_memory()?;
        let (lanes, port) = (self.array.lanes, self.memory.port_bits);
        one_of("array.lanes", lanes, &LANES)?;
        // The array must not eat more blocks per cycle than one group of the stream holds.
        check(lanes / BLOCK <= self.group_blocks(), "array.lanes", lanes, || {
            format!("at most {} with memory.port_bits = {port}", self.group_blocks() * BLOCK)
        })?;
        within("array.columns", self.array.columns, 1, 8)?;
        power_of_two("activations.blocks", self.activations.blocks, 8, 1024)?;
        // A vector has at least two beats of scales, so that beats can be counted.
        let least = port / 16;
        check(self.activations.blocks >= least, "activations.blocks", self.activations.blocks, || {
            format!("at least {least} with memory.port_bits = {port}")
        })
    }

    fn validate_general(&self) -> Result<(), ConfigError> {
        let identifier = self.name.len() <= 32
            && self.name.starts_with(|c: char| c.is_ascii_lowercase())
            && self.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        check(identifier, "name", format!("{:?}", self.name), || "1 to 32 of a-z, 0-9 and _, with a letter first".into())?;
        let clock = self.clock_mhz;
        check(clock.is_finite() && clock > 0.0, "clock_mhz", clock, || "a finite number above 0".into())?;
        let names = || self.formats.iter().map(|f| f.name()).collect::<Vec<_>>().join(", ");
        let distinct = self.formats.iter().enumerate().all(|(i, f)| !self.formats[..i].contains(f));
        check(distinct && !self.formats.is_empty(), "formats", format!("[{}]", names()), || {
            "at least one of q8_0, q4_0, q4_1, q5_0, each at most once".into()
        })
    }

    fn validate_memory(&self) -> Result<(), ConfigError> {
        let m = &self.memory;
        one_of("memory.port_bits", m.port_bits, &PORT_BITS)?;
        power_of_two("memory.fifo_beats", m.fifo_beats, 16, 1024)?;
        let longest = (BURST_BYTES_MAX / self.port_bytes()).min(m.fifo_beats).min(256);
        check(m.burst_beats.is_power_of_two() && m.burst_beats <= longest, "memory.burst_beats", m.burst_beats, || {
            format!("a power of two from 1 to {longest} (4 KiB at {} bits, and memory.fifo_beats = {})", m.port_bits, m.fifo_beats)
        })?;
        within("memory.latency_cycles", m.latency_cycles, 1, 1000)?;
        let needed = m.latency_cycles + m.burst_beats;
        check(m.fifo_beats >= needed, "memory.fifo_beats", m.fifo_beats, || {
            format!("at least latency_cycles + burst_beats = {needed}, or the read latency is not hidden")
        })?;
        within("memory.size_mib", m.size_mib, 1, SIZE_MIB_MAX)
    }
}

fn check(legal: bool, field: &'static str, value: impl ToString, expected: impl FnOnce() -> String) -> Result<(), ConfigError> {
    if legal { Ok(()) } else { Err(ConfigError::Value { field, value: value.to_string(), legal: expected() }) }
}

fn one_of(field: &'static str, value: u32, legal: &[u32]) -> Result<(), ConfigError> {
    check(legal.contains(&value), field, value, || format!("one of {}", legal.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")))
}

fn within(field: &'static str, value: u32, low: u32, high: u32) -> Result<(), ConfigError> {
    check((low..=high).contains(&value), field, value, || format!("from {low} to {high}"))
}

fn power_of_two(field: &'static str, value: u32, low: u32, high: u32) -> Result<(), ConfigError> {
    check(value.is_power_of_two() && (low..=high).contains(&value), field, value, || format!("a power of two from {low} to {high}"))
}
