// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs the provisioning script, which is part of this crate so that an installed program has it too.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::{ToolError, tools_dir};

const SCRIPT: &str = include_str!("../provision.sh");

/// What to install.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Verilator.
    Sim,
    /// Verilator, Yosys, the SMT solver.
    Formal,
    /// Yosys, nextpnr, makers of bitstreams.
    Synth,
    /// openFPGALoader.
    Flash,
    /// icebox_vlog.
    Icebox,
    /// All that are wheels.
    All,
}

impl Group {
    fn name(self) -> &'static str {
        match self {
            Self::Sim => "sim",
            Self::Formal => "formal",
            Self::Synth => "synth",
            Self::Flash => "flash",
            Self::Icebox => "icebox",
            Self::All => "all",
        }
    }
}

/// The version that the script pins under a name such as `PYOSYS`; empty if it has none.
pub(crate) fn pin(name: &str) -> &'static str {
    let value = |line: &'static str| line.strip_prefix(name)?.strip_prefix('=');
    SCRIPT.lines().find_map(value).unwrap_or_default()
}

/// Installs a group of tools into `tools_dir()`; returns at once when they are there.
///
/// `progress` gets each line that the script prints. Errors carry the script's last lines, which say what to
/// do: a missing Python, no network, no `venv` module.
pub fn provision(group: Group, progress: &mut dyn FnMut(&str)) -> Result<(), ToolError> {
    let failed = |reason: String| ToolError::Provision { group: group.name(), reason };
    let mut child = Command::new("bash")
        .args(["-s", "--", group.name()])
        .env("HEDDLE_TOOLS", tools_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| failed(format!("bash does not run: {e}")))?;
    let mut stdin = child.stdin.take().ok_or_else(|| failed("bash has no input".into()))?;
    stdin.write_all(SCRIPT.as_bytes()).map_err(|e| failed(e.to_string()))?;
    drop(stdin);
    let stderr = child.stderr.take();
    let errors = std::thread::spawn(move || {
        let mut text = String::new();
        if let Some(mut stderr) = stderr {
            let _ = std::io::Read::read_to_string(&mut stderr, &mut text);
        }
        text
    });
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            progress(&line);
        }
    }
    let status = child.wait().map_err(|e| failed(e.to_string()))?;
    let errors = errors.join().unwrap_or_default();
    if status.success() { Ok(()) } else { Err(failed(last_lines(&errors, 3))) }
}

/// The end of a log says what went wrong; pip repeats itself before.
fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
