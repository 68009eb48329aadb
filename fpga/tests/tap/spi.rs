// SPDX-License-Identifier: MIT OR Apache-2.0
//! A serial NOR flash of 16 MiB. Source: data sheet of the W25Q128JV (commands, status register).

const SIZE: usize = 16 << 20;
const PAGE: usize = 256;
/// Winbond, 25Q, 2^24 bytes.
const JEDEC: [u8; 3] = [0xef, 0x40, 0x18];
const WRITE_ENABLED: u8 = 1 << 1;

/// The flash.
pub struct Flash {
    pub memory: Vec<u8>,
    /// Every so many programmed bytes one bit does not take: 0 for none.
    pub defect: usize,
    programmed: usize,
    write_enabled: bool,
    /// Bytes of the command so far, and the bits of the next one.
    command: Vec<u8>,
    byte: u8,
    bits: u32,
    /// The byte that is shifted out.
    out: u8,
}

impl Flash {
    pub fn new() -> Flash {
        let memory = vec![0xff; SIZE];
        Flash { memory, defect: 0, programmed: 0, write_enabled: false, command: Vec::new(), byte: 0, bits: 0, out: 0 }
    }

    pub fn select(&mut self) {
        (self.bits, self.out) = (0, 0);
        self.command.clear();
    }

    /// One bit in, one bit out, the highest of a byte first.
    pub fn clock(&mut self, bit: bool) -> bool {
        let out = self.out & 0x80 != 0;
        self.out <<= 1;
        self.byte = self.byte << 1 | u8::from(bit);
        self.bits += 1;
        if self.bits == 8 {
            self.bits = 0;
            self.command.push(self.byte);
            self.out = self.answer();
        }
        out
    }

    /// What is shifted out after the bytes so far.
    fn answer(&self) -> u8 {
        let given = self.command.len();
        match self.command[0] {
            0x9f => JEDEC[(given - 1) % 3],
            0x05 if self.write_enabled => WRITE_ENABLED,
            0x03 if given >= 4 => self.memory[(self.address() + given - 4) % SIZE],
            0x0b if given >= 5 => self.memory[(self.address() + given - 5) % SIZE],
            _ => 0,
        }
    }

    fn address(&self) -> usize {
        self.command[1..4].iter().fold(0, |address, byte| address << 8 | usize::from(*byte)) % SIZE
    }

    /// The end of a command: what writes takes effect.
    pub fn release(&mut self) {
        let Some(code) = self.command.first().copied() else { return };
        match code {
            0x06 => self.write_enabled = true,
            0x04 => self.write_enabled = false,
            0x02 if self.command.len() > 4 => self.program(),
            0x20 if self.command.len() == 4 => self.erase(4096),
            0xd8 if self.command.len() == 4 => self.erase(65536),
            0xc7 | 0x60 => self.erase(SIZE),
            _ => {}
        }
        if matches!(code, 0x01 | 0x02 | 0x20 | 0xd8 | 0xc7 | 0x60) {
            self.write_enabled = false;
        }
    }

    fn program(&mut self) {
        if !self.write_enabled {
            return;
        }
        let start = self.address();
        for (i, byte) in self.command[4..].iter().enumerate() {
            self.programmed += 1;
            let fails = self.defect > 0 && self.programmed.is_multiple_of(self.defect);
            let at = start / PAGE * PAGE + (start + i) % PAGE;
            self.memory[at] &= if fails { byte ^ 1 } else { *byte };
        }
    }

    fn erase(&mut self, bytes: usize) {
        if self.write_enabled {
            let start = if bytes == SIZE { 0 } else { self.address() / bytes * bytes };
            self.memory[start..start + bytes].fill(0xff);
        }
    }
}
