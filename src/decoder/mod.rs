// SPDX-License-Identifier: MIT OR Apache-2.0
//! The llama decoder: matrix products on the accelerator, everything else here, in f24.
//!
//! It is the golden model of the vector unit: each step is the one of `docs/numerics.md`, so the logits are the same
//! bits on every transport, for any geometry, and for any way to cut a sequence into batches.

mod attention;
mod cache;
mod generation;

use heddle_core::descriptor::Phase;
use heddle_core::numerics::F24;
use heddle_core::numerics::attention::rotate;
use heddle_core::numerics::functions::silu;
use heddle_core::numerics::quant::Activations;
use heddle_core::numerics::reduce::rms_norm;

use crate::compile::{Compiled, Model};
use crate::driver::{Driver, DriverError};
use attention::Attention;
use cache::LayerCache;

pub use generation::{Finish, GenerateError, Generation, Step, check_prompt, generate};

/// Why a token could not be decoded.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error(transparent)]
    Driver(#[from] DriverError),
    #[error("token {id} is past the {vocab} tokens of the model")]
    Token { id: u32, vocab: usize },
    #[error(
        "{tokens} tokens after {position} do not fit the model's context of {context}; \
         shorten the prompt, or use a model with a longer context"
    )]
    Context { tokens: usize, position: usize, context: usize },
    #[error("attention in layer {layer} left the range of the accumulator; the model's scales are too large for this arithmetic")]
    Saturated { layer: usize },
}

/// A model on an accelerator, with the state of one sequence.
pub struct Decoder {
    model: Model,
    driver: Driver,
    cache: Vec<LayerCache>,
    position: usize,
    /// Of the pass under way.
    phase: Phase,
    inv_dim: F24,
    epsilon: F24,
}

impl Decoder {
    /// Loads the image; the sequence is empty.
    pub fn new(compiled: &Compiled, mut driver: Driver) -> Result<Decoder, DriverError> {
        driver.load(&compiled.image)?;
        let model = compiled.model.clone();
        let spec = &model.spec;
        Ok(Decoder {
            cache: vec![LayerCache::new(spec.kv_heads, spec.head_size); spec.layers],
            position: 0,
            phase: Phase::Prefill,
            inv_dim: F24::from_f64(1.0 / spec.dim as f64),
            epsilon: F24::from_f32(spec.rms_eps),
            model,
            driver,
        })
    }

    pub fn model(&self) -> &Model {
        &self.model
    }

    pub fn driver(&mut self) -> &mut Driver {
        &mut self.driver
    }

    /// Tokens in the sequence.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Begins a new sequence.
    pub fn reset(&mut self) {
        self.position = 0;
        self.cache.iter_mut().for_each(LayerCache::clear);
    }

    /// Appends `ids` (at least one) to the sequence; gives the logits after the last.
    pub fn prefill(&mut self, ids: &[u32]) -> Result<Vec<F24>, DecodeError> {
        self.check(ids)?;
        self.begin(ids)?;
        let mut last = Vec::new();
        for ids in ids.chunks(self.columns()) {
            last = self.layers(ids)?;
        }
        let dim = self.model.spec.dim;
        self.logits(&last[last.len().saturating_sub(dim)..])
    }

    /// Appends `ids` to the sequence; gives the logits after each: `ids.len()` x vocabulary.
    pub fn logits_of_each(&mut self, ids: &[u32]) -> Result<Vec<F24>, DecodeError> {
        self.check(ids)?;
        self.begin(ids)?;
        let mut all = Vec::with_capacity(ids.len() * self.model.spec.vocab);
        for ids in ids.chunks(self.columns()) {
            let x = self.layers(ids)?;
            all.extend(self.logits(&x)?);
        }
        Ok(all)
    }

    /// One token after others is decode; anything else is prefill, whose target its batches share.
    fn begin(&mut self, ids: &[u32]) -> Result<(), DecodeError> {
        self.phase = if ids.len() == 1 && self.position > 0 { Phase::Decode } else { Phase::Prefill };
        let batches = ids.len().div_ceil(self.columns());
        Ok(self.driver.begin_pass(self.phase, batches)?)
    }

    /// Vectors that share one stream of weights.
    fn columns(&self) -> usize {
        self.model.config.array.columns as usize
    }

    fn check(&self, ids: &[u32]) -> Result<(), DecodeError> {
        let (vocab, context, position) = (self.model.spec.vocab, self.model.context, self.position);
        if position + ids.len() > context {
            return Err(DecodeError::Context { tokens: ids.len(), position, context });
        }
        match ids.iter().find(|&&id| id as usize >= vocab) {
            Some(&id) => Err(DecodeError::Token { id, vocab }),
            None => Ok(()),
        }
    }

