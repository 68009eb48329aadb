// SPDX-License-Identifier: MIT OR Apache-2.0
//! The declaration: every register, its fields and their meaning.

use super::Access::{ReadOnly, ReadWrite, WriteOneToClear, WriteOnly};
use super::dvfs;
use super::{Bits, Needs, Register, Reset, Value, bits, cause_values, register};
use crate::config::{CONTRACT_VERSION, Config};
use crate::power::domain;

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

pub const POWER_DOMAINS: Bits = bits("domains", 0, 8, "Power domains.");
pub const POWER_COLUMNS: Bits = bits("columns", 8, 8, "Columns of the array in one domain.");
pub const POWER_STAGES: Bits = bits("stages", 16, 8, "Segments in each chain of switches.");
pub const POWER_DVFS: Bits = bits("dvfs_entries", 24, 8, "Entries of the DVFS table.");
pub const POWER: Register = register("POWER", 0x018, ReadOnly, "Power domains and DVFS of the build; 0 is none.")
    .with_reset(Reset::Build(power))
    .with_fields(&[POWER_DOMAINS, POWER_COLUMNS, POWER_STAGES, POWER_DVFS]);

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

pub const CYCLES: Register = counter("CYCLES", 0x100, "Cycles busy.").with_needs(Needs::Nothing);
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

/// One bit per domain.
const DOMAINS: Bits = bits("domains", 0, 8, "Bit d: domain d.");
pub const POWER_ENABLE: Register =
    domains("POWER_ENABLE", 0x200, ReadWrite, "Domains that may be switched off; the others are kept on.").with_fields(&[DOMAINS]);
pub const POWER_IDLE: Register =
    domains("POWER_IDLE", 0x204, ReadWrite, "Break-even time: a domain is switched off after so many cycles in which it was not needed.")
        .with_fields(&[bits("cycles", 0, 16, "Cycles.")])
        .with_reset(Reset::Value(256));
pub const POWER_LIMIT: Register =
    domains("POWER_LIMIT", 0x208, ReadWrite, "Cycles that a controller waits for an answer before it calls it missing.")
        .with_fields(&[bits("cycles", 0, 16, "Cycles.")])
        .with_reset(Reset::Value(0xffff));
pub const POWER_MODE_WITHIN: Bits = bits(
    "within_matrix",
    0,
    1,
    "A domain is needed only while chunks of weights are there for it: it may sleep within a matrix, and wakes late.",
);
pub const POWER_MODE: Register = domains("POWER_MODE", 0x20c, ReadWrite, "When a domain is needed.").with_fields(&[POWER_MODE_WITHIN]);
pub const POWER_SELECT_DOMAIN: Bits = bits("domain", 0, 3, "Domain.");
pub const POWER_SELECT_STATE: Bits = Bits { values: &domain::STATES, ..bits("state", 8, 5, "State of its controller.") };
pub const POWER_SELECT: Register = domains("POWER_SELECT", 0x210, ReadWrite, "What the registers that follow show.")
    .with_fields(&[POWER_SELECT_DOMAIN, POWER_SELECT_STATE]);
pub const POWER_STATE_STATE: Bits = Bits { values: &domain::STATES, ..bits("state", 0, 5, "State of its controller.") };
pub const POWER_STATE_ON: Bits = bits("on", 8, 1, "It may be given work.");
pub const POWER_STATE_FAULT: Bits = bits("fault", 9, 1, "It is off and clamped until it is cleared.");
pub const POWER_STATE_CAUSE: Bits = Bits { values: &domain::CAUSES, ..bits("cause", 16, 3, "The first complaint since the last clear.") };
pub const POWER_STATE: Register = domains("POWER_STATE", 0x214, ReadOnly, "The selected domain.").with_fields(&[
    POWER_STATE_STATE,
    POWER_STATE_ON,
    POWER_STATE_FAULT,
    POWER_STATE_CAUSE,
]);
pub const POWER_RESIDENCY: Register =
    domains("POWER_RESIDENCY", 0x218, ReadOnly, "Cycles that the selected domain has spent in the selected state since reset; wraps.");
