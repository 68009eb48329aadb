// SPDX-License-Identifier: MIT OR Apache-2.0
//! AXI4 memory and AXI4-Lite master, as plain state machines that check the protocol.
//!
//! A model never reaches for a signal. Each cycle, the bench drives what `out()` says, lets the design settle,
//! samples what the design drives, and hands it to `step`, which is the clock edge:
//!
//! ```text
//! drive(model.out()) -> settle -> sample -> model.step(sampled)? -> clock edge of the design
//! ```
//!
//! So one model serves the verilated design and the native simulation. What a model drives depends on earlier
//! cycles only.

mod config;
mod lite;
mod memory;
mod pace;

pub use config::{Backpressure, ConfigError, MemoryConfig, Rate, Refresh};
pub use lite::{LiteDone, LiteFromSlave, LiteMaster, LiteSkew, LiteToSlave};
pub use memory::{Memory, Statistics};

pub const OKAY: u8 = 0;
pub const SLVERR: u8 = 2;

/// Payload of an address channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Burst {
    pub addr: u64,
    /// Beats minus one.
    pub len: u8,
    /// log2 of the bytes per beat.
    pub size: u8,
    /// 0 FIXED, 1 INCR, 2 WRAP.
    pub burst: u8,
}

/// Payload of the write data channel.
#[derive(Clone, Copy, Debug)]
pub struct WriteBeat<'a> {
    /// One beat, little-endian.
    pub data: &'a [u8],
    /// Bit `i` enables byte `i`.
    pub strb: u64,
    pub last: bool,
}

/// What the master drives in a cycle; `None` means that the channel's valid is low.
#[derive(Clone, Copy, Debug, Default)]
pub struct FromMaster<'a> {
    pub ar: Option<Burst>,
    pub rready: bool,
    pub aw: Option<Burst>,
    pub w: Option<WriteBeat<'a>>,
    pub bready: bool,
}

/// What the memory drives in a cycle; the read data is `Memory::rdata`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToMaster {
    pub arready: bool,
    pub awready: bool,
    pub wready: bool,
    pub rvalid: bool,
    pub rlast: bool,
    pub rresp: u8,
    pub bvalid: bool,
    pub bresp: u8,
    /// A new read beat since the last cycle: the bench must drive `Memory::rdata`.
    pub rdata_new: bool,
}

/// A rule of the protocol that the design broke.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("AXI violation in cycle {cycle} on {channel}: {cause}")]
pub struct Violation {
    /// Cycles of the model since its reset.
    pub cycle: u64,
    /// `AR`, `AW`, `W`, `R` or `B`.
    pub channel: &'static str,
    pub cause: String,
}
