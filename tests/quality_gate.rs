// SPDX-License-Identifier: MIT OR Apache-2.0
//! The quality gate over a part of the reference texts; `heddle quality` runs it over all of them.

mod decoder_support;

use std::process::Command;

use decoder_support::{nano, shared, shared_path};
use heddle::model::tokenizer::{EncodeOptions, Tokenizer};
use heddle::quality::{QualityError, measure};
use heddle_core::config::Config;

/// Contexts that are judged of each text.
const TOKENS: usize = 3 * 512;

#[test]
fn every_format_passes() {
    let stories =
        ["Q8_0", "Q5_0", "Q4_1", "Q4_0"].map(|ty| (format!("stories260K/stories260K-h192-{ty}.gguf"), "text/tinystories_64k.txt"));
    let nano = ["q8_0", "q4_0"].map(|ty| (format!("nano/nano-shakespeare-{ty}.gguf"), "text/shakespeare_val.txt"));
    for (model, text) in stories.into_iter().chain(nano) {
        let (Some(gguf), Some(text)) = (shared(&model), shared_path(text)) else { return };
        let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
        let mut ids = tokenizer.encode(&std::fs::read_to_string(text).unwrap(), EncodeOptions::PROMPT);
        ids.truncate(TOKENS);
        let quality = measure(&gguf, &Config::base(), &ids, tokenizer.bos(), &|_, _| ()).unwrap();
        println!("{model}: {quality:.5?}, perplexity {:+.3} %", 100.0 * quality.ppl_change());
        assert!(quality.passes(), "{model}: {quality:?}");
    }
}

#[test]
fn a_short_text_is_refused() {
    let error = measure(&nano("nano"), &Config::base(), &[1; 255], Some(1), &|_, _| ()).unwrap_err();
    assert!(matches!(error, QualityError::ShortText { tokens: 255, context: 256 }));
}

#[test]
fn without_data_the_command_says_what_is_needed() {
    let dir = tempfile::tempdir().unwrap();
    let complaint = |args: &[&str], variable: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_heddle"));
        let output = command.arg("quality").args(args).env("HEDDLE_REFERENCE_DATA", variable).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let folder = dir.path().to_str().unwrap();
    for text in [complaint(&[], folder), complaint(&["--data", folder], "/nowhere")] {
        for part in [folder, "stories260K-h192-Q8_0.gguf", "docs/reference-data.md", "HEDDLE_REFERENCE_DATA", "--model and --text"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
