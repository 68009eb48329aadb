// SPDX-License-Identifier: MIT OR Apache-2.0
//! Requests by uartbone, for a board whose link has no frames.
//!
//! Nothing checks the bytes on their way. What is written to memory is read back and compared; a register that is written
//! is followed by a word that shows whether the board is still in step. What is read is taken as it comes.

use std::time::Duration;

use heddle_core::link::wire::{self, Op, WORD, bone};

use super::{ATTEMPTS, Link, LinkError, Request, SLACK};
use crate::driver::serial::Port;

/// Bytes of a command ahead of its words.
const HEAD: u32 = 6;
/// Bytes that one command reads at most.
const MOST: usize = 256 * WORD;

/// A command; words follow if it writes.
fn command(code: u8, address: u32, bytes: usize) -> Vec<u8> {
    // 256 words are written as 0.
    let mut command = vec![code, (bytes / WORD) as u8];
    command.extend((address / WORD as u32).to_be_bytes());
    command
}

/// Words as numbers of the wire, and back: highest byte first there, lowest here.
fn turned(bytes: &[u8]) -> Vec<u8> {
    bytes.chunks(WORD).flat_map(|word| word.iter().rev().copied()).collect()
}

impl<P: Port> Link<P> {
    /// Whether a board answers whose link has uartbone alone.
    pub(super) fn speaks_bone(&mut self, wait: Duration) -> Result<bool, LinkError> {
        let (sent, exchanged) = (self.port.now(), HEAD + WORD as u32);
        self.send(&command(bone::READ, wire::LINK, WORD))?;
        let (until, mut heard) = (sent + wait + self.byte_time * exchanged, Vec::new());
        while !heard.ends_with(&wire::BONE_ONLY.to_be_bytes()) {
            let mut byte = [0];
            if self.listen(&mut byte, until)? == 0 {
                return Ok(false);
            }
            heard.extend(byte);
        }
        let measured = (self.port.now() - sent).saturating_sub(SLACK) / exchanged;
        self.byte_time = self.byte_time.max(measured);
        Ok(true)
    }

    /// Carries out requests one by one; the data of each.
    pub(super) fn one_by_one(&mut self, requests: &[Request]) -> Result<Vec<Vec<u8>>, LinkError> {
        requests.iter().map(|request| self.carry_out(request)).collect()
    }

    fn carry_out(&mut self, request: &Request) -> Result<Vec<u8>, LinkError> {
        self.counts.requests += 1;
        let (address, payload) = (request.address, &request.payload);
        let count = payload.first_chunk().map_or(0, |count| u32::from_le_bytes(*count)) as usize;
        match request.op {
            Op::Read => self.read_words(address, count),
            Op::Check => self.crc_of(address, count).map(|crc| crc.to_le_bytes().into()),
            Op::Write if address < wire::LINK => self.write_memory(address, payload).map(|()| Vec::new()),
            Op::Write => self.write_register(address, payload).map(|()| Vec::new()),
            Op::Hello | Op::Bye | Op::Again => Ok(Vec::new()),
        }
    }

    fn read_words(&mut self, address: u32, count: usize) -> Result<Vec<u8>, LinkError> {
        for failures in 0..ATTEMPTS {
            self.send(&command(bone::READ, address, count))?;
            let mut bytes = vec![0; count];
            if self.fill(&mut bytes, failures)? {
                return Ok(turned(&bytes));
            }
            self.counts.repeated += 1;
            self.pause()?;
        }
        Err(LinkError::Lost { port: self.name(), attempts: ATTEMPTS })
    }

    fn crc_of(&mut self, address: u32, count: usize) -> Result<u32, LinkError> {
        let mut bytes = Vec::with_capacity(count);
        while bytes.len() < count {
            bytes.extend(self.read_words(address + bytes.len() as u32, (count - bytes.len()).min(MOST))?);
        }
        Ok(wire::crc(&bytes))
    }

    /// Written until it reads as it was written.
    fn write_memory(&mut self, address: u32, bytes: &[u8]) -> Result<(), LinkError> {
        for _ in 0..ATTEMPTS {
            self.send(&[command(bone::WRITE, address, bytes.len()), turned(bytes)].concat())?;
            if self.read_words(address, bytes.len())? == bytes {
                return Ok(());
            }
            self.counts.repeated += 1;
            self.pause()?;
        }
        Err(LinkError::Unkept { port: self.name(), address })
    }

    /// Not repeated: a register may do something each time.
    fn write_register(&mut self, address: u32, bytes: &[u8]) -> Result<(), LinkError> {
        self.send(&[command(bone::WRITE, address, bytes.len()), turned(bytes)].concat())?;
        self.send(&command(bone::READ, wire::LINK, WORD))?;
        let mut word = [0; WORD];
        if self.fill(&mut word, 0)? && word == wire::BONE_ONLY.to_be_bytes() {
            return Ok(());
        }
        Err(LinkError::Lost { port: self.name(), attempts: 1 })
    }

    /// Waits for so many bytes; false if they do not come.
    fn fill(&mut self, bytes: &mut [u8], failures: u32) -> Result<bool, LinkError> {
        // The board may still be taking in a write of as many words.
        let exchanged = 2 * (HEAD + MOST as u32) + bytes.len() as u32;
        let until = self.port.now() + self.waits(exchanged, failures);
        let mut filled = 0;
        while filled < bytes.len() {
            match self.listen(&mut bytes[filled..], until)? {
                0 => {
                    self.counts.timeouts += 1;
                    return Ok(false);
                }
                count => filled += count,
            }
        }
        Ok(true)
    }

    /// Until the board has forgotten what it understood of a command, and nothing comes any more.
    fn pause(&mut self) -> Result<(), LinkError> {
        let mut rest = [0; 256];
        while self.listen(&mut rest, self.port.now() + SLACK)? > 0 {}
        Ok(())
    }

    fn listen(&mut self, to: &mut [u8], until: Duration) -> Result<usize, LinkError> {
        self.port.read(to, until).map_err(|source| LinkError::Io { port: self.name(), source })
    }
}
