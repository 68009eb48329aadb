// SPDX-License-Identifier: MIT OR Apache-2.0
//! The named configurations.

use super::{Activations, Array, Config, ConfigError, Format, Memory, Power};

/// Names accepted by [`Config::preset`], smallest first.
pub const PRESETS: [&str; 5] = ["nano", "small", "base", "gated", "wide"];

impl Config {
    /// The preset with this name; the error lists those there are.
    pub fn preset(name: &str) -> Result<Config, ConfigError> {
        match name {
            "nano" => Ok(Self::nano()),
            "small" => Ok(Self::small()),
            "base" => Ok(Self::base()),
            "gated" => Ok(Self::gated()),
            "wide" => Ok(Self::wide()),
            _ => Err(ConfigError::Preset { name: name.into() }),
        }
    }

    /// For an iCE40 UP5K: eight DSPs, one token at a time.
    pub fn nano() -> Config {
        Config {
            name: "nano".into(),
            clock_mhz: 24.0,
            formats: vec![Format::Q8_0, Format::Q4_0],
            counters: false,
            compact: true,
            array: Array { lanes: 4, columns: 1, lut_lanes: 0 },
            memory: Memory { port_bits: 32, fifo_beats: 128, burst_beats: 32, latency_cycles: 40, size_mib: 8 },
            activations: Activations { blocks: 64 },
            power: Power::default(),
        }
    }

    /// For an ECP5-25F: of its 28 DSPs a column takes 6 for scales and 6 for lanes.
    pub fn small() -> Config {
        Config {
            name: "small".into(),
            clock_mhz: 100.0,
            formats: Format::ALL.into(),
            counters: true,
            compact: false,
            array: Array { lanes: 16, columns: 2, lut_lanes: 10 },
            memory: Memory { port_bits: 64, fifo_beats: 128, burst_beats: 32, latency_cycles: 40, size_mib: 32 },
            activations: Activations { blocks: 128 },
            power: Power::default(),
        }
    }

    /// For an ECP5-85F.
    pub fn base() -> Config {
        Config {
            name: "base".into(),
            clock_mhz: 120.0,
            formats: Format::ALL.into(),
            counters: true,
            compact: false,
            array: Array { lanes: 32, columns: 4, lut_lanes: 0 },
            memory: Memory { port_bits: 128, fifo_beats: 128, burst_beats: 64, latency_cycles: 40, size_mib: 256 },
            activations: Activations { blocks: 256 },
            power: Power::default(),
        }
    }

    /// The base engine with a power domain per column and a DVFS unit.
    pub fn gated() -> Config {
        let power = Power { columns_per_domain: 1, dvfs_entries: 16, ..Power::default() };
        Config { name: "gated".into(), power, ..Self::base() }
    }

    /// ASIC scale: 1024 products per cycle.
    pub fn wide() -> Config {
        Config {
            name: "wide".into(),
            clock_mhz: 500.0,
            formats: Format::ALL.into(),
            counters: true,
            compact: false,
            array: Array { lanes: 128, columns: 8, lut_lanes: 0 },
            memory: Memory { port_bits: 512, fifo_beats: 128, burst_beats: 32, latency_cycles: 80, size_mib: 4095 },
            activations: Activations { blocks: 512 },
            power: Power::default(),
        }
    }
}
