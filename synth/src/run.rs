// SPDX-License-Identifier: MIT OR Apache-2.0
//! The whole flow: one synthesis, then place and route with several seeds side by side.

use crate::{
    Design, Options, Report, SynthError, floorplan,
    netlist::Cell,
    owners::owners,
    pack::{self, Packed},
    report,
    route::{Job, Routed},
    yosys::{self, Netlist},
};
use heddle_tools::{Program, Yosys, find_pinned, find_yosys};
use rayon::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, iter, path::Path};

/// Hears of each step; seeds are worked on side by side.
pub type Progress<'a> = &'a (dyn Fn(&str) + Sync);

/// A design that was placed and routed.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub report: Report,
    /// The seeds in their order; a folder of the cache each.
    routed: Vec<Routed>,
    /// Of the cells of the seed that stands for all.
    owners: Vec<Option<Vec<String>>>,
}

/// Figures of a design. Latches, black boxes, what does not fit and what cannot be routed are errors here; whether the
/// figures are acceptable, [`Outcome::check`] says.
pub fn measure(design: &Design, options: &Options, progress: Progress) -> Result<Outcome, SynthError> {
    let tools = Tools::find(options)?;
    progress(&format!("{}: Yosys", design.top));
    let netlist = yosys::synthesise(&tools.yosys, design, options)?;
    let job = tools.job(design, options, &netlist);
    let seeds: Vec<u32> = (1..=options.seeds).collect();
    let routed = seeds.par_iter().map(|&seed| {
        progress(&format!("{}: nextpnr, seed {seed} of {}", design.top, options.seeds));
        job.run(seed)
    });
    outcome(&tools, &job, routed.collect::<Result<Vec<Routed>, SynthError>>()?)
}

/// What [`measure`] gave before with the same design, options and tools, from the cache; None if it never ran. Of the seeds
/// `1..=options.seeds` those count that are there.
pub fn stored(design: &Design, options: &Options) -> Result<Option<Outcome>, SynthError> {
    let tools = Tools::find(options)?;
    let Some(netlist) = yosys::stored(&tools.yosys, design, options)? else { return Ok(None) };
    let job = tools.job(design, options, &netlist);
    let seeds = (1..=options.seeds).filter_map(|seed| job.stored(seed).transpose());
    let routed = seeds.collect::<Result<Vec<Routed>, SynthError>>()?;
    (!routed.is_empty()).then(|| outcome(&tools, &job, routed)).transpose()
}

struct Tools {
    yosys: Yosys,
    nextpnr: Program,
}

impl Tools {
    fn find(options: &Options) -> Result<Tools, SynthError> {
        legal(options)?;
        Ok(Tools { yosys: find_yosys()?, nextpnr: find_pinned(&format!("nextpnr-{}", options.device.family.name()))? })
    }

    fn job<'a>(&'a self, design: &'a Design, options: &'a Options, netlist: &'a Netlist) -> Job<'a> {
        Job { nextpnr: &self.nextpnr, design, options, netlist }
    }
}

fn legal(options: &Options) -> Result<(), SynthError> {
    if options.seeds == 0 {
        return Err(SynthError::Option { field: "seeds", value: "0".into(), legal: "at least 1" });
    }
    match options.mhz.is_finite() && options.mhz > 0.0 && options.mhz <= 2000.0 {
        true => Ok(()),
        false => Err(SynthError::Option { field: "mhz", value: options.mhz.to_string(), legal: "more than 0 and at most 2000" }),
    }
}

fn outcome(tools: &Tools, job: &Job, routed: Vec<Routed>) -> Result<Outcome, SynthError> {
    let (design, device) = (job.design, &job.options.device);
    let results = routed.iter().map(|r| report::seed(&design.top, r)).collect::<Result<Vec<_>, _>>()?;
    let middle = report::median(&results);
    let names = design.names();
    let owners = owners(&routed[middle].cells, &names);
    let (area, modules) = report::modules(&routed[middle].cells, &owners, &names);
    let report = Report {
        name: design.module.as_ref().map_or(&design.top, |m| &m.name).clone(),
        device: device.clone(),
        fmax_mhz: results[middle].fmax_mhz,
        slack_ns: results[middle].slack_ns,
        area,
        clocks: report::clocks(&results),
        modules,
        critical_path: report::critical_path(&routed[middle].timing.critical_paths, &names),
        synthesis_seconds: job.netlist.seconds,
        seeds: results,
        expected: job.options.expected,
        tools: BTreeMap::from([("yosys".into(), tools.yosys.version.clone()), ("nextpnr".into(), tools.nextpnr.version.clone())]),
        commands: iter::once(yosys::command_line()).chain(routed.iter().map(|r| job.command_line(r.seed))).collect(),
        script: job.netlist.script.clone(),
    };
    Ok(Outcome { report, routed, owners })
}

impl Outcome {
    /// See [`Report::check`].
    pub fn check(&self) -> Result<(), SynthError> {
        self.report.check()
    }

    /// Cells of the seed that stands for all, with their places.
    pub fn cells(&self) -> &[Cell] {
        &self.routed[report::median(&self.report.seeds)].cells
    }

    /// Where the modules are on the chip, as SVG.
    pub fn floorplan(&self) -> String {
        floorplan::svg(&self.report, self.cells(), &self.owners)
    }

    /// The seed with most slack.
    fn best(&self) -> &Routed {
        let slack = |i: &usize| self.report.seeds[*i].slack_ns;
        let best = (0..self.routed.len()).max_by(|a, b| slack(a).total_cmp(&slack(b)));
        &self.routed[best.unwrap_or(0)]
    }

    /// Packs the seed with most slack; `.bit` (ECP5) or `.bin` (iCE40) is what its file is called usually.
    pub fn pack(&self) -> Result<Packed, SynthError> {
        pack::pack(self.best(), self.report.device.family, &self.report.name)
    }

    /// What [`Outcome::pack`] gave before; None if it never ran.
    pub fn packed(&self) -> Result<Option<Packed>, SynthError> {
        pack::packed(self.best(), self.report.device.family)
    }

    /// Writes the bitstream of the seed with most slack.
    pub fn bitstream(&self, to: &Path) -> Result<(), SynthError> {
        std::fs::copy(self.pack()?.file, to).map(|_| ()).map_err(SynthError::file(to))
    }
}

/// Writes a value as JSON.
pub(crate) fn write(path: &Path, value: &impl Serialize) -> Result<(), SynthError> {
    let text = serde_json::to_string(value).map_err(|e| SynthError::File { path: path.to_owned(), reason: e.to_string() })?;
    std::fs::write(path, text).map_err(SynthError::file(path))
}

/// Reads a value from JSON.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, SynthError> {
    let text = std::fs::read_to_string(path).map_err(SynthError::file(path))?;
    serde_json::from_str(&text).map_err(|e| SynthError::File { path: path.to_owned(), reason: e.to_string() })
}
