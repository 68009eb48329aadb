// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a bit comes from: back through wires and ports, as far as nothing is computed.

use heddle_lang::{
    Expr, Module,
    expr::{Kind, NetId},
    module::{Instance, Item, NetKind},
};

/// A bit of a net somewhere in a hierarchy.
#[derive(Clone)]
pub struct Place<'a> {
    top: &'a Module,
    /// Instances on the way down from the top.
    way: Vec<&'a Instance>,
    net: NetId,
    bit: u32,
}

impl<'a> Place<'a> {
    /// A bit of an expression that stands in the module at `path`; none if it is not a bit of a net, or there is no such path.
    pub fn of(top: &'a Module, path: &str, e: &Expr, bit: u32) -> Option<Place<'a>> {
        let mut way: Vec<&Instance> = Vec::new();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let module: &Module = way.last().map_or(top, |i| &i.module);
            way.push(module.instances().find(|i| i.name == name)?);
        }
        let (net, bit) = net_bit(e, bit)?;
        Some(Place { top, way, net, bit })
    }

    fn module(&self) -> &'a Module {
        self.way.last().map_or(self.top, |i| &i.module)
    }

    /// Path of the module that the net is in; empty for the top.
    pub fn path(&self) -> String {
        self.way.iter().map(|i| i.name.as_str()).collect::<Vec<_>>().join("/")
    }

    /// Whether it is this bit of this net of the top.
    pub fn is(&self, net: NetId, bit: u32) -> bool {
        self.way.is_empty() && (self.net, self.bit) == (net, bit)
    }

    /// The bit that this one is a copy of.
    fn back(mut self) -> Option<Place<'a>> {
        let m = self.module();
        let net = m.net(self.net);
        let driven = if net.kind == NetKind::Input {
            let instance = self.way.pop()?;
            &instance.inputs.iter().find(|(port, _)| *port == net.name)?.1
        } else {
            match m.items.iter().find(|item| item.drives().contains(&self.net))? {
                Item::Assign(_, e) => e,
                Item::Instance(i) => {
                    let (port, _) = i.outputs.iter().find(|(_, id)| *id == self.net)?;
                    self.net = i.module.port(port)?.0;
                    self.way.push(i);
                    return Some(self);
                }
                _ => return None,
            }
        };
        (self.net, self.bit) = net_bit(driven, self.bit)?;
        Some(self)
    }

    /// This place and all it is a copy of, up to the one where it is computed, stored, or enters the top.
    pub fn origins(self) -> impl Iterator<Item = Place<'a>> {
        std::iter::successors(Some(self), |place| place.clone().back())
    }
}

/// The bit of a net that a bit of an expression is.
fn net_bit(e: &Expr, bit: u32) -> Option<(NetId, u32)> {
    match e.kind() {
        Kind::Net(id, _) => Some((*id, bit)),
        Kind::Slice(inner, lsb) => net_bit(inner, bit + lsb),
        Kind::Cast(inner) => net_bit(inner, bit),
        Kind::Resize(inner) if bit < inner.width() => net_bit(inner, bit),
        Kind::Concat(parts) => {
            let mut base = 0;
            let part = parts.iter().rev().find(|part| {
                let inside = bit < base + part.width();
                base += if inside { 0 } else { part.width() };
                inside
            });
            net_bit(part?, bit - base)
        }
        _ => None,
    }
}
