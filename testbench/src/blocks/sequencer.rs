// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `engine::sequencer`: programs of legal and illegal descriptors; every read, load and matrix it issues, and
//! how it ends, against `descriptor::Decoder` and the layouts.

use super::{Block, BlockError, Dut, geometry, shape, units::Units};
use crate::random::Random;
use heddle_core::{
    config::{Config, Power},
    descriptor::{self, Cause, Decoder, Descriptor, Layer, Matmul, Phase, REGION_ALIGN, ROWS_MAX, Words},
    engine::{
        sequencer,
        weight_fetch::{DEST_ACTIVATIONS, DEST_DESCRIPTOR, DEST_WEIGHTS},
    },
    format::{layout::Layout, region::ActivationLayout},
};
use heddle_lang::{BuildError, Module};
use std::sync::Arc;

const PROGRAMS: usize = 60;

/// The sequencer of a configuration.
pub struct Sequencer {
    pub config: Config,
}

impl Sequencer {
    pub fn new(lanes: u32, columns: u32, port_bits: u32) -> Sequencer {
        Sequencer { config: geometry(lanes, columns, port_bits) }
    }

    /// In a build with a DVFS unit.
    pub fn with_dvfs(self, entries: u32) -> Sequencer {
        let power = Power { dvfs_entries: entries, ..self.config.power.clone() };
        Sequencer { config: Config { power, ..self.config } }
    }
}

/// What the sequencer asks of other units, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A read; `dest` as in `engine::weight_fetch`.
    Job {
        address: u64,
        beats: u64,
        dest: u64,
    },
    Load {
        last_block: u64,
        columns: u64,
        bank: u64,
    },
    Matrix {
        format: u64,
        rows: u64,
        last_step: u64,
        columns: u64,
        bank: u64,
        tag: u64,
        results: u64,
    },
    /// A layer begins; without its tag.
    Layer(Layer),
}

/// How a program ends: the cause and address of an error.
pub type End = Result<(), (u32, u32)>;

/// A memory error that is reported before the first descriptor arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    Read,
    Write,
}

/// A program, and what must come of it.
pub struct Program {
    pub base: u32,
    pub words: Vec<Words>,
    pub fault: Fault,
    pub events: Vec<Event>,
    pub end: End,
}

/// What the sequencer remembers from program to program: the bank to load next and the tag of the next matrix.
#[derive(Default)]
struct Toggles {
    bank: u64,
    tag: u64,
}

impl Block for Sequencer {
    fn name(&self) -> String {
        let dvfs = self.config.power.dvfs_entries;
        let dvfs = if dvfs > 0 { format!(", DVFS of {dvfs}") } else { String::new() };
        format!("sequencer, {}{dvfs}", shape(&self.config))
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        sequencer::sequencer(&self.config)
    }

    fn run(&self, dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        let mut units = Units::new(dut, &self.config)?;
        let mut toggles = Toggles::default();
        for index in 0..PROGRAMS {
            let program = self.program(rng, &mut toggles);
            units.run(&program, rng).map_err(|e| {
                let listing: Vec<String> = program.words.iter().map(|w| format!("{w:08x?}")).collect();
                BlockError::wrong(format!("program {index} ({:?}): {e}\n{}", program.fault, listing.join("\n")))
            })?;
        }
        Ok(())
    }
}

impl Sequencer {
    fn program(&self, rng: &mut Random, toggles: &mut Toggles) -> Program {
        let base = 32 * (rng.bits() as u32 % (1 << 20));
        let fault = match rng.bits() % 12 {
            0 => Fault::Read,
            1 => Fault::Write,
            _ => Fault::None,
        };
        let mut words: Vec<Words> = Vec::new();
        let mut before = None;
        for _ in 0..rng.bits() % 6 {
            let (mut one, matmul) = self.descriptor(rng, before);
            before = matmul.or(before);
            if rng.chance(40) {
                damage(rng, &mut one, &self.config);
            }
            words.push(one);
        }
        words.push(Descriptor::End { tag: rng.bits() as u16 }.encode());
        let mut program = Program { base, words, fault, events: Vec::new(), end: Ok(()) };
        self.expect(&mut program, toggles);
        program
    }

    fn descriptor(&self, rng: &mut Random, before: Option<Matmul>) -> (Words, Option<Matmul>) {
        if rng.chance(60) {
            return (Descriptor::Fence { tag: rng.bits() as u16 }.encode(), None);
        }
        let classes = self.config.power.dvfs_entries / 8;
        if classes > 0 && rng.chance(80) {
            return (layer(rng, classes as u8).encode(), None);
        }
        let per_cycle = self.config.blocks_per_cycle();
        let steps = self.config.activations.blocks / per_cycle;
        let mut address = || rng.bits() as u32 / REGION_ALIGN * REGION_ALIGN;
        let (weights, activations, results) = (address(), address(), address());
        let mut matmul = Matmul {
            format: self.config.formats[rng.bits() as usize % self.config.formats.len()],
            reuse_act: false,
            columns: 1 + rng.bits() as u8 % self.config.array.columns as u8,
            rows: 1 + ((rng.bits() as u32 % ROWS_MAX) >> (rng.bits() % 24)),
            blocks: per_cycle * (1 + rng.bits() as u32 % steps),
            weights,
            activations,
            results,
            tag: rng.bits() as u16,
        };
        if let Some(before) = before.filter(|_| rng.chance(100)) {
            matmul = Matmul { reuse_act: true, columns: before.columns, blocks: before.blocks, ..matmul };
        }
        (matmul.encode(), Some(matmul))
    }

