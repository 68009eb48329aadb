// SPDX-License-Identifier: MIT OR Apache-2.0
//! The builder: a module whose sizes and widths are chosen at run time.
//!
//! Names come from the caller, so they do not change when something else does. Every mistake (a type that
//! does not match, a name used twice, a net without a driver) is collected and reported by [`Builder::build`]
//! with the names of module and signal.

mod memories;
mod registers;

use crate::{
    bits::Bits,
    expr::{Expr, Kind, NetId, Operand, Ty},
    module::*,
    primitive::Primitive,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What was wrong with a module.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("module `{module}`: {}", messages.join("; "))]
pub struct BuildError {
    pub module: String,
    pub messages: Vec<String>,
}

/// A register under construction: [`Reg::q`] reads it, [`Builder::on`] and [`Builder::next`] write it.
#[derive(Clone, Debug)]
pub struct Reg {
    q: Expr,
    index: usize,
}

impl Reg {
    pub fn q(&self) -> Expr {
        self.q.clone()
    }
}

/// A state register whose values have names.
#[derive(Clone, Debug)]
pub struct States {
    reg: Reg,
    names: BTreeMap<&'static str, Expr>,
}

impl States {
    /// One bit: the machine is in this state.
    pub fn is(&self, state: &str) -> Expr {
        self.reg.q().eq(self.value(state))
    }

    fn value(&self, state: &str) -> Expr {
        let unknown = || Expr::poison(self.reg.q.ty(), format!("no state `{state}`"));
        self.names.get(state).cloned().unwrap_or_else(unknown)
    }
}

/// A memory under construction.
#[derive(Clone, Copy, Debug)]
pub struct Mem(usize);

/// The outputs of an instance, by port name.
pub struct Outputs {
    instance: String,
    nets: BTreeMap<String, Expr>,
}

impl Outputs {
    pub fn get(&self, port: &str) -> Expr {
        let missing = || Expr::poison(Ty::BIT, format!("instance `{}` has no output `{port}`", self.instance));
        self.nets.get(port).cloned().unwrap_or_else(missing)
    }
}

pub struct Builder {
    name: String,
    doc: Vec<String>,
    source: String,
    nets: Vec<Net>,
    items: Vec<Item>,
    /// The comment that waits for what it is about.
    heading: Vec<String>,
    names: BTreeSet<String>,
    clock: Option<NetId>,
    reset: Option<Expr>,
    enable: Option<Expr>,
    primitive: Option<Primitive>,
    errors: Vec<String>,
}

impl Builder {
    /// `source` is the Rust file that describes the module (`file!()`); it goes into the Verilog header.
    pub fn new(name: impl Into<String>, source: &str) -> Self {
        Builder {
            name: name.into(),
            doc: vec![],
            source: source.replace('\\', "/"),
            nets: vec![],
            items: vec![],
            heading: vec![],
            names: BTreeSet::new(),
            clock: None,
            reset: None,
            enable: None,
            primitive: None,
            errors: vec![],
        }
    }

    /// A module with `clk_i` and a synchronous, active-high `rst_i`.
    pub fn clocked(name: impl Into<String>, source: &str) -> Self {
        let mut m = Builder::new(name, source);
        m.clock("clk");
        m.reset = Some(m.input("rst", Ty::BIT));
        m
    }

    /// An input `ce` that stands for a clock gate: without it no register of the module moves, except by its reset.
    /// Primitives inside take it with their own enables.
    pub fn clock_enable(&mut self) -> Expr {
        let enable = self.input("ce", Ty::BIT);
        self.enable = Some(enable.clone());
        enable
    }

    /// The module stands for a device primitive; what it is made of is the behaviour.
    pub(crate) fn primitive(&mut self, primitive: Primitive) {
        self.primitive = Some(primitive);
    }

    /// Lines for the head of the module: what it is for.
    pub fn doc(&mut self, text: &str) {
        self.doc.extend(text.lines().map(|l| l.trim().to_string()));
    }

    /// A comment before what is added next; before a port, it heads a group in the list of ports.
    pub fn comment(&mut self, text: &str) {
        self.heading = text.lines().map(|l| l.trim().to_string()).collect();
    }

    fn item(&mut self, item: Item) {
        self.items.extend(self.heading.drain(..).map(Item::Comment));
        self.items.push(item);
    }

    fn port(&mut self, name: &str, ty: Ty, kind: NetKind) -> Expr {
        let net = self.net(name, ty, kind);
        if let Some(port) = self.nets.last_mut() {
            port.heading.clone_from(&self.heading);
        }
        net
    }

    /// A description of a net, printed beside its declaration.
    pub fn describe(&mut self, net: &Expr, text: &str) {
        match net.kind() {
            Kind::Net(id, _) => self.nets[id.0 as usize].doc = text.to_string(),
            _ => self.errors.push(format!("only a net can be described, not {}", net.describe())),
        }
    }

    pub fn error(&mut self, message: impl Into<String>) {
        self.errors.push(message.into());
    }

