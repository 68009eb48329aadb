// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading and checking everything ahead of the tensor data.

use std::collections::HashSet;

use super::{GgmlType, GgufError, ValueType, cursor::Cursor, value};

/// A metadata entry: where its value starts in the file.
pub(super) struct Entry {
    pub key: String,
    pub ty: ValueType,
    pub at: usize,
}

/// A tensor's entry in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    pub name: String,
    /// Sizes, fastest-varying first: a matrix of R rows of K weights is `[K, R]`.
    pub dims: Vec<u64>,
    pub ty: GgmlType,
    /// First byte, counted from the start of the data section.
    pub offset: u64,
    /// Bytes of data.
    pub bytes: u64,
}

pub(super) struct Header {
    pub version: u32,
    pub entries: Vec<Entry>,
    pub tensors: Vec<TensorInfo>,
    /// Where the data section starts in the file.
    pub data_at: usize,
}

/// Fewest bytes an entry can take: key length, one byte of key, type, one byte of value.
const LEAST_ENTRY: u64 = 8 + 1 + 4 + 1;
/// Fewest bytes a directory entry can take: name length, one byte, rank, one size, type, offset.
const LEAST_TENSOR: u64 = 8 + 1 + 4 + 8 + 4 + 8;

/// Reads the header of a whole file. Memory grows only with what was really read.
pub(super) fn read(bytes: &[u8]) -> Result<Header, GgufError> {
    let mut cursor = Cursor::new(bytes, 0);
    let version = magic_and_version(&mut cursor, bytes)?;
    let tensor_count = count(&mut cursor, bytes, "tensors", LEAST_TENSOR)?;
    let entry_count = count(&mut cursor, bytes, "metadata values", LEAST_ENTRY)?;

    let mut keys = HashSet::new();
    let mut entries = Vec::new();
    for _ in 0..entry_count {
        let entry = entry(&mut cursor)?;
        if !keys.insert(entry.key.clone()) {
            return Err(GgufError::DuplicateKey { key: entry.key });
        }
        entries.push(entry);
    }

    let alignment = alignment(bytes, &entries)?;
    let mut names = HashSet::new();
    let mut tensors = Vec::new();
    for _ in 0..tensor_count {
        let tensor = tensor(&mut cursor, alignment)?;
        if !names.insert(tensor.name.clone()) {
            return Err(GgufError::DuplicateTensor { tensor: tensor.name });
        }
        tensors.push(tensor);
    }

    let data_at = cursor.at().next_multiple_of(alignment as usize).min(bytes.len());
    check_places(&tensors, (bytes.len() - data_at) as u64, alignment)?;
    Ok(Header { version, entries, tensors, data_at })
}

fn magic_and_version(cursor: &mut Cursor<'_>, bytes: &[u8]) -> Result<u32, GgufError> {
    if !bytes.starts_with(b"GGUF") {
        return Err(GgufError::NotGguf { looks: looks_like(bytes) });
    }
    cursor.take(4, "the magic number")?;
    let version = cursor.u32("the version")?;
    match version {
        2 | 3 => Ok(version),
        v if v.swap_bytes() <= 0xffff && v > 0xffff => Err(GgufError::BigEndian),
        version => Err(GgufError::Version { version }),
    }
}

/// What a file that is no GGUF file seems to be, and what to do.
fn looks_like(bytes: &[u8]) -> String {
    let starts = |with: &[&[u8]]| with.iter().any(|w| bytes.starts_with(w));
    let text = if bytes.is_empty() {
        "is empty; fetch it again"
    } else if b"GGUF".starts_with(bytes) {
        "is cut short after its first bytes; fetch it again"
    } else if starts(&[b"version https://git-lfs"]) {
        "is a Git LFS pointer; run `git lfs pull` to get the model itself"
    } else if starts(&[b"<!DOCTYPE", b"<!doctype", b"<html", b"<HTML"]) {
        "is a web page; the download link was not the one of the file"
    } else if starts(&[b"PK\x03\x04"]) {
        "is a zip archive (or a PyTorch checkpoint); unpack it or convert it to GGUF"
    } else if starts(&[b"lmgg", b"fmgg", b"tjgg", b"algg"]) {
        "is in a format older than GGUF; convert the model again"
    } else if bytes.get(8) == Some(&b'{') {
        "seems to be safetensors; convert it with llama.cpp's `convert_hf_to_gguf.py`"
    } else {
        return format!("starts with bytes {:02x?} instead of \"GGUF\"; give a .gguf file", &bytes[..bytes.len().min(4)]);
    };
    text.to_string()
}

