// SPDX-License-Identifier: MIT OR Apache-2.0
//! The controller of a power domain: order of its steps, and that it always answers.
//!
//! `power_domain_proof` leaves switches, power and policy free in every cycle; the unit keeps its side of the Q-Channel, may have
//! transfers outstanding, and has a register with retention. `power_domain_limit_proof` is about time-outs,
//! `power_domain_answers_proof` about an environment that answers in time, `power_domain_device_proof` about the device that is
//! there, `power_domain_upset_proof` about states that do not exist.

mod answers;
mod parts;

use super::{Block, Proof, observe, parts::*, upset};
use crate::{
    formal::Mutation,
    mutation::Change::{self, Arm, Constant, DropAssign, DropNot, Net, Operator},
};
use heddle_core::power::domain::{DomainState::*, STATES, domain};
use heddle_lang::{
    BuildError, Builder, Expr, Module, Ty,
    expr::BinaryOp::{And, Or},
    import::ImportError,
};
pub use parts::Channel;
use parts::{ARCS, Control, Retained, among, hang_together, is, of_hang_together, transfers};

/// Cycles that an answer may take, of switches and of units.
pub const PATIENCE: u32 = 2;

const MEANINGS: [(&str, &str); 46] = [
    ("state_is_known", "no state but those defined is reached"),
    ("order_of_steps", "every output is the one of the state"),
    ("only_listed_steps", "states follow each other as listed, and in no other way"),
    ("isolation_needs_power", "isolation is released only with all switches closed, power good and reset released"),
    ("off_is_clamped", "while a switch is told to open, outputs are clamped, the domain is in reset, and its clock stands"),
    ("clock_only_connected", "the clock runs only while isolation is released"),
    ("clock_stops_first", "the clock stands before isolation is applied, except by a fault"),
    ("clock_starts_last", "isolation is released before the clock starts"),
    ("unit_has_stopped", "the clock stands only while the unit has accepted to stop, or is in reset"),
    ("no_cut_off", "a unit with transfers outstanding keeps clock, power and outputs, unless power is lost"),
    ("channel_of_state", "the Q-Channel is in a state that goes with the one of the controller"),
    ("answer_of_state", "the device's answers are those of its state"),
    ("on_is_running", "a domain that is said to be on has a unit that runs"),
    ("channel_rules", "the Q-Channel moves only between its six states, by its seven steps, one signal each; a fault resets it"),
    ("wake_turns_back", "a wake before the domain is in reset leads back, without a power-down"),
    ("saved_before_off", "no switch opens before the registers are saved, except by a fault"),
    ("retention_is_known", "the controller knows whether something is retained, and restores exactly then"),
    ("restored_before_use", "what was saved is restored right after reset is released, so before isolation is released"),
    ("word_is_somewhere", "what the unit expects is in its register, is retained, or is the reset value"),
    ("data_equal", "from the release of isolation on, a register holds what it held when the clock stopped"),
    ("power_loss_clamps", "in the cycle after power is lost outputs are clamped, the clock stands, and the switches are told to open"),
    ("fault_is_safe", "in a fault the domain is off, clamped, in reset, and its clock stands"),
    ("fault_has_cause", "a fault comes with a cause"),
    ("cause_stays", "the first cause stays until it is cleared, or a fault has another"),
    ("fault_has_event", "a fault gives an event"),
    ("cause_has_event", "a cause that is noted gives an event"),
    ("event_has_cause", "an event comes with a cause"),
    ("fault_with_work", "power is lost under a transfer"),
    ("refused_with_work", "a unit with a transfer outstanding refuses"),
    ("word_restored", "a word that is not the reset value is restored after the domain was off"),
    ("waiting_is_counted", "the controller counts the cycles that it waits"),
    ("waits_in_time", "an answer of switches, or of a unit that is to go on, is waited for at most `limit` cycles"),
    ("time_out_is_safe", "if it does not come by then, the domain is off, clamped and in reset in the next cycle"),
    ("silence_is_noted", "a unit that neither stops nor refuses in time, or does not take back its refusal, is noted as a cause"),
    ("silent_unit_keeps_power", "such a unit keeps its power: it may have transfers outstanding"),
    ("silent_for_long", "a unit is silent for longer than the limit"),
    ("illegal_state_recovers", "a state that does not exist is followed by a fault with a cause: off, clamped, in reset"),
    ("upset_recovers", "so is a state that needs power, reached by an upset from one without"),
    ("illegal_state", "the state is one that does not exist"),
    ("on_after_illegal_state", "the domain is on again after that, without another upset"),
    (
        "wake_answered",
        "a domain that stays wanted is on within 23 cycles (22 with the device), from any state, if all answers come within two",
    ),
    ("sleep_answered", "one that is not wanted is off, or its unit has refused, within 28 cycles (27), from any state, likewise"),
    ("no_false_fault", "once on, a domain whose environment answers in time has no fault"),
    ("wake_waits_longest", "a wake waits for as long as it may"),
    ("sleep_waits_longest", "the end of a wake waits for as long as it may"),
    ("refusal_answered", "a refusal is answered by QREQn in the next cycle"),
];