    fn claim(&mut self, name: &str) {
        let legal = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !legal {
            self.errors.push(format!("`{name}` is not a name (letters, digits and `_`, a letter first)"));
        }
        if crate::verilog::is_keyword(name) {
            self.errors.push(format!("`{name}` is a reserved word of Verilog"));
        }
        if !self.names.insert(name.to_string()) {
            self.errors.push(format!("the name `{name}` is used twice"));
        }
    }

    fn net(&mut self, name: &str, ty: Ty, kind: NetKind) -> Expr {
        self.claim(&format!("{name}{}", kind.suffix()));
        if ty.width() == 0 {
            self.errors.push(format!("`{name}` has no bits"));
        }
        let id = NetId(self.nets.len() as u32);
        self.nets.push(Net { name: name.to_string(), ty, kind, doc: String::new(), heading: vec![] });
        Expr::new(ty, Kind::Net(id, name.into()))
    }

    fn id(net: &Expr) -> Option<NetId> {
        match net.kind() {
            Kind::Net(id, _) => Some(*id),
            _ => None,
        }
    }

    fn check_type(&mut self, target: &str, ty: Ty, value: &Expr) {
        if value.ty() != ty {
            self.errors.push(format!("`{target}` is {ty:?}, but {} does not match it", value.describe()));
        }
    }

    /// Another clock; the first one is the default of registers and memories.
    pub fn clock(&mut self, name: &str) -> Expr {
        let clock = self.port(name, Ty::BIT, NetKind::Clock);
        self.heading.clear();
        self.clock = self.clock.or(Builder::id(&clock));
        clock
    }

    pub fn input(&mut self, name: &str, ty: Ty) -> Expr {
        let input = self.port(name, ty, NetKind::Input);
        self.heading.clear();
        input
    }

    pub fn output(&mut self, name: &str, value: impl Into<Expr>) {
        let value = value.into();
        let out = self.port(name, value.ty(), NetKind::Output);
        self.drive(&out, value);
    }

    /// An output that is read inside or driven later, by [`Builder::drive`].
    pub fn output_port(&mut self, name: &str, ty: Ty) -> Expr {
        let output = self.port(name, ty, NetKind::Output);
        self.heading.clear();
        output
    }

    /// The default reset, if the module has one.
    pub fn reset(&self) -> Expr {
        self.reset.clone().unwrap_or_else(|| Expr::bit_const(false))
    }

    /// A named value.
    pub fn wire(&mut self, name: &str, value: impl Into<Expr>) -> Expr {
        let value = value.into();
        let wire = self.net(name, value.ty(), NetKind::Wire);
        self.drive(&wire, value);
        wire
    }

    /// A wire that is driven later, by [`Builder::drive`].
    pub fn forward(&mut self, name: &str, ty: Ty) -> Expr {
        self.net(name, ty, NetKind::Wire)
    }

    /// Drives a [`Builder::forward`] wire or an [`Builder::output_port`].
    pub fn drive(&mut self, net: &Expr, value: impl Operand) {
        let value = value.like(net);
        let Some(id) = Builder::id(net) else {
            return self.errors.push(format!("only a net can be driven, not {}", net.describe()));
        };
        let name = self.nets[id.0 as usize].name.clone();
        self.check_type(&name, net.ty(), &value);
        self.item(Item::Assign(id, value));
    }

    /// Says that bits are left unread on purpose, and why: a comment and a wire `unused_<name>`, which lint
    /// tools take for what it is.
    pub fn unused(&mut self, name: &str, reason: &str, bits: &[Expr]) {
        self.comment(reason);
        let parts = [Expr::bit_const(false)].into_iter().chain(bits.iter().map(Expr::as_unsigned));
        self.wire(&format!("unused_{name}"), Expr::concat(parts).all());
    }

    /// A named constant, printed as a local parameter.
    pub fn parameter(&mut self, name: &str, ty: Ty, value: i128) -> Expr {
        self.claim(name);
        let bits = Bits::from_i128(ty.width(), value);
        self.item(Item::Parameter(name.to_string(), ty, bits.clone()));
        Expr::new(ty, Kind::Const(bits, Some(name.into())))
    }

