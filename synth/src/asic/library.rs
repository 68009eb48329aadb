// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the cells of Liberty files are: area, leakage, capacitances, functions and internal power, in SI units.

use super::{
    AsicError,
    function::{self, Function},
    liberty::{self, Group},
    table::{Table, Templates},
};
use std::{collections::BTreeMap, io::Read, path::Path};

/// Bytes of a file once unpacked; the largest open libraries have 13 million.
const MAX_BYTES: u64 = 256 << 20;

/// A library of standard cells at one corner.
#[derive(Clone, Debug)]
pub struct Library {
    /// Of the files, joined with `+`.
    pub name: String,
    pub corner: Corner,
    pub cells: BTreeMap<String, Cell>,
    /// The files as text, for Yosys and for the key of the cache.
    pub(crate) texts: Vec<String>,
}

/// Where the figures of a library hold.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Corner {
    /// Of the operating conditions.
    pub name: String,
    pub volts: f64,
    pub celsius: f64,
    /// Of the process; 1 is typical.
    pub process: f64,
}

/// A cell.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// um2, as the library says.
    pub area: f64,
    /// W; the mean over its states.
    pub leakage: f64,
    pub pins: BTreeMap<String, Pin>,
    pub register: Option<Register>,
}

/// A pin.
#[derive(Clone, Debug, Default)]
pub struct Pin {
    pub output: bool,
    /// F, of an input.
    pub capacitance: f64,
    /// Of an output; in a register it may be the name of the state.
    pub function: Option<String>,
    /// J for each toggle, by input transition and load; the mean of rising and falling and of all related pins.
    pub energy: Vec<Table>,
}

/// An edge-triggered register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// Names of the state and its complement.
    pub state: (String, String),
    pub clock: String,
    pub next: Function,
    /// Functions that set or clear it at once.
    pub asynchronous: Vec<Function>,
}

/// Factors to SI units.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Units {
    farad: f64,
    watt: f64,
    volt: f64,
    second: f64,
}

impl Library {
    /// Reads files (`.lib` or `.lib.gz`) that together are one library: same units and corner.
    pub fn read(paths: &[impl AsRef<Path>]) -> Result<Library, AsicError> {
        let texts = paths.iter().map(|path| Ok((path.as_ref().display().to_string(), read_file(path.as_ref())?)));
        Library::of(texts.collect::<Result<Vec<_>, AsicError>>()?)
    }

    /// From names and texts of files.
    pub fn of(texts: Vec<(String, String)>) -> Result<Library, AsicError> {
        let mut library: Option<(Library, Units)> = None;
        for (file, text) in texts {
            let group = liberty::parse(&text, &file)?;
            let bad = |reason: String| AsicError::Library { file: file.clone(), reason };
            let (units, corner) = (units(&group).map_err(bad)?, corner(&group).map_err(bad)?);
            let cells = cells(&group, units).map_err(bad)?;
            match &mut library {
                None => {
                    let name = group.name().to_owned();
                    library = Some((Library { name, corner, cells, texts: vec![text] }, units));
                }
                Some((whole, of_first)) if *of_first == units && whole.corner.volts == corner.volts => {
                    whole.name += &format!("+{}", group.name());
                    whole.cells.extend(cells);
                    whole.texts.push(text);
                }
                Some(_) => return Err(bad("has other units or another voltage than the first file".into())),
            }
        }
        library.map(|(library, _)| library).ok_or(AsicError::NoLiberty { hint: super::HOW_TO_GET.into() })
    }

    /// The node, of libraries that are known by their names.
    pub fn node(&self) -> Option<&'static str> {
        let known =
            [("sg13g2", "IHP SG13G2, 130 nm"), ("sky130", "SkyWater 130 nm"), ("asap7", "ASAP7, 7 nm (predictive)"), ("osu018", "180 nm")];
        let name = self.name.to_lowercase();
        known.into_iter().find(|(part, _)| name.contains(part)).map(|(_, node)| node)
    }
}

fn read_file(path: &Path) -> Result<String, AsicError> {
    let failed = |e: std::io::Error| AsicError::Library { file: path.display().to_string(), reason: e.to_string() };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = vec![];
    match path.extension().is_some_and(|extension| extension == "gz") {
        true => flate2::read::MultiGzDecoder::new(file).take(MAX_BYTES + 1).read_to_end(&mut bytes),
        false => file.take(MAX_BYTES + 1).read_to_end(&mut bytes),
    }
    .map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(failed(std::io::Error::other(format!("more than {MAX_BYTES} bytes"))));
    }
    String::from_utf8(bytes).map_err(|_| failed(std::io::Error::other("not text in UTF-8")))
}

