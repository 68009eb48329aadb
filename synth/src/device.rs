// SPDX-License-Identifier: MIT OR Apache-2.0
//! The devices that designs are made for.

use heddle_lang::Target;
use serde::Serialize;

/// A family of FPGAs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    Ecp5,
    Ice40,
}

impl Family {
    /// As in Yosys' `synth_*` and nextpnr's name.
    pub fn name(self) -> &'static str {
        match self {
            Family::Ecp5 => "ecp5",
            Family::Ice40 => "ice40",
        }
    }

    /// The cell of a multiplier, of those that have one.
    pub fn multiplier(self) -> &'static str {
        match self {
            Family::Ecp5 => "MULT18X18D",
            Family::Ice40 => "SB_MAC16",
        }
    }

    /// Whether this cell is a block RAM.
    pub fn is_ram(self, cell: &str) -> bool {
        match self {
            Family::Ecp5 => matches!(cell, "DP16KD" | "PDPW16KD"),
            Family::Ice40 => cell.starts_with("SB_RAM40_4K") || cell == "ICESTORM_RAM",
        }
    }
}

/// A device: family, size, package, speed grade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Device {
    pub family: Family,
    /// As nextpnr's option: `85k`, `25k`, `up5k`.
    pub size: String,
    /// As nextpnr's option: `CABGA381`, `sg48`.
    pub package: String,
    /// Of ECP5: 6, 7 or 8 (the fastest).
    pub speed: Option<u32>,
}

/// Devices by name.
const KNOWN: [(&str, Family, &str, &str, Option<u32>); 6] = [
    ("up5k", Family::Ice40, "up5k", "sg48", None),
    ("hx8k", Family::Ice40, "hx8k", "ct256", None),
    ("ecp5-12k", Family::Ecp5, "12k", "CABGA381", Some(6)),
    ("ecp5-25k", Family::Ecp5, "25k", "CABGA381", Some(6)),
    ("ecp5-45k", Family::Ecp5, "45k", "CABGA381", Some(6)),
    ("ecp5-85k", Family::Ecp5, "85k", "CABGA381", Some(6)),
];

impl Device {
    /// A device of a short name such as `ecp5-85k` or `up5k`; None for another.
    pub fn named(name: &str) -> Option<Device> {
        let (_, family, size, package, speed) = KNOWN.into_iter().find(|known| known.0 == name)?;
        Some(Device { family, size: size.into(), package: package.into(), speed })
    }

    /// The short names.
    pub fn names() -> [&'static str; 6] {
        KNOWN.map(|known| known.0)
    }

    /// What primitives are printed as.
    pub fn target(&self) -> Target {
        match (self.family, self.multiplier()) {
            (Family::Ecp5, _) => Target::Ecp5,
            (Family::Ice40, Some(_)) => Target::Ice40,
            (Family::Ice40, None) => Target::Generic,
        }
    }

    /// The cell of its multipliers: of iCE40 only UltraPlus has any.
    pub fn multiplier(&self) -> Option<&'static str> {
        (self.family == Family::Ecp5 || self.size == "up5k").then(|| self.family.multiplier())
    }

    /// A pin that leads to a clock network, for designs without pins of their own.
    pub fn clock_pin(&self) -> Option<&'static str> {
        // PCLKT6_0; LOCATE is of ECP5 only.
        (self.family == Family::Ecp5 && self.package == "CABGA381").then_some("P3")
    }

    /// For people: `ECP5 85k CABGA381 speed 6`.
    pub fn title(&self) -> String {
        let family = match self.family {
            Family::Ecp5 => "ECP5",
            Family::Ice40 => "iCE40",
        };
        let speed = self.speed.map(|speed| format!(" speed {speed}")).unwrap_or_default();
        format!("{family} {} {}{speed}", self.size, self.package)
    }

    /// nextpnr's options that choose the device.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let speed = self.speed.into_iter().flat_map(|speed| ["--speed".to_owned(), speed.to_string()]);
        [format!("--{}", self.size), "--package".into(), self.package.clone()].into_iter().chain(speed).collect()
    }
}
