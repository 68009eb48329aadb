// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a module can answer on its own: drivers, types, processes, instances, memories, unused nets.

use crate::{
    expr::{Expr, Kind, NetId, Ty},
    module::*,
    process::{self, Fault},
};
use std::collections::BTreeSet;

/// Checks that each net is driven once, by its type; that processes make no latch; that instances are
/// connected; that a memory's contents fit.
pub fn local(m: &Module) -> Vec<String> {
    let mut errors = drivers(m);
    errors.extend(shared_ports(m));
    for item in &m.items {
        match item {
            Item::Assign(net, value) => typed(m, *net, value, &mut errors),
            Item::Register(r) => {
                r.updates.iter().for_each(|u| typed(m, r.net, &u.value, &mut errors));
                clock(m, r.clock, &m.net(r.net).name, &mut errors);
            }
            Item::Memory(memory) => {
                clock(m, memory.clock, &memory.name, &mut errors);
                contents(memory, &mut errors);
            }
            Item::Instance(i) => connections(m, i, &mut errors),
            Item::Process(p) => {
                errors.extend(process::execute(p).err().map(|fault| latch(m, fault)));
                errors.extend(asleep(m, p));
            }
            Item::Property(p) => clock(m, p.clock, &p.name, &mut errors),
            Item::Comment(_) | Item::Parameter(..) => {}
        }
    }
    errors
}

/// Ports are found by their base names, which `_i` and `_o` would tell apart only in the Verilog.
fn shared_ports(m: &Module) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let twice = m.ports().filter(|(_, port)| !seen.insert(&port.name));
    twice.map(|(_, port)| format!("two ports are called `{}`", port.name)).collect()
}

fn drivers(m: &Module) -> Vec<String> {
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

fn typed(m: &Module, net: NetId, value: &Expr, errors: &mut Vec<String>) {
    let net = m.net(net);
    if net.ty != value.ty() {
        errors.push(format!("`{}` is {:?}, but its driver {} is not", net.name, net.ty, value.describe()));
    }
}

fn clock(m: &Module, net: NetId, what: &str, errors: &mut Vec<String>) {
    if m.net(net).ty != Ty::BIT {
        errors.push(format!("`{what}` is clocked by `{}`, which is not one bit", m.net(net).name));
    }
}

fn contents(memory: &Memory, errors: &mut Vec<String>) {
    if memory.init.len() > memory.depth as usize {
        errors.push(format!("memory `{}` of {} words starts with {}", memory.name, memory.depth, memory.init.len()));
    }
    if let Some(word) = memory.init.iter().find(|w| w.width() != memory.width) {
        errors.push(format!("memory `{}` of {} bits starts with a word of {}", memory.name, memory.width, word.width()));
    }
}

fn connections(m: &Module, i: &Instance, errors: &mut Vec<String>) {
    for (_, port) in i.module.ports() {
        let given = match port.kind {
            NetKind::Output => i.outputs.iter().find(|(n, _)| *n == port.name).map(|(_, id)| m.net(*id).ty),
            _ => i.inputs.iter().find(|(n, _)| *n == port.name).map(|(_, e)| e.ty()),
        };
        let path = format!("{}.{}", i.name, port.name);
        match given {
            Some(ty) if ty != port.ty => errors.push(format!("`{path}` is {:?}, but connected to {ty:?}", port.ty)),
            None if port.kind != NetKind::Output => errors.push(format!("the input `{path}` is not connected")),
            _ => {}
        }
    }
}

fn latch(m: &Module, fault: Fault) -> String {
    let name = |id: NetId| &m.net(id).name;
    match fault {
        Fault::NotAssigned(id) => format!("`{}` is not assigned on every path: it would be a latch", name(id)),
        Fault::ReadFirst(id) => format!("`{}` is read before it is assigned: it would be a latch", name(id)),
        Fault::Undeclared(id) => format!("`{}` is assigned by a process that does not drive it", name(id)),
    }
}

/// `always @*` of Verilog-2005 runs when what it reads changes; if it reads nothing, it never does.
fn asleep(m: &Module, p: &Process) -> Option<String> {
    let mut read = p.body.iter().flat_map(Stmt::exprs).flat_map(reads);
    let sleeps = !read.any(|id| !p.targets.contains(&id));
    let names: Vec<&str> = p.targets.iter().map(|id| m.net(*id).name.as_str()).collect();
    sleeps.then(|| format!("the process of `{}` reads nothing, so nothing would start it: assign the constants", names.join("`, `")))
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

/// Nets that nothing in the module reads and that leave it nowhere. A name that starts with `unused` says
/// that it is meant to be so.
pub fn unused(m: &Module) -> Vec<String> {
    let mut used: BTreeSet<NetId> = m.items.iter().flat_map(Item::exprs).flat_map(reads).collect();
    used.extend(m.items.iter().filter_map(|i| match i {
        Item::Register(r) => Some(r.clock),
        Item::Memory(r) => Some(r.clock),
        Item::Property(p) => Some(p.clock),
        _ => None,
    }));
    let silent = |net: &Net| net.kind == NetKind::Output || net.name.starts_with("unused");
    let named = m.ids().filter(|id| !used.contains(id) && !silent(m.net(*id)));
    named.map(|id| m.net(id).name.clone()).collect()
}
