// SPDX-License-Identifier: MIT OR Apache-2.0
//! Verilator driver, bus and memory models, one bench per block.

pub mod tools;
pub mod verilator;

pub use verilator::cache_dir;
