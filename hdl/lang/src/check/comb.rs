// SPDX-License-Identifier: MIT OR Apache-2.0
//! Combinational paths from inputs to outputs, module by module, and the loops they close.

use super::reads;
use crate::{expr::NetId, module::*, order, process};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A net that depends on itself within a cycle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("combinational loop: {}", nets.join(" -> "))]
pub struct Loop {
    pub module: String,
    /// In the order in which the value goes round; the first one closes it.
    pub nets: Vec<String>,
}

/// For each output the inputs that reach it within a cycle, by base name.
pub type Matrix = BTreeMap<String, BTreeSet<String>>;

/// The combinational paths of modules, each analysed once.
#[derive(Default)]
pub struct Paths {
    known: BTreeMap<*const Module, (Arc<Module>, Arc<Matrix>)>,
}

/// The combinational paths of one module.
pub fn paths(m: &Arc<Module>) -> Result<Matrix, Loop> {
    Paths::default().of(m).map(|matrix| (*matrix).clone())
}

impl Paths {
    pub fn of(&mut self, m: &Arc<Module>) -> Result<Arc<Matrix>, Loop> {
        if let Some((_, matrix)) = self.known.get(&Arc::as_ptr(m)) {
            return Ok(matrix.clone());
        }
        let depends = self.dependencies(m)?;
        let order = order::sort(m.nets.len(), |net| depends[net].iter().map(|d| d.0 as usize).collect());
        let order = order.map_err(|cycle| Loop { module: m.name.clone(), nets: describe(m, &cycle) })?;
        let matrix = Arc::new(matrix(m, &depends, &order));
        // The module is kept alive, so that its address stays its own.
        self.known.insert(Arc::as_ptr(m), (m.clone(), matrix.clone()));
        Ok(matrix)
    }

    /// For each net the nets that its value needs in the same cycle.
    fn dependencies(&mut self, m: &Arc<Module>) -> Result<Vec<BTreeSet<NetId>>, Loop> {
        let mut depends = vec![BTreeSet::new(); m.nets.len()];
        for item in &m.items {
            match item {
                Item::Assign(net, e) => depends[net.0 as usize] = reads(e),
                // One that is faulty is reported by the local checks.
                Item::Process(p) => {
                    for (net, e) in process::execute(p).unwrap_or_default() {
                        depends[net.0 as usize] = reads(&e);
                    }
                }
                Item::Instance(i) => {
                    let inner = self.of(&i.module)?;
                    for (port, net) in &i.outputs {
                        let through = inner.get(port).into_iter().flatten();
                        let driven = |input: &String| i.inputs.iter().find(|(n, _)| n == input).map(|(_, e)| reads(e));
                        depends[net.0 as usize] = through.filter_map(driven).flatten().collect();
                    }
                }
                _ => {}
            }
        }
        Ok(depends)
    }
}

/// The cycle from its start to its start, with the instances it goes through.
fn describe(m: &Module, cycle: &[usize]) -> Vec<String> {
    let through = |id: NetId| m.instances().find(|i| i.outputs.iter().any(|(_, n)| *n == id)).map(|i| &i.name);
    let name = |&net: &usize| match through(NetId(net as u32)) {
        Some(instance) => format!("{} (through `{instance}`)", m.nets[net].name),
        None => m.nets[net].name.clone(),
    };
    cycle.iter().chain(cycle.first()).map(name).collect()
}

fn matrix(m: &Module, depends: &[BTreeSet<NetId>], order: &[usize]) -> Matrix {
    let inputs: Vec<usize> = (0..m.nets.len()).filter(|&n| matches!(m.nets[n].kind, NetKind::Input | NetKind::Clock)).collect();
    let words = inputs.len().div_ceil(64);
    let mut reach = vec![0u64; m.nets.len() * words];
    for (i, &net) in inputs.iter().enumerate() {
        reach[net * words + i / 64] |= 1 << (i % 64);
    }
    for &net in order {
        for from in &depends[net] {
            for w in 0..words {
                reach[net * words + w] |= reach[from.0 as usize * words + w];
            }
        }
    }
    let reached = |net: usize| -> BTreeSet<String> {
        let hit = |i: usize| reach[net * words + i / 64] >> (i % 64) & 1 == 1;
        inputs.iter().enumerate().filter(|(i, _)| hit(*i)).map(|(_, &n)| m.nets[n].name.clone()).collect()
    };
    let outputs = (0..m.nets.len()).filter(|&n| m.nets[n].kind == NetKind::Output);
    outputs.map(|n| (m.nets[n].name.clone(), reached(n))).collect()
}
