// SPDX-License-Identifier: MIT OR Apache-2.0
//! Device's side of the Q-Channel: what the proofs of the controller assume of a unit.
//!
//! The controller raises QREQn as the standard says and lets it fall whenever it wants, as it does in a fault. The unit behind
//! the device starts transfers while it may, and is busy from the cycle after a start.

use super::{
    Block, Proof, observe,
    parts::*,
    power_domain::{Channel, PATIENCE},
};
use crate::{
    formal::Mutation,
    mutation::Change::{self, Arm, DropAssign, Net},
};
use heddle_core::power::q_device::{
    QDeviceState::{self as State, *},
    q_device,
};
use heddle_lang::{BuildError, Builder, Expr, Module, Ty, import::ImportError};
use std::sync::Arc;

const MEANINGS: [(&str, &str); 12] = [
    ("answer_of_state", "QACCEPTn, QDENY and the permission to start are those of the state"),
    ("device_rules", "the device moves only by the steps that are its own, and shows none of the illegal answers"),
    ("one_answer_per_request", "one of QACCEPTn and QDENY changes in a handshake, once"),
    ("stops_without_work", "it accepts to stop only with nothing under way and no need"),
    ("refuses_with_work", "it refuses only with something under way, or need"),
    ("no_transfer_while_stopped", "while it is stopped no transfer is outstanding"),
    ("runs_in_q_run", "the unit may start work only while QACCEPTn and QDENY are high"),
    ("answers_in_time", "it answers within two cycles"),
    ("active_is_work", "QACTIVE shows work and need a cycle later"),
    ("stops", "it stops after it was at work"),
    ("refuses", "it refuses with a transfer outstanding"),
    ("goes_on_after_refusal", "it goes on after a refusal"),
];

pub fn block() -> Result<Block, BuildError> {
    let mut m = Builder::clocked("power_q_device_proof", file!());
    let work = m.forward("work", Ty::BIT);
    let unit = harness(&device()?, &[("busy", work.clone())], &mut m);
    let rst = m.reset();
    let was_reset = m.register("was_reset", &rst);
    let fresh = m.wire("fresh", &rst | was_reset);
    let channel = Channel::new(&mut m, &unit);
    let (ask, accept, deny, run) = (unit.get("qreqn"), unit.get("qacceptn"), unit.get("qdeny"), unit.get("run"));
    let last = &channel.last;
    let (asked, accepted, denied) = (last.bit(2), last.bit(1), last.bit(0));
    m.assume("controller_waits_for_the_answer", &rst | !&ask | &asked | last.is_zero() | last.eq(0b011));

    let starts = m.input("transfer_starts", Ty::BIT);
    let ends = m.input("transfer_ends", Ty::BIT);
    let outstanding = m.reg("outstanding", Ty::Unsigned(2), 0);
    m.on(&outstanding, &starts & !&ends & &run & !outstanding.q().all(), outstanding.q().wrapping_add(1));
    m.on(&outstanding, !starts & ends & outstanding.q().any(), outstanding.q().wrapping_sub(1));
    let outstanding = outstanding.q();
    m.drive(&work, outstanding.any());

    m.assert("answer_of_state", &rst | answer_of_state(|port| unit.get(port)));
    m.assert("device_rules", &fresh | channel.device_is_legal());
    let moves = m.wire("moves", channel.now.slice(0, 2).ne(last.slice(0, 2)));
    let answered = m.reg("answered", Ty::BIT, 0);
    m.on(&answered, &fresh | ask.ne(&asked), 0);
    m.on(&answered, &moves, 1);
    m.assert("one_answer_per_request", &fresh | !(answered.q() & moves));
    let occupied = m.register("was_occupied", unit.get("busy") | unit.get("need"));
    m.assert("stops_without_work", &fresh | !&accepted | &accept | !&occupied);
    m.assert("refuses_with_work", &fresh | !&deny | &denied | &occupied);
    m.assert("no_transfer_while_stopped", &rst | &accept | outstanding.is_zero());
    m.assert("runs_in_q_run", &rst | !&run | (&accept & !&deny));
    m.assert("active_is_work", &fresh | unit.get("qactive").eq(occupied));
    let owes = m.wire("owes", ask.mux(!&accept | &deny, &(&accept & !&deny)));
    let late = cycles(&mut m, "lags", 3, &owes & ask.eq(&asked));
    m.assert("answers_in_time", &fresh | !owes | late.lt(PATIENCE));
    let worked = m.reg("worked", Ty::BIT, 0);
    m.on(&worked, outstanding.any(), 1);
    m.cover("stops", worked.q() & !&fresh & &accepted & !accept);
    m.cover("refuses", outstanding.any() & deny);
    m.cover("goes_on_after_refusal", !fresh & denied & run);

    let within = |state: &'static str, net: &str, inner: Change, violates: &[&'static str]| {
        Mutation::new("power_q_device", net, Arm(state, Box::new(inner)), violates)
    };
    let mutations = vec![
        within("Q_DEVICE_STOPPED", "going_d", Net("qreqn_i", "need_i"), &["device_rules", "answers_in_time"]),
        within("Q_DEVICE_STOPPED", "going_d", DropAssign(0), &["runs_in_q_run", "answer_of_state"]),
        within("Q_DEVICE_ASKED", "state_d", Net("occupied", "busy_i"), &["stops_without_work"]),
        within("Q_DEVICE_ASKED", "state_d", Net("occupied", "need_i"), &["no_transfer_while_stopped"]),
        within("Q_DEVICE_ASKED", "state_d", Net("occupied", "going_q"), &["refuses_with_work"]),
        within("Q_DEVICE_DENIED", "state_d", Net("qreqn_i", "denied_q"), &["one_answer_per_request"]),
        Mutation::new("power_q_device", "active_q", Net("occupied", "need_i"), &["active_is_work"]),
    ];
    let proof = Proof { module: m.build()?, depth: 20, induction: 4, mutations };
    Ok(Block { name: "power_q_device", proofs: vec![proof], meanings: MEANINGS.to_vec() })
}

/// QACCEPTn, QDENY and the permission to start are those of the state.
pub fn answer_of_state(port: impl Fn(&str) -> Expr) -> Expr {
    let table: [(State, &[u32]); 4] = [(Stopped, &[0b000]), (Running, &[0b100, 0b101]), (Asked, &[0b100]), (Denied, &[0b110])];
    let (state, shown) = (port("seen_state"), Expr::concat(["qacceptn", "qdeny", "run"].map(&port)));
    let all = table.iter().flat_map(|(of, values)| values.iter().map(|value| state.eq(*of as u32) & shown.eq(*value)));
    all.reduce(|a, b| a | b).unwrap_or_else(|| Expr::bit_const(false))
}

/// The device with sight of its state.
pub fn device() -> Result<Arc<Module>, BuildError> {
    Ok(observe(&q_device().map_err(ImportError::build_error)?, &["state_q"]))
}
