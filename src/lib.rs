// SPDX-License-Identifier: MIT OR Apache-2.0
//! Heddle: a quantised language model on generated, verified RTL. The host library.

pub mod asic;
pub mod bench;
pub mod board;
pub mod book;
pub mod cli;
pub mod compile;
pub mod decoder;
pub mod driver;
pub mod generate;
pub mod model;
pub mod netlist;
pub mod quality;
pub mod reference;
pub mod sampling;
pub mod synth;
