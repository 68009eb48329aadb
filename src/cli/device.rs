// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which accelerator to use and how to reach it.

use std::fs::OpenOptions;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use heddle_core::config::Config;
use heddle_tb::verilator::{BuildOptions, Trace};
use indicatif::{ProgressBar, ProgressStyle};

use crate::driver::golden::Golden;
use crate::driver::serial::{SerialTransport, SerialUrl};
use crate::driver::sim::{self, Sim};
use crate::driver::{Driver, Transport, waves};
use crate::generate::source::{self, Source};

/// The configuration of the hardware.
#[derive(Args)]
pub struct HardwareArgs {
    /// Hardware preset (`gen --list` shows them)
    #[arg(long, value_name = "NAME", default_value = "base", conflicts_with = "config")]
    pub preset: String,
    /// Hardware configuration from a TOML file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Change one key of the configuration, as in array.lanes=16; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
}

/// How the hardware is reached.
#[derive(Args)]
pub struct TransportArgs {
    /// What the matrix products run on: sim, the emitted Verilog in Verilator; golden, the bit-exact model (same
    /// results, no cycles, fast); serial:PATH@BAUD, a board at a serial port
    #[arg(long, value_name = "sim|golden|serial:PATH@BAUD", default_value = "sim")]
    pub transport: Kind,
    /// Write the waveforms of the simulation to this file (.vcd or .fst); with power domains also a view for GTKWave
    /// that shows their states by name (FILE.gtkw)
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// First clock cycle of the waveforms
    #[arg(long, value_name = "CYCLE", default_value_t = 0, requires = "trace")]
    pub trace_from: u64,
    /// Clock cycles in the waveforms
    #[arg(long, value_name = "CYCLES", default_value_t = 20_000, requires = "trace", value_parser = clap::value_parser!(u64).range(1..))]
    pub trace_cycles: u64,
}

/// A way to reach an accelerator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The emitted Verilog, simulated by Verilator.
    Sim,
    /// The bit-exact model.
    Golden,
    /// A board.
    Serial(SerialUrl),
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Kind, String> {
        match text.split_once(':') {
            None if text == "sim" => Ok(Kind::Sim),
            None if text == "golden" => Ok(Kind::Golden),
            Some(("serial", url)) => url.parse().map(Kind::Serial),
            _ => Err(format!("there is no transport `{text}`; there are sim, golden, serial:PATH@BAUD")),
        }
    }
}

impl HardwareArgs {
    /// The checked configuration.
    pub fn config(&self) -> Result<Config> {
        let source = match &self.config {
            Some(file) => Source::File(file.clone()),
            None => Source::Preset(self.preset.clone()),
        };
        Ok(source::load(&source, &self.settings)?)
    }
}

impl TransportArgs {
    /// A driver for the hardware of `config`; shows what takes time unless `quiet`.
    pub fn connect(&self, config: &Config, quiet: bool) -> Result<Driver> {
        let transport: Box<dyn Transport> = match &self.transport {
            Kind::Golden if self.trace.is_some() => bail!("there are no waveforms of the golden model; use --trace with --transport sim"),
            Kind::Serial(_) if self.trace.is_some() => bail!("there are no waveforms of a board; use --trace with --transport sim"),
            Kind::Golden => Box::new(Golden::new(config)),
            Kind::Serial(url) => Box::new(SerialTransport::open(url)?),
            Kind::Sim => Box::new(self.simulation(config, quiet)?),
        };
        Ok(Driver::connect(transport, config)?)
    }

    /// What to say about waveforms after a run that ended at this cycle, if there are none.
    pub fn no_waves(&self, end: Option<u64>) -> Option<String> {
        let (end, from) = (end?, self.trace_from);
        let missed = self.trace.is_some() && end <= from;
        missed.then(|| format!("the run ended at cycle {end}, before --trace-from {from}: no waves"))
    }

    fn simulation(&self, config: &Config, quiet: bool) -> Result<Sim> {
        let options = BuildOptions { trace: self.trace_kind()?, ..BuildOptions::default() };
        let bar = steps_bar(quiet);
        let library = sim::build(config, &options, &mut |line| {
            bar.inc(1);
            bar.set_message(line.to_string());
        });
        bar.finish_and_clear();
        let mut sim = Sim::new(&library?, config)?;
        if let Some(file) = &self.trace {
            let window: Range<u64> = self.trace_from..self.trace_from.saturating_add(self.trace_cycles);
            sim.trace(file, window)?;
            waves::save(file, config)?;
        }
        Ok(sim)
    }

    fn trace_kind(&self) -> Result<Trace> {
        let Some(file) = &self.trace else { return Ok(Trace::Off) };
        let kind = match file.extension().and_then(|e| e.to_str()) {
            Some("vcd") => Trace::Vcd,
            Some("fst") => Trace::Fst,
            _ => bail!("--trace {}: the name must end in .vcd or .fst, which chooses the format", file.display()),
        };
        match try_to_write(file) {
            Ok(()) => Ok(kind),
            Err(error) => bail!("--trace {}: cannot write the file: {error}; choose one in a folder that can be written", file.display()),
        }
    }
}

/// Whether a file can be written, found out before anything is built for it; it stays as it is.
fn try_to_write(file: &Path) -> std::io::Result<()> {
    let is_new = !file.exists();
    OpenOptions::new().append(true).create(true).open(file)?;
    if is_new { std::fs::remove_file(file) } else { Ok(()) }
}

/// A spinner with a message and the time, on the standard error; nothing if `quiet`.
pub fn spinner(quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::new_spinner().with_style(style);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Steps of building a simulation: the Verilog, Verilator, its runtime, the compiler; three of them if the runtime
/// is in the cache.
const BUILD_STEPS: u64 = 4;

/// A bar of the steps of a build, on the standard error; nothing if `quiet`.
fn steps_bar(quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} [{bar:16}] {wide_msg} {elapsed}").unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(BUILD_STEPS).with_style(style.progress_chars("=> "));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// A bar that counts, on the standard error; nothing if `quiet`.
pub fn counting_bar(what: &'static str, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style).with_message(what)
}
