// SPDX-License-Identifier: MIT OR Apache-2.0
//! What came of the proofs: rows for JSON and for the page of results.

use serde::Serialize;
use std::fmt::Write;

/// One assertion.
#[derive(Clone, Debug, Serialize)]
pub struct PropertyRow {
    /// `<module>.<path>`.
    pub name: String,
    pub block: &'static str,
    pub meaning: &'static str,
    /// `proven`: in every run. `bounded`: in the first `bound` cycles of every run. `failed`: not.
    pub status: &'static str,
    /// How: `induction k=2`, or `bounded model checking`.
    pub method: String,
    /// Cycles from reset that were searched; none where it is proven.
    pub bound: Option<u32>,
    pub seconds: f64,
    /// A run that ends in a violation: its ports, a column per cycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The same with every net, as VCD.
    #[serde(skip)]
    pub vcd: Option<String>,
}

/// One cover.
#[derive(Clone, Debug, Serialize)]
pub struct CoverRow {
    pub name: String,
    pub block: &'static str,
    pub meaning: &'static str,
    /// `reached` or `unreachable` (within `bound` cycles).
    pub status: &'static str,
    /// Cycles from reset to the first time, or that were searched in vain.
    pub bound: u32,
    pub seconds: f64,
}

/// One change and one assertion that must not survive it.
#[derive(Clone, Debug, Serialize)]
pub struct MutationRow {
    /// The assertion.
    pub name: String,
    pub block: &'static str,
    /// `<module>: <net>: <change>`.
    pub change: String,
    /// `violated` or `survived`.
    pub status: &'static str,
    /// Cycles from reset to the violation, or that were searched in vain.
    pub bound: u32,
    pub seconds: f64,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub properties: Vec<PropertyRow>,
    pub covers: Vec<CoverRow>,
    pub mutations: Vec<MutationRow>,
}

impl Report {
    /// Whether a property failed, a cover was not reached, or a change survived.
    pub fn failed(&self) -> bool {
        self.properties.iter().any(|p| p.status == "failed")
            || self.covers.iter().any(|c| c.status != "reached")
            || self.mutations.iter().any(|m| m.status != "violated")
    }

    /// `61 properties: 55 proven, 6 bounded, 0 failed; 20 covers, ...`.
    pub fn summary(&self) -> String {
        let with = |status: &str| self.properties.iter().filter(|p| p.status == status).count();
        let reached = self.covers.iter().filter(|c| c.status == "reached").count();
        let mut text = format!(
            "{} properties: {} proven, {} bounded, {} failed; {} covers: {reached} reached",
            self.properties.len(),
            with("proven"),
            with("bounded"),
            with("failed"),
            self.covers.len()
        );
        if !self.mutations.is_empty() {
            let violated = self.mutations.iter().filter(|m| m.status == "violated").count();
            let _ = write!(text, "; {} changes of the design: {violated} violate their property", self.mutations.len());
        }
        text
    }

    /// For a terminal: a line for each property, cover and change, and the runs that end in a violation.
    pub fn text(&self) -> String {
        let mut text = table(
            ["property", "status", "method", "cycles", "seconds"],
            self.properties.iter().map(|p| [p.name.clone(), p.status.into(), p.method.clone(), bound(p), seconds(p.seconds)]),
        );
        let cover = |c: &CoverRow| [c.name.clone(), c.status.into(), c.bound.to_string(), seconds(c.seconds)];
        text += &format!("\n{}", table(["cover", "status", "cycles", "seconds"], self.covers.iter().map(cover)));
        if !self.mutations.is_empty() {
            let mutation = |m: &MutationRow| [m.change.clone(), m.name.clone(), m.status.into(), m.bound.to_string(), seconds(m.seconds)];
            let rows = self.mutations.iter().map(mutation);
            text += &format!("\n{}", table(["change", "property", "status", "cycles", "seconds"], rows));
        }
        for p in &self.properties {
            if let Some(trace) = &p.trace {
                text += &format!("\n{} ({}) does not hold in the last cycle of:\n{trace}", p.name, p.meaning);
            }
        }
        text
    }

    /// The tables of the page of results.
    pub fn markdown(&self) -> String {
        let property = |p: &PropertyRow| {
            [p.block.into(), code(&p.name), p.meaning.into(), p.status.into(), p.method.clone(), bound(p), seconds(p.seconds)]
        };
        let head = ["block", "property", "meaning", "status", "method", "bound", "seconds"];
        let mut text = format!("{}.\n\n## Properties\n\n{}", self.summary(), table(head, self.properties.iter().map(property)));
        let cover =
            |c: &CoverRow| [c.block.into(), code(&c.name), c.meaning.into(), c.status.into(), c.bound.to_string(), seconds(c.seconds)];
        let head = ["block", "cover", "meaning", "status", "cycles", "seconds"];
        text += &format!("\n## Covers\n\n{}", table(head, self.covers.iter().map(cover)));
        let mutation =
            |m: &MutationRow| [m.block.into(), code(&m.change), code(&m.name), m.status.into(), m.bound.to_string(), seconds(m.seconds)];
        let head = ["block", "change", "property", "status", "cycles", "seconds"];
        text + &format!("\n## Changes that violate a property\n\n{}", table(head, self.mutations.iter().map(mutation)))
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.3}")
}

fn bound(property: &PropertyRow) -> String {
    property.bound.map_or("-".into(), |cycles| cycles.to_string())
}

/// A table in Markdown, columns aligned.
fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = rows.collect();
    let width = |c: usize| rows.iter().map(|row| row[c].chars().count()).max().unwrap_or(0).max(head[c].len());
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in [head.map(String::from), widths.map(|w| "-".repeat(w))].iter().chain(&rows) {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}
