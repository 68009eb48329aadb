// SPDX-License-Identifier: MIT OR Apache-2.0
//! The decoder on the golden device: deterministic, independent of geometry and batches, close to llama.cpp.

mod decoder_support;

use std::sync::Arc;

use decoder_support::{Npz, argmax, decoder, greedy, nano, shared};
use heddle::model::gguf::Gguf;
use heddle::model::tokenizer::{EncodeOptions, Tokenizer};
use heddle_core::config::{Config, PRESETS};
use heddle_core::numerics::F24;
use proptest::prelude::*;

const FORMATS: [&str; 4] = ["Q8_0", "Q5_0", "Q4_1", "Q4_0"];

/// The embedded models, and stories260K in every format if it is there; each with its prompt.
fn models() -> Vec<(String, Arc<Gguf>, Vec<u32>)> {
    let mut all = Vec::new();
    for name in ["nano-q4_0", "nano-q8_0"] {
        let gguf = nano(name);
        let prompt = Tokenizer::from_gguf(&gguf).unwrap().encode("KING:", EncodeOptions::PROMPT);
        all.push((name.to_string(), gguf, prompt));
    }
    for ty in FORMATS {
        let Some(gguf) = shared(&format!("stories260K/stories260K-h192-{ty}.gguf")) else { break };
        all.push((ty.to_string(), gguf, vec![1, 403, 407, 261, 378]));
    }
    all
}

#[test]
fn greedy_ids_are_the_same_for_every_preset() {
    for (name, gguf, prompt) in models() {
        let want = greedy(&mut decoder(&gguf, &Config::base()), &prompt, 64);
        assert_eq!(want.len(), 64, "{name}");
        for preset in PRESETS {
            let config = Config::preset(preset).unwrap().with_settings(&["formats=q8_0,q4_0,q4_1,q5_0"]).unwrap();
            assert_eq!(greedy(&mut decoder(&gguf, &config), &prompt, 64), want, "{name} {preset}");
        }
    }
}

#[test]
fn a_reset_decoder_repeats_itself() {
    let mut decoder = decoder(&nano("nano"), &Config::small());
    let first = greedy(&mut decoder, &[1, 503, 370], 20);
    decoder.reset();
    assert_eq!(greedy(&mut decoder, &[1, 503, 370], 20), first);
}

#[test]
fn a_batch_equals_token_by_token() {
    let ids: Vec<u32> = (0..23).map(|i| 1 + i * 37 % 500).collect();
    for (name, gguf, _) in models() {
        let mut single = decoder(&gguf, &Config::base().with_settings(&["array.columns=1"]).unwrap());
        let want: Vec<F24> = ids.iter().flat_map(|id| single.prefill(&[*id]).unwrap()).collect();
        for columns in [2, 4, 8] {
            let config = Config::base().with_settings(&[format!("array.columns={columns}")]).unwrap();
            let mut batched = decoder(&gguf, &config);
            assert!(batched.logits_of_each(&ids).unwrap() == want, "{name}, {columns} columns");
            batched.reset();
            assert!(batched.prefill(&ids).unwrap() == want[want.len() - gguf_vocab(&gguf)..], "{name}, {columns} columns");
        }
    }
}

fn gguf_vocab(gguf: &Gguf) -> usize {
    gguf.tensor("token_embd.weight").unwrap().rows()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn same_logits_for_any_geometry(lanes in 2u32..8, columns in 1u32..9, port in 5u32..10, format in 0usize..2, ids in proptest::collection::vec(0u32..512, 1..12)) {
        let (lanes, port) = (1 << lanes, 1u32 << port);
        prop_assume!(lanes / 32 <= port / 16);
        let gguf = nano(["nano-q4_0", "nano-q8_0"][format]);
        let settings = [format!("array.lanes={lanes}"), format!("array.columns={columns}"), format!("memory.port_bits={port}"), "memory.burst_beats=16".into()];
        let config = Config::base().with_settings(&settings).unwrap();
        let want = decoder(&gguf, &Config::nano()).logits_of_each(&ids).unwrap();
        prop_assert!(decoder(&gguf, &config).logits_of_each(&ids).unwrap() == want);
    }
}

/// How many of llama.cpp's most likely tokens are ours too.
#[test]
fn most_likely_tokens_agree_with_llama_cpp() {
    let files = FORMATS.map(|ty| (format!("stories260K/stories260K-h192-{ty}.gguf"), format!("stories260K-h192-{ty}")));
    let nano = ["q8_0", "q4_0"].map(|ty| (format!("nano/nano-shakespeare-{ty}.gguf"), format!("nano-shakespeare-{ty}")));
    for (model, golden) in files.into_iter().chain(nano) {
        let (Some(gguf), Some(mut golden)) = (shared(&model), Npz::open(&format!("golden/{golden}.npz"))) else { return };
        let (ids, want) = (golden.ids("ids"), golden.floats("logits"));
        let got: Vec<f32> = decoder(&gguf, &Config::base()).logits_of_each(&ids).unwrap().into_iter().map(F24::to_f32).collect();
        let vocab = gguf_vocab(&gguf);
        let agree = got.chunks(vocab).zip(want.chunks(vocab)).filter(|(a, b)| argmax(a) == argmax(b)).count();
        let largest = got.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("{model}: top-1 {agree}/{}, largest difference {largest:.3}", ids.len());
        assert!(agree * 100 >= ids.len() * 95, "{model}: {agree} of {}", ids.len());
    }
}
