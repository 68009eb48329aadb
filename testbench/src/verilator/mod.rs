// SPDX-License-Identifier: MIT OR Apache-2.0
//! Verilator as a library: builds a design to a shared object, opens it, and runs instances of it.
//!
//! ```no_run
//! # use heddle_tb::verilator::{BuildOptions, Design};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = "module add (input clk_i, input [7:0] a_i, output reg [7:0] s_o);
//!     always @(posedge clk_i) s_o <= s_o + a_i; endmodule";
//! let library = Design::new("add").clock("clk_i").file("add.v", text)
//!     .build(&BuildOptions::default(), &mut |_| {})?;
//! let mut model = library.instance()?;
//! let (a, s) = (model.port("a_i")?, model.port("s_o")?);
//! model.set(a, 3);
//! model.tick_n(2)?;
//! assert_eq!(model.get(s), 6);
//! # Ok(()) }
//! ```
//!
//! Ports are read and written in place, through addresses taken once. `$stop`, failed assertions, fatal errors
//! of the runtime and C++ exceptions become `SimError`; nothing aborts the process. Rust is never called from
//! C++. Little-endian hosts only.

mod build;
mod compile;
mod design;
mod emit;
mod error;
mod files;
mod header;
mod library;
mod model;

pub use build::BuildReport;
pub use design::{BuildOptions, Design, Opt, Port, Trace};
pub use error::{BuildError, SimError};
pub use heddle_tools::cache_dir;
pub use library::{Library, cache_size};
pub use model::{Model, PortHandle};

/// Told what is being done, one short line each.
pub type Progress<'a> = &'a mut dyn FnMut(&str);
