// SPDX-License-Identifier: MIT OR Apache-2.0
//! FPGA boards: one TOML file each ([`board`]), their memory ([`block_ram`], [`sdram`], shared by an
//! [`arbiter`]), and how a bitstream gets onto one ([`flash`]).

pub mod arbiter;
pub mod block_ram;
pub mod board;
pub mod flash;
pub mod sdram;
