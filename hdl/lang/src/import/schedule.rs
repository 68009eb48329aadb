// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the one ordered kernel of a block to assignments and processes that may run in any order.
//!
//! rust-hdl runs a kernel again and again until nothing changes, so that a read gives the value a signal
//! settles to: whatever stands before its last assignment is refused, as are latches and loops. What is
//! left has one value per signal. Statements that share a target or a condition stay together, unless
//! that would make a process wait for itself through another one.

use super::{
    Refusal,
    kernel::{Statement, always_assigned, targets},
};
use crate::{
    check::reads,
    expr::{Expr, NetId},
};
use std::collections::{BTreeMap, BTreeSet};

type Nets = BTreeSet<NetId>;

#[derive(Debug, Clone)]
pub enum Piece {
    Assign(NetId, Expr),
    Process(Vec<Statement>),
}

impl Piece {
    /// What each target depends on.
    pub fn dependencies(&self) -> BTreeMap<NetId, Nets> {
        match self {
            Piece::Assign(net, value) => BTreeMap::from([(*net, reads(value))]),
            Piece::Process(body) => dependencies(body),
        }
    }

    pub fn reads(&self) -> Nets {
        self.dependencies().into_values().flatten().collect()
    }

    fn targets(&self) -> Nets {
        match self {
            Piece::Assign(net, _) => Nets::from([*net]),
            Piece::Process(body) => targets(body),
        }
    }
}

/// What the surroundings say about a kernel.
pub struct Surroundings<'a> {
    pub name: &'a dyn Fn(NetId) -> String,
    /// Inputs of children: rust-hdl reads them at the value they settle to, at any point of the kernel.
    pub settled: Nets,
    /// Signals that only the kernel itself can read.
    pub local: Nets,
    /// Flip-flops: output and input.
    pub registers: Vec<(NetId, NetId)>,
    /// Outputs of children that follow inputs of the same child without a register between: (output, input).
    pub through: BTreeSet<(NetId, NetId)>,
}

pub fn plan(body: Vec<Statement>, around: &Surroundings) -> Result<Vec<Piece>, Refusal> {
    check_order(&body, around)?;
    let body = without_dead(body);
    let done = always_assigned(&body);
    if let Some(net) = targets(&body).iter().find(|t| !done.contains(t)) {
        return Err(Refusal::new((around.name)(*net), "not assigned on every path: a latch"));
    }
    check_loops(&body, around)?;
    Ok(in_order(split_cycles(pieces(live(body, around)), around)))
}

/// Without the signals and registers that nothing reads.
fn live(body: Vec<Statement>, around: &Surroundings) -> Vec<Statement> {
    let mut graph = dependencies(&body);
    let inner: Nets = around.registers.iter().map(|(_, d)| *d).chain(around.local.iter().copied()).collect();
    let mut seen = Nets::new();
    let mut stack: Vec<NetId> = graph.keys().copied().filter(|n| !inner.contains(n)).collect();
    for (q, d) in &around.registers {
        graph.entry(*q).or_default().insert(*d);
    }
    while let Some(net) = stack.pop() {
        if seen.insert(net) {
            stack.extend(graph.get(&net).into_iter().flatten());
        }
    }
    body.into_iter().filter_map(|s| keep(s, &|net| seen.contains(&net))).collect()
}

/// Each piece after those whose values it reads, otherwise as in the kernel.
fn in_order(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut waiting: Vec<(Nets, Nets, Piece)> = pieces.into_iter().map(|p| (p.targets(), p.reads(), p)).collect();
    let mut out = vec![];
    while !waiting.is_empty() {
        let open: Nets = waiting.iter().flat_map(|(targets, ..)| targets).copied().collect();
        let ready = waiting.iter().position(|(own, reads, _)| reads.iter().all(|n| own.contains(n) || !open.contains(n)));
        out.push(waiting.remove(ready.unwrap_or(0)).2);
    }
    out
}

