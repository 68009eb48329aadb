// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which power domains are needed, ahead of time, and whether the columns in use may be given a chunk.
//!
//! Ports      `preparing_i` with `preparing_columns_i`: a matrix on its way to its issue; `go_i`: it is issued;
//!            `done_i`: the results of the oldest one are written; `offered_i`, `emit_i`: the chunk that waits, and
//!            leaves, with `columns_i` of its matrix; `on_i`, `fault_i` per domain; `within_i`: sleep within matrices;
//!            `need_o`, `busy_o` per domain; `powered_o`; `stall_o`, `error_o`: events
//! Latency    0 from a matrix to `need_o`, so that a wake is asked for as soon as its descriptor is known to be good
//! Throughput two matrices in flight      Rounding  none      Reset  nothing is needed
//!
//! A domain is needed from the check of a descriptor that uses one of its columns until the results are written; with
//! `within_i` only while a chunk waits for it or is on its way through it. A domain with a fault holds nothing up: it
//! is clamped, its results are wrong, and `error_o` says so.

use crate::{
    config::Config,
    engine::{act_buffer::COLUMNS_BITS, array},
};
use heddle_lang::{BuildError, Builder, Expr, Module, Ty, builder::address_bits};
use std::sync::Arc;

/// Cycles from the one in which a chunk leaves `dequant` until the accumulator that contains it has been read.
pub fn drain_cycles(config: &Config) -> u32 {
    array::latency(config) + 2
}

/// The unit.
pub fn demand(config: &Config) -> Result<Arc<Module>, BuildError> {
    let domains = config.domains();
    let mut m = Builder::clocked("power_demand", file!());
    m.doc("Which power domains are needed, and whether the columns in use have power.");
    m.comment("Matrices: on its way to its issue, issued, done");
    let preparing = m.input("preparing", Ty::BIT);
    let preparing_columns = m.input("preparing_columns", Ty::Unsigned(COLUMNS_BITS));
    let go = m.input("go", Ty::BIT);
    let done = m.input("done", Ty::BIT);
    m.comment("Chunks of the matrix that is being read");
    let offered = m.input("offered", Ty::BIT);
    let emit = m.input("emit", Ty::BIT);
    let columns = m.input("columns", Ty::Unsigned(COLUMNS_BITS));
    m.comment("Domains");
    let on = m.input("on", Ty::Unsigned(domains));
    let fault = m.input("fault", Ty::Unsigned(domains));
    let within = m.input("within", Ty::BIT);

    m.comment("Two matrices in flight, done in the order of their issue");
    let (write, read) = (m.reg("issue_slot", Ty::BIT, 0), m.reg("done_slot", Ty::BIT, 0));
    m.on(&write, &go, !write.q());
    m.on(&read, &done, !read.q());
    let slots = [0, 1].map(|slot| {
        let here = |q: Expr| if slot == 1 { q } else { !q };
        let columns = m.reg(&format!("columns_{slot}"), Ty::Unsigned(COLUMNS_BITS), 0);
        m.on(&columns, &go & here(write.q()), &preparing_columns);
        m.on(&columns, &done & here(read.q()), 0);
        columns.q()
    });

    m.comment("Cycles that a chunk in the columns still takes");
    let ty = Ty::Unsigned(address_bits(drain_cycles(config) + 1));
    let mut need = Vec::new();
    let mut busy = Vec::new();
    let mut uses = Vec::new();
    for domain in 0..domains {
        let first = config.domain_columns(domain).start;
        let used = m.wire(&format!("uses_{domain}"), columns.gt(first));
        let left = m.reg(&format!("drain_{domain}"), ty, 0);
        m.on(&left, &emit & &used, drain_cycles(config));
        m.on(&left, left.q().any(), left.q().wrapping_sub(1));
        let busy_now = m.wire(&format!("busy_{domain}"), (&emit & &used) | left.q().any());
        let chunks = m.wire(&format!("chunks_{domain}"), (&offered & &used) | &busy_now);
        let coming = (&preparing & preparing_columns.gt(first)) | slots[0].gt(first) | slots[1].gt(first);
        let coming = m.wire(&format!("coming_{domain}"), coming);
        need.push((chunks | (&coming & !&within), coming));
        busy.push(busy_now);
        uses.push(used);
    }
    m.comment("Needed; with work on its way");
    m.output("need", Expr::pack(&need.iter().map(|(need, _)| need.clone()).collect::<Vec<_>>()));
    m.output("busy", Expr::pack(&busy));
    m.comment("The columns in use may be given a chunk");
    let ready = uses.iter().enumerate().map(|(d, uses)| on.bit(d as u32) | fault.bit(d as u32) | !uses);
    let powered = ready.reduce(|a, b| a & b).unwrap_or_else(|| Expr::bit_const(true));
    let powered = m.wire("is_powered", powered);
    m.output("powered", powered.clone());
    m.comment("A chunk waits for power; a domain that is needed has a fault");
    m.output("stall", offered & !powered);
    let errors = need.iter().enumerate().map(|(d, (_, coming))| coming & fault.bit(d as u32));
    m.output("error", errors.reduce(|a, b| a | b).unwrap_or_else(|| Expr::bit_const(false)));
    m.build()
}

/// The same, in plain Rust.
pub mod golden {
    use super::drain_cycles;
    use crate::config::Config;

    /// Inputs of one cycle.
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Inputs {
        /// Columns of the matrix that is being prepared.
        pub preparing: Option<u8>,
        pub go: bool,
        pub done: bool,
        pub offered: bool,
        pub emit: bool,
        pub columns: u8,
        pub on: u8,
        pub fault: u8,
        pub within: bool,
    }

    /// Outputs in the same cycle.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Outputs {
        pub need: u8,
        pub busy: u8,
        pub powered: bool,
        pub stall: bool,
        pub error: bool,
    }

    /// Columns of the matrices in flight, oldest first, and per domain the cycles its last chunk still takes.
    #[derive(Clone, Debug)]
    pub struct Demand {
        config: Config,
        flying: Vec<u8>,
        left: Vec<u32>,
    }

    impl Demand {
        pub fn new(config: &Config) -> Demand {
            Demand { config: config.clone(), flying: vec![], left: vec![0; config.domains() as usize] }
        }

        fn uses(&self, columns: u8, domain: usize) -> bool {
            u32::from(columns) > self.config.domain_columns(domain as u32).start
        }

        pub fn outputs(&self, i: &Inputs) -> Outputs {
            let mut out = Outputs { powered: true, ..Outputs::default() };
            for d in 0..self.left.len() {
                let (bit, uses) = (1 << d, self.uses(i.columns, d));
                let coming = self.flying.iter().chain(&i.preparing).any(|&columns| self.uses(columns, d));
                let busy = i.emit && uses || self.left[d] > 0;
                let chunks = i.offered && uses || busy;
                out.busy |= if busy { bit } else { 0 };
                out.need |= if chunks || coming && !i.within { bit } else { 0 };
                out.powered &= !uses || (i.on | i.fault) & bit != 0;
                out.error |= coming && i.fault & bit != 0;
            }
            out.stall = i.offered && !out.powered;
            out
        }

        /// One rising edge.
        pub fn step(&mut self, i: &Inputs) {
            if i.done {
                self.flying.remove(0);
            }
            if let (true, Some(columns)) = (i.go, i.preparing) {
                self.flying.push(columns);
            }
            for d in 0..self.left.len() {
                let starts = i.emit && self.uses(i.columns, d);
                self.left[d] = if starts { drain_cycles(&self.config) } else { self.left[d].saturating_sub(1) };
            }
        }
    }
}
