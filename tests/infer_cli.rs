// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle infer` as a user meets it, on the golden device: what it prints, and what it says about bad input.

mod cli_support;
mod decoder_support;

use std::process::{Command, Output};

use decoder_support::{shared_path, tiny::Tiny};
use heddle::model::embedded::embedded;
use heddle_tb::tools::have_verilator;
use serde_json::Value;

fn heddle(args: &[&str]) -> Output {
    // No Verilator anywhere, no home: nothing here may need either.
    Command::new(env!("CARGO_BIN_EXE_heddle")).args(args).env("HEDDLE_VERILATOR", "/nowhere/verilator").output().unwrap()
}

fn golden(args: &[&str]) -> Output {
    heddle(&[&["infer", "--transport", "golden"], args].concat())
}

fn json(args: &[&str]) -> Value {
    let output = golden(&[&["--json"], args].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refusal(args: &[&str]) -> String {
    cli_support::message(heddle(args))
}

#[test]
fn one_json_object_with_what_was_asked_for() {
    let run = json(&["--tokens", "12"]);
    let ids: Vec<u64> = run["ids"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap()).collect();
    assert_eq!((ids.len(), run["per_token"].as_array().unwrap().len()), (12, 12));
    assert_eq!(run["prompt_ids"], serde_json::json!([1, 503, 370, 499, 475]));
    assert_eq!(run["finish"], "length");
    assert!(run["text"].as_str().unwrap().len() > 12);
    assert!(run["tokens_per_s"].as_f64().unwrap() > 0.0);
    assert!(run["cycles_per_token"].is_null() && run["port_use"].is_null());
    // Every weight passes once for each token: 22 matrices, 1.9 M weights in 18 bytes for 32; the rest is vectors and results.
    let bytes = run["bytes_per_token"].as_f64().unwrap();
    assert!((1.09e6..1.11e6).contains(&bytes), "{bytes}");
    assert_eq!(run["per_token"][0]["tokens"], 5);
    assert_eq!(run["per_token"][3]["id"], run["ids"][3]);
    assert!(run["counters"]["blocks"].as_u64().unwrap() > 0 && run["counters"]["write_beats"].as_u64().unwrap() > 0);
    assert!(run["counters"]["cycles"].is_null() && run["counters"]["array_busy"].is_null());
}

#[test]
fn a_seed_gives_one_text_and_greedy_needs_none() {
    let ids = |args: &[&str]| json(&[&["--tokens", "20"], args].concat())["ids"].clone();
    assert_eq!(ids(&["--seed", "5"]), ids(&["--seed", "5"]));
    assert_ne!(ids(&["--seed", "5"]), ids(&["--seed", "6"]));
    assert_eq!(ids(&["--greedy", "--seed", "5"]), ids(&["--temperature", "0", "--seed", "6"]));
    assert_eq!(ids(&["--top-k", "1"]), ids(&["--greedy"]));
    assert_eq!(ids(&["--greedy", "--preset", "wide"]), ids(&["--greedy", "--set", "array.columns=1"]));
    assert_ne!(ids(&["--greedy", "--repeat-penalty", "1.8"]), ids(&["--greedy"]));
}

#[test]
fn text_goes_to_the_output_and_figures_beside_it() {
    let output = golden(&["--tokens", "10", "--greedy"]);
    let (text, figures) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(text.starts_with("KING:\n"), "{text}");
    assert!(figures.contains("5 prompt tokens, 10 new tokens") && figures.contains("bytes per token"), "{figures}");
    let bare = heddle(&["--transport", "golden", "--tokens", "10", "--greedy"]);
    assert_eq!(String::from_utf8(bare.stdout).unwrap(), text);
}

#[test]
fn generation_ends_with_the_context() {
    let run = json(&["--tokens", "1000", "--prompt", &"I ".repeat(120)]);
    assert_eq!(run["finish"], "context");
    let all = run["ids"].as_array().unwrap().len() + run["prompt_ids"].as_array().unwrap().len();
    assert_eq!(all, 256 + 1); // the last token is not read again
}

#[test]
fn a_prompt_longer_than_the_context_is_refused() {
    let text = refusal(&["infer", "--prompt", &"I ".repeat(300)]);
    assert!(text.contains("context holds 256") && text.contains("shorten the prompt"), "{text}");
}

#[test]
fn unknown_names_are_told_with_those_there_are() {
    let text = refusal(&["infer", "--preset", "huge"]);
    assert!(text.contains("unknown preset `huge`") && text.contains("nano, small, base, gated, wide"), "{text}");
    let text = refusal(&["infer", "--set", "array.lane=3"]);
    assert!(text.contains("array.lane") && text.contains("array.lanes"), "{text}");
    let text = refusal(&["infer", "--set", "array.lanes=3"]);
    assert!(text.contains("array.lanes = 3: must be one of 4, 8, 16, 32"), "{text}");
    let text = refusal(&["infer", "--model", "gpt5"]);
    assert!(text.contains("`gpt5`") && text.contains("nano"), "{text}");
    let text = refusal(&["infer", "--model", "absent.gguf"]);
    assert!(text.contains("cannot read `absent.gguf`"), "{text}");
    let text = refusal(&["infer", "--config", "absent.toml"]);
    assert!(text.contains("absent.toml"), "{text}");
    assert!(refusal(&["infer", "--transport", "card"]).contains("sim, golden"));
}

#[test]
fn sampling_values_out_of_range_are_refused() {
    let text = refusal(&["infer", "--temperature", "-1"]);
    assert!(text.contains("temperature") && text.contains("-1"), "{text}");
    assert!(refusal(&["infer", "--top-p", "0"]).contains("`top_p` is 0 (legal: above 0, up to 1)"));
}

#[test]
fn a_configuration_file_is_used_and_its_errors_are_shown_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.toml");
    let mut config = heddle_core::config::Config::small();
    config.name = "mine".into();
    std::fs::write(&path, config.to_toml()).unwrap();
    let run = json(&["--tokens", "1", "--config", path.to_str().unwrap()]);
    assert_eq!((run["hardware"].as_str(), run["digest"].as_str()), (Some("mine"), Some(config.digest_hex().as_str())));
    std::fs::write(&path, config.to_toml().replace("lanes = 16", "lanes = 17")).unwrap();
    let text = refusal(&["infer", "--config", path.to_str().unwrap()]);
    assert!(text.contains("array.lanes = 17 is not legal") && text.contains("mine.toml"), "{text}");
}

#[test]
fn files_that_are_no_models_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bad.gguf");
    let refused = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let text = refusal(&["infer", "--model", path.to_str().unwrap()]);
        assert!(text.contains("bad.gguf"), "{text}");
        text
    };
    let whole = embedded("nano").unwrap();
    assert!(refused(b"").contains("GGUF"));
    assert!(refused(b"PK\x03\x04 a zip file").contains("not a GGUF file"));
    assert!(refused(&whole[..whole.len() / 2]).contains("cut short"));
    assert!(refused(&whole[..100]).contains("cut short"));
}

