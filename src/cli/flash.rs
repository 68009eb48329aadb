// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle flash`: which boards there are, which answers, and a bitstream onto one.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use heddle_fpga::board::Board;
use heddle_fpga::flash::{Cable, Job, Target, detect};
use heddle_tools::find_pinned;
use serde::Serialize;

/// A device that answered, and the boards that have it.
#[derive(Serialize)]
struct Detected {
    model: String,
    idcode: String,
    boards: Vec<String>,
}

/// The tool that writes.
const LOADER: &str = "openFPGALoader";

#[derive(Args)]
pub struct FlashArgs {
    /// `boards` lists them, `detect` shows which device answers, a board's name writes to it
    #[arg(value_name = "boards|detect|BOARD")]
    what: String,
    /// The bitstream; for `detect`, the board whose cable is used
    #[arg(value_name = "BITSTREAM")]
    file: Option<PathBuf>,
    /// Write to the device itself: gone when power is (the default where the cable reaches it: ECP5)
    #[arg(long, conflicts_with = "flash")]
    sram: bool,
    /// Write to the configuration flash: loaded at each power-up (the default of iCE40)
    #[arg(long)]
    flash: bool,
    /// Check everything that can be checked without a board, and print the command
    #[arg(long)]
    dry_run: bool,
    /// Read the flash back and compare
    #[arg(long)]
    verify: bool,
    /// Reach the device through a server of the Xilinx Virtual Cable protocol
    #[arg(long, value_name = "IP:PORT")]
    xvc: Option<SocketAddr>,
    /// Of `boards` and `detect`: print JSON
    #[arg(long, conflicts_with_all = ["sram", "flash", "dry_run", "verify"])]
    json: bool,
}

pub fn run(args: &FlashArgs) -> Result<ExitCode> {
    match args.what.as_str() {
        "boards" => boards(args.json)?,
        "detect" => detected(args)?,
        name => write(args, Board::named(name)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn boards(json: bool) -> Result<()> {
    let boards = Board::all()?;
    if json {
        println!("{}", serde_json::to_string(&boards)?);
        return Ok(());
    }
    for Board { name, title, preset, device, programmer, .. } in boards {
        println!("{name:<12} {title}: {} {}, preset {preset}, USB {}", device.size, device.package, programmer.usb);
    }
    Ok(())
}

fn detected(args: &FlashArgs) -> Result<()> {
    let name = args.file.as_ref().map_or("ulx3s".into(), |name| name.display().to_string());
    let board = Board::named(&name)?;
    if board.device.idcodes.is_empty() {
        bail!("{} has no JTAG, so nothing can be detected; its cable is USB {}", board.title, board.programmer.usb);
    }
    let mut devices = Vec::new();
    for found in detect(&find_pinned(LOADER)?, &board, cable(args))? {
        let boards = Board::all()?.into_iter().filter(|b| b.device.idcodes.contains(&found.idcode)).map(|b| b.name).collect();
        devices.push(Detected { model: found.model, idcode: format!("0x{:08x}", found.idcode), boards });
    }
    if args.json {
        println!("{}", serde_json::to_string(&devices)?);
        return Ok(());
    }
    for Detected { model, idcode, boards } in devices {
        println!("{model} {idcode}: {}", if boards.is_empty() { "no board known".into() } else { boards.join(", ") });
    }
    Ok(())
}

fn write(args: &FlashArgs, board: Board) -> Result<()> {
    let Some(bitstream) = args.file.clone() else {
        bail!("give the bitstream for {}: `heddle flash {} FILE`", board.title, board.name);
    };
    let target = match (args.sram, args.flash) {
        (true, _) => Target::Sram,
        (_, true) => Target::Flash,
        _ => Target::usual(&board),
    };
    let job = Job { board, bitstream, target, cable: cable(args), verify: args.verify };
    if args.dry_run {
        job.check()?;
        println!("{LOADER} {}", job.arguments().join(" "));
        return Ok(());
    }
    let loader = find_pinned(LOADER)?;
    eprintln!("writing {} to {}", job.bitstream.display(), job.board.title);
    job.run(&loader)?;
    println!("{} is configured{}", job.board.title, if job.verify { ", and its flash read back the same" } else { "" });
    Ok(())
}

fn cable(args: &FlashArgs) -> Cable {
    args.xvc.map_or(Cable::Board, Cable::Xvc)
}
