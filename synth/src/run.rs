// SPDX-License-Identifier: MIT OR Apache-2.0
//! The whole flow: one synthesis, then place and route with several seeds side by side.

use crate::{
    Design, Family, Options, Report, SynthError, floorplan,
    names::Names,
    netlist::Cell,
    report,
    route::{self, Job, Routed},
    yosys,
};
use heddle_tools::{find_pinned, find_yosys};
use rayon::prelude::*;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Hears of each step; seeds are worked on side by side.
pub type Progress<'a> = &'a (dyn Fn(&str) + Sync);

/// A design that was placed and routed.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub report: Report,
    /// The seeds in their order; a folder of the cache each.
    routed: Vec<Routed>,
    module: Option<Arc<heddle_lang::Module>>,
    within: String,
}

/// Figures of a design. Latches, black boxes, what does not fit and what cannot be routed are errors here; whether the
/// figures are acceptable, [`Outcome::check`] says.
pub fn measure(design: &Design, options: &Options, progress: Progress) -> Result<Outcome, SynthError> {
    legal(options)?;
    let tool = find_yosys()?;
    let nextpnr = find_pinned(&format!("nextpnr-{}", options.device.family.name()))?;
    progress(&format!("{}: Yosys", design.top));
    let (netlist, key) = yosys::synthesise(&tool, design, options)?;
    let job = Job { nextpnr: &nextpnr, design, options, netlist: &netlist, key: &key };
    let seeds: Vec<u32> = (1..=options.seeds).collect();
    let routed = seeds.par_iter().map(|&seed| {
        progress(&format!("{}: nextpnr, seed {seed} of {}", design.top, options.seeds));
        job.run(seed)
    });
    let routed = routed.collect::<Result<Vec<Routed>, SynthError>>()?;
    let commands = vec![yosys::command_line(), format!("nextpnr-{} {}", options.device.family.name(), job.arguments(1).join(" "))];
    let tools = BTreeMap::from([("yosys".to_owned(), tool.version.clone()), ("nextpnr".to_owned(), nextpnr.version.clone())]);
    let results = routed.iter().map(|r| report::seed(&design.top, r)).collect::<Result<Vec<_>, _>>()?;
    let middle = report::median(&results);
    let names = Names::new(design.module.as_ref(), &design.within);
    let (area, modules) = report::modules(&routed[middle].cells, &names);
    let report = Report {
        name: design.module.as_ref().map_or(&design.top, |m| &m.name).clone(),
        device: options.device.clone(),
        fmax_mhz: results[middle].fmax_mhz,
        slack_ns: results[middle].slack_ns,
        area,
        clocks: report::clocks(&results),
        modules,
        critical_path: report::critical_path(&routed[middle].timing.critical_paths, &names),
        seeds: results,
        expected: options.expected,
        tools,
        commands,
    };
    Ok(Outcome { report, routed, module: design.module.clone(), within: design.within.clone() })
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
        floorplan::svg(&self.report, self.cells(), &Names::new(self.module.as_ref(), &self.within))
    }

    /// Writes the bitstream of the seed with most slack; `to` ends in `.bit` (ECP5) or `.bin` (iCE40).
    pub fn bitstream(&self, to: &Path) -> Result<(), SynthError> {
        let family = self.report.device.family;
        let best = self.report.seeds.iter().enumerate().max_by(|a, b| a.1.slack_ns.total_cmp(&b.1.slack_ns)).map_or(0, |(i, _)| i);
        let program = find_pinned(match family {
            Family::Ecp5 => "ecppack",
            Family::Ice40 => "icepack",
        })?;
        // In a folder of its own: WebAssembly sees no absolute path below `/tmp`.
        let work = tempfile::tempdir().map_err(SynthError::file(to))?;
        let (image, packed): (&str, PathBuf) = (route::image(family), work.path().join("design.bit"));
        std::fs::copy(self.routed[best].folder.join(image), work.path().join(image)).map_err(SynthError::file(to))?;
        let mut command = program.command();
        if family == Family::Ecp5 {
            command.arg("--compress");
        }
        let out = command.current_dir(work.path()).args([image, "design.bit"]).output().map_err(SynthError::file(&program.path))?;
        if !out.status.success() || !packed.is_file() {
            let message = String::from_utf8_lossy(&out.stderr).trim().to_owned();
            return Err(SynthError::Failed { tool: "the bitstream packer", top: self.report.name.clone(), message });
        }
        std::fs::copy(&packed, to).map(|_| ()).map_err(SynthError::file(to))
    }
}
