// SPDX-License-Identifier: MIT OR Apache-2.0
//! The DVFS unit's mover: at every moment the voltage carries the clock, whatever the supplies answer.
//!
//! `power_dvfs_mover_proof` leaves both supplies and the table's answers free, but for one thing: an entry that is said to be
//! legal is. `power_dvfs_points_proof` shows that of the table.

use super::{Block, Proof, observe, parts::*, power_domain::PATIENCE};
use crate::{
    formal::Mutation,
    mutation::Change::{self, Arm, Constant, DropAssign, DropNot, Net, Operator, Slice},
};
use heddle_core::power::dvfs::{DvfsCause, MoveState, RESET_VOLTAGE, dvfs};
use heddle_lang::{
    BuildError, Builder, Expr, Module, Ty,
    expr::BinaryOp::{And, Or},
    import::ImportError,
    module::Item,
};
use std::sync::Arc;

const MEANINGS: [(&str, &str); 24] = [
    (
        "voltage_carries_clock",
        "the lower of the voltages offered and acknowledged carries the higher of the clocks offered and acknowledged",
    ),
    ("target_is_legal", "a pair that is being moved to is legal"),
    ("plan_leads_to_target", "a code that is not due stands at its target, and the voltage is said to be raised when it will be"),
    ("settled_is_acknowledged", "between moves both codes are those that were acknowledged last"),
    ("voltage_is_stable", "the voltage code changes only without a request, in this cycle and the one before"),
    ("clock_is_stable", "so does the clock code"),
    ("voltage_in_four_phases", "the voltage is requested only without an acknowledge, and the request ends only with one"),
    ("clock_in_four_phases", "so is the clock"),
    ("one_at_a_time", "voltage and clock are not requested together"),
    ("request_of_state", "a code is requested in its own state and in no other"),
    ("silence_is_counted", "the unit counts the cycles that it waits, up to `limit`"),
    ("complains_once", "an answer that is missing is complained of once"),
    ("refusal_is_noted", "a refused write of the table, or an illegal entry that is to be applied, is noted as a cause"),
    ("silence_is_noted", "an answer that is missing for more than `limit` cycles is noted as a cause"),
    ("cause_stays", "a cause stays until it is cleared or another comes"),
    ("complaint_has_event", "each refusal gives an event, and a change of the cause does"),
    ("settles_in_time", "a move ends within 21 cycles, from any state, if every answer comes within two"),
    ("settles_as_late_as_it_may", "it takes as long as it may"),
    ("raised", "a move to a higher clock and a higher voltage ends"),
    ("lowered", "a move to a lower clock and a lower voltage ends"),
    ("late_answer_goes_on", "a move ends after an answer was missing for too long"),
    ("legal_is_legal", "an entry that is said to be legal holds a clock that its voltage carries"),
    ("illegal_write_is_refused", "a write whose voltage does not carry its clock is refused, and no other is"),
    ("a_write_is_refused", "a write is refused"),
];

/// Of 16 entries, with limits that differ from each other.
const LIMITS: [u32; 8] = [3, 9, 17, 25, 33, 42, 55, 63];
/// Two codes of three answers each, the choice before each, and the last one.
const SETTLES: u32 = 21;
/// Cycles in which the reset's move, one down and one up end.
const DEPTH: u32 = 48;

pub fn block() -> Result<Block, BuildError> {
    Ok(Block { name: "power_dvfs", proofs: vec![mover()?, points()?], meanings: MEANINGS.to_vec() })
}

/// A part of the unit by its instance.
fn part(name: &str) -> Result<Arc<Module>, BuildError> {
    let unit = dvfs(16, &LIMITS).map_err(ImportError::build_error)?;
    let found = unit.items.iter().find_map(|item| match item {
        Item::Instance(i) if i.name == name => Some(i.module.clone()),
        _ => None,
    });
    found.ok_or_else(|| BuildError { module: unit.name.clone(), messages: vec![format!("there is no instance `{name}`")] })
}

/// The clock that a voltage code carries at most.
fn limit_of(voltage: &Expr) -> Expr {
    voltage.slice(5, 3).choose(&LIMITS.map(|limit| Expr::constant(Ty::Unsigned(6), limit.into())))
}

