// SPDX-License-Identifier: MIT OR Apache-2.0
//! The array: B columns of L lanes fed by one stream of weights, and the control pipe beside them.
//!
//! Ports      the chunk from `dequant` (`valid_i`, `w_i`, `d_i`, `dmin_i`, frame bits); the activations it asked
//!            for [`act_buffer::latency`] cycles ago (`x_i`); `scale_addr_o` -> `dx_i`, `sum_x_i` as late;
//!            `row_valid_o` with one accumulator per column (`acc_o`), `row_last_o`, `row_tag_o`
//! Latency    [`latency`] cycles from the last chunk of a row to its accumulators
//! Throughput one chunk per cycle; nothing in it ever waits: `dequant` starts a row only when its results have room
//! Rounding   as `place`      Reset  clears the valid bits
//!
//! Columns that a MATMUL does not use stand still; their results are not read. With power domains each column has
//! the clock gate and the reset of its domain, and isolation cells behind it.

use super::{
    act_buffer::{self, COLUMNS_BITS},
    array_column::{self, to_sum},
    column::BLOCK,
    place::{GRID_BITS, SCALE_BITS},
    scale_acc::{self, SUM_X_BITS},
};
use crate::{config::Config, power::isolate};
use heddle_lang::{BuildError, Builder, Expr, Module, Ty, stdlib};
use std::sync::Arc;

/// Cycles from a chunk to the accumulators that contain it.
pub fn latency(config: &Config) -> u32 {
    to_sum(config) + scale_acc::latency(config.blocks_per_cycle(), act_buffer::has_minima(config))
}

/// `value`, `cycles` later: in registers, or in a block RAM where cells are scarce.
fn wait(m: &mut Builder, config: &Config, name: &str, value: &Expr, cycles: u32) -> Result<Expr, BuildError> {
    // A delay line has about ten cells of its own.
    if !config.compact || value.width() * cycles < 32 {
        return Ok(m.delay(name, value, cycles));
    }
    let line = stdlib::delay_line(value.width(), cycles)?;
    Ok(m.instance(&format!("{name}_line"), &line, &[("in_data", value.clone())]).get("out_data"))
}

