// SPDX-License-Identifier: MIT OR Apache-2.0
//! One module: registers, memories and instances for the children, assignments and processes for the kernel.

use super::{
    Import, Refusal,
    emit::{Imported, child_paths},
    kernel::{self, Kernel, Statement},
    leaf::Leaf,
    names,
    rewrite::{self, Rewrite},
    schedule::Piece,
    symbols::{Child, ChildKind, Symbols},
    tree::Node,
};
use crate::{
    bits::Bits,
    check::reads,
    expr::{Expr, Kind, NetId, Ty},
    module::*,
};
use rust_hdl::core::atom::AtomKind;
use std::collections::{BTreeMap, BTreeSet};

/// A module without a name, and what its parent has to know.
pub struct Finished {
    pub module: Module,
    pub clocks: BTreeMap<String, String>,
    pub through: BTreeSet<(String, String)>,
}

/// A module in the making.
pub struct Draft<'a> {
    node: &'a Node,
    children: &'a [Child],
    kernel: &'a Kernel,
    reset: Option<Expr>,
    /// Outputs of children that are outputs of the block.
    passed_out: BTreeMap<NetId, NetId>,
    items: Vec<Item>,
}

impl<'a> Draft<'a> {
    pub fn new(node: &'a Node, children: &'a [Child], kernel: &'a Kernel) -> Self {
        Draft { node, children, kernel, reset: None, passed_out: BTreeMap::new(), items: vec![] }
    }

    pub fn module(mut self, symbols: &mut Symbols, pieces: Vec<Piece>, import: &Import) -> Result<Finished, Refusal> {
        self.add_reset(symbols, import.reset)?;
        let through = self.through(symbols, &pieces);
        let inlined = self.inlined(symbols, &pieces);
        self.passed_out = passed_out(symbols, &pieces);
        let outside: BTreeSet<NetId> = self.passed_out.values().copied().collect();
        let assigned: BTreeSet<NetId> = pieces.iter().flat_map(|p| p.dependencies().into_keys()).collect();
        let is_left_out = |symbols: &Symbols, c: &Child| {
            let d = symbols.get(&format!("{}$d", c.path)).and_then(|s| s.net());
            matches!(c.kind, ChildKind::Leaf(Leaf::Register { .. })) && d.is_some_and(|d| !assigned.contains(&d))
        };
        let mut tail = vec![];
        for child in self.children {
            match &child.kind {
                _ if is_left_out(symbols, child) => {}
                ChildKind::Leaf(leaf) => self.leaf(symbols, child, leaf, &mut tail)?,
                ChildKind::Block(b) => tail.push(Item::Instance(self.instance(symbols, child, b)?)),
            }
        }
        for p in pieces {
            match p {
                Piece::Assign(net, _) if inlined.contains_key(&net) || outside.contains(&net) => {}
                Piece::Assign(net, e) => {
                    let kind = &mut symbols.nets[net.0 as usize].kind;
                    *kind = if *kind == NetKind::Variable { NetKind::Wire } else { *kind };
                    self.items.push(Item::Assign(net, e));
                }
                Piece::Process(body) => {
                    let targets = kernel::targets(&body).into_iter().collect();
                    self.items.push(Item::Process(Process { targets, body: body.into_iter().map(statement).collect() }));
                }
            }
        }
        self.items.extend(tail);
        let clocks = self.clock_outputs();
        let module = self.finish(symbols, &inlined, import)?;
        Ok(Finished { module, clocks, through })
    }

    fn add_reset(&mut self, symbols: &mut Symbols, wanted: bool) -> Result<(), Refusal> {
        let has_state = |c: &Child| match &c.kind {
            ChildKind::Leaf(leaf) => matches!(leaf, Leaf::Register { .. }),
            ChildKind::Block(b) => b.module.port("rst").is_some(),
        };
        if !wanted || !self.children.iter().any(has_state) {
            return Ok(());
        }
        if symbols.nets.iter().any(|n| n.name == "rst") {
            return Err(Refusal::new("rst", "the name is needed for the reset that the import adds"));
        }
        self.reset = Some(symbols.add_net("rst", Ty::BIT, NetKind::Input));
        Ok(())
    }

    /// Pairs of output and input of this block with a path between that holds no register.
    fn through(&self, symbols: &Symbols, pieces: &[Piece]) -> BTreeSet<(String, String)> {
        let mut graph: BTreeMap<NetId, BTreeSet<NetId>> = BTreeMap::new();
        for (net, below) in pieces.iter().flat_map(Piece::dependencies) {
            graph.entry(net).or_default().extend(below);
        }
        for (output, input) in child_paths(symbols, self.children) {
            graph.entry(output).or_default().insert(input);
        }
        let ports = |kind| self.node.signals.iter().filter(move |s| s.kind == kind && !s.is_clock());
        let net = |path: &str| symbols.get(path).and_then(|s| s.net());
        let mut out = BTreeSet::new();
        for output in ports(AtomKind::OutputParameter) {
            let below = reachable(net(&output.path), &graph);
            let inputs = ports(AtomKind::InputParameter).filter(|i| net(&i.path).is_some_and(|n| below.contains(&n)));
            out.extend(inputs.map(|i| (output.path.clone(), i.path.clone())));
        }
        out
    }

