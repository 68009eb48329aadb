// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stages: matrices that the device multiplies in one run, all with the same activations.
//!
//! A stage has one program for each number of columns, so that the host writes activations, starts a program and
//! reads results; descriptors are never written while the model runs. With a DVFS unit there is one more, which tells
//! it that this is decode and not prefill.

use heddle_core::config::{Config, Format};
use heddle_core::descriptor::{Descriptor, Matmul, Phase, ROWS_MAX, program_bytes};
use heddle_core::format::layout::LayoutError;
use heddle_core::format::region::{ActivationLayout, result_bytes};

use super::CompileError;
use super::layer::{Mark, marks};
use super::map::{Matrix, MemoryMap};
use crate::model::gguf::Gguf;
use crate::model::llama::{ModelSpec, SpecError};

/// Matrices that share their activations.
#[derive(Clone, Debug)]
pub struct Stage {
    /// For 1, 2, .. columns.
    pub programs: Vec<Program>,
    /// For the one column of decode, where that is told apart.
    pub decode: Option<Program>,
    /// Where the activations go, and how they lie there.
    pub activations: u32,
    pub layout: ActivationLayout,
    /// One for each matrix.
    pub outputs: Vec<Output>,
}

/// A program in the device's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    pub address: u32,
    /// Beats of the memory port that a run moves at least: tells when it takes too long.
    pub beats: u64,
}

/// Results of one matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    pub address: u32,
    pub rows: usize,
}

/// Everything about the device but the weights themselves.
pub(super) struct Plan {
    pub map: MemoryMap,
    pub stages: Vec<Stage>,
    pub programs: Vec<u8>,
}

/// Matrices of one layer that share activations: q k v, output, gate up, down.
const LAYER_STAGES: [usize; 4] = [3, 1, 2, 1];

impl Plan {
    pub fn new(gguf: &Gguf, spec: &ModelSpec, config: &Config) -> Result<Plan, CompileError> {
        let matrices = matrices(gguf, spec, config)?;
        let columns = config.array.columns as usize;
        let mut sizes = LAYER_STAGES.repeat(spec.layers);
        sizes.push(1);
        let layouts: Vec<ActivationLayout> = split(&matrices, &sizes).map(|m| layout(m, config)).collect::<Result<_, _>>()?;
        let beats: Vec<u64> = split(&matrices, &sizes).map(|m| m.iter().map(|m| m.beats as u64).sum()).collect();
        let marks = marks(config, &beats);
        // As long as they will be: addresses do not change their length.
        let mut programs = Vec::new();
        let unplaced = MemoryMap::default();
        for ((matrices, layout), mark) in split(&matrices, &sizes).zip(&layouts).zip(&marks) {
            stage(matrices, *layout, &unplaced, columns, *mark, &mut programs);
        }
        let program_bytes = programs.len();
        let activation_bytes = columns * layouts.iter().map(ActivationLayout::column_bytes).max().unwrap_or(0);
        let results = split(&matrices, &sizes).map(|m| result_offsets(m, columns).1).max().unwrap_or(0);
        let map = MemoryMap::new(config, program_bytes, activation_bytes, results, matrices)?;
        let (mut stages, mut programs) = (Vec::new(), Vec::new());
        for ((matrices, layout), mark) in split(&map.matrices, &sizes).zip(layouts).zip(marks) {
            stages.push(stage(matrices, layout, &map, columns, mark, &mut programs));
        }
        Ok(Plan { stages, programs, map })
    }
}

fn matrices(gguf: &Gguf, spec: &ModelSpec, config: &Config) -> Result<Vec<Matrix>, CompileError> {
    spec.matrices().into_iter().map(|(tensor, rows, row)| matrix(gguf, tensor, rows, row / 32, config)).collect()
}

