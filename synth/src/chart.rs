// SPDX-License-Identifier: MIT OR Apache-2.0
//! Area per module as bars: lookup tables, of them in carry chains, and registers.

use crate::{
    Report, floorplan,
    svg::{COLOURS, Svg},
};

const NAMES: u32 = 170;
const BAR: u32 = 420;
const ROW: u32 = 34;
const TOP: u32 = 26;

/// The chart of the same modules that the floorplan shows.
pub fn svg(report: &Report) -> String {
    let groups = floorplan::groups(report);
    let rows: Vec<_> = groups.iter().filter_map(|name| report.modules.iter().find(|m| m.name == *name)).collect();
    let most = rows.iter().map(|m| m.area.lut.max(m.area.ff)).max().unwrap_or(1).max(1);
    let width = |count: u32| (u64::from(count) * u64::from(BAR) / u64::from(most)) as u32;
    let mut chart = Svg::new(NAMES + BAR + 150, TOP + rows.len() as u32 * ROW + 8);
    let kinds = [("LUT", COLOURS[0]), ("of them carry", COLOURS[4]), ("FF", COLOURS[1])];
    for (i, (name, colour)) in kinds.into_iter().enumerate() {
        let x = NAMES + i as u32 * 110;
        chart.rect((x, 6), (10, 10), colour);
        chart.text((x + 14, 15), name);
    }
    for (i, module) in rows.iter().enumerate() {
        let y = TOP + i as u32 * ROW;
        let area = &module.area;
        chart.text((8, y + 17), &module.name);
        chart.rect((NAMES, y + 2), (width(area.lut), 11), COLOURS[0]);
        chart.rect((NAMES, y + 2), (width(area.carry), 11), COLOURS[4]);
        chart.rect((NAMES, y + 15), (width(area.ff), 11), COLOURS[1]);
        let blocks = [(area.dsp, "DSP"), (area.ram, "RAM")].into_iter().filter(|(n, _)| *n > 0).map(|(n, kind)| format!(" · {n} {kind}"));
        chart
            .text((NAMES + width(area.lut.max(area.ff)) + 6, y + 17), &format!("{} / {}{}", area.lut, area.ff, blocks.collect::<String>()));
    }
    chart.finish(&format!("Area of {} by module", report.name))
}
