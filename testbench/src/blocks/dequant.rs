// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `engine::dequant`: matrices back to back, beats and room coming and going at random; each chunk against
//! the block that the image holds there.

use super::{Block, BlockError, Dut, bits::pack, geometry, shape};
use crate::{
    matmul,
    random::Random,
    simulator::Simulator,
    stream::{Source, Stall},
};
use heddle_core::{
    config::{Config, Format},
    engine::{act_buffer, column::BLOCK, dequant},
    format::{
        Block as Weights,
        layout::{self, Layout, relayout},
    },
};
use heddle_lang::{BuildError, Module};
use std::{collections::VecDeque, sync::Arc};

const MATRICES: usize = 6;
/// Cycles after the last chunk in which nothing may come.
const QUIET: usize = 40;

/// A matrix in GGUF's blocks.
#[derive(Clone, Debug)]
pub struct Matrix {
    pub format: Format,
    pub rows: usize,
    /// Blocks of 32 in a row, before fill.
    pub blocks: usize,
    pub weights: Vec<u8>,
}

/// The unit of a configuration.
pub struct Dequant {
    pub config: Config,
    /// Matrices to stream; random ones where there are none.
    pub matrices: Vec<Matrix>,
}

impl Dequant {
    pub fn new(lanes: u32, port_bits: u32) -> Dequant {
        Dequant { config: geometry(lanes, 1, port_bits), matrices: Vec::new() }
    }

    /// With only these formats built in.
    pub fn with_formats(self, formats: &[Format]) -> Dequant {
        Dequant { config: Config { formats: formats.into(), ..self.config }, ..self }
    }
}

impl Block for Dequant {
    fn name(&self) -> String {
        let formats: Vec<&str> = self.config.formats.iter().map(|f| f.name()).collect();
        format!("dequant, {}, {}", shape(&self.config), formats.join(" "))
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        dequant::dequant(&self.config)
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        let matrices = if self.matrices.is_empty() { self.random(rng) } else { self.matrices.clone() };
        let mut job = Job::default();
        for (index, matrix) in matrices.iter().enumerate() {
            job.add(&self.config, matrix, index, rng)?;
        }
        job.run(&self.config, &mut dut, rng)
    }
}

impl Dequant {
    fn random(&self, rng: &mut Random) -> Vec<Matrix> {
        let mut matrix = || {
            let format = self.config.formats[rng.bits() as usize % self.config.formats.len()];
            let (rows, blocks) = (1 + rng.bits() as usize % 12, 1 + rng.bits() as usize % 9);
            Matrix { format, rows, blocks, weights: matmul::random_matrix(rng, format, rows * blocks) }
        };
        (0..MATRICES).map(|_| matrix()).collect()
    }
}

/// The start of a matrix, as its ports have it.
struct Start {
    format: u64,
    rows: u64,
    last_step: u64,
    bank: u64,
    tag: u64,
}

/// One chunk, as its ports have it.
struct Chunk {
    w: Vec<u8>,
    d: Vec<u8>,
    dmin: Vec<u8>,
    block_first: bool,
    block_last: bool,
    row_first: bool,
    row_last: bool,
    matrix_last: bool,
    tag: u64,
    address: u64,
}

/// What goes in and what comes out.
#[derive(Default)]
struct Job {
    starts: Vec<Start>,
    /// Beats up to the end of each matrix: none is offered before the matrix was started.
    ends: Vec<usize>,
    beats: Vec<Vec<u8>>,
    chunks: VecDeque<Chunk>,
}

impl Job {
    fn add(&mut self, config: &Config, matrix: &Matrix, index: usize, rng: &mut Random) -> Result<(), BlockError> {
        let (lanes, port) = (config.array.lanes as usize, config.memory.port_bits as usize);
        let illegal = |e: layout::LayoutError| BlockError::wrong(format!("an illegal matrix: {e}"));
        let layout = Layout::new(matrix.format, matrix.rows, matrix.blocks, lanes, port).map_err(illegal)?;
        let image = relayout(matrix.format, &matrix.weights, matrix.rows, matrix.blocks, lanes, port).map_err(illegal)?;
        self.beats.extend(image.chunks(layout.beat_bytes()).map(<[u8]>::to_vec));
        self.ends.push(self.beats.len());
        let per_cycle = config.blocks_per_cycle() as usize;
        let (steps, tag, bank) = (layout.padded_blocks() / per_cycle, index as u64 & 1, rng.bits() & 1);
        self.starts.push(Start { format: matrix.format.id().into(), rows: matrix.rows as u64, last_step: steps as u64 - 1, bank, tag });
        let parts = config.cycles_per_block();
        let step_bits = act_buffer::scale_address_bits(config) - 1;
        let width = lanes.min(BLOCK as usize);
        for (row, step, part) in dequant::golden::chunks(matrix.rows as u32, steps as u32, lanes as u32) {
            let at = row as usize * layout.padded_blocks() + step as usize * per_cycle;
            let blocks: Vec<Weights> = (at..at + per_cycle).map(|i| layout::block(&layout, &image, i)).collect();
            let from = part as usize * width;
            let row_last = step as usize == steps - 1 && part == parts - 1;
            self.chunks.push_back(Chunk {
                w: blocks.iter().flat_map(|b| &b.q[from..from + width]).map(|q| *q as u8).collect(),
                d: blocks.iter().flat_map(|b| b.d.to_le_bytes()).collect(),
                dmin: blocks.iter().flat_map(|b| b.dmin.to_le_bytes()).collect(),
                block_first: part == 0,
                block_last: part == parts - 1,
                row_first: step == 0,
                row_last,
                matrix_last: row_last && row as usize == matrix.rows - 1,
                tag,
                address: (bank << step_bits | u64::from(step)) * u64::from(parts) + u64::from(part),
            });
        }
        Ok(())
    }

