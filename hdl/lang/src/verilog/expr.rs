// SPDX-License-Identifier: MIT OR Apache-2.0
//! Expressions as Verilog text, with every extension and sign written out.
//!
//! Three positions differ in what may stand there:
//! * *assigned*: the right-hand side of an assignment to a net of exactly the value's type;
//! * *operand*: self-determined, so the text must have the value's width on its own;
//! * *atom*: a primary that keeps its value when an operator around it is wider.

use super::literal;
use crate::expr::{BinaryOp, Expr, Kind, NetId, Node, Ty, UnaryOp};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

pub struct Scope {
    names: Vec<String>,
    used: BTreeSet<String>,
    /// Wires made from expressions that could not stand where they were used, by node.
    wires: BTreeMap<*const Node, String>,
    /// Declarations of new wires, to be written before the text that uses them.
    pub hoisted: Vec<String>,
}

impl Scope {
    pub fn new(names: Vec<String>) -> Self {
        let used = names.iter().cloned().collect();
        Scope { names, used, wires: BTreeMap::new(), hoisted: vec![] }
    }

    pub fn name(&self, id: NetId) -> &str {
        &self.names[id.0 as usize]
    }

    /// For the right-hand side of an assignment to a net of the value's own type. `base` names what is
    /// assigned; wires that have to be split off are named after it.
    pub fn assigned(&mut self, e: &Expr, base: &str) -> String {
        let w = e.width();
        match e.kind() {
            Kind::Binary(BinaryOp::Mul | BinaryOp::WrapMul, a, b) => format!("{} * {}", self.atom(a, base), self.atom(b, base)),
            Kind::Binary(op @ (BinaryOp::Add | BinaryOp::Sub), a, b) if *op == BinaryOp::Add || a.ty().is_signed() => {
                // Every tool takes the carry of an addition into one more bit; no other growth is left implicit.
                format!("{} {} {}", self.extended(a, w - 1, base), symbol(*op), self.extended(b, w - 1, base))
            }
            _ => self.bare(e, base),
        }
    }

    /// Self-determined, without parentheses around it.
    pub fn bare(&mut self, e: &Expr, base: &str) -> String {
        let w = e.width();
        match e.kind() {
            Kind::Const(bits, name) => name.as_ref().map_or_else(|| literal(e.ty(), bits), |n| n.to_string()),
            Kind::Net(id, _) => self.name(*id).to_string(),
            // Icarus does not read `~~`.
            Kind::Unary(UnaryOp::Not, a) => match self.operand(a, base) {
                text if text.starts_with('~') => format!("~({text})"),
                text => format!("~{text}"),
            },
            Kind::Unary(UnaryOp::Neg, a) => match a.ty() {
                Ty::Signed(_) => format!("-{}", self.extended(a, w, base)),
                Ty::Unsigned(_) => format!("-$signed({})", self.extended(a, w, base)),
            },
            Kind::Unary(op, a) => {
                let symbol = match op {
                    UnaryOp::ReduceAnd => "&",
                    UnaryOp::ReduceOr => "|",
                    _ => "^",
                };
                // `|~` would read as an operator of its own.
                match self.operand(strip_sign(a), base) {
                    text if text.starts_with('~') => format!("{symbol}({text})"),
                    text => format!("{symbol}{text}"),
                }
            }
            Kind::Binary(op, a, b) => self.binary(e, *op, a, b, base),
            Kind::Mux(c, a, b) => {
                let c = self.operand(c, base);
                let a = self.operand(a, base);
                let b = match b.kind() {
                    Kind::Mux(..) => self.bare(b, base),
                    _ => self.operand(b, base),
                };
                format!("{c} ? {a} : {b}")
            }
            Kind::Slice(a, lsb) => self.slice(strip_sign(a), *lsb, w, base),
            Kind::Select(a, index) => {
                let name = self.named(strip_sign(a), base);
                let index = self.bare(index, base);
                match w {
                    1 => format!("{name}[{index}]"),
                    _ => format!("{name}[{{{index}, {}'d0}} +: {w}]", w.trailing_zeros()),
                }
            }
            Kind::Concat(parts) => self.concat(parts, base),
            Kind::Resize(a) if w > a.width() => match a.ty() {
                Ty::Signed(_) => self.sign_extended(a, w, base),
                Ty::Unsigned(_) => format!("{{{}, {}}}", zeros(w - a.width()), self.bare(a, base)),
            },
            Kind::Resize(a) => {
                let low = self.slice(strip_sign(a), 0, w, base);
                if e.ty().is_signed() { format!("$signed({low})") } else { low }
            }
            Kind::Cast(a) => {
                let function = if e.ty().is_signed() { "$signed" } else { "$unsigned" };
                format!("{function}({})", self.bare(a, base))
            }
            Kind::Poison(message) => unreachable!("a module with an error is not printed: {message}"),
        }
    }

