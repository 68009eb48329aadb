// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sight of what is inside a block, for a harness: an induction needs to know how the registers hang together.
//!
//! The block keeps its logic and its name; it gets more ports.

use heddle_lang::{
    Expr, Module, Ty,
    builder::address_bits,
    expr::{Kind, NetId},
    module::{Item, Net, NetKind, ReadPort},
    verilog::net_name,
};
use std::sync::Arc;

/// The module with more ports.
///
/// A name is that of a net in the Verilog (`count_q`), of one in an instance (`fsm.state_q`), or of a memory (`words`). A net
/// gives an output `seen_count`, `seen_fsm_state`; a memory an input `look_words` and an output `seen_words`: the word that stood at
/// that address a cycle before. A name that does not exist gives no port; the harness then does not build, and says which one it lacks.
pub fn observe(module: &Arc<Module>, names: &[&str]) -> Arc<Module> {
    let mut copy = Module::clone(module);
    for name in names {
        let memory = copy.items.iter().position(|i| matches!(i, Item::Memory(m) if m.name == *name));
        match memory {
            Some(memory) => look(&mut copy, memory, name),
            None => drop(see(&mut copy, name)),
        }
    }
    Arc::new(copy)
}

/// Adds an output for a net and returns its name without `seen_`.
fn see(module: &mut Module, path: &str) -> Option<String> {
    let (base, net) = match path.split_once('.') {
        None => {
            let net = module.ids().find(|id| net_name(module.net(*id)) == path)?;
            (module.net(net).name.clone(), net)
        }
        Some((instance, rest)) => {
            let item = module.items.iter().position(|i| matches!(i, Item::Instance(i) if i.name == instance))?;
            let Item::Instance(found) = &module.items[item] else { return None };
            let mut child = Module::clone(&found.module);
            let base = see(&mut child, rest)?;
            let port = format!("seen_{base}");
            let ty = child.port(&port)?.1.ty;
            let net = add(module, format!("{instance}_{port}"), ty, NetKind::Instance);
            if let Item::Instance(found) = &mut module.items[item] {
                found.module = Arc::new(child);
                found.outputs.push((port, net));
            }
            (format!("{instance}_{base}"), net)
        }
    };
    output(module, &base, net);
    Some(base)
}

pub(super) fn add(module: &mut Module, name: String, ty: Ty, kind: NetKind) -> NetId {
    module.nets.push(Net { name, ty, kind, doc: String::new(), heading: vec![] });
    NetId(module.nets.len() as u32 - 1)
}

pub(super) fn read(module: &Module, id: NetId) -> Expr {
    let net = module.net(id);
    Expr::new(net.ty, Kind::Net(id, net.name.as_str().into()))
}

fn output(module: &mut Module, base: &str, net: NetId) {
    let value = read(module, net);
    let port = add(module, format!("seen_{base}"), value.ty(), NetKind::Output);
    module.items.push(Item::Assign(port, value));
}

fn look(module: &mut Module, item: usize, name: &str) {
    let Item::Memory(memory) = &module.items[item] else { return };
    let (width, depth) = (memory.width, memory.depth);
    let address = add(module, format!("look_{name}"), Ty::Unsigned(address_bits(depth)), NetKind::Input);
    let data = add(module, format!("looked_{name}"), Ty::Unsigned(width), NetKind::ReadData);
    let port = ReadPort { data, enable: Expr::bit_const(true), address: read(module, address) };
    if let Item::Memory(memory) = &mut module.items[item] {
        memory.reads.push(port);
    }
    output(module, name, data);
}
