// SPDX-License-Identifier: MIT OR Apache-2.0
//! The skid buffer: a FIFO of two words, one at the output and one aside.

use super::{Block, Proof, observe, parts::*};
use crate::{
    formal::Mutation,
    mutation::Change::{Always, DropNot, DropUpdate, Operator},
};
use heddle_lang::{
    BuildError, Builder, Ty,
    expr::BinaryOp::{And, Or},
    stdlib::skid,
};

const MEANINGS: [(&str, &str); 12] = [
    ("aside_only_behind_output", "no word stands aside while the output is empty"),
    ("valid_stays", "valid stays until the transfer"),
    ("data_stays", "data stays until the transfer"),
    ("in_order", "the word that is followed leaves unchanged after those that came before it, and before any other"),
    ("words_are_counted", "the words inside are the one at the output and the one aside"),
    ("never_lost", "the word that is followed is among those inside"),
    ("ready_until_full", "ready exactly where fewer than two words are inside"),
    ("valid_when_filled", "valid exactly where a word is inside"),
    ("word_is_kept", "the word that is followed stands aside where one is ahead of it"),
    ("full", "two words are inside"),
    ("empty_after_full", "it is empty after it was full"),
    ("in_and_out", "a word comes and one leaves in one cycle"),
];

pub fn block() -> Result<Block, BuildError> {
    let skid = skid(2)?;
    let seen = observe(&skid, &["aside_valid_q", "aside_q"]);
    let mut m = Builder::clocked(format!("{}_proof", skid.name), file!());
    let unit = harness(&seen, &[], &mut m);
    stream_rules(&mut m, &unit, "in", true)?;
    stream_rules(&mut m, &unit, "out", false)?;
    let (push, pop) = (m.wire("push", unit.transfer("in")), m.wire("pop", unit.transfer("out")));
    let count = words_inside(&mut m, &push, &pop, Ty::Unsigned(2));
    let followed = follow(&mut m, &push, &pop, &unit.get("in_data"), &count);
    let (rst, valid) = (m.reset(), unit.get("out_valid"));
    m.assert("ready_until_full", &rst | unit.get("in_ready").eq(count.lt(2)));
    m.assert("valid_when_filled", &rst | valid.eq(count.any()));
    m.assert("words_are_counted", &rst | count.eq(&valid + unit.get("seen_aside_valid")));
    m.assert("never_lost", &rst | !&followed.inside | followed.ahead.lt(&count));
    let at_output = &followed.inside & followed.ahead.is_zero() & &valid;
    m.assert("in_order", &rst | !at_output | unit.get("out_data").eq(&followed.word));
    let aside = &followed.inside & followed.ahead.eq(1);
    m.assert("word_is_kept", &rst | !aside | unit.get("seen_aside").eq(&followed.word));
    m.cover("full", count.eq(2));
    let was_full = m.reg("was_full", Ty::BIT, 0);
    m.on(&was_full, count.eq(2), 1);
    m.cover("empty_after_full", was_full.q() & count.is_zero());
    m.cover("in_and_out", push & pop);
    let change = |net: &str, change, violates: &[&'static str]| Mutation::new(&skid.name, net, change, violates);
    let mutations = vec![
        change("valid_q", Operator(Or, And), &["valid_when_filled", "never_lost"]),
        change("valid_q", Always(0), &["out_rules.valid_stays"]),
        change("in_ready_o", DropNot, &["ready_until_full"]),
        change("free", DropNot, &["unit.aside_only_behind_output", "out_rules.data_stays"]),
        change("data_q", DropUpdate(0), &["in_order"]),
        change("aside_q", Always(0), &["word_is_kept"]),
        change("aside_valid_q", DropUpdate(0), &["words_are_counted"]),
    ];
    let proof = Proof { module: m.build()?, depth: 20, induction: 2, mutations };
    Ok(Block { name: "skid", proofs: vec![proof], meanings: MEANINGS.to_vec() })
}
