// SPDX-License-Identifier: MIT OR Apache-2.0
//! Model specifications of real files: the embedded models, the reference models, and what is refused.

use heddle::model::embedded::{EMBEDDED, embedded};
use heddle::model::gguf::{GgmlType, Gguf, GgufWriter};
use heddle::model::llama::{ModelSpec, SpecError};
use heddle::model::tokenizer::Tokenizer;
use heddle_tb::tools::reference_file;

fn shared(path: &str) -> Option<Gguf> {
    reference_file(path).map(|path| Gguf::open(path).unwrap())
}

#[test]
fn embedded_models_are_whole() {
    for (name, bytes) in EMBEDDED {
        let gguf = Gguf::from_static(bytes).unwrap();
        let spec = ModelSpec::from_gguf(&gguf).unwrap();
        spec.require_accelerated(&gguf).unwrap();
        assert_eq!((spec.dim, spec.layers, spec.heads, spec.kv_heads), (256, 3, 4, 2), "{name}");
        assert_eq!((spec.head_size, spec.ffn, spec.vocab, spec.context), (64, 512, 512, 256));
        assert_eq!((spec.rope_base, spec.rope_dims, spec.rms_eps), (10000.0, 64, 1e-5));
        assert!(spec.tied && spec.output == "token_embd.weight");
        assert_eq!(spec.matrices().len(), 3 * 7 + 1);
        assert_eq!(spec.layer[2].ffn_down, "blk.2.ffn_down.weight");
        assert_eq!(Tokenizer::from_gguf(&gguf).unwrap().vocab_size(), 512);
        let weights: u64 = gguf.tensors().map(|t| t.dims.iter().product::<u64>()).sum();
        assert_eq!(weights, 1_902_336);
    }
    assert!(embedded("nano").is_some() && embedded("nemo").is_none());
}

#[test]
fn quantised_rows_stay_close_to_full_precision() {
    let Some(full) = shared("stories260K/stories260K-h192-F32.gguf") else { return };
    for (ty, tolerance) in [("F16", 0.001), ("Q8_0", 0.01), ("Q5_0", 0.08), ("Q4_1", 0.15), ("Q4_0", 0.15)] {
        let gguf = shared(&format!("stories260K/stories260K-h192-{ty}.gguf")).unwrap();
        for tensor in full.tensors().filter(|t| t.dims.len() == 2) {
            let quantised = gguf.tensor(tensor.name).unwrap();
            assert_eq!(quantised.ty.name(), ty);
            for row in [0, tensor.rows() - 1] {
                let (a, b) = (tensor.row_f32(row).unwrap(), quantised.row_f32(row).unwrap());
                let largest = a.iter().fold(0f32, |m, x| m.max(x.abs()));
                let error = a.iter().zip(&b).fold(0f32, |m, (x, y)| m.max((x - y).abs()));
                assert!(error <= tolerance * largest, "{ty} {}: {error} of {largest}", tensor.name);
            }
        }
    }
}

#[test]
fn the_unpadded_model_is_refused_with_the_tensor_and_the_remedy() {
    let Some(gguf) = shared("stories260K/stories260K-h172-F32.gguf") else { return };
    let spec = ModelSpec::from_gguf(&gguf).unwrap(); // a model all the same, for reference runs
    assert_eq!((spec.ffn, spec.context, spec.tied, spec.rope_base), (172, 128, false, 10000.0));
    let error = spec.require_accelerated(&gguf).unwrap_err();
    assert!(matches!(&error, SpecError::Row { row: 172, padded: 192, .. }));
    let text = error.to_string();
    assert!(text.contains("blk.0.ffn_down.weight") && text.contains("192"), "{text}");
}

