// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle board`: boards, and what stands in for them.

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
    /// Transfer at random over a simulated wire with faults, and compare
    Soak(soak::SoakArgs),
}

pub fn run(args: &BoardArgs) -> Result<ExitCode> {
    match &args.command {
        Command::Soak(args) => soak::run(args),
    }
}
