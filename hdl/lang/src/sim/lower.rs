// SPDX-License-Identifier: MIT OR Apache-2.0
//! Expressions to graph nodes: one machine operation each where every width is at most 64 bits.

use super::graph::{Graph, Op, Value, WideOp, canonical_limbs, limbs};
use crate::expr::{BinaryOp, Expr, Kind, NetId, Node, Ty, UnaryOp};
use std::{collections::HashMap, sync::Arc};

/// Lowered subexpressions of one scope that several expressions share.
pub(super) type Memo = HashMap<(usize, *const Node), Value>;

pub(super) struct Lower<'a, N: Fn(NetId) -> Value> {
    pub graph: &'a mut Graph,
    pub memo: &'a mut Memo,
    pub scope: usize,
    pub net: N,
}

fn is_narrow(v: Value) -> bool {
    limbs(v.ty) == 1
}

impl<N: Fn(NetId) -> Value> Lower<'_, N> {
    pub fn expr(&mut self, e: &Expr) -> Value {
        let key = (self.scope, Arc::as_ptr(&e.0));
        if let Some(&v) = self.memo.get(&key) {
            return v;
        }
        let value = self.compute(e);
        if Arc::strong_count(&e.0) > 1 && !matches!(e.kind(), Kind::Net(..)) {
            self.memo.insert(key, value);
        }
        value
    }

    fn compute(&mut self, e: &Expr) -> Value {
        let ty = e.ty();
        match e.kind() {
            Kind::Const(bits, _) => self.graph.constant(ty, canonical_limbs(ty, bits)),
            Kind::Net(id, _) => Value { ty, ..(self.net)(*id) },
            Kind::Unary(op, a) => {
                let a = self.expr(a);
                self.unary(*op, a, ty)
            }
            Kind::Binary(op, a, b) => {
                let (a, b) = (self.expr(a), self.expr(b));
                self.binary(*op, a, b, ty)
            }
            Kind::Mux(c, a, b) => {
                let (c, a, b) = (self.expr(c), self.expr(a), self.expr(b));
                self.graph.mux(c.id, a, b)
            }
            Kind::Slice(a, lsb) => {
                let a = self.expr(a);
                self.slice(a, *lsb, ty)
            }
            Kind::Select(a, index) => {
                let (a, index) = (self.expr(a), self.expr(index));
                self.select(a, index, ty)
            }
            Kind::Concat(parts) => {
                let parts: Vec<Value> = parts.iter().map(|p| self.expr(p)).collect();
                self.concat(&parts, ty)
            }
            Kind::Resize(a) | Kind::Cast(a) => {
                let a = self.expr(a);
                self.convert(a, ty)
            }
            // A built module has none.
            Kind::Poison(_) => self.graph.constant(ty, vec![0; limbs(ty)]),
        }
    }

    fn unary(&mut self, op: UnaryOp, a: Value, ty: Ty) -> Value {
        let g = &mut *self.graph;
        let ones = match a.ty {
            Ty::Unsigned(w) if w < 64 => (1 << w) - 1,
            _ => u64::MAX,
        };
        if !is_narrow(a) || !is_narrow(Value { id: 0, ty }) {
            return match op {
                UnaryOp::Not => g.wide(WideOp::Not, ty, &[a], 0),
                UnaryOp::Neg => {
                    let zero = g.constant(a.ty, vec![0]);
                    g.wide(WideOp::Sub, ty, &[Value { ty: a.ty.with_width(1), ..zero }, a], 0)
                }
                UnaryOp::ReduceAnd => g.wide(WideOp::ReduceAnd, ty, &[a], 0),
                UnaryOp::ReduceOr => g.wide(WideOp::ReduceOr, ty, &[a], 0),
                UnaryOp::ReduceXor => g.wide(WideOp::ReduceXor, ty, &[a], 0),
            };
        }
        let id = match op {
            UnaryOp::Not => {
                let ones = g.number(a.ty, ones);
                g.op(Op::Xor, [a.id, ones, 0], ty)
            }
            UnaryOp::Neg => {
                let zero = g.number(Ty::BIT, 0);
                g.op(Op::Sub, [zero, a.id, 0], ty)
            }
            UnaryOp::ReduceAnd => {
                let ones = g.number(a.ty, ones);
                g.op(Op::Eq, [a.id, ones, 0], ty)
            }
            UnaryOp::ReduceOr => {
                let zero = g.number(Ty::BIT, 0);
                g.op(Op::Ne, [a.id, zero, 0], ty)
            }
            UnaryOp::ReduceXor => {
                let raw = g.field(a.id, 0, a.ty.width(), false);
                g.op(Op::Parity, [raw, 0, 0], ty)
            }
        };
        Value { id, ty }
    }

    fn binary(&mut self, op: BinaryOp, a: Value, b: Value, ty: Ty) -> Value {
        let signed = a.ty.is_signed();
        if !is_narrow(a) || !is_narrow(b) || limbs(ty) > 1 {
            return self.wide_binary(op, a, b, ty);
        }
        if op == BinaryOp::WrapMul {
            let product = self.graph.op(Op::Mul, [a.id, b.id, 0], Ty::Unsigned(64));
            return Value { id: self.graph.field(product, 0, ty.width(), ty.is_signed()), ty };
        }
        let cut = 64 - ty.width();
        let pick = |u, s| if signed { s } else { u };
        let (op, c) = match op {
            BinaryOp::Add => (Op::Add, 0),
            BinaryOp::Sub => (Op::Sub, 0),
            BinaryOp::Mul => (Op::Mul, 0),
            BinaryOp::WrapMul => unreachable!("handled above"),
            BinaryOp::WrapAdd => (pick(Op::AddU, Op::AddS), cut),
            BinaryOp::WrapSub => (pick(Op::SubU, Op::SubS), cut),
            BinaryOp::And => (Op::And, 0),
            BinaryOp::Or => (Op::Or, 0),
            BinaryOp::Xor => (Op::Xor, 0),
            BinaryOp::Eq => (Op::Eq, 0),
            BinaryOp::Ne => (Op::Ne, 0),
            BinaryOp::Lt => (pick(Op::LtU, Op::LtS), 0),
            BinaryOp::Le => (pick(Op::LeU, Op::LeS), 0),
            BinaryOp::Shl => (pick(Op::ShlU, Op::ShlS), cut),
            BinaryOp::Shr => (pick(Op::ShrU, Op::ShrS), 0),
        };
        match (op, self.graph.known(a.id), self.graph.known(b.id)) {
            (Op::And, Some(0), _) | (Op::Or | Op::Xor | Op::Add, _, Some(0)) => return Value { ty, ..a },
            (Op::And, _, Some(0)) | (Op::Or | Op::Xor | Op::Add, Some(0), _) => return Value { ty, ..b },
            _ => {}
        }
        Value { id: self.graph.op(op, [a.id, b.id, c], ty), ty }
    }

    fn wide_binary(&mut self, op: BinaryOp, a: Value, b: Value, ty: Ty) -> Value {
        let op = match op {
            BinaryOp::Add | BinaryOp::WrapAdd => WideOp::Add,
            BinaryOp::Sub | BinaryOp::WrapSub => WideOp::Sub,
            BinaryOp::Mul | BinaryOp::WrapMul => WideOp::Mul,
            BinaryOp::And => WideOp::And,
            BinaryOp::Or => WideOp::Or,
            BinaryOp::Xor => WideOp::Xor,
            BinaryOp::Eq => WideOp::Eq,
            BinaryOp::Ne => WideOp::Ne,
            BinaryOp::Lt => WideOp::Lt,
            BinaryOp::Le => WideOp::Le,
            BinaryOp::Shl => WideOp::Shl,
            BinaryOp::Shr => WideOp::Shr,
        };
        self.graph.wide(op, ty, &[a, b], 0)
    }

    /// `ty.width()` bits from `lsb` on, extended as the type says.
    fn slice(&mut self, a: Value, lsb: u32, ty: Ty) -> Value {
        let width = ty.width();
        if is_narrow(a) {
            return Value { id: self.graph.field(a.id, lsb, width, ty.is_signed()), ty };
        }
        if let Some((part, lsb)) = self.part(a, lsb, width) {
            return self.slice(part, lsb, ty);
        }
        let (first, last, shift) = (lsb / 64, (lsb + width - 1) / 64, lsb % 64);
        if first == last {
            let limb = self.graph.limb(a, first);
            return Value { id: self.graph.field(limb, shift, width, ty.is_signed()), ty };
        }
        self.graph.wide(WideOp::Slice, ty, &[a], lsb)
    }

    /// The part of a wide concatenation (or the operand of a wide conversion) in which all the bits lie.
    fn part(&self, a: Value, lsb: u32, width: u32) -> Option<(Value, u32)> {
        let node = self.graph.node(a.id);
        let wide = (node.op == Op::Wide).then(|| &self.graph.wides[node.args[0] as usize])?;
        match wide.op {
            WideOp::Slice => Some((wide.args[0], lsb + wide.lsb)).filter(|_| lsb + width <= wide.ty.width()),
            WideOp::Convert => Some((wide.args[0], lsb)).filter(|(v, _)| lsb + width <= v.ty.width().min(wide.ty.width())),
            WideOp::Concat => {
                let mut base = 0;
                for &part in wide.args.iter().rev() {
                    if lsb >= base && lsb + width <= base + part.ty.width() {
                        return Some((part, lsb - base));
                    }
                    base += part.ty.width();
                }
                None
            }
            _ => None,
        }
    }

    fn select(&mut self, a: Value, index: Value, ty: Ty) -> Value {
        if let Some(i) = self.graph.known(index.id) {
            return self.slice(a, i as u32 * ty.width(), ty);
        }
        if limbs(ty) > 1 {
            return self.graph.wide(WideOp::Select, ty, &[a, index], 0);
        }
        Value { id: self.graph.op(Op::Select, [a.id, index.id, ty.width().trailing_zeros()], ty), ty }
    }

    fn concat(&mut self, parts: &[Value], ty: Ty) -> Value {
        if limbs(ty) > 1 {
            return self.graph.wide(WideOp::Concat, ty, parts, 0);
        }
        let mut out: Option<Value> = None;
        for &part in parts {
            let raw = self.graph.field(part.id, 0, part.ty.width(), false);
            out = Some(match out {
                None => Value { id: raw, ty: Ty::Unsigned(part.ty.width()) },
                Some(high) => {
                    let ty = Ty::Unsigned(high.ty.width() + part.ty.width());
                    Value { id: self.graph.op(Op::Concat, [high.id, raw, part.ty.width()], ty), ty }
                }
            });
        }
        out.unwrap_or_else(|| self.graph.constant(ty, vec![0; limbs(ty)]))
    }

    /// Extension by the operand's sign, truncation, or the same bits with the other sign.
    fn convert(&mut self, a: Value, ty: Ty) -> Value {
        let (from, to) = (a.ty.width(), ty.width());
        if limbs(ty) == 1 && to <= from {
            return self.slice(a, 0, ty);
        }
        // An extension changes nothing in canonical form, unless it adds limbs.
        let extends = to > from && (a.ty.is_signed() == ty.is_signed() || !a.ty.is_signed());
        if extends && limbs(a.ty) == limbs(ty) {
            return Value { id: a.id, ty };
        }
        self.graph.wide(WideOp::Convert, ty, &[a], 0)
    }
}
