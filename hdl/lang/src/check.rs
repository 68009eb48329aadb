// SPDX-License-Identifier: MIT OR Apache-2.0
//! Design checks: drivers, unused nets, combinational loops, clock domains, memories, names.

use crate::{
    expr::{Expr, Kind, NetId},
    module::*,
};
use std::collections::{BTreeMap, BTreeSet};

/// Checks that a module can answer on its own: each net is driven once.
pub fn local(m: &Module) -> Vec<String> {
    let mut drivers = vec![0u32; m.nets.len()];
    for net in m.items.iter().flat_map(Item::drives) {
        drivers[net.0 as usize] += 1;
    }
    let mut errors = Vec::new();
    for (net, &n) in m.nets.iter().zip(&drivers) {
        let is_input = matches!(net.kind, NetKind::Clock | NetKind::Input);
        match (is_input, n) {
            (true, 0) | (false, 1) => {}
            (true, _) => errors.push(format!("input `{}` is driven from inside", net.name)),
            (false, 0) => errors.push(format!("`{}` has no driver", net.name)),
            (false, n) => errors.push(format!("`{}` has {n} drivers", net.name)),
        }
    }
    errors
}

/// Nets that an expression reads.
pub fn reads(e: &Expr) -> BTreeSet<NetId> {
    let mut out = BTreeSet::new();
    e.visit(&mut |e| {
        if let Kind::Net(id, _) = e.kind() {
            out.insert(*id);
        }
    });
    out
}

/// Nets that nothing in the module reads and that leave it nowhere.
pub fn unused(m: &Module) -> Vec<String> {
    let mut used: BTreeSet<NetId> = m.items.iter().flat_map(Item::exprs).flat_map(reads).collect();
    used.extend(m.items.iter().filter_map(|i| match i {
        Item::Register(r) => Some(r.clock),
        Item::Memory(r) => Some(r.clock),
        Item::Property(p) => Some(p.clock),
        _ => None,
    }));
    let named = m.ids().filter(|id| !used.contains(id) && m.net(*id).kind != NetKind::Output);
    named.map(|id| m.net(id).name.clone()).collect()
}

/// Two modules of one name that differ.
pub fn name_clashes(top: &std::sync::Arc<Module>) -> Vec<String> {
    let mut seen: BTreeMap<String, std::sync::Arc<Module>> = BTreeMap::new();
    let mut clashes = BTreeSet::new();
    let mut stack = vec![top.clone()];
    let mut visited = BTreeSet::new();
    while let Some(m) = stack.pop() {
        if !visited.insert(std::sync::Arc::as_ptr(&m)) {
            continue;
        }
        stack.extend(m.instances().map(|i| i.module.clone()));
        match seen.get(&m.name) {
            Some(other) if !std::sync::Arc::ptr_eq(other, &m) && format!("{other:?}") != format!("{m:?}") => {
                clashes.insert(format!("two different modules are called `{}`", m.name));
            }
            Some(_) => {}
            None => {
                seen.insert(m.name.clone(), m.clone());
            }
        }
    }
    clashes.into_iter().collect()
}
