// SPDX-License-Identifier: MIT OR Apache-2.0
//! Expressions as text, for messages.

use super::tree::Literal;
use rust_hdl::core::ast::{VerilogExpression as Ast, VerilogOp as Op, VerilogOpUnary as Unary};

/// An expression as the kernel's author wrote it, more or less.
pub fn describe(e: &Ast) -> String {
    let op = |o: &Op| match o {
        Op::Add => "+",
        Op::Sub => "-",
        Op::Mul => "*",
        Op::LogicalAnd => "&&",
        Op::LogicalOr => "||",
        Op::BitXor => "^",
        Op::BitAnd => "&",
        Op::BitOr => "|",
        Op::Shl => "<<",
        Op::Shr => ">>",
        Op::Eq => "==",
        Op::Lt => "<",
        Op::Le => "<=",
        Op::Ne => "!=",
        Op::Ge => ">=",
        Op::Gt => ">",
    };
    match e {
        Ast::Signal(s) => s.replace('$', "."),
        Ast::Literal(v) => Literal::of(v).number().map_or_else(|| format!("{v:x}"), |n| n.to_string()),
        Ast::Cast(a, n) => format!("bit_cast::<{n}, _>({})", describe(a)),
        Ast::Signed(a) => format!("signed_bit_cast({})", describe(a)),
        Ast::Unsigned(a) => format!("unsigned_cast({})", describe(a)),
        Ast::Paren(a) => format!("({})", describe(a)),
        Ast::Binary(a, o, b) => format!("{} {} {}", describe(a), op(o), describe(b)),
        Ast::Unary(Unary::Not, a) => format!("!{}", describe(a)),
        Ast::Unary(Unary::Neg, a) => format!("-{}", describe(a)),
        Ast::Unary(Unary::All, a) => format!("{}.all()", describe(a)),
        Ast::Unary(Unary::Any, a) => format!("{}.any()", describe(a)),
        Ast::Unary(Unary::Xor, a) => format!("{}.xor()", describe(a)),
        Ast::Index(a, i) => format!("{}.get_bit({})", describe(a), describe(i)),
        Ast::Slice(a, n, i) => format!("{}.get_bits::<{n}>({})", describe(a), describe(i)),
        Ast::IndexReplace(a, i, v) => format!("{}.replace_bit({}, {})", describe(a), describe(i), describe(v)),
    }
}
