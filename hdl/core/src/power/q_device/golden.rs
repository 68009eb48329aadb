// SPDX-License-Identifier: MIT OR Apache-2.0
//! The device's side in plain Rust.

use super::QDeviceState as State;

/// Inputs of one cycle.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inputs {
    pub qreqn: bool,
    pub busy: bool,
    pub need: bool,
}

/// Outputs between two edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outputs {
    pub qacceptn: bool,
    pub qdeny: bool,
    pub qactive: bool,
    pub run: bool,
}

/// The device's memory.
#[derive(Clone, Copy, Debug)]
pub struct QDevice {
    pub state: State,
    active: bool,
}

impl Default for QDevice {
    /// As after reset.
    fn default() -> Self {
        QDevice { state: State::Stopped, active: false }
    }
}

impl QDevice {
    pub fn outputs(&self) -> Outputs {
        Outputs {
            qacceptn: self.state != State::Stopped,
            qdeny: self.state == State::Denied,
            qactive: self.active,
            run: self.state == State::Running,
        }
    }

    /// One rising edge.
    pub fn step(&mut self, i: &Inputs) {
        self.active = i.busy || i.need;
        self.state = match self.state {
            State::Asked if self.active => State::Denied,
            State::Asked => State::Stopped,
            State::Running if !i.qreqn => State::Asked,
            _ if i.qreqn => State::Running,
            state => state,
        };
    }
}