#[test]
fn models_that_cannot_run_are_refused_before_anything_is_built() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tiny.gguf");
    let model = path.to_str().unwrap();
    std::fs::write(&path, Tiny { ffn: 288, ..Tiny::default() }.bytes()).unwrap();
    assert!(refusal(&["infer", "--model", model, "--set", "activations.blocks=8"]).contains("blk.0.ffn_down.weight"));
    assert!(refusal(&["infer", "--set", "memory.size_mib=1"]).contains("memory.size_mib=2"));
    if let Some(path) = shared_path("stories260K/stories260K-h172-F32.gguf") {
        assert!(refusal(&["infer", "--model", path.to_str().unwrap()]).contains("blk.0.ffn_down.weight"));
    }
    if let Some(path) = shared_path("nano/nano-shakespeare-q6_k.gguf") {
        assert!(refusal(&["infer", "--model", path.to_str().unwrap()]).contains("Q6_K, which is not supported (supported: "));
    }
}

#[test]
fn a_missing_verilator_says_what_to_do() {
    let text = refusal(&["infer", "--tokens", "1"]);
    assert!(text.contains("HEDDLE_VERILATOR") && text.contains("/nowhere/verilator"), "{text}");
}

#[test]
fn waveforms_need_a_simulation_and_a_format() {
    assert!(refusal(&["infer", "--transport", "golden", "--trace", "a.vcd"]).contains("--transport sim"));
    assert!(refusal(&["infer", "--trace", "a.txt"]).contains(".vcd or .fst"));
    assert!(refusal(&["infer", "--trace-from", "5"]).contains("--trace"));
    assert!(refusal(&["infer", "--trace", "a.vcd", "--trace-cycles", "0"]).contains("0 is not in 1.."));
    let dir = tempfile::tempdir().unwrap();
    let (file, absent) = (dir.path().join("file"), dir.path().join("absent/a.vcd"));
    std::fs::write(&file, "").unwrap();
    for path in [&absent, &file.join("a.fst")] {
        let text = refusal(&["infer", "--trace", path.to_str().unwrap()]);
        assert!(text.contains(&format!("--trace {}: cannot write the file: ", path.display())), "{text}");
        assert!(!text.contains("BuildOptions") && !path.exists(), "{text}");
    }
}

