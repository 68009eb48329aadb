// SPDX-License-Identifier: MIT OR Apache-2.0
//! Columns as they are compared with hand-written ones: each row with an integer accumulator of 32 bits behind it.
//!
//! Ports      `valid_i`: operands of a block; `first_i`: it begins a row; the operands of the column; `acc0_o`, `acc1_o`: one
//!            accumulator per row of weights
//! Latency    that of the column, and 3 cycles      Throughput  that of the column      Rounding  none, modulo 2^32
//! Reset      none: the first block of a row replaces the accumulator
//!
//! The accelerator scales each block instead of adding integers; this module is measured, not part of it.

use heddle_core::engine::{column, column_packed};
use heddle_lang::{BuildError, Builder, Expr, Module, Ty};
use std::sync::Arc;

/// Bits that are added in one cycle: a carry chain of 32 would hold the clock down.
const HALF: u32 = 16;

/// A block of int8 per cycle, of which `lut_lanes` products are in LUTs.
pub fn int8(lut_lanes: u32) -> Result<Arc<Module>, BuildError> {
    let unit = column::column(column::BLOCK, lut_lanes, false)?;
    dot("dot_int8", &unit, &[("w", 8)], &["sum"], column::latency(column::BLOCK))
}

/// A block of two rows of int4 per cycle, two products per multiplier.
pub fn int4_packed() -> Result<Arc<Module>, BuildError> {
    let unit = column_packed::column_packed(column::BLOCK)?;
    dot("dot_int4", &unit, &[("w0", 4), ("w1", 4)], &["sum0", "sum1"], column_packed::latency(column::BLOCK))
}

/// A column with its weights' ports (name and bits) and its sums, each in an accumulator.
fn dot(name: &str, unit: &Arc<Module>, weights: &[(&str, u32)], sums: &[&str], latency: u32) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::new(name, file!());
    m.doc("A column and an accumulator of 32 bits for each row of weights.");
    m.clock("clk");
    let valid = m.input("valid", Ty::BIT);
    let first = m.input("first", Ty::BIT);
    let mut inputs = vec![("valid", valid.clone()), ("x", m.input("x", Ty::Unsigned(8 * column::BLOCK)))];
    for &(port, bits) in weights {
        inputs.push((port, m.input(port, Ty::Unsigned(bits * column::BLOCK))));
    }
    let column = m.instance("column", unit, &inputs);
    m.comment("Where the block has got to");
    let valid = m.delay("sum_valid", &valid, latency);
    let first = m.delay("sum_first", &first, latency);
    for (i, sum) in sums.iter().enumerate() {
        let acc = accumulate(&mut m, i, &valid, &first, &column.get(sum).as_signed());
        m.output(&format!("acc{i}"), acc);
    }
    m.build()
}

/// The sum of a row: the lower half, a cycle later the upper half with the carry, a cycle later both.
fn accumulate(m: &mut Builder, row: usize, valid: &Expr, first: &Expr, sum: &Expr) -> Expr {
    m.comment(&format!("Accumulator {row}, in halves"));
    let ty = Ty::Unsigned(HALF);
    let none = Expr::constant(ty, 0);
    let value = sum.extend(2 * HALF).as_unsigned();
    let low = m.reg_no_reset(&format!("low{row}"), Ty::Unsigned(HALF + 1));
    m.on(&low, valid, first.mux(&none, &low.q().slice(0, HALF)) + value.slice(0, HALF));
    let (later, restart) = (m.register(&format!("high_valid{row}"), valid), m.register(&format!("high_first{row}"), first));
    let upper = m.register(&format!("upper{row}"), value.slice(HALF, HALF));
    let high = m.reg_no_reset(&format!("high{row}"), ty);
    // The carry enters below both operands, so that it takes no adder of its own.
    let one = Expr::bit_const(true);
    let with = |v: Expr, below: Expr| Expr::concat([v, below]);
    let total = with(restart.mux(&none, &high.q()), one).wrapping_add(with(upper, low.q().bit(HALF)));
    m.on(&high, later, total.slice(1, HALF));
    let low = m.register(&format!("low_later{row}"), low.q().slice(0, HALF));
    m.register(&format!("acc{row}"), Expr::concat([high.q(), low]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use heddle_lang::{Bits, sim::Simulator};

    const ROW: i64 = 40;

    /// Sum of one row of blocks of constant operands, run behind another row.
    fn run(module: &Arc<Module>, weights: &[(&str, u32, i64)], x: i64, latency: u32) -> Vec<i64> {
        let mut sim = Simulator::new(module).unwrap();
        let lanes = |value: i64, bits: u32| {
            let mut all = Bits::zero(bits * column::BLOCK);
            (0..all.width()).for_each(|k| all.set_bit(k, value >> (k % bits) & 1 == 1));
            all
        };
        let set = |sim: &mut Simulator, name: &str, value: Bits| {
            let port = sim.port(name).unwrap();
            sim.set_bits(port, &value);
        };
        for cycle in 0..2 * ROW + i64::from(latency) {
            set(&mut sim, "valid", Bits::from_u64(1, u64::from(cycle < 2 * ROW)));
            set(&mut sim, "first", Bits::from_u64(1, u64::from(cycle % ROW == 0)));
            set(&mut sim, "x", lanes(x, 8));
            weights.iter().for_each(|&(name, bits, value)| set(&mut sim, name, lanes(value, bits)));
            sim.step().unwrap();
        }
        let mut acc = |i: usize| {
            let port = sim.port(&format!("acc{i}")).unwrap();
            i64::from(sim.get(port) as u32 as i32)
        };
        (0..weights.len()).map(&mut acc).collect()
    }

    #[test]
    fn rows_are_summed() {
        let blocks = ROW * i64::from(column::BLOCK);
        for (w, x) in [(127, -128), (-128, -128), (1, 1), (-1, 1)] {
            let got = run(&int8(0).unwrap(), &[("w", 8, w)], x, column::latency(column::BLOCK) + 3);
            assert_eq!(got, [blocks * w * x], "{w} {x}");
        }
        for (w0, w1, x) in [(7, -8, -128), (-8, 7, 127), (-1, 0, 1), (-8, -8, -128)] {
            let got = run(&int4_packed().unwrap(), &[("w0", 4, w0), ("w1", 4, w1)], x, column_packed::latency(column::BLOCK) + 3);
            assert_eq!(got, [blocks * w0 * x, blocks * w1 * x], "{w0} {w1} {x}");
        }
    }
}
