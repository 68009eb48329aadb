// SPDX-License-Identifier: MIT OR Apache-2.0
//! Isolation cells at the outputs of an array column: zeros while its power domain is off.
//!
//! Ports      `isolate_i`; `acc_i`, `too_large_i` of the column -> `clamped_acc_o`, `clamped_too_large_o`
//! Latency    0      Throughput  combinational      Rounding  none      Reset  none
//!
//! The cells are always on. They are written out here, not left to the power intent, so that simulation and FPGA
//! have them too; the power intent names them.

use crate::engine::place::GRID_BITS;
use heddle_lang::{BuildError, Builder, Expr, Module, Ty};
use std::sync::Arc;

/// The cells of one column.
pub fn isolate() -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::new("isolate", file!());
    m.doc("Isolation cells of an array column: outputs are 0 while `isolate_i` is high.");
    let isolate = m.input("isolate", Ty::BIT);
    for (name, ty) in [("acc", Ty::Unsigned(GRID_BITS)), ("too_large", Ty::BIT)] {
        let value = m.input(name, ty);
        m.output(&format!("clamped_{name}"), isolate.mux(Expr::constant(ty, 0), &value));
    }
    m.build()
}

/// The same, in plain Rust.
pub mod golden {
    /// What leaves the cells.
    pub fn isolate(isolate: bool, acc: u64, too_large: bool) -> (u64, bool) {
        if isolate { (0, false) } else { (acc, too_large) }
    }
}
