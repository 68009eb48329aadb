// SPDX-License-Identifier: MIT OR Apache-2.0
//! The hierarchy as one list of nets, each with its driver, ordered so that drivers come first.

use super::SimError;
use crate::{
    check::reads,
    expr::{Expr, Kind, NetId, Ty},
    module::*,
    order,
    process::{self, Fault},
};
use std::sync::Arc;

/// A net of the whole design.
pub(crate) type Global = usize;

/// One instance of a module.
pub(crate) struct Scope {
    /// Dotted, without the top module; empty for the top.
    pub path: String,
    pub module: Arc<Module>,
    /// Its first net.
    pub base: Global,
}

impl Scope {
    pub fn global(&self, id: NetId) -> Global {
        self.base + id.0 as usize
    }

    pub fn name(&self, net: &str) -> String {
        if self.path.is_empty() { net.to_string() } else { format!("{}.{net}", self.path) }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Driver {
    /// An input or clock of the top module, a register or read data.
    Source,
    /// An expression over the nets of a scope.
    Expr(usize, Expr),
    /// The same value as another net.
    Alias(Global),
}

pub(crate) struct Flat {
    pub scopes: Vec<Scope>,
    pub drivers: Vec<Driver>,
    /// All nets, each after the nets its driver reads.
    pub order: Vec<Global>,
}

impl Flat {
    pub fn new(top: &Arc<Module>) -> Result<Flat, SimError> {
        let mut flat = Flat { scopes: vec![], drivers: vec![], order: vec![] };
        flat.add(top, String::new())?;
        let order = order::sort(flat.drivers.len(), |net| flat.inputs_of(net));
        flat.order = order.map_err(|cycle| SimError::Loop { nets: cycle.iter().map(|&n| flat.name(n)).collect() })?;
        Ok(flat)
    }

    /// Adds an instance of `module` and all below it; returns its scope.
    fn add(&mut self, module: &Arc<Module>, path: String) -> Result<usize, SimError> {
        let scope = self.scopes.len();
        let base = self.drivers.len();
        self.drivers.extend(module.nets.iter().map(|_| Driver::Source));
        self.scopes.push(Scope { path, module: module.clone(), base });
        for item in &module.items {
            match item {
                Item::Assign(net, e) => self.drivers[base + net.0 as usize] = Driver::Expr(scope, e.clone()),
                Item::Process(p) => {
                    for (net, e) in process::execute(p).map_err(|f| self.process_error(scope, f))? {
                        self.drivers[base + net.0 as usize] = Driver::Expr(scope, e);
                    }
                }
                Item::Instance(i) => self.connect(scope, i)?,
                _ => {}
            }
        }
        Ok(scope)
    }

    fn connect(&mut self, parent: usize, instance: &Instance) -> Result<(), SimError> {
        let child = self.add(&instance.module, self.scopes[parent].name(&instance.name))?;
        let port = |flat: &Flat, name: &str| {
            let missing = || SimError::Port { module: instance.module.name.clone(), port: name.to_string() };
            instance.module.port(name).map(|(id, _)| flat.scopes[child].global(id)).ok_or_else(missing)
        };
        for (name, e) in &instance.inputs {
            let to = port(self, name)?;
            self.drivers[to] = Driver::Expr(parent, e.clone());
        }
        for (name, net) in &instance.outputs {
            let from = port(self, name)?;
            let to = self.scopes[parent].global(*net);
            self.drivers[to] = Driver::Alias(from);
        }
        Ok(())
    }

    fn process_error(&self, scope: usize, fault: Fault) -> SimError {
        let scope = &self.scopes[scope];
        let name = |id: NetId| scope.name(&scope.module.net(id).name);
        match fault {
            Fault::NotAssigned(id) => SimError::Latch { net: name(id), why: "is not assigned on every path" },
            Fault::ReadFirst(id) => SimError::Latch { net: name(id), why: "is read before it is assigned" },
            Fault::Undeclared(id) => SimError::Latch { net: name(id), why: "is assigned but is no target" },
        }
    }

    /// The nets that a net's value needs in the same cycle.
    pub fn inputs_of(&self, net: Global) -> Vec<Global> {
        match &self.drivers[net] {
            Driver::Source => vec![],
            Driver::Alias(from) => vec![*from],
            Driver::Expr(scope, e) => reads(e).into_iter().map(|id| self.scopes[*scope].global(id)).collect(),
        }
    }

    pub fn scope_of(&self, net: Global) -> &Scope {
        &self.scopes[self.scopes.partition_point(|s| s.base <= net) - 1]
    }

    pub fn net(&self, net: Global) -> &Net {
        let scope = self.scope_of(net);
        &scope.module.nets[net - scope.base]
    }

    /// The path of a net, in base names.
    pub fn name(&self, net: Global) -> String {
        self.scope_of(net).name(&self.net(net).name)
    }

    pub fn ty(&self, net: Global) -> Ty {
        self.net(net).ty
    }

    /// The clock port of the top module that a net carries.
    pub fn clock(&self, mut net: Global) -> Result<Global, SimError> {
        let start = net;
        loop {
            net = match &self.drivers[net] {
                Driver::Source if net < self.scopes[0].module.nets.len() && self.net(net).kind == NetKind::Clock => return Ok(net),
                Driver::Alias(from) => *from,
                Driver::Expr(scope, e) => match e.kind() {
                    Kind::Net(id, _) => self.scopes[*scope].global(*id),
                    _ => return Err(SimError::Clock { net: self.name(start) }),
                },
                Driver::Source => return Err(SimError::Clock { net: self.name(start) }),
            };
        }
    }
}
