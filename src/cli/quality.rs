// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle quality`: the quality gate over models and texts, as a table.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Serialize;

use super::device::{HardwareArgs, counting_bar};
use super::model::open_model;
use crate::model::tokenizer::{EncodeOptions, Tokenizer};
use crate::quality::{KLD_MAX, PPL_MAX, Quality, TOP1_MIN, measure};

/// Models and texts of the reference data.
const REFERENCE: [(&str, &str); 6] = [
    ("stories260K/stories260K-h192-Q8_0.gguf", "text/tinystories_64k.txt"),
    ("stories260K/stories260K-h192-Q5_0.gguf", "text/tinystories_64k.txt"),
    ("stories260K/stories260K-h192-Q4_1.gguf", "text/tinystories_64k.txt"),
    ("stories260K/stories260K-h192-Q4_0.gguf", "text/tinystories_64k.txt"),
    ("nano/nano-shakespeare-q8_0.gguf", "text/shakespeare_val.txt"),
    ("nano/nano-shakespeare-q4_0.gguf", "text/shakespeare_val.txt"),
];

#[derive(Args)]
pub struct QualityArgs {
    /// A .gguf file or the name of a model; without it, the models of the reference data
    #[arg(long, value_name = "FILE|NAME", requires = "text")]
    model: Option<String>,
    /// The text to judge on
    #[arg(long, value_name = "FILE", requires = "model")]
    text: Option<PathBuf>,
    /// Folder of the reference data
    #[arg(long, value_name = "DIR", default_value = "../shared/data")]
    data: PathBuf,
    /// Use this many tokens of each text at most
    #[arg(long, value_name = "N")]
    tokens: Option<usize>,
    #[command(flatten)]
    hardware: HardwareArgs,
    /// Print one JSON array instead of the table
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row {
    model: String,
    #[serde(flatten)]
    quality: Quality,
    passes: bool,
}

pub fn run(args: &QualityArgs) -> Result<ExitCode> {
    let mut rows = Vec::new();
    if !args.json {
        println!("{:<40} {:>9} {:>9} {:>8} {:>10} {:>9} {:>9}", "model", "positions", "KLD", "top-1", "PPL f32", "PPL", "change");
    }
    for (model, text) in cases(args)? {
        let row = judge(args, &model, &text)?;
        if !args.json {
            print_row(&row);
        }
        rows.push(row);
    }
    let passes = rows.iter().all(|row| row.passes);
    if args.json {
        println!("{}", serde_json::to_string(&rows)?);
    } else {
        println!("limits: KLD {KLD_MAX}, top-1 {:.0} %, perplexity {:.0} %", 100.0 * TOP1_MIN, 100.0 * PPL_MAX);
    }
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn cases(args: &QualityArgs) -> Result<Vec<(String, PathBuf)>> {
    if let (Some(model), Some(text)) = (&args.model, &args.text) {
        return Ok(vec![(model.clone(), text.clone())]);
    }
    if !args.data.is_dir() {
        bail!("there is no folder of reference data at `{}`; give a model and a text with --model and --text", args.data.display());
    }
    let path = |file: &str| args.data.join(file);
    Ok(REFERENCE.iter().map(|(model, text)| (path(model).display().to_string(), path(text))).collect())
}

fn judge(args: &QualityArgs, model: &str, text: &Path) -> Result<Row> {
    let config = args.hardware.config()?;
    let gguf = open_model(model, args.json)?;
    let tokenizer = Tokenizer::from_gguf(&gguf)?;
    let content = std::fs::read_to_string(text).with_context(|| format!("cannot read `{}`; give a text in UTF-8", text.display()))?;
    let mut ids = tokenizer.encode(&content, EncodeOptions::PROMPT);
    ids.truncate(args.tokens.unwrap_or(usize::MAX));
    let bar = counting_bar("contexts", args.json);
    let bos = tokenizer.encode("", EncodeOptions::PROMPT).first().copied();
    let quality = measure(&gguf, &config, &ids, bos, &|done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let quality = quality?;
    Ok(Row { model: name(model), passes: quality.passes(), quality })
}

/// The last part of a path.
fn name(model: &str) -> String {
    Path::new(model).file_name().map_or_else(|| model.to_string(), |n| n.to_string_lossy().into_owned())
}

fn print_row(row: &Row) {
    let Quality { positions, kld, top1, ppl_reference, ppl } = row.quality;
    let verdict = if row.passes { "" } else { "  FAILS" };
    let change = 100.0 * row.quality.ppl_change();
    let top1 = 100.0 * top1;
    println!("{:<40} {positions:>9} {kld:>9.5} {top1:>6.2} % {ppl_reference:>10.4} {ppl:>9.4} {change:>+7.3} %{verdict}", row.model);
}
