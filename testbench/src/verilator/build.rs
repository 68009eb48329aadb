// SPDX-License-Identifier: MIT OR Apache-2.0
//! From Verilog text to an opened library: verilate, compile, link, cache.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::library::{Library, SharedObject};
use super::{BuildError, BuildOptions, Design, Port, Progress, Trace, compile, emit, files, header};
use crate::tools::{self, Verilator};
use heddle_tools::cache::{self, Key, Scratch};

/// How a library came to be.
#[derive(Clone, Debug, Default)]
pub struct BuildReport {
    /// Opened from the cache, or already open in this process.
    pub cached: bool,
    pub verilate: Duration,
    pub compile: Duration,
    /// Verilator's warnings. They do not fail a build: lint is a gate of its own.
    pub warnings: String,
}

/// Builds or opens `designs`; one build at a time in a process, since each uses all cores.
pub(super) fn build(designs: &[Design], options: &BuildOptions, progress: Progress<'_>) -> Result<Vec<Library>, BuildError> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    designs.iter().try_for_each(validate)?;
    let verilator = tools::find_verilator()?;
    let compiler = tools::compiler_version()?;
    let key = key(designs, options, &verilator, &compiler);
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(object) = SharedObject::open_already(&key) {
        return Library::all(object, designs);
    }
    let report = RefCell::new(BuildReport { cached: true, ..BuildReport::default() });
    let mut fill = |out: &Path| {
        *report.borrow_mut() = Job { designs, options, verilator: &verilator, compiler: &compiler }.run(out, progress)?;
        Ok::<(), BuildError>(())
    };
    let open = |folder: &Path| SharedObject::open(&key, &folder.join(LIBRARY), designs, report.borrow().clone());
    if !options.keep {
        // The file may go once it is mapped.
        let scratch = Scratch::new()?;
        fill(scratch.path())?;
        return Library::all(open(scratch.path())?, designs);
    }
    let object = match open(&cache::get_or_build(KIND, &key, &mut fill)?) {
        // A whole entry that needs a system library which is gone.
        Err(BuildError::Open { .. }) if report.borrow().cached => {
            cache::remove(KIND, &key);
            open(&cache::get_or_build(KIND, &key, &mut fill)?)?
        }
        object => object?,
    };
    Library::all(object, designs)
}

/// Folder of the cache that holds built designs.
const KIND: &str = "design";
const LIBRARY: &str = "model.so";

fn validate(design: &Design) -> Result<(), BuildError> {
    let invalid = |field, value: &str, legal| Err(BuildError::Invalid { top: design.top.clone(), field, value: value.to_owned(), legal });
    let identifier =
        |s: &str| !s.is_empty() && !s.starts_with(|c: char| c.is_ascii_digit()) && s.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !identifier(&design.top) {
        return invalid("top", &design.top, "is not a plain Verilog identifier");
    }
    if design.files.is_empty() {
        return invalid("files", "", "is empty: a design needs at least one file");
    }
    for (name, _) in &design.files {
        if name.is_empty() || name.starts_with(['-', '+', '.']) || name.contains(['/', '\\', '\0']) {
            return invalid("file name", name, "must be a plain name without a path");
        }
    }
    Ok(())
}

fn key(designs: &[Design], options: &BuildOptions, verilator: &Verilator, compiler: &str) -> String {
    let mut key = Key::new("design")
        .part(env!("CARGO_PKG_VERSION"))
        .part(emit::SHIM)
        .part(&verilator.version)
        .part(compiler)
        .parts(verilator_flags(options))
        .parts(verilator.careful().iter().copied())
        .parts(compile::flags(options))
        .parts(compile::link_flags(options))
        .part(compile::level(options.opt));
    for design in designs {
        key = key.part(&design.top).part(design.clock.as_deref().unwrap_or(""));
        key = key.parts(design.files.iter().flat_map(|(name, text)| [name.as_str(), text.as_str()]));
    }
    key.finish()
}

fn verilator_flags(options: &BuildOptions) -> Vec<&'static str> {
    // Not fatal: mutated designs and netlists are simulated too, and have warnings. What is emitted is linted with -Wall elsewhere.
    let mut flags = vec!["--cc", "-O3", "--no-timing", "-Wno-fatal", "-I.", "--output-split", "3000"];
    let initial = if options.random_init { "unique" } else { "fast" };
    flags.extend(["--x-assign", initial, "--x-initial", initial]);
    flags.extend(match options.trace {
        Trace::Off => None,
        Trace::Vcd => Some("--trace"),
        Trace::Fst => Some("--trace-fst"),
    });
    if options.coverage {
        flags.extend(["--coverage-line", "--coverage-toggle"]);
    }
    if options.assertions {
        flags.extend(["--assert", "-DFORMAL"]);
    } else {
        flags.push("--no-assert");
    }
    flags
}

