// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints the golden model's time per block of 32 weights, for each format and number of columns,
//! and that of re-laying an image: `cargo run --release -p heddle-core --example kernel_speed`.

use std::time::Instant;

use heddle_core::config::Format;
use heddle_core::device::matmul;
use heddle_core::format::layout::{Layout, relayout};
use heddle_core::numerics::F24;
use heddle_core::numerics::quant::Activations;

const ROWS: usize = 1536;
const BLOCKS: usize = 18;
const LANES: usize = 32;
const PORT_BITS: usize = 128;
const REPEATS: usize = 40;

fn main() {
    println!("{ROWS} x {} per product, best of {REPEATS}, all threads", 32 * BLOCKS);
    println!("format  columns  ns/block  relayout GB/s");
    for format in Format::ALL {
        let ggml = weights(format);
        let image = relayout(format, &ggml, ROWS, BLOCKS, LANES, PORT_BITS).expect("legal");
        let layout = Layout::new(format, ROWS, BLOCKS, LANES, PORT_BITS).expect("legal");
        let gigabytes = ggml.len() as f64 / best(|| relayout(format, &ggml, ROWS, BLOCKS, LANES, PORT_BITS)) * 1e-9;
        for count in [1, 2, 4] {
            let columns: Vec<Activations> = (0..count).map(activations).collect();
            let time = best(|| matmul(&layout, &image, &columns));
            println!("{:6}  {count:7}  {:8.2}  {gigabytes:13.2}", format.ggml_name(), time * 1e9 / (ROWS * BLOCKS) as f64);
        }
    }
}

/// Seconds of the fastest of several runs.
fn best<T>(work: impl Fn() -> T) -> f64 {
    let once = || {
        let start = Instant::now();
        std::hint::black_box(work());
        start.elapsed().as_secs_f64()
    };
    (0..REPEATS).map(|_| once()).fold(f64::INFINITY, f64::min)
}

/// Some bytes with small fp16 scales.
fn weights(format: Format) -> Vec<u8> {
    let mut state = 1u32;
    let mut bytes: Vec<u8> = (0..ROWS * BLOCKS * format.block_bytes())
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    for block in bytes.chunks_exact_mut(format.block_bytes()) {
        block[1] = 0x20;
        if format.has_minimum() {
            block[3] = 0xa0;
        }
    }
    bytes
}

fn activations(seed: usize) -> Activations {
    let x: Vec<F24> = (0..32 * BLOCKS).map(|i| F24::from_f64(((i * 31 + seed) % 255) as f64 / 100.0 - 1.27)).collect();
    Activations::quantise(&x)
}
