// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cutting a text into words ahead of BPE, by the rule that `tokenizer.ggml.pre` names.

use regex::Regex;

use super::TokenizerError;

/// The rules that are known, by their names in GGUF.
pub const PRE_TOKENIZERS: [&str; 2] = ["gpt-2", "smollm"];

/// GPT-2's pattern. Its last two alternatives, `\s+(?!\S)|\s+`, are one here: a run of spaces leaves its last
/// space to what follows, which [`Splitter::words`] does by hand.
const WORDS: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+";

pub(super) struct Splitter {
    words: Regex,
    /// Each digit is a word of its own, and a boundary for the pattern.
    single_digits: bool,
}

impl Splitter {
    pub fn named(name: &str) -> Result<Splitter, TokenizerError> {
        let single_digits = match name {
            "gpt-2" => false,
            "smollm" => true,
            _ => {
                return Err(TokenizerError::PreTokenizer { found: name.to_string() });
            }
        };
        let words = Regex::new(WORDS).map_err(|e| TokenizerError::Pattern(Box::new(e)))?;
        Ok(Splitter { words, single_digits })
    }

    /// Calls `word` for each word of `text`, in order; together they are the text.
    pub fn split<'t>(&self, text: &'t str, word: &mut impl FnMut(&'t str)) {
        if !self.single_digits {
            return self.words(text, word);
        }
        let mut rest = text;
        while let Some((at, digit)) = rest.char_indices().find(|(_, c)| c.is_numeric()) {
            let end = at + digit.len_utf8();
            self.words(&rest[..at], word);
            word(&rest[at..end]);
            rest = &rest[end..];
        }
        self.words(rest, word);
    }

    fn words<'t>(&self, text: &'t str, word: &mut impl FnMut(&'t str)) {
        let mut at = 0;
        while let Some(found) = self.words.find_at(text, at) {
            let mut end = found.end();
            let spaces = found.as_str();
            if end < text.len() && spaces.chars().all(char::is_whitespace) {
                let last = spaces.chars().next_back().map_or(0, char::len_utf8);
                if last < spaces.len() {
                    end -= last;
                }
            }
            word(&text[found.start()..end]);
            at = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split<'t>(name: &str, text: &'t str) -> Vec<&'t str> {
        let mut words = Vec::new();
        Splitter::named(name).unwrap().split(text, &mut |w| words.push(w));
        words
    }

    #[test]
    fn spaces_go_with_the_word_that_follows() {
        assert_eq!(split("gpt-2", "it's  42 a!\n\n b "), ["it", "'s", " ", " 42", " a", "!", "\n\n", " b", " "]);
        assert_eq!(split("gpt-2", "\n\nx"), ["\n", "\n", "x"]);
    }

    #[test]
    fn smollm_takes_digits_one_by_one() {
        assert_eq!(split("smollm", "in  2024."), ["in", "  ", "2", "0", "2", "4", "."]);
    }

    #[test]
    fn letters_are_letters_and_marks_are_not() {
        assert_eq!(split("gpt-2", "កា"), ["ក", "ា"]);
    }

    #[test]
    fn an_unknown_rule_is_refused_by_name() {
        let error = Splitter::named("llama-bpe").err().unwrap().to_string();
        assert!(error.contains("llama-bpe") && error.contains("smollm"), "{error}");
    }
}
