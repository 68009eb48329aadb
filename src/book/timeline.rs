// SPDX-License-Identifier: MIT OR Apache-2.0
//! Activity over many cycles: one row per unit, coloured where it works.

use super::svg::{Anchor, INK, PALE, Svg};

const ROW: u32 = 24;
const BAR: u32 = 14;
const NAMES: u32 = 150;
const MARGIN: u32 = 14;
const AXIS: u32 = 26;

/// A unit, and for each cycle the colour of what it does, or `None`.
pub struct Row {
    pub name: String,
    pub cycles: Vec<Option<&'static str>>,
}

/// The diagram as an SVG document, `scale` pixels per cycle and a mark every `tick` cycles.
pub fn draw(title: &str, rows: &[Row], scale: u32, tick: usize) -> String {
    let cycles = rows.iter().map(|r| r.cycles.len()).max().unwrap_or(0);
    let bottom = MARGIN + ROW * rows.len() as u32;
    let mut svg = Svg::new(NAMES + scale * cycles as u32 + 2 * MARGIN, bottom + AXIS);
    for cycle in (0..=cycles).step_by(tick) {
        let x = NAMES + scale * cycle as u32;
        svg.path(&format!("M{x} {MARGIN}V{}", bottom + 4), "#e3e8ef", "none");
        svg.text((x, bottom + 18), Anchor::Middle, PALE, &cycle.to_string());
    }
    for (row, y) in rows.iter().zip((MARGIN..).step_by(ROW as usize)) {
        svg.text((NAMES - 10, y + BAR), Anchor::End, INK, &row.name);
        bars(&mut svg, row, y + (ROW - BAR) / 2, scale);
    }
    svg.finish(title)
}

fn bars(svg: &mut Svg, row: &Row, y: u32, scale: u32) {
    let mut start = 0;
    while start < row.cycles.len() {
        let same = row.cycles[start..].iter().take_while(|c| **c == row.cycles[start]).count();
        if let Some(fill) = row.cycles[start] {
            svg.rect((NAMES + scale * start as u32, y), (scale * same as u32, BAR), fill);
        }
        start += same;
    }
}
