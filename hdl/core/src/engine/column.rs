// SPDX-License-Identifier: MIT OR Apache-2.0
//! Dot product of one block of 32: L signed int8 lanes, `32 / L` cycles per block.
//!
//! Ports      `valid_i`: operands come in the next cycle; `first_i`, below 32 lanes: they begin a block; `x_i`, `w_i`: L x int8;
//!            `sum_o`
//! Latency    [`latency`] cycles from a block's last operands to `sum_o`      Throughput  L products per cycle, no bubble
//! Rounding   none, widths grow: the sum of 32 products is exact in 21 bits
//! Reset      none: what is valid is known to the control pipe beside all columns
//!
//! In a power domain (`gated`) `ce_i` is its clock gate, and `block`, below 32 lanes, is retained while it is off; then
//! `rst_i` clears what is valid, so that nothing is added to the sum that came back.
//! Operands are taken only where `valid_i` says so: behind them nothing changes while a column is not in use, or waits.

use super::lut_multiplier::lut_multiplier;
use heddle_lang::{
    BuildError, Builder, Expr, Module, Ty,
    primitive::{self, multiplier},
};
use std::sync::Arc;

/// Products per block.
pub const BLOCK: u32 = 32;
/// Bits of the exact sum of 32 products of int8.
pub const SUM_BITS: u32 = 21;
/// Cycles of a product: the registers of a DSP, and one behind it on the long way into the tree.
pub const PRODUCT: u32 = primitive::STAGES + 1;
/// Lanes of one multiplier module: what one DSP of iCE40 does.
const PAIR: u32 = 2;

/// Cycles from the last operands of a block to its sum: those of a product, one per level of the tree, one for the
/// sum over the cycles of a block.
pub fn latency(lanes: u32) -> u32 {
    PRODUCT + lanes.trailing_zeros() + u32::from(lanes < BLOCK)
}

/// Multiply-accumulate column; shared by every column, format and board. `lanes`: a power of two up to 32; `lut_lanes`
/// of them multiply in LUTs instead of DSPs, an even number; `gated`: it is in a power domain.
pub fn column(lanes: u32, lut_lanes: u32, gated: bool) -> Result<Arc<Module>, BuildError> {
    // Where a sum is retained, nothing that wakes up with its domain may add to it.
    let reset = gated && lanes < BLOCK;
    let name = if lut_lanes == 0 { format!("column_{lanes}") } else { format!("column_{lanes}_lut{lut_lanes}") };
    let mut m = if reset { Builder::clocked(name, file!()) } else { Builder::new(name, file!()) };
    m.doc(&format!(
        "Dot product of a block of {BLOCK}: {lanes} signed 8 x 8 products per cycle.\nThe sum is valid {} cycles after the last operands of the block.",
        latency(lanes)
    ));
    if !reset {
        m.clock("clk");
    }
    let gate = gated.then(|| m.clock_enable());
    if lanes > BLOCK || !lanes.is_power_of_two() || lanes < PAIR {
        m.error(format!("lanes = {lanes}: must be a power of two from {PAIR} to {BLOCK}"));
    }
    if lut_lanes > lanes || !lut_lanes.is_multiple_of(PAIR) {
        m.error(format!("lut_lanes = {lut_lanes}: must be an even number up to {lanes}"));
    }
    m.comment("Operands: that they come in the next cycle, int8 of activations and weights");
    let valid = m.input("valid", Ty::BIT);
    let first = (lanes < BLOCK).then(|| m.input("first", Ty::BIT));
    let x = m.input("x", Ty::Unsigned(8 * lanes));
    let w = m.input("w", Ty::Unsigned(8 * lanes));

    let levels = lanes.trailing_zeros() as usize;
    let product = products(&mut m, lut_lanes, gate, &valid, &x, &w)?;

    m.comment("Adder tree, one register per level");
    let tree = m.pipelined_sum("tree", product, &vec![Expr::bit_const(true); levels]);
    let sum = match first {
        None => tree,
        Some(first) => {
            m.comment(&format!("Sum over the {} cycles of a block", BLOCK / lanes));
            let depth = latency(lanes) - 1;
            let valid = if reset { m.delay_reset("valid", &valid, depth + 1) } else { m.delay("valid", &valid, depth + 1) };
            let first = m.delay("first", &first, depth);
            let block = m.reg_no_reset("block", Ty::Signed(SUM_BITS));
            if gated {
                m.retain(&block);
            }
            let grown = tree.extend(SUM_BITS);
            m.on(&block, &valid & &first, &grown);
            m.on(&block, &valid, block.q().wrapping_add(&grown));
            block.q()
        }
    };
    m.comment("The sum of a block");
    m.output("sum", sum.extend(SUM_BITS).as_unsigned());
    m.build()
}

/// One product per lane: two to a multiplier module, the last `lut_lanes` in LUTs.
fn products(m: &mut Builder, lut_lanes: u32, gate: Option<Expr>, valid: &Expr, x: &Expr, w: &Expr) -> Result<Vec<Expr>, BuildError> {
    let int8 = Ty::Signed(8);
    let multipliers = x.width() / (8 * PAIR);
    let in_dsp = multipliers - lut_lanes / PAIR;
    m.comment("Operands are taken: a register for each multiplier, since they are wherever the device has them");
    let take = m.copies("take", valid, multipliers as usize);
    let run = gate.clone().unwrap_or_else(|| Expr::bit_const(true));
    m.comment("Products in a DSP's registers, then one more register on the way into the tree");
    let mut out = Vec::new();
    for (i, (x, w)) in x.chunks(8 * PAIR).into_iter().zip(w.chunks(8 * PAIR)).enumerate() {
        let en = gate.as_ref().map_or(take[i].clone(), |gate| gate & &take[i]);
        let inputs = [("en", en), ("run", run.clone()), ("a", x), ("b", w)];
        let unit = if (i as u32) < in_dsp { multiplier(int8, int8, PAIR)? } else { lut_multiplier(PAIR)? };
        let product = m.instance(&format!("multiply_{i}"), &unit, &inputs).get("p");
        let product = m.register(&format!("product_{i}"), product);
        out.extend(product.chunks(16).iter().map(Expr::as_signed));
    }
    Ok(out)
}

/// The same, in plain Rust.
pub mod golden {
    /// Exact sum of products; operands of equal length up to 32.
    pub fn column(x: &[i8], w: &[i8]) -> i32 {
        x.iter().zip(w).map(|(&x, &w)| i32::from(x) * i32::from(w)).sum()
    }
}
