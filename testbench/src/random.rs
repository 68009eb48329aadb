// SPDX-License-Identifier: MIT OR Apache-2.0
//! A small seeded generator for stalls: the same seed gives the same run, on every machine.

/// xorshift64*; not for anything but test stimulus.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        // Spreads small seeds over all bits; the state may not be zero.
        Self((seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9) | 1)
    }

    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// True with a probability of `chance` in 256.
    #[inline]
    pub fn chance(&mut self, chance: u8) -> bool {
        (self.bits() >> 56) < u64::from(chance)
    }
}