pub fn block() -> Result<Block, BuildError> {
    let mut meanings = MEANINGS.to_vec();
    meanings.extend(ARCS.iter().map(|arc| (arc.name, arc.meaning)));
    Ok(Block {
        name: "power_domain",
        proofs: vec![order()?, limit()?, answers::with_any_unit()?, answers::with_device()?, illegal()?],
        meanings,
    })
}

fn controller() -> Result<std::sync::Arc<Module>, BuildError> {
    domain().map_err(ImportError::build_error)
}

/// A change of the controller.
fn change(net: &str, change: Change, violates: &[&'static str]) -> Mutation {
    Mutation::new("power_domain", net, change, violates)
}

/// A change in what it does in one state.
fn within(state: &'static str, net: &str, inner: Change, violates: &[&'static str]) -> Mutation {
    change(net, Arm(state, Box::new(inner)), violates)
}

/// Order of steps, in any environment.
fn order() -> Result<Proof, BuildError> {
    let mut m = Builder::clocked("power_domain_proof", file!());
    let unit = harness(&observe(&controller()?, &["saved_q"]), &[], &mut m);
    let control = Control::new(&mut m, unit);
    let channel = Channel::new(&mut m, &control.unit);
    hang_together(&mut m, &control, channel.of_state(&control.state));
    steps(&mut m, &control);
    isolation(&mut m, &control);
    handshake(&mut m, &control, &channel);
    retention(&mut m, &control);
    causes(&mut m, &control);
    let mut mutations = of_hang_together();
    mutations.extend([
        within("DOMAIN_SAVED", "state_d", Constant(14, 15), &["only_listed_steps"]),
        within("DOMAIN_SAVED", "released_d", DropAssign(0), &["off_is_clamped"]),
        within("DOMAIN_QUIESCING", "clock_on_d", DropAssign(0), &["clock_stops_first", "clock_only_connected"]),
        within("DOMAIN_QUIESCING", "state_d", DropNot, &["no_cut_off", "unit_has_stopped"]),
        within("DOMAIN_RESTORED", "open_d", DropAssign(0), &["clock_starts_last"]),
        within("DOMAIN_WAKING", "state_d", Operator(And, Or), &["on_is_running"]),
        within("DOMAIN_REFUSED", "state_d", DropNot, &["channel_rules"]),
        within("DOMAIN_ISOLATED", "state_d", Net("wake", "late"), &["wake_turns_back"]),
        within("DOMAIN_ISOLATED", "save_pulse_d", DropAssign(0), &["saved_before_off", "retention_is_known", "word_is_somewhere"]),
        within("DOMAIN_OUT_OF_RESET", "restore_pulse_d", DropAssign(0), &["restored_before_use", "data_equal"]),
        change("lost", Operator(And, Or), &["isolation_needs_power", "power_loss_clamps"]),
        change("weak_d", DropAssign(3), &["fault_is_safe"]),
        change("cause_held_d", DropAssign(2), &["fault_has_cause"]),
        change("cause_held_d", Net("clear_i", "wanted_i"), &["cause_stays"]),
        change("cause_held_d", Operator(And, Or), &["event_has_cause"]),
        change("event_pulse_d", Net("fail", "clear_i"), &["fault_has_event"]),
        change("event_pulse_d", DropAssign(1), &["cause_has_event", "fault_has_event"]),
    ]);
    Ok(Proof { module: m.build()?, depth: 30, induction: 3, mutations })
}

