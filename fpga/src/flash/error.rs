// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can go wrong on the way to a board, each with its fix.

use super::Found;
use crate::board::Board;
use heddle_tools::ToolError;
use std::path::PathBuf;

/// Why a bitstream is not on the board.
#[derive(Debug, thiserror::Error)]
pub enum FlashError {
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error("`{program}` does not run: {reason}")]
    NotRun { program: String, reason: String },
    #[error(
        "no cable of {board} was found (USB {usb}); connect the board with a cable that carries data, see that `lsusb` lists {usb}, \
         and in a container pass the USB device through"
    )]
    NoCable { board: String, usb: String },
    #[error(
        "the cable of {board} (USB {usb}) is there and may not be opened; allow it once with\n  \
         echo '{rule}' | sudo tee /etc/udev/rules.d/60-heddle.rules\n  \
         sudo udevadm control --reload-rules && sudo udevadm trigger\nand connect the board anew"
    )]
    Permission { board: String, usb: String, rule: String },
    #[error("the cable of {board} is in use by another program or driver; close it, or `sudo rmmod ftdi_sio` until the next boot")]
    Busy { board: String },
    #[error(
        "this openFPGALoader was built without support for the cable of {board}: {said}; `--dry-run` prints the command for one that \
         has it, as packages of distributions do"
    )]
    Unsupported { board: String, said: String },
    #[error("no server of the virtual cable answers: {said}")]
    NoServer { said: String },
    #[error(
        "a cable answers, but no device behind it: {said}; see that the board has power and that its JTAG is not held by another cable"
    )]
    NoDevice { said: String },
    #[error("this is not {board}: {}, wanted {}", devices(found), codes(wanted))]
    WrongDevice { board: String, found: Vec<Found>, wanted: Vec<u32> },
    #[error("the bitstream {} {reason}", path.display())]
    Bitstream { path: PathBuf, reason: String },
    #[error("{board} has no configuration flash; use --sram")]
    NoFlash { board: String },
    #[error("--verify reads a flash back; what is written to the device itself cannot be read. Use --flash, or leave --verify away")]
    VerifySram,
    #[error("what was read back differs from the bitstream: {said}; write it again, and try a shorter cable if that does not help")]
    Verify { said: String },
    #[error("openFPGALoader failed: {said}")]
    Failed { said: String },
}

impl FlashError {
    /// From what openFPGALoader printed.
    pub(super) fn of(said: &str, board: &Board) -> FlashError {
        let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
        let (title, usb) = (board.title.clone(), board.programmer.usb.clone());
        // Numbers are those of libftdi's `ftdi_usb_open_desc_index`.
        if has(&["ftdi device: -3 ", "device not found", "No DFU compatible device found"]) {
            FlashError::NoCable { board: title, usb }
        } else if has(&["ftdi device: -4 ", "LIBUSB_ERROR_ACCESS", "Permission denied", "ftdi device: -8 "]) {
            let (vendor, product) = usb.split_once(':').unwrap_or_default();
            let rule = format!(
                "SUBSYSTEM==\"usb\", ATTRS{{idVendor}}==\"{vendor}\", ATTRS{{idProduct}}==\"{product}\", MODE=\"0660\", TAG+=\"uaccess\""
            );
            FlashError::Permission { board: title, usb, rule }
        } else if has(&["was not enabled at compile time"]) {
            let said = said.lines().find(|line| line.contains("not enabled")).unwrap_or_default().trim().to_owned();
            FlashError::Unsupported { board: title, said }
        } else if has(&["ftdi device: -5 ", "LIBUSB_ERROR_BUSY"]) {
            FlashError::Busy { board: title }
        } else if has(&["Connection error", "connection failure"]) {
            FlashError::NoServer { said: last(said) }
        } else if has(&["TDO is stuck", "no device found", "Unknown device"]) {
            FlashError::NoDevice { said: last(said) }
        } else if has(&["Verification failed"]) {
            FlashError::Verify { said: last(said) }
        } else {
            FlashError::failed(said)
        }
    }

    pub(super) fn failed(said: &str) -> FlashError {
        let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        FlashError::Failed { said: lines[lines.len().saturating_sub(6)..].join("\n") }
    }
}

/// The last line that says something of an error, or the last one.
fn last(said: &str) -> String {
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "empty");
    let complaint = lines().rfind(|line| line.contains("fail") || line.contains("TDO"));
    complaint.or(lines().next_back()).unwrap_or("no output").into()
}

fn devices(found: &[Found]) -> String {
    found.iter().map(|f| format!("a {} with id code 0x{:08x} answers", f.model, f.idcode)).collect::<Vec<_>>().join(", ")
}

fn codes(wanted: &[u32]) -> String {
    wanted.iter().map(|code| format!("0x{code:08x}")).collect::<Vec<_>>().join(" or ")
}
