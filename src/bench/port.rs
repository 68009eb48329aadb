// SPDX-License-Identifier: MIT OR Apache-2.0
//! Use of the memory port by single matrix products, from the hardware's own counters.

use super::{BenchError, Progress, Table};
use crate::driver::sim;
use heddle_core::config::{BLOCK, Config, Format, PRESETS};
use heddle_tb::matmul::{self, Counters, Product};
use heddle_tb::random::Random;
use heddle_tb::soc::Soc;
use heddle_tb::verilator::{BuildOptions, Library};

pub const NAME: &str = "port";
/// Rows and length of a row.
const SHAPES: [(usize, usize); 2] = [(1536, 576), (896, 896)];
/// Of the products that a target is set for, all in `base`.
const TARGETS: [((usize, usize), Format); 2] = [(SHAPES[0], Format::Q4_1), (SHAPES[1], Format::Q8_0)];
const USE_MIN: f64 = 0.95;
/// A product with all columns takes the cycles of one, in `base`.
const COLUMNS_MAX: f64 = 1.05;
const LATENCY: u32 = 40;
const LIMIT: u64 = 10_000_000;

/// Every preset, format and shape, with one column and with all.
pub fn run(progress: Progress<'_>) -> Result<Table, BenchError> {
    let head = ["preset", "format", "product", "cycles", "port use", "all columns: cycles", "products"];
    let mut table = Table::new(NAME, "Use of the memory port", &head);
    table.notes = format!(
        "Single matrix-vector products on the emitted Verilog in Verilator, random weights, {LATENCY} cycles of read latency; results equal \
         the golden model's. *Cycles* are those from the first beat of weights to the last result; *port use* is the share of them in \
         which the port delivered a beat of weights. *All columns* is the same with every column filled: that many products at once. \
         Results leave one value per cycle, so short rows hold `wide` back; `nano` has 4 lanes, 8 cycles for a block, whatever its format."
    );
    for preset in PRESETS {
        let mut config = Config::preset(preset)?;
        config.memory.latency_cycles = LATENCY;
        // A build without counters would tell nothing but its cycles.
        config.counters = true;
        let library = sim::build(&config, &BuildOptions::default(), progress)?;
        for format in config.formats.clone() {
            for shape in SHAPES {
                progress(&format!("{preset}: {} x {} {}", shape.0, shape.1, format.ggml_name()));
                measure(&mut table, &library, &config, format, shape)?;
            }
        }
    }
    Ok(table)
}

fn measure(table: &mut Table, library: &Library, config: &Config, format: Format, shape: (usize, usize)) -> Result<(), BenchError> {
    let columns = config.array.columns as usize;
    let (beats, one) = product(library, config, format, shape, 1)?;
    let (_, all) = product(library, config, format, shape, columns)?;
    let ratio = all.span() as f64 / one.span() as f64;
    let (what, used) = (format!("{} x {}", shape.0, shape.1), beats as f64 / one.span() as f64);
    if config.name == "base" && TARGETS.contains(&(shape, format)) && used < USE_MIN {
        table.missed.push(format!("port use of {what} {} in base: {:.1} %", format.ggml_name(), 100.0 * used));
    }
    if config.name == "base" && ratio > COLUMNS_MAX {
        table.missed.push(format!("{columns} columns of {what} {} in {}: {ratio:.2} times the cycles", format.ggml_name(), config.name));
    }
    table.rows.push(vec![
        config.name.clone(),
        format.ggml_name().into(),
        what,
        one.span().to_string(),
        format!("{:.1} %", 100.0 * used),
        all.span().to_string(),
        columns.to_string(),
    ]);
    Ok(())
}

fn product(
    library: &Library,
    config: &Config,
    format: Format,
    (rows, length): (usize, usize),
    columns: usize,
) -> Result<(u64, Counters), BenchError> {
    let mut rng = Random::new(1);
    let blocks = length / BLOCK as usize;
    let weights = matmul::random_matrix(&mut rng, format, rows * blocks);
    let columns = (0..columns).map(|_| matmul::random_vector(&mut rng, blocks)).collect();
    let product = Product { format, rows, blocks, weights, columns, reuse: false, fence: false };
    let beats = matmul::weight_beats(config, &product);
    let image = matmul::image(config, &[product]);
    let mut soc = Soc::new(library.instance()?, matmul::memory_config(config, &image))?;
    let (outcome, counters) = matmul::run(&mut soc, &image, LIMIT)?;
    if outcome != matmul::golden(config, &image) {
        return Err(format!("{}: the {rows} x {length} product differs from the golden model's", config.name).into());
    }
    Ok((beats, counters))
}
