// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reset of a board: at power-up, while the PLL has no lock, and while the button is pressed.
//!
//! Ports      `ready_i`: lock and no button, from no clock; `reset_o`: synchronous to `clk_i`
//! Latency    2 cycles into reset, [`CYCLES`] more out of it, which also passes over the bounces of a lock
//! Throughput -      Rounding  none      Reset  none: flip-flops of the devices start as 0, which is in reset

use heddle_lang::{BuildError, Builder, Module, Ty, stdlib};
use std::sync::Arc;

/// Cycles for which all must be ready.
pub const CYCLES: u64 = 255;

/// The unit.
pub fn reset() -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::new("board_reset", file!());
    m.doc(&format!("Reset until PLL and button have been ready for {CYCLES} cycles."));
    m.clock("clk");
    let ready = m.input("ready", Ty::BIT);
    let ready = m.instance("ready_sync", &stdlib::synchroniser(1)?, &[("from", ready)]).get("to");
    let count = m.reg_no_reset("count", Ty::Unsigned(8));
    let full = m.wire("full", count.q().all());
    m.on(&count, !&ready, 0);
    m.on(&count, !&full, count.q().wrapping_add(1));
    let go = m.register("go", full & ready);
    m.output("reset", !go);
    m.build()
}