/// A count in the header, refused when the file is too short for so many items.
fn count(cursor: &mut Cursor<'_>, bytes: &[u8], what: &'static str, least: u64) -> Result<u64, GgufError> {
    let count = cursor.u64("the header")?;
    if count > cursor.left() / least {
        return Err(GgufError::Count { what, count, len: bytes.len() as u64 });
    }
    Ok(count)
}

fn entry(cursor: &mut Cursor<'_>) -> Result<Entry, GgufError> {
    let key = cursor.name("a metadata key", 65535, "1 to 65535")?.to_string();
    let id = cursor.u32(&key)?;
    let Some(ty) = ValueType::from_id(id) else {
        return Err(GgufError::ValueType { key, id });
    };
    let at = cursor.at();
    value::check(cursor, ty, &key, 0)?;
    Ok(Entry { key, ty, at })
}

fn alignment(bytes: &[u8], entries: &[Entry]) -> Result<u64, GgufError> {
    const KEY: &str = "general.alignment";
    let Some(entry) = entries.iter().find(|e| e.key == KEY) else {
        return Ok(32);
    };
    let value = value::decode(&mut Cursor::new(bytes, entry.at), entry.ty)?;
    let Some(found) = value.as_u64() else {
        return Err(GgufError::WrongType { key: KEY.to_string(), found: value.describe(), wanted: "an unsigned integer" });
    };
    if !found.is_power_of_two() || found > 1 << 20 {
        return Err(GgufError::Alignment { found });
    }
    Ok(found)
}

fn tensor(cursor: &mut Cursor<'_>, alignment: u64) -> Result<TensorInfo, GgufError> {
    let name = cursor.name("a tensor name", 64, "1 to 64")?.to_string();
    let rank = cursor.u32(&name)?;
    if !(1..=4).contains(&rank) {
        return Err(GgufError::Rank { tensor: name, found: rank });
    }
    let dims = (0..rank).map(|_| cursor.u64(&name)).collect::<Result<Vec<_>, _>>()?;
    let id = cursor.u32(&name)?;
    let Some(ty) = GgmlType::from_id(id) else {
        return Err(GgufError::TensorType { tensor: name, id });
    };
    let offset = cursor.u64(&name)?;
    if !offset.is_multiple_of(alignment) {
        return Err(GgufError::Misaligned { tensor: name, offset, alignment });
    }
    let bytes = tensor_bytes(&name, &dims, ty)?;
    Ok(TensorInfo { name, dims, ty, offset, bytes })
}

fn tensor_bytes(name: &str, dims: &[u64], ty: GgmlType) -> Result<u64, GgufError> {
    let bad = || GgufError::Dims { tensor: name.to_string(), dims: dims.to_vec() };
    if dims.contains(&0) {
        return Err(bad());
    }
    let row = dims[0];
    if !row.is_multiple_of(ty.block_weights()) {
        let block = ty.block_weights();
        return Err(GgufError::Row { tensor: name.to_string(), row, ty, block });
    }
    let row_bytes = ty.row_bytes(row).ok_or_else(bad)?;
    dims[1..].iter().try_fold(row_bytes, |n, &d| n.checked_mul(d)).ok_or_else(bad)
}

/// Every tensor lies inside the `len` bytes of data and overlaps no other; nothing but padding follows the last.
fn check_places(tensors: &[TensorInfo], len: u64, alignment: u64) -> Result<(), GgufError> {
    for t in tensors {
        let end = t.offset.saturating_add(t.bytes);
        if end > len {
            let tensor = t.name.clone();
            return Err(GgufError::PastEnd { tensor, offset: t.offset, end, len });
        }
    }
    let mut by_offset: Vec<&TensorInfo> = tensors.iter().collect();
    by_offset.sort_by_key(|t| t.offset);
    for pair in by_offset.windows(2) {
        if pair[0].offset + pair[0].bytes > pair[1].offset {
            let (first, second) = (pair[0].name.clone(), pair[1].name.clone());
            return Err(GgufError::Overlap { first, second });
        }
    }
    let end = by_offset.last().map_or(0, |t| t.offset + t.bytes);
    if len - end > alignment {
        return Err(GgufError::Oversized { end, len });
    }
    Ok(())
}
