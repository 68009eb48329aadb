// SPDX-License-Identifier: MIT OR Apache-2.0
//! A board is one TOML file in `fpga/boards/`: device, clock, reset, lights, link, memories, programmer, with every pin.

mod memory;

pub use memory::{Memories, MemoryKind, SdramPins};

use crate::lights::STATES;
use serde::{Deserialize, Serialize};

/// The boards that come with the project, by name.
const FILES: [(&str, &str); 3] = [
    ("colorlight-i5", include_str!("../boards/colorlight-i5.toml")),
    ("icebreaker", include_str!("../boards/icebreaker.toml")),
    ("ulx3s", include_str!("../boards/ulx3s.toml")),
];

/// One board.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// That of the file, without `.toml`.
    #[serde(skip_deserializing)]
    pub name: String,
    /// For people.
    pub title: String,
    /// The configuration that is built for it unless another one is given.
    pub preset: String,
    pub device: Device,
    pub clock: Clock,
    pub reset: Reset,
    pub leds: Leds,
    pub link: Link,
    pub memory: Memories,
    pub programmer: Programmer,
}

/// The FPGA, with the words of nextpnr.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    pub family: Family,
    /// `85k`, `25k`, `up5k`.
    pub size: String,
    /// `CABGA381`, `sg48`.
    pub package: String,
    /// Speed grade, of ECP5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<u32>,
    /// Standard of the pins, of ECP5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io: Option<String>,
    /// JTAG id codes that this board's device may have; empty for one without JTAG.
    pub idcodes: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    Ecp5,
    Ice40,
}

/// The oscillator, and the clock that a PLL makes of it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    pub pin: String,
    pub mhz: f64,
    /// Of everything inside.
    pub core_mhz: f64,
}

/// The button that resets the design.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    pub pin: String,
    /// Low while it is pressed; the pin is pulled to the other side.
    pub active_low: bool,
}

/// Lights for the state; those that a board lacks are left out from the end ([`crate::lights::STATES`]).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Leds {
    pub pins: Vec<String>,
    pub active_low: bool,
    /// Pins that must be high for the board to work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_high: Vec<String>,
}

/// The wire to the host.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    pub kind: LinkKind,
    pub baud: u32,
    /// Frames with a CRC beside uartbone (docs/link.md); a board whose device is small leaves them out.
    #[serde(default = "yes")]
    pub frames: bool,
    /// Pins as the FPGA sees them: it receives on `rx`.
    pub rx: String,
    pub tx: String,
}

fn yes() -> bool {
    true
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkKind {
    Uart,
}

/// What openFPGALoader needs to know.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Programmer {
    /// Its name for the board.
    pub board: String,
    /// Vendor and product of the cable on the board, in hexadecimal: `0403:6015`.
    pub usb: String,
    /// The board has a configuration flash.
    pub flash: bool,
}

/// Why there is no such board.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoardError {
    #[error("there is no board `{name}`; there are {}", Board::names().join(", "))]
    Unknown { name: String },
    #[error("board `{name}`: {reason}")]
    Parse { name: String, reason: String },
    #[error("board `{name}` has no memory {kind}; it has {}", kinds.iter().map(|k| k.name()).collect::<Vec<_>>().join(", "))]
    Memory { name: String, kind: MemoryKind, kinds: Vec<MemoryKind> },
    #[error("board `{name}`: {field} = {value}: must be {legal}")]
    Field { name: String, field: &'static str, value: String, legal: &'static str },
}

