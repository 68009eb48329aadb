// SPDX-License-Identifier: MIT OR Apache-2.0
//! Differential fuzzing of builder, native simulator and Verilog printer:
//! `cargo run --release -p heddle-tb --example fuzz -- --modules 500 --seed 1 [--seconds 3600] [--no-icarus]
//! [--no-verilator] [--cycles N] [--batch N]`. Exit code 1 if a module differs, 2 if a tool is missing.

use heddle_tb::fuzz::{self, Config};
use std::{process::ExitCode, time::Duration};

fn main() -> ExitCode {
    let mut shown = 0;
    let mut show = |summary: &fuzz::Summary| {
        summary.found[shown..].iter().for_each(|f| println!("\n{f}"));
        shown = summary.found.len();
        println!("{summary}");
    };
    match arguments().and_then(|config| fuzz::run(&config, &mut show)) {
        Ok(summary) => ExitCode::from(u8::from(!summary.found.is_empty())),
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

fn arguments() -> Result<Config, String> {
    let mut config = Config { modules: 500, ..Config::default() };
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let mut number = || {
            let value = args.next().unwrap_or_default();
            value.parse::<u64>().map_err(|_| format!("{flag} needs a number, not `{value}`"))
        };
        match flag.as_str() {
            "--modules" => config.modules = number()? as usize,
            "--seed" => config.seed = number()?,
            "--cycles" => config.cycles = number()?.max(1) as usize,
            "--batch" => config.batch = number()?.max(1) as usize,
            // As many modules as fit in the time.
            "--seconds" => (config.time, config.modules) = (Some(Duration::from_secs(number()?)), usize::MAX),
            "--no-icarus" => config.icarus = false,
            "--no-verilator" => config.verilator = false,
            _ => {
                return Err(format!(
                    "unknown argument `{flag}`; there are --modules, --seed, --cycles, --batch, --seconds, --no-icarus, --no-verilator"
                ));
            }
        }
    }
    Ok(config)
}
