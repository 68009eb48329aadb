// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an intent must satisfy against the module it is about.

use super::{Domain, Intent, Sense, Signal, register, trace::Place};
use heddle_lang::{
    Bits, Expr, Module, Simulator, check,
    expr::Kind,
    module::{Instance, Item, NetKind},
    verilog::net_name,
};
use std::collections::BTreeMap;

/// Why an intent is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntentError {
    #[error("power domain `{domain}`: there is no instance `{path}`")]
    Instance { domain: String, path: String },
    #[error("power domain `{domain}`: `{path}` lies in domain `{other}` as well")]
    Overlap { domain: String, path: String, other: String },
    #[error("power domain `{domain}` contains {what} of `{of}` (`{path}`): it could never be switched on again")]
    Contains { domain: String, what: &'static str, of: String, path: String },
    #[error("power domain `{domain}`: {what} is `{signal}`, which must be {must}")]
    Signal { domain: String, what: &'static str, signal: Signal, must: &'static str },
    #[error("power domain `{domain}`: {what} is `{signal}`, which is {used} of domain `{other}`")]
    Shared { domain: String, what: &'static str, signal: Signal, used: &'static str, other: String },
    #[error("power domain `{domain}`: {controls} controls but {acks} acknowledges of the {chain} switches")]
    Chain { domain: String, chain: &'static str, controls: usize, acks: usize },
    #[error("power domain `{domain}`: output `{port}` of `{element}` reaches {reader} without isolation")]
    Open { domain: String, element: String, port: String, reader: String },
    #[error("power domain `{domain}`: isolation cell `{cell}` {reason}")]
    Cell { domain: String, cell: String, reason: String },
    #[error("power domain `{domain}`: register `{register}` cannot be retained: it {reason}")]
    Retention { domain: String, register: String, reason: &'static str },
}

type Result<T = ()> = std::result::Result<T, IntentError>;

impl Intent {
    /// Resolves every name against the top module. Errors: the first domain and object that do not fit.
    pub fn check(&self, top: &Module) -> Result {
        self.elements(top)?;
        self.shared(top)?;
        self.domains.iter().try_for_each(|d| self.always_on(top, d))?;
        for d in &self.domains {
            for (element, instance) in d.elements.iter().filter_map(|path| Some((path, instance(top, path)?))) {
                isolated(top, d, element, instance)?;
            }
            d.isolation.cells.iter().try_for_each(|cell| clamps(top, d, cell))?;
            d.retention.registers.iter().try_for_each(|path| retained(top, d, path))?;
        }
        Ok(())
    }

    /// Each instance exists and is in one domain.
    fn elements(&self, top: &Module) -> Result {
        let mut seen: Vec<(&str, &str)> = Vec::new();
        for d in &self.domains {
            let paths = d.elements.iter().chain([&d.controller]).chain(&d.isolation.cells);
            if let Some(path) = paths.into_iter().find(|path| top.at(path).is_none()) {
                return Err(IntentError::Instance { domain: d.name.clone(), path: path.clone() });
            }
            for path in &d.elements {
                if let Some((_, other)) = seen.iter().find(|(p, _)| within(p, path) || within(path, p)) {
                    return Err(IntentError::Overlap { domain: d.name.clone(), path: path.clone(), other: other.to_string() });
                }
                seen.push((path, &d.name));
            }
        }
        Ok(())
    }

    /// Each signal is a bit of a net of the right kind, and has one use.
    fn shared(&self, top: &Module) -> Result {
        let mut uses: BTreeMap<(String, u32), (&'static str, &str)> = BTreeMap::new();
        for d in &self.domains {
            for (chain, s) in [("weak", &d.weak), ("strong", &d.strong)] {
                let (controls, acks) = (s.control.len(), s.ack.len());
                if controls != acks || controls == 0 {
                    return Err(IntentError::Chain { domain: d.name.clone(), chain, controls, acks });
                }
            }
            for (what, kind, signal) in d.signals() {
                let found = signal.find(top).and_then(|e| kind_of(top, &e));
                let (fits, must) = match kind {
                    Some(NetKind::Output) => (found == kind, "a bit of an output port of the top"),
                    Some(_) => (found == kind, "a bit of an input port of the top"),
                    None => (found.is_some(), "a bit of a net of the top"),
                };
                let (domain, signal) = (d.name.clone(), signal.clone());
                if !fits {
                    return Err(IntentError::Signal { domain, what, signal, must });
                }
                if let Some((used, other)) = uses.insert((signal.net.clone(), signal.bit), (what, &d.name)) {
                    return Err(IntentError::Shared { domain, what, signal, used, other: other.to_string() });
                }
            }
        }
        Ok(())
    }

    /// What controls a domain, and its isolation, is in none.
    fn always_on(&self, top: &Module, d: &Domain) -> Result {
        let refuse = |path: &str, what: &'static str| {
            let home = self.domains.iter().find(|home| home.elements.iter().any(|e| within(path, e)));
            let contains =
                |home: &Domain| Err(IntentError::Contains { domain: home.name.clone(), what, of: d.name.clone(), path: path.to_string() });
            home.map_or(Ok(()), contains)
        };
        refuse(&d.controller, "the controller")?;
        d.isolation.cells.iter().try_for_each(|cell| refuse(cell, "an isolation cell"))?;
        for (what, kind, signal) in d.signals().into_iter().filter(|(_, kind, _)| *kind != Some(NetKind::Input)) {
            debug_assert!(kind.is_none_or(|k| k == NetKind::Output));
            let net = signal.find(top).and_then(|e| Place::of(top, "", &e, signal.bit));
            for place in net.into_iter().flat_map(Place::origins) {
                refuse(&place.path(), what)?;
            }
        }
        Ok(())
    }
}

impl Domain {
    /// Every signal, what it is, and the kind of port that it must be.
    fn signals(&self) -> Vec<(&'static str, Option<NetKind>, &Signal)> {
        let mut all = vec![
            ("the clock enable", None, &self.clock_enable),
            ("the reset", None, &self.reset),
            ("the isolation control", None, &self.isolation.signal),
            ("the save signal", None, &self.retention.save),
            ("the restore signal", None, &self.retention.restore),
            ("the power-good signal", Some(NetKind::Input), &self.power_good),
        ];
        for chain in [&self.weak, &self.strong] {
            all.extend(chain.control.iter().map(|s| ("a switch control", Some(NetKind::Output), s)));
            all.extend(chain.ack.iter().map(|s| ("a switch acknowledge", Some(NetKind::Input), s)));
        }
        all
    }
}

/// Whether a path is `outer` or below it.
fn within(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn kind_of(top: &Module, net: &Expr) -> Option<NetKind> {
    match net.kind() {
        Kind::Net(id, _) => Some(top.net(*id).kind),
        _ => None,
    }
}

/// The module that an instance stands in, and the instance's name.
fn parent<'a>(top: &'a Module, path: &'a str) -> Option<(&'a Module, &'a str, &'a str)> {
    let (way, name) = path.rsplit_once('/').unwrap_or(("", path));
    let module = if way.is_empty() { top } else { top.at(way)? };
    Some((module, way, name))
}

fn instance<'a>(top: &'a Module, path: &'a str) -> Option<&'a Instance> {
    let (module, _, name) = parent(top, path)?;
    module.instances().find(|i| i.name == name)
}

/// Every reader of every output of an element is an isolation cell of its domain.
fn isolated(top: &Module, d: &Domain, element: &str, i: &Instance) -> Result {
    let Some((module, way, _)) = parent(top, element) else { return Ok(()) };
    let is_cell = |name: &str| d.isolation.cells.iter().any(|c| c.rsplit_once('/').unwrap_or(("", c)) == (way, name));
    for (port, net) in &i.outputs {
        let open = |reader: String| {
            let (domain, element) = (d.name.clone(), element.to_string());
            Err(IntentError::Open { domain, element, port: port.clone(), reader })
        };
        if module.net(*net).kind == NetKind::Output {
            return open(format!("the output `{}`", module.net(*net).name));
        }
        for item in module.items.iter().filter(|item| item.exprs().iter().any(|e| check::reads(e).contains(net))) {
            match item {
                Item::Instance(reader) if is_cell(&reader.name) => {}
                Item::Instance(reader) => return open(format!("`{}`", reader.name)),
                other => {
                    let driven = other.drives().first().map_or_else(String::new, |id| net_name(module.net(*id)));
                    return open(format!("`{driven}`"));
                }
            }
        }
    }
    Ok(())
}

/// A cell is controlled by the domain's signal, clamps to the domain's value at its level, and lets through at the other.
fn clamps(top: &Module, d: &Domain, cell: &str) -> Result {
    let refuse = |reason: String| Err(IntentError::Cell { domain: d.name.clone(), cell: cell.to_string(), reason });
    let (Some((_, way, _)), Some(i)) = (parent(top, cell), instance(top, cell)) else { return Ok(()) };
    let signal = &d.isolation.signal;
    let Some(Kind::Net(wanted, _)) = signal.find(top).map(|e| e.kind().clone()) else { return Ok(()) };
    let controlled =
        |e: &Expr| e.width() == 1 && Place::of(top, way, e, 0).into_iter().flat_map(Place::origins).any(|p| p.is(wanted, signal.bit));
    let Some((control, _)) = i.inputs.iter().find(|(_, e)| controlled(e)) else {
        return refuse(format!("is not controlled by `{signal}`"));
    };
    let active = d.isolation.sense == Sense::High;
    for (level, expected) in [(active, Some(d.isolation.clamp)), (!active, None)] {
        for data in [false, true] {
            let outputs = match simulate(i, control, level, data) {
                Ok(outputs) => outputs,
                Err(error) => return refuse(format!("does not simulate: {error}")),
            };
            let value = expected.unwrap_or(data);
            if let Some((port, _)) = outputs.iter().find(|(_, bits)| (0..bits.width()).any(|b| bits.bit(b) != value)) {
                let (level, value) = (u8::from(level), u8::from(value));
                return refuse(format!("does not give {value} on `{port}` for {} with `{control}` = {level}", u8::from(data)));
            }
        }
    }
    Ok(())
}

/// The outputs of a cell with its control at a level and every other input all zeros or all ones.
fn simulate(i: &Instance, control: &str, level: bool, data: bool) -> std::result::Result<Vec<(String, Bits)>, heddle_lang::SimError> {
    let mut sim = Simulator::new(&i.module)?;
    let mut outputs = Vec::new();
    for (_, net) in i.module.ports() {
        let port = sim.port(&net.name)?;
        let value = if net.name == control { level } else { data };
        let fill = if value { u64::MAX } else { 0 };
        match net.kind {
            NetKind::Input => sim.set_bits(port, &Bits::from_limbs(net.ty.width(), &vec![fill; net.ty.width().div_ceil(64) as usize])),
            NetKind::Output => outputs.push((net.name.clone(), port)),
            _ => {}
        }
    }
    sim.settle();
    Ok(outputs.into_iter().map(|(name, port)| (name, sim.get_bits(port))).collect())
}

fn retained(top: &Module, d: &Domain, path: &str) -> Result {
    let refuse = |reason| Err(IntentError::Retention { domain: d.name.clone(), register: path.to_string(), reason });
    if !d.elements.iter().any(|e| within(path, e)) {
        return refuse("is not in the domain");
    }
    match register(top, path) {
        None => refuse("does not exist"),
        Some((_, r)) if r.reset.is_some() => refuse("has a reset"),
        Some((_, r)) if !r.retained => refuse("is not marked as retained"),
        Some(_) => Ok(()),
    }
}
