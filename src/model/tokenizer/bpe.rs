// SPDX-License-Identifier: MIT OR Apache-2.0
//! Byte-level BPE (GPT-2): bytes become printable characters, words merge by a ranked list of pairs.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::{TokenizerError, merge::merge_all, split::Splitter, vocab::Vocab, vocab::strings};
use crate::model::gguf::Gguf;

pub(super) struct Bpe {
    splitter: Splitter,
    /// (left, right) to (place in the list of merges, what they make). Symbols are token ids; those from the
    /// vocabulary's size on are texts that occur only in merges.
    merges: HashMap<(u32, u32), (u32, u32)>,
    /// The symbol of each byte.
    bytes: Vec<u32>,
    /// Texts of the symbols that are no tokens.
    extra: Vec<Vec<u8>>,
}

impl Bpe {
    pub fn read(gguf: &Gguf, vocab: &Vocab) -> Result<Bpe, TokenizerError> {
        let splitter = Splitter::named(gguf.str("tokenizer.ggml.pre")?)?;
        let mut symbols = Symbols { vocab, ids: HashMap::new(), extra: Vec::new() };
        let bytes = (0..=255).map(|b| symbols.id(byte_char(b).to_string().as_bytes())).collect();
        let mut merges = HashMap::new();
        for (place, line) in (0..).zip(strings(gguf, "tokenizer.ggml.merges")?) {
            let (left, right) =
                halves(&line).ok_or_else(|| TokenizerError::Merge { place, found: String::from_utf8_lossy(&line).into_owned() })?;
            let made = symbols.id(&[left, right].concat());
            let pair = (symbols.id(left), symbols.id(right));
            merges.entry(pair).or_insert((place, made));
        }
        Ok(Bpe { splitter, merges, bytes, extra: symbols.extra })
    }

    /// Appends the tokens of `text`.
    pub fn encode(&self, vocab: &Vocab, text: &str, out: &mut Vec<u32>) {
        let pair = |a: u32, b: u32| {
            let &(place, made) = self.merges.get(&(a, b))?;
            Some((Reverse(place), made))
        };
        self.splitter.split(text, &mut |word| {
            let symbols = word.bytes().map(|b| self.bytes[usize::from(b)]).collect();
            for symbol in merge_all(symbols, pair) {
                self.emit(vocab, symbol, out);
            }
        });
    }

    /// A symbol that is no token is spelled in the tokens of its bytes, where there are any.
    fn emit(&self, vocab: &Vocab, symbol: u32, out: &mut Vec<u32>) {
        let Some(extra) = (symbol as usize).checked_sub(vocab.tokens.len()) else {
            out.push(symbol);
            return;
        };
        let text = String::from_utf8_lossy(&self.extra[extra]);
        for c in text.chars() {
            out.extend(vocab.id(c.to_string().as_bytes()).or(vocab.unknown));
        }
    }
}

/// Gives every text a number: its token id, or one past the vocabulary.
struct Symbols<'a> {
    vocab: &'a Vocab,
    ids: HashMap<Vec<u8>, u32>,
    extra: Vec<Vec<u8>>,
}

impl Symbols<'_> {
    fn id(&mut self, text: &[u8]) -> u32 {
        if let Some(id) = self.vocab.id(text) {
            return id;
        }
        let next = (self.vocab.tokens.len() + self.extra.len()) as u32;
        *self.ids.entry(text.to_vec()).or_insert_with(|| {
            self.extra.push(text.to_vec());
            next
        })
    }
}

/// The two sides of a merge: split at the first space that is not the first byte.
fn halves(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = 1 + line.iter().skip(1).position(|&b| b == b' ')?;
    let (left, right) = (&line[..at], &line[at + 1..]);
    (!right.is_empty()).then_some((left, right))
}

/// The printable character that stands for a byte in GPT-2's vocabularies.
pub(super) fn byte_char(b: u8) -> char {
    let printable = |b: u8| matches!(b, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    if printable(b) {
        return char::from(b);
    }
    let place = (0..b).filter(|&b| !printable(b)).count() as u32;
    char::from_u32(256 + place).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The byte that a character of such a vocabulary stands for.
pub(super) fn char_byte(c: char) -> Option<u8> {
    let code = u32::from(c);
    if code < 256 {
        return (byte_char(code as u8) == c).then_some(code as u8);
    }
    // The 68 bytes that are not printable themselves, in order.
    let place = usize::try_from(code - 256).ok()?;
    (0..=32).chain(127..=160).chain(173..=173).nth(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_characters_map_both_ways() {
        for b in 0..=255 {
            assert_eq!(char_byte(byte_char(b)), Some(b));
        }
        assert_eq!(byte_char(b' '), 'Ġ');
        assert_eq!((char_byte('\n'), char_byte('☃')), (None, None));
    }

    #[test]
    fn a_merge_has_two_sides() {
        assert_eq!(halves(b"a b"), Some((&b"a"[..], &b"b"[..])));
        assert_eq!(halves(b"  b"), Some((&b" "[..], &b"b"[..])));
        assert_eq!((halves(b"ab"), halves(b"a "), halves(b"")), (None, None, None));
    }
}
