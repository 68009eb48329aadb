// SPDX-License-Identifier: MIT OR Apache-2.0
//! The idle counter in plain Rust.

/// Inputs of one cycle.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inputs {
    pub need: bool,
    pub enable: bool,
    pub threshold: u16,
}

/// Cycles since there was need.
#[derive(Clone, Copy, Debug)]
pub struct Idle {
    count: u16,
}

impl Default for Idle {
    /// As after reset.
    fn default() -> Self {
        Idle { count: u16::MAX }
    }
}

impl Idle {
    /// Whether the domain is wanted in the cycle of these inputs.
    pub fn wanted(&self, i: &Inputs) -> bool {
        !i.enable || i.need || self.count < i.threshold
    }

    /// One rising edge.
    pub fn step(&mut self, i: &Inputs) {
        self.count = if i.need { 0 } else { self.count.saturating_add(1) };
    }
}
