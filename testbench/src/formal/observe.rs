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

/// The module with an output `seen_<base name>` for each net, which is given by its Verilog name (`count_q`), and for each memory
/// an input `look_<memory>` and an output `seen_<memory>`: the word at that address a cycle later. What does not exist is left out;
/// the harness then fails to build, with the name of the port.
pub fn observe(module: &Arc<Module>, names: &[&str]) -> Arc<Module> {
    let mut copy = Module::clone(module);
    for name in names {
        let net = copy.ids().find(|id| net_name(copy.net(*id)) == *name);
        let memory = copy.items.iter().position(|i| matches!(i, Item::Memory(m) if m.name == *name));
        match (net, memory) {
            (Some(net), _) => {
                let base = copy.net(net).name.clone();
                output(&mut copy, &base, net);
            }
            (None, Some(memory)) => look(&mut copy, memory, name),
            (None, None) => {}
        }
    }
    Arc::new(copy)
}

fn add(module: &mut Module, name: String, ty: Ty, kind: NetKind) -> NetId {
    module.nets.push(Net { name, ty, kind, doc: String::new(), heading: vec![] });
    NetId(module.nets.len() as u32 - 1)
}

fn read(module: &Module, id: NetId) -> Expr {
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
