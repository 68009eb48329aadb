// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `engine::place`: random operands over the whole range of the shift, ties, and every extreme.

use super::{
    Block, BlockError, Dut,
    bits::pack,
    gate,
    pipeline::{self, Step},
};
use crate::random::Random;
use heddle_core::{
    engine::{
        place::{self, GRID_BITS, SCALE_BITS},
        scale_acc::SUM_X_BITS,
    },
    numerics::{F24, grid},
};
use heddle_lang::{BuildError, Module};
use std::sync::Arc;

const TERMS: usize = 2000;
/// Zero, subnormals, smallest and largest normal, one, exponent 31 (which continues the normal range); both signs.
const SCALES: [u16; 10] = [0, 1, 0x03ff, 0x0400, 0x3c00, 0x7bff, 0x7c00, 0x7fff, 0x8001, 0xfbff];
/// Exponent fields of the activation scale.
const EXPONENTS: [u32; 8] = [0, 1, 60, 90, 110, 127, 160, 254];

/// The unit for integers of so many bits.
pub struct Place {
    pub bits: u32,
    /// With a clock gate.
    pub gated: bool,
}

impl Block for Place {
    fn name(&self) -> String {
        format!("place, {} bits{}", self.bits, gate(self.gated))
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        place::place(self.bits, self.gated)
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        let [valid_pin, d_pin, dx_pin, s_pin] = dut.inputs(["valid", "d", "dx", "s"])?;
        let [term, too_large] = dut.outputs(["term", "too_large"])?;
        let mut operands = extremes(self.bits);
        operands.extend((0..TERMS).map(|_| random(rng, self.bits)));
        let gaps = [0, 60, 180][rng.bits() as usize % 3];
        let mut step = |&(d, dx, s): &(u16, F24, i32)| {
            let (value, flag) = grid::place(d, dx, s);
            let valid = !rng.chance(gaps);
            Step {
                inputs: vec![
                    (valid_pin, vec![valid.into()]),
                    (d_pin, d.to_le_bytes().into()),
                    (dx_pin, scale_bytes(dx)),
                    (s_pin, pack(self.bits, [s as u64])),
                ],
                expected: if valid { vec![(term, pack(GRID_BITS, [value as u64])), (too_large, vec![flag.into()])] } else { vec![] },
            }
        };
        let steps = pipeline::ahead(operands.iter().map(&mut step).collect(), &[d_pin]);
        pipeline::run(&mut dut, place::LATENCY as usize, &steps, self.gated.then_some(rng))
    }
}

/// An activation scale as the port has it: without its sign and the low byte.
pub fn scale_bits(dx: F24) -> u64 {
    u64::from(dx.to_bits() >> 8 & ((1 << SCALE_BITS) - 1))
}

fn scale_bytes(dx: F24) -> Vec<u8> {
    pack(SCALE_BITS, [scale_bits(dx)])
}

/// Largest magnitude of the integers: 32 products of -128 and -128, or 32 activations of -128.
fn largest(bits: u32) -> i32 {
    if bits == SUM_X_BITS { 32 * 128 } else { 32 * 128 * 128 }
}

fn extremes(bits: u32) -> Vec<(u16, F24, i32)> {
    let most = largest(bits);
    // The most positive sum of activations is 32 * 127.
    let positive = if bits == SUM_X_BITS { 32 * 127 } else { most };
    let mut out = Vec::new();
    for d in SCALES {
        for exponent in EXPONENTS {
            for fraction in [0, 0x7fff] {
                let dx = F24::from_bits(exponent << 23 | fraction << 8);
                out.extend([0, 1, -1, positive, -most].map(|s| (d, dx, s)));
            }
        }
    }
    out
}

/// A third are powers of two with a small integer, which makes ties; the shift is anywhere from too large a term
/// to nothing left of it.
fn random(rng: &mut Random, bits: u32) -> (u16, F24, i32) {
    let tie = rng.chance(85);
    let mask = if tie { 0 } else { u64::MAX };
    let exponent = 1 + rng.bits() % 31;
    let d = (exponent << 10 | rng.bits() & 0x3ff & mask | (rng.bits() & 1) << 15) as u16;
    let shift = rng.bits() as i64 % 74;
    let field = (148 - exponent as i64 - shift.abs() + 4).clamp(0, 254) as u32;
    let dx = F24::from_bits(field << 23 | ((rng.bits() & mask) as u32 & 0x7fff) << 8);
    let most = largest(bits);
    let s = if tie { rng.bits() as i32 % 64 } else { (rng.bits() as i32 % most) >> (rng.bits() % 20) };
    (d, dx, s)
}
