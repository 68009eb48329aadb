// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle board run`: a board without a board, at a pseudo-terminal.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use heddle_core::config::Config;
use heddle_core::link::bone::golden::Bone;
use heddle_fpga::board::{Board, MemoryKind};
use heddle_tb::verilator::BuildOptions;

use crate::board::virtual_board::{VirtualBoard, VirtualConfig};
use crate::cli::device::spinner;
use crate::driver::serial::board::Accelerator;
use crate::driver::serial::pty::PtyBoard;
use crate::driver::sim::{self, Sim};
use crate::generate::source::{self, Source};

/// Bits per second by which a client computes how long it waits. A simulation is slower than its wire.
const BAUD: u32 = 9600;

#[derive(Args)]
pub struct RunArgs {
    /// The board (`heddle flash boards` lists them)
    #[arg(value_name = "BOARD")]
    board: String,
    /// Simulate it: there is no other way; a real one runs by itself once it is flashed
    #[arg(long = "virtual", required = true)]
    simulated: bool,
    /// The board's memory: block-ram, spram, sdram; without it the board's first choice
    #[arg(long, value_name = "MEMORY")]
    memory: Option<MemoryKind>,
    /// Hardware preset; without it the board's
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// Change one key of the configuration, as in array.lanes=16; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Bits per second of the simulated wire; without it a quarter of the clock, as the real speed is mostly waiting
    #[arg(long, value_name = "BAUD", conflicts_with = "bytes")]
    baud: Option<u32>,
    /// Byte by byte: the bridge in plain Rust in front of the verilated accelerator, faster
    #[arg(long)]
    bytes: bool,
}

/// Prints the transport for other commands as the only line of the output, and serves until it is stopped.
pub fn run(args: &RunArgs) -> Result<ExitCode> {
    let board = Board::named(&args.board)?;
    let memory = args.memory.unwrap_or(board.memory.default);
    let bytes = board.memory_bytes(memory)?;
    let config = source::load(&Source::Preset(args.preset.clone().unwrap_or_else(|| board.preset.clone())), &args.settings)?;
    let served = if args.bytes { by_bytes(&board, &config, bytes)? } else { by_bits(args, &board, &config, memory)? };
    eprintln!("{}, simulated: {}, {} KiB of {memory}; end it with Ctrl-C", board.title, config.name, bytes >> 10);
    eprintln!("use it with: heddle infer --preset {} --transport serial:{}@{BAUD}", config.name, served.path);
    println!("serial:{}@{BAUD}", served.path);
    io::stdout().flush()?;
    match served.wait() {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(reason) => bail!("the virtual board stopped: {reason}"),
    }
}

fn by_bytes(board: &Board, config: &Config, bytes: u64) -> Result<PtyBoard> {
    let bar = spinner(false);
    let library = sim::build(config, &BuildOptions::default(), &mut |line| bar.set_message(line.to_string()));
    bar.finish_and_clear();
    let accelerator = Accelerator::new(Sim::new(&library?, config)?, bytes);
    match board.link.frames {
        true => Ok(PtyBoard::serve(accelerator)?),
        false => Ok(PtyBoard::with(Bone::new(bytes), accelerator)?),
    }
}

fn by_bits(args: &RunArgs, board: &Board, config: &Config, memory: MemoryKind) -> Result<PtyBoard> {
    let mut simulated = VirtualConfig::fast(board, config, memory);
    simulated.wire.baud = args.baud.unwrap_or(simulated.wire.baud);
    let bar = spinner(false);
    let library = simulated.build(&mut |line| bar.set_message(line.to_string()));
    bar.finish_and_clear();
    Ok(PtyBoard::of(VirtualBoard::new(&library?, &simulated)?)?)
}
