// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fetches descriptors, checks them, and issues their work in order.
//!
//! Ports      `start_i` (ignored while busy and in the error state), `clear_i` (ignored while busy), `program_i`,
//!            status; `job_*`: reads for `weight_fetch`; `beat_*`: descriptor beats back from it; `load_*`: to
//!            `act_buffer`; `matrix_*`: to `dequant`, `array` and `result_store` at once when they are ready, which they
//!            stay until then; `layer_*`, with a DVFS unit: to it, which is never waited for; `matrix_done_i`,
//!            `store_idle_i`, errors
//! Latency    about 30 cycles from a descriptor's beats to the first read of its weights, behind the matrix before
//! Throughput two matrices in flight: one streams, the next one's reads are already asked for
//! Rounding   none      Reset  stops
//!
//! A descriptor that cannot run stops the program: what was issued before it is finished, then `error` is set with
//! a cause and the descriptor's address. A memory error does the same at the next descriptor.

mod check;
mod fetch;
mod issue;
mod sizes;

use crate::{config::Config, descriptor};
use heddle_lang::{BuildError, Builder, Expr, Module, Ty};
use std::sync::Arc;

/// Bits of a descriptor.
const DESCRIPTOR_BITS: u32 = 8 * descriptor::BYTES;
/// Bits of a cause.
pub const CAUSE_BITS: u32 = 4;
/// The sequencer.
pub fn sequencer(config: &Config) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked("sequencer", file!());
    m.doc("Fetches descriptors, checks them and issues their work in order.\nThe next descriptor is fetched while the work of the one before is under way.");
    let io = Io::new(&mut m, config);
    m.comment("What goes on");
    let state = m.states("state", &["idle", "fetch", "read", "examine", "check", "size", "beats", "load", "issue", "fence", "stop"]);
    let jobs = issue::Jobs::new(&mut m, &io);
    let fetch = fetch::Fetch::new(&mut m, config, &state, &jobs);
    let fields = fetch::Fields::new(&mut m, config, &fetch);
    let verdict = check::check(&mut m, config, &fields, &io, &state);
    let size = sizes::sizes(&mut m, config, &fields, &state);
    issue::issue(&mut m, config, issue::Parts { io, state, jobs, fetch, fields, verdict, size });
    m.build()
}

/// Ports that several parts use.
struct Io {
    start: Expr,
    clear: Expr,
    /// A program begins, or its traces are cleared.
    forget: Expr,
    program: Expr,
    job_ready: Expr,
    load_ready: Expr,
    matrix_ready: Expr,
    matrix_done: Expr,
    store_idle: Expr,
    memory_error: Expr,
    read_error: Expr,
    /// With power domains.
    power_error: Option<Expr>,
}

impl Io {
    fn new(m: &mut Builder, config: &Config) -> Io {
        m.comment("Control");
        let start = m.input("start", Ty::BIT);
        let clear = m.input("clear", Ty::BIT);
        let program = m.input("program", Ty::Unsigned(32));
        m.comment("Units");
        let job_ready = m.input("job_ready", Ty::BIT);
        let load_ready = m.input("load_ready", Ty::BIT);
        let matrix_ready = m.input("matrix_ready", Ty::BIT);
        let matrix_done = m.input("matrix_done", Ty::BIT);
        let store_idle = m.input("store_idle", Ty::BIT);
        let read_failed = m.input("read_error", Ty::BIT);
        let write_failed = m.input("write_error", Ty::BIT);
        let power_failed = (config.domains() > 0).then(|| m.input("power_error", Ty::BIT));
        m.comment("Memory errors since the start or the last clear");
        let forget = m.forward("forget", Ty::BIT);
        let read_error = m.reg("read_error", Ty::BIT, 0);
        let write_error = m.reg("write_error", Ty::BIT, 0);
        m.on(&read_error, &read_failed, 1);
        m.on(&read_error, &forget, 0);
        m.on(&write_error, &write_failed, 1);
        m.on(&write_error, &forget, 0);
        let memory_error = m.wire("memory_error", read_error.q() | write_error.q());
        let read_error = read_error.q();
        let power_error = power_failed.map(|failed| {
            m.comment("A domain that was needed has a fault");
            let power_error = m.reg("power_error", Ty::BIT, 0);
            m.on(&power_error, failed, 1);
            m.on(&power_error, &forget, 0);
            power_error.q()
        });
        Io {
            start,
            clear,
            forget,
            program,
            job_ready,
            load_ready,
            matrix_ready,
            matrix_done,
            store_idle,
            memory_error,
            read_error,
            power_error,
        }
    }
}

/// The same, in plain Rust: [`crate::descriptor::Decoder`] decides, `crate::device` executes.
pub mod golden {
    pub use crate::descriptor::Decoder;
}
