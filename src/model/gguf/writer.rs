// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writing small GGUF files: for tests, and for cutting tensors out of a model.

use super::{GgmlType, ValueType};

/// Collects metadata and tensors, then makes the bytes of a GGUF version 3 file.
///
/// It writes what it is told, legal or not, so that tests can make the files a reader must refuse.
#[derive(Clone, Debug)]
pub struct GgufWriter {
    pub version: u32,
    pub alignment: u64,
    entries: Vec<u8>,
    entry_count: u64,
    tensors: Vec<RawTensor>,
}

#[derive(Clone, Debug)]
struct RawTensor {
    name: String,
    dims: Vec<u64>,
    type_id: u32,
    offset: Option<u64>,
    data: Vec<u8>,
}

impl Default for GgufWriter {
    fn default() -> GgufWriter {
        GgufWriter::new()
    }
}

impl GgufWriter {
    pub fn new() -> GgufWriter {
        GgufWriter { version: 3, alignment: 32, entries: Vec::new(), entry_count: 0, tensors: Vec::new() }
    }

    /// A metadata value of type number `type_id` with the given bytes.
    pub fn raw(&mut self, key: &str, type_id: u32, value: &[u8]) -> &mut GgufWriter {
        put_string(&mut self.entries, key.as_bytes());
        self.entries.extend(type_id.to_le_bytes());
        self.entries.extend(value);
        self.entry_count += 1;
        self
    }

    pub fn u32(&mut self, key: &str, value: u32) -> &mut GgufWriter {
        self.raw(key, ValueType::U32 as u32, &value.to_le_bytes())
    }

    pub fn f32(&mut self, key: &str, value: f32) -> &mut GgufWriter {
        self.raw(key, ValueType::F32 as u32, &value.to_le_bytes())
    }

    pub fn bool(&mut self, key: &str, value: bool) -> &mut GgufWriter {
        self.raw(key, ValueType::Bool as u32, &[value.into()])
    }

    pub fn str(&mut self, key: &str, value: &str) -> &mut GgufWriter {
        let mut bytes = Vec::new();
        put_string(&mut bytes, value.as_bytes());
        self.raw(key, ValueType::String as u32, &bytes)
    }

    pub fn strings<S: AsRef<[u8]>>(&mut self, key: &str, values: &[S]) -> &mut GgufWriter {
        let mut bytes = array_head(ValueType::String, values.len());
        values.iter().for_each(|v| put_string(&mut bytes, v.as_ref()));
        self.raw(key, ValueType::Array as u32, &bytes)
    }

    pub fn f32s(&mut self, key: &str, values: &[f32]) -> &mut GgufWriter {
        let mut bytes = array_head(ValueType::F32, values.len());
        values.iter().for_each(|v| bytes.extend(v.to_le_bytes()));
        self.raw(key, ValueType::Array as u32, &bytes)
    }

    pub fn i32s(&mut self, key: &str, values: &[i32]) -> &mut GgufWriter {
        let mut bytes = array_head(ValueType::I32, values.len());
        values.iter().for_each(|v| bytes.extend(v.to_le_bytes()));
        self.raw(key, ValueType::Array as u32, &bytes)
    }

    /// A tensor placed after those before it. `dims` fastest-varying first; `data` whole blocks.
    pub fn tensor(&mut self, name: &str, dims: &[u64], ty: GgmlType, data: Vec<u8>) -> &mut GgufWriter {
        self.raw_tensor(name, dims, ty as u32, None, data)
    }

    /// A tensor with any type number, and an offset of its own if given.
    pub fn raw_tensor(&mut self, name: &str, dims: &[u64], type_id: u32, offset: Option<u64>, data: Vec<u8>) -> &mut GgufWriter {
        let (name, dims) = (name.to_string(), dims.to_vec());
        self.tensors.push(RawTensor { name, dims, type_id, offset, data });
        self
    }

    /// The bytes of the file.
    pub fn finish(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(self.version.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend(self.entry_count.to_le_bytes());
        out.extend(&self.entries);
        let mut data = Vec::new();
        for t in &self.tensors {
            put_string(&mut out, t.name.as_bytes());
            out.extend((t.dims.len() as u32).to_le_bytes());
            t.dims.iter().for_each(|d| out.extend(d.to_le_bytes()));
            out.extend(t.type_id.to_le_bytes());
            out.extend(t.offset.unwrap_or(data.len() as u64).to_le_bytes());
            data.extend(&t.data);
            pad(&mut data, self.alignment);
        }
        pad(&mut out, self.alignment);
        out.extend(data);
        out
    }
}

fn pad(bytes: &mut Vec<u8>, alignment: u64) {
    bytes.resize(bytes.len().next_multiple_of(alignment as usize), 0);
}

fn put_string(out: &mut Vec<u8>, text: &[u8]) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text);
}

fn array_head(ty: ValueType, len: usize) -> Vec<u8> {
    let mut bytes = (ty as u32).to_le_bytes().to_vec();
    bytes.extend((len as u64).to_le_bytes());
    bytes
}
