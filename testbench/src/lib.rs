// SPDX-License-Identifier: MIT OR Apache-2.0
//! Verilator driver, bus and memory models, one bench per block.

pub mod axi;
pub mod blocks;
pub mod formal;
pub mod fuzz;
pub mod matmul;
pub mod mutation;
pub mod power;
pub mod random;
pub mod rtl;
pub mod simulator;
pub mod soc;
pub mod stream;
pub mod verilator;

pub use heddle_tools as tools;
pub use verilator::{SimError, cache_dir};
