// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lights for the state of a board.
//!
//! Ports      one input for each of [`STATES`] but the first; `led_o`: high is on
//! Latency    an event is shown from the next 1/32 s on      Throughput  -      Rounding  none      Reset  dark
//!
//! What lasts for a cycle is shown for 1/32 s at least.

use heddle_lang::{BuildError, Builder, Expr, Module, Ty};
use std::sync::Arc;

/// What lights show, most important first: name and whether it is an event, to be stretched.
pub const STATES: [(&str, bool); 8] = [
    ("beat", false),
    ("session", false),
    ("computes", true),
    ("receives", true),
    ("sends", true),
    ("memory_ready", false),
    ("interrupt", false),
    ("memory_error", false),
];

/// Parts of a second for which an event is shown.
const PARTS: u32 = 5;

/// The unit for `count` lights at a clock.
pub fn lights(count: u32, clock_hz: u32) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked(format!("lights_{count}"), file!());
    m.doc("Lights: a beat of about a second, and states; events are stretched so that they can be seen.");
    let bits = u32::BITS - clock_hz.leading_zeros();
    if !(1..=STATES.len() as u32).contains(&count) || bits <= PARTS {
        m.error(format!("{count} lights at {clock_hz} Hz: must be 1 to {} at 32 Hz or more", STATES.len()));
        return m.build();
    }
    let time = m.reg("time", Ty::Unsigned(bits), 0);
    m.next(&time, time.q().wrapping_add(1));
    let events = STATES.iter().take(count as usize).any(|(_, event)| *event);
    let tick = events.then(|| m.wire("tick", time.q().slice(0, bits - PARTS).is_zero()));
    let mut leds = Vec::new();
    for (i, (name, event)) in STATES.into_iter().enumerate().take(count as usize) {
        if i == 0 {
            leds.push(time.q().msb());
            continue;
        }
        let input = m.input(name, Ty::BIT);
        let Some(tick) = tick.as_ref().filter(|_| event) else {
            leds.push(m.register_reset(&format!("{name}_shown"), input));
            continue;
        };
        let (seen, shown) = (m.reg(&format!("{name}_seen"), Ty::BIT, 0), m.reg(&format!("{name}_shown"), Ty::BIT, 0));
        m.on(&shown, tick, seen.q());
        m.on(&seen, input, 1);
        m.on(&seen, tick, 0);
        leds.push(shown.q());
    }
    m.output("led", Expr::pack(&leds));
    m.build()
}
