// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stages: matrices that the device multiplies in one run, all with the same activations.
//!
//! A stage has one program for each number of columns, so that the host writes activations, starts a program and
//! reads results; descriptors are never written while the model runs.

use heddle_core::config::{Config, Format};
use heddle_core::descriptor::{BYTES, Descriptor, Matmul, ROWS_MAX, program_bytes};
use heddle_core::format::layout::LayoutError;
use heddle_core::format::region::{ActivationLayout, result_bytes};

use super::CompileError;
use super::map::{Matrix, MemoryMap};
use crate::model::gguf::Gguf;
use crate::model::llama::{ModelSpec, SpecError};

/// Matrices that share their activations.
#[derive(Clone, Debug)]
pub struct Stage {
    /// For 1, 2, .. columns.
    pub programs: Vec<Program>,
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
        let program_bytes = sizes.iter().map(|n| columns * (n + 1) * BYTES as usize).sum();
        let activation_bytes = columns * layouts.iter().map(ActivationLayout::column_bytes).max().unwrap_or(0);
        let results = split(&matrices, &sizes).map(|m| result_offsets(m, columns).1).max().unwrap_or(0);
        let map = MemoryMap::new(config, program_bytes, activation_bytes, results, matrices)?;
        let (mut stages, mut programs) = (Vec::new(), Vec::new());
        for (matrices, layout) in split(&map.matrices, &sizes).zip(layouts) {
            stages.push(stage(matrices, layout, &map, columns, &mut programs));
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

fn stage(matrices: &[Matrix], layout: ActivationLayout, map: &MemoryMap, columns: usize, programs: &mut Vec<u8>) -> Stage {
    let offsets = result_offsets(matrices, columns).0;
    let outputs: Vec<Output> =
        matrices.iter().zip(offsets).map(|(m, at)| Output { address: map.results + at as u32, rows: m.rows }).collect();
    let mut stage = Stage { programs: Vec::new(), activations: map.activations, layout, outputs };
    for columns in 1..=columns {
        let descriptors = descriptors(matrices, &stage, columns);
        let weights: usize = matrices.iter().map(|m| m.beats).sum();
        let results: usize = matrices.iter().map(|m| m.rows * columns).sum();
        let beats = weights + columns * layout.column_beats() + results;
        stage.programs.push(Program { address: programs.len() as u32, beats: beats as u64 });
        programs.extend(program_bytes(&descriptors));
    }
    stage
}

fn descriptors(matrices: &[Matrix], stage: &Stage, columns: usize) -> Vec<Descriptor> {
    let mut program = Vec::with_capacity(matrices.len() + 1);
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
    program.push(Descriptor::End { tag: 0 });
    program
}
