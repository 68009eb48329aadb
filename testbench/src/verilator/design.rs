// SPDX-License-Identifier: MIT OR Apache-2.0
//! What to build: the sources, the top module, its ports, and how to compile them.

use super::{BuildError, Library, Progress, build};

/// One port of the top module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    pub name: String,
    /// Bits, at least 1.
    pub width: u32,
    pub input: bool,
}

/// A Verilog design: file texts, the name of the top module, its clock and its ports.
///
/// Ports are optional. The driver reads them from Verilator's output; those given here are checked against
/// it, so that a disagreement is an error at build time and not a wrong value later.
#[derive(Clone, Debug)]
pub struct Design {
    pub top: String,
    /// Name and text. Names appear in messages and may not contain a path.
    pub files: Vec<(String, String)>,
    pub ports: Vec<Port>,
    pub clock: Option<String>,
}

impl Design {
    pub fn new(top: impl Into<String>) -> Self {
        Self { top: top.into(), files: Vec::new(), ports: Vec::new(), clock: None }
    }

    #[must_use]
    pub fn file(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.files.push((name.into(), text.into()));
        self
    }

    #[must_use]
    pub fn port(mut self, port: Port) -> Self {
        self.ports.push(port);
        self
    }

    /// The one clock that `Model::tick` drives. Without it, the design is combinational or is clocked by hand.
    #[must_use]
    pub fn clock(mut self, name: impl Into<String>) -> Self {
        self.clock = Some(name.into());
        self
    }

    /// Builds the design, or opens it from the cache.
    pub fn build(&self, options: &BuildOptions, progress: Progress<'_>) -> Result<Library, BuildError> {
        let mut libraries = Self::build_batch(std::slice::from_ref(self), options, progress)?;
        Ok(libraries.remove(0))
    }

    /// Builds independent designs into one shared object: one C++ compilation for all of them.
    ///
    /// Returns one library per design, in order. Module names may repeat between designs.
    pub fn build_batch(designs: &[Self], options: &BuildOptions, progress: Progress<'_>) -> Result<Vec<Library>, BuildError> {
        build::build(designs, options, progress)
    }
}

/// How much the C++ compiler works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Opt {
    /// `-O3`: for designs that run millions of cycles.
    #[default]
    Fast,
    /// `-O0`: for many small designs that run a few thousand cycles each.
    Quick,
}

/// Waveforms, compiled in as a variant of their own: a closed trace still costs a fifth of the speed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trace {
    #[default]
    Off,
    Vcd,
    /// A seventh of a VCD's size; needs zlib's headers (and lz4's with some Verilator versions).
    Fst,
}

/// Build variant. The default is the fast one without extras.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    pub opt: Opt,
    pub trace: Trace,
    /// Line and toggle coverage, about 50 times slower.
    pub coverage: bool,
    /// Defines `FORMAL` and turns on immediate assertions; a failing one becomes `SimError::Failed`.
    pub assertions: bool,
    /// Registers without reset start from `Library::instance_seeded`'s seed instead of zero.
    pub random_init: bool,
    /// Keep the result in the cache. Off for throw-away designs, such as those of a fuzzer.
    pub keep: bool,
}

impl BuildOptions {
    /// For runs of up to some 100,000 cycles, which take less time than an optimising compiler.
    pub fn quick() -> Self {
        Self { opt: Opt::Quick, ..Self::default() }
    }
}

impl Default for BuildOptions {
    fn default() -> Self {
        Self { opt: Opt::Fast, trace: Trace::Off, coverage: false, assertions: false, random_init: false, keep: true }
    }
}
