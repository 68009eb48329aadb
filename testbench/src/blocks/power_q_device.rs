// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `power::q_device`: a unit that starts work when it may, and noise; every output in every cycle.

use super::{Block, BlockError, Dut};
use crate::{random::Random, simulator::Simulator};
use heddle_core::power::q_device::{
    self, QDeviceState,
    golden::{Inputs, QDevice},
};
use heddle_lang::{BuildError, Module, import::ImportError};
use std::{collections::BTreeSet, sync::Arc};

const EPISODES: usize = 12;
const CYCLES: usize = 400;

/// The device's side of a Q-Channel.
pub struct PowerQDevice;

impl Block for PowerQDevice {
    fn name(&self) -> String {
        "power_q_device".into()
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        q_device::q_device().map_err(ImportError::build_error)
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        dut.reset()?;
        let [qreqn, busy, need] = dut.inputs(["qreqn", "busy", "need"])?;
        let outputs = dut.outputs(["qacceptn", "qdeny", "qactive", "run"])?;
        let mut model = QDevice::default();
        let mut arcs = BTreeSet::new();
        for episode in 0..EPISODES {
            let chances = [2, 20, 128].map(|_| [2, 30, 128][rng.bits() as usize % 3]);
            let mut i = Inputs::default();
            for _ in 0..CYCLES {
                i = if episode == 0 { noise(rng) } else { channel(i, &model, chances, rng) };
                [(qreqn, i.qreqn), (busy, i.busy), (need, i.need)].into_iter().for_each(|(pin, value)| dut.put(pin, value.into()));
                dut.settle()?;
                let o = model.outputs();
                let expected = [o.qacceptn, o.qdeny, o.qactive, o.run];
                outputs.iter().zip(expected).try_for_each(|(pin, value)| dut.expect(*pin, value.into()))?;
                dut.tick()?;
                let from = model.state;
                model.step(&i);
                arcs.insert((from as u8, model.state as u8));
                if model.state == QDeviceState::Stopped && i.busy && episode > 0 {
                    return Err(BlockError::wrong("stopped with work outstanding"));
                }
            }
        }
        // Four states that wait or move on: into running from two, asked, denied, stopped, and three stays.
        match arcs.len() {
            8 => Ok(()),
            _ => Err(BlockError::wrong(format!("reached only the arcs {arcs:?}"))),
        }
    }
}

fn noise(rng: &mut Random) -> Inputs {
    let bits = rng.bits();
    Inputs { qreqn: bits & 1 == 1, busy: bits & 2 == 2, need: bits & 4 == 4 }
}

/// A requester that keeps to the channel, and a unit that starts work only while it may.
fn channel(last: Inputs, device: &QDevice, [request, start, end]: [u8; 3], rng: &mut Random) -> Inputs {
    let o = device.outputs();
    let settled = o.qacceptn == last.qreqn && !o.qdeny;
    let refused = o.qacceptn && o.qdeny && !last.qreqn;
    let qreqn = if (settled || refused) && rng.chance(request) { !last.qreqn } else { last.qreqn };
    let busy = if last.busy { !rng.chance(end) } else { o.run && last.need && rng.chance(start) };
    let need = if last.need { !busy && !rng.chance(end) } else { rng.chance(start) };
    Inputs { qreqn, busy, need }
}
