// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a flattened design to a [`Simulator`].

use super::{
    Domain, NetSlot, Port, SimError, SimProperty, Simulator,
    flatten::{Driver, Flat, Global},
    graph::{Graph, Id, Op, Value, canonical_limbs, limbs},
    lower::{Lower, Memo},
    memory::{ReadSlots, SimMemory, WriteSlots},
    tape::{Part, Tape},
};
use crate::{
    expr::{Expr, Ty},
    module::*,
};
use std::{collections::BTreeMap, sync::Arc};

/// A register: where it is, what it becomes.
struct Next {
    domain: usize,
    q: Value,
    next: Value,
}

struct MemoryNodes {
    domain: usize,
    memory: SimMemory,
    /// Enable, address, read data.
    reads: Vec<[Value; 3]>,
    /// Enable, address, data, byte enables.
    writes: Vec<([Value; 3], Option<Value>)>,
}

struct PropertyNode {
    domain: usize,
    kind: PropertyKind,
    name: String,
    value: Value,
}

struct Compiler {
    flat: Flat,
    graph: Graph,
    memo: Memo,
    /// By net.
    values: Vec<Value>,
    clocks: Vec<Global>,
    registers: Vec<Next>,
    memories: Vec<MemoryNodes>,
    properties: Vec<PropertyNode>,
}

pub(super) fn compile(top: &Arc<Module>) -> Result<Simulator, SimError> {
    let flat = Flat::new(top)?;
    let clocks = (0..top.nets.len()).filter(|&n| top.nets[n].kind == NetKind::Clock).collect();
    let mut graph = Graph::default();
    let zero = graph.constant(Ty::BIT, vec![0]);
    let mut c = Compiler {
        values: vec![zero; flat.drivers.len()],
        flat,
        graph,
        memo: Memo::new(),
        clocks,
        registers: vec![],
        memories: vec![],
        properties: vec![],
    };
    c.nets();
    c.items()?;
    Ok(c.finish(top))
}

impl Compiler {
    fn expr(&mut self, scope: usize, e: &Expr) -> Value {
        let (flat, values) = (&self.flat, &self.values);
        let net = |id| values[flat.scopes[scope].global(id)];
        Lower { graph: &mut self.graph, memo: &mut self.memo, scope, net }.expr(e)
    }

    fn nets(&mut self) {
        for i in 0..self.flat.order.len() {
            let net = self.flat.order[i];
            self.values[net] = match self.flat.drivers[net].clone() {
                Driver::Source if self.flat.net(net).kind == NetKind::Clock => self.values[net],
                Driver::Source => self.graph.source(self.flat.ty(net)),
                Driver::Alias(from) => self.values[from],
                Driver::Expr(scope, e) => self.expr(scope, &e),
            };
        }
    }

    fn domain(&self, scope: usize, clock: crate::expr::NetId) -> Result<usize, SimError> {
        let clock = self.flat.clock(self.flat.scopes[scope].global(clock))?;
        Ok(self.clocks.iter().position(|&c| c == clock).unwrap_or(0))
    }

