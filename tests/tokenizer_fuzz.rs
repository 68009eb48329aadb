// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any text comes back from its tokens, whole or streamed. `HEDDLE_FUZZ_CASES` sets the number of cases (default 256).

use std::sync::LazyLock;

use heddle::model::embedded::embedded;
use heddle::model::gguf::Gguf;
use heddle::model::tokenizer::{EncodeOptions, Tokenizer};
use heddle_tb::tools::reference_file;
use proptest::prelude::*;

/// The embedded model's tokenizer, and llama.cpp's vocabularies where they are.
static TOKENIZERS: LazyLock<Vec<Tokenizer>> = LazyLock::new(|| {
    let nano = Gguf::from_static(embedded("nano").unwrap()).unwrap();
    let mut all = vec![Tokenizer::from_gguf(&nano).unwrap()];
    for name in ["llama-spm", "gpt-2"] {
        let path = reference_file(&format!("tokenizers/ggml-vocab-{name}.gguf"));
        all.extend(path.map(|path| Tokenizer::from_gguf(&Gguf::open(path).unwrap()).unwrap()));
    }
    all
});

fn cases() -> ProptestConfig {
    let cases = std::env::var("HEDDLE_FUZZ_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(256);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Texts of letters, digits, runs of spaces, other scripts, emoji and texts that look like special tokens.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[a-zA-Z' ]{1,12}",
        "[ \\t\\n\\u{a0}\\u{3000}]{1,5}",
        "[0-9.,!?;:-]{1,6}",
        "\\PC{1,6}",
        any::<char>().prop_map(String::from),
        prop::sample::select(vec!["<s>", "</s>", "<0x41>", "<|endoftext|>", "ié", "कि", "👩‍👩‍👧"]).prop_map(String::from),
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_text_comes_back(text in text()) {
        // U+2581 is what SPM writes for a space, so it cannot come back as itself.
        let text = text.replace('\u{2581}', "");
        for tokenizer in TOKENIZERS.iter() {
            let ids = tokenizer.encode(&text, EncodeOptions::TEXT);
            prop_assert_eq!(&tokenizer.decode(&ids), &text);
        }
    }

    #[test]
    fn streamed_text_has_no_broken_characters(text in text()) {
        let text = text.replace(['\u{2581}', '\u{fffd}'], "");
        for tokenizer in TOKENIZERS.iter() {
            let mut decoder = tokenizer.decoder_from_start();
            let mut shown = String::new();
            for id in tokenizer.encode(&text, EncodeOptions::TEXT) {
                shown.push_str(&decoder.push(id));
                prop_assert!(text.starts_with(&shown), "{:?} of {:?}", shown, text);
            }
            prop_assert_eq!(decoder.finish(), "");
            prop_assert_eq!(&shown, &text);
        }
    }

    #[test]
    fn any_ids_decode(ids in prop::collection::vec(0u32..60_000, 0..40)) {
        for tokenizer in TOKENIZERS.iter() {
            let text = tokenizer.decode(&ids);
            let mut decoder = tokenizer.decoder();
            let streamed: String = ids.iter().map(|&id| decoder.push(id)).collect();
            prop_assert!(text.len() <= streamed.len() + 3);
        }
    }
}
