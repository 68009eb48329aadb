// SPDX-License-Identifier: MIT OR Apache-2.0
//! How an accelerator is reached.

use heddle_tb::soc::SocError;

use super::serial::{LinkError, OpenError};

/// Registers, memory and interrupt of one accelerator.
///
/// Addresses are bytes; register offsets are multiples of 4 from `registers::map`.
pub trait Transport: Send {
    fn read_reg(&mut self, offset: u32) -> Result<u32, TransportError>;

    fn write_reg(&mut self, offset: u32, value: u32) -> Result<(), TransportError>;

    /// Fills `to` from the device's memory.
    fn read_mem(&mut self, address: u32, to: &mut [u8]) -> Result<(), TransportError>;

    fn write_mem(&mut self, address: u32, from: &[u8]) -> Result<(), TransportError>;

    /// Returns when the interrupt is high; an error after about `limit` cycles of the accelerator.
    fn wait_irq(&mut self, limit: u64) -> Result<(), TransportError>;

    /// Whether the counters tell cycles.
    fn has_cycles(&self) -> bool;

    /// Clock cycles since the transport was made, where it knows them.
    fn clock_cycles(&self) -> Option<u64> {
        None
    }
}

/// Why an access failed.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    #[error("{bytes} bytes at 0x{address:08x} are not within the {size} bytes of device memory")]
    Memory { address: u32, bytes: usize, size: u64 },
    #[error("there is no register at offset 0x{offset:03x}")]
    Register { offset: u32 },
    #[error("the accelerator did not finish within {limit} cycles; this is an error in the hardware or its memory, please report it")]
    Limit { limit: u64 },
    #[error("simulation: {0}")]
    Sim(#[from] SocError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("{bytes} bytes were written at 0x{address:08x}, and the device holds others; its memory does not work")]
    Verify { address: u32, bytes: usize },
}
