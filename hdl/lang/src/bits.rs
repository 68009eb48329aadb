// SPDX-License-Identifier: MIT OR Apache-2.0
//! A bit vector of any width: the value of a constant, a port, a register.

use std::fmt;

/// `width` bits, least significant limb first, unused high bits zero. Two's complement where a
/// signed type gives it a sign.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Bits {
    width: u32,
    limbs: Vec<u64>,
}

/// Limbs of 64 bits that `width` bits need.
pub const fn limbs_for(width: u32) -> usize {
    width.div_ceil(64) as usize
}

/// The mask of the used bits of the last limb.
pub const fn top_mask(width: u32) -> u64 {
    match width % 64 {
        0 => u64::MAX,
        n => (1 << n) - 1,
    }
}

impl Bits {
    pub fn zero(width: u32) -> Self {
        Bits { width, limbs: vec![0; limbs_for(width)] }
    }

    /// The low `width` bits of the limbs given; missing limbs are zero.
    pub fn from_limbs(width: u32, limbs: &[u64]) -> Self {
        let mut out = Bits::zero(width);
        for (to, from) in out.limbs.iter_mut().zip(limbs) {
            *to = *from;
        }
        out.mask();
        out
    }

    /// The low `width` bits of a number, sign-extended where `width` is above 128.
    pub fn from_i128(width: u32, value: i128) -> Self {
        let fill = if value < 0 { u64::MAX } else { 0 };
        let mut out = Bits::zero(width);
        for (i, limb) in out.limbs.iter_mut().enumerate() {
            *limb = match i {
                0 => value as u64,
                1 => (value >> 64) as u64,
                _ => fill,
            };
        }
        out.mask();
        out
    }

    pub fn from_u64(width: u32, value: u64) -> Self {
        Bits::from_limbs(width, &[value])
    }

    fn mask(&mut self) {
        if let Some(top) = self.limbs.last_mut() {
            *top &= top_mask(self.width);
        }
    }

    pub fn width(&self) -> u32 {
        self.width
    }

    pub fn limbs(&self) -> &[u64] {
        &self.limbs
    }

    /// Bit `i`; bits past the width are zero.
    pub fn bit(&self, i: u32) -> bool {
        i < self.width && self.limbs[(i / 64) as usize] >> (i % 64) & 1 == 1
    }

    pub fn set_bit(&mut self, i: u32, value: bool) {
        assert!(i < self.width, "bit {i} of a value of {} bits", self.width);
        let limb = &mut self.limbs[(i / 64) as usize];
        *limb = *limb & !(1 << (i % 64)) | u64::from(value) << (i % 64);
    }

    /// The low 64 bits.
    pub fn low_u64(&self) -> u64 {
        self.limbs.first().copied().unwrap_or(0)
    }

    /// As a two's complement number; exact up to 128 bits, the low 128 bits beyond.
    pub fn to_i128(&self) -> i128 {
        let sign = self.width > 0 && self.bit(self.width - 1);
        let mut value = 0i128;
        for i in 0..self.width.min(128) {
            value |= i128::from(self.bit(i)) << i;
        }
        if sign && self.width < 128 { value | -1i128 << self.width } else { value }
    }

    pub fn is_zero(&self) -> bool {
        self.limbs.iter().all(|&l| l == 0)
    }
}

impl fmt::LowerHex for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut leading = true;
        for (i, limb) in self.limbs.iter().enumerate().rev() {
            match (leading, limb, i) {
                (true, 0, 1..) => continue,
                (true, ..) => write!(f, "{limb:x}")?,
                _ => write!(f, "{limb:016x}")?,
            }
            leading = false;
        }
        Ok(())
    }
}

impl fmt::Debug for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}'h{self:x}", self.width)
    }
}
