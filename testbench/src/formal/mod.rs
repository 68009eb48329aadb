// SPDX-License-Identifier: MIT OR Apache-2.0
//! Formal verification: every named property of a module, for all inputs.
//!
//! The emitted Verilog of a module with its assertions, assumptions and covers goes through Yosys to SMT-LIB; [`Engine`]
//! asks a solver about it, cycle by cycle. [`harness`] holds, per block, what is proven ([`Block`], [`Proof`]); [`verify`] checks
//! it and says of each property: proven, bounded, or failed with a trace.

mod engine;
pub mod harness;
mod model;
mod observe;
mod report;
mod solver;
mod trace;
mod unroll;
mod verify;
mod yosys;

pub use engine::{Checked, Cover, Effort, Engine, Verdict};
pub use model::{Model, ParseError};
pub use observe::observe;
pub use report::{CoverRow, MutationRow, PropertyRow, Report};
pub use solver::{Solver, SolverError};
pub use trace::{Signal, Trace};
pub use unroll::{Start, Unrolled};
pub use verify::{Options, Tools, select, verify};
pub use yosys::models;

use crate::{
    mutation::{Change, ChangeError},
    tools::ToolError,
};
use heddle_lang::{BuildError, Module, verilog};
use std::sync::Arc;

/// What is proven of one block: the content of one file in [`harness`].
#[derive(Clone, Debug)]
pub struct Block {
    /// Short, in lower case: it selects the block on the command line.
    pub name: &'static str,
    pub proofs: Vec<Proof>,
    /// Each assertion and cover by its own name, and what it means in one line. Names that are alike in several proofs stand here once.
    pub meanings: Vec<(&'static str, &'static str)>,
}

/// One module that is proven: the block itself, or a harness around it.
#[derive(Clone, Debug)]
pub struct Proof {
    pub module: Arc<Module>,
    /// Cycles from reset on that are searched where induction does not close, for covers, and for mutations.
    pub depth: u32,
    /// The largest k of the induction.
    pub induction: u32,
    /// For each assertion at least one that violates it.
    pub mutations: Vec<Mutation>,
}

/// One change of the design, and assertions that it violates.
#[derive(Clone, Debug)]
pub struct Mutation {
    /// Module in the hierarchy of the proof, and what is driven by the changed expression: see [`crate::mutation::apply`].
    pub module: String,
    pub net: String,
    pub change: Change,
    /// Paths of assertions: `data_in_order`, or `unit.count_in_range` for one inside the instance `unit`.
    pub violates: Vec<&'static str>,
}

impl Mutation {
    pub fn new(module: &str, net: &str, change: Change, violates: &[&'static str]) -> Mutation {
        Mutation { module: module.into(), net: net.into(), change, violates: violates.to_vec() }
    }
}

/// Why a proof cannot be tried.
#[derive(Debug, thiserror::Error)]
pub enum FormalError {
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Print(#[from] verilog::PrintError),
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error(transparent)]
    Solver(#[from] SolverError),
    #[error(transparent)]
    Parse(#[from] ParseError),
    #[error("Yosys failed: {0}")]
    Yosys(String),
    #[error("cannot use a temporary folder: {0}")]
    Files(String),
    #[error("`{module}` has {expected} properties, but Yosys found {found}")]
    Lost { module: String, expected: usize, found: usize },
    #[error("`{module}` has several clocks; a proof knows one")]
    Clocks { module: String },
    #[error("the assumptions contradict each other within {cycles} cycles: every property would hold of nothing")]
    Assumptions { cycles: u32 },
    #[error("no block matches `{word}`; there are {known}")]
    NoBlock { word: String, known: String },
    #[error("{block}: {what}")]
    Block { block: &'static str, what: String },
    #[error("{proof}: {source}")]
    Proof { proof: String, source: Box<FormalError> },
}
