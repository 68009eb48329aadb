// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that `gen` writes for one configuration, as texts by file name.
//!
//! The same configuration gives the same bytes on every run and machine: there is no date, path or
//! environment in them. [`output`] puts the files into a folder, or compares a folder with them.

pub mod diagram;
pub mod output;
pub mod rtl;
pub mod source;

use heddle_core::config::{self, CONTRACT_VERSION, Config};
use heddle_core::power::upf;
use heddle_core::{descriptor, registers};
use rtl::{Power, Rtl, RtlError};
use serde::Serialize;
use std::collections::BTreeMap;

/// Texts by file name; some are in the folder [`SIM`].
pub type Files = BTreeMap<String, String>;

/// Under what everything that is generated may be used; JSON files have it under `license` or `$comment`.
pub const LICENCE: &str = "MIT OR Apache-2.0";

/// Name of the file that lists the others.
pub const MANIFEST: &str = "manifest.json";

/// Folder of the design for simulation in which power domains lose their contents.
pub const SIM: &str = "sim";

/// What `manifest.json` says.
#[derive(Serialize)]
struct Manifest<'a> {
    license: &'static str,
    generator: String,
    name: &'a str,
    /// Version of the contract between host and hardware.
    contract: String,
    digest: String,
    /// Name of the top module; absent while there is no Verilog.
    #[serde(skip_serializing_if = "Option::is_none")]
    top: Option<&'a str>,
    /// Module names, instantiated ones first; each is in `<name>.v`.
    modules: Vec<&'a str>,
    /// Name of the module around the top on an FPGA; absent where it needs none.
    #[serde(skip_serializing_if = "Option::is_none")]
    fpga_top: Option<&'a str>,
    /// Name of the top module of `sim/filelist.f`; absent without power domains.
    #[serde(skip_serializing_if = "Option::is_none")]
    simulation_top: Option<&'a str>,
    config: &'a Config,
    /// Bytes in each of the other files.
    sizes: BTreeMap<&'a str, usize>,
}

/// All files of a validated configuration.
pub fn generate(config: &Config) -> Result<Files, RtlError> {
    Ok(assemble(config, &rtl::rtl(config)?))
}

/// The files around a given set of Verilog files.
pub fn assemble(config: &Config, rtl: &Rtl) -> Files {
    let mut files: Files = rtl.files.iter().cloned().collect();
    let mut add = |name: &str, text: String| files.insert(name.into(), text);
    add("filelist.f", filelist(rtl));
    add("registers.json", registers::json(config));
    add("registers.svd", registers::svd(config));
    add("registers.h", registers::c_header(config));
    add("registers.md", licensed(&registers::markdown(config)));
    add("registers.rs", registers::rust_source(config));
    add("descriptors.md", licensed(&descriptor::markdown()));
    add("config.toml", config_toml(config));
    add("config.schema.json", config::json_schema());
    if let Some(power) = &rtl.power {
        add(upf::FILE, power.upf.clone());
        for (name, text) in &power.files {
            add(&format!("{SIM}/{name}"), text.clone());
        }
        add(&format!("{SIM}/filelist.f"), sim_filelist(power));
    }
    if let Some((name, text)) = &rtl.fpga {
        add(name, text.clone());
    }
    if let Some(diagram) = &rtl.diagram {
        add("diagram.svg", diagram.clone());
    }
    let manifest = manifest(config, rtl, &files);
    files.insert(MANIFEST.into(), manifest);
    files
}

/// A page of Markdown with its licence line.
pub fn licensed(page: &str) -> String {
    format!("<!-- SPDX-License-Identifier: {LICENCE} -->\n{page}")
}

/// One file per line, instantiated ones first, as `-f` of Verilator and `-c` of Icarus read it.
fn filelist(rtl: &Rtl) -> String {
    lines(rtl.files.iter().map(|(name, _)| format!("{name}\n")))
}

/// The same for the folder [`SIM`], which has only what differs.
fn sim_filelist(power: &Power) -> String {
    let own = |file: &str| power.files.iter().any(|(name, _)| name == file);
    lines(
        power
            .modules
            .iter()
            .map(|module| format!("{module}.v"))
            .map(|file| if own(&file) { format!("{file}\n") } else { format!("../{file}\n") }),
    )
}

fn lines(files: impl Iterator<Item = String>) -> String {
    std::iter::once("// SPDX-License-Identifier: MIT OR Apache-2.0\n".to_owned()).chain(files).collect()
}

fn config_toml(config: &Config) -> String {
    format!("# SPDX-License-Identifier: MIT OR Apache-2.0\n#:schema ./config.schema.json\n\n{}", config.to_toml())
}

fn manifest(config: &Config, rtl: &Rtl, files: &Files) -> String {
    let (major, minor) = CONTRACT_VERSION;
    let manifest = Manifest {
        license: LICENCE,
        generator: rtl::generator(),
        name: &config.name,
        contract: format!("{major}.{minor}"),
        digest: config.digest_hex(),
        top: rtl.modules.last().map(String::as_str),
        modules: rtl.modules.iter().map(String::as_str).collect(),
        fpga_top: rtl.fpga.as_ref().and_then(|(name, _)| name.strip_suffix(".v")),
        simulation_top: rtl.power.as_ref().and_then(|power| power.modules.last()).map(String::as_str),
        config,
        sizes: files.iter().map(|(name, text)| (name.as_str(), text.len())).collect(),
    };
    let mut text = serde_json::to_string_pretty(&manifest).expect("strings and numbers have a JSON form");
    text.push('\n');
    text
}