    /// What the program must lead to.
    fn expect(&self, program: &mut Program, toggles: &mut Toggles) {
        let mut decoder = Decoder::new(&self.config);
        let mut address = program.base;
        program.events.push(self.fetch(address));
        for words in &program.words {
            let verdict = match (program.fault, decoder.decode(words)) {
                (Fault::Read, _) => Err(Cause::ReadError),
                (Fault::Write, Ok(_)) => Err(Cause::WriteError),
                (Fault::Write, Err(cause)) => Err(cause.min(Cause::WriteError)),
                (Fault::None, decoded) => decoded,
            };
            let next = address.wrapping_add(descriptor::BYTES);
            match verdict {
                Err(cause) => {
                    program.end = Err((cause.code(), address));
                    return;
                }
                Ok(Descriptor::End { .. }) => return,
                // The next descriptor is asked for before the work of this one.
                Ok(Descriptor::Fence { .. }) => program.events.push(self.fetch(next)),
                Ok(Descriptor::Layer(layer)) => {
                    program.events.extend([Event::Layer(Layer { tag: 0, ..layer }), self.fetch(next)]);
                }
                Ok(Descriptor::Matmul(m)) => {
                    program.events.push(self.fetch(next));
                    self.work(&m, toggles, &mut program.events);
                }
            }
            address = next;
        }
    }

    /// The read of a descriptor; a beat wider than a descriptor is read from its start.
    fn fetch(&self, address: u32) -> Event {
        let port = self.config.port_bytes();
        let address = if port > descriptor::BYTES { address & !(REGION_ALIGN - 1) } else { address };
        Event::Job { address: address.into(), beats: descriptor::BYTES.div_ceil(port).into(), dest: DEST_DESCRIPTOR }
    }

    /// Activations column by column, then the weights and the matrix.
    fn work(&self, m: &Matmul, toggles: &mut Toggles, events: &mut Vec<Event>) {
        let (lanes, port) = (self.config.array.lanes as usize, self.config.memory.port_bits as usize);
        // The decoder has checked what these layouts could refuse.
        let weights = Layout::new(m.format, m.rows as usize, m.blocks as usize, lanes, port).expect("a legal matrix");
        let vectors = ActivationLayout::new(m.blocks as usize, lanes, port).expect("legal vectors");
        if !m.reuse_act {
            events.push(Event::Load { last_block: u64::from(m.blocks) - 1, columns: m.columns.into(), bank: toggles.bank });
            for column in 0..u32::from(m.columns) {
                let address = m.activations.wrapping_add(column * vectors.column_bytes() as u32);
                events.push(Event::Job { address: address.into(), beats: vectors.column_beats() as u64, dest: DEST_ACTIVATIONS });
            }
            toggles.bank ^= 1;
        }
        events.push(Event::Job { address: m.weights.into(), beats: weights.beats() as u64, dest: DEST_WEIGHTS });
        events.push(Event::Matrix {
            format: m.format.id().into(),
            rows: m.rows.into(),
            last_step: u64::from(m.blocks / self.config.blocks_per_cycle()) - 1,
            columns: m.columns.into(),
            bank: toggles.bank ^ 1,
            tag: toggles.tag,
            results: m.results.into(),
        });
        toggles.tag ^= 1;
    }
}

fn layer(rng: &mut Random, classes: u8) -> Layer {
    Layer {
        phase: if rng.chance(128) { Phase::Decode } else { Phase::Prefill },
        class: rng.bits() as u8 % classes,
        first: rng.chance(128),
        last: rng.chance(128),
        progress: rng.bits() as u8,
        tag: rng.bits() as u16,
    }
}

/// Makes a descriptor illegal, often just so, or merely different.
fn damage(rng: &mut Random, words: &mut Words, config: &Config) {
    let one_step_more = config.activations.blocks + config.blocks_per_cycle();
    match rng.bits() % 10 {
        0 => descriptor::OPCODE.put(words, rng.bits() as u32),
        1 => descriptor::FORMAT.put(words, 4 + rng.bits() as u32 % 250),
        2 => descriptor::COLUMNS.put(words, [0, 9, 255, 16][rng.bits() as usize % 4]),
        3 => descriptor::ROWS.put(words, [0, ROWS_MAX + 1, u32::MAX][rng.bits() as usize % 3]),
        4 => descriptor::BLOCKS.put(words, [0, 3, 1 << 31, one_step_more, one_step_more][rng.bits() as usize % 5]),
        5 => words[3 + rng.bits() as usize % 3] |= 1 << (rng.bits() % 6),
        6 => descriptor::REUSE_ACT.put(words, 1),
        7 => words[7] |= 1 << (rng.bits() % 32),
        _ => words[rng.bits() as usize % 8] ^= 1 << (rng.bits() % 32),
    }
}