fn steps(m: &mut Builder, control: &Control) {
    let step = |from, to| is(&control.last_state, from) & is(&control.state, to);
    let listed = ARCS.iter().fold(control.state.eq(&control.last_state), |any, arc| any | step(arc.from, arc.to));
    m.assert("only_listed_steps", &control.fresh | listed);
    for arc in &ARCS {
        m.cover(arc.name, !&control.fresh & step(arc.from, arc.to));
    }
}

fn isolation(m: &mut Builder, control: &Control) {
    let (rst, fresh) = (m.reset(), &control.fresh);
    let [isolate, clock, domain_rst, fault] = ["isolate", "clock_enable", "domain_rst", "fault"].map(|port| control.get(port));
    let [last_isolate, last_clock, was_alive] = ["isolate", "clock_enable", "domain_rst"].map(|port| control.last(m, port));
    let was_alive = !was_alive;
    let was_lost = m.register("was_lost", &control.lost);
    let told_open = !control.get("weak_on") | !control.get("strong_on");
    m.assert("isolation_needs_power", fresh | &isolate | (!&domain_rst & !&was_lost));
    m.assert("off_is_clamped", &rst | !told_open | (&isolate & &domain_rst & !&clock));
    m.assert("clock_only_connected", &rst | !&clock | !&isolate);
    m.assert("clock_stops_first", fresh | &fault | !&isolate | &last_isolate | !&last_clock);
    m.assert("clock_starts_last", fresh | !clock | last_clock | !last_isolate);
    m.assert("power_loss_clamps", fresh | !(&was_lost & was_alive) | (&fault & control.is_safe()));
    m.assert("fault_is_safe", rst | !fault | control.is_safe());
}

/// The unit stops only when it wants to.
fn handshake(m: &mut Builder, control: &Control, channel: &Channel) {
    let (rst, fresh) = (m.reset(), &control.fresh);
    let (accept, deny, domain_rst) = (control.get("qacceptn"), control.get("qdeny"), control.get("domain_rst"));
    let outstanding = transfers(m, control, accept.clone());
    let answers_low = !&accept & !&deny;
    m.assume("unit_in_reset_has_stopped", !&domain_rst | &answers_low);
    m.assume("unit_keeps_the_rules", &domain_rst | channel.device_is_legal());
    m.assume("unit_stops_when_done", &domain_rst | &accept | outstanding.is_zero());
    m.assert("unit_has_stopped", &rst | control.get("clock_enable") | &answers_low);
    no_cut_off(m, control, &outstanding);
    m.assert("on_is_running", &rst | !control.get("on") | (accept & !&deny));
    m.assert("channel_rules", fresh | domain_rst | channel.legal());
    let wake = m.register("last_wake", control.get("wanted") | control.get("qactive"));
    let could_turn = among(&control.last_state, &[ClockStopped, Isolated, Saved]);
    let turned = among(&control.state, &[Waking, Connected, Faulted]);
    m.assert("wake_turns_back", fresh | !(wake & could_turn) | turned);
    m.cover("refused_with_work", control.is(Refused) & outstanding.any() & deny);
}

fn no_cut_off(m: &mut Builder, control: &Control, outstanding: &Expr) {
    let was_lost = m.register("was_lost_before", &control.lost);
    let connected = !control.get("isolate") & !control.get("domain_rst");
    let served = connected & control.get("clock_enable") & control.get("weak_on") & control.get("strong_on");
    m.assert("no_cut_off", &control.fresh | was_lost | outstanding.is_zero() | served);
}

