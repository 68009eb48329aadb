// SPDX-License-Identifier: MIT OR Apache-2.0
//! The declaration: every register, its fields and their meaning.

use super::Access::{ReadOnly, ReadWrite, WriteOneToClear, WriteOnly};
use super::{Bits, Register, Reset, Value, bits, cause_values, register};
use crate::config::{CONTRACT_VERSION, Config};

/// Value of [`ID`]: the letters HDLE.
pub const ID_VALUE: u32 = 0x4844_4c45;

pub const ID: Register =
    register("ID", 0x000, ReadOnly, "Identifies the accelerator: the letters HDLE.").with_reset(Reset::Value(ID_VALUE));
pub const VERSION: Register = register("VERSION", 0x004, ReadOnly, "Version of the contract between host and hardware.")
    .with_reset(Reset::Value((CONTRACT_VERSION.0 as u32) << 16 | CONTRACT_VERSION.1 as u32))
    .with_fields(&[bits("minor", 0, 16, "Counts compatible additions."), bits("major", 16, 16, "Counts incompatible changes.")]);
pub const DIGEST_LO: Register = register("DIGEST_LO", 0x008, ReadOnly, "Digest of the configuration, bytes 0 to 3, byte 0 lowest.")
    .with_reset(Reset::Build(|config| digest_word(config, 0)));
pub const DIGEST_HI: Register = register("DIGEST_HI", 0x00c, ReadOnly, "Digest of the configuration, bytes 4 to 7, byte 4 lowest.")
    .with_reset(Reset::Build(|config| digest_word(config, 1)));

pub const GEOMETRY_LANES: Bits = bits("lanes", 0, 8, "Weights per cycle.");
pub const GEOMETRY_COLUMNS: Bits = bits("columns", 8, 8, "Activation vectors per stream of weights.");
pub const GEOMETRY_PORT_BYTES: Bits = bits("port_bytes", 16, 8, "Bytes in a beat of the memory port.");
pub const GEOMETRY_FORMATS: Bits = bits("formats", 24, 8, "Bit f: the weight format with id f is built in.");
pub const GEOMETRY: Register = register("GEOMETRY", 0x010, ReadOnly, "Shape of the build.")
    .with_reset(Reset::Build(geometry))
    .with_fields(&[GEOMETRY_LANES, GEOMETRY_COLUMNS, GEOMETRY_PORT_BYTES, GEOMETRY_FORMATS]);

pub const LIMITS_ACT_BLOCKS: Bits = bits("act_blocks", 0, 16, "Longest activation vector, in blocks of 32.");
pub const LIMITS_FIFO_LOG2: Bits = bits("fifo_log2", 16, 4, "Log2 of the prefetch FIFO's depth in beats.");
pub const LIMITS_BURST_LOG2: Bits = bits("burst_log2", 20, 4, "Log2 of the longest burst in beats.");
pub const LIMITS: Register = register("LIMITS", 0x014, ReadOnly, "Capacities of the build.")
    .with_reset(Reset::Build(limits))
    .with_fields(&[LIMITS_ACT_BLOCKS, LIMITS_FIFO_LOG2, LIMITS_BURST_LOG2]);

pub const CONTROL_START: Bits =
    bits("start", 0, 1, "Runs the program at PROGRAM and clears done and the counters. Ignored while busy or in the error state.");
pub const CONTROL_CLEAR: Bits =
    bits("clear", 1, 1, "Leaves the error state; clears done, saturated, the cause and the counters. Ignored while busy.");
pub const CONTROL: Register = register("CONTROL", 0x020, WriteOnly, "Commands.").with_fields(&[CONTROL_START, CONTROL_CLEAR]);

pub const STATUS_BUSY: Bits = bits("busy", 0, 1, "A program is running.");
pub const STATUS_DONE: Bits = bits("done", 1, 1, "The program reached its END, and all results are written.");
pub const STATUS_ERROR: Bits = bits("error", 2, 1, "The program stopped with the error in CAUSE.");
pub const STATUS_SATURATED: Bits = bits("saturated", 3, 1, "A result since the last clear left the range of the accumulator and is wrong.");
pub const STATUS: Register =
    register("STATUS", 0x024, ReadOnly, "State of the sequencer.").with_fields(&[STATUS_BUSY, STATUS_DONE, STATUS_ERROR, STATUS_SATURATED]);

pub const CAUSE_CAUSE: Bits = Bits { values: &CAUSES, ..bits("cause", 0, 4, "Why the program stopped.") };
pub const CAUSE: Register = register("CAUSE", 0x028, ReadOnly, "Cause of the error state.").with_fields(&[CAUSE_CAUSE]);
pub const ERROR_ADDR: Register = register("ERROR_ADDR", 0x02c, ReadOnly, "Byte address of the descriptor that stopped the program.");
pub const PROGRAM: Register = register("PROGRAM", 0x030, ReadWrite, "Byte address of the first descriptor, a multiple of 32.")
    .with_fields(&[bits("address", 5, 27, "Bits 31:5 of the address; the lower ones are 0.")]);

