// SPDX-License-Identifier: MIT OR Apache-2.0
//! The packed column beside two plain ones: the sums of both rows are those of a column of int8 for each.
//!
//! No solver compares 64 products at the ends of their trees. Here each register of the packed column is compared with those
//! of the plain ones that stand for the same: operands, products, nodes of the trees, sums; each follows from the one before.
//! One step is assumed: that a multiplier forms both products. Its bench shows that, by all 65,536 inputs of a lane.
//! The registers have no reset, so a stage is compared from when operands have first got there.

use super::{Block, Proof, observe, parts::*};
use crate::{
    formal::Mutation,
    mutation::Change::{Net, Operator, Reset, Slice},
};
use heddle_core::engine::{
    column::{BLOCK as LANES, PRODUCT, column},
    column_packed::{SUM_BITS, column_packed},
};
use heddle_lang::{
    BuildError, Builder, Expr, Module, Ty,
    builder::Outputs,
    expr::BinaryOp::{Add, Sub},
};
use std::sync::Arc;

const MEANINGS: [(&str, &str); 7] = [
    ("operands_equal", "both take the same operands in the same cycles, the packed one both weights in one: w1 * 2^12 + w0"),
    ("products_equal", "taken apart they are the products of the plain columns, the upper one with its unit"),
    ("trees_equal", "each node of both trees is the one of the plain column, of the upper row with its unit"),
    ("sums_equal", "the sums of a block are those of the plain columns"),
    ("stages_in_order", "of the harness: what has come to a stage has come through those before it"),
    ("block_summed", "a block has come, of a positive and a negative sum"),
    ("unit_added", "the sum of the upper row is right where a product of the lower row is negative"),
];

const LEVELS: u32 = LANES.trailing_zeros();
/// The upper row stands this far up in a product, and each product has as many bits.
const SHIFT: u32 = 12;
/// Bits of a weight.
const WEIGHT: u32 = 4;
/// Bits in which values are compared: none of them has more.
const WIDE: u32 = 24;

