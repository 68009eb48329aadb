// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text to tokens and back, from the vocabulary in a GGUF file.
//!
//! Two kinds, as llama.cpp reads them: `llama` (SPM: scores, byte fallback) and `gpt2` (byte-level BPE, with the
//! pre-tokenizers in [`PRE_TOKENIZERS`]). Both merge through a heap, so long texts take O(n log n).

mod bpe;
mod decode;
mod merge;
mod special;
mod split;
mod spm;
mod vocab;

pub use decode::Decoder;
pub use split::PRE_TOKENIZERS;
pub use vocab::TokenKind;

use super::gguf::{Gguf, GgufError, ValueType};
use special::{Fragment, Specials};
use vocab::Vocab;

/// The values of `tokenizer.ggml.model` that are read.
pub const TOKENIZERS: [&str; 2] = ["llama", "gpt2"];

/// Why a tokenizer could not be made from a file.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    #[error(transparent)]
    Gguf(#[from] GgufError),
    #[error("tokenizer `{found}` is not supported (supported: {})", TOKENIZERS.join(", "))]
    Model { found: String },
    #[error("pre-tokenizer `{found}` is not supported (supported: {})", PRE_TOKENIZERS.join(", "))]
    PreTokenizer { found: String },
    #[error("the pattern of the pre-tokenizer does not compile: {0}")]
    Pattern(Box<regex::Error>),
    #[error("the vocabulary has {found} tokens (legal: 1 to 4294967295); convert the model again")]
    Size { found: usize },
    #[error("`{key}` holds {found:?} values instead of {wanted}; convert the model again")]
    ArrayType { key: &'static str, found: ValueType, wanted: &'static str },
    #[error("`{key}` has {found} values for {tokens} tokens; convert the model again")]
    ArrayLength { key: &'static str, found: usize, tokens: usize },
    #[error("token {token} has type {found} (legal: 1 to 6); convert the model again")]
    Kind { token: usize, found: String },
    #[error("the score of token {token} is not a number; convert the model again")]
    Score { token: usize },
    #[error("merge {place} is `{found}` instead of two texts with a space between; convert the model again")]
    Merge { place: u32, found: String },
    #[error("`{key}` is {id}, past the {tokens} tokens of the vocabulary; convert the model again")]
    SpecialId { key: String, id: u32, tokens: usize },
}

/// How to encode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Add the BOS and EOS tokens that the model asks for.
    pub add_special: bool,
    /// Read the texts of control tokens (such as `<|im_start|>`) as those tokens instead of as text.
    pub parse_special: bool,
}

impl EncodeOptions {
    /// Text as it is: no BOS, no control tokens.
    pub const TEXT: EncodeOptions = EncodeOptions { add_special: false, parse_special: false };
    /// The beginning of a model's context: with BOS where the model wants it.
    pub const PROMPT: EncodeOptions = EncodeOptions { add_special: true, parse_special: true };
}

enum Kind {
    Spm(spm::Spm),
    Bpe(bpe::Bpe),
}

/// A tokenizer with its vocabulary.
pub struct Tokenizer {
    vocab: Vocab,
    specials: Specials,
    kind: Kind,
}

impl Tokenizer {
    /// Reads `tokenizer.ggml.*`.
    pub fn from_gguf(gguf: &Gguf) -> Result<Tokenizer, TokenizerError> {
        let model = gguf.str("tokenizer.ggml.model")?;
        if !TOKENIZERS.contains(&model) {
            return Err(TokenizerError::Model { found: model.to_string() });
        }
        let vocab = Vocab::read(gguf, model == "llama")?;
        let kind = match model {
            "llama" => Kind::Spm(spm::Spm::read(gguf, &vocab)?),
            _ => Kind::Bpe(bpe::Bpe::read(gguf, &vocab)?),
        };
        Ok(Tokenizer { specials: Specials::of(&vocab), vocab, kind })
    }

    /// The tokens of `text`.
    pub fn encode(&self, text: &str, options: EncodeOptions) -> Vec<u32> {
        let mut out = Vec::new();
        if options.add_special && self.vocab.add_bos {
            out.extend(self.vocab.bos);
        }
        let mut prefix = self.vocab.add_space_prefix; // at the start and after each special token
        for fragment in self.specials.split(text, options.parse_special) {
            match fragment {
                Fragment::Token(id) => {
                    out.push(id);
                    prefix = self.vocab.add_space_prefix;
                }
                Fragment::Text(text) => {
                    self.encode_text(text, prefix, &mut out);
                    prefix = false;
                }
            }
        }
        if options.add_special && self.vocab.add_eos {
            out.extend(self.vocab.eos);
        }
        out
    }

    fn encode_text(&self, text: &str, prefix: bool, out: &mut Vec<u32>) {
        let prefixed;
        let text = if prefix {
            prefixed = format!(" {text}");
            &prefixed
        } else {
            text
        };
        match &self.kind {
            Kind::Spm(spm) => spm.encode(&self.vocab, text, out),
            Kind::Bpe(bpe) => bpe.encode(&self.vocab, text, out),
        }
    }

    /// A decoder for tokens that continue a text (what a model generates after a prompt).
    pub fn decoder(&self) -> Decoder<'_> {
        Decoder::new(self, false)
    }

    /// A decoder for tokens from the start of a text: drops the space that [`Tokenizer::encode`] put in front.
    pub fn decoder_from_start(&self) -> Decoder<'_> {
        Decoder::new(self, self.vocab.add_space_prefix)
    }

    /// The text of `ids` from its start; control tokens do not show.
    pub fn decode(&self, ids: &[u32]) -> String {
        let mut decoder = self.decoder_from_start();
        let text: String = ids.iter().map(|&id| decoder.push(id)).collect();
        text + &decoder.finish()
    }

    /// Tokens in the vocabulary.
    pub fn vocab_size(&self) -> usize {
        self.vocab.tokens.len()
    }

    /// The token that begins a text, where the vocabulary has one.
    pub fn bos(&self) -> Option<u32> {
        self.vocab.bos
    }

    /// The token that ends a text, where the vocabulary has one.
    pub fn eos(&self) -> Option<u32> {
        self.vocab.eos
    }

    /// Whether generation stops at `id`: EOS, end of turn, end of message.
    pub fn is_end(&self, id: u32) -> bool {
        self.vocab.ends.contains(&id)
    }

    /// The kind of token `id`.
    pub fn kind(&self, id: u32) -> Option<TokenKind> {
        self.vocab.kinds.get(id as usize).copied()
    }
}
