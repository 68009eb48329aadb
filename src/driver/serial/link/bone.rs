// SPDX-License-Identifier: MIT OR Apache-2.0
//! Requests by uartbone, for a board whose link has no frames.
//!
//! The board keeps a CRC of the bytes that have passed, either way. After each command the host asks for it: if it is that of
//! the host's own bytes, the board has seen what was sent and the host what was answered. If not, nothing is repeated: a damaged
//! command may have written anywhere, so what the memory holds is no longer known, and the error says so.

use std::time::Duration;

use heddle_core::link::wire::{self, Op, WORD, bone};

use super::{Link, LinkError, Request, SLACK};
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
    /// Whether a board answers whose link has uartbone alone; from then on both count the same bytes.
    pub(super) fn speaks_bone(&mut self, wait: Duration) -> Result<bool, LinkError> {
        let answer = 2 * WORD;
        let (sent, exchanged) = (self.port.now(), HEAD + answer as u32);
        self.send(&command(bone::READ, wire::LINK, answer))?;
        let (until, mut heard) = (sent + wait + self.byte_time * exchanged, Vec::new());
        // Behind what was on its way: that it has no frames, and the CRC of what nobody counted.
        let told = |heard: &[u8]| heard.len().checked_sub(answer).is_some_and(|at| heard[at..].starts_with(&wire::BONE_ONLY.to_be_bytes()));
        while !told(&heard) {
            let mut byte = [0];
            if self.listen(&mut byte, until)? == 0 {
                return Ok(false);
            }
            heard.extend(byte);
        }
        let measured = (self.port.now() - sent).saturating_sub(SLACK) / exchanged;
        self.byte_time = self.byte_time.max(measured);
        self.passed = heard.split_off(heard.len() - WORD);
        self.agrees()
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
            Op::Write => self.write_words(address, payload).map(|()| Vec::new()),
            Op::Hello | Op::Bye | Op::Again => Ok(Vec::new()),
        }
    }

    fn read_words(&mut self, address: u32, count: usize) -> Result<Vec<u8>, LinkError> {
        self.exchange(&command(bone::READ, address, count), count).map(|bytes| turned(&bytes))
    }

    fn crc_of(&mut self, address: u32, count: usize) -> Result<u32, LinkError> {
        let mut bytes = Vec::with_capacity(count);
        while bytes.len() < count {
            bytes.extend(self.read_words(address + bytes.len() as u32, (count - bytes.len()).min(MOST))?);
        }
        Ok(wire::crc(&bytes))
    }

    /// A write to where there is no memory is not told, so it is read back.
    fn write_memory(&mut self, address: u32, bytes: &[u8]) -> Result<(), LinkError> {
        self.write_words(address, bytes)?;
        match self.read_words(address, bytes.len())? == bytes {
            true => Ok(()),
            false => Err(LinkError::Unkept { port: self.name(), address }),
        }
    }

    fn write_words(&mut self, address: u32, bytes: &[u8]) -> Result<(), LinkError> {
        self.exchange(&[command(bone::WRITE, address, bytes.len()), turned(bytes)].concat(), 0).map(|_| ())
    }

    /// Sends a command, takes so many bytes of answer, and makes sure that both ends have seen the same.
    fn exchange(&mut self, command: &[u8], answer: usize) -> Result<Vec<u8>, LinkError> {
        self.say(command)?;
        let mut bytes = vec![0; answer];
        if self.fill(&mut bytes)? && self.agrees()? {
            return Ok(bytes);
        }
        self.counts.broken += 1;
        let port = self.name();
        self.pause()?;
        self.greet()?;
        Err(LinkError::Damaged { port })
    }

    /// Asks for the CRC of what has passed since it was asked for last.
    fn agrees(&mut self) -> Result<bool, LinkError> {
        self.say(&command(bone::READ, wire::BONE_CRC, WORD))?;
        let expected = wire::crc(&std::mem::take(&mut self.passed));
        let mut word = [0; WORD];
        Ok(self.fill(&mut word)? && word == expected.to_be_bytes())
    }

    fn say(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        self.passed.extend(bytes);
        self.send(bytes)
    }

    /// Waits for so many bytes; false if they do not come.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<bool, LinkError> {
        // The board may still be taking in a write of as many words.
        let exchanged = 2 * (HEAD + MOST as u32) + bytes.len() as u32;
        let until = self.port.now() + self.waits(exchanged, 0);
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
        self.passed.extend(&*bytes);
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
