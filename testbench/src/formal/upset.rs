// SPDX-License-Identifier: MIT OR Apache-2.0
//! A register that can be upset from outside, for what a block promises of states that it never reaches by itself.

use super::observe::{add, read};
use heddle_lang::{
    Module, Ty,
    module::{Item, NetKind, Update},
    verilog::net_name,
};
use std::sync::Arc;

/// The module with two more inputs: where `upset` is high, the register of this name in the Verilog (`state_q`) takes
/// `upset_to` at the edge, whatever its logic says; a reset comes first. Without such a register the inputs are missing, and a harness
/// that drives them does not build.
pub fn upset(module: &Arc<Module>, register: &str) -> Arc<Module> {
    let mut copy = Module::clone(module);
    let found = copy.items.iter().position(|item| matches!(item, Item::Register(r) if net_name(copy.net(r.net)) == register));
    let Some(at) = found else { return module.clone() };
    let Item::Register(found) = &copy.items[at] else { return module.clone() };
    let ty = copy.net(found.net).ty;
    let now = add(&mut copy, "upset".into(), Ty::BIT, NetKind::Input);
    let to = add(&mut copy, "upset_to".into(), ty, NetKind::Input);
    let update = Update { condition: Some(read(&copy, now)), value: read(&copy, to) };
    if let Item::Register(register) = &mut copy.items[at] {
        register.updates.insert(0, update);
    }
    Arc::new(copy)
}
