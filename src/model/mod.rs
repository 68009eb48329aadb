// SPDX-License-Identifier: MIT OR Apache-2.0
//! Models as they come: GGUF files, their tokenizers, and where models are found by name.

pub mod embedded;
pub mod fetch;
pub mod gguf;
pub mod llama;
mod open;
pub mod tokenizer;

pub use open::{OpenError, Source, find, names, open};
