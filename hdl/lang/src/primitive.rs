// SPDX-License-Identifier: MIT OR Apache-2.0
//! Device primitives: multiplier, block RAM, SPRAM and PLL as modules of their own.
//!
//! A primitive is a [`Module`] like any other: its items are its behaviour, which the simulator runs and which is
//! printed as plain Verilog for [`Target::Generic`]. Beside them it knows what it is, and for a target that has it the
//! printer writes the same ports around the device's own cells. A target without a form of its own gets the plain one.
//! Latency never depends on the target.

mod block_ram;
mod cell;
mod multiplier;
mod pll;
mod spram;

pub use block_ram::{BlockRam, block_ram};
pub use multiplier::{Multiplier, STAGES, multiplier};
pub use pll::{Pll, PllClock, PllError, pll};
pub use spram::{SPRAM_ADDRESS_BITS, spram};

use crate::module::Module;
use std::fmt;

/// What Verilog is printed for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Any tool: registers, memories and operators only.
    #[default]
    Generic,
    /// Lattice ECP5: MULT18X18D, DP16KD, EHXPLLL.
    Ecp5,
    /// Lattice iCE40 UltraPlus: SB_MAC16, SB_SPRAM256KA, SB_PLL40_PAD.
    Ice40,
}

impl Target {
    pub const ALL: [Target; 3] = [Target::Generic, Target::Ecp5, Target::Ice40];

    /// The name of the target in commands.
    pub const fn name(self) -> &'static str {
        match self {
            Target::Generic => "generic",
            Target::Ecp5 => "ecp5",
            Target::Ice40 => "ice40",
        }
    }

    /// The target of this name.
    pub fn from_name(name: &str) -> Option<Target> {
        Target::ALL.into_iter().find(|t| t.name() == name)
    }

    /// Behaviour of the device cells that the printer uses and that Yosys has as black boxes: Verilog, for
    /// simulations of what was printed for the target and of netlists. Empty where there is nothing to add.
    pub const fn models(self) -> &'static str {
        match self {
            Target::Ecp5 => include_str!("primitive/ecp5.v"),
            Target::Generic | Target::Ice40 => "",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a module stands for on a device.
#[derive(Clone, Debug, PartialEq)]
pub enum Primitive {
    Multiplier(Multiplier),
    BlockRam(BlockRam),
    Spram,
    Pll(Pll),
}

/// A device cell that a target's form of a primitive consists of, and how many.
pub type Cells = (&'static str, u32);

impl Primitive {
    /// The body of the module in the target's own cells; none: its plain form is right.
    pub(crate) fn body(&self, target: Target) -> Option<Vec<String>> {
        match (self, target) {
            (_, Target::Generic) => None,
            (Primitive::Multiplier(m), _) => m.body(target),
            (Primitive::BlockRam(r), Target::Ecp5) => r.ecp5(),
            (Primitive::Spram, Target::Ice40) => Some(spram::ice40()),
            (Primitive::Pll(p), _) => p.body(target),
            (Primitive::BlockRam(_), Target::Ice40) | (Primitive::Spram, Target::Ecp5) => None,
        }
    }

    /// The device cells of [`Primitive::body`]; none where the plain form is printed.
    pub fn cells(&self, target: Target) -> Option<Cells> {
        self.body(target)?;
        match (self, target) {
            (Primitive::Multiplier(m), Target::Ecp5) => Some(("MULT18X18D", m.lanes)),
            (Primitive::Multiplier(m), Target::Ice40) => Some(("SB_MAC16", m.mac16())),
            (Primitive::BlockRam(r), Target::Ecp5) => Some(("DP16KD", r.dp16kd())),
            (Primitive::Spram, _) => Some(("SB_SPRAM256KA", 1)),
            (Primitive::Pll(_), Target::Ecp5) => Some(("EHXPLLL", 1)),
            (Primitive::Pll(_), Target::Ice40) => Some(("SB_PLL40_PAD", 1)),
            _ => None,
        }
    }
}

/// Device cells of the primitives in a module and all below it, by cell: what a netlist for the target must have at
/// least, and of multipliers exactly.
pub fn cells(top: &std::sync::Arc<Module>, target: Target) -> std::collections::BTreeMap<&'static str, u32> {
    let mut all = std::collections::BTreeMap::new();
    count(top, target, &mut all);
    all
}

fn count(m: &Module, target: Target, all: &mut std::collections::BTreeMap<&'static str, u32>) {
    if let Some((cell, n)) = m.primitive.as_ref().and_then(|p| p.cells(target)) {
        *all.entry(cell).or_default() += n;
    }
    m.instances().for_each(|i| count(&i.module, target, all));
}
