// SPDX-License-Identifier: MIT OR Apache-2.0
//! Yosys: from Verilog to a netlist of the device's cells, cached by content.

use crate::{
    Design, Options, SynthError, log, netlist,
    run::{read, write},
    script,
};
use heddle_tools::{
    Yosys,
    cache::{self, Key},
};
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

/// Folder of the cache.
const KIND: &str = "netlist";
pub const NETLIST: &str = "netlist.json";
const LOG: &str = "yosys.log";
const TIME: &str = "seconds";

/// A netlist of the device's cells.
#[derive(Clone, Debug)]
pub struct Netlist {
    /// A folder of the cache, and the key of it.
    pub folder: PathBuf,
    pub key: String,
    /// Of the run that made it.
    pub seconds: f64,
    /// What Yosys ran.
    pub script: String,
}

impl Netlist {
    fn open(folder: PathBuf, key: String, script: String) -> Result<Netlist, SynthError> {
        Ok(Netlist { seconds: read(&folder.join(TIME))?, folder, key, script })
    }

    /// The netlist in JSON.
    pub fn file(&self) -> PathBuf {
        self.folder.join(NETLIST)
    }
}

/// What Yosys is given.
struct Input {
    script: String,
    sources: Vec<(String, String)>,
    key: String,
}

fn input(yosys: &Yosys, design: &Design, options: &Options) -> Result<Input, SynthError> {
    let sources = design.sources(options.device.target())?;
    let script = script::yosys(design, options, &sources)?;
    let files = sources.iter().flat_map(|(name, text)| [name.as_str(), text]);
    let key = Key::new(KIND).part(&yosys.version).part(&script).parts(files).finish();
    Ok(Input { script, sources, key })
}

/// The netlist of a design.
pub fn synthesise(yosys: &Yosys, design: &Design, options: &Options) -> Result<Netlist, SynthError> {
    let Input { script, sources, key } = input(yosys, design, options)?;
    let folder = cache::get_or_build(KIND, &key, |folder| run(yosys, &design.top, &sources, &script, folder))?;
    Netlist::open(folder, key, script)
}

/// The netlist if it was made before.
pub fn stored(yosys: &Yosys, design: &Design, options: &Options) -> Result<Option<Netlist>, SynthError> {
    let Input { script, key, .. } = input(yosys, design, options)?;
    cache::find(KIND, &key).map(|folder| Netlist::open(folder, key, script)).transpose()
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
    let start = Instant::now();
    self::script(yosys, top, folder, "script.ys", NETLIST)?;
    write(&folder.join(TIME), &start.elapsed().as_secs_f64())?;
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