fn retention(m: &mut Builder, control: &Control) {
    let (rst, fresh) = (m.reset(), &control.fresh);
    let kept = Retained::new(m, control);
    let (isolate, domain_rst, fault, saved) =
        (control.get("isolate"), control.get("domain_rst"), control.get("fault"), control.get("seen_saved"));
    let (was_weak, was_strong) = (control.last(m, "weak_on"), control.last(m, "strong_on"));
    let opens = (was_weak & !control.get("weak_on")) | (was_strong & !control.get("strong_on"));
    m.assert("saved_before_off", fresh | &fault | !opens | &kept.kept);
    let holds = kept.word.eq(&kept.expected);
    let (before, back) = (among(&control.state, &[OutOfReset, Restored]), !isolate | among(&control.state, &[Isolated, Saved]));
    let known = (!(&domain_rst | &before) | kept.kept.eq(&saved)) & (!&kept.owed | &saved);
    let since_saved = !among(&control.state, &[Saved, InReset, WeakOff]) | &saved;
    let restores = !control.is(Restored) | control.get("restore").eq(&saved);
    m.assert("retention_is_known", &rst | fault.mux(!&saved, &(known & since_saved & restores)));
    m.assert("restored_before_use", &rst | &fault | !&kept.owed | &domain_rst | control.is(OutOfReset) | control.get("restore"));
    let retained = saved.mux(kept.shadow.eq(&kept.expected), &kept.expected.is_zero());
    let somewhere = (!(&domain_rst | &before) | &retained) & (!before | kept.word.is_zero()) & (!&back | &holds);
    m.assert("word_is_somewhere", &rst | fault | somewhere);
    m.assert("data_equal", rst | control.get("isolate") | holds);
    let was_off = m.reg("was_off", Ty::BIT, 0);
    m.on(&was_off, domain_rst & kept.kept, 1);
    m.on(&was_off, control.get("clock_enable"), 0);
    m.cover("word_restored", was_off.q() & control.is(Connected) & kept.word.any());
}

fn causes(m: &mut Builder, control: &Control) {
    let (rst, fresh) = (m.reset(), &control.fresh);
    let (cause, event, fault) = (control.get("cause"), control.get("event"), control.get("fault"));
    let [last_cause, last_clear, last_fault] = ["cause", "clear", "fault"].map(|port| control.last(m, port));
    m.assert("fault_has_cause", fresh | !&fault | &last_fault | cause.any());
    let falls = m.wire("falls", &fault & !&last_fault);
    m.assert("cause_stays", fresh | last_clear | last_cause.is_zero() | cause.eq(&last_cause) | &falls);
    m.assert("fault_has_event", fresh | !falls | &event);
    m.assert("cause_has_event", fresh | cause.eq(last_cause) | cause.is_zero() | &event);
    m.assert("event_has_cause", rst | !event | cause.any());
}

