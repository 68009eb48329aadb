// SPDX-License-Identifier: MIT OR Apache-2.0
//! The proofs: bounded model checking from reset, induction over assertions together, covers.
//!
//! *Base.* A property is checked in each cycle from reset on, under the assumptions up to that cycle. *Induction.*
//! From any state: if every assertion of a set holds for k cycles, each holds in the next one. Assertions that do not follow are taken
//! out of the set until the rest stands by itself (they help each other, as lemmas do); what stands is proven, since it also
//! held in the first k cycles. What is proven may be used by the next, larger k.

use super::{
    FormalError,
    model::{Model, Property, Term},
    solver::SolverError,
    trace::Trace,
    unroll::{Start, Unrolled},
};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// How far to look.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Cycles from reset on that are searched for a violation, or for what a cover wants to see.
    pub depth: u32,
    /// The largest k of the induction; 0: none.
    pub induction: u32,
    /// For each property: for its induction, and again for the search from reset.
    pub limit: Duration,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// In every run, by induction over so many cycles.
    Proven { k: u32 },
    /// In the first `cycles` cycles of every run; nothing is known of later ones.
    Bounded { cycles: u32 },
    /// The trace ends in the cycle in which it does not hold.
    Failed { trace: Trace },
}

#[derive(Debug, Clone)]
pub struct Checked {
    pub name: String,
    pub verdict: Verdict,
    pub seconds: f64,
}

#[derive(Debug, Clone)]
pub struct Cover {
    pub name: String,
    /// The first cycle in which it can happen; `None`: it cannot in the cycles that were searched.
    pub reached: Option<u32>,
    pub searched: u32,
    pub seconds: f64,
}

/// A property on its way.
struct Candidate<'m> {
    property: &'m Property,
    spent: Duration,
    /// Time left for the step of the induction, and for what starts from reset.
    step_left: Duration,
    base_left: Duration,
    /// Cycles from reset in which it holds.
    held: u32,
    state: State,
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    Open,
    OutOfTime,
    Done(Verdict),
}

/// Checks models with one solver program.
pub struct Engine<'a> {
    pub program: &'a Path,
    pub effort: Effort,
}

