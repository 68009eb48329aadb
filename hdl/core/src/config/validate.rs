// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rules a configuration must keep.

use super::{BLOCK, Config, ConfigError, legal};

pub(super) const LANES: [u32; 6] = [4, 8, 16, 32, 64, 128];
pub(super) const PORT_BITS: [u32; 5] = [32, 64, 128, 256, 512];
pub(super) const DVFS_ENTRIES: [u32; 4] = [0, 16, 32, 64];
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
        alone("array.lanes", lanes)?;
        // The array must not eat more blocks per cycle than one group of the stream holds.
        check(lanes / BLOCK <= self.group_blocks(), "array.lanes", lanes, || {
            format!("at most {} with memory.port_bits = {port}", self.group_blocks() * BLOCK)
        })?;
        alone("array.columns", self.array.columns)?;
        alone("array.lut_lanes", self.array.lut_lanes)?;
        check(self.array.lut_lanes.is_multiple_of(2), "array.lut_lanes", self.array.lut_lanes, || "an even number".into())?;
        alone("activations.blocks", self.activations.blocks)?;
        // A vector has at least two beats of scales, so that beats can be counted.
        let least = port / 16;
        check(self.activations.blocks >= least, "activations.blocks", self.activations.blocks, || {
            format!("at least {least} with memory.port_bits = {port}")
        })?;
        self.validate_power()
    }

    fn validate_power(&self) -> Result<(), ConfigError> {
        let p = &self.power;
        alone("power.columns_per_domain", p.columns_per_domain)?;
        check(p.columns_per_domain <= self.array.columns, "power.columns_per_domain", p.columns_per_domain, || {
            format!("at most {} with array.columns = {0}", self.array.columns)
        })?;
        alone("power.switch_stages", p.switch_stages)?;
        alone("power.dvfs_entries", p.dvfs_entries)?;
        let limits = &p.clock_limits;
        let rising = limits.windows(2).all(|pair| pair[0] <= pair[1]) && limits[7] < 64;
        check(rising, "power.clock_limits", format!("{limits:?}"), || words("power.clock_limits"))
    }

    fn validate_general(&self) -> Result<(), ConfigError> {
        let identifier = self.name.len() <= 32
            && self.name.starts_with(|c: char| c.is_ascii_lowercase())
            && self.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        check(identifier, "name", format!("{:?}", self.name), || words("name"))?;
        let clock = self.clock_mhz;
        check(clock.is_finite() && clock > 0.0, "clock_mhz", clock, || words("clock_mhz"))?;
        let names = || self.formats.iter().map(|f| f.name()).collect::<Vec<_>>().join(", ");
        let distinct = self.formats.iter().enumerate().all(|(i, f)| !self.formats[..i].contains(f));
        check(distinct && !self.formats.is_empty(), "formats", format!("[{}]", names()), || words("formats"))
    }

    fn validate_memory(&self) -> Result<(), ConfigError> {
        let m = &self.memory;
        alone("memory.port_bits", m.port_bits)?;
        alone("memory.fifo_beats", m.fifo_beats)?;
        let longest = (BURST_BYTES_MAX / self.port_bytes()).min(m.fifo_beats).min(256);
        check(m.burst_beats.is_power_of_two() && m.burst_beats <= longest, "memory.burst_beats", m.burst_beats, || {
            format!("a power of two from 1 to {longest} (4 KiB at {} bits, and memory.fifo_beats = {})", m.port_bits, m.fifo_beats)
        })?;
        alone("memory.latency_cycles", m.latency_cycles)?;
        let needed = m.latency_cycles + m.burst_beats;
        check(m.fifo_beats >= needed, "memory.fifo_beats", m.fifo_beats, || {
            format!("at least latency_cycles + burst_beats = {needed}, or the read latency is not hidden")
        })?;
        alone("memory.size_mib", m.size_mib)
    }
}

fn check(legal: bool, field: &'static str, value: impl ToString, expected: impl FnOnce() -> String) -> Result<(), ConfigError> {
    if legal { Ok(()) } else { Err(ConfigError::Value { field, value: value.to_string(), legal: expected() }) }
}

/// Checks one key by itself.
fn alone(field: &'static str, value: u32) -> Result<(), ConfigError> {
    check(legal(field).is_some_and(|legal| legal.holds(value)), field, value, || words(field))
}

fn words(field: &str) -> String {
    legal(field).map(|legal| legal.to_string()).unwrap_or_default()
}
