// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs a netlist of standard cells, cycle by cycle, and counts how often each net changes.
//!
//! All gates settle at once: a net changes at most once in a cycle, so glitches are not seen. Registers and memories
//! start at zero.

use super::flat::{Flat, Gate, HIGH, Port, Step};
use std::sync::Arc;

/// A running netlist.
pub struct Sim {
    flat: Arc<Flat>,
    values: Vec<bool>,
    /// As they were at the last clock edge.
    before: Vec<bool>,
    /// A word after the other.
    memories: Vec<Vec<bool>>,
    settled: bool,
    cycles: u64,
    toggles: Vec<u64>,
    /// Cycles in which they were counted.
    counted: u64,
}

impl Sim {
    pub fn new(flat: &Arc<Flat>) -> Sim {
        let mut values = vec![false; flat.nets as usize];
        values[HIGH as usize] = true;
        let memory = |m: &super::flat::Memory| {
            let mut bits = vec![false; m.words as usize * m.width as usize];
            m.init.iter().flatten().zip(&mut bits).for_each(|(from, to)| *to = *from);
            bits
        };
        let memories = flat.memories.iter().map(memory).collect();
        // Complements of registers are high.
        flat.registers.iter().flat_map(|r| &r.complement).for_each(|net| values[*net as usize] = true);
        let toggles = vec![0; values.len()];
        Sim { flat: flat.clone(), before: values.clone(), values, memories, settled: false, cycles: 0, toggles, counted: 0 }
    }

    pub fn flat(&self) -> &Arc<Flat> {
        &self.flat
    }

    /// The port of this name.
    pub fn port(&self, name: &str) -> Option<&Port> {
        self.flat.ports.get(name)
    }

    /// The low bits of a net's or port's value, little-endian; call [`Sim::settle`] first.
    pub fn get(&self, bits: &[u32], to: &mut [u8]) {
        to.fill(0);
        let room = 8 * to.len();
        for (i, net) in bits.iter().enumerate().take(room) {
            to[i / 8] |= u8::from(self.values[*net as usize]) << (i % 8);
        }
    }

    /// Sets the bits of an input from little-endian bytes; missing ones are zero.
    pub fn set(&mut self, bits: &[u32], from: &[u8]) {
        for (i, net) in bits.iter().enumerate().filter(|(_, net)| **net > HIGH) {
            let value = from.get(i / 8).is_some_and(|byte| byte >> (i % 8) & 1 == 1);
            self.settled &= self.values[*net as usize] == value;
            self.values[*net as usize] = value;
        }
    }

    /// Makes everything follow inputs and state.
    pub fn settle(&mut self) {
        if self.settled {
            return;
        }
        self.settled = true;
        for step in &self.flat.steps {
            match step {
                Step::Gate(gate) => self.values[gate.out as usize] = value(gate, &self.values),
                Step::Read { memory, address, data } => {
                    let width = self.flat.memories[*memory as usize].width as usize;
                    let word = number(address, &self.values) * width;
                    let bits = self.memories[*memory as usize].get(word..word + width);
                    for (i, net) in data.iter().enumerate() {
                        self.values[*net as usize] = bits.is_some_and(|bits| bits[i]);
                    }
                }
            }
        }
    }

    /// A rising clock edge. What changed since the one before is counted.
    pub fn tick(&mut self) {
        self.settle();
        for (count, (now, before)) in self.toggles.iter_mut().zip(self.values.iter().zip(&self.before)) {
            *count += u64::from(now != before);
        }
        self.before.copy_from_slice(&self.values);
        self.counted += 1;
        self.cycles += 1;
        let flat = self.flat.clone();
        let next: Vec<bool> = flat.registers.iter().map(|register| value(&register.next, &self.values)).collect();
        self.write(&flat);
        for (register, next) in flat.registers.iter().zip(next) {
            register.state.iter().for_each(|net| self.values[*net as usize] = next);
            register.complement.iter().for_each(|net| self.values[*net as usize] = !next);
        }
        self.settled = false;
    }

    fn write(&mut self, flat: &Flat) {
        for (memory, bits) in flat.memories.iter().zip(&mut self.memories) {
            for [address, data, enable] in &memory.writes {
                let word = number(address, &self.values) * memory.width as usize;
                let Some(word) = bits.get_mut(word..word + memory.width as usize) else { continue };
                for (i, bit) in word.iter_mut().enumerate().filter(|(i, _)| self.values[enable[*i] as usize]) {
                    *bit = self.values[data[i] as usize];
                }
            }
        }
    }

    /// Rising edges so far.
    pub fn cycles(&self) -> u64 {
        self.cycles
    }

    /// Forgets what was counted.
    pub fn restart(&mut self) {
        self.toggles.fill(0);
        self.counted = 0;
    }

    /// Changes of each net, and the cycles in which they were counted.
    pub fn activity(&self) -> (&[u64], u64) {
        (&self.toggles, self.counted)
    }
}

fn value(gate: &Gate, values: &[bool]) -> bool {
    gate.table >> number(&gate.inputs, values) & 1 == 1
}

/// The nets as a number, the first lowest.
fn number(nets: &[u32], values: &[bool]) -> usize {
    nets.iter().enumerate().fold(0, |n, (k, net)| n | usize::from(values[*net as usize]) << k)
}
