// SPDX-License-Identifier: MIT OR Apache-2.0
//! FPGA boards: one TOML file each ([`board`]), and how a bitstream gets onto one ([`flash`]).

pub mod block_ram;
pub mod board;
pub mod flash;
