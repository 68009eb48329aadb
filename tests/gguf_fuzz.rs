// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random damage to GGUF files: reading never panics, never takes memory out of proportion, and what is accepted can
//! be walked. `HEDDLE_FUZZ_CASES` sets the number of cases per property (default 256).

use std::alloc::System;

use cap::Cap;
use heddle::model::embedded::embedded;
use heddle::model::gguf::{GgmlType, Gguf, GgufWriter};
use heddle::model::llama::ModelSpec;
use heddle::model::tokenizer::{EncodeOptions, Tokenizer};
use proptest::prelude::*;

/// No test here needs a tenth of this; an allocation sized by a damaged count ends the process.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, 128 << 20);

fn cases() -> ProptestConfig {
    let cases = std::env::var("HEDDLE_FUZZ_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(256);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Reads a file and, if it is accepted, walks everything in it.
fn walk(bytes: &[u8]) {
    if let Ok(gguf) = Gguf::from_bytes(bytes.to_vec()) {
        walk_open(&gguf);
    }
}

fn walk_open(gguf: &Gguf) {
    for key in gguf.keys() {
        let value = gguf.meta(key).expect("a key of the file has a value");
        if let Some(array) = value.as_array() {
            assert_eq!(array.iter().count() as u64, array.len);
        }
    }
    for tensor in gguf.tensors() {
        tensor.row_f32(tensor.rows() - 1);
        assert!(tensor.row_f32(tensor.rows()).is_none());
    }
    if let Ok(spec) = ModelSpec::from_gguf(gguf) {
        let _ = spec.require_accelerated(gguf);
    }
    if let Ok(tokenizer) = Tokenizer::from_gguf(gguf) {
        let ids = tokenizer.encode("KING: the <s> end\n\u{1f642}", EncodeOptions::PROMPT);
        tokenizer.decode(&ids);
    }
}

/// Small files to start from: vocabularies with every kind of value, and a whole model.
fn seeds() -> Vec<Vec<u8>> {
    vec![synthetic("llama"), synthetic("gpt2"), small_model()]
}

fn synthetic(tokenizer: &str) -> Vec<u8> {
    let mut w = GgufWriter::new();
    w.str("general.architecture", "llama").u32("general.alignment", 32).bool("flag", true);
    for (type_id, bytes) in [(0, 1), (1, 1), (2, 2), (3, 2), (5, 4), (10, 8), (11, 8), (12, 8)] {
        w.raw(&format!("value.{type_id}"), type_id, &[1; 8][..bytes]);
    }
    w.raw("nested", 9, &[&[9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0][..], &[0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 7, 8]].concat());
    w.str("tokenizer.ggml.model", tokenizer).str("tokenizer.ggml.pre", "smollm");
    w.strings("tokenizer.ggml.tokens", &["<unk>", "<s>", "</s>", "<0x4B>", "\u{2581}", "t", "h", "th", "\u{120}"]);
    w.f32s("tokenizer.ggml.scores", &[0.0, 0.0, 0.0, 0.0, -1.0, -2.0, -3.0, -4.0, -5.0]);
    w.i32s("tokenizer.ggml.token_type", &[2, 3, 3, 6, 1, 1, 1, 1, 4]);
    w.strings("tokenizer.ggml.merges", &["t h", "\u{120} th"]);
    w.u32("tokenizer.ggml.bos_token_id", 1).u32("tokenizer.ggml.eos_token_id", 2);
    w.tensor("a", &[32, 2], GgmlType::Q4_0, vec![3; 36]).tensor("b", &[4], GgmlType::F32, vec![0; 16]);
    w.tensor("c", &[32, 1, 2], GgmlType::Q5_0, vec![5; 44]).tensor("d", &[3, 3], GgmlType::F16, vec![1; 18]);
    w.finish()
}

/// A whole llama of one layer.
fn small_model() -> Vec<u8> {
    let mut w = GgufWriter::new();
    w.str("general.architecture", "llama").f32("llama.attention.layer_norm_rms_epsilon", 1e-5);
    w.u32("llama.embedding_length", 32).u32("llama.block_count", 1).u32("llama.attention.head_count", 2);
    w.u32("llama.feed_forward_length", 32).u32("llama.context_length", 16);
    w.tensor("token_embd.weight", &[32, 2], GgmlType::Q8_0, vec![0; 68]);
    for name in ["output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"] {
        w.tensor(&format!("{name}.weight"), &[32], GgmlType::F32, vec![0; 128]);
    }
    for name in ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"] {
        w.tensor(&format!("blk.0.{name}.weight"), &[32, 32], GgmlType::Q4_1, vec![0; 640]);
    }
    w.finish()
}

/// A change to the bytes of a file.
#[derive(Clone, Debug)]
enum Damage {
    Byte(prop::sample::Index, u8),
    Bit(prop::sample::Index, u8),
    /// Puts a value that is awkward as a count, length, offset or type.
    Word(prop::sample::Index, u64, bool),
    Remove(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize),
    Cut(prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    let awkward = prop_oneof![
        prop::sample::select(vec![0, 1, 2, 31, 32, 33, 255, 1 << 16, 1 << 31, u64::from(u32::MAX), 1 << 32]),
        prop::sample::select(vec![1 << 40, 1 << 61, 1 << 62, i64::MAX as u64, 1 << 63, u64::MAX - 31, u64::MAX]),
        any::<u64>(),
    ];
    prop_oneof![
        3 => (at(), any::<u8>()).prop_map(|(i, b)| Damage::Byte(i, b)),
        3 => (at(), 0u8..8).prop_map(|(i, b)| Damage::Bit(i, b)),
        3 => (at(), awkward, any::<bool>()).prop_map(|(i, v, wide)| Damage::Word(i, v, wide)),
        1 => (at(), 1usize..40).prop_map(|(i, n)| Damage::Remove(i, n)),
        1 => (at(), 1usize..40).prop_map(|(i, n)| Damage::Repeat(i, n)),
        1 => at().prop_map(Damage::Cut),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    if bytes.is_empty() {
        return;
    }
    let len = bytes.len();
    match *damage {
        Damage::Byte(i, b) => bytes[i.index(len)] = b,
        Damage::Bit(i, bit) => bytes[i.index(len)] ^= 1 << bit,
        Damage::Word(i, value, wide) => {
            let word = &value.to_le_bytes()[..if wide { 8 } else { 4 }];
            let at = i.index(len);
            let end = (at + word.len()).min(len);
            bytes[at..end].copy_from_slice(&word[..end - at]);
        }
        Damage::Remove(i, n) => {
            let at = i.index(len);
            bytes.drain(at..(at + n).min(len));
        }
        Damage::Repeat(i, n) => {
            let at = i.index(len);
            let part = bytes[at..(at + n).min(len)].to_vec();
            bytes.splice(at..at, part);
        }
        Damage::Cut(i) => bytes.truncate(i.index(len)),
    }
}

/// Bytes of the embedded model's header, near enough: where most damage should go.
const HEADER: usize = 24 << 10;

#[test]
fn seeds_are_legal() {
    for seed in seeds().iter().map(Vec::as_slice).chain(embedded("nano")) {
        walk(seed);
        assert!(Gguf::from_bytes(seed.to_vec()).is_ok());
    }
    assert!(ModelSpec::from_gguf(&Gguf::from_bytes(small_model()).unwrap()).is_ok());
    for model in ["llama", "gpt2"] {
        Tokenizer::from_gguf(&Gguf::from_bytes(synthetic(model)).unwrap()).unwrap();
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn damaged_small_files_are_read_or_refused(
        seed in 0usize..3,
        changes in prop::collection::vec(damage(), 1..8),
    ) {
        let mut bytes = seeds()[seed].clone();
        changes.iter().for_each(|d| apply(&mut bytes, d));
        walk(&bytes);
    }

    #[test]
    fn damaged_headers_of_a_real_file_are_read_or_refused(
        changes in prop::collection::vec(damage(), 1..4),
    ) {
        let mut bytes = embedded("nano").unwrap().to_vec();
        let rest = bytes.split_off(HEADER);
        changes.iter().for_each(|d| apply(&mut bytes, d));
        bytes.extend(rest);
        walk(&bytes);
    }

    #[test]
    fn random_bytes_after_the_magic_are_read_or_refused(
        version in 2u8..4,
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        walk(&[b"GGUF", &[version, 0, 0, 0][..], &body].concat());
    }
}
