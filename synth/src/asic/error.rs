// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why there is no ASIC view.

use crate::SynthError;
use heddle_tools::ToolError;

#[derive(Debug, thiserror::Error)]
pub enum AsicError {
    #[error(transparent)]
    Synth(#[from] SynthError),
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error("no Liberty file: {hint}")]
    NoLiberty { hint: String },
    #[error("{file}, line {line}: {reason}")]
    Liberty { file: String, line: usize, reason: String },
    #[error("{file}: {reason}")]
    Library { file: String, reason: String },
    #[error("{top}: cell `{cell}` of type `{kind}`: {reason}")]
    Cell { top: String, cell: String, kind: String, reason: String },
    #[error("{top}: {reason}")]
    Netlist { top: String, reason: String },
}
