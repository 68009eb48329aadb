// SPDX-License-Identifier: MIT OR Apache-2.0
//! Streams: the handles a block is built with, and two checkers of the rules, one in Rust and one in the IR.

use crate::{
    bits::Bits,
    builder::{BuildError, Builder},
    expr::{Expr, Ty},
    module::{Module, Net, NetKind},
};
use std::sync::Arc;

/// A valid/ready stream of one payload.
#[derive(Clone, Debug)]
pub struct Stream {
    pub valid: Expr,
    pub ready: Expr,
    pub data: Expr,
}

impl Stream {
    /// Ports `<name>_valid`, `<name>_data` in and `<name>_ready` out; the module drives `ready`.
    pub fn input(m: &mut Builder, name: &str, ty: Ty) -> Stream {
        let valid = m.input(&format!("{name}_valid"), Ty::BIT);
        let ready = m.output_port(&format!("{name}_ready"), Ty::BIT);
        let data = m.input(&format!("{name}_data"), ty);
        Stream { valid, ready, data }
    }

    /// Ports `<name>_valid`, `<name>_data` out and `<name>_ready` in; the module drives `valid` and `data`.
    pub fn output(m: &mut Builder, name: &str, ty: Ty) -> Stream {
        let valid = m.output_port(&format!("{name}_valid"), Ty::BIT);
        let ready = m.input(&format!("{name}_ready"), Ty::BIT);
        let data = m.output_port(&format!("{name}_data"), ty);
        Stream { valid, ready, data }
    }

    /// One bit: a transfer happens in this cycle.
    pub fn transfer(&self) -> Expr {
        &self.valid & &self.ready
    }
}

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    #[error("stream `{stream}`: valid fell in cycle {cycle} before a transfer")]
    Withdrawn { stream: String, cycle: u64 },
    #[error("stream `{stream}`: data changed from {before:?} to {after:?} in cycle {cycle} before a transfer")]
    Changed { stream: String, cycle: u64, before: Bits, after: Bits },
}

/// Watches one stream, cycle by cycle.
#[derive(Clone, Debug)]
pub struct Monitor {
    stream: String,
    cycle: u64,
    pending: Option<Bits>,
    /// Transfers so far.
    pub transfers: u64,
}

impl Monitor {
    pub fn new(stream: impl Into<String>) -> Self {
        Monitor { stream: stream.into(), cycle: 0, pending: None, transfers: 0 }
    }

    /// The settled values of a cycle; gives the payload if it is transferred.
    pub fn observe(&mut self, valid: bool, ready: bool, data: &Bits) -> Result<Option<Bits>, Violation> {
        let cycle = self.cycle;
        self.cycle += 1;
        match self.pending.take() {
            Some(_) if !valid => return Err(Violation::Withdrawn { stream: self.stream.clone(), cycle }),
            Some(before) if before != *data => {
                return Err(Violation::Changed { stream: self.stream.clone(), cycle, before, after: data.clone() });
            }
            _ => {}
        }
        if valid && ready {
            self.transfers += 1;
            return Ok(Some(data.clone()));
        }
        self.pending = valid.then(|| data.clone());
        Ok(None)
    }

    /// Forgets what was pending, as a reset does.
    pub fn reset(&mut self) {
        self.pending = None;
    }
}

/// A module that watches a stream of `width` bits: it asserts the rules about stability, or assumes them,
/// where the stream is driven by the environment of a proof.
pub fn checker(width: u32, assume: bool) -> Result<Arc<Module>, BuildError> {
    let name = if assume { "stream_assumptions" } else { "stream_assertions" };
    let mut m = Builder::clocked(format!("{name}_{width}"), file!());
    m.doc("Stream rules: once valid is high it stays, with stable data, until the transfer.");
    let valid = m.input("valid", Ty::BIT);
    let ready = m.input("ready", Ty::BIT);
    let data = m.input("data", Ty::Unsigned(width));
    let pending = m.register_reset("pending", &valid & !&ready);
    let last = m.register("last", &data);
    let rst = m.reset();
    let outside = |holds: Expr| !(&pending & !&rst) | holds;
    let rules = [("valid_stays", outside(valid.clone())), ("data_stays", outside(data.eq(&last)))];
    for (name, rule) in rules {
        if assume { m.assume(name, rule) } else { m.assert(name, rule) }
    }
    m.build()
}

/// A module between checkers, for a proof or a test: the rules are assumed of each stream that enters and
/// asserted of each that leaves. The ports are those of the module.
pub fn proof(unit: &Arc<Module>) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked(format!("{}_proof", unit.name), file!());
    m.doc(&format!("`{}` between checkers of the stream rules.", unit.name));
    let is_input = |net: &Net| net.kind == NetKind::Input;
    let own = |net: &Net| net.kind == NetKind::Clock || net.name == "rst";
    let inputs: Vec<(&str, Expr)> =
        unit.ports().filter(|(_, n)| is_input(n) && !own(n)).map(|(_, n)| (n.name.as_str(), m.input(&n.name, n.ty))).collect();
    let outs = m.instance("unit", unit, &inputs);
    let value = |name: &str| inputs.iter().find(|(n, _)| *n == name).map_or_else(|| outs.get(name), |(_, e)| e.clone());
    for (_, port) in unit.ports().filter(|(_, n)| n.kind == NetKind::Output) {
        m.output(&port.name, value(&port.name));
    }
    for (_, valid) in unit.ports().filter(|(_, n)| n.name.ends_with("_valid")) {
        let stem = valid.name.trim_end_matches("_valid");
        let data = value(&format!("{stem}_data")).as_unsigned();
        let checker = checker(data.width(), is_input(valid))?;
        let watched = [("valid", value(&valid.name)), ("ready", value(&format!("{stem}_ready"))), ("data", data)];
        m.instance(&format!("{stem}_rules"), &checker, &watched);
    }
    m.build()
}
