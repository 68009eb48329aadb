// SPDX-License-Identifier: MIT OR Apache-2.0
//! Dot products of one block of 32 for two rows of int4 weights at once: two products per multiplier.
//!
//! Ports      `valid_i`: operands; `first_i`, below 32 lanes: they begin a block; `x_i`: L x int8; `w0_i`, `w1_i`: L x
//!            int4 of the two rows; `sum0_o`, `sum1_o`
//! Latency    [`latency`] cycles from a block's last operands to the sums      Throughput  2 L products per cycle, no bubble
//! Rounding   none, widths grow: the sum of 32 products is exact in 17 bits
//! Reset      none: what is valid is known to the control pipe beside all columns
//!
//! A multiplier forms `(w1 * 2^12 + w0) * x`. As `|w0 * x| <= 2^10`, its low 12 bits are `w0 * x`, signed, and the rest
//! is `w1 * x` less one where `w0 * x` is negative: `w1 * x = P[23:12] + P[11]`. The units `P[11]` ride on the carry
//! inputs of the upper row's adders, of which a tree has one less than lanes; the last unit joins the sum of the block.

use super::column::{BLOCK, PRODUCT};
use heddle_lang::{BuildError, Builder, Expr, Module, Ty, primitive::multiplier};
use std::sync::Arc;

/// Bits of the exact sum of 32 products of int4 and int8.
pub const SUM_BITS: u32 = 17;
/// Bits of a weight.
const WEIGHT_BITS: u32 = 4;
/// The product of the upper row stands this far up.
const SHIFT: u32 = 12;
/// Bits of `w1 * 2^12 + w0`: -32776 does not fit 16.
const PACKED_BITS: u32 = 17;

/// Cycles from the last operands of a block to its sums: one to pack the weights, those of a product, one per level of
/// the tree, one for the sum over the cycles of a block, which also takes the last unit.
pub fn latency(lanes: u32) -> u32 {
    1 + PRODUCT + lanes.trailing_zeros() + 1
}

/// The column. `lanes`: a power of two up to 32.
pub fn column_packed(lanes: u32) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::new(format!("column_packed_{lanes}"), file!());
    m.doc(&format!(
        "Dot products of a block of {BLOCK} for two rows: {lanes} x 2 products of int4 and int8 per cycle, two per multiplier.\nThe sums are valid {} cycles after the last operands of the block.",
        latency(lanes)
    ));
    m.clock("clk");
    if lanes > BLOCK || !lanes.is_power_of_two() || lanes < 2 {
        m.error(format!("lanes = {lanes}: must be a power of two from 2 to {BLOCK}"));
    }
    m.comment("Operands: int8 of activations, int4 of two rows of weights");
    let valid = m.input("valid", Ty::BIT);
    let first = (lanes < BLOCK).then(|| m.input("first", Ty::BIT));
    let x = m.input("x", Ty::Unsigned(8 * lanes));
    let w0 = m.input("w0", Ty::Unsigned(WEIGHT_BITS * lanes));
    let w1 = m.input("w1", Ty::Unsigned(WEIGHT_BITS * lanes));

    m.comment("Where the operands have got to");
    let levels = lanes.trailing_zeros() as usize;
    let depth = latency(lanes) - 1;
    let at = m.stages("valid", &valid, depth);

    m.comment("Both weights in one operand: below a negative w0 the upper one is one less");
    let x = m.register("operand_x", x).chunks(8);
    let mut packed = Vec::new();
    for (i, (low, high)) in w0.chunks(WEIGHT_BITS).iter().zip(w1.chunks(WEIGHT_BITS)).enumerate() {
        let upper = (high.as_signed() - low.msb().to_signed()).truncate(WEIGHT_BITS + 1);
        let upper = m.register(&format!("upper_{i}"), upper);
        let low = m.register(&format!("lower_{i}"), low);
        let sign = low.msb().repeat(SHIFT - WEIGHT_BITS);
        packed.push(Expr::concat([upper.as_unsigned(), sign, low]));
    }

    m.comment("Two products in one multiplier, then a register on the way into the trees");
    let always = Expr::bit_const(true);
    let unit = multiplier(Ty::Signed(PACKED_BITS), Ty::Signed(8), 1)?;
    let mut rows: [Vec<Expr>; 2] = Default::default();
    let mut units = Vec::new();
    for (i, (w, x)) in packed.into_iter().zip(x).enumerate() {
        let out =
            m.instance(&format!("multiply_{i}"), &unit, &[("en", at[1].clone()), ("run", always.clone()), ("a", w), ("b", x)]).get("p");
        m.unused(&format!("sign_{i}"), "Both products are below.", &[out.slice(2 * SHIFT, out.width() - 2 * SHIFT)]);
        let both = m.register(&format!("products_{i}"), out.slice(0, 2 * SHIFT));
        rows[0].push(both.slice(0, SHIFT).as_signed());
        rows[1].push(both.slice(SHIFT, SHIFT).as_signed());
        units.push(both.bit(SHIFT - 1));
    }

    let of_tree = vec![always; levels];
    let [low, high] = rows;
    m.comment("Adder tree of the lower row");
    let low = m.pipelined_sum("tree0", low, &of_tree);
    m.comment("Adder tree of the upper row, with the units");
    let (high, unit) = sum_with_units(&mut m, "tree1", high, units, &of_tree);

    m.comment("The sum of a block; the last unit of the upper row");
    let first = first.map(|first| m.delay("first", &first, depth));
    let mut block = |name: &str, tree: Expr, unit: Option<Expr>| {
        let sum = m.reg_no_reset(name, Ty::Signed(SUM_BITS));
        let grown = tree.extend(SUM_BITS);
        let base = match &first {
            None => Expr::constant(Ty::Signed(SUM_BITS), 0),
            Some(first) => first.mux(Expr::constant(Ty::Signed(SUM_BITS), 0), &sum.q()),
        };
        let total = match unit {
            None => base.wrapping_add(&grown),
            Some(unit) => carry_add(&base, &grown, &unit),
        };
        m.on(&sum, &at[depth as usize], total);
        sum.q()
    };
    let sums = [block("block0", low, None), block("block1", high, Some(unit))];
    m.comment("The sums of a block");
    let [sum0, sum1] = sums;
    m.output("sum0", sum0.as_unsigned());
    m.output("sum1", sum1.as_unsigned());
    m.build()
}