pub const IRQ_DONE: Bits = bits("done", 0, 1, "A program reached its END.");
pub const IRQ_ERROR: Bits = bits("error", 1, 1, "A program stopped with an error.");
pub const IRQ_ENABLE: Register =
    register("IRQ_ENABLE", 0x034, ReadWrite, "Events that raise the interrupt while they are pending.").with_fields(&[IRQ_DONE, IRQ_ERROR]);
pub const IRQ_STATUS: Register = register("IRQ_STATUS", 0x038, WriteOneToClear, "Pending events.").with_fields(&[IRQ_DONE, IRQ_ERROR]);
pub const SCRATCH: Register = register("SCRATCH", 0x03c, ReadWrite, "Holds any value: for tests of the link.");

pub const CYCLES: Register = counter("CYCLES", 0x100, "Cycles busy.");
pub const READ_BEATS: Register = counter("READ_BEATS", 0x104, "Beats read from memory.");
pub const READ_WAIT: Register = counter("READ_WAIT", 0x108, "Cycles with a read outstanding and no beat offered.");
pub const READ_BLOCKED: Register =
    counter("READ_BLOCKED", 0x10c, "Cycles with no read outstanding because the FIFO had no room for a burst.");
pub const READ_IDLE: Register = counter("READ_IDLE", 0x110, "Cycles with nothing to read.");
pub const ARRAY_BUSY: Register = counter("ARRAY_BUSY", 0x114, "Cycles in which the array took weights.");
pub const ARRAY_STARVED: Register =
    counter("ARRAY_STARVED", 0x118, "Cycles with a MATMUL issued and no weights for the array, or its activations not yet readable.");
pub const ARRAY_BLOCKED: Register = counter("ARRAY_BLOCKED", 0x11c, "Cycles with weights ready that waited for room for results.");
pub const BLOCKS: Register = counter("BLOCKS", 0x120, "Weight blocks times columns processed: products divided by 32.");
pub const ROWS: Register = counter("ROWS", 0x124, "Results: rows times columns.");
pub const WRITE_BEATS: Register = counter("WRITE_BEATS", 0x128, "Beats written to memory.");
pub const WRITE_WAIT: Register = counter("WRITE_WAIT", 0x12c, "Cycles with a write beat offered and not accepted.");
pub const DESCRIPTORS: Register = counter("DESCRIPTORS", 0x130, "Descriptors completed.");
pub const FIRST_BEAT: Register = counter("FIRST_BEAT", 0x134, "Value of CYCLES at the first beat of weights.");
pub const LAST_RESULT: Register = counter("LAST_RESULT", 0x138, "Value of CYCLES when the last result was acknowledged.");

/// Every register, by offset.
pub const REGISTERS: [&Register; 29] = [
    &ID,
    &VERSION,
    &DIGEST_LO,
    &DIGEST_HI,
    &GEOMETRY,
    &LIMITS,
    &CONTROL,
    &STATUS,
    &CAUSE,
    &ERROR_ADDR,
    &PROGRAM,
    &IRQ_ENABLE,
    &IRQ_STATUS,
    &SCRATCH,
    &CYCLES,
    &READ_BEATS,
    &READ_WAIT,
    &READ_BLOCKED,
    &READ_IDLE,
    &ARRAY_BUSY,
    &ARRAY_STARVED,
    &ARRAY_BLOCKED,
    &BLOCKS,
    &ROWS,
    &WRITE_BEATS,
    &WRITE_WAIT,
    &DESCRIPTORS,
    &FIRST_BEAT,
    &LAST_RESULT,
];

const CAUSES: [Value; 11] = cause_values();

/// A performance counter: 32 bits, wraps, cleared by `CONTROL.start` and `CONTROL.clear`.
const fn counter(name: &'static str, offset: u32, doc: &'static str) -> Register {
    register(name, offset, ReadOnly, doc)
}

fn digest_word(config: &Config, word: usize) -> u32 {
    let digest = config.digest();
    u32::from_le_bytes(std::array::from_fn(|i| digest[4 * word + i]))
}

fn geometry(config: &Config) -> u32 {
    config.array.lanes << GEOMETRY_LANES.lsb
        | config.array.columns << GEOMETRY_COLUMNS.lsb
        | config.port_bytes() << GEOMETRY_PORT_BYTES.lsb
        | u32::from(config.format_mask()) << GEOMETRY_FORMATS.lsb
}

fn limits(config: &Config) -> u32 {
    config.activations.blocks << LIMITS_ACT_BLOCKS.lsb
        | config.memory.fifo_beats.ilog2() << LIMITS_FIFO_LOG2.lsb
        | config.memory.burst_beats.ilog2() << LIMITS_BURST_LOG2.lsb
}
