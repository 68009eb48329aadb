// SPDX-License-Identifier: MIT OR Apache-2.0
//! Decoding with the embedded model in each preset: cycles and bytes per token.

use super::{BenchError, Progress, Table};
use crate::compile::compile;
use crate::decoder::{Decoder, Generation, generate};
use crate::driver::{Counters, Driver, sim};
use crate::model::gguf::Gguf;
use crate::model::open;
use crate::model::tokenizer::{EncodeOptions, Tokenizer};
use crate::sampling::{Sampler, SamplingConfig};
use heddle_core::config::{Config, PRESETS};
use heddle_tb::verilator::BuildOptions;
use std::sync::Arc;

pub const NAME: &str = "decode";
const MODELS: [&str; 2] = ["nano-q8_0", "nano-q4_0"];
const PROMPT: &str = "KING:";
const TOKENS: usize = 8;

/// Every preset and embedded model.
pub fn run(progress: Progress<'_>) -> Result<Table, BenchError> {
    let head = ["preset", "model", "cycles per token", "bytes per token", "port use", "at the target clock"];
    let mut table = Table::new(NAME, "Decoding the embedded model", &head);
    table.notes = format!(
        "Matrix products of {} tokens, one at a time, on the emitted Verilog in Verilator with each preset's memory latency; what the host \
         computes (norms, attention, sampling) takes no cycles here. *Port use* is the share of cycles in which the memory port delivered a \
         beat, descriptors and activations included. Clocks are targets: [area and timing](synth.md) has those that were reached.",
        TOKENS - 1
    );
    for preset in PRESETS {
        // A build without counters would tell nothing but its cycles.
        let config = Config { counters: true, ..Config::preset(preset)? };
        let library = sim::build(&config, &BuildOptions::default(), progress)?;
        for model in MODELS {
            progress(&format!("{preset}: {model}"));
            let gguf = Arc::new(open(model, &mut |_| {})?);
            let transport = Box::new(sim::Sim::new(&library, &config)?);
            let generation = greedy(&gguf, &config, Driver::connect(transport, &config)?, PROMPT, TOKENS)?;
            table.rows.push(row(&config, model, &counters_after_prompt(&generation)));
        }
    }
    Ok(table)
}

/// The most likely continuation of `prompt` on a device.
pub(super) fn greedy(gguf: &Arc<Gguf>, config: &Config, driver: Driver, prompt: &str, tokens: usize) -> Result<Generation, BenchError> {
    let compiled = compile(gguf, config)?;
    let prompt = Tokenizer::from_gguf(gguf)?.encode(prompt, EncodeOptions::PROMPT);
    let mut decoder = Decoder::new(&compiled, driver)?;
    let mut sampler = Sampler::new(SamplingConfig { temperature: 0.0, ..SamplingConfig::default() })?;
    Ok(generate(&mut decoder, &prompt, tokens, &mut sampler, |_| false, |_| true)?)
}

/// Of all passes but the prompt's.
pub(super) fn counters_after_prompt(generation: &Generation) -> Counters {
    let mut sum = Counters::default();
    generation.steps[1..].iter().for_each(|step| sum += step.counters);
    sum
}

fn row(config: &Config, model: &str, counters: &Counters) -> Vec<String> {
    let tokens = (TOKENS - 1) as f64;
    let cycles = counters.cycles as f64 / tokens;
    let bytes = (counters.read_beats + counters.write_beats) as f64 * f64::from(config.port_bytes()) / tokens;
    vec![
        config.name.clone(),
        model.into(),
        format!("{cycles:.0}"),
        format!("{bytes:.0}"),
        format!("{:.1} %", 100.0 * counters.port_use().unwrap_or(0.0)),
        format!("{:.0} tokens/s at {} MHz", 1e6 * config.clock_mhz / cycles, config.clock_mhz),
    ]
}
