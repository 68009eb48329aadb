// SPDX-License-Identifier: MIT OR Apache-2.0
//! Expressions with nets replaced by other expressions.

use crate::{
    expr::{Expr, Kind, NetId, Node},
    module::*,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Replaces nets, shared nodes once.
pub struct Rewrite<'a> {
    nets: &'a BTreeMap<NetId, Expr>,
    done: HashMap<*const Node, Expr>,
    /// Keeps the nodes alive that `done` knows by address.
    kept: Vec<Expr>,
}

impl<'a> Rewrite<'a> {
    pub fn new(nets: &'a BTreeMap<NetId, Expr>) -> Self {
        Rewrite { nets, done: HashMap::new(), kept: vec![] }
    }

    pub fn expr(&mut self, e: &Expr) -> Expr {
        let key = Arc::as_ptr(&e.0);
        if let Some(done) = self.done.get(&key) {
            return done.clone();
        }
        let kind = match e.kind() {
            Kind::Net(id, _) => return self.nets.get(id).cloned().unwrap_or_else(|| e.clone()),
            Kind::Const(..) | Kind::Poison(_) => return e.clone(),
            Kind::Unary(op, a) => Kind::Unary(*op, self.expr(a)),
            Kind::Binary(op, a, b) => Kind::Binary(*op, self.expr(a), self.expr(b)),
            Kind::Mux(c, a, b) => Kind::Mux(self.expr(c), self.expr(a), self.expr(b)),
            Kind::Slice(a, lsb) => Kind::Slice(self.expr(a), *lsb),
            Kind::Select(a, i) => Kind::Select(self.expr(a), self.expr(i)),
            Kind::Concat(parts) => Kind::Concat(parts.iter().map(|p| self.expr(p)).collect()),
            Kind::Resize(a) => Kind::Resize(self.expr(a)),
            Kind::Cast(a) => Kind::Cast(self.expr(a)),
        };
        let new = Expr::new(e.ty(), kind);
        self.done.insert(key, new.clone());
        self.kept.push(e.clone());
        new
    }
}

/// The item with its expressions rewritten by `expr` and the nets it drives or is clocked by moved by `net`.
pub fn item(item: Item, expr: &mut dyn FnMut(&Expr) -> Expr, net: &dyn Fn(NetId) -> NetId) -> Item {
    match item {
        Item::Comment(_) | Item::Parameter(..) => item,
        Item::Assign(id, e) => Item::Assign(net(id), expr(&e)),
        Item::Register(r) => {
            let update = |u: Update| Update { condition: u.condition.map(|c| expr(&c)), value: expr(&u.value) };
            let updates = r.updates.into_iter().map(update).collect();
            let reset = r.reset.map(|(c, v)| (expr(&c), v));
            Item::Register(Register { net: net(r.net), clock: net(r.clock), reset, updates, retained: r.retained, copy: r.copy })
        }
        Item::Memory(m) => {
            let mut write = |w: WritePort| WritePort {
                enable: expr(&w.enable),
                address: expr(&w.address),
                data: expr(&w.data),
                byte_enable: w.byte_enable.map(|b| expr(&b)),
            };
            let writes = m.writes.into_iter().map(&mut write).collect();
            let read = |r: ReadPort| ReadPort { data: net(r.data), enable: expr(&r.enable), address: expr(&r.address) };
            Item::Memory(Memory { clock: net(m.clock), writes, reads: m.reads.into_iter().map(read).collect(), ..m })
        }
        Item::Instance(i) => Item::Instance(Instance {
            inputs: i.inputs.into_iter().map(|(name, e)| (name, expr(&e))).collect(),
            outputs: i.outputs.into_iter().map(|(name, id)| (name, net(id))).collect(),
            ..i
        }),
        Item::Process(p) => Item::Process(Process {
            targets: p.targets.into_iter().map(net).collect(),
            body: p.body.into_iter().map(|s| statement(s, expr, net)).collect(),
        }),
        Item::Property(p) => Item::Property(Property { clock: net(p.clock), expr: expr(&p.expr), ..p }),
    }
}

fn statement(s: Stmt, expr: &mut dyn FnMut(&Expr) -> Expr, net: &dyn Fn(NetId) -> NetId) -> Stmt {
    let body = |b: Vec<Stmt>, expr: &mut dyn FnMut(&Expr) -> Expr| b.into_iter().map(|s| statement(s, expr, net)).collect();
    match s {
        Stmt::Assign(id, e) => Stmt::Assign(net(id), expr(&e)),
        Stmt::If(c, a, b) => Stmt::If(expr(&c), body(a, expr), body(b, expr)),
        Stmt::Case(subject, arms, default) => {
            let subject = expr(&subject);
            let arms = arms.into_iter().map(|(key, b)| (expr(&key), body(b, expr))).collect();
            Stmt::Case(subject, arms, body(default, expr))
        }
        Stmt::Comment(_) => s,
    }
}