struct Job<'a> {
    designs: &'a [Design],
    options: &'a BuildOptions,
    verilator: &'a Verilator,
    compiler: &'a str,
}

impl Job<'_> {
    /// Leaves `model.so` in `out`.
    fn run(&self, out: &Path, progress: Progress<'_>) -> Result<BuildReport, BuildError> {
        let mut report = BuildReport::default();
        let runtime = compile::runtime(self.options, self.verilator, self.compiler, progress)?;
        let scratch = Scratch::new()?;
        let work = scratch.path();

        let what = match self.designs {
            [one] => format!("`{}`", one.top),
            many => format!("{} designs", many.len()),
        };
        progress(&format!("verilating {what}"));
        let start = Instant::now();
        let mut generated = Vec::new();
        for (index, design) in self.designs.iter().enumerate() {
            generated.push(self.verilate(index, design, work, &mut report.warnings)?);
        }
        report.verilate = start.elapsed();

        progress(&format!("compiling {what}"));
        let start = Instant::now();
        let units = emit::units(&generated, self.options.opt, compile::jobs());
        for unit in &units {
            files::write(&work.join(&unit.name), &unit.text)?;
        }
        let context = compile::Context { options: self.options, verilator: self.verilator, work };
        let objects = context.compile(&units)?;
        context.link(&objects, &runtime, &out.join(LIBRARY))?;
        report.compile = start.elapsed();
        Ok(report)
    }

    fn verilate(&self, index: usize, design: &Design, work: &Path, warnings: &mut String) -> Result<Generated, BuildError> {
        let sources = work.join(format!("src{index}"));
        let folder = work.join(format!("d{index}"));
        files::create_dir(&sources)?;
        files::create_dir(&folder)?;
        let class = format!("Hd{index}");
        let mut command = self.verilator.command();
        command.current_dir(&sources).args(verilator_flags(self.options)).args(self.verilator.careful());
        command.args(["--prefix", &class, "--top-module", &design.top, "--Mdir"]).arg(&folder);
        for (name, text) in &design.files {
            files::write(&sources.join(name), text)?;
            let included = [".vh", ".svh"].iter().any(|suffix| name.ends_with(suffix));
            if !included {
                command.arg(name);
            }
        }
        let done = command.output().map_err(|source| BuildError::Io { action: "run", path: self.verilator.binary.clone(), source })?;
        let log = String::from_utf8_lossy(&done.stderr);
        if !done.status.success() {
            return Err(BuildError::Verilator { top: design.top.clone(), log: log.trim().to_owned() });
        }
        warnings.push_str(&log);
        let ports = header::ports(&files::read(&folder.join(format!("{class}.h")))?);
        header::check(design, &ports)?;
        Ok(Generated { index, class, clock: design.clock.clone(), ports, files: cpp_files(&folder)? })
    }
}

/// What Verilator made of one design.
pub(super) struct Generated {
    pub index: usize,
    pub class: String,
    pub clock: Option<String>,
    pub ports: Vec<Port>,
    /// Path relative to the work folder, and bytes; sorted by name.
    pub files: Vec<(String, u64)>,
}

fn cpp_files(folder: &Path) -> Result<Vec<(String, u64)>, BuildError> {
    let io = |source| BuildError::Io { action: "list", path: folder.to_owned(), source };
    let parent: PathBuf = folder.file_name().map(PathBuf::from).unwrap_or_default();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".cpp") {
            let bytes = entry.metadata().map_err(io)?.len();
            files.push((parent.join(name).to_string_lossy().into_owned(), bytes));
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_cache_entry_is_built_again() {
        if !tools::have_verilator("a_damaged_cache_entry_is_built_again") {
            return;
        }
        let text = "module frail (input a_i, output y_o); assign y_o = a_i; endmodule";
        let designs = [Design::new("frail").file("frail.v", text)];
        let options = BuildOptions { opt: super::super::Opt::Quick, ..BuildOptions::default() };
        let build = || build(&designs, &options, &mut |_| {}).unwrap_or_else(|e| panic!("{e}")).remove(0);
        let (verilator, compiler) = (tools::find_verilator().unwrap(), tools::compiler_version().unwrap());
        let library = cache::cache_dir().join(KIND).join(key(&designs, &options, &verilator, &compiler)).join(LIBRARY);
        drop(build());
        let good = std::fs::read(&library).unwrap();
        // A library that was cut short is a bus error to who opens it; one with other bytes may run and be wrong.
        let middle = good.len() / 2;
        let flipped = [&good[..middle], &[!good[middle]], &good[middle + 1..]].concat();
        for damaged in [&good[..1000], b"", b"not a library", &flipped] {
            std::fs::write(&library, damaged).unwrap();
            assert!(!build().report().cached, "{} bytes", damaged.len());
            assert!(build().report().cached);
        }
    }
}
