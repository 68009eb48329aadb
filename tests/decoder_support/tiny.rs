// SPDX-License-Identifier: MIT OR Apache-2.0
//! Small llama models with random weights, as GGUF files.

use heddle::model::gguf::{GgmlType, Gguf, GgufWriter};
use std::sync::Arc;

/// The sizes of a model and what is special about it.
#[derive(Clone, Debug)]
pub struct Tiny {
    pub dim: usize,
    pub layers: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub head_size: usize,
    pub ffn: usize,
    pub vocab: usize,
    pub context: u32,
    pub ty: GgmlType,
    /// An output matrix of its own.
    pub output: bool,
    /// Bytes to put at the start of the second block of this tensor.
    pub damage: Option<(&'static str, Vec<u8>)>,
    /// fp16 bits of every scale.
    pub scale: u16,
}

/// fp16 of about 0.01.
const SCALE: u16 = 0x211f;

impl Default for Tiny {
    fn default() -> Tiny {
        Tiny {
            dim: 64,
            layers: 2,
            heads: 4,
            kv_heads: 2,
            head_size: 16,
            ffn: 96,
            vocab: 64,
            context: 64,
            ty: GgmlType::Q8_0,
            output: false,
            damage: None,
            scale: SCALE,
        }
    }
}

impl Tiny {
    pub fn gguf(&self) -> Arc<Gguf> {
        Arc::new(Gguf::from_bytes(self.bytes()).unwrap())
    }

    /// The file; every run gives the same.
    pub fn bytes(&self) -> Vec<u8> {
        let mut w = GgufWriter::new();
        w.str("general.architecture", "llama");
        for (key, value) in [
            ("embedding_length", self.dim as u32),
            ("block_count", self.layers as u32),
            ("attention.head_count", self.heads as u32),
            ("attention.head_count_kv", self.kv_heads as u32),
            ("attention.key_length", self.head_size as u32),
            ("attention.value_length", self.head_size as u32),
            ("rope.dimension_count", self.head_size as u32),
            ("feed_forward_length", self.ffn as u32),
            ("context_length", self.context),
        ] {
            w.u32(&format!("llama.{key}"), value);
        }
        w.f32("llama.attention.layer_norm_rms_epsilon", 1e-5);
        self.tokenizer(&mut w);
        let (q, kv) = (self.heads * self.head_size, self.kv_heads * self.head_size);
        self.matrix(&mut w, "token_embd", self.vocab, self.dim);
        for layer in 0..self.layers {
            let name = |part: &str| format!("blk.{layer}.{part}");
            self.norm(&mut w, &name("attn_norm"));
            self.matrix(&mut w, &name("attn_q"), q, self.dim);
            self.matrix(&mut w, &name("attn_k"), kv, self.dim);
            self.matrix(&mut w, &name("attn_v"), kv, self.dim);
            self.matrix(&mut w, &name("attn_output"), self.dim, q);
            self.norm(&mut w, &name("ffn_norm"));
            self.matrix(&mut w, &name("ffn_gate"), self.ffn, self.dim);
            self.matrix(&mut w, &name("ffn_up"), self.ffn, self.dim);
            self.matrix(&mut w, &name("ffn_down"), self.dim, self.ffn);
        }
        self.norm(&mut w, "output_norm");
        if self.output {
            self.matrix(&mut w, "output", self.vocab, self.dim);
        }
        w.finish()
    }

    /// A vocabulary of single letters.
    fn tokenizer(&self, w: &mut GgufWriter) {
        let letter = |i: usize| char::from_u32(0x100 + i as u32).unwrap().to_string();
        let tokens: Vec<String> = (0..self.vocab).map(letter).collect();
        w.str("tokenizer.ggml.model", "llama").strings("tokenizer.ggml.tokens", &tokens);
        w.f32s("tokenizer.ggml.scores", &vec![0.0; self.vocab]).i32s("tokenizer.ggml.token_type", &vec![1; self.vocab]);
    }

    fn norm(&self, w: &mut GgufWriter, name: &str) {
        let mut random = Random::new(name);
        let mut data: Vec<u8> = (0..self.dim).flat_map(|_| (0.5 + f32::from(random.byte()) / 256.0).to_le_bytes()).collect();
        self.damaged(name, 4, &mut data);
        w.tensor(&format!("{name}.weight"), &[self.dim as u64], GgmlType::F32, data);
    }

    fn matrix(&self, w: &mut GgufWriter, name: &str, rows: usize, columns: usize) {
        let mut random = Random::new(name);
        let block = self.ty.block_bytes() as usize;
        let mut data = Vec::new();
        for _ in 0..rows * columns / 32 {
            data.extend(self.scale.to_le_bytes());
            let start = data.len();
            data.extend((2..block).map(|_| random.byte()));
            if self.ty == GgmlType::Q4_1 {
                data[start..start + 2].copy_from_slice(&(self.scale + 0x8c00).to_le_bytes()); // about -8 d
            }
        }
        self.damaged(name, block, &mut data);
        w.tensor(&format!("{name}.weight"), &[columns as u64, rows as u64], self.ty, data);
    }

    fn damaged(&self, name: &str, block: usize, data: &mut [u8]) {
        if let Some((_, bytes)) = self.damage.as_ref().filter(|(tensor, _)| *tensor == name) {
            data[block..block + bytes.len()].copy_from_slice(bytes);
        }
    }
}

/// A fixed sequence for each name.
struct Random(u64);

impl Random {
    fn new(name: &str) -> Random {
        Random(name.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)))
    }

    fn byte(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 56) as u8
    }
}
