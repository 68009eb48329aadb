// SPDX-License-Identifier: MIT OR Apache-2.0
//! Power intent: which instances form a domain, and which nets switch, clamp, save and restore it.
//!
//! One description from which the UPF ([`super::upf`]) and the corrupted design are made, so that both say the same.
//! [`Intent::of`] takes it from a configuration and its top module; [`Intent::check`] resolves every name against
//! that module and refuses what would not work in silicon.

mod check;
mod trace;

use crate::config::Config;
use heddle_lang::{
    Expr, Module, Ty,
    corrupt::{self, CorruptError},
    expr::Kind,
    module::{Item, NetKind},
    verilog::net_name,
};
use std::{fmt, sync::Arc};

pub use check::IntentError;

/// The domains that can be switched off; everything else is always on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    pub domains: Vec<Domain>,
}

/// One domain. Paths lead from the top through instances, `/` between the names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    pub name: String,
    /// The instances that lose their power, with all below them.
    pub elements: Vec<String>,
    /// The instance that decides; always on.
    pub controller: String,
    /// The chain that charges the supply, and the one that carries it.
    pub weak: Switches,
    pub strong: Switches,
    /// High: the supply is up.
    pub power_good: Signal,
    pub clock_enable: Signal,
    pub reset: Signal,
    pub isolation: Isolation,
    pub retention: Retention,
}

/// A daisy chain of header switches, in the order in which they close. Controls are active high; an acknowledge is
/// high where its switch is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switches {
    /// Output ports of the top.
    pub control: Vec<Signal>,
    /// Input ports of the top.
    pub ack: Vec<Signal>,
}

/// The cells behind the outputs of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Isolation {
    /// Instances beside the elements; always on.
    pub cells: Vec<String>,
    pub signal: Signal,
    pub sense: Sense,
    /// What every bit is while isolated.
    pub clamp: bool,
}

/// Level of a control signal at which it acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    High,
    Low,
}

/// Registers that outlive a power-down; both signals are pulses, active high.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Path of the instance, then the register's base name.
    pub registers: Vec<String>,
    pub save: Signal,
    pub restore: Signal,
}

/// One bit of a net of the top module, by its Verilog name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    pub net: String,
    pub bit: u32,
}

impl Signal {
    pub fn new(net: &str, bit: u32) -> Signal {
        Signal { net: net.into(), bit }
    }

    /// As Verilog and UPF write it: without index where the net has one bit.
    pub fn text(&self, top: &Module) -> String {
        match self.find(top) {
            Some(e) if e.width() > 1 => self.to_string(),
            _ => self.net.clone(),
        }
    }

    /// The net, whole.
    fn find(&self, top: &Module) -> Option<Expr> {
        let found = top.ids().find(|id| net_name(top.net(*id)) == self.net)?;
        let net = top.net(found);
        Some(Expr::new(net.ty, Kind::Net(found, net.name.as_str().into()))).filter(|e| self.bit < e.width())
    }

    /// The bit as an expression of the top; poison if there is none.
    fn expr(&self, top: &Module) -> Expr {
        let missing = || Expr::poison(Ty::BIT, format!("no net `{self}`"));
        self.find(top).map_or_else(missing, |net| net.bit(self.bit))
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.net, self.bit)
    }
}

impl fmt::Display for Sense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Sense::High { "high" } else { "low" })
    }
}

impl Intent {
    /// The intent of a configuration, checked; `top` is its top module. No domain where it has no power gating.
    pub fn of(config: &Config, top: &Module) -> Result<Intent, IntentError> {
        let domains = (0..config.domains()).map(|d| column_domain(config, top, d)).collect();
        let intent = Intent { domains };
        intent.check(top)?;
        Ok(intent)
    }

    /// The design for simulation in which the domains hold noise while they are off: while not every switch of both
    /// chains has acknowledged, or the supply is not good.
    pub fn corrupted(&self, top: &Arc<Module>) -> Result<Arc<Module>, CorruptError> {
        let domains: Vec<corrupt::Domain> = self.domains.iter().map(|d| d.corruption(top)).collect();
        corrupt::corrupt(top, &domains)
    }
}

impl Domain {
    fn corruption(&self, top: &Module) -> corrupt::Domain {
        let closed = self.weak.ack.iter().chain(&self.strong.ack);
        let powered = closed.fold(self.power_good.expr(top), |all, ack| all & ack.expr(top));
        corrupt::Domain {
            name: self.name.clone(),
            elements: self.elements.clone(),
            off: !powered,
            save: self.retention.save.expr(top),
            restore: self.retention.restore.expr(top),
        }
    }
}

/// Domain `d` of the array: its columns, by the names that `array` and `top` give them.
fn column_domain(config: &Config, top: &Module, d: u32) -> Domain {
    let elements: Vec<String> = config.domain_columns(d).map(|c| format!("array/column_{c}")).collect();
    let stages = config.power.switch_stages;
    let chain = |kind: &str| {
        let wires = |net: String| (0..stages).map(|k| Signal::new(&net, d * stages + k)).collect();
        Switches { control: wires(format!("power_{kind}_on_o")), ack: wires(format!("power_{kind}_ack_i")) }
    };
    let signal = |what: &str| Signal::new(&format!("power_{what}"), d);
    Domain {
        name: format!("columns_{d}"),
        controller: format!("power/domain_{d}"),
        weak: chain("weak"),
        strong: chain("strong"),
        power_good: Signal::new("power_good_i", d),
        clock_enable: signal("clock_enable"),
        reset: signal("domain_rst"),
        isolation: Isolation {
            cells: config.domain_columns(d).map(|c| format!("array/isolate_{c}")).collect(),
            signal: signal("isolate"),
            sense: Sense::High,
            clamp: false,
        },
        retention: Retention {
            registers: elements.iter().flat_map(|path| retained(top, path)).collect(),
            save: signal("save"),
            restore: signal("restore"),
        },
        elements,
    }
}

/// Paths of the retained registers in an instance and below it.
fn retained(top: &Module, path: &str) -> Vec<String> {
    let Some(module) = top.at(path) else { return vec![] };
    let below = module.items.iter().flat_map(|item| match item {
        Item::Register(r) if r.retained => vec![format!("{path}/{}", module.net(r.net).name)],
        Item::Instance(i) => retained(top, &format!("{path}/{}", i.name)),
        _ => vec![],
    });
    below.collect()
}

/// The register at a path, with the module it is in.
pub(crate) fn register<'a>(top: &'a Module, path: &str) -> Option<(&'a Module, &'a heddle_lang::module::Register)> {
    let (instance, name) = path.rsplit_once('/')?;
    let module: &Module = top.at(instance)?;
    let found = module.items.iter().find_map(|item| match item {
        Item::Register(r) if module.net(r.net).name == name && module.net(r.net).kind == NetKind::Register => Some(r),
        _ => None,
    });
    found.map(|r| (module, r))
}

#[cfg(test)]
mod tests;