/// The array.
pub fn array(config: &Config) -> Result<Arc<Module>, BuildError> {
    let (lanes, columns, blocks) = (config.array.lanes, config.array.columns, config.blocks_per_cycle());
    let per_block = lanes.min(BLOCK);
    let minima = act_buffer::has_minima(config);
    let (to_sum, read) = (to_sum(config), act_buffer::latency(config));
    let mut m = Builder::clocked("array", file!());
    m.doc(&format!(
        "{lanes} lanes x {}: one stream of weights for {}.\nThe accumulators of a row are valid {} cycles after its last chunk.",
        super::counted(columns, "column"),
        super::counted(columns, "activation vector"),
        latency(config)
    ));
    m.comment("The matrix that comes next: columns in use, by tag");
    let start = m.input("start", Ty::BIT);
    let start_tag = m.input("start_tag", Ty::BIT);
    let start_columns = m.input("start_columns", Ty::Unsigned(COLUMNS_BITS));
    m.comment("Chunk");
    let valid = m.input("valid", Ty::BIT);
    let w = m.input("w", Ty::Unsigned(8 * lanes));
    let d = m.input("d", Ty::Unsigned(16 * blocks));
    let dmin = minima.then(|| m.input("dmin", Ty::Unsigned(16 * blocks)));
    let framing = (per_block < BLOCK).then(|| m.input("block_first", Ty::BIT));
    let block_last = m.input("block_last", Ty::BIT);
    let row_first = m.input("row_first", Ty::BIT);
    let row_last = m.input("row_last", Ty::BIT);
    let matrix_last = m.input("matrix_last", Ty::BIT);
    let tag = m.input("tag", Ty::BIT);
    let step_addr = m.input("step_addr", Ty::Unsigned(act_buffer::scale_address_bits(config)));
    let x = m.input("x", Ty::Unsigned(8 * lanes * columns)).chunks(8 * lanes);
    let dx = m.input("dx", Ty::Unsigned(SCALE_BITS * blocks * columns)).chunks(SCALE_BITS * blocks);
    let sum_x = minima.then(|| m.input("sum_x", Ty::Unsigned(SUM_X_BITS * blocks * columns)).chunks(SUM_X_BITS * blocks));

    let domains = (config.domains() > 0).then(|| {
        m.comment("Power domains of the columns: clock gates, resets, isolation");
        ["domain_ce", "domain_rst", "isolate"].map(|name| m.input(name, Ty::Unsigned(config.domains())))
    });

    m.comment("Columns in use, by tag: those of the chunk, and of the row whose accumulators are ready");
    let even = m.reg_no_reset("columns_even", Ty::Unsigned(COLUMNS_BITS));
    let odd = m.reg_no_reset("columns_odd", Ty::Unsigned(COLUMNS_BITS));
    m.on(&even, &start & !&start_tag, &start_columns);
    m.on(&odd, &start & &start_tag, &start_columns);
    let in_use = m.wire("in_use", tag.mux(odd.q(), &even.q()));
    let row_end = Expr::concat([tag.clone(), matrix_last]);
    let row_end = wait(&mut m, config, "row_end", &row_end, latency(config))?;
    let (row_tag, matrix_last) = (row_end.bit(1), row_end.bit(0));
    let row_columns = row_tag.mux(odd.q(), &even.q());

    m.comment("Weights wait for the activations");
    let waiting = m.stages("waiting", &valid, read - 1);
    let w = m.delay_when("w", &w, &waiting);
    let operand_first = framing.map(|first| m.delay("operand_first", &first, read));

    m.comment("Scales wait for the sums of the columns; those of the weights are there a cycle before");
    let d = wait(&mut m, config, "d", &d, to_sum - 1)?;
    let dmin = dmin.map(|v| wait(&mut m, config, "dmin", &v, to_sum - 1)).transpose()?;
    let scale_addr = wait(&mut m, config, "scale_addr", &step_addr, to_sum - read)?;
    m.output("scale_addr", scale_addr);
    let first = m.delay("row_first", &row_first, to_sum);

    let column = array_column::array_column(config)?;
    let cells = domains.as_ref().map(|_| isolate::isolate()).transpose()?;
    let mut acc = Vec::new();
    let mut too_large = Vec::new();
    for c in 0..columns as usize {
        let used = m.wire(&format!("valid_{c}"), &valid & in_use.gt(c));
        let mut inputs = vec![
            ("valid", used),
            ("block_last", block_last.clone()),
            ("x", x[c].clone()),
            ("w", w.clone()),
            ("row_first", first.clone()),
            ("d", d.clone()),
            ("dx", dx[c].clone()),
        ];
        inputs.extend(operand_first.iter().map(|first| ("first", first.clone())));
        if let (Some(dmin), Some(sum_x)) = (&dmin, &sum_x) {
            inputs.extend([("dmin", dmin.clone()), ("sum_x", sum_x[c].clone())]);
        }
        let domain = domains.as_ref().map(|ports| {
            let bit = c as u32 / config.power.columns_per_domain;
            ports.each_ref().map(|port| port.bit(bit))
        });
        inputs.extend(domain.iter().flat_map(|[ce, rst, _]| [("ce", ce.clone()), ("rst", rst.clone())]));
        let out = m.instance(&format!("column_{c}"), &column, &inputs);
        let (mut of_row, mut of_terms) = (out.get("acc"), out.get("too_large"));
        if let (Some(cells), Some([_, _, isolated])) = (&cells, &domain) {
            let inputs = [("isolate", isolated.clone()), ("acc", of_row), ("too_large", of_terms)];
            let out = m.instance(&format!("isolate_{c}"), cells, &inputs);
            (of_row, of_terms) = (out.get("clamped_acc"), out.get("clamped_too_large"));
        }
        acc.push(of_row);
        too_large.push(of_terms);
    }
    debug_assert_eq!(acc[0].width(), GRID_BITS);

    let any = too_large.into_iter().reduce(|a, b| a | b).unwrap_or_else(|| Expr::bit_const(false));
    let saturated = m.register_reset("saturated", any);
    m.output("saturated", saturated);

    m.comment("Rows");
    let row = m.wire("row", &valid & &row_last);
    let row_valid = m.delay_reset("row_valid", &row, latency(config));
    m.output("row_valid", row_valid);
    m.output("row_matrix_last", matrix_last);
    m.output("row_columns", row_columns);
    m.output("acc", Expr::pack(&acc));
    m.build()
}
