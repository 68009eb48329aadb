// SPDX-License-Identifier: MIT OR Apache-2.0
//! Yosys: from Verilog to a netlist of the device's cells, cached by content.

use crate::{Design, Options, SynthError, log, netlist, script};
use heddle_tools::{
    Yosys,
    cache::{self, Key},
};
use std::path::{Path, PathBuf};

/// Folder of the cache.
const KIND: &str = "synth";
pub const NETLIST: &str = "netlist.json";
const LOG: &str = "yosys.log";

/// The folder with the netlist of a design, and its key.
pub fn synthesise(yosys: &Yosys, design: &Design, options: &Options) -> Result<(PathBuf, String), SynthError> {
    let sources = design.sources(options.device.target())?;
    let script = script::yosys(design, options, &sources)?;
    let files = sources.iter().flat_map(|(name, text)| [name.as_str(), text]);
    let key = Key::new(KIND).part(&yosys.version).part(&script).parts(files).finish();
    let folder = cache::get_or_build(KIND, &key, |folder| run(yosys, &design.top, &sources, &script, folder))?;
    Ok((folder, key))
}

/// The command, for the report.
pub fn command_line() -> String {
    format!("yosys -q -l {LOG} script.ys")
}

fn run(yosys: &Yosys, top: &str, sources: &[(String, String)], script: &str, folder: &Path) -> Result<(), SynthError> {
    for (name, text) in sources.iter().map(|(name, text)| (name.as_str(), text.as_str())).chain([("script.ys", script)]) {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(SynthError::file(&path))?;
    }
    self::script(yosys, top, folder, "script.ys", NETLIST)?;
    netlist::check(&folder.join(NETLIST), top)
}

/// Runs a script of a folder, which must leave a file there.
pub fn script(yosys: &Yosys, top: &str, folder: &Path, script: &str, result: &str) -> Result<(), SynthError> {
    let mut command = yosys.command();
    command.current_dir(folder).args(["-q", "-l", LOG, script]);
    let out = command.output().map_err(|e| SynthError::Failed { tool: "Yosys", top: top.into(), message: e.to_string() })?;
    let text = std::fs::read_to_string(folder.join(LOG)).unwrap_or_default();
    match out.status.success() && folder.join(result).is_file() {
        true => Ok(()),
        false => Err(log::yosys(top, &(text + &String::from_utf8_lossy(&out.stderr)))),
    }
}
