// SPDX-License-Identifier: MIT OR Apache-2.0
//! Daisy chain of power switches: closed one after the other, so that the inrush current stays small.
//!
//! Ports      `request_i`: close the chain; per segment `on_o` and its acknowledge `acks_i`; `ack_o`: while requested
//!            the whole chain is closed, otherwise some segment is not known to be open
//! Latency    a segment is told to close in the cycle after the acknowledge of the one before; all are told to open
//!            in the cycle after the request ends      Throughput  -      Rounding  none      Reset  all open
//!
//! An acknowledge that is lost while the chain is requested shows in `ack_o` in the same cycle; the chain itself
//! stays as it is, since what follows is the controller's decision. An acknowledge of a segment that was not told
//! to close does not count as closed, and keeps the chain from being known as open.

use heddle_lang::{
    Module,
    import::{Import, ImportError},
};
use rust_hdl::prelude::*;
use std::sync::Arc;

pub mod golden;

/// Most segments of a chain.
pub const STAGES_MAX: u32 = 8;

/// A chain of `N` segments; bit 0 is the first one to close.
#[derive(LogicBlock, Default)]
pub struct Switches<const N: usize> {
    pub clock: Signal<In, Clock>,
    pub request: Signal<In, Bit>,
    pub acks: Signal<In, Bits<N>>,
    pub on: Signal<Out, Bits<N>>,
    pub ack: Signal<Out, Bit>,
    told: DFF<Bits<N>>,
    /// Told to close, and closed.
    closed: Signal<Local, Bits<N>>,
    /// Told to close, or closed.
    live: Signal<Local, Bits<N>>,
    /// The followers of those that are closed, and what was told before.
    further: Signal<Local, Bits<N>>,
}

impl<const N: usize> Logic for Switches<N> {
    #[hdl_gen]
    fn update(&mut self) {
        self.told.clock.next = self.clock.val();
        self.on.next = self.told.q.val();
        self.closed.next = self.told.q.val() & self.acks.val();
        self.live.next = self.told.q.val() | self.acks.val();
        self.further.next = (self.closed.val() << 1) | self.told.q.val();
        self.told.d.next = 0.into();
        self.ack.next = self.live.val().any();
        if self.request.val() {
            self.told.d.next = self.further.val() | 1;
            self.ack.next = self.closed.val().all();
        }
    }
}

/// A chain of 1 to [`STAGES_MAX`] segments as a module.
pub fn switches(stages: u32) -> Result<Arc<Module>, ImportError> {
    match stages {
        1 => chain::<1>(),
        2 => chain::<2>(),
        3 => chain::<3>(),
        4 => chain::<4>(),
        5 => chain::<5>(),
        6 => chain::<6>(),
        7 => chain::<7>(),
        8 => chain::<8>(),
        _ => Err(ImportError {
            block: "power_switches".into(),
            construct: format!("stages = {stages}"),
            reason: format!("a chain has 1 to {STAGES_MAX} segments"),
        }),
    }
}

fn chain<const N: usize>() -> Result<Arc<Module>, ImportError> {
    let doc = format!("Daisy chain of {N} power switches: each closes after the acknowledge of the one before, all open at once.");
    Import::new(&format!("power_switches_{N}"), file!()).doc(&doc).reset().module(&Switches::<N>::default())
}
