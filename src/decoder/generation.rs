// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a prompt to new tokens, one at a time.

use std::time::{Duration, Instant};

use heddle_core::numerics::F24;

use super::{DecodeError, Decoder};
use crate::driver::Counters;
use crate::sampling::{Sampler, SamplingError};

/// Why generation failed.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Sampling(#[from] SamplingError),
    #[error("the prompt has no tokens; give some text with --prompt")]
    EmptyPrompt,
    #[error("the prompt has {tokens} tokens, but the model's context holds {context} (one is needed for the answer); shorten the prompt")]
    LongPrompt { tokens: usize, context: usize },
}

/// One pass of the model and the token drawn from its logits.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The new token.
    pub id: u32,
    /// Tokens that went in: the prompt's, then 1.
    pub tokens: usize,
    /// Of this pass.
    pub counters: Counters,
    pub time: Duration,
}

/// Why generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// As many tokens as asked for.
    Length,
    /// The model ended its text; the end token is not among the ids.
    End,
    /// The context is full.
    Context,
}

/// What was generated.
#[derive(Clone, Debug)]
pub struct Generation {
    pub ids: Vec<u32>,
    pub finish: Finish,
    /// The pass over the prompt, then one for each further token.
    pub steps: Vec<Step>,
}

/// Appends `prompt` to the decoder's sequence, then up to `tokens` new ones. `is_end`: whether a token ends the text;
/// `on_token` hears of each new token at once and stops the generation by giving `false`.
pub fn generate(
    decoder: &mut Decoder,
    prompt: &[u32],
    tokens: usize,
    sampler: &mut Sampler,
    is_end: impl Fn(u32) -> bool,
    mut on_token: impl FnMut(u32) -> bool,
) -> Result<Generation, GenerateError> {
    let context = decoder.model().context;
    check_prompt(prompt, context - decoder.position())?;
    sampler.observe(prompt);
    let mut out = Generation { ids: Vec::new(), finish: Finish::Length, steps: Vec::new() };
    let mut input = prompt.to_vec();
    while out.ids.len() < tokens {
        if decoder.position() + input.len() > context {
            out.finish = Finish::Context;
            break;
        }
        let step = step(decoder, &input, sampler)?;
        out.steps.push(step);
        if is_end(step.id) {
            out.finish = Finish::End;
            break;
        }
        out.ids.push(step.id);
        if !on_token(step.id) {
            break;
        }
        input = vec![step.id];
    }
    Ok(out)
}

/// Whether there is a prompt, and room for it and one more token in a context of this length.
pub fn check_prompt(prompt: &[u32], context: usize) -> Result<(), GenerateError> {
    match prompt.len() {
        0 => Err(GenerateError::EmptyPrompt),
        tokens if tokens >= context => Err(GenerateError::LongPrompt { tokens, context }),
        _ => Ok(()),
    }
}

fn step(decoder: &mut Decoder, input: &[u32], sampler: &mut Sampler) -> Result<Step, GenerateError> {
    let start = Instant::now();
    decoder.driver().take_counters();
    let logits: Vec<f32> = decoder.prefill(input)?.into_iter().map(F24::to_f32).collect();
    let id = sampler.sample(&logits)?;
    Ok(Step { id, tokens: input.len(), counters: decoder.driver().counters(), time: start.elapsed() })
}
