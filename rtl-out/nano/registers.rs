// SPDX-License-Identifier: MIT OR Apache-2.0
//! Registers of the Heddle accelerator, configuration nano (digest 2aa05dbbb9a9c2a2).

/// A register: its byte offset and its value after reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    pub offset: usize,
    pub reset: u32,
}

/// A field of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    pub lsb: u32,
    pub width: u32,
}

impl Field {
    /// The field's bits in place.
    pub const fn mask(self) -> u32 {
        (u32::MAX >> (32 - self.width)) << self.lsb
    }

    /// The field's value in `word`.
    pub const fn get(self, word: u32) -> u32 {
        (word & self.mask()) >> self.lsb
    }

    /// `word` with the field set to `value`; bits beyond its width are dropped.
    pub const fn set(self, word: u32, value: u32) -> u32 {
        word & !self.mask() | (value << self.lsb) & self.mask()
    }
}

/// Identifies the accelerator: the letters HDLE. (RO)
pub const ID: Register = Register { offset: 0x000, reset: 0x48444c45 };

/// Version of the contract between host and hardware. (RO)
pub const VERSION: Register = Register { offset: 0x004, reset: 0x00010000 };

/// Digest of the configuration, bytes 0 to 3, byte 0 lowest. (RO)
pub const DIGEST_LO: Register = Register { offset: 0x008, reset: 0xbb5da02a };

/// Digest of the configuration, bytes 4 to 7, byte 4 lowest. (RO)
pub const DIGEST_HI: Register = Register { offset: 0x00c, reset: 0xa2c2a9b9 };

/// Shape of the build. (RO)
pub const GEOMETRY: Register = Register { offset: 0x010, reset: 0x03040104 };

/// Capacities of the build. (RO)
pub const LIMITS: Register = Register { offset: 0x014, reset: 0x00570040 };

/// Power domains and DVFS of the build; 0 is none. (RO)
pub const POWER: Register = Register { offset: 0x018, reset: 0x00000000 };

/// Commands. (WO)
pub const CONTROL: Register = Register { offset: 0x020, reset: 0x00000000 };

/// State of the sequencer. (RO)
pub const STATUS: Register = Register { offset: 0x024, reset: 0x00000000 };

/// Cause of the error state. (RO)
pub const CAUSE: Register = Register { offset: 0x028, reset: 0x00000000 };

/// Byte address of the descriptor that stopped the program. (RO)
pub const ERROR_ADDR: Register = Register { offset: 0x02c, reset: 0x00000000 };

/// Byte address of the first descriptor, a multiple of 32. (RW)
pub const PROGRAM: Register = Register { offset: 0x030, reset: 0x00000000 };

/// Events that raise the interrupt while they are pending. (RW)
pub const IRQ_ENABLE: Register = Register { offset: 0x034, reset: 0x00000000 };

/// Pending events. (W1C)
pub const IRQ_STATUS: Register = Register { offset: 0x038, reset: 0x00000000 };

/// Holds any value: for tests of the link. (RW)
pub const SCRATCH: Register = Register { offset: 0x03c, reset: 0x00000000 };

/// Cycles busy. (RO)
pub const CYCLES: Register = Register { offset: 0x100, reset: 0x00000000 };

/// Fields of [`VERSION`].
pub mod version {
    use super::Field;

    /// Counts compatible additions.
    pub const MINOR: Field = Field { lsb: 0, width: 16 };

    /// Counts incompatible changes.
    pub const MAJOR: Field = Field { lsb: 16, width: 16 };
}

/// Fields of [`GEOMETRY`].
pub mod geometry {
    use super::Field;

    /// Weights per cycle.
    pub const LANES: Field = Field { lsb: 0, width: 8 };

    /// Activation vectors per stream of weights.
    pub const COLUMNS: Field = Field { lsb: 8, width: 8 };

    /// Bytes in a beat of the memory port.
    pub const PORT_BYTES: Field = Field { lsb: 16, width: 8 };

    /// Bit f: the weight format with id f is built in.
    pub const FORMATS: Field = Field { lsb: 24, width: 8 };
}

/// Fields of [`LIMITS`].
pub mod limits {
    use super::Field;

    /// Longest activation vector, in blocks of 32.
    pub const ACT_BLOCKS: Field = Field { lsb: 0, width: 16 };