    /// Inputs of children whose value can stand where they would be read: it is a name, or feeds a register,
    /// and nothing else reads them.
    fn inlined(&self, symbols: &Symbols, pieces: &[Piece]) -> BTreeMap<NetId, Expr> {
        let read: BTreeSet<NetId> = pieces.iter().flat_map(Piece::reads).collect();
        let mut candidates: BTreeMap<NetId, bool> = BTreeMap::new();
        for c in self.children {
            for s in c.signals.iter().filter(|s| s.kind == AtomKind::InputParameter) {
                let net = symbols.get(&format!("{}${}", c.path, s.path)).and_then(|s| s.net());
                candidates.extend(net.map(|n| (n, matches!(c.kind, ChildKind::Leaf(Leaf::Register { .. })))));
            }
        }
        let inline = |p: &Piece| match p {
            Piece::Assign(net, e) => {
                let named = matches!(e.kind(), Kind::Net(..) | Kind::Const(..));
                let fits = candidates.get(net).is_some_and(|register| *register || named);
                (fits && !read.contains(net)).then(|| (*net, e.clone()))
            }
            Piece::Process(_) => None,
        };
        pieces.iter().filter_map(inline).collect()
    }

    /// The clock port that drives a clock of a child.
    fn clock(&self, symbols: &Symbols, path: &str) -> Result<NetId, Refusal> {
        let source = self.clock_source(path).ok_or_else(|| Refusal::new(path.replace('$', "."), "a clock that comes from nowhere"))?;
        let net = symbols.get(&source).and_then(|s| s.net());
        net.ok_or_else(|| Refusal::new(path.replace('$', "."), "a clock that is no input of the block"))
    }

    /// Follows a clock through the kernel, and through children that pass it on, to one of this block's own.
    fn clock_source(&self, path: &str) -> Option<String> {
        let mut at = path.to_string();
        for _ in 0..=self.kernel.clocks.len() + self.children.len() {
            let passed_on = self.children.iter().find_map(|c| match &c.kind {
                ChildKind::Block(b) => {
                    let port = at.strip_prefix(&format!("{}$", c.path))?;
                    b.clocks.get(port).map(|input| format!("{}${input}", c.path))
                }
                ChildKind::Leaf(_) => None,
            });
            match passed_on.or_else(|| self.kernel.clocks.get(&at).cloned()) {
                Some(next) => at = next,
                None => return self.node.signal(&at).filter(|s| s.kind == AtomKind::InputParameter).map(|_| at),
            }
        }
        None
    }

    fn clock_outputs(&self) -> BTreeMap<String, String> {
        let outputs = self.node.signals.iter().filter(|s| s.is_clock() && s.kind == AtomKind::OutputParameter);
        outputs.filter_map(|s| Some((s.path.clone(), self.clock_source(&s.path)?))).collect()
    }

    fn leaf(&mut self, symbols: &mut Symbols, child: &Child, leaf: &Leaf, tail: &mut Vec<Item>) -> Result<(), Refusal> {
        let path = |port: &str| format!("{}${port}", child.path);
        let read = |symbols: &Symbols, port: &str| {
            let symbol = symbols.get(&path(port)).and_then(|s| s.read.clone());
            symbol.ok_or_else(|| Refusal::new(path(port).replace('$', "."), "is missing"))
        };
        match leaf {
            Leaf::Register { clock, start } => {
                let clock = self.clock(symbols, &path(clock))?;
                self.register(symbols, &read(symbols, "q")?, read(symbols, "d")?, clock, start);
            }
            Leaf::Ram { words } => {
                let clock = self.clock(symbols, &path("write_clock"))?;
                if self.clock(symbols, &path("read_clock"))? != clock {
                    return Err(Refusal::new(child.path.replace('$', "."), "a RAM that is read and written by different clocks"));
                }
                let write = WritePort {
                    enable: read(symbols, "write_enable")?,
                    address: read(symbols, "write_address")?,
                    data: read(symbols, "write_data")?.as_unsigned(),
                    byte_enable: None,
                };
                let (address, data) = (read(symbols, "read_address")?, read(symbols, "read_data")?);
                tail.push(memory(child, clock, words, vec![write], address, &data));
            }
            Leaf::SyncRom { words } => {
                let clock = self.clock(symbols, &path("clock"))?;
                let (address, data) = (read(symbols, "address")?, read(symbols, "data")?);
                tail.push(memory(child, clock, words, vec![], address, &data));
            }
            Leaf::Rom { words, other } => {
                let (address, data) = (read(symbols, "address")?, read(symbols, "data")?);
                let assign = |word: &Bits| vec![Stmt::Assign(net_of(&data), Expr::from_bits(data.ty(), word.clone()))];
                let arm = |(at, word): &(Bits, Bits)| (Expr::from_bits(address.ty(), at.clone()), assign(word));
                let body = vec![Stmt::Case(address.clone(), words.iter().map(arm).collect(), assign(other))];
                tail.push(Item::Process(Process { targets: vec![net_of(&data)], body }));
            }
        }
        Ok(())
    }

