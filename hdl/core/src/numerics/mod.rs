// SPDX-License-Identifier: MIT OR Apache-2.0
//! The arithmetic of the device in plain Rust, bit for bit; `docs/numerics.md` is its specification.
//!
//! The golden model, the host's decoder and the tests of the RTL all compute through these functions.

pub mod attention;
pub mod f24;
pub mod functions;
pub mod grid;
pub mod quant;
pub mod reduce;
pub mod tables;

pub use f24::F24;
