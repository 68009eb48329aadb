// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Verilog of a configuration, and what is read off its module hierarchy.

use super::diagram;
use heddle_core::config::Config;
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
}

/// Why there is no Verilog.
#[derive(Debug, Error)]
pub enum RtlError {
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Print(#[from] PrintError),
}

/// The design of a validated configuration.
pub fn rtl(config: &Config) -> Result<Rtl, RtlError> {
    Rtl::of(&heddle_core::top::top(config)?, config)
}

/// Name and version of this program, for the head of each file.
pub fn generator() -> String {
    concat!("Heddle ", env!("CARGO_PKG_VERSION")).into()
}

impl Rtl {
    /// Prints a module and all below it.
    pub fn of(top: &Arc<Module>, config: &Config) -> Result<Rtl, RtlError> {
        let options = Options { prefix: PREFIX.into(), generator: generator(), digest: config.digest_hex() };
        let files = verilog::files(top, &options)?;
        Ok(Rtl {
            files: files.into_iter().map(|file| (file.name, file.text)).collect(),
            modules: top.hierarchy().iter().map(|module| format!("{PREFIX}{}", module.name)).collect(),
            diagram: Some(diagram::svg(top, &format!("{}, {} x {}", config.name, config.array.lanes, config.array.columns))),
        })
    }
}
