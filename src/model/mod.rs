// SPDX-License-Identifier: MIT OR Apache-2.0
//! Models as they come: GGUF files, their tokenizers, and where models are found by name.

pub mod embedded;
pub mod gguf;
pub mod llama;
pub mod tokenizer;
