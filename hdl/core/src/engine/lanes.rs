// SPDX-License-Identifier: MIT OR Apache-2.0
//! The integers of one format: raw bits of L weights to L x int8. One module per format, no state.
//!
//! Ports      `raw_i`: L x 8 bits (Q8_0) or L x 4 bits; `high_i`: L x 1 bit (Q5_0); `w_o`: L x int8
//! Latency    0      Throughput  combinational      Rounding  none      Reset  none
//!
//! To add a format: its integers here, its fields in `dequant`, its layout in `format`
//! (docs/adding-a-format.md).

use crate::config::Format;
use heddle_lang::{BuildError, Builder, Expr, Module, Ty};
use std::sync::Arc;

/// The decoder of one format.
pub fn lanes(format: Format, lanes: u32) -> Result<Arc<Module>, BuildError> {
    let name = format.ggml_name().to_lowercase();
    let mut m = Builder::new(format!("dequant_{name}_{lanes}"), file!());
    m.doc(&format!("Integers of {lanes} weights of {}, as int8.", format.ggml_name()));
    let bits = if format == Format::Q8_0 { 8 } else { 4 };
    let raw = m.input("raw", Ty::Unsigned(bits * lanes));
    let high = (format == Format::Q5_0).then(|| m.input("high", Ty::Unsigned(lanes)));
    let raw = raw.chunks(bits);
    let w: Vec<Expr> = raw.iter().enumerate().map(|(i, q)| integer(format, q, high.as_ref().map(|h| h.bit(i as u32)))).collect();
    m.output("w", Expr::pack(&w));
    m.build()
}

/// One weight: q, q - 8, or (high, q) - 16, as the 8 bits of an int8.
fn integer(format: Format, q: &Expr, high: Option<Expr>) -> Expr {
    let bit = |i: u32| q.bit(i);
    match (format, high) {
        (Format::Q8_0, _) => q.clone(),
        // q - 8: the top bit inverted is the sign.
        (Format::Q4_0, _) => Expr::concat([(!bit(3)).repeat(5), q.slice(0, 3)]),
        (Format::Q4_1, _) => q.extend(8),
        // {high, q} - 16: the high bit inverted is the sign.
        (Format::Q5_0, Some(high)) => Expr::concat([(!high).repeat(4), q.clone()]),
        (Format::Q5_0, None) => Expr::poison(Ty::Unsigned(8), "Q5_0 needs its high bits".into()),
    }
}

/// The same, in plain Rust.
pub mod golden {
    use crate::config::Format;

    /// The integer of a weight from its raw bits; `high` is bit 4 of Q5_0.
    pub fn integer(format: Format, raw: u8, high: bool) -> i8 {
        match format {
            Format::Q8_0 => raw as i8,
            Format::Q4_0 => raw as i8 - 8,
            Format::Q4_1 => raw as i8,
            Format::Q5_0 => (raw | u8::from(high) << 4) as i8 - 16,
        }
    }
}
