// SPDX-License-Identifier: MIT OR Apache-2.0
//! A bounds-checked reader over the bytes of a file.

use super::GgufError;

/// Reads little-endian values from `bytes`, never past their end.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8], at: usize) -> Cursor<'a> {
        Cursor { bytes, at }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    pub fn left(&self) -> u64 {
        self.bytes.len().saturating_sub(self.at) as u64
    }

    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or(&[])
    }

    /// The next `n` bytes; `what` names them in the error.
    pub fn take(&mut self, n: u64, what: &str) -> Result<&'a [u8], GgufError> {
        if n > self.left() {
            return Err(GgufError::Truncated { what: what.to_string(), offset: self.at as u64, need: n, len: self.bytes.len() as u64 });
        }
        let end = self.at + n as usize; // n <= left, so this fits
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    pub fn u32(&mut self, what: &str) -> Result<u32, GgufError> {
        let b = self.take(4, what)?;
        Ok(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }

    pub fn u64(&mut self, what: &str) -> Result<u64, GgufError> {
        let low = self.u32(what)?;
        let high = self.u32(what)?;
        Ok(u64::from(high) << 32 | u64::from(low))
    }

    /// A string: its length as u64, then that many bytes.
    pub fn string(&mut self, what: &str) -> Result<&'a [u8], GgufError> {
        let n = self.u64(what)?;
        self.take(n, what)
    }

    /// A name: a string of 1 to `max` bytes of UTF-8 (`legal` says so in words).
    pub fn name(&mut self, what: &'static str, max: u64, legal: &'static str) -> Result<&'a str, GgufError> {
        let offset = self.at as u64;
        let n = self.u64(what)?;
        if n == 0 || n > max {
            return Err(GgufError::Length { what, offset, found: n, legal });
        }
        let bytes = self.take(n, what)?;
        std::str::from_utf8(bytes).map_err(|_| GgufError::NotUtf8 { what, offset })
    }
}
