// SPDX-License-Identifier: MIT OR Apache-2.0
//! FPGA boards: one TOML file each ([`board`]), the design that goes on one ([`top`]: clock and reset around a
//! [`system`] of link, accelerator and memory), its memory ([`block_ram`], [`spram`], [`sdram`], shared by an [`arbiter`]), its pins
//! ([`pads`]), and how a bitstream gets onto it ([`flash`]).

pub mod arbiter;
pub mod block_ram;
pub mod board;
pub mod flash;
pub mod lights;
pub mod pads;
pub mod reset;
pub mod sdram;
pub mod spram;
pub mod system;
pub mod top;
