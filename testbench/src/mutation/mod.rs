// SPDX-License-Identifier: MIT OR Apache-2.0
//! The mutation check: does a bench notice when one operator of the RTL is wrong?
//!
//! [`table`] lists changes over all blocks, each with the bench that must catch it. [`run`] makes the change in the
//! IR, simulates the changed block natively, and says whether the bench failed, as it must.

mod change;
mod table;

pub use change::{Change, ChangeError, apply};
pub use table::table;

use crate::blocks::{Block, BlockError, run_native};
use heddle_lang::BuildError;
use std::{
    rc::Rc,
    time::{Duration, Instant},
};

/// Runs of a bench, with seeds from 1, before a change counts as survived.
const SEEDS: u64 = 3;

/// One change and the bench that must catch it.
#[derive(Clone)]
pub struct Mutation {
    pub bench: Rc<dyn Block>,
    /// Module in the block's hierarchy.
    pub module: &'static str,
    /// What is driven by the changed expression: see [`apply`].
    pub net: &'static str,
    pub change: Change,
}

/// What came of a mutation.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What the bench found; `None` if the change survived.
    pub caught: Option<String>,
    pub time: Duration,
}

/// Why the check itself cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum MutationError {
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error("{block} fails without a change: {source}")]
    Unchanged { block: String, source: BlockError },
}

/// Runs the bench on the changed block.
pub fn run(mutation: &Mutation) -> Result<Outcome, MutationError> {
    let start = Instant::now();
    let changed = apply(&mutation.bench.module()?, mutation.module, mutation.net, &mutation.change)?;
    let caught = (1..=SEEDS).find_map(|seed| run_native(&*mutation.bench, &changed, seed).err());
    Ok(Outcome { caught: caught.map(|e| first_line(&e.to_string())), time: start.elapsed() })
}

/// Runs the bench on the block as it is, with the seeds of [`run`]: what it catches then would mean nothing.
pub fn run_unchanged(bench: &dyn Block) -> Result<(), MutationError> {
    let module = bench.module()?;
    let failed = (1..=SEEDS).try_for_each(|seed| run_native(bench, &module, seed));
    failed.map_err(|source| MutationError::Unchanged { block: bench.name(), source })
}

fn first_line(text: &str) -> String {
    const LONGEST: usize = 90;
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}
