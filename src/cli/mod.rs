// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line of `heddle`: one file for each subcommand.

mod bench;
mod board;
mod device;
mod doctor;
mod flash;
mod infer;
mod model;
mod quality;
mod report;
mod synth;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::generate::source::SourceError;

const EXAMPLES: &str = "Examples:
  heddle                                              the embedded model on the simulated accelerator
  heddle --prompt 'JULIET:' --tokens 40 --seed 7
  heddle infer --model smollm2 --transport golden --greedy --prompt 'The capital of France is'
  heddle infer --model my.gguf --preset small --set array.lanes=32 --json
  heddle quality --model my.gguf --text my.txt
  heddle bench port
  heddle verify --formal fifo
  heddle synth small --seeds 3 --out synth-small
  heddle synth --board ulx3s
  heddle board run ulx3s --virtual
  heddle doctor
  heddle flash ulx3s top.bit

Exit codes: 0 done, 1 a check found differences, 2 an error.";

/// Run language models on the accelerator.
#[derive(Parser)]
#[command(name = "heddle", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    infer: infer::InferArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Write text with a model (also without a subcommand)
    Infer(infer::InferArgs),
    /// Measure port use, decoding, simulation and generation
    Bench(bench::BenchArgs),
    /// Boards: a simulated one, transfers over a bad wire
    Board(board::BoardArgs),
    /// Check the tools: versions found and needed, what needs them, what to do
    Doctor(doctor::DoctorArgs),
    /// List boards, detect one, write a bitstream to one
    Flash(flash::FlashArgs),
    /// Compare the accelerator's arithmetic with floating point
    Quality(quality::QualityArgs),
    /// Synthesise, place and route: area, timing, floorplan
    Synth(synth::SynthArgs),
    /// Prove properties of the blocks
    Verify(verify::VerifyArgs),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let args = Cli::parse();
    let done = match &args.command {
        None => infer::run(&args.infer),
        Some(Command::Infer(args)) => infer::run(args),
        Some(Command::Bench(args)) => bench::run(args),
        Some(Command::Board(args)) => board::run(args),
        Some(Command::Doctor(args)) => doctor::run(args),
        Some(Command::Flash(args)) => flash::run(args),
        Some(Command::Quality(args)) => quality::run(args),
        Some(Command::Synth(args)) => synth::run(args),
        Some(Command::Verify(args)) => verify::run(args),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            show(error);
            ExitCode::from(2)
        }
    }
}

/// Errors in configurations are shown with the place in the file. The other messages contain their causes.
fn show(error: anyhow::Error) {
    match error.downcast::<SourceError>() {
        Ok(error) => eprintln!("{:?}", miette::Report::new(error)),
        Err(error) => eprintln!("error: {error}"),
    }
}
