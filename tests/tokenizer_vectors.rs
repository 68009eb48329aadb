// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tokenizers against llama.cpp's own test vectors and the ids of the reference runs.

use std::time::{Duration, Instant};

use heddle::model::fetch::{Fetcher, named};
use heddle::model::gguf::Gguf;
use heddle::model::tokenizer::{EncodeOptions, Tokenizer};
use heddle_tb::tools::reference_file as shared;

fn tokenizer(path: &str) -> Option<Tokenizer> {
    let gguf = Gguf::open(shared(path)?).unwrap();
    Some(Tokenizer::from_gguf(&gguf).unwrap())
}

fn check_vectors(name: &str) {
    let file = format!("tokenizers/ggml-vocab-{name}.gguf");
    let Some(tokenizer) = tokenizer(&file) else {
        return;
    };
    let inputs = std::fs::read_to_string(shared(&format!("{file}.inp")).unwrap()).unwrap();
    let outputs = std::fs::read_to_string(shared(&format!("{file}.out")).unwrap()).unwrap();
    // Both files end with their separator: the 47th case is the empty text.
    let separator = "\n__ggml_vocab_test__\n";
    let inputs: Vec<&str> = inputs.split(separator).collect();
    let outputs: Vec<Vec<u32>> = outputs.split('\n').map(|l| l.split_whitespace().map(|id| id.parse().unwrap()).collect()).collect();
    assert_eq!((inputs.len(), outputs.len()), (47, 47));

    let mut passed = 0;
    for (input, wanted) in inputs.iter().zip(&outputs) {
        let ids = tokenizer.encode(input, EncodeOptions::TEXT);
        let back = tokenizer.decode(&ids);
        if ids == *wanted && back == *input {
            passed += 1;
        } else {
            println!("{input:?}\n  wanted {wanted:?}\n  found  {ids:?}\n  back   {back:?}");
        }
    }
    println!("{name}: {passed} of 47");
    assert_eq!(passed, 47);
}

#[test]
fn llama_spm_vectors() {
    check_vectors("llama-spm");
}

#[test]
fn gpt_2_vectors() {
    check_vectors("gpt-2");
}

/// The tokenizer of a reference run; SmolLM2 is taken from the cache of fetched models.
fn run_tokenizer(file: &str) -> Option<Tokenizer> {
    if !file.contains("SmolLM2") {
        return tokenizer(file);
    }
    let cached = Fetcher::from_env().ok()?.cached(named("smollm2")?);
    if cached.is_none() {
        println!("skipped: smollm2 is not in the cache of models");
    }
    Some(Tokenizer::from_gguf(&Gguf::open(cached?).unwrap()).unwrap())
}

#[test]
fn reference_runs_have_the_same_prompt_ids_and_text() {
    let Some(golden) = shared("golden/golden.json") else {
        return;
    };
    let golden: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(golden).unwrap()).unwrap();
    for (name, run) in golden.as_object().unwrap() {
        let Some(tokenizer) = run_tokenizer(run["file"].as_str().unwrap()) else {
            continue;
        };
        let ids = |key: &str| -> Vec<u32> { run[key].as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect() };
        let prompt = run["prompt"].as_str().unwrap();
        assert_eq!(tokenizer.encode(prompt, EncodeOptions::PROMPT), ids("prompt_ids"), "{name}");
        let mut decoder = tokenizer.decoder();
        let text: String = ids("greedy_ids").iter().map(|&id| decoder.push(id)).collect();
        assert_eq!(text + &decoder.finish(), run["text"].as_str().unwrap(), "{name}");
    }
}

/// Ids from llama.cpp's server (`/tokenize`, special tokens parsed).
#[test]
fn smollm_splits_as_llama_cpp_does() {
    let Some(tokenizer) = run_tokenizer("SmolLM2") else { return };
    let vectors: [(&str, &[u32]); 7] = [
        ("in  2024: 3.14", &[254, 256, 34, 32, 34, 36, 42, 216, 35, 30, 33, 36]),
        ("\n \n\n \t\n  a", &[3805, 8866, 197, 3805, 253]),
        ("it's THEY'RE 'we've", &[269, 506, 6462, 73, 23, 3256, 637, 677, 3543]),
        ("½ x² Ⅷ ١٢٣", &[16738, 1792, 19133, 216, 173, 223, 117, 216, 164, 111, 164, 112, 164, 113]),
        ("<|im_start|>user\nHi<|im_end|>\n", &[1, 4093, 198, 26843, 2, 198]),
        ("नमस्ते 🙂", &[30658, 35090, 38770, 16525, 26293, 30581, 47526]),
        (" ", &[216]),
    ];
    for (text, ids) in vectors {
        assert_eq!(tokenizer.encode(text, EncodeOptions::PROMPT), ids, "{text:?}");
    }
}

#[test]
fn long_texts_are_fast_and_come_back() {
    let Some(path) = shared("text/tinystories_64k.txt") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let one_word = "a".repeat(65536);
    let spaces = " ".repeat(65536);
    for file in ["tokenizers/ggml-vocab-llama-spm.gguf", "tokenizers/ggml-vocab-gpt-2.gguf"] {
        let Some(tokenizer) = tokenizer(file) else {
            return;
        };
        for text in [&text, &one_word, &spaces] {
            let start = Instant::now();
            let ids = tokenizer.encode(text, EncodeOptions::TEXT);
            let took = start.elapsed();
            println!("{file}: {} bytes, {} tokens, {took:?}", text.len(), ids.len());
            assert_eq!(&tokenizer.decode(&ids), text);
            // Quadratic merging takes minutes here; the bound only has to tell that apart on a busy machine.
            assert!(took < Duration::from_secs(10), "{took:?}");
        }
    }
}
