// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every change of the mutation table is caught by its bench.

use heddle_tb::mutation::{run, run_unchanged, table};

#[test]
fn every_change_is_caught() {
    let table = table();
    assert!(table.len() >= 20);
    let mut survived = Vec::new();
    for mutation in &table {
        let name = format!("{}: {}: {}", mutation.module, mutation.net, mutation.change);
        let outcome = run(mutation).unwrap_or_else(|error| panic!("{name}: {error}"));
        if outcome.caught.is_none() {
            survived.push(name);
        }
    }
    assert!(survived.is_empty(), "not caught: {survived:#?}");
}

#[test]
fn the_benches_pass_without_a_change() {
    let mut seen = Vec::new();
    for mutation in table() {
        let name = mutation.bench.name();
        if !seen.contains(&name) {
            run_unchanged(&*mutation.bench).unwrap_or_else(|error| panic!("{error}"));
            seen.push(name);
        }
    }
}
