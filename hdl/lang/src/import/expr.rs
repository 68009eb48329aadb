// SPDX-License-Identifier: MIT OR Apache-2.0
//! Expressions of a kernel, with the meaning they have in rust-hdl's simulation.
//!
//! rust-hdl's tree leaves out types and some method calls (`val`, `into`, `index`, `to_bits`). Types are
//! found again from the signals; where a left-out call could change the value, the expression is refused.

use super::{
    Refusal,
    describe::describe,
    index::{Loops, loop_value, path},
    symbols::{Role, Symbols},
    tree::Literal,
};
use crate::{
    bits::Bits,
    expr::{BinaryOp, Expr, Kind, Ty, UnaryOp},
};
use rust_hdl::core::ast::{VerilogExpression as Ast, VerilogOp as Op, VerilogOpUnary as Unary};

type Result<T> = std::result::Result<T, Refusal>;

/// A number that takes its partner's type, or a value with a type of its own.
enum Value {
    Number {
        value: i128,
        /// Made from a loop variable, which rust-hdl compares as a `usize`.
        counted: bool,
    },
    Typed(Expr),
}

/// The bit position in `get_bit`, `get_bits` and `replace_bit`.
enum Position {
    Fixed(u32),
    Dynamic(Expr),
}

pub struct Context<'a> {
    pub symbols: &'a Symbols,
    pub loops: &'a Loops,
}

fn refuse<T>(e: &Ast, reason: impl Into<String>) -> Result<T> {
    Err(Refusal::new(describe(e), reason))
}

/// The value of a number as `Bits<N>` or `Signed<N>`: up to 32 bits it has to fit, above rust-hdl cuts it.
pub fn number(value: i128, ty: Ty) -> std::result::Result<Expr, String> {
    let width = ty.width();
    let magnitude = value.unsigned_abs();
    let fits = magnitude >> 64 == 0 && (width > 32 || magnitude >> width == 0);
    if !fits || (value < 0 && !ty.is_signed()) {
        return Err(format!("{value} does not fit {ty:?}"));
    }
    Ok(Expr::from_bits(ty, Bits::from_i128(width, value)))
}

fn truth(value: bool) -> Value {
    Value::Typed(Expr::bit_const(value))
}

