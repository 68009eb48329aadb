// SPDX-License-Identifier: MIT OR Apache-2.0
//! Area of a module after synthesis by Yosys.

use crate::tools::{ToolError, Yosys};
use heddle_lang::{Module, verilog};
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// A family of FPGAs that Yosys maps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Ecp5,
    Ice40,
}

impl Family {
    /// As in Yosys' `synth_*`.
    pub fn name(self) -> &'static str {
        match self {
            Family::Ecp5 => "ecp5",
            Family::Ice40 => "ice40",
        }
    }
}

/// Cells of a synthesised module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Area {
    pub luts: u32,
    /// Of two bits in ECP5, of one in iCE40.
    pub carries: u32,
    pub registers: u32,
    /// Memory in lookup tables, 16 x 4 bits each.
    pub lut_memories: u32,
    pub block_memories: u32,
}

/// Why there is no area.
#[derive(Debug, thiserror::Error)]
pub enum AreaError {
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error("{module}: {reason}")]
    Verilog { module: String, reason: String },
    #[error("{module}: Yosys: {reason}")]
    Yosys { module: String, reason: String },
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Synthesises a module, flattened, and counts its cells.
pub fn area(yosys: &Yosys, module: &Arc<Module>, family: Family) -> Result<Area, AreaError> {
    let dir = tempfile::tempdir()?;
    let failed = |reason: String| AreaError::Verilog { module: module.name.clone(), reason };
    let files = verilog::files(module, &verilog::Options::default()).map_err(|e| failed(e.to_string()))?;
    let mut names = Vec::new();
    for file in files {
        std::fs::write(dir.path().join(&file.name), &file.text)?;
        names.push(file.name);
    }
    let script = format!("read_verilog {}; synth_{} -top {}; tee -q -o cells.txt stat", names.join(" "), family.name(), module.name);
    run(yosys, dir.path(), &script, module)?;
    let text = std::fs::read_to_string(dir.path().join("cells.txt"))?;
    Ok(Area::of(&cells(&text)))
}

fn run(yosys: &Yosys, dir: &Path, script: &str, module: &Module) -> Result<(), AreaError> {
    let out = yosys.command().current_dir(dir).args(["-q", "-p", script]).output()?;
    match out.status.success() && dir.join("cells.txt").is_file() {
        true => Ok(()),
        false => Err(AreaError::Yosys { module: module.name.clone(), reason: String::from_utf8_lossy(&out.stdout).into_owned() }),
    }
}

/// Counts by kind of cell: lines with a number and a name that is written as cells are.
fn cells(text: &str) -> BTreeMap<String, u32> {
    let mut cells = BTreeMap::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let pair = match words[..] {
            [a, b] => a.parse().map(|count| (b, count)).or_else(|_| b.parse().map(|count| (a, count))),
            _ => continue,
        };
        if let Ok((name, count)) = pair
            && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        {
            cells.insert(name.to_owned(), count);
        }
    }
    cells
}

impl Area {
    fn of(cells: &BTreeMap<String, u32>) -> Area {
        let sum = |of: &dyn Fn(&str) -> bool| cells.iter().filter(|(name, _)| of(name)).map(|(_, count)| count).sum();
        Area {
            luts: sum(&|name| name == "LUT4" || name == "SB_LUT4"),
            carries: sum(&|name| name == "CCU2C" || name == "SB_CARRY"),
            registers: sum(&|name| name == "TRELLIS_FF" || name.starts_with("SB_DFF")),
            lut_memories: sum(&|name| name == "TRELLIS_DPR16X4"),
            block_memories: sum(&|name| name == "DP16KD" || name.starts_with("SB_RAM40")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_counted_by_kind() {
        let text = "\n=== power_idle ===\n\n   8 wires\n   3   SB_DFFSR\n   4   SB_LUT4\n   2   SB_DFF\n     SB_CARRY  7\n";
        let expected = Area { luts: 4, carries: 7, registers: 5, lut_memories: 0, block_memories: 0 };
        assert_eq!(Area::of(&cells(text)), expected);
    }
}