/// `a + b + carry`, of the width of the operands, as one adder with its carry input: a bit below both makes it.
fn carry_add(a: &Expr, b: &Expr, carry: &Expr) -> Expr {
    let one = Expr::bit_const(true);
    let with = |v: &Expr, below: &Expr| Expr::concat([v.as_unsigned(), below.clone()]);
    let sum = with(a, &one).wrapping_add(with(b, carry));
    sum.slice(1, a.width()).as_signed()
}

/// Sums of the values and of one bit each, in a tree with a register per level: each adder takes a bit as its carry
/// input, and one is left over.
fn sum_with_units(m: &mut Builder, name: &str, values: Vec<Expr>, units: Vec<Expr>, enables: &[Expr]) -> (Expr, Expr) {
    let (mut values, mut units) = (values, units);
    for (level, enable) in enables.iter().enumerate() {
        let mut sums = Vec::new();
        let mut left = Vec::new();
        for (i, (pair, bits)) in values.chunks(2).zip(units.chunks(2)).enumerate() {
            let width = pair[0].width() + 1;
            let sum = carry_add(&pair[0].extend(width), &pair[1].extend(width), &bits[0]);
            sums.push(m.register_when(&format!("{name}_level{level}_{i}"), enable, sum));
            left.push(m.register_when(&format!("{name}_unit{level}_{i}"), enable, bits[1].clone()));
        }
        (values, units) = (sums, left);
    }
    (values.remove(0), units.remove(0))
}

/// The same, in plain Rust: [`super::column::golden::column`] for each row.
pub mod golden {
    /// Both products of a multiplier, from its product of the packed weights.
    pub fn unpack(w0: i8, w1: i8, x: i8) -> (i32, i32) {
        let p = (i32::from(w1) * 4096 + i32::from(w0)) * i32::from(x);
        let low = p << 20 >> 20;
        (low, (p >> 12) + i32::from(low < 0))
    }

    /// Exact sums of products of two rows of int4.
    pub fn column_packed(x: &[i8], w0: &[i8], w1: &[i8]) -> (i32, i32) {
        let dot = |w: &[i8]| crate::engine::column::golden::column(x, w);
        (dot(w0), dot(w1))
    }
}

#[cfg(test)]
mod tests {
    use super::golden::unpack;

    /// All weights and activations of a lane.
    #[test]
    fn packing_is_exact() {
        for w0 in -8..8i8 {
            for w1 in -8..8i8 {
                for x in -128..=127i8 {
                    let exact = (i32::from(w0) * i32::from(x), i32::from(w1) * i32::from(x));
                    assert_eq!(unpack(w0, w1, x), exact, "{w0} {w1} {x}");
                }
            }
        }
    }
}
