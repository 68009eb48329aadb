// SPDX-License-Identifier: MIT OR Apache-2.0
//! The FIFO in both forms: registers that shift, and a memory whose read register is the output.
//!
//! A word that the environment picks is followed: as many words leave before it as were inside when it came, and then it
//! leaves, unchanged. Since any word can be the one, none is lost, doubled, changed or overtaken.

use super::{Block, Proof, observe, parts::*};
use crate::{
    formal::Mutation,
    mutation::Change::{Always, Constant, DropUpdate, Operator, Unary},
};
use heddle_lang::{
    BuildError, Builder, Expr, Ty,
    builder::address_bits,
    expr::{
        BinaryOp::{And, Le, Ne, Or, WrapAdd, WrapSub},
        UnaryOp::{ReduceAnd, ReduceOr},
    },
    stdlib::fifo,
};

pub fn block() -> Result<Block, BuildError> {
    Ok(Block { name: "fifo", proofs: vec![registers(4)?, memory(17, 40)?, memory(32, 40)?], meanings: MEANINGS.to_vec() })
}

const MEANINGS: [(&str, &str); 14] = [
    ("count_in_range", "the count is at most the depth"),
    ("valid_stays", "valid stays until the transfer"),
    ("data_stays", "data stays until the transfer"),
    ("in_order", "the word that is followed leaves unchanged after those that came before it, and before any other"),
    ("never_lost", "the word that is followed is among those that are counted"),
    ("ready_until_full", "ready exactly where a place is free"),
    ("valid_when_filled", "valid exactly where a word is inside; in the memory's form a cycle later at most"),
    ("count_is_right", "the count is the number of words that came and have not left"),
    ("count_is_stored_and_front", "the count is the words in the memory and the one at the output"),
    ("tail_is_behind_stored", "the place of the next word is behind the words in the memory"),
    ("word_is_kept", "the word that is followed stands in its place"),
    ("full", "it is full"),
    ("empty_after_full", "it is empty after it was full"),
    ("followed_behind_others", "the word that is followed waits behind two others"),
];

const WIDTH: u32 = 2;

fn registers(depth: u32) -> Result<Proof, BuildError> {
    let fifo = fifo(WIDTH, depth)?;
    let words: Vec<String> = (0..depth).map(|i| format!("word_{i}_q")).collect();
    let seen = observe(&fifo, &words.iter().map(String::as_str).collect::<Vec<_>>());
    let mut m = Builder::clocked(format!("{}_proof", fifo.name), file!());
    let unit = harness(&seen, &[], &mut m);
    let followed = common(&mut m, &unit, depth)?;
    let elements: Vec<Expr> = (0..depth).map(|i| unit.get(&format!("seen_word_{i}"))).collect();
    let place = m.wire("place", followed.ahead.choose(&elements));
    m.assert("word_is_kept", m.reset() | !followed.inside | place.eq(followed.word));
    m.assert("valid_when_filled", m.reset() | unit.get("out_valid").eq(unit.get("count").any()));
    let change = |net: &str, change, violates: &[&'static str]| Mutation::new(&fifo.name, net, change, violates);
    let mutations = vec![
        change("count_q", DropUpdate(0), &["count_is_right", "never_lost"]),
        change("count_q", Always(1), &["out_rules.valid_stays"]),
        change("in_ready_o", Operator(Ne, Le), &["ready_until_full", "unit.count_in_range"]),
        change("word_0_q", Always(0), &["out_rules.data_stays", "in_order"]),
        change("word_1_q", DropUpdate(0), &["word_is_kept"]),
        change("out_valid_o", Unary(ReduceOr, ReduceAnd), &["valid_when_filled"]),
    ];
    Ok(Proof { module: m.build()?, depth: 20, induction: 2, mutations })
}

/// Pointers wrap by comparison, or by themselves where the depth is a power of two.
fn memory(depth: u32, cycles: u32) -> Result<Proof, BuildError> {
    let fifo = fifo(WIDTH, depth)?;
    let seen = observe(&fifo, &["head_q", "words"]);
    let mut m = Builder::clocked(format!("{}_proof", fifo.name), file!());
    let slot = m.forward("slot", Ty::Unsigned(address_bits(depth)));
    let unit = harness(&seen, &[("look_words", slot.clone())], &mut m);
    let followed = common(&mut m, &unit, depth)?;
    let (rst, valid) = (m.reset(), unit.get("out_valid"));
    m.comment("The place of the word that is followed, if it is in the memory");
    let place = &followed.ahead + unit.get("seen_head");
    let place = place.wrapping_sub(valid.extend(place.width()));
    let wrapped = place.ge(depth).mux(place.wrapping_sub(depth), &place);
    m.drive(&slot, wrapped.truncate(slot.width()));
    let in_memory = &followed.inside & !(&valid & followed.ahead.is_zero());
    let was_in_memory = m.register_reset("was_in_memory", in_memory);
    m.assert("word_is_kept", &rst | !was_in_memory | unit.get("seen_words").eq(&followed.word));
    let waits = m.register_reset("waits", unit.get("count").any() & !&valid);
    m.assert("valid_when_filled", &rst | !waits | valid);
    let change = |net: &str, change, violates: &[&'static str]| Mutation::new(&fifo.name, net, change, violates);
    // The update that wraps a pointer comes before the one that moves it on.
    let wraps = usize::from(!depth.is_power_of_two());
    let mutations = vec![
        change("count_q", DropUpdate(0), &["count_is_right", "never_lost"]),
        change("count_q", Operator(WrapSub, WrapAdd), &["unit.count_in_range"]),
        change("in_ready_o", Constant(depth.into(), 2), &["ready_until_full"]),
        change("valid_q", Always(1), &["out_rules.valid_stays", "unit.count_is_stored_and_front"]),
        change("fetch", Operator(And, Or), &["out_rules.data_stays", "in_order"]),
        change("fetch", Operator(Or, And), &["valid_when_filled"]),
        change("head_q", DropUpdate(wraps), &["unit.tail_is_behind_stored"]),
        change("tail_q", DropUpdate(wraps), &["word_is_kept"]),
    ];
    Ok(Proof { module: m.build()?, depth: cycles, induction: 2, mutations })
}

/// What holds of both forms.
fn common(m: &mut Builder, unit: &Unit, depth: u32) -> Result<Followed, BuildError> {
    stream_rules(m, unit, "in", true)?;
    stream_rules(m, unit, "out", false)?;
    let (push, pop) = (m.wire("push", unit.transfer("in")), m.wire("pop", unit.transfer("out")));
    let count = unit.get("count");
    let followed = follow(m, &push, &pop, &unit.get("in_data"), &count);
    let rst = m.reset();
    let at_output = &followed.inside & followed.ahead.is_zero() & unit.get("out_valid");
    m.assert("in_order", &rst | !at_output | unit.get("out_data").eq(&followed.word));
    m.assert("never_lost", &rst | !&followed.inside | followed.ahead.lt(&count));
    m.assert("ready_until_full", &rst | unit.get("in_ready").eq(count.ne(depth)));
    let inside = words_inside(m, &push, &pop, count.ty());
    m.assert("count_is_right", &rst | count.eq(inside));
    m.cover("full", count.eq(depth));
    // A search of twice as many cycles as there are words takes long for many words.
    if depth <= 20 {
        let was_full = m.reg("was_full", Ty::BIT, 0);
        m.on(&was_full, count.eq(depth), 1);
        m.cover("empty_after_full", was_full.q() & count.is_zero());
    }
    m.cover("followed_behind_others", &followed.inside & followed.ahead.eq(2));
    Ok(followed)
}
