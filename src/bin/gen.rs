// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes the Verilog of a configuration and everything that goes with it.

use anyhow::Result;
use clap::{ArgGroup, Parser};
use heddle::generate::output::{self, Difference};
use heddle::generate::source::{self, Source, SourceError};
use heddle::generate::{self, Files};
use heddle_core::config::{Config, PRESETS};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  gen --preset base                                   writes rtl-out/base/
  gen --preset base --set array.lanes=16 --set name=half
  gen --config my.toml --out build/rtl
  gen --preset nano --check                           exit code 1 if rtl-out/nano is not what would be written

Exit codes: 0 done, 1 --check found differences, 2 an error; after an error the old output is whole.";

/// Write the Verilog of a configuration, its registers, descriptors and documentation.
#[derive(Parser)]
#[command(name = "gen", version, after_help = EXAMPLES)]
#[command(group(ArgGroup::new("source").args(["preset", "config", "list"]).required(true)))]
struct Args {
    /// Start from this preset (see --list)
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// Start from this TOML file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Change one key, as in array.lanes=32; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Folder to write or to check [default: rtl-out/<name>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write nothing; list how the folder differs from what would be written
    #[arg(long)]
    check: bool,
    /// List the presets
    #[arg(long)]
    list: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            report(error);
            ExitCode::from(2)
        }
    }
}

/// Errors in configurations are shown with the place in the file.
fn report(error: anyhow::Error) {
    match error.downcast::<SourceError>() {
        Ok(error) => eprintln!("{:?}", miette::Report::new(error)),
        // The messages contain their causes.
        Err(error) => eprintln!("error: {error}"),
    }
}

fn run(args: &Args) -> Result<ExitCode> {
    let source = match (&args.preset, &args.config) {
        (Some(name), _) => Source::Preset(name.clone()),
        (_, Some(file)) => Source::File(file.clone()),
        _ => return list(args.json),
    };
    let config = source::load(&source, &args.settings)?;
    let out = args.out.clone().unwrap_or_else(|| Path::new("rtl-out").join(&config.name));
    let files = generate::generate(&config)?;
    if args.check {
        return check(&files, &out, args.json);
    }
    output::write(&files, &out)?;
    summary(&config, &files, &out, args.json);
    Ok(ExitCode::SUCCESS)
}

fn summary(config: &Config, files: &Files, out: &Path, json: bool) {
    let (digest, bytes) = (config.digest_hex(), files.values().map(String::len).sum::<usize>());
    if json {
        let names: Vec<&String> = files.keys().collect();
        println!("{}", json!({ "name": config.name, "digest": digest, "out": out, "bytes": bytes, "files": names }));
    } else {
        println!("{}: {} files, {} KiB, digest {digest}", out.display(), files.len(), bytes.div_ceil(1024));
    }
}

fn check(files: &Files, out: &Path, json: bool) -> Result<ExitCode> {
    let differences = output::compare(files, out)?;
    let same = differences.is_empty();
    if json {
        let list: Vec<_> = differences.iter().map(|(file, difference)| json!({ "file": file, "difference": difference })).collect();
        println!("{}", json!({ "out": out, "same": same, "differences": list }));
    } else if !out.exists() {
        println!("{} does not exist", out.display());
    } else {
        for (file, difference) in &differences {
            println!("{}: {}", out.join(file).display(), describe(difference));
        }
    }
    Ok(if same { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn describe(difference: &Difference) -> String {
    match difference {
        Difference::Missing => "missing".into(),
        Difference::Unexpected => "not an output of gen".into(),
        Difference::Differs { line } => format!("differs from line {line} on"),
    }
}

fn list(json: bool) -> Result<ExitCode> {
    let presets: Vec<Config> = PRESETS.iter().map(|name| Config::preset(name)).collect::<Result<_, _>>()?;
    if json {
        println!("{}", json!({ "presets": presets }));
        return Ok(ExitCode::SUCCESS);
    }
    println!("{:<8}{:>6}{:>9}{:>11}{:>9}{:>11}  formats", "preset", "lanes", "columns", "port bits", "MHz", "memory");
    for c in presets {
        let formats: Vec<&str> = c.formats.iter().map(|format| format.name()).collect();
        let memory = format!("{} MiB", c.memory.size_mib);
        let (lanes, columns, port) = (c.array.lanes, c.array.columns, c.memory.port_bits);
        println!("{:<8}{lanes:>6}{columns:>9}{port:>11}{:>9}{memory:>11}  {}", c.name, c.clock_mhz, formats.join(" "));
    }
    Ok(ExitCode::SUCCESS)
}
