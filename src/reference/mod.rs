// SPDX-License-Identifier: MIT OR Apache-2.0
//! The llama architecture in plain floating point: the yardstick of the quality gate.
//!
//! Weights are dequantised to f32 as ggml does it, and sums are kept in f64 where that costs little. It has no
//! cache: a call computes the logits of a whole sequence, layer by layer. Nothing here is bit-exact with anything.

mod matrix;

use rayon::prelude::*;

use crate::model::gguf::{Gguf, Tensor};
use crate::model::llama::{LayerTensors, ModelSpec, SpecError};
use matrix::{Matrix, dot};

/// A model with all of its weights in f32.
pub struct Reference {
    spec: ModelSpec,
    embedding: Matrix,
    layers: Vec<Layer>,
    output_norm: Vec<f32>,
    /// Absent where the output matrix is the embedding.
    output: Option<Matrix>,
}

struct Layer {
    attn_norm: Vec<f32>,
    q: Matrix,
    k: Matrix,
    v: Matrix,
    attn_output: Matrix,
    ffn_norm: Vec<f32>,
    gate: Matrix,
    up: Matrix,
    down: Matrix,
}

/// Why a reference run is not possible.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error("token {id} is past the {vocab} tokens of the model")]
    Token { id: u32, vocab: usize },
}

impl Reference {
    /// Reads and dequantises every tensor.
    pub fn from_gguf(gguf: &Gguf) -> Result<Reference, SpecError> {
        let spec = ModelSpec::from_gguf(gguf)?;
        let matrix = |name: &str| Ok::<_, SpecError>(Matrix::read(gguf.tensor(name)?));
        let vector = |name: &str| Ok::<_, SpecError>(vector(gguf.tensor(name)?));
        let layer = |t: &LayerTensors| {
            Ok::<_, SpecError>(Layer {
                attn_norm: vector(&t.attn_norm)?,
                q: matrix(&t.attn_q)?,
                k: matrix(&t.attn_k)?,
                v: matrix(&t.attn_v)?,
                attn_output: matrix(&t.attn_output)?,
                ffn_norm: vector(&t.ffn_norm)?,
                gate: matrix(&t.ffn_gate)?,
                up: matrix(&t.ffn_up)?,
                down: matrix(&t.ffn_down)?,
            })
        };
        Ok(Reference {
            embedding: matrix(&spec.token_embd)?,
            layers: spec.layer.iter().map(layer).collect::<Result<_, _>>()?,
            output_norm: vector(&spec.output_norm)?,
            output: if spec.tied { None } else { Some(matrix(&spec.output)?) },
            spec,
        })
    }

    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// The logits after each token of `ids` from position 0 on: `ids.len()` x vocabulary, token after token.
    pub fn logits(&self, ids: &[u32]) -> Result<Vec<f32>, ReferenceError> {
        let vocab = self.spec.vocab;
        if let Some(&id) = ids.iter().find(|&&id| id as usize >= vocab) {
            return Err(ReferenceError::Token { id, vocab });
        }
        let mut x: Vec<f32> = ids.iter().flat_map(|&id| self.embedding.row(id as usize)).copied().collect();
        for layer in &self.layers {
            self.layer(layer, &mut x);
        }
        let x = self.norm(&x, &self.output_norm);
        Ok(self.output.as_ref().unwrap_or(&self.embedding).times(&x))
    }

    /// One layer over all positions; `x`: positions x dim.
    fn layer(&self, layer: &Layer, x: &mut [f32]) {
        let h = self.norm(x, &layer.attn_norm);
        let (mut q, mut k, v) = (layer.q.times(&h), layer.k.times(&h), layer.v.times(&h));
        self.rotate(&mut q, self.spec.heads);
        self.rotate(&mut k, self.spec.kv_heads);
        add(x, &layer.attn_output.times(&self.attention(&q, &k, &v)));
        let h = self.norm(x, &layer.ffn_norm);
        let (mut gate, up) = (layer.gate.times(&h), layer.up.times(&h));
        for (gate, up) in gate.iter_mut().zip(&up) {
            *gate = *gate / (1.0 + (-*gate).exp()) * up;
        }
        add(x, &layer.down.times(&gate));
    }

    /// RMS normalisation of each position.
    fn norm(&self, x: &[f32], weight: &[f32]) -> Vec<f32> {
        let mut y = Vec::with_capacity(x.len());
        for x in x.chunks_exact(self.spec.dim) {
            let squares: f64 = x.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            let inv = 1.0 / (squares / x.len() as f64 + f64::from(self.spec.rms_eps)).sqrt();
            y.extend(x.iter().zip(weight).map(|(&x, &w)| (f64::from(x) * inv) as f32 * w));
        }
        y
    }

    /// Turns the pairs (2i, 2i+1) of each head by its position; `x`: positions x heads x head size.
    fn rotate(&self, x: &mut [f32], heads: usize) {
        let (size, dims) = (self.spec.head_size, self.spec.rope_dims);
        for (position, x) in x.chunks_exact_mut(heads * size).enumerate() {
            for pair in 0..dims / 2 {
                let angle = rope_angle(&self.spec, position, pair);
                let (sin, cos) = (angle.sin() as f32, angle.cos() as f32);
                for head in x.chunks_exact_mut(size) {
                    let (a, b) = (head[2 * pair], head[2 * pair + 1]);
                    head[2 * pair] = a * cos - b * sin;
                    head[2 * pair + 1] = a * sin + b * cos;
                }
            }
        }
    }

    /// Causal attention; `q`: positions x heads x head size, `k` and `v`: positions x kv heads x head size.
    fn attention(&self, q: &[f32], k: &[f32], v: &[f32]) -> Vec<f32> {
        let (size, heads) = (self.spec.head_size, self.spec.heads);
        let (stride, group) = (self.spec.kv_heads * size, heads / self.spec.kv_heads);
        let scale = 1.0 / (size as f32).sqrt();
        let mut y = vec![0.0; q.len()];
        y.par_chunks_mut(heads * size).zip(q.par_chunks(heads * size)).enumerate().for_each(|(position, (y, q))| {
            for (head, (y, q)) in y.chunks_exact_mut(size).zip(q.chunks_exact(size)).enumerate() {
                let at = |t: usize| t * stride + head / group * size..t * stride + (head / group + 1) * size;
                let mut p: Vec<f32> = (0..=position).map(|t| dot(q, &k[at(t)]) * scale).collect();
                softmax(&mut p);
                for (t, p) in p.iter().enumerate() {
                    y.iter_mut().zip(&v[at(t)]).for_each(|(y, v)| *y += p * v);
                }
            }
        });
        y
    }
}

/// The angle in radians by which pair `pair` of a head turns at `position`.
pub fn rope_angle(spec: &ModelSpec, position: usize, pair: usize) -> f64 {
    let exponent = -2.0 * pair as f64 / spec.rope_dims as f64;
    position as f64 * f64::from(spec.rope_base).powf(exponent)
}

fn vector(tensor: Tensor) -> Vec<f32> {
    Matrix::read(tensor).row(0).to_vec()
}

fn add(x: &mut [f32], y: &[f32]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}

fn softmax(p: &mut [f32]) {
    let max = p.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    p.iter_mut().for_each(|p| *p = (*p - max).exp());
    let inv = (1.0 / p.iter().map(|&p| f64::from(p)).sum::<f64>()) as f32;
    p.iter_mut().for_each(|p| *p *= inv);
}
