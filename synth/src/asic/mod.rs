// SPDX-License-Identifier: MIT OR Apache-2.0
//! ASIC view: area and gate-level power of a design in an open library of standard cells.
//!
//! Yosys maps each module by itself, so that each cell is in the module that it came from; [`flat`] puts the modules
//! together, [`sim`] runs the gates and counts toggles, [`power`] turns them into energy with the library's figures.
//! Memories of more than [`SMALL_MEMORY`] words stay memories: in silicon they are macros, which the library has not.
//!
//! All of it is an estimate: no wires, no clock tree, no glitches, no timing, one corner.

pub mod error;
pub mod flat;
pub mod function;
pub mod liberty;
pub mod library;
mod map;
pub mod power;
pub mod sim;
mod table;

pub use error::AsicError;
pub use flat::Flat;
pub use library::Library;
pub use map::map;
pub use power::Row;
pub use sim::Sim;

/// Memories of more words than this are macros, neither in area nor in power.
pub const SMALL_MEMORY: u32 = 16;

/// Where a library comes from.
pub const HOW_TO_GET: &str = "give one with --liberty FILE (.lib or .lib.gz; a library in several files: once for each). Open ones: IHP \
     SG13G2 (IHP Open PDK, Apache-2.0), SkyWater sky130_fd_sc_hd (Apache-2.0), ASAP7 (BSD-3-Clause), or Debian's package \
     qflow-tech-osu018";
