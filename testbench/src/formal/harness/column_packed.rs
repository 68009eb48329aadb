// SPDX-License-Identifier: MIT OR Apache-2.0
//! The column of two packed rows against a column for each row.
//!
//! Two lanes: every multiplier of a wider column is one of these, and its trees add more of the same. The lane's products are
//! equal for all operands (`packing_is_exact` goes through them in plain Rust, this proof through the hardware).

use super::{Block, Proof, observe, parts::*};
use crate::{
    formal::Mutation,
    mutation::Change::{Operator, Slice, SwapMux},
};
use heddle_core::engine::{column, column_packed};
use heddle_lang::{
    BuildError, Builder, Expr, Ty,
    expr::BinaryOp::{Add, Sub, WrapAdd, WrapSub},
};

const MEANINGS: [(&str, &str); 6] = [
    ("lower_products_are_equal", "the lower part of each multiplier's product is the product that a multiplier of its own forms"),
    ("upper_products_are_equal", "the upper part with its unit, likewise"),
    ("lower_row_is_equal", "the sum of the first row is that of a column of its own, from the first block on"),
    ("upper_row_is_equal", "the sum of the second row, likewise"),
    ("negative_below_positive", "the first row's sum is negative and the second's is not"),
    ("largest", "a sum is the product of the most negative values"),
];

const LANES: u32 = 2;
/// Weights, sum, and what is shown of the sum and of the products.
const ROWS: [(&str, &str, &str, &str); 2] =
    [("w0", "sum0", "lower_row_is_equal", "lower_products_are_equal"), ("w1", "sum1", "upper_row_is_equal", "upper_products_are_equal")];

pub fn block() -> Result<Block, BuildError> {
    let packed = column_packed::column_packed(LANES)?;
    let mut m = Builder::clocked(format!("{}_proof", packed.name), file!());
    let seen = observe(&packed, &["products_0_q", "products_1_q"]);
    let unit = harness(&seen, &[], &mut m);
    let (valid, first) = (unit.get("valid"), unit.get("first"));
    let latency = column_packed::latency(LANES);
    // Before the first block of all there is no sum.
    let begins = m.delay_reset("begins", &(&valid & &first), latency - 1);
    let started = m.reg("started", Ty::BIT, 0);
    m.on(&started, begins, 1);
    // Before the first operands there is no product.
    let multiplied = m.delay_reset("multiplied", &valid, column::PRODUCT);
    let products_there = m.reg("products_there", Ty::BIT, 0);
    m.on(&products_there, multiplied, 1);
    let single = observe(&column::column(LANES, 0, false)?, &["product_0_q"]);
    let mut sums = Vec::new();
    for (i, (weights, sum, property, products_equal)) in ROWS.into_iter().enumerate() {
        let extended: Vec<Expr> = unit.get(weights).chunks(4).iter().map(|w| w.as_signed().extend(8).as_unsigned()).collect();
        let inputs = [("valid", valid.clone()), ("first", first.clone()), ("x", unit.get("x")), ("w", Expr::pack(&extended))];
        let column = m.instance(&format!("alone_{i}"), &single, &inputs);
        let products = m.register(&format!("alone_products_{i}"), column.get("seen_product_0"));
        let equal = products.chunks(16).into_iter().enumerate().map(|(lane, alone)| {
            let both = unit.get(&format!("seen_products_{lane}"));
            let part = both.slice(12 * i as u32, 12).as_signed().extend(16);
            let part = if i == 0 { part } else { part.wrapping_add(both.bit(11).to_signed().extend(16)) };
            part.as_unsigned().eq(alone)
        });
        let equal = equal.reduce(|a, b| a & b).unwrap_or_else(|| Expr::bit_const(true));
        m.assert(products_equal, m.reset() | !products_there.q() | equal);
        let alone = column.get("sum");
        let alone = m.delay(&format!("alone_sum_{i}"), &alone.slice(0, column_packed::SUM_BITS), latency - column::latency(LANES));
        let sum = unit.get(sum);
        m.assert(property, m.reset() | !started.q() | sum.eq(alone));
        sums.push(sum);
    }
    m.cover("negative_below_positive", started.q() & sums[0].msb() & !sums[1].msb() & sums[1].any());
    m.cover("largest", started.q() & sums[0].eq(2 * 8 * 128));
    let change = |net: &str, change, violates: &[&'static str]| Mutation::new(&packed.name, net, change, violates);
    let mutations = vec![
        change("upper_0_q", Operator(Sub, Add), &["upper_row_is_equal", "upper_products_are_equal"]),
        change("products_1_q", Slice(1), &["lower_row_is_equal", "lower_products_are_equal"]),
        change("block1_q", SwapMux, &["upper_row_is_equal"]),
        change("block0_q", Operator(WrapAdd, WrapSub), &["lower_row_is_equal"]),
    ];
    let proof = Proof { module: m.build()?, depth: 12, induction: latency + 2, mutations };
    Ok(Block { name: "column_packed", proofs: vec![proof], meanings: MEANINGS.to_vec() })
}
