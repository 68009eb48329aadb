// SPDX-License-Identifier: MIT OR Apache-2.0
//! A module as Yosys writes it in SMT-LIB (`write_smt2 -wires`): terms over a state, and the next value of each register.
//!
//! Every definition there is a function of a state. Here its text is cut where it refers to others, so that
//! [`super::unroll`] can write it for a numbered cycle: plain bit vectors, no uninterpreted functions.

use std::collections::HashMap;

/// Index of a term.
pub type Term = usize;

/// Part of a term's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    Term(Term),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// An input, or what nothing drives: any value in each cycle.
    Free,
    /// Holds its value from cycle to cycle as the pieces of the cycle before say.
    Register(Vec<Piece>),
    Defined(Vec<Piece>),
}

/// What is known of a term.
#[derive(Debug, Clone)]
pub struct Definition {
    pub sort: String,
    pub body: Body,
}

/// A named net of the flattened module: `unit.count_q`.
#[derive(Debug, Clone)]
pub struct Net {
    pub name: String,
    pub term: Term,
    pub width: u32,
}

/// An assertion, assumption or cover by its path: `unit.count_in_range`.
#[derive(Debug, Clone)]
pub struct Property {
    pub name: String,
    pub term: Term,
}

/// The flattened module.
#[derive(Debug, Clone, Default)]
pub struct Model {
    pub terms: Vec<Definition>,
    /// What holds of the state before the first cycle: initial contents of memories.
    pub initial: Vec<Vec<Piece>>,
    pub nets: Vec<Net>,
    pub asserts: Vec<Property>,
    pub assumes: Vec<Property>,
    pub covers: Vec<Property>,
}

/// Text that is not what Yosys 0.70 writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read what Yosys wrote: {what}: `{text}`")]
pub struct ParseError {
    pub what: &'static str,
    pub text: String,
}

fn unexpected(what: &'static str, text: &str) -> ParseError {
    ParseError { what, text: text.chars().take(120).collect() }
}

impl Model {
    pub fn parse(text: &str) -> Result<Model, ParseError> {
        let mut reader = Reader::default();
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            let end = match c {
                ';' => text[at..].find('\n').map_or(text.len(), |n| at + n),
                '(' => expression_end(text, at).ok_or_else(|| unexpected("an expression has no end", &text[at..]))?,
                _ => at + c.len_utf8(),
            };
            match c {
                ';' => reader.comment(&text[at + 1..end]),
                '(' => reader.form(&text[at..end])?,
                _ => {}
            }
            at = end;
        }
        Ok(reader.model)
    }

    pub fn net(&self, name: &str) -> Option<&Net> {
        self.nets.iter().find(|n| n.name == name)
    }
}

/// Where the expression that starts at `at` ends.
fn expression_end(text: &str, at: usize) -> Option<usize> {
    let (mut depth, mut quoted, mut comment) = (0usize, false, false);
    for (i, c) in text[at..].char_indices() {
        match c {
            '\n' => comment = false,
            _ if comment => {}
            '|' => quoted = !quoted,
            _ if quoted => {}
            ';' => comment = true,
            '(' => depth += 1,
            ')' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + i + 1);
                }
            }
            _ => {}
        }
    }
    None
}

#[derive(Default)]
struct Reader {
    model: Model,
    top: String,
    known: HashMap<String, Term>,
    /// Width of the net that is defined next.
    widths: HashMap<String, u32>,
    /// Kind and name of the property that is defined next.
    property: Option<(String, String)>,
}

impl Reader {
    fn comment(&mut self, text: &str) {
        let mut words = text.split_whitespace();
        let (keyword, rest) = (words.next().unwrap_or_default(), words.collect::<Vec<_>>());
        match (keyword, rest.as_slice()) {
            ("yosys-smt2-module", [name]) => self.top = (*name).to_owned(),
            ("yosys-smt2-wire", [name, width]) => {
                self.widths.insert((*name).to_owned(), width.parse().unwrap_or(1));
            }
            ("yosys-smt2-assert" | "yosys-smt2-assume" | "yosys-smt2-cover", [_, name]) => {
                self.property = Some((keyword.to_owned(), (*name).to_owned()));
            }
            _ => {}
        }
    }

