// SPDX-License-Identifier: MIT OR Apache-2.0
//! The memories that a board's design can have.

use crate::sdram::{ADDRESS_PINS, BANK_PINS, Geometry, SdramConfig};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Where weights, activations and results are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemoryKind {
    /// Block RAM of the FPGA.
    BlockRam,
    /// SPRAM of an iCE40 UltraPlus.
    Spram,
    /// SDRAM beside the FPGA.
    Sdram,
}

impl MemoryKind {
    pub const ALL: [MemoryKind; 3] = [MemoryKind::BlockRam, MemoryKind::Spram, MemoryKind::Sdram];

    /// As in files and commands.
    pub fn name(self) -> &'static str {
        match self {
            MemoryKind::BlockRam => "block-ram",
            MemoryKind::Spram => "spram",
            MemoryKind::Sdram => "sdram",
        }
    }
}

impl FromStr for MemoryKind {
    type Err = String;

    fn from_str(text: &str) -> Result<MemoryKind, String> {
        let all = || MemoryKind::ALL.map(MemoryKind::name).join(", ");
        MemoryKind::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| format!("there is no memory `{text}`; there are {}", all()))
    }
}

impl fmt::Display for MemoryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The memories of a board; a design has one of them.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Memories {
    /// The one that is used unless another one is asked for.
    pub default: MemoryKind,
    /// What the engine leaves of the block RAM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_ram_kib: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spram_kib: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdram: Option<SdramPins>,
}

impl Memories {
    /// Those that there are.
    pub fn kinds(&self) -> Vec<MemoryKind> {
        let all = [
            (MemoryKind::BlockRam, self.block_ram_kib.is_some()),
            (MemoryKind::Spram, self.spram_kib.is_some()),
            (MemoryKind::Sdram, self.sdram.is_some()),
        ];
        all.into_iter().filter(|(_, there)| *there).map(|(kind, _)| kind).collect()
    }

    /// Bytes of one of them; None if the board does not have it.
    pub fn bytes(&self, kind: MemoryKind) -> Option<u64> {
        let kib = |kib: Option<u32>| kib.map(|kib| u64::from(kib) << 10);
        match kind {
            MemoryKind::BlockRam => kib(self.block_ram_kib),
            MemoryKind::Spram => kib(self.spram_kib),
            MemoryKind::Sdram => self.sdram.as_ref().map(|sdram| sdram.config(100.0, 32).bytes()),
        }
    }
}

/// An SDR SDRAM of 16 bits: its size, and the pins of the FPGA that it is at.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SdramPins {
    pub row_bits: u32,
    pub column_bits: u32,
    pub bank_bits: u32,
    /// Degrees by which its clock is behind that of the controller.
    pub phase: f64,
    pub clk: String,
    pub cke: String,
    pub cs_n: String,
    pub ras_n: String,
    pub cas_n: String,
    pub we_n: String,
    pub ba: Vec<String>,
    pub a: Vec<String>,
    pub dqm: Vec<String>,
    pub dq: Vec<String>,
}

impl SdramPins {
    /// The controller for it.
    pub fn config(&self, clock_mhz: f64, port_bits: u32) -> SdramConfig {
        let geometry = Geometry { row_bits: self.row_bits, column_bits: self.column_bits, bank_bits: self.bank_bits };
        SdramConfig { geometry, ..SdramConfig::ulx3s(clock_mhz, port_bits) }
    }

    /// Each signal as a port of the top (without the `sdram_`), with its pins.
    pub fn signals(&self) -> [(&'static str, &[String]); 10] {
        let one = std::slice::from_ref::<String>;
        [
            ("clk_o", one(&self.clk)),
            ("cke_o", one(&self.cke)),
            ("cs_n_o", one(&self.cs_n)),
            ("ras_n_o", one(&self.ras_n)),
            ("cas_n_o", one(&self.cas_n)),
            ("we_n_o", one(&self.we_n)),
            ("ba_o", &self.ba),
            ("a_o", &self.a),
            ("dqm_o", &self.dqm),
            ("dq_io", &self.dq),
        ]
    }

    /// The first list of pins that is of another length than the device's bus: name, length, what it must be.
    pub fn mistake(&self) -> Option<(&'static str, usize, &'static str)> {
        let lists = [
            ("memory.sdram.ba", self.ba.len(), BANK_PINS as usize, "2 pins"),
            ("memory.sdram.a", self.a.len(), ADDRESS_PINS as usize, "13 pins"),
            ("memory.sdram.dqm", self.dqm.len(), 2, "2 pins"),
            ("memory.sdram.dq", self.dq.len(), 16, "16 pins"),
        ];
        lists.into_iter().find(|(_, found, wanted, _)| found != wanted).map(|(name, found, _, legal)| (name, found, legal))
    }
}
