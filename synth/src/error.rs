// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a design is not acceptable, or could not be synthesised.

use heddle_lang::BuildError;
use heddle_tools::{ToolError, cache::CacheError};
use std::{fmt, path::PathBuf};

/// A kind of cell of which a design needs more than the device has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    pub resource: String,
    pub used: u32,
    pub available: u32,
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} are needed, the device has {}", self.used, self.resource, self.available)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SynthError {
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error(transparent)]
    Cache(#[from] CacheError),
    #[error("harness: {0}")]
    Harness(#[from] BuildError),
    #[error("{module}: {reason}")]
    Verilog { module: String, reason: String },
    #[error("{field} = {value} is not legal: it must be {legal}")]
    Option { field: &'static str, value: String, legal: &'static str },
    #[error("{top}: latches were inferred ({}); a signal is not assigned on every path of a combinational process", names.join(", "))]
    Latch { top: String, names: Vec<String> },
    #[error("{top}: `{module}` is a black box (instance `{instance}`): give the file that defines it, or use a cell of the device")]
    BlackBox { top: String, module: String, instance: String },
    #[error(
        "{top}: {found} {what} were made, but {expected} are expected. Where there are fewer, a product or a memory was dropped or \
         went into lookup tables; simulate the netlist before you change the expectation"
    )]
    Count { top: String, what: &'static str, found: u32, expected: crate::Count },
    #[error("{top} takes {found} lookup tables, at most {most} are allowed; the table of modules says where they are")]
    Area { top: String, found: u32, most: u32 },
    #[error("{top} does not fit: {} ({message})", over.iter().map(Use::to_string).collect::<Vec<_>>().join(", "))]
    DoesNotFit { top: String, over: Vec<Use>, message: String },
    #[error("{top} cannot be placed: {message}")]
    Unplaceable { top: String, message: String },
    #[error("{top}: nets were not routed ({}{})", nets[..nets.len().min(3)].join(", "), if nets.len() > 3 { ", ..." } else { "" })]
    Unrouted { top: String, nets: Vec<String> },
    #[error(
        "{top}: clock `{clock}` reaches {fmax:.1} MHz of {target:.1} MHz: slack {slack:.2} ns (median of {seeds} seeds); see the critical path"
    )]
    NegativeSlack { top: String, clock: String, fmax: f64, target: f64, slack: f64, seeds: usize },
    #[error("{top}: no clock was found: there is no path between registers to time")]
    NoClock { top: String },
    #[error(
        "{top}: nextpnr was stopped after {seconds} s with seed {seed}; a design that is this hard to route needs fewer cells or wires"
    )]
    Limit { top: String, seed: u32, seconds: u64 },
    #[error("{top}: the bitstream has {count} SB_MAC16, which icebox_vlog does not turn back")]
    NotReadBack { top: String, count: u32 },
    #[error("{tool} failed on {top}: {message}")]
    Failed { tool: &'static str, top: String, message: String },
    #[error("{}: {reason}", path.display())]
    File { path: PathBuf, reason: String },
}

impl SynthError {
    /// Of reading or writing a file.
    pub(crate) fn file(path: &std::path::Path) -> impl Fn(std::io::Error) -> SynthError + '_ {
        move |error| SynthError::File { path: path.to_owned(), reason: error.to_string() }
    }
}
