// SPDX-License-Identifier: MIT OR Apache-2.0
//! rust-hdl's own simulation of a block, by port name: what an imported module is compared with.
//!
//! rust-hdl lets clock and data race when both change in one update, so that a cycle here is: inputs while
//! the clock is low, settle, look at the outputs, raise the clock, settle, lower it, settle.

use super::tree::Literal;
use crate::bits::Bits;
use rust_hdl::core::prelude::{self as hdl, Block, Clock, In, Out, Synth};

/// A type that a test can drive.
pub trait Value: Synth {
    fn of(bits: &Bits) -> Self;
}

impl Value for bool {
    fn of(bits: &Bits) -> Self {
        !bits.is_zero()
    }
}

impl<const N: usize> Value for hdl::Bits<N> {
    fn of(bits: &Bits) -> Self {
        (0..N).fold(hdl::Bits::default(), |v, i| v.replace_bit(i, bits.bit(i as u32)))
    }
}

impl<const N: usize> Value for hdl::Signed<N> {
    fn of(bits: &Bits) -> Self {
        hdl::signed_cast(hdl::Bits::of(bits))
    }
}

type Set<B> = Box<dyn Fn(&mut B, &Bits)>;
type Get<B> = Box<dyn Fn(&B) -> Bits>;
type SetClock<B> = Box<dyn Fn(&mut B, bool)>;

/// rust-hdl found no fixed point within 1000 updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("rust-hdl's simulation does not settle in cycle {cycle}")]
pub struct Unsettled {
    pub cycle: u64,
}

/// A block under rust-hdl's simulation, ports in the order in which they were named.
pub struct Reference<B: Block> {
    block: B,
    inputs: Vec<(String, u32, Set<B>)>,
    outputs: Vec<(String, Get<B>)>,
    clocks: Vec<(String, SetClock<B>)>,
    cycle: u64,
}

impl<B: Block> Reference<B> {
    pub fn new(mut block: B) -> Self {
        block.connect_all();
        Reference { block, inputs: vec![], outputs: vec![], clocks: vec![], cycle: 0 }
    }

    /// `name`: of the port of the imported module.
    pub fn input<T: Value>(mut self, name: &str, port: impl Fn(&mut B) -> &mut hdl::Signal<In, T> + 'static) -> Self {
        let set = move |b: &mut B, v: &Bits| port(b).next = T::of(v);
        self.inputs.push((name.into(), T::BITS as u32, Box::new(set)));
        self
    }

    pub fn output<T: Synth>(mut self, name: &str, port: impl Fn(&B) -> &hdl::Signal<Out, T> + 'static) -> Self {
        let get = move |b: &B| Literal::of(&port(b).val().verilog()).bits(T::BITS as u32);
        self.outputs.push((name.into(), Box::new(get)));
        self
    }

    /// Each cycle has one edge of every clock, one after the other in the order of these calls.
    pub fn clock(mut self, name: &str, port: impl Fn(&mut B) -> &mut hdl::Signal<In, Clock> + 'static) -> Self {
        self.clocks.push((name.into(), Box::new(move |b, level| port(b).next = level.into())));
        self
    }

    /// The block as it is, for the import.
    pub fn block(&self) -> &B {
        &self.block
    }

    /// Name and width of each input.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, u32)> {
        self.inputs.iter().map(|(name, width, _)| (name.as_str(), *width))
    }

    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.outputs.iter().map(|(name, _)| name.as_str())
    }

    pub fn clocks(&self) -> impl Iterator<Item = &str> {
        self.clocks.iter().map(|(name, _)| name.as_str())
    }

    fn settle(&mut self) -> Result<(), Unsettled> {
        match hdl::simulate(&mut self.block, 1000) {
            true => Ok(()),
            false => Err(Unsettled { cycle: self.cycle }),
        }
    }

    /// One clock cycle; the outputs are those just before the (first) rising edge.
    pub fn step(&mut self, inputs: &[Bits]) -> Result<Vec<Bits>, Unsettled> {
        for ((_, _, set), value) in self.inputs.iter().zip(inputs) {
            set(&mut self.block, value);
        }
        self.settle()?;
        let seen = self.outputs.iter().map(|(_, get)| get(&self.block)).collect();
        for i in 0..self.clocks.len() {
            for level in [true, false] {
                (self.clocks[i].1)(&mut self.block, level);
                self.settle()?;
            }
        }
        self.cycle += 1;
        Ok(seen)
    }
}

/// Random inputs from a seed: single bits stay likely or unlikely for a while, so that buffers fill and
/// drain; words are random, or all zeros or ones.
#[derive(Debug, Clone)]
pub struct Stimulus {
    state: u64,
    /// Of each input, how many of 16 draws are ones.
    odds: Vec<u64>,
    left: u32,
}

impl Stimulus {
    pub fn new(seed: u64) -> Self {
        Stimulus { state: seed ^ 0x9e37_79b9_7f4a_7c15, odds: vec![], left: 0 }
    }

    /// 64 random bits (splitmix64).
    pub fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ self.state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// One value for each width.
    pub fn draw(&mut self, widths: &[u32]) -> Vec<Bits> {
        if self.left == 0 {
            self.left = 16 + (self.word() % 112) as u32;
            self.odds = widths.iter().map(|_| [1, 4, 8, 12, 15][(self.word() % 5) as usize]).collect();
        }
        self.left -= 1;
        let odds = self.odds.clone();
        widths.iter().zip(odds).map(|(w, odds)| self.value(*w, odds)).collect()
    }

    fn value(&mut self, width: u32, odds: u64) -> Bits {
        if width == 1 {
            return Bits::from_u64(1, u64::from(self.word() % 16 < odds));
        }
        let limbs: Vec<u64> = (0..width.div_ceil(64)).map(|_| self.word()).collect();
        match self.word() % 16 {
            0 => Bits::zero(width),
            1 => Bits::from_i128(width, -1),
            2 => Bits::from_u64(width, limbs[0] % 8),
            _ => Bits::from_limbs(width, &limbs),
        }
    }
}
