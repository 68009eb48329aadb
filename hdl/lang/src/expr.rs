// SPDX-License-Identifier: MIT OR Apache-2.0
//! Typed expressions: the operators of the builder.
//!
//! Arithmetic is exact: `a + b` has one bit more than its wider operand, `a * b` the sum of the widths,
//! and the difference of two unsigned values is signed. What shrinks a value says so: [`Expr::truncate`],
//! [`Expr::wrapping_add`], [`Expr::slice`]. Operands of different sign, and operands of different width
//! where an operator needs equal ones, make an error that names them; it is reported when the module
//! that uses the expression is built.

mod parts;

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
