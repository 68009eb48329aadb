// SPDX-License-Identifier: MIT OR Apache-2.0
//! The always blocks of registers.

use crate::{
    expr::{BinaryOp, Expr, Kind, NetId},
    module::{Item, Module, Stmt},
};
use std::{collections::BTreeMap, sync::Arc};

/// The named values that nets are compared with, by `==` or by `case`; those of at most 64 bits.
pub fn states(m: &Module) -> BTreeMap<(NetId, u64), Arc<str>> {
    let mut out = BTreeMap::new();
    let mut note = |a: &Expr, b: &Expr| {
        if let (Kind::Net(id, _), Kind::Const(bits, Some(name))) = (a.kind(), b.kind())
            && bits.width() <= 64
        {
            out.entry((*id, bits.low_u64())).or_insert_with(|| name.clone());
        }
    };
    for e in m.items.iter().flat_map(Item::exprs) {
        e.visit(&mut |e| {
            if let Kind::Binary(BinaryOp::Eq, a, b) = e.kind() {
                note(a, b);
                note(b, a);
            }
        });
    }
    let processes = m.items.iter().filter_map(|i| match i {
        Item::Process(p) => Some(&p.body),
        _ => None,
    });
    processes.for_each(|body| cases(body, &mut note));
    out
}

fn cases(body: &[Stmt], note: &mut impl FnMut(&Expr, &Expr)) {
    for s in body {
        match s {
            Stmt::If(_, a, b) => {
                cases(a, note);
                cases(b, note);
            }
            Stmt::Case(subject, arms, default) => {
                arms.iter().for_each(|(key, body)| {
                    note(subject, key);
                    cases(body, note);
                });
                cases(default, note);
            }
            Stmt::Assign(..) | Stmt::Comment(_) => {}
        }
    }
}

/// One always block: registers that change under the same conditions share it.
pub struct Always {
    pub clock: String,
    /// Registers that are not to be merged.
    pub copies: bool,
    pub arms: Vec<(Option<String>, Vec<String>)>,
}

impl Always {
    pub fn arms_match(&self, other: &Always) -> bool {
        self.copies == other.copies && self.arms.iter().map(|(c, _)| c).eq(other.arms.iter().map(|(c, _)| c))
    }

    pub fn absorb(&mut self, other: Always) {
        for (mine, theirs) in self.arms.iter_mut().zip(other.arms) {
            mine.1.extend(theirs.1);
        }
    }

    pub fn text(&self) -> Vec<String> {
        // Yosys passes the attribute on to each of the flip-flops.
        let mut out: Vec<String> = self.copies.then(|| "(* keep *)".into()).into_iter().collect();
        out.push(format!("always @(posedge {}) begin", self.clock));
        for (i, (condition, body)) in self.arms.iter().enumerate() {
            let pad = match condition {
                None if i == 0 => "    ",
                _ => "        ",
            };
            match (i, condition) {
                (0, None) => {}
                (0, Some(c)) => out.push(format!("    if ({c}) begin")),
                (_, Some(c)) => out.push(format!("    end else if ({c}) begin")),
                (_, None) => out.push("    end else begin".into()),
            }
            out.extend(body.iter().map(|l| format!("{pad}{l}")));
        }
        if self.arms.first().is_some_and(|(c, _)| c.is_some()) {
            out.push("    end".into());
        }
        out.push("end".into());
        out
    }
}
