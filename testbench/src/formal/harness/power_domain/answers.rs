// SPDX-License-Identifier: MIT OR Apache-2.0
//! That every request is answered, by an environment that does; and the controller together with the Q-Channel's device.
//!
//! Up to a moment that nobody knows the environment does what it wants, as in the other proofs; from then on every answer
//! comes within [`PATIENCE`] cycles. So the bounds hold from every state that can be reached, faults among them.
//!
//! The device of the accelerator is always on: a fault of its domain does not reset it, as the other proofs assume of a unit.
//! `power_domain_device_proof` shows for the pair what they show for such a unit.

use super::{
    Channel, Control, DropAssign, Net, PATIENCE, change, controller, hang_together, no_cut_off, of_hang_together, parts::transfers, within,
};
use crate::{
    formal::{
        Mutation, Proof,
        harness::{
            parts::*,
            power_q_device::{answer_of_state, device},
        },
    },
    mutation::Change::Arm,
};
use heddle_core::power::domain::DomainState::*;
use heddle_lang::{BuildError, Builder, Expr, Ty};

/// The smallest limit for which such answers are in time: two of them in a row, for the strong switches and for good power.
const LIMIT_MIN: u32 = 2 * PATIENCE + 1;
/// Cycles from a wake to the domain being on, and from its end to the domain being off, at most.
struct Bounds {
    wake: u32,
    sleep: u32,
}
const ANY_UNIT: Bounds = Bounds { wake: 23, sleep: 28 };
const DEVICE: Bounds = Bounds { wake: 22, sleep: 27 };
/// Cycles from reset in which each change shows.
const DEPTH: u32 = 44;

/// Any unit that keeps the rules.
pub fn with_any_unit() -> Result<Proof, BuildError> {
    let mut m = Builder::clocked("power_domain_answers_proof", file!());
    let limit = limit(&mut m);
    let unit = harness(&controller()?, &[("limit", limit)], &mut m);
    let control = Control::new(&mut m, unit);
    let calm = calm(&mut m);
    let channel = Channel::new(&mut m, &control.unit);
    hang_together(&mut m, &control, channel.of_state(&control.state));
    unit_answers(&mut m, &control, &channel, &calm);
    switches_and_software(&mut m, &control, &calm);
    requests(&mut m, &control, &calm, &ANY_UNIT);
    let refused = m.register("was_refused", control.is(Quiescing) & control.get("qdeny"));
    m.assert("refusal_answered", &control.fresh | !refused | control.get("qreqn") | control.get("fault"));
    let mut mutations = of_hang_together();
    mutations.extend(of_requests());
    mutations.push(within("DOMAIN_QUIESCING", "requested_d", DropAssign(0), &["refusal_answered"]));
    Ok(Proof { module: m.build()?, depth: DEPTH, induction: ANY_UNIT.sleep + 1, mutations })
}

/// The device that is there.
pub fn with_device() -> Result<Proof, BuildError> {
    const ANSWERS: [&str; 3] = ["qacceptn", "qdeny", "qactive"];
    let mut m = Builder::clocked("power_domain_device_proof", file!());
    let ahead = ANSWERS.map(|port| m.forward(&format!("device_answers_{port}"), Ty::BIT));
    let mut driven = vec![("limit", limit(&mut m))];
    driven.extend(ANSWERS.into_iter().zip(ahead.clone()));
    let unit = harness(&controller()?, &driven, &mut m);
    let control = Control::new(&mut m, unit);
    let work = m.forward("work", Ty::BIT);
    let inputs = [("qreqn", control.get("qreqn")), ("busy", work.clone()), ("need", m.input("need", Ty::BIT))];
    let device = m.instance("device", &device()?, &inputs);
    ANSWERS.into_iter().zip(&ahead).for_each(|(port, net)| m.drive(net, device.get(port)));
    let outstanding = transfers(&mut m, &control, device.get("run"));
    m.drive(&work, outstanding.any());

    let calm = calm(&mut m);
    let channel = Channel::new(&mut m, &control.unit);
    hang_together(&mut m, &control, channel.of_state_with_device(&control.state));
    let rst = m.reset();
    m.assert("answer_of_state", rst | answer_of_state(|port| device.get(port)));
    m.assert("channel_rules", &control.fresh | control.get("domain_rst") | channel.legal());
    no_cut_off(&mut m, &control, &outstanding);
    switches_and_software(&mut m, &control, &calm);
    requests(&mut m, &control, &calm, &DEVICE);
    m.cover("fault_with_work", control.get("fault") & outstanding.any());
    let mut mutations = of_hang_together();
    mutations.extend(of_requests());
    let in_device = Arm("Q_DEVICE_ASKED", Box::new(Net("occupied", "need_i")));
    let accepts_silently = Arm("Q_DEVICE_STOPPED", Box::new(DropAssign(0)));
    mutations.extend([
        Mutation::new("power_q_device", "state_d", in_device, &["no_cut_off"]),
        Mutation::new("power_q_device", "going_d", accepts_silently, &["answer_of_state"]),
        within("DOMAIN_QUIESCING", "state_d", Net("qdeny_i", "wake"), &["channel_rules"]),
    ]);
    Ok(Proof { module: m.build()?, depth: DEPTH, induction: DEVICE.sleep + 1, mutations })
}

