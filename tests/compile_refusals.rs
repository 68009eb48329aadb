// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the compiler refuses, by name and with what would help; and what a compiled image holds.

mod decoder_support;

use decoder_support::{nano, shared, tiny::Tiny};
use heddle::compile::{CompileError, compile};
use heddle::model::gguf::GgmlType;
use heddle_core::config::Config;
use heddle_core::format::layout::{Layout, block};

fn config(settings: &[&str]) -> Config {
    Config::base().with_settings(settings).unwrap()
}

/// The message with which a model is refused.
fn refusal(tiny: &Tiny, settings: &[&str]) -> String {
    compile(&tiny.gguf(), &config(settings)).err().expect("a refusal").to_string()
}

#[test]
fn a_model_larger_than_the_memory_says_how_much_and_which_setting() {
    let error = compile(&nano("nano"), &config(&["memory.size_mib=1"])).err().unwrap();
    assert!(matches!(error, CompileError::Memory { have: 1_048_576, .. }));
    let text = error.to_string();
    assert!(text.contains("more than the 1.0 MiB of `base`") && text.contains("--set memory.size_mib=2"), "{text}");
    assert!(compile(&nano("nano"), &config(&["memory.size_mib=2"])).is_ok());
    let error = CompileError::Memory { need: 5 << 30, have: 1 << 20, config: "base".into() };
    assert!(error.to_string().contains("use a smaller model"), "{error}");
}

#[test]
fn rows_longer_than_the_activation_buffer_are_refused() {
    let text = refusal(&Tiny { ffn: 288, ..Tiny::default() }, &["activations.blocks=8"]);
    assert!(text.contains("`blk.0.ffn_down.weight` has rows of 9 blocks") && text.contains("activations.blocks=16"), "{text}");
}

#[test]
fn formats_that_are_not_built_in_are_refused() {
    let text = refusal(&Tiny { ty: GgmlType::Q5_0, ..Tiny::default() }, &["formats=q8_0,q4_0"]);
    assert!(text.contains("`blk.0.attn_q.weight` is Q5_0") && text.contains("built in: Q8_0, Q4_0"), "{text}");
    assert!(text.contains("--set formats=q8_0,q4_0,q5_0"), "{text}");
}

#[test]
fn scales_that_are_not_finite_are_refused_with_the_tensor() {
    let infinity = Tiny { damage: Some(("blk.1.ffn_up", vec![0x00, 0x7c])), ..Tiny::default() };
    let text = refusal(&infinity, &[]);
    assert!(text.contains("`blk.1.ffn_up.weight`: row 0, block 1: the scale is fp16 infinity (0x7c00)"), "{text}");
    let nan = Tiny { ty: GgmlType::Q4_1, damage: Some(("blk.0.attn_k", vec![0, 0, 1, 0xfc])), ..Tiny::default() };
    let text = refusal(&nan, &[]);
    assert!(text.contains("`blk.0.attn_k.weight`: row 0, block 1: the minimum is fp16 NaN"), "{text}");
    let untied = Tiny { output: true, damage: Some(("token_embd", vec![0x00, 0xfc])), ..Tiny::default() };
    assert!(refusal(&untied, &[]).contains("`token_embd.weight`"));
    let norm = Tiny { damage: Some(("output_norm", f32::NAN.to_le_bytes().to_vec())), ..Tiny::default() };
    assert!(refusal(&norm, &[]).contains("`output_norm.weight`: value 1 of row 0 is NaN"));
}

#[test]
fn heads_without_equal_blocks_are_refused() {
    let text = refusal(&Tiny { heads: 2, kv_heads: 1, head_size: 48, ..Tiny::default() }, &[]);
    assert!(text.contains("`llama.attention.key_length` is 48"), "{text}");
}

#[test]
fn the_unpadded_model_is_refused_with_the_tensor() {
    let Some(gguf) = shared("stories260K/stories260K-h172-F32.gguf") else { return };
    let text = compile(&gguf, &Config::base()).err().unwrap().to_string();
    assert!(text.contains("blk.0.ffn_down.weight") && text.contains("172") && text.contains("192"), "{text}");
}

#[test]
fn an_image_holds_every_matrix_at_its_address() {
    for lanes in [16, 32] {
        let config = config(&[&format!("array.lanes={lanes}"), "memory.port_bits=64"]);
        let gguf = Tiny { output: true, ..Tiny::default() }.gguf();
        let image = compile(&gguf, &config).unwrap().image;
        assert_eq!(image.map.matrices.len(), 2 * 7 + 1);
        let mut end = u64::from(image.map.results) + image.map.result_bytes as u64;
        for m in &image.map.matrices {
            assert!(m.address.is_multiple_of(64) && u64::from(m.address) >= end, "{}", m.tensor);
            end = u64::from(m.address) + m.bytes as u64;
            let layout = Layout::new(m.format, m.rows, m.blocks, config.array.lanes as usize, 64).unwrap();
            let tensor = gguf.tensor(&m.tensor).unwrap();
            let last = m.rows * m.blocks - 1;
            let bytes = &tensor.data[last * m.format.block_bytes()..];
            assert_eq!(block(&layout, &image.memory[m.address as usize..], last), m.format.decode_ggml(bytes));
        }
        assert!(end as usize <= image.memory.len());
    }
}

#[test]
fn the_digest_is_that_of_the_content() {
    let digest = |tiny: Tiny| compile(&tiny.gguf(), &Config::base()).unwrap().image.digest_hex();
    let first = digest(Tiny::default());
    assert_eq!(first.len(), 64);
    assert_eq!(digest(Tiny::default()), first);
    assert_ne!(digest(Tiny { damage: Some(("blk.0.attn_q", vec![0x20])), ..Tiny::default() }), first);
}
