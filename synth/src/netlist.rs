// SPDX-License-Identifier: MIT OR Apache-2.0
//! Netlists in Yosys' JSON, also as nextpnr writes them: cells with their places.

use crate::{Family, SynthError};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::BufReader,
    path::Path,
};

#[derive(Deserialize)]
pub(crate) struct Document {
    pub modules: BTreeMap<String, RawModule>,
}

#[derive(Deserialize)]
pub(crate) struct RawModule {
    #[serde(default)]
    attributes: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    pub ports: BTreeMap<String, RawPort>,
    #[serde(default)]
    pub cells: BTreeMap<String, RawCell>,
    #[serde(default)]
    netnames: BTreeMap<String, RawNet>,
}

#[derive(Deserialize)]
pub(crate) struct RawPort {
    pub direction: String,
    pub bits: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
pub(crate) struct RawCell {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    attributes: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    pub parameters: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    port_directions: BTreeMap<String, String>,
    #[serde(default)]
    pub connections: BTreeMap<String, Vec<serde_json::Value>>,
}

#[derive(Deserialize)]
struct RawNet {
    #[serde(default)]
    bits: Vec<serde_json::Value>,
    #[serde(default)]
    attributes: BTreeMap<String, serde_json::Value>,
}

/// What a cell is, as far as area counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Lut,
    /// A lookup table that is half of a carry cell, or has its carry in use.
    Carry,
    Ff,
    /// An iCE40 logic cell with both.
    LutFf,
    CarryFf,
    Dsp,
    Ram,
    Other,
}

/// A placed cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Path of instances, then the net that it was named after, divided by `.`.
    pub name: String,
    pub kind: Kind,
    /// Column and row of its tile.
    pub at: Option<(u32, u32)>,
    /// Indices of the cells that its carry comes from or goes to.
    pub chain: Vec<u32>,
    /// Indices of the cells that read its other outputs, those of wide nets left out.
    pub readers: Vec<u32>,
}

/// Readers of a net beyond which it says nothing of where its driver belongs.
const WIDE: usize = 32;

impl Document {
    fn module(&self, path: &Path, top: &str) -> Result<&RawModule, SynthError> {
        let none = || SynthError::File { path: path.to_owned(), reason: format!("there is no module `{top}` in the netlist") };
        self.modules.get(top).ok_or_else(none)
    }
}

pub(crate) fn read(path: &Path) -> Result<Document, SynthError> {
    let file = File::open(path).map_err(SynthError::file(path))?;
    serde_json::from_reader(BufReader::new(file)).map_err(|e| SynthError::File { path: path.to_owned(), reason: e.to_string() })
}

/// Refuses a netlist with a cell that the device does not have: one whose module is not among those of Yosys.
pub fn check(path: &Path, top: &str) -> Result<(), SynthError> {
    let document = read(path)?;
    let module = document.module(path, top)?;
    let of_device = |kind: &str| {
        let source = document.modules.get(kind).and_then(|m| m.attributes.get("src")).and_then(|s| s.as_str());
        kind.starts_with('$') || source.is_some_and(|source| source.contains("/share/"))
    };
    match module.cells.iter().find(|(_, cell)| !of_device(&cell.kind)) {
        None => Ok(()),
        Some((name, cell)) => Err(SynthError::BlackBox { top: top.into(), module: cell.kind.clone(), instance: plain(name) }),
    }
}

/// Cells of a netlist by type.
pub fn counts(path: &Path, top: &str) -> Result<BTreeMap<String, u32>, SynthError> {
    let document = read(path)?;
    let mut counts = BTreeMap::new();
    for cell in document.module(path, top)?.cells.values() {
        *counts.entry(cell.kind.clone()).or_default() += 1;
    }
    // What remembers the hierarchy is no cell.
    counts.remove("$scopeinfo");
    Ok(counts)
}

/// Placed cells of nextpnr's JSON, and the nets that are not routed. The tool names the design as it likes.
pub fn placed(path: &Path, family: Family) -> Result<(Vec<Cell>, Vec<String>), SynthError> {
    let document = read(path)?;
    let name = document.modules.keys().next().cloned().unwrap_or_default();
    let module = document.module(path, &name)?;
    let wires = Wires::of(module);
    let cells = module.cells.iter().enumerate().map(|(i, (name, cell))| Cell {
        name: plain(name),
        kind: kind(family, cell),
        at: cell.attributes.get("NEXTPNR_BEL").and_then(|bel| position(bel.as_str()?)),
        chain: wires.neighbours(i as u32, cell, true),
        readers: wires.neighbours(i as u32, cell, false),
    });
    Ok((cells.collect(), unrouted(module)))
}

