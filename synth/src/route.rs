// SPDX-License-Identifier: MIT OR Apache-2.0
//! nextpnr: place and route with one seed, cached by content.

use crate::{
    Design, Family, Options, SynthError, log,
    netlist::{self, Cell},
    run::{read, write},
    script,
    yosys::{self, Netlist},
};
use heddle_tools::{
    Program,
    cache::{self, Key},
};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Folder of the cache. An entry without cells is a design that cannot be placed or routed; its log says why.
const KIND: &str = "routed";
const LOG: &str = "nextpnr.log";
const REPORT: &str = "report.json";
const PLACED: &str = "placed.json";
const CELLS: &str = "cells.json";
const TIME: &str = "seconds";

/// What nextpnr reports.
#[derive(Clone, Debug, Deserialize)]
pub struct Timing {
    #[serde(default)]
    pub fmax: BTreeMap<String, Fmax>,
    #[serde(default)]
    pub critical_paths: Vec<CriticalPath>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Fmax {
    pub achieved: f64,
    pub constraint: f64,
}

/// A critical path between two clock edges.
#[derive(Clone, Debug, Deserialize)]
pub struct CriticalPath {
    pub from: String,
    pub to: String,
    pub path: Vec<Segment>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Segment {
    pub delay: f64,
    pub from: End,
    pub to: End,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub net: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct End {
    pub cell: String,
    pub port: String,
}

/// A routed design.
#[derive(Clone, Debug)]
pub struct Routed {
    pub seed: u32,
    pub folder: PathBuf,
    pub timing: Timing,
    pub cells: Vec<Cell>,
    pub seconds: f64,
}

/// One run of nextpnr.
pub struct Job<'a> {
    pub nextpnr: &'a Program,
    pub design: &'a Design,
    pub options: &'a Options,
    pub netlist: &'a Netlist,
}

/// The file that becomes the bitstream.
pub fn image(family: Family) -> &'static str {
    match family {
        Family::Ecp5 => "design.config",
        Family::Ice40 => "design.asc",
    }
}

fn constraint_file(family: Family) -> &'static str {
    match family {
        Family::Ecp5 => "design.lpf",
        Family::Ice40 => "design.pcf",
    }
}

