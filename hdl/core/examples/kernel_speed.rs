// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints the golden model's time per block of 32 weights, for each format and number of columns, that of
//! re-laying an image, and that of all products of one token of SmolLM2-135M: `cargo run --release -p heddle-core --example kernel_speed`.

use std::time::Instant;

use heddle_core::config::Format;
use heddle_core::device::matmul;
use heddle_core::format::layout::{Layout, relayout};
use heddle_core::numerics::F24;
use heddle_core::numerics::quant::Activations;

const SHAPE: (usize, usize) = (1536, 18);
const LANES: usize = 32;
const PORT_BITS: usize = 128;
const REPEATS: usize = 40;

/// (rows, blocks per row) of one layer of SmolLM2-135M, in Q4_1; its output matrix is Q8_0.
const LAYER: [(usize, usize); 7] = [(576, 18), (192, 18), (192, 18), (576, 18), (1536, 18), (1536, 18), (576, 48)];
const LAYERS: usize = 30;
const OUTPUT: (usize, usize) = (49152, 18);

struct Matrix {
    layout: Layout,
    ggml: Vec<u8>,
    image: Vec<u8>,
}

fn main() {
    let (rows, blocks) = SHAPE;
    println!("{rows} x {} per product, best of {REPEATS}, all threads", 32 * blocks);
    println!("format  columns  ns/block  relayout GB/s");
    for format in Format::ALL {
        let matrix = Matrix::new(format, SHAPE);
        let gigabytes = matrix.ggml.len() as f64 * 1e-9 / best(|| relayout(format, &matrix.ggml, rows, blocks, LANES, PORT_BITS));
        for count in [1, 2, 4] {
            let columns: Vec<Activations> = (0..count).map(|seed| activations(blocks, seed)).collect();
            let time = best(|| matmul(&matrix.layout, &matrix.image, &columns));
            println!("{:6}  {count:7}  {:8.2}  {gigabytes:13.2}", format.ggml_name(), time * 1e9 / (rows * blocks) as f64);
        }
    }
    let mut token: Vec<Matrix> = (0..LAYERS).flat_map(|_| LAYER.map(|shape| Matrix::new(Format::Q4_1, shape))).collect();
    token.push(Matrix::new(Format::Q8_0, OUTPUT));
    let x = activations(48, 0);
    let time = best(|| token.iter().map(|m| matmul(&m.layout, &m.image, &m.columns(&x)).y.len()).sum::<usize>());
    println!("all products of a token of SmolLM2-135M: {:.1} ms", time * 1e3);
}

impl Matrix {
    fn new(format: Format, (rows, blocks): (usize, usize)) -> Matrix {
        let ggml = weights(format, rows * blocks);
        let image = relayout(format, &ggml, rows, blocks, LANES, PORT_BITS).expect("legal");
        Matrix { layout: Layout::new(format, rows, blocks, LANES, PORT_BITS).expect("legal"), ggml, image }
    }

    /// As much of `x` as a row is long.
    fn columns(&self, x: &Activations) -> [Activations; 1] {
        let blocks = self.layout.padded_blocks();
        [Activations { d: x.d[..blocks].into(), q: x.q[..32 * blocks].into() }]
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
fn weights(format: Format, blocks: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut bytes: Vec<u8> = (0..blocks * format.block_bytes())
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

fn activations(blocks: usize, seed: usize) -> Activations {
    let x: Vec<F24> = (0..32 * blocks).map(|i| F24::from_f64(((i * 31 + seed) % 255) as f64 / 100.0 - 1.27)).collect();
    Activations::quantise(&x)
}
