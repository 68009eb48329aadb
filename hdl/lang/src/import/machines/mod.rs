// SPDX-License-Identifier: MIT OR Apache-2.0
//! State machines in rust-hdl: examples of blocks that follow the import's rules, and its test load.

mod power;
mod sequencer;
mod uart;

pub use power::{PowerDomain, PowerDomainState};
pub use sequencer::{Sequencer, SequencerState};
pub use uart::{UartTransmitter, UartTransmitterState};
