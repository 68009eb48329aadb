// SPDX-License-Identifier: MIT OR Apache-2.0
//! The counter, against what its page says of the next value.

use super::{Block, Proof, parts::*};
use crate::{
    formal::Mutation,
    mutation::Change::{Constant, DropUpdate, Operator},
};
use heddle_lang::{
    BuildError, Builder, Ty,
    expr::BinaryOp::{And, Eq, Ne, Or},
    stdlib::counter,
};

const MEANINGS: [(&str, &str); 6] = [
    ("counts", "cleared to zero, else counted up where enabled, from the limit to zero, else held"),
    ("last_at_limit", "`last` exactly at the limit"),
    ("within_limit", "under a limit that has not changed since reset the value is never beyond it"),
    ("wraps_at_limit", "it goes from the limit to zero"),
    ("wraps_at_the_top", "under a limit that was lowered it goes through the largest value to zero"),
    ("cleared", "it is cleared on its way"),
];

const WIDTH: u32 = 4;

pub fn block() -> Result<Block, BuildError> {
    let counter = counter(WIDTH)?;
    let mut m = Builder::clocked(format!("{}_proof", counter.name), file!());
    let unit = harness(&counter, &[], &mut m);
    let (clear, enable, limit, value) = (unit.get("clear"), unit.get("enable"), unit.get("limit"), unit.get("value"));
    let rst = m.reset();
    let [was_clear, was_enable] = [("was_clear", &clear), ("was_enable", &enable)].map(|(name, bit)| m.register_reset(name, bit));
    let (was_limit, was_value) = (m.register("was_limit", &limit), m.register("was_value", &value));
    let was_reset = m.register("was_reset", &rst);
    let zero = heddle_lang::Expr::constant(Ty::Unsigned(WIDTH), 0);
    let at_limit = was_value.eq(&was_limit);
    let counted = at_limit.mux(&zero, &was_value.wrapping_add(1));
    let next = (&was_reset | &was_clear).mux(&zero, &was_enable.mux(counted, &was_value));
    m.assert("counts", &rst | value.eq(next));
    m.assert("last_at_limit", unit.get("last").eq(value.eq(&limit)));
    let changed = m.reg("limit_changed", Ty::BIT, 0);
    let changes = m.wire("limit_changes", changed.q() | (!&was_reset & limit.ne(&was_limit)));
    m.on(&changed, &changes, 1);
    m.assert("within_limit", &rst | &changes | value.le(&limit));
    let wraps = m.wire("wraps", &was_enable & !&was_reset & !&was_clear & value.is_zero());
    m.cover("wraps_at_limit", &wraps & at_limit & was_value.any());
    m.cover("wraps_at_the_top", wraps & was_value.ne(&was_limit) & was_value.all());
    m.cover("cleared", was_clear & was_value.any());
    let change = |net: &str, change, violates: &[&'static str]| Mutation::new(&counter.name, net, change, violates);
    let mutations = vec![
        change("value_q", DropUpdate(0), &["within_limit"]),
        change("value_q", Operator(Or, And), &["counts"]),
        change("value_q", Constant(1, 2), &["counts"]),
        change("is_last", Operator(Eq, Ne), &["last_at_limit"]),
    ];
    let proof = Proof { module: m.build()?, depth: 24, induction: 2, mutations };
    Ok(Block { name: "counter", proofs: vec![proof], meanings: MEANINGS.to_vec() })
}
