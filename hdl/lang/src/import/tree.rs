// SPDX-License-Identifier: MIT OR Apache-2.0
//! A rust-hdl block as plain data: signals, children and kernel, gathered by rust-hdl's `Probe`.

use crate::{bits::Bits, expr::Ty};
use rust_hdl::core::{
    ast::{Verilog, VerilogLiteral},
    atom::{Atom, AtomKind},
    block::Block,
    probe::Probe,
    type_descriptor::{TypeDescriptor, TypeKind},
};

#[derive(Debug, Clone)]
pub struct Signal {
    /// Field path inside its block, parts joined by `$`.
    pub path: String,
    pub kind: AtomKind,
    pub ty: Ty,
    pub descriptor: TypeDescriptor,
    /// The value at the time of the walk: of a constant, or what a signal starts with.
    pub value: Bits,
}

impl Signal {
    pub fn is_clock(&self) -> bool {
        self.descriptor.name == "clock"
    }
}

#[derive(Debug, Clone)]
pub struct Node {
    /// Field name in the parent; an element of an array or `Vec` is `field$index`.
    pub name: String,
    pub signals: Vec<Signal>,
    pub children: Vec<Node>,
    pub code: Verilog,
}

impl Node {
    pub fn signal(&self, path: &str) -> Option<&Signal> {
        self.signals.iter().find(|s| s.path == path)
    }
}

pub fn walk(name: &str, block: &impl Block) -> Node {
    let mut walker = Walker { open: vec![], namespace: vec![], root: None };
    block.accept(name, &mut walker);
    let empty = || Node { name: name.into(), signals: vec![], children: vec![], code: Verilog::Empty };
    walker.root.unwrap_or_else(empty)
}

struct Walker {
    /// Blocks that have been entered and not left.
    open: Vec<Node>,
    /// Interfaces that have been entered and not left.
    namespace: Vec<String>,
    root: Option<Node>,
}

impl Probe for Walker {
    fn visit_start_scope(&mut self, name: &str, node: &dyn Block) {
        self.namespace.clear();
        self.open.push(Node { name: name.into(), signals: vec![], children: vec![], code: node.hdl() });
    }

    fn visit_start_namespace(&mut self, name: &str, _: &dyn Block) {
        self.namespace.push(name.into());
    }

    fn visit_atom(&mut self, name: &str, atom: &dyn Atom) {
        let path = self.namespace.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join("$");
        let descriptor = atom.descriptor();
        let width = atom.bits() as u32;
        let ty = if matches!(descriptor.kind, TypeKind::Signed(_)) { Ty::Signed(width) } else { Ty::Unsigned(width) };
        let value = Literal::of(&atom.verilog()).bits(width);
        if let Some(node) = self.open.last_mut() {
            node.signals.push(Signal { path, kind: atom.kind(), ty, descriptor, value });
        }
    }

    fn visit_end_namespace(&mut self, _: &str, _: &dyn Block) {
        self.namespace.pop();
    }

    fn visit_end_scope(&mut self, _: &str, _: &dyn Block) {
        let Some(node) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => self.root = Some(node),
        }
    }
}

/// A literal of rust-hdl's syntax tree, whose fields are private: read from its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    pub width: u32,
    negative: bool,
    /// Magnitude.
    limbs: Vec<u64>,
}

impl Literal {
    pub fn of(v: &VerilogLiteral) -> Self {
        Literal::parse(&format!("{v:x}")).unwrap_or(Literal { width: 1, negative: false, limbs: vec![] })
    }

    /// `8'hff`, `5'b101`, `32'h-1`.
    pub fn parse(text: &str) -> Option<Self> {
        let (width, rest) = text.trim().split_once('\'')?;
        let width = width.trim().parse().ok()?;
        let step = match rest.chars().next()? {
            'b' => 1,
            'h' => 4,
            _ => return None,
        };
        let digits = &rest[1..];
        let negative = digits.starts_with('-');
        let mut limbs = vec![];
        for (i, c) in digits.trim_start_matches('-').chars().rev().enumerate() {
            let at = i * step;
            limbs.resize(at / 64 + 1, 0u64);
            limbs[at / 64] |= u64::from(c.to_digit(1 << step)?) << (at % 64);
        }
        Some(Literal { width, negative, limbs })
    }

    /// The low `width` bits, two's complement.
    pub fn bits(&self, width: u32) -> Bits {
        match self.number() {
            Some(n) => Bits::from_i128(width, n),
            None => Bits::from_limbs(width, &self.limbs),
        }
    }

    /// As a number, where 127 bits hold it.
    pub fn number(&self) -> Option<i128> {
        let high = self.limbs.get(1).copied().unwrap_or(0);
        if high >> 63 != 0 || self.limbs.iter().skip(2).any(|&l| l != 0) {
            return None;
        }
        let magnitude = i128::from(high) << 64 | i128::from(self.limbs.first().copied().unwrap_or(0));
        Some(if self.negative { -magnitude } else { magnitude })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_of_any_width_and_sign() {
        assert_eq!(Literal::parse("8'hff").and_then(|l| l.number()), Some(255));
        assert_eq!(Literal::parse("5'b101").and_then(|l| l.number()), Some(5));
        assert_eq!(Literal::parse("32'h-2").and_then(|l| l.number()), Some(-2));
        let wide = Literal::parse("200'hf0000000000000000000000000000000000000001").unwrap();
        assert_eq!(wide.number(), None);
        assert_eq!(format!("{:x}", wide.bits(200)), "f0000000000000000000000000000000000000001");
        assert_eq!(Literal::parse("8'o7"), None);
    }
}