/// Calls `f` with each net that is read, whether it may have been assigned before and whether it may be after.
fn walk(body: &[Statement], before: &mut Nets, after: &Nets, f: &mut dyn FnMut(NetId, bool, bool)) {
    let mut tails: Vec<Nets> = vec![after.clone()];
    for s in body.iter().rev() {
        let tail = tails.last().cloned().unwrap_or_default();
        tails.push(&tail | &targets(std::slice::from_ref(s)));
    }
    tails.reverse();
    for (i, s) in body.iter().enumerate() {
        let (from_here, later) = (&tails[i], &tails[i + 1]);
        let mut read = |e: &Expr, own: Option<NetId>| {
            for net in reads(e).into_iter().filter(|n| Some(*n) != own) {
                f(net, before.contains(&net), from_here.contains(&net));
            }
        };
        match s {
            Statement::Assign { net, value, update } => read(value, update.then_some(*net)),
            Statement::If(c, a, b) => {
                read(c, None);
                walk(a, &mut before.clone(), later, f);
                walk(b, &mut before.clone(), later, f);
            }
            Statement::Case(subject, arms, default) => {
                read(subject, None);
                for body in arms.iter().map(|(_, body)| body).chain([default]) {
                    walk(body, &mut before.clone(), later, f);
                }
            }
            Statement::Comment(_) => {}
        }
        before.extend(targets(std::slice::from_ref(s)));
    }
}

fn check_order(body: &[Statement], around: &Surroundings) -> Result<(), Refusal> {
    let mut between = None;
    walk(body, &mut Nets::new(), &Nets::new(), &mut |net, before, after| {
        if before && after && !around.settled.contains(&net) {
            between.get_or_insert(net);
        }
    });
    let refuse = |net| Refusal::new((around.name)(net), "read between two of its assignments (give the earlier value a signal of its own)");
    between.map_or(Ok(()), |net| Err(refuse(net)))
}

/// Without assignments that a later, unconditional one replaces.
fn without_dead(body: Vec<Statement>) -> Vec<Statement> {
    let mut replaced = Nets::new();
    let mut out = vec![];
    for s in body.into_iter().rev() {
        let whole = match &s {
            Statement::Assign { net, update: false, .. } => Some(*net),
            _ => None,
        };
        out.extend(keep(s, &|net| !replaced.contains(&net)));
        replaced.extend(whole);
    }
    out.reverse();
    out
}

/// The statement without the assignments whose targets are not wanted; nothing if none is left.
fn keep(s: Statement, wanted: &dyn Fn(NetId) -> bool) -> Option<Statement> {
    let all = |body: Vec<Statement>| body.into_iter().filter_map(|s| keep(s, wanted)).collect::<Vec<_>>();
    let empty = |body: &[Statement]| body.iter().all(|s| matches!(s, Statement::Comment(_)));
    match s {
        Statement::Assign { net, .. } if !wanted(net) => None,
        Statement::If(c, a, b) => {
            let (a, b) = (all(a), all(b));
            (!empty(&a) || !empty(&b)).then_some(Statement::If(c, a, b))
        }
        Statement::Case(subject, arms, default) => {
            let default = all(default);
            let arms = arms.into_iter().map(|(key, body)| (key, all(body)));
            // An arm without effect is only needed to keep its value from the default.
            let arms: Vec<_> = arms.filter(|(_, body)| !empty(body) || !empty(&default)).collect();
            (arms.iter().any(|(_, body)| !empty(body)) || !empty(&default)).then_some(Statement::Case(subject, arms, default))
        }
        other => Some(other),
    }
}

/// What each target depends on: the values assigned to it and the conditions around them.
fn dependencies(body: &[Statement]) -> BTreeMap<NetId, Nets> {
    let mut out = BTreeMap::new();
    depend(body, &Nets::new(), &mut out);
    out
}

fn depend(body: &[Statement], conditions: &Nets, out: &mut BTreeMap<NetId, Nets>) {
    for s in body {
        match s {
            Statement::Assign { net, value, update } => {
                let own = reads(value).into_iter().filter(|n| !(*update && n == net));
                out.entry(*net).or_default().extend(own.chain(conditions.iter().copied()));
            }
            Statement::If(c, a, b) => {
                let inner = conditions | &reads(c);
                depend(a, &inner, out);
                depend(b, &inner, out);
            }
            Statement::Case(subject, arms, default) => {
                let inner = conditions | &reads(subject);
                arms.iter().for_each(|(_, body)| depend(body, &inner, out));
                depend(default, &inner, out);
            }
            Statement::Comment(_) => {}
        }
    }
}

