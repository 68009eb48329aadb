// SPDX-License-Identifier: MIT OR Apache-2.0
//! The llama architecture: its sizes from the metadata, its tensors from the directory, each checked against the other.
//!
//! RoPE acts on adjacent pairs (2i, 2i+1) of each head: GGUF files of this architecture store the rows of the query
//! and key matrices in that order.

use std::collections::HashSet;

use super::gguf::{GgmlType, Gguf, GgufError, Tensor};

/// The architectures that run.
pub const ARCHITECTURES: [&str; 1] = ["llama"];
/// Types of matrices that the accelerator multiplies.
pub const MATRIX_TYPES: [GgmlType; 4] = [GgmlType::Q8_0, GgmlType::Q4_0, GgmlType::Q4_1, GgmlType::Q5_0];
/// Types of matrices that are read for reference runs only.
pub const REFERENCE_TYPES: [GgmlType; 3] = [GgmlType::F32, GgmlType::F16, GgmlType::BF16];
/// Types of norm vectors.
pub const NORM_TYPES: [GgmlType; 3] = REFERENCE_TYPES;
/// Weights in a block of the accelerator; rows are whole blocks.
const BLOCK: usize = 32;

/// Why a file is no model that runs here.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    #[error(transparent)]
    Gguf(#[from] GgufError),
    #[error("architecture `{found}` is not supported (supported: {})", ARCHITECTURES.join(", "))]
    Architecture { found: String },
    #[error("this is one of {count} parts of a split model; join them with `llama-gguf-split --merge`")]
    Split { count: u32 },
    #[error("`{key}` is {found} (legal: {legal}); the model does not fit the llama architecture")]
    Value { key: String, found: String, legal: String },
    #[error("tensor `{tensor}` has shape {found:?}, but the metadata asks for {wanted:?}; convert the model again")]
    Shape { tensor: String, found: Vec<u64>, wanted: Vec<u64> },
    #[error(
        "tensor `{tensor}` has type {found}, which is not supported (supported: {}); \
         quantise the model again, for example with `llama-quantize model-f16.gguf model-q8_0.gguf Q8_0`",
        names(supported)
    )]
    TensorType { tensor: String, found: GgmlType, supported: Vec<GgmlType> },
    #[error(
        "tensor `{tensor}` has rows of {row} weights, which are not whole blocks of {BLOCK}; pad the model's matrices \
         with zeros to rows of {padded} (for a feed-forward size this changes no result), then quantise to Q8_0 or Q4_0"
    )]
    Row { tensor: String, row: usize, padded: usize },
    #[error("tensor `{tensor}` is not part of the llama architecture as supported here; leaving it out would change the results")]
    ExtraTensor { tensor: String },
}

fn names(types: &[GgmlType]) -> String {
    types.iter().map(|t| t.name()).collect::<Vec<_>>().join(", ")
}

/// The names of the tensors of one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerTensors {
    pub attn_norm: String,
    /// heads x head size rows of `dim`, in the order for pairs (2i, 2i+1).
    pub attn_q: String,
    pub attn_k: String,
    pub attn_v: String,
    /// `dim` rows of heads x head size.
    pub attn_output: String,
    pub ffn_norm: String,
    pub ffn_gate: String,
    pub ffn_up: String,
    pub ffn_down: String,
}

/// A llama model: sizes and tensor names. Every tensor named here is in the file with the shape that follows.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSpec {
    /// `general.name`, empty if the file has none.
    pub name: String,
    /// Length of the residual vector.
    pub dim: usize,
    pub layers: usize,
    pub heads: usize,
    /// Heads of keys and values; divides `heads`.
    pub kv_heads: usize,
    pub head_size: usize,
    /// Rows of `ffn_gate` and `ffn_up`.
    pub ffn: usize,
    pub vocab: usize,
    /// Positions the model was made for.
    pub context: usize,
    pub rms_eps: f32,
    /// Base of the RoPE frequencies: pair i turns by `position * rope_base^(-2i / rope_dims)`.
    pub rope_base: f32,
    /// Dimensions of each head that turn; the rest stay.
    pub rope_dims: usize,
    /// The output matrix is the embedding.
    pub tied: bool,
    pub token_embd: String,
    pub output_norm: String,
    /// `token_embd` if tied.
    pub output: String,
    pub layer: Vec<LayerTensors>,
}

