// SPDX-License-Identifier: MIT OR Apache-2.0
//! Models as they come: GGUF files, their tokenizers, and where models are found by name.

pub mod gguf;
pub mod tokenizer;
