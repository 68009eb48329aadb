// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can be wrong with a GGUF file; each message says what to do about it.

use std::path::PathBuf;

use super::GgmlType;

/// Why a file was not read. Offsets and sizes are bytes from the start of the file.
#[derive(Debug, thiserror::Error)]
pub enum GgufError {
    #[error("cannot read `{}`: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("`{}` is not a regular file; give the path of a .gguf file", path.display())]
    NotAFile { path: PathBuf },
    /// Any of the others, with the file that it is about.
    #[error("`{}`: {source}", path.display())]
    In { path: PathBuf, source: Box<GgufError> },

    #[error("not a GGUF file: it {looks}")]
    NotGguf { looks: String },
    #[error("GGUF version {version} is not supported (2 and 3 are); convert the model again with a current converter")]
    Version { version: u32 },
    #[error("the file is big-endian; only little-endian GGUF is supported, convert it with `gguf_convert_endian.py`")]
    BigEndian,

    #[error(
        "the file ends inside {what}: {need} bytes are needed at offset {offset}, the file has {len} bytes; \
         it is cut short or damaged, fetch it again"
    )]
    Truncated { what: String, offset: u64, need: u64, len: u64 },
    #[error("the header says {count} {what}, which cannot fit in the {len} bytes of the file; it is cut short or damaged, fetch it again")]
    Count { what: &'static str, count: u64, len: u64 },
    #[error("{what} at offset {offset} is {found} bytes long (legal: {legal}); the file is damaged, fetch it again")]
    Length { what: &'static str, offset: u64, found: u64, legal: &'static str },
    #[error("{what} at offset {offset} is not UTF-8; the file is damaged, fetch it again")]
    NotUtf8 { what: &'static str, offset: u64 },
    #[error("metadata value `{key}` has type number {id} (legal: 0 to 12); the file is damaged or newer than this reader")]
    ValueType { key: String, id: u32 },
    #[error("metadata value `{key}` nests arrays more than {limit} deep; the file is hostile or damaged")]
    Nesting { key: String, limit: usize },
    #[error("metadata value `{key}` has a bool of value {found} (legal: 0 and 1); the file is damaged, fetch it again")]
    Bool { key: String, found: u8 },
    #[error("metadata key `{key}` appears twice; convert the model again")]
    DuplicateKey { key: String },
    #[error("`general.alignment` is {found} (legal: a power of two, 1 to 1048576); convert the model again")]
    Alignment { found: u64 },

    #[error("tensor `{tensor}` appears twice; convert the model again")]
    DuplicateTensor { tensor: String },
    #[error("tensor `{tensor}` has {found} dimensions (legal: 1 to 4); the file is damaged, fetch it again")]
    Rank { tensor: String, found: u32 },
    #[error("tensor `{tensor}` has shape {dims:?}: a dimension is 0 or the size overflows; convert the model again")]
    Dims { tensor: String, dims: Vec<u64> },
    #[error(
        "tensor `{tensor}` has type number {id}, which is not a known ggml type; quantise the model again, \
         for example to Q8_0 or Q4_0"
    )]
    TensorType { tensor: String, id: u32 },
    #[error(
        "tensor `{tensor}` has rows of {row} weights, which is not a multiple of the {block} weights in a {ty} block; \
         quantise the model again"
    )]
    Row { tensor: String, row: u64, ty: GgmlType, block: u64 },
    #[error("tensor `{tensor}` starts at {offset}, which is not a multiple of the alignment {alignment}; convert the model again")]
    Misaligned { tensor: String, offset: u64, alignment: u64 },
    #[error(
        "tensor `{tensor}` takes bytes {offset} to {end} of a data section of {len} bytes; \
         the file is cut short or damaged, fetch it again"
    )]
    PastEnd { tensor: String, offset: u64, end: u64, len: u64 },
    #[error(
        "the last tensor ends at byte {end} of a data section of {len} bytes; something else was appended to the \
         file, or its header is damaged: fetch it again"
    )]
    Oversized { end: u64, len: u64 },
    #[error("tensors `{first}` and `{second}` overlap in the file; convert the model again")]
    Overlap { first: String, second: String },

    #[error("metadata value `{key}` is missing; convert the model again with a current converter")]
    MissingKey { key: String },
    #[error("metadata value `{key}` is {found}, but {wanted} is needed; convert the model again")]
    WrongType { key: String, found: String, wanted: &'static str },
    #[error("tensor `{tensor}` is missing; the file is not a whole model, or a part of a split one (merge it first)")]
    MissingTensor { tensor: String },
}

impl GgufError {
    pub(super) fn in_file(self, path: &std::path::Path) -> GgufError {
        GgufError::In { path: path.to_path_buf(), source: Box::new(self) }
    }
}
