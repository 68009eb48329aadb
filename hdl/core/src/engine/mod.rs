// SPDX-License-Identifier: MIT OR Apache-2.0
//! The matrix engine: from a stream of weights and vectors on chip to results in memory.

pub mod act_buffer;
pub mod array;
pub mod array_column;
pub mod column;
pub mod column_packed;
pub mod counters;
pub mod csr;
pub mod dequant;
pub mod lanes;
pub mod lut_multiplier;
pub mod place;
pub mod ram;
pub mod result_store;
pub mod scale_acc;
pub mod sequencer;
pub mod to_float;
pub mod to_float_serial;
pub mod weight_fetch;

/// A number of things, for the head of a module: `1 column`, `4 columns`.
pub(crate) fn counted(n: u32, thing: &str) -> String {
    format!("{n} {thing}{}", if n == 1 { "" } else { "s" })
}
