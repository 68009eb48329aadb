// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle doctor`: which tools are there, which are needed, and what to do.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use heddle_tools::{
    Places,
    table::{Finding, Purpose, State, TOOLS, find},
};

#[derive(Args)]
pub struct DoctorArgs {
    /// Only what is needed for: sim, formal, synth, flash, optional
    #[arg(value_name = "PURPOSE")]
    purposes: Vec<String>,
    /// Print one JSON array instead of the table
    #[arg(long)]
    json: bool,
}

pub fn run(args: &DoctorArgs) -> Result<ExitCode> {
    let purposes = purposes(&args.purposes)?;
    let places = Places::from_env();
    let findings: Vec<Finding> = TOOLS.iter().filter(|tool| purposes.contains(&tool.purpose)).map(|tool| find(tool, &places)).collect();
    match args.json {
        true => println!("{}", serde_json::to_string(&findings)?),
        false => print!("{}", table(&findings)),
    }
    Ok(ExitCode::from(u8::from(findings.iter().any(Finding::is_fault))))
}

fn purposes(names: &[String]) -> Result<Vec<Purpose>> {
    let find = |name: &String| Purpose::ALL.into_iter().find(|purpose| purpose.name() == name);
    if let Some(name) = names.iter().find(|name| find(name).is_none()) {
        bail!("there is no purpose `{name}`; there are {}", Purpose::ALL.map(Purpose::name).join(", "));
    }
    Ok(if names.is_empty() { Purpose::ALL.to_vec() } else { names.iter().filter_map(find).collect() })
}

fn table(findings: &[Finding]) -> String {
    let head = ["tool", "found", "needed", "for", "used by", "status"].map(str::to_owned);
    let rows = findings.iter().map(|f| {
        let found = f.found.clone().unwrap_or_else(|| "-".into());
        [f.name.into(), found, f.needed.clone(), f.purpose.name().into(), f.used_by.into(), status(f).into()]
    });
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(width).collect();
    let line = |row: &[String; 6]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned() + "\n"
    };
    let faults: Vec<&Finding> = findings.iter().filter(|f| f.state != State::Ok).collect();
    let fixes: String = faults.iter().map(|f| fix(f)).collect();
    let verdict = match findings.iter().filter(|f| f.is_fault()).count() {
        0 => "all that is needed is there\n".to_owned(),
        count => format!("{count} of {} tools are not as they must be\n", findings.len()),
    };
    let gap = if fixes.is_empty() { "" } else { "\n" };
    rows.iter().map(line).collect::<String>() + "\n" + &fixes + gap + &verdict
}

fn status(finding: &Finding) -> &'static str {
    match finding.state {
        State::Ok => "ok",
        State::Missing if finding.is_fault() => "MISSING",
        State::Missing => "missing, optional",
        State::WrongVersion => "WRONG VERSION",
        State::Broken => "DOES NOT RUN",
    }
}

fn fix(finding: &Finding) -> String {
    let note = finding.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
    format!("{}{note}: {}\n", finding.name, finding.fix)
}