impl Board {
    /// The names of the boards that come with the project.
    pub fn names() -> Vec<&'static str> {
        FILES.iter().map(|(name, _)| *name).collect()
    }

    /// One of them.
    pub fn named(name: &str) -> Result<Board, BoardError> {
        let file = FILES.iter().find(|(known, _)| *known == name);
        let (name, text) = file.ok_or_else(|| BoardError::Unknown { name: name.into() })?;
        Board::parse(name, text)
    }

    /// All of them.
    pub fn all() -> Result<Vec<Board>, BoardError> {
        FILES.iter().map(|(name, text)| Board::parse(name, text)).collect()
    }

    /// A board from the text of its file.
    pub fn parse(name: &str, text: &str) -> Result<Board, BoardError> {
        let parsed: Board = toml::from_str(text).map_err(|e| BoardError::Parse { name: name.into(), reason: e.to_string() })?;
        let board = Board { name: name.into(), ..parsed };
        board.check()?;
        Ok(board)
    }

    /// Vendor and product of the cable.
    pub fn usb(&self) -> Option<(u16, u16)> {
        let (vendor, product) = self.programmer.usb.split_once(':')?;
        let hex = |text: &str| (text.len() == 4).then(|| u16::from_str_radix(text, 16).ok()).flatten();
        Some((hex(vendor)?, hex(product)?))
    }

    /// Bytes of a memory; an error if the board does not have it.
    pub fn memory_bytes(&self, kind: MemoryKind) -> Result<u64, BoardError> {
        let missing = || BoardError::Memory { name: self.name.clone(), kind, kinds: self.memory.kinds() };
        self.memory.bytes(kind).ok_or_else(missing)
    }

    fn check(&self) -> Result<(), BoardError> {
        let wrong = |field, value: String, legal| Err(BoardError::Field { name: self.name.clone(), field, value, legal });
        for (field, mhz) in [("clock.mhz", self.clock.mhz), ("clock.core_mhz", self.clock.core_mhz)] {
            if !(1.0..=1000.0).contains(&mhz) {
                return wrong(field, mhz.to_string(), "1 to 1000");
            }
        }
        if self.leds.pins.is_empty() || self.leds.pins.len() > STATES.len() {
            return wrong("leds.pins", format!("{} pins", self.leds.pins.len()), "1 to 8 pins");
        }
        if let Some((field, found, legal)) = self.memory.sdram.as_ref().and_then(SdramPins::mistake) {
            return wrong(field, format!("{found} pins"), legal);
        }
        self.memory_bytes(self.memory.default)?;
        if !(9600..=12_000_000).contains(&self.link.baud) {
            return wrong("link.baud", self.link.baud.to_string(), "9600 to 12000000");
        }
        if self.usb().is_none() {
            return wrong("programmer.usb", self.programmer.usb.clone(), "vendor:product, four hexadecimal digits each");
        }
        match (self.device.family, self.device.speed) {
            (Family::Ecp5, Some(6..=8)) | (Family::Ice40, None) => Ok(()),
            (Family::Ecp5, speed) => wrong("device.speed", speed.map_or("none".into(), |s| s.to_string()), "6, 7 or 8 for an ECP5"),
            (Family::Ice40, Some(speed)) => wrong("device.speed", speed.to_string(), "absent for an iCE40"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(from: &str, to: &str) -> Result<Board, BoardError> {
        let (_, text) = FILES.into_iter().find(|(name, _)| *name == "ulx3s").unwrap();
        assert!(text.contains(from), "{from}");
        Board::parse("ulx3s", &text.replace(from, to))
    }

    #[test]
    fn every_board_is_legal() {
        let boards = Board::all().unwrap();
        assert_eq!(boards.iter().map(|b| b.name.as_str()).collect::<Vec<_>>(), Board::names());
        assert_eq!(Board::named("ulx3s").unwrap().usb(), Some((0x0403, 0x6015)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let said = |from, to| changed(from, to).unwrap_err().to_string();
        assert_eq!(said("3000000", "300"), "board `ulx3s`: link.baud = 300: must be 9600 to 12000000");
        assert_eq!(said("speed = 6", "speed = 5"), "board `ulx3s`: device.speed = 5: must be 6, 7 or 8 for an ECP5");
        assert_eq!(
            said("0403:6015", "403:6015"),
            "board `ulx3s`: programmer.usb = 403:6015: must be vendor:product, four hexadecimal digits each"
        );
        assert!(said("mhz = 25.0", "mhz = nan").contains("clock.mhz = NaN"), "{}", said("mhz = 25.0", "mhz = nan"));
        assert_eq!(said("\"U19\", ", ""), "board `ulx3s`: memory.sdram.dqm = 1 pins: must be 2 pins");
        assert_eq!(said("default = \"block-ram\"", "default = \"spram\""), "board `ulx3s` has no memory spram; it has block-ram, sdram");
        assert!(said("title", "titel").contains("titel"));
        assert_eq!(Board::named("ulx4").unwrap_err().to_string(), "there is no board `ulx4`; there are colorlight-i5, icebreaker, ulx3s");
    }
}
