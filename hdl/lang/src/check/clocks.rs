// SPDX-License-Identifier: MIT OR Apache-2.0
//! Clock domains: a register of one clock may read registers of another only as a synchroniser does.
//!
//! A synchroniser is a module whose name starts with [`SYNCHRONISER`]; what enters it must be a register of
//! the other clock itself, as logic in between could glitch.

use super::reads;
use crate::{
    expr::{Kind, NetId},
    module::*,
    sim::flatten::{Driver, Flat, Global, Scope},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How the names of modules start that take a bit from one clock to another.
pub const SYNCHRONISER: &str = "synchroniser";

/// For each clock an example of a register that a net's value comes from.
type Origins = BTreeMap<Global, Global>;

pub fn check(top: &Arc<Module>) -> Vec<String> {
    if top.ports().filter(|(_, n)| n.kind == NetKind::Clock).count() < 2 {
        return vec![];
    }
    // Loops and latches have findings of their own.
    let Ok(flat) = Flat::new(top) else { return vec![] };
    let mut d = Domains { clock_of: BTreeMap::new(), origins: vec![Origins::new(); flat.drivers.len()], errors: vec![], flat: &flat };
    d.stored();
    d.spread();
    for scope in &flat.scopes {
        scope.module.items.iter().for_each(|item| d.crossings(scope, item));
    }
    d.errors
}

/// The clock of a register or memory, and its name.
fn clocked<'a>(m: &'a Module, item: &'a Item) -> Option<(NetId, &'a str)> {
    match item {
        Item::Register(r) => Some((r.clock, &m.net(r.net).name)),
        Item::Memory(memory) => Some((memory.clock, &memory.name)),
        _ => None,
    }
}

struct Domains<'a> {
    flat: &'a Flat,
    /// Of each register and read data.
    clock_of: BTreeMap<Global, Global>,
    origins: Vec<Origins>,
    errors: Vec<String>,
}

impl Domains<'_> {
    fn stored(&mut self) {
        for scope in &self.flat.scopes {
            for item in &scope.module.items {
                match clocked(&scope.module, item).map(|(clock, _)| self.flat.clock(scope.global(clock))) {
                    Some(Ok(clock)) => self.clock_of.extend(item.drives().into_iter().map(|net| (scope.global(net), clock))),
                    Some(Err(e)) => self.errors.push(e.to_string()),
                    None => {}
                }
            }
        }
    }

    fn spread(&mut self) {
        for &net in &self.flat.order {
            self.origins[net] = match self.clock_of.get(&net) {
                Some(&clock) => Origins::from([(clock, net)]),
                None => self.flat.inputs_of(net).into_iter().flat_map(|i| self.origins[i].clone()).collect(),
            };
        }
    }

    fn crossings(&mut self, scope: &Scope, item: &Item) {
        let Some((clock, what)) = clocked(&scope.module, item) else { return };
        let Ok(clock) = self.flat.clock(scope.global(clock)) else { return };
        let target = scope.name(what);
        let reads: BTreeSet<NetId> = item.exprs().into_iter().flat_map(reads).collect();
        for net in reads.into_iter().map(|id| scope.global(id)) {
            for (&other, &from) in self.origins[net].iter().filter(|(c, _)| **c != clock) {
                let (from, other, own) = (self.flat.name(from), self.flat.name(other), self.flat.name(clock));
                if !scope.module.name.starts_with(SYNCHRONISER) {
                    self.errors.push(format!("`{target}` (clock `{own}`) reads `{from}` (clock `{other}`) without a synchroniser"));
                } else if !self.is_register(net) {
                    self.errors.push(format!("logic lies between `{from}` (clock `{other}`) and the synchroniser's `{target}`"));
                }
            }
        }
    }

    /// Whether a net is a register's value, through wires and ports only.
    fn is_register(&self, mut net: Global) -> bool {
        while !self.clock_of.contains_key(&net) {
            net = match &self.flat.drivers[net] {
                Driver::Alias(from) => *from,
                Driver::Expr(scope, e) => match e.kind() {
                    Kind::Net(id, _) => self.flat.scopes[*scope].global(*id),
                    _ => return false,
                },
                Driver::Source => return false,
            };
        }
        true
    }
}
