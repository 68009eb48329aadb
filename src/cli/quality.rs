// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle quality`: the quality gate over models and texts, as a table.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;
use heddle_tb::tools::reference_data;
use serde::Serialize;

use super::device::{HardwareArgs, counting_bar};
use super::model::open_model;
use crate::bench::Table;
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
    /// Folder of the reference data [default: $HEDDLE_REFERENCE_DATA]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Use this many tokens of each text at most
    #[arg(long, value_name = "N")]
    tokens: Option<usize>,
    #[command(flatten)]
    hardware: HardwareArgs,
    /// Print one JSON array instead of the table
    #[arg(long)]
    json: bool,
    /// Also write the table to this page
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "docs/results/quality.md")]
    docs: Option<PathBuf>,
}

#[derive(Serialize)]
struct Row {
    model: String,
    /// Tokens per second on the golden model, the reference in floating point included.
    tokens_per_s: f64,
    #[serde(flatten)]
    quality: Quality,
    passes: bool,
}

pub fn run(args: &QualityArgs) -> Result<ExitCode> {
    let mut rows = Vec::new();
    for (model, text) in cases(args)? {
        rows.push(judge(args, &model, &text)?);
    }
    let table = table(&rows);
    if args.json {
        println!("{}", serde_json::to_string(&rows)?);
    } else {
        println!("{}\n{}", table.markdown(), table.notes);
    }
    if let Some(page) = &args.docs {
        std::fs::write(page, table.page("heddle quality --docs", true)).with_context(|| format!("cannot write `{}`", page.display()))?;
    }
    let passes = rows.iter().all(|row| row.passes);
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn table(rows: &[Row]) -> Table {
    let head = ["model", "positions", "KLD", "top-1", "PPL f32", "PPL", "change", "tokens/s", "passes"];
    let mut table = Table::new("quality", "Quality of the accelerator's arithmetic", &head);
    table.notes = format!(
        "The golden model of the accelerator against the same weights in floating point. Limits: KLD {KLD_MAX}, top-1 {:.0} %, perplexity \
         {:.0} %. *Tokens/s* are those of both runs together.",
        100.0 * TOP1_MIN,
        100.0 * PPL_MAX
    );
    table.rows = rows.iter().map(cells).collect();
    table
}

fn cells(row: &Row) -> Vec<String> {
    let Quality { positions, kld, top1, ppl_reference, ppl } = row.quality;
    vec![
        row.model.clone(),
        positions.to_string(),
        format!("{kld:.5}"),
        format!("{:.2} %", 100.0 * top1),
        format!("{ppl_reference:.4}"),
        format!("{ppl:.4}"),
        format!("{:+.3} %", 100.0 * row.quality.ppl_change()),
        format!("{:.0}", row.tokens_per_s),
        if row.passes { "yes" } else { "NO" }.into(),
    ]
}

fn cases(args: &QualityArgs) -> Result<Vec<(String, PathBuf)>> {
    if let (Some(model), Some(text)) = (&args.model, &args.text) {
        return Ok(vec![(model.clone(), text.clone())]);
    }
    let data = args.data.clone().unwrap_or_else(reference_data);
    let path = |file: &str| data.join(file);
    if let Some(absent) = REFERENCE.iter().flat_map(|(model, text)| [model, text]).find(|file| !path(file).is_file()) {
        bail!(
            "the table is made from reference data, which is not part of the repository, and `{}` is not there; make it as \
             docs/reference-data.md says and name its folder with --data or HEDDLE_REFERENCE_DATA, or judge one model on one \
             text with --model and --text",
            path(absent).display()
        );
    }
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
    let start = Instant::now();
    let bos = tokenizer.encode("", EncodeOptions::PROMPT).first().copied();
    let quality = measure(&gguf, &config, &ids, bos, &|done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let quality = quality?;
    let tokens_per_s = ids.len() as f64 / start.elapsed().as_secs_f64();
    Ok(Row { model: name(model), tokens_per_s, passes: quality.passes(), quality })
}

/// The last part of a path.
fn name(model: &str) -> String {
    Path::new(model).file_name().map_or_else(|| model.to_string(), |n| n.to_string_lossy().into_owned())
}
