// SPDX-License-Identifier: MIT OR Apache-2.0
//! The graph behind a block diagram: who feeds whom with how many bits.

use heddle_lang::Module;
use heddle_lang::expr::{Expr, Kind, NetId};
use heddle_lang::module::{Instance, Item, NetKind};
use std::collections::{BTreeMap, BTreeSet};

/// Narrower connections between instances are control, and are not drawn.
const NARROW: u32 = 8;

/// Instances of one kind, or the ports of one bus.
pub struct Node {
    pub title: String,
    pub subtitle: String,
    /// What the module instantiates, a line for each kind.
    pub inside: Vec<String>,
    pub is_port: bool,
}

/// Data from one node to another.
pub struct Edge {
    pub from: usize,
    pub to: usize,
    pub bits: u32,
}

pub struct Graph {
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
}

impl Graph {
    /// Instances and buses of a module and the data between them; buses that carry none are left out.
    pub fn of(module: &Module) -> Graph {
        let mut tracer = Tracer::new(module);
        let mut bits = BTreeMap::new();
        for instance in module.instances() {
            let to = tracer.instance(instance);
            for (_, value) in &instance.inputs {
                tracer.feed(to, value.width(), &nets(value), &mut bits);
            }
        }
        for (id, net) in module.ports().filter(|(_, net)| net.kind == NetKind::Output) {
            let to = tracer.bus(&net.name, true);
            tracer.feed(to, net.ty.width(), &BTreeSet::from([id]), &mut bits);
        }
        let against = |from: usize, to: usize| bits.get(&(to, from)).copied().unwrap_or(0);
        let stronger = |from, to, bits| bits > against(from, to) || (bits == against(from, to) && from < to);
        let mut edges = vec![];
        for (&(from, to), &bits) in &bits {
            if from != to && stronger(from, to, bits) {
                edges.push(Edge { from, to, bits });
            }
        }
        Graph { nodes: tracer.nodes, edges }.without_idle_buses()
    }

    fn without_idle_buses(mut self) -> Graph {
        let used: BTreeSet<usize> = self.edges.iter().flat_map(|edge| [edge.from, edge.to]).collect();
        let keep: Vec<usize> = (0..self.nodes.len()).filter(|&i| !self.nodes[i].is_port || used.contains(&i)).collect();
        let renumber: BTreeMap<usize, usize> = keep.iter().enumerate().map(|(new, &old)| (old, new)).collect();
        for edge in &mut self.edges {
            (edge.from, edge.to) = (renumber[&edge.from], renumber[&edge.to]);
        }
        let mut index = 0..;
        self.nodes.retain(|_| index.next().is_some_and(|i| renumber.contains_key(&i)));
        self
    }

    /// Nodes by layer: each as far left as those that feed it allow; edges that close a cycle do not count.
    pub fn layers(&self) -> Vec<Vec<usize>> {
        let forward = self.forward_edges();
        let mut layer = vec![0; self.nodes.len()];
        // Without cycles, no path is longer than the number of nodes.
        for _ in 0..self.nodes.len() {
            for &edge in &forward {
                let Edge { from, to, .. } = self.edges[edge];
                layer[to] = layer[to].max(layer[from] + 1);
            }
        }
        let count = layer.iter().max().map_or(0, |last| last + 1);
        (0..count).map(|l| (0..self.nodes.len()).filter(|&node| layer[node] == l).collect()).collect()
    }

    fn forward_edges(&self) -> Vec<usize> {
        let mut forward = vec![];
        let mut state = vec![Visit::New; self.nodes.len()];
        let ports_first = |node: &usize| !self.nodes[*node].is_port;
        let mut order: Vec<usize> = (0..self.nodes.len()).collect();
        order.sort_by_key(ports_first);
        for node in order {
            self.visit(node, &mut state, &mut forward);
        }
        forward
    }

    fn visit(&self, node: usize, state: &mut [Visit], forward: &mut Vec<usize>) {
        if state[node] != Visit::New {
            return;
        }
        state[node] = Visit::Open;
        for (index, edge) in self.edges.iter().enumerate().filter(|(_, edge)| edge.from == node) {
            if state[edge.to] != Visit::Open {
                forward.push(index);
                self.visit(edge.to, state, forward);
            }
        }
        state[node] = Visit::Done;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    New,
    Open,
    Done,
}

struct Tracer<'a> {
    module: &'a Module,
    nodes: Vec<Node>,
    /// Node by its kind and name.
    index: BTreeMap<String, usize>,
    /// The node whose output, or input port, a net is.
    origin: BTreeMap<NetId, usize>,
    /// The nets that the driver of a net reads.
    reads: BTreeMap<NetId, BTreeSet<NetId>>,
}

