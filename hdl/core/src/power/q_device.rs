// SPDX-License-Identifier: MIT OR Apache-2.0
//! Device's side of a Q-Channel: lets a unit stop only when nothing of it is under way.
//!
//! Ports      `qreqn_i`, `qacceptn_o`, `qdeny_o`, `qactive_o` as in AMBA IHI 0068; `busy_i`: transfers are
//!            outstanding; `need_i`: the unit has work or expects it; `run_o`: it may start some
//! Latency    to stop: 2 cycles from `qreqn_i` to the answer; to go on: 1      Throughput  one request at a time
//! Rounding   none      Reset  stopped: QACCEPTn and QDENY low
//!
//! Every output is a flip-flop. `run_o` falls a cycle before the answer, so that what the unit starts in the
//! cycle of the request shows in `busy_i` when it is looked at: `busy_i` has to be high from the cycle after a
//! start. `need_i` at that moment, too, makes the device refuse.

use heddle_lang::{
    Module,
    import::{Import, ImportError},
};
use rust_hdl::prelude::*;
use std::sync::Arc;

pub mod golden;

/// What holds in each state; Q_STOPPED, Q_RUN, Q_REQUEST and Q_DENIED of the standard. The others, Q_EXIT and
/// Q_CONTINUE, are the cycle in which a device that has seen QREQn high still shows its old answer.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum QDeviceState {
    Stopped,
    Running,
    Asked,
    Denied,
}

/// The device's side.
#[derive(LogicBlock, Default)]
pub struct QDevice {
    pub clock: Signal<In, Clock>,
    pub qreqn: Signal<In, Bit>,
    pub busy: Signal<In, Bit>,
    pub need: Signal<In, Bit>,
    pub qacceptn: Signal<Out, Bit>,
    pub qdeny: Signal<Out, Bit>,
    pub qactive: Signal<Out, Bit>,
    pub run: Signal<Out, Bit>,
    state: DFF<QDeviceState>,
    going: DFF<Bit>,
    denied: DFF<Bit>,
    active: DFF<Bit>,
    running: DFF<Bit>,
    occupied: Signal<Local, Bit>,
}

impl Logic for QDevice {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, going, denied);
        clock!(self, clock, active, running);
        self.qacceptn.next = self.going.q.val();
        self.qdeny.next = self.denied.q.val();
        self.qactive.next = self.active.q.val();
        self.run.next = self.running.q.val();
        self.occupied.next = self.busy.val() | self.need.val();
        self.active.d.next = self.occupied.val();
        self.running.d.next = false;
        match self.state.q.val() {
            QDeviceState::Stopped => {
                if self.qreqn.val() {
                    self.going.d.next = true;
                    self.running.d.next = true;
                    self.state.d.next = QDeviceState::Running;
                }
            }
            QDeviceState::Running => {
                if self.qreqn.val() {
                    self.running.d.next = true;
                } else {
                    self.state.d.next = QDeviceState::Asked;
                }
            }
            QDeviceState::Asked => {
                if self.occupied.val() {
                    self.denied.d.next = true;
                    self.state.d.next = QDeviceState::Denied;
                } else {
                    self.going.d.next = false;
                    self.state.d.next = QDeviceState::Stopped;
                }
            }
            QDeviceState::Denied => {
                if self.qreqn.val() {
                    self.denied.d.next = false;
                    self.running.d.next = true;
                    self.state.d.next = QDeviceState::Running;
                }
            }
        }
    }
}

/// The device's side as a module.
pub fn q_device() -> Result<Arc<Module>, ImportError> {
    let doc = "Device's side of a Q-Channel (AMBA IHI 0068): refuses to stop while work is outstanding or at hand.";
    Import::new("power_q_device", file!()).doc(doc).reset().module(&QDevice::default())
}
