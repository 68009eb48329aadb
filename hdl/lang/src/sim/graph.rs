// SPDX-License-Identifier: MIT OR Apache-2.0
//! The flattened design as a graph of machine operations, equal nodes shared.
//!
//! A value of up to 64 bits is one `u64` in *canonical form*: extended to 64 bits by its type's sign. So
//! exact arithmetic, comparisons and extensions need no masking at all. A wider value is several limbs,
//! least significant first, the last one extended in the same way.

use crate::{
    bits::{Bits, limbs_for},
    expr::Ty,
};
use std::collections::HashMap;

/// Index of a node in its graph.
pub(super) type Id = u32;

/// What a node computes from `a`, `b`, `c`. Names in capitals in the comments are immediate numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) enum Op {
    /// A constant: `Graph::consts[A]`.
    Const,
    /// An input, register or read data: number A.
    Source,
    /// Limb B of the wide value `a`; no instruction.
    Limb,
    Copy,
    Add,
    Sub,
    Mul,
    And,
    Or,
    Xor,
    /// `a + b` modulo 2^(64-C), zero- or sign-extended.
    AddU,
    AddS,
    SubU,
    SubS,
    Eq,
    Ne,
    LtU,
    LtS,
    LeU,
    LeS,
    Mux,
    /// `a << b`, then cut to 64-C bits and extended.
    ShlU,
    ShlS,
    ShrU,
    ShrS,
    /// `a << C | b`.
    Concat,
    /// `a << B >> C`: a bit field, zero- or sign-extended.
    FieldU,
    FieldS,
    Parity,
    /// Element `b` of `a`; C is log2 of the element width, at most 64 bits.
    Select,
    /// `Graph::wides[A]`.
    Wide,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum WideOp {
    Add,
    Sub,
    Mul,
    And,
    Or,
    Xor,
    Not,
    Eq,
    Ne,
    Lt,
    Le,
    Mux,
    Shl,
    Shr,
    /// Most significant first.
    Concat,
    /// From bit `lsb` on.
    Slice,
    Select,
    /// Extension by the operand's sign, or truncation; also a change of sign.
    Convert,
    ReduceAnd,
    ReduceOr,
    ReduceXor,
}

/// An operation with an operand or the result above 64 bits.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Wide {
    pub op: WideOp,
    pub ty: Ty,
    pub args: Vec<Value>,
    pub lsb: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Node {
    pub op: Op,
    pub args: [u32; 3],
    /// A type that holds every value of the node.
    pub ty: Ty,
}

/// A node seen as a value of a type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Value {
    pub id: Id,
    pub ty: Ty,
}

#[derive(Default)]
pub(super) struct Graph {
    pub nodes: Vec<Node>,
    pub consts: Vec<Vec<u64>>,
    pub wides: Vec<Wide>,
    shared: HashMap<(Op, [u32; 3]), Id>,
    shared_consts: HashMap<Vec<u64>, Id>,
    shared_wides: HashMap<Wide, Id>,
    pub sources: u32,
}

/// Limbs of a value of this type.
pub(super) fn limbs(ty: Ty) -> usize {
    limbs_for(ty.width())
}

/// The canonical form of the low bits of `raw`.
pub(super) fn canonical(ty: Ty, raw: u64) -> u64 {
    match (ty, 64 - ty.width().min(64)) {
        (Ty::Unsigned(_), s) => raw << s >> s,
        (Ty::Signed(_), s) => (((raw << s) as i64) >> s) as u64,
    }
}

/// Brings the last limb of a value into canonical form.
pub(super) fn normalise(ty: Ty, limbs: &mut [u64]) {
    if let (Some(top), 1..) = (limbs.last_mut(), ty.width() % 64) {
        *top = canonical(ty.with_width(ty.width() % 64), *top);
    }
}

/// The limbs of a constant in canonical form.
pub(super) fn canonical_limbs(ty: Ty, bits: &Bits) -> Vec<u64> {
    let mut out = bits.limbs().to_vec();
    normalise(ty, &mut out);
    out
}

/// One narrow operation; `b` and `c` are numbers or operands as [`Op`] says.
#[inline(always)]
pub(super) fn narrow(op: Op, a: u64, b: u64, c: u64) -> u64 {
    let (sa, sb) = (a as i64, b as i64);
    match op {
        Op::Add => a.wrapping_add(b),
        Op::Sub => a.wrapping_sub(b),
        Op::Mul => a.wrapping_mul(b),
        Op::And => a & b,
        Op::Or => a | b,
        Op::Xor => a ^ b,
        Op::AddU => a.wrapping_add(b) << c >> c,
        Op::AddS => ((a.wrapping_add(b) << c) as i64 >> c) as u64,
        Op::SubU => a.wrapping_sub(b) << c >> c,
        Op::SubS => ((a.wrapping_sub(b) << c) as i64 >> c) as u64,
        Op::Eq => u64::from(a == b),
        Op::Ne => u64::from(a != b),
        Op::LtU => u64::from(a < b),
        Op::LtS => u64::from(sa < sb),
        Op::LeU => u64::from(a <= b),
        Op::LeS => u64::from(sa <= sb),
        Op::Mux if a != 0 => b,
        Op::Mux => c,
        Op::ShlU if b < 64 => a << b << c >> c,
        Op::ShlS if b < 64 => ((a << b << c) as i64 >> c) as u64,
        Op::ShrU if b < 64 => a >> b,
        Op::ShlU | Op::ShlS | Op::ShrU => 0,
        Op::ShrS => (sa >> b.min(63)) as u64,
        Op::Concat => a << c | b,
        Op::FieldU => a << b >> c,
        Op::FieldS => ((a << b) as i64 >> c) as u64,
        Op::Parity => u64::from(a.count_ones() & 1),
        Op::Copy | Op::Limb | Op::Source | Op::Const | Op::Select | Op::Wide => a,
    }
}