fn carries(voltage: &Expr, clock: &Expr) -> Expr {
    clock.le(limit_of(voltage))
}

fn at(state: &Expr, of: MoveState) -> Expr {
    state.eq(of as u32)
}

/// The code that was acknowledged last.
fn acknowledged(m: &mut Builder, name: &str, code: &Expr, answered: Expr, reset: i128) -> Expr {
    let held = m.reg(name, code.ty(), reset);
    m.on(&held, answered, code);
    held.q()
}

fn mover() -> Result<Proof, BuildError> {
    let mut m = Builder::clocked("power_dvfs_mover_proof", file!());
    let sight = ["voltage_target_q", "clock_target_q", "raising_q", "voltage_due_q", "clock_due_q", "waited_q", "overdue_q"];
    let unit = harness(&observe(&part("mover")?, &sight), &[], &mut m);
    let rst = m.reset();
    let was_reset = m.register("was_reset", &rst);
    let fresh = m.wire("fresh", &rst | was_reset);
    let get = |name: &str| unit.get(name);
    m.assume("legal_is_legal", !get("found_legal") | carries(&get("found_voltage"), &get("found_clock")));
    pairs(&mut m, &unit, &fresh);
    requests(&mut m, &unit, &fresh);
    causes(&mut m, &unit, &fresh);
    answers(&mut m, &unit);
    let change = |net: &str, change: Change, violates: &[&'static str]| Mutation::new("power_dvfs_mover", net, change, violates);
    let within =
        |state: &'static str, net: &str, inner: Change, violates: &[&'static str]| change(net, Arm(state, Box::new(inner)), violates);
    let mutations = vec![
        within("MOVE_SETTLED", "raising_d", Net("voltage_held_q", "found_voltage_i"), &["plan_leads_to_target"]),
        within("MOVE_CHOOSING", "state_d", Net("raising_q", "clock_due_q"), &["voltage_carries_clock"]),
        within("MOVE_SETTLED", "complains", DropAssign(0), &["refusal_is_noted"]),
        within("MOVE_SETTLED", "state_d", Net("found_legal_i", "found_i"), &["target_is_legal"]),
        within("MOVE_VOLTAGE_REQUESTED", "voltage_asked_d", DropAssign(0), &["voltage_is_stable", "one_at_a_time", "request_of_state"]),
        within("MOVE_CLOCK_REQUESTED", "clock_asked_d", DropAssign(0), &["clock_is_stable"]),
        within("MOVE_VOLTAGE_OFFERED", "voltage_asked_d", DropNot, &["voltage_in_four_phases"]),
        within("MOVE_CLOCK_OFFERED", "clock_asked_d", DropNot, &["clock_in_four_phases"]),
        within("MOVE_CLOCK_REQUESTED", "silent", DropAssign(0), &["silence_is_noted"]),
        change("waited_d", DropAssign(2), &["silence_is_counted"]),
        change("overdue_d", DropAssign(1), &["complains_once"]),
        change("cause_held_d", Net("clear_i", "voltage_ack_i"), &["cause_stays"]),
        change("event_pulse_q", Net("complains", "silent"), &["complaint_has_event"]),
        within("MOVE_CLOCK_GIVEN", "state_d", DropAssign(0), &["settles_in_time"]),
        within("MOVE_VOLTAGE_OFFERED", "state_d", Constant(3, 4), &["settled_is_acknowledged"]),
    ];
    Ok(Proof { module: m.build()?, depth: DEPTH, induction: SETTLES + 8, mutations })
}