    /// Log2 of the prefetch FIFO's depth in beats.
    pub const FIFO_LOG2: Field = Field { lsb: 16, width: 4 };

    /// Log2 of the longest burst in beats.
    pub const BURST_LOG2: Field = Field { lsb: 20, width: 4 };
}

/// Fields of [`POWER`].
pub mod power {
    use super::Field;

    /// Power domains.
    pub const DOMAINS: Field = Field { lsb: 0, width: 8 };

    /// Columns of the array in one domain.
    pub const COLUMNS: Field = Field { lsb: 8, width: 8 };

    /// Segments in each chain of switches.
    pub const STAGES: Field = Field { lsb: 16, width: 8 };

    /// Entries of the DVFS table.
    pub const DVFS_ENTRIES: Field = Field { lsb: 24, width: 8 };
}

/// Fields of [`CONTROL`].
pub mod control {
    use super::Field;

    /// Runs the program at PROGRAM and clears done and the counters. Ignored while busy or in the error state.
    pub const START: Field = Field { lsb: 0, width: 1 };

    /// Leaves the error state; clears done, saturated, the cause and the counters. Ignored while busy.
    pub const CLEAR: Field = Field { lsb: 1, width: 1 };
}

/// Fields of [`STATUS`].
pub mod status {
    use super::Field;

    /// A program is running.
    pub const BUSY: Field = Field { lsb: 0, width: 1 };

    /// The program reached its END, and all results are written.
    pub const DONE: Field = Field { lsb: 1, width: 1 };

    /// The program stopped with the error in CAUSE.
    pub const ERROR: Field = Field { lsb: 2, width: 1 };

    /// A result since the last clear left the range of the accumulator and is wrong.
    pub const SATURATED: Field = Field { lsb: 3, width: 1 };
}

/// Fields of [`CAUSE`].
pub mod cause {
    use super::Field;

    /// Why the program stopped.
    pub const CAUSE: Field = Field { lsb: 0, width: 4 };
    /// No error.
    pub const CAUSE_NONE: u32 = 0;
    /// The opcode is none of those defined.
    pub const CAUSE_BAD_OPCODE: u32 = 1;
    /// The weight format is not built in.
    pub const CAUSE_FORMAT_ABSENT: u32 = 2;
    /// Zero columns, or more than are built in.
    pub const CAUSE_BAD_COLUMNS: u32 = 3;
    /// Zero rows, or more than 2^24 - 1.
    pub const CAUSE_BAD_ROWS: u32 = 4;
    /// Zero blocks in a row, more than the activation buffer holds, or not a multiple of lanes / 32.
    pub const CAUSE_BAD_BLOCKS: u32 = 5;
    /// An address is not a multiple of 64.
    pub const CAUSE_MISALIGNED: u32 = 6;
    /// A bit that no field claims is set.
    pub const CAUSE_RESERVED_NOT_ZERO: u32 = 7;
    /// The memory answered a read with an error.
    pub const CAUSE_READ_ERROR: u32 = 8;
    /// The memory answered a write with an error.
    pub const CAUSE_WRITE_ERROR: u32 = 9;
    /// reuse_act is set, but no earlier MATMUL since the start loaded activations, or its columns or blocks differ.
    pub const CAUSE_REUSE_WITHOUT_ACTIVATIONS: u32 = 10;
    /// A power domain that a MATMUL needed has a fault: its results are wrong.
    pub const CAUSE_POWER_FAULT: u32 = 11;
}

/// Fields of [`PROGRAM`].
pub mod program {
    use super::Field;

    /// Bits 31:5 of the address; the lower ones are 0.
    pub const ADDRESS: Field = Field { lsb: 5, width: 27 };
}

/// Fields of [`IRQ_ENABLE`].
pub mod irq_enable {
    use super::Field;

    /// A program reached its END.
    pub const DONE: Field = Field { lsb: 0, width: 1 };

    /// A program stopped with an error.
    pub const ERROR: Field = Field { lsb: 1, width: 1 };
}

/// Fields of [`IRQ_STATUS`].
pub mod irq_status {
    use super::Field;

    /// A program reached its END.
    pub const DONE: Field = Field { lsb: 0, width: 1 };

    /// A program stopped with an error.
    pub const ERROR: Field = Field { lsb: 1, width: 1 };
}
