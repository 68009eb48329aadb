// SPDX-License-Identifier: MIT OR Apache-2.0
//! Simulation speed of a whole accelerator with its memory model: build times, cycles per second of CPU time.
//!
//! `cargo run --release -p heddle-tb --example top_speed [-- PRESET]`

use heddle_core::config::{Config, Format};
use heddle_core::top;
use heddle_tb::matmul::{self, Product};
use heddle_tb::random::Random;
use heddle_tb::soc::Soc;
use heddle_tb::tools::find_verilator;
use heddle_tb::verilator::BuildOptions;
use heddle_tb::{rtl, simulator::Simulator};
use std::time::Duration;

const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "base".into());
    let config = Config::preset(&name)?;
    println!("{name}, {}", find_verilator()?.version);
    let top = top::top(&config)?;
    let library = rtl::verilated(&top, &BuildOptions::default(), &mut |step| println!("{step}"))?;
    let report = library.report();
    println!("verilated in {:.2?}, compiled in {:.2?}, cached: {}", report.verilate, report.compile, report.cached);

    let mut rng = Random::new(1);
    let blocks = config.activations.blocks.min(28) as usize;
    let rows = 896;
    let product = Product {
        format: Format::Q8_0,
        rows,
        blocks,
        weights: matmul::random_matrix(&mut rng, Format::Q8_0, rows * blocks),
        columns: vec![matmul::random_vector(&mut rng, blocks)],
        reuse: false,
        fence: false,
    };
    let image = matmul::image(&config, &[product]);
    let mut soc = Soc::new(library.instance()?, matmul::memory_config(&config, &image))?;
    let mut best = 0.0f64;
    for _ in 0..ROUNDS {
        let (start, before) = (cpu_time(), soc.cycles());
        let (_, counters) = matmul::run(&mut soc, &image, 10_000_000)?;
        let rate = (soc.cycles() - before) as f64 / (cpu_time() - start).as_secs_f64() / 1e6;
        if rate > best {
            best = rate;
            println!("{rows} x {} Q8_0: {} cycles, {rate:.2} Mcycles/s", 32 * blocks, counters.cycles);
        }
    }
    let mut model = library.instance()?;
    let start = cpu_time();
    for _ in 0..1_000_000 {
        model.settle()?;
        model.tick()?;
    }
    println!("idle, without models: {:.2} Mcycles/s", 1.0 / (cpu_time() - start).as_secs_f64());
    Ok(())
}

/// CPU time of this thread, which is steady on a machine that is busy with other things.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0))
}