/// Cells by the nets that they read and drive.
struct Wires {
    readers: BTreeMap<u64, Vec<u32>>,
    drivers: BTreeMap<u64, u32>,
}

impl Wires {
    fn of(module: &RawModule) -> Wires {
        let mut wires = Wires { readers: BTreeMap::new(), drivers: BTreeMap::new() };
        for (i, cell) in (0..).zip(module.cells.values()) {
            for (port, bits) in &cell.connections {
                for bit in bits.iter().filter_map(serde_json::Value::as_u64) {
                    match cell.drives(port) {
                        true => drop(wires.drivers.insert(bit, i)),
                        false => wires.readers.entry(bit).or_default().push(i),
                    }
                }
            }
        }
        wires
    }

    /// Of a cell with this index: those on its carry pins, or those that read its other outputs.
    fn neighbours(&self, index: u32, cell: &RawCell, carry: bool) -> Vec<u32> {
        let mut found = BTreeSet::new();
        for (port, bits) in cell.connections.iter().filter(|(port, _)| CARRY.contains(&port.as_str()) == carry) {
            for bit in bits.iter().filter_map(serde_json::Value::as_u64) {
                match cell.drives(port) {
                    true => found.extend(self.readers.get(&bit).filter(|all| all.len() <= WIDE).into_iter().flatten().copied()),
                    false if carry => found.extend(self.drivers.get(&bit).copied()),
                    false => {}
                }
            }
        }
        found.remove(&index);
        found.into_iter().collect()
    }
}

/// Pins of carry chains: of ECP5, then of iCE40.
const CARRY: [&str; 4] = ["FCI", "FCO", "CIN", "COUT"];

impl RawCell {
    fn drives(&self, port: &str) -> bool {
        self.port_directions.get(port).is_some_and(|direction| direction == "output")
    }
}

/// Nets that a cell drives and a cell reads, without a route.
fn unrouted(module: &RawModule) -> Vec<String> {
    let (mut driven, mut used) = (BTreeSet::new(), BTreeSet::new());
    for cell in module.cells.values().filter(|cell| cell.attributes.contains_key("NEXTPNR_BEL")) {
        for (port, bits) in &cell.connections {
            let set = if cell.drives(port) { &mut driven } else { &mut used };
            set.extend(bits.iter().filter_map(serde_json::Value::as_u64));
        }
    }
    let whole =
        |net: &&RawNet| net.bits.iter().filter_map(serde_json::Value::as_u64).all(|bit| driven.contains(&bit) && used.contains(&bit));
    let has_route = |net: &RawNet| net.attributes.get("ROUTING").and_then(|r| r.as_str()).is_some_and(|route| !route.trim().is_empty());
    let lost = module.netnames.iter().filter(|(_, net)| !net.bits.is_empty() && whole(net) && !has_route(net));
    lost.map(|(name, _)| plain(name)).collect()
}

/// Names that Yosys made up start with `$flatten\` and have backslashes between instances.
fn plain(name: &str) -> String {
    name.strip_prefix("$flatten").unwrap_or(name).replace('\\', "")
}

/// `X12/Y3/...`
fn position(bel: &str) -> Option<(u32, u32)> {
    let mut parts = bel.split('/');
    let x = parts.next()?.strip_prefix('X')?.parse().ok()?;
    let y = parts.next()?.strip_prefix('Y')?.parse().ok()?;
    Some((x, y))
}

fn kind(family: Family, cell: &RawCell) -> Kind {
    let parameter =
        |name: &str| cell.parameters.get(name).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).unwrap_or_default();
    let is_set = |name: &str| parameter(name).trim_start_matches('0').starts_with('1');
    match (family, cell.kind.as_str()) {
        (Family::Ecp5, "TRELLIS_COMB") if parameter("MODE") == "CCU2" => Kind::Carry,
        (Family::Ecp5, "TRELLIS_COMB") => Kind::Lut,
        (Family::Ecp5, "TRELLIS_FF") => Kind::Ff,
        (Family::Ice40, "ICESTORM_LC") => match (is_set("CARRY_ENABLE"), is_set("DFF_ENABLE")) {
            (false, false) => Kind::Lut,
            (true, false) => Kind::Carry,
            (false, true) => Kind::LutFf,
            (true, true) => Kind::CarryFf,
        },
        (_, name) if name == family.multiplier() || name == "ICESTORM_DSP" => Kind::Dsp,
        (_, name) if family.is_ram(name) || name == "ICESTORM_SPRAM" => Kind::Ram,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_names_are_read() {
        assert_eq!(position("X12/Y3/SLICEA.COMB0"), Some((12, 3)));
        assert_eq!(position("NONE"), None);
        assert_eq!(plain("$flatten\\dut.\\a.$1"), "dut.a.$1");
    }
}