    /// An instance of a module. Clock and reset ports of the names this module has are connected by
    /// themselves; every other input must be given. Outputs become nets `<instance>_<port>`; one that is needed
    /// before the instance stands is declared ahead as a [`Builder::forward`] wire of that name.
    pub fn instance(&mut self, name: &str, module: &Arc<Module>, inputs: &[(&str, Expr)]) -> Outputs {
        self.claim(name);
        let mut connected = vec![];
        let mut outputs = vec![];
        let mut nets = BTreeMap::new();
        for (port, _) in inputs {
            if module.port(port).is_none_or(|(_, n)| n.kind == NetKind::Output) {
                self.errors.push(format!("instance `{name}`: module `{}` has no input `{port}`", module.name));
            }
        }
        for (_, port) in module.ports() {
            if port.kind == NetKind::Output {
                let net = self.instance_output(&format!("{name}_{}", port.name), port.ty);
                outputs.push((port.name.clone(), Builder::id(&net).unwrap_or(NetId(0))));
                nets.insert(port.name.clone(), net);
                continue;
            }
            let given = inputs.iter().find(|(n, _)| *n == port.name).map(|(_, e)| e.clone());
            match given.or_else(|| self.own_port(&port.name)) {
                Some(e) => {
                    self.check_type(&format!("{name}.{}", port.name), port.ty, &e);
                    connected.push((port.name.clone(), e));
                }
                None => self.errors.push(format!("instance `{name}`: input `{}` of `{}` is not connected", port.name, module.name)),
            }
        }
        self.item(Item::Instance(Instance { name: name.to_string(), module: module.clone(), inputs: connected, outputs }));
        Outputs { instance: name.to_string(), nets }
    }

    /// A net for an output of an instance: a new one, or the [`Builder::forward`] wire of its name.
    fn instance_output(&mut self, name: &str, ty: Ty) -> Expr {
        let driven = |net: NetId, items: &[Item]| items.iter().any(|i| i.drives().contains(&net));
        let ahead = self.nets.iter().position(|n| n.name == name && n.kind == NetKind::Wire && n.ty == ty);
        match ahead.map(|i| NetId(i as u32)).filter(|id| !driven(*id, &self.items)) {
            Some(id) => {
                self.nets[id.0 as usize].kind = NetKind::Instance;
                Expr::new(ty, Kind::Net(id, name.into()))
            }
            None => self.net(name, ty, NetKind::Instance),
        }
    }

    /// The clock, the reset, or the clock enable of this name.
    fn own_port(&self, name: &str) -> Option<Expr> {
        let (i, net) = self.nets.iter().enumerate().find(|(_, n)| n.name == name)?;
        let is = |port: &Option<Expr>| port.as_ref().and_then(Builder::id) == Some(NetId(i as u32));
        (net.kind == NetKind::Clock || is(&self.reset) || is(&self.enable))
            .then(|| Expr::new(net.ty, Kind::Net(NetId(i as u32), name.into())))
    }

    /// A net that a process assigns.
    pub fn variable(&mut self, name: &str, ty: Ty) -> Expr {
        self.net(name, ty, NetKind::Variable)
    }

    /// A combinational process; it must assign each target on every path.
    pub fn process(&mut self, targets: &[Expr], body: Vec<Stmt>) {
        let targets = targets.iter().filter_map(Builder::id).collect();
        self.item(Item::Process(Process { targets, body }));
    }

    /// `net <- value` inside a process.
    pub fn assign(&mut self, net: &Expr, value: impl Operand) -> Stmt {
        let value = value.like(net);
        self.check_type(&net.describe(), net.ty(), &value);
        Stmt::Assign(Builder::id(net).unwrap_or(NetId(0)), value)
    }

    fn property(&mut self, kind: PropertyKind, name: &str, expr: Expr) {
        self.claim(name);
        self.check_type(name, Ty::BIT, &expr);
        let clock = self.clock.unwrap_or(NetId(0));
        self.item(Item::Property(Property { kind, name: name.to_string(), clock, expr }));
    }

    /// Holds at each rising edge; checked in native simulation and exported to formal tools.
    pub fn assert(&mut self, name: &str, expr: Expr) {
        self.property(PropertyKind::Assert, name, expr);
    }

    pub fn assume(&mut self, name: &str, expr: Expr) {
        self.property(PropertyKind::Assume, name, expr);
    }

    pub fn cover(&mut self, name: &str, expr: Expr) {
        self.property(PropertyKind::Cover, name, expr);
    }

    /// The finished module, or everything that is wrong with it.
    pub fn build(mut self) -> Result<Arc<Module>, BuildError> {
        for item in &self.items {
            for e in item.exprs() {
                e.visit(&mut |e| match e.kind() {
                    Kind::Poison(message) => self.errors.push(message.clone()),
                    Kind::Net(id, name) if self.nets.get(id.0 as usize).is_none_or(|n| n.name != **name) => {
                        self.errors.push(format!("`{name}` is not a net of this module"));
                    }
                    _ => {}
                });
            }
        }
        let Builder { name, doc, source, nets, items, primitive, mut errors, .. } = self;
        let module = Module { name, doc, source, nets, items, primitive };
        if errors.is_empty() {
            errors = crate::check::local(&module);
        }
        errors.dedup();
        match errors.is_empty() {
            true => Ok(Arc::new(module)),
            false => Err(BuildError { module: module.name, messages: errors }),
        }
    }
}

/// Address width of a memory of `depth` words, at least 1.
pub fn address_bits(depth: u32) -> u32 {
    (u32::BITS - depth.saturating_sub(1).leading_zeros()).max(1)
}

impl From<&Expr> for Expr {
    fn from(e: &Expr) -> Expr {
        e.clone()
    }
}
