// SPDX-License-Identifier: MIT OR Apache-2.0
//! Statements of a kernel: loops unrolled, macros and links written out, constant branches taken.

use super::{
    Refusal,
    describe::describe,
    expr::{Context, replace},
    index::{Loops, path},
    symbols::{Role, Symbol, Symbols},
    tree::Literal,
};
use crate::{
    check::reads,
    expr::{Expr, Kind, NetId, Ty},
};
use rust_hdl::core::ast::{
    VerilogBlockOrConditional, VerilogConditional, VerilogExpression as Ast, VerilogLink, VerilogLoop, VerilogMatch, VerilogStatement,
};
use std::collections::{BTreeMap, BTreeSet};

type Result<T> = std::result::Result<T, Refusal>;

#[derive(Debug, Clone)]
pub enum Statement {
    /// `update`: the value is made of the target's own bits of before.
    Assign {
        net: NetId,
        value: Expr,
        update: bool,
    },
    If(Expr, Vec<Statement>, Vec<Statement>),
    /// Subject, arms, default.
    Case(Expr, Vec<(Expr, Vec<Statement>)>, Vec<Statement>),
    Comment(String),
}

#[derive(Debug, Default)]
pub struct Kernel {
    pub body: Vec<Statement>,
    /// What each clock is a copy of, by path.
    pub clocks: BTreeMap<String, String>,
}

pub fn read(symbols: &Symbols, code: &[VerilogStatement]) -> Result<Kernel> {
    let mut reader = Reader { symbols, loops: vec![], clocks: BTreeMap::new(), depth: 0 };
    let body = reader.block(code, &mut BTreeSet::new())?;
    Ok(Kernel { body, clocks: reader.clocks })
}

/// The nets that statements assign.
pub fn targets(body: &[Statement]) -> BTreeSet<NetId> {
    let mut out = BTreeSet::new();
    for s in body {
        match s {
            Statement::Assign { net, .. } => {
                out.insert(*net);
            }
            Statement::If(_, a, b) => out.extend(targets(a).into_iter().chain(targets(b))),
            Statement::Case(_, arms, default) => {
                out.extend(arms.iter().flat_map(|(_, body)| targets(body)).chain(targets(default)));
            }
            Statement::Comment(_) => {}
        }
    }
    out
}

/// The nets that statements assign whatever the conditions are.
pub fn always_assigned(body: &[Statement]) -> BTreeSet<NetId> {
    let mut out = BTreeSet::new();
    for s in body {
        match s {
            Statement::Assign { net, .. } => {
                out.insert(*net);
            }
            Statement::If(_, a, b) => out.extend(&always_assigned(a) & &always_assigned(b)),
            Statement::Case(_, arms, default) => {
                let in_arms = |set: BTreeSet<NetId>, (_, body): &(Expr, Vec<Statement>)| &set & &always_assigned(body);
                out.extend(arms.iter().fold(always_assigned(default), in_arms));
            }
            Statement::Comment(_) => {}
        }
    }
    out
}

struct Reader<'a> {
    symbols: &'a Symbols,
    loops: Loops,
    clocks: BTreeMap<String, String>,
    /// Conditions around the statement.
    depth: usize,
}

