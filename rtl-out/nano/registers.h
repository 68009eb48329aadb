/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Registers of the Heddle accelerator, configuration nano (digest 2aa05dbbb9a9c2a2). */

#ifndef HEDDLE_REGISTERS_H
#define HEDDLE_REGISTERS_H

/* Identifies the accelerator: the letters HDLE. (RO) */
#define HEDDLE_ID_OFFSET                             0x000u
#define HEDDLE_ID_RESET                              0x48444c45u

/* Version of the contract between host and hardware. (RO) */
#define HEDDLE_VERSION_OFFSET                        0x004u
#define HEDDLE_VERSION_RESET                         0x00010000u
/* Counts compatible additions. */
#define HEDDLE_VERSION_MINOR_LSB                     0u
#define HEDDLE_VERSION_MINOR_MASK                    0x0000ffffu
/* Counts incompatible changes. */
#define HEDDLE_VERSION_MAJOR_LSB                     16u
#define HEDDLE_VERSION_MAJOR_MASK                    0xffff0000u

/* Digest of the configuration, bytes 0 to 3, byte 0 lowest. (RO) */
#define HEDDLE_DIGEST_LO_OFFSET                      0x008u
#define HEDDLE_DIGEST_LO_RESET                       0xbb5da02au

/* Digest of the configuration, bytes 4 to 7, byte 4 lowest. (RO) */
#define HEDDLE_DIGEST_HI_OFFSET                      0x00cu
#define HEDDLE_DIGEST_HI_RESET                       0xa2c2a9b9u

/* Shape of the build. (RO) */
#define HEDDLE_GEOMETRY_OFFSET                       0x010u
#define HEDDLE_GEOMETRY_RESET                        0x03040104u
/* Weights per cycle. */
#define HEDDLE_GEOMETRY_LANES_LSB                    0u
#define HEDDLE_GEOMETRY_LANES_MASK                   0x000000ffu
/* Activation vectors per stream of weights. */
#define HEDDLE_GEOMETRY_COLUMNS_LSB                  8u
#define HEDDLE_GEOMETRY_COLUMNS_MASK                 0x0000ff00u
/* Bytes in a beat of the memory port. */
#define HEDDLE_GEOMETRY_PORT_BYTES_LSB               16u
#define HEDDLE_GEOMETRY_PORT_BYTES_MASK              0x00ff0000u
/* Bit f: the weight format with id f is built in. */
#define HEDDLE_GEOMETRY_FORMATS_LSB                  24u
#define HEDDLE_GEOMETRY_FORMATS_MASK                 0xff000000u

/* Capacities of the build. (RO) */
#define HEDDLE_LIMITS_OFFSET                         0x014u
#define HEDDLE_LIMITS_RESET                          0x00570040u
/* Longest activation vector, in blocks of 32. */
#define HEDDLE_LIMITS_ACT_BLOCKS_LSB                 0u
#define HEDDLE_LIMITS_ACT_BLOCKS_MASK                0x0000ffffu
/* Log2 of the prefetch FIFO's depth in beats. */
#define HEDDLE_LIMITS_FIFO_LOG2_LSB                  16u
#define HEDDLE_LIMITS_FIFO_LOG2_MASK                 0x000f0000u
/* Log2 of the longest burst in beats. */
#define HEDDLE_LIMITS_BURST_LOG2_LSB                 20u
#define HEDDLE_LIMITS_BURST_LOG2_MASK                0x00f00000u

/* Power domains and DVFS of the build; 0 is none. (RO) */
#define HEDDLE_POWER_OFFSET                          0x018u
#define HEDDLE_POWER_RESET                           0x00000000u
/* Power domains. */
#define HEDDLE_POWER_DOMAINS_LSB                     0u
#define HEDDLE_POWER_DOMAINS_MASK                    0x000000ffu
/* Columns of the array in one domain. */
#define HEDDLE_POWER_COLUMNS_LSB                     8u
#define HEDDLE_POWER_COLUMNS_MASK                    0x0000ff00u
/* Segments in each chain of switches. */
#define HEDDLE_POWER_STAGES_LSB                      16u
#define HEDDLE_POWER_STAGES_MASK                     0x00ff0000u
/* Entries of the DVFS table. */
#define HEDDLE_POWER_DVFS_ENTRIES_LSB                24u
#define HEDDLE_POWER_DVFS_ENTRIES_MASK               0xff000000u

/* Commands. (WO) */
#define HEDDLE_CONTROL_OFFSET                        0x020u
#define HEDDLE_CONTROL_RESET                         0x00000000u
/* Runs the program at PROGRAM and clears done and the counters. Ignored while busy or in the error state. */
#define HEDDLE_CONTROL_START_LSB                     0u
#define HEDDLE_CONTROL_START_MASK                    0x00000001u
/* Leaves the error state; clears done, saturated, the cause and the counters. Ignored while busy. */
#define HEDDLE_CONTROL_CLEAR_LSB                     1u
#define HEDDLE_CONTROL_CLEAR_MASK                    0x00000002u

