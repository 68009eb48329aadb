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
mod upset;
mod verify;
mod yosys;

pub use engine::{Checked, Cover, Effort, Engine, Verdict};
pub use model::{Model, ParseError};
pub use observe::observe;
pub use report::{CoverRow, MutationRow, PropertyRow, Report};
pub use solver::{Solver, SolverError};
pub use trace::{Signal, Trace};
pub use unroll::{Start, Unrolled};
pub use upset::upset;
pub use verify::{Options, Tools, select, verify};
pub use yosys::models;

use crate::{
    mutation::{Change, ChangeError},
    tools::ToolError,
};
use heddle_lang::{
    BuildError, Module,
    module::{Item, PropertyKind},
    verilog,
};
use std::{collections::BTreeSet, sync::Arc};

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

impl Proof {
    /// Paths of its properties of a kind: `data_in_order`, `unit.count_in_range`.
    pub fn properties(&self, kind: PropertyKind) -> Vec<String> {
        fn collect(module: &Module, path: &str, kind: PropertyKind, found: &mut Vec<String>) {
            for item in &module.items {
                match item {
                    Item::Property(p) if p.kind == kind => found.push(format!("{path}{}", p.name)),
                    Item::Instance(i) => collect(&i.module, &format!("{path}{}.", i.name), kind, found),
                    _ => {}
                }
            }
        }
        let mut found = Vec::new();
        collect(&self.module, "", kind, &mut found);
        found
    }
}

impl Block {
    /// What a property or cover means, by its path.
    pub fn meaning(&self, path: &str) -> Option<&'static str> {
        let own = path.rsplit('.').next().unwrap_or(path);
        self.meanings.iter().find(|(name, _)| *name == own).map(|(_, meaning)| *meaning)
    }

    /// What its file has forgotten: a meaning, or a change that violates an assertion; or what it names and does not exist.
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        let mut used = BTreeSet::new();
        for proof in &self.proofs {
            let name = &proof.module.name;
            let (asserts, covers) = (proof.properties(PropertyKind::Assert), proof.properties(PropertyKind::Cover));
            for path in asserts.iter().chain(&covers) {
                used.insert(self.meaning(path));
                if self.meaning(path).is_none() {
                    gaps.push(format!("{name}: no meaning is given for `{path}`"));
                }
            }
            let violated: Vec<&str> = proof.mutations.iter().flat_map(|m| m.violates.iter().copied()).collect();
            let lacking = asserts.iter().filter(|path| !violated.contains(&path.as_str()));
            gaps.extend(lacking.map(|path| format!("{name}: no change is listed that violates `{path}`")));
            let unknown = violated.iter().filter(|path| !asserts.iter().any(|a| a == *path));
            gaps.extend(unknown.map(|path| format!("{name}: there is no assertion `{path}` for a change to violate")));
        }
        let idle = self.meanings.iter().filter(|(_, meaning)| !used.contains(&Some(*meaning)));
        gaps.extend(idle.map(|(property, _)| format!("{}: a meaning is given for `{property}`, which does not exist", self.name)));
        gaps
    }
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
    #[error("the file of the block `{block}` is not complete: {}", gaps.join("; "))]
    Gaps { block: &'static str, gaps: Vec<String> },
    #[error("{proof}: {source}")]
    Proof { proof: String, source: Box<FormalError> },
}
