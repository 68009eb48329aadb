// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chain of power switches: one after the other, never two at once, and its acknowledge can be believed.

use super::{Block, Proof, parts::*, power_domain::PATIENCE};
use crate::{
    formal::Mutation,
    mutation::Change::{self, Constant, Net, Operator, Unary},
};
use heddle_core::power::switches::switches;
use heddle_lang::{
    BuildError, Builder, Ty,
    expr::{
        BinaryOp::{And, Or},
        UnaryOp::{ReduceAnd, ReduceOr},
    },
    import::ImportError,
};

const MEANINGS: [(&str, &str); 10] = [
    ("one_at_a_time", "no two segments are told to close in one cycle"),
    ("in_order", "the segments that are told to close are the first ones"),
    ("after_acknowledge", "a segment is told to close only after the one before has acknowledged"),
    ("stays_closed", "a segment that was told to close stays so while the chain is requested"),
    ("opens_at_once", "in the cycle after the request ends all segments are told to open"),
    ("acknowledge_means_closed", "while requested, the acknowledge says that every segment was told to close and has"),
    ("no_acknowledge_means_open", "while not requested, its absence says that every segment was told to open and has"),
    ("closes_in_time", "a chain that stays requested is closed within nine cycles, from any state, if each segment answers within two"),
    ("closes_as_late_as_it_may", "it takes as long as it may"),
    ("opens_half_way", "the request ends with some segments closed"),
];

const STAGES: u32 = 3;
/// Each segment answers, and the next one is told a cycle later.
const CLOSES: u32 = STAGES * (PATIENCE + 1);

pub fn block() -> Result<Block, BuildError> {
    let mut m = Builder::clocked("power_switches_proof", file!());
    let unit = harness(&switches(STAGES).map_err(ImportError::build_error)?, &[], &mut m);
    let rst = m.reset();
    let was_reset = m.register("was_reset", &rst);
    let fresh = m.wire("fresh", &rst | was_reset);
    let (request, acks, on, ack) = (unit.get("request"), unit.get("acks"), unit.get("on"), unit.get("ack"));
    let [was_acks, was_on, was_requested] =
        [("was_acks", &acks), ("was_on", &on), ("was_requested", &request)].map(|(n, e)| m.register(n, e));
    let new = m.wire("newly", &on & !&was_on);
    m.assert("one_at_a_time", &fresh | (&new & new.wrapping_sub(1)).is_zero());
    m.assert("in_order", &rst | (&on & on.wrapping_add(1)).is_zero());
    let ready = (&was_on & was_acks).shift_left(1).truncate(STAGES);
    m.assert("after_acknowledge", &fresh | (&new.slice(1, STAGES - 1) & !ready.slice(1, STAGES - 1)).is_zero());
    m.assert("stays_closed", &fresh | !&was_requested | (&was_on & !&on).is_zero());
    m.assert("opens_at_once", &fresh | &was_requested | on.is_zero());
    m.assert("acknowledge_means_closed", !&request | !&ack | (&on & &acks).all());
    m.assert("no_acknowledge_means_open", &request | &ack | (&on | &acks).is_zero());
    m.cover("opens_half_way", &was_requested & !&request & on.any() & !on.all());

    m.comment("From a moment on that nobody knows the segments answer in time");
    let settles = m.input("settles", Ty::BIT);
    let calm = m.reg("calm", Ty::BIT, 0);
    m.on(&calm, settles, 1);
    let calm = calm.q();
    for i in 0..STAGES {
        let (told, answer) = (on.bit(i), acks.bit(i));
        let late = cycles(&mut m, &format!("segment_{i}_lags"), 3, &calm & &told & !&answer);
        let last = was_on.bit(i) & m.register(&format!("last_{i}"), &answer);
        m.assume(&format!("segment_{i}_answers"), !&calm | !&told | &answer | (late.lt(PATIENCE) & !last));
    }
    let waits = cycles(&mut m, "waits", 5, calm & request & !ack);
    m.assert("closes_in_time", &rst | waits.le(CLOSES));
    m.cover("closes_as_late_as_it_may", waits.eq(CLOSES));

    let name = format!("power_switches_{STAGES}");
    let change = |net: &str, change: Change, violates: &[&'static str]| Mutation::new(&name, net, change, violates);
    let mutations = vec![
        change("told_d", Constant(0, 7), &["one_at_a_time", "opens_at_once"]),
        change("further", Net("closed", "acks_i"), &["in_order"]),
        change("further", Net("closed", "told_q"), &["after_acknowledge"]),
        change("further", Net("told_q", "closed"), &["stays_closed"]),
        change("ack_o", Unary(ReduceAnd, ReduceOr), &["acknowledge_means_closed"]),
        change("ack_o", Unary(ReduceOr, ReduceAnd), &["no_acknowledge_means_open"]),
        change("further", Operator(Or, And), &["closes_in_time"]),
    ];
    let proof = Proof { module: m.build()?, depth: 20, induction: CLOSES + 2, mutations };
    Ok(Block { name: "power_switches", proofs: vec![proof], meanings: MEANINGS.to_vec() })
}
