// SPDX-License-Identifier: MIT OR Apache-2.0
//! The quality gate: how far the accelerator's arithmetic is from the same weights in floating point.
//!
//! A text is cut into contexts as llama.cpp's perplexity tool does it: each begins with the beginning-of-text token,
//! and the tokens of its second half are judged. Both models see the same tokens; compared are the distributions.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use heddle_core::config::Config;
use heddle_core::numerics::F24;
use rayon::prelude::*;
use serde::Serialize;

use crate::compile::{CompileError, Compiled, compile};
use crate::decoder::{DecodeError, Decoder};
use crate::driver::{Driver, DriverError, golden::Golden};
use crate::model::gguf::Gguf;
use crate::model::llama::SpecError;
use crate::reference::{Reference, ReferenceError};

/// Largest mean Kullback-Leibler divergence, in nats.
pub const KLD_MAX: f64 = 0.005;
/// Smallest share of positions with the same most likely token.
pub const TOP1_MIN: f64 = 0.95;
/// Largest relative difference of perplexity.
pub const PPL_MAX: f64 = 0.01;
/// Most tokens of one context.
const CONTEXT: usize = 512;

/// Distances over all judged positions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quality {
    /// Judged positions.
    pub positions: usize,
    /// Mean of KL(reference || accelerator), in nats.
    pub kld: f64,
    /// Share of positions with the same most likely token.
    pub top1: f64,
    /// Perplexity of the text under the reference.
    pub ppl_reference: f64,
    /// Perplexity of the text under the accelerator.
    pub ppl: f64,
}

/// Why a model could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum QualityError {
    #[error(transparent)]
    Compile(#[from] CompileError),
    #[error(transparent)]
    Driver(#[from] DriverError),
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error("the text has {tokens} tokens, but one context of {context} is the least that can be judged; give a longer text")]
    ShortText { tokens: usize, context: usize },
}

/// Sums over positions.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    positions: usize,
    kld: f64,
    agree: usize,
    loss_reference: f64,
    loss: f64,
}

impl Quality {
    /// Whether every limit is kept.
    pub fn passes(&self) -> bool {
        self.kld <= KLD_MAX && self.top1 >= TOP1_MIN && self.ppl_change().abs() <= PPL_MAX
    }

    /// Relative difference of perplexity to the reference.
    pub fn ppl_change(&self) -> f64 {
        self.ppl / self.ppl_reference - 1.0
    }
}

/// Judges `gguf` on the golden device of `config` over the whole contexts in `ids`, which begin with `bos` each if the
/// model has one. `progress` hears of the contexts that are done, and of how many there are.
pub fn measure(
    gguf: &Arc<Gguf>,
    config: &Config,
    ids: &[u32],
    bos: Option<u32>,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Quality, QualityError> {
    let compiled = compile(gguf, config)?;
    let reference = Reference::from_gguf(gguf)?;
    let context = compiled.model.context.min(CONTEXT);
    let chunks: Vec<&[u32]> = ids.chunks_exact(context).collect();
    if chunks.is_empty() {
        return Err(QualityError::ShortText { tokens: ids.len(), context });
    }
    let done = AtomicUsize::new(0);
    let one = |decoder: &mut Result<Decoder, DriverError>, chunk: &&[u32]| {
        let decoder = match decoder {
            Ok(decoder) => decoder,
            Err(_) => &mut start(&compiled, config)?,
        };
        let sums = judge(decoder, &reference, chunk, bos)?;
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, chunks.len());
        Ok(sums)
    };
    let sums: Vec<Sums> = chunks.par_iter().map_init(|| start(&compiled, config), one).collect::<Result<_, QualityError>>()?;
    Ok(sums.into_iter().fold(Sums::default(), Sums::plus).quality())
}

fn start(compiled: &Compiled, config: &Config) -> Result<Decoder, DriverError> {
    Decoder::new(compiled, Driver::connect(Box::new(Golden::new(config)), config)?)
}

/// One context: both models over its tokens, judged from the middle on.
fn judge(decoder: &mut Decoder, reference: &Reference, chunk: &[u32], bos: Option<u32>) -> Result<Sums, QualityError> {
    let mut input = chunk.to_vec();
    if let Some(bos) = bos {
        input[0] = bos;
    }
    decoder.reset();
    let ours: Vec<f32> = decoder.logits_of_each(&input)?.into_iter().map(F24::to_f32).collect();
    let theirs = reference.logits(&input)?;
    let vocab = reference.spec().vocab;
    let mut sums = Sums::default();
    for (position, next) in chunk.iter().enumerate().skip(chunk.len() / 2 + 1) {
        let row = (position - 1) * vocab..position * vocab;
        sums.add(&theirs[row.clone()], &ours[row], *next as usize);
    }
    Ok(sums)
}

impl Sums {
    /// `p`, `q`: logits of the reference and of the accelerator; `next`: the token that followed.
    fn add(&mut self, p: &[f32], q: &[f32], next: usize) {
        let (log_p, log_q) = (log_softmax(p), log_softmax(q));
        self.positions += 1;
        self.kld += log_p.iter().zip(&log_q).map(|(p, q)| p.exp() * (p - q)).sum::<f64>();
        self.agree += usize::from(most_likely(&log_p) == most_likely(&log_q));
        self.loss_reference -= log_p[next];
        self.loss -= log_q[next];
    }

    fn plus(self, other: Sums) -> Sums {
        Sums {
            positions: self.positions + other.positions,
            kld: self.kld + other.kld,
            agree: self.agree + other.agree,
            loss_reference: self.loss_reference + other.loss_reference,
            loss: self.loss + other.loss,
        }
    }

    fn quality(self) -> Quality {
        let n = self.positions as f64;
        Quality {
            positions: self.positions,
            kld: self.kld / n,
            top1: self.agree as f64 / n,
            ppl_reference: (self.loss_reference / n).exp(),
            ppl: (self.loss / n).exp(),
        }
    }
}

fn log_softmax(logits: &[f32]) -> Vec<f64> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&x| f64::from(x - max).exp()).sum();
    logits.iter().map(|&x| f64::from(x - max) - sum.ln()).collect()
}

/// The first of the largest.
fn most_likely(log_p: &[f64]) -> usize {
    (1..log_p.len()).fold(0, |best, i| if log_p[i] > log_p[best] { i } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_logits_have_no_distance() {
        let mut sums = Sums::default();
        sums.add(&[0.0, 1.0, 2.0], &[0.0, 1.0, 2.0], 2);
        let quality = sums.quality();
        assert_eq!((quality.kld, quality.top1, quality.ppl_change()), (0.0, 1.0, 0.0));
        assert!(quality.passes());
    }

    #[test]
    fn distances_are_those_of_the_distributions() {
        // p = (1/2, 1/2), q = (1/4, 3/4): KL = ln 2 - (ln 3) / 2.
        let mut sums = Sums::default();
        sums.add(&[0.0, 0.0], &[0.0, 3f32.ln()], 0);
        let quality = sums.quality();
        assert!((quality.kld - (2f64.ln() - 3f64.ln() / 2.0)).abs() < 1e-7);
        assert!((quality.ppl_reference - 2.0).abs() < 1e-12 && (quality.ppl - 4.0).abs() < 1e-6);
        assert_eq!(quality.top1, 0.0);
        assert!(!quality.passes());
    }
}
