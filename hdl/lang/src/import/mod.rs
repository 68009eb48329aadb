// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rust-hdl import: a `#[derive(LogicBlock)]` block becomes IR modules.
//!
//! The block is walked with rust-hdl's own `Probe`; its kernel arrives as the syntax tree that
//! `#[hdl_gen]` recorded. What the tree means is decided by **rust-hdl's simulation**, never by the text
//! that rust-hdl would print from it: Rust's precedence, wrapping arithmetic in the width of the operands,
//! literals that take their partner's width, sign extension by `signed_bit_cast`, slices that keep their
//! sign. Where the tree does not hold enough to know, the construct is refused by name.
//!
//! * A signal of type `Clock` becomes a clock; a clock field called `clock` is named `clk`, as everywhere
//!   in the emitted Verilog.
//! * `DFF` fields become registers of the block they stand in, `RAM` and `SyncROM` memories, `ROM` a
//!   `case`. Any other child block becomes an instance; equal children share one module, named after the
//!   field that came first.
//! * rust-hdl's flip-flops have no reset and start at their default. By itself the import keeps that; with
//!   [`Import::reset`] every register gets a synchronous reset to its start value instead. A block's own
//!   `reset` input is an input like any other.
//! * An encoding outside of an enum takes the `_` arm if there is one, and otherwise keeps what was
//!   assigned before the `match` (or takes the last arm, where nothing was).

mod describe;
mod draft;
mod emit;
mod expr;
mod index;
mod kernel;
mod leaf;
pub mod machines;
mod names;
pub mod reference;
mod rewrite;
mod schedule;
mod symbols;
mod tree;

use crate::{builder::BuildError, module::Module};
use rust_hdl::core::prelude::Block;
use std::sync::Arc;

/// A block that cannot be imported faithfully.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rust-hdl block `{block}`: `{construct}`: {reason}")]
pub struct ImportError {
    /// Field path of the block, from the name of the top.
    pub block: String,
    /// The signal or the expression, as written in the kernel.
    pub construct: String,
    pub reason: String,
}

impl ImportError {
    /// The same for those who build modules and import others on the way.
    pub fn build_error(self) -> BuildError {
        BuildError { module: self.block.clone(), messages: vec![self.to_string()] }
    }
}

/// What is refused inside a block, before its path is known.
#[derive(Debug)]
struct Refusal {
    construct: String,
    reason: String,
}

impl Refusal {
    fn new(construct: impl Into<String>, reason: impl Into<String>) -> Self {
        Refusal { construct: construct.into(), reason: reason.into() }
    }

    fn at(self, block: &str) -> ImportError {
        ImportError { block: block.to_string(), construct: self.construct, reason: self.reason }
    }
}

/// An import under preparation.
#[derive(Debug, Clone)]
pub struct Import {
    name: String,
    source: String,
    doc: Vec<String>,
    reset: bool,
}

impl Import {
    /// `name`: of the top module, and the start of the names below it; `source`: `file!()`.
    pub fn new(name: &str, source: &str) -> Self {
        Import { name: name.into(), source: source.replace('\\', "/"), doc: vec![], reset: false }
    }

    /// Lines for the head of the top module: what it is for.
    pub fn doc(mut self, text: &str) -> Self {
        self.doc.extend(text.lines().map(|l| l.trim().to_string()));
        self
    }

    /// Gives each module with state an input `rst`, synchronous and active high, that sets every register
    /// to its start value. Memories keep their words.
    pub fn reset(mut self) -> Self {
        self.reset = true;
        self
    }

    pub fn module(&self, block: &impl Block) -> Result<Arc<Module>, ImportError> {
        let root = leaf::wrapped(tree::walk(&self.name, block));
        emit::Emitter::new(self).top(&root)
    }
}

/// The block as a module without reset; see [`Import`] for the rest.
pub fn module(block: &impl Block, name: &str, source: &str) -> Result<Arc<Module>, ImportError> {
    Import::new(name, source).module(block)
}