fn pairs(m: &mut Builder, unit: &Unit, fresh: &Expr) {
    let rst = m.reset();
    let get = |name: &str| unit.get(name);
    let (voltage, clock, state) = (get("voltage"), get("clock_code"), get("state_code"));
    let took = |name: &str| get(&format!("{name}_req")) & get(&format!("{name}_ack"));
    let given_voltage = acknowledged(m, "given_voltage", &voltage, took("voltage"), RESET_VOLTAGE.into());
    let given_clock = acknowledged(m, "given_clock", &clock, took("clock"), 0);
    let low = given_voltage.lt(&voltage).mux(&given_voltage, &voltage);
    let high = given_clock.gt(&clock).mux(&given_clock, &clock);
    m.assert("voltage_carries_clock", &rst | carries(&low, &high));
    let settled = at(&state, MoveState::Settled);
    let [to_voltage, to_clock, raising, voltage_due, clock_due] =
        ["voltage_target", "clock_target", "raising", "voltage_due", "clock_due"].map(|name| get(&format!("seen_{name}")));
    m.assert("target_is_legal", &rst | &settled | carries(&to_voltage, &to_clock));
    let rises = voltage.lt(&to_voltage);
    let due = (&voltage_due | voltage.eq(&to_voltage)) & (&clock_due | clock.eq(&to_clock)) & (!&voltage_due | raising.eq(rises));
    m.assert("plan_leads_to_target", &rst | settled.mux(!&voltage_due & !&clock_due, &due));
    let moves = |of: [MoveState; 2]| at(&state, of[0]) | at(&state, of[1]);
    let voltage_moves = moves([MoveState::VoltageOffered, MoveState::VoltageRequested]);
    let clock_moves = moves([MoveState::ClockOffered, MoveState::ClockRequested]);
    let stands = (voltage_moves | voltage.eq(given_voltage)) & (clock_moves | clock.eq(given_clock));
    m.assert("settled_is_acknowledged", &rst | stands);
    let last_state = m.register("last_state", &state);
    let from = |m: &mut Builder, name: &str, code: &Expr| {
        let start = m.reg_no_reset(name, code.ty());
        m.on(&start, at(&state, MoveState::Settled), code);
        start.q()
    };
    let (old_voltage, old_clock) = (from(m, "old_voltage", &voltage), from(m, "old_clock", &clock));
    let ends = !fresh & settled & !at(&last_state, MoveState::Settled);
    m.cover("raised", &ends & clock.gt(&old_clock) & voltage.gt(&old_voltage));
    m.cover("lowered", ends & clock.lt(old_clock) & voltage.lt(old_voltage));
}

fn requests(m: &mut Builder, unit: &Unit, fresh: &Expr) {
    let rst = m.reset();
    let asked = ["voltage_req", "clock_req"].map(|name| unit.get(name));
    for (name, code, [stable, phases]) in [
        ("voltage", "voltage", ["voltage_is_stable", "voltage_in_four_phases"]),
        ("clock", "clock_code", ["clock_is_stable", "clock_in_four_phases"]),
    ] {
        let (code, ask) = (unit.get(code), unit.get(&format!("{name}_req")));
        let last = m.register(&format!("last_{name}"), &code);
        let asked = m.register(&format!("{name}_was_asked"), &ask);
        let answered = m.register(&format!("{name}_was_given"), unit.get(&format!("{name}_ack")));
        m.assert(stable, fresh | code.eq(last) | (!&ask & !&asked));
        m.assert(phases, fresh | ask.eq(&asked) | answered.eq(asked));
    }
    m.assert("one_at_a_time", rst | !&asked[0] | !&asked[1]);
    // What the state says of the requests: without it an induction could start from anything.
    let state = unit.get("state_code");
    let of_state = [MoveState::VoltageRequested, MoveState::ClockRequested].map(|of| at(&state, of));
    m.assert("request_of_state", m.reset() | (asked[0].eq(&of_state[0]) & asked[1].eq(&of_state[1])));
}

