// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle board soak`: the link over a bad wire.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;

use crate::bench::Table;
use crate::cli::device::spinner;
use crate::driver::serial::soak::{SoakReport, soak};

#[derive(Args)]
pub struct SoakArgs {
    /// How long
    #[arg(long, value_name = "N", default_value_t = 10)]
    seconds: u64,
    /// The same seed gives the same faults
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Also write the page of the results
    #[arg(long)]
    docs: bool,
    /// Folder of that page
    #[arg(long, value_name = "DIR", default_value = "docs/results", requires = "docs")]
    dir: PathBuf,
}

/// The code is 1 if a wrong byte was accepted or a board would have needed a reset.
pub fn run(args: &SoakArgs) -> Result<ExitCode> {
    let bar = spinner(false);
    let report = soak(Duration::from_secs(args.seconds), args.seed, &mut |r| {
        bar.set_message(format!("{} operations, {} faults, {} wrong bytes", r.operations, r.faults.faults(), r.wrong));
    });
    bar.finish_and_clear();
    let table = table(args, &report);
    println!("{}", table.markdown());
    if args.docs {
        let page = args.dir.join(format!("{}.md", table.name));
        let command = format!("heddle board soak --seconds {} --seed {} --docs", args.seconds, args.seed);
        std::fs::write(&page, table.page(&command, true)).with_context(|| format!("cannot write `{}`", page.display()))?;
    }
    Ok(ExitCode::from(u8::from(report.wrong + report.unrecovered > 0)))
}

fn table(args: &SoakArgs, r: &SoakReport) -> Table {
    let mut table = Table::new("soak", "Soak of the link", &["what", "count"]);
    table.notes = format!(
        "Random reads, writes, checks and register writes for {} s, seed {}, between the host's end of the link and the bridge in plain \
         Rust, *simulated*, over a wire that drops, doubles, flips and delays bytes both ways. Each session has another mixture of faults, \
         from rare to several in each frame. An accepted byte is one that was delivered without an error; after each session all of the \
         memory is compared. A session ends with the first error, and then the board must answer on a good wire, without a reset.",
        args.seconds, args.seed
    );
    let rows = [
        ("sessions", r.sessions),
        ("operations", r.operations),
        ("bytes on the wire", r.faults.bytes),
        ("seconds of the simulated wire", r.wire_seconds),
        ("bytes dropped", r.faults.dropped),
        ("bytes doubled", r.faults.doubled),
        ("bytes flipped", r.faults.flipped),
        ("bytes delayed", r.faults.delayed),
        ("requests answered", r.link.requests),
        ("frames sent again", r.link.repeated),
        ("broken replies", r.link.broken),
        ("greetings and operations that ended with an error", r.errors),
        ("bytes accepted", r.accepted),
        ("**wrong bytes accepted**", r.wrong),
        ("**boards that would have needed a reset**", r.unrecovered),
    ];
    table.rows = rows.map(|(what, count)| vec![what.to_string(), count.to_string()]).into();
    table
}