impl Engine<'_> {
    /// Every assertion of the model, or the one that is named.
    pub fn assertions(&self, model: &Model, only: Option<&str>) -> Result<Vec<Checked>, FormalError> {
        let wanted = model.asserts.iter().filter(|p| only.is_none_or(|name| p.name == name));
        let mut all: Vec<Candidate> = wanted.map(|p| Candidate::new(p, &self.effort)).collect();
        let mut base = Base::new(self, model)?;
        let mut step = Unrolled::new(model, self.program, Start::Anywhere)?;
        for k in 1..=self.effort.induction.min(self.effort.depth) {
            base.up_to(k, &mut all)?;
            loop {
                match self.induction(model, &mut step, k, &mut all) {
                    Ok(()) => break,
                    // Without the one that takes too long, which is searched from reset only.
                    Err(SolverError::Time) => step = Unrolled::new(model, self.program, Start::Anywhere)?,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        base.up_to(self.effort.depth, &mut all)?;
        Ok(all.into_iter().map(Candidate::finish).collect())
    }

    /// Moves the assertions that stand by themselves over k cycles to `Proven`.
    fn induction(&self, model: &Model, step: &mut Unrolled, k: u32, all: &mut [Candidate]) -> Result<(), SolverError> {
        let terms: Vec<Term> = model.asserts.iter().chain(&model.assumes).map(|p| p.term).collect();
        (0..=k).for_each(|t| terms.iter().for_each(|&term| step.write(term, t)));
        let proven = all.iter().filter(|c| c.is_proven()).map(|c| c.property);
        for property in model.assumes.iter().chain(proven) {
            (0..=k).for_each(|t| step.assert(property.term, t, true));
        }
        let mut set: Vec<usize> = (0..all.len()).filter(|&i| all[i].state == State::Open && all[i].step_left > Duration::ZERO).collect();
        loop {
            step.push();
            set.iter().for_each(|&i| (0..k).for_each(|t| step.assert(all[i].property.term, t, true)));
            let before = set.len();
            let mut stands = Vec::new();
            for &i in &set {
                if !all[i].step(|term, deadline| step.possible(term, k, false, deadline))? {
                    stands.push(i);
                }
            }
            step.pop();
            set = stands;
            if set.len() == before {
                break;
            }
        }
        set.iter().for_each(|&i| all[i].state = State::Done(Verdict::Proven { k }));
        Ok(())
    }

    /// Every cover of the model.
    pub fn covers(&self, model: &Model) -> Result<Vec<Cover>, FormalError> {
        let mut all: Vec<Candidate> = model.covers.iter().map(|p| Candidate::new(p, &self.effort)).collect();
        let mut reached = vec![None; all.len()];
        let mut base = Base::new(self, model)?;
        // In cycle 0 registers hold anything, which is no state that is reached.
        base.assume(0);
        for t in 1..self.effort.depth {
            base.assume(t);
            for (candidate, reached) in all.iter_mut().zip(&mut reached) {
                if candidate.state != State::Open || reached.is_some() {
                    continue;
                }
                match candidate.base(|term, deadline| base.solver.possible(term, t, true, deadline)) {
                    Ok(true) => *reached = Some(t),
                    Ok(false) => candidate.held = t + 1,
                    Err(SolverError::Time) => base.restart(t + 1)?,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        let cover = |(c, reached): (Candidate, Option<u32>)| {
            let searched = reached.map_or(c.held, |t| t + 1);
            Cover { name: c.property.name.clone(), reached, searched, seconds: c.spent.as_secs_f64() }
        };
        Ok(all.into_iter().zip(reached).map(cover).collect())
    }

    /// Fails if no run meets the assumptions for `depth` cycles: everything would hold of no run at all.
    pub fn assumptions(&self, model: &Model) -> Result<(), FormalError> {
        let mut base = Base::new(self, model)?;
        (0..self.effort.depth).for_each(|t| base.assume(t));
        match base.solver.check(Instant::now() + self.effort.limit) {
            Ok(false) => Err(FormalError::Assumptions { cycles: self.effort.depth }),
            // What takes so long is no plain contradiction; the covers have the last word.
            Ok(true) | Err(SolverError::Time) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl<'m> Candidate<'m> {
    fn new(property: &'m Property, effort: &Effort) -> Self {
        let spent = Duration::ZERO;
        Candidate { property, spent, step_left: effort.limit, base_left: effort.limit, held: 0, state: State::Open }
    }

    /// Asks about the step of the induction.
    fn step(&mut self, ask: impl FnOnce(Term, Instant) -> Result<bool, SolverError>) -> Result<bool, SolverError> {
        let (answer, time) = timed(|start| ask(self.property.term, start + self.step_left));
        self.spent += time;
        self.step_left = self.step_left.saturating_sub(time);
        answer
    }

    /// Asks about a cycle from reset.
    fn base(&mut self, ask: impl FnOnce(Term, Instant) -> Result<bool, SolverError>) -> Result<bool, SolverError> {
        let (answer, time) = timed(|start| ask(self.property.term, start + self.base_left));
        self.spent += time;
        self.base_left = self.base_left.saturating_sub(time);
        if answer == Err(SolverError::Time) {
            self.state = State::OutOfTime;
        }
        answer
    }

    fn is_proven(&self) -> bool {
        matches!(self.state, State::Done(Verdict::Proven { .. }))
    }

    fn finish(self) -> Checked {
        let verdict = match self.state {
            State::Done(verdict) => verdict,
            State::Open | State::OutOfTime => Verdict::Bounded { cycles: self.held },
        };
        Checked { name: self.property.name.clone(), verdict, seconds: self.spent.as_secs_f64() }
    }
}

fn timed<T>(ask: impl FnOnce(Instant) -> T) -> (T, Duration) {
    let start = Instant::now();
    let answer = ask(start);
    (answer, start.elapsed())
}

/// Runs from reset.
struct Base<'a, 'm> {
    engine: &'a Engine<'a>,
    model: &'m Model,
    solver: Unrolled<'m>,
    /// Cycles whose assumptions have been asserted.
    assumed: u32,
}

impl<'a, 'm> Base<'a, 'm> {
    fn new(engine: &'a Engine<'a>, model: &'m Model) -> Result<Self, FormalError> {
        let solver = Unrolled::new(model, engine.program, Start::Reset)?;
        Ok(Base { engine, model, solver, assumed: 0 })
    }

    /// A fresh solver, after one was ended for its time, with the assumptions of so many cycles.
    fn restart(&mut self, cycles: u32) -> Result<(), FormalError> {
        *self = Base::new(self.engine, self.model)?;
        (0..cycles).for_each(|t| self.assume(t));
        Ok(())
    }

    fn assume(&mut self, t: u32) {
        if t >= self.assumed {
            self.model.assumes.iter().for_each(|p| self.solver.assert(p.term, t, true));
            self.assumed = t + 1;
        }
    }

    /// Checks the open properties in each cycle before `depth`, cycle by cycle: an assumption must not hide a violation
    /// in an earlier cycle.
    fn up_to(&mut self, depth: u32, all: &mut [Candidate]) -> Result<(), FormalError> {
        let from = all.iter().filter(|c| c.state == State::Open).map(|c| c.held).min().unwrap_or(depth);
        for t in from..depth {
            self.assume(t);
            for candidate in all.iter_mut().filter(|c| c.state == State::Open && c.held == t) {
                let term = candidate.property.term;
                match candidate.base(|term, deadline| self.solver.possible(term, t, false, deadline)) {
                    Ok(false) => {
                        candidate.held = t + 1;
                        self.solver.assert(term, t, true);
                    }
                    Ok(true) => {
                        let trace = self.trace(term, t)?;
                        candidate.state = State::Done(Verdict::Failed { trace });
                    }
                    Err(SolverError::Time) => self.restart(t + 1)?,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    fn trace(&mut self, term: Term, t: u32) -> Result<Trace, FormalError> {
        let nets: Vec<_> = self.model.nets.iter().filter(|n| !n.name.contains('$') && !n.name.ends_with("_EN")).collect();
        let terms: Vec<Term> = nets.iter().map(|n| n.term).collect();
        let limit = self.engine.effort.limit.max(Duration::from_secs(10));
        let values = self.solver.run(&terms, term, false, t + 1, limit)?;
        Ok(Trace::new(nets.iter().map(|n| (n.name.clone(), n.width)), values))
    }
}