fn causes(m: &mut Builder, unit: &Unit, fresh: &Expr) {
    let rst = m.reset();
    let get = |name: &str| unit.get(name);
    let (cause, state) = (get("cause"), get("state_code"));
    let none = cause.eq(DvfsCause::None as u32);
    let illegal = at(&state, MoveState::Settled) & get("found") & get("found_present") & !get("found_legal");
    let refused = m.register("was_refused", get("refused") | illegal);
    m.assert("refusal_is_noted", fresh | !&refused | !&none);
    let limit = get("limit");
    let last_limit = m.register("last_limit", &limit);
    m.assume("limit_is_set_once", fresh | limit.eq(last_limit));
    let waits = [
        (MoveState::VoltageOffered, "voltage_ack", true),
        (MoveState::VoltageRequested, "voltage_ack", false),
        (MoveState::VoltageGiven, "voltage_ack", true),
        (MoveState::ClockOffered, "clock_ack", true),
        (MoveState::ClockRequested, "clock_ack", false),
        (MoveState::ClockGiven, "clock_ack", true),
    ];
    let silent = waits.map(|(of, ack, while_high)| at(&state, of) & if while_high { get(ack) } else { !get(ack) });
    let silent = silent.into_iter().reduce(|a, b| a | b).unwrap_or_else(|| Expr::bit_const(false));
    let silent = m.wire("silent", !&rst & silent & !get("clear"));
    let waited = cycles(m, "silent_for", 17, &silent);
    let (wide, counted) = (limit.extend(17), get("seen_waited").extend(17));
    m.assert("silence_is_counted", &rst | !&silent | counted.eq(waited.le(&wide).mux(&waited, &wide)));
    m.assert("complains_once", &rst | !&silent | get("seen_overdue").eq(waited.gt(&wide)));
    m.assert("silence_is_noted", &rst | waited.le(limit.extend(17)) | !&none);
    let last_cause = m.register("last_cause", &cause);
    let cleared = m.register("was_cleared", get("clear"));
    let had = last_cause.ne(DvfsCause::None as u32);
    m.assert("cause_stays", fresh | &cleared | !had | cause.eq(&last_cause) | get("event"));
    m.assert("complaint_has_event", fresh | get("event") | (!refused & (cause.eq(last_cause) | none)));
    let missed = m.reg("missed", Ty::BIT, 0);
    m.on(&missed, waited.gt(limit.extend(17)), 1);
    m.cover("late_answer_goes_on", missed.q() & at(&state, MoveState::Settled));
}

/// From a moment on that nobody knows both supplies answer in time.
fn answers(m: &mut Builder, unit: &Unit) {
    let rst = m.reset();
    let settles = m.input("settles", Ty::BIT);
    let calm = m.reg("calm", Ty::BIT, 0);
    m.on(&calm, settles, 1);
    let calm = calm.q();
    for name in ["voltage", "clock"] {
        let (ask, ack) = (unit.get(&format!("{name}_req")), unit.get(&format!("{name}_ack")));
        let late = cycles(m, &format!("{name}_lags"), 3, &calm & ask.ne(&ack));
        m.assume(&format!("{name}_answers"), !&calm | ask.eq(ack) | late.lt(PATIENCE));
    }
    let waits = cycles(m, "waits", 6, &calm & !at(&unit.get("state_code"), MoveState::Settled));
    m.assert("settles_in_time", &rst | waits.le(SETTLES));
    m.cover("settles_as_late_as_it_may", waits.eq(SETTLES));
}

/// The table: what it says of an entry.
fn points() -> Result<Proof, BuildError> {
    let mut m = Builder::clocked("power_dvfs_points_proof", file!());
    let unit = harness(&part("points")?, &[], &mut m);
    let rst = m.reset();
    let was_reset = m.register("was_reset", &rst);
    let fresh = m.wire("fresh", &rst | was_reset);
    let get = |name: &str| unit.get(name);
    m.assert("legal_is_legal", !get("found_legal") | carries(&get("found_voltage"), &get("found_clock")));
    let inside = get("index").lt(16u32);
    let illegal = get("write") & !(carries(&get("write_voltage"), &get("write_clock")) & inside);
    let was_illegal = m.register("was_illegal", illegal);
    m.assert("illegal_write_is_refused", &fresh | get("refused").eq(&was_illegal));
    m.cover("a_write_is_refused", !fresh & get("refused"));
    let change = |net: &str, change: Change, violates: &[&'static str]| Mutation::new("power_dvfs_points", net, change, violates);
    let mutations = vec![
        change("legal", Operator(And, Or), &["illegal_write_is_refused"]),
        change("found_limit_address", Slice(1), &["legal_is_legal"]),
    ];
    Ok(Proof { module: m.build()?, depth: 12, induction: 3, mutations })
}