impl Context<'_> {
    /// `e` where a value of type `ty` is needed.
    pub fn typed(&self, e: &Ast, ty: Ty) -> Result<Expr> {
        match self.value(e, Some(ty))? {
            Value::Number { value, .. } => number(value, ty).or_else(|reason| refuse(e, reason)),
            Value::Typed(v) if v.ty() == ty => Ok(v),
            Value::Typed(v) => refuse(e, format!("is {:?} where {ty:?} is needed", v.ty())),
        }
    }

    /// `e` where its own type decides.
    pub fn any(&self, e: &Ast) -> Result<Expr> {
        match self.value(e, None)? {
            Value::Typed(v) => Ok(v),
            Value::Number { .. } => refuse(e, "a number without a type"),
        }
    }

    pub fn condition(&self, e: &Ast) -> Result<Expr> {
        self.typed(e, Ty::BIT)
    }

    /// The path of a signal, with loop variables replaced.
    pub fn path(&self, name: &str) -> Result<String> {
        path(name, self.loops).map_err(|reason| Refusal::new(name.replace('$', "."), reason))
    }

    /// The type of `e`, as far as it follows from `e` alone.
    fn ty_of(&self, e: &Ast) -> Option<Ty> {
        match e {
            Ast::Signal(name) => {
                let path = path(name, self.loops).ok()?;
                self.symbols.get(&path).map(|s| s.ty).or_else(|| self.symbols.variant(&path).map(Expr::ty))
            }
            Ast::Literal(v) => (Literal::of(v).width == 1).then_some(Ty::BIT),
            Ast::Cast(_, n) => Some(Ty::Unsigned(*n as u32)),
            // From one signed width to another the tree does not say to which.
            Ast::Signed(a) => self.ty_of(a).filter(|t| !t.is_signed()).map(|t| Ty::Signed(t.width())),
            Ast::Unsigned(a) => self.ty_of(a).map(|t| Ty::Unsigned(t.width())),
            Ast::Paren(a) => self.ty_of(a),
            Ast::Binary(a, op, b) => match op {
                Op::Add | Op::Sub | Op::BitAnd | Op::BitOr | Op::BitXor => self.ty_of(a).or_else(|| self.ty_of(b)),
                Op::Mul => self.ty_of(a).map(|t| t.with_width(32)),
                Op::Shl | Op::Shr => self.ty_of(a).or_else(|| self.ty_of(b).map(|_| Ty::Unsigned(64))),
                _ => Some(Ty::BIT),
            },
            Ast::Unary(Unary::Not | Unary::Neg, a) => self.ty_of(a),
            Ast::Unary(..) | Ast::Index(..) => Some(Ty::BIT),
            Ast::Slice(a, n, _) => self.ty_of(a).map(|t| t.with_width(*n as u32)),
            Ast::IndexReplace(a, ..) => self.ty_of(a),
        }
    }

    fn value(&self, e: &Ast, want: Option<Ty>) -> Result<Value> {
        match e {
            Ast::Paren(a) => self.value(a, want),
            Ast::Signal(name) => self.signal(e, name),
            Ast::Literal(v) => match Literal::of(v) {
                l if l.width == 1 => Ok(truth(l.number() == Some(1))),
                l => match l.number() {
                    Some(value) => Ok(Value::Number { value, counted: false }),
                    None => refuse(e, "a literal above 127 bits"),
                },
            },
            Ast::Cast(a, n) => self.cast(e, a, Ty::Unsigned(*n as u32)),
            Ast::Signed(a) => self.signed(e, a, want),
            Ast::Unsigned(a) => match self.value(a, None)? {
                Value::Typed(v) if v.ty().is_signed() => Ok(Value::Typed(v.as_unsigned())),
                _ => refuse(e, "unsigned_cast of a value that is not Signed"),
            },
            Ast::Binary(a, op, b) => self.binary(e, a, op, b, want),
            Ast::Unary(op, a) => self.unary(e, op, a, want),
            Ast::Index(a, i) => self.bit(e, a, i).map(Value::Typed),
            Ast::Slice(a, n, i) => self.slice(e, a, *n as u32, i).map(Value::Typed),
            Ast::IndexReplace(a, i, v) => self.replace_bit(e, a, i, v, want).map(Value::Typed),
        }
    }

    fn signal(&self, e: &Ast, name: &str) -> Result<Value> {
        let path = self.path(name)?;
        if let Some(value) = loop_value(self.loops, &path) {
            return Ok(Value::Number { value, counted: true });
        }
        if let Some(value) = self.symbols.variant(&path) {
            return Ok(Value::Typed(value.clone()));
        }
        match self.symbols.get(&path) {
            Some(s) if s.role == Role::Clock => refuse(e, "a clock used as a value"),
            Some(s) => s.read.clone().map(Value::Typed).ok_or_else(|| Refusal::new(describe(e), "has no value")),
            None => refuse(e, "not a signal, loop variable or enum value of the block (put a constant into a `Constant` field)"),
        }
    }

    fn cast(&self, e: &Ast, a: &Ast, ty: Ty) -> Result<Value> {
        match self.value(a, None)? {
            Value::Number { value, .. } => number(value, ty).map(Value::Typed).or_else(|reason| refuse(e, reason)),
            Value::Typed(v) if v.ty().is_signed() => refuse(e, "bit_cast of a Signed value"),
            Value::Typed(v) => Ok(Value::Typed(v.resize(ty.width()))),
        }
    }

    /// `signed_cast`, `to_signed_bits` or `signed_bit_cast`.
    fn signed(&self, e: &Ast, a: &Ast, want: Option<Ty>) -> Result<Value> {
        match self.value(a, None)? {
            Value::Typed(v) if !v.ty().is_signed() => Ok(Value::Typed(v.as_signed())),
            Value::Typed(v) => match want {
                Some(Ty::Signed(width)) => Ok(Value::Typed(v.resize(width))),
                _ => refuse(e, "rust-hdl records no width for signed_bit_cast, and nothing here decides it (assign it to a signal)"),
            },
            number => Ok(number),
        }
    }

    fn unary(&self, e: &Ast, op: &Unary, a: &Ast, want: Option<Ty>) -> Result<Value> {
        let v = match self.value(a, if matches!(op, Unary::Not | Unary::Neg) { want } else { None })? {
            Value::Number { value, counted } if matches!(op, Unary::Neg) => return Ok(Value::Number { value: -value, counted }),
            Value::Number { .. } => return refuse(e, "an operator on a number without a type"),
            Value::Typed(v) => v,
        };
        match (op, v.ty().is_signed()) {
            (Unary::Not, false) => Ok(Value::Typed(!v)),
            (Unary::Neg, true) => Ok(Value::Typed(Expr::constant(v.ty(), 0).wrapping_sub(v))),
            (Unary::All, false) => Ok(Value::Typed(v.all())),
            (Unary::Any, false) => Ok(Value::Typed(v.any())),
            (Unary::Xor, false) => Ok(Value::Typed(v.parity())),
            _ => refuse(e, format!("rust-hdl has no such operator for {:?}", v.ty())),
        }
    }

    /// Made of numbers only: computed before it meets a type.
    fn is_number(&self, e: &Ast) -> bool {
        match e {
            Ast::Literal(v) => Literal::of(v).width != 1,
            Ast::Signal(name) => loop_value(self.loops, name).is_some(),
            Ast::Paren(a) | Ast::Signed(a) | Ast::Unary(Unary::Neg, a) => self.is_number(a),
            Ast::Binary(a, op, b) => {
                let compares = matches!(op, Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge | Op::LogicalAnd | Op::LogicalOr);
                !compares && self.is_number(a) && self.is_number(b)
            }
            _ => false,
        }
    }

    fn binary(&self, e: &Ast, a: &Ast, op: &Op, b: &Ast, want: Option<Ty>) -> Result<Value> {
        if self.is_number(e) {
            return self.fold(e, a, op, b);
        }
        match op {
            Op::LogicalAnd => Ok(Value::Typed(self.condition(a)? & self.condition(b)?)),
            Op::LogicalOr => Ok(Value::Typed(self.condition(a)? | self.condition(b)?)),
            Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge => self.compare(e, a, op, b),
            Op::Shl | Op::Shr => self.shift(e, a, op, b),
            Op::Mul => self.product(e, a, b),
            _ => self.arithmetic(e, a, op, b, want),
        }
    }

    fn arithmetic(&self, e: &Ast, a: &Ast, op: &Op, b: &Ast, want: Option<Ty>) -> Result<Value> {
        let ty = self.ty_of(a).or_else(|| self.ty_of(b)).or(want);
        let Some(ty) = ty else {
            return refuse(e, "the type of neither operand is known (assign one of them to a signal)");
        };
        let left = self.typed(a, ty)?;
        // `Bits<N> + bool` counts.
        let counts = matches!(op, Op::Add) && ty != Ty::BIT && self.ty_of(b) == Some(Ty::BIT);
        let right = if counts { self.typed(b, Ty::BIT)?.resize(ty.width()) } else { self.typed(b, ty)? };
        Ok(Value::Typed(match op {
            Op::Add => left.wrapping_add(right),
            Op::Sub => left.wrapping_sub(right),
            Op::BitAnd if !ty.is_signed() => left & right,
            Op::BitOr if !ty.is_signed() => left | right,
            Op::BitXor if !ty.is_signed() => left ^ right,
            _ => return refuse(e, format!("rust-hdl has no such operator for {ty:?}")),
        }))
    }

    /// An operator between two numbers.
    fn fold(&self, e: &Ast, a: &Ast, op: &Op, b: &Ast) -> Result<Value> {
        let (Value::Number { value: x, counted: c }, Value::Number { value: y, counted: d }) = (self.value(a, None)?, self.value(b, None)?)
        else {
            return refuse(e, "not a number");
        };
        let value = match op {
            Op::Add => x.checked_add(y),
            Op::Sub => x.checked_sub(y),
            Op::Mul => x.checked_mul(y),
            Op::Shl if (0..64).contains(&y) => x.checked_mul(1 << y),
            Op::Shr if (0..64).contains(&y) => Some(x >> y),
            Op::BitAnd => Some(x & y),
            Op::BitOr => Some(x | y),
            Op::BitXor => Some(x ^ y),
            _ => None,
        };
        value.map(|value| Value::Number { value, counted: c || d }).ok_or_else(|| Refusal::new(describe(e), "has no value"))
    }

    fn product(&self, e: &Ast, a: &Ast, b: &Ast) -> Result<Value> {
        let ty = match self.ty_of(a).or_else(|| self.ty_of(b)) {
            Some(ty) if ty.width() == 16 => ty,
            ty => return refuse(e, format!("rust-hdl multiplies 16 bits by 16 bits, not {ty:?}")),
        };
        Ok(Value::Typed(self.typed(a, ty)? * self.typed(b, ty)?))
    }

    fn shift(&self, e: &Ast, a: &Ast, op: &Op, b: &Ast) -> Result<Value> {
        let amount = self.value(b, None)?;
        // `LiteralType << Bits<N>` is 64 bits wide whatever surrounds it.
        let ty = self.ty_of(a).unwrap_or(Ty::Unsigned(64));
        if ty.is_signed() {
            return refuse(e, "rust-hdl does not shift Signed values");
        }
        let left = self.typed(a, ty)?;
        let amount = match amount {
            Value::Typed(amount) if amount.ty().is_signed() => return refuse(e, "a shift by a Signed amount"),
            Value::Typed(amount) => amount,
            Value::Number { value, .. } if (0..1 << 31).contains(&value) => {
                Expr::constant(Ty::Unsigned((32 - (value as u32).leading_zeros()).max(1)), value)
            }
            Value::Number { value, .. } => return refuse(e, format!("a shift by {value}")),
        };
        Ok(Value::Typed(if matches!(op, Op::Shl) { left.shl(&amount) } else { left.shr(&amount) }))
    }

    fn compare(&self, e: &Ast, a: &Ast, op: &Op, b: &Ast) -> Result<Value> {
        if let Some(sum) = self.may_wrap(a).or_else(|| self.may_wrap(b)) {
            return refuse(
                e,
                format!(
                    "rust-hdl's tree does not say whether `{}` wraps (`Bits`) or not (after `.index()`); assign it to a signal",
                    describe(sum)
                ),
            );
        }
        let Some(ty) = self.ty_of(a).or_else(|| self.ty_of(b)) else {
            return refuse(e, "the type of neither operand is known (assign one of them to a signal)");
        };
        if let Some(value) = self.out_of_range(a, op, b, ty)? {
            return Ok(truth(value));
        }
        let (x, y) = (self.typed(a, ty)?, self.typed(b, ty)?);
        Ok(Value::Typed(match op {
            Op::Eq => x.eq(y),
            Op::Ne => x.ne(y),
            Op::Lt => x.lt(y),
            Op::Le => x.le(y),
            Op::Gt => x.gt(y),
            _ => x.ge(y),
        }))
    }

    /// The truth of a comparison with a loop variable that the other side's type cannot reach.
    fn out_of_range(&self, a: &Ast, op: &Op, b: &Ast, ty: Ty) -> Result<Option<bool>> {
        let beyond = |v: &Value| match v {
            Value::Number { value, counted: true } => !ty.is_signed() && ty.width() <= 32 && *value >> ty.width() > 0,
            _ => false,
        };
        let want = Some(ty);
        Ok(match (beyond(&self.value(a, want)?), beyond(&self.value(b, want)?)) {
            (false, true) => Some(matches!(op, Op::Ne | Op::Lt | Op::Le)),
            (true, false) => Some(matches!(op, Op::Ne | Op::Gt | Op::Ge)),
            _ => None,
        })
    }

    /// An operator whose result depends on the width it is computed in, on operands that could have been
    /// made a `usize` by a call to `index` that the tree leaves out.
    fn may_wrap<'e>(&self, e: &'e Ast) -> Option<&'e Ast> {
        match e {
            Ast::Paren(a) => self.may_wrap(a),
            Ast::Binary(a, op, b) => match op {
                Op::Add | Op::Shl | Op::Mul if self.is_narrow(e) => Some(e),
                Op::Sub | Op::Shr | Op::BitAnd | Op::BitOr | Op::BitXor => self.may_wrap(a).or_else(|| self.may_wrap(b)),
                _ => None,
            },
            Ast::Unary(Unary::Not, a) if self.is_narrow(a) => Some(e),
            _ => None,
        }
    }

    /// `index` is for `Bits` of at most 32 bits; on one bit nobody counts with it.
    fn is_narrow(&self, e: &Ast) -> bool {
        matches!(self.ty_of(e), Some(Ty::Unsigned(2..=32)))
    }

    fn position(&self, e: &Ast) -> Result<Position> {
        if let Some(sum) = self.may_wrap(e) {
            let reason =
                "rust-hdl's tree does not say whether this position wraps (`Bits`) or not (after `.index()`); assign it to a signal";
            return refuse(sum, reason);
        }
        match self.value(e, None)? {
            Value::Number { value, .. } => match u32::try_from(value) {
                Ok(n) => Ok(Position::Fixed(n)),
                Err(_) => refuse(e, "not a bit position"),
            },
            Value::Typed(v) if v.ty().is_signed() => refuse(e, "a Signed bit position"),
            Value::Typed(v) => match v.kind() {
                Kind::Const(bits, _) => Ok(Position::Fixed(bits.low_u64() as u32)),
                _ => Ok(Position::Dynamic(v)),
            },
        }
    }

    fn bit(&self, e: &Ast, a: &Ast, i: &Ast) -> Result<Expr> {
        let v = self.any(a)?;
        match self.position(i)? {
            Position::Fixed(n) if n < v.width() => Ok(v.bit(n)),
            Position::Fixed(n) => refuse(e, format!("there is no bit {n} in {:?}", v.ty())),
            Position::Dynamic(i) if v.width() > 1 && v.width().is_power_of_two() => {
                // A position past the end has no meaning in rust-hdl, so that the low bits are enough.
                let needed = v.width().trailing_zeros();
                Ok(v.as_unsigned().select(&i.resize(needed), 1))
            }
            Position::Dynamic(i) => Ok(v.as_unsigned().shr(&i).resize(1)),
        }
    }

    /// `get_bits`, or a field of a struct (which is never signed).
    fn slice(&self, e: &Ast, a: &Ast, width: u32, i: &Ast) -> Result<Expr> {
        let v = self.any(a)?;
        let raw = v.as_unsigned();
        let part = match self.position(i)? {
            Position::Fixed(n) if n > v.width() => return refuse(e, format!("there is no bit {n} in {:?}", v.ty())),
            Position::Fixed(n) if n == v.width() => Expr::constant(Ty::Unsigned(width), 0),
            Position::Fixed(0) => raw.resize(width),
            Position::Fixed(n) => raw.slice(n, width.min(v.width() - n)).resize(width),
            Position::Dynamic(i) => raw.shr(&i).resize(width),
        };
        Ok(if v.ty().is_signed() { part.as_signed() } else { part })
    }

    fn replace_bit(&self, e: &Ast, a: &Ast, i: &Ast, bit: &Ast, want: Option<Ty>) -> Result<Expr> {
        let v = match want.filter(|_| self.ty_of(a).is_none()) {
            Some(ty) => self.typed(a, ty)?,
            None => self.any(a)?,
        };
        let bit = self.condition(bit)?;
        if v.ty().is_signed() {
            return refuse(e, "replace_bit of a Signed value");
        }
        match self.position(i)? {
            Position::Fixed(n) if n < v.width() => Ok(replace(&v, n, &bit)),
            Position::Fixed(n) => refuse(e, format!("there is no bit {n} in {:?}", v.ty())),
            Position::Dynamic(i) => {
                let one = Expr::constant(v.ty(), 1).shl(&i);
                let mask = Expr::new(v.ty(), Kind::Unary(UnaryOp::Not, one));
                let placed = Expr::new(v.ty(), Kind::Binary(BinaryOp::Shl, bit.resize(v.width()), i));
                Ok((v & mask) | placed)
            }
        }
    }
}

/// `v` with the bits from `lsb` on replaced by `part`.
pub fn replace(v: &Expr, lsb: u32, part: &Expr) -> Expr {
    let raw = v.as_unsigned();
    let end = lsb + part.width();
    let high = (end < v.width()).then(|| raw.slice(end, v.width() - end));
    let low = (lsb > 0).then(|| raw.slice(0, lsb));
    let whole = Expr::concat(high.into_iter().chain([part.as_unsigned()]).chain(low));
    if v.ty().is_signed() { whole.as_signed() } else { whole }
}
