// SPDX-License-Identifier: MIT OR Apache-2.0
//! The chain in plain Rust.

/// Segments and which of them were told to close; bit 0 is the first one.
#[derive(Clone, Copy, Debug)]
pub struct Switches {
    stages: u32,
    told: u8,
}

impl Switches {
    /// As after reset, with 1 to 8 segments.
    pub fn new(stages: u32) -> Self {
        Switches { stages, told: 0 }
    }

    fn all(&self) -> u8 {
        (0xffu16 >> (8 - self.stages)) as u8
    }

    pub fn on(&self) -> u8 {
        self.told
    }

    /// The chain's acknowledge in a cycle with this request and these acknowledges.
    pub fn ack(&self, request: bool, acks: u8) -> bool {
        if request { self.told & acks == self.all() } else { self.told | acks != 0 }
    }

    /// One rising edge.
    pub fn step(&mut self, request: bool, acks: u8) {
        let told = self.told | ((self.told & acks) << 1) | 1;
        self.told = if request { told & self.all() } else { 0 };
    }
}
