// SPDX-License-Identifier: MIT OR Apache-2.0
//! A combinational process as one expression per target: its statements executed symbolically, in order.
//!
//! Used by the simulator and by the checks, so that both see the same dependencies: a target depends on
//! what its own value needs, not on everything the process reads.

use crate::{
    expr::{BinaryOp, Expr, Kind, NetId, Node, Ty},
    module::{Process, Stmt},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// Why a process has no combinational meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Some path leaves the target unassigned: it would have to hold its value.
    NotAssigned(NetId),
    /// Read before its first assignment.
    ReadFirst(NetId),
    /// Assigned, but not declared as a target.
    Undeclared(NetId),
}

type Values = BTreeMap<NetId, Expr>;

/// The final value of each target, in the order of `process.targets`.
pub fn execute(process: &Process) -> Result<Vec<(NetId, Expr)>, Fault> {
    let run = Run { targets: process.targets.iter().copied().collect() };
    let mut values = Values::new();
    run.body(&process.body, &mut values)?;
    let value = |t: &NetId| values.get(t).map(|e| (*t, e.clone())).ok_or(Fault::NotAssigned(*t));
    process.targets.iter().map(value).collect()
}

struct Run {
    targets: BTreeSet<NetId>,
}

impl Run {
    fn body(&self, body: &[Stmt], values: &mut Values) -> Result<(), Fault> {
        body.iter().try_for_each(|s| self.statement(s, values))
    }

    fn statement(&self, s: &Stmt, values: &mut Values) -> Result<(), Fault> {
        match s {
            Stmt::Comment(_) => {}
            Stmt::Assign(net, _) if !self.targets.contains(net) => return Err(Fault::Undeclared(*net)),
            Stmt::Assign(net, e) => {
                let value = self.substitute(e, values)?;
                values.insert(*net, value);
            }
            Stmt::If(c, a, b) => {
                let c = self.substitute(c, values)?;
                let mut then = values.clone();
                self.body(a, &mut then)?;
                self.body(b, values)?;
                merge(&c, then, values);
            }
            Stmt::Case(subject, arms, default) => {
                let subject = self.substitute(subject, values)?;
                let before = values.clone();
                self.body(default, values)?;
                for (key, body) in arms.iter().rev() {
                    let hit = Expr::new(Ty::BIT, Kind::Binary(BinaryOp::Eq, subject.clone(), self.substitute(key, &before)?));
                    let mut then = before.clone();
                    self.body(body, &mut then)?;
                    merge(&hit, then, values);
                }
            }
        }
        Ok(())
    }

    /// The expression with every target replaced by its value so far.
    fn substitute(&self, e: &Expr, values: &Values) -> Result<Expr, Fault> {
        let mut reads_target = false;
        e.visit(&mut |e| reads_target |= matches!(e.kind(), Kind::Net(id, _) if self.targets.contains(id)));
        if reads_target { self.rebuild(e, values, &mut HashMap::new()) } else { Ok(e.clone()) }
    }

    fn rebuild(&self, e: &Expr, values: &Values, done: &mut HashMap<*const Node, Expr>) -> Result<Expr, Fault> {
        if let Some(e) = done.get(&Arc::as_ptr(&e.0)) {
            return Ok(e.clone());
        }
        let mut part = |e: &Expr| self.rebuild(e, values, done);
        let kind = match e.kind() {
            Kind::Net(id, _) if self.targets.contains(id) => return values.get(id).cloned().ok_or(Fault::ReadFirst(*id)),
            Kind::Const(..) | Kind::Net(..) | Kind::Poison(_) => return Ok(e.clone()),
            Kind::Unary(op, a) => Kind::Unary(*op, part(a)?),
            Kind::Binary(op, a, b) => Kind::Binary(*op, part(a)?, part(b)?),
            Kind::Mux(c, a, b) => Kind::Mux(part(c)?, part(a)?, part(b)?),
            Kind::Slice(a, lsb) => Kind::Slice(part(a)?, *lsb),
            Kind::Select(a, i) => Kind::Select(part(a)?, part(i)?),
            Kind::Concat(parts) => Kind::Concat(parts.iter().map(part).collect::<Result<_, _>>()?),
            Kind::Resize(a) => Kind::Resize(part(a)?),
            Kind::Cast(a) => Kind::Cast(part(a)?),
        };
        let new = Expr::new(e.ty(), kind);
        done.insert(Arc::as_ptr(&e.0), new.clone());
        Ok(new)
    }
}

/// `values` becomes `if condition { then } else { values }`; a target that only one side assigns has no value.
fn merge(condition: &Expr, then: Values, values: &mut Values) {
    values.retain(|net, _| then.contains_key(net));
    for (net, a) in then {
        if let Some(b) = values.get_mut(&net)
            && !Arc::ptr_eq(&a.0, &b.0)
        {
            *b = Expr::new(b.ty(), Kind::Mux(condition.clone(), a, b.clone()));
        }
    }
}
