// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle synth`: area, timing and floorplans.

mod asic;
mod board;
mod docs;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use heddle_core::config::Config;
use heddle_synth::{Device, Outcome, Report, chart, measure};
use heddle_tools::{Group, find_pinned, find_yosys, provision};

use super::device::spinner;
use crate::generate::source::{self, Source};
use crate::synth::{self, Block};

#[derive(Args)]
pub struct SynthArgs {
    /// Hardware preset (`gen --list` shows them)
    #[arg(value_name = "PRESET", required_unless_present_any = ["config", "docs", "board"], conflicts_with = "config")]
    preset: Option<String>,
    /// Hardware configuration from a TOML file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Change one key of the configuration, as in array.lanes=16; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    #[command(flatten)]
    board: board::BoardArgs,
    /// The part of it that is synthesised
    #[arg(long, value_enum, default_value = "engine")]
    block: BlockName,
    /// Device: up5k, hx8k, ecp5-12k, ecp5-25k, ecp5-45k, ecp5-85k; without it the preset's
    #[arg(long, value_name = "PART")]
    part: Option<String>,
    /// Target of the clock; without it the configuration's
    #[arg(long, value_name = "MHZ")]
    freq: Option<f64>,
    /// Place and route so many times; the median counts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    seeds: u32,
    /// Standard cells instead of an FPGA: area, and power of a product, from an open library
    #[arg(long, conflicts_with_all = ["part", "freq", "seeds"])]
    asic: bool,
    /// With --asic: a Liberty file (.lib, .lib.gz) of the cells; may be repeated where a library is in several
    #[arg(long, value_name = "FILE", requires = "asic")]
    liberty: Vec<PathBuf>,
    /// Print one JSON object instead of the tables
    #[arg(long)]
    json: bool,
    /// Write report.json, report.md, area.svg and floorplan.svg to this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the page of results from what earlier runs left in the cache
    #[arg(long)]
    docs: bool,
    /// Folder of the pages
    #[arg(long, value_name = "DIR", default_value = "docs", requires = "docs")]
    dir: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BlockName {
    /// One dot product of 32 int8 with its adder tree and an integer accumulator
    Column,
    /// Two rows of 32 int4 in one array of multipliers, each with an accumulator
    Packed,
    /// All columns with their scaling
    Array,
    /// The whole matrix engine
    Engine,
}

impl From<BlockName> for Block {
    fn from(name: BlockName) -> Block {
        match name {
            BlockName::Column => Block::Column,
            BlockName::Packed => Block::Packed,
            BlockName::Array => Block::Array,
            BlockName::Engine => Block::Engine,
        }
    }
}

pub fn run(args: &SynthArgs) -> Result<ExitCode> {
    if args.asic {
        return asic::run(args);
    }
    provide_tools(args.json)?;
    if args.docs {
        return docs::run(&args.dir);
    }
    if let Some(name) = &args.board.board {
        return board::run(args, name);
    }
    let config = config(args)?;
    let (design, options) = synth::prepare(&config, args.block.into(), part(args, &config)?, args.freq, args.seeds)?;
    let bar = spinner(args.json);
    let outcome = measure(&design, &options, &|line| bar.set_message(line.to_owned()));
    bar.finish_and_clear();
    let outcome = outcome?;
    let report = &outcome.report;
    match args.json {
        true => println!("{}", serde_json::to_string(report)?),
        false => println!("{}", report.markdown(2)),
    }
    eprintln!("{}", times(report));
    if let Some(folder) = &args.out {
        write(folder, &outcome)?;
    }
    match outcome.check() {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(fault) => {
            eprintln!("error: {fault}");
            Ok(ExitCode::from(1))
        }
    }
}

/// Installs what is missing.
fn provide_tools(quiet: bool) -> Result<()> {
    let there = find_yosys().is_ok() && ["nextpnr-ecp5", "nextpnr-ice40"].iter().all(|name| find_pinned(name).is_ok());
    if !there {
        let bar = spinner(quiet);
        provision(Group::Synth, &mut |line| bar.set_message(line.to_string()))?;
        bar.finish_and_clear();
    }
    Ok(())
}

fn config(args: &SynthArgs) -> Result<Config> {
    let source = match (&args.config, &args.preset) {
        (Some(file), _) => Source::File(file.clone()),
        (None, Some(preset)) => Source::Preset(preset.clone()),
        (None, None) => bail!("name a preset, or a configuration with --config"),
    };
    Ok(source::load(&source, &args.settings)?)
}

fn part(args: &SynthArgs, config: &Config) -> Result<Device> {
    match &args.part {
        Some(name) => Device::named(name).ok_or_else(|| anyhow!("there is no part `{name}`; there are {}", Device::names().join(", "))),
        None => {
            let preset = args.preset.as_deref().unwrap_or(&config.name);
            synth::device(preset).ok_or_else(|| anyhow!("`{preset}` is not made for an FPGA; choose one with --part"))
        }
    }
}

/// Of the runs that made a result, which may have been earlier ones.
fn times(report: &Report) -> String {
    let seeds: Vec<String> = report.seeds.iter().map(|seed| format!("{:.0}", seed.seconds)).collect();
    format!("time: Yosys {:.0} s, nextpnr {} s", report.synthesis_seconds, seeds.join(" "))
}

fn write(folder: &Path, outcome: &Outcome) -> Result<()> {
    let report = &outcome.report;
    let files = [
        ("report.json", serde_json::to_string_pretty(report)?),
        ("report.md", report.markdown(usize::MAX)),
        ("area.svg", chart::svg(report)),
        ("floorplan.svg", outcome.floorplan()),
    ];
    files.iter().try_for_each(|(name, text)| save(&folder.join(name), text))
}

/// Writes a file, and the folders that it is in.
fn save(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))
}