#[test]
fn reference_types_are_refused_by_the_accelerator_only() {
    for ty in ["F32", "F16"] {
        let Some(gguf) = shared(&format!("stories260K/stories260K-h192-{ty}.gguf")) else { return };
        let text = ModelSpec::from_gguf(&gguf).unwrap().require_accelerated(&gguf).unwrap_err().to_string();
        assert!(text.contains("blk.0.attn_q.weight") && text.contains(ty), "{text}");
        assert!(text.contains("Q8_0, Q4_0, Q4_1, Q5_0"), "{text}");
    }
    for file in ["q4_k_m", "q6_k"] {
        let Some(gguf) = shared(&format!("nano/nano-shakespeare-{file}.gguf")) else { return };
        let text = ModelSpec::from_gguf(&gguf).unwrap_err().to_string();
        assert!(text.contains("_K, which is not supported") && text.contains("llama-quantize"), "{text}");
    }
}

#[test]
fn other_architectures_are_refused_by_name() {
    let Some(gguf) = shared("tokenizers/ggml-vocab-gpt-2.gguf") else { return };
    let text = ModelSpec::from_gguf(&gguf).unwrap_err().to_string();
    assert!(text.contains("`gpt2`") && text.contains("supported: llama"), "{text}");
    let Some(gguf) = shared("tokenizers/ggml-vocab-llama-spm.gguf") else { return };
    let text = ModelSpec::from_gguf(&gguf).unwrap_err().to_string();
    assert!(text.contains("blk") || text.contains("block_count") || text.contains("token_embd"), "{text}");
}

/// A llama of one layer, dimension 64, 2 heads, 1 key-value head, feed-forward 32, vocabulary 4.
fn tiny(change: impl FnOnce(&mut Sizes, &mut Shapes)) -> Gguf {
    tiny_of(|_| None, change)
}

