// SPDX-License-Identifier: MIT OR Apache-2.0
//! The descriptor that tells the DVFS unit which layer begins.

use super::{Field, OPCODE, Opcode, TAG, WORDS, Words, field};

pub const PHASE: Field = field("phase", 0, 8, 1, "0, 1", "0: prefill, measured against DVFS_TTFT; 1: decode, against DVFS_TPOT.");
pub const FIRST: Field = field("first", 0, 9, 1, "0, 1", "A pass of the model begins: time is counted from here.");
pub const LAST: Field = field("last", 0, 10, 1, "0, 1", "The pass ends: time is no longer counted, and nothing is looked up.");
pub const CLASS: Field = field("class", 0, 12, 3, "below DVFS entries / 8", "Class of the layer.");
pub const PROGRESS: Field = field("progress", 0, 24, 8, "any", "Share of the pass that is done before this layer, in 1/256.");

pub const LAYER: Opcode = Opcode {
    name: "LAYER",
    code: 4,
    fields: &[OPCODE, PHASE, FIRST, LAST, CLASS, PROGRESS, TAG],
    doc: "A layer begins: the DVFS unit moves to the clock and the voltage that its table holds for it. \
          Waits for nothing. Only in builds with a DVFS unit.",
};

/// Which target a pass is measured against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// Up to the first token.
    #[default]
    Prefill,
    /// Each further token.
    Decode,
}

/// The fields of a [`LAYER`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layer {
    pub phase: Phase,
    pub class: u8,
    pub first: bool,
    pub last: bool,
    pub progress: u8,
    pub tag: u16,
}

impl Layer {
    /// The descriptor in memory form. Values are not checked: see [`super::Decoder`].
    pub fn encode(&self) -> Words {
        let mut words = [0; WORDS];
        OPCODE.put(&mut words, LAYER.code);
        PHASE.put(&mut words, (self.phase == Phase::Decode).into());
        FIRST.put(&mut words, self.first.into());
        LAST.put(&mut words, self.last.into());
        CLASS.put(&mut words, self.class.into());
        PROGRESS.put(&mut words, self.progress.into());
        TAG.put(&mut words, self.tag.into());
        words
    }

    pub(super) fn decode(words: &Words) -> Layer {
        let flag = |field: Field| field.get(words) == 1;
        Layer {
            phase: if flag(PHASE) { Phase::Decode } else { Phase::Prefill },
            class: CLASS.get(words) as u8,
            first: flag(FIRST),
            last: flag(LAST),
            progress: PROGRESS.get(words) as u8,
            tag: TAG.get(words) as u16,
        }
    }
}

/// Per word, the bits that must be zero in a LAYER for a table of this size: also those of classes past its end.
pub fn layer_reserved(dvfs_entries: u32) -> Words {
    let mut reserved = LAYER.reserved();
    let classes = (dvfs_entries / 8).max(1);
    reserved[CLASS.word] |= CLASS.mask() & !((classes - 1) << CLASS.lsb);
    reserved
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Phase::Prefill => "prefill",
            Phase::Decode => "decode",
        })
    }
}

impl std::fmt::Display for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Layer { phase, class, first, last, progress, tag } = self;
        write!(f, "LAYER   {phase}, class {class}, {progress}/256 done")?;
        f.write_str(if *first { ", first" } else { "" })?;
        f.write_str(if *last { ", last" } else { "" })?;
        write!(f, ", tag {tag}")
    }
}
