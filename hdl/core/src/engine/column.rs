// SPDX-License-Identifier: MIT OR Apache-2.0
//! Dot product of one block of 32: L signed int8 lanes, `32 / L` cycles per block.
//!
//! Ports      `valid_i`: operands; `first_i`, below 32 lanes: they begin a block; `x_i`, `w_i`: L x int8; `sum_o`
//! Latency    [`latency`] cycles from a block's last operands to `sum_o`      Throughput  L products per cycle, no bubble
//! Rounding   none, widths grow: the sum of 32 products is exact in 21 bits
//! Reset      none: what is valid is known to the control pipe beside all columns
//!
//! In a power domain (`gated`) `ce_i` is its clock gate, and `block`, below 32 lanes, is retained while it is off; then
//! `rst_i` clears what is valid, so that nothing is added to the sum that came back.
//! Registers take a value only where `valid_i` has got to: a column that is not in use, or waits, does not toggle.

use heddle_lang::{BuildError, Builder, Module, Ty};
use std::sync::Arc;

/// Products per block.
pub const BLOCK: u32 = 32;
/// Bits of the exact sum of 32 products of int8.
pub const SUM_BITS: u32 = 21;

/// Cycles from the last operands of a block to its sum: two for the product, one per level of the tree, one
/// for the sum over the cycles of a block.
pub fn latency(lanes: u32) -> u32 {
    2 + lanes.trailing_zeros() + u32::from(lanes < BLOCK)
}

/// Multiply-accumulate column; shared by every column, format and board. `lanes`: a power of two up to 32;
/// `gated`: it is in a power domain.
pub fn column(lanes: u32, gated: bool) -> Result<Arc<Module>, BuildError> {
    // Where a sum is retained, nothing that wakes up with its domain may add to it.
    let reset = gated && lanes < BLOCK;
    let name = format!("column_{lanes}");
    let mut m = if reset { Builder::clocked(name, file!()) } else { Builder::new(name, file!()) };
    m.doc(&format!(
        "Dot product of a block of {BLOCK}: {lanes} signed 8 x 8 products per cycle.\nThe sum is valid {} cycles after the last operands of the block.",
        latency(lanes)
    ));
    if !reset {
        m.clock("clk");
    }
    if gated {
        m.clock_enable();
    }
    if lanes > BLOCK || !lanes.is_power_of_two() {
        m.error(format!("lanes = {lanes}: must be a power of two up to {BLOCK}"));
    }
    m.comment("Operands: int8 of activations and weights");
    let valid = m.input("valid", Ty::BIT);
    let first = (lanes < BLOCK).then(|| m.input("first", Ty::BIT));
    let x = m.input("x", Ty::Unsigned(8 * lanes));
    let w = m.input("w", Ty::Unsigned(8 * lanes));

    m.comment("Where the operands have got to");
    let levels = lanes.trailing_zeros();
    let depth = latency(lanes) - 1;
    let at = if reset { m.stages_reset("valid", &valid, depth) } else { m.stages("valid", &valid, depth) };
    m.comment("Products, with the multiplier's output register");
    let operands = x.chunks(8).into_iter().zip(w.chunks(8));
    let product = m.register_each_when("product", &at[0], operands.map(|(x, w)| x.as_signed() * w.as_signed()));
    let product = m.register_each_when("product_out", &at[1], product);

    m.comment("Adder tree, one register per level");
    let tree = m.pipelined_sum("tree", product, &at[2..][..levels as usize]);
    let sum = match first {
        None => tree,
        Some(first) => {
            m.comment(&format!("Sum over the {} cycles of a block", BLOCK / lanes));
            let first = m.delay("first", &first, depth);
            let block = m.reg_no_reset("block", Ty::Signed(SUM_BITS));
            if gated {
                m.retain(&block);
            }
            let grown = tree.extend(SUM_BITS);
            let valid = &at[depth as usize];
            m.on(&block, valid & &first, &grown);
            m.on(&block, valid, block.q().wrapping_add(&grown));
            block.q()
        }
    };
    m.comment("The sum of a block");
    m.output("sum", sum.extend(SUM_BITS).as_unsigned());
    m.build()
}

/// The same, in plain Rust.
pub mod golden {
    /// Exact sum of products; operands of equal length up to 32.
    pub fn column(x: &[i8], w: &[i8]) -> i32 {
        x.iter().zip(w).map(|(&x, &w)| i32::from(x) * i32::from(w)).sum()
    }
}
