// SPDX-License-Identifier: MIT OR Apache-2.0
//! A board at a serial port: the protocol of `docs/link.md`, and the transport over it.

pub mod board;
pub mod faults;
mod link;
mod port;
#[cfg(unix)]
pub mod pty;
pub mod soak;
mod tty;
mod url;

use heddle_core::link::wire;
use heddle_core::registers::map;
use std::time::Duration;

use super::{Transport, TransportError};

pub use link::{Link, LinkCounts, LinkError, Request};
pub use port::Port;
pub use tty::{OpenError, Tty};
pub use url::{DEFAULT_BAUD, SerialUrl};

/// Bytes from which on the device is asked what it holds already.
const CHECKED: usize = 4096;
/// Bytes that are checked, and written, at a time.
const CHUNK: usize = 1 << 14;
/// Time without a cycle of progress after which an accelerator counts as hung.
const STUCK: Duration = Duration::from_secs(20);

/// An accelerator at the other end of a link.
pub struct SerialTransport<P: Port> {
    link: Link<P>,
    uploaded: Uploaded,
}

/// What became of the bytes of large writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uploaded {
    pub written: u64,
    /// Were there already.
    pub skipped: u64,
}

impl SerialTransport<Tty> {
    /// Opens a port and greets the board.
    pub fn open(url: &SerialUrl) -> Result<SerialTransport<Tty>, TransportError> {
        let port = Tty::open(url)?;
        Ok(SerialTransport::new(Link::open(port, url.baud)?))
    }
}

impl<P: Port> SerialTransport<P> {
    pub fn new(link: Link<P>) -> SerialTransport<P> {
        SerialTransport { link, uploaded: Uploaded::default() }
    }

    pub fn link(&mut self) -> &mut Link<P> {
        &mut self.link
    }

    pub fn uploaded(&self) -> Uploaded {
        self.uploaded
    }

    /// Writes whole words in chunks; those that the device holds already are left out, the others are checked after.
    fn upload(&mut self, address: u32, bytes: &[u8]) -> Result<(), TransportError> {
        let chunks: Vec<(u32, &[u8])> = bytes.chunks(CHUNK).zip(0u32..).map(|(c, i)| (address + i * CHUNK as u32, c)).collect();
        let mut due: Vec<usize> = (0..chunks.len()).collect();
        for attempt in 0..3 {
            let ranges: Vec<(u32, u32)> = due.iter().map(|&i| (chunks[i].0, chunks[i].1.len() as u32)).collect();
            let found = self.link.check(&ranges)?;
            let wrong: Vec<usize> = due.iter().zip(found).filter(|(i, crc)| wire::crc(chunks[**i].1) != *crc).map(|(i, _)| *i).collect();
            if attempt == 0 {
                let length = |all: &[usize]| all.iter().map(|&i| chunks[i].1.len() as u64).sum::<u64>();
                self.uploaded.written += length(&wrong);
                self.uploaded.skipped += bytes.len() as u64 - length(&wrong);
            }
            if wrong.is_empty() {
                return Ok(());
            }
            for &i in &wrong {
                self.link.write(chunks[i].0, chunks[i].1)?;
            }
            if !self.link.has_frames() {
                // Each write was found right already.
                return Ok(());
            }
            due = wrong;
        }
        let ranges: Vec<(u32, u32)> = due.iter().map(|&i| (chunks[i].0, chunks[i].1.len() as u32)).collect();
        let found = self.link.check(&ranges)?;
        match due.iter().zip(found).find(|(i, crc)| wire::crc(chunks[**i].1) != *crc) {
            None => Ok(()),
            Some((&i, _)) => Err(TransportError::Verify { address: chunks[i].0 - wire::MEMORY, bytes: chunks[i].1.len() }),
        }
    }

    /// The whole words around a range: their address and bytes, as the device holds them.
    fn around(&mut self, address: u32, bytes: usize) -> Result<(u32, Vec<u8>), TransportError> {
        let start = address & !3;
        let length = ((address - start) as usize + bytes).next_multiple_of(wire::WORD);
        let mut words = vec![0; length];
        self.link.read(start, &mut words)?;
        Ok((start, words))
    }
}

/// The address on the link of an address in memory.
fn memory(address: u32, bytes: usize) -> Result<u32, TransportError> {
    let size = u64::from(u32::MAX - wire::MEMORY) + 1;
    if u64::from(address) + bytes as u64 > size {
        return Err(TransportError::Memory { address, bytes, size });
    }
    Ok(wire::MEMORY + address)
}

impl<P: Port> Transport for SerialTransport<P> {
    fn read_reg(&mut self, offset: u32) -> Result<u32, TransportError> {
        let mut word = [0; 4];
        match self.link.read(wire::REGISTERS + offset, &mut word) {
            Err(LinkError::Bus { .. }) => Err(TransportError::Register { offset }),
            other => other.map(|()| u32::from_le_bytes(word)).map_err(TransportError::from),
        }
    }

    fn write_reg(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        match self.link.write(wire::REGISTERS + offset, &value.to_le_bytes()) {
            Err(LinkError::Bus { .. }) => Err(TransportError::Register { offset }),
            other => Ok(other?),
        }
    }

    fn read_mem(&mut self, address: u32, to: &mut [u8]) -> Result<(), TransportError> {
        let start = memory(address, to.len())?;
        if start % 4 == 0 && to.len().is_multiple_of(wire::WORD) {
            return Ok(self.link.read(start, to)?);
        }
        let (first, words) = self.around(start, to.len())?;
        to.copy_from_slice(&words[(start - first) as usize..][..to.len()]);
        Ok(())
    }

    fn write_mem(&mut self, address: u32, from: &[u8]) -> Result<(), TransportError> {
        let start = memory(address, from.len())?;
        if start % 4 != 0 || !from.len().is_multiple_of(wire::WORD) {
            let (first, mut words) = self.around(start, from.len())?;
            words[(start - first) as usize..][..from.len()].copy_from_slice(from);
            return Ok(self.link.write(first, &words)?);
        }
        if from.len() < CHECKED { Ok(self.link.write(start, from)?) } else { self.upload(start, from) }
    }

    /// Looks at the interrupt's registers until it is high. The accelerator counts the cycles itself; one whose count
    /// stands still is given up after a while.
    fn wait_irq(&mut self, limit: u64) -> Result<(), TransportError> {
        let (mut cycles, mut moved) = (0, self.link.port().now());
        loop {
            let pending = self.read_reg(map::IRQ_STATUS.offset)?;
            if pending & self.read_reg(map::IRQ_ENABLE.offset)? != 0 {
                return Ok(());
            }
            let (count, now) = (self.read_reg(map::CYCLES.offset)?, self.link.port().now());
            if count != cycles {
                (cycles, moved) = (count, now);
            }
            if u64::from(cycles) > limit || now > moved + STUCK {
                return Err(TransportError::Limit { limit });
            }
        }
    }

    fn has_cycles(&self) -> bool {
        true
    }
}

impl<P: Port> Drop for SerialTransport<P> {
    fn drop(&mut self) {
        self.link.bye();
    }
}
