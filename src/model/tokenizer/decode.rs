// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tokens back to text, as they come: a character is shown when all of its bytes are there.

use super::{Kind, Tokenizer, bpe::char_byte, spm, vocab::TokenKind};

/// Turns a stream of tokens into text. Made by [`Tokenizer::decoder`].
pub struct Decoder<'a> {
    tokenizer: &'a Tokenizer,
    /// Bytes of a character that is not whole yet: at most 3 between calls.
    pending: Vec<u8>,
    strip_space: bool,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(tokenizer: &'a Tokenizer, strip_space: bool) -> Decoder<'a> {
        Decoder { tokenizer, pending: Vec::new(), strip_space }
    }

    /// The text that token `id` completes; empty for control tokens, ids out of range and parts of a character.
    /// Bytes that cannot be UTF-8 come out as U+FFFD.
    pub fn push(&mut self, id: u32) -> String {
        let mut piece = self.tokenizer.piece(id);
        if self.strip_space && !piece.is_empty() {
            self.strip_space = false;
            if piece[0] == b' ' {
                piece.remove(0);
            }
        }
        self.pending.extend(piece);
        let mut out = String::new();
        let whole = take_text(&self.pending, &mut out);
        self.pending.drain(..whole);
        out
    }

    /// What is left at the end: U+FFFD if the last character never became whole.
    pub fn finish(self) -> String {
        String::from_utf8_lossy(&self.pending).into_owned()
    }
}

/// Appends the text at the front of `bytes`, up to a character that may still become whole; returns its length.
fn take_text(bytes: &[u8], out: &mut String) -> usize {
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        at += chunk.valid().len();
        let bad = chunk.invalid();
        let last = at + bad.len() == bytes.len();
        if bad.is_empty() || (last && may_continue(bad)) {
            return at;
        }
        out.push(char::REPLACEMENT_CHARACTER);
        at += bad.len();
    }
    at
}

/// Whether `bytes` is the beginning of a character, by the error that the standard library reports.
fn may_continue(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|e| e.valid_up_to() == 0 && e.error_len().is_none())
}

impl Tokenizer {
    /// The bytes of token `id` as text; empty for control and unknown tokens and ids out of range.
    pub fn piece(&self, id: u32) -> Vec<u8> {
        let Some(text) = self.vocab.tokens.get(id as usize) else {
            return Vec::new();
        };
        match (self.vocab.kinds[id as usize], &self.kind) {
            (TokenKind::Control | TokenKind::Unknown | TokenKind::Unused, _) => Vec::new(),
            (TokenKind::UserDefined, _) => text.clone(),
            (TokenKind::Byte, _) => byte_of(text).map_or_else(|| text.clone(), |b| vec![b]),
            (TokenKind::Normal, Kind::Spm(_)) => spaces(text),
            (TokenKind::Normal, Kind::Bpe(_)) => bytes_of(text),
        }
    }
}

/// The byte of a token such as `<0x0A>`.
fn byte_of(text: &[u8]) -> Option<u8> {
    let hex = text.strip_prefix(b"<0x")?.strip_suffix(b">")?;
    u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
}

/// SPM text with its marks turned into spaces.
fn spaces(text: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(text) {
        Ok(text) => text.replace(spm::SPACE, " ").into_bytes(),
        Err(_) => text.to_vec(),
    }
}

/// Byte-level text as the bytes it stands for; characters that stand for none are kept.
fn bytes_of(text: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(text) else {
        return text.to_vec();
    };
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        match char_byte(c) {
            Some(b) => out.push(b),
            None => out.extend(c.to_string().as_bytes()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::take_text;

    fn take(bytes: &[u8]) -> (String, usize) {
        let mut out = String::new();
        let taken = take_text(bytes, &mut out);
        (out, taken)
    }

    #[test]
    fn a_character_waits_for_its_last_byte() {
        assert_eq!(take("né".as_bytes()), ("né".to_string(), 3));
        assert_eq!(take(&[b'n', 0xc3]), ("n".to_string(), 1));
        assert_eq!(take(&[0xf0, 0x9f, 0x98]), (String::new(), 0));
    }

    #[test]
    fn bytes_that_cannot_be_text_are_replaced_at_once() {
        assert_eq!(take(&[0xff, b'a']), ("\u{fffd}a".to_string(), 2));
        assert_eq!(take(&[0xf0, 0x9f, b'a', 0xc3]), ("\u{fffd}a".to_string(), 3));
        assert_eq!(take(&[0xc0]), ("\u{fffd}".to_string(), 1));
    }
}