    /// `(declare-fun |name| (...) sort)` or `(define-fun |name| (...) sort body)`.
    fn form(&mut self, text: &str) -> Result<(), ParseError> {
        let wrong = |what| unexpected(what, text);
        let inner = &text[1..text.len() - 1];
        let (keyword, rest) = inner.split_once(' ').ok_or_else(|| wrong("a command"))?;
        if keyword == "declare-sort" {
            return Ok(());
        }
        let rest = rest.trim_start().strip_prefix('|').ok_or_else(|| wrong("a name"))?;
        let (name, rest) = rest.split_once('|').ok_or_else(|| wrong("a name"))?;
        let rest = rest.trim_start();
        let parameters = expression_end(rest, 0).ok_or_else(|| wrong("parameters"))?;
        let rest = rest[parameters..].trim_start();
        let sort_end = if rest.starts_with('(') { expression_end(rest, 0).ok_or_else(|| wrong("a sort"))? } else { word(rest) };
        let (sort, body) = (rest[..sort_end].to_owned(), rest[sort_end..].trim());
        match (keyword, name.strip_prefix(&self.top).unwrap_or(name)) {
            // The initial state's mark and the sums of what is listed by itself.
            (_, "_is" | "_a" | "_u" | "_h") => Ok(()),
            (_, "_i") => self.initial(body),
            (_, "_t") => self.transition(body),
            ("declare-fun", _) => {
                self.define(name, sort, Body::Free);
                Ok(())
            }
            ("define-fun", _) => {
                let body = Body::Defined(self.pieces(body)?);
                let term = self.define(name, sort, body);
                self.record(name, term);
                Ok(())
            }
            _ => Err(wrong("a command")),
        }
    }

    fn define(&mut self, name: &str, sort: String, body: Body) -> Term {
        self.model.terms.push(Definition { sort, body });
        self.known.insert(name.to_owned(), self.model.terms.len() - 1);
        self.model.terms.len() - 1
    }

    /// A term that stands for a net or a property is listed by its name.
    fn record(&mut self, name: &str, term: Term) {
        if let Some(net) = name.strip_prefix(&self.top).and_then(|n| n.strip_prefix("_n "))
            && let Some(width) = self.widths.remove(net)
        {
            self.model.nets.push(Net { name: net.to_owned(), term, width });
        } else if let Some((kind, name)) = self.property.take() {
            let list = match kind.as_str() {
                "yosys-smt2-assert" => &mut self.model.asserts,
                "yosys-smt2-assume" => &mut self.model.assumes,
                _ => &mut self.model.covers,
            };
            list.push(Property { name, term });
        }
    }

    /// The text with its references to other terms cut out.
    fn pieces(&self, text: &str) -> Result<Vec<Piece>, ParseError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("(|") {
            let (name, after) = after.split_once('|').ok_or_else(|| unexpected("a reference", rest))?;
            let term = self.known.get(name).ok_or_else(|| unexpected("a name that is not known", name))?;
            let after = after.strip_prefix(" state)").or_else(|| after.strip_prefix(" next_state)"));
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Term(*term));
            rest = after.ok_or_else(|| unexpected("a reference without a state", rest))?;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(pieces)
    }

    fn initial(&mut self, body: &str) -> Result<(), ParseError> {
        for equation in conjuncts(body) {
            let pieces = self.pieces(equation)?;
            self.model.initial.push(pieces);
        }
        Ok(())
    }

    /// `(= value (|register| next_state))` for each register.
    fn transition(&mut self, body: &str) -> Result<(), ParseError> {
        for equation in conjuncts(body) {
            let wrong = || unexpected("a register's next value", equation);
            let (value, register) = equation.strip_prefix("(= ").and_then(|e| e.rsplit_once(" (|")).ok_or_else(wrong)?;
            let register = register.strip_suffix("| next_state))").ok_or_else(wrong)?;
            let next = self.pieces(value)?;
            let term = *self.known.get(register).ok_or_else(wrong)?;
            if self.model.terms[term].body != Body::Free {
                return Err(wrong());
            }
            self.model.terms[term].body = Body::Register(next);
        }
        Ok(())
    }
}

/// The equations of `(and ...)`, of a single one, or of `true`, without comments.
fn conjuncts(body: &str) -> Vec<&str> {
    let inner = body.strip_prefix("(and").map_or(body, |rest| &rest[..rest.len() - 1]);
    inner.lines().map(str::trim).filter(|l| l.starts_with('(')).filter_map(|l| Some(&l[..expression_end(l, 0)?])).collect()
}

/// Length of the first word.
fn word(text: &str) -> usize {
    text.find(char::is_whitespace).unwrap_or(text.len())
}
