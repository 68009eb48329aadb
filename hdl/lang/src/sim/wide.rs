// SPDX-License-Identifier: MIT OR Apache-2.0
//! Operations on values of several limbs.

use super::graph::{Wide, WideOp, limbs, normalise};
use crate::expr::Ty;

/// Where an operand lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operand {
    slot: usize,
    limbs: usize,
    ty: Ty,
}

/// A [`Wide`] with its operands placed.
#[derive(Clone, Debug)]
pub(super) struct WideInst {
    op: WideOp,
    ty: Ty,
    args: Vec<Operand>,
    lsb: u32,
}

impl WideInst {
    pub fn new(wide: &Wide, slot: impl Fn(u32) -> usize) -> Self {
        let place = |v: &super::graph::Value| Operand { slot: slot(v.id), limbs: limbs(v.ty), ty: v.ty };
        WideInst { op: wide.op, ty: wide.ty, args: wide.args.iter().map(place).collect(), lsb: wide.lsb }
    }

    /// Limbs of the result.
    pub fn limbs(&self) -> usize {
        limbs(self.ty)
    }

    /// Computes the result into `dst` from operands that all lie in `src`.
    pub fn run(&self, src: &[u64], dst: &mut [u64]) {
        let dst = &mut dst[..self.limbs()];
        let view = |i: usize| View::new(src, self.args[i]);
        match self.op {
            WideOp::Add => add(dst, view(0), view(1), false),
            WideOp::Sub => add(dst, view(0), view(1), true),
            WideOp::Mul => multiply(dst, view(0), view(1)),
            WideOp::And => each(dst, |i| view(0).limb(i) & view(1).limb(i)),
            WideOp::Or => each(dst, |i| view(0).limb(i) | view(1).limb(i)),
            WideOp::Xor => each(dst, |i| view(0).limb(i) ^ view(1).limb(i)),
            WideOp::Not => each(dst, |i| !view(0).limb(i)),
            WideOp::Eq => dst[0] = u64::from(equal(view(0), view(1))),
            WideOp::Ne => dst[0] = u64::from(!equal(view(0), view(1))),
            WideOp::Lt => dst[0] = u64::from(less(view(0), view(1))),
            WideOp::Le => dst[0] = u64::from(!less(view(1), view(0))),
            WideOp::Mux => {
                let chosen = view(if src[self.args[0].slot] != 0 { 1 } else { 2 });
                each(dst, |i| chosen.limb(i));
            }
            WideOp::Shl => shift_left(dst, view(0), view(1).amount()),
            WideOp::Shr => shift_right(dst, view(0), view(1).amount()),
            WideOp::Concat => self.concat(src, dst),
            WideOp::Slice => shift_right(dst, view(0), u64::from(self.lsb)),
            WideOp::Select => shift_right(dst, view(0), view(1).amount().saturating_mul(u64::from(self.ty.width()))),
            WideOp::Convert => each(dst, |i| view(0).limb(i)),
            WideOp::ReduceAnd => dst[0] = u64::from(view(0).raw().all(|(limb, mask)| limb == mask)),
            WideOp::ReduceOr => dst[0] = u64::from(view(0).raw().any(|(limb, _)| limb != 0)),
            WideOp::ReduceXor => dst[0] = u64::from(view(0).raw().map(|(limb, _)| limb.count_ones()).sum::<u32>() & 1),
        }
        normalise(self.ty, dst);
    }

    fn concat(&self, src: &[u64], dst: &mut [u64]) {
        dst.fill(0);
        let mut at = 0usize;
        for arg in self.args.iter().rev() {
            for (i, (limb, _)) in View::new(src, *arg).raw().enumerate() {
                let (index, shift) = ((at + i * 64) / 64, (at % 64) as u32);
                dst[index] |= limb << shift;
                if shift > 0 && index + 1 < dst.len() {
                    dst[index + 1] |= limb >> (64 - shift);
                }
            }
            at += arg.ty.width() as usize;
        }
    }
}

