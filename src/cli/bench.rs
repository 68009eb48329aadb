// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle bench`: measurements as tables.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;

use super::device::spinner;
use crate::bench::{BENCHES, Bench};

#[derive(Args)]
pub struct BenchArgs {
    /// Which: port, power, decode, board, gating, hdl, link, speed; all without it
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Also write the pages of the results
    #[arg(long)]
    docs: bool,
    /// Folder of those pages
    #[arg(long, value_name = "DIR", default_value = "docs/results", requires = "docs")]
    dir: PathBuf,
    /// Print one JSON array instead of tables
    #[arg(long)]
    json: bool,
}

pub fn run(args: &BenchArgs) -> Result<ExitCode> {
    let mut tables = Vec::new();
    for bench in chosen(&args.names)? {
        let bar = spinner(args.json);
        let table = (bench.run)(&mut |line| bar.set_message(line.to_string()));
        bar.finish_and_clear();
        let table = table.map_err(|e| anyhow!("{}: {e}", bench.name))?;
        if !args.json {
            println!("{}\n\n{}", table.title, table.markdown());
            table.missed.iter().for_each(|what| println!("MISSED: {what}\n"));
        }
        if args.docs {
            let page = args.dir.join(format!("{}.md", table.name));
            std::fs::write(&page, table.page(&format!("heddle bench {} --docs", table.name), bench.timed))
                .with_context(|| format!("cannot write `{}`", page.display()))?;
        }
        tables.push(table);
    }
    if args.json {
        println!("{}", serde_json::to_string(&tables)?);
    }
    let missed = tables.iter().any(|table| !table.missed.is_empty());
    Ok(ExitCode::from(u8::from(missed)))
}

fn chosen(names: &[String]) -> Result<Vec<Bench>> {
    let known: Vec<&str> = BENCHES.iter().map(|b| b.name).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("there is no bench `{name}`; there are {}", known.join(", "));
    }
    Ok(BENCHES.into_iter().filter(|b| names.is_empty() || names.iter().any(|n| n == b.name)).collect())
}