/// Any limit that allows the answers.
fn limit(m: &mut Builder) -> Expr {
    let limit = symbol(m, "limit", Ty::Unsigned(16));
    m.assume("limit_allows_answers", limit.ge(LIMIT_MIN));
    limit
}

/// From some cycle on.
fn calm(m: &mut Builder) -> Expr {
    let settles = m.input("settles", Ty::BIT);
    let calm = m.reg("calm", Ty::BIT, 0);
    m.on(&calm, settles, 1);
    calm.q()
}

/// From `calm` on, `answer` changes only towards `wanted`, and differs from it for no more than [`PATIENCE`] cycles in a row.
fn follows(m: &mut Builder, name: &str, calm: &Expr, answer: &Expr, wanted: &Expr) {
    let last = m.register(&format!("last_{name}"), answer);
    let late = cycles(m, &format!("{name}_lags"), 3, calm & answer.ne(wanted));
    let changes = answer.eq(last) | answer.eq(wanted);
    m.assume(&format!("{name}_follows"), !calm | (changes & (late.lt(PATIENCE) | answer.eq(wanted))));
}

/// Switches and the supply answer in time, and software clears faults.
fn switches_and_software(m: &mut Builder, control: &Control, calm: &Expr) {
    let (weak, strong, good) = (control.get("weak_ack"), control.get("strong_ack"), control.get("power_good"));
    follows(m, "weak", calm, &weak, &control.get("weak_on"));
    follows(m, "strong", calm, &strong, &control.get("strong_on"));
    follows(m, "good", calm, &good, &(weak & strong));
    let uncleared = cycles(m, "clear_waits", 3, calm & control.get("fault") & !control.get("clear"));
    m.assume("fault_is_cleared", uncleared.le(PATIENCE) | !calm);
}

/// The unit keeps the rules always, and answers in time when it is calm.
fn unit_answers(m: &mut Builder, control: &Control, channel: &Channel, calm: &Expr) {
    let (ask, accept, deny, domain_rst) = (control.get("qreqn"), control.get("qacceptn"), control.get("qdeny"), control.get("domain_rst"));
    m.assume("unit_in_reset_has_stopped", !&domain_rst | (!&accept & !&deny));
    m.assume("unit_keeps_the_rules", domain_rst | channel.device_is_legal());
    let owes = m.wire("unit_owes", ask.mux(!&accept | &deny, &(accept & !deny)));
    let late = cycles(m, "unit_lags", 3, calm & &owes);
    m.assume("unit_answers", !calm | !owes | late.lt(PATIENCE));
}

fn requests(m: &mut Builder, control: &Control, calm: &Expr, bounds: &Bounds) {
    let rst = m.reset();
    let (wanted, active) = (control.get("wanted"), control.get("qactive"));
    let waits = cycles(m, "wake_waits", 6, calm & &wanted & !control.get("on"));
    m.assert("wake_answered", &rst | waits.le(bounds.wake));
    m.cover("wake_waits_longest", waits.eq(bounds.wake));
    let refused = control.is(Refused) | (control.get("qdeny") & control.get("clock_enable"));
    let waits = cycles(m, "sleep_waits", 6, calm & !wanted & !active & !control.is(PoweredOff) & !refused);
    m.assert("sleep_answered", &rst | waits.le(bounds.sleep));
    m.cover("sleep_waits_longest", waits.eq(bounds.sleep));
    let settled = m.reg("settled", Ty::BIT, 0);
    m.on(&settled, !calm, 0);
    m.on(&settled, calm & control.get("on") & !&control.lost, 1);
    m.assert("no_false_fault", &control.fresh | !settled.q() | !control.get("fault"));
}

fn of_requests() -> Vec<Mutation> {
    vec![
        within("DOMAIN_POWERED_OFF", "state_d", Net("wake", "qactive_i"), &["wake_answered"]),
        within("DOMAIN_STRONG_OFF", "state_d", DropAssign(0), &["sleep_answered"]),
        change("lost", Net("power_good_i", "wake"), &["no_false_fault"]),
    ]
}