impl ModelSpec {
    /// Reads and checks the sizes and tensors of `gguf`; matrices of [`MATRIX_TYPES`] or [`REFERENCE_TYPES`].
    pub fn from_gguf(gguf: &Gguf) -> Result<ModelSpec, SpecError> {
        let spec = read_sizes(gguf)?;
        let tensors = spec.tensors();
        for (name, shape) in &tensors {
            check_tensor(gguf.tensor(name)?, shape)?;
        }
        let known: HashSet<&str> = tensors.iter().map(|(name, _)| name.as_str()).collect();
        for tensor in gguf.tensors() {
            if !known.contains(tensor.name) {
                return Err(SpecError::ExtraTensor { tensor: tensor.name.to_string() });
            }
        }
        Ok(spec)
    }

    /// Checks that the accelerator can multiply every matrix: whole blocks, and one of [`MATRIX_TYPES`].
    pub fn require_accelerated(&self, gguf: &Gguf) -> Result<(), SpecError> {
        let matrices: Vec<String> = self.matrices().into_iter().map(|(name, ..)| name).collect();
        for name in &matrices {
            let tensor = gguf.tensor(name)?;
            let row = tensor.row_weights();
            if !row.is_multiple_of(BLOCK) {
                let padded = row.next_multiple_of(BLOCK);
                return Err(SpecError::Row { tensor: name.clone(), row, padded });
            }
        }
        for name in &matrices {
            require_type(gguf.tensor(name)?, &MATRIX_TYPES)?;
        }
        Ok(())
    }

    /// Name, rows and columns of each matrix that multiplies activations, in the order in which a token uses them.
    pub fn matrices(&self) -> Vec<(String, usize, usize)> {
        let (q, kv) = (self.heads * self.head_size, self.kv_heads * self.head_size);
        let mut all = Vec::new();
        for layer in &self.layer {
            all.push((layer.attn_q.clone(), q, self.dim));
            all.push((layer.attn_k.clone(), kv, self.dim));
            all.push((layer.attn_v.clone(), kv, self.dim));
            all.push((layer.attn_output.clone(), self.dim, q));
            all.push((layer.ffn_gate.clone(), self.ffn, self.dim));
            all.push((layer.ffn_up.clone(), self.ffn, self.dim));
            all.push((layer.ffn_down.clone(), self.dim, self.ffn));
        }
        all.push((self.output.clone(), self.vocab, self.dim));
        all
    }

    /// Every tensor with its shape, fastest-varying size first.
    fn tensors(&self) -> Vec<(String, Vec<u64>)> {
        let matrix = |(name, rows, columns)| (name, vec![columns as u64, rows as u64]);
        let norm = |name: &String| (name.clone(), vec![self.dim as u64]);
        let mut all: Vec<_> = self.matrices().into_iter().map(matrix).collect();
        if !self.tied {
            all.push(matrix((self.token_embd.clone(), self.vocab, self.dim)));
        }
        all.push(norm(&self.output_norm));
        for layer in &self.layer {
            all.push(norm(&layer.attn_norm));
            all.push(norm(&layer.ffn_norm));
        }
        all
    }
}

impl LayerTensors {
    fn of(layer: usize) -> LayerTensors {
        let name = |part: &str| format!("blk.{layer}.{part}.weight");
        LayerTensors {
            attn_norm: name("attn_norm"),
            attn_q: name("attn_q"),
            attn_k: name("attn_k"),
            attn_v: name("attn_v"),
            attn_output: name("attn_output"),
            ffn_norm: name("ffn_norm"),
            ffn_gate: name("ffn_gate"),
            ffn_up: name("ffn_up"),
            ffn_down: name("ffn_down"),
        }
    }
}

fn read_sizes(gguf: &Gguf) -> Result<ModelSpec, SpecError> {
    let architecture = gguf.str("general.architecture")?;
    if !ARCHITECTURES.contains(&architecture) {
        return Err(SpecError::Architecture { found: architecture.to_string() });
    }
    let count = gguf.u32_or("split.count", 1)?;
    if count > 1 {
        return Err(SpecError::Split { count });
    }
    check_plain(gguf)?;

    let dim = size(gguf, "llama.embedding_length", None)?;
    // Each layer has nine tensors, so more layers than tensors means damaged metadata.
    let layers = at_most(gguf, "llama.block_count", gguf.tensors().count())?;
    let heads = size(gguf, "llama.attention.head_count", None)?;
    let kv_heads = size(gguf, "llama.attention.head_count_kv", Some(heads))?;
    let head_size = head_size(gguf, dim, heads)?;
    let rope_dims = size(gguf, "llama.rope.dimension_count", Some(head_size))?;
    let embedding = gguf.tensor("token_embd.weight")?;
    let vocab = size(gguf, "llama.vocab_size", Some(embedding.rows()))?;
    let tied = gguf.find_tensor("output.weight").is_none();
    let spec = ModelSpec {
        name: gguf.str_or("general.name", "")?.to_string(),
        dim,
        layers,
        heads,
        kv_heads,
        head_size,
        ffn: size(gguf, "llama.feed_forward_length", None)?,
        vocab,
        context: size(gguf, "llama.context_length", None)?,
        rms_eps: gguf.f32("llama.attention.layer_norm_rms_epsilon")?,
        rope_base: gguf.f32_or("llama.rope.freq_base", 10000.0)?,
        rope_dims,
        tied,
        token_embd: "token_embd.weight".to_string(),
        output_norm: "output_norm.weight".to_string(),
        output: if tied { "token_embd.weight" } else { "output.weight" }.to_string(),
        layer: (0..layers).map(LayerTensors::of).collect(),
    };
    check_sizes(gguf, &spec)?;
    Ok(spec)
}

