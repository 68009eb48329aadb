// SPDX-License-Identifier: MIT OR Apache-2.0
//! The netlist check: the benches of the blocks, and products of a real model, on what synthesis made of them.
//!
//! The netlist of a block is the one that `heddle synth` places and routes, with the device's cells replaced by their
//! behaviour ([`heddle_synth::gates`]), verilated, and run by the bench that runs the block's Verilog.

pub mod bitstream;
pub mod bus;

use crate::model::{embedded::embedded, gguf::Gguf};
use heddle_core::{
    config::{Config, Format},
    numerics::{F24, quant::Activations},
};
use heddle_lang::Module;
use heddle_synth::{Design, Device, Options, expect, gates};
use heddle_tb::{
    blocks::{self, Block, BlockError, Products, check_designs, parts},
    matmul::Product,
    random::Random,
    rtl,
    verilator::Design as Verilated,
};
use rayon::prelude::*;
use serde::Serialize;
use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc};

/// The matrix of the embedded model that is multiplied whole.
pub const TENSOR: &str = "blk.0.attn_q.weight";

/// How far a block went before its bench ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Netlist,
    Bitstream,
}

/// What a netlist or bitstream did.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    pub block: String,
    pub level: Level,
    pub device: String,
    /// Cells by type.
    pub cells: BTreeMap<String, u32>,
    /// Runs of the bench, each with its own seed.
    pub runs: u64,
    /// The first difference, or why there is nothing to run.
    pub fault: Option<String>,
    /// Why it cannot be checked at this level.
    pub skipped: Option<String>,
}

/// Devices with a small engine for each, of which all blocks are checked.
pub fn targets() -> Vec<(Device, Config)> {
    let device = |name| Device::named(name).expect("a device of the table");
    vec![(device("ecp5-25k"), blocks::geometry(8, 1, 64)), (device("up5k"), Config::nano())]
}

/// The blocks of a configuration, and the whole of it with a product of the embedded model; those with the word in
/// their name, before what is said of their shape.
pub fn benches(config: &Config, word: &str) -> Result<Vec<Box<dyn Block>>, BlockError> {
    let mut all = parts(config);
    all.push(Box::new(Products {
        config: config.clone(),
        what: format!("{TENSOR} of the embedded model"),
        products: vec![product(config)?],
    }));
    Ok(all.into_iter().filter(|block| block.name().split(',').next().is_some_and(|name| name.contains(word))).collect())
}

/// `TENSOR` with a vector for each column, about normally distributed as activations are.
pub fn product(config: &Config) -> Result<Product, BlockError> {
    let wrong = |what: &str| BlockError::Wrong(format!("the embedded model: {what}"));
    let gguf = Gguf::from_static(embedded("nano").ok_or_else(|| wrong("there is none"))?).map_err(|e| wrong(&e.to_string()))?;
    let tensor = gguf.tensor(TENSOR).map_err(|e| wrong(&e.to_string()))?;
    let format = Format::from_ggml_type(tensor.ty as u32).ok_or_else(|| wrong("a format that the engine has not"))?;
    let blocks = tensor.row_weights() / 32;
    let mut rng = Random::new(1);
    let columns = (0..config.array.columns).map(|_| vector(&mut rng, blocks)).collect();
    Ok(Product { format, rows: tensor.rows(), blocks, weights: tensor.data.to_vec(), columns, reuse: false, fence: false })
}

/// Sums of twelve uniform values, quantised.
fn vector(rng: &mut Random, blocks: usize) -> Activations {
    let mut normal = || (0..12).map(|_| (rng.bits() >> 11) as f64 / (1u64 << 53) as f64).sum::<f64>() - 6.0;
    let x: Vec<F24> = (0..32 * blocks).map(|_| F24::from_f64(normal())).collect();
    Activations::quantise(&x)
}

/// Synthesises the blocks side by side, then runs the bench of each.
pub fn check(blocks: &[Box<dyn Block>], device: &Device, seeds: &RangeInclusive<u64>, progress: &(dyn Fn(&str) + Sync)) -> Vec<Check> {
    let modules: Vec<Result<Arc<Module>, String>> = blocks.iter().map(|block| block.module().map_err(|e| e.to_string())).collect();
    // Benches of the same module share its netlist.
    let unique: BTreeMap<&str, &Arc<Module>> = modules.iter().flatten().map(|module| (module.name.as_str(), module)).collect();
    let unique: Vec<_> = unique.into_iter().collect();
    let made = unique.par_iter().map(|(name, module)| {
        progress(&format!("{name}: Yosys for {}", device.title()));
        (*name, netlist(module, device))
    });
    let made: BTreeMap<&str, Result<gates::Gates, String>> = made.collect();
    let netlists = modules.iter().map(|module| module.as_ref().map_err(String::clone).and_then(|m| made[m.name.as_str()].clone()));
    let run = |block: &dyn Block, netlist: Result<gates::Gates, String>| {
        progress(&format!("{}: bench", block.name()));
        let (cells, fault) = match netlist {
            Err(fault) => (BTreeMap::new(), Some(fault)),
            Ok(netlist) => (netlist.cells.clone(), bench(block, &netlist, seeds.clone()).err()),
        };
        let runs = seeds.clone().count() as u64;
        Check { block: block.name(), level: Level::Netlist, device: device.title(), cells, runs, fault, skipped: None }
    };
    blocks.iter().zip(netlists).map(|(block, netlist)| run(block.as_ref(), netlist)).collect()
}

fn netlist(module: &Arc<Module>, device: &Device) -> Result<gates::Gates, String> {
    let mut options = Options::new(device.clone(), 1.0);
    options.expected = expect::expected(module, device);
    gates::gates(&Design::pins(module), &options).map_err(|e| e.to_string())
}

/// The bench of a block on a netlist of it.
pub fn bench(block: &dyn Block, netlist: &gates::Gates, seeds: RangeInclusive<u64>) -> Result<(), String> {
    let mut design = |block: &dyn Block| -> Result<Verilated, BlockError> {
        let ports = rtl::design(&block.module()?, &Default::default())?;
        Ok(Verilated { files: netlist.files.clone(), ..ports })
    };
    check_designs(&[block], "netlist", seeds, &mut design).map_err(|failure| failure.to_string())
}

/// A line for each check, and the faults below.
pub fn table(checks: &[Check]) -> String {
    let mut text = String::from("| block | level | device | cells | runs | result |\n|---|---|---|---|---|---|\n");
    for check in checks {
        let cells: Vec<String> = check.cells.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let result = match (&check.fault, &check.skipped) {
            (Some(_), _) => "DIFFERS".to_owned(),
            (None, Some(why)) => format!("not covered: {why}"),
            (None, None) => "same".to_owned(),
        };
        let level = if check.level == Level::Netlist { "netlist" } else { "bitstream" };
        text += &format!("| {} | {level} | {} | {} | {} | {result} |\n", check.block, check.device, cells.join(", "), check.runs);
    }
    let faults = checks.iter().filter_map(|check| Some(format!("\n{}, {}: {}", check.block, check.device, check.fault.as_ref()?)));
    text + &faults.collect::<String>()
}
