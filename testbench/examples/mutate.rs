// SPDX-License-Identifier: MIT OR Apache-2.0
//! The mutation check as a table: `cargo run --release -p heddle-tb --example mutate [WORD]`, where a word selects the
//! mutations whose module contains it. Exit status 1 if a change survives.

use heddle_tb::mutation::{MutationError, run, run_unchanged, table};
use std::{process::ExitCode, time::Instant};

fn main() -> ExitCode {
    match check(&std::env::args().nth(1).unwrap_or_default()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the table; the number of changes that survived.
fn check(word: &str) -> Result<usize, MutationError> {
    // A bench that trips over a broken block is a catch, not a crash to be reported.
    std::panic::set_hook(Box::new(|_| {}));
    let start = Instant::now();
    let table: Vec<_> = table().into_iter().filter(|m| m.module.contains(word)).collect();
    let mut unchanged = Vec::new();
    let mut survived = 0;
    println!("{:<16} {:<22} {:<34} {:>7}  caught by", "module", "net", "change", "time");
    for mutation in &table {
        let bench = mutation.bench.name();
        if !unchanged.contains(&bench) {
            run_unchanged(&*mutation.bench)?;
            unchanged.push(bench.clone());
        }
        let outcome = run(mutation)?;
        let verdict = match &outcome.caught {
            Some(what) => format!("{bench}: {what}"),
            None => {
                survived += 1;
                format!("SURVIVED {bench}")
            }
        };
        let (net, change) = (mutation.net, mutation.change.to_string());
        println!("{:<16} {net:<22} {change:<34} {:>4} ms  {verdict}", mutation.module, outcome.time.as_millis());
    }
    println!("{} changes, {} caught, {survived} survived, {:.1} s", table.len(), table.len() - survived, start.elapsed().as_secs_f64());
    Ok(survived)
}
