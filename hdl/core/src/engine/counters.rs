// SPDX-License-Identifier: MIT OR Apache-2.0
//! Performance counters: what every cycle of a program was spent on.
//!
//! Ports      `clear_i`, `busy_i`, one event input per counter; one 32-bit output per counter
//! Latency    1 cycle      Throughput  every event counts      Rounding  none, 32 bits wrap
//! Reset      clears; so does the start of a program

use super::act_buffer::COLUMNS_BITS;
use crate::{
    config::Config,
    registers::{Register, map},
};
use heddle_lang::{BuildError, Builder, Expr, Module, Ty};
use std::sync::Arc;

/// Counters of cycles in which an event holds; the first is in every build.
const EVENTS: [&Register; 10] = [
    &map::CYCLES,
    &map::READ_BEATS,
    &map::READ_WAIT,
    &map::READ_BLOCKED,
    &map::READ_IDLE,
    &map::ARRAY_BUSY,
    &map::ARRAY_STARVED,
    &map::ARRAY_BLOCKED,
    &map::WRITE_BEATS,
    &map::WRITE_WAIT,
];

/// Counters of other things, if there are any but CYCLES.
const OTHERS: [&Register; 5] = [&map::BLOCKS, &map::ROWS, &map::DESCRIPTORS, &map::FIRST_BEAT, &map::LAST_RESULT];

/// Counters of such cycles in a build.
pub fn events(config: &Config) -> impl Iterator<Item = &'static Register> {
    let kept = if config.counters { EVENTS.len() } else { 1 };
    EVENTS.into_iter().take(kept).chain((config.domains() > 0).then_some(&map::WAKE_STALL))
}

/// All counters of a build.
pub fn all(config: &Config) -> impl Iterator<Item = &'static Register> {
    events(config).chain(OTHERS.into_iter().filter(|_| config.counters))
}

/// The counters.
pub fn counters(config: &Config) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked("counters", file!());
    m.doc("Performance counters, 32 bits each; cleared when a program starts.");
    let clear = m.input("clear", Ty::BIT);
    let busy = m.input("busy", Ty::BIT);
    let ty = Ty::Unsigned(32);
    let mut cycles = None;
    for register in events(config) {
        let name = register.name.to_lowercase();
        let event = if name == "cycles" { busy.clone() } else { m.input(&format!("{name}_event"), Ty::BIT) & &busy };
        let r = m.reg(&name, ty, 0);
        m.on(&r, &clear, 0);
        m.on(&r, event, r.q().wrapping_add(1));
        m.output(&name, r.q());
        cycles.get_or_insert(r.q());
    }
    let cycles = cycles.unwrap_or_else(|| Expr::constant(ty, 0));
    if !config.counters {
        return m.build();
    }

    m.comment("Products and results, by columns in use");
    let columns = m.input("columns", Ty::Unsigned(COLUMNS_BITS));
    let block = m.input("block", Ty::BIT);
    let row = m.input("row", Ty::BIT);
    let per_block = columns.shift_left(config.blocks_per_cycle().trailing_zeros());
    for (register, event, amount) in [(&map::BLOCKS, block, per_block), (&map::ROWS, row, columns.clone())] {
        let name = register.name.to_lowercase();
        let r = m.reg(&name, ty, 0);
        m.on(&r, &clear, 0);
        m.on(&r, event, r.q().wrapping_add(amount.resize(32)));
        m.output(&name, r.q());
    }
    let descriptor = m.input("descriptor", Ty::BIT);
    let r = m.reg("descriptors", ty, 0);
    m.on(&r, &clear, 0);
    m.on(&r, &descriptor, r.q().wrapping_add(1));
    m.output("descriptors", r.q());

    m.comment("From the first beat of weights to the last acknowledged result");
    let weights = m.input("weights", Ty::BIT);
    let acknowledged = m.input("acknowledged", Ty::BIT);
    let seen = m.reg("weights_seen", Ty::BIT, 0);
    m.on(&seen, &clear, 0);
    m.on(&seen, &weights, 1);
    let first = m.reg("first_beat", ty, 0);
    m.on(&first, &clear, 0);
    m.on(&first, &weights & !seen.q(), &cycles);
    m.output("first_beat", first.q());
    let last = m.reg("last_result", ty, 0);
    m.on(&last, &clear, 0);
    m.on(&last, &acknowledged, &cycles);
    m.output("last_result", last.q());
    m.build()
}

/// Cycle counts are the hardware's own; what does not depend on timing is counted by `crate::device` as well.
pub mod golden {
    pub use super::events;
}
