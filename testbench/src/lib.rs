// SPDX-License-Identifier: MIT OR Apache-2.0
//! Verilator driver, bus and memory models, one bench per block.

pub mod axi;
pub mod random;
pub mod simulator;
pub mod soc;
pub mod stream;
pub mod tools;
pub mod verilator;

pub use verilator::{SimError, cache_dir};
