// SPDX-License-Identifier: MIT OR Apache-2.0
//! The residency counters in plain Rust.

use super::super::domain::DomainState as State;
use super::STATE_BITS;

/// The counts, and what was seen last.
#[derive(Clone, Debug)]
pub struct Residency {
    pub cycles: [u32; 1 << STATE_BITS],
    pub ups: u32,
    held: u8,
    cold: bool,
    selected: u32,
}

impl Default for Residency {
    /// As after reset.
    fn default() -> Self {
        Residency { cycles: [0; 1 << STATE_BITS], ups: 0, held: State::StrongOff as u8, cold: false, selected: 0 }
    }
}

impl Residency {
    /// What `residency_o` shows: the count that the last edge selected.
    pub fn selected(&self) -> u32 {
        self.selected
    }

    /// One rising edge.
    pub fn step(&mut self, state: u8, select: u8) {
        let held = usize::from(self.held);
        self.cycles[held] = self.cycles[held].wrapping_add(1);
        let up = self.cold && self.held == State::Running as u8;
        self.ups = self.ups.wrapping_add(u32::from(up));
        self.cold = (self.cold || self.held == State::PoweredOff as u8) && !up;
        self.selected = self.cycles[usize::from(select)];
        self.held = state;
    }
}
