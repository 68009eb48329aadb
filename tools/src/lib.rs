// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds the tools that the project runs, and installs them beside it when they are missing.
//!
//! Order of search: the environment (`HEDDLE_VERILATOR`), then the project-local `.tools`, then `PATH`. The table
//! of all of them, with the versions that are needed, is [`table::TOOLS`].

pub mod cache;
mod compiler;
mod places;
pub mod program;
mod provision;
mod reference;
mod seal;
pub mod table;
mod verilator;
mod yosys;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

pub use cache::cache_dir;
pub use compiler::{compiler, compiler_version};
pub use places::{find_program, repo_root, tools_dir, tools_python};
use places::{first_in, search_path};
pub use program::{Places, Program, find_pinned, have_pinned, make_script};
pub use provision::{Group, provision};
pub use reference::{reference_data, reference_file};
pub use verilator::{Verilator, find_verilator, have_verilator, verilator_or_provision};
pub use yosys::{Yosys, find_yices, find_yosys, formal_or_provision, have_formal};

/// Why a tool cannot be used; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    #[error(
        "Verilator was not found (looked at $HEDDLE_VERILATOR, in {}, and on PATH). \
         Run `tools/provision.sh sim` in the repository, or install Verilator 5.006 or newer \
         (Debian: `apt-get install verilator`)", tools.display()
    )]
    NoVerilator { tools: PathBuf },
    #[error("HEDDLE_VERILATOR is `{}`, which {reason}; set it to a `verilator` or `verilator_bin` that runs", path.display())]
    BadOverride { path: PathBuf, reason: String },
    #[error("no C++ compiler: `{command}` does not run ({reason}). Install one (Debian: `apt-get install g++`) or set CXX")]
    NoCompiler { command: String, reason: String },
    #[error("`{command}` does not run: {reason}")]
    Broken { command: String, reason: String },
    #[error("{what} was not found (looked in {} and on PATH). Run `{fix}` in the repository", tools.display())]
    Missing { what: &'static str, tools: PathBuf, fix: String },
    #[error("{what} is {found}, which is not the version that is needed, {needed}. Run `{fix}` in the repository")]
    WrongVersion { what: &'static str, found: String, needed: String, fix: String },
    #[error("`{command}` does not run: {reason}. Run `{fix}`")]
    Unusable { command: String, reason: String, fix: String },
    #[error("cannot provision `{group}`: {reason}")]
    Provision { group: &'static str, reason: String },
}

/// Trimmed standard output of a command that must succeed.
fn output(command: &mut Command) -> Result<String, ToolError> {
    let name = Path::new(command.get_program()).display().to_string();
    let broken = |reason| ToolError::Broken { command: name.clone(), reason };
    let out = command.output().map_err(|e| broken(e.to_string()))?;
    if !out.status.success() {
        let said = String::from_utf8_lossy(&out.stderr);
        let colon = if said.trim().is_empty() { "" } else { ": " };
        return Err(broken(format!("{}{colon}{}", out.status, said.trim())));
    }
    Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
}