/* State of the sequencer. (RO) */
#define HEDDLE_STATUS_OFFSET                         0x024u
#define HEDDLE_STATUS_RESET                          0x00000000u
/* A program is running. */
#define HEDDLE_STATUS_BUSY_LSB                       0u
#define HEDDLE_STATUS_BUSY_MASK                      0x00000001u
/* The program reached its END, and all results are written. */
#define HEDDLE_STATUS_DONE_LSB                       1u
#define HEDDLE_STATUS_DONE_MASK                      0x00000002u
/* The program stopped with the error in CAUSE. */
#define HEDDLE_STATUS_ERROR_LSB                      2u
#define HEDDLE_STATUS_ERROR_MASK                     0x00000004u
/* A result since the last clear left the range of the accumulator and is wrong. */
#define HEDDLE_STATUS_SATURATED_LSB                  3u
#define HEDDLE_STATUS_SATURATED_MASK                 0x00000008u

/* Cause of the error state. (RO) */
#define HEDDLE_CAUSE_OFFSET                          0x028u
#define HEDDLE_CAUSE_RESET                           0x00000000u
/* Why the program stopped. */
#define HEDDLE_CAUSE_CAUSE_LSB                       0u
#define HEDDLE_CAUSE_CAUSE_MASK                      0x0000000fu
#define HEDDLE_CAUSE_CAUSE_NONE                      0u
#define HEDDLE_CAUSE_CAUSE_BAD_OPCODE                1u
#define HEDDLE_CAUSE_CAUSE_FORMAT_ABSENT             2u
#define HEDDLE_CAUSE_CAUSE_BAD_COLUMNS               3u
#define HEDDLE_CAUSE_CAUSE_BAD_ROWS                  4u
#define HEDDLE_CAUSE_CAUSE_BAD_BLOCKS                5u
#define HEDDLE_CAUSE_CAUSE_MISALIGNED                6u
#define HEDDLE_CAUSE_CAUSE_RESERVED_NOT_ZERO         7u
#define HEDDLE_CAUSE_CAUSE_READ_ERROR                8u
#define HEDDLE_CAUSE_CAUSE_WRITE_ERROR               9u
#define HEDDLE_CAUSE_CAUSE_REUSE_WITHOUT_ACTIVATIONS 10u
#define HEDDLE_CAUSE_CAUSE_POWER_FAULT               11u

/* Byte address of the descriptor that stopped the program. (RO) */
#define HEDDLE_ERROR_ADDR_OFFSET                     0x02cu
#define HEDDLE_ERROR_ADDR_RESET                      0x00000000u

/* Byte address of the first descriptor, a multiple of 32. (RW) */
#define HEDDLE_PROGRAM_OFFSET                        0x030u
#define HEDDLE_PROGRAM_RESET                         0x00000000u
/* Bits 31:5 of the address; the lower ones are 0. */
#define HEDDLE_PROGRAM_ADDRESS_LSB                   5u
#define HEDDLE_PROGRAM_ADDRESS_MASK                  0xffffffe0u

/* Events that raise the interrupt while they are pending. (RW) */
#define HEDDLE_IRQ_ENABLE_OFFSET                     0x034u
#define HEDDLE_IRQ_ENABLE_RESET                      0x00000000u
/* A program reached its END. */
#define HEDDLE_IRQ_ENABLE_DONE_LSB                   0u
#define HEDDLE_IRQ_ENABLE_DONE_MASK                  0x00000001u
/* A program stopped with an error. */
#define HEDDLE_IRQ_ENABLE_ERROR_LSB                  1u
#define HEDDLE_IRQ_ENABLE_ERROR_MASK                 0x00000002u

/* Pending events. (W1C) */
#define HEDDLE_IRQ_STATUS_OFFSET                     0x038u
#define HEDDLE_IRQ_STATUS_RESET                      0x00000000u
/* A program reached its END. */
#define HEDDLE_IRQ_STATUS_DONE_LSB                   0u
#define HEDDLE_IRQ_STATUS_DONE_MASK                  0x00000001u
/* A program stopped with an error. */
#define HEDDLE_IRQ_STATUS_ERROR_LSB                  1u
#define HEDDLE_IRQ_STATUS_ERROR_MASK                 0x00000002u

/* Holds any value: for tests of the link. (RW) */
#define HEDDLE_SCRATCH_OFFSET                        0x03cu
#define HEDDLE_SCRATCH_RESET                         0x00000000u

/* Cycles busy. (RO) */
#define HEDDLE_CYCLES_OFFSET                         0x100u
#define HEDDLE_CYCLES_RESET                          0x00000000u

#endif