pub const POWER_UPS: Register = domains("POWER_UPS", 0x21c, ReadOnly, "Times that the selected domain was switched on since reset; wraps.");
pub const WAKE_STALL: Register =
    domains("WAKE_STALL", 0x220, ReadOnly, "Cycles in which a chunk of weights waited for a domain; cleared like the other counters.");
pub const POWER_FAULTS: Register = domains("POWER_FAULTS", 0x224, ReadOnly, "Domains with a fault.").with_fields(&[DOMAINS]);
pub const POWER_CLEAR: Register =
    domains("POWER_CLEAR", 0x228, WriteOnly, "Domains whose fault and cause are forgotten.").with_fields(&[DOMAINS]);

pub const POWER_IRQ_FAULT: Bits = bits("fault", 0, 1, "A controller of a domain complained: see its cause.");
pub const POWER_IRQ_TTFT: Bits = bits("ttft", 1, 1, "The target for the first token was missed.");
pub const POWER_IRQ_TPOT: Bits = bits("tpot", 2, 1, "The target for a further token was missed.");
pub const POWER_IRQ_DVFS: Bits = bits("dvfs", 3, 1, "The DVFS unit complained: see its cause.");
const POWER_EVENTS: [Bits; 4] = [POWER_IRQ_FAULT, POWER_IRQ_TTFT, POWER_IRQ_TPOT, POWER_IRQ_DVFS];
pub const POWER_IRQ_ENABLE: Register =
    register("POWER_IRQ_ENABLE", 0x22c, ReadWrite, "Events of power that raise the interrupt while they are pending.")
        .with_needs(Needs::Power)
        .with_fields(&POWER_EVENTS);
pub const POWER_IRQ_STATUS: Register =
    register("POWER_IRQ_STATUS", 0x230, WriteOneToClear, "Pending events of power.").with_needs(Needs::Power).with_fields(&POWER_EVENTS);

/// Every register there can be, by offset.
pub const REGISTERS: [&Register; 54] = [
    &ID,
    &VERSION,
    &DIGEST_LO,
    &DIGEST_HI,
    &GEOMETRY,
    &LIMITS,
    &POWER,
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
    &POWER_ENABLE,
    &POWER_IDLE,
    &POWER_LIMIT,
    &POWER_MODE,
    &POWER_SELECT,
    &POWER_STATE,
    &POWER_RESIDENCY,
    &POWER_UPS,
    &WAKE_STALL,
    &POWER_FAULTS,
    &POWER_CLEAR,
    &POWER_IRQ_ENABLE,
    &POWER_IRQ_STATUS,
    &dvfs::DVFS_LIMIT,
    &dvfs::DVFS_ENTRY,
    &dvfs::DVFS_CONTROL,
    &dvfs::DVFS_READ,
    &dvfs::DVFS_STATE,
    &dvfs::DVFS_TTFT,
    &dvfs::DVFS_TPOT,
    &dvfs::DVFS_ELAPSED,
    &dvfs::DVFS_SLACK,
    &dvfs::DVFS_VIOLATIONS,
    &dvfs::DVFS_MOVES,
];

const CAUSES: [Value; 12] = cause_values();

/// A performance counter: 32 bits, wraps, cleared by `CONTROL.start` and `CONTROL.clear`.
const fn counter(name: &'static str, offset: u32, doc: &'static str) -> Register {
    register(name, offset, ReadOnly, doc).with_needs(Needs::Counters)
}

/// A register of the power domains.
const fn domains(name: &'static str, offset: u32, access: super::Access, doc: &'static str) -> Register {
    register(name, offset, access, doc).with_needs(Needs::Domains)
}

fn power(config: &Config) -> u32 {
    let gated = u32::from(config.domains() > 0);
    config.domains() << POWER_DOMAINS.lsb
        | config.power.columns_per_domain << POWER_COLUMNS.lsb
        | (gated * config.power.switch_stages) << POWER_STAGES.lsb
        | config.power.dvfs_entries << POWER_DVFS.lsb
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
