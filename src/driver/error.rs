// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can go wrong between host and accelerator.

use heddle_core::config::CONTRACT_VERSION;
use heddle_core::descriptor::Cause;
use heddle_core::format::layout::LayoutError;

use super::dvfs::DvfsError;
use super::{GatingError, TransportError};

/// Why an operation of the driver failed.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("there is no Heddle accelerator: its ID register reads 0x{found:08x} instead of 0x48444c45; check the link and what is loaded")]
    Id { found: u32 },
    #[error(
        "the accelerator speaks version {}.{} of the contract, this program {}.{}; generate and load the hardware again, \
         or use the program it came with", found.0, found.1, CONTRACT_VERSION.0, CONTRACT_VERSION.1
    )]
    Version { found: (u16, u16) },
    #[error(
        "the accelerator was built from another configuration: its digest is {found} ({lanes} lanes x {columns} columns, \
         {port_bits}-bit port), that of `{config}` is {wanted}; give the configuration it was built from (--preset, --config, \
         --set), or generate and load the hardware of `{config}`"
    )]
    Digest { found: String, wanted: String, config: String, lanes: u32, columns: u32, port_bits: u32 },
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error(
        "a result of the program at 0x{program:08x} left the range of the accumulator; the model's scales are too large \
         for this arithmetic (docs/numerics.md)"
    )]
    Saturated { program: u32 },
    #[error("{found} vectors for hardware of 1 to {limit} columns")]
    Columns { found: usize, limit: usize },
    #[error(transparent)]
    Gating(#[from] GatingError),
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error(transparent)]
    Dvfs(#[from] DvfsError),
}

/// The error state: why and at which descriptor the accelerator stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Absent for a code that this program does not know.
    pub cause: Option<Cause>,
    pub code: u32,
    /// Byte address of the descriptor.
    pub address: u32,
    /// After a fault of power: the domains, and what their controllers say.
    pub faults: String,
    /// The program up to the descriptor; empty if it cannot be read.
    pub listing: String,
}

impl std::error::Error for Stopped {}

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Stopped { cause, code, address, faults, listing } = self;
        write!(f, "the accelerator stopped at the descriptor at 0x{address:08x}: ")?;
        match cause {
            Some(cause) => write!(f, "{cause}: {}", cause.doc())?,
            None => write!(f, "unknown cause {code}")?,
        }
        if !faults.is_empty() {
            write!(f, " ({faults}; a supply or a switch failed, or answers later than POWER_LIMIT allows)")?;
        }
        if listing.is_empty() { Ok(()) } else { write!(f, "\n{}", listing.trim_end()) }
    }
}
