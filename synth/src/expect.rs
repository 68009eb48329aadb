// SPDX-License-Identifier: MIT OR Apache-2.0
//! How many multipliers and block RAMs a module must become, from the module itself.

use crate::{Count, Device, Expected, Family};
use heddle_lang::{
    Expr, Module,
    expr::{BinaryOp, Kind},
    module::{Item, Memory},
};
use std::sync::Arc;

/// The counts for a device. A product of two values that are not constant takes as many multipliers as its operands
/// have parts of the multiplier's width; a memory that asks for block RAM takes the least number of blocks that holds it,
/// one that leaves the choice to the tool that many or none.
pub fn expected(module: &Arc<Module>, device: &Device) -> Expected {
    let dsp = device.multiplier().map_or(0, |cell| multipliers(module, device, cell));
    Expected { dsp: Some(Count::exactly(dsp)), ram: Some(rams(module, device)), lut: None }
}

/// The cells that a primitive is printed as.
fn primitive(module: &Module, device: &Device) -> Option<(&'static str, u32)> {
    module.primitive.as_ref()?.cells(device.target())
}

/// Of the module and all below it.
fn multipliers(module: &Arc<Module>, device: &Device, multiplier: &str) -> u32 {
    if let Some((cell, count)) = primitive(module, device)
        && cell == multiplier
    {
        return count;
    }
    let width = match device.family {
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
    count + module.instances().map(|i| multipliers(&i.module, device, multiplier)).sum::<u32>()
}

fn is_constant(expr: &Expr) -> bool {
    match expr.kind() {
        Kind::Const(..) => true,
        Kind::Resize(inner) | Kind::Cast(inner) | Kind::Slice(inner, _) => is_constant(inner),
        _ => false,
    }
}

/// Of the module and all below it; a single-port RAM of iCE40 counts as one block.
fn rams(module: &Arc<Module>, device: &Device) -> Count {
    if let Some(("DP16KD" | "SB_SPRAM256KA", count)) = primitive(module, device) {
        return Count::exactly(count);
    }
    let memories = module.items.iter().filter_map(|item| match item {
        Item::Memory(memory) => Some(memory),
        _ => None,
    });
    let own: Count = memories.map(|memory| blocks(memory, device.family)).sum();
    own + module.instances().map(|i| rams(&i.module, device)).sum()
}

/// Widths and depths that a block can have, with separate read and write ports.
const ECP5: [(u32, u32); 6] = [(1, 16384), (2, 8192), (4, 4096), (9, 2048), (18, 1024), (36, 512)];
const ICE40: [(u32, u32); 4] = [(2, 2048), (4, 1024), (8, 512), (16, 256)];

fn blocks(memory: &Memory, family: Family) -> Count {
    let shapes: &[(u32, u32)] = match family {
        Family::Ecp5 => &ECP5,
        Family::Ice40 => &ICE40,
    };
    let count = shapes.iter().map(|(width, depth)| memory.width.div_ceil(*width) * memory.depth.div_ceil(*depth)).min();
    let count = count.unwrap_or(0) * memory.reads.len().max(1) as u32;
    match (memory.attribute.contains("block"), memory.attribute.contains("distributed")) {
        (true, _) => Count::exactly(count),
        (false, true) if family == Family::Ecp5 => Count::exactly(0),
        _ => Count { least: 0, most: count },
    }
}
