// SPDX-License-Identifier: MIT OR Apache-2.0
//! What one accelerator is built from: the single source for RTL, golden model, compiler and documentation.
//!
//! Model dimensions are not here: they are run-time values in descriptors, so one build runs any model that
//! fits its memory. A `Config` comes from a preset or a TOML file, may be changed key by key, and is checked
//! by [`Config::validate`] before anything is generated from it.

mod legal;
mod presets;
mod settings;
mod validate;

pub use legal::{Legal, keys, legal};
pub use presets::PRESETS;
pub use settings::json_schema;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::ops::Range;
use thiserror::Error;
use validate::{DVFS_ENTRIES, LANES, PORT_BITS, SIZE_MIB_MAX};

/// Weights in one quantised block, for every format.
pub const BLOCK: u32 = 32;

/// Version `(major, minor)` of the contract between host and hardware: registers, descriptors, memory formats.
pub const CONTRACT_VERSION: (u16, u16) = (1, 0);

/// A complete description of one accelerator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the build and of its output folder: a lower-case identifier.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{0,31}$"))]
    pub name: String,
    /// Target clock in MHz: nothing is generated from it, but times and tokens per second are reported with it.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub clock_mhz: f64,
    /// Weight formats built into the hardware; those left out cost no gate.
    #[schemars(length(min = 1, max = 4), extend("uniqueItems" = true))]
    pub formats: Vec<Format>,
    /// The performance counters beyond CYCLES: what every cycle was spent on. Left out they cost no gate.
    #[serde(default = "yes")]
    pub counters: bool,
    /// For devices in which cells are scarce: delays in block RAM, one command ahead, and with one column a serial
    /// converter of results, which takes 10 cycles for each.
    #[serde(default)]
    pub compact: bool,
    /// The multiplier array.
    pub array: Array,
    /// The memory port.
    pub memory: Memory,
    /// The on-chip activation vectors.
    pub activations: Activations,
    /// Power domains and voltage and frequency scaling; absent unless asked for.
    #[serde(default)]
    pub power: Power,
}

fn yes() -> bool {
    true
}

/// Shape of the multiplier array: `lanes * columns` products per cycle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Array {
    /// Weights consumed per cycle.
    #[schemars(extend("enum" = LANES))]
    pub lanes: u32,
    /// Activation vectors that share one stream of weights.
    #[schemars(range(min = 1, max = 8))]
    pub columns: u32,
    /// Lanes of each block of a column that multiply in LUTs, for devices with fewer DSPs than products: an even number;
    /// more than there are are all.
    #[serde(default)]
    #[schemars(range(min = 0, max = 32))]
    pub lut_lanes: u32,
}

/// The AXI4 memory port and its prefetch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Width of one beat in bits.
    #[schemars(extend("enum" = PORT_BITS))]
    pub port_bits: u32,
    /// Depth of the prefetch FIFO in beats: a power of two, at least `latency_cycles + burst_beats`.
    #[schemars(range(min = 16, max = 1024))]
    pub fifo_beats: u32,
    /// Longest read burst in beats: a power of two, at most 4 KiB and at most `fifo_beats`.
    #[schemars(range(min = 1, max = 256))]
    pub burst_beats: u32,
    /// Expected read latency, in cycles, that the FIFO must hide.
    #[schemars(range(min = 1, max = 1000))]
    pub latency_cycles: u32,
    /// Device memory in MiB, from address 0.
    #[schemars(range(min = 1, max = SIZE_MIB_MAX))]
    pub size_mib: u32,
}

/// Capacity for activations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Activations {
    /// Longest vector, in blocks of 32: a power of two, at least `port_bits / 16`.
    #[schemars(range(min = 8, max = 1024))]
    pub blocks: u32,
}

/// Power gating and DVFS: what is 0 is not built and costs no gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Power {
    /// Columns of the array in one power domain; 0: no power gating. The last domain may be smaller.
    #[schemars(range(min = 0, max = 8))]
    pub columns_per_domain: u32,
    /// Segments in each daisy chain of power switches.
    #[schemars(range(min = 1, max = 8))]
    pub switch_stages: u32,
    /// Entries of the DVFS table; 0: no DVFS unit.
    #[schemars(extend("enum" = DVFS_ENTRIES))]
    pub dvfs_entries: u32,
    /// Highest clock code (6 bits) at voltage codes 0 to 31, 32 to 63, and so on: never falling.
    pub clock_limits: [u32; 8],
}

impl Default for Power {
    fn default() -> Power {
        Power { columns_per_domain: 0, switch_stages: 4, dvfs_entries: 0, clock_limits: [7, 15, 23, 31, 39, 47, 55, 63] }
    }
}