    /// A flip-flop. Without reset it powers up at zero; one that starts elsewhere holds its bits inverted
    /// where its start value has ones.
    fn register(&mut self, symbols: &mut Symbols, q: &Expr, d: Expr, clock: NetId, start: &Bits) {
        if self.reset.is_some() || start.is_zero() {
            let reset = self.reset.clone().map(|r| (r, start.clone()));
            let updates = vec![Update { condition: None, value: d }];
            return self.items.push(Item::Register(Register { net: net_of(q), clock, reset, updates, retained: false, copy: false }));
        }
        let flip = |e: &Expr| {
            let flipped = e.as_unsigned() ^ Expr::from_bits(Ty::Unsigned(e.width()), start.clone());
            if e.ty().is_signed() { flipped.as_signed() } else { flipped }
        };
        let name = format!("{}_flipped", symbols.nets[net_of(q).0 as usize].name);
        let held = symbols.add_net(&name, q.ty(), NetKind::Register);
        symbols.nets[net_of(q).0 as usize].kind = NetKind::Wire;
        let updates = vec![Update { condition: None, value: flip(&d) }];
        self.items.push(Item::Register(Register { net: net_of(&held), clock, reset: None, updates, retained: false, copy: false }));
        self.items.push(Item::Assign(net_of(q), flip(&held)));
    }

    fn instance(&self, symbols: &Symbols, child: &Child, block: &Imported) -> Result<Instance, Refusal> {
        let mut inputs = vec![];
        let mut outputs = vec![];
        for s in &child.signals {
            let path = format!("{}${}", child.path, s.path);
            let port = names::net(&s.path);
            let read = symbols.get(&path).and_then(|s| s.read.clone());
            match (s.kind, read) {
                (AtomKind::InputParameter, _) if s.is_clock() => {
                    let net = self.clock(symbols, &path)?;
                    let name = symbols.nets[net.0 as usize].name.as_str().into();
                    inputs.push((port, Expr::new(Ty::BIT, Kind::Net(net, name))));
                }
                (AtomKind::InputParameter, Some(value)) => inputs.push((port, value)),
                (AtomKind::OutputParameter, Some(value)) => {
                    let net = net_of(&value);
                    outputs.push((port, self.passed_out.get(&net).copied().unwrap_or(net)));
                }
                _ => {}
            }
        }
        if let (Some(reset), true) = (&self.reset, block.module.port("rst").is_some()) {
            inputs.push(("rst".into(), reset.clone()));
        }
        Ok(Instance { name: names::net(&child.path), module: block.module.clone(), inputs, outputs })
    }

    /// Only nets and parameters that are used, ports first; inlined values put in place.
    fn finish(self, symbols: &Symbols, inlined: &BTreeMap<NetId, Expr>, import: &Import) -> Result<Module, Refusal> {
        let mut inline = Rewrite::new(inlined);
        let items: Vec<Item> = self.items.into_iter().map(|i| rewrite::item(i, &mut |e| inline.expr(e), &|n| n)).collect();
        let mut used: BTreeSet<NetId> = items.iter().flat_map(Item::drives).collect();
        used.extend(items.iter().flat_map(Item::exprs).flat_map(reads));
        let rank = |id: &NetId| match symbols.nets[id.0 as usize].kind {
            NetKind::Clock => 0,
            NetKind::Input if symbols.nets[id.0 as usize].name == "rst" && self.reset.is_some() => 1,
            NetKind::Input | NetKind::Output => 2,
            _ => 3,
        };
        let mut order: Vec<NetId> = (0..symbols.nets.len() as u32).map(NetId).filter(|id| rank(id) < 3 || used.contains(id)).collect();
        order.sort_by_key(rank);
        let read: BTreeSet<NetId> = items.iter().flat_map(Item::exprs).flat_map(reads).collect();
        let named = |id: &NetId| {
            let net = &symbols.nets[id.0 as usize];
            // Lint tools take the name for what it says.
            let unused = net.kind == NetKind::Instance && !read.contains(id);
            Net { name: if unused { format!("unused_{}", net.name) } else { net.name.clone() }, ..net.clone() }
        };
        let nets: Vec<Net> = order.iter().map(named).collect();
        let place: BTreeMap<NetId, NetId> = order.iter().enumerate().map(|(i, id)| (*id, NetId(i as u32))).collect();
        let moved = |(id, to): (&NetId, &NetId)| {
            let net = &symbols.nets[id.0 as usize];
            (*id, Expr::new(net.ty, Kind::Net(*to, net.name.as_str().into())))
        };
        let moved: BTreeMap<NetId, Expr> = place.iter().map(moved).collect();
        let mut renumber = Rewrite::new(&moved);
        let items = items.into_iter().map(|i| rewrite::item(i, &mut |e| renumber.expr(e), &|n| place[&n])).collect();
        let items = with_parameters(symbols, items);
        let module = Module { name: String::new(), doc: vec![], source: import.source.clone(), nets, items, primitive: None };
        checked(module)
    }
}

