// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Heddle accelerator: configuration, one file per block with its golden model, registers, descriptors.

pub mod config;
pub mod descriptor;
pub mod device;
pub mod engine;
pub mod format;
pub mod link;
pub mod numerics;
pub mod power;
pub mod registers;
pub mod top;
