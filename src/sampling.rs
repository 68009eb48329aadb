// SPDX-License-Identifier: MIT OR Apache-2.0
//! From logits to the next token.
//!
//! The steps, in this order: repetition penalty, top-k, top-p, min-p, temperature, draw (the order of llama.cpp's
//! default chain). Equal logits are ordered by token id, and the generator is our own, so a seed gives the same
//! tokens on every machine and in every version.

use std::cmp::Ordering;
use std::collections::{HashSet, VecDeque};

/// How to choose tokens. [`SamplingConfig::default`] is greedy.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplingConfig {
    /// 0 takes the most likely token (greedy); higher flattens the distribution.
    pub temperature: f32,
    /// Keep this many tokens; 0 keeps all.
    pub top_k: usize,
    /// Keep the fewest most likely tokens whose probabilities sum to this; 1 keeps all.
    pub top_p: f32,
    /// Keep tokens at least this fraction as likely as the most likely one; 0 keeps all.
    pub min_p: f32,
    /// Divides positive and multiplies negative logits of recent tokens; 1 changes nothing.
    pub repeat_penalty: f32,
    /// How many of the latest tokens count as recent; 0 switches the penalty off.
    pub repeat_window: usize,
    pub seed: u64,
}

impl Default for SamplingConfig {
    fn default() -> SamplingConfig {
        SamplingConfig { temperature: 0.0, top_k: 0, top_p: 1.0, min_p: 0.0, repeat_penalty: 1.0, repeat_window: 64, seed: 0 }
    }
}

/// What is wrong with a configuration or with the logits.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum SamplingError {
    #[error("`{field}` is {found} (legal: {legal})")]
    Field { field: &'static str, found: f32, legal: &'static str },
    #[error("there are no logits to sample from, or none of the {count} is a number")]
    NoLogits { count: usize },
}

/// Chooses tokens and remembers the latest.
#[derive(Clone, Debug)]
pub struct Sampler {
    config: SamplingConfig,
    rng: Rng,
    recent: VecDeque<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Candidate {
    id: u32,
    logit: f32,
}

impl Sampler {
    /// A sampler; an error names the field that is out of range.
    pub fn new(config: SamplingConfig) -> Result<Sampler, SamplingError> {
        let field = |ok: bool, field, found, legal| {
            if ok { Ok(()) } else { Err(SamplingError::Field { field, found, legal }) }
        };
        let t = config.temperature;
        field(t >= 0.0 && t.is_finite(), "temperature", t, "0 or more")?;
        field(config.top_p > 0.0 && config.top_p <= 1.0, "top_p", config.top_p, "above 0, up to 1")?;
        field((0.0..=1.0).contains(&config.min_p), "min_p", config.min_p, "0 to 1")?;
        let penalty = config.repeat_penalty;
        field(penalty > 0.0 && penalty.is_finite(), "repeat_penalty", penalty, "above 0")?;
        Ok(Sampler { rng: Rng::new(config.seed), config, recent: VecDeque::new() })
    }

    /// Remembers tokens that were not drawn here (the prompt), for the repetition penalty.
    pub fn observe(&mut self, ids: &[u32]) {
        for &id in ids {
            self.recent.push_back(id);
            if self.recent.len() > self.config.repeat_window {
                self.recent.pop_front();
            }
        }
    }

    /// Chooses the next token and remembers it. `logits[id]` for each token; NaN counts as impossible.
    pub fn sample(&mut self, logits: &[f32]) -> Result<u32, SamplingError> {
        let candidates = self.penalised(logits);
        if candidates.is_empty() {
            return Err(SamplingError::NoLogits { count: logits.len() });
        }
        let id = if self.config.temperature == 0.0 {
            most_likely(&candidates)
        } else {
            let kept = keep(candidates, &self.config);
            self.draw(&kept)
        };
        self.observe(&[id]);
        Ok(id)
    }

