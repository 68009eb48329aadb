// SPDX-License-Identifier: MIT OR Apache-2.0
//! Timing diagrams: recorded values of signals, cycle by cycle, under a clock.

use super::svg::{Anchor, INK, PALE, Svg};
use std::fmt::Write;

const CYCLE: u32 = 34;
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

/// The diagram as an SVG document.
pub fn draw(title: &str, signals: &[Signal]) -> String {
    let cycles = signals.iter().map(|s| s.values.len()).max().unwrap_or(0) as u32;
    let rows = signals.len() as u32 + 1;
    let height = 2 * MARGIN + ROW * rows;
    let mut svg = Svg::new(NAMES + CYCLE * cycles + MARGIN, height);
    for cycle in 0..=cycles {
        let x = NAMES + CYCLE * cycle;
        svg.path(&format!("M{x} {MARGIN}V{}", height - MARGIN), "#e3e8ef", "none");
    }
    name(&mut svg, 0, "clk_i");
    svg.path(&clock(cycles), INK, "none");
    for (row, signal) in (1..).zip(signals) {
        name(&mut svg, row, &signal.name);
        trace(&mut svg, top(row), &signal.values);
    }
    svg.finish(title)
}

fn top(row: u32) -> u32 {
    MARGIN + ROW * row + (ROW - HIGH) / 2
}

fn name(svg: &mut Svg, row: u32, name: &str) {
    svg.text((NAMES - 10, top(row) + HIGH - 4), Anchor::End, INK, name);
}

fn clock(cycles: u32) -> String {
    let (high, low) = (top(0), top(0) + HIGH);
    let mut path = format!("M{NAMES} {low}");
    for cycle in 0..cycles {
        let x = NAMES + CYCLE * cycle;
        let _ = write!(path, "V{high}H{}V{low}H{}", x + CYCLE / 2, x + CYCLE);
    }
    path
}

/// Equal values that follow each other are one stretch.
fn trace(svg: &mut Svg, y: u32, values: &[Value]) {
    let mut start = 0;
    while start < values.len() {
        let same = values[start..].iter().take_while(|v| **v == values[start]).count();
        let (left, right) = (NAMES + CYCLE * start as u32, NAMES + CYCLE * (start + same) as u32);
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
