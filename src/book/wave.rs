// SPDX-License-Identifier: MIT OR Apache-2.0
//! Timing diagrams: recorded values of signals, cycle by cycle, under a clock.

use super::svg::{Anchor, INK, PALE, Svg};
use std::fmt::Write;

/// Width of a cycle, if its values are short.
pub const CYCLE: u32 = 34;
const ROW: u32 = 26;
const HIGH: u32 = 16;
const NAMES: u32 = 112;
const MARGIN: u32 = 12;

/// What a signal carries in one cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Bit(bool),
    Bus(String),
    /// Nothing that anybody reads.
    Any,
}

/// A signal and its value in each cycle.
pub struct Signal {
    pub name: String,
    pub values: Vec<Value>,
}

/// The diagram as an SVG document, with cycles of so many pixels.
pub fn draw(title: &str, signals: &[Signal], cycle_width: u32) -> String {
    let cycles = signals.iter().map(|s| s.values.len()).max().unwrap_or(0) as u32;
    let rows = signals.len() as u32 + 1;
    let height = 2 * MARGIN + ROW * rows;
    let mut svg = Svg::new(NAMES + cycle_width * cycles + MARGIN, height);
    for cycle in 0..=cycles {
        let x = NAMES + cycle_width * cycle;
        svg.path(&format!("M{x} {MARGIN}V{}", height - MARGIN), "#e3e8ef", "none");
    }
    name(&mut svg, 0, "clk_i");
    svg.path(&clock(cycles, cycle_width), INK, "none");
    for (row, signal) in (1..).zip(signals) {
        name(&mut svg, row, &signal.name);
        trace(&mut svg, top(row), &signal.values, cycle_width);
    }
    svg.finish(title)
}

fn top(row: u32) -> u32 {
    MARGIN + ROW * row + (ROW - HIGH) / 2
}

fn name(svg: &mut Svg, row: u32, name: &str) {
    svg.text((NAMES - 10, top(row) + HIGH - 4), Anchor::End, INK, name);
}

fn clock(cycles: u32, width: u32) -> String {
    let (high, low) = (top(0), top(0) + HIGH);
    let mut path = format!("M{NAMES} {low}");
    for cycle in 0..cycles {
        let x = NAMES + width * cycle;
        let _ = write!(path, "V{high}H{}V{low}H{}", x + width / 2, x + width);
    }
    path
}

/// Equal values that follow each other are one stretch.
fn trace(svg: &mut Svg, y: u32, values: &[Value], width: u32) {
    let mut start = 0;
    while start < values.len() {
        let same = values[start..].iter().take_while(|v| **v == values[start]).count();
        let (left, right) = (NAMES + width * start as u32, NAMES + width * (start + same) as u32);
        match &values[start] {
            Value::Bit(high) => {
                let at = if *high { y } else { y + HIGH };
                let rise = if start > 0 { format!("M{left} {y}V{}", y + HIGH) } else { String::new() };
                svg.path(&format!("{rise}M{left} {at}H{right}"), INK, "none");
            }
            Value::Bus(text) => {
                bus(svg, (left, right), y, "#eef3fb");
                svg.text(((left + right) / 2, y + HIGH - 4), Anchor::Middle, INK, text);
            }
            Value::Any => bus(svg, (left, right), y, "#e3e8ef"),
        }
        start += same;
    }
}

fn bus(svg: &mut Svg, (left, right): (u32, u32), y: u32, fill: &str) {
    let (middle, low) = (y + HIGH / 2, y + HIGH);
    let data = format!("M{left} {middle}L{} {y}H{}L{right} {middle}L{} {low}H{}Z", left + 4, right - 4, right - 4, left + 4);
    svg.path(&data, PALE, fill);
}

/// The same as the source of a WaveDrom diagram.
pub fn wavedrom(title: &str, signals: &[Signal]) -> String {
    let cycles = signals.iter().map(|s| s.values.len()).max().unwrap_or(0);
    let clock = serde_json::json!({ "name": "clk_i", "wave": format!("p{}", ".".repeat(cycles.saturating_sub(1))) });
    let rows: Vec<serde_json::Value> = std::iter::once(clock).chain(signals.iter().map(wavedrom_row)).collect();
    let lines: Vec<String> = rows.iter().map(|row| format!("    {row}")).collect();
    format!(
        "{{\n  \"$comment\": \"SPDX-License-Identifier: MIT OR Apache-2.0\",\n  \"head\": {},\n  \"signal\": [\n{}\n  ]\n}}\n",
        serde_json::json!({ "text": title }),
        lines.join(",\n")
    )
}

fn wavedrom_row(signal: &Signal) -> serde_json::Value {
    let mut wave = String::new();
    let mut data = Vec::new();
    for (at, value) in signal.values.iter().enumerate() {
        if at > 0 && *value == signal.values[at - 1] {
            wave.push('.');
            continue;
        }
        wave.push(match value {
            Value::Bit(high) => {
                if *high {
                    '1'
                } else {
                    '0'
                }
            }
            Value::Bus(_) => '=',
            Value::Any => 'x',
        });
        if let Value::Bus(text) = value {
            data.push(text.as_str());
        }
    }
    match data.is_empty() {
        true => serde_json::json!({ "name": signal.name, "wave": wave }),
        false => serde_json::json!({ "name": signal.name, "wave": wave, "data": data }),
    }
}