impl Job<'_> {
    /// nextpnr's arguments. The program sees a `/tmp` of its own: every file is relative to its folder.
    pub fn arguments(&self, seed: u32) -> Vec<String> {
        let options = self.options;
        let family = options.device.family;
        let (constraints, place_pins) = match family {
            Family::Ecp5 => ("--lpf", options.constraints.is_none().then_some("--lpf-allow-unconstrained")),
            Family::Ice40 => ("--pcf", options.constraints.is_none().then_some("--pcf-allow-unconstrained")),
        };
        let output = if family == Family::Ecp5 { "--textcfg" } else { "--asc" };
        let mhz = options.mhz.to_string();
        let fixed = ["--json", yosys::NETLIST, constraints, constraint_file(family), output, image(family), "--freq", &mhz];
        let files = ["--report", REPORT, "--write", PLACED, "--log", LOG, "--quiet", "--timing-allow-fail"];
        let words = fixed.into_iter().chain(files).chain(place_pins).map(str::to_owned);
        let seed = ["--seed".to_owned(), seed.to_string()];
        options.device.arguments().into_iter().chain(words).chain(options.arguments.iter().cloned()).chain(seed).collect()
    }

    /// The command, for the report.
    pub fn command_line(&self, seed: u32) -> String {
        format!("nextpnr-{} {}", self.options.device.family.name(), self.arguments(seed).join(" "))
    }

    /// The result of a seed: from the cache, or made.
    pub fn run(&self, seed: u32) -> Result<Routed, SynthError> {
        let (constraints, arguments, key) = self.input(seed)?;
        let folder = cache::get_or_build(KIND, &key, |folder| self.fill(folder, &constraints, &arguments, seed))?;
        self.open(folder, seed)
    }

    /// The result of a seed if it was made before.
    pub fn stored(&self, seed: u32) -> Result<Option<Routed>, SynthError> {
        let (_, _, key) = self.input(seed)?;
        cache::find(KIND, &key).map(|folder| self.open(folder, seed)).transpose()
    }

    /// Constraints, arguments, and the key of both with the netlist.
    fn input(&self, seed: u32) -> Result<(String, Vec<String>, String), SynthError> {
        let constraints = script::constraints(self.design, self.options)?;
        let arguments = self.arguments(seed);
        let key = Key::new(KIND).part(&self.nextpnr.version).part(&self.netlist.key).part(&constraints);
        let key = key.parts(arguments.iter().map(String::as_str)).finish();
        Ok((constraints, arguments, key))
    }

    fn open(&self, folder: PathBuf, seed: u32) -> Result<Routed, SynthError> {
        if !folder.join(CELLS).is_file() {
            let log = std::fs::read_to_string(folder.join(LOG)).unwrap_or_default();
            return Err(log::nextpnr(&self.design.top, &log));
        }
        Ok(Routed {
            seed,
            timing: read(&folder.join(REPORT))?,
            cells: read(&folder.join(CELLS))?,
            seconds: read(&folder.join(TIME))?,
            folder,
        })
    }

    fn fill(&self, folder: &Path, constraints: &str, arguments: &[String], seed: u32) -> Result<(), SynthError> {
        let top = &self.design.top;
        let family = self.options.device.family;
        let of_constraints = folder.join(constraint_file(family));
        std::fs::write(&of_constraints, constraints).map_err(SynthError::file(&of_constraints))?;
        let netlist = folder.join(yosys::NETLIST);
        std::fs::copy(self.netlist.file(), &netlist).map_err(SynthError::file(&netlist))?;
        let start = Instant::now();
        let mut command = self.nextpnr.command();
        command.current_dir(folder).args(arguments);
        let ended = finish(command, self.options.limit).map_err(|e| self.failed(e.to_string()))?;
        let placed = folder.join(PLACED);
        match ended {
            None => return Err(SynthError::Limit { top: top.clone(), seed, seconds: self.options.limit.as_secs() }),
            Some((true, _)) if placed.is_file() => self.keep(folder, &placed)?,
            Some((_, said)) => self.keep_log(folder, &said)?,
        }
        // Large, and all that matters is taken from them.
        let large = [placed, netlist].into_iter().filter(|path| path.is_file());
        large.into_iter().try_for_each(|path| std::fs::remove_file(&path).map_err(SynthError::file(&path)))?;
        write(&folder.join(TIME), &start.elapsed().as_secs_f64())
    }

    /// What matters of a routed design.
    fn keep(&self, folder: &Path, placed: &Path) -> Result<(), SynthError> {
        let (cells, unrouted) = netlist::placed(placed, self.options.device.family)?;
        if !unrouted.is_empty() {
            return Err(SynthError::Unrouted { top: self.design.top.clone(), nets: unrouted });
        }
        write(&folder.join(CELLS), &cells)
    }

    /// The log of a design that cannot be placed or routed: another run would say the same. Other failures are not kept.
    fn keep_log(&self, folder: &Path, said: &str) -> Result<(), SynthError> {
        let path = folder.join(LOG);
        let log = std::fs::read_to_string(&path).unwrap_or_default() + said;
        match log::nextpnr(&self.design.top, &log) {
            SynthError::DoesNotFit { .. } | SynthError::Unplaceable { .. } | SynthError::Unrouted { .. } => {
                std::fs::write(&path, log).map_err(SynthError::file(&path))
            }
            error => Err(error),
        }
    }

    fn failed(&self, message: String) -> SynthError {
        SynthError::Failed { tool: "nextpnr", top: self.design.top.clone(), message }
    }
}

/// Whether a command succeeded and what it said; None if the time was over, in which case it is stopped.
fn finish(mut command: Command, limit: Duration) -> std::io::Result<Option<(bool, String)>> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let stderr = child.stderr.take();
    let said = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stderr) = stderr {
            let _ = std::io::Read::read_to_end(&mut stderr, &mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some((status.success(), said.join().unwrap_or_default())));
        }
        if Instant::now() > end {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
