// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading GGUF files (versions 2 and 3, little-endian).
//!
//! The file is mapped, not loaded; metadata and tensors are views into it. Everything is checked when the file is
//! opened: what [`Gguf`] hands out afterwards lies within the file, and a count in the file never sizes an allocation.

mod cursor;
mod dequant;
mod error;
mod header;
mod types;
mod value;
mod writer;

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

pub use error::GgufError;
pub use header::TensorInfo;
pub use types::GgmlType;
pub use value::{Array, Value, ValueType};
pub use writer::GgufWriter;

/// Where the bytes of a file are.
enum Bytes {
    Mapped(memmap2::Mmap),
    Static(&'static [u8]),
    Owned(Vec<u8>),
}

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Mapped(map) => map,
            Bytes::Static(bytes) => bytes,
            Bytes::Owned(bytes) => bytes,
        }
    }
}

/// An open GGUF file.
pub struct Gguf {
    bytes: Bytes,
    header: header::Header,
    by_key: HashMap<String, usize>,
    by_name: HashMap<String, usize>,
}

/// A tensor: its directory entry and its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    pub name: &'a str,
    /// Sizes, fastest-varying first: a matrix of R rows of K weights is `[K, R]`.
    pub dims: &'a [u64],
    pub ty: GgmlType,
    /// Rows of whole blocks, `dims[1..]` outermost last.
    pub data: &'a [u8],
}

impl Gguf {
    /// Maps and checks the file at `path`. The file must not be changed while it is open.
    pub fn open(path: impl AsRef<Path>) -> Result<Gguf, GgufError> {
        let path = path.as_ref();
        let io = |source| GgufError::Io { path: path.to_path_buf(), source };
        let file = File::open(path).map_err(io)?;
        let about = file.metadata().map_err(io)?;
        if !about.is_file() {
            return Err(GgufError::NotAFile { path: path.to_path_buf() });
        }
        let bytes = if about.len() == 0 {
            Bytes::Static(&[]) // an empty file cannot be mapped everywhere
        } else {
            // SAFETY: the map is read-only; that nobody shortens or rewrites the file meanwhile is the documented
            // condition of this function, as for every reader that maps a model.
            Bytes::Mapped(unsafe { memmap2::Mmap::map(&file) }.map_err(io)?)
        };
        Gguf::check(bytes).map_err(|e| e.in_file(path))
    }

    /// Checks a file that is in memory.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Gguf, GgufError> {
        Gguf::check(Bytes::Owned(bytes))
    }

    /// Checks a file that is part of the program.
    pub fn from_static(bytes: &'static [u8]) -> Result<Gguf, GgufError> {
        Gguf::check(Bytes::Static(bytes))
    }

    fn check(bytes: Bytes) -> Result<Gguf, GgufError> {
        let header = header::read(&bytes)?;
        let index = |(i, name): (usize, &String)| (name.clone(), i);
        let by_key = header.entries.iter().map(|e| &e.key).enumerate().map(index).collect();
        let by_name = header.tensors.iter().map(|t| &t.name).enumerate().map(index).collect();
        Ok(Gguf { bytes, header, by_key, by_name })
    }

    /// The GGUF version: 2 or 3.
    pub fn version(&self) -> u32 {
        self.header.version
    }

    /// The whole file, for digests.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The metadata keys, in the order of the file.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.header.entries.iter().map(|e| e.key.as_str())
    }

    /// The metadata value at `key`.
    pub fn meta(&self, key: &str) -> Option<Value<'_>> {
        let entry = &self.header.entries[*self.by_key.get(key)?];
        value::decode(&mut cursor::Cursor::new(&self.bytes, entry.at), entry.ty).ok()
    }

    /// The tensors, in the order of the file.
    pub fn tensors(&self) -> impl Iterator<Item = Tensor<'_>> {
        self.header.tensors.iter().map(|t| self.view(t))
    }

    /// The tensor called `name`.
    pub fn tensor(&self, name: &str) -> Result<Tensor<'_>, GgufError> {
        self.find_tensor(name).ok_or_else(|| GgufError::MissingTensor { tensor: name.to_string() })
    }

    /// The tensor called `name`, if the file has it.
    pub fn find_tensor(&self, name: &str) -> Option<Tensor<'_>> {
        Some(self.view(&self.header.tensors[*self.by_name.get(name)?]))
    }

    fn view<'a>(&'a self, info: &'a TensorInfo) -> Tensor<'a> {
        let from = self.header.data_at + info.offset as usize; // within the file: checked on opening
        let data = &self.bytes[from..from + info.bytes as usize];
        Tensor { name: &info.name, dims: &info.dims, ty: info.ty, data }
    }
}

/// Typed metadata: an error names the key, what was found and what is needed.
impl Gguf {
    /// The unsigned integer at `key`, of any width.
    pub fn u64(&self, key: &str) -> Result<u64, GgufError> {
        self.typed(key, "an unsigned integer", |v| v.as_u64())
    }

    /// The unsigned integer at `key`, which must fit in 32 bits.
    pub fn u32(&self, key: &str) -> Result<u32, GgufError> {
        self.typed(key, "an unsigned integer of 32 bits", |v| v.as_u64()?.try_into().ok())
    }

    pub fn f32(&self, key: &str) -> Result<f32, GgufError> {
        self.typed(key, "a float", |v| v.as_f32())
    }

    pub fn bool(&self, key: &str) -> Result<bool, GgufError> {
        self.typed(key, "a bool", |v| v.as_bool())
    }

    pub fn str(&self, key: &str) -> Result<&str, GgufError> {
        self.typed(key, "a string of UTF-8", |v| v.as_str())
    }

    pub fn array(&self, key: &str) -> Result<Array<'_>, GgufError> {
        self.typed(key, "an array", |v| v.as_array())
    }

    /// `default` where the key is absent; an error where it is there with another type.
    pub fn u32_or(&self, key: &str, default: u32) -> Result<u32, GgufError> {
        if self.has(key) { self.u32(key) } else { Ok(default) }
    }

    /// As [`Gguf::u32_or`], for a float.
    pub fn f32_or(&self, key: &str, default: f32) -> Result<f32, GgufError> {
        if self.has(key) { self.f32(key) } else { Ok(default) }
    }

    /// As [`Gguf::u32_or`], for a bool.
    pub fn bool_or(&self, key: &str, default: bool) -> Result<bool, GgufError> {
        if self.has(key) { self.bool(key) } else { Ok(default) }
    }

    /// As [`Gguf::u32_or`], for a string.
    pub fn str_or<'a>(&'a self, key: &str, default: &'a str) -> Result<&'a str, GgufError> {
        if self.has(key) { self.str(key) } else { Ok(default) }
    }

    /// Whether there is a metadata value at `key`.
    pub fn has(&self, key: &str) -> bool {
        self.by_key.contains_key(key)
    }

    fn typed<'a, T>(&'a self, key: &str, wanted: &'static str, get: impl FnOnce(Value<'a>) -> Option<T>) -> Result<T, GgufError> {
        let key_owned = || key.to_string();
        let value = self.meta(key).ok_or_else(|| GgufError::MissingKey { key: key_owned() })?;
        get(value).ok_or_else(|| GgufError::WrongType { key: key_owned(), found: value.describe(), wanted })
    }
}

impl Tensor<'_> {
    /// Weights in a row.
    pub fn row_weights(&self) -> usize {
        self.dims[0] as usize
    }

    /// Rows: the product of all dimensions but the first.
    pub fn rows(&self) -> usize {
        self.dims[1..].iter().product::<u64>() as usize
    }
}
