// SPDX-License-Identifier: MIT OR Apache-2.0
//! Synthesis with open tools: Yosys, then nextpnr, for any module; area, timing, floorplan, bitstream.
//!
//! [`measure`] gives figures, [`Outcome::check`] says whether they are acceptable. Results are cached by content.

pub mod asic;
pub mod chart;
pub mod design;
pub mod device;
pub mod error;
pub mod expect;
pub mod floorplan;
pub mod gates;
pub mod harness;
pub mod log;
pub mod names;
pub mod netlist;
pub mod owners;
pub mod pack;
pub mod report;
mod route;
mod run;
mod script;
mod svg;
pub mod unpack;
mod yosys;

pub use design::{Clock, Count, Design, Expected, Options};
pub use device::{Device, Family};
pub use error::SynthError;
pub use report::{Area, Report};
pub use run::{Outcome, measure, stored};
