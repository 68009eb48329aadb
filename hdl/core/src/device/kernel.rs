// SPDX-License-Identifier: MIT OR Apache-2.0
//! The matrix product, fast: straight from a device image, the same bits as the contract's words.
//!
//! A row is unpacked to 16-bit integers once and multiplied with every column. The small loops over one
//! block are kept out of line: on their own the compiler vectorises them, inlined it does not (measured:
//! 13 ns against 27 ns a block for Q4_1). Rows go to several threads when there are many.

use rayon::prelude::*;

use crate::format::layout::{Fields, Layout};
use crate::format::{BLOCK, Format};
use crate::numerics::F24;
use crate::numerics::grid::{Accumulator, Scale, fp16_to_f32, place};
use crate::numerics::quant::Activations;

/// Blocks of work below which one thread is faster.
const PARALLEL_BLOCKS: usize = 1 << 14;

/// Half a block: the bytes of its nibbles.
const HALF: usize = BLOCK / 2;

/// One column's activations as the kernel reads them.
struct Column {
    d: Vec<F24>,
    /// The values of `d`, exact; an exponent field of 255 (never from the quantiser) is an infinity or NaN.
    scale: Vec<f64>,
    x: Vec<[i16; BLOCK]>,
    sum: Vec<i32>,
}

/// A product, rows outermost: `y[row * columns + column]`, and whether any row saturated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    pub y: Vec<F24>,
    pub saturated: bool,
}

/// `y[r][c] = sum_k W[r][k] x[c][k]` in the numerics of the device.
///
/// `image`: `layout.bytes()` from the start of the matrix; each column has `layout.padded_blocks()`
/// blocks (missing ones count as zero). The integer sums are those of ggml's `ggml_vec_dot_*_q8_*`.
pub fn matmul(layout: &Layout, image: &[u8], columns: &[Activations]) -> Product {
    let columns: Vec<Column> = columns.iter().map(|x| Column::new(x, layout)).collect();
    let mut y = vec![F24::ZERO; layout.rows() * columns.len()];
    if y.is_empty() {
        return Product { y, saturated: false };
    }
    let work = layout.padded_blocks() * columns.len();
    let rows = match layout.rows() * work {
        small if small < PARALLEL_BLOCKS => layout.rows(),
        _ => (PARALLEL_BLOCKS / 4).div_ceil(work),
    };
    let part = |(i, y): (usize, &mut [F24])| run_rows(layout, image, &columns, i * rows, y);
    let chunk = rows * columns.len();
    let saturated = if rows == layout.rows() {
        part((0, &mut y))
    } else {
        y.par_chunks_mut(chunk).enumerate().map(part).reduce(|| false, |a, b| a | b)
    };
    Product { y, saturated }
}

impl Column {
    fn new(activations: &Activations, layout: &Layout) -> Column {
        let blocks = layout.padded_blocks();
        let mut d = activations.d.clone();
        d.resize(blocks, F24::ZERO);
        let mut q = activations.q.clone();
        q.resize(blocks * BLOCK, 0);
        let (blocks, _) = q.as_chunks::<BLOCK>();
        Column {
            scale: d.iter().map(|d| d.abs().to_f64()).collect(),
            d,
            x: blocks.iter().map(|q| kernel_order(layout.format(), q)).collect(),
            sum: blocks.iter().map(|q| q.iter().map(|q| i32::from(*q)).sum()).collect(),
        }
    }
}

/// Activations in the order in which weights are unpacked: for nibbles, even ones ahead of odd ones.
fn kernel_order(format: Format, q: &[i8; BLOCK]) -> [i16; BLOCK] {
    std::array::from_fn(|i| match format {
        Format::Q8_0 => q[i].into(),
        _ => q[2 * i % BLOCK + 2 * i / BLOCK].into(),
    })
}

/// Rows from `first` on, as many as `y` has room for; tells whether any saturated.
fn run_rows(layout: &Layout, image: &[u8], columns: &[Column], first: usize, y: &mut [F24]) -> bool {
    match layout.format() {
        Format::Q8_0 => rows_of::<Q8_0>(layout, image, columns, first, y),
        Format::Q4_0 => rows_of::<Q4_0>(layout, image, columns, first, y),
        Format::Q4_1 => rows_of::<Q4_1>(layout, image, columns, first, y),
        Format::Q5_0 => rows_of::<Q5_0>(layout, image, columns, first, y),
    }
}

