// SPDX-License-Identifier: MIT OR Apache-2.0
//! The 32-byte descriptors of a program, declared once.
//!
//! [`OPCODES`] is the declaration. The encoder and decoder below, the sequencer's decoder in hardware, the
//! disassembler and the table in the documentation all read it. Bits that no field claims must be zero.

mod cause;
mod decoder;
mod layer;
mod text;

pub use cause::Cause;
pub use decoder::Decoder;
pub use layer::{CLASS, FIRST, LAST, LAYER, Layer, PHASE, PROGRESS, Phase, layer_reserved};
pub use text::{disassemble, markdown};

use crate::config::Format;

/// 32-bit words in one descriptor.
pub const WORDS: usize = 8;
/// Bytes in one descriptor; programs start on a multiple of it.
pub const BYTES: u32 = 32;
/// Alignment of every region that a descriptor points to, in bytes.
pub const REGION_ALIGN: u32 = 64;
/// Most rows of one MATMUL.
pub const ROWS_MAX: u32 = (1 << 24) - 1;

/// A descriptor as it lies in memory, little-endian words.
pub type Words = [u32; WORDS];

/// Some bits of one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    /// Word within the descriptor, 0..8.
    pub word: usize,
    /// Lowest bit within the word.
    pub lsb: u32,
    /// Number of bits, 1..=32.
    pub width: u32,
    /// What values may be, in words.
    pub legal: &'static str,
    pub doc: &'static str,
}

/// One kind of descriptor.
#[derive(Clone, Copy, Debug)]
pub struct Opcode {
    pub name: &'static str,
    /// Value of the field [`OPCODE`].
    pub code: u32,
    pub fields: &'static [Field],
    pub doc: &'static str,
}

pub const OPCODE: Field = field("opcode", 0, 0, 8, "1, 2, 3, 4", "Kind of descriptor.");
pub const FORMAT: Field = field("format", 0, 8, 8, "a format that is built in", "Weight format: 0 Q8_0, 1 Q4_0, 2 Q4_1, 3 Q5_0.");
pub const REUSE_ACT: Field = field(
    "reuse_act",
    0,
    16,
    1,
    "0, or 1 after a MATMUL with the same columns and blocks",
    "Keep the activations of the MATMUL before; the activation address is not read.",
);
pub const COLUMNS: Field = field("columns", 0, 24, 8, "1 to the columns built in", "Activation vectors.");
pub const ROWS: Field = field("rows", 1, 0, 32, "1 to 2^24 - 1", "Rows of the matrix.");
pub const BLOCKS: Field = field(
    "blocks",
    2,
    0,
    32,
    "1 to the activation blocks built in; a multiple of lanes / 32 with more than 32 lanes",
    "Blocks of 32 in a row, as stored.",
);
pub const WEIGHTS: Field = field("weights", 3, 0, 32, "a multiple of 64", "Byte address of the weights.");
pub const ACTIVATIONS: Field = field("activations", 4, 0, 32, "a multiple of 64", "Byte address of the activations.");
pub const RESULTS: Field = field("results", 5, 0, 32, "a multiple of 64", "Byte address of the results.");
pub const TAG: Field = field("tag", 6, 0, 16, "any", "Free for the host; shown in traces and listings.");

pub const MATMUL: Opcode = Opcode {
    name: "MATMUL",
    code: 1,
    fields: &[OPCODE, FORMAT, REUSE_ACT, COLUMNS, ROWS, BLOCKS, WEIGHTS, ACTIVATIONS, RESULTS, TAG],
    doc: "Multiplies a matrix with 1 to B activation vectors and writes the results.",
};
pub const FENCE: Opcode =
    Opcode { name: "FENCE", code: 2, fields: &[OPCODE, TAG], doc: "Waits until every earlier result has been written and acknowledged." };
pub const END: Opcode =
    Opcode { name: "END", code: 3, fields: &[OPCODE, TAG], doc: "A FENCE; then stops, sets STATUS.done and raises the interrupt." };

/// Every kind of descriptor, by code.
pub const OPCODES: [&Opcode; 4] = [&MATMUL, &FENCE, &END, &LAYER];

/// A matrix product; fields as in [`MATMUL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matmul {
    pub format: Format,
    pub reuse_act: bool,
    pub columns: u8,
    pub rows: u32,
    pub blocks: u32,
    pub weights: u32,
    pub activations: u32,
    pub results: u32,
    pub tag: u16,
}

/// A descriptor in decoded form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Descriptor {
    Matmul(Matmul),
    Fence { tag: u16 },
    End { tag: u16 },
    Layer(Layer),
}

impl Matmul {
    /// The descriptor in memory form. Values are not checked: see [`Decoder`].
    pub fn encode(&self) -> Words {
        let mut words = [0; WORDS];
        OPCODE.put(&mut words, MATMUL.code);
        FORMAT.put(&mut words, self.format.id().into());
        REUSE_ACT.put(&mut words, self.reuse_act.into());
        COLUMNS.put(&mut words, self.columns.into());
        ROWS.put(&mut words, self.rows);
        BLOCKS.put(&mut words, self.blocks);
        WEIGHTS.put(&mut words, self.weights);
        ACTIVATIONS.put(&mut words, self.activations);
        RESULTS.put(&mut words, self.results);
        TAG.put(&mut words, self.tag.into());
        words
    }
}

impl Descriptor {
    /// The descriptor in memory form. Values are not checked: see [`Decoder`].
    pub fn encode(&self) -> Words {
        let marker = |opcode: &Opcode, tag: u16| {
            let mut words = [0; WORDS];
            OPCODE.put(&mut words, opcode.code);
            TAG.put(&mut words, tag.into());
            words
        };
        match self {
            Descriptor::Matmul(matmul) => matmul.encode(),
            Descriptor::Fence { tag } => marker(&FENCE, *tag),
            Descriptor::End { tag } => marker(&END, *tag),
            Descriptor::Layer(layer) => layer.encode(),
        }
    }
}

/// The bytes of a program, 32 per descriptor.
pub fn program_bytes(program: &[Descriptor]) -> Vec<u8> {
    program.iter().flat_map(Descriptor::encode).flat_map(u32::to_le_bytes).collect()
}

impl Opcode {
    /// Per word, the bits that no field claims and that must be zero.
    pub fn reserved(&self) -> Words {
        let mut reserved = [u32::MAX; WORDS];
        for field in self.fields {
            reserved[field.word] &= !field.mask();
        }
        reserved
    }
}

impl Field {
    /// The field's bits within its word.
    pub const fn mask(&self) -> u32 {
        (u32::MAX >> (32 - self.width)) << self.lsb
    }

    /// Position of the lowest bit within the 256-bit descriptor.
    pub const fn bit(&self) -> u32 {
        32 * self.word as u32 + self.lsb
    }

    /// The field's value.
    pub const fn get(&self, words: &Words) -> u32 {
        (words[self.word] & self.mask()) >> self.lsb
    }

    /// Replaces the field's value; bits beyond its width are dropped.
    pub const fn put(&self, words: &mut Words, value: u32) {
        words[self.word] = words[self.word] & !self.mask() | (value << self.lsb) & self.mask();
    }
}

const fn field(name: &'static str, word: usize, lsb: u32, width: u32, legal: &'static str, doc: &'static str) -> Field {
    Field { name, word, lsb, width, legal, doc }
}

#[cfg(test)]
mod tests;
