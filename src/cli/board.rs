// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle board`: boards, and what stands in for them.

#[cfg(unix)]
mod run;
mod soak;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

#[derive(Args)]
pub struct BoardArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Simulate a board, its link at a pseudo-terminal
    #[cfg(unix)]
    Run(run::RunArgs),
    /// Transfer at random over a simulated wire with faults, and compare
    Soak(soak::SoakArgs),
}

pub fn run(args: &BoardArgs) -> Result<ExitCode> {
    match &args.command {
        #[cfg(unix)]
        Command::Run(args) => run::run(args),
        Command::Soak(args) => soak::run(args),
    }
}
