// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scales the block sums of one column and accumulates them over a row.
//!
//! Ports      `valid_i`, `first_i` frame the blocks of a row; per block of a cycle: `sum_i` (21 bits), `d_i`
//!            (fp16), `dx_i` (f24 without its sign); with minima also `dmin_i` (fp16) and `sum_x_i` (13 bits);
//!            (`d_i` and `dmin_i` a cycle before the others); `acc_o`: the accumulator; `too_large_o`: a term of a valid block exceeded the grid
//! Latency    [`latency`] cycles from a block to the accumulator that contains it
//! Throughput one block per cycle and sub-block
//! Rounding   each term once; the sum is exact modulo 2^64      Reset  what is valid: a block that never was raises no flag
//!
//! In a power domain (`gated`) `ce_i` is its clock gate, and `acc` is retained while it is off.

use super::{
    column::SUM_BITS,
    place::{self, GRID_BITS, SCALE_BITS},
};
use heddle_lang::{BuildError, Builder, Expr, Module, Ty};
use std::sync::Arc;

/// Bits of the sum of 32 activations.
pub const SUM_X_BITS: u32 = 13;

/// Cycles from a block's operands to the accumulator with it; one of them only where a minimum is subtracted.
pub fn latency(blocks: u32, minima: bool) -> u32 {
    place::LATENCY + u32::from(minima) + blocks.trailing_zeros() + 1
}

/// The unit for `blocks` blocks per cycle; `minima`: some format has a minimum; `gated`: it is in a power domain.
pub fn scale_acc(blocks: u32, minima: bool, gated: bool) -> Result<Arc<Module>, BuildError> {
    let suffix = if minima { "_min" } else { "" };
    let mut m = Builder::clocked(format!("scale_acc_{blocks}{suffix}"), file!());
    m.doc(&format!(
        "Adds d * dx * sum(w x){} of {} per cycle to the fixed-point accumulator of a row.\nLSB 2^-36, 64 bits, modulo 2^64: the order of blocks does not matter.",
        if minima { " - dmin * dx * sum(x)" } else { "" },
        super::counted(blocks, "block")
    ));
    if gated {
        m.clock_enable();
    }
    let valid = m.input("valid", Ty::BIT);
    let first = m.input("first", Ty::BIT);
    let sum = m.input("sum", Ty::Unsigned(SUM_BITS * blocks)).chunks(SUM_BITS);
    m.comment("Scales of the weights, a cycle before the sums");
    let d = m.input("d", Ty::Unsigned(16 * blocks)).chunks(16);
    m.comment("Scales of the activations");
    let dx = m.input("dx", Ty::Unsigned(SCALE_BITS * blocks)).chunks(SCALE_BITS);
    let minimum = minima.then(|| {
        m.comment("Minima, a cycle before the sums of activations that they are multiplied with");
        let dmin = m.input("dmin", Ty::Unsigned(16 * blocks)).chunks(16);
        let sum_x = m.input("sum_x", Ty::Unsigned(SUM_X_BITS * blocks)).chunks(SUM_X_BITS);
        (dmin, sum_x)
    });
    m.comment("Where the blocks have got to");
    let depth = latency(blocks, minima) - 1;
    let at = m.stages_reset("valid", &valid, depth);
    let placed = &at[place::LATENCY as usize];
    let unit = place::place(SUM_BITS, gated)?;
    let mut terms = Vec::new();
    let mut flags = Vec::new();
    for b in 0..blocks as usize {
        let suffix = if blocks == 1 { String::new() } else { format!("_{b}") };
        let inputs = [("valid", valid.clone()), ("d", d[b].clone()), ("dx", dx[b].clone()), ("s", sum[b].clone())];
        let term = m.instance(&format!("product{suffix}"), &unit, &inputs);
        flags.push(term.get("too_large"));
        let product = term.get("term").as_signed();
        terms.push(match &minimum {
            None => product,
            Some((dmin, sum_x)) => {
                let unit = place::place(SUM_X_BITS, gated)?;
                let inputs = [("valid", valid.clone()), ("d", dmin[b].clone()), ("dx", dx[b].clone()), ("s", sum_x[b].clone())];
                let term = m.instance(&format!("minimum{suffix}"), &unit, &inputs);
                flags.push(term.get("too_large"));
                m.register(&format!("term{suffix}"), product.wrapping_sub(term.get("term").as_signed()))
            }
        });
    }
    m.comment("Valid blocks that exceeded the grid");
    let any = flags.into_iter().reduce(|a, b| a | b).unwrap_or_else(|| Expr::bit_const(false));
    // Read as soon as a domain is connected again, before its clock runs: only the reset has cleared it by then.
    let too_large = m.register_reset("too_large", placed & any);

    m.comment("Blocks of one cycle, summed");
    let mut level = 0;
    while terms.len() > 1 {
        let pairs = terms.chunks(2).map(|p| p[0].wrapping_add(&p[1])).collect::<Vec<_>>();
        terms = m.register_each(&format!("pair{level}"), pairs);
        level += 1;
    }

    m.comment("The row");
    let valid_term = &at[depth as usize];
    let first_term = m.delay("first_term", &first, depth);
    let acc = m.reg_no_reset("acc", Ty::Signed(GRID_BITS));
    if gated {
        m.retain(&acc);
    }
    m.on(&acc, valid_term & &first_term, &terms[0]);
    m.on(&acc, valid_term, acc.q().wrapping_add(&terms[0]));
    m.output("acc", acc.q().as_unsigned());
    m.output("too_large", too_large);
    m.build()
}

/// The same, in plain Rust.
pub mod golden {
    use crate::numerics::{F24, grid};

    /// One block: `(d, dx, sum(w x), dmin, sum(x))`; `dmin` = 0 where the format has no minimum.
    pub type Block = (u16, F24, i32, u16, i32);

    /// The accumulator after a row of blocks, and whether a term was too large.
    pub fn scale_acc(row: &[Block]) -> (i64, bool) {
        let mut acc = grid::Accumulator::default();
        for &(d, dx, sum, dmin, sum_x) in row {
            acc.add(grid::place(d, dx, sum));
            acc.sub(grid::place(dmin, dx, sum_x));
        }
        (acc.value, acc.saturated)
    }
}