    fn penalised(&self, logits: &[f32]) -> Vec<Candidate> {
        let penalty = self.config.repeat_penalty;
        let mut logits = logits.to_vec();
        if penalty != 1.0 {
            for id in self.recent.iter().copied().collect::<HashSet<u32>>() {
                if let Some(logit) = logits.get_mut(id as usize) {
                    *logit = if *logit > 0.0 { *logit / penalty } else { *logit * penalty };
                }
            }
        }
        let all = (0..).zip(logits).map(|(id, logit)| Candidate { id, logit });
        all.filter(|c| !c.logit.is_nan()).collect()
    }

    fn draw(&mut self, kept: &[Candidate]) -> u32 {
        let weights = weights(kept, f64::from(self.config.temperature));
        let mut left = self.rng.unit() * weights.iter().sum::<f64>();
        for (candidate, weight) in kept.iter().zip(&weights) {
            left -= weight;
            if left < 0.0 {
                return candidate.id;
            }
        }
        most_likely(kept) // rounding used up the last crumb of the sum
    }
}

/// The id of the most likely token: the lowest of equals.
pub fn greedy(logits: &[f32]) -> Option<u32> {
    let all = (0..).zip(logits).map(|(id, &logit)| Candidate { id, logit });
    all.filter(|c| !c.logit.is_nan()).min_by(order).map(|c| c.id)
}

fn most_likely(candidates: &[Candidate]) -> u32 {
    candidates.iter().copied().min_by(order).map_or(0, |c| c.id)
}

/// Most likely first, equals by id. (`+ 0.0` makes the two zeros equal.)
fn order(a: &Candidate, b: &Candidate) -> Ordering {
    (b.logit + 0.0).total_cmp(&(a.logit + 0.0)).then(a.id.cmp(&b.id))
}

/// The candidates that top-k, top-p and min-p leave, most likely first; at least one.
fn keep(mut candidates: Vec<Candidate>, config: &SamplingConfig) -> Vec<Candidate> {
    if config.top_k > 0 && config.top_k < candidates.len() {
        candidates.select_nth_unstable_by(config.top_k - 1, order);
        candidates.truncate(config.top_k);
    }
    candidates.sort_unstable_by(order);
    if config.top_p < 1.0 {
        let weights = weights(&candidates, 1.0);
        let enough = f64::from(config.top_p) * weights.iter().sum::<f64>();
        let mut sum = 0.0;
        let reached = weights.iter().position(|w| {
            sum += w;
            sum >= enough
        });
        candidates.truncate(reached.map_or(candidates.len(), |last| last + 1));
    }
    if config.min_p > 0.0 {
        let weights = weights(&candidates, 1.0); // the first has weight 1
        let kept = weights.iter().take_while(|&&w| w >= f64::from(config.min_p)).count();
        candidates.truncate(kept.max(1));
    }
    candidates
}

/// exp((logit - greatest) / temperature) of candidates ordered most likely first.
fn weights(candidates: &[Candidate], temperature: f64) -> Vec<f64> {
    let top = candidates.first().map_or(0.0, |c| f64::from(c.logit));
    let weight = |c: &Candidate| {
        let logit = f64::from(c.logit);
        // Equal infinities have an undefined difference; they are as likely as the first.
        if logit == top { 1.0 } else { ((logit - top) / temperature).exp() }
    };
    candidates.iter().map(weight).collect()
}

/// xoshiro256++ seeded by splitmix64 (Blackman and Vigna, public domain).
#[derive(Clone, Debug)]
struct Rng {
    state: [u64; 4],
}

impl Rng {
    fn new(seed: u64) -> Rng {
        let mut x = seed;
        let mut next = || {
            x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ z >> 31
        };
        Rng { state: [next(), next(), next(), next()] }
    }

    fn next(&mut self) -> u64 {
        let s = &mut self.state;
        let out = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        out
    }

    /// Uniform in [0, 1), 53 bits.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests;
