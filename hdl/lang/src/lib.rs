// SPDX-License-Identifier: MIT OR Apache-2.0
//! A typed hardware IR with two front ends (a builder and the rust-hdl import) and, behind it, one Verilog
//! printer, one native simulator and one set of design checks.

pub mod bits;
pub mod builder;
pub mod check;
pub mod corrupt;
pub mod expr;
#[cfg(feature = "import")]
pub mod import;
pub mod module;
mod order;
pub mod primitive;
pub mod process;
pub mod sim;
pub mod stdlib;
pub mod verilog;

pub use bits::Bits;
pub use builder::{BuildError, Builder, Reg};
pub use expr::{Expr, Ty};
pub use module::Module;
pub use primitive::{Primitive, Target};
pub use sim::{SimError, Simulator};

/// Pages of the book that hold code, compiled and run as tests.
#[cfg(doctest)]
mod book {
    #[doc = include_str!("../../../docs/hdl/builder.md")]
    pub struct BuilderPage;

    #[doc = include_str!("../../../docs/hdl/simulation.md")]
    pub struct SimulationPage;
}
