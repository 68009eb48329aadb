// SPDX-License-Identifier: MIT OR Apache-2.0
//! The arbiter under both policies, with three inputs.
//!
//! Round robin serves a waiting input after at most two others. Why: an order of turns is read off the registers, and while
//! an input waits, whoever is served stood before it in that order and stands behind it then.

use super::{Block, Proof, observe, parts::*};
use crate::{
    formal::Mutation,
    mutation::Change::{Constant, DropNot, DropUpdate, Operator, Reset, Slice, Unary},
};
use heddle_lang::{
    BuildError, Builder, Expr, Module, Ty,
    expr::{
        BinaryOp::{And, Or},
        UnaryOp::{ReduceAnd, ReduceOr},
    },
    stdlib::{fixed_priority, round_robin},
};
use std::sync::Arc;

const MEANINGS: [(&str, &str); 18] = [
    ("one_choice", "at most one input is chosen"),
    ("choice_is_offered", "what is chosen has a word to offer"),
    ("behind_is_a_suffix", "the inputs behind the one that was served last are all those of higher number"),
    ("valid_stays", "valid stays until the transfer"),
    ("data_stays", "data stays until the transfer"),
    ("source_stays", "the source stays until the transfer"),
    ("one_grant", "at most one input is ready"),
    ("grant_on_request", "an input is ready only while it is valid"),
    ("offered_if_any", "the output is valid exactly where an input is"),
    ("transfers_together", "the output takes a word exactly where an input gives one"),
    ("word_of_source", "the word is that of the input that is named"),
    ("lowest_first", "a new choice is the lowest number that waits"),
    ("turn_comes", "an input that waits while others are served comes before whoever was served since"),
    ("served_in_time", "an input that waits sees at most two others served before it"),
    ("all_wait", "all inputs wait"),
    ("highest_served", "the highest number is served"),
    ("choice_is_kept", "a lower number arrives while a choice is kept"),
    ("waits_for_two", "an input is served after two others"),
];

const INPUTS: u32 = 3;
const WIDTH: u32 = 2;

pub fn block() -> Result<Block, BuildError> {
    Ok(Block { name: "arbiter", proofs: vec![turns()?, priority()?], meanings: MEANINGS.to_vec() })
}

/// The ports of all inputs, input 0 lowest.
struct Inputs {
    valid: Expr,
    transfer: Expr,
}

/// What holds under both policies.
fn common(m: &mut Builder, arbiter: &Arc<Module>) -> Result<(Unit, Inputs), BuildError> {
    let unit = harness(arbiter, &[], m);
    for i in 0..INPUTS {
        stream_rules(m, &unit, &format!("in_{i}"), true)?;
    }
    stream_rules(m, &unit, "out", false)?;
    let all = |part: &str| (0..INPUTS).map(|i| unit.get(&format!("in_{i}_{part}"))).collect::<Vec<_>>();
    let valid = m.wire("valids", Expr::pack(&all("valid")));
    let ready = m.wire("readies", Expr::pack(&all("ready")));
    let transfer = m.wire("transfers", &valid & &ready);
    let (rst, source) = (m.reset(), unit.get("out_source"));
    let offered = unit.get("out_valid");
    m.assert("one_grant", &rst | (&ready & ready.wrapping_sub(1)).is_zero());
    m.assert("grant_on_request", &rst | (&ready & !&valid).is_zero());
    m.assert("offered_if_any", &rst | offered.eq(valid.any()));
    m.assert("transfers_together", &rst | transfer.any().eq(unit.transfer("out")));
    let waits = m.register_reset("waits", &offered & !unit.get("out_ready"));
    let last_source = m.register("last_source", &source);
    m.assert("source_stays", &rst | !&waits | source.eq(last_source));
    let named = (0..INPUTS).map(|i| source.eq(i) & valid.bit(i) & unit.get(&format!("in_{i}_data")).eq(unit.get("out_data")));
    let named = named.reduce(|a, b| a | b).unwrap_or_else(|| Expr::bit_const(false));
    m.assert("word_of_source", &rst | !&offered | named);
    m.cover("all_wait", valid.all() & !unit.get("out_ready"));
    m.cover("highest_served", transfer.bit(INPUTS - 1));
    m.cover("choice_is_kept", waits & valid.bit(0) & source.eq(INPUTS - 1));
    Ok((unit, Inputs { valid, transfer }))
}

