// SPDX-License-Identifier: MIT OR Apache-2.0
//! A netlist as Verilog for a simulator: the cells of the device replaced by what they do.
//!
//! The netlist is the one that place and route gets. Its cells are flattened into their behaviour with Yosys' models
//! of them; multipliers and block RAMs of ECP5, which are black boxes there, have the models of
//! [`Target::models`](heddle_lang::Target::models). Ports keep their names and widths.

use crate::{Design, Family, Options, SynthError, netlist, script, yosys};
use heddle_tools::{
    Yosys,
    cache::{self, Key},
    find_yosys,
};
use std::{collections::BTreeMap, path::Path};

/// Folder of the cache.
const KIND: &str = "gates";
const SCRIPT: &str = "gates.ys";
const LUTS: &str = "luts.v";
pub(crate) const VERILOG: &str = "gates.v";
/// What a tool wrote is simulated, not linted.
const QUIET: &str = "\
// Yosys' models of cells compare and shift vectors of different length.
/* verilator lint_off WIDTH */
// A flat netlist has vectors whose bits depend on each other, which is no loop.
/* verilator lint_off UNOPTFLAT */
";

/// The model of the family's lookup table, of which a netlist has thousands.
pub fn lut(family: Family) -> &'static str {
    match family {
        Family::Ecp5 => include_str!("../templates/lut_ecp5.v"),
        Family::Ice40 => include_str!("../templates/lut_ice40.v"),
    }
}

/// A netlist that a simulator takes.
#[derive(Clone, Debug)]
pub struct Gates {
    /// Name of the top; its ports are those of the design.
    pub top: String,
    /// Verilog: name and text.
    pub files: Vec<(String, String)>,
    /// Cells of the netlist by type.
    pub cells: BTreeMap<String, u32>,
}

/// Synthesises a design and gives its netlist; neither place nor route. Both steps are cached by content.
pub fn gates(design: &Design, options: &Options) -> Result<Gates, SynthError> {
    let tool = find_yosys()?;
    let netlist = yosys::synthesise(&tool, design, options)?;
    of_netlist(&tool, design, options, &netlist.file(), &netlist.key)
}

fn of_netlist(tool: &Yosys, design: &Design, options: &Options, from: &Path, key: &str) -> Result<Gates, SynthError> {
    let script = script::gates(design, options)?;
    let luts = lut(options.device.family);
    let key = Key::new(KIND).part(&tool.version).part(&script).part(luts).part(key).finish();
    let folder = cache::get_or_build(KIND, &key, |folder| run(tool, &design.top, [(SCRIPT, &script), (LUTS, luts)], from, folder))?;
    let mut gates = read(&folder, &design.top, netlist::counts(from, &design.top)?)?;
    let models = options.device.target().models();
    if !models.is_empty() {
        gates.files.push(("cells.v".into(), models.into()));
    }
    Ok(gates)
}

/// What a script left in a folder.
pub(crate) fn read(folder: &Path, top: &str, cells: BTreeMap<String, u32>) -> Result<Gates, SynthError> {
    let path = folder.join(VERILOG);
    let text = std::fs::read_to_string(&path).map_err(SynthError::file(&path))?;
    Ok(Gates { top: top.into(), files: vec![(VERILOG.into(), format!("{QUIET}{text}"))], cells })
}

fn run(tool: &Yosys, top: &str, files: [(&str, &str); 2], from: &Path, folder: &Path) -> Result<(), SynthError> {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(SynthError::file(&path))?;
    }
    let copy = folder.join(yosys::NETLIST);
    std::fs::copy(from, &copy).map_err(SynthError::file(from))?;
    yosys::script(tool, top, folder, SCRIPT, VERILOG)?;
    std::fs::remove_file(&copy).map_err(SynthError::file(&copy))
}
