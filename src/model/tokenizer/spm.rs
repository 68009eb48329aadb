// SPDX-License-Identifier: MIT OR Apache-2.0
//! SentencePiece-style tokens: merge neighbours to the token of the best score, spell the rest in bytes.

use std::ops::Range;

use super::{TokenizerError, merge::merge_all, vocab::Vocab, vocab::floats};
use crate::model::gguf::Gguf;

/// What stands for a space in the vocabulary: U+2581.
pub(super) const SPACE: &str = "\u{2581}";

pub(super) struct Spm {
    /// A key per token that orders as its score does.
    ranks: Vec<u32>,
    /// The token of each byte, for text that no token covers.
    bytes: Vec<Option<u32>>,
    longest: usize,
}

impl Spm {
    pub fn read(gguf: &Gguf, vocab: &Vocab) -> Result<Spm, TokenizerError> {
        let scores = floats(gguf, "tokenizer.ggml.scores", vocab.tokens.len())?;
        if let Some(token) = scores.iter().position(|s| s.is_nan()) {
            return Err(TokenizerError::Score { token });
        }
        let byte = |b: u8| vocab.id(format!("<0x{b:02X}>").as_bytes()).or_else(|| vocab.id(&[b]));
        Ok(Spm {
            ranks: scores.into_iter().map(rank).collect(),
            bytes: (0..=255).map(byte).collect(),
            longest: vocab.tokens.iter().map(Vec::len).max().unwrap_or(0),
        })
    }

    /// Appends the tokens of `text`, whose spaces are taken literally (no prefix is added here).
    pub fn encode(&self, vocab: &Vocab, text: &str, out: &mut Vec<u32>) {
        let text = text.replace(' ', SPACE);
        let chars = text.char_indices().map(|(at, c)| Span { at, end: at + c.len_utf8() });
        let bytes = text.as_bytes();
        let pair = |a: Span, b: Span| {
            let both = Span { at: a.at, end: b.end };
            if both.end - both.at > self.longest {
                return None;
            }
            let id = vocab.id(&bytes[both.range()])?;
            Some((self.ranks[id as usize], both))
        };
        for span in merge_all(chars.collect(), pair) {
            self.emit(vocab, &bytes[span.range()], out);
        }
    }

    fn emit(&self, vocab: &Vocab, piece: &[u8], out: &mut Vec<u32>) {
        if let Some(id) = vocab.id(piece) {
            out.push(id);
            return;
        }
        for &b in piece {
            out.extend(self.bytes[usize::from(b)].or(vocab.unknown));
        }
    }
}

/// A piece of the text, by its bytes.
#[derive(Clone, Copy)]
struct Span {
    at: usize,
    end: usize,
}

impl Span {
    fn range(self) -> Range<usize> {
        self.at..self.end
    }
}

/// Maps a score to an integer in the same order; +0 and -0 are equal.
fn rank(score: f32) -> u32 {
    let bits = (score + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

#[cfg(test)]
mod tests {
    use super::rank;

    #[test]
    fn ranks_order_as_scores_do() {
        let scores = [f32::NEG_INFINITY, -1e30, -1.5, -1e-40, 0.0, 1e-40, 2.0, f32::INFINITY];
        assert!(scores.windows(2).all(|p| rank(p[0]) < rank(p[1])));
        assert_eq!(rank(-0.0), rank(0.0));
    }
}
