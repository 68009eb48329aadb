// SPDX-License-Identifier: MIT OR Apache-2.0
//! Parts of a value, values of parts, and changes of width and sign.

use super::{BinaryOp, Expr, Kind, Ty, UnaryOp};
use crate::bits::Bits;

impl Expr {
    /// `width` bits from `lsb` on; unsigned.
    pub fn slice(&self, lsb: u32, width: u32) -> Expr {
        let ty = Ty::Unsigned(width);
        if width == 0 || lsb + width > self.width() {
            return Expr::poison(ty, format!("no bits {lsb}..{} in {}", lsb + width, self.describe()));
        }
        match self.kind() {
            _ if width == self.width() => self.as_unsigned(),
            Kind::Slice(inner, base) => Expr::new(ty, Kind::Slice(inner.clone(), base + lsb)),
            Kind::Cast(inner) => inner.slice(lsb, width),
            Kind::Resize(inner) if lsb + width <= inner.width() => inner.slice(lsb, width),
            Kind::Concat(parts) => Expr::concat(overlap(parts, lsb, width)),
            _ => Expr::new(ty, Kind::Slice(self.clone(), lsb)),
        }
    }

    pub fn bit(&self, i: u32) -> Expr {
        self.slice(i, 1)
    }

    pub fn msb(&self) -> Expr {
        self.bit(self.width() - 1)
    }

    /// The value cut into elements of `width` bits, element 0 lowest.
    pub fn chunks(&self, width: u32) -> Vec<Expr> {
        if width == 0 || !self.width().is_multiple_of(width) {
            return vec![Expr::poison(Ty::Unsigned(width), format!("{} is not a multiple of {width} bits", self.describe()))];
        }
        (0..self.width() / width).map(|i| self.slice(i * width, width)).collect()
    }

    /// Element `index` of elements of `width` bits; every value of `index` must name one.
    pub fn select(&self, index: &Expr, width: u32) -> Expr {
        let ty = Ty::Unsigned(width);
        let elements = self.width().checked_div(width).unwrap_or(0);
        let legal = width.is_power_of_two() && self.width().is_multiple_of(width) && elements.is_power_of_two();
        if !legal || index.ty().is_signed() || index.width() > 31 || 1 << index.width() > elements {
            return self.mismatch(index, &format!("an element of {width} bits needs powers of two and an index in range"), ty);
        }
        Expr::new(ty, Kind::Select(self.clone(), index.clone()))
    }

    /// The element that `self` counts to, all of one type; an index past the end gives the last one or a
    /// repetition: the caller rules it out.
    pub fn choose(&self, elements: &[Expr]) -> Expr {
        match elements {
            [] => Expr::poison(Ty::BIT, format!("{} chooses from nothing", self.describe())),
            [one] => one.clone(),
            _ => {
                let half = elements.len().next_power_of_two() / 2;
                let bit = half.trailing_zeros();
                if bit >= self.width() {
                    return self.mismatch(&elements[half], "an index has too few bits for the elements: it", elements[0].ty());
                }
                let (low, high) = elements.split_at(half);
                let low = self.choose(low);
                self.bit(bit).mux(self.choose(high), &low)
            }
        }
    }

    /// Most significant first; unsigned.
    pub fn concat(parts: impl IntoIterator<Item = Expr>) -> Expr {
        let parts: Vec<Expr> = parts.into_iter().collect();
        let width = parts.iter().map(Expr::width).sum();
        if width == 0 {
            return Expr::poison(Ty::BIT, "a concatenation of nothing".into());
        }
        match parts.len() {
            1 => parts[0].as_unsigned(),
            _ => Expr::new(Ty::Unsigned(width), Kind::Concat(parts)),
        }
    }

