// SPDX-License-Identifier: MIT OR Apache-2.0
//! The simulation-only form of a design with power domains: what has no power holds noise.
//!
//! [`corrupt`] copies every module that lies in a domain (`<name>_corrupt`). In the copies each register takes new
//! noise at every clock edge while its domain is off, whatever its reset says, and each word of a memory reads as
//! noise until it is written again. A retained register has a shadow that is always on: it takes the value where
//! `save` is high and gives it back where `restore` is. What leaves an element is noise for as long as the domain is
//! off. Nothing else changes, so a design that runs the same with and without corruption needs nothing that a
//! domain loses. The noise is one xorshift generator in the new top, seeded by the port `noise_seed` in reset.

mod copy;
mod noise;

use crate::{
    Ty,
    expr::{Expr, Kind, NetId},
    module::*,
};
use copy::Copies;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Added to the names of modules that change.
pub const SUFFIX: &str = "_corrupt";
/// The input of the new top, 64 bits, that seeds the noise; taken while `rst` is high.
pub const SEED: &str = "noise_seed";

/// A power domain, seen from the top.
#[derive(Clone, Debug)]
pub struct Domain {
    pub name: String,
    /// Paths of instances, `/` between the names, as in `array/column_0`.
    pub elements: Vec<String>,
    /// One bit each, over nets of the top: the domain has no (or not all of its) power; its retained registers are
    /// saved; they are restored.
    pub off: Expr,
    pub save: Expr,
    pub restore: Expr,
}

/// Why a design cannot be corrupted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CorruptError {
    #[error("domain `{domain}`: there is no instance `{path}`")]
    NoInstance { domain: String, path: String },
    #[error("domain `{domain}`: `{path}` lies in domain `{other}` as well")]
    Overlap { domain: String, path: String, other: String },
    #[error("domain `{domain}`: `{what}` must be one bit over nets of the top, not {found}")]
    Condition { domain: String, what: &'static str, found: String },
    #[error("module `{module}`: names that start with `corrupt_`, as `{name}`, are kept for what is added")]
    Name { module: String, name: String },
    #[error("module `{module}` needs a clock and a reset `rst` for the noise")]
    NoReset { module: String },
}

/// The design in which the domains lose their contents while they are off. The new top has the ports of `top` and
/// the input [`SEED`].
pub fn corrupt(top: &Arc<Module>, domains: &[Domain]) -> Result<Arc<Module>, CorruptError> {
    names(top)?;
    let targets = targets(top, domains)?;
    let mut tree = Tree { copies: Copies::new(top), domains, done: BTreeMap::new() };
    let mut m = Editor::new(top, tree.copies.name(&top.name));
    let noise = noise::generator(&mut m).ok_or_else(|| CorruptError::NoReset { module: top.name.clone() })?;
    let lines = domains.iter().map(|d| {
        let mut wire = |what: &str, e: &Expr| m.wire(&format!("corrupt_{what}_{}", d.name), e.clone());
        Lines { off: wire("off", &d.off), save: wire("save", &d.save), restore: wire("restore", &d.restore) }
    });
    let lines: BTreeMap<usize, Lines> = lines.enumerate().collect();
    tree.instances(&mut m, &targets, &lines, &noise);
    Ok(m.finish())
}

/// An element: its path from some module on, and its domain.
type Target = (Vec<String>, usize);

/// Power lines of a domain inside some module.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    pub off: Expr,
    pub save: Expr,
    pub restore: Expr,
}

impl Lines {
    /// As inputs of a module; their names end in `suffix`.
    pub fn inputs(m: &mut Editor, suffix: &str) -> Lines {
        let mut bit = |what: &str| m.add(&format!("corrupt_{what}{suffix}"), Ty::BIT, NetKind::Input);
        Lines { off: bit("off"), save: bit("save"), restore: bit("restore") }
    }

    /// As inputs of an instance of such a module.
    pub fn connect(&self, inputs: &mut Vec<(String, Expr)>, suffix: &str) {
        for (what, e) in [("off", &self.off), ("save", &self.save), ("restore", &self.restore)] {
            inputs.push((format!("corrupt_{what}{suffix}"), e.clone()));
        }
    }
}

/// The input of every changed module that brings the noise.
pub(crate) const NOISE: &str = "corrupt_noise";

fn names(top: &Arc<Module>) -> Result<(), CorruptError> {
    for m in top.hierarchy() {
        if let Some(net) = m.nets.iter().find(|n| n.name.starts_with("corrupt_")) {
            return Err(CorruptError::Name { module: m.name.clone(), name: net.name.clone() });
        }
    }
    Ok(())
}

fn targets(top: &Arc<Module>, domains: &[Domain]) -> Result<Vec<Target>, CorruptError> {
    let mut all: Vec<Target> = Vec::new();
    for (i, d) in domains.iter().enumerate() {
        for (what, e) in [("off", &d.off), ("save", &d.save), ("restore", &d.restore)] {
            let mut known = e.ty() == Ty::BIT;
            e.visit(&mut |e| known &= !matches!(e.kind(), Kind::Net(id, name) if !is_net(top, *id, name)));
            if !known {
                return Err(CorruptError::Condition { domain: d.name.clone(), what, found: e.describe() });
            }
        }
        for path in &d.elements {
            top.at(path).ok_or_else(|| CorruptError::NoInstance { domain: d.name.clone(), path: path.clone() })?;
            let parts: Vec<String> = path.split('/').map(str::to_string).collect();
            if let Some((_, other)) = all.iter().find(|(o, _)| o.starts_with(&parts) || parts.starts_with(o)) {
                let other = domains[*other].name.clone();
                return Err(CorruptError::Overlap { domain: d.name.clone(), path: path.clone(), other });
            }
            all.push((parts, i));
        }
    }
    Ok(all)
}

