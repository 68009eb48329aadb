// SPDX-License-Identifier: MIT OR Apache-2.0
//! How many multipliers and block RAMs a module must become, from the module itself.

use crate::{Expected, Family};
use heddle_lang::{
    Expr, Module, Target,
    expr::{BinaryOp, Kind},
    module::{Item, Memory},
};
use std::sync::Arc;

/// The counts for a family. A product of two values that are not constant takes as many multipliers as its operands
/// have parts of the multiplier's width; a memory that asks for block RAM takes the least number of blocks that holds it.
pub fn expected(module: &Arc<Module>, family: Family) -> Expected {
    Expected { dsp: Some(multipliers(module, family)), ram: rams(module, family) }
}

/// Of the module and all below it.
fn multipliers(module: &Arc<Module>, family: Family) -> u32 {
    let target = match family {
        Family::Ecp5 => Target::Ecp5,
        Family::Ice40 => Target::Ice40,
    };
    // A primitive becomes the cells that it is printed as.
    if let Some((cell, count)) = module.primitive.as_ref().and_then(|primitive| primitive.cells(target))
        && cell == family.multiplier()
    {
        return count;
    }
    let width = match family {
        Family::Ecp5 => 18,
        Family::Ice40 => 16,
    };
    let mut count = 0;
    let mut seen = std::collections::BTreeSet::new();
    for item in &module.items {
        for expr in item.exprs() {
            expr.visit(&mut |node| {
                if let Kind::Binary(BinaryOp::Mul | BinaryOp::WrapMul, a, b) = node.kind()
                    && seen.insert(std::ptr::from_ref(node.kind()))
                    && !is_constant(a)
                    && !is_constant(b)
                {
                    count += a.width().div_ceil(width) * b.width().div_ceil(width);
                }
            });
        }
    }
    count + module.instances().map(|i| multipliers(&i.module, family)).sum::<u32>()
}

fn is_constant(expr: &Expr) -> bool {
    match expr.kind() {
        Kind::Const(..) => true,
        Kind::Resize(inner) | Kind::Cast(inner) | Kind::Slice(inner, _) => is_constant(inner),
        _ => false,
    }
}

/// None if a memory leaves the choice to the tool.
fn rams(module: &Arc<Module>, family: Family) -> Option<u32> {
    if let Some(("DP16KD", count)) = module.primitive.as_ref().filter(|_| family == Family::Ecp5).and_then(|p| p.cells(Target::Ecp5)) {
        return Some(count);
    }
    let memories = module.items.iter().filter_map(|item| match item {
        Item::Memory(memory) => Some(memory),
        _ => None,
    });
    let own: Option<u32> = memories.map(|memory| blocks(memory, family)).sum();
    let below: Option<u32> = module.instances().map(|i| rams(&i.module, family)).sum();
    Some(own? + below?)
}

/// Widths and depths that a block can have, with separate read and write ports.
const ECP5: [(u32, u32); 6] = [(1, 16384), (2, 8192), (4, 4096), (9, 2048), (18, 1024), (36, 512)];
const ICE40: [(u32, u32); 4] = [(2, 2048), (4, 1024), (8, 512), (16, 256)];

fn blocks(memory: &Memory, family: Family) -> Option<u32> {
    if !memory.attribute.contains("block") {
        return if memory.attribute.contains("distributed") && family == Family::Ecp5 { Some(0) } else { None };
    }
    let shapes: &[(u32, u32)] = match family {
        Family::Ecp5 => &ECP5,
        Family::Ice40 => &ICE40,
    };
    let count = shapes.iter().map(|(width, depth)| memory.width.div_ceil(*width) * memory.depth.div_ceil(*depth)).min();
    Some(count.unwrap_or(0) * memory.reads.len().max(1) as u32)
}
