// SPDX-License-Identifier: MIT OR Apache-2.0
//! A block and all below it as IR modules.

use super::{
    Import, ImportError, Refusal,
    draft::{Draft, Finished},
    kernel::{self, Statement},
    leaf::{Leaf, recognise},
    names,
    schedule::{self, Piece, Surroundings},
    symbols::{Child, ChildKind, Symbols},
    tree::Node,
};
use crate::{
    expr::NetId,
    module::{Module, NetKind},
};
use rust_hdl::core::{
    ast::{Verilog, VerilogStatement},
    atom::AtomKind,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

/// A block that has become a module, as its parent sees it.
#[derive(Debug)]
pub struct Imported {
    pub module: Arc<Module>,
    /// Clock outputs by the clock input they copy.
    pub clocks: BTreeMap<String, String>,
    /// (output, input): the output follows the input without a register between.
    pub through: BTreeSet<(String, String)>,
}

pub struct Emitter<'a> {
    import: &'a Import,
    /// Modules by what they contain.
    shared: BTreeMap<String, Rc<Imported>>,
    names: BTreeSet<String>,
}

impl<'a> Emitter<'a> {
    pub fn new(import: &'a Import) -> Self {
        Emitter { import, shared: BTreeMap::new(), names: BTreeSet::new() }
    }

    pub fn top(mut self, root: &Node) -> Result<Arc<Module>, ImportError> {
        self.names.insert(self.import.name.clone());
        let mut top = self.block(root, &self.import.name.clone(), "")?;
        top.module.name = self.import.name.clone();
        top.module.doc = self.import.doc.clone();
        Ok(Arc::new(top.module))
    }

    /// `dotted`: the field path from the top, for messages; `path`: the same, for module names.
    fn block(&mut self, node: &Node, dotted: &str, path: &str) -> Result<Finished, ImportError> {
        let at = |r: Refusal| r.at(dotted);
        let code = kernel_of(node).map_err(at)?;
        let mut children = vec![];
        for child in &node.children {
            let kind = match recognise(child) {
                Some(leaf) => ChildKind::Leaf(leaf),
                None => ChildKind::Block(self.child(child, dotted, path)?),
            };
            children.push(Child { path: child.name.clone(), signals: child.signals.clone(), kind });
        }
        let mut symbols = Symbols::new(node, &children).map_err(at)?;
        let kernel = kernel::read(&symbols, code).map_err(at)?;
        let pieces = plan(&symbols, &children, kernel.body.clone()).map_err(at)?;
        Draft::new(node, &children, &kernel).module(&mut symbols, pieces, self.import).map_err(at)
    }

    fn child(&mut self, node: &Node, dotted: &str, path: &str) -> Result<Rc<Imported>, ImportError> {
        let inner = if path.is_empty() { node.name.clone() } else { format!("{path}${}", node.name) };
        let mut finished = self.block(node, &format!("{dotted}.{}", node.name.replace('$', ".")), &inner)?;
        let content = format!("{:?}{:?}", finished.module.nets, finished.module.items);
        if let Some(known) = self.shared.get(&content) {
            return Ok(known.clone());
        }
        let stem = format!("{}_{}", self.import.name, names::without_indices(&inner));
        let exact = format!("{}_{}", self.import.name, inner.replace('$', "_"));
        let numbered = (2..).map(|n| format!("{exact}_{n}"));
        let name = [stem, exact.clone()].into_iter().chain(numbered).find(|n| !self.names.contains(n));
        finished.module.name = name.unwrap_or(exact);
        finished.module.doc = vec![format!("The rust-hdl block at `{}` of `{}`.", inner.replace('$', "."), self.import.name)];
        self.names.insert(finished.module.name.clone());
        let imported = Rc::new(Imported { module: Arc::new(finished.module), clocks: finished.clocks, through: finished.through });
        self.shared.insert(content, imported.clone());
        Ok(imported)
    }
}

fn kernel_of(node: &Node) -> Result<&[VerilogStatement], Refusal> {
    let refuse = |reason: &str| Err(Refusal::new(node.name.replace('$', "."), reason));
    let drives =
        !node.children.is_empty() || node.signals.iter().any(|s| matches!(s.kind, AtomKind::OutputParameter | AtomKind::LocalSignal));
    match &node.code {
        Verilog::Combinatorial(code) => Ok(code),
        Verilog::Empty if drives => refuse("has no kernel: its `update` lacks `#[hdl_gen]`"),
        Verilog::Empty => Ok(&[]),
        Verilog::Custom(_) => refuse("consists of Verilog text that is none of DFF, EdgeDFF, RAM, ROM, SyncROM"),
        Verilog::Blackbox(b) => refuse(&format!("is the black box `{}`", b.name)),
        Verilog::Wrapper(_) => refuse("wraps a core of foreign Verilog"),
    }
}

fn plan(symbols: &Symbols, children: &[Child], body: Vec<Statement>) -> Result<Vec<Piece>, Refusal> {
    let net = |path: String| symbols.get(&path).and_then(|s| s.net());
    let mut settled = BTreeSet::new();
    for c in children {
        let inputs = c.signals.iter().filter(|s| s.kind == AtomKind::InputParameter);
        settled.extend(inputs.filter_map(|s| net(format!("{}${}", c.path, s.path))));
    }
    let local = symbols.driven().filter_map(|(_, s)| s.net()).filter(|n| symbols.nets[n.0 as usize].kind == NetKind::Variable);
    let local = local.filter(|n| !settled.contains(n)).collect();
    let register = |c: &Child| match &c.kind {
        ChildKind::Leaf(Leaf::Register { .. }) => Some((net(format!("{}$q", c.path))?, net(format!("{}$d", c.path))?)),
        _ => None,
    };
    let registers = children.iter().filter_map(register).collect();
    let assigned = kernel::targets(&body);
    if let Some((path, _)) = symbols.driven().find(|(_, s)| s.net().is_some_and(|n| !assigned.contains(&n))) {
        return Err(Refusal::new(path.replace('$', "."), "never assigned"));
    }
    let name = |id: NetId| {
        let path = symbols.driven().find(|(_, s)| s.net() == Some(id)).map(|(p, _)| p.replace('$', "."));
        path.unwrap_or_else(|| symbols.nets[id.0 as usize].name.clone())
    };
    schedule::plan(body, &Surroundings { name: &name, settled, local, registers, through: child_paths(symbols, children) })
}

/// Paths through children that hold no register: (output, input).
pub fn child_paths(symbols: &Symbols, children: &[Child]) -> BTreeSet<(NetId, NetId)> {
    let mut out = BTreeSet::new();
    for c in children {
        let pairs = match &c.kind {
            ChildKind::Block(b) => b.through.clone(),
            ChildKind::Leaf(Leaf::Rom { .. }) => BTreeSet::from([("data".into(), "address".into())]),
            ChildKind::Leaf(_) => BTreeSet::new(),
        };
        let port = |p: &str| symbols.get(&format!("{}${p}", c.path)).and_then(|s| s.net());
        out.extend(pairs.iter().filter_map(|(output, input)| Some((port(output)?, port(input)?))));
    }
    out
}
