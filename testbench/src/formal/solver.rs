// SPDX-License-Identifier: MIT OR Apache-2.0
//! An SMT solver as a child process: SMT-LIB in, answers out, each within a deadline.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::Instant,
};

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SolverError {
    #[error("the solver `{program}` does not run: {reason}")]
    Start { program: String, reason: String },
    /// The time is over; the process has been ended.
    #[error("the solver gave no answer in time")]
    Time,
    #[error("the solver ended without an answer ({status})")]
    Ended { status: String },
    #[error("the solver answered `{answer}`")]
    Answer { answer: String },
}

/// A running solver. Dropping it ends the process.
#[derive(Debug)]
pub struct Solver {
    child: Child,
    /// Text for a thread that writes it, so that a solver that reads nothing cannot hold up the deadline.
    input: Option<Sender<String>>,
    lines: Receiver<String>,
}

impl Solver {
    /// Starts `program` for incremental problems of bit vectors.
    pub fn start(program: &Path) -> Result<Solver, SolverError> {
        let failed = |reason: String| SolverError::Start { program: program.display().to_string(), reason };
        let mut child = Command::new(program)
            .arg("--incremental")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| failed(e.to_string()))?;
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed("it has no pipes".into()));
        };
        let (input, texts) = channel::<String>();
        thread::spawn(move || {
            for text in texts {
                if stdin.write_all(text.as_bytes()).and_then(|()| stdin.flush()).is_err() {
                    return;
                }
            }
        });
        let (answers, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if answers.send(line).is_err() {
                    return;
                }
            }
        });
        let mut solver = Solver { child, input: Some(input), lines };
        solver.send("(set-option :produce-models true)\n(set-logic QF_BV)\n".into());
        Ok(solver)
    }

    /// Hands over commands that give no answer. A solver that has ended says so when it is asked next.
    pub fn send(&mut self, text: String) {
        if let Some(input) = &self.input {
            let _ = input.send(text);
        }
    }

    /// Whether what has been asserted can hold.
    pub fn check(&mut self, deadline: Instant) -> Result<bool, SolverError> {
        self.send("(check-sat)\n".into());
        let line = self.line(deadline)?;
        match line.trim() {
            "sat" => Ok(true),
            "unsat" => Ok(false),
            _ => Err(SolverError::Answer { answer: line }),
        }
    }

    /// The values of terms after a positive answer, most significant bit first, as `0` and `1`.
    pub fn values(&mut self, terms: &[String], deadline: Instant) -> Result<Vec<String>, SolverError> {
        let mut values = Vec::with_capacity(terms.len());
        for chunk in terms.chunks(64) {
            self.send(format!("(get-value ({}))\n", chunk.join(" ")));
            let answer = self.expression(deadline)?;
            let found: Vec<String> = answer.split(['(', ')']).filter_map(|pair| pair.split_whitespace().nth(1)).filter_map(bits).collect();
            if found.len() != chunk.len() {
                return Err(SolverError::Answer { answer });
            }
            values.extend(found);
        }
        Ok(values)
    }

    /// Lines up to the end of one expression.
    fn expression(&mut self, deadline: Instant) -> Result<String, SolverError> {
        let mut text = String::new();
        loop {
            text += &self.line(deadline)?;
            text.push('\n');
            let count = |wanted: char| text.chars().filter(|&c| c == wanted).count();
            if count('(') == count(')') {
                return Ok(text);
            }
        }
    }

    fn line(&mut self, deadline: Instant) -> Result<String, SolverError> {
        match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => Ok(line),
            Err(RecvTimeoutError::Timeout) => {
                self.end();
                Err(SolverError::Time)
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.child.wait().map_or_else(|e| e.to_string(), |s| s.to_string());
                Err(SolverError::Ended { status })
            }
        }
    }

    fn end(&mut self) {
        self.input = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Solver {
    fn drop(&mut self) {
        self.end();
    }
}

/// `#b0101`, `true` and `false` as bits.
fn bits(value: &str) -> Option<String> {
    match value {
        "true" => Some("1".into()),
        "false" => Some("0".into()),
        _ => value.strip_prefix("#b").map(str::to_owned),
    }
}
