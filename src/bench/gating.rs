// SPDX-License-Identifier: MIT OR Apache-2.0
//! What power gating costs in cycles, and for how many domain-cycles the switches are open.

use super::{BenchError, Progress, Table};
use crate::compile::compile;
use crate::decoder::{Decoder, generate};
use crate::driver::gating::share_off;
use crate::driver::{Driver, Gating, sim};
use crate::model::open;
use crate::model::tokenizer::{EncodeOptions, Tokenizer};
use crate::sampling::{Sampler, SamplingConfig};
use heddle_core::config::{Config, Format};
use heddle_core::power::domain::STATES;
use heddle_core::registers::map;
use heddle_tb::matmul::{self, Counters, Product};
use heddle_tb::random::Random;
use heddle_tb::soc::{Soc, SwitchTiming};
use heddle_tb::verilator::{BuildOptions, Library};

pub const NAME: &str = "gating";
/// Cycles that a switch takes to acknowledge: at once, and so slowly that a chain of 4 takes longer than can be hidden.
const DELAYS: [u32; 3] = [0, 4, 40];
/// Layers of the alternating workload, with columns in use by turns.
const LAYERS: usize = 6;
/// Rows and blocks of a layer's matrices: q, k, v, o, gate, up, down of a model of 288, with 768 in between.
const SHAPES: [(usize, usize); 7] = [(288, 9), (144, 9), (144, 9), (288, 9), (768, 9), (768, 9), (288, 24)];
const IDLE: u16 = 16;
const LIMIT: u64 = 50_000_000;
const MODELS: [(&str, &str, usize); 2] = [("nano-q8_0", "KING:", 16), ("smollm2", "The capital of France is", 4)];

/// The alternating workload with switches of several speeds, then models.
pub fn run(progress: Progress<'_>) -> Result<Table, BenchError> {
    let head = ["workload", "switch delay", "cycles, always on", "cycles, gated", "waited for power", "switched on", "off"];
    let mut table = Table::new(NAME, "Power gating: its price and its share", &head);
    let config = Config::gated();
    table.notes = format!(
        "The emitted Verilog of `gated` ({} domains of one column, chains of {} switches) in Verilator, domains switched off after {IDLE} cycles \
         without need. *Alternating* is a program of {LAYERS} layers of 7 products each, by turns with 1 of 4 and 4 of 4 columns; a wake-up \
         is asked for when a descriptor has been checked, so it is hidden while the product before runs. *Switch delay* is the time of each \
         switch of a chain to its acknowledge; *waited for power* (the counter WAKE_STALL) is what could not be hidden. *Off* is the share of \
         domain-cycles in the controller's state `powered_off`. Cycles of models are those of the accelerator: it stands while the host computes. \
         What the share saves depends on leakage, which is not measured here.",
        config.domains(),
        config.power.switch_stages
    );
    let library = sim::build(&config, &BuildOptions::default(), progress)?;
    for delay in DELAYS {
        progress(&format!("alternating columns, switches of {delay} cycles"));
        alternating(&mut table, &library, &config, delay)?;
    }
    for model in MODELS {
        progress(&format!("{}: prompt and {} tokens", model.0, model.2));
        decode(&mut table, &library, &config, model)?;
    }
    Ok(table)
}

/// What a run of the alternating program tells.
struct Outcome {
    counters: Counters,
    stalls: u32,
    ups: u32,
    off: f64,
}

fn alternating(table: &mut Table, library: &Library, config: &Config, delay: u32) -> Result<(), BenchError> {
    let products = layers();
    let on = program(library, config, &products, delay, false)?;
    let gated = program(library, config, &products, delay, true)?;
    if delay == 0 && gated.counters.cycles != on.counters.cycles {
        table.missed.push(format!("gating costs {} cycles", gated.counters.cycles - on.counters.cycles));
    }
    table.rows.push(vec![
        "alternating".into(),
        format!("{delay} cycles"),
        on.counters.cycles.to_string(),
        gated.counters.cycles.to_string(),
        gated.stalls.to_string(),
        gated.ups.to_string(),
        format!("{:.1} %", 100.0 * gated.off),
    ]);
    Ok(())
}

fn layers() -> Vec<Product> {
    let mut rng = Random::new(1);
    let mut products = Vec::new();
    for layer in 0..LAYERS {
        for (rows, blocks) in SHAPES {
            let columns = if layer % 2 == 0 { 1 } else { 4 };
            let weights = matmul::random_matrix(&mut rng, Format::Q4_0, rows * blocks);
            let columns = (0..columns).map(|_| matmul::random_vector(&mut rng, blocks)).collect();
            products.push(Product { format: Format::Q4_0, rows, blocks, weights, columns, reuse: false, fence: false });
        }
    }
    products
}

