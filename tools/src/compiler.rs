// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C++ compiler: `$CXX`, or `c++`.

use super::{ToolError, output};
use std::process::Command;

/// The C++ compiler: `$CXX`, or `c++`.
pub fn compiler() -> String {
    std::env::var("CXX").ok().filter(|v| !v.is_empty()).unwrap_or_else(|| "c++".into())
}

/// First line of `c++ --version`: part of each cache key.
pub fn compiler_version() -> Result<String, ToolError> {
    let command = compiler();
    let text = output(Command::new(&command).arg("--version")).map_err(|e| ToolError::NoCompiler { command, reason: e.to_string() })?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