/// The parameters that the items use, then the items.
fn with_parameters(symbols: &Symbols, items: Vec<Item>) -> Vec<Item> {
    let mut used = BTreeSet::new();
    for e in items.iter().flat_map(Item::exprs) {
        e.visit(&mut |e| {
            if let Kind::Const(_, Some(name)) = e.kind() {
                used.insert(name.to_string());
            }
        });
    }
    let wanted = symbols.parameters.iter().filter(|p| used.contains(&p.name));
    let parameters = wanted.map(|p| Item::Parameter(p.name.clone(), p.ty, p.value.clone()));
    parameters.chain(items).collect()
}

fn checked(module: Module) -> Result<Module, Refusal> {
    let mut seen = BTreeSet::new();
    if let Some(net) = module.nets.iter().find(|n| !seen.insert(crate::verilog::net_name(n))) {
        return Err(Refusal::new(&net.name, "two signals would get this name (rename a field)"));
    }
    let mut poison = None;
    for e in module.items.iter().flat_map(Item::exprs) {
        e.visit(&mut |e| {
            if let Kind::Poison(message) = e.kind() {
                poison.get_or_insert_with(|| message.clone());
            }
        });
    }
    if let Some(message) = poison.or_else(|| crate::check::local(&module).into_iter().next()) {
        return Err(Refusal::new("update", message));
    }
    Ok(module)
}

/// Outputs of children whose only reader is an output of the block.
fn passed_out(symbols: &Symbols, pieces: &[Piece]) -> BTreeMap<NetId, NetId> {
    let kind = |id: NetId| symbols.nets[id.0 as usize].kind;
    let readers = |net: NetId| pieces.iter().filter(|p| p.reads().contains(&net)).count();
    let pair = |p: &Piece| match p {
        Piece::Assign(output, e) if kind(*output) == NetKind::Output => match e.kind() {
            Kind::Net(inner, _) if kind(*inner) == NetKind::Instance && readers(*inner) == 1 => Some((*inner, *output)),
            _ => None,
        },
        _ => None,
    };
    pieces.iter().filter_map(pair).collect()
}

fn reachable(start: Option<NetId>, graph: &BTreeMap<NetId, BTreeSet<NetId>>) -> BTreeSet<NetId> {
    let mut seen = BTreeSet::new();
    let mut stack: Vec<NetId> = start.into_iter().collect();
    while let Some(net) = stack.pop() {
        if seen.insert(net) {
            stack.extend(graph.get(&net).into_iter().flatten());
        }
    }
    seen
}

fn net_of(e: &Expr) -> NetId {
    match e.kind() {
        Kind::Net(id, _) => *id,
        Kind::Cast(inner) => net_of(inner),
        other => unreachable!("a port of a child is a net, not {other:?}"),
    }
}

fn memory(child: &Child, clock: NetId, words: &[Bits], writes: Vec<WritePort>, address: Expr, data: &Expr) -> Item {
    let (width, depth) = (data.width(), 1 << address.width());
    let reads = vec![ReadPort { data: net_of(data), enable: Expr::bit_const(true), address }];
    let name = names::net(&child.path);
    Item::Memory(Memory { name, clock, width, depth, init: words.to_vec(), attribute: String::new(), writes, reads })
}

fn statement(s: Statement) -> Stmt {
    let body = |b: Vec<Statement>| b.into_iter().map(statement).collect();
    match s {
        Statement::Assign { net, value, .. } => Stmt::Assign(net, value),
        Statement::If(c, a, b) => Stmt::If(c, body(a), body(b)),
        Statement::Case(subject, arms, default) => {
            Stmt::Case(subject, arms.into_iter().map(|(key, b)| (key, body(b))).collect(), body(default))
        }
        Statement::Comment(text) => Stmt::Comment(text),
    }
}