fn matrix(gguf: &Gguf, tensor: String, rows: usize, blocks: usize, config: &Config) -> Result<Matrix, CompileError> {
    let ty = gguf.tensor(&tensor)?.ty;
    let Some(format) = Format::from_ggml_type(ty as u32) else {
        let supported = crate::model::llama::MATRIX_TYPES.to_vec();
        return Err(SpecError::TensorType { tensor, found: ty, supported }.into());
    };
    let name = || config.name.clone();
    if !config.formats.contains(&format) {
        return Err(CompileError::Format { tensor, format, built_in: config.formats.clone(), config: name() });
    }
    let limit = config.activations.blocks as usize;
    if config.padded_blocks(blocks as u32) as usize > limit {
        return Err(CompileError::LongRow { tensor, blocks, limit, config: name() });
    }
    if rows > ROWS_MAX as usize {
        return Err(CompileError::Rows { tensor, rows, limit: ROWS_MAX as usize });
    }
    let unplaced = Matrix::unplaced(tensor.clone(), format, rows, blocks, config);
    unplaced.map_err(|source| CompileError::Layout { tensor, blocks, source })
}

/// Cuts `all` into runs of these lengths.
fn split<'a>(mut all: &'a [Matrix], sizes: &'a [usize]) -> impl Iterator<Item = &'a [Matrix]> {
    sizes.iter().map(move |&n| {
        let (stage, rest) = all.split_at(n.min(all.len()));
        all = rest;
        stage
    })
}

fn layout(matrices: &[Matrix], config: &Config) -> Result<ActivationLayout, CompileError> {
    let Some(first) = matrices.first() else { return Err(CompileError::Stages) };
    let layout: Result<_, LayoutError> = ActivationLayout::new(first.blocks, config.array.lanes as usize, config.memory.port_bits as usize);
    layout.map_err(|source| CompileError::Layout { tensor: first.tensor.clone(), blocks: first.blocks, source })
}

/// Offsets of the results of each matrix within the result region, and their end.
fn result_offsets(matrices: &[Matrix], columns: usize) -> (Vec<usize>, usize) {
    let mut end = 0;
    let offsets = matrices.iter().map(|m| {
        let offset = end;
        end += result_bytes(m.rows, columns).next_multiple_of(64);
        offset
    });
    (offsets.collect(), end)
}

fn stage(
    matrices: &[Matrix],
    layout: ActivationLayout,
    map: &MemoryMap,
    columns: usize,
    mark: Option<Mark>,
    programs: &mut Vec<u8>,
) -> Stage {
    let offsets = result_offsets(matrices, columns).0;
    let outputs: Vec<Output> =
        matrices.iter().zip(offsets).map(|(m, at)| Output { address: map.results + at as u32, rows: m.rows }).collect();
    let mut stage = Stage { programs: Vec::new(), decode: None, activations: map.activations, layout, outputs };
    let mut place = |stage: &Stage, columns: usize, phase: Phase| {
        let descriptors = descriptors(matrices, stage, columns, mark.map(|mark| mark.around(phase)));
        let weights: usize = matrices.iter().map(|m| m.beats).sum();
        let results: usize = matrices.iter().map(|m| m.rows * columns).sum();
        let beats = weights + columns * layout.column_beats() + results;
        let program = Program { address: programs.len() as u32, beats: beats as u64 };
        programs.extend(program_bytes(&descriptors));
        program
    };
    for columns in 1..=columns {
        let program = place(&stage, columns, Phase::Prefill);
        stage.programs.push(program);
    }
    stage.decode = mark.map(|_| place(&stage, 1, Phase::Decode));
    stage
}

/// `layers`: what the DVFS unit is told before and after the matrices.
fn descriptors(matrices: &[Matrix], stage: &Stage, columns: usize, layers: Option<(Descriptor, Vec<Descriptor>)>) -> Vec<Descriptor> {
    let (before, after) = layers.map_or((None, vec![]), |(before, after)| (Some(before), after));
    let mut program: Vec<Descriptor> = before.into_iter().collect();
    for (i, (m, output)) in matrices.iter().zip(&stage.outputs).enumerate() {
        program.push(Descriptor::Matmul(Matmul {
            format: m.format,
            reuse_act: i > 0,
            columns: columns as u8,
            rows: m.rows as u32,
            blocks: stage.layout.blocks() as u32,
            weights: m.address,
            activations: stage.activations,
            results: output.address,
            tag: i as u16,
        }));
    }
    program.extend(after);
    program.push(Descriptor::End { tag: 0 });
    program
}

impl Stage {
    /// The program for so many columns.
    pub fn program(&self, columns: usize, phase: Phase) -> Option<&Program> {
        match (phase, &self.decode) {
            (Phase::Decode, Some(decode)) if columns == 1 => Some(decode),
            _ => self.programs.get(columns.checked_sub(1)?),
        }
    }
}
