// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why the sequencer stopped.

/// Cause in the register `CAUSE`. Codes are stable, and the checks are made in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Cause {
    None = 0,
    BadOpcode = 1,
    FormatAbsent = 2,
    BadColumns = 3,
    BadRows = 4,
    BadBlocks = 5,
    Misaligned = 6,
    ReservedNotZero = 7,
    ReadError = 8,
    WriteError = 9,
    ReuseWithoutActivations = 10,
    PowerFault = 11,
}

impl Cause {
    /// Every cause, by code.
    pub const ALL: [Cause; 12] = [
        Cause::None,
        Cause::BadOpcode,
        Cause::FormatAbsent,
        Cause::BadColumns,
        Cause::BadRows,
        Cause::BadBlocks,
        Cause::Misaligned,
        Cause::ReservedNotZero,
        Cause::ReadError,
        Cause::WriteError,
        Cause::ReuseWithoutActivations,
        Cause::PowerFault,
    ];

    /// Value in `CAUSE`.
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// The cause with this code, if there is one.
    pub fn from_code(code: u32) -> Option<Cause> {
        Self::ALL.get(code as usize).copied()
    }

    /// Snake-case name, as in the generated register files.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::None => "none",
            Cause::BadOpcode => "bad_opcode",
            Cause::FormatAbsent => "format_absent",
            Cause::BadColumns => "bad_columns",
            Cause::BadRows => "bad_rows",
            Cause::BadBlocks => "bad_blocks",
            Cause::Misaligned => "misaligned",
            Cause::ReservedNotZero => "reserved_not_zero",
            Cause::ReadError => "read_error",
            Cause::WriteError => "write_error",
            Cause::ReuseWithoutActivations => "reuse_without_activations",
            Cause::PowerFault => "power_fault",
        }
    }

    /// One sentence for people.
    pub const fn doc(self) -> &'static str {
        match self {
            Cause::None => "No error.",
            Cause::BadOpcode => "The opcode is none of those defined.",
            Cause::FormatAbsent => "The weight format is not built in.",
            Cause::BadColumns => "Zero columns, or more than are built in.",
            Cause::BadRows => "Zero rows, or more than 2^24 - 1.",
            Cause::BadBlocks => "Zero blocks in a row, more than the activation buffer holds, or not a multiple of lanes / 32.",
            Cause::Misaligned => "An address is not a multiple of 64.",
            Cause::ReservedNotZero => "A bit that no field claims is set.",
            Cause::ReadError => "The memory answered a read with an error.",
            Cause::WriteError => "The memory answered a write with an error.",
            Cause::ReuseWithoutActivations => {
                "reuse_act is set, but no earlier MATMUL since the start loaded activations, or its columns or blocks differ."
            }
            Cause::PowerFault => "A power domain that a MATMUL needed has a fault: its results are wrong.",
        }
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name(), self.code())
    }
}
