// SPDX-License-Identifier: MIT OR Apache-2.0
//! The checks of a descriptor, all at once.

use super::{CAUSE_BITS, Io, fetch::Fields};
use crate::{
    config::Config,
    descriptor::{self, Cause},
    engine::act_buffer::{self, COLUMNS_BITS},
};
use heddle_lang::{Builder, Expr, Reg, Ty, builder::States};

/// What is wrong with the descriptor in hand, and what it is.
pub struct Verdict {
    pub cause: Expr,
    pub is_matmul: Expr,
    pub is_end: Expr,
    pub is_layer: Option<Expr>,
    pub loaded: Reg,
    pub loaded_columns: Reg,
    pub loaded_blocks: Reg,
}

/// The lowest cause that applies, 0 for none, as `crate::descriptor::Decoder` finds it.
pub fn check(m: &mut Builder, config: &Config, f: &Fields, io: &Io, state: &States) -> Verdict {
    m.comment("Checks, by cause");
    let is = |opcode: &descriptor::Opcode| f.opcode.eq(opcode.code);
    let is_matmul = m.wire("is_matmul", is(&descriptor::MATMUL));
    let is_end = m.wire("is_end", is(&descriptor::END));
    let is_layer = f.reserved_layer.as_ref().map(|_| m.wire("is_layer", is(&descriptor::LAYER)));
    let mut known = &is_matmul | is(&descriptor::FENCE) | &is_end;
    if let Some(is_layer) = &is_layer {
        known = known | is_layer;
    }
    let known = m.wire("is_known", known);
    let formats = config.formats.iter().map(|x| f.format.eq(u32::from(x.id()))).reduce(|a, b| a | b);
    let format_ok = m.wire("format_ok", formats.unwrap_or_else(|| Expr::bit_const(false)));
    let columns_ok = m.wire("columns_ok", f.columns.any() & f.columns.le(config.array.columns));
    let rows_ok = m.wire("rows_ok", f.rows.any() & !&f.rows_over);
    let mut blocks_ok = f.blocks.any() & !&f.blocks_over & f.blocks.le(config.activations.blocks);
    let step_bits = config.blocks_per_cycle().trailing_zeros();
    if step_bits > 0 {
        blocks_ok = blocks_ok & f.blocks.slice(0, step_bits).is_zero();
    }
    let blocks_ok = m.wire("blocks_ok", blocks_ok);
    let mut reserved = f.reserved_marker.clone();
    if let (Some(is_layer), Some(reserved_layer)) = (&is_layer, &f.reserved_layer) {
        reserved = is_layer.mux(reserved_layer, &reserved);
    }
    let reserved = m.wire("reserved", is_matmul.mux(&f.reserved_matmul, &reserved));
    let loaded = m.reg("loaded", Ty::BIT, 0);
    let loaded_columns = m.reg_no_reset("loaded_columns", Ty::Unsigned(COLUMNS_BITS));
    let loaded_blocks = m.reg_no_reset("loaded_blocks", Ty::Unsigned(act_buffer::blocks_bits(config)));
    let same = loaded.q() & loaded_columns.q().eq(f.columns.resize(COLUMNS_BITS)) & loaded_blocks.q().eq(&f.blocks);
    let reuse_bad = m.wire("reuse_bad", &f.reuse & !same);
    let checks = [
        (io.read_error.clone(), Cause::ReadError),
        (!known, Cause::BadOpcode),
        (&is_matmul & !format_ok, Cause::FormatAbsent),
        (&is_matmul & !columns_ok, Cause::BadColumns),
        (&is_matmul & !rows_ok, Cause::BadRows),
        (&is_matmul & !blocks_ok, Cause::BadBlocks),
        (&is_matmul & &f.misaligned, Cause::Misaligned),
        (reserved, Cause::ReservedNotZero),
        (io.memory_error.clone(), Cause::WriteError),
        (&is_matmul & reuse_bad, Cause::ReuseWithoutActivations),
    ];
    let checks = checks.into_iter().chain(io.power_error.iter().map(|bad| (bad.clone(), Cause::PowerFault)));
    let checks: Vec<(Expr, Cause)> = checks.collect();
    let code = |c: Cause| Expr::constant(Ty::Unsigned(CAUSE_BITS), c.code().into());
    let cause = checks.into_iter().rev().fold(code(Cause::None), |other, (bad, c)| bad.mux(code(c), &other));
    let cause = m.register_when("check_cause", state.is("examine"), cause);
    Verdict { cause, is_matmul, is_end, is_layer, loaded, loaded_columns, loaded_blocks }
}