    fn binary(&mut self, e: &Expr, op: BinaryOp, a: &Expr, b: &Expr, base: &str) -> String {
        use BinaryOp::*;
        let w = e.width();
        let s = symbol(op);
        match op {
            Mul | WrapMul => self.hoist(e, base),
            Add | Sub => {
                let text = format!("{} {s} {}", self.extended(a, w, base), self.extended(b, w, base));
                // The difference of unsigned values is a signed one.
                if e.ty().is_signed() && !a.ty().is_signed() { format!("$signed({text})") } else { text }
            }
            WrapAdd | WrapSub => format!("{} {s} {}", self.atom(a, base), self.atom(b, base)),
            And | Or | Xor => {
                // Verilog reads a chain of one operator from the left, too.
                let first = if is(op, a) { self.bare(a, base) } else { self.operand(a, base) };
                format!("{first} {s} {}", self.operand(b, base))
            }
            Eq | Ne | Lt | Le => {
                let m = a.width().max(b.width());
                format!("{} {s} {}", self.extended(a, m, base), self.extended(b, m, base))
            }
            Shl | Shr => {
                let s = if op == Shr && a.ty().is_signed() { ">>>" } else { s };
                // The amount is self-determined in Verilog; a plain number reads best.
                let amount = match b.kind() {
                    Kind::Const(bits, None) if b.width() < 32 => bits.low_u64().to_string(),
                    _ => self.operand(b, base),
                };
                format!("{} {s} {amount}", self.atom(a, base))
            }
        }
    }

    /// Self-determined, in parentheses if an operator.
    pub fn operand(&mut self, e: &Expr, base: &str) -> String {
        let text = self.bare(e, base);
        match e.kind() {
            Kind::Unary(UnaryOp::Not, a) if matches!(a.kind(), Kind::Net(..)) => text,
            Kind::Unary(..) | Kind::Mux(..) => format!("({text})"),
            // A product stands as a wire of its own, a difference inside `$signed`.
            Kind::Binary(BinaryOp::Mul | BinaryOp::WrapMul, ..) => text,
            Kind::Binary(..) if text.starts_with("$signed(") && text.ends_with(')') && !text[8..].contains('(') => text,
            Kind::Binary(..) => format!("({text})"),
            _ => text,
        }
    }

    /// A primary: a name, a literal, a part of a name, or a bracketed whole.
    pub fn atom(&mut self, e: &Expr, base: &str) -> String {
        match e.kind() {
            Kind::Unary(UnaryOp::Not | UnaryOp::Neg, _) | Kind::Mux(..) => self.hoist(e, base),
            Kind::Unary(..) => self.operand(e, base),
            Kind::Binary(BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le, ..) => self.operand(e, base),
            // Bit by bit: zeros above stay zeros.
            Kind::Binary(op @ (BinaryOp::And | BinaryOp::Or | BinaryOp::Xor), a, b) if !e.ty().is_signed() => {
                format!("({})", self.atoms(*op, a, b, base))
            }
            Kind::Binary(..) => self.hoist(e, base),
            _ => self.bare(e, base),
        }
    }

    /// Unsigned atoms joined by a bitwise operator, without parentheses around them.
    fn atoms(&mut self, op: BinaryOp, a: &Expr, b: &Expr, base: &str) -> String {
        let first = match a.kind() {
            Kind::Binary(other, x, y) if *other == op => self.atoms(op, x, y, base),
            _ => self.atom(a, base),
        };
        format!("{first} {} {}", symbol(op), self.atom(b, base))
    }

    /// An atom of `width` bits with the value of `e`.
    fn extended(&mut self, e: &Expr, width: u32, base: &str) -> String {
        if width == e.width() {
            return self.atom(e, base);
        }
        match (e.kind(), e.ty()) {
            (Kind::Const(bits, None), ty) => {
                let limbs: Vec<u64> = (0..width.div_ceil(64)).map(|i| limb_of(ty, bits, i)).collect();
                literal(ty.with_width(width), &crate::bits::Bits::from_limbs(width, &limbs))
            }
            (_, Ty::Unsigned(w)) => format!("{{{}, {}}}", zeros(width - w), self.bare(e, base)),
            (_, Ty::Signed(_)) => self.sign_extended(e, width, base),
        }
    }

    fn sign_extended(&mut self, e: &Expr, width: u32, base: &str) -> String {
        let (name, w) = (self.named(e, base), e.width());
        let sign = if w == 1 { name.clone() } else { format!("{name}[{}]", w - 1) };
        match width - w {
            1 => format!("$signed({{{sign}, {name}}})"),
            n => format!("$signed({{{{{n}{{{sign}}}}}, {name}}})"),
        }
    }