    /// Elements packed with element 0 lowest; unsigned.
    pub fn pack<'a>(elements: impl IntoIterator<Item = &'a Expr, IntoIter: DoubleEndedIterator>) -> Expr {
        Expr::concat(elements.into_iter().rev().cloned())
    }

    /// The value repeated `n` times.
    pub fn repeat(&self, n: u32) -> Expr {
        Expr::concat((0..n).map(|_| self.clone()))
    }

    /// The same value in more bits; an error if `width` is smaller.
    pub fn extend(&self, width: u32) -> Expr {
        if width < self.width() {
            return Expr::poison(self.ty().with_width(width), format!("{} cannot be extended to {width} bits", self.describe()));
        }
        self.resize(width)
    }

    /// The low `width` bits, same sign; an error if `width` is larger.
    pub fn truncate(&self, width: u32) -> Expr {
        if width > self.width() || width == 0 {
            return Expr::poison(self.ty().with_width(width), format!("{} cannot be cut to {width} bits", self.describe()));
        }
        self.resize(width)
    }

    /// Extension or truncation to `width`, whichever it takes.
    pub fn resize(&self, width: u32) -> Expr {
        if width == self.width() {
            return self.clone();
        }
        let narrower = width < self.width();
        match self.kind() {
            Kind::Const(bits, name) if narrower || name.is_none() => {
                let sign = self.ty().is_signed() && bits.bit(self.width() - 1);
                let value = (0..width).fold(Bits::zero(width), |mut out, i| {
                    out.set_bit(i, if i < self.width() { bits.bit(i) } else { sign });
                    out
                });
                Expr::from_bits(self.ty().with_width(width), value)
            }
            // Low bits of a sum depend on low bits only: no net with unread high bits arises.
            Kind::Binary(op @ (BinaryOp::Add | BinaryOp::WrapAdd | BinaryOp::Sub | BinaryOp::WrapSub), a, b) if narrower && width > 0 => {
                let (a, b) = (a.resize(width), b.resize(width));
                let adds = matches!(op, BinaryOp::Add | BinaryOp::WrapAdd);
                let sum = if adds { a.wrapping_add(b) } else { a.wrapping_sub(b) };
                if self.ty().is_signed() { sum.as_signed() } else { sum }
            }
            Kind::Binary(BinaryOp::Mul | BinaryOp::WrapMul, a, b) if narrower && width >= a.width().max(b.width()) => {
                Expr::new(self.ty().with_width(width), Kind::Binary(BinaryOp::WrapMul, a.clone(), b.clone()))
            }
            Kind::Unary(UnaryOp::Not, a) if narrower && width > 0 => !a.resize(width),
            Kind::Binary(op @ (BinaryOp::And | BinaryOp::Or | BinaryOp::Xor), a, b) if narrower && width > 0 => {
                let (a, b) = (a.resize(width), b.resize(width));
                match op {
                    // A mask that only cuts what is cut anyway.
                    BinaryOp::And if a.is_ones() => b,
                    BinaryOp::And if b.is_ones() => a,
                    _ => Expr::new(a.ty(), Kind::Binary(*op, a, b)),
                }
            }
            Kind::Binary(BinaryOp::Shl, a, amount) if narrower && width > 0 => a.resize(width).shl(amount),
            Kind::Slice(a, lsb) if narrower && width > 0 => a.slice(*lsb, width),
            Kind::Concat(_) if narrower && width > 0 => self.slice(0, width),
            Kind::Cast(inner) if narrower && width > 0 => {
                let inner = inner.resize(width);
                if self.ty().is_signed() { inner.as_signed() } else { inner.as_unsigned() }
            }
            Kind::Resize(inner) if narrower && inner.width() < self.width() => inner.resize(width),
            _ => Expr::new(self.ty().with_width(width), Kind::Resize(self.clone())),
        }
    }

    fn is_ones(&self) -> bool {
        matches!(self.kind(), Kind::Const(bits, _) if (0..bits.width()).all(|i| bits.bit(i)))
    }

    pub fn as_signed(&self) -> Expr {
        match self.ty() {
            Ty::Signed(_) => self.clone(),
            Ty::Unsigned(w) => Expr::new(Ty::Signed(w), Kind::Cast(self.clone())),
        }
    }

    pub fn as_unsigned(&self) -> Expr {
        match self.ty() {
            Ty::Unsigned(_) => self.clone(),
            Ty::Signed(w) => Expr::new(Ty::Unsigned(w), Kind::Cast(self.clone())),
        }
    }

    /// An unsigned value as a signed one of one bit more: exact.
    pub fn to_signed(&self) -> Expr {
        match self.ty() {
            Ty::Signed(_) => self.clone(),
            Ty::Unsigned(w) => self.extend(w + 1).as_signed(),
        }
    }

    /// Exact negation, one bit wider, signed.
    pub fn negate(&self) -> Expr {
        Expr::new(Ty::Signed(self.width() + 1), Kind::Unary(UnaryOp::Neg, self.clone()))
    }
}

/// The parts of a concatenation (most significant first) that bits `lsb ..` lie in, cut to them.
fn overlap(parts: &[Expr], lsb: u32, width: u32) -> Vec<Expr> {
    let mut out = Vec::new();
    let mut base = 0;
    for part in parts.iter().rev() {
        let (low, high) = (lsb.max(base), (lsb + width).min(base + part.width()));
        if low < high {
            out.push(part.slice(low - base, high - low));
        }
        base += part.width();
    }
    out.reverse();
    out
}
