// SPDX-License-Identifier: MIT OR Apache-2.0
//! Words from the data bus to beats of the port.
//!
//! Ports      `dq_i`: the pins; `asked_i`: a read command goes out, `asked_last_i`: for the last beat of a burst,
//!            `asked_refused_i`: to be answered with an error; `room_o`: one more may; `valid_o`, `ready_i`, `data_o`,
//!            `last_o`, `error_o`: beats
//! Latency    from `asked_i`: CAS latency + `read_delay` + words of a beat + 4 cycles
//! Throughput one word per cycle      Rounding  none      Reset  drops everything
//!
//! The device answers after a fixed time, so a line of delays knows when the last word of a beat is there.

use super::{
    beats,
    config::{SdramConfig, WORD_BITS},
};
use heddle_lang::{BuildError, Builder, Expr, Module, Ty};
use std::sync::Arc;

/// Beats between their command and the port.
pub const BEATS: u32 = 32;

/// The unit.
pub fn read_path(config: &SdramConfig) -> Result<Arc<Module>, BuildError> {
    let (port, burst) = (config.port_bits, config.burst());
    let mut m = Builder::clocked("sdram_read_path", file!());
    m.doc("Words from the data bus to beats of the port, the lowest first.");
    let dq = m.input("dq", Ty::Unsigned(WORD_BITS));
    let asked = m.input("asked", Ty::BIT);
    let flags = Expr::concat([m.input("asked_refused", Ty::BIT), m.input("asked_last", Ty::BIT)]);
    let ready = m.input("ready", Ty::BIT);

    m.comment("The pins, and the words of the beat before this one");
    let captured = m.register("captured", dq);
    let earlier_bits = port - WORD_BITS;
    let earlier = m.reg_no_reset("earlier", Ty::Unsigned(earlier_bits));
    let beat = m.wire("beat", Expr::concat([captured, earlier.q()]));
    m.next(&earlier, beat.shift_right(WORD_BITS));

    m.comment("The command reaches the pins a cycle later, its words are captured a cycle after they are there");
    let latency = config.cas_latency + config.read_delay + burst + 1;
    let complete = m.delay_reset("complete", &asked, latency);
    let complete_flags = m.delay("complete_flags", &flags, latency);
    let reason = "Beats without a command are counted here, by `free`.";
    let beats = beats(&mut m, BEATS, complete, Expr::concat([complete_flags, beat]), &ready, reason)?;
    m.unused("beats_ready", "Room was there before the command went out.", &[beats.ready]);

    m.comment("Room for beats that have not been asked for");
    let free = m.reg("free", Ty::Unsigned(BEATS.ilog2() + 1), BEATS.into());
    let leaves = m.wire("leaves", &beats.valid & ready);
    m.on(&free, &asked & !&leaves, free.q().wrapping_sub(1));
    m.on(&free, !&asked & &leaves, free.q().wrapping_add(1));
    m.output("room", free.q().any());
    m.assert("room_before_command", m.reset() | !asked | free.q().any());
    let data = beats.data;
    m.output("valid", &beats.valid);
    m.output("data", data.slice(0, port));
    m.output("last", data.bit(port));
    m.output("error", data.bit(port + 1));
    m.build()
}
