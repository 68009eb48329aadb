// SPDX-License-Identifier: MIT OR Apache-2.0
//! Errors of building and of running.

use std::path::PathBuf;

use heddle_tools::{ToolError, cache::CacheError};

/// Why a design could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error("design `{top}`: {field} `{value}` {legal}")]
    Invalid { top: String, field: &'static str, value: String, legal: &'static str },
    #[error("Verilator refused `{top}`:\n{log}")]
    Verilator { top: String, log: String },
    #[error("ports of `{top}`: {detail}")]
    Ports { top: String, detail: String },
    #[error("the C++ compiler failed on {what}{hint}:\n{log}")]
    Compile { what: String, hint: &'static str, log: String },
    #[error("cannot open the built library of `{top}`: {source}")]
    Open { top: String, source: libloading::Error },
    #[error("the built library of `{top}` has {found}, this driver needs {needed}; clear the cache and build again")]
    Abi { top: String, found: String, needed: String },
    #[error(transparent)]
    Cache(#[from] CacheError),
    #[error("{action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
}

/// Why a simulation stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimError {
    #[error("`{top}` has no port `{name}`; it has {known}")]
    NoPort { top: String, name: String, known: String },
    #[error("port `{name}` of `{top}` has {width} bits; {legal}")]
    Width { top: String, name: String, width: u32, legal: &'static str },
    #[error("`{top}` has no clock: name it with `Design::clock`")]
    NoClock { top: String },
    #[error("`{top}` called $finish in cycle {cycle}")]
    Finished { top: String, cycle: u64 },
    #[error("`{top}` failed in cycle {cycle}: {message}")]
    Failed { top: String, cycle: u64, message: String },
    #[error("`{top}` cannot be instantiated: its constructor failed")]
    Create { top: String },
    #[error("no {what} within {limit} cycles (now in cycle {cycle})")]
    Limit { what: String, limit: u64, cycle: u64 },
    #[error("cannot write {}: {reason}", path.display())]
    Output { path: PathBuf, reason: &'static str },
}
