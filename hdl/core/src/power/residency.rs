// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long a domain was in each state of its controller, and how often it was switched on.
//!
//! Ports      `state_i`: the controller's state; `select_i`: the state whose count is to be read;
//!            `residency_o`: cycles in that state; `ups_o`: how often `Running` was entered after `PoweredOff`
//! Latency    1 cycle from `select_i` to `residency_o`; `state_i` counts a cycle later
//! Throughput every cycle counts      Rounding  none, 32 bits wrap      Reset  all counts are zero
//!
//! One counter counts the stay in the present state, on from what the memory holds for it; it is written back when
//! the state is left. So nothing but the counter moves while a domain stays on or off. The memory needs no reset: a
//! bit for each state says whether its word was ever written.

use super::domain::DomainState;
use heddle_lang::{BuildError, Builder, Expr, Module, Ty};
use std::sync::Arc;

pub mod golden;

/// Width of a state code.
pub const STATE_BITS: u32 = 5;
/// Width of a count.
pub const COUNT_BITS: u32 = 32;

/// The residency counters.
pub fn residency() -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked("power_residency", file!());
    m.doc("Cycles in each state of a domain's controller, and how often the domain was switched on.");
    let (code, count) = (Ty::Unsigned(STATE_BITS), Ty::Unsigned(COUNT_BITS));
    let (state, select) = (m.input("state", code), m.input("select", code));
    let held = m.register_reset("held", &state);
    let leaves = m.wire("leaves", state.ne(&held));
    let entered = m.register_reset("entered", &leaves);

    m.comment("The stay in the present state, on from what was counted before");
    let states = 1 << STATE_BITS;
    let written = m.reg("written", Ty::Unsigned(states), 0);
    let words = m.memory("words", COUNT_BITS, states);
    let before = m.read(words, "before", &leaves, &state);
    let known = m.register("known", written.q().select(&state.clone(), 1));
    let total = m.reg("total", count, 0);
    let none = Expr::constant(count, 0);
    let resumed = m.wire("resumed", known.mux(&before, &none));
    let counted = m.wire("counted", entered.mux(&resumed, &total.q()).wrapping_add(1));
    m.next(&total, &counted);
    m.write(words, &leaves, &held, &counted);
    let bit = Expr::constant(Ty::Unsigned(states), 1).shl(&held);
    m.on(&written, &leaves, written.q() | bit);

    m.comment("The count that was asked for; the present state's is in the counter");
    let word = m.read(words, "word", Expr::bit_const(true), &select);
    let present = m.register("present", select.eq(&held));
    let valid = m.register("valid", written.q().select(&select, 1));
    m.output("residency", present.mux(total.q(), &valid.mux(&word, &none)));

    m.comment("Switched on: running for the first time since it was off");
    let is = |state: DomainState| held.eq(state as u32);
    let cold = m.reg("cold", Ty::BIT, 0);
    let ups = m.reg("ups", count, 0);
    let up = m.wire("up", is(DomainState::Running) & cold.q());
    m.on(&cold, is(DomainState::PoweredOff), 1);
    m.on(&cold, &up, 0);
    m.on(&ups, &up, ups.q().wrapping_add(1));
    m.output("ups", ups.q());
    m.build()
}
