// SPDX-License-Identifier: MIT OR Apache-2.0
//! The parts of a model that the host computes with: norms, embedding, RoPE table, in f24.

use std::sync::Arc;

use half::f16;
use heddle_core::format::Format;
use heddle_core::numerics::F24;
use rayon::prelude::*;

use super::CompileError;
use crate::model::gguf::{Gguf, Tensor};
use crate::model::llama::ModelSpec;

/// Most positions of a sequence, whatever the model was made for: bounds the RoPE table.
pub const CONTEXT_MAX: usize = 1 << 16;
/// Elements of a block of the KV cache, in heads that have as many.
const BLOCK: usize = 32;

/// A head is cached in equal blocks of `min(32, head size)`.
pub(super) fn check_head_size(spec: &ModelSpec) -> Result<(), CompileError> {
    let size = spec.head_size;
    if size.is_multiple_of(BLOCK.min(size)) { Ok(()) } else { Err(CompileError::HeadSize { size }) }
}

/// A norm's weights, each rounded once.
pub(super) fn vector(gguf: &Gguf, name: &str) -> Result<Vec<F24>, CompileError> {
    let tensor = gguf.tensor(name)?;
    check_finite(tensor)?;
    Ok(tensor.row_f32(0).unwrap_or_default().into_iter().map(F24::from_f32).collect())
}

/// The embedding matrix, read from the model row by row.
#[derive(Clone)]
pub struct Embedding {
    gguf: Arc<Gguf>,
    tensor: String,
    /// Weights of a row.
    dim: usize,
}

impl Embedding {
    pub(super) fn new(gguf: &Arc<Gguf>, spec: &ModelSpec) -> Result<Embedding, CompileError> {
        check_finite(gguf.tensor(&spec.token_embd)?)?;
        Ok(Embedding { gguf: gguf.clone(), tensor: spec.token_embd.clone(), dim: spec.dim })
    }

    /// Appends the row of token `id`, each weight dequantised exactly and rounded once to f24.
    /// `id` is within the vocabulary; past it, zeros.
    pub fn row(&self, id: u32, out: &mut Vec<F24>) {
        let end = out.len() + self.dim;
        if let Ok(tensor) = self.gguf.tensor(&self.tensor) {
            match Format::from_ggml_type(tensor.ty as u32) {
                Some(format) => out.extend(tensor.row_bytes(id as usize).into_iter().flat_map(|row| dequantise(format, row))),
                None => out.extend(tensor.row_f32(id as usize).into_iter().flatten().map(F24::from_f32)),
            }
        }
        out.resize(end, F24::ZERO);
    }
}

/// `d * q - dmin` is exact in f64.
fn dequantise(format: Format, row: &[u8]) -> impl Iterator<Item = F24> {
    row.chunks_exact(format.block_bytes()).flat_map(move |bytes| {
        let block = format.decode_ggml(bytes);
        let (d, dmin) = (f16::from_bits(block.d).to_f64(), f16::from_bits(block.dmin).to_f64());
        block.q.map(|q| F24::from_f64(d * f64::from(q) - dmin))
    })
}

/// Refuses infinities and NaN. (Of a quantised row, those come from its scales.)
fn check_finite(tensor: Tensor) -> Result<(), CompileError> {
    let bad = (0..tensor.rows()).into_par_iter().find_map_first(|row| {
        let values = tensor.row_f32(row)?;
        let index = values.iter().position(|x| !x.is_finite())?;
        Some((row, index, values[index]))
    });
    match bad {
        None => Ok(()),
        Some((row, index, value)) => Err(CompileError::NotFinite { tensor: tensor.name.to_string(), row, index, value }),
    }
}

/// Cosines and sines of the rotary embedding: computed in f64, rounded once to f24.
#[derive(Clone)]
pub struct Rope {
    pairs: usize,
    table: Arc<Vec<(F24, F24)>>,
}

impl Rope {
    pub(super) fn new(spec: &ModelSpec, context: usize) -> Rope {
        let pairs = spec.rope_dims / 2;
        let entry = |i: usize| {
            let angle = crate::reference::rope_angle(spec, i / pairs, i % pairs);
            (F24::from_f64(angle.cos()), F24::from_f64(angle.sin()))
        };
        Rope { pairs, table: Arc::new((0..context * pairs).into_par_iter().map(entry).collect()) }
    }

    /// `(cos, sin)` of each pair at `position`, which is below the context.
    pub fn at(&self, position: usize) -> &[(F24, F24)] {
        &self.table[position * self.pairs..][..self.pairs]
    }
}
