// SPDX-License-Identifier: MIT OR Apache-2.0
//! The checks that the sequencer makes, in its order.

use super::{
    ACTIVATIONS, BLOCKS, COLUMNS, Cause, Descriptor, END, FENCE, FORMAT, LAYER, Layer, Matmul, OPCODE, OPCODES, REGION_ALIGN, RESULTS,
    REUSE_ACT, ROWS, ROWS_MAX, TAG, WEIGHTS, Words, layer_reserved,
};
use crate::config::{Config, Format};

/// Decodes and checks descriptors one after another, as the sequencer does from `CONTROL.start` on.
#[derive(Clone, Debug)]
pub struct Decoder {
    format_mask: u8,
    columns: u32,
    act_blocks: u32,
    blocks_per_cycle: u32,
    dvfs_entries: u32,
    /// Columns and blocks of the activations on chip.
    loaded: Option<(u8, u32)>,
}

impl Decoder {
    /// A decoder for the hardware of this configuration, with no activations loaded.
    pub fn new(config: &Config) -> Decoder {
        Decoder {
            format_mask: config.format_mask(),
            columns: config.array.columns,
            act_blocks: config.activations.blocks,
            blocks_per_cycle: config.blocks_per_cycle(),
            dvfs_entries: config.power.dvfs_entries,
            loaded: None,
        }
    }

    /// The descriptor, or the cause with which the sequencer stops at it. Where several causes apply, it is
    /// the one with the lowest code.
    pub fn decode(&mut self, words: &Words) -> Result<Descriptor, Cause> {
        let code = OPCODE.get(words);
        let opcode = OPCODES.into_iter().find(|opcode| opcode.code == code && (code != LAYER.code || self.dvfs_entries > 0));
        let opcode = opcode.ok_or(Cause::BadOpcode)?;
        let tag = TAG.get(words) as u16;
        let descriptor = match opcode.code {
            c if c == FENCE.code => Descriptor::Fence { tag },
            c if c == END.code => Descriptor::End { tag },
            c if c == LAYER.code => Descriptor::Layer(Layer::decode(words)),
            _ => Descriptor::Matmul(self.matmul(words)?),
        };
        let reserved = if code == LAYER.code { layer_reserved(self.dvfs_entries) } else { opcode.reserved() };
        if words.iter().zip(reserved).any(|(word, mask)| word & mask != 0) {
            return Err(Cause::ReservedNotZero);
        }
        if let Descriptor::Matmul(matmul) = &descriptor {
            self.load(matmul)?;
        }
        Ok(descriptor)
    }

    fn matmul(&self, words: &Words) -> Result<Matmul, Cause> {
        let format = u8::try_from(FORMAT.get(words)).ok().and_then(Format::from_id);
        let built_in = |format: &Format| self.format_mask >> format.id() & 1 == 1;
        let format = format.filter(built_in).ok_or(Cause::FormatAbsent)?;
        let matmul = Matmul {
            format,
            reuse_act: REUSE_ACT.get(words) == 1,
            columns: COLUMNS.get(words) as u8,
            rows: ROWS.get(words),
            blocks: BLOCKS.get(words),
            weights: WEIGHTS.get(words),
            activations: ACTIVATIONS.get(words),
            results: RESULTS.get(words),
            tag: TAG.get(words) as u16,
        };
        let blocks_fit = matmul.blocks.is_multiple_of(self.blocks_per_cycle) && (1..=self.act_blocks).contains(&matmul.blocks);
        let addresses = [matmul.weights, matmul.activations, matmul.results];
        let legal = [
            ((1..=self.columns).contains(&matmul.columns.into()), Cause::BadColumns),
            ((1..=ROWS_MAX).contains(&matmul.rows), Cause::BadRows),
            (blocks_fit, Cause::BadBlocks),
            (addresses.iter().all(|a| a.is_multiple_of(REGION_ALIGN)), Cause::Misaligned),
        ];
        match legal.into_iter().find(|(legal, _)| !legal) {
            Some((_, cause)) => Err(cause),
            None => Ok(matmul),
        }
    }

    fn load(&mut self, matmul: &Matmul) -> Result<(), Cause> {
        let wanted = Some((matmul.columns, matmul.blocks));
        if matmul.reuse_act && self.loaded != wanted {
            return Err(Cause::ReuseWithoutActivations);
        }
        self.loaded = wanted;
        Ok(())
    }
}