impl Reader<'_> {
    fn context(&self) -> Context<'_> {
        Context { symbols: self.symbols, loops: &self.loops }
    }

    /// `done`: nets assigned on every path that leads here.
    fn block(&mut self, code: &[VerilogStatement], done: &mut BTreeSet<NetId>) -> Result<Vec<Statement>> {
        let mut out = vec![];
        for s in code {
            let statements = self.statement(s, done)?;
            done.extend(always_assigned(&statements));
            out.extend(statements);
        }
        Ok(out)
    }

    fn branch(&mut self, code: &[VerilogStatement], done: &BTreeSet<NetId>) -> Result<Vec<Statement>> {
        self.depth += 1;
        let body = self.block(code, &mut done.clone());
        self.depth -= 1;
        body
    }

    fn statement(&mut self, s: &VerilogStatement, done: &mut BTreeSet<NetId>) -> Result<Vec<Statement>> {
        match s {
            VerilogStatement::Assignment(target, value) => self.assignment(target, value),
            VerilogStatement::SliceAssignment { base, width, offset, replacement } => {
                self.slice_assignment(base, *width as u32, offset, replacement, done).map(|s| vec![s])
            }
            VerilogStatement::If(c) => self.conditional(c, done),
            VerilogStatement::Match(m) => self.matching(m, done),
            VerilogStatement::Loop(l) => self.unroll(l, done),
            VerilogStatement::Comment(text) => Ok(vec![Statement::Comment(text.clone())]),
            VerilogStatement::Link(links) => self.links(links),
            VerilogStatement::Macro(body) => self.block(body, done),
        }
    }

    fn target(&self, e: &Ast) -> Result<(String, &Symbol)> {
        let Ast::Signal(name) = e else {
            return Err(Refusal::new(describe(e), "not a signal that can be assigned"));
        };
        let path = self.context().path(name)?;
        match self.symbols.get(&path) {
            Some(s) if matches!(s.role, Role::Driven | Role::Clock) => Ok((path, s)),
            Some(_) => Err(Refusal::new(path.replace('$', "."), "assigned, but driven from elsewhere (an input, or an output of a child)")),
            None => Err(Refusal::new(path.replace('$', "."), "not a signal of the block")),
        }
    }

    fn assignment(&mut self, target: &Ast, value: &Ast) -> Result<Vec<Statement>> {
        let (path, symbol) = self.target(target)?;
        let Some(net) = symbol.net().filter(|_| symbol.role == Role::Driven) else {
            return self.clock(path, value).map(|()| vec![]);
        };
        let value = self.context().typed(value, symbol.ty).map_err(|r| in_statement(target, value, r))?;
        Ok(vec![Statement::Assign { net, value, update: false }])
    }

    fn clock(&mut self, path: String, value: &Ast) -> Result<()> {
        let name = path.replace('$', ".");
        let source = match value {
            Ast::Signal(source) => self.context().path(source)?,
            _ => return Err(Refusal::new(name, "a clock that is computed; clocks are only passed on")),
        };
        match self.symbols.get(&source) {
            Some(s) if s.role == Role::Clock && self.depth == 0 => {
                self.clocks.insert(path, source);
                Ok(())
            }
            Some(s) if s.role == Role::Clock => Err(Refusal::new(name, "a clock assigned under a condition")),
            _ => Err(Refusal::new(name, format!("a clock made from `{}`, which is none", source.replace('$', ".")))),
        }
    }

    /// A field of a struct, or a bit.
    fn slice_assignment(&mut self, base: &Ast, width: u32, offset: &Ast, value: &Ast, done: &BTreeSet<NetId>) -> Result<Statement> {
        let (path, symbol) = self.target(base)?;
        let refuse = |reason: &str| Err(Refusal::new(path.replace('$', "."), reason));
        let (Some(net), Some(read)) = (symbol.net(), symbol.read.as_ref()) else {
            return refuse("a part of a clock");
        };
        let offset = match offset {
            Ast::Literal(v) => Literal::of(v).number().and_then(|n| u32::try_from(n).ok()),
            _ => None,
        };
        let Some(offset) = offset.filter(|o| o + width <= symbol.ty.width()) else {
            return refuse("a part at a position that is not constant");
        };
        if !done.contains(&net) {
            return refuse("a part is assigned before the whole");
        }
        let part = self.context().typed(value, Ty::Unsigned(width)).map_err(|r| in_statement(base, value, r))?;
        if reads(&part).contains(&net) {
            return refuse("a part is made from the signal itself");
        }
        Ok(Statement::Assign { net, value: replace(read, offset, &part), update: true })
    }

    fn conditional(&mut self, c: &VerilogConditional, done: &mut BTreeSet<NetId>) -> Result<Vec<Statement>> {
        let test = self.context().condition(&c.test)?;
        let otherwise: &[VerilogStatement] = match &c.otherwise {
            VerilogBlockOrConditional::Block(b) => b,
            VerilogBlockOrConditional::Conditional(s) => std::slice::from_ref(s),
            VerilogBlockOrConditional::None => &[],
        };
        if let Kind::Const(bits, _) = test.kind() {
            return self.block(if bits.is_zero() { otherwise } else { &c.then }, done);
        }
        Ok(vec![Statement::If(test, self.branch(&c.then, done)?, self.branch(otherwise, done)?)])
    }

    fn matching(&mut self, m: &VerilogMatch, done: &mut BTreeSet<NetId>) -> Result<Vec<Statement>> {
        let subject = self.context().any(&m.test)?;
        let mut arms = vec![];
        let mut default = None;
        let mut last = "";
        for case in &m.cases {
            if case.condition == "default" {
                default = Some(self.branch(&case.block, done)?);
                break;
            }
            let key = match case.condition.as_str() {
                "true" => Expr::bit_const(true),
                "false" => Expr::bit_const(false),
                name => self.symbols.variant(name).cloned().ok_or_else(|| {
                    Refusal::new(
                        name.replace('$', "::"),
                        "a pattern that is neither a value of an enum in this block nor `true`, `false` or `_`",
                    )
                })?,
            };
            if key.ty() != subject.ty() {
                return Err(Refusal::new(describe(&m.test), format!("matched against `{}`", case.condition.replace('$', "::"))));
            }
            last = &case.condition;
            arms.push((key, self.branch(&case.block, done)?));
        }
        if let Kind::Const(bits, _) = subject.kind() {
            let taken = arms.into_iter().find(|(key, _)| matches!(key.kind(), Kind::Const(k, _) if k == bits));
            return Ok(taken.map(|(_, body)| body).or(default).unwrap_or_default());
        }
        Ok(vec![self.case(subject, arms, default, last, done)])
    }

    fn case(
        &self,
        subject: Expr,
        mut arms: Vec<(Expr, Vec<Statement>)>,
        default: Option<Vec<Statement>>,
        last: &str,
        done: &BTreeSet<NetId>,
    ) -> Statement {
        if subject.ty() == Ty::BIT && matches!(last, "true" | "false") {
            let find = |want: &str| {
                let found = arms.iter().find(|(key, _)| matches!(key.kind(), Kind::Const(k, _) if k.is_zero() == (want == "false")));
                found.map(|(_, body)| body.clone()).or(default.clone()).unwrap_or_default()
            };
            return Statement::If(subject, find("true"), find("false"));
        }
        // Rust's `match` names every value; other encodings never occur in rust-hdl. Where the arms leave
        // nothing to hold on to, the last one stands for them.
        let needed = arms.iter().any(|(_, body)| !targets(body).is_subset(done));
        let exhaustive = default.is_none() && self.symbols.covers_enum(last, arms.len());
        let default = match default {
            Some(body) => body,
            None if exhaustive && needed => match arms.pop() {
                Some((key, mut body)) => {
                    if let Kind::Const(_, Some(name)) = key.kind() {
                        body.insert(0, Statement::Comment(name.to_string()));
                    }
                    body
                }
                None => vec![],
            },
            None => vec![],
        };
        Statement::Case(subject, arms, default)
    }

    fn unroll(&mut self, l: &VerilogLoop, done: &mut BTreeSet<NetId>) -> Result<Vec<Statement>> {
        let bound = |v| Literal::of(v).number().ok_or_else(|| Refusal::new(format!("for {}", l.index), "the bounds are no numbers"));
        let (from, to) = (bound(&l.from)?, bound(&l.to)?);
        let mut out = vec![];
        for i in from..to {
            self.loops.push((l.index.clone(), i));
            let body = self.block(&l.block, done);
            self.loops.pop();
            out.extend(body?);
        }
        Ok(out)
    }

    fn links(&mut self, links: &[VerilogLink]) -> Result<Vec<Statement>> {
        let mut out = vec![];
        for link in links {
            let (details, forward) = match link {
                VerilogLink::Forward(d) => (d, true),
                VerilogLink::Backward(d) => (d, false),
                VerilogLink::Bidirectional(d) => {
                    return Err(Refusal::new(d.owner_name.replace('$', "."), "a bidirectional link; the IR has inputs and outputs only"));
                }
            };
            let end = |side: &str| {
                let field = path(&details.my_name, &self.loops)?;
                let side = path(side, &self.loops)?;
                Ok(Ast::Signal(if field.is_empty() { side } else { format!("{side}${field}") }))
            };
            let ends = [end(&details.owner_name), end(&details.other_name)];
            let [owner, other] =
                ends.map(|e: std::result::Result<Ast, String>| e.map_err(|reason| Refusal::new(&details.owner_name, reason)));
            let (from, to) = if forward { (owner?, other?) } else { (other?, owner?) };
            out.extend(self.assignment(&to, &from)?);
        }
        Ok(out)
    }
}

fn in_statement(target: &Ast, value: &Ast, r: Refusal) -> Refusal {
    let whole = format!("{}.next = {}", describe(target).trim_end_matches(".next"), describe(value));
    let reason = if r.construct == describe(value) { r.reason } else { format!("`{}`: {}", r.construct, r.reason) };
    Refusal::new(whole, reason)
}
