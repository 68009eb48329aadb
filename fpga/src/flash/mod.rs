// SPDX-License-Identifier: MIT OR Apache-2.0
//! Puts a bitstream onto a board, with openFPGALoader.
//!
//! Before anything is written the bitstream must be for the board's device, and the device that answers must be it.
//! What openFPGALoader says becomes an error of its own where the fix is known.

mod bitstream;
mod error;

pub use error::FlashError;

use crate::board::{Board, Family};
use heddle_tools::Program;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

/// How the device is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cable {
    /// The one on the board.
    #[default]
    Board,
    /// A server of the Xilinx Virtual Cable protocol.
    Xvc(SocketAddr),
}

/// Where the bitstream goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Into the device, until power is lost.
    Sram,
    /// Into the configuration flash.
    Flash,
}

impl Target {
    /// Where a bitstream goes unless something else is asked for: into the device if its cable reaches it. That of an
    /// iCEBreaker leads to the flash, and to the iCE40 itself only with other jumpers.
    pub fn usual(board: &Board) -> Target {
        match board.device.family {
            Family::Ecp5 => Target::Sram,
            Family::Ice40 => Target::Flash,
        }
    }
}

/// A bitstream on its way.
#[derive(Clone, Debug)]
pub struct Job {
    pub board: Board,
    pub bitstream: PathBuf,
    pub target: Target,
    pub cable: Cable,
    /// Read the flash back and compare.
    pub verify: bool,
}

/// A device that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub idcode: u32,
    /// As openFPGALoader names it.
    pub model: String,
}

/// The devices that answer, first in the chain first. `board`: whose cable is used.
pub fn detect(loader: &Program, board: &Board, cable: Cable) -> Result<Vec<Found>, FlashError> {
    let mut command = loader.command();
    command.args(cable_arguments(board, cable)).arg("--detect");
    let said = run(&mut command, board)?;
    let found = found(&said);
    if found.is_empty() { Err(FlashError::failed(&said)) } else { Ok(found) }
}

impl Job {
    /// Arguments for openFPGALoader.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = cable_arguments(&self.board, self.cable);
        arguments.push(if self.target == Target::Sram { "--write-sram" } else { "--write-flash" }.into());
        if self.verify {
            arguments.push("--verify".into());
        }
        arguments.push(self.bitstream.display().to_string());
        arguments
    }

    /// What can be known without the board: the bitstream is whole and for this device, the board has what is asked for.
    pub fn check(&self) -> Result<(), FlashError> {
        if self.verify && self.target == Target::Sram {
            return Err(FlashError::VerifySram);
        }
        if self.target == Target::Flash && !self.board.programmer.flash {
            return Err(FlashError::NoFlash { board: self.board.title.clone() });
        }
        bitstream::check(&self.bitstream, &self.board)
    }

    /// Checks, looks which device answers, and writes; what openFPGALoader said.
    pub fn run(&self, loader: &Program) -> Result<String, FlashError> {
        self.check()?;
        if !self.board.device.idcodes.is_empty() {
            let found = detect(loader, &self.board, self.cable)?;
            if !found.iter().any(|f| self.board.device.idcodes.contains(&f.idcode)) {
                return Err(FlashError::WrongDevice { board: self.board.title.clone(), found, wanted: self.board.device.idcodes.clone() });
            }
        }
        let mut command = loader.command();
        command.args(self.arguments());
        run(&mut command, &self.board)
    }
}

fn cable_arguments(board: &Board, cable: Cable) -> Vec<String> {
    match cable {
        Cable::Board => vec!["--board".into(), board.programmer.board.clone()],
        Cable::Xvc(server) => {
            let port = server.port().to_string();
            ["--cable".into(), "xvc-client".into(), "--ip".into(), server.ip().to_string(), "--port".into(), port].into()
        }
    }
}

/// All that it printed, if it succeeded and complained of nothing.
fn run(command: &mut Command, board: &Board) -> Result<String, FlashError> {
    let program = Path::new(command.get_program()).display().to_string();
    let out = command.output().map_err(|e| FlashError::NotRun { program, reason: e.to_string() })?;
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    // Its exit status is 0 after some errors.
    let complains = said.lines().any(|line| line.trim_start().starts_with("Error") || line.trim_end().ends_with("FAIL"));
    if out.status.success() && !complains { Ok(said) } else { Err(FlashError::of(&said, board)) }
}

/// The devices in what `--detect` prints.
fn found(said: &str) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    for line in said.lines().map(str::trim) {
        if let Some(code) = line.strip_prefix("idcode").and_then(|rest| u32::from_str_radix(rest.trim().trim_start_matches("0x"), 16).ok())
        {
            all.push(Found { idcode: code, model: "unknown".into() });
        }
        if let (Some(model), Some(last)) = (line.strip_prefix("model"), all.last_mut()) {
            last.model = model.trim().into();
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_from_what_is_printed() {
        let said = "index 0:\n\tidcode 0x41113043\n\tmanufacturer lattice\n\tfamily ECP5\n\tmodel  LFE5U-85\n\tirlength 8\n";
        assert_eq!(found(said), [Found { idcode: 0x4111_3043, model: "LFE5U-85".into() }]);
        assert_eq!(found("idcode nonsense\nmodel x"), []);
    }
}
