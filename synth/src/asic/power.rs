// SPDX-License-Identifier: MIT OR Apache-2.0
//! Energy of counted activity, by the library's figures.
//!
//! A net that changes costs half of C V^2 for the inputs that it drives, and what the library says of its driver at that
//! load; a change at an input pin costs what the library says of that pin. The clock changes twice a cycle. The load of a
//! net is the capacitance of its input pins: there are no wires.

use super::{
    Flat, Library, Sim,
    library::{Cell, Pin},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Transition at every input, at which tables are read: 0.1 ns, or the nearest that a table has.
pub const TRANSITION: f64 = 0.1e-9;

/// Figures of an instance with all below it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Row {
    /// Path of instances, `/` between them; empty: the whole.
    pub path: String,
    pub cells: u64,
    pub registers: u64,
    pub area_um2: f64,
    /// Bits in memories, which are neither in area nor in power.
    pub memory_bits: u64,
    pub leakage_w: f64,
    /// Of the cycles that were counted.
    pub dynamic_j: f64,
    /// The part of it that the clock takes: its net and the registers' clock pins.
    pub clock_j: f64,
}

impl Row {
    fn add(&mut self, other: &Row) {
        self.cells += other.cells;
        self.registers += other.registers;
        self.area_um2 += other.area_um2;
        self.memory_bits += other.memory_bits;
        self.leakage_w += other.leakage_w;
        self.dynamic_j += other.dynamic_j;
        self.clock_j += other.clock_j;
    }
}

/// Figures of each instance, without those below it, for the activity that a simulation has counted.
pub fn own(sim: &Sim, library: &Library) -> Vec<Row> {
    let flat = sim.flat();
    let (toggles, cycles) = sim.activity();
    let volts2 = library.corner.volts * library.corner.volts;
    let loads = loads(flat, library);
    let count = |net: u32| if Some(net) == flat.clock { 2 * cycles } else { toggles[net as usize] } as f64;
    let mut rows: Vec<Row> = flat.instances.iter().map(|path| Row { path: path.clone(), ..Row::default() }).collect();
    for placed in &flat.cells {
        let Some(cell) = library.cells.get(&placed.kind) else { continue };
        let row = &mut rows[placed.instance as usize];
        row.cells += 1;
        row.registers += u64::from(cell.register.is_some());
        row.area_um2 += cell.area;
        row.leakage_w += cell.leakage;
        for (name, net) in &placed.pins {
            let Some(pin) = cell.pins.get(name) else { continue };
            let changes = count(*net);
            if pin.output {
                let load = loads[*net as usize];
                row.dynamic_j += changes * (energy(pin, load) + 0.5 * load * volts2);
            } else if Some(*net) == flat.clock {
                // The clock has no driver here: its pins carry its load.
                row.clock_j += changes * (energy(pin, 0.0) + 0.5 * pin.capacitance * volts2);
            } else {
                row.dynamic_j += changes * energy(pin, 0.0);
            }
        }
    }
    for memory in &flat.memories {
        rows[memory.instance as usize].memory_bits += u64::from(memory.words) * u64::from(memory.width);
    }
    rows.iter_mut().for_each(|row| row.dynamic_j += row.clock_j);
    rows
}

/// The capacitance at each net: of the input pins that read it.
fn loads(flat: &Flat, library: &Library) -> Vec<f64> {
    let mut loads = vec![0.0; flat.nets as usize];
    for placed in &flat.cells {
        let Some(cell): Option<&Cell> = library.cells.get(&placed.kind) else { continue };
        for (name, net) in &placed.pins {
            loads[*net as usize] += cell.pins.get(name).map_or(0.0, |pin| pin.capacitance);
        }
    }
    loads
}

/// J for a change of a pin: the mean of rising and falling and of all pins that may have caused it.
fn energy(pin: &Pin, load: f64) -> f64 {
    let sum: f64 = pin.energy.iter().map(|table| table.at(TRANSITION, load)).sum();
    sum / pin.energy.len().max(1) as f64
}

/// Rows with all below them, in the order of the paths.
pub fn with_all_below(own: &[Row]) -> Vec<Row> {
    let mut sums: BTreeMap<&str, Row> = BTreeMap::new();
    for row in own {
        for path in ancestors(&row.path) {
            sums.entry(path).or_insert_with(|| Row { path: path.into(), ..Row::default() }).add(row);
        }
    }
    sums.into_values().collect()
}

/// A path and those above it, the empty one too.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    let cuts = path.match_indices('/').map(|(at, _)| &path[..at]);
    let top = (!path.is_empty()).then_some("");
    top.into_iter().chain(cuts).chain([path])
}

/// The sum of some instances.
pub fn sum<'a>(name: &str, rows: impl IntoIterator<Item = &'a Row>) -> Row {
    let mut sum = Row { path: name.into(), ..Row::default() };
    rows.into_iter().for_each(|row| sum.add(row));
    sum
}
