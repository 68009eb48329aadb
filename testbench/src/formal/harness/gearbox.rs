// SPDX-License-Identifier: MIT OR Apache-2.0
//! The gearbox in both directions.
//!
//! A narrow word that the environment picks is followed: by its place in the wide word it enters and leaves with the
//! right neighbours and unchanged. How many narrow words are inside is counted at the ports.

use super::{Block, Proof, observe, parts::*};
use crate::{
    formal::Mutation,
    mutation::Change::{Always, Constant, DropUpdate, Operator, Slice, Unary},
};
use heddle_lang::{
    BuildError, Builder, Expr, Ty,
    expr::{
        BinaryOp::{And, Or},
        UnaryOp::{ReduceAnd, ReduceOr},
    },
    stdlib::gearbox,
};

pub fn block() -> Result<Block, BuildError> {
    Ok(Block { name: "gearbox", proofs: vec![up()?, down()?], meanings: MEANINGS.to_vec() })
}

const MEANINGS: [(&str, &str); 13] = [
    ("valid_stays", "valid stays until the transfer"),
    ("data_stays", "data stays until the transfer"),
    ("full_word_has_no_part", "while a whole word waits, no part of the next is inside"),
    ("parts_in_range", "the parts to go are at most those of a word"),
    ("valid_when_whole", "up: valid exactly where a whole word is inside; down: where a part is"),
    ("parts_are_counted", "the block counts the parts that came and have not left"),
    ("ready_in_time", "ready where there is room, or there will be by a transfer in the same cycle"),
    ("in_place", "the part that is followed leaves unchanged, at its place in the word, in its turn"),
    ("part_is_kept", "the part that is followed stands where the parts that came or left since put it"),
    ("never_lost", "the part that is followed is among those inside"),
    ("whole", "a whole word is inside"),
    ("in_and_out", "a word leaves while the next comes"),
    ("last_part_followed", "the part that is followed is the last of its word"),
];

const NARROW: u32 = 2;
const RATIO: u32 = 4;
/// Counts narrow words.
const COUNT: Ty = Ty::Unsigned(3);

/// The part of a wide word at a place.
fn part(word: &Expr, place: &Expr) -> Expr {
    word.select(&place.truncate(2), NARROW)
}