    /// All layers for at most [`Decoder::columns`] tokens; gives their residual vectors.
    fn layers(&mut self, ids: &[u32]) -> Result<Vec<F24>, DecodeError> {
        let mut x = Vec::with_capacity(ids.len() * self.model.spec.dim);
        ids.iter().for_each(|&id| self.model.embedding.row(id, &mut x));
        for layer in 0..self.model.layers.len() {
            self.layer(layer, &mut x)?;
        }
        self.position += ids.len();
        Ok(x)
    }

    /// One layer; `x`: tokens x dim.
    fn layer(&mut self, index: usize, x: &mut [F24]) -> Result<(), DecodeError> {
        let Decoder { model, driver, cache, position, phase, inv_dim, epsilon } = self;
        let (spec, layer) = (&model.spec, &model.layers[index]);
        let norm = |x: &[F24], weight: &[F24]| normalised(x, weight, *inv_dim, *epsilon);

        let [mut q, mut k, v] = take(driver.multiply(&layer.qkv, &norm(x, &layer.attn_norm), *phase)?);
        let columns = x.len() / spec.dim;
        let (q_size, kv_size) = (spec.heads * spec.head_size, spec.kv_heads * spec.head_size);
        let mut attention = Attention::new(spec);
        let mut y = vec![F24::ZERO; q.len()];
        let keys_and_values = k.chunks_exact_mut(kv_size).zip(v.chunks_exact(kv_size));
        let rows = q.chunks_exact_mut(q_size).zip(keys_and_values).zip(y.chunks_exact_mut(q_size));
        for (column, ((q, (k, v)), y)) in rows.enumerate() {
            let turns = model.rope.at(*position + column);
            turn(q, spec.head_size, turns);
            turn(k, spec.head_size, turns);
            cache[index].push(k, v);
            attention.token(q, &cache[index], y);
        }
        if attention.saturated() {
            return Err(DecodeError::Saturated { layer: index });
        }
        let [y] = take(driver.multiply(&layer.attn_output, &quantised(&y, columns), *phase)?);
        add(x, &y);

        let [gate, up] = take(driver.multiply(&layer.gate_up, &norm(x, &layer.ffn_norm), *phase)?);
        let h: Vec<F24> = gate.iter().zip(&up).map(|(gate, up)| silu(*gate) * *up).collect();
        let [y] = take(driver.multiply(&layer.down, &quantised(&h, columns), *phase)?);
        add(x, &y);
        Ok(())
    }

    /// The logits of residual vectors; at most [`Decoder::columns`] of them.
    fn logits(&mut self, x: &[F24]) -> Result<Vec<F24>, DecodeError> {
        let h = normalised(x, &self.model.output_norm, self.inv_dim, self.epsilon);
        let [logits] = take(self.driver.multiply(&self.model.logits, &h, self.phase)?);
        Ok(logits)
    }
}

/// Each vector of `x` normalised and quantised.
fn normalised(x: &[F24], weight: &[F24], inv_dim: F24, epsilon: F24) -> Vec<Activations> {
    let mut h = vec![F24::ZERO; weight.len()];
    let vectors = x.chunks_exact(weight.len());
    vectors
        .map(|x| {
            rms_norm(x, weight, inv_dim, epsilon, &mut h);
            Activations::quantise(&h)
        })
        .collect()
}

fn quantised(x: &[F24], columns: usize) -> Vec<Activations> {
    x.chunks_exact(x.len() / columns).map(Activations::quantise).collect()
}

/// Turns the pairs of each head; dimensions past those of `turns` stay.
fn turn(x: &mut [F24], head_size: usize, turns: &[(F24, F24)]) {
    for head in x.chunks_exact_mut(head_size) {
        for (pair, (cos, sin)) in head.chunks_exact_mut(2).zip(turns) {
            (pair[0], pair[1]) = rotate(pair[0], pair[1], *cos, *sin);
        }
    }
}

fn add(x: &mut [F24], y: &[F24]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x = *x + *y);
}

/// The results of a stage by matrix. A stage has as many outputs as the compiler gave it matrices.
fn take<const N: usize>(results: Vec<Vec<F24>>) -> [Vec<F24>; N] {
    let mut results = results.into_iter();
    std::array::from_fn(|_| results.next().unwrap_or_default())
}
