// SPDX-License-Identifier: MIT OR Apache-2.0
//! Products of int8 in LUTs, for devices with fewer DSPs than an array has lanes.
//!
//! Ports      `en_i`, `run_i`, `a_i`, `b_i`, `p_o` as of `primitive::multiplier`, of int8
//! Latency    as of `primitive::multiplier`      Throughput  one product per lane and cycle      Rounding  none      Reset  none
//!
//! One row of the product per bit of `b`, the row of the sign subtracted; two rows and then two sums per adder. The
//! last adder, of 16 bits, has no register of its own: the one that follows a product is close.

use heddle_lang::{BuildError, Builder, Expr, Module, Ty, primitive::STAGES};
use std::sync::Arc;

/// `lanes` products.
pub fn lut_multiplier(lanes: u32) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::new(format!("mul{lanes}_s8xs8_lut"), file!());
    m.doc(&format!("{lanes} products: signed 8 bits times signed 8 bits in LUTs, {STAGES} cycles later."));
    m.clock("clk");
    m.comment("Operands are taken; the rest moves on");
    let en = m.input("en", Ty::BIT);
    let run = m.input("run", Ty::BIT);
    let a = m.input("a", Ty::Unsigned(8 * lanes));
    let b = m.input("b", Ty::Unsigned(8 * lanes));
    let mut products = Vec::new();
    for (i, (a, b)) in a.chunks(8).iter().zip(b.chunks(8)).enumerate() {
        let a = m.register_when(&format!("a_{i}"), &en, a.as_signed());
        let b = m.register_when(&format!("b_{i}"), &en, b);
        let zero = Expr::constant(Ty::Signed(8), 0);
        let rows: Vec<Expr> = (0..8).map(|k| m.wire(&format!("row_{i}_{k}"), b.bit(k).mux(&a, &zero))).collect();
        let mut pairs = Vec::new();
        for (k, pair) in rows.chunks(2).enumerate() {
            let upper = pair[1].shift_left(1);
            // The last row is that of the sign, which counts -128.
            let sum = if k == 3 { &pair[0] - &upper } else { &pair[0] + &upper };
            pairs.push(m.register_when(&format!("pair_{i}_{k}"), &run, sum));
        }
        let fours: Vec<Expr> = pairs.chunks(2).map(|p| (&p[0] + p[1].shift_left(2)).truncate(12)).collect();
        let fours = m.register_each_when(&format!("four_{i}"), &run, fours);
        let product = (&fours[0] + fours[1].shift_left(4)).truncate(16);
        products.push(product.as_unsigned());
    }
    m.output("p", Expr::pack(&products));
    m.build()
}

/// The same, in plain Rust.
pub mod golden {
    /// The product of two int8, exact in 16 bits.
    pub fn product(a: i8, b: i8) -> i16 {
        i16::from(a) * i16::from(b)
    }
}
