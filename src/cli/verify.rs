// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle verify`: formal proofs of the blocks, and their benches on netlists.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use heddle_synth::Device;
use heddle_tb::blocks::seeds;
use heddle_tb::formal::{Options, Report, Tools, select, verify};
use heddle_tb::tools::{Group, find_pinned, find_yosys, formal_or_provision, provision, verilator_or_provision};

use crate::bench::machine;
use crate::generate::licensed;
use crate::netlist::{self, Check, bitstream};

#[derive(Args)]
pub struct VerifyArgs {
    /// Prove the properties with Yosys and an SMT solver
    #[arg(long, required_unless_present = "netlist")]
    formal: bool,
    /// Run the benches of the blocks on their netlists for ECP5 and iCE40
    #[arg(long, conflicts_with_all = ["formal", "mutations", "docs", "traces"])]
    netlist: bool,
    /// With --netlist: also on packed iCE40 bitstreams, turned back into Verilog, with products in lookup tables
    #[arg(long, requires = "netlist", conflicts_with = "part")]
    bitstream: bool,
    /// With --netlist: runs of each bench
    #[arg(long, value_name = "N", default_value_t = 1, requires = "netlist", value_parser = clap::value_parser!(u64).range(1..=1000))]
    runs: u64,
    /// With --netlist: only this device (ecp5-25k, up5k)
    #[arg(long, value_name = "PART", requires = "netlist")]
    part: Option<String>,
    /// Only blocks and modules whose name contains this
    #[arg(default_value = "", hide_default_value = true)]
    word: String,
    /// Also check that each listed change of a block violates what it is listed for
    #[arg(long)]
    mutations: bool,
    /// Seconds for each property: for its induction, and again for the search from reset
    #[arg(long, value_name = "S", default_value_t = 60)]
    limit: u64,
    /// Print one JSON object instead of the tables
    #[arg(long)]
    json: bool,
    /// Write the page of results, with the changes
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "docs/results/formal.md")]
    docs: Option<PathBuf>,
    /// Write the run of each property that fails to this folder, as VCD
    #[arg(long, value_name = "DIR")]
    traces: Option<PathBuf>,
}

pub fn run(args: &VerifyArgs) -> Result<ExitCode> {
    if args.netlist {
        return netlists(args);
    }
    let blocks = select(&args.word)?;
    let mut progress = |line: &str| eprintln!("{line}");
    let (yosys, solver) = formal_or_provision(&mut progress)?;
    let options = Options { limit: Duration::from_secs(args.limit), mutations: args.mutations || args.docs.is_some() };
    let report = verify(&blocks, &Tools { yosys, solver }, &options, &mut progress)?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{}\n{}", report.text(), report.summary());
    }
    if let Some(page) = &args.docs {
        std::fs::write(page, self::page(&report)).with_context(|| format!("cannot write `{}`", page.display()))?;
    }
    write_traces(args, &report)?;
    Ok(ExitCode::from(u8::from(report.failed())))
}

/// The netlist check.
fn netlists(args: &VerifyArgs) -> Result<ExitCode> {
    let mut progress = |line: &str| eprintln!("{line}");
    verilator_or_provision(&mut progress)?;
    if find_yosys().is_err() {
        provision(Group::Synth, &mut progress)?;
    }
    let wanted = args.part.as_deref().map(|name| Device::named(name).ok_or_else(|| anyhow!("there is no part `{name}`"))).transpose()?;
    let mut checks = vec![];
    for (device, config) in netlist::targets().into_iter().filter(|(device, _)| wanted.as_ref().is_none_or(|wanted| wanted == device)) {
        let blocks = netlist::benches(&config, &args.word)?;
        checks.extend(netlist::check(&blocks, &device, &seeds(args.runs), &|line| eprintln!("{line}")));
    }
    if args.bitstream {
        checks.extend(bitstreams(args, &mut progress)?);
    }
    if checks.is_empty() {
        bail!("no block has `{}` in its name on such a device", args.word);
    }
    match args.json {
        true => println!("{}", serde_json::to_string(&checks)?),
        false => println!("{}", netlist::table(&checks)),
    }
    Ok(ExitCode::from(u8::from(checks.iter().any(|check| check.fault.is_some()))))
}

/// The check of bitstreams.
fn bitstreams(args: &VerifyArgs, progress: &mut dyn FnMut(&str)) -> Result<Vec<Check>> {
    for (group, tools) in [(Group::Synth, ["nextpnr-ice40", "icepack", "iceunpack"].as_slice()), (Group::Icebox, &["icebox_vlog"])] {
        if tools.iter().any(|tool| find_pinned(tool).is_err()) {
            provision(group, progress)?;
        }
    }
    let (device, config) = bitstream::target();
    let blocks = netlist::benches(&config, &args.word)?;
    Ok(bitstream::check(&blocks, &device, &seeds(args.runs), &|line| eprintln!("{line}")))
}

fn page(report: &Report) -> String {
    let text = format!(
        "# Formal proofs\n\nWritten by `heddle verify --formal --docs`. Measured on {}; other machines differ. What the words mean and \
         how it works: [formal verification](../formal.md).\n\n{}",
        machine(),
        report.markdown()
    );
    licensed(&text)
}

fn write_traces(args: &VerifyArgs, report: &Report) -> Result<()> {
    let Some(folder) = &args.traces else { return Ok(()) };
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    for property in &report.properties {
        if let Some(vcd) = &property.vcd {
            let path = folder.join(format!("{}.vcd", property.name));
            std::fs::write(&path, vcd).with_context(|| format!("cannot write `{}`", path.display()))?;
        }
    }
    Ok(())
}
