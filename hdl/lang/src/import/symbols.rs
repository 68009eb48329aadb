// SPDX-License-Identifier: MIT OR Apache-2.0
//! The names a kernel can use: the block's own signals, the ports of its children, the values of its enums.

use super::{
    Refusal,
    emit::Imported,
    leaf::Leaf,
    names,
    tree::{Node, Signal},
};
use crate::{
    bits::Bits,
    expr::{Expr, Kind, NetId, Ty},
    module::{Net, NetKind},
};
use rust_hdl::core::{
    atom::AtomKind,
    type_descriptor::{TypeDescriptor, TypeKind},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

/// A child of a block.
#[derive(Debug, Clone)]
pub struct Child {
    /// Field path.
    pub path: String,
    pub signals: Vec<Signal>,
    pub kind: ChildKind,
}

#[derive(Debug, Clone)]
pub enum ChildKind {
    Leaf(Leaf),
    Block(Rc<Imported>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Has its value from outside or from a register, memory or instance.
    Source,
    /// Assigned by the kernel; read at the value it settles to.
    Driven,
    Constant,
    Clock,
}

#[derive(Debug, Clone)]
pub struct Symbol {
    pub ty: Ty,
    pub role: Role,
    /// Reads it. A clock outside of this block's ports has no net.
    pub read: Option<Expr>,
}

impl Symbol {
    pub fn net(&self) -> Option<NetId> {
        match self.read.as_ref()?.kind() {
            Kind::Net(id, _) => Some(*id),
            _ => None,
        }
    }
}

/// A named constant, declared in a module that uses it.
#[derive(Debug, Clone)]
pub struct Parameter {
    pub name: String,
    pub ty: Ty,
    pub value: Bits,
}

#[derive(Debug, Default)]
pub struct Symbols {
    /// Every net the module may have; those that end up unused are dropped.
    pub nets: Vec<Net>,
    pub parameters: Vec<Parameter>,
    signals: BTreeMap<String, Symbol>,
    /// By `Type$Variant`.
    variants: BTreeMap<String, Expr>,
    /// Number of variants by type.
    sizes: BTreeMap<String, usize>,
}

impl Symbols {
    pub fn new(node: &Node, children: &[Child]) -> Result<Self, Refusal> {
        let mut s = Symbols::default();
        // Ports have a suffix of their own.
        let inner = node.signals.iter().filter(|s| !s.kind.is_parameter());
        let taken: BTreeSet<String> = inner.map(|s| names::net(&s.path)).chain(children.iter().map(|c| names::net(&c.path))).collect();
        for signal in &node.signals {
            s.own(signal)?;
        }
        for child in children {
            let stem = names::net(&child.path);
            let short = stem.strip_prefix("dff_").filter(|short| !taken.contains(*short));
            for signal in &child.signals {
                s.of_child(child, short.unwrap_or(&stem), signal)?;
            }
        }
        Ok(s)
    }

    pub fn get(&self, path: &str) -> Option<&Symbol> {
        self.signals.get(path)
    }

    /// The value of an enum, by the last two parts of its path.
    pub fn variant(&self, path: &str) -> Option<&Expr> {
        let mut parts = path.rsplit('$');
        let (variant, ty) = (parts.next()?, parts.next()?);
        self.variants.get(&format!("{ty}${variant}"))
    }

    /// Whether `n` different arms name every value of the enum that `path` is a value of.
    pub fn covers_enum(&self, path: &str, n: usize) -> bool {
        let size = path.rsplit('$').nth(1).and_then(|ty| self.sizes.get(ty));
        size.is_some_and(|&size| size == n)
    }

    pub fn driven(&self) -> impl Iterator<Item = (&String, &Symbol)> {
        self.signals.iter().filter(|(_, s)| s.role == Role::Driven)
    }

    pub fn add_net(&mut self, name: &str, ty: Ty, kind: NetKind) -> Expr {
        let id = NetId(self.nets.len() as u32);
        self.nets.push(Net { name: name.to_string(), ty, kind, doc: String::new(), heading: vec![] });
        Expr::new(ty, Kind::Net(id, name.into()))
    }

    fn add(&mut self, path: String, signal: &Signal, role: Role, read: Option<Expr>) {
        self.signals.insert(path, Symbol { ty: signal.ty, role, read });
    }

    fn own(&mut self, signal: &Signal) -> Result<(), Refusal> {
        self.check(&signal.path, signal)?;
        let name = names::net(&signal.path);
        if signal.is_clock() {
            let read = (signal.kind == AtomKind::InputParameter).then(|| self.add_net(&name, signal.ty, NetKind::Clock));
            self.add(signal.path.clone(), signal, Role::Clock, read);
            return Ok(());
        }
        let (role, read) = match signal.kind {
            AtomKind::InputParameter => (Role::Source, self.add_net(&name, signal.ty, NetKind::Input)),
            AtomKind::OutputParameter => (Role::Driven, self.add_net(&name, signal.ty, NetKind::Output)),
            AtomKind::Constant => {
                let name = names::screaming(&name);
                self.parameters.push(Parameter { name: name.clone(), ty: signal.ty, value: signal.value.clone() });
                (Role::Constant, Expr::new(signal.ty, Kind::Const(signal.value.clone(), Some(name.into()))))
            }
            _ => (Role::Driven, self.add_net(&name, signal.ty, NetKind::Variable)),
        };
        self.add(signal.path.clone(), signal, role, Some(read));
        Ok(())
    }

    /// A port of a child. `stem` names what the child becomes.
    fn of_child(&mut self, child: &Child, stem: &str, signal: &Signal) -> Result<(), Refusal> {
        if !signal.kind.is_parameter() {
            return Ok(());
        }
        let path = format!("{}${}", child.path, signal.path);
        self.check(&path, signal)?;
        if signal.is_clock() {
            self.add(path, signal, Role::Clock, None);
            return Ok(());
        }
        let name = format!("{stem}_{}", names::net(&signal.path));
        let read = match (&child.kind, signal.kind) {
            (ChildKind::Leaf(Leaf::Register { .. }), AtomKind::OutputParameter) => self.add_net(stem, signal.ty, NetKind::Register),
            (ChildKind::Leaf(Leaf::Rom { .. }), AtomKind::OutputParameter) => self.add_net(&name, signal.ty, NetKind::Variable),
            (ChildKind::Leaf(_), AtomKind::OutputParameter) => {
                let word = self.add_net(&name, Ty::Unsigned(signal.ty.width()), NetKind::ReadData);
                if signal.ty.is_signed() { word.as_signed() } else { word }
            }
            (ChildKind::Block(_), AtomKind::OutputParameter) => self.add_net(&name, signal.ty, NetKind::Instance),
            _ => self.add_net(&name, signal.ty, NetKind::Variable),
        };
        let role = if signal.kind == AtomKind::OutputParameter { Role::Source } else { Role::Driven };
        self.add(path, signal, role, Some(read));
        Ok(())
    }

    fn check(&mut self, path: &str, signal: &Signal) -> Result<(), Refusal> {
        if signal.kind == AtomKind::InOutParameter {
            return Err(Refusal::new(path, "a bidirectional signal; the IR has inputs and outputs only"));
        }
        if signal.ty.width() == 0 {
            return Err(Refusal::new(path, "has no bits"));
        }
        self.enums(&signal.descriptor)
    }

    /// Declares the values of the enums in a type.
    fn enums(&mut self, descriptor: &TypeDescriptor) -> Result<(), Refusal> {
        match &descriptor.kind {
            TypeKind::Composite(fields) => fields.iter().try_for_each(|f| self.enums(&f.kind)),
            TypeKind::Enum(variants) => self.enumeration(&descriptor.name, variants),
            _ => Ok(()),
        }
    }

    fn enumeration(&mut self, type_name: &str, variants: &[String]) -> Result<(), Refusal> {
        let ty = Ty::Unsigned(variants.len().next_power_of_two().trailing_zeros());
        let same = |(i, v): (usize, &String)| {
            let known = self.variants.get(&v.replace("::", "$"));
            known.is_some_and(|e| e.ty() == ty && matches!(e.kind(), Kind::Const(b, _) if b.low_u64() == i as u64))
        };
        if let Some(&size) = self.sizes.get(type_name) {
            let same = size == variants.len() && variants.iter().enumerate().all(same);
            return if same { Ok(()) } else { Err(Refusal::new(type_name, "two different enums of one block have this name")) };
        }
        self.sizes.insert(type_name.to_string(), variants.len());
        for (i, full) in variants.iter().enumerate() {
            let variant = full.rsplit("::").next().unwrap_or(full);
            let short = names::variant(type_name, variant);
            let taken = self.parameters.iter().any(|p| p.name == short);
            let name = if taken { format!("{}_{}", names::screaming(type_name), names::screaming(variant)) } else { short };
            let value = Bits::from_u64(ty.width(), i as u64);
            self.variants.insert(full.replace("::", "$"), Expr::new(ty, Kind::Const(value.clone(), Some(name.as_str().into()))));
            self.parameters.push(Parameter { name, ty, value });
        }
        Ok(())
    }
}