impl<'a> Tracer<'a> {
    fn new(module: &'a Module) -> Tracer<'a> {
        let mut tracer = Tracer { module, nodes: vec![], index: BTreeMap::new(), origin: BTreeMap::new(), reads: BTreeMap::new() };
        for (id, net) in module.ports().filter(|(_, net)| net.kind == NetKind::Input && net.name != "rst") {
            let node = tracer.bus(&net.name, false);
            tracer.origin.insert(id, node);
        }
        for item in &module.items {
            match item {
                Item::Instance(instance) => {
                    let node = tracer.instance(instance);
                    tracer.origin.extend(instance.outputs.iter().map(|(_, net)| (*net, node)));
                }
                _ => {
                    let read: BTreeSet<NetId> = item.exprs().into_iter().flat_map(nets).collect();
                    tracer.reads.extend(item.drives().into_iter().map(|net| (net, read.clone())));
                }
            }
        }
        tracer
    }

    /// The node of an instance: `lane_0`, `lane_1`, ... of one module share a node.
    fn instance(&mut self, instance: &Instance) -> usize {
        let name = stem(&instance.name);
        let module = &instance.module;
        let same = |other: &&Instance| other.module.name == module.name && stem(&other.name) == name;
        let count = self.module.instances().filter(same).count();
        let title = if count > 1 { format!("{name} × {count}") } else { instance.name.clone() };
        let node = || Node { title, subtitle: module.name.clone(), inside: inside(module), is_port: false };
        self.node(format!("instance {name} {}", module.name), node)
    }

    /// The node of a bus: the ports whose names agree up to the last underscore.
    fn bus(&mut self, port: &str, output: bool) -> usize {
        let name = port.rsplit_once('_').map_or(port, |(bus, _)| bus).to_string();
        let subtitle = if output { "outputs" } else { "inputs" };
        let key = format!("{subtitle} {name}");
        self.node(key, || Node { title: name, subtitle: subtitle.into(), inside: vec![], is_port: true })
    }

    fn node(&mut self, key: String, node: impl FnOnce() -> Node) -> usize {
        if let Some(&index) = self.index.get(&key) {
            return index;
        }
        self.nodes.push(node());
        self.index.insert(key, self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    /// Adds the bits that reach an input of `width` bits, read from these nets, to each node they come from.
    fn feed(&self, to: usize, width: u32, from: &BTreeSet<NetId>, bits: &mut BTreeMap<(usize, usize), u32>) {
        let mut widest: BTreeMap<usize, u32> = BTreeMap::new();
        for net in self.reach(from) {
            if let Some(&node) = self.origin.get(&net) {
                let carried = self.module.net(net).ty.width().min(width);
                let entry = widest.entry(node).or_default();
                *entry = carried.max(*entry);
            }
        }
        for (node, carried) in widest {
            let bus = self.nodes[node].is_port || self.nodes[to].is_port;
            if carried >= NARROW || (bus && carried == width) {
                *bits.entry((node, to)).or_default() += carried;
            }
        }
    }

    /// These nets and those behind them, up to the outputs of instances and the ports.
    fn reach(&self, from: &BTreeSet<NetId>) -> BTreeSet<NetId> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<NetId> = from.iter().copied().collect();
        while let Some(net) = open.pop() {
            if reached.insert(net) {
                open.extend(self.reads.get(&net).into_iter().flatten());
            }
        }
        reached
    }
}

fn stem(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('_')
}

fn inside(module: &Module) -> Vec<String> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for instance in module.instances() {
        *counts.entry(&instance.module.name).or_default() += 1;
    }
    let line = |(name, count): (&str, u32)| if count > 1 { format!("{name} × {count}") } else { name.to_string() };
    counts.into_iter().map(line).collect()
}

fn nets(value: &Expr) -> BTreeSet<NetId> {
    let mut nets = BTreeSet::new();
    value.visit(&mut |node| {
        if let Kind::Net(id, _) = node.kind() {
            nets.insert(*id);
        }
    });
    nets
}
