// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `link::bridge` and `link::bone`: the bytes of both protocols, right, wrong and broken, against the bridge in plain Rust. Bytes
//! out, memory and registers are compared; the buses stall and answer with errors.

use super::{
    Block, BlockError, Dut,
    link_ports::{Ports, RegisterFile},
    link_script::{Event, Script},
};
use crate::{
    axi::{Backpressure, Memory, MemoryConfig},
    random::Random,
    simulator::Simulator,
    stream::{Checker, Sink, Stall},
};
use heddle_core::link::{
    bone::{self, golden::Bone},
    bridge,
    golden::{Bridge, Bus, Bytes, Place, place},
};
use heddle_lang::{BuildError, Module};
use std::{collections::VecDeque, sync::Arc};

const COMMANDS: usize = 40;
/// Cycles of the time-out; a sender's gaps within a command are far shorter.
const SILENCE: u64 = 300;
const SILENCE_BITS: u32 = 9;
const LONGEST_GAP: u64 = 40;
const MEMORY_BYTES: u32 = 1 << 14;
/// Words of the memory, and registers, that answer with an error.
const BAD_WORDS: std::ops::Range<u32> = 0x300..0x310;
const BAD_REGISTERS: std::ops::Range<u32> = 0x200..0x400;

/// The bridge at a memory port of so many bits.
pub struct LinkBridge {
    pub port_bits: u32,
    /// Or uartbone alone.
    pub frames: bool,
}

/// The buses in plain Rust.
struct Model {
    memory: Vec<u32>,
    registers: Vec<u32>,
}

impl Bus for Model {
    fn read(&mut self, address: u32) -> Option<u32> {
        match place(address, MEMORY_BYTES.into())? {
            Place::Register(at) => (!BAD_REGISTERS.contains(&(at / 4))).then(|| self.registers[at as usize / 4]),
            Place::Memory(at) => (!BAD_WORDS.contains(&(at / 4))).then(|| self.memory[at as usize / 4]),
        }
    }

    fn write(&mut self, address: u32, value: u32) -> bool {
        match place(address, MEMORY_BYTES.into()) {
            None => false,
            Some(Place::Register(at)) => {
                let good = !BAD_REGISTERS.contains(&(at / 4));
                if good {
                    self.registers[at as usize / 4] = value;
                }
                good
            }
            // The memory model stores what it complains about.
            Some(Place::Memory(at)) => {
                self.memory[at as usize / 4] = value;
                !BAD_WORDS.contains(&(at / 4))
            }
        }
    }
}

impl Block for LinkBridge {
    fn name(&self) -> String {
        format!("link_{}, port of {} bits", if self.frames { "bridge" } else { "bone" }, self.port_bits)
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        match self.frames {
            true => bridge::bridge(self.port_bits, MEMORY_BYTES.into()),
            false => bone::bone(self.port_bits, MEMORY_BYTES.into(), SILENCE_BITS),
        }
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        let mut script = Script::new(MEMORY_BYTES);
        let noise = [0, 60, 160][rng.bits() as usize % 3];
        if self.frames {
            script.fill(rng, COMMANDS, noise);
        } else {
            script.fill_bone(rng, 2 * COMMANDS, noise);
        }
        let mut memory = self.memory(rng)?;
        memory.bytes_mut().fill_with(|| rng.bits() as u8);
        let mut registers = RegisterFile::new(rng, BAD_REGISTERS);
        let mut model = Model { memory: words(memory.bytes()), registers: registers.words.clone() };
        let mut expected = Vec::new();
        let (mut with_frames, mut without) = (Bridge::default(), Bone::new(MEMORY_BYTES.into()));
        let golden: &mut dyn Bytes = if self.frames { &mut with_frames } else { &mut without };
        for event in &script.events {
            match event {
                Event::Byte(byte) => golden.byte(*byte, &mut model, &mut expected),
                Event::Silence => golden.silence(),
            }
        }
        let out = drive(&mut dut, rng, &script.events, &mut memory, &mut registers, expected.len())?;
        if let Some(at) = (0..expected.len()).find(|&i| out.get(i) != expected.get(i)) {
            let (got, want) = (&out[at..out.len().min(at + 8)], &expected[at..expected.len().min(at + 8)]);
            return Err(BlockError::wrong(format!("byte {at} of {} out: {got:02x?}, not {want:02x?}", expected.len())));
        }
        same("memory", &words(memory.bytes()), &model.memory)?;
        same("registers", &registers.words, &model.registers)
    }
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks::<4>().0.iter().map(|w| u32::from_le_bytes(*w)).collect()
}

