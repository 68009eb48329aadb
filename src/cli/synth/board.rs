// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle synth --board`: the whole design of a board, to its bitstream.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use heddle_core::config::Config;
use heddle_fpga::board::{Board, MemoryKind};
use heddle_synth::measure;

use super::{SynthArgs, times, write};
use crate::board::design;
use crate::cli::device::spinner;
use crate::generate::source::{self, Source};

#[derive(Args)]
pub struct BoardArgs {
    /// The whole design of a board, to its bitstream (`heddle flash boards` lists them); PRESET takes the place of its own
    #[arg(long, value_name = "BOARD", conflicts_with_all = ["docs", "part", "block", "freq"])]
    pub board: Option<String>,
    /// The board's memory: block-ram, spram, sdram; without it the board's first choice
    #[arg(long, value_name = "MEMORY", requires = "board")]
    pub memory: Option<MemoryKind>,
}

/// A board's accelerator: the given configuration, or its own preset.
fn config(args: &SynthArgs, board: &Board) -> Result<Config> {
    let source = match (&args.config, &args.preset) {
        (Some(file), _) => Source::File(file.clone()),
        (None, preset) => Source::Preset(preset.clone().unwrap_or_else(|| board.preset.clone())),
    };
    Ok(source::load(&source, &args.settings)?)
}

/// The report, and the bitstream if the report is acceptable.
pub fn run(args: &SynthArgs, name: &str) -> Result<ExitCode> {
    let board = Board::named(name)?;
    let memory = args.board.memory.unwrap_or(board.memory.default);
    let config = config(args, &board)?;
    let (design, options) = design::prepare(&board, &config, memory, args.seeds)?;
    let bar = spinner(args.json);
    let outcome = measure(&design, &options, &|line| bar.set_message(line.to_owned()));
    bar.finish_and_clear();
    let outcome = outcome?;
    match args.json {
        true => println!("{}", serde_json::to_string(&outcome.report)?),
        false => println!("{}", outcome.report.markdown(3)),
    }
    eprintln!("{}", times(&outcome.report));
    if let Some(folder) = &args.out {
        write(folder, &outcome)?;
    }
    if let Err(fault) = outcome.check() {
        eprintln!("error: {fault}");
        return Ok(ExitCode::from(1));
    }
    let file: PathBuf = args.out.as_deref().unwrap_or(Path::new("")).join(design::bitstream_name(&board, &config, memory));
    let seconds = outcome.pack()?.seconds;
    outcome.bitstream(&file)?;
    eprintln!("{}: packed in {seconds:.1} s, configuration {}; `heddle flash {name} {0}` writes it", file.display(), config.digest_hex());
    Ok(ExitCode::SUCCESS)
}
