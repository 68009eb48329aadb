// SPDX-License-Identifier: MIT OR Apache-2.0
//! Design checks: drivers, types, latches, unused nets, combinational loops, streams, clock domains, names.

mod clocks;
mod comb;
mod local;
mod names;
mod streams;

pub use clocks::SYNCHRONISER;
pub use comb::{Loop, Paths, paths};
pub use local::{local, reads, unused};
pub use names::name_clashes;

use crate::module::Module;
use std::{fmt, sync::Arc};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    Warning,
    Error,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// Each net has one driver of its type; each process assigns its targets on every path.
    Structure,
    /// Two modules of one name are the same.
    Name,
    /// No net depends on itself within a cycle.
    Loop,
    /// No output's valid or data depends on its own ready within a cycle.
    Stream,
    /// A register reads another clock's registers only in a synchroniser.
    Clock,
    /// Every net is read, or its name starts with `unused`.
    Unused,
}

/// One thing wrong, or suspicious, in a module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    pub severity: Severity,
    pub rule: Rule,
    pub module: String,
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = if self.severity == Severity::Error { "error" } else { "warning" };
        write!(f, "{severity}: module `{}`: {}", self.module, self.message)
    }
}

/// Every check on a module and all below it, errors first.
pub fn all(top: &Arc<Module>) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut add = |severity, rule, module: &str, messages: Vec<String>| {
        let finding = |message| Finding { severity, rule, module: module.to_string(), message };
        out.extend(messages.into_iter().map(finding));
    };
    add(Severity::Error, Rule::Name, &top.name, name_clashes(top));
    let modules = top.hierarchy();
    for m in &modules {
        add(Severity::Error, Rule::Structure, &m.name, local(m));
        let unread = unused(m).into_iter().map(|net| format!("nothing reads `{net}`"));
        add(Severity::Warning, Rule::Unused, &m.name, unread.collect());
    }
    let mut paths = Paths::default();
    let mut looped = false;
    for m in &modules {
        match paths.of(m) {
            Ok(matrix) => add(Severity::Error, Rule::Stream, &m.name, streams::check(m, &matrix)),
            Err(l) => {
                // Modules above it cannot be analysed, and would only report it again.
                add(Severity::Error, Rule::Loop, &l.module, vec![l.to_string()]);
                looped = true;
                break;
            }
        }
    }
    if !looped {
        add(Severity::Error, Rule::Clock, &top.name, clocks::check(top));
    }
    out.sort_by_key(|f| std::cmp::Reverse(f.severity));
    out
}
