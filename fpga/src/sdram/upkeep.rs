// SPDX-License-Identifier: MIT OR Apache-2.0
//! Start and refresh of the device.
//!
//! Ports      `work_i`: pieces wait; `quiet_i`: every bank may be precharged; `hold_o`: the scheduler gives no command of
//!            its own; `close_all_o`, `refresh_o`, `load_mode_o`: commands of this cycle; `started_o`
//! Latency    refreshes begin when there is no work, or when as many are due as may be postponed
//! Throughput all refreshes that are due go one after another      Rounding  none      Reset  starts the device anew

use super::config::{MOST_POSTPONED, START_REFRESHES, SdramConfig};
use heddle_lang::{BuildError, Builder, Module, Ty, builder::address_bits};
use std::sync::Arc;

/// Bits that count refreshes.
const DUE_BITS: u32 = MOST_POSTPONED.ilog2() + 1;

/// The unit.
pub fn upkeep(config: &SdramConfig) -> Result<Arc<Module>, BuildError> {
    let cycles = config.cycles();
    let mut m = Builder::clocked("sdram_upkeep", file!());
    m.doc("Start and refresh of the device.");
    let work = m.input("work", Ty::BIT);
    let quiet = m.input("quiet", Ty::BIT);

    m.comment("Each state ends with its command, when the time after the one before is over");
    let states = ["POWER_UP", "START_REFRESH", "LOAD_MODE", "SETTLE", "RUN", "DRAIN", "REFRESH"];
    let state = m.states("state", &states);
    let wait = m.reg("wait", Ty::Unsigned(address_bits(cycles.power_up)), i128::from(cycles.power_up - 1));
    let over = m.wire("over", wait.q().is_zero());
    let due = m.reg("due", Ty::Unsigned(DUE_BITS), 0);
    let start_left = m.reg("start_left", Ty::Unsigned(DUE_BITS), i128::from(START_REFRESHES));

    let started = m.reg("started", Ty::BIT, 0);
    m.comment("A refresh falls due");
    let interval = m.reg("interval", Ty::Unsigned(address_bits(cycles.refresh)), 0);
    let tick = m.wire("tick", interval.q().eq(cycles.refresh - 1));
    m.on(&interval, &tick | !started.q(), 0);
    m.next(&interval, interval.q().wrapping_add(1));

    m.comment("Commands");
    let first_close = m.wire("first_close", state.is("POWER_UP") & &over);
    let close = m.wire("close", state.is("DRAIN") & &quiet);
    let start_refresh = m.wire("start_refresh", state.is("START_REFRESH") & &over);
    let load_mode = m.wire("load", state.is("LOAD_MODE") & &over);
    let run_refresh = m.wire("run_refresh", state.is("REFRESH") & &over);
    let close_all = m.wire("closes", &first_close | &close);
    let refresh = m.wire("refreshes", &start_refresh | &run_refresh);
    m.on(&wait, &close_all, u64::from(cycles.rp - 1));
    m.on(&wait, &refresh, u64::from(cycles.rfc - 1));
    m.on(&wait, &load_mode, u64::from(cycles.mrd - 1));
    m.on(&wait, !&over, wait.q().wrapping_sub(1));
    m.on(&start_left, &start_refresh, start_left.q().wrapping_sub(1));
    m.on(&due, &tick & !&run_refresh, due.q().wrapping_add(1));
    m.on(&due, !&tick & &run_refresh, due.q().wrapping_sub(1));
    m.on(&started, state.is("RUN"), 1);

    let begin = due.q().ge(u64::from(config.postponed)) | (due.q().any() & !work);
    m.go(&state, &first_close, "START_REFRESH");
    m.go(&state, &start_refresh & start_left.q().eq(1), "LOAD_MODE");
    m.go(&state, &load_mode, "SETTLE");
    m.go(&state, &run_refresh & due.q().eq(1) & !&tick, "SETTLE");
    m.go(&state, state.is("SETTLE") & &over, "RUN");
    m.go(&state, state.is("RUN") & begin, "DRAIN");
    m.go(&state, &close, "REFRESH");
    m.output("hold", !state.is("RUN"));
    m.output("close_all", close_all);
    m.output("refresh", refresh);
    m.output("load_mode", load_mode);
    m.output("started", started.q());
    m.assert("refreshes_in_time", m.reset() | due.q().le(u64::from(MOST_POSTPONED)));
    m.build()
}
