// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a run tells about itself: for people and as JSON.

use std::fmt;
use std::time::Duration;

use heddle_core::config::Config;
use serde::Serialize;

use crate::decoder::{Finish, Generation, Step};
use crate::driver::gating::share_off;
use crate::driver::{Counters, DomainPower, KnownCounters};
use crate::model::tokenizer::Tokenizer;

/// A finished run.
pub struct Run<'a> {
    pub model: &'a str,
    pub config: &'a Config,
    /// Whether the counters tell cycles.
    pub has_cycles: bool,
    pub prompt: &'a [u32],
    pub generation: &'a Generation,
    pub tokenizer: &'a Tokenizer,
    /// Of hardware with power domains, as far as it is known.
    pub power: Option<Vec<DomainPower>>,
}

/// The figures of a run. What needs cycles is `null` where there are none.
///
/// Rates and figures per token are of the passes after the prompt's; if there are none, of the prompt's.
#[derive(Serialize)]
pub struct Report<'a> {
    model: &'a str,
    hardware: &'a str,
    digest: String,
    prompt_ids: &'a [u32],
    /// The tokens generated.
    ids: &'a [u32],
    text: String,
    finish: &'static str,
    /// Tokens of one second of this machine.
    tokens_per_s: f64,
    /// Of the matrix engine: the host's part takes none.
    cycles_per_token: Option<f64>,
    /// What that is at the configured clock.
    tokens_per_s_at_clock: Option<f64>,
    clock_mhz: f64,
    /// Share of cycles in which the memory port moved a beat of reads.
    port_use: Option<f64>,
    /// None, as the one before, in a build that does not count beats.
    bytes_per_token: Option<f64>,
    /// Sums over the whole run.
    counters: KnownCounters,
    per_token: Vec<Token>,
    /// Of each power domain since reset.
    power: Option<Power>,
}

/// What became of the power domains.
#[derive(Serialize)]
struct Power {
    /// Share of domain-cycles in which the switches were open.
    share_off: f64,
    domains: Vec<DomainPower>,
}

/// One pass of the model.
#[derive(Serialize)]
struct Token {
    /// The token it gave.
    id: u32,
    /// Tokens that went in.
    tokens: usize,
    seconds: f64,
    cycles: Option<u64>,
    read_beats: Option<u64>,
    write_beats: Option<u64>,
}

impl<'a> Report<'a> {
    pub fn new(run: Run<'a>) -> Report<'a> {
        let Run { config, generation, has_cycles, .. } = run;
        let steps = &generation.steps;
        let judged = if steps.len() > 1 { &steps[1..] } else { &steps[..] };
        let tokens = judged.iter().map(|s| s.tokens).sum::<usize>().max(1) as f64;
        let counters = sum(judged);
        let cycles_per_token = (has_cycles && !judged.is_empty()).then(|| counters.cycles as f64 / tokens);
        let time: Duration = judged.iter().map(|s| s.time).sum();
        let beats = config.counters.then_some(counters.read_beats + counters.write_beats);
        Report {
            model: run.model,
            hardware: &config.name,
            digest: config.digest_hex(),
            prompt_ids: run.prompt,
            ids: &generation.ids,
            text: text(run.tokenizer, &generation.ids),
            finish: finish(generation.finish),
            tokens_per_s: if time.is_zero() { 0.0 } else { tokens / time.as_secs_f64() },
            cycles_per_token,
            tokens_per_s_at_clock: cycles_per_token.map(|cycles| config.clock_mhz * 1e6 / cycles),
            clock_mhz: config.clock_mhz,
            port_use: counters.port_use().filter(|_| config.counters),
            bytes_per_token: beats.map(|beats| beats as f64 * f64::from(config.port_bytes()) / tokens),
            counters: sum(steps).known(config, has_cycles),
            per_token: steps.iter().map(|s| Token::new(s, config, has_cycles)).collect(),
            power: run.power.map(|domains| Power { share_off: share_off(&[], &domains), domains }),
        }
    }
}

impl Token {
    fn new(step: &Step, config: &Config, has_cycles: bool) -> Token {
        Token {
            id: step.id,
            tokens: step.tokens,
            seconds: step.time.as_secs_f64(),
            cycles: has_cycles.then_some(step.counters.cycles),
            read_beats: config.counters.then_some(step.counters.read_beats),
            write_beats: config.counters.then_some(step.counters.write_beats),
        }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { model, hardware, clock_mhz, .. } = self;
        let ended = match self.finish {
            "length" => "",
            "end" => ", where the model ended the text",
            _ => ", where the context was full",
        };
        writeln!(f, "{model} on {hardware}: {} prompt tokens, {} new tokens{ended}", self.prompt_ids.len(), self.ids.len())?;
        match (self.cycles_per_token, self.tokens_per_s_at_clock) {
            (Some(cycles), Some(rate)) => {
                writeln!(f, "  simulation   {:.1} tokens/s on this machine", self.tokens_per_s)?;
                writeln!(f, "  accelerator  {cycles:.0} cycles per token: {rate:.0} tokens/s at {clock_mhz} MHz (matrix products only)")?;
            }
            _ => {
                writeln!(f, "  golden model {:.1} tokens/s on this machine (it has no cycles)", self.tokens_per_s)?;
            }
        }
        match (self.port_use, self.bytes_per_token) {
            (Some(port_use), Some(bytes)) => writeln!(f, "  memory port  {:.1} % used, {bytes:.0} bytes per token", 100.0 * port_use)?,
            (None, Some(bytes)) => writeln!(f, "  memory port  {bytes:.0} bytes per token")?,
            _ => {}
        }
        if let Some(power) = &self.power {
            let ups: u32 = power.domains.iter().map(|domain| domain.ups).sum();
            let stalls = self.counters.wake_stall.unwrap_or(0);
            let (share, domains) = (100.0 * power.share_off, power.domains.len());
            writeln!(
                f,
                "  power        {domains} domains, {share:.1} % of their cycles off, {ups} times switched on, {stalls} cycles waited for"
            )?;
        }
        Ok(())
    }
}

fn sum(steps: &[Step]) -> Counters {
    steps.iter().fold(Counters::default(), |mut all, step| {
        all += step.counters;
        all
    })
}

fn text(tokenizer: &Tokenizer, ids: &[u32]) -> String {
    let mut decoder = tokenizer.decoder();
    let text: String = ids.iter().map(|&id| decoder.push(id)).collect();
    text + &decoder.finish()
}

fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Length => "length",
        Finish::End => "end",
        Finish::Context => "context",
    }
}
