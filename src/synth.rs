// SPDX-License-Identifier: MIT OR Apache-2.0
//! What of a configuration is synthesised, and for which device; the page of results.

mod dot;

use crate::generate::licensed;
use heddle_core::{
    config::Config,
    engine::{array, column},
    top,
};
use heddle_lang::{BuildError, Module};
use heddle_synth::{Design, Device, Options, Outcome, SynthError, expect};
use std::{fmt::Write, sync::Arc};

/// The part of an accelerator that is synthesised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// One dot product with its adder tree and an integer accumulator.
    Column,
    /// Two rows of int4 in one array of multipliers, each with its accumulator.
    Packed,
    /// All columns with their scaling.
    Array,
    /// The whole matrix engine.
    Engine,
}

impl Block {
    pub fn name(self) -> &'static str {
        match self {
            Block::Column => "column",
            Block::Packed => "packed",
            Block::Array => "array",
            Block::Engine => "engine",
        }
    }

    /// Clock that a part is measured against in MHz: those of hand-written columns of 32 lanes on ECP5-85F at speed 6, less
    /// 10 %; else that of the configuration.
    fn goal_mhz(self, config: &Config) -> f64 {
        match self {
            Block::Column if config.array.lanes >= column::BLOCK => 209.0,
            Block::Packed => 195.5,
            Block::Column | Block::Array | Block::Engine => config.clock_mhz,
        }
    }

    /// The module of this part. `Packed` has 32 lanes in every configuration; a `Column` of fewer has the sum of a block
    /// instead of an accumulator.
    pub fn module(self, config: &Config) -> Result<Arc<Module>, BuildError> {
        match self {
            Block::Column if config.array.lanes < column::BLOCK => {
                column::column(config.array.lanes, config.array.lut_lanes.min(config.array.lanes), false)
            }
            Block::Column => dot::int8(config.array.lut_lanes),
            Block::Packed => dot::int4_packed(),
            Block::Array => array::array(config),
            Block::Engine => top::top(config),
        }
    }
}

/// The device that a preset is made for; None for those of an ASIC.
pub fn device(preset: &str) -> Option<Device> {
    let name = match preset {
        "nano" => "up5k",
        "small" => "ecp5-25k",
        "base" | "gated" => "ecp5-85k",
        _ => return None,
    };
    Device::named(name)
}

/// The design of a part in its harness, and the options with what must come out.
pub fn prepare(config: &Config, block: Block, device: Device, mhz: Option<f64>, seeds: u32) -> Result<(Design, Options), SynthError> {
    let module = block.module(config)?;
    let mut options = Options::new(device, mhz.unwrap_or_else(|| block.goal_mhz(config)));
    options.seeds = seeds;
    options.expected = expect::expected(&module, options.device.family);
    Ok((Design::in_harness(&module)?, options))
}

/// One result of the page.
pub struct Entry {
    pub config: Config,
    pub block: Block,
    pub outcome: Outcome,
    /// Why it is not acceptable.
    pub fault: Option<String>,
}

impl Entry {
    /// Name of its pictures.
    pub fn image(&self) -> String {
        format!("synth_{}_{}", self.config.name, self.block.name())
    }

    /// Products per cycle.
    fn products(&self) -> u32 {
        match self.block {
            Block::Column => self.config.array.lanes.min(column::BLOCK),
            Block::Packed => 2 * column::BLOCK,
            Block::Array | Block::Engine => self.config.array.lanes * self.config.array.columns,
        }
    }
}

/// The page `docs/results/synth.md`; pictures are in `../images`.
pub fn page(entries: &[Entry]) -> String {
    let mut text = String::from(
        "# Area and timing\n\nWritten by `heddle synth --docs`. Placed and routed with open tools, alone on the device within shift registers \
         that are not counted; Fmax is the median of the seeds, as the tool's timing model says. What the words mean: \
         [synthesis](../synthesis.md).\n\n| preset | part | device | products per cycle | LUT | LUT per product | FF | DSP | RAM | Fmax, MHz \
         | target, MHz | each seed |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for entry in entries {
        let report = &entry.outcome.report;
        let seeds: Vec<String> = report.seeds.iter().map(|s| format!("{:.0}", s.fmax_mhz)).collect();
        let target = report.clocks.first().map_or(0.0, |clock| clock.target_mhz);
        let area = &report.area;
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {:.0} | {} | {} | {} | {:.1} | {target:.0} | {} |",
            entry.config.name,
            entry.block.name(),
            report.device.title(),
            entry.products(),
            area.lut,
            f64::from(area.lut) / f64::from(entry.products()),
            area.ff,
            area.dsp,
            area.ram,
            report.fmax_mhz,
            seeds.join(" ")
        );
    }
    for entry in entries {
        let name = format!("{} of {}", entry.block.name(), entry.config.name);
        let image = entry.image();
        let _ = writeln!(text, "\n## {}{}\n", name[..1].to_uppercase(), &name[1..]);
        if let Some(fault) = &entry.fault {
            let _ = writeln!(text, "Not acceptable: {fault}\n");
        }
        let _ = writeln!(
            text,
            "{}\n![area](../images/{image}_area.svg)\n\n![floorplan](../images/{image}.svg)",
            entry.outcome.report.markdown(2)
        );
    }
    let versions = entries.first().map(|e| e.outcome.report.tools.clone()).unwrap_or_default();
    let versions: Vec<String> = versions.iter().map(|(tool, version)| format!("{tool} {version}")).collect();
    let _ = writeln!(text, "\nTools: {}.", versions.join(", "));
    licensed(&text)
}
