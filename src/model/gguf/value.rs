// SPDX-License-Identifier: MIT OR Apache-2.0
//! Metadata values: views into the bytes of the file, checked once when the file is opened.

use std::fmt;

use super::{GgufError, cursor::Cursor};

/// Arrays may hold arrays to this depth.
pub(super) const MAX_NESTING: usize = 4;

/// The type of a metadata value; the numbers are those of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    U8 = 0,
    I8 = 1,
    U16 = 2,
    I16 = 3,
    U32 = 4,
    I32 = 5,
    F32 = 6,
    Bool = 7,
    String = 8,
    Array = 9,
    U64 = 10,
    I64 = 11,
    F64 = 12,
}

impl ValueType {
    /// The type with this number, if there is one.
    pub fn from_id(id: u32) -> Option<ValueType> {
        use ValueType::*;
        [U8, I8, U16, I16, U32, I32, F32, Bool, String, Array, U64, I64, F64].get(usize::try_from(id).ok()?).copied()
    }

    /// Bytes of a value, `None` for the types whose length varies.
    fn bytes(self) -> Option<u64> {
        use ValueType::*;
        match self {
            U8 | I8 | Bool => Some(1),
            U16 | I16 => Some(2),
            U32 | I32 | F32 => Some(4),
            U64 | I64 | F64 => Some(8),
            String | Array => None,
        }
    }
}

/// One metadata value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    U8(u8),
    I8(i8),
    U16(u16),
    I16(i16),
    U32(u32),
    I32(i32),
    U64(u64),
    I64(i64),
    F32(f32),
    F64(f64),
    Bool(bool),
    /// The bytes of a string; GGUF asks for UTF-8, old vocabularies do not always keep to it.
    String(&'a [u8]),
    Array(Array<'a>),
}

/// An array of values of one type, decoded as it is walked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Array<'a> {
    pub ty: ValueType,
    pub len: u64,
    bytes: &'a [u8],
}

impl<'a> Value<'a> {
    /// The value as an unsigned integer, if it is an integer and not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Value::U8(v) => Some(v.into()),
            Value::U16(v) => Some(v.into()),
            Value::U32(v) => Some(v.into()),
            Value::U64(v) => Some(v),
            Value::I8(v) => v.try_into().ok(),
            Value::I16(v) => v.try_into().ok(),
            Value::I32(v) => v.try_into().ok(),
            Value::I64(v) => v.try_into().ok(),
            _ => None,
        }
    }

    /// The value as a signed integer, if it is an integer in range.
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Value::I8(v) => Some(v.into()),
            Value::I16(v) => Some(v.into()),
            Value::I32(v) => Some(v.into()),
            Value::I64(v) => Some(v),
            _ => self.as_u64()?.try_into().ok(),
        }
    }

    /// The value as a float, if it is one.
    pub fn as_f32(&self) -> Option<f32> {
        match *self {
            Value::F32(v) => Some(v),
            Value::F64(v) => Some(v as f32),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match *self {
            Value::Bool(v) => Some(v),
            _ => None,
        }
    }

    /// The value as text, if it is a string of UTF-8.
    pub fn as_str(&self) -> Option<&'a str> {
        match *self {
            Value::String(v) => std::str::from_utf8(v).ok(),
            _ => None,
        }
    }

    pub fn as_array(&self) -> Option<Array<'a>> {
        match *self {
            Value::Array(v) => Some(v),
            _ => None,
        }
    }

    /// What the value is, in words, for error messages.
    pub(super) fn describe(&self) -> String {
        match self {
            Value::String(_) => "a string".to_string(),
            Value::Array(a) => format!("an array of {} x {:?}", a.len, a.ty),
            other => format!("{other}"),
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::U8(v) => write!(f, "{v}"),
            Value::I8(v) => write!(f, "{v}"),
            Value::U16(v) => write!(f, "{v}"),
            Value::I16(v) => write!(f, "{v}"),
            Value::U32(v) => write!(f, "{v}"),
            Value::I32(v) => write!(f, "{v}"),
            Value::U64(v) => write!(f, "{v}"),
            Value::I64(v) => write!(f, "{v}"),
            Value::F32(v) => write!(f, "{v}"),
            Value::F64(v) => write!(f, "{v}"),
            Value::Bool(v) => write!(f, "{v}"),
            Value::String(v) => f.write_str(&String::from_utf8_lossy(v)),
            Value::Array(v) => write!(f, "[{:?}; {}]", v.ty, v.len),
        }
    }
}

