// SPDX-License-Identifier: MIT OR Apache-2.0
//! Policy of a domain: wanted while it is needed, and for a number of cycles after.
//!
//! Ports      `need_i`; `enable_i`: the domain may be switched off at all; `threshold_i`: cycles to stay on after the
//!            need is over; `wanted_o`
//! Latency    none: `wanted_o` is high in the cycle in which `need_i` is      Throughput  every cycle
//! Rounding   none, the count stops at 65,535      Reset  as if there had been no need for long
//!
//! A threshold equal to the break-even time costs at most twice the energy of a policy that knows the future.

use heddle_lang::{
    Module,
    import::{Import, ImportError},
};
use rust_hdl::prelude::*;
use std::sync::Arc;

pub mod golden;

/// The idle counter.
#[derive(LogicBlock)]
pub struct Idle {
    pub clock: Signal<In, Clock>,
    pub need: Signal<In, Bit>,
    pub enable: Signal<In, Bit>,
    pub threshold: Signal<In, Bits<16>>,
    pub wanted: Signal<Out, Bit>,
    /// Cycles since there was need.
    count: DFFWithInit<Bits<16>>,
    recent: Signal<Local, Bit>,
}

impl Default for Idle {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            need: Default::default(),
            enable: Default::default(),
            threshold: Default::default(),
            wanted: Default::default(),
            count: DFFWithInit::new(0xffff.into()),
            recent: Default::default(),
        }
    }
}

impl Logic for Idle {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, count);
        self.recent.next = self.count.q.val() < self.threshold.val();
        self.wanted.next = (self.need.val() | self.recent.val()) | !self.enable.val();
        if self.need.val() {
            self.count.d.next = 0.into();
        } else if !self.count.q.val().all() {
            self.count.d.next = self.count.q.val() + 1;
        }
    }
}

/// The idle counter as a module.
pub fn idle() -> Result<Arc<Module>, ImportError> {
    let doc = "A domain is wanted while it is needed and for `threshold` cycles after; always, if not `enable`.";
    Import::new("power_idle", file!()).doc(doc).reset().module(&Idle::default())
}
