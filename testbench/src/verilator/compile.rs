// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs the C++ compiler: Verilator's runtime once per variant, then the units of a design in parallel.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::emit::{self, Unit};
use super::{BuildError, BuildOptions, Opt, Progress, Trace};
use crate::tools::{self, Verilator};
use heddle_tools::cache::{self, Key};

/// Flags of every C++ file. Measured on a 16-lane dot product: `-O3` over `-Os` 1.8 times,
/// `-fno-semantic-interposition` 8 %; `-march=native` costs a third of the speed under gcc 12.
pub(super) fn flags(options: &BuildOptions) -> Vec<&'static str> {
    let mut flags = vec![
        "-std=gnu++17",
        "-faligned-new",
        "-fPIC",
        "-fno-gnu-unique",
        "-fno-semantic-interposition",
        "-fvisibility=hidden",
        "-fvisibility-inlines-hidden",
        "-pthread",
        "-w",
        "-DVERILATOR=1",
        "-DVL_TIME_CONTEXT",
        "-DVM_SC=0",
        "-DVM_TIMING=0",
        "-DVL_USER_FINISH",
        "-DVL_USER_STOP",
        "-DVL_USER_FATAL",
    ];
    flags.extend(match options.trace {
        Trace::Off => ["-DVM_TRACE=0", "-DVM_TRACE_VCD=0", "-DVM_TRACE_FST=0", "-DHEDDLE_TRACE=0"],
        Trace::Vcd => ["-DVM_TRACE=1", "-DVM_TRACE_VCD=1", "-DVM_TRACE_FST=0", "-DHEDDLE_TRACE=1"],
        Trace::Fst => ["-DVM_TRACE=1", "-DVM_TRACE_VCD=0", "-DVM_TRACE_FST=1", "-DHEDDLE_TRACE=2"],
    });
    flags.push(if options.coverage { "-DVM_COVERAGE=1" } else { "-DVM_COVERAGE=0" });
    flags
}

pub(super) fn link_flags(options: &BuildOptions) -> Vec<&'static str> {
    let mut flags = vec!["-shared", "-Wl,-Bsymbolic", "-pthread"];
    if options.trace == Trace::Fst {
        flags.push("-lz");
    }
    flags
}

pub(super) fn level(opt: Opt) -> &'static str {
    match opt {
        Opt::Fast => "-O3",
        Opt::Quick => "-O0",
    }
}

/// Compilers to run at the same time.
pub(super) fn jobs() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Folder with the runtime's objects for this variant, from the cache.
pub(super) fn runtime(
    options: &BuildOptions,
    verilator: &Verilator,
    compiler: &str,
    progress: Progress<'_>,
) -> Result<PathBuf, BuildError> {
    let key = Key::new("runtime").part(&verilator.version).part(compiler).parts(flags(options)).finish();
    cache::get_or_build("runtime", &key, |out| {
        progress("compiling Verilator's runtime (once)");
        let mut sources = vec!["verilated", "verilated_threads"];
        sources.extend(match options.trace {
            Trace::Off => None,
            Trace::Vcd => Some("verilated_vcd_c"),
            Trace::Fst => Some("verilated_fst_c"),
        });
        if options.coverage {
            sources.push("verilated_cov");
        }
        let commands = sources.into_iter().map(|source| {
            let mut command = compiler_command(options, verilator);
            command.arg("-O1").arg("-c").arg(verilator.include().join(format!("{source}.cpp")));
            command.arg("-o").arg(out.join(format!("{source}.o")));
            (format!("Verilator's {source}.cpp"), command)
        });
        run_all(commands.collect())
    })
}

fn compiler_command(options: &BuildOptions, verilator: &Verilator) -> Command {
    let mut command = Command::new(tools::compiler());
    command.args(flags(options)).arg("-I").arg(verilator.include());
    command.arg("-I").arg(verilator.include().join("vltstd"));
    command
}

pub(super) struct Context<'a> {
    pub options: &'a BuildOptions,
    pub verilator: &'a Verilator,
    pub work: &'a Path,
}

impl Context<'_> {
    /// Objects of the units, which are already written to the work folder.
    pub fn compile(&self, units: &[Unit]) -> Result<Vec<PathBuf>, BuildError> {
        let mut objects = Vec::new();
        let mut commands = Vec::new();
        for unit in units {
            let object = self.work.join(&unit.name).with_extension("o");
            let level = if unit.cold { "-O1" } else { level(self.options.opt) };
            let mut command = compiler_command(self.options, self.verilator);
            command.current_dir(self.work).arg(format!("-DHEDDLE_ABI={}", emit::ABI));
            command.args([level, "-c", &unit.name, "-o"]).arg(&object);
            commands.push((unit.name.clone(), command));
            objects.push(object);
        }
        run_all(commands)?;
        Ok(objects)
    }

    pub fn link(&self, objects: &[PathBuf], runtime: &Path, library: &Path) -> Result<(), BuildError> {
        let mut command = Command::new(tools::compiler());
        command.args(objects).args(runtime_objects(runtime)?).args(link_flags(self.options));
        if self.options.trace == Trace::Fst && self.needs_lz4() {
            command.arg("-llz4");
        }
        command.arg("-o").arg(library);
        run_all(vec![("the link".into(), command)])
    }

    /// Newer FST writers use the system's lz4; older ones carry their own.
    fn needs_lz4(&self) -> bool {
        self.verilator.include().join("fstcpp").is_dir()
    }
}

fn runtime_objects(runtime: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let io = |source| BuildError::Io { action: "list", path: runtime.to_owned(), source };
    let mut objects = Vec::new();
    for entry in std::fs::read_dir(runtime).map_err(io)? {
        objects.push(entry.map_err(io)?.path());
    }
    objects.retain(|path| path.extension().is_some_and(|e| e == "o"));
    objects.sort();
    Ok(objects)
}

/// Runs the commands, `jobs()` at a time; the first failure is returned with its log.
fn run_all(commands: Vec<(String, Command)>) -> Result<(), BuildError> {
    let workers = jobs().min(commands.len());
    let commands: Vec<_> = commands.into_iter().map(Mutex::new).collect();
    let next = AtomicUsize::new(0);
    let failure = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(slot) = commands.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Ok(mut slot) = slot.lock() else { return };
                    let (what, command) = &mut *slot;
                    if let Err(error) = run(what, command) {
                        if let Ok(mut failure) = failure.lock() {
                            failure.get_or_insert(error);
                        }
                        next.store(commands.len(), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    match failure.into_inner() {
        Ok(Some(error)) => Err(error),
        _ => Ok(()),
    }
}

fn run(what: &str, command: &mut Command) -> Result<(), BuildError> {
    let program = PathBuf::from(command.get_program());
    let done = command.output().map_err(|source| BuildError::Io { action: "run", path: program, source })?;
    if done.status.success() {
        return Ok(());
    }
    let log = String::from_utf8_lossy(&done.stderr);
    let hint = if log.contains("zlib.h") || log.contains("lz4.h") || log.contains("-lz") || log.contains("-llz4") {
        " (FST needs the headers of zlib and lz4: `apt-get install zlib1g-dev liblz4-dev`; VCD needs none)"
    } else {
        ""
    };
    // The first errors say most; templates make the rest long.
    let log = log.lines().take(40).collect::<Vec<_>>().join("\n");
    Err(BuildError::Compile { what: what.to_owned(), hint, log })
}