impl<'a> Array<'a> {
    /// The values in order.
    pub fn iter(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let ty = self.ty;
        let mut cursor = Cursor::new(self.bytes, 0);
        // The array was checked when the file was opened, so no value is lost here.
        (0..self.len).map_while(move |_| decode(&mut cursor, ty).ok())
    }

    /// The strings in order, if that is what the array holds.
    pub fn strings(&self) -> Option<impl Iterator<Item = &'a [u8]> + use<'a>> {
        (self.ty == ValueType::String).then(|| {
            self.iter().filter_map(|v| match v {
                Value::String(s) => Some(s),
                _ => None,
            })
        })
    }
}

/// Checks the value of type `ty` at the cursor and moves past it. Uses no memory.
pub(super) fn check(cursor: &mut Cursor<'_>, ty: ValueType, key: &str, depth: usize) -> Result<(), GgufError> {
    match ty {
        ValueType::String => cursor.string(key).map(drop),
        ValueType::Array => check_array(cursor, key, depth),
        ValueType::Bool => check_bools(cursor.take(1, key)?, key),
        _ => cursor.take(ty.bytes().unwrap_or(0), key).map(drop),
    }
}

fn check_array(cursor: &mut Cursor<'_>, key: &str, depth: usize) -> Result<(), GgufError> {
    if depth >= MAX_NESTING {
        return Err(GgufError::Nesting { key: key.to_string(), limit: MAX_NESTING });
    }
    let id = cursor.u32(key)?;
    let ty = ValueType::from_id(id).ok_or(GgufError::ValueType { key: key.to_string(), id })?;
    let len = cursor.u64(key)?;
    let Some(bytes) = ty.bytes() else {
        return (0..len).try_for_each(|_| check(cursor, ty, key, depth + 1));
    };
    let values = cursor.take(len.saturating_mul(bytes), key)?;
    if ty == ValueType::Bool { check_bools(values, key) } else { Ok(()) }
}

fn check_bools(bytes: &[u8], key: &str) -> Result<(), GgufError> {
    match bytes.iter().find(|&&b| b > 1) {
        Some(&found) => Err(GgufError::Bool { key: key.to_string(), found }),
        None => Ok(()),
    }
}

/// Reads the value of type `ty` at the cursor.
pub(super) fn decode<'a>(cursor: &mut Cursor<'a>, ty: ValueType) -> Result<Value<'a>, GgufError> {
    const WHAT: &str = "a metadata value";
    Ok(match ty {
        ValueType::U8 => Value::U8(cursor.take(1, WHAT)?[0]),
        ValueType::I8 => Value::I8(cursor.take(1, WHAT)?[0] as i8),
        ValueType::Bool => Value::Bool(cursor.take(1, WHAT)?[0] != 0),
        ValueType::U16 => Value::U16(u16_at(cursor)?),
        ValueType::I16 => Value::I16(u16_at(cursor)? as i16),
        ValueType::U32 => Value::U32(cursor.u32(WHAT)?),
        ValueType::I32 => Value::I32(cursor.u32(WHAT)? as i32),
        ValueType::F32 => Value::F32(f32::from_bits(cursor.u32(WHAT)?)),
        ValueType::U64 => Value::U64(cursor.u64(WHAT)?),
        ValueType::I64 => Value::I64(cursor.u64(WHAT)? as i64),
        ValueType::F64 => Value::F64(f64::from_bits(cursor.u64(WHAT)?)),
        ValueType::String => Value::String(cursor.string(WHAT)?),
        ValueType::Array => Value::Array(decode_array(cursor)?),
    })
}

fn u16_at(cursor: &mut Cursor<'_>) -> Result<u16, GgufError> {
    let b = cursor.take(2, "a metadata value")?;
    Ok(u16::from_le_bytes([b[0], b[1]]))
}

fn decode_array<'a>(cursor: &mut Cursor<'a>) -> Result<Array<'a>, GgufError> {
    const WHAT: &str = "a metadata array";
    let id = cursor.u32(WHAT)?;
    let ty = ValueType::from_id(id).ok_or_else(|| GgufError::ValueType { key: WHAT.to_string(), id })?;
    let len = cursor.u64(WHAT)?;
    let mut end = Cursor::new(cursor.rest(), 0);
    match ty.bytes() {
        Some(bytes) => drop(end.take(len.saturating_mul(bytes), WHAT)?),
        None => (0..len).try_for_each(|_| check(&mut end, ty, WHAT, 1))?,
    }
    let bytes = cursor.take(end.at() as u64, WHAT)?;
    Ok(Array { ty, len, bytes })
}
