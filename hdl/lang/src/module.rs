// SPDX-License-Identifier: MIT OR Apache-2.0
//! The IR: a finished module, as the printer, the simulator and the checks read it.
//!
//! A [`Module`] is made by [`crate::builder::Builder`] or by the rust-hdl import and never changes.

use crate::{
    bits::Bits,
    expr::{Expr, Kind, NetId, Ty},
    primitive::Primitive,
};
use std::{collections::BTreeSet, sync::Arc};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NetKind {
    Clock,
    Input,
    Output,
    /// Driven by an [`Item::Assign`].
    Wire,
    /// Driven by an [`Item::Register`].
    Register,
    /// Driven by an [`Item::Process`].
    Variable,
    /// The registered read data of a memory.
    ReadData,
    /// Driven by an output of an instance.
    Instance,
}

impl NetKind {
    /// What the Verilog name has after the base name, so that a register and an output may share one.
    pub const fn suffix(self) -> &'static str {
        match self {
            NetKind::Clock | NetKind::Input => "_i",
            NetKind::Output => "_o",
            NetKind::Register | NetKind::ReadData => "_q",
            NetKind::Wire | NetKind::Variable | NetKind::Instance => "",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Net {
    /// Base name; the printer adds `_i`, `_o` and `_q`.
    pub name: String,
    pub ty: Ty,
    pub kind: NetKind,
    pub doc: String,
    /// Lines above a port: what the ports from here on are.
    pub heading: Vec<String>,
}

/// `if condition { register <= value }`; no condition: always.
#[derive(Clone, Debug)]
pub struct Update {
    pub condition: Option<Expr>,
    pub value: Expr,
}

#[derive(Clone, Debug)]
pub struct Register {
    pub net: NetId,
    pub clock: NetId,
    /// Synchronous, active high, before every update.
    pub reset: Option<(Expr, Bits)>,
    /// The first whose condition holds applies; with none the register holds.
    pub updates: Vec<Update>,
    /// Its value outlives a power-down of its domain: it is a retention register, and has no reset.
    pub retained: bool,
    /// One of several with the same content, which synthesis must not merge: its readers are far from those of the others.
    pub copy: bool,
}

#[derive(Clone, Debug)]
pub struct WritePort {
    pub enable: Expr,
    pub address: Expr,
    pub data: Expr,
    /// One bit per `width / n` bits of the data; none: the whole word.
    pub byte_enable: Option<Expr>,
}

/// Synchronous read: `data <= mem[address]` where `enable`. A read of the word being written in the same
/// cycle gives the old word.
#[derive(Clone, Debug)]
pub struct ReadPort {
    pub data: NetId,
    pub enable: Expr,
    pub address: Expr,
}

#[derive(Clone, Debug)]
pub struct Memory {
    pub name: String,
    pub clock: NetId,
    pub width: u32,
    pub depth: u32,
    /// Words from address 0; the rest, and all of it when empty, starts undefined (zero in simulation).
    pub init: Vec<Bits>,
    /// Verilog attribute, e.g. `ram_style = "block"`.
    pub attribute: String,
    pub writes: Vec<WritePort>,
    pub reads: Vec<ReadPort>,
}

#[derive(Clone, Debug)]
pub struct Instance {
    pub name: String,
    pub module: Arc<Module>,
    /// Port base names and what they are connected to; every input port stands here.
    pub inputs: Vec<(String, Expr)>,
    pub outputs: Vec<(String, NetId)>,
}

/// A statement of a combinational process; assignments take effect in order.
#[derive(Clone, Debug)]
pub enum Stmt {
    Assign(NetId, Expr),
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    /// Subject, arms (constant, body), default.
    Case(Expr, Vec<(Expr, Vec<Stmt>)>, Vec<Stmt>),
    Comment(String),
}

#[derive(Clone, Debug)]
pub struct Process {
    pub targets: Vec<NetId>,
    pub body: Vec<Stmt>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PropertyKind {
    Assert,
    Assume,
    Cover,
}

/// A one-bit expression that holds (or is assumed, or is reached) at each rising edge.
#[derive(Clone, Debug)]
pub struct Property {
    pub kind: PropertyKind,
    pub name: String,
    pub clock: NetId,
    pub expr: Expr,
}

#[derive(Clone, Debug)]
pub enum Item {
    Comment(String),
    /// A named constant, printed as a local parameter.
    Parameter(String, Ty, Bits),
    Assign(NetId, Expr),
    Register(Register),
    Memory(Memory),
    Instance(Instance),
    Process(Process),
    Property(Property),
}

#[derive(Clone, Debug)]
pub struct Module {
    pub name: String,
    /// What it is for, line by line.
    pub doc: Vec<String>,
    /// The Rust file that describes it.
    pub source: String,
    pub nets: Vec<Net>,
    pub items: Vec<Item>,
    /// What it stands for on a device; its items are its behaviour.
    pub primitive: Option<Primitive>,
}

impl Module {
    pub fn net(&self, id: NetId) -> &Net {
        &self.nets[id.0 as usize]
    }

    pub fn ids(&self) -> impl Iterator<Item = NetId> + use<> {
        (0..self.nets.len() as u32).map(NetId)
    }

    /// Ports in order of declaration.
    pub fn ports(&self) -> impl Iterator<Item = (NetId, &Net)> {
        self.ids().map(|id| (id, self.net(id))).filter(|(_, n)| matches!(n.kind, NetKind::Clock | NetKind::Input | NetKind::Output))
    }

    pub fn port(&self, name: &str) -> Option<(NetId, &Net)> {
        self.ports().find(|(_, n)| n.name == name)
    }

    pub fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.items.iter().filter_map(|i| match i {
            Item::Instance(i) => Some(i),
            _ => None,
        })
    }

    /// The module of the instance at a path from here, `/` between the names.
    pub fn at(&self, path: &str) -> Option<&Arc<Module>> {
        let (name, rest) = path.split_once('/').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let module = &self.instances().find(|i| i.name == name)?.module;
        rest.map_or(Some(module), |rest| module.at(rest))
    }

    /// This module and all below it, each once (by name), instantiated ones first.
    pub fn hierarchy(self: &Arc<Self>) -> Vec<Arc<Module>> {
        fn walk(m: &Arc<Module>, seen: &mut BTreeSet<String>, out: &mut Vec<Arc<Module>>) {
            if !seen.insert(m.name.clone()) {
                return;
            }
            m.instances().for_each(|i| walk(&i.module, seen, out));
            out.push(m.clone());
        }
        let mut out = Vec::new();
        walk(self, &mut BTreeSet::new(), &mut out);
        out
    }
}

impl Item {
    /// Every expression the item reads.
    pub fn exprs(&self) -> Vec<&Expr> {
        match self {
            Item::Comment(_) | Item::Parameter(..) => vec![],
            Item::Assign(_, e) => vec![e],
            Item::Register(r) => {
                let updates = r.updates.iter().flat_map(|u| u.condition.iter().chain([&u.value]));
                r.reset.iter().map(|(c, _)| c).chain(updates).collect()
            }
            Item::Memory(m) => {
                let writes = m.writes.iter().flat_map(|w| [&w.enable, &w.address, &w.data].into_iter().chain(&w.byte_enable));
                writes.chain(m.reads.iter().flat_map(|r| [&r.enable, &r.address])).collect()
            }
            Item::Instance(i) => i.inputs.iter().map(|(_, e)| e).collect(),
            Item::Process(p) => p.body.iter().flat_map(Stmt::exprs).collect(),
            Item::Property(p) => vec![&p.expr],
        }
    }

    /// The nets the item drives.
    pub fn drives(&self) -> Vec<NetId> {
        match self {
            Item::Assign(net, _) => vec![*net],
            Item::Register(r) => vec![r.net],
            Item::Memory(m) => m.reads.iter().map(|r| r.data).collect(),
            Item::Instance(i) => i.outputs.iter().map(|(_, n)| *n).collect(),
            Item::Process(p) => p.targets.clone(),
            Item::Comment(_) | Item::Parameter(..) | Item::Property(_) => vec![],
        }
    }
}

impl Stmt {
    pub fn exprs(&self) -> Vec<&Expr> {
        match self {
            Stmt::Assign(_, e) => vec![e],
            Stmt::If(c, a, b) => [c].into_iter().chain(a.iter().chain(b).flat_map(Stmt::exprs)).collect(),
            Stmt::Case(s, arms, default) => {
                let arms = arms.iter().flat_map(|(k, body)| [k].into_iter().chain(body.iter().flat_map(Stmt::exprs)));
                [s].into_iter().chain(arms).chain(default.iter().flat_map(Stmt::exprs)).collect()
            }
            Stmt::Comment(_) => vec![],
        }
    }
}

impl Expr {
    /// The operands of this node.
    pub fn operands(&self) -> Vec<&Expr> {
        match self.kind() {
            Kind::Const(..) | Kind::Net(..) | Kind::Poison(_) => vec![],
            Kind::Unary(_, a) | Kind::Slice(a, _) | Kind::Resize(a) | Kind::Cast(a) => vec![a],
            Kind::Binary(_, a, b) | Kind::Select(a, b) => vec![a, b],
            Kind::Mux(c, a, b) => vec![c, a, b],
            Kind::Concat(parts) => parts.iter().collect(),
        }
    }

    /// Calls `f` for this node and every node below it, shared nodes once.
    pub fn visit<'a>(&'a self, f: &mut impl FnMut(&'a Expr)) {
        fn walk<'a>(e: &'a Expr, seen: &mut BTreeSet<*const crate::expr::Node>, f: &mut impl FnMut(&'a Expr)) {
            if !seen.insert(Arc::as_ptr(&e.0)) {
                return;
            }
            f(e);
            e.operands().into_iter().for_each(|o| walk(o, seen, f));
        }
        match self.kind() {
            Kind::Net(..) | Kind::Const(..) => f(self),
            _ => walk(self, &mut BTreeSet::new(), f),
        }
    }
}
