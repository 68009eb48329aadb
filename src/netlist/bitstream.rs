// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same benches on what the packed bitstream of an iCE40 says: a block behind its [`Bus`] is placed, routed and
//! packed; the bitstream is turned back into Verilog and verilated.

use super::{Check, Level, bus::Bus};
use heddle_core::config::Config;
use heddle_lang::Module;
use heddle_synth::{Clock, Design, Device, Options, Outcome, expect, gates::Gates, measure, unpack};
use heddle_tb::{
    blocks::{Block, BlockError, Dut, check_duts},
    verilator::BuildOptions,
};
use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc};

/// What place and route aims at; slack is no matter here.
const MHZ: f64 = 12.0;

/// The device, and an engine for it whose column multiplies in lookup tables.
pub fn target() -> (Device, Config) {
    let config = Config::nano();
    let lanes = format!("array.lut_lanes={}", config.array.lanes);
    let config = config.with_settings(&[lanes]).expect("a legal geometry");
    (device("up5k"), config)
}

/// Where a block with other multipliers is placed: it has none, so they become lookup tables.
fn without_multipliers() -> Device {
    device("hx8k")
}

fn device(name: &str) -> Device {
    Device::named(name).expect("a device of the table")
}

/// Why there is no bitstream to check.
enum Without {
    /// It cannot be covered.
    Skipped(String),
    Fault(String),
}

/// Runs the bench of each block on its bitstream, for the device, or for one without multipliers if the block has some.
pub fn check(blocks: &[Box<dyn Block>], device: &Device, seeds: &RangeInclusive<u64>, progress: &(dyn Fn(&str) + Sync)) -> Vec<Check> {
    let one = |block: &dyn Block| {
        let module = block.module().map_err(|e| Without::Fault(e.to_string()));
        let multiplies = module.as_ref().is_ok_and(|m| expect::expected(m, device).dsp.is_some_and(|count| count.most > 0));
        let device = if multiplies { without_multipliers() } else { device.clone() };
        let made = module.and_then(|module| made(&module, &device, progress));
        let (cells, fault, skipped) = match made {
            Err(Without::Fault(fault)) => (BTreeMap::new(), Some(fault), None),
            Err(Without::Skipped(why)) => (BTreeMap::new(), None, Some(why)),
            Ok((bus, outcome, unpacked)) => {
                progress(&format!("{}: bench", block.name()));
                (cells(&outcome), bench(block, &bus, &unpacked, seeds.clone()).err(), None)
            }
        };
        Check {
            block: block.name(),
            level: Level::Bitstream,
            device: device.title(),
            cells,
            runs: seeds.clone().count() as u64,
            fault,
            skipped,
        }
    };
    blocks.iter().map(|block| one(block.as_ref())).collect()
}

fn made(module: &Arc<Module>, device: &Device, progress: &(dyn Fn(&str) + Sync)) -> Result<(Bus, Outcome, Gates), Without> {
    let expected = expect::expected(module, device);
    let bus = Bus::of(module).ok_or_else(|| Without::Skipped("more ports than the bus has bytes, or another clock".into()))?;
    let design = Design {
        top: bus.top.clone(),
        outer: Some(module.clone()),
        files: vec![(format!("{}.v", bus.top), bus.verilog())],
        within: "dut".into(),
        clocks: vec!["clk_i".into(), "load_i".into()],
        ..Design::pins(module)
    };
    let clocks = design.clocks.iter().map(|port| Clock { port: port.clone(), mhz: MHZ }).collect();
    let options = Options { clocks, constraints: Some(bus.constraints(&device.package)), expected, ..Options::new(device.clone(), MHZ) };
    let fault = |error: heddle_synth::SynthError| Without::Fault(error.to_string());
    let outcome = measure(&design, &options, progress).map_err(fault)?;
    progress(&format!("{}: back from the bitstream", module.name));
    let unpacked = unpack::unpacked(&design, &options, &outcome).map_err(fault)?;
    Ok((bus, outcome, unpacked))
}

/// Cells in the bitstream, the bus' registers among them.
fn cells(outcome: &Outcome) -> BTreeMap<String, u32> {
    let area = outcome.report.area;
    let harness = outcome.report.modules.iter().find(|row| row.name == "(harness)").map(|row| row.area).unwrap_or_default();
    let counts = [("LUT", area.lut + harness.lut), ("FF", area.ff + harness.ff), ("SB_RAM40_4K", area.ram)];
    counts.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| (name.to_owned(), count)).collect()
}

/// The bench of a block on a bitstream of it behind the bus.
pub fn bench(block: &dyn Block, bus: &Bus, unpacked: &Gates, seeds: RangeInclusive<u64>) -> Result<(), String> {
    let options = BuildOptions::quick();
    let library = bus.design(&unpacked.files).build(&options, &mut |_| {}).map_err(|e| e.to_string())?;
    let mut dut = || Ok::<Dut, BlockError>(Dut::of(bus.behind(library.instance()?)?));
    check_duts(block, "the bitstream", seeds, &mut dut).map_err(|failure| failure.to_string())
}
