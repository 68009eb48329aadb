// SPDX-License-Identifier: MIT OR Apache-2.0
//! An iCE40 bitstream back to Verilog: what the chip would do, after packing, placement, routing and the bitstream itself.
//!
//! icepack, iceunpack, icebox_vlog; then Yosys puts the behaviour in place of the cells, as for a netlist. icebox_vlog
//! knows no SB_MAC16: a design with one is refused.

use crate::{
    Design, Family, Options, Outcome, SynthError,
    gates::{self, Gates},
    script, yosys,
};
use heddle_tools::{
    Program, Yosys,
    cache::{self, Key},
    find_pinned, find_yosys,
};
use std::path::Path;

/// Folder of the cache.
const KIND: &str = "unpacked";
const SCRIPT: &str = "gates.ys";
const BITSTREAM: &str = "design.bit";
const UNPACKED: &str = "unpacked.asc";
const CONSTRAINTS: &str = "pins.pcf";
const CHIP: &str = "chip.v";

/// The Verilog of the bitstream of a placed design; its pins are in the constraints of the options.
pub fn unpacked(design: &Design, options: &Options, outcome: &Outcome) -> Result<Gates, SynthError> {
    if options.device.family != Family::Ice40 {
        return Err(SynthError::Option { field: "device", value: options.device.title(), legal: "an iCE40" });
    }
    if outcome.report.area.dsp > 0 {
        return Err(SynthError::NotReadBack { top: design.top.clone(), count: outcome.report.area.dsp });
    }
    let job = Job {
        yosys: find_yosys()?,
        iceunpack: find_pinned("iceunpack")?,
        icebox: find_pinned("icebox_vlog")?,
        top: &design.top,
        package: &options.device.package,
        constraints: options.constraints.as_deref().unwrap_or_default(),
        script: script::unpacked(design, options)?,
    };
    let packed = outcome.pack()?;
    let versions = [&job.yosys.version, &job.iceunpack.version, &job.icebox.version];
    let key = Key::new(KIND).parts(versions.map(String::as_str)).part(&packed.key).part(job.constraints).part(&job.script).finish();
    let folder = cache::get_or_build(KIND, &key, |folder| job.run(&packed.file, folder))?;
    gates::read(&folder, &design.top, Default::default())
}

struct Job<'a> {
    yosys: Yosys,
    iceunpack: Program,
    icebox: Program,
    top: &'a str,
    package: &'a str,
    constraints: &'a str,
    script: String,
}

impl Job<'_> {
    fn run(&self, bitstream: &Path, folder: &Path) -> Result<(), SynthError> {
        for (name, text) in [(SCRIPT, self.script.as_str()), (CONSTRAINTS, self.constraints)] {
            std::fs::write(folder.join(name), text).map_err(SynthError::file(&folder.join(name)))?;
        }
        std::fs::copy(bitstream, folder.join(BITSTREAM)).map_err(SynthError::file(bitstream))?;
        self.tool("iceunpack", &self.iceunpack, folder, &[BITSTREAM, UNPACKED])?;
        // Without comments, ports of several bits together.
        let arguments = ["-s", "-c", "-n", self.top, "-p", CONSTRAINTS, "-d", self.package, UNPACKED];
        let chip = self.tool("icebox_vlog", &self.icebox, folder, &arguments)?;
        std::fs::write(folder.join(CHIP), chip).map_err(SynthError::file(&folder.join(CHIP)))?;
        yosys::script(&self.yosys, self.top, folder, SCRIPT, gates::VERILOG)?;
        std::fs::remove_file(folder.join(UNPACKED)).map_err(SynthError::file(&folder.join(UNPACKED)))
    }

    /// What a program prints.
    fn tool(&self, tool: &'static str, program: &Program, folder: &Path, arguments: &[&str]) -> Result<Vec<u8>, SynthError> {
        let failed = |message: String| SynthError::Failed { tool, top: self.top.to_owned(), message };
        let mut command = program.command();
        // icebox_vlog writes in the order of Python's sets.
        command.current_dir(folder).env("PYTHONHASHSEED", "0").args(arguments);
        let out = command.output().map_err(|e| failed(e.to_string()))?;
        match out.status.success() {
            true => Ok(out.stdout),
            false => Err(failed(String::from_utf8_lossy(&out.stderr).trim().to_owned())),
        }
    }
}