    fn concat(&mut self, parts: &[Expr], base: &str) -> String {
        let same = |e: &Expr| Arc::ptr_eq(&e.0, &parts[0].0);
        if parts.iter().all(same) {
            return format!("{{{}{{{}}}}}", parts.len(), self.bare(strip_sign(&parts[0]), base));
        }
        let parts: Vec<String> = parts.iter().map(|p| self.operand(strip_sign(p), base)).collect();
        format!("{{{}}}", parts.join(", "))
    }

    fn slice(&mut self, e: &Expr, lsb: u32, width: u32, base: &str) -> String {
        let name = self.named(e, base);
        match (e.width(), width) {
            (1, _) => name,
            (_, 1) => format!("{name}[{lsb}]"),
            _ => format!("{name}[{}:{lsb}]", lsb + width - 1),
        }
    }

    /// The name of a net with this value.
    pub fn named(&mut self, e: &Expr, base: &str) -> String {
        match e.kind() {
            Kind::Net(id, _) => self.name(*id).to_string(),
            _ => self.hoist(e, base),
        }
    }

    /// A wire with this value, named after what it feeds.
    fn hoist(&mut self, e: &Expr, base: &str) -> String {
        let key = Arc::as_ptr(&e.0);
        if let Some(name) = self.wires.get(&key) {
            return name.clone();
        }
        let stem = base.strip_suffix("_q").or(base.strip_suffix("_o")).or(base.strip_suffix("_i")).unwrap_or(base);
        let name = self.fresh(&format!("{stem}_{}", role(e)));
        let value = self.assigned(e, &name);
        self.hoisted.push(format!("wire {}{name} = {value};", super::range(e.ty())));
        self.wires.insert(key, name.clone());
        name
    }

    fn fresh(&mut self, stem: &str) -> String {
        let name = (1..).map(|i| if i == 1 { stem.to_string() } else { format!("{stem}{i}") }).find(|n| !self.used.contains(n));
        let name = name.unwrap_or_default();
        self.used.insert(name.clone());
        name
    }
}

fn is(op: BinaryOp, e: &Expr) -> bool {
    matches!(e.kind(), Kind::Binary(other, ..) if *other == op)
}

/// The value without a change of sign around it, where only its bits matter.
pub fn strip_sign(e: &Expr) -> &Expr {
    match e.kind() {
        Kind::Cast(inner) => inner,
        _ => e,
    }
}

/// A connection to a port without a cast to signed around it: a port takes the bits as they are, and a sign there
/// makes Yosys stop and Verilator extend the port's value by it in the instance.
pub fn bits_of(atom: String) -> String {
    let Some(inner) = atom.strip_prefix("$signed(").and_then(|s| s.strip_suffix(')')) else { return atom };
    let mut depth = 0;
    let closes_early = inner.chars().any(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth < 0
    });
    if closes_early { atom } else { inner.to_string() }
}

fn zeros(width: u32) -> String {
    if width == 1 { "1'b0".into() } else { format!("{width}'d0") }
}

fn limb_of(ty: Ty, bits: &crate::bits::Bits, i: u32) -> u64 {
    let sign = ty.is_signed() && bits.bit(bits.width() - 1);
    (0..64).fold(0, |limb, b| {
        let at = i * 64 + b;
        let bit = if at < bits.width() { bits.bit(at) } else { sign };
        limb | u64::from(bit) << b
    })
}

fn symbol(op: BinaryOp) -> &'static str {
    use BinaryOp::*;
    match op {
        Add | WrapAdd => "+",
        Sub | WrapSub => "-",
        Mul | WrapMul => "*",
        And => "&",
        Or => "|",
        Xor => "^",
        Eq => "==",
        Ne => "!=",
        Lt => "<",
        Le => "<=",
        Shl => "<<",
        Shr => ">>",
    }
}

/// What a wire that is split off is called, after what feeds it.
fn role(e: &Expr) -> &'static str {
    use BinaryOp::*;
    match e.kind() {
        Kind::Binary(Add | WrapAdd, ..) => "sum",
        Kind::Binary(Sub | WrapSub, ..) => "difference",
        Kind::Binary(Mul | WrapMul, ..) => "product",
        Kind::Binary(Shl | Shr, ..) => "shifted",
        Kind::Binary(Eq | Ne | Lt | Le, ..) => "test",
        Kind::Mux(..) => "choice",
        Kind::Concat(_) => "word",
        Kind::Resize(_) => "wide",
        Kind::Unary(UnaryOp::Neg, _) => "negated",
        _ => "bits",
    }
}
