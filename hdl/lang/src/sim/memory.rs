// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memories of the simulated design. A read beyond the depth gives zero, a write there does nothing.

use crate::bits::{Bits, limbs_for};

pub(super) struct ReadSlots {
    pub enable: usize,
    pub address: usize,
    pub data: usize,
}

pub(super) struct WriteSlots {
    pub enable: usize,
    pub address: usize,
    pub data: usize,
    /// Slot and number of byte enables.
    pub byte_enable: Option<(usize, u32)>,
}

pub(super) struct SimMemory {
    pub name: String,
    pub width: u32,
    pub depth: u32,
    pub reads: Vec<ReadSlots>,
    pub writes: Vec<WriteSlots>,
    words: Vec<u64>,
}

impl SimMemory {
    pub fn new(name: String, width: u32, depth: u32, init: &[Bits]) -> Self {
        let limbs = limbs_for(width);
        let mut m = SimMemory { name, width, depth, reads: vec![], writes: vec![], words: vec![0; limbs * depth as usize] };
        for (word, bits) in m.words.chunks_mut(limbs).zip(init) {
            word.copy_from_slice(Bits::from_limbs(width, bits.limbs()).limbs());
        }
        m
    }

    fn limbs(&self) -> usize {
        limbs_for(self.width)
    }

    pub fn word(&self, address: u64) -> Option<&[u64]> {
        let start = usize::try_from(address).ok().filter(|&a| a < self.depth as usize)? * self.limbs();
        Some(&self.words[start..start + self.limbs()])
    }

    pub fn word_mut(&mut self, address: u64) -> Option<&mut [u64]> {
        let limbs = self.limbs();
        let start = usize::try_from(address).ok().filter(|&a| a < self.depth as usize)? * limbs;
        Some(&mut self.words[start..start + limbs])
    }

    /// Appends what the read data registers take: `(slot, word)` limb by limb.
    pub fn sample(&self, slots: &[u64], staged: &mut Vec<(usize, u64)>) {
        for read in self.reads.iter().filter(|r| slots[r.enable] != 0) {
            match self.word(slots[read.address]) {
                Some(word) => staged.extend(word.iter().enumerate().map(|(i, &limb)| (read.data + i, limb))),
                None => staged.extend((0..self.limbs()).map(|i| (read.data + i, 0))),
            }
        }
    }

    /// Applies the write ports, the later ones last.
    pub fn commit(&mut self, slots: &[u64]) {
        let (limbs, width) = (self.limbs(), self.width);
        for i in 0..self.writes.len() {
            let w = &self.writes[i];
            if slots[w.enable] == 0 {
                continue;
            }
            let data = &slots[w.data..w.data + limbs];
            let (address, byte_enable) = (slots[w.address], w.byte_enable);
            let Some(word) = self.word_mut(address) else { continue };
            match byte_enable {
                None => word.copy_from_slice(data),
                Some((enables, n)) => {
                    let part = width / n;
                    let enabled = |p: u32| slots[enables + (p / 64) as usize] >> (p % 64) & 1 == 1;
                    (0..n).filter(|&p| enabled(p)).for_each(|p| copy_bits(word, data, p * part, part));
                }
            }
        }
    }
}

/// Copies `width` bits from bit `lsb` on.
fn copy_bits(to: &mut [u64], from: &[u64], lsb: u32, width: u32) {
    let mut at = lsb;
    while at < lsb + width {
        let (limb, shift) = ((at / 64) as usize, at % 64);
        let n = (64 - shift).min(lsb + width - at);
        let mask = (u64::MAX >> (64 - n)) << shift;
        to[limb] = to[limb] & !mask | from[limb] & mask;
        at += n;
    }
}