impl Op {
    /// How many of the arguments are nodes; [`Op::Wide`] lists its own.
    pub fn operands(self) -> usize {
        match self {
            Op::Const | Op::Source | Op::Wide => 0,
            Op::Limb | Op::Copy | Op::FieldU | Op::FieldS | Op::Parity => 1,
            Op::Mux => 3,
            _ => 2,
        }
    }
}

impl Graph {
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id as usize]
    }

    /// The nodes that a node reads.
    pub fn operands(&self, id: Id) -> impl Iterator<Item = Id> {
        let n = self.node(id);
        let wide: &[Value] = if n.op == Op::Wide { &self.wides[n.args[0] as usize].args } else { &[] };
        n.args.into_iter().take(n.op.operands()).chain(wide.iter().map(|v| v.id))
    }

    fn push(&mut self, op: Op, args: [u32; 3], ty: Ty) -> Id {
        self.nodes.push(Node { op, args, ty });
        self.nodes.len() as u32 - 1
    }

    /// A new input, register or read data.
    pub fn source(&mut self, ty: Ty) -> Value {
        let id = self.push(Op::Source, [self.sources, 0, 0], ty);
        self.sources += 1;
        Value { id, ty }
    }

    /// A constant from limbs in canonical form.
    pub fn constant(&mut self, ty: Ty, limbs: Vec<u64>) -> Value {
        if let Some(&id) = self.shared_consts.get(&limbs) {
            return Value { id, ty };
        }
        let id = self.push(Op::Const, [self.consts.len() as u32, 0, 0], ty);
        self.consts.push(limbs.clone());
        self.shared_consts.insert(limbs, id);
        Value { id, ty }
    }

    pub fn number(&mut self, ty: Ty, value: u64) -> Id {
        self.constant(ty, vec![value]).id
    }

    /// The value of a narrow constant.
    pub fn known(&self, id: Id) -> Option<u64> {
        let n = self.node(id);
        match self.consts.get(n.args[0] as usize).map(Vec::as_slice) {
            Some(&[value]) if n.op == Op::Const => Some(value),
            _ => None,
        }
    }

    /// A narrow operation, shared, and computed here where its operands are constants.
    pub fn op(&mut self, op: Op, args: [u32; 3], ty: Ty) -> Id {
        if let Some(&id) = self.shared.get(&(op, args)) {
            return id;
        }
        let n = op.operands();
        let mut values = args.map(u64::from);
        let foldable = !matches!(op, Op::Limb | Op::Select | Op::Copy);
        let constant = foldable && (0..n).all(|i| self.known(args[i]).map(|v| values[i] = v).is_some());
        let id = match constant {
            true => self.number(ty, narrow(op, values[0], values[1], values[2])),
            false => self.push(op, args, ty),
        };
        self.shared.insert((op, args), id);
        id
    }

    pub fn wide(&mut self, op: WideOp, ty: Ty, args: &[Value], lsb: u32) -> Value {
        let wide = Wide { op, ty, args: args.to_vec(), lsb };
        let id = match self.shared_wides.get(&wide) {
            Some(&id) => id,
            None => {
                let id = self.push(Op::Wide, [self.wides.len() as u32, 0, 0], ty);
                self.wides.push(wide.clone());
                self.shared_wides.insert(wide, id);
                id
            }
        };
        Value { id, ty }
    }

    /// Limb `i` of a value, as a node of 64 bits (or the value itself).
    pub fn limb(&mut self, v: Value, i: u32) -> Id {
        match limbs(v.ty) {
            1 => v.id,
            _ => self.op(Op::Limb, [v.id, i, 0], Ty::Unsigned(64)),
        }
    }

    /// Bits `lsb..lsb + width` of a 64-bit limb, extended as `signed` says.
    pub fn field(&mut self, a: Id, lsb: u32, width: u32, signed: bool) -> Id {
        let ty = if signed { Ty::Signed(width) } else { Ty::Unsigned(width) };
        let n = *self.node(a);
        let fits = match n.ty {
            Ty::Unsigned(w) => w < width + u32::from(!signed),
            Ty::Signed(w) => signed && w <= width,
        };
        if lsb == 0 && (fits || width == 64) {
            return a;
        }
        match n.op {
            Op::FieldU | Op::FieldS => {
                let (inner_lsb, inner_width) = (n.args[2] - n.args[1], 64 - n.args[2]);
                if lsb + width <= inner_width {
                    return self.field(n.args[0], inner_lsb + lsb, width, signed);
                }
            }
            Op::Concat if lsb + width <= n.args[2] => return self.field(n.args[1], lsb, width, signed),
            Op::Concat if lsb >= n.args[2] => return self.field(n.args[0], lsb - n.args[2], width, signed),
            _ => {}
        }
        let op = if signed { Op::FieldS } else { Op::FieldU };
        self.op(op, [a, 64 - lsb - width, 64 - width], ty)
    }

    /// `condition ? then : otherwise` on nodes of one size.
    pub fn mux(&mut self, condition: Id, then: Value, otherwise: Value) -> Value {
        match self.known(condition) {
            _ if then.id == otherwise.id => return then,
            Some(0) => return otherwise,
            Some(_) => return then,
            None => {}
        }
        if limbs(then.ty) > 1 {
            return self.wide(WideOp::Mux, then.ty, &[Value { id: condition, ty: Ty::BIT }, then, otherwise], 0);
        }
        Value { id: self.op(Op::Mux, [condition, then.id, otherwise.id], then.ty), ty: then.ty }
    }
}