fn program(library: &Library, config: &Config, products: &[Product], delay: u32, gate: bool) -> Result<Outcome, BenchError> {
    let image = matmul::image(config, products);
    let mut soc = Soc::new(library.instance()?, matmul::memory_config(config, &image))?;
    let switches = soc.switches().ok_or("the accelerator has no power domains")?;
    switches.set_timing(SwitchTiming { delay: delay..=delay, seed: 1 });
    soc.write_reg(map::POWER_IDLE.offset, IDLE.into())?;
    // All domains come up after reset; those that may sleep are asleep again when the program starts.
    soc.write_reg(map::POWER_ENABLE.offset, if gate { 0xff } else { 0 })?;
    for _ in 0..20 * (delay + 2) * config.power.switch_stages {
        soc.cycle()?;
    }
    let before = residency(&mut soc, config)?;
    let (outcome, counters) = matmul::run(&mut soc, &image, LIMIT)?;
    if outcome != matmul::golden(config, &image) {
        return Err("the alternating program differs from the golden model".into());
    }
    let after = residency(&mut soc, config)?;
    let off = (after.0 - before.0) as f64 / (after.1 - before.1) as f64;
    Ok(Outcome { counters, stalls: soc.read_reg(map::WAKE_STALL.offset)?, ups: after.2 - before.2, off })
}

/// Cycles of all domains in the state `powered_off`, in all states, and times switched on.
fn residency<S: heddle_tb::simulator::Simulator>(soc: &mut Soc<S>, config: &Config) -> Result<(u64, u64, u32), BenchError> {
    let (mut off, mut all, mut ups) = (0, 0, 0);
    for domain in 0..config.domains() {
        for state in &STATES {
            soc.write_reg(map::POWER_SELECT.offset, domain | state.value << map::POWER_SELECT_STATE.lsb)?;
            let cycles = u64::from(soc.read_reg(map::POWER_RESIDENCY.offset)?);
            off += if state.name == "powered_off" { cycles } else { 0 };
            all += cycles;
        }
        ups += soc.read_reg(map::POWER_UPS.offset)?;
    }
    Ok((off, all, ups))
}

/// Prompt and new tokens of a model, always on and gated.
fn decode(table: &mut Table, library: &Library, config: &Config, (model, prompt, tokens): (&str, &str, usize)) -> Result<(), BenchError> {
    let gguf = std::sync::Arc::new(open(model, &mut |_| {})?);
    let compiled = compile(&gguf, config)?;
    let ids = Tokenizer::from_gguf(&gguf)?.encode(prompt, EncodeOptions::PROMPT);
    let mut cycles = Vec::new();
    for gating in [None, Some(Gating { idle: IDLE, ..Gating::default() })] {
        let mut driver = Driver::connect(Box::new(sim::Sim::new(library, config)?), config)?;
        driver.set_gating(gating)?;
        let mut decoder = Decoder::new(&compiled, driver)?;
        let start = decoder.driver().power()?;
        let mut sampler = Sampler::new(SamplingConfig { temperature: 0.0, ..SamplingConfig::default() })?;
        let first = generate(&mut decoder, &ids, 1, &mut sampler, |_| false, |_| true)?;
        let middle = decoder.driver().power()?;
        let rest = generate(&mut decoder, &first.ids, tokens, &mut sampler, |_| false, |_| true)?;
        let end = decoder.driver().power()?;
        let ups = |from: &[crate::driver::DomainPower], to: &[crate::driver::DomainPower]| {
            to.iter().map(|d| d.ups).sum::<u32>() - from.iter().map(|d| d.ups).sum::<u32>()
        };
        let sum = |steps: &[crate::decoder::Step]| {
            let sum = |of: fn(&crate::driver::Counters) -> u64| steps.iter().map(|s| of(&s.counters)).sum::<u64>();
            (sum(|c| c.cycles), sum(|c| c.wake_stall))
        };
        cycles.push((
            (sum(&first.steps), share_off(&start, &middle), ups(&start, &middle)),
            (sum(&rest.steps), share_off(&middle, &end), ups(&middle, &end)),
        ));
    }
    let [on, gated] = &cycles[..] else { return Err("two runs".into()) };
    for (what, on, gated) in
        [(format!("{model}, prompt of {}", ids.len()), &on.0, &gated.0), (format!("{model}, {tokens} tokens"), &on.1, &gated.1)]
    {
        table.rows.push(vec![
            what,
            "0 cycles".into(),
            on.0.0.to_string(),
            gated.0.0.to_string(),
            gated.0.1.to_string(),
            gated.2.to_string(),
            format!("{:.1} %", 100.0 * gated.1),
        ]);
    }
    Ok(())
}
