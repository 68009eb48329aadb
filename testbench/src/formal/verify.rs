// SPDX-License-Identifier: MIT OR Apache-2.0
//! Checks blocks: their properties, their covers, and that each property can fail.

use super::{
    Block, Checked, Cover, CoverRow, Effort, Engine, FormalError, Model, Mutation, MutationRow, Proof, PropertyRow, Report, Verdict,
    harness, yosys,
};
use crate::{
    mutation::apply,
    tools::{Yosys, find_yices, find_yosys},
};
use heddle_lang::module::PropertyKind;
use std::{path::PathBuf, time::Duration};

/// What the proofs run.
#[derive(Debug, Clone)]
pub struct Tools {
    pub yosys: Yosys,
    pub solver: PathBuf,
}

impl Tools {
    pub fn find() -> Result<Tools, FormalError> {
        Ok(Tools { yosys: find_yosys()?, solver: find_yices()? })
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Time of each property: for its induction, and again for the search from reset.
    pub limit: Duration,
    /// Also make each listed change and demand that it violates what it is listed for.
    pub mutations: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { limit: Duration::from_secs(60), mutations: false }
    }
}

/// The blocks whose name, or the name of one of whose modules, contains `word`.
pub fn select(word: &str) -> Result<Vec<Block>, FormalError> {
    let all = harness::blocks()?;
    let known = all.iter().map(|b| b.name).collect::<Vec<_>>().join(", ");
    let mut chosen: Vec<Block> = Vec::new();
    for mut block in all {
        let gaps = block.gaps();
        if !gaps.is_empty() {
            return Err(FormalError::Gaps { block: block.name, gaps });
        }
        if !block.name.contains(word) {
            block.proofs.retain(|p| p.module.name.contains(word));
        }
        if !block.proofs.is_empty() {
            chosen.push(block);
        }
    }
    if chosen.is_empty() {
        return Err(FormalError::NoBlock { word: word.into(), known });
    }
    Ok(chosen)
}

/// Checks the blocks; `progress` gets a line for each step.
pub fn verify(blocks: &[Block], tools: &Tools, options: &Options, progress: &mut dyn FnMut(&str)) -> Result<Report, FormalError> {
    let mut report = Report::default();
    for block in blocks {
        progress(&format!("{}: reading the Verilog of {} modules", block.name, block.proofs.len()));
        let modules: Vec<_> = block.proofs.iter().map(|p| p.module.clone()).collect();
        let models = yosys::models(&tools.yosys, &modules)?;
        for (proof, model) in block.proofs.iter().zip(&models) {
            let mut check = Check { block, proof, tools, options, report: &mut report };
            progress(&format!("{}: {} properties, {} covers", proof.module.name, model.asserts.len(), model.covers.len()));
            check.properties(model).map_err(|e| of(proof, e))?;
            if options.mutations {
                progress(&format!("{}: {} changes", proof.module.name, proof.mutations.len()));
                check.mutations().map_err(|e| of(proof, e))?;
            }
        }
    }
    Ok(report)
}

fn of(proof: &Proof, source: FormalError) -> FormalError {
    FormalError::Proof { proof: proof.module.name.clone(), source: Box::new(source) }
}

/// One module on its way into the report.
struct Check<'a> {
    block: &'a Block,
    proof: &'a Proof,
    tools: &'a Tools,
    options: &'a Options,
    report: &'a mut Report,
}

impl Check<'_> {
    fn engine(&self) -> Engine<'_> {
        let Proof { depth, induction, .. } = *self.proof;
        Engine { program: &self.tools.solver, effort: Effort { depth, induction, limit: self.options.limit } }
    }

    fn properties(&mut self, model: &Model) -> Result<(), FormalError> {
        self.engine().assumptions(model)?;
        for checked in self.in_order(PropertyKind::Assert, self.engine().assertions(model, None)?, |c| &c.name) {
            let row = self.property_row(checked);
            self.report.properties.push(row);
        }
        for cover in self.in_order(PropertyKind::Cover, self.engine().covers(model)?, |c| &c.name) {
            let row = self.cover_row(cover);
            self.report.covers.push(row);
        }
        Ok(())
    }

    /// As the block and its harness list them; Yosys has an order of its own.
    fn in_order<T>(&self, kind: PropertyKind, mut all: Vec<T>, name: impl Fn(&T) -> &str) -> Vec<T> {
        let order = self.proof.properties(kind);
        all.sort_by_key(|one| order.iter().position(|path| path == name(one)));
        all
    }

    fn property_row(&self, checked: Checked) -> PropertyRow {
        let search = || "bounded model checking".to_owned();
        let (status, method, bound, trace) = match checked.verdict {
            Verdict::Proven { k } => ("proven", format!("induction k={k}"), None, None),
            Verdict::Bounded { cycles } => ("bounded", search(), Some(cycles), None),
            Verdict::Failed { trace } => ("failed", search(), Some(trace.cycles as u32), Some(trace)),
        };
        PropertyRow {
            name: self.name(&checked.name),
            block: self.block.name,
            meaning: self.meaning(&checked.name),
            status,
            method,
            bound,
            seconds: checked.seconds,
            trace: trace.as_ref().map(|t| t.table()),
            vcd: trace.map(|t| t.vcd()),
        }
    }

    fn cover_row(&self, cover: Cover) -> CoverRow {
        CoverRow {
            name: self.name(&cover.name),
            block: self.block.name,
            meaning: self.meaning(&cover.name),
            status: if cover.reached.is_some() { "reached" } else { "unreachable" },
            bound: cover.searched,
            seconds: cover.seconds,
        }
    }

    fn name(&self, path: &str) -> String {
        format!("{}.{path}", self.proof.module.name)
    }

    fn meaning(&self, path: &str) -> &'static str {
        self.block.meaning(path).unwrap_or_default()
    }

    /// Each change violates what it is listed for.
    fn mutations(&mut self) -> Result<(), FormalError> {
        let changed = |m: &Mutation| apply(&self.proof.module, &m.module, &m.net, &m.change);
        let modules = self.proof.mutations.iter().map(changed).collect::<Result<Vec<_>, _>>()?;
        let models = yosys::models(&self.tools.yosys, &modules)?;
        let proof = self.proof;
        for (mutation, model) in proof.mutations.iter().zip(&models) {
            for name in &mutation.violates {
                let row = self.mutation_row(mutation, model, name)?;
                self.report.mutations.push(row);
            }
        }
        Ok(())
    }

    fn mutation_row(&self, mutation: &Mutation, model: &Model, name: &str) -> Result<MutationRow, FormalError> {
        let mut engine = self.engine();
        engine.effort.induction = 0;
        let mut row = MutationRow {
            name: self.name(name),
            block: self.block.name,
            change: format!("{}: {}: {}", mutation.module, mutation.net, mutation.change),
            status: "survived",
            bound: 0,
            seconds: 0.0,
        };
        for checked in engine.assertions(model, Some(name))? {
            row.seconds = checked.seconds;
            match checked.verdict {
                Verdict::Failed { trace } => (row.status, row.bound) = ("violated", trace.cycles as u32),
                Verdict::Bounded { cycles } => row.bound = cycles,
                Verdict::Proven { .. } => {}
            }
        }
        Ok(row)
    }
}
