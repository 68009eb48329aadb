// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a file is a bitstream for a device.
//!
//! Source: ECP5 and ECP5-5G sysCONFIG usage guide (a comment, then the preamble 0xFFFFBDB3); Project IceStorm (7EAA997E).

use super::FlashError;
use crate::board::{Board, Family};
use std::path::Path;

/// Larger than any bitstream of these families.
const BYTES_MAX: u64 = 16 << 20;
/// Bytes of icepack's bitstreams, by nextpnr's name of the device: an iCE40's does not say what it is for.
const ICE40: [(&str, u64); 4] = [("hx1k", 32_220), ("lp8k", 135_100), ("hx8k", 135_100), ("up5k", 104_090)];
/// Where a preamble must begin.
const HEAD: usize = 4096;

pub fn check(path: &Path, board: &Board) -> Result<(), FlashError> {
    let wrong = |reason: String| FlashError::Bitstream { path: path.into(), reason };
    let size = std::fs::metadata(path).map_err(|e| wrong(format!("cannot be read: {e}")))?.len();
    if size > BYTES_MAX {
        return Err(wrong(format!("has {size} bytes; none of {} has more than {BYTES_MAX}", board.title)));
    }
    let bytes = std::fs::read(path).map_err(|e| wrong(format!("cannot be read: {e}")))?;
    let head = &bytes[..bytes.len().min(HEAD)];
    let preamble: &[u8] = match board.device.family {
        Family::Ecp5 => &[0xff, 0xff, 0xbd, 0xb3],
        Family::Ice40 => &[0x7e, 0xaa, 0x99, 0x7e],
    };
    let Some(at) = head.windows(4).position(|window| window == preamble) else {
        return Err(wrong(format!("is none for {}: it has no preamble {:02x?} in its first {HEAD} bytes", board.title, preamble)));
    };
    match (board.device.family, part(&head[..at])) {
        (Family::Ice40, _) => match ICE40.iter().find(|(other, length)| *length == size && *other != board.device.size) {
            Some((other, _)) => {
                Err(wrong(format!("has the length of one for an iCE40 {other}; {} has {}", board.title, board.device.size)))
            }
            None => Ok(()),
        },
        (Family::Ecp5, Some(part)) if !fits(&part, &board.device.size) => {
            Err(wrong(format!("is for {part}; {} has an LFE5U-{}", board.title, board.device.size.to_uppercase().replace('K', "F"))))
        }
        _ => Ok(()),
    }
}

/// `Part: LFE5U-85F-6CABGA381` in the comment ahead of the preamble.
fn part(comment: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(comment);
    let rest = text.split("Part: ").nth(1)?;
    Some(rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect())
}

/// `LFE5U-85F-...` and `LFE5UM-85F-...` are of size `85k`.
fn fits(part: &str, size: &str) -> bool {
    let digits = size.trim_end_matches('k');
    part.split('-').nth(1).is_some_and(|of| of.trim_end_matches('F') == digits)
}
