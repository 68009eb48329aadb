// SPDX-License-Identifier: MIT OR Apache-2.0
//! The vocabulary: token texts, their kinds, and the ids with a meaning of their own.

use std::collections::HashMap;

use super::TokenizerError;
use crate::model::gguf::{Gguf, ValueType};

/// What a token is; the numbers are those of `tokenizer.ggml.token_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

impl TokenKind {
    fn from_id(id: i64) -> Option<TokenKind> {
        use TokenKind::*;
        [Normal, Unknown, Control, UserDefined, Unused, Byte].into_iter().find(|&k| k as i64 == id)
    }
}

/// Texts of control tokens that end a turn, in files that name only one end token.
const END_TEXTS: [&[u8]; 7] = [b"</s>", b"<|im_end|>", b"<|eot_id|>", b"<|end|>", b"<end_of_turn>", b"<|endoftext|>", b"<|end_of_text|>"];

pub(super) struct Vocab {
    pub tokens: Vec<Vec<u8>>,
    pub kinds: Vec<TokenKind>,
    ids: HashMap<Vec<u8>, u32>,
    pub bos: Option<u32>,
    pub eos: Option<u32>,
    pub unknown: Option<u32>,
    /// Tokens after which generation stops.
    pub ends: Vec<u32>,
    pub add_bos: bool,
    pub add_eos: bool,
    pub add_space_prefix: bool,
}

impl Vocab {
    /// Reads the metadata under `tokenizer.ggml`; the flags default to `spm`'s habits or to BPE's.
    pub fn read(gguf: &Gguf, spm: bool) -> Result<Vocab, TokenizerError> {
        let tokens = strings(gguf, "tokenizer.ggml.tokens")?;
        if tokens.is_empty() || u32::try_from(tokens.len()).is_err() {
            return Err(TokenizerError::Size { found: tokens.len() });
        }
        let kinds = kinds(gguf, tokens.len())?;
        let special = |key: &str| special(gguf, key, tokens.len());
        let (bos, eos) = (special("bos_token_id")?, special("eos_token_id")?);
        let mut ends: Vec<u32> = eos.into_iter().collect();
        ends.extend(special("eot_token_id")?);
        ends.extend(special("eom_token_id")?);
        for (id, text) in (0..).zip(&tokens) {
            let control = kinds[id as usize] == TokenKind::Control;
            if control && END_TEXTS.contains(&text.as_slice()) && !ends.contains(&id) {
                ends.push(id);
            }
        }
        Ok(Vocab {
            ids: tokens.iter().cloned().zip(0..).collect(),
            kinds,
            bos,
            eos,
            unknown: special("unknown_token_id")?,
            ends,
            add_bos: gguf.bool_or("tokenizer.ggml.add_bos_token", spm)?,
            add_eos: gguf.bool_or("tokenizer.ggml.add_eos_token", false)?,
            add_space_prefix: gguf.bool_or("tokenizer.ggml.add_space_prefix", spm)?,
            tokens,
        })
    }

    /// The id of the token with this text.
    pub fn id(&self, text: &[u8]) -> Option<u32> {
        self.ids.get(text).copied()
    }
}

/// The strings of an array of metadata.
pub(super) fn strings(gguf: &Gguf, key: &'static str) -> Result<Vec<Vec<u8>>, TokenizerError> {
    let array = gguf.array(key)?;
    let Some(strings) = array.strings() else {
        return Err(TokenizerError::ArrayType { key, found: array.ty, wanted: "strings" });
    };
    Ok(strings.map(<[u8]>::to_vec).collect())
}

/// The floats of an array of metadata, one for each of `tokens` tokens.
pub(super) fn floats(gguf: &Gguf, key: &'static str, tokens: usize) -> Result<Vec<f32>, TokenizerError> {
    let array = gguf.array(key)?;
    if array.ty != ValueType::F32 {
        return Err(TokenizerError::ArrayType { key, found: array.ty, wanted: "floats" });
    }
    let values: Vec<f32> = array.iter().filter_map(|v| v.as_f32()).collect();
    if values.len() != tokens {
        return Err(TokenizerError::ArrayLength { key, found: values.len(), tokens });
    }
    Ok(values)
}

fn kinds(gguf: &Gguf, tokens: usize) -> Result<Vec<TokenKind>, TokenizerError> {
    const KEY: &str = "tokenizer.ggml.token_type";
    if !gguf.has(KEY) {
        return Ok(vec![TokenKind::Normal; tokens]);
    }
    let mut kinds = Vec::new();
    for (token, value) in gguf.array(KEY)?.iter().enumerate() {
        let kind = value.as_i64().and_then(TokenKind::from_id);
        kinds.push(kind.ok_or_else(|| TokenizerError::Kind { token, found: value.to_string() })?);
    }
    if kinds.len() != tokens {
        return Err(TokenizerError::ArrayLength { key: KEY, found: kinds.len(), tokens });
    }
    Ok(kinds)
}

/// The id under `tokenizer.ggml.{key}`; 2^32 - 1 stands for none, as in old converters.
fn special(gguf: &Gguf, key: &str, tokens: usize) -> Result<Option<u32>, TokenizerError> {
    let key = format!("tokenizer.ggml.{key}");
    match gguf.u32_or(&key, u32::MAX)? {
        u32::MAX => Ok(None),
        id if (id as usize) < tokens => Ok(Some(id)),
        id => Err(TokenizerError::SpecialId { key, id, tokens }),
    }
}
