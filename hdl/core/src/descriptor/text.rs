// SPDX-License-Identifier: MIT OR Apache-2.0
//! Descriptors for people: listings of programs, and the tables of the documentation.

use super::{BYTES, Cause, Decoder, Descriptor, Matmul, OPCODES, Opcode, WORDS, Words};
use crate::config::Config;
use std::fmt::{self, Write};

impl fmt::Display for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Descriptor::Matmul(matmul) => matmul.fmt(f),
            Descriptor::Fence { tag } => write!(f, "FENCE   tag {tag}"),
            Descriptor::End { tag } => write!(f, "END     tag {tag}"),
            Descriptor::Layer(layer) => layer.fmt(f),
        }
    }
}

impl fmt::Display for Matmul {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Matmul { rows, blocks, columns, weights, results, tag, .. } = self;
        write!(f, "MATMUL  {} {rows} x {blocks} blocks x {columns}", self.format.name())?;
        write!(f, ", weights {weights:#010x}, activations ")?;
        match self.reuse_act {
            true => write!(f, "kept")?,
            false => write!(f, "{:#010x}", self.activations)?,
        }
        write!(f, ", results {results:#010x}, tag {tag}")
    }
}

/// One line per descriptor of the program at `address`, up to its END, the first one that the hardware of
/// `config` would refuse, or the end of `bytes`.
pub fn disassemble(config: &Config, address: u32, bytes: &[u8]) -> String {
    let mut decoder = Decoder::new(config);
    let mut listing = String::new();
    let mut at = address;
    for chunk in bytes.chunks_exact(BYTES as usize) {
        let decoded = decoder.decode(&words(chunk));
        listing += &match &decoded {
            Ok(descriptor) => format!("{at:#010x}  {descriptor}\n"),
            Err(cause) => format!("{at:#010x}  refused: {cause}: {}\n", cause.doc()),
        };
        if matches!(decoded, Err(_) | Ok(Descriptor::End { .. })) {
            break;
        }
        at = at.wrapping_add(BYTES);
    }
    listing
}

fn words(bytes: &[u8]) -> Words {
    let mut words = [0; WORDS];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    words
}

/// The tables of all descriptors and error causes, in Markdown.
pub fn markdown() -> String {
    let mut text = String::from(
        "# Descriptors\n\n\
         A program is a sequence of 32-byte descriptors of little-endian 32-bit words. \
         Bits that are not listed must be zero.\n",
    );
    for opcode in OPCODES {
        text += &opcode_markdown(opcode);
    }
    text += "\n## Causes\n\n\
             A descriptor that cannot run stops the sequencer with the first of these causes that applies.\n\n\
             | code | cause | meaning |\n|---|---|---|\n";
    for cause in Cause::ALL {
        let _ = writeln!(text, "| {} | `{}` | {} |", cause.code(), cause.name(), cause.doc());
    }
    text
}

fn opcode_markdown(opcode: &Opcode) -> String {
    let mut text = format!(
        "\n## {} (opcode {})\n\n{}\n\n| word | bits | field | legal | meaning |\n|---|---|---|---|---|\n",
        opcode.name, opcode.code, opcode.doc
    );
    for field in opcode.fields {
        let legal = match field.name {
            "opcode" => opcode.code.to_string(),
            _ => field.legal.to_string(),
        };
        let msb = field.lsb + field.width - 1;
        let bits = if msb == field.lsb { msb.to_string() } else { format!("{msb}:{}", field.lsb) };
        let _ = writeln!(text, "| {} | {bits} | `{}` | {legal} | {} |", field.word, field.name, field.doc);
    }
    text
}