fn rows_of<W: Weights>(layout: &Layout, image: &[u8], columns: &[Column], first: usize, y: &mut [F24]) -> bool {
    let blocks = layout.padded_blocks();
    let mut weights = vec![[0; BLOCK]; blocks];
    let mut scales = vec![(0, 0); blocks];
    let mut saturated = false;
    for (row, y) in (first..).zip(y.chunks_exact_mut(columns.len())) {
        for (k, (weights, scales)) in weights.iter_mut().zip(&mut scales).enumerate() {
            let at = layout.fields(row * blocks + k);
            W::unpack(image, at, weights);
            *scales = (half_at(image, at.scale), if W::MINIMUM { half_at(image, at.second) } else { 0 });
        }
        for (column, y) in columns.iter().zip(y) {
            let sum = row_sum::<W>(&weights, &scales, column);
            *y = sum.to_f24();
            saturated |= sum.saturated;
        }
    }
    saturated
}

fn row_sum<W: Weights>(weights: &[[i16; BLOCK]], scales: &[(u16, u16)], column: &Column) -> Accumulator {
    let mut total = Accumulator::default();
    for (k, (weights, (d, dmin))) in weights.iter().zip(scales).enumerate() {
        let sum = column.sum[k];
        total.add(term(*d, column, k, dot(weights, &column.x[k]) - W::ZERO_POINT * sum));
        if W::MINIMUM {
            total.sub(term(*dmin, column, k, sum));
        }
    }
    total
}

/// `place(d, dx, s)`, the short way where that has the same bits.
#[inline(always)]
fn term(d: u16, column: &Column, k: usize, s: i32) -> (i64, bool) {
    match Scale::new(f64::from(fp16_to_f32(d)) * column.scale[k]) {
        Some(scale) => (scale.place(s), false),
        None => place(d, column.d[k], s),
    }
}

#[inline(never)]
fn dot(w: &[i16; BLOCK], x: &[i16; BLOCK]) -> i32 {
    w.iter().zip(x).map(|(w, x)| i32::from(*w) * i32::from(*x)).sum()
}

#[inline(always)]
fn half_at(image: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([image[at], image[at + 1]])
}

/// How one format's integers are unpacked, in the order of [`kernel_order`].
trait Weights {
    const ZERO_POINT: i32;
    const MINIMUM: bool = false;
    fn unpack(image: &[u8], at: Fields, w: &mut [i16; BLOCK]);
}

struct Q8_0;
struct Q4_0;
struct Q4_1;
struct Q5_0;

impl Weights for Q8_0 {
    const ZERO_POINT: i32 = Format::Q8_0.zero_point();

    #[inline(always)]
    fn unpack(image: &[u8], at: Fields, w: &mut [i16; BLOCK]) {
        for (w, byte) in w.iter_mut().zip(&image[at.integers..at.integers + BLOCK]) {
            *w = (*byte as i8).into();
        }
    }
}

impl Weights for Q4_0 {
    const ZERO_POINT: i32 = Format::Q4_0.zero_point();

    #[inline(always)]
    fn unpack(image: &[u8], at: Fields, w: &mut [i16; BLOCK]) {
        unpack_nibbles(&image[at.integers..at.integers + HALF], w);
    }
}

impl Weights for Q4_1 {
    const ZERO_POINT: i32 = Format::Q4_1.zero_point();
    const MINIMUM: bool = true;

    #[inline(always)]
    fn unpack(image: &[u8], at: Fields, w: &mut [i16; BLOCK]) {
        unpack_nibbles(&image[at.integers..at.integers + HALF], w);
    }
}

impl Weights for Q5_0 {
    const ZERO_POINT: i32 = Format::Q5_0.zero_point();

    #[inline(always)]
    fn unpack(image: &[u8], at: Fields, w: &mut [i16; BLOCK]) {
        unpack_nibbles(&image[at.integers..at.integers + HALF], w);
        add_high_bits([half_at(image, at.second), half_at(image, at.second + 2)], w);
    }
}

/// Low nibbles (even weights), then high ones (odd weights).
#[inline(never)]
fn unpack_nibbles(bytes: &[u8], w: &mut [i16; BLOCK]) {
    let (even, odd) = w.split_at_mut(HALF);
    for (w, byte) in even.iter_mut().zip(bytes) {
        *w = (byte & 15).into();
    }
    for (w, byte) in odd.iter_mut().zip(bytes) {
        *w = (byte >> 4).into();
    }
}

/// Adds 16 where a weight's high bit is set. `high`: bits of weights 0..16 and 16..32, in weight order.
#[inline(never)]
fn add_high_bits(high: [u16; 2], w: &mut [i16; BLOCK]) {
    for (i, w) in w.iter_mut().enumerate() {
        let (odd, pair) = (i / HALF, i % HALF);
        let mask = 1 << (2 * (pair % 8) + odd);
        *w += if high[pair / 8] & mask != 0 { 16 } else { 0 };
    }
}
