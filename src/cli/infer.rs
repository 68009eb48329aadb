// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle infer`: text from a model on the accelerator.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::device::{HardwareArgs, Kind, TransportArgs};
use super::model::open_model;
use super::report::{Report, Run};
use crate::compile::compile;
use crate::decoder::{Decoder, Generation, check_prompt, generate};
use crate::driver::Gating;
use crate::model::tokenizer::{EncodeOptions, Tokenizer};
use crate::sampling::{Sampler, SamplingConfig};

#[derive(Args)]
pub struct InferArgs {
    /// A .gguf file, or the name of a model: nano, nano-q4_0, nano-q8_0 (part of the program), smollm2 (fetched)
    #[arg(long, value_name = "FILE|NAME", default_value = "nano")]
    model: String,
    /// Text to go on from
    #[arg(long, default_value = "KING:")]
    prompt: String,
    /// Tokens to write at most
    #[arg(long, value_name = "N", default_value_t = 96)]
    tokens: usize,
    #[command(flatten)]
    hardware: HardwareArgs,
    #[command(flatten)]
    transport: TransportArgs,
    #[command(flatten)]
    gating: GatingArgs,
    #[command(flatten)]
    sampling: SamplingArgs,
    /// Print one JSON object at the end instead of text
    #[arg(long)]
    json: bool,
}

/// When power domains sleep.
#[derive(Args)]
struct GatingArgs {
    /// Switch power domains off after so many idle cycles (hardware with domains, as --preset gated)
    #[arg(long, value_name = "CYCLES")]
    gate: Option<u16>,
    /// Cycles to wait for the answer of switches and units
    #[arg(long, value_name = "CYCLES", default_value_t = u16::MAX, requires = "gate")]
    gate_limit: u16,
    /// Let domains sleep within a matrix too, while its weights are late
    #[arg(long, requires = "gate")]
    gate_within: bool,
}

impl GatingArgs {
    fn gating(&self) -> Option<Gating> {
        self.gate.map(|idle| Gating { idle, limit: self.gate_limit, within_matrix: self.gate_within })
    }
}

/// How tokens are chosen.
#[derive(Args)]
struct SamplingArgs {
    /// The same seed gives the same text
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// 0 always takes the most likely token; higher is more varied
    #[arg(long, value_name = "T", default_value_t = 0.7, allow_negative_numbers = true)]
    temperature: f32,
    /// Choose among this many most likely tokens; 0 is all
    #[arg(long, value_name = "N", default_value_t = 40)]
    top_k: usize,
    /// Choose among the most likely tokens that have this probability together
    #[arg(long, value_name = "P", default_value_t = 1.0)]
    top_p: f32,
    /// Leave out tokens less likely than this fraction of the most likely one
    #[arg(long, value_name = "P", default_value_t = 0.0)]
    min_p: f32,
    /// Make recent tokens less likely; 1 is off
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    repeat_penalty: f32,
    /// Always take the most likely token
    #[arg(long, conflicts_with = "temperature")]
    greedy: bool,
}

impl SamplingArgs {
    fn config(&self) -> SamplingConfig {
        SamplingConfig {
            temperature: if self.greedy { 0.0 } else { self.temperature },
            top_k: self.top_k,
            top_p: self.top_p,
            min_p: self.min_p,
            repeat_penalty: self.repeat_penalty,
            seed: self.seed,
            ..SamplingConfig::default()
        }
    }
}

pub fn run(args: &InferArgs) -> Result<ExitCode> {
    // What can be wrong without hardware is checked before hardware is built.
    let config = args.hardware.config()?;
    let mut sampler = Sampler::new(args.sampling.config())?;
    let gguf = open_model(&args.model, args.json)?;
    let compiled = compile(&gguf, &config)?;
    let tokenizer = Tokenizer::from_gguf(&gguf)?;
    let prompt = tokenizer.encode(&args.prompt, EncodeOptions::PROMPT);
    check_prompt(&prompt, compiled.model.context)?;

    let mut driver = args.transport.connect(&config, args.json)?;
    if let Some(gating) = args.gating.gating() {
        driver.set_gating(Some(gating))?;
    }
    let mut decoder = Decoder::new(&compiled, driver)?;
    let generation = write_text(args, &mut decoder, &tokenizer, &prompt, &mut sampler)?;
    let gated = config.domains() > 0 && args.transport.transport == Kind::Sim;
    let power = if gated { Some(decoder.driver().power()?) } else { None };
    let transport = decoder.driver().transport();
    let (has_cycles, end) = (transport.has_cycles(), transport.clock_cycles());
    let run =
        Run { model: &args.model, config: &config, has_cycles, prompt: &prompt, generation: &generation, tokenizer: &tokenizer, power };
    let report = Report::new(run);
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        eprint!("{report}");
    }
    if let Some(warning) = args.transport.no_waves(end) {
        eprintln!("warning: {warning}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Generates, and shows the text as it comes unless JSON is wanted.
fn write_text(args: &InferArgs, decoder: &mut Decoder, tokenizer: &Tokenizer, prompt: &[u32], sampler: &mut Sampler) -> Result<Generation> {
    let mut out = io::stdout();
    let mut show = |text: &str| args.json || out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok();
    show(&args.prompt);
    let mut text = tokenizer.decoder();
    // Who closes the output wants no more text.
    let generation = generate(decoder, prompt, args.tokens, sampler, |id| tokenizer.is_end(id), |id| show(&text.push(id)))?;
    show(&text.finish());
    show("\n\n");
    Ok(generation)
}
