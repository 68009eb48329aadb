// SPDX-License-Identifier: MIT OR Apache-2.0
//! Noise: one generator for the design, and other bits of it for each register.

use super::{Editor, SEED};
use crate::{
    Bits, Ty,
    expr::{Expr, Kind},
    module::*,
};

/// Width of the generator.
pub const BITS: u32 = 64;
/// Used in place of a seed of 0, which the generator would never leave.
const START: u64 = 0x9e37_79b9_7f4a_7c15;

/// Adds a xorshift generator (shifts of 13, 7 and 17: period 2^64 - 1; Marsaglia, 2003) and its seed to a top module;
/// none if the module lacks a clock or a reset.
pub fn generator(m: &mut Editor) -> Option<Expr> {
    let clock = m.module.ports().find(|(_, n)| n.kind == NetKind::Clock)?.0;
    let (rst, net) = m.module.port("rst").filter(|(_, n)| n.kind == NetKind::Input && n.ty == Ty::BIT)?;
    let rst = Expr::new(Ty::BIT, Kind::Net(rst, net.name.as_str().into()));
    let seed = m.add(SEED, Ty::Unsigned(BITS), NetKind::Input);
    m.module.items.push(Item::Comment("Noise for what has no power".into()));
    let noise = m.register("corrupt_noise", Ty::Unsigned(BITS), clock, vec![]);
    let left = |x: &Expr, n: u32| x ^ Expr::concat([x.slice(0, BITS - n), Expr::constant(Ty::Unsigned(n), 0)]);
    let first = m.wire("corrupt_noise_1", left(&noise, 13));
    let second = m.wire("corrupt_noise_2", &first ^ first.shift_right(7).extend(BITS));
    let third = left(&second, 17);
    let start = seed.is_zero().mux(Expr::from_bits(seed.ty(), Bits::from_u64(BITS, START)), &seed);
    let updates = vec![Update { condition: Some(rst), value: start }, Update { condition: None, value: third }];
    m.update(&noise, updates);
    Some(noise)
}

/// The noise rotated and flipped in a way of its own for each name.
pub fn twist(noise: &Expr, name: &str) -> Expr {
    let key = hash(name);
    rotated(noise, key) ^ Expr::from_bits(noise.ty(), Bits::from_u64(BITS, key))
}

/// Noise of any type, other bits for each name.
pub fn of(noise: &Expr, name: &str, ty: Ty) -> Expr {
    let mut parts = Vec::new();
    let mut left = ty.width();
    while left > 0 {
        let key = hash(&format!("{name} {left}"));
        let width = left.min(BITS);
        let flips = Expr::from_bits(Ty::Unsigned(width), Bits::from_u64(width, key));
        parts.push(rotated(noise, key).slice(0, width) ^ flips);
        left -= width;
    }
    let value = Expr::concat(parts);
    if ty.is_signed() { value.as_signed() } else { value }
}

fn rotated(noise: &Expr, key: u64) -> Expr {
    let by = 1 + (key >> 58) as u32 % (BITS - 1);
    Expr::concat([noise.slice(0, by), noise.slice(by, BITS - by)])
}

/// FNV-1a with the bits spread once more.
fn hash(name: &str) -> u64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    (hash ^ hash >> 29).wrapping_mul(START)
}