fn check_loops(body: &[Statement], around: &Surroundings) -> Result<(), Refusal> {
    let mut graph = dependencies(body);
    for (output, input) in &around.through {
        graph.entry(*output).or_default().insert(*input);
    }
    let mut done = Nets::new();
    for start in graph.keys() {
        let mut path = vec![];
        if let Some(cycle) = find_cycle(*start, &graph, &mut done, &mut path) {
            let names: Vec<String> = cycle.iter().map(|n| (around.name)(*n)).collect();
            return Err(Refusal::new(names.join(" <- "), "a combinational loop"));
        }
    }
    Ok(())
}

fn find_cycle(net: NetId, graph: &BTreeMap<NetId, Nets>, done: &mut Nets, path: &mut Vec<NetId>) -> Option<Vec<NetId>> {
    if let Some(at) = path.iter().position(|n| *n == net) {
        return Some(path[at..].to_vec());
    }
    if done.contains(&net) {
        return None;
    }
    path.push(net);
    let below = graph.get(&net).into_iter().flatten();
    let found = below.copied().find_map(|n| find_cycle(n, graph, done, path));
    path.pop();
    done.insert(net);
    found
}

/// Statements grouped by the targets they share, in the order of the kernel.
fn pieces(body: Vec<Statement>) -> Vec<Piece> {
    let mut groups: Vec<(Nets, Vec<(usize, Statement)>)> = vec![];
    let mut comments = vec![];
    for (i, s) in body.into_iter().enumerate() {
        if matches!(s, Statement::Comment(_)) {
            comments.push((i, s));
            continue;
        }
        let mut nets = targets(std::slice::from_ref(&s));
        let mut members = std::mem::take(&mut comments);
        members.push((i, s));
        let (shared, others): (Vec<_>, Vec<_>) = groups.into_iter().partition(|(t, _)| !t.is_disjoint(&nets));
        groups = others;
        for (t, statements) in shared {
            nets.extend(t);
            members.extend(statements);
        }
        members.sort_by_key(|(i, _)| *i);
        groups.push((nets, members));
    }
    groups.sort_by_key(|(_, members)| members.first().map(|(i, _)| *i));
    groups.into_iter().map(|(_, members)| piece(members.into_iter().map(|(_, s)| s).collect())).collect()
}

fn piece(body: Vec<Statement>) -> Piece {
    match body.as_slice() {
        [Statement::Assign { net, value, update: false }] => Piece::Assign(*net, value.clone()),
        _ => Piece::Process(body),
    }
}

/// One process per target where processes would wait for themselves, or read a target before its last assignment.
fn split_cycles(pieces: Vec<Piece>, around: &Surroundings) -> Vec<Piece> {
    let waits = waiting(&pieces, around);
    let split = |(p, waits): (Piece, bool)| match &p {
        Piece::Process(body) if waits || reads_early(body) => targets(body).iter().map(|t| only(body, *t)).collect(),
        _ => vec![p],
    };
    pieces.into_iter().zip(waits).flat_map(split).collect()
}

fn only(body: &[Statement], target: NetId) -> Piece {
    let kept = body.iter().filter(|s| !matches!(s, Statement::Comment(_))).filter_map(|s| keep(s.clone(), &|net| net == target));
    piece(kept.collect())
}

fn reads_early(body: &[Statement]) -> bool {
    let own = targets(body);
    let mut early = false;
    walk(body, &mut Nets::new(), &Nets::new(), &mut |net, _, after| early |= after && own.contains(&net));
    early
}

/// Which pieces depend on themselves through other pieces or through children.
fn waiting(pieces: &[Piece], around: &Surroundings) -> Vec<bool> {
    let mut driver: BTreeMap<NetId, usize> = BTreeMap::new();
    for (i, p) in pieces.iter().enumerate() {
        driver.extend(p.targets().into_iter().map(|t| (t, i)));
    }
    let waits = |start: usize| {
        let own = pieces[start].targets();
        // What the piece reads of itself it reads in order.
        let mut stack: Vec<NetId> = pieces[start].reads().into_iter().filter(|n| !own.contains(n)).collect();
        let mut seen = Nets::new();
        while let Some(net) = stack.pop() {
            if !seen.insert(net) {
                continue;
            }
            match driver.get(&net) {
                Some(&i) if i == start => return true,
                Some(&i) => stack.extend(pieces[i].reads()),
                None => stack.extend(around.through.iter().filter(|(output, _)| *output == net).map(|(_, input)| *input)),
            }
        }
        false
    };
    (0..pieces.len()).map(waits).collect()
}
