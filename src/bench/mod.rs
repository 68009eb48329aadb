// SPDX-License-Identifier: MIT OR Apache-2.0
//! Measurements as tables: `heddle bench` prints them, `heddle bench --docs` keeps them in `docs/results`.

pub mod decode;
pub mod gating;
pub mod hdl;
pub mod port;
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
    /// Targets that were missed.
    pub missed: Vec<String>,
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
pub const BENCHES: [Bench; 5] = [
    Bench { name: port::NAME, timed: false, run: port::run },
    Bench { name: decode::NAME, timed: false, run: decode::run },
    Bench { name: gating::NAME, timed: false, run: gating::run },
    Bench { name: hdl::NAME, timed: true, run: hdl::run },
    Bench { name: speed::NAME, timed: true, run: speed::run },
];

impl Table {
    /// A table of texts.
    pub fn new(name: &'static str, title: &'static str, head: &[&str]) -> Table {
        let head = head.iter().map(|s| s.to_string()).collect();
        Table { name, title, notes: String::new(), head, rows: Vec::new(), missed: Vec::new() }
    }

    /// The table in Markdown, columns aligned.
    pub fn markdown(&self) -> String {
        let width = |c: usize| self.rows.iter().chain([&self.head]).map(|row| row[c].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let line = |row: &[String]| {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rule: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
        let body: String = self.rows.iter().map(|row| line(row)).collect();
        line(&self.head) + &line(&rule) + &body
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
