// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the modules are on the chip: a square per tile, coloured by the module that has most cells in it.

use crate::{
    Report,
    netlist::{Cell, Kind},
    svg::{COLOURS, Svg},
};
use std::collections::BTreeMap;

const TILE: u32 = 6;
const MARGIN: u32 = 12;
const LEGEND: u32 = 190;
const LINE: u32 = 16;
/// Of tiles without a cell of the design.
const EMPTY: &str = "#f2f4f7";
const HARNESS: &str = "#d5dae1";

/// Groups that are coloured: the largest modules of the first two levels, where a module that is divided gives way to
/// its parts.
pub fn groups(report: &Report) -> Vec<String> {
    let is_split = |name: &str| {
        let parts = report.modules.iter().filter(|m| m.depth == 2 && m.name.starts_with(&format!("{name}/")));
        let large = parts.filter(|m| (m.area.lut + m.area.ff) * 10 > report.area.lut + report.area.ff).count();
        large > 1
    };
    let first = report.modules.iter().filter(|m| m.depth == 1);
    let mut found: Vec<_> = first
        .flat_map(|m| match is_split(&m.name) {
            false => vec![m],
            true => report.modules.iter().filter(|part| part.depth == 2 && part.name.starts_with(&format!("{}/", m.name))).collect(),
        })
        .filter(|m| m.name != "(harness)")
        .collect();
    found.sort_by_key(|m| std::cmp::Reverse(m.area.lut + m.area.ff));
    found.into_iter().take(COLOURS.len() - 1).map(|m| m.name.clone()).collect()
}

/// Index of the group of a path of instances; None: the harness.
fn group(owner: &Option<Vec<String>>, groups: &[String]) -> Option<usize> {
    let path = owner.as_ref()?;
    let path = if path.is_empty() { "(top)".to_owned() } else { path.join("/") };
    let within = |group: &String| path == *group || path.starts_with(&format!("{group}/"));
    Some(groups.iter().position(within).unwrap_or(COLOURS.len() - 1))
}

/// The picture; y goes up, as on the die. `owners`: see [`crate::owners`].
pub fn svg(report: &Report, cells: &[Cell], owners: &[Option<Vec<String>>]) -> String {
    let groups = groups(report);
    let counted = cells.iter().zip(owners).filter(|(cell, _)| cell.kind != Kind::Other);
    let mut tiles: BTreeMap<(u32, u32), BTreeMap<Option<usize>, u32>> = BTreeMap::new();
    for (owner, at) in counted.filter_map(|(cell, owner)| Some((owner, cell.at?))) {
        *tiles.entry(at).or_default().entry(group(owner, &groups)).or_default() += 1;
    }
    let limit = |f: &dyn Fn((u32, u32)) -> u32| cells.iter().filter_map(|c| c.at).map(f).max().unwrap_or(0) + 1;
    let (columns, rows) = (limit(&|at| at.0), limit(&|at| at.1));
    let legend_height = (groups.len() as u32 + 3) * LINE;
    let height = (rows * TILE).max(legend_height) + 2 * MARGIN;
    let mut picture = Svg::new(columns * TILE + 2 * MARGIN + LEGEND, height);
    picture.rect((MARGIN, MARGIN), (columns * TILE, rows * TILE), EMPTY);
    let mut by_colour: BTreeMap<&str, Vec<(u32, u32)>> = BTreeMap::new();
    for ((x, y), counts) in &tiles {
        let most = counts.iter().max_by_key(|(_, count)| **count).and_then(|(group, _)| *group);
        let corner = (MARGIN + x * TILE, MARGIN + (rows - 1 - y) * TILE);
        by_colour.entry(most.map_or(HARNESS, |i| COLOURS[i])).or_default().push(corner);
    }
    by_colour.iter().for_each(|(colour, corners)| picture.squares(corners, TILE - 1, colour));
    let left = columns * TILE + 2 * MARGIN;
    let others = [(COLOURS[COLOURS.len() - 1], "the rest"), (HARNESS, "harness")];
    let entries = groups.iter().enumerate().map(|(i, name)| (COLOURS[i], name.as_str())).chain(others);
    for (i, (colour, name)) in entries.enumerate() {
        let y = MARGIN + i as u32 * LINE;
        picture.rect((left, y), (10, 10), colour);
        picture.text((left + 16, y + 9), name);
    }
    picture.finish(&format!("Floorplan of {} on {}", report.name, report.device.title()))
}
