// SPDX-License-Identifier: MIT OR Apache-2.0
//! Matrices of real models through the whole accelerator and through `dequant`, equal to the golden model.

mod gguf;

use gguf::Tensor;
use heddle_core::{
    config::{Config, Format},
    numerics::{F24, quant::Activations},
    top,
};
use heddle_tb::{
    axi::{Backpressure, MemoryConfig},
    blocks::{Block, Dequant, Dut, Matrix, check_native, check_verilog, compare, geometry, seeds},
    matmul::{self, Product},
    random::Random,
    rtl,
    soc::Soc,
    tools::{have_verilator, reference_file},
    verilator::BuildOptions,
};
use std::path::{Path, PathBuf};

const LIMIT: u64 = 3_000_000;
/// Rows of a matrix that are used where all of them would take too long.
const ROWS: usize = 96;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

/// The embedded models, and the reference models where they are present.
fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = ["q4_0", "q8_0"].iter().map(|f| root().join(format!("models/nano-shakespeare-{f}.gguf"))).collect();
    files.extend(["Q4_1", "Q5_0"].iter().filter_map(|f| reference_file(&format!("stories260K/stories260K-h192-{f}.gguf"))));
    files
}

/// One matrix per shape and format, with at most [`ROWS`] rows.
fn tensors() -> Vec<Tensor> {
    let mut tensors: Vec<Tensor> = files().iter().flat_map(|f| gguf::matrices(f)).collect();
    assert!(tensors.iter().any(|t| t.format == Format::Q4_0) && tensors.iter().any(|t| t.format == Format::Q8_0));
    for t in &mut tensors {
        assert!(!t.name.is_empty());
        t.rows = t.rows.min(ROWS);
        t.weights.truncate(t.rows * t.blocks * t.format.block_bytes());
    }
    tensors
}

/// About normally distributed, as activations are, and quantised.
fn vector(rng: &mut Random, blocks: usize) -> Activations {
    let mut normal = || (0..12).map(|_| (rng.bits() >> 11) as f64 / (1u64 << 53) as f64).sum::<f64>() - 6.0;
    let x: Vec<F24> = (0..32 * blocks).map(|_| F24::from_f64(normal())).collect();
    Activations::quantise(&x)
}

fn products(rng: &mut Random, config: &Config) -> Vec<Product> {
    let product = |t: Tensor| {
        let columns = (0..config.array.columns).map(|_| vector(rng, t.blocks)).collect();
        Product { format: t.format, rows: t.rows, blocks: t.blocks, weights: t.weights, columns, reuse: false, fence: false }
    };
    tensors().into_iter().map(product).collect()
}

/// Some of those of `tests/top.rs`, so that their libraries are in the cache.
const GEOMETRIES: [(u32, u32, u32); 4] = [(4, 1, 32), (8, 2, 64), (32, 4, 128), (64, 2, 256)];

fn check(config: &Config, seed: u64, stalls: bool, dut: Dut) {
    let mut rng = Random::new(seed);
    let image = matmul::image(config, &products(&mut rng, config));
    let expected = matmul::golden(config, &image);
    assert!(!expected.saturated && expected.cause == 0);
    let backpressure = stalls.then_some(Backpressure { seed, chance: 60 });
    let memory = MemoryConfig { backpressure, ..matmul::memory_config(config, &image) };
    let mut soc = Soc::new(dut, memory).expect("a system");
    let run = matmul::run(&mut soc, &image, LIMIT).expect("a run").0;
    compare(&run, &expected).unwrap_or_else(|e| panic!("{} lanes, HEDDLE_SEED={seed}: {e}", config.array.lanes));
}

#[test]
fn whole_accelerator_native() {
    for (lanes, columns, port) in GEOMETRIES {
        let config = geometry(lanes, columns, port);
        let dut = Dut::native(&top::top(&config).expect("the top")).expect("native");
        check(&config, *seeds(1).start(), true, dut);
    }
}

#[test]
fn whole_accelerator_verilog() {
    if !have_verilator("whole_accelerator_verilog") {
        return;
    }
    for (lanes, columns, port) in GEOMETRIES {
        let config = geometry(lanes, columns, port);
        let library = rtl::verilated(&top::top(&config).expect("the top"), &BuildOptions::quick(), &mut |_| {}).expect("verilated");
        for seed in seeds(3) {
            check(&config, seed, seed % 2 == 0, Dut::verilog(&library).expect("an instance"));
        }
    }
}

#[test]
fn dequant_of_real_matrices() {
    let matrices: Vec<Matrix> =
        tensors().into_iter().map(|t| Matrix { format: t.format, rows: t.rows, blocks: t.blocks, weights: t.weights }).collect();
    // The image of a few rows of each shape.
    let few = |m: &Matrix| {
        let rows = m.rows.min(9);
        Matrix { rows, weights: m.weights[..rows * m.blocks * m.format.block_bytes()].to_vec(), ..m.clone() }
    };
    let blocks: Vec<Dequant> = [(8, 64), (32, 128), (64, 256)]
        .into_iter()
        .map(|(lanes, port)| Dequant { matrices: matrices.iter().map(few).collect(), ..Dequant::new(lanes, port) })
        .collect();
    let blocks: Vec<&dyn Block> = blocks.iter().map(|b| b as &dyn Block).collect();
    check_native(&blocks, seeds(2)).unwrap_or_else(|failure| panic!("{failure}"));
    if have_verilator("dequant_of_real_matrices") {
        check_verilog(&blocks, seeds(2)).unwrap_or_else(|failure| panic!("{failure}"));
    }
}