fn units(library: &Group) -> Result<Units, String> {
    let capacitance = library.values("capacitive_load_unit").unwrap_or_default();
    let [count, unit] = capacitance else { return Err("`capacitive_load_unit` must have a number and a unit".into()) };
    let count: f64 = count.parse().map_err(|_| format!("`capacitive_load_unit` is `{count}`, not a number"))?;
    let scaled = |attribute: &str, default: &str| unit_of(attribute, library.get(attribute).unwrap_or(default));
    Ok(Units {
        farad: count * unit_of("capacitive_load_unit", &format!("1{}", unit.to_lowercase()))?,
        watt: scaled("leakage_power_unit", "1nW")?,
        volt: scaled("voltage_unit", "1V")?,
        second: scaled("time_unit", "1ns")?,
    })
}

/// `1ns`, `10ps`, `1V`, `1pW`, `100fF`.
fn unit_of(attribute: &str, text: &str) -> Result<f64, String> {
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (count, unit) = text.split_at(end);
    let factor = match unit.chars().next().filter(|_| unit.len() > 1) {
        None => Some(1.0),
        Some('m') => Some(1e-3),
        Some('u') => Some(1e-6),
        Some('n') => Some(1e-9),
        Some('p') => Some(1e-12),
        Some('f') => Some(1e-15),
        Some(_) => None,
    };
    let count: Option<f64> = count.trim().parse().ok().filter(|n: &f64| n.is_finite() && *n > 0.0);
    count.zip(factor).map(|(count, factor)| count * factor).ok_or_else(|| format!("`{attribute}` is `{text}`; legal is such as `1ns`"))
}

fn corner(library: &Group) -> Result<Corner, String> {
    let conditions =
        library.get("default_operating_conditions").and_then(|name| library.of("operating_conditions").find(|g| g.name() == name));
    let of = |attribute: &str, nominal: &str| conditions.and_then(|g| g.number(attribute)).or_else(|| library.number(nominal));
    let volts = of("voltage", "nom_voltage").filter(|v| *v > 0.0).ok_or("has no voltage (`nom_voltage`)")?;
    let name = conditions.map_or("nominal", Group::name).to_owned();
    Ok(Corner {
        name,
        volts,
        celsius: of("temperature", "nom_temperature").unwrap_or(25.0),
        process: of("process", "nom_process").unwrap_or(1.0),
    })
}

fn cells(library: &Group, units: Units) -> Result<BTreeMap<String, Cell>, String> {
    let templates = Templates::of(library);
    let default = library.number("default_cell_leakage_power").unwrap_or(0.0);
    let pin_default = library.number("default_input_pin_cap").unwrap_or(0.0);
    let cell = |group: &Group| -> Result<(String, Cell), String> {
        let within = |reason: String| format!("cell `{}`: {reason}", group.name());
        let states: Vec<f64> = group.of("leakage_power").filter_map(|state| state.number("value")).collect();
        let mean = (!states.is_empty()).then(|| states.iter().sum::<f64>() / states.len() as f64);
        let leakage = group.number("cell_leakage_power").or(mean).unwrap_or(default) * units.watt;
        let area = group.number("area").filter(|area| *area >= 0.0).ok_or_else(|| within("no `area`".into()))?;
        let pins = group.of("pin").map(|p| Ok((p.name().to_owned(), pin(p, &templates, units, pin_default)?)));
        let pins = pins.collect::<Result<_, String>>().map_err(within)?;
        Ok((group.name().to_owned(), Cell { area, leakage, pins, register: register(group).map_err(within)? }))
    };
    library.of("cell").map(cell).collect()
}

fn pin(group: &Group, templates: &Templates, units: Units, default: f64) -> Result<Pin, String> {
    let output = group.get("direction") == Some("output");
    let energy = group.of("internal_power").flat_map(|power| &power.groups);
    let energy = energy.filter(|table| matches!(table.kind.as_str(), "rise_power" | "fall_power" | "power"));
    // The unit of energy follows from those of capacitance and voltage.
    let joule = units.farad * units.volt * units.volt;
    let read = |table: &Group| templates.read(table, units.second, units.farad, joule).map_err(|e| format!("pin `{}`: {e}", group.name()));
    Ok(Pin {
        output,
        capacitance: if output { 0.0 } else { group.number("capacitance").unwrap_or(default) * units.farad },
        function: group.get("function").map(str::to_owned).filter(|_| output),
        energy: energy.map(read).collect::<Result<_, _>>()?,
    })
}

fn register(cell: &Group) -> Result<Option<Register>, String> {
    let Some(ff) = cell.of("ff").next() else { return Ok(None) };
    let need = |name: &str| ff.get(name).ok_or_else(|| format!("register without `{name}`"));
    let [state, complement] = ff.arguments.as_slice() else { return Err("a register has a state and its complement".into()) };
    let asynchronous = ["clear", "preset"].into_iter().filter_map(|name| ff.get(name)).map(function::parse).collect::<Result<_, _>>()?;
    Ok(Some(Register {
        state: (state.clone(), complement.clone()),
        clock: need("clocked_on")?.trim_matches(['(', ')', ' ']).into(),
        next: function::parse(need("next_state")?)?,
        asynchronous,
    }))
}
