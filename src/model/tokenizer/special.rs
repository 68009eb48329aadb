// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finding the texts of special tokens in a text, longest token first.

use super::vocab::{TokenKind, Vocab};

/// A stretch of text, or a special token found in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fragment<'t> {
    Text(&'t str),
    Token(u32),
}

/// The tokens that are looked for, longest text first.
pub(super) struct Specials {
    tokens: Vec<Special>,
}

struct Special {
    text: String,
    id: u32,
    /// Looked for in every text, not only where special tokens are asked for.
    always: bool,
}

impl Specials {
    pub fn of(vocab: &Vocab) -> Specials {
        let mut tokens = Vec::new();
        for (id, (text, kind)) in (0..).zip(vocab.tokens.iter().zip(&vocab.kinds)) {
            let always = *kind == TokenKind::UserDefined;
            let special = always || matches!(kind, TokenKind::Control | TokenKind::Unknown);
            if let (true, Ok(text)) = (special && !text.is_empty(), std::str::from_utf8(text)) {
                tokens.push(Special { text: text.to_string(), id, always });
            }
        }
        tokens.sort_by_key(|t| std::cmp::Reverse(t.text.len()));
        Specials { tokens }
    }

    /// `text` in fragments. Control tokens are found only with `parse`; user-defined ones always.
    pub fn split<'t>(&self, text: &'t str, parse: bool) -> Vec<Fragment<'t>> {
        let mut fragments = vec![Fragment::Text(text)];
        for special in self.tokens.iter().filter(|s| parse || s.always) {
            if !text.contains(&special.text) {
                continue;
            }
            fragments = fragments.into_iter().flat_map(|f| special.cut(f)).collect();
        }
        fragments.retain(|f| *f != Fragment::Text(""));
        fragments
    }
}

impl Special {
    fn cut<'t>(&self, fragment: Fragment<'t>) -> Vec<Fragment<'t>> {
        let Fragment::Text(text) = fragment else {
            return vec![fragment];
        };
        let mut parts = Vec::new();
        for (i, part) in text.split(&self.text).enumerate() {
            if i > 0 {
                parts.push(Fragment::Token(self.id));
            }
            parts.push(Fragment::Text(part));
        }
        parts
    }
}
