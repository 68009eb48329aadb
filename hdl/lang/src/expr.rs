// SPDX-License-Identifier: MIT OR Apache-2.0
//! Typed expressions: the operators of the builder.
//!
//! Arithmetic is exact: `a + b` has one bit more than its wider operand, `a * b` the sum of the widths,
//! and the difference of two unsigned values is signed. What shrinks a value says so: [`Expr::truncate`],
//! [`Expr::wrapping_add`], [`Expr::slice`]. Operands of different sign, and operands of different width
//! where an operator needs equal ones, make an error that names them; it is reported when the module
//! that uses the expression is built.

use crate::bits::Bits;
use std::{fmt, sync::Arc};

/// Width and sign of a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ty {
    Unsigned(u32),
    Signed(u32),
}

impl Ty {
    pub const BIT: Ty = Ty::Unsigned(1);

    pub const fn width(self) -> u32 {
        match self {
            Ty::Unsigned(w) | Ty::Signed(w) => w,
        }
    }

    pub const fn is_signed(self) -> bool {
        matches!(self, Ty::Signed(_))
    }

    /// The same sign, another width.
    pub const fn with_width(self, width: u32) -> Ty {
        match self {
            Ty::Unsigned(_) => Ty::Unsigned(width),
            Ty::Signed(_) => Ty::Signed(width),
        }
    }
}

impl fmt::Debug for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ty::Unsigned(w) => write!(f, "u{w}"),
            Ty::Signed(w) => write!(f, "i{w}"),
        }
    }
}

/// Index of a net in its module.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct NetId(pub u32);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    Not,
    /// Exact: one bit more, signed.
    Neg,
    ReduceAnd,
    ReduceOr,
    ReduceXor,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BinaryOp {
    /// Exact: max + 1 bits.
    Add,
    /// Exact: max + 1 bits, signed.
    Sub,
    /// Exact: the sum of the widths.
    Mul,
    /// Modulo 2^width; operands of one type.
    WrapAdd,
    WrapSub,
    /// The low bits of the product, at least as many as the wider operand has; operands of one sign.
    WrapMul,
    And,
    Or,
    Xor,
    Eq,
    Ne,
    Lt,
    Le,
    /// Bits that leave on the left are lost; vacated bits are zero; the amount is unsigned.
    Shl,
    /// Arithmetic where the left operand is signed.
    Shr,
}

#[derive(Clone, Debug)]
pub enum Kind {
    /// A value, with the name of the local parameter it stands for, if any.
    Const(Bits, Option<Arc<str>>),
    Net(NetId, Arc<str>),
    Unary(UnaryOp, Expr),
    Binary(BinaryOp, Expr, Expr),
    /// Condition, then, else.
    Mux(Expr, Expr, Expr),
    /// Bits `lsb ..` of the value; unsigned.
    Slice(Expr, u32),
    /// `value[index * width +: width]`, every index in range; unsigned.
    Select(Expr, Expr),
    /// Most significant first; unsigned.
    Concat(Vec<Expr>),
    /// Zero- or sign-extension by the operand's sign, or truncation.
    Resize(Expr),
    /// The same bits with the other sign.
    Cast(Expr),
    /// A mistake, reported when the module is built.
    Poison(String),
}

#[derive(Debug)]
pub struct Node {
    pub ty: Ty,
    pub kind: Kind,
}

/// A value of some module, cheap to clone.
#[derive(Clone, Debug)]
pub struct Expr(pub Arc<Node>);

/// An expression, or a Rust integer that takes its partner's type.
pub trait Operand {
    fn like(self, partner: &Expr) -> Expr;
}

impl Operand for Expr {
    fn like(self, _: &Expr) -> Expr {
        self
    }
}

impl Operand for &Expr {
    fn like(self, _: &Expr) -> Expr {
        self.clone()
    }
}

macro_rules! integer_operand {
    ($($t:ty),*) => {$(
        impl Operand for $t {
            fn like(self, partner: &Expr) -> Expr {
                Expr::constant(partner.ty(), self as i128)
            }
        }
    )*};
}
integer_operand!(i32, i64, i128, u32, u64, usize);

impl Expr {
    pub fn new(ty: Ty, kind: Kind) -> Expr {
        Expr(Arc::new(Node { ty, kind }))
    }

    pub fn ty(&self) -> Ty {
        self.0.ty
    }

    pub fn width(&self) -> u32 {
        self.0.ty.width()
    }

    pub fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// A constant; an error if the value does not fit its type.
    pub fn constant(ty: Ty, value: i128) -> Expr {
        let w = ty.width();
        let fits = match ty {
            Ty::Unsigned(_) => value >= 0 && (w >= 127 || value >> w == 0),
            Ty::Signed(_) => w >= 128 || w > 0 && (value >> (w - 1) == 0 || value >> (w - 1) == -1),
        };
        if !fits {
            return Expr::poison(ty, format!("the constant {value} does not fit {ty:?}"));
        }
        Expr::new(ty, Kind::Const(Bits::from_i128(w, value), None))
    }

