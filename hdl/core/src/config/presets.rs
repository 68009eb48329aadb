// SPDX-License-Identifier: MIT OR Apache-2.0
//! The named configurations.

use super::{Activations, Array, Config, ConfigError, Format, Memory};

/// Names accepted by [`Config::preset`], smallest first.
pub const PRESETS: [&str; 4] = ["nano", "small", "base", "wide"];

impl Config {
    /// The preset with this name; the error lists those there are.
    pub fn preset(name: &str) -> Result<Config, ConfigError> {
        match name {
            "nano" => Ok(Self::nano()),
            "small" => Ok(Self::small()),
            "base" => Ok(Self::base()),
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
            array: Array { lanes: 4, columns: 1 },
            memory: Memory { port_bits: 32, fifo_beats: 128, burst_beats: 32, latency_cycles: 40, size_mib: 8 },
            activations: Activations { blocks: 64 },
        }
    }

    /// For an ECP5-25F.
    pub fn small() -> Config {
        Config {
            name: "small".into(),
            clock_mhz: 100.0,
            formats: Format::ALL.into(),
            array: Array { lanes: 16, columns: 2 },
            memory: Memory { port_bits: 64, fifo_beats: 128, burst_beats: 32, latency_cycles: 40, size_mib: 32 },
            activations: Activations { blocks: 128 },
        }
    }

    /// For an ECP5-85F.
    pub fn base() -> Config {
        Config {
            name: "base".into(),
            clock_mhz: 120.0,
            formats: Format::ALL.into(),
            array: Array { lanes: 32, columns: 4 },
            memory: Memory { port_bits: 128, fifo_beats: 128, burst_beats: 64, latency_cycles: 40, size_mib: 256 },
            activations: Activations { blocks: 256 },
        }
    }

    /// ASIC scale: 1024 products per cycle.
    pub fn wide() -> Config {
        Config {
            name: "wide".into(),
            clock_mhz: 500.0,
            formats: Format::ALL.into(),
            array: Array { lanes: 128, columns: 8 },
            memory: Memory { port_bits: 512, fifo_beats: 128, burst_beats: 32, latency_cycles: 80, size_mib: 4095 },
            activations: Activations { blocks: 512 },
        }
    }
}