fn is_net(m: &Module, id: NetId, name: &str) -> bool {
    m.nets.get(id.0 as usize).is_some_and(|n| n.name == name)
}

/// Rewrites the modules between the top and the elements.
struct Tree<'a> {
    copies: Copies,
    domains: &'a [Domain],
    done: BTreeMap<(String, Vec<Target>), Arc<Module>>,
}

impl Tree<'_> {
    /// The module with the elements below it corrupted; it has the lines of their domains as inputs.
    fn module(&mut self, module: &Arc<Module>, targets: Vec<Target>) -> Arc<Module> {
        let key = (module.name.clone(), targets);
        if let Some(done) = self.done.get(&key) {
            return done.clone();
        }
        let mut m = Editor::new(module, self.copies.name(&module.name));
        let noise = m.add(NOISE, Ty::Unsigned(noise::BITS), NetKind::Input);
        let lines = used(&key.1).into_iter().map(|d| (d, Lines::inputs(&mut m, &self.suffix(d)))).collect();
        self.instances(&mut m, &key.1, &lines, &noise);
        let new = m.finish();
        self.done.insert(key, new.clone());
        new
    }

    fn suffix(&self, domain: usize) -> String {
        format!("_{}", self.domains[domain].name)
    }

    /// Replaces the instances that are elements, or have some below them.
    fn instances(&mut self, m: &mut Editor, targets: &[Target], lines: &BTreeMap<usize, Lines>, noise: &Expr) {
        for index in 0..m.module.items.len() {
            let Item::Instance(i) = &m.module.items[index] else { continue };
            let mut i = i.clone();
            let below = targets.iter().filter(|(path, _)| path[0] == i.name);
            let below: Vec<Target> = below.map(|(path, d)| (path[1..].to_vec(), *d)).collect();
            let own = noise::twist(noise, &i.name);
            match below.as_slice() {
                [] => continue,
                [(path, d)] if path.is_empty() => {
                    self.copies.instance(&mut i, &lines[d], &own);
                    outputs(m, &mut i, &lines[d].off, noise);
                }
                _ => {
                    for d in used(&below) {
                        lines[&d].connect(&mut i.inputs, &self.suffix(d));
                    }
                    i.inputs.push((NOISE.into(), own));
                    i.module = self.module(&i.module, below);
                }
            }
            m.module.items[index] = Item::Instance(i);
        }
    }
}

fn used(targets: &[Target]) -> BTreeSet<usize> {
    targets.iter().map(|(_, domain)| *domain).collect()
}

/// What leaves an element is noise while it is off.
fn outputs(m: &mut Editor, i: &mut Instance, off: &Expr, noise: &Expr) {
    for (port, net) in &mut i.outputs {
        let outer = *net;
        let Net { name, ty, .. } = m.module.net(outer).clone();
        let inner = m.add(&format!("{name}_powered"), ty, NetKind::Instance);
        let Kind::Net(id, _) = inner.kind() else { continue };
        *net = *id;
        if m.module.net(outer).kind == NetKind::Instance {
            m.module.nets[outer.0 as usize].kind = NetKind::Wire;
        }
        let value = off.mux(noise::of(noise, &format!("{}.{port}", i.name), ty), &inner);
        m.module.items.push(Item::Assign(outer, value));
    }
}

/// A module that is being changed.
pub(crate) struct Editor {
    pub module: Module,
}

impl Editor {
    pub fn new(module: &Module, name: String) -> Editor {
        // What is changed stands for no device cell any more.
        let mut module = Module { name, primitive: None, ..module.clone() };
        module.doc.push("For simulation: what has no power holds noise.".into());
        Editor { module }
    }

    /// A new net; a name that is taken gets underscores.
    pub fn add(&mut self, name: &str, ty: Ty, kind: NetKind) -> Expr {
        let mut name = name.to_string();
        while self.module.nets.iter().any(|n| n.name == name) {
            name.push('_');
        }
        let id = NetId(self.module.nets.len() as u32);
        self.module.nets.push(Net { name: name.clone(), ty, kind, doc: String::new(), heading: vec![] });
        Expr::new(ty, Kind::Net(id, name.into()))
    }

    /// A named value.
    pub fn wire(&mut self, name: &str, value: Expr) -> Expr {
        let wire = self.add(name, value.ty(), NetKind::Wire);
        if let Kind::Net(id, _) = wire.kind() {
            self.module.items.push(Item::Assign(*id, value));
        }
        wire
    }

    /// A register without reset.
    pub fn register(&mut self, name: &str, ty: Ty, clock: NetId, updates: Vec<Update>) -> Expr {
        let q = self.add(name, ty, NetKind::Register);
        if let Kind::Net(net, _) = q.kind() {
            self.module.items.push(Item::Register(Register { net: *net, clock, reset: None, updates, retained: false, copy: false }));
        }
        q
    }

    /// What a register of [`Editor::register`] does.
    pub fn update(&mut self, q: &Expr, updates: Vec<Update>) {
        let Kind::Net(net, _) = q.kind() else { return };
        for item in &mut self.module.items {
            if let Item::Register(r) = item
                && r.net == *net
            {
                r.updates = updates;
                return;
            }
        }
    }

    pub fn finish(self) -> Arc<Module> {
        Arc::new(self.module)
    }
}