    pub fn from_bits(ty: Ty, bits: Bits) -> Expr {
        Expr::new(ty, Kind::Const(bits, None))
    }

    /// A one-bit constant.
    pub fn bit_const(value: bool) -> Expr {
        Expr::constant(Ty::BIT, value.into())
    }

    pub fn poison(ty: Ty, message: String) -> Expr {
        Expr::new(ty, Kind::Poison(message))
    }

    /// What the expression is called in an error: its net's name, or its operator.
    pub fn describe(&self) -> String {
        let ty = self.ty();
        match self.kind() {
            Kind::Net(_, name) => format!("`{name}` ({ty:?})"),
            Kind::Const(bits, _) => format!("the constant {bits:?} ({ty:?})"),
            Kind::Unary(op, a) => format!("{op:?} of {} ({ty:?})", a.describe()),
            Kind::Binary(op, a, b) => format!("{op:?} of {} and {} ({ty:?})", a.describe(), b.describe()),
            Kind::Mux(..) => format!("a mux ({ty:?})"),
            Kind::Slice(a, lsb) => format!("bits {}..={lsb} of {}", lsb + self.width() - 1, a.describe()),
            Kind::Select(a, _) => format!("an element of {}", a.describe()),
            Kind::Concat(_) => format!("a concatenation ({ty:?})"),
            Kind::Resize(a) | Kind::Cast(a) => format!("{} as {ty:?}", a.describe()),
            Kind::Poison(message) => format!("an expression in error ({message})"),
        }
    }

    fn mismatch(&self, other: &Expr, op: &str, ty: Ty) -> Expr {
        Expr::poison(ty, format!("{op}: {} and {} do not match", self.describe(), other.describe()))
    }

    fn arithmetic(&self, op: BinaryOp, other: impl Operand) -> Expr {
        let other = other.like(self);
        let (a, b) = (self.ty(), other.ty());
        let grown = a.width().max(b.width()) + 1;
        let ty = match op {
            BinaryOp::Mul => a.with_width(a.width() + b.width()),
            BinaryOp::Sub => Ty::Signed(grown),
            _ => a.with_width(grown),
        };
        if a.is_signed() != b.is_signed() {
            return self.mismatch(&other, &format!("{op:?} needs operands of one sign"), ty);
        }
        Expr::new(ty, Kind::Binary(op, self.clone(), other))
    }

    fn same_type(&self, op: BinaryOp, other: impl Operand) -> Expr {
        let other = other.like(self);
        if self.ty() != other.ty() {
            return self.mismatch(&other, &format!("{op:?} needs operands of one type"), self.ty());
        }
        Expr::new(self.ty(), Kind::Binary(op, self.clone(), other))
    }

    fn compare(&self, op: BinaryOp, other: impl Operand, swap: bool) -> Expr {
        let other = other.like(self);
        if self.ty().is_signed() != other.ty().is_signed() {
            return self.mismatch(&other, "a comparison needs operands of one sign", Ty::BIT);
        }
        let (a, b) = if swap { (other, self.clone()) } else { (self.clone(), other) };
        Expr::new(Ty::BIT, Kind::Binary(op, a, b))
    }

    /// Modulo 2^width; both of one type.
    pub fn wrapping_add(&self, other: impl Operand) -> Expr {
        self.same_type(BinaryOp::WrapAdd, other)
    }

    /// Modulo 2^width; both of one type.
    pub fn wrapping_sub(&self, other: impl Operand) -> Expr {
        self.same_type(BinaryOp::WrapSub, other)
    }

    pub fn eq(&self, other: impl Operand) -> Expr {
        self.compare(BinaryOp::Eq, other, false)
    }

    pub fn ne(&self, other: impl Operand) -> Expr {
        self.compare(BinaryOp::Ne, other, false)
    }

    pub fn lt(&self, other: impl Operand) -> Expr {
        self.compare(BinaryOp::Lt, other, false)
    }

    pub fn le(&self, other: impl Operand) -> Expr {
        self.compare(BinaryOp::Le, other, false)
    }

    pub fn gt(&self, other: impl Operand) -> Expr {
        self.compare(BinaryOp::Lt, other, true)
    }

    pub fn ge(&self, other: impl Operand) -> Expr {
        self.compare(BinaryOp::Le, other, true)
    }

    /// `self << n`, widened by `n`: exact.
    pub fn shift_left(&self, n: u32) -> Expr {
        if n == 0 {
            return self.clone();
        }
        let shifted = Expr::concat([self.as_unsigned(), Expr::constant(Ty::Unsigned(n), 0)]);
        if self.ty().is_signed() { shifted.as_signed() } else { shifted }
    }

    /// `self >> n` rounded towards minus infinity, narrowed by `n`.
    pub fn shift_right(&self, n: u32) -> Expr {
        if n == 0 {
            return self.clone();
        }
        if n >= self.width() {
            return Expr::poison(self.ty(), format!("{} has no bits above {n}", self.describe()));
        }
        let shifted = self.slice(n, self.width() - n);
        if self.ty().is_signed() { shifted.as_signed() } else { shifted }
    }

