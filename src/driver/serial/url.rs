// SPDX-License-Identifier: MIT OR Apache-2.0
//! `serial:PATH@BAUD`.

use std::fmt;
use std::str::FromStr;

/// Bits per second where none are given.
pub const DEFAULT_BAUD: u32 = 115_200;

/// A serial port and its speed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialUrl {
    pub path: String,
    pub baud: u32,
}

impl fmt::Display for SerialUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.path, self.baud)
    }
}

/// `PATH@BAUD`, or `PATH` for 115,200 baud.
impl FromStr for SerialUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<SerialUrl, String> {
        let (path, baud) = match text.rsplit_once('@') {
            Some((path, baud)) => (path, baud.parse().map_err(|_| format!("`{baud}` is not a number of bits per second"))?),
            None => (text, DEFAULT_BAUD),
        };
        if path.is_empty() || !(300..=50_000_000).contains(&baud) {
            return Err(format!("`{text}`: give a port and 300 to 50000000 baud, as in serial:/dev/ttyUSB0@115200"));
        }
        Ok(SerialUrl { path: path.into(), baud })
    }
}