/// The length of a key; where the metadata does not say, the heads share the residual vector evenly.
fn head_size(gguf: &Gguf, dim: usize, heads: usize) -> Result<usize, SpecError> {
    const KEY: &str = "llama.attention.key_length";
    if !gguf.has(KEY) && !dim.is_multiple_of(heads) {
        let legal = format!("a divisor of the embedding length, {dim}");
        return Err(bad("llama.attention.head_count", heads, &legal));
    }
    size(gguf, KEY, Some(dim / heads))
}

/// Refuses variants of the architecture that would need other arithmetic.
fn check_plain(gguf: &Gguf) -> Result<(), SpecError> {
    let scaling = "llama.rope.scaling.type";
    let found = gguf.str_or(scaling, "none")?;
    if found != "none" {
        return Err(bad(scaling, found, "none"));
    }
    let experts = "llama.expert_count";
    let found = gguf.u32_or(experts, 0)?;
    if found != 0 {
        return Err(bad(experts, found, "0"));
    }
    Ok(())
}

fn check_sizes(gguf: &Gguf, spec: &ModelSpec) -> Result<(), SpecError> {
    if !spec.heads.is_multiple_of(spec.kv_heads) {
        let legal = format!("a divisor of the {} heads", spec.heads);
        return Err(bad("llama.attention.head_count_kv", spec.kv_heads, &legal));
    }
    let value_length = size(gguf, "llama.attention.value_length", Some(spec.head_size))?;
    if value_length != spec.head_size {
        let legal = format!("{}, the length of a key", spec.head_size);
        return Err(bad("llama.attention.value_length", value_length, &legal));
    }
    if spec.rope_dims > spec.head_size || !spec.rope_dims.is_multiple_of(2) {
        let legal = format!("an even number up to the head size, {}", spec.head_size);
        return Err(bad("llama.rope.dimension_count", spec.rope_dims, &legal));
    }
    if !(spec.rms_eps > 0.0 && spec.rms_eps < 1.0) {
        return Err(bad("llama.attention.layer_norm_rms_epsilon", spec.rms_eps, "above 0, below 1"));
    }
    if !(spec.rope_base >= 1.0 && spec.rope_base.is_finite()) {
        return Err(bad("llama.rope.freq_base", spec.rope_base, "1 or more, finite"));
    }
    Ok(())
}

fn bad(key: &str, found: impl ToString, legal: &str) -> SpecError {
    SpecError::Value { key: key.to_string(), found: found.to_string(), legal: legal.to_string() }
}

/// A size of 1 to 2^24, far above any model and small enough that products of two do not overflow.
fn size(gguf: &Gguf, key: &str, default: Option<usize>) -> Result<usize, SpecError> {
    let value = match default {
        Some(default) if !gguf.has(key) => default,
        _ => gguf.u32(key)? as usize,
    };
    if (1..=1 << 24).contains(&value) { Ok(value) } else { Err(bad(key, value, "1 to 16777216")) }
}

fn at_most(gguf: &Gguf, key: &str, most: usize) -> Result<usize, SpecError> {
    let value = size(gguf, key, None)?;
    if value <= most { Ok(value) } else { Err(bad(key, value, &format!("1 to {most}"))) }
}

fn check_tensor(tensor: Tensor<'_>, shape: &[u64]) -> Result<(), SpecError> {
    if tensor.dims != shape {
        return Err(SpecError::Shape { tensor: tensor.name.to_string(), found: tensor.dims.to_vec(), wanted: shape.to_vec() });
    }
    match shape.len() {
        1 => require_type(tensor, &NORM_TYPES),
        _ => require_type(tensor, &[&MATRIX_TYPES[..], &REFERENCE_TYPES[..]].concat()),
    }
}

fn require_type(tensor: Tensor<'_>, supported: &[GgmlType]) -> Result<(), SpecError> {
    if supported.contains(&tensor.ty) {
        return Ok(());
    }
    Err(SpecError::TensorType { tensor: tensor.name.to_string(), found: tensor.ty, supported: supported.to_vec() })
}
