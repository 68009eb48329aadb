// SPDX-License-Identifier: MIT OR Apache-2.0
//! FIFOs of two words: the skid buffer, one at the output and one aside, and the pair, which are filled in turns.

use super::{Block, Proof, observe, parts::*};
use crate::{
    formal::Mutation,
    mutation::Change::{self, Always, DropNot, DropUpdate, Operator, Reset},
};
use heddle_lang::{
    BuildError, Builder, Expr, Module, Ty,
    expr::BinaryOp::{And, Or},
    stdlib,
};
use std::sync::Arc;

const WIDTH: u32 = 2;

const MEANINGS: [(&str, &str); 11] = [
    ("valid_stays", "valid stays until the transfer"),
    ("data_stays", "data stays until the transfer"),
    ("in_order", "the word that is followed leaves unchanged after those that came before it, and before any other"),
    ("words_are_counted", "the words inside are those that the flags say"),
    ("never_lost", "the word that is followed is among those inside"),
    ("ready_until_full", "ready exactly where fewer than two words are inside"),
    ("valid_when_filled", "valid exactly where a word is inside"),
    ("word_is_kept", "the word that is followed is the second where one is ahead of it"),
    ("full", "two words are inside"),
    ("empty_after_full", "it is empty after it was full"),
    ("in_and_out", "a word comes and one leaves in one cycle"),
];

pub fn skid() -> Result<Block, BuildError> {
    let unit = stdlib::skid(WIDTH)?;
    let mutations: [(&str, Change, &[&'static str]); 7] = [
        ("valid_q", Operator(Or, And), &["valid_when_filled", "never_lost"]),
        ("valid_q", Always(0), &["out_rules.valid_stays"]),
        ("in_ready_o", DropNot, &["ready_until_full"]),
        ("free", DropNot, &["unit.aside_only_behind_output", "out_rules.data_stays"]),
        ("data_q", DropUpdate(0), &["in_order"]),
        ("aside_q", Always(0), &["word_is_kept"]),
        ("aside_valid_q", DropUpdate(0), &["words_are_counted"]),
    ];
    let meaning = [("aside_only_behind_output", "no word stands aside while the output is empty")];
    let proof = two_words(&unit, &["aside_valid_q", "aside_q"], "seen_aside_valid", &|unit| unit.get("seen_aside"), &mutations)?;
    Ok(Block { name: "skid", proofs: vec![proof], meanings: meaning.into_iter().chain(MEANINGS).collect() })
}

pub fn pair() -> Result<Block, BuildError> {
    let unit = stdlib::pair(WIDTH)?;
    let mutations: [(&str, Change, &[&'static str]); 9] = [
        ("pop", Operator(And, Or), &["out_rules.valid_stays"]),
        ("some_q", DropUpdate(1), &["words_are_counted", "valid_when_filled"]),
        ("some_q", DropUpdate(0), &["never_lost"]),
        ("in_ready_o", DropNot, &["ready_until_full"]),
        ("full_q", Reset(1), &["unit.two_are_some"]),
        ("full_q", DropUpdate(0), &["words_are_counted"]),
        ("to_q", Always(0), &["unit.turns_meet", "out_rules.data_stays"]),
        ("from_q", DropNot, &["unit.turns_meet", "in_order"]),
        ("word_1_q", Always(0), &["word_is_kept"]),
    ];
    let meanings = [
        ("turns_meet", "what is filled next is what is read next exactly where there are two words or none"),
        ("two_are_some", "two words are some"),
    ];
    let second = |unit: &Unit| unit.get("seen_from").mux(unit.get("seen_word_0"), &unit.get("seen_word_1"));
    let proof = two_words(&unit, &["full_q", "from_q", "word_0_q", "word_1_q"], "seen_full", &second, &mutations)?;
    Ok(Block { name: "pair", proofs: vec![proof], meanings: meanings.into_iter().chain(MEANINGS).collect() })
}

/// What holds of both: `two` says that there is a second word besides the one at the output, `second` is that word.
fn two_words(
    unit: &Arc<Module>,
    looked_at: &[&str],
    two: &str,
    second: &dyn Fn(&Unit) -> Expr,
    mutations: &[(&str, Change, &[&'static str])],
) -> Result<Proof, BuildError> {
    let seen = observe(unit, looked_at);
    let name = unit.name.clone();
    let mut m = Builder::clocked(format!("{name}_proof"), file!());
    let unit = harness(&seen, &[], &mut m);
    stream_rules(&mut m, &unit, "in", true)?;
    stream_rules(&mut m, &unit, "out", false)?;
    let (push, pop) = (m.wire("push", unit.transfer("in")), m.wire("pop", unit.transfer("out")));
    let count = words_inside(&mut m, &push, &pop, Ty::Unsigned(2));
    let followed = follow(&mut m, &push, &pop, &unit.get("in_data"), &count);
    let (rst, valid) = (m.reset(), unit.get("out_valid"));
    m.assert("ready_until_full", &rst | unit.get("in_ready").eq(count.lt(2)));
    m.assert("valid_when_filled", &rst | valid.eq(count.any()));
    m.assert("words_are_counted", &rst | count.eq(&valid + unit.get(two)));
    m.assert("never_lost", &rst | !&followed.inside | followed.ahead.lt(&count));
    let at_output = &followed.inside & followed.ahead.is_zero() & &valid;
    m.assert("in_order", &rst | !at_output | unit.get("out_data").eq(&followed.word));
    let behind = &followed.inside & followed.ahead.eq(1);
    m.assert("word_is_kept", &rst | !behind | second(&unit).eq(&followed.word));
    m.cover("full", count.eq(2));
    let was_full = m.reg("was_full", Ty::BIT, 0);
    m.on(&was_full, count.eq(2), 1);
    m.cover("empty_after_full", was_full.q() & count.is_zero());
    m.cover("in_and_out", push & pop);
    let mutations = mutations.iter().map(|(net, change, violates)| Mutation::new(&name, net, change.clone(), violates)).collect();
    Ok(Proof { module: m.build()?, depth: 20, induction: 2, mutations })
}