pub fn block() -> Result<Block, BuildError> {
    let packed = column_packed(LANES)?;
    let name = format!("{}_proof", packed.name);
    let mut m = Builder::clocked(&name, file!());
    let unit = harness(&seen_packed(&packed), &[], &mut m);
    m.comment("The plain columns, which take their operands a cycle after they are announced");
    let x = m.register("x", unit.get("x"));
    let weights = ["w0", "w1"].map(|row| m.register(row, unit.get(row)).chunks(4).iter().map(Expr::as_signed).collect::<Vec<_>>());
    let plain = seen_plain(&column(LANES, 0, false)?);
    let rows = [0, 1].map(|row| {
        let w: Vec<Expr> = weights[row].iter().map(|w| w.extend(8).as_unsigned()).collect();
        m.instance(&format!("row{row}"), &plain, &[("valid", unit.get("valid")), ("x", x.clone()), ("w", Expr::pack(&w))])
    });
    let columns = Columns::new(&mut m, unit, rows);
    operands(&mut m, &columns, &x, &weights);
    products(&mut m, &columns);
    trees(&mut m, &columns);
    sums(&mut m, &columns);
    let change = |module: &str, net: &str, change, violates: &[&'static str]| Mutation::new(module, net, change, violates);
    let mutations = vec![
        change(&name, "loaded_q", Reset(1), &["stages_in_order"]),
        change(&packed.name, "upper_0_q", Operator(Sub, Add), &["operands_equal"]),
        change(&packed.name, "products_3_q", Slice(1), &["products_equal"]),
        change(&packed.name, "tree0_level0_2_q", Operator(Add, Sub), &["trees_equal"]),
        change(&packed.name, "tree1_level0_0_q", Net("products_0_q", "products_1_q"), &["trees_equal"]),
        change(&packed.name, "block1_q", Net("tree1_unit4_0_q", "tree1_unit3_0_q"), &["sums_equal"]),
    ];
    let proof = Proof { module: m.build()?, depth: 14, induction: 1, mutations };
    Ok(Block { name: "column_packed", proofs: vec![proof], meanings: MEANINGS.to_vec() })
}

fn operands(m: &mut Builder, columns: &Columns, x: &Expr, weights: &[Vec<Expr>; 2]) {
    m.comment("Operands, before and in the multipliers");
    let arriving = (0..LANES).map(|lane| {
        let (low, high) = (columns.packed(&format!("lower_{lane}")), columns.packed(&format!("upper_{lane}")));
        let rows = weights.each_ref().map(|w| w[lane as usize].clone());
        let [take0, take1] = columns.rows(&format!("take_{}", lane / 2)).map(|take| take.eq(columns.valid.bit(0)));
        same(&low.as_signed(), &high.as_signed(), &low.msb(), &rows, WEIGHT) & take0 & take1
    });
    let arriving: Vec<Expr> = arriving.collect();
    let arriving = columns.packed("operand_x").eq(x) & Expr::pack(&arriving).all();
    let taken = (0..LANES).map(|lane| {
        let x = columns.packed(&format!("multiply_{lane}_b"));
        let [x0, x1] = columns.lane("a", lane).map(|other| other.eq(&x));
        same_packed(&columns.packed(&format!("multiply_{lane}_a")), &columns.lane("b", lane), WEIGHT) & x0 & x1
    });
    let taken = columns.at_stage(m, 0, "operands", taken.collect());
    m.assert("operands_equal", (m.reset() | !&columns.started | arriving) & taken);
}

fn products(m: &mut Builder, columns: &Columns) {
    m.comment("Products: of all inputs of a lane, which its bench goes through, the packed one holds both");
    let whole =
        (0..LANES).map(|lane| same_packed(&columns.packed(&format!("multiply_{lane}_product")), &columns.lane("product", lane), SHIFT));
    let whole = columns.at_stage(m, PRODUCT - 2, "product", whole.collect());
    m.assume("multiplied_equal", whole);
    let apart = (0..LANES).map(|lane| {
        let rows = columns.rows(&format!("product_{}", lane / 2)).map(|pair| pair.chunks(16)[lane as usize % 2].as_signed());
        same_packed(&columns.packed(&format!("products_{lane}")), &rows, SHIFT)
    });
    let apart = columns.at_stage(m, PRODUCT - 1, "apart", apart.collect());
    m.assert("products_equal", apart);
}

fn trees(m: &mut Builder, columns: &Columns) {
    m.comment("Trees");
    let levels = (0..LEVELS).map(|level| {
        let nodes = (0..LANES >> (level + 1)).map(|i| {
            let at = |name: &str| columns.packed(&format!("{name}{level}_{i}"));
            let root = level + 1 == LEVELS;
            let low = if root { columns.packed("tree0") } else { at("tree0_level") };
            let rows = columns.rows(&if root { "tree".into() } else { format!("tree_level{level}_{i}") });
            same(&low, &at("tree1_level"), &at("tree1_unit"), &rows, SHIFT + level + 1)
        });
        columns.at_stage(m, PRODUCT + level, &format!("level{level}"), nodes.collect())
    });
    let levels: Vec<Expr> = levels.collect();
    m.assert("trees_equal", Expr::pack(&levels).all());
}

fn sums(m: &mut Builder, columns: &Columns) {
    m.comment("Sums, a register behind those of the plain columns");
    let (rst, reached) = (m.reset(), &columns.reached);
    let last = columns.valid.bit(columns.valid.width() - 1);
    let plain = columns.rows("sum").map(|sum| sum.as_signed());
    let expected = [0, 1].map(|row| m.register_when(&format!("expected{row}"), &last, &plain[row]));
    let summed = m.reg("summed", Ty::BIT, 0);
    m.on(&summed, &reached[reached.len() - 1] & &last, 1);
    let [sum0, sum1] = ["sum0", "sum1"].map(|sum| columns.unit.get(sum).as_signed());
    let order = (1..reached.len()).fold(&columns.started | !&reached[0], |all, i| all & (&reached[i - 1] | !&reached[i]));
    m.assert("stages_in_order", &rst | order & (&reached[reached.len() - 1] | !summed.q()));
    m.assert("sums_equal", &rst | !summed.q() | same(&sum0, &sum1, &Expr::bit_const(false), &expected, SUM_BITS));
    m.cover("block_summed", !&rst & summed.q() & sum0.gt(0) & sum1.lt(0));
    m.cover("unit_added", !&rst & summed.q() & sum0.eq(-1) & sum1.eq(0));
}

/// The packed column and the plain ones of both rows, with sight of their registers.
struct Columns {
    unit: Unit,
    rows: [Outputs; 2],
    /// Where valid operands are, by stages of the packed column.
    valid: Expr,
    /// The cycle in reset is over, so what arrives is the same.
    started: Expr,
    /// Stages that operands have come to since reset, the registers of the multipliers first.
    reached: Vec<Expr>,
}

impl Columns {
    fn new(m: &mut Builder, unit: Unit, rows: [Outputs; 2]) -> Columns {
        m.comment("How far operands have come since reset");
        let valid = unit.get("seen_valid_line");
        let started = m.register_reset("started", Expr::bit_const(true));
        let loaded = m.reg("loaded", Ty::BIT, 0);
        m.on(&loaded, &started & valid.bit(0), 1);
        let reached = m.stages_reset("reached", &loaded.q(), PRODUCT - 1 + LEVELS);
        Columns { unit, rows, valid, started, reached }
    }

    /// Each holds, once operands have come to the stage.
    fn at_stage(&self, m: &mut Builder, stage: u32, name: &str, each: Vec<Expr>) -> Expr {
        let each: Vec<Expr> = each.into_iter().enumerate().map(|(i, same)| m.wire(&format!("{name}_{i}"), same)).collect();
        m.reset() | !&self.reached[stage as usize] | Expr::pack(&each).all()
    }

    fn packed(&self, register: &str) -> Expr {
        self.unit.get(&format!("seen_{register}"))
    }

    /// A register of the column of each row, or its port `sum`.
    fn rows(&self, name: &str) -> [Expr; 2] {
        self.rows.each_ref().map(|row| row.get(&if name == "sum" { name.into() } else { format!("seen_{name}") }))
    }

    /// A register of a lane's multiplier, which has two lanes.
    fn lane(&self, register: &str, lane: u32) -> [Expr; 2] {
        self.rows(&format!("multiply_{}_{register}_{}", lane / 2, lane % 2))
    }
}

/// `low` and `high` with `unit` are the values of both rows, which have so many bits.
fn same(low: &Expr, high: &Expr, unit: &Expr, rows: &[Expr; 2], bits: u32) -> Expr {
    let high = high.extend(WIDE).wrapping_add(unit.to_signed().extend(WIDE));
    let [row0, row1] = rows.each_ref().map(|row| row.extend(WIDE));
    let [fits0, fits1] = [&row0, &row1].map(|row| row.slice(0, bits).as_signed().extend(WIDE).eq(row));
    low.extend(WIDE).eq(row0) & high.eq(row1) & fits0 & fits1
}

/// The same where both stand in one word, of products or of operands.
fn same_packed(word: &Expr, rows: &[Expr; 2], bits: u32) -> Expr {
    let (low, high) = (word.slice(0, SHIFT).as_signed(), word.slice(SHIFT, SHIFT.min(word.width() - SHIFT)).as_signed());
    same(&low, &high, &low.msb(), rows, bits)
}

fn seen_packed(packed: &Arc<Module>) -> Arc<Module> {
    let lane = |lane: u32| {
        let registers = ["upper_#_q", "lower_#_q", "multiply_#.a_q", "multiply_#.b_q", "multiply_#.product_q", "products_#_q"];
        registers.map(|name| name.replace('#', &lane.to_string()))
    };
    let mut names = vec!["operand_x_q".to_string(), "valid_line_q".into(), "tree0_q".into()];
    names.extend((0..LANES).flat_map(lane));
    for (level, node) in nodes() {
        names.extend(["tree0_level", "tree1_level", "tree1_unit"].map(|tree| format!("{tree}{level}_{node}_q")));
    }
    observe(packed, &names.iter().map(String::as_str).collect::<Vec<_>>())
}

fn seen_plain(plain: &Arc<Module>) -> Arc<Module> {
    let multiplier = |i: u32| {
        let of_lane = move |lane: u32| ["a", "b", "product"].map(|register| format!("multiply_{i}.{register}_{lane}_q"));
        [format!("take_{i}_q"), format!("product_{i}_q")].into_iter().chain((0..2).flat_map(of_lane))
    };
    let mut names: Vec<String> = (0..LANES / 2).flat_map(multiplier).collect();
    names.extend(nodes().map(|(level, node)| format!("tree_level{level}_{node}_q")));
    names.push("tree_q".into());
    observe(plain, &names.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Levels of a tree and the nodes of each.
fn nodes() -> impl Iterator<Item = (u32, u32)> {
    (0..LEVELS).flat_map(|level| (0..LANES >> (level + 1)).map(move |node| (level, node)))
}