/// Weight formats the hardware can decode. The discriminant is the id in descriptors and feature masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Format {
    Q8_0 = 0,
    Q4_0 = 1,
    Q4_1 = 2,
    Q5_0 = 3,
}

/// Why a configuration is refused.
#[derive(Debug, Error)]
pub enum ConfigError {
    #[error("{field} = {value}: must be {legal}")]
    Value { field: &'static str, value: String, legal: String },
    #[error("unknown preset `{name}`: must be one of {}", PRESETS.join(", "))]
    Preset { name: String },
    #[error("unknown key `{key}`: must be one of {legal}")]
    Key { key: String, legal: String },
    #[error("`{setting}`: a setting must have the form key=value, as in array.lanes=32")]
    Setting { setting: String },
    #[error("{key} = {value}: {reason}; must be {legal}")]
    SettingValue { key: String, value: String, reason: String, legal: String },
    #[error(transparent)]
    Toml(Box<toml::de::Error>),
}

impl Config {
    /// Bytes in one beat of the memory port.
    pub fn port_bytes(&self) -> u32 {
        self.memory.port_bits / 8
    }

    /// Blocks in one group of the weight stream: as many as a beat holds fp16 scales.
    pub fn group_blocks(&self) -> u32 {
        self.memory.port_bits / 16
    }

    /// Whether results are converted one digit at a time.
    pub fn serial_results(&self) -> bool {
        self.compact && self.array.columns == 1
    }

    /// Cycles the array spends on one block: 1 from 32 lanes on.
    pub fn cycles_per_block(&self) -> u32 {
        (BLOCK / self.array.lanes).max(1)
    }

    /// Blocks the array takes in one cycle, and the multiple to which rows are padded: 1 up to 32 lanes.
    pub fn blocks_per_cycle(&self) -> u32 {
        (self.array.lanes / BLOCK).max(1)
    }

    /// Blocks per row as stored: `blocks` rounded up to a multiple of [`Self::blocks_per_cycle`].
    pub fn padded_blocks(&self, blocks: u32) -> u32 {
        blocks.next_multiple_of(self.blocks_per_cycle())
    }

    /// Beats of one activation vector of `blocks` blocks (padded, as stored): `(scale beats, integer beats)`.
    pub fn activation_beats(&self, blocks: u32) -> (u32, u32) {
        let beats = |bytes: u32| bytes.div_ceil(self.port_bytes());
        (beats(4 * blocks), beats(BLOCK * blocks))
    }

    /// Power domains of the array: 0 without power gating.
    pub fn domains(&self) -> u32 {
        self.array.columns.div_ceil(self.power.columns_per_domain.max(1)) * u32::from(self.power.columns_per_domain > 0)
    }

    /// The columns of a power domain.
    pub fn domain_columns(&self, domain: u32) -> Range<u32> {
        let per = self.power.columns_per_domain;
        domain * per..((domain + 1) * per).min(self.array.columns)
    }

    /// Bit `f` is set when the format with id `f` is built in.
    pub fn format_mask(&self) -> u8 {
        self.formats.iter().fold(0, |mask, f| mask | 1 << f.id())
    }

    /// Size of the device memory in bytes.
    pub fn memory_bytes(&self) -> u64 {
        u64::from(self.memory.size_mib) << 20
    }

    /// First 8 bytes of a SHA-256 over the contract version and every field; the order of `formats` does not count.
    pub fn digest(&self) -> [u8; 8] {
        let mut canonical = self.clone();
        canonical.formats.sort();
        let (major, minor) = CONTRACT_VERSION;
        let fields = serde_json::to_string(&canonical).expect("every field has a JSON form");
        let hash = Sha256::digest(format!("heddle {major}.{minor} {fields}"));
        std::array::from_fn(|i| hash[i])
    }

    /// [`Self::digest`] as 16 hexadecimal digits, first byte first.
    pub fn digest_hex(&self) -> String {
        self.digest().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Format {
    /// Every format, by id.
    pub const ALL: [Format; 4] = [Format::Q8_0, Format::Q4_0, Format::Q4_1, Format::Q5_0];

    /// Id in descriptors and feature masks.
    pub fn id(self) -> u8 {
        self as u8
    }

    /// The format with this id, if there is one.
    pub fn from_id(id: u8) -> Option<Format> {
        Self::ALL.get(usize::from(id)).copied()
    }

    /// Lower-case name, as in configuration files and module names.
    pub fn name(self) -> &'static str {
        ["q8_0", "q4_0", "q4_1", "q5_0"][self as usize]
    }
}

#[cfg(test)]
mod tests;