fn of_common(arbiter: &str) -> Vec<Mutation> {
    let change = |net: &str, change, violates: &[&'static str]| Mutation::new(arbiter, net, change, violates);
    vec![
        change("first", DropNot, &["unit.one_choice", "one_grant"]),
        change("first", Operator(And, Or), &["unit.choice_is_offered"]),
        change("in_1_ready_o", Slice(1), &["grant_on_request", "transfers_together"]),
        change("in_2_ready_o", Operator(And, Or), &["out_rules.valid_stays"]),
        change("held_q", DropUpdate(1), &["out_rules.data_stays", "source_stays"]),
        change("out_valid_o", Unary(ReduceOr, ReduceAnd), &["offered_if_any"]),
        change("out_data_o", Operator(Or, And), &["word_of_source"]),
    ]
}

fn turns() -> Result<Proof, BuildError> {
    let arbiter = round_robin(INPUTS, WIDTH)?;
    let mut m = Builder::clocked(format!("{}_proof", arbiter.name), file!());
    let (unit, inputs) = common(&mut m, &observe(&arbiter, &["behind_q", "held_q"]))?;
    let rst = m.reset();
    let [behind, held] = ["seen_behind", "seen_held"].map(|name| unit.get(name));
    m.comment("The input that is watched, as a bit of its own");
    let watched = symbol(&mut m, "watched", inputs.valid.ty());
    let is_one = m.wire("is_one", watched.any() & (&watched & watched.wrapping_sub(1)).is_zero());
    let served = m.wire("served", (&inputs.transfer & &watched).any());
    let waiting = m.wire("waiting", &is_one & (&inputs.valid & &watched).any());
    m.comment("Others that were served while it waited");
    let others = m.reg("others", Ty::Unsigned(2), 0);
    m.on(&others, !&waiting | &served, 0);
    m.on(&others, inputs.transfer.any() & !others.q().all(), others.q().wrapping_add(1));
    m.comment("Inputs whose turn comes before it");
    let lower = watched.wrapping_sub(1);
    let before = m.wire("before", (&behind & &watched).any().mux(&behind & &lower, &(&behind | &lower)));
    let rank = (before.bit(0) + before.bit(1)).extend(3) + before.bit(2);
    let in_turn = (&held & !(&before | &watched)).is_zero() & (others.q() + rank).lt(INPUTS);
    m.assert("turn_comes", &rst | !&waiting | others.q().is_zero() | in_turn);
    m.assert("served_in_time", &rst | !&waiting | others.q().lt(INPUTS));
    m.cover("waits_for_two", served & others.q().eq(2));
    let change = |net: &str, change, violates: &[&'static str]| Mutation::new(&arbiter.name, net, change, violates);
    let mut mutations = of_common(&arbiter.name);
    mutations.extend([
        change("behind_q", Reset(1), &["unit.behind_is_a_suffix"]),
        change("behind_q", DropUpdate(0), &["turn_comes", "served_in_time"]),
    ]);
    Ok(Proof { module: m.build()?, depth: 20, induction: 3, mutations })
}

fn priority() -> Result<Proof, BuildError> {
    let arbiter = fixed_priority(INPUTS, WIDTH)?;
    let mut m = Builder::clocked(format!("{}_proof", arbiter.name), file!());
    let (unit, inputs) = common(&mut m, &arbiter)?;
    let rst = m.reset();
    let kept = m.register_reset("kept", unit.get("out_valid") & !unit.get("out_ready"));
    let lowest = &inputs.valid & (!&inputs.valid).wrapping_add(1);
    let chosen = (0..INPUTS).map(|i| unit.get("out_source").eq(i));
    let chosen = Expr::pack(&chosen.collect::<Vec<_>>());
    m.assert("lowest_first", &rst | kept | !unit.get("out_valid") | chosen.eq(lowest));
    let mut mutations = of_common(&arbiter.name);
    mutations.push(Mutation::new(&arbiter.name, "first", Constant(1, 0), &["lowest_first"]));
    Ok(Proof { module: m.build()?, depth: 20, induction: 3, mutations })
}
