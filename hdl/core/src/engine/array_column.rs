// SPDX-License-Identifier: MIT OR Apache-2.0
//! One column of the array: dot products of an activation vector's blocks, scaled and accumulated over a row.
//!
//! Ports      `valid_i`: a chunk for this column; `block_last_i`: it ends a block; with the activations, `act_buffer::latency` later,
//!            the operands `x_i`, `w_i` and `first_i` (below 32 lanes: they begin a block); with the sums of the block, [`to_sum`]
//!            cycles after the chunk, `row_first_i`, `dx_i` and, with minima, `sum_x_i`, and a cycle before them `d_i`, `dmin_i`;
//!            `acc_o`, `too_large_o` as `scale_acc`
//! Latency    as `array`      Throughput  one chunk per cycle      Rounding  as `place`
//! Reset      clears the valid bits
//!
//! It is the unit of power gating: one or more columns are a domain. In a domain `ce_i` is its clock gate, `rst_i`
//! the domain's reset, and the accumulator (with the sum of a block that takes several cycles) is retained.

use super::{
    column::{self, BLOCK},
    place::SCALE_BITS,
    scale_acc::{self, SUM_X_BITS},
};
use crate::{config::Config, engine::act_buffer};
use heddle_lang::{BuildError, Builder, Expr, Module, Ty};
use std::sync::Arc;

/// Cycles from a chunk to the sum of the block that it ends.
pub fn to_sum(config: &Config) -> u32 {
    act_buffer::latency(config) + column::latency(config.array.lanes.min(BLOCK))
}

/// The column.
pub fn array_column(config: &Config) -> Result<Arc<Module>, BuildError> {
    let (lanes, blocks, gated) = (config.array.lanes, config.blocks_per_cycle(), config.domains() > 0);
    let per_block = lanes.min(BLOCK);
    let minima = act_buffer::has_minima(config);
    let mut m = Builder::clocked("array_column", file!());
    m.doc(&format!("One column of the array: {lanes} lanes, and the accumulator of a row."));
    if gated {
        m.clock_enable();
    }
    m.comment("Chunk");
    let valid = m.input("valid", Ty::BIT);
    let block_last = m.input("block_last", Ty::BIT);
    m.comment(&format!("Operands, {} cycles later", act_buffer::latency(config)));
    let framing = (per_block < BLOCK).then(|| m.input("first", Ty::BIT));
    let x = m.input("x", Ty::Unsigned(8 * lanes)).chunks(8 * per_block);
    let w = m.input("w", Ty::Unsigned(8 * lanes)).chunks(8 * per_block);
    m.comment("Scales, with the sums of the block; d and dmin a cycle before them");
    let row_first = m.input("row_first", Ty::BIT);
    let d = m.input("d", Ty::Unsigned(16 * blocks));
    let dx = m.input("dx", Ty::Unsigned(SCALE_BITS * blocks));
    let minimum = minima
        .then(|| [("dmin", m.input("dmin", Ty::Unsigned(16 * blocks))), ("sum_x", m.input("sum_x", Ty::Unsigned(SUM_X_BITS * blocks)))]);

    m.comment("Where the chunk has got to");
    let operand_valid = m.delay_reset("operand_valid", &valid, act_buffer::latency(config) - 1);
    let block_valid = m.delay_reset("block_valid", &(valid & block_last), to_sum(config));
    let unit = column::column(per_block, config.array.lut_lanes.min(per_block), gated)?;
    let mut sums = Vec::new();
    for b in 0..blocks as usize {
        let mut inputs = vec![("valid", operand_valid.clone()), ("x", x[b].clone()), ("w", w[b].clone())];
        inputs.extend(framing.iter().map(|first| ("first", first.clone())));
        let name = if blocks == 1 { "column".into() } else { format!("column_{b}") };
        sums.push(m.instance(&name, &unit, &inputs).get("sum"));
    }
    let mut inputs = vec![("valid", block_valid), ("first", row_first), ("sum", Expr::pack(&sums)), ("d", d), ("dx", dx)];
    inputs.extend(minimum.into_iter().flatten());
    let out = m.instance("scale_acc", &scale_acc::scale_acc(blocks, minima, gated)?, &inputs);
    m.comment("The accumulator; a term of a valid block exceeded the grid");
    m.output("acc", out.get("acc"));
    m.output("too_large", out.get("too_large"));
    m.build()
}

/// The same, in plain Rust: [`super::column::golden`], then [`super::scale_acc::golden`].
pub mod golden {
    pub use crate::engine::{column::golden::column, scale_acc::golden::scale_acc};
}
