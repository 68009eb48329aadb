// SPDX-License-Identifier: MIT OR Apache-2.0
//! A model written cycle by cycle into a solver.
//!
//! A register of cycle t is defined as its next value of cycle t-1, and only what a question depends on is written.

use super::{
    model::{Body, Model, Piece, Term},
    solver::{Solver, SolverError},
};
use std::{
    collections::HashSet,
    path::Path,
    time::{Duration, Instant},
};

/// The state before the first cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Registers hold anything and `rst_i` is high in cycle 0; later it is an input like any other.
    Reset,
    /// Any state: the step of an induction.
    Anywhere,
}

/// The name of the reset input in the emitted Verilog.
const RESET: &str = "rst_i";

/// A model in a solver of its own.
pub struct Unrolled<'m> {
    model: &'m Model,
    start: Start,
    solver: Solver,
    written: HashSet<(Term, u32)>,
    reset: Option<Term>,
    /// Definitions on their way to the solver.
    text: String,
}

impl<'m> Unrolled<'m> {
    pub fn new(model: &'m Model, program: &Path, start: Start) -> Result<Self, SolverError> {
        let solver = Solver::start(program)?;
        let reset = model.net(RESET).and_then(|net| match &model.terms[net.term].body {
            Body::Defined(pieces) => pieces.iter().find_map(|p| if let Piece::Term(t) = p { Some(*t) } else { None }),
            _ => None,
        });
        let mut new = Unrolled { model, start, solver, written: HashSet::new(), reset, text: String::new() };
        if start == Start::Reset {
            for equation in &model.initial {
                new.write_all(equation, 0);
                let body = render(equation, 0);
                new.text += &format!("(assert {body})\n");
            }
        }
        Ok(new)
    }

    /// `term` holds, or does not, in a cycle from now on.
    pub fn assert(&mut self, term: Term, cycle: u32, holds: bool) {
        self.write(term, cycle);
        let name = name(term, cycle);
        self.text += &if holds { format!("(assert {name})\n") } else { format!("(assert (not {name}))\n") };
    }

    /// Whether the term can have the value, with all that has been asserted; forgets the question.
    pub fn possible(&mut self, term: Term, cycle: u32, value: bool, deadline: Instant) -> Result<bool, SolverError> {
        self.write(term, cycle);
        self.push();
        self.assert(term, cycle, value);
        let answer = self.check(deadline);
        self.pop();
        answer
    }

    /// Whether all that has been asserted can hold.
    pub fn check(&mut self, deadline: Instant) -> Result<bool, SolverError> {
        self.flush();
        self.solver.check(deadline)
    }

    /// What is asserted after this is forgotten by [`Unrolled::pop`]. Terms must have been written before.
    pub fn push(&mut self) {
        self.text += "(push 1)\n";
    }

    pub fn pop(&mut self) {
        self.text += "(pop 1)\n";
    }

    /// Values of terms in the cycles `0..cycles` of a run in which `term` has `value` in the last: per cycle, as bits.
    pub fn run(&mut self, terms: &[Term], term: Term, value: bool, cycles: u32, limit: Duration) -> Result<Vec<Vec<String>>, SolverError> {
        let deadline = Instant::now() + limit;
        (0..cycles).for_each(|t| terms.iter().for_each(|&term| self.write(term, t)));
        self.push();
        self.assert(term, cycles - 1, value);
        if !self.check(deadline)? {
            return Err(SolverError::Answer { answer: "unsat to a question that it answered with sat before".into() });
        }
        let mut values = Vec::new();
        for t in 0..cycles {
            let names: Vec<String> = terms.iter().map(|&term| name(term, t)).collect();
            values.push(self.solver.values(&names, deadline)?);
        }
        self.pop();
        Ok(values)
    }

    fn flush(&mut self) {
        self.solver.send(std::mem::take(&mut self.text));
    }

    /// Writes the term and all that it depends on; with a stack of its own, since chains grow with the cycles.
    pub fn write(&mut self, term: Term, cycle: u32) {
        let mut stack = vec![(term, cycle, false)];
        while let Some((term, cycle, ready)) = stack.pop() {
            if self.written.contains(&(term, cycle)) {
                continue;
            }
            let (pieces, of) = self.source(term, cycle);
            if ready {
                self.define(term, cycle, pieces, of);
                continue;
            }
            stack.push((term, cycle, true));
            let needed = pieces.iter().flat_map(|p| p.iter()).filter_map(|p| if let Piece::Term(t) = p { Some(*t) } else { None });
            stack.extend(needed.map(|t| (t, of, false)));
        }
    }

    fn write_all(&mut self, pieces: &[Piece], cycle: u32) {
        for piece in pieces {
            if let Piece::Term(term) = piece {
                self.write(*term, cycle);
            }
        }
    }

    /// What a term of a cycle is made of, and the cycle that this is of; `None`: any value.
    fn source(&self, term: Term, cycle: u32) -> (Option<&'m [Piece]>, u32) {
        match &self.model.terms[term].body {
            Body::Defined(pieces) => (Some(pieces), cycle),
            Body::Register(next) if cycle > 0 => (Some(next), cycle - 1),
            Body::Register(_) | Body::Free => (None, cycle),
        }
    }

    fn define(&mut self, term: Term, cycle: u32, pieces: Option<&[Piece]>, of: u32) {
        let (name, sort) = (name(term, cycle), &self.model.terms[term].sort);
        self.text += &match pieces {
            Some(pieces) => format!("(define-fun {name} () {sort} {})\n", render(pieces, of)),
            None if cycle == 0 && self.start == Start::Reset && self.reset == Some(term) => {
                // An input is a truth value or a vector of one bit, as it is used first.
                format!("(define-fun {name} () {sort} {})\n", if sort == "Bool" { "true" } else { "#b1" })
            }
            None => format!("(declare-fun {name} () {sort})\n"),
        };
        self.written.insert((term, cycle));
    }
}

fn name(term: Term, cycle: u32) -> String {
    format!("x{term}_{cycle}")
}

fn render(pieces: &[Piece], cycle: u32) -> String {
    pieces.iter().fold(String::new(), |mut text, piece| {
        match piece {
            Piece::Text(t) => text += t,
            Piece::Term(term) => text += &name(*term, cycle),
        }
        text
    })
}
