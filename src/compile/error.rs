// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a model cannot run on a configuration; each message says which setting would do.

use heddle_core::config::Format;
use heddle_core::format::layout::LayoutError;

use crate::model::gguf::GgufError;
use crate::model::llama::SpecError;

/// Why a model does not compile.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error(transparent)]
    Gguf(#[from] GgufError),
    #[error(
        "the model needs {need} bytes of device memory ({}), {} more than the {} of `{config}`; {}",
        mib(*need), mib(need - have), mib(*have), remedy("memory.size_mib", need.div_ceil(1 << 20), SIZE_MIB_MAX)
    )]
    Memory { need: u64, have: u64, config: String },
    #[error(
        "tensor `{tensor}` has rows of {blocks} blocks of 32, but the activation buffer of `{config}` holds {limit}; {}",
        remedy("activations.blocks", blocks.next_power_of_two() as u64, BLOCKS_MAX)
    )]
    LongRow { tensor: String, blocks: usize, limit: usize, config: String },
    #[error("tensor `{tensor}` has {rows} rows; a matrix on the accelerator has at most {limit}, use a model with a smaller vocabulary")]
    Rows { tensor: String, rows: usize, limit: usize },
    #[error(
        "tensor `{tensor}` is {}, which is not built into the hardware of `{config}` (built in: {}); \
         add it with `--set formats={},{}`, or quantise the model to a format that is",
        format.ggml_name(), ggml_names(built_in), names(built_in), format.name()
    )]
    Format { tensor: String, format: Format, built_in: Vec<Format>, config: String },
    #[error("tensor `{tensor}`: {source}; the model is damaged, quantise it again")]
    Weights { tensor: String, source: LayoutError },
    #[error("tensor `{tensor}`: value {index} of row {row} is {value}, which must be finite; the model is damaged, convert it again")]
    NotFinite { tensor: String, row: usize, index: usize, value: f32 },
    #[error(
        "tensor `{tensor}` has rows of {blocks} blocks, for which no layout is defined: {source}; \
         give the configuration other lanes or another port"
    )]
    Layout { tensor: String, blocks: usize, source: LayoutError },
    #[error(
        "`llama.attention.key_length` is {size}, for which no KV cache is defined (legal: up to 32, or a multiple of 32); \
         use a model with other heads"
    )]
    HeadSize { size: usize },
    #[error("the plan has fewer stages than the model; this is an error in the compiler, please report it")]
    Stages,
}

/// The limits of the settings that messages recommend.
const SIZE_MIB_MAX: u64 = 4095;
const BLOCKS_MAX: u64 = 1024;

fn remedy(key: &str, value: u64, max: u64) -> String {
    match value <= max {
        true => format!("build the hardware with `--set {key}={value}`"),
        false => format!("no setting of {key} is large enough (at most {max}), use a smaller model"),
    }
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

fn names(formats: &[Format]) -> String {
    formats.iter().map(|f| f.name()).collect::<Vec<_>>().join(",")
}

fn ggml_names(formats: &[Format]) -> String {
    formats.iter().map(|f| f.ggml_name()).collect::<Vec<_>>().join(", ")
}