/// The simulated accelerator, found as a user's run finds it.
fn simulated(args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_heddle")).args(["infer", "--greedy"]).args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn a_simulated_run_tells_its_cycles() {
    if !have_verilator("a_simulated_run_tells_its_cycles") {
        return;
    }
    let run: Value = serde_json::from_slice(&simulated(&["--tokens", "3", "--json"]).stdout).unwrap();
    let model = json(&["--tokens", "3", "--greedy"]);
    assert_eq!(run["ids"], model["ids"]);
    // The golden model counts the same work, and knows nothing of time.
    const WORK: [&str; 5] = ["read_beats", "write_beats", "blocks", "rows", "descriptors"];
    for work in WORK {
        assert!(run["counters"][work].as_u64().unwrap() > 0, "{work}");
        assert_eq!(run["counters"][work], model["counters"][work], "{work}");
    }
    assert_eq!(run["bytes_per_token"], model["bytes_per_token"]);
    for (counter, value) in run["counters"].as_object().unwrap() {
        assert!(value.is_u64(), "{counter}");
        assert_eq!(model["counters"][counter].is_null(), !WORK.contains(&counter.as_str()), "{counter}");
    }
    let number = |key: &str| run[key].as_f64().unwrap_or_else(|| panic!("{key} is not a number"));
    assert!((0.9..1.0).contains(&number("port_use")), "{}", run["port_use"]);
    let at_clock = number("clock_mhz") * 1e6 / number("cycles_per_token");
    assert!((number("tokens_per_s_at_clock") - at_clock).abs() < 1.0);
    assert!(run["per_token"][1]["cycles"].as_u64().unwrap() > 60_000);
    assert!(run["counters"]["read_beats"].as_u64().unwrap() > 0);

    let output = simulated(&["--tokens", "3"]);
    let report = String::from_utf8(output.stderr).unwrap();
    for part in ["cycles per token", "tokens/s", "120 MHz", "memory port", "bytes per token"] {
        assert!(report.contains(part), "{part}: {report}");
    }
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("KING:"));
}

#[test]
fn a_window_of_a_run_becomes_waveforms() {
    if !have_verilator("a_window_of_a_run_becomes_waveforms") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.vcd");
    simulated(&["--preset", "nano", "--trace", path.to_str().unwrap(), "--trace-from", "5000", "--trace-cycles", "40", "--tokens", "3"]);
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains("$enddefinitions") && text.contains("m_axi_rdata_i") && text.contains("state_q"), "{}", text.len());
    let times: Vec<u64> = text.lines().filter_map(|l| l.strip_prefix('#')?.parse().ok()).collect();
    assert!(times.len() > 40 && times.len() < 200, "{} times", times.len());
}

#[test]
fn a_window_after_the_end_is_told() {
    if !have_verilator("a_window_after_the_end_is_told") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.vcd");
    let run = |from: &str| {
        let output = simulated(&["--preset", "nano", "--trace", path.to_str().unwrap(), "--trace-from", from, "--tokens", "1"]);
        String::from_utf8(output.stderr).unwrap()
    };
    let text = run("99000000000");
    assert!(text.contains("warning: the run ended at cycle ") && text.contains("before --trace-from 99000000000: no waves"), "{text}");
    assert!(!run("5000").contains("warning"));
}

#[test]
fn a_cache_that_cannot_be_written_names_its_variable() {
    if !have_verilator("a_cache_that_cannot_be_written_names_its_variable") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_heddle")).arg("--tokens=1").env("HEDDLE_CACHE", &file).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("Not a directory") && text.contains("set HEDDLE_CACHE to a folder"), "{text}");
}
