// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tables: presets, cycle counts, ports.

use super::PRESET;
use crate::generate::rtl::{Rtl, rtl};
use heddle_core::config::{BLOCK, Config, PRESETS};
use heddle_core::engine::{act_buffer, array, column, place, scale_acc, to_float};
use heddle_core::link::{LinkConfig, link};
use heddle_core::top;
use heddle_lang::expr::Ty;
use heddle_lang::module::{Item, Module, Net, NetKind};
use heddle_tb::power::{self, Latency};
use std::fmt::Write;
use std::sync::Arc;

/// Shape of each preset, and the size of its Verilog.
pub fn presets() -> Result<String, String> {
    let mut text = String::from(
        "| preset | meant for | lanes x columns | products per cycle | memory port | target clock | formats | Verilog |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for config in all() {
        let Rtl { files, modules, .. } = rtl(&config).map_err(|e| e.to_string())?;
        let lines: usize = files.iter().map(|(_, text)| text.lines().count()).sum();
        let (lanes, columns) = (config.array.lanes, config.array.columns);
        let formats: Vec<&str> = config.formats.iter().map(|f| f.ggml_name()).collect();
        let _ = writeln!(
            text,
            "| `{}` | {} | {lanes} x {columns} | {} | {} bits | {} MHz | {} | {} modules, {lines} lines |",
            config.name,
            meant_for(&config.name),
            lanes * columns,
            config.memory.port_bits,
            config.clock_mhz,
            formats.join(", "),
            modules.len(),
        );
    }
    Ok(text)
}

fn meant_for(preset: &str) -> &'static str {
    match preset {
        "nano" => "iCE40 UP5K",
        "small" => "ECP5-25F",
        "base" => "ECP5-85F",
        "gated" => "`base` with power domains",
        "wide" => "ASIC scale",
        _ => "",
    }
}

/// Cycles of the pipeline of each preset, from the constants of the source.
pub fn numbers() -> Result<String, String> {
    let mut text = String::from("| cycles |");
    let row = |name: &str, value: &dyn Fn(&Config) -> u32| {
        let cells: Vec<String> = all().map(|c| value(&c).to_string()).collect();
        format!("| {name} | {} |\n", cells.join(" | "))
    };
    let names: Vec<String> = PRESETS.iter().map(|name| format!(" `{name}` |")).collect();
    let _ = writeln!(text, "{}\n|---|{}", names.concat(), "---|".repeat(PRESETS.len()));
    text += &row("per block of 32 weights", &|c| c.cycles_per_block());
    text += &row("blocks taken together", &|c| c.blocks_per_cycle());
    text += &row("`column`: last operands to sum", &|c| column::latency(c.array.lanes.min(BLOCK)));
    text += &row("`place`: operands to term", &|_| place::LATENCY);
    text += &row("`scale_acc`: block to accumulator", &|c| scale_acc::latency(c.blocks_per_cycle(), act_buffer::has_minima(c)));
    text += &row("`array`: last chunk of a row to its accumulators", &array::latency);
    text += &row("`to_float`: accumulator to f24", &|_| to_float::LATENCY);
    Ok(text)
}

fn all() -> impl Iterator<Item = Config> {
    PRESETS.into_iter().map(|name| Config::preset(name).expect("a preset of this crate"))
}

/// Latency of each transition of a power domain's controller, from its native simulation.
pub fn power_latency() -> Result<String, String> {
    let mut text = String::from("| transition | from | to | cycles |\n|---|---|---|---|\n");
    for Latency { name, from, to, cycles } in power::latencies().map_err(|e| e.to_string())? {
        let _ = writeln!(text, "| {name} | {from} | {to} | {cycles} |");
    }
    Ok(text)
}

/// The ports of a module of the preset, or else of `gated` or of its link, grouped as in its source.
pub fn ports(name: &str) -> Result<String, String> {
    let mut names = Vec::new();
    for preset in [PRESET, "gated"] {
        let config = Config::preset(preset).expect("a preset of this crate");
        let top = top::top(&config).map_err(|e| e.to_string())?;
        let hierarchy = top.hierarchy();
        if let Some(module) = hierarchy.iter().find(|m| m.name == name) {
            return Ok(port_table(&format!("`{preset}`"), module));
        }
        names.extend(hierarchy.iter().map(|m| m.name.clone()));
    }
    let config = Config::preset(PRESET).expect("a preset of this crate");
    let of_preset = LinkConfig::new(config.memory.port_bits, config.memory_bytes(), (1e6 * config.clock_mhz) as u32, 1_000_000);
    for frames in [true, false] {
        let link = link(&LinkConfig { frames, ..of_preset }).map_err(|e| e.to_string())?;
        if let Some(module) = link.hierarchy().iter().find(|m| m.name == name) {
            return Ok(port_table(&format!("a link of `{PRESET}`"), module));
        }
    }
    names.sort();
    names.dedup();
    Err(format!("no module `{name}` in `{PRESET}` or `gated`; there are {}", names.join(", ")))
}

fn port_table(preset: &str, module: &Arc<Module>) -> String {
    let described = module.ports().any(|(_, net)| !net.doc.is_empty());
    let mut text = format!("Module `heddle_{}` as built for {preset}:\n\n| port | direction | bits |", module.name);
    text += if described { " meaning |\n|---|---|---|---|\n" } else { "\n|---|---|---|\n" };
    for (_, net) in module.ports() {
        let _ = write!(text, "| `{}{}` | {} | {} |", net.name, net.kind.suffix(), direction(net), bits(net.ty));
        text += &if described { format!(" {} |\n", net.doc) } else { "\n".into() };
    }
    let instances: Vec<String> = module.instances().map(|i| format!("`{}` ({})", i.name, i.module.name)).collect();
    if !instances.is_empty() {
        let _ = write!(text, "\nInside: {}.\n", instances.join(", "));
    }
    let memories = module.items.iter().filter_map(|item| match item {
        Item::Memory(memory) => Some(format!("`{}`, {} words of {} bits", memory.name, memory.depth, memory.width)),
        _ => None,
    });
    let memories: Vec<String> = memories.collect();
    if !memories.is_empty() {
        let _ = write!(text, "\nMemories: {}.\n", memories.join("; "));
    }
    text
}

fn direction(net: &Net) -> &'static str {
    match net.kind {
        NetKind::Clock => "clock",
        NetKind::Input => "in",
        _ => "out",
    }
}

fn bits(ty: Ty) -> String {
    match ty {
        Ty::Unsigned(width) => width.to_string(),
        Ty::Signed(width) => format!("{width}, signed"),
    }
}
