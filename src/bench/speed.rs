// SPDX-License-Identifier: MIT OR Apache-2.0
//! Speed of simulation, of the golden model and of the generator.

use super::{BenchError, Progress, Table};
use crate::compile::compile;
use crate::decoder::Decoder;
use crate::driver::{Driver, golden::Golden, sim};
use crate::generate::generate;
use crate::model::open;
use crate::model::tokenizer::{EncodeOptions, Tokenizer};
use heddle_core::config::{BLOCK, Config, Format, PRESETS};
use heddle_tb::matmul::{self, Product};
use heddle_tb::random::Random;
use heddle_tb::soc::Soc;
use heddle_tb::verilator::BuildOptions;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub const NAME: &str = "speed";
/// Cycles per second of `base`.
const SIMULATION_MIN: f64 = 2e6;
const ROUNDS: usize = 5;
const ROWS: usize = 896;
const LENGTH: usize = 896;

/// Simulation of `base` with one column and with all, the golden model, and each preset's Verilog.
pub fn run(progress: Progress<'_>) -> Result<Table, BenchError> {
    let mut table = Table::new(NAME, "Speed of simulation and generation", &["what", "figure", "target"]);
    table.notes = format!("Best of {ROUNDS} rounds, in time of the processor; one thread simulates, the golden model uses every core.");
    let config = Config::base();
    for columns in [1, config.array.columns as usize] {
        progress(&format!("simulating base with {columns} column(s) in use"));
        let rate = simulate(&config, columns, progress)?;
        let what = format!("`base` in Verilator with its memory model, {ROWS} x {LENGTH} Q8_0, {columns} column(s) in use");
        table.rows.push(vec![what, format!("{:.2} Mcycles/s", rate / 1e6), format!(">= {:.0} Mcycles/s", SIMULATION_MIN / 1e6)]);
        if rate < SIMULATION_MIN {
            table.missed.push(format!("{:.2} Mcycles/s with {columns} column(s)", rate / 1e6));
        }
    }
    progress("decoding with the golden model");
    table.rows.push(vec!["golden model, embedded model".into(), format!("{:.0} tokens/s", golden(&config)?), String::new()]);
    for preset in PRESETS {
        progress(&format!("generating {preset}"));
        let config = Config::preset(preset)?;
        let limit = if preset == "wide" { 3.0 } else { 1.0 };
        let files = || generate(&config).map(drop).map_err(BenchError::from);
        let time = best(files, Instant::now, |start| start.elapsed())?.as_secs_f64();
        table.rows.push(vec![format!("files of `{preset}`"), format!("{:.0} ms", 1e3 * time), format!("< {:.0} s", limit)]);
        if time > limit {
            table.missed.push(format!("{time:.2} s for the files of {preset}"));
        }
    }
    Ok(table)
}

/// Cycles per second.
fn simulate(config: &Config, columns: usize, progress: Progress<'_>) -> Result<f64, BenchError> {
    let library = sim::build(config, &BuildOptions::default(), progress)?;
    let mut rng = Random::new(1);
    let blocks = LENGTH / BLOCK as usize;
    let weights = matmul::random_matrix(&mut rng, Format::Q8_0, ROWS * blocks);
    let columns = (0..columns).map(|_| matmul::random_vector(&mut rng, blocks)).collect();
    let product = Product { format: Format::Q8_0, rows: ROWS, blocks, weights, columns, reuse: false, fence: false };
    let image = matmul::image(config, &[product]);
    let mut soc = Soc::new(library.instance()?, matmul::memory_config(config, &image))?;
    let mut cycles = 0;
    let run = || {
        let before = soc.cycles();
        matmul::run(&mut soc, &image, 10_000_000)?;
        cycles = soc.cycles() - before;
        Ok(())
    };
    let time = best(run, cpu_time, |start| cpu_time() - start)?;
    Ok(cycles as f64 / time.as_secs_f64())
}

/// Tokens per second of a text taken in one by one.
fn golden(config: &Config) -> Result<f64, BenchError> {
    const TOKENS: usize = 64;
    let gguf = Arc::new(open("nano", &mut |_| {})?);
    let compiled = compile(&gguf, config)?;
    let ids = Tokenizer::from_gguf(&gguf)?.encode(&"My lord, ".repeat(TOKENS), EncodeOptions::PROMPT);
    let mut decoder = Decoder::new(&compiled, Driver::connect(Box::new(Golden::new(config)), config)?)?;
    let run = || {
        decoder.reset();
        ids[..TOKENS].iter().try_for_each(|&id| decoder.prefill(&[id]).map(drop))?;
        Ok(())
    };
    Ok(TOKENS as f64 / best(run, Instant::now, |start| start.elapsed())?.as_secs_f64())
}

/// The shortest of a few rounds.
fn best<T>(
    mut run: impl FnMut() -> Result<(), BenchError>,
    start: impl Fn() -> T,
    since: impl Fn(T) -> Duration,
) -> Result<Duration, BenchError> {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let from = start();
        run()?;
        best = best.min(since(from));
    }
    Ok(best)
}

/// Time of the processor in this thread, which is steady on a machine that is busy with other things.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0))
}
