// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is proven, one file per block.
//!
//! A block joins by a function that makes its [`Block`], listed in [`blocks`]. What a block says of itself stands in the
//! block; a harness adds an environment (assumptions), what needs memory of the past, and sight of registers ([`observe`]).

mod arbiter;
mod column_packed;
mod counter;
mod csr;
mod fifo;
mod gearbox;
mod parts;
mod power_domain;
mod power_dvfs;
mod power_q_device;
mod power_switches;
mod two_words;

use super::{Block, Proof, observe, upset};
use heddle_lang::BuildError;

/// Every block.
pub fn blocks() -> Result<Vec<Block>, BuildError> {
    let all = [
        fifo::block,
        two_words::skid,
        two_words::pair,
        arbiter::block,
        column_packed::block,
        gearbox::block,
        counter::block,
        csr::block,
        power_domain::block,
        power_q_device::block,
        power_switches::block,
        power_dvfs::block,
    ];
    all.iter().map(|block| block()).collect()
}