fn up() -> Result<Proof, BuildError> {
    let gearbox = gearbox(NARROW, NARROW * RATIO)?;
    let seen = observe(&gearbox, &["part_q", "word_q"]);
    let mut m = Builder::clocked(format!("{}_proof", gearbox.name), file!());
    let unit = harness(&seen, &[], &mut m);
    stream_rules(&mut m, &unit, "in", true)?;
    stream_rules(&mut m, &unit, "out", false)?;
    let (push, pop) = (m.wire("push", unit.transfer("in")), m.wire("pop", unit.transfer("out")));
    m.comment("Parts inside: a whole word leaves at once");
    let count = m.reg("parts", COUNT, 0);
    let left = m.wire("parts_left", pop.mux(count.q().wrapping_sub(RATIO), &count.q()));
    m.on(&count, &push, left.wrapping_add(1));
    m.next(&count, &left);
    let whole = m.wire("is_whole", count.q().eq(RATIO));
    m.comment("The part that is followed, and its place");
    let choice = m.input("follow", Ty::BIT);
    let (inside, place) = (m.reg("inside", Ty::BIT, 0), m.reg_no_reset("place", COUNT));
    let enters = m.wire("enters", &push & choice & (!inside.q() | &pop));
    m.on(&inside, &enters, 1);
    m.on(&inside, &pop, 0);
    m.on(&place, &enters, &left);
    let word = m.register_when("followed", &enters, unit.get("in_data"));
    let rst = m.reset();
    let (inside, place, count) = (inside.q(), place.q(), count.q());
    m.assert("valid_when_whole", &rst | unit.get("out_valid").eq(&whole));
    let parts = unit.get("out_valid").mux(RATIO, &unit.get("seen_part").extend(COUNT.width()));
    m.assert("parts_are_counted", &rst | count.eq(parts));
    m.assert("ready_in_time", &rst | unit.get("in_ready").eq(!&whole | unit.get("out_ready")));
    m.assert("never_lost", &rst | !&inside | place.lt(&count));
    let leaves = &inside & unit.get("out_valid");
    m.assert("in_place", &rst | !leaves | part(&unit.get("out_data"), &place).eq(&word));
    m.comment("Parts enter at the top and move down");
    let at = place.wrapping_add(RATIO).wrapping_sub(&count);
    m.assert("part_is_kept", &rst | !&inside | part(&unit.get("seen_word"), &at).eq(&word));
    m.cover("whole", whole);
    m.cover("in_and_out", push & pop);
    m.cover("last_part_followed", inside & place.eq(RATIO - 1));
    let change = |net: &str, change, violates: &[&'static str]| Mutation::new(&gearbox.name, net, change, violates);
    let mutations = vec![
        change("full_q", DropUpdate(0), &["valid_when_whole", "never_lost"]),
        change("full_q", Operator(And, Or), &["unit.full_word_has_no_part"]),
        change("full_q", Always(1), &["out_rules.valid_stays"]),
        change("in_ready_o", Operator(Or, And), &["ready_in_time"]),
        change("part_q", Constant(1, 2), &["parts_are_counted"]),
        change("word_q", Always(0), &["out_rules.data_stays"]),
        change("word_q", Slice(-1), &["in_place", "part_is_kept"]),
    ];
    Ok(Proof { module: m.build()?, depth: 20, induction: 2, mutations })
}

fn down() -> Result<Proof, BuildError> {
    let gearbox = gearbox(NARROW * RATIO, NARROW)?;
    let seen = observe(&gearbox, &["left_q", "word_q"]);
    let mut m = Builder::clocked(format!("{}_proof", gearbox.name), file!());
    let unit = harness(&seen, &[], &mut m);
    stream_rules(&mut m, &unit, "in", true)?;
    stream_rules(&mut m, &unit, "out", false)?;
    let (push, pop) = (m.wire("push", unit.transfer("in")), m.wire("pop", unit.transfer("out")));
    let count = m.reg("parts", COUNT, 0);
    let left = m.wire("parts_left", pop.mux(count.q().wrapping_sub(1), &count.q()));
    m.on(&count, &push, left.wrapping_add(RATIO));
    m.next(&count, &left);
    m.comment("The part that is followed: its place, chosen during reset, in a word that is picked");
    let place = symbol(&mut m, "place", Ty::Unsigned(2)).extend(3);
    let choice = m.input("follow", Ty::BIT);
    let inside = m.reg("inside", Ty::BIT, 0);
    let count = count.q();
    let leaves = m.wire("leaves", inside.q() & &pop & (&count + &place).eq(RATIO));
    let enters = m.wire("enters", &push & choice);
    m.on(&inside, &enters, 1);
    m.on(&inside, &leaves, 0);
    let word = m.register_when("followed", &enters, part(&unit.get("in_data"), &place));
    let (rst, inside) = (m.reset(), inside.q());
    m.assert("valid_when_whole", &rst | unit.get("out_valid").eq(count.any()));
    m.assert("parts_are_counted", &rst | unit.get("seen_left").eq(&count));
    let last = count.eq(1) & unit.get("out_ready");
    m.assert("ready_in_time", &rst | unit.get("in_ready").eq(count.is_zero() | last));
    m.assert("never_lost", &rst | !&inside | (&count + &place).ge(RATIO));
    let turn = &inside & (&count + &place).eq(RATIO);
    m.assert("in_place", &rst | !turn | unit.get("out_data").eq(&word));
    m.comment("Parts move down as the ones before them leave");
    let at = place.wrapping_add(&count).wrapping_sub(RATIO);
    m.assert("part_is_kept", &rst | !&inside | part(&unit.get("seen_word"), &at).eq(&word));
    m.cover("whole", count.eq(RATIO));
    m.cover("in_and_out", push & pop);
    m.cover("last_part_followed", inside & place.eq(RATIO - 1) & count.eq(1));
    let change = |net: &str, change, violates: &[&'static str]| Mutation::new(&gearbox.name, net, change, violates);
    let mutations = vec![
        change("left_q", DropUpdate(0), &["parts_are_counted", "never_lost"]),
        change("out_valid_o", Unary(ReduceOr, ReduceAnd), &["valid_when_whole"]),
        change("left_q", Constant(4, 5), &["unit.parts_in_range"]),
        change("left_q", Always(1), &["out_rules.valid_stays"]),
        change("in_ready_o", Operator(Or, And), &["ready_in_time"]),
        change("word_q", Always(1), &["out_rules.data_stays"]),
        change("word_q", Slice(-1), &["in_place", "part_is_kept"]),
    ];
    Ok(Proof { module: m.build()?, depth: 20, induction: 2, mutations })
}
