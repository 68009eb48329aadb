// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle verify --formal` as a user meets it: its JSON, its page, and what it says about bad input.

use heddle_tb::tools::have_formal;
use serde_json::Value;
use std::process::{Command, Output};

fn verify(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heddle")).arg("verify").args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn json_has_status_method_bound_and_time_of_each_property() {
    if !have_formal("json_has_status_method_bound_and_time_of_each_property") {
        return;
    }
    let output = verify(&["--formal", "counter", "--mutations", "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("counter_4_proof: 3 properties, 3 covers"), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let properties = report["properties"].as_array().unwrap();
    assert_eq!(properties.len(), 3);
    for property in properties {
        assert!(property["name"].as_str().unwrap().starts_with("counter_4_proof."), "{property}");
        assert_eq!((property["status"].as_str(), property["method"].as_str()), (Some("proven"), Some("induction k=1")));
        assert!(property["bound"].is_null() && property["seconds"].as_f64().unwrap() < 10.0, "{property}");
    }
    assert!(report["covers"].as_array().unwrap().iter().all(|c| c["status"] == "reached" && c["bound"].as_u64().unwrap() > 1));
    assert!(report["mutations"].as_array().unwrap().iter().all(|m| m["status"] == "violated" && m["bound"].as_u64().unwrap() > 0));
}

#[test]
fn the_table_and_the_page_name_each_property() {
    if !have_formal("the_table_and_the_page_name_each_property") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("formal.md");
    let output = verify(&["--formal", "counter", "--docs", page.to_str().unwrap()]);
    let printed = text(&output.stdout);
    assert!(output.status.success() && printed.contains("3 properties: 3 proven, 0 bounded, 0 failed"), "{printed}");
    for page in [printed, std::fs::read_to_string(page).unwrap()] {
        assert!(page.contains("counter_4_proof.within_limit") && page.contains("value_q: update 0 left out"), "{page}");
    }
}

#[test]
fn bad_input_is_refused_with_what_is_legal() {
    let refused = verify(&["--formal", "banana"]);
    assert_eq!(refused.status.code(), Some(2));
    let message = text(&refused.stderr);
    assert!(message.starts_with("error: no block matches `banana`; there are fifo, skid,"), "{message}");
    let refused = verify(&["fifo"]);
    assert!(!refused.status.success() && text(&refused.stderr).contains("--formal"), "{}", text(&refused.stderr));
}
