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

    /// The tables of the page of results.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        let head = ["block", "property", "meaning", "status", "method", "bound", "seconds"];
        let property = |p: &PropertyRow| {
            let bound = p.bound.map_or("-".into(), |b| b.to_string());
            [p.block.into(), code(&p.name), p.meaning.into(), p.status.into(), p.method.clone(), bound, format!("{:.3}", p.seconds)]
        };
        table(&mut text, head, self.properties.iter().map(property));
        text += "\n## Covers\n\n";
        let cover = |c: &CoverRow| {
            let seconds = format!("{:.3}", c.seconds);
            [c.block.into(), code(&c.name), c.meaning.into(), c.status.into(), c.bound.to_string(), seconds]
        };
        table(&mut text, ["block", "cover", "meaning", "status", "cycles", "seconds"], self.covers.iter().map(cover));
        if !self.mutations.is_empty() {
            text += "\n## Changes that must violate a property\n\n";
            let mutation = |m: &MutationRow| {
                let seconds = format!("{:.3}", m.seconds);
                [m.block.into(), code(&m.change), code(&m.name), m.status.into(), m.bound.to_string(), seconds]
            };
            table(&mut text, ["block", "change", "property", "status", "cycles", "seconds"], self.mutations.iter().map(mutation));
        }
        text
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn table<const N: usize>(text: &mut String, head: [&str; N], rows: impl Iterator<Item = [String; N]>) {
    let _ = writeln!(text, "| {} |\n|{}", head.join(" | "), "---|".repeat(N));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
}
