// SPDX-License-Identifier: MIT OR Apache-2.0
//! Weight images of real files: every block of every tensor, and products from them.

use heddle::model::embedded::EMBEDDED;
use heddle::model::gguf::{Gguf, Tensor};
use heddle_core::config::Format;
use heddle_core::device::matmul;
use heddle_core::format::layout::{Layout, block, relayout};
use heddle_core::format::{BLOCK, Block};
use heddle_core::numerics::F24;
use heddle_core::numerics::quant::Activations;
use heddle_tb::tools::reference_file;

const SHARED: [&str; 6] = [
    "stories260K/stories260K-h192-Q8_0.gguf",
    "stories260K/stories260K-h192-Q4_0.gguf",
    "stories260K/stories260K-h192-Q4_1.gguf",
    "stories260K/stories260K-h192-Q5_0.gguf",
    "nano/nano-shakespeare-q8_0.gguf",
    "nano/nano-shakespeare-q4_0.gguf",
];
/// (lanes, port bits)
const GEOMETRIES: [(usize, usize); 4] = [(8, 32), (16, 64), (32, 128), (128, 256)];

fn files() -> Vec<Gguf> {
    let mut files: Vec<Gguf> = EMBEDDED.iter().map(|(_, bytes)| Gguf::from_static(bytes).unwrap()).collect();
    for name in SHARED {
        files.extend(reference_file(name).map(|path| Gguf::open(path).unwrap()));
    }
    files
}

/// Calls `check` with each matrix whose format the device has: its format and blocks per row.
fn each_matrix(check: impl Fn(&Tensor, Format, usize)) {
    for file in files() {
        for tensor in file.tensors() {
            if let Some(format) = Format::from_ggml_type(tensor.ty as u32) {
                check(&tensor, format, tensor.row_weights() / BLOCK);
            }
        }
    }
}

/// ggml's `dequantize_row_*`: one f32 product, for Q4_1 then one f32 sum.
fn dequantise(block: &Block) -> [f32; BLOCK] {
    let value = |bits| half::f16::from_bits(bits).to_f32();
    block.q.map(|q| value(block.d) * f32::from(q) - value(block.dmin))
}

#[test]
fn every_block_survives_the_new_layout() {
    each_matrix(|tensor, format, blocks| {
        for (lanes, port) in GEOMETRIES {
            let image = relayout(format, tensor.data, tensor.rows(), blocks, lanes, port).unwrap();
            let layout = Layout::new(format, tensor.rows(), blocks, lanes, port).unwrap();
            assert_eq!(image.len(), layout.bytes());
            for (i, bytes) in tensor.data.chunks_exact(format.block_bytes()).enumerate() {
                let index = i / blocks * layout.padded_blocks() + i % blocks;
                assert_eq!(block(&layout, &image, index), format.decode_ggml(bytes), "{} block {i}", tensor.name);
            }
        }
    });
}

#[test]
fn dequantised_blocks_are_those_of_ggml() {
    each_matrix(|tensor, format, _| {
        for row in 0..tensor.rows() {
            let blocks = tensor.row_bytes(row).unwrap().chunks_exact(format.block_bytes());
            let ours: Vec<f32> = blocks.flat_map(|bytes| dequantise(&format.decode_ggml(bytes))).collect();
            assert_eq!(ours, tensor.row_f32(row).unwrap(), "{} row {row}", tensor.name);
        }
    });
}

#[test]
fn an_image_is_at_most_one_percent_larger() {
    each_matrix(|tensor, format, blocks| {
        for (lanes, port) in [(8, 32), (16, 64), (32, 128)] {
            let bytes = Layout::new(format, tensor.rows(), blocks, lanes, port).unwrap().bytes();
            assert!(bytes * 100 <= tensor.data.len() * 101, "{}: {bytes} against {}", tensor.name, tensor.data.len());
        }
    });
}

#[test]
fn products_have_the_same_bits_in_every_geometry_and_the_right_value() {
    each_matrix(|tensor, format, blocks| {
        let x = |column: usize| {
            let x: Vec<F24> = (0..32 * blocks).map(|i| F24::from_f64(((i * (7 + column)) % 61) as f64 / 30.0 - 1.0)).collect();
            Activations::quantise(&x)
        };
        let columns = [x(0), x(1)];
        let product = |lanes, port| {
            let image = relayout(format, tensor.data, tensor.rows(), blocks, lanes, port).unwrap();
            matmul(&Layout::new(format, tensor.rows(), blocks, lanes, port).unwrap(), &image, &columns)
        };
        let first = product(8, 32);
        assert!(!first.saturated);
        for (lanes, port) in GEOMETRIES {
            assert_eq!(product(lanes, port), first, "{} at {lanes} lanes, {port} bits", tensor.name);
        }
        for (i, y) in first.y.iter().enumerate() {
            let x = &columns[i % 2];
            let row = tensor.row_f32(i / 2).unwrap();
            let terms = row.iter().enumerate().map(|(k, w)| f64::from(*w) * x.d[k / BLOCK].to_f64() * f64::from(x.q[k]));
            let (exact, size) = terms.fold((0.0, 0.0), |(sum, size), term| (sum + term, size + term.abs()));
            // f32 rounding of the reference's weights, one rounding to f24, the grid.
            let bound = size * 2f64.powi(-23) + f64::abs(exact) * 2f64.powi(-16) + blocks as f64 * 2f64.powi(-36);
            assert!((y.to_f64() - exact).abs() <= bound, "{} row {}: {y} against {exact}", tensor.name, i / 2);
        }
    });
}
