// SPDX-License-Identifier: MIT OR Apache-2.0
//! Dense f32 matrices.

use rayon::prelude::*;

use crate::model::gguf::Tensor;

/// Vectors multiplied at a time, so that a row of weights is read once for all of them.
const BATCH: usize = 8;
/// Partial sums of a dot product: enough for the compiler to use vector registers.
const LANES: usize = 16;

/// Rows x columns, row after row.
pub struct Matrix {
    rows: usize,
    columns: usize,
    data: Vec<f32>,
}

impl Matrix {
    /// Dequantises a tensor of a type that [`Tensor::row_f32`] reads; rows of other types are left out.
    pub fn read(tensor: Tensor) -> Matrix {
        let rows: Vec<Vec<f32>> = (0..tensor.rows()).into_par_iter().filter_map(|row| tensor.row_f32(row)).collect();
        Matrix { rows: rows.len(), columns: tensor.row_weights(), data: rows.concat() }
    }

    pub fn row(&self, row: usize) -> &[f32] {
        &self.data[row * self.columns..][..self.columns]
    }

    /// `y[n][r] = sum_c W[r][c] x[n][c]`; `x`: n x columns; gives n x rows.
    pub fn times(&self, x: &[f32]) -> Vec<f32> {
        let n = x.len() / self.columns;
        let mut y = vec![0.0; n * self.rows];
        if n == 1 {
            y.par_iter_mut().with_min_len(256).enumerate().for_each(|(r, y)| *y = dot(self.row(r), x));
            return y;
        }
        let parts = y.par_chunks_mut(BATCH * self.rows).zip(x.par_chunks(BATCH * self.columns));
        parts.for_each(|(y, x)| {
            for (r, row) in self.data.chunks_exact(self.columns).enumerate() {
                for (n, x) in x.chunks_exact(self.columns).enumerate() {
                    y[n * self.rows + r] = dot(row, x);
                }
            }
        });
        y
    }
}

/// The sum of products, in [`LANES`] partial sums that are added in f64.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0f32; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            sums[i] += a[i] * b[i];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| f64::from(a * b)).sum();
    (sums.iter().map(|&s| f64::from(s)).sum::<f64>() + rest) as f32
}