/// Time-outs, under a limit that stays.
fn limit() -> Result<Proof, BuildError> {
    let mut m = Builder::clocked("power_domain_limit_proof", file!());
    let limit = symbol(&mut m, "limit", Ty::Unsigned(16));
    let unit = harness(&observe(&controller()?, &["waited_q"]), &[("limit", limit.clone())], &mut m);
    let control = Control::new(&mut m, unit);
    let rst = m.reset();
    let here = cycles_in_state(&mut m, &control);
    let waiting = m.wire("waiting", among(&control.state, &[WeakOn, StrongOn, Waking, WeakOff, StrongOff]));
    let silent = m.wire("silent", among(&control.state, &[Quiescing, Refused]));
    let limit = limit.extend(17);
    let expected = here.le(&limit).mux(&here, &limit);
    m.assert("waiting_is_counted", &rst | !(&waiting | &silent) | expected.eq(control.get("seen_waited").extend(17)));
    m.assert("waits_in_time", &rst | !&waiting | here.le(&limit));
    let answered = answered(&control);
    let timed_out = m.register("timed_out", &waiting & here.eq(&limit) & !answered);
    m.assert("time_out_is_safe", &control.fresh | !timed_out | (control.get("fault") & control.is_safe()));
    m.assert("silence_is_noted", &control.fresh | !&silent | here.le(&limit) | control.get("cause").any());
    let (was_lost, was_silent) = (m.register("was_lost", &control.lost), m.register("was_silent", &silent));
    m.assert("silent_unit_keeps_power", &control.fresh | was_lost | !was_silent | !control.get("fault"));
    m.cover("silent_for_long", silent & here.gt(&limit) & limit.eq(2));
    let mutations = vec![
        within("DOMAIN_WEAK_ON", "waited_d", DropAssign(0), &["waiting_is_counted"]),
        within("DOMAIN_STRONG_OFF", "fail", DropAssign(0), &["waits_in_time", "time_out_is_safe"]),
        within("DOMAIN_REFUSED", "complains", DropAssign(0), &["silence_is_noted"]),
        change("state_d", Net("fail", "complains"), &["silent_unit_keeps_power"]),
    ];
    Ok(Proof { module: m.build()?, depth: 24, induction: 3, mutations })
}

/// Cycles in this state before this one.
fn cycles_in_state(m: &mut Builder, control: &Control) -> Expr {
    let counted = m.reg("counted", Ty::Unsigned(17), 0);
    let stays = !&control.fresh & control.state.eq(&control.last_state);
    let more = counted.q().all().mux(counted.q(), &counted.q().wrapping_add(1));
    let here = m.wire("here", stays.mux(more, &Expr::constant(Ty::Unsigned(17), 0)));
    m.next(&counted, &here);
    here
}

/// What the state waits for is there.
fn answered(control: &Control) -> Expr {
    let (weak, strong) = (control.get("weak_ack"), control.get("strong_ack"));
    let of_state = [
        (WeakOn, weak.clone()),
        (StrongOn, !&control.lost),
        (Waking, control.get("qacceptn") & !control.get("qdeny")),
        (WeakOff, !&weak),
        (StrongOff, !(weak | strong)),
    ];
    of_state.into_iter().map(|(state, answer)| control.is(state) & answer).reduce(|a, b| a | b).unwrap_or_else(|| Expr::bit_const(false))
}

/// A state register that is upset to anything at any time.
fn illegal() -> Result<Proof, BuildError> {
    let mut m = Builder::clocked("power_domain_upset_proof", file!());
    let unit = harness(&upset(&controller()?, "state_q"), &[], &mut m);
    let control = Control::new(&mut m, unit);
    let was_illegal = control.last_state.ge(STATES.len());
    let recovered = control.get("fault") & control.is_safe() & control.get("cause").any();
    m.assert("illegal_state_recovers", &control.fresh | !&was_illegal | &recovered);
    let alive =
        among(&control.last_state, &[OutOfReset, Restored, Connected, Waking, Running, Quiescing, Refused, ClockStopped, Isolated, Saved]);
    let [was_weak, was_strong] = ["weak_on", "strong_on"].map(|port| control.last(&mut m, port));
    let was_powered = was_weak & was_strong & !control.last(&mut m, "domain_rst");
    m.assert("upset_recovers", &control.fresh | !alive | was_powered | &recovered);
    m.cover("illegal_state", !&control.fresh & control.state.ge(STATES.len()));
    let was_upset = m.register("was_upset", control.get("upset"));
    let recovered = m.reg("recovered", Ty::BIT, 0);
    m.on(&recovered, was_upset, 0);
    m.on(&recovered, !&control.fresh & was_illegal, 1);
    m.cover("on_after_illegal_state", recovered.q() & control.get("on"));
    let mutations = vec![
        within("default", "fail", DropAssign(0), &["illegal_state_recovers"]),
        within("DOMAIN_RESTORED", "alive", DropAssign(0), &["upset_recovers"]),
    ];
    Ok(Proof { module: m.build()?, depth: 24, induction: 2, mutations })
}