fn same(what: &str, got: &[u32], want: &[u32]) -> Result<(), BlockError> {
    match (0..want.len()).find(|&i| got[i] != want[i]) {
        None => Ok(()),
        Some(i) => Err(BlockError::wrong(format!("word {i:#x} of the {what} is {:#010x}, not {:#010x}", got[i], want[i]))),
    }
}

impl LinkBridge {
    fn memory(&self, rng: &mut Random) -> Result<Memory, BlockError> {
        let mut config = MemoryConfig::new(MEMORY_BYTES as usize, self.port_bits as usize / 8);
        config.read_latency = 1 + rng.bits() as u32 % 12;
        config.write_latency = 1 + rng.bits() as u32 % 12;
        config.outstanding = 1;
        config.errors = u64::from(4 * BAD_WORDS.start)..u64::from(4 * BAD_WORDS.end);
        if rng.chance(128) {
            config.backpressure = Some(Backpressure { seed: rng.bits(), chance: 100 });
        }
        Ok(Memory::new(config)?)
    }
}

/// Plays the events; the bytes that came out.
fn drive(
    dut: &mut Dut,
    rng: &mut Random,
    events: &[Event],
    memory: &mut Memory,
    registers: &mut RegisterFile,
    expected: usize,
) -> Result<Vec<u8>, BlockError> {
    let [valid, data, silence, ready] = dut.inputs(["in_valid", "in_data", "silence", "out_ready"])?;
    let [taken, out_valid, out_data] = dut.outputs(["in_ready", "out_valid", "out_data"])?;
    let ports = Ports::find(dut)?;
    dut.put(silence, SILENCE);
    dut.reset()?;
    let mut left: VecDeque<Event> = events.iter().copied().collect();
    let mut sink = Sink::new(Stall::variety(rng.bits()));
    let mut checker = Checker::default();
    let gaps = [0, 40, 200][rng.bits() as usize % 3];
    let (mut gap, mut quiet) = (0u64, 0u64);
    let limit = 20_000 + 400 * events.len() as u64 + 60 * expected as u64 + 600_000;
    for _ in 0..limit {
        let offer = match left.front() {
            Some(Event::Byte(byte)) if gap == 0 => Some(*byte),
            Some(Event::Silence) if gap == 0 => {
                left.pop_front();
                gap = SILENCE + 5;
                None
            }
            _ => None,
        };
        dut.put(valid, offer.is_some().into());
        dut.put(data, offer.unwrap_or(0xaa).into());
        dut.put(ready, sink.out().into());
        ports.drive(dut, memory, registers);
        dut.settle()?;
        let offered = dut.high(out_valid).then(|| dut.read(out_data) as u8);
        checker.step(offered.as_ref(), sink.out()).map_err(|e| BlockError::wrong(format!("out: {e}")))?;
        sink.step(offered);
        ports.step(dut, memory, registers)?;
        // The time of a silence counts when nothing is being carried out.
        let idle = dut.high(taken);
        gap = gap.saturating_sub(u64::from(idle));
        if offer.is_some() && idle {
            left.pop_front();
            gap = if rng.chance(gaps) { rng.bits() % LONGEST_GAP } else { 0 };
        }
        quiet = if left.is_empty() && idle && offered.is_none() { quiet + 1 } else { 0 };
        dut.tick()?;
        if quiet > 50 {
            return Ok(sink.received);
        }
    }
    let state = format!("{} events left, {} of {expected} bytes out", left.len(), sink.received.len());
    Err(BlockError::Limit { limit, state })
}
