// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is measured for the page of results, and what it must reach.

use super::{Block, device, prepare};
use crate::board::design;
use heddle_core::config::{Config, ConfigError};
use heddle_fpga::{
    board::{Board, BoardError, MemoryKind},
    top::TopError,
};
use heddle_synth::{Design, Device, Options, Outcome, SynthError, stored};

/// Seeds of each, by default of `heddle synth`.
pub const SEEDS: u32 = 3;

#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Board(#[from] BoardError),
    #[error(transparent)]
    Top(#[from] TopError),
    #[error(transparent)]
    Synth(#[from] SynthError),
}

/// What is synthesised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A part of a preset.
    Part { preset: &'static str, block: Block },
    /// A board with one of its memories.
    Board { board: &'static str, memory: MemoryKind },
}

/// Least Fmax in MHz, and most LUTs per product of a cycle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    pub mhz: f64,
    pub lut_per_product: Option<f64>,
}

/// One line of the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub what: What,
    pub goal: Goal,
}

/// Hand-written columns of 32 lanes on ECP5-85F at speed 6 have 24 LUT per product at 232 MHz with int8, 26 at 217 MHz with
/// packed int4; the goals are within 10 % of them.
pub const COLUMN_MHZ: f64 = 209.0;
pub const PACKED_MHZ: f64 = 195.5;

const PARTS: [(&str, Block, Goal); 5] = [
    ("base", Block::Column, Goal { mhz: COLUMN_MHZ, lut_per_product: Some(26.4) }),
    ("base", Block::Packed, Goal { mhz: PACKED_MHZ, lut_per_product: Some(28.6) }),
    ("nano", Block::Engine, Goal { mhz: 20.0, lut_per_product: None }),
    ("small", Block::Engine, Goal { mhz: 100.0, lut_per_product: None }),
    ("base", Block::Engine, Goal { mhz: 120.0, lut_per_product: Some(120.0) }),
];

/// Lookup tables that a part of a preset on its device may take; None where no goal says it.
pub fn most_luts(config: &Config, part: Block, on: &Device) -> Option<u32> {
    let preset = |name: &str| device(name).as_ref() == Some(on) && Config::preset(name).is_ok_and(|preset| preset == *config);
    let (_, _, goal) = PARTS.into_iter().find(|(name, block, _)| *block == part && preset(name))?;
    Some((goal.lut_per_product? * f64::from(part.products(config))) as u32)
}

/// All lines: parts, presets, boards with each of their memories.
pub fn all() -> Result<Vec<Target>, BoardError> {
    let mut targets: Vec<Target> =
        PARTS.into_iter().map(|(preset, block, goal)| Target { what: What::Part { preset, block }, goal }).collect();
    for board in Board::names() {
        let found = Board::named(board)?;
        let goal = Goal { mhz: found.clock.core_mhz, lut_per_product: None };
        targets.extend(found.memory.kinds().into_iter().map(|memory| Target { what: What::Board { board, memory }, goal }));
    }
    Ok(targets)
}

impl Target {
    /// Name of its page and pictures: `base-column`, `ulx3s-sdram`.
    pub fn name(&self) -> String {
        match &self.what {
            What::Part { preset, block: Block::Engine } => (*preset).to_owned(),
            What::Part { preset, block } => format!("{preset}-{}", block.name()),
            What::Board { board, memory } => format!("{board}-{memory}"),
        }
    }

    /// For people.
    pub fn title(&self) -> String {
        match &self.what {
            What::Part { preset, block: Block::Engine } => format!("`{preset}`, the whole engine"),
            What::Part { preset, block } => format!("`{preset}`, {}", block.name()),
            What::Board { board, memory } => format!("board `{board}`, {memory}"),
        }
    }

    /// What runs it with so many seeds.
    pub fn command(&self, seeds: u32) -> String {
        let what = match &self.what {
            What::Part { preset, block: Block::Engine } => (*preset).to_owned(),
            What::Part { preset, block } => format!("{preset} --block {}", block.name()),
            What::Board { board, memory } => format!("--board {board} --memory {memory}"),
        };
        let seeds = if seeds == SEEDS { String::new() } else { format!(" --seeds {seeds}") };
        format!("heddle synth {what}{seeds}")
    }

    fn config(&self) -> Result<Config, TargetError> {
        match &self.what {
            What::Part { preset, .. } => Ok(Config::preset(preset)?),
            What::Board { board, .. } => Ok(Config::preset(&Board::named(board)?.preset)?),
        }
    }

    /// Products per cycle of its engine.
    pub fn products(&self) -> Result<u32, TargetError> {
        let block = if let What::Part { block, .. } = self.what { block } else { Block::Engine };
        Ok(block.products(&self.config()?))
    }

    /// What its command measures.
    pub fn prepare(&self) -> Result<(Design, Options), TargetError> {
        let config = self.config()?;
        match &self.what {
            What::Part { preset, block } => {
                let unknown = SynthError::Option { field: "preset", value: (*preset).into(), legal: "one that has a device" };
                Ok(prepare(&config, *block, device(preset).ok_or(unknown)?, None, SEEDS)?)
            }
            What::Board { board, memory } => Ok(design::prepare(&Board::named(board)?, &config, *memory, SEEDS)?),
        }
    }

    /// What its command gave, if it ran on the design as it is.
    pub fn found(&self) -> Result<Found, TargetError> {
        let (design, options) = self.prepare()?;
        match stored(&design, &options) {
            Ok(None) => Ok(Found::NotRun),
            Ok(Some(outcome)) => Ok(Found::Result(Box::new(outcome))),
            Err(error @ (SynthError::DoesNotFit { .. } | SynthError::Unplaceable { .. } | SynthError::Unrouted { .. })) => {
                Ok(Found::Failed(error.to_string()))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// What is known of a target.
pub enum Found {
    NotRun,
    /// It cannot be placed or routed, and why.
    Failed(String),
    Result(Box<Outcome>),
}

impl Found {
    /// What is missed of the goal; None if there is no result or nothing is missed.
    pub fn missed(&self, goal: Goal, products: u32) -> Option<String> {
        let outcome = match self {
            Found::NotRun => return None,
            Found::Failed(why) => return Some(why.clone()),
            Found::Result(outcome) => outcome,
        };
        let report = &outcome.report;
        let per_product = f64::from(report.area.lut) / f64::from(products);
        let reached = report.tightest().map_or(0.0, |clock| clock.fmax_mhz);
        let fmax = (reached < goal.mhz).then(|| format!("{reached:.1} of {:.1} MHz", goal.mhz));
        let limit = goal.lut_per_product.filter(|&most| per_product > most);
        let area = limit.map(|most| format!("{per_product:.1} LUT per product, at most {most:.1}"));
        let told = |fault: &SynthError| if matches!(fault, SynthError::Area { .. }) { area.is_some() } else { fmax.is_some() };
        let check = outcome.check().err().filter(|fault| !told(fault)).map(|fault| fault.to_string());
        let all: Vec<String> = [fmax, area, check].into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}