    fn run(mut self, config: &Config, dut: &mut Dut, rng: &mut Random) -> Result<(), BlockError> {
        dut.reset()?;
        let [start_valid, format, rows, last_step, bank, start_tag] =
            dut.inputs(["start_valid", "start_format", "start_rows", "start_last_step", "start_bank", "start_tag"])?;
        let [beat_valid, beat_data, room_pin] = dut.inputs(["beat_valid", "beat_data", "room"])?;
        let [start_ready, beat_ready, valid, row_issue] = dut.outputs(["start_ready", "beat_ready", "valid", "row_issue"])?;
        let outputs = Outputs::find(dut, config)?;
        let limit = 400 + 12 * (self.beats.len() + self.chunks.len()) as u64;
        let room_chance = [255, 128, 30][rng.bits() as usize % 3];
        let mut starts = Source::new(self.starts, Stall::variety(rng.bits()));
        let mut beats = Source::new(self.beats, Stall::variety(rng.bits()));
        let (mut started, mut taken, mut quiet) = (0usize, 0, 0);
        for _ in 0..limit {
            let offered = starts.out();
            dut.put(start_valid, offered.is_some().into());
            if let Some(s) = offered {
                for (pin, value) in [(format, s.format), (rows, s.rows), (last_step, s.last_step), (bank, s.bank), (start_tag, s.tag)] {
                    dut.put(pin, value);
                }
            }
            let ours = started.checked_sub(1).is_some_and(|matrix| taken < self.ends[matrix]);
            dut.put(beat_valid, (ours && beats.out().is_some()).into());
            beats.out().into_iter().for_each(|beat| dut.put_bytes(beat_data, beat));
            let room = rng.chance(room_chance);
            dut.put(room_pin, room.into());
            dut.settle()?;
            if dut.high(row_issue) && !room {
                return Err(BlockError::wrong("a row was issued without room"));
            }
            if dut.high(valid) {
                let chunk = self.chunks.pop_front();
                let chunk = chunk.ok_or_else(|| BlockError::wrong("a chunk after the last one"))?;
                outputs.check(dut, &chunk)?;
            }
            started += usize::from(starts.out().is_some() && dut.high(start_ready));
            taken += usize::from(ours && beats.out().is_some() && dut.high(beat_ready));
            starts.step(dut.high(start_ready));
            beats.step(ours && dut.high(beat_ready));
            dut.tick()?;
            if self.chunks.is_empty() && beats.finished() && starts.finished() {
                quiet += 1;
                if quiet == QUIET {
                    return Ok(());
                }
            }
        }
        Err(BlockError::Limit { limit, state: format!("{} chunks are missing", self.chunks.len()) })
    }
}

/// The ports of a chunk; those that a geometry does not need are absent.
struct Outputs {
    always: [super::Pin; 8],
    dmin: Option<super::Pin>,
    block_first: Option<super::Pin>,
}

impl Outputs {
    fn find(dut: &Dut, config: &Config) -> Result<Outputs, BlockError> {
        let one = |name, present: bool| if present { dut.outputs([name]).map(|[pin]| Some(pin)) } else { Ok(None) };
        Ok(Outputs {
            always: dut.outputs(["w", "d", "block_last", "row_first", "row_last", "matrix_last", "tag", "x_addr"])?,
            dmin: one("dmin", act_buffer::has_minima(config))?,
            block_first: one("block_first", config.cycles_per_block() > 1)?,
        })
    }

    fn check(&self, dut: &Dut, chunk: &Chunk) -> Result<(), BlockError> {
        let [w, d, block_last, row_first, row_last, matrix_last, tag, x_addr] = self.always;
        dut.expect_bytes(w, &chunk.w)?;
        dut.expect_bytes(d, &chunk.d)?;
        self.dmin.map_or(Ok(()), |pin| dut.expect_bytes(pin, &chunk.dmin))?;
        self.block_first.map_or(Ok(()), |pin| dut.expect(pin, chunk.block_first.into()))?;
        dut.expect(block_last, chunk.block_last.into())?;
        dut.expect(row_first, chunk.row_first.into())?;
        dut.expect(row_last, chunk.row_last.into())?;
        dut.expect(matrix_last, chunk.matrix_last.into())?;
        dut.expect(tag, chunk.tag)?;
        dut.expect_bytes(x_addr, &pack(x_addr.width, [chunk.address]))
    }
}
