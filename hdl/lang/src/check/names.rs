// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of modules: they are file names and Verilog names.

use crate::module::Module;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Two modules of one name that differ.
pub fn name_clashes(top: &Arc<Module>) -> Vec<String> {
    let mut seen: BTreeMap<String, Arc<Module>> = BTreeMap::new();
    let mut clashes = BTreeSet::new();
    let mut stack = vec![top.clone()];
    let mut visited = BTreeSet::new();
    while let Some(m) = stack.pop() {
        if !visited.insert(Arc::as_ptr(&m)) {
            continue;
        }
        stack.extend(m.instances().map(|i| i.module.clone()));
        match seen.get(&m.name) {
            Some(other) if !Arc::ptr_eq(other, &m) && format!("{other:?}") != format!("{m:?}") => {
                clashes.insert(format!("two different modules are called `{}`", m.name));
            }
            Some(_) => {}
            None => {
                seen.insert(m.name.clone(), m.clone());
            }
        }
    }
    clashes.into_iter().collect()
}