/// An operand with its extension.
#[derive(Clone, Copy)]
struct View<'a> {
    limbs: &'a [u64],
    fill: u64,
    ty: Ty,
}

impl<'a> View<'a> {
    #[inline]
    fn new(src: &'a [u64], arg: Operand) -> Self {
        let limbs = &src[arg.slot..arg.slot + arg.limbs];
        let fill = if arg.ty.is_signed() { (limbs[arg.limbs - 1] as i64 >> 63) as u64 } else { 0 };
        View { limbs, fill, ty: arg.ty }
    }

    #[inline]
    fn limb(&self, i: usize) -> u64 {
        self.limbs.get(i).copied().unwrap_or(self.fill)
    }

    /// Each limb without the bits above the width, and the mask of the bits it has.
    fn raw(self) -> impl Iterator<Item = (u64, u64)> + 'a {
        let last = self.limbs.len() - 1;
        let top = crate::bits::top_mask(self.ty.width());
        self.limbs.iter().enumerate().map(move |(i, &l)| {
            let mask = if i == last { top } else { u64::MAX };
            (l & mask, mask)
        })
    }

    /// A shift amount; beyond 64 bits it is as good as the largest.
    fn amount(&self) -> u64 {
        if self.limbs[1..].iter().all(|&l| l == 0) { self.limbs[0] } else { u64::MAX }
    }
}

fn each(dst: &mut [u64], f: impl Fn(usize) -> u64) {
    dst.iter_mut().enumerate().for_each(|(i, d)| *d = f(i));
}

/// `a + b`, or `a - b` as `a + !b + 1`.
fn add(dst: &mut [u64], a: View, b: View, subtract: bool) {
    let mut carry = subtract;
    let flip = if subtract { u64::MAX } else { 0 };
    for (i, d) in dst.iter_mut().enumerate() {
        let (sum, c1) = a.limb(i).overflowing_add(b.limb(i) ^ flip);
        let (sum, c2) = sum.overflowing_add(u64::from(carry));
        (*d, carry) = (sum, c1 | c2);
    }
}

/// The low limbs of the product of the extended operands, which is exact for a result as wide as both.
fn multiply(dst: &mut [u64], a: View, b: View) {
    dst.fill(0);
    for i in 0..dst.len() {
        let mut carry = 0u128;
        for j in 0..dst.len() - i {
            let sum = u128::from(a.limb(i)) * u128::from(b.limb(j)) + u128::from(dst[i + j]) + carry;
            dst[i + j] = sum as u64;
            carry = sum >> 64;
        }
    }
}

fn equal(a: View, b: View) -> bool {
    (0..a.limbs.len().max(b.limbs.len())).all(|i| a.limb(i) == b.limb(i))
}

fn less(a: View, b: View) -> bool {
    let top = a.limbs.len().max(b.limbs.len());
    let flip = if a.ty.is_signed() { 1 << 63 } else { 0 };
    let (ta, tb) = (a.limb(top - 1) ^ flip, b.limb(top - 1) ^ flip);
    if ta != tb {
        return ta < tb;
    }
    (0..top - 1).rev().map(|i| (a.limb(i), b.limb(i))).find(|(x, y)| x != y).is_some_and(|(x, y)| x < y)
}

fn shift_left(dst: &mut [u64], a: View, n: u64) {
    let (skip, shift) = ((n / 64) as usize, (n % 64) as u32);
    each(dst, |i| {
        let Some(from) = i.checked_sub(skip) else { return 0 };
        let low = if from > 0 && shift > 0 { a.limb(from - 1) >> (64 - shift) } else { 0 };
        a.limb(from) << shift | low
    });
}

fn shift_right(dst: &mut [u64], a: View, n: u64) {
    let (skip, shift) = ((n / 64).min(1 << 32) as usize, (n % 64) as u32);
    each(dst, |i| {
        let high = if shift > 0 { a.limb(i + skip + 1) << (64 - shift) } else { 0 };
        a.limb(i + skip) >> shift | high
    });
}
