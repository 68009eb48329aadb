// SPDX-License-Identifier: MIT OR Apache-2.0
//! Yosys and the SMT solver: both from wheels, the solver also from `PATH`.

use super::{Group, ToolError, find_pinned, provision, repo_root, tools_dir, tools_python};
use std::{path::PathBuf, process::Command};

/// The Yosys wheel has no command line; this is one, part of the crate so that an installed program has it too.
const SCRIPT: &str = include_str!("../run_yosys.py");

/// Yosys in the project-local Python.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Yosys {
    python: PathBuf,
    script: PathBuf,
    /// Of the wheel.
    pub version: String,
}

impl Yosys {
    /// A command that takes Yosys' arguments: `-q`, `-p` and files.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(&self.script);
        command
    }
}

/// Yosys as `tools/provision.sh` installs it. One on `PATH` may be too old: 0.23 knows no checks with names.
pub fn find_yosys() -> Result<Yosys, ToolError> {
    let version = find_pinned("yosys")?.version;
    let missing = || ToolError::Missing { what: "the Python of the tools", tools: tools_dir(), fix: "tools/provision.sh lint".into() };
    Ok(Yosys { python: tools_python().ok_or_else(missing)?, script: script()?, version })
}

/// The script of the repository, or a copy in the cache.
fn script() -> Result<PathBuf, ToolError> {
    let of_repo = repo_root().map(|root| root.join("tools/run_yosys.py"));
    if let Some(path) = of_repo.filter(|path| path.is_file()) {
        return Ok(path);
    }
    let path = crate::cache_dir().join("run_yosys.py");
    let write = || std::fs::create_dir_all(crate::cache_dir()).and_then(|()| std::fs::write(&path, SCRIPT));
    match std::fs::read_to_string(&path).is_ok_and(|text| text == SCRIPT).then_some(()).map_or_else(write, Ok) {
        Ok(()) => Ok(path),
        Err(e) => Err(ToolError::Broken { command: path.display().to_string(), reason: e.to_string() }),
    }
}

/// Yices for SMT-LIB.
pub fn find_yices() -> Result<PathBuf, ToolError> {
    Ok(find_pinned("yices-smt2")?.path)
}

/// Both; installs what is missing. `progress` gets a line for each step.
pub fn formal_or_provision(progress: &mut dyn FnMut(&str)) -> Result<(Yosys, PathBuf), ToolError> {
    if let (Ok(yosys), Ok(yices)) = (find_yosys(), find_yices()) {
        return Ok((yosys, yices));
    }
    provision(Group::Formal, progress)?;
    Ok((find_yosys()?, find_yices()?))
}

/// For tests: whether both are there. If not, says `skipped: ...`; under `CI=true` that is a failure.
pub fn have_formal(test: &str) -> bool {
    match find_yosys().and(find_yices()) {
        Ok(_) => true,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none_or(|v| v != "true"), "{test} needs Yosys and Yices: {error}");
            println!("skipped: {test}: {error}");
            false
        }
    }
}
