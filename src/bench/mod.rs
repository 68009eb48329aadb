// SPDX-License-Identifier: MIT OR Apache-2.0
//! Measurements as tables: `heddle bench` prints them, `heddle bench --docs` keeps them in `docs/results`.

pub mod board;
pub mod decode;
pub mod gating;
pub mod hdl;
pub mod link;
pub mod port;
pub mod power;
pub mod speed;

use crate::generate::licensed;
use serde::Serialize;
use std::error::Error;

/// Anything that can go wrong on the way to a figure.
pub type BenchError = Box<dyn Error + Send + Sync>;

/// Hears of each step.
pub type Progress<'a> = &'a mut dyn FnMut(&str);

/// What a bench found.
#[derive(Clone, Debug, Serialize)]
pub struct Table {
    /// Also the name of its page.
    pub name: &'static str,
    pub title: &'static str,
    /// What the figures mean and under which conditions they hold.
    pub notes: String,
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// Further tables of the same page.
    pub parts: Vec<Part>,
    /// Targets that were missed.
    pub missed: Vec<String>,
}

/// A further table with a title of its own.
#[derive(Clone, Debug, Serialize)]
pub struct Part {
    pub title: &'static str,
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// One bench.
#[derive(Clone, Copy)]
pub struct Bench {
    pub name: &'static str,
    /// Whether the figures depend on the machine.
    pub timed: bool,
    pub run: fn(Progress<'_>) -> Result<Table, BenchError>,
}

/// Every bench.
pub const BENCHES: [Bench; 8] = [
    Bench { name: port::NAME, timed: false, run: port::run },
    Bench { name: power::NAME, timed: false, run: power::run },
    Bench { name: decode::NAME, timed: false, run: decode::run },
    Bench { name: board::NAME, timed: false, run: board::run },
    Bench { name: gating::NAME, timed: false, run: gating::run },
    Bench { name: hdl::NAME, timed: true, run: hdl::run },
    Bench { name: link::NAME, timed: false, run: link::run },
    Bench { name: speed::NAME, timed: true, run: speed::run },
];

impl Part {
    pub fn new(title: &'static str, head: &[&str]) -> Part {
        Part { title, head: texts(head), rows: Vec::new() }
    }
}

fn texts(head: &[&str]) -> Vec<String> {
    head.iter().map(|s| s.to_string()).collect()
}

/// A table in Markdown, columns aligned.
fn markdown(head: &[String], rows: &[Vec<String>]) -> String {
    let all = || std::iter::once(head).chain(rows.iter().map(Vec::as_slice));
    let widths: Vec<usize> = (0..head.len()).map(|c| all().map(|row| row[c].chars().count()).max().unwrap_or(0)).collect();
    let line = |row: &[String]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
    let body: String = rows.iter().map(|row| line(row)).collect();
    line(head) + &line(&rule) + &body
}

impl Table {
    /// A table of texts.
    pub fn new(name: &'static str, title: &'static str, head: &[&str]) -> Table {
        Table { name, title, notes: String::new(), head: texts(head), rows: Vec::new(), parts: Vec::new(), missed: Vec::new() }
    }

    /// The table and its parts in Markdown.
    pub fn markdown(&self) -> String {
        let part = |part: &Part| format!("\n## {}\n\n{}", part.title, markdown(&part.head, &part.rows));
        let parts: String = self.parts.iter().map(part).collect();
        markdown(&self.head, &self.rows) + &parts
    }

    /// The page of `docs/results`.
    pub fn page(&self, command: &str, timed: bool) -> String {
        let machine = match timed {
            true => format!(" Measured on {}; other machines differ.", machine()),
            false => String::new(),
        };
        let page = format!("# {}\n\nWritten by `{command}`.{machine}\n\n{}\n\n{}", self.title, self.notes, self.markdown());
        licensed(&page)
    }
}

/// Cores and kind of this machine's processor, without its name.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} core(s), {} {}", std::env::consts::ARCH, std::env::consts::OS)
}
