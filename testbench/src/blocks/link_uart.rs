// SPDX-License-Identifier: MIT OR Apache-2.0
//! Benches of `link::uart_rx` and `link::uart_tx`: bytes on a line whose sender is off by up to 2 %, with glitches, stop
//! bits that are low, and pauses of any length.

use super::{Block, BlockError, Dut};
use crate::{
    random::Random,
    simulator::Simulator,
    stream::{Source, Stall},
};
use heddle_core::link::{
    uart_rx,
    uart_tx::{self, golden},
};
use heddle_lang::{BuildError, Module, import::ImportError};
use std::sync::Arc;

const BYTES: usize = 60;

/// The receiver at so many thousandths of a cycle per bit.
pub struct UartRx {
    pub millicycles: u64,
}

/// The transmitter at so many thousandths of a cycle per bit.
pub struct UartTx {
    pub millicycles: u64,
}

fn step(millicycles: u64) -> u64 {
    ((1000 << uart_rx::PHASE_BITS) + millicycles / 2) / millicycles
}

/// A line, cycle by cycle, and what is to be heard on it: a byte, or `None` for one that is broken.
fn line(rng: &mut Random, cycles: f64) -> (Vec<bool>, Vec<Option<u8>>) {
    let (mut line, mut heard) = (vec![true; 20], Vec::new());
    for _ in 0..BYTES {
        let byte = rng.bits() as u8;
        let mut bits = golden::bits(byte);
        bits[9] = !rng.chance(20);
        heard.push(uart_rx::golden::byte(bits));
        let off = 1.0 + (rng.bits() % 41) as f64 / 1000.0 - 0.02;
        let edge = |bit: usize| (bit as f64 * cycles * off).round() as usize;
        bits.iter().enumerate().for_each(|(i, level)| line.extend(std::iter::repeat_n(*level, edge(i + 1) - edge(i))));
        // The line is high again before the next start bit; at once after a good stop bit.
        let pause = if bits[9] && rng.chance(128) { 0 } else { 2 + (cycles * (rng.bits() % 20) as f64) as usize };
        line.extend(vec![true; pause]);
        // A pulse of less than half a bit is no start bit.
        if pause > 3 * cycles as usize && rng.chance(128) {
            let width = 1 + rng.bits() as usize % ((0.4 * cycles) as usize).max(1);
            line.extend(vec![false; width]);
            line.extend(vec![true; 2 * cycles as usize]);
        }
    }
    line.extend(vec![true; 12 * cycles as usize]);
    (line, heard)
}

impl Block for UartRx {
    fn name(&self) -> String {
        format!("uart_rx, {}.{:03} cycles per bit", self.millicycles / 1000, self.millicycles % 1000)
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        uart_rx::uart_rx().map_err(ImportError::build_error)
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        let (line, heard) = line(rng, self.millicycles as f64 / 1000.0);
        let [rx, step_pin] = dut.inputs(["rx", "step"])?;
        let [valid, data, broken] = dut.outputs(["valid", "data", "broken"])?;
        dut.put(step_pin, step(self.millicycles));
        dut.put(rx, 1);
        dut.reset()?;
        let mut got = Vec::new();
        for level in line {
            dut.put(rx, level.into());
            dut.settle()?;
            match (dut.high(valid), dut.high(broken)) {
                (true, false) => got.push(Some(dut.read(data) as u8)),
                (false, true) => got.push(None),
                (true, true) => return Err(BlockError::wrong("a byte is good and broken")),
                (false, false) => {}
            }
            dut.tick()?;
        }
        match (0..heard.len().max(got.len())).find(|&i| got.get(i) != heard.get(i)) {
            None => Ok(()),
            Some(i) => Err(BlockError::wrong(format!("byte {i}: {:02x?}, not {:02x?}", got.get(i), heard.get(i)))),
        }
    }
}

impl Block for UartTx {
    fn name(&self) -> String {
        format!("uart_tx, {}.{:03} cycles per bit", self.millicycles / 1000, self.millicycles % 1000)
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        uart_tx::uart_tx().map_err(ImportError::build_error)
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        let cycles = self.millicycles as f64 / 1000.0;
        let bytes: Vec<u8> = (0..BYTES).map(|_| rng.bits() as u8).collect();
        let [in_valid, in_data, step_pin] = dut.inputs(["in_valid", "in_data", "step"])?;
        let [in_ready, tx] = dut.outputs(["in_ready", "tx"])?;
        dut.put(step_pin, step(self.millicycles));
        dut.put(in_valid, 0);
        dut.reset()?;
        let mut source = Source::new(bytes.iter().copied(), Stall::variety(rng.bits()));
        let mut line = Vec::new();
        let limit = (BYTES as f64 * (11.0 * cycles + 400.0)) as usize;
        while line.len() < limit && (!source.finished() || line.iter().rev().take_while(|l| **l).count() < 12 * cycles as usize) {
            dut.put(in_valid, source.out().is_some().into());
            dut.put(in_data, source.out().copied().unwrap_or(0).into());
            dut.settle()?;
            source.step(dut.high(in_ready));
            line.push(dut.high(tx));
            dut.tick()?;
        }
        // Each byte is sampled in the middle of its bits, from its own start bit on.
        let mut at = 0;
        for (i, byte) in bytes.iter().enumerate() {
            at += line[at.min(line.len())..]
                .iter()
                .position(|high| !high)
                .ok_or_else(|| BlockError::wrong(format!("byte {i} was not sent")))?;
            let edges = |bit: f64| at + (bit * cycles) as usize;
            for (bit, level) in golden::bits(*byte).into_iter().enumerate() {
                // A cycle from either edge of the bit, too.
                let (from, to) = (edges(bit as f64 + 0.01) + 1, edges(bit as f64 + 0.99) - 1);
                if (from.min(to)..=to).any(|cycle| line.get(cycle) != Some(&level)) {
                    return Err(BlockError::wrong(format!("byte {i} ({byte:#04x}), bit {bit} is not {level} all of its time")));
                }
            }
            at = edges(9.6);
        }
        match line.get(at..).and_then(|rest| rest.iter().position(|high| !high)) {
            None => Ok(()),
            Some(_) => Err(BlockError::wrong("a byte too many was sent")),
        }
    }
}
