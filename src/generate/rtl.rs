// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Verilog of a configuration, and what is read off its module hierarchy.

use super::diagram;
use heddle_core::config::Config;
use heddle_core::power::intent::{Intent, IntentError};
use heddle_core::power::upf;
use heddle_lang::corrupt::CorruptError;
use heddle_lang::verilog::{self, Options, PrintError};
use heddle_lang::{BuildError, Module};
use std::sync::Arc;
use thiserror::Error;

/// Put before every module name.
pub const PREFIX: &str = "heddle_";

/// The emitted design.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rtl {
    /// File name and text, instantiated modules first.
    pub files: Vec<(String, String)>,
    /// Module names in the same order: the last is the top.
    pub modules: Vec<String>,
    /// Block diagram of the top, as SVG.
    pub diagram: Option<String>,
    /// Where there are power domains.
    pub power: Option<Power>,
    /// Name and text of the top for an FPGA, where it is another one.
    pub fpga: Option<(String, String)>,
}

/// What goes with the Verilog of a design with power domains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Power {
    /// Power intent, as UPF.
    pub upf: String,
    /// Module names of the design for simulation in which domains lose their contents, instantiated ones first.
    pub modules: Vec<String>,
    /// Name and text of the files of those that the design itself does not have.
    pub files: Vec<(String, String)>,
}

/// Why there is no Verilog.
#[derive(Debug, Error)]
pub enum RtlError {
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Print(#[from] PrintError),
    #[error(transparent)]
    Intent(#[from] IntentError),
    #[error(transparent)]
    Corrupt(#[from] CorruptError),
}

/// The design of a validated configuration.
pub fn rtl(config: &Config) -> Result<Rtl, RtlError> {
    let mut rtl = Rtl::of(&heddle_core::top::top(config)?, config)?;
    if let Some(fpga) = heddle_core::top::fpga::fpga(config)? {
        rtl.fpga = files(&fpga, &options(config))?.pop();
    }
    Ok(rtl)
}

/// Name and version of this program, for the head of each file.
pub fn generator() -> String {
    concat!("Heddle ", env!("CARGO_PKG_VERSION")).into()
}

impl Rtl {
    /// Prints a module and all below it.
    pub fn of(top: &Arc<Module>, config: &Config) -> Result<Rtl, RtlError> {
        let options = options(config);
        Ok(Rtl {
            files: files(top, &options)?,
            modules: modules(top),
            power: (config.domains() > 0).then(|| Power::of(top, config, &options)).transpose()?,
            diagram: Some(diagram::svg(top, &format!("{}, {} x {}", config.name, config.array.lanes, config.array.columns))),
            fpga: None,
        })
    }
}

impl Power {
    fn of(top: &Arc<Module>, config: &Config, options: &Options) -> Result<Power, RtlError> {
        let intent = Intent::of(config, top)?;
        let corrupted = intent.corrupted(top)?;
        let own = modules(top);
        let mut files = files(&corrupted, options)?;
        files.retain(|(name, _)| !own.iter().any(|module| *name == format!("{module}.v")));
        Ok(Power { upf: upf::upf(&intent, top, options), modules: modules(&corrupted), files })
    }
}

fn options(config: &Config) -> Options {
    Options { prefix: PREFIX.into(), generator: generator(), digest: config.digest_hex(), ..Options::default() }
}

fn files(top: &Arc<Module>, options: &Options) -> Result<Vec<(String, String)>, PrintError> {
    Ok(verilog::files(top, options)?.into_iter().map(|file| (file.name, file.text)).collect())
}

fn modules(top: &Arc<Module>) -> Vec<String> {
    top.hierarchy().iter().map(|module| format!("{PREFIX}{}", module.name)).collect()
}