type Sizes = Vec<(&'static str, u32)>;
type Shapes = Vec<(&'static str, Vec<u64>)>;

/// The same with other types of some tensors.
fn tiny_of(types: impl Fn(&str) -> Option<GgmlType>, change: impl FnOnce(&mut Sizes, &mut Shapes)) -> Gguf {
    let mut sizes = vec![
        ("llama.embedding_length", 64),
        ("llama.block_count", 1),
        ("llama.attention.head_count", 2),
        ("llama.attention.head_count_kv", 1),
        ("llama.feed_forward_length", 32),
        ("llama.context_length", 16),
    ];
    let mut tensors = vec![
        ("token_embd.weight", vec![64, 4]),
        ("output_norm.weight", vec![64]),
        ("blk.0.attn_norm.weight", vec![64]),
        ("blk.0.attn_q.weight", vec![64, 64]),
        ("blk.0.attn_k.weight", vec![64, 32]),
        ("blk.0.attn_v.weight", vec![64, 32]),
        ("blk.0.attn_output.weight", vec![64, 64]),
        ("blk.0.ffn_norm.weight", vec![64]),
        ("blk.0.ffn_gate.weight", vec![64, 32]),
        ("blk.0.ffn_up.weight", vec![64, 32]),
        ("blk.0.ffn_down.weight", vec![32, 64]),
    ];
    change(&mut sizes, &mut tensors);
    let mut writer = GgufWriter::new();
    writer.str("general.architecture", "llama").f32("llama.attention.layer_norm_rms_epsilon", 1e-5);
    for (key, value) in sizes {
        writer.u32(key, value);
    }
    for (name, dims) in tensors {
        let ty = if dims.len() == 1 || dims[0] % 32 != 0 { GgmlType::F32 } else { types(name).unwrap_or(GgmlType::Q8_0) };
        let bytes = ty.row_bytes(dims[0]).unwrap() * dims[1..].iter().product::<u64>();
        writer.tensor(name, &dims, ty, vec![0; bytes as usize]);
    }
    Gguf::from_bytes(writer.finish()).unwrap()
}

#[test]
fn rows_that_do_not_fill_blocks_are_refused_with_the_remedy() {
    let gguf = tiny(|sizes, tensors| {
        sizes.iter_mut().filter(|(key, _)| *key == "llama.feed_forward_length").for_each(|(_, n)| *n = 44);
        tensors[8].1 = vec![64, 44];
        tensors[9].1 = vec![64, 44];
        tensors[10].1 = vec![44, 64];
    });
    let text = ModelSpec::from_gguf(&gguf).unwrap().require_accelerated(&gguf).unwrap_err().to_string();
    assert!(text.contains("blk.0.ffn_down.weight") && text.contains("44") && text.contains("64"), "{text}");
}

#[test]
fn a_tensor_type_is_refused_by_name_with_those_there_are() {
    for ty in [GgmlType::F32, GgmlType::Q5_1] {
        let gguf = tiny_of(|name| (name == "blk.0.attn_q.weight").then_some(ty), |_, _| ());
        let text = ModelSpec::from_gguf(&gguf).and_then(|spec| spec.require_accelerated(&gguf)).unwrap_err().to_string();
        assert!(text.contains("blk.0.attn_q.weight") && text.contains(&ty.to_string()), "{text}");
        assert!(text.contains("Q8_0, Q4_0, Q4_1, Q5_0"), "{text}");
    }
}

#[test]
fn an_architecture_is_refused_by_name_with_those_there_are() {
    let mut writer = GgufWriter::new();
    writer.str("general.architecture", "mamba");
    let gguf = Gguf::from_bytes(writer.finish()).unwrap();
    let text = ModelSpec::from_gguf(&gguf).unwrap_err().to_string();
    assert!(text.contains("`mamba`") && text.contains("supported: llama"), "{text}");
}

#[test]
fn sizes_that_do_not_fit_together_are_named() {
    ModelSpec::from_gguf(&tiny(|_, _| ())).unwrap();
    let with = |key: &'static str, value: u32| {
        let gguf = tiny(|sizes, _| {
            sizes.retain(|(k, _)| *k != key);
            sizes.push((key, value));
        });
        ModelSpec::from_gguf(&gguf).unwrap_err().to_string()
    };
    let cases = [
        ("llama.attention.head_count", 0),
        ("llama.attention.head_count", 128),
        ("llama.attention.head_count", 3),
        ("llama.attention.head_count_kv", 3),
        ("llama.block_count", 4_000_000_000),
        ("llama.context_length", 0),
        ("llama.rope.dimension_count", 33),
        ("llama.rope.dimension_count", 34),
        ("llama.attention.value_length", 16),
        ("llama.expert_count", 8),
        ("split.count", 2),
    ];
    for (key, value) in cases {
        let text = with(key, value);
        assert!(text.contains(key) || text.contains("tensor") || text.contains("split"), "{key}: {text}");
    }
    assert!(with("llama.block_count", 2).contains("blk.1."));
    assert!(with("llama.feed_forward_length", 64).contains("ffn_gate"));
    assert!(with("llama.vocab_size", 5).contains("token_embd.weight"));
}

#[test]
fn tensors_that_do_not_fit_are_named() {
    let missing = tiny(|_, tensors| tensors.retain(|(n, _)| *n != "blk.0.attn_v.weight"));
    assert!(ModelSpec::from_gguf(&missing).unwrap_err().to_string().contains("blk.0.attn_v.weight"));
    let extra = tiny(|_, tensors| tensors.push(("blk.0.attn_q.bias", vec![64])));
    assert!(ModelSpec::from_gguf(&extra).unwrap_err().to_string().contains("blk.0.attn_q.bias"));
    let shape = tiny(|_, tensors| tensors[4].1 = vec![64, 64]);
    let text = ModelSpec::from_gguf(&shape).unwrap_err().to_string();
    assert!(text.contains("blk.0.attn_k.weight") && text.contains("[64, 32]"), "{text}");
    let untied = tiny(|_, tensors| tensors.push(("output.weight", vec![64, 4])));
    let spec = ModelSpec::from_gguf(&untied).unwrap();
    assert!(!spec.tied && spec.output == "output.weight");
}
