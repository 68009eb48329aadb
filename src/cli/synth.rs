// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle synth`: area, timing and floorplans.

mod board;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use heddle_core::config::Config;
use heddle_synth::asic::Library;
use heddle_synth::{Device, Outcome, chart, measure};
use heddle_tools::{Group, find_pinned, find_yosys, provision, reference_data};

use super::device::spinner;
use crate::asic::{self, view};
use crate::generate::source::{self, Source};
use crate::synth::{self, Block, Entry};

#[derive(Args)]
pub struct SynthArgs {
    /// Hardware preset (`gen --list` shows them); with --docs all that have a device
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
    /// Write the page of results and its pictures
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

/// Presets and parts of the page.
const PAGE: [(&str, Block); 5] =
    [("base", Block::Column), ("base", Block::Packed), ("nano", Block::Engine), ("small", Block::Engine), ("base", Block::Engine)];

pub fn run(args: &SynthArgs) -> Result<ExitCode> {
    if args.asic {
        return asic(args);
    }
    provide_tools(args.json)?;
    if args.docs {
        return docs(args);
    }
    if let Some(name) = &args.board.board {
        return board::run(args, name);
    }
    let config = config(args)?;
    let entry = entry(args, config, args.block.into())?;
    let report = &entry.outcome.report;
    match args.json {
        true => println!("{}", serde_json::to_string(report)?),
        false => println!("{}", report.markdown(2)),
    }
    if let Some(folder) = &args.out {
        write(folder, &entry.outcome)?;
    }
    match &entry.fault {
        None => Ok(ExitCode::SUCCESS),
        Some(fault) => {
            eprintln!("error: {fault}");
            Ok(ExitCode::from(1))
        }
    }
}

/// The ASIC view. A block is shown as it is within the engine.
fn asic(args: &SynthArgs) -> Result<ExitCode> {
    let bar = spinner(args.json);
    if find_yosys().is_err() {
        provision(Group::Synth, &mut |line| bar.set_message(line.to_string()))?;
    }
    let library = Library::read(&match args.liberty.as_slice() {
        [] => reference_library(),
        given => given.to_vec(),
    })?;
    let presets = match (&args.preset, &args.config) {
        (None, None) => vec!["nano", "gated"],
        _ => vec![""],
    };
    let mut views = vec![];
    for preset in presets {
        let config = if preset.is_empty() { config(args)? } else { source::load(&Source::Preset(preset.into()), &args.settings)? };
        views.push(view(&config, &library, &|line| bar.set_message(line.to_owned()))?);
    }
    bar.finish_and_clear();
    let below = match args.block {
        BlockName::Engine => "",
        BlockName::Array => "array",
        BlockName::Column => "array/column_0",
        BlockName::Packed => bail!("the packed column is for the multipliers of an FPGA; with --asic choose column, array or engine"),
    };
    for view in &views {
        match args.json {
            true => println!("{}", serde_json::to_string(view)?),
            false => println!("{}", view.markdown(below, 2 + below.matches('/').count())),
        }
        if let Some(folder) = &args.out {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
            save(&folder.join("power.json"), &serde_json::to_string_pretty(view)?)?;
            save(&folder.join("asic.md"), &view.markdown("", usize::MAX))?;
        }
    }
    if args.docs {
        save(&args.dir.join("results/asic.md"), &asic::page(&views))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The library of the reference data, if it is there.
fn reference_library() -> Vec<PathBuf> {
    let file = reference_data().join("liberty/ihp-sg13g2/sg13g2_stdcell_typ_1p20V_25C.lib.gz");
    if file.is_file() { vec![file] } else { vec![] }
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

/// Runs the flow; what is wrong with the figures is kept beside them.
fn entry(args: &SynthArgs, config: Config, block: Block) -> Result<Entry> {
    let (design, options) = synth::prepare(&config, block, part(args, &config)?, args.freq, args.seeds)?;
    let bar = spinner(args.json);
    let outcome = measure(&design, &options, &|line| bar.set_message(line.to_owned()));
    bar.finish_and_clear();
    let outcome = outcome?;
    let fault = outcome.check().err().map(|fault| fault.to_string());
    Ok(Entry { config, block, outcome, fault })
}

fn write(folder: &Path, outcome: &Outcome) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let report = &outcome.report;
    let files = [
        ("report.json", serde_json::to_string_pretty(report)?),
        ("report.md", report.markdown(usize::MAX)),
        ("area.svg", chart::svg(report)),
        ("floorplan.svg", outcome.floorplan()),
    ];
    files.iter().try_for_each(|(name, text)| save(&folder.join(name), text))
}

fn save(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))
}

/// The page with all presets that have a device. What cannot be placed ends it: there is nothing to show.
fn docs(args: &SynthArgs) -> Result<ExitCode> {
    let mut entries = vec![];
    for (preset, block) in PAGE {
        let config = source::load(&Source::Preset(preset.into()), &args.settings)?;
        let device = synth::device(preset).ok_or_else(|| anyhow!("`{preset}` has no device"))?;
        let args = SynthArgs {
            preset: Some(preset.into()),
            part: None,
            config: None,
            out: None,
            settings: vec![],
            liberty: vec![],
            dir: args.dir.clone(),
            board: board::BoardArgs { board: None, memory: None },
            ..*args
        };
        eprintln!("{preset}, {}, on {}", block.name(), device.title());
        entries.push(entry(&args, config, block)?);
    }
    let images = args.dir.join("images");
    for entry in &entries {
        save(&images.join(format!("{}.svg", entry.image())), &entry.outcome.floorplan())?;
        save(&images.join(format!("{}_area.svg", entry.image())), &chart::svg(&entry.outcome.report))?;
    }
    save(&args.dir.join("results/synth.md"), &synth::page(&entries))?;
    let faults: Vec<&String> = entries.iter().filter_map(|entry| entry.fault.as_ref()).collect();
    faults.iter().for_each(|fault| eprintln!("error: {fault}"));
    Ok(ExitCode::from(u8::from(!faults.is_empty())))
}
