// SPDX-License-Identifier: MIT OR Apache-2.0
//! Registers of the DVFS unit.

use super::Access::{ReadOnly, ReadWrite, WriteOnly};
use super::{Access, Bits, Needs, Register, Reset, bits, register};
use crate::power::dvfs;

pub const DVFS_LIMIT: Register =
    unit("DVFS_LIMIT", 0x240, ReadWrite, "Cycles that the unit waits for an acknowledge before it calls it missing.")
        .with_fields(&[bits("cycles", 0, 16, "Cycles.")])
        .with_reset(Reset::Value(0xffff));
pub const DVFS_ENTRY_CLOCK: Bits = bits("clock", 0, 6, "Clock code.");
pub const DVFS_ENTRY_VOLTAGE: Bits = bits("voltage", 8, 8, "Voltage code.");
pub const DVFS_ENTRY_INDEX: Bits = bits("index", 16, 6, "Entry, {phase, class, slack bin}.");
pub const DVFS_ENTRY: Register = unit("DVFS_ENTRY", 0x244, ReadWrite, "The entry that DVFS_CONTROL writes and DVFS_READ shows.")
    .with_fields(&[DVFS_ENTRY_CLOCK, DVFS_ENTRY_VOLTAGE, DVFS_ENTRY_INDEX]);
pub const DVFS_CONTROL_WRITE: Bits =
    bits("write", 0, 1, "Writes DVFS_ENTRY to the table. Refused, with a cause, where the voltage does not carry the clock.");
pub const DVFS_CONTROL_CLEAR: Bits = bits("clear", 1, 1, "Forgets the cause.");
pub const DVFS_CONTROL: Register =
    unit("DVFS_CONTROL", 0x248, WriteOnly, "Commands to the DVFS unit.").with_fields(&[DVFS_CONTROL_WRITE, DVFS_CONTROL_CLEAR]);
pub const DVFS_READ_PRESENT: Bits = bits("present", 16, 1, "The entry was written since reset; else the codes mean nothing.");
pub const DVFS_READ: Register = unit("DVFS_READ", 0x24c, ReadOnly, "The entry of the table that DVFS_ENTRY.index selects.").with_fields(&[
    DVFS_ENTRY_CLOCK,
    DVFS_ENTRY_VOLTAGE,
    DVFS_READ_PRESENT,
]);
pub const DVFS_STATE_INDEX: Bits = bits("index", 16, 6, "Entry that was looked up last.");
pub const DVFS_STATE_STATE: Bits = Bits { values: &dvfs::STATES, ..bits("state", 24, 3, "State of the move.") };
pub const DVFS_STATE_CAUSE: Bits = Bits { values: &dvfs::CAUSES, ..bits("cause", 28, 3, "The first complaint since the last clear.") };
pub const DVFS_STATE: Register = unit("DVFS_STATE", 0x250, ReadOnly, "The codes at the outputs, and how they came there.").with_fields(&[
    DVFS_ENTRY_CLOCK,
    DVFS_ENTRY_VOLTAGE,
    DVFS_STATE_INDEX,
    DVFS_STATE_STATE,
    DVFS_STATE_CAUSE,
]);
pub const DVFS_TICKS: Bits = bits("ticks", 0, 31, "Ticks.");
pub const DVFS_TTFT: Register = unit("DVFS_TTFT", 0x254, ReadWrite, "Target for a pass of prefill; 0: none.").with_fields(&[DVFS_TICKS]);
pub const DVFS_TPOT: Register = unit("DVFS_TPOT", 0x258, ReadWrite, "Target for a pass of decode; 0: none.").with_fields(&[DVFS_TICKS]);
pub const DVFS_ELAPSED: Register =
    unit("DVFS_ELAPSED", 0x25c, ReadOnly, "Ticks of the pass under way, or of the last one.").with_fields(&[DVFS_TICKS]);
pub const DVFS_SLACK: Register =
    unit("DVFS_SLACK", 0x260, ReadOnly, "Ticks that the last layer was ahead of its share of the target; two's complement.");
pub const DVFS_VIOLATIONS_TTFT: Bits = bits("ttft", 0, 16, "Passes of prefill.");
pub const DVFS_VIOLATIONS_TPOT: Bits = bits("tpot", 16, 16, "Passes of decode.");
pub const DVFS_VIOLATIONS: Register = unit("DVFS_VIOLATIONS", 0x264, ReadOnly, "Passes that missed their target since reset; each wraps.")
    .with_fields(&[DVFS_VIOLATIONS_TTFT, DVFS_VIOLATIONS_TPOT]);
pub const DVFS_MOVES: Register = unit("DVFS_MOVES", 0x268, ReadOnly, "Moves to another clock or voltage since reset; wraps.")
    .with_fields(&[bits("count", 0, 16, "Moves.")]);

const fn unit(name: &'static str, offset: u32, access: Access, doc: &'static str) -> Register {
    register(name, offset, access, doc).with_needs(Needs::Dvfs)
}
