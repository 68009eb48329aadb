// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a model and a configuration to what the device needs and what the host keeps.
//!
//! The device gets an [`Image`]: programs, room for activations and results, and every matrix in the layout of the
//! memory port. The host keeps a [`Model`]: the addresses of all that, and the parts of the network that it computes
//! itself (norms, embedding, the RoPE table), already in f24.

mod error;
mod host;
pub mod layer;
mod map;
mod stage;

use std::sync::Arc;

use heddle_core::config::Config;
use heddle_core::format::layout::relayout;
use heddle_core::numerics::F24;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::model::gguf::Gguf;
use crate::model::llama::ModelSpec;

pub use error::CompileError;
pub use host::{CONTEXT_MAX, Embedding, Rope};
pub use map::{Matrix, MemoryMap};
pub use stage::{Output, Program, Stage};

/// A model, ready to run on the hardware of one configuration.
pub struct Compiled {
    pub image: Image,
    pub model: Model,
}

/// The content of the device's memory from address 0 on.
pub struct Image {
    pub memory: Vec<u8>,
    /// SHA-256 of `memory`.
    pub digest: [u8; 32],
    pub map: MemoryMap,
}

/// What the host keeps of a model.
#[derive(Clone)]
pub struct Model {
    pub config: Config,
    pub spec: ModelSpec,
    /// Most positions of a sequence: the model's context, at most [`CONTEXT_MAX`].
    pub context: usize,
    pub embedding: Embedding,
    pub layers: Vec<Layer>,
    pub output_norm: Vec<F24>,
    /// The output matrix.
    pub logits: Stage,
    pub rope: Rope,
}

/// One layer: its norms, and its matrices as runs of the device.
#[derive(Clone)]
pub struct Layer {
    pub attn_norm: Vec<F24>,
    /// Query, key and value matrices, on the same activations.
    pub qkv: Stage,
    pub attn_output: Stage,
    pub ffn_norm: Vec<F24>,
    /// Gate and up matrices, on the same activations.
    pub gate_up: Stage,
    pub down: Stage,
}

/// Compiles `gguf` for the hardware of `config`, which is valid.
///
/// Errors name the tensor or the setting: a model that does not fit the memory or the activation buffer, a format
/// that is not built in, rows that are not whole blocks, scales that are not finite.
pub fn compile(gguf: &Arc<Gguf>, config: &Config) -> Result<Compiled, CompileError> {
    let spec = ModelSpec::from_gguf(gguf)?;
    spec.require_accelerated(gguf)?;
    host::check_head_size(&spec)?;
    let plan = stage::Plan::new(gguf, &spec, config)?;
    let map = &plan.map;
    let mut memory = vec![0; map.bytes()];
    memory[..plan.programs.len()].copy_from_slice(&plan.programs);
    let images: Vec<Vec<u8>> = map.matrices.par_iter().map(|m| weights(gguf, m, config)).collect::<Result<_, _>>()?;
    for (matrix, image) in map.matrices.iter().zip(images) {
        memory[matrix.address as usize..][..image.len()].copy_from_slice(&image);
    }
    let digest = Sha256::digest(&memory).into();
    let model = model(gguf, spec, config, plan.stages)?;
    Ok(Compiled { image: Image { memory, digest, map: plan.map }, model })
}

fn weights(gguf: &Gguf, m: &Matrix, config: &Config) -> Result<Vec<u8>, CompileError> {
    let tensor = gguf.tensor(&m.tensor)?;
    let (lanes, port_bits) = (config.array.lanes as usize, config.memory.port_bits as usize);
    relayout(m.format, tensor.data, m.rows, m.blocks, lanes, port_bits)
        .map_err(|source| CompileError::Weights { tensor: m.tensor.clone(), source })
}

fn model(gguf: &Arc<Gguf>, spec: ModelSpec, config: &Config, stages: Vec<Stage>) -> Result<Model, CompileError> {
    let context = spec.context.min(CONTEXT_MAX);
    let mut stages = stages.into_iter();
    let mut next = || stages.next().ok_or(CompileError::Stages);
    let mut layers = Vec::with_capacity(spec.layers);
    for names in &spec.layer {
        layers.push(Layer {
            attn_norm: host::vector(gguf, &names.attn_norm)?,
            qkv: next()?,
            attn_output: next()?,
            ffn_norm: host::vector(gguf, &names.ffn_norm)?,
            gate_up: next()?,
            down: next()?,
        });
    }
    Ok(Model {
        config: config.clone(),
        context,
        embedding: Embedding::new(gguf, &spec)?,
        layers,
        output_norm: host::vector(gguf, &spec.output_norm)?,
        logits: next()?,
        rope: Rope::new(&spec, context),
        spec,
    })
}

impl Image {
    /// [`Image::digest`] in hexadecimal.
    pub fn digest_hex(&self) -> String {
        self.digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
