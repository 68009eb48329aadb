// SPDX-License-Identifier: MIT OR Apache-2.0
//! Yosys: from Verilog to standard cells, cached by content.

use super::{AsicError, Flat, Library, SMALL_MEMORY};
use crate::{SynthError, yosys};
use heddle_lang::{Module, Target, module::NetKind, verilog};
use heddle_tools::{
    cache::{self, Key},
    find_yosys,
};
use std::{path::Path, sync::Arc};

/// Folder of the cache.
const KIND: &str = "asic";
const SCRIPT: &str = "script.ys";
const TEMPLATE: &str = include_str!("../../templates/asic.ys.tera");

/// The gates of a module in a library.
pub fn map(module: &Arc<Module>, library: &Library) -> Result<Flat, AsicError> {
    let top = module.name.as_str();
    let failed = |reason: String| AsicError::Netlist { top: top.into(), reason };
    let printed = verilog::files(module, &verilog::Options { target: Target::Generic, ..Default::default() });
    let printed = printed.map_err(|e| failed(e.to_string()))?;
    let sources: Vec<(String, String)> = printed.into_iter().map(|file| (file.name, file.text)).collect();
    let libraries: Vec<(String, &String)> = library.texts.iter().enumerate().map(|(i, text)| (format!("library_{i}.lib"), text)).collect();
    let script = script(top, &sources, libraries.iter().map(|(name, _)| name.as_str())).map_err(failed)?;
    let tool = find_yosys()?;
    let parts = sources.iter().flat_map(|(name, text)| [name.as_str(), text]).chain(library.texts.iter().map(String::as_str));
    let key = Key::new(KIND).part(&tool.version).part(&script).parts(parts).finish();
    let folder = cache::get_or_build(KIND, &key, |folder| -> Result<(), SynthError> {
        let texts = sources.iter().map(|(name, text)| (name.as_str(), text));
        let libraries = libraries.iter().map(|(name, text)| (name.as_str(), *text));
        for (name, text) in texts.chain(libraries.clone()).chain([(SCRIPT, &script)]) {
            write(&folder.join(name), text)?;
        }
        yosys::script(&tool, top, folder, SCRIPT, yosys::NETLIST)?;
        // They are large, and part of the key.
        libraries.into_iter().try_for_each(|(name, _)| {
            let path = folder.join(name);
            std::fs::remove_file(&path).map_err(SynthError::file(&path))
        })
    })?;
    let clock = module.ports().find(|(_, net)| net.kind == NetKind::Clock).map(|(_, net)| verilog::net_name(net));
    Flat::read(&folder.join(yosys::NETLIST), top, clock.as_deref(), library)
}

fn write(path: &Path, text: &str) -> Result<(), SynthError> {
    std::fs::write(path, text).map_err(SynthError::file(path))
}

fn script<'a>(top: &str, sources: &[(String, String)], libraries: impl Iterator<Item = &'a str>) -> Result<String, String> {
    let mut context = tera::Context::new();
    let files: Vec<&str> = sources.iter().map(|(name, _)| name.as_str()).collect();
    context.insert("files", &files.join(" "));
    context.insert("top", top);
    context.insert("small", &SMALL_MEMORY);
    context.insert("liberty", &libraries.map(|name| format!(" -liberty {name}")).collect::<String>());
    let mut tera = tera::Tera::default();
    tera.add_raw_template("script", TEMPLATE).and_then(|()| tera.render("script", &context)).map_err(|e| e.to_string())
}