    /// Shift by an unsigned amount; bits that leave are lost.
    pub fn shl(&self, amount: &Expr) -> Expr {
        self.shift(BinaryOp::Shl, amount)
    }

    /// Shift by an unsigned amount; keeps the sign of a signed value.
    pub fn shr(&self, amount: &Expr) -> Expr {
        self.shift(BinaryOp::Shr, amount)
    }

    fn shift(&self, op: BinaryOp, amount: &Expr) -> Expr {
        if amount.ty().is_signed() {
            return self.mismatch(amount, "a shift needs an unsigned amount", self.ty());
        }
        Expr::new(self.ty(), Kind::Binary(op, self.clone(), amount.clone()))
    }

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

    pub fn any(&self) -> Expr {
        self.reduce(UnaryOp::ReduceOr)
    }

    pub fn all(&self) -> Expr {
        self.reduce(UnaryOp::ReduceAnd)
    }

    pub fn parity(&self) -> Expr {
        self.reduce(UnaryOp::ReduceXor)
    }

    fn reduce(&self, op: UnaryOp) -> Expr {
        if self.width() == 1 {
            return self.as_unsigned();
        }
        Expr::new(Ty::BIT, Kind::Unary(op, self.clone()))
    }

    pub fn is_zero(&self) -> Expr {
        self.eq(0)
    }

    /// `if self { then } else { otherwise }`; `self` is one unsigned bit, both values of one type.
    pub fn mux(&self, then: impl Operand, otherwise: &Expr) -> Expr {
        let then = then.like(otherwise);
        if self.ty() != Ty::BIT {
            return Expr::poison(then.ty(), format!("a condition must be one bit: {}", self.describe()));
        }
        if then.ty() != otherwise.ty() {
            return then.mismatch(otherwise, "a mux needs values of one type", otherwise.ty());
        }
        Expr::new(otherwise.ty(), Kind::Mux(self.clone(), then, otherwise.clone()))
    }

    /// Clamped to the range of `width` bits of the same sign.
    pub fn saturate(&self, width: u32) -> Expr {
        if width >= self.width() {
            return self.extend(width);
        }
        let small = self.truncate(width);
        let (low, high) = match self.ty() {
            Ty::Unsigned(_) => (Bits::zero(width), Bits::from_limbs(width, &vec![u64::MAX; width.div_ceil(64) as usize])),
            Ty::Signed(_) => {
                let mut low = Bits::zero(width);
                low.set_bit(width - 1, true);
                let mut high = Bits::from_limbs(width, &vec![u64::MAX; width.div_ceil(64) as usize]);
                high.set_bit(width - 1, false);
                (low, high)
            }
        };
        let ty = small.ty();
        let fits = small.extend(self.width()).eq(self);
        let limit = match self.ty() {
            Ty::Unsigned(_) => Expr::from_bits(ty, high),
            Ty::Signed(_) => self.msb().mux(Expr::from_bits(ty, low), &Expr::from_bits(ty, high)),
        };
        fits.mux(small, &limit)
    }

    /// Divided by 2^n and rounded to nearest, ties to even: `n` bits fewer, one more for the carry.
    pub fn round_even(&self, n: u32) -> Expr {
        if n == 0 {
            return self.extend(self.width() + 1);
        }
        let floor = self.shift_right(n);
        let half = self.bit(n - 1);
        let rest = if n > 1 { self.slice(0, n - 1).any() } else { Expr::bit_const(false) };
        let up = &half & (rest | floor.bit(0));
        if self.ty().is_signed() { floor + up.to_signed() } else { floor + up }
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

macro_rules! operator {
    ($trait:ident, $method:ident, $helper:ident, $op:expr) => {
        impl<T: Operand> std::ops::$trait<T> for &Expr {
            type Output = Expr;
            fn $method(self, other: T) -> Expr {
                self.$helper($op, other)
            }
        }
        impl<T: Operand> std::ops::$trait<T> for Expr {
            type Output = Expr;
            fn $method(self, other: T) -> Expr {
                self.$helper($op, other)
            }
        }
    };
}
operator!(Add, add, arithmetic, BinaryOp::Add);
operator!(Sub, sub, arithmetic, BinaryOp::Sub);
operator!(Mul, mul, arithmetic, BinaryOp::Mul);
operator!(BitAnd, bitand, same_type, BinaryOp::And);
operator!(BitOr, bitor, same_type, BinaryOp::Or);
operator!(BitXor, bitxor, same_type, BinaryOp::Xor);

impl std::ops::Not for &Expr {
    type Output = Expr;
    fn not(self) -> Expr {
        Expr::new(self.ty(), Kind::Unary(UnaryOp::Not, self.clone()))
    }
}

impl std::ops::Not for Expr {
    type Output = Expr;
    fn not(self) -> Expr {
        !&self
    }
}
