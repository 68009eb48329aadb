// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `link`: both protocols bit by bit through UART, backlog and bridge, against the bridge in plain Rust. Bytes come
//! without a pause while the bridge works and answers.

use super::{
    Block, BlockError, Dut,
    link_ports::{Ports, RegisterFile},
};
use crate::{
    axi::{Memory, MemoryConfig},
    random::Random,
    simulator::Simulator,
};
use heddle_core::link::{
    LinkConfig,
    bone::golden::Bone,
    golden::{Bridge, Bus, Bytes, Place, place},
    link,
    uart_tx::golden::bits,
    wire::{self, Op},
};
use heddle_lang::{BuildError, Module};
use std::sync::Arc;

const MEMORY_BYTES: u32 = 1 << 12;

/// The link at a clock of 1 MHz and so many baud.
pub struct LinkWhole {
    pub baud: u32,
    pub port_bits: u32,
    /// Or uartbone alone.
    pub frames: bool,
}

struct Words(Vec<u32>, Vec<u32>);

impl Bus for Words {
    fn read(&mut self, address: u32) -> Option<u32> {
        Some(match place(address, MEMORY_BYTES.into())? {
            Place::Register(at) => self.1[at as usize / 4],
            Place::Memory(at) => self.0[at as usize / 4],
        })
    }

    fn write(&mut self, address: u32, value: u32) -> bool {
        match place(address, MEMORY_BYTES.into()) {
            None => return false,
            Some(Place::Register(at)) => self.1[at as usize / 4] = value,
            Some(Place::Memory(at)) => self.0[at as usize / 4] = value,
        }
        true
    }
}

/// A session as the host has it: as many requests under way as the window allows.
fn script(rng: &mut Random) -> Vec<u8> {
    let mut bytes = vec![2, 1];
    bytes.extend((wire::REGISTERS / 4).to_be_bytes());
    bytes.extend(wire::request(Op::Hello, wire::FIRST, wire::GREETING, &[]));
    let mut seq = wire::FIRST;
    for i in 0..wire::WINDOW as u32 + 2 {
        seq = seq.wrapping_add(1);
        let payload: Vec<u8> = (0..64).map(|_| if rng.chance(40) { wire::FLAG } else { rng.bits() as u8 }).collect();
        bytes.extend(wire::request(Op::Write, seq, wire::MEMORY + 64 * i, &payload));
    }
    for i in 0..wire::WINDOW as u32 / 2 {
        seq = seq.wrapping_add(1);
        bytes.extend(wire::request(Op::Read, seq, wire::MEMORY + 128 * i, &128u32.to_le_bytes()));
    }
    for (op, count) in [(Op::Check, 256u32), (Op::Read, 8)] {
        seq = seq.wrapping_add(1);
        bytes.extend(wire::request(op, seq, if op == Op::Check { wire::MEMORY } else { wire::REGISTERS }, &count.to_le_bytes()));
    }
    bytes
}

/// Words written without a pause, then read at once: the link is told of a read when it has answered the one before.
fn bone_script(rng: &mut Random) -> Vec<u8> {
    let words = 1 + rng.bits() as usize % 64;
    let command = |code: u8, address: u32| [&[code, words as u8][..], &(address / 4).to_be_bytes()].concat();
    let mut bytes = Vec::new();
    for i in 0..4 {
        bytes.extend(command(wire::bone::WRITE, wire::MEMORY + 256 * i));
        bytes.extend((0..4 * words).map(|_| rng.bits() as u8));
    }
    bytes.extend(command(wire::bone::READ, wire::MEMORY + 4 * (rng.bits() as u32 % 256)));
    bytes
}

impl Block for LinkWhole {
    fn name(&self) -> String {
        let kind = if self.frames { "" } else { ", uartbone alone" };
        format!("link, {} baud at 1 MHz, port of {} bits{kind}", self.baud, self.port_bits)
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        let frames = self.frames;
        link(&LinkConfig { frames, ..LinkConfig::new(self.port_bits, MEMORY_BYTES.into(), 1_000_000, self.baud) })
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        let mut memory = Memory::new(MemoryConfig::new(MEMORY_BYTES as usize, self.port_bits as usize / 8))?;
        let mut registers = RegisterFile::new(rng, 0..0);
        let mut model = Words(vec![0; MEMORY_BYTES as usize / 4], registers.words.clone());
        let (sent, mut expected) = (if self.frames { script(rng) } else { bone_script(rng) }, Vec::new());
        let (mut with_frames, mut without) = (Bridge::default(), Bone::new(MEMORY_BYTES.into()));
        let golden: &mut dyn Bytes = if self.frames { &mut with_frames } else { &mut without };
        sent.iter().for_each(|byte| golden.byte(*byte, &mut model, &mut expected));

        let [rx] = dut.inputs(["rx"])?;
        let [tx, open] = dut.outputs(["tx", "open"])?;
        let ports = Ports::find(&dut)?;
        dut.put(rx, 1);
        dut.reset()?;
        let cycles = 1_000_000.0 / f64::from(self.baud);
        let levels: Vec<bool> = std::iter::repeat_n(true, 8).chain(sent.iter().flat_map(|byte| bits(*byte))).collect();
        let mut line = Vec::new();
        let limit = (cycles * 10.2 * (sent.len() + expected.len() + 40) as f64) as usize + 4000;
        for cycle in 0..limit {
            let level = levels.get((cycle as f64 / cycles) as usize).copied().unwrap_or(true);
            dut.put(rx, level.into());
            ports.drive(&mut dut, &memory, &registers);
            dut.settle()?;
            ports.step(&dut, &mut memory, &mut registers)?;
            line.push(dut.high(tx));
            dut.tick()?;
        }
        let got = decode(&line, cycles);
        if dut.high(open) != self.frames {
            return Err(BlockError::wrong("a session is not as it should be"));
        }
        match (0..expected.len().max(got.len())).find(|&i| got.get(i) != expected.get(i)) {
            None => Ok(()),
            Some(i) => Err(BlockError::wrong(format!("byte {i} of {}: {:02x?}, not {:02x?}", expected.len(), got.get(i), expected.get(i)))),
        }
    }
}

/// The bytes of a line.
fn decode(line: &[bool], cycles: f64) -> Vec<u8> {
    let (mut bytes, mut at) = (Vec::new(), 0);
    while let Some(low) = line.get(at..).and_then(|rest| rest.iter().position(|high| !high)) {
        let sample = |bit: usize| line.get(at + low + ((bit as f64 + 0.5) * cycles) as usize).copied().unwrap_or(true);
        bytes.push((0..8).map(|i| u8::from(sample(i + 1)) << i).sum());
        at += low + (9.5 * cycles) as usize;
    }
    bytes
}
