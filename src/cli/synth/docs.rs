// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle synth --docs`: the page of results from what earlier runs left in the cache.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use super::save;
use crate::synth::page::{Line, file_names, page};
use crate::synth::targets::{self, Found, Target};

/// Writes the page and those of the targets below `folder`, and says what was not run and what is missed.
pub fn run(folder: &Path) -> Result<ExitCode> {
    let mut lines = vec![];
    for target in targets::all()? {
        lines.push(line(target)?);
    }
    let results = folder.join("results");
    let pages = results.join("synth");
    for (line, _) in &lines {
        // Of a design that has changed since.
        file_names(&line.target).iter().for_each(|name| drop(std::fs::remove_file(pages.join(name))));
        line.files().unwrap_or_default().iter().try_for_each(|(name, text)| save(&pages.join(name), text))?;
    }
    save(&results.join("synth.md"), &page(&lines))?;
    for (line, _) in lines.iter().filter(|(line, _)| matches!(line.found, Found::NotRun)) {
        eprintln!("not run: {}", line.target.command(targets::SEEDS));
    }
    let missed: Vec<String> = lines.iter().filter_map(|(line, _)| Some(format!("{}: {}", line.target.title(), line.missed()?))).collect();
    missed.iter().for_each(|what| eprintln!("MISSED: {what}"));
    Ok(ExitCode::from(u8::from(!missed.is_empty())))
}

/// With the title of its device.
fn line(target: Target) -> Result<(Line, String)> {
    let device = target.prepare()?.1.device.title();
    let (found, products) = (target.found()?, target.products()?);
    let packed = if let Found::Result(outcome) = &found { outcome.packed()? } else { None };
    Ok((Line { target, found, products, packing_seconds: packed.map(|packed| packed.seconds) }, device))
}