    fn items(&mut self) -> Result<(), SimError> {
        for scope in 0..self.flat.scopes.len() {
            let module = self.flat.scopes[scope].module.clone();
            for item in &module.items {
                match item {
                    Item::Register(r) => self.register(scope, r)?,
                    Item::Memory(m) => self.memory(scope, m)?,
                    Item::Property(p) => {
                        let (domain, value) = (self.domain(scope, p.clock)?, self.expr(scope, &p.expr));
                        let name = self.flat.scopes[scope].name(&p.name);
                        self.properties.push(PropertyNode { domain, kind: p.kind, name, value });
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn register(&mut self, scope: usize, r: &Register) -> Result<(), SimError> {
        let domain = self.domain(scope, r.clock)?;
        let q = self.values[self.flat.scopes[scope].global(r.net)];
        let mut next = q;
        for update in r.updates.iter().rev() {
            let value = self.expr(scope, &update.value);
            next = match &update.condition {
                None => value,
                Some(c) => {
                    let c = self.expr(scope, c);
                    self.graph.mux(c.id, value, next)
                }
            };
        }
        if let Some((condition, value)) = &r.reset {
            let c = self.expr(scope, condition);
            let value = self.graph.constant(q.ty, canonical_limbs(q.ty, value));
            next = self.graph.mux(c.id, value, next);
        }
        self.registers.push(Next { domain, q, next });
        Ok(())
    }

    fn memory(&mut self, scope: usize, m: &Memory) -> Result<(), SimError> {
        let domain = self.domain(scope, m.clock)?;
        let memory = SimMemory::new(self.flat.scopes[scope].name(&m.name), m.width, m.depth, &m.init);
        let mut nodes = MemoryNodes { domain, memory, reads: vec![], writes: vec![] };
        for r in &m.reads {
            let data = self.values[self.flat.scopes[scope].global(r.data)];
            nodes.reads.push([self.expr(scope, &r.enable), self.expr(scope, &r.address), data]);
        }
        for w in &m.writes {
            let ports = [&w.enable, &w.address, &w.data].map(|e| self.expr(scope, e));
            nodes.writes.push((ports, w.byte_enable.as_ref().map(|e| self.expr(scope, e))));
        }
        self.memories.push(nodes);
        Ok(())
    }

    /// A register that takes another register's value does so through a copy: commits have no order.
    fn separate(&mut self) {
        let mut is_register = vec![false; self.graph.nodes.len()];
        self.registers.iter().for_each(|r| is_register[r.q.id as usize] = true);
        for i in 0..self.registers.len() {
            let Next { q, next, .. } = self.registers[i];
            // A limb lies where the whole value does.
            let node = self.graph.node(next.id);
            let stored_at = if node.op == Op::Limb { node.args[0] } else { next.id };
            if !is_register.get(stored_at as usize).copied().unwrap_or(false) {
                continue;
            }
            let copy = match limbs(q.ty) {
                1 => Value { id: self.graph.op(Op::Copy, [next.id, 0, 0], q.ty), ty: q.ty },
                _ => self.graph.wide(super::graph::WideOp::Convert, q.ty, &[next], 0),
            };
            self.registers[i].next = copy;
        }
    }

    fn inputs(&self) -> Vec<(Global, Value)> {
        let top = &self.flat.scopes[0].module;
        (0..top.nets.len()).filter(|&n| top.nets[n].kind == NetKind::Input).map(|n| (n, self.values[n])).collect()
    }

    /// Everything that must be up to date in each cycle.
    fn roots(&self) -> Vec<Id> {
        let top = &self.flat.scopes[0].module;
        let outputs = (0..top.nets.len()).filter(|&n| top.nets[n].kind == NetKind::Output).map(|n| self.values[n].id);
        let mut roots: Vec<Id> = outputs.collect();
        roots.extend(self.registers.iter().map(|r| r.next.id));
        roots.extend(self.properties.iter().map(|p| p.value.id));
        for m in &self.memories {
            roots.extend(m.reads.iter().flatten().map(|v| v.id));
            roots.extend(m.writes.iter().flat_map(|(ports, be)| ports.iter().chain(be)).map(|v| v.id));
        }
        roots
    }

    fn finish(mut self, top: &Arc<Module>) -> Simulator {
        self.separate();
        self.registers.sort_by_key(|r| r.domain);
        let inputs = self.inputs();
        let read_data = self.memories.iter().flat_map(|m| m.reads.iter().map(|r| r[2].id));
        let sources: Vec<Id> = self.registers.iter().map(|r| r.q.id).chain(read_data).chain(inputs.iter().map(|(_, v)| v.id)).collect();
        let input_ids: Vec<Id> = inputs.iter().map(|(_, v)| v.id).collect();
        let tape = Tape::new(&self.graph, &sources, &input_ids, &self.roots());
        let slot = |v: Value| tape.slot[v.id as usize] as usize;
        let mut domains = self.domains(&tape);
        let mut memories = vec![];
        for m in self.memories {
            let mut memory = m.memory;
            memory.reads.extend(m.reads.iter().map(|r| ReadSlots { enable: slot(r[0]), address: slot(r[1]), data: slot(r[2]) }));
            memory.writes.extend(m.writes.iter().map(|(w, be)| WriteSlots {
                enable: slot(w[0]),
                address: slot(w[1]),
                data: slot(w[2]),
                byte_enable: be.map(|v| (slot(v), v.ty.width())),
            }));
            domains[m.domain].memories.push(memories.len());
            memories.push(memory);
        }
        for p in self.properties {
            let at = slot(p.value);
            domains[p.domain].properties.push(SimProperty { kind: p.kind, name: p.name, slot: at, hits: 0 });
        }
        let net_slot = |net: Global| {
            let v = self.values[net];
            NetSlot { slot: slot(v), ty: self.flat.ty(net), debug: tape.part[v.id as usize] == Part::Debug }
        };
        let ports = top.ports().map(|(id, net)| {
            let at = net_slot(id.0 as usize);
            let stored = self.graph.node(self.values[id.0 as usize].id).op == Op::Source;
            (net.name.clone(), Port { slot: at.slot, ty: at.ty, input: net.kind == NetKind::Input, stored })
        });
        Simulator {
            ports: ports.collect::<BTreeMap<_, _>>(),
            nets: (0..self.values.len()).map(net_slot).collect(),
            slots: tape.initial.clone(),
            state_dirty: true,
            input_dirty: true,
            debug_dirty: true,
            staged: vec![],
            trace: None,
            flat: self.flat,
            tape,
            domains,
            memories,
        }
    }

    /// One domain per clock of the top module, and one even where there is none.
    fn domains(&self, tape: &Tape) -> Vec<Domain> {
        let top = &self.flat.scopes[0].module;
        let names = self.clocks.iter().map(|&c| top.nets[c].name.clone());
        let mut domains: Vec<Domain> = names.map(Domain::new).collect();
        if domains.is_empty() {
            domains.push(Domain::new(String::new()));
        }
        let mut at = 0;
        for (i, d) in domains.iter_mut().enumerate() {
            d.first = at;
            for r in self.registers.iter().filter(|r| r.domain == i) {
                let next = tape.slot[r.next.id as usize];
                d.next.extend((0..limbs(r.q.ty) as u32).map(|limb| next + limb));
            }
            at += d.next.len();
        }
        domains
    }
}
