// SPDX-License-Identifier: MIT OR Apache-2.0
//! Differential fuzzing: random modules mean the same to the builder's documentation, to the native simulator
//! and, as emitted Verilog, to Verilator and Icarus.
//!
//! A module is drawn as a [`plan::Plan`] from a seed, interpreted by [`eval`] (which knows neither the IR nor
//! the simulator), and run in each engine over the same stimulus. A failure is cut down and printed with its
//! seed, the smallest plan's Verilog and the first difference.

pub mod build;
pub mod draw;
pub mod engines;
pub mod eval;
pub mod icarus;
pub mod plan;
pub mod shrink;

use engines::{Failure, Vectors};
use heddle_lang::{Module, stdlib::testing::Random, verilog};
use plan::Plan;
use std::{
    fmt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

#[derive(Clone, Debug)]
pub struct Config {
    /// The seed of the first module; each next one counts up.
    pub seed: u64,
    /// Stop after as many modules, or when the time is over.
    pub modules: usize,
    pub time: Option<Duration>,
    pub cycles: usize,
    /// Modules per Verilator build.
    pub batch: usize,
    pub verilator: bool,
    pub icarus: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config { seed: 1, modules: 40, time: None, cycles: 100, batch: 20, verilator: true, icarus: icarus::is_present() }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    Native,
    Verilator,
    Icarus,
}

/// A module on which an engine disagrees.
#[derive(Clone, Debug)]
pub struct Found {
    pub seed: u64,
    pub engine: Engine,
    pub failure: Failure,
    /// Nodes of the module as drawn, and cut down.
    pub nodes: (usize, usize),
    /// The smallest module's files.
    pub verilog: String,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (all, few) = self.nodes;
        writeln!(f, "seed {}: {:?}: {} ({few} of {all} nodes)", self.seed, self.engine, self.failure)?;
        write!(f, "{}", self.verilog)
    }
}

#[derive(Clone, Debug, Default)]
pub struct Summary {
    pub modules: usize,
    pub nodes: usize,
    pub cycles: usize,
    pub in_verilator: usize,
    pub in_icarus: usize,
    pub found: Vec<Found>,
    pub time: Duration,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} modules of {} nodes on average, {} cycles each: all in native simulation, {} in Verilator, {} in Icarus; {} differ ({:.0?})",
            self.modules,
            self.nodes / self.modules.max(1),
            self.cycles,
            self.in_verilator,
            self.in_icarus,
            self.found.len(),
            self.time
        )
    }
}

/// A drawn module, ready to run.
struct Case {
    seed: u64,
    plan: Plan,
    module: Arc<Module>,
    vectors: Vectors,
}

/// The plan of a seed.
pub fn plan_of(seed: u64) -> Plan {
    let mut random = Random(seed);
    let size = 6 + random.below(50) as usize;
    draw::draw(&mut random, &format!("fuzz_{seed}"), size, 2)
}

/// Runs until the modules or the time are used up. An error is one of the tools, not of a module.
pub fn run(config: &Config, progress: &mut dyn FnMut(&Summary)) -> Result<Summary, String> {
    let start = Instant::now();
    let mut summary = Summary { cycles: config.cycles, ..Summary::default() };
    let is_over = |done: usize| done >= config.modules || config.time.is_some_and(|t| start.elapsed() >= t);
    while !is_over(summary.modules) {
        let n = config.batch.min(config.modules - summary.modules);
        let first = config.seed.wrapping_add(summary.modules as u64);
        let seeds = (0..n as u64).map(|i| first.wrapping_add(i));
        batch(config, seeds, &mut summary)?;
        summary.time = start.elapsed();
        progress(&summary);
    }
    Ok(summary)
}

fn batch(config: &Config, seeds: impl Iterator<Item = u64>, summary: &mut Summary) -> Result<(), String> {
    let mut cases = vec![];
    for seed in seeds {
        let plan = plan_of(seed);
        summary.modules += 1;
        summary.nodes += plan.size();
        let native = |plan: &Plan| {
            let (module, vectors) = engines::prepare(plan, seed, config.cycles)?;
            engines::native(&module, &vectors).map(|()| (module, vectors))
        };
        match native(&plan) {
            Ok((module, vectors)) => cases.push(Case { seed, plan, module, vectors }),
            Err(failure) => summary.found.push(cut(seed, Engine::Native, &plan, failure, 4000, &mut |p| native(p).err())),
        }
    }
    if config.verilator && !cases.is_empty() {
        in_verilator(config, &cases, summary)?;
    }
    if config.icarus {
        for case in &cases {
            in_icarus(config, case, summary)?;
        }
    }
    Ok(())
}

fn in_verilator(config: &Config, cases: &[Case], summary: &mut Summary) -> Result<(), String> {
    let modules: Vec<Arc<Module>> = cases.iter().map(|c| c.module.clone()).collect();
    let alone = |plan: &Plan, seed: u64| {
        let (module, vectors) = engines::prepare(plan, seed, config.cycles)?;
        let library = engines::verilate(std::slice::from_ref(&module)).map_err(Failure::Broken)?;
        engines::verilator(&library[0], &vectors)
    };
    summary.in_verilator += cases.len();
    match engines::verilate(&modules) {
        Ok(libraries) => {
            for (case, library) in cases.iter().zip(&libraries) {
                if let Err(failure) = engines::verilator(library, &case.vectors) {
                    let fails = &mut |p: &Plan| alone(p, case.seed).err();
                    summary.found.push(cut(case.seed, Engine::Verilator, &case.plan, failure, 60, fails));
                }
            }
        }
        // One that does not build spoils the batch: each is tried alone.
        Err(message) => {
            let before = summary.found.len();
            for case in cases {
                if let Err(failure) = alone(&case.plan, case.seed) {
                    let fails = &mut |p: &Plan| alone(p, case.seed).err();
                    summary.found.push(cut(case.seed, Engine::Verilator, &case.plan, failure, 60, fails));
                }
            }
            if summary.found.len() == before {
                return Err(message);
            }
        }
    }
    Ok(())
}

fn in_icarus(config: &Config, case: &Case, summary: &mut Summary) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|e| format!("no folder for Icarus: {e}"))?;
    summary.in_icarus += 1;
    if let Err(failure) = icarus::run(&case.module, &case.vectors, folder.path()) {
        let again = |plan: &Plan, folder: &Path| {
            let (module, vectors) = engines::prepare(plan, case.seed, config.cycles)?;
            icarus::run(&module, &vectors, folder)
        };
        let fails = &mut |p: &Plan| again(p, folder.path()).err();
        summary.found.push(cut(case.seed, Engine::Icarus, &case.plan, failure, 1500, fails));
    }
    Ok(())
}

/// The failure, with the smallest plan that shows one of its kind.
fn cut(seed: u64, engine: Engine, plan: &Plan, failure: Failure, tries: usize, run: &mut dyn FnMut(&Plan) -> Option<Failure>) -> Found {
    let kind = std::mem::discriminant(&failure);
    let mut last = failure;
    let small = shrink::shrink(plan, tries, &mut |p| match run(p) {
        Some(f) if std::mem::discriminant(&f) == kind => {
            last = f;
            true
        }
        _ => false,
    });
    let text = build::build(&small).ok().and_then(|m| verilog::files(&m, &verilog::Options::default()).ok());
    let text = text.into_iter().flatten().map(|f| f.text).collect::<Vec<_>>().join("\n");
    let listing = if text.is_empty() { format!("{small:#?}") } else { text };
    Found { seed, engine, failure: last, nodes: (plan.size(), small.size()), verilog: listing }
}
