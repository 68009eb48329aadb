// SPDX-License-Identifier: MIT OR Apache-2.0
//! An ECP5 as its JTAG port shows it: TAP controller, configuration logic, and the flash behind it.
//!
//! Sources: IEEE 1149.1 (the TAP's states); ECP5 sysCONFIG usage guide (instructions, status register).

pub mod spi;
pub mod xvc;

use spi::Flash;

const IDCODE: u8 = 0xe0;
const READ_STATUS: u8 = 0x3c;
const ISC_ENABLE: u8 = 0xc6;
const ISC_ERASE: u8 = 0x0e;
const ISC_DISABLE: u8 = 0x26;
const BITSTREAM_BURST: u8 = 0x7a;
const REFRESH: u8 = 0x79;
const PROG_SPI: u8 = 0x3a;
const BYPASS: u8 = 0xff;

const STATUS_DONE: u32 = 1 << 8;
const STATUS_ENABLED: u32 = 1 << 9;

/// The TAP's states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Reset,
    Idle,
    SelectDr,
    CaptureDr,
    ShiftDr,
    Exit1Dr,
    PauseDr,
    Exit2Dr,
    UpdateDr,
    SelectIr,
    CaptureIr,
    ShiftIr,
    Exit1Ir,
    PauseIr,
    Exit2Ir,
    UpdateIr,
}

impl State {
    fn next(self, tms: bool) -> State {
        use State::*;
        let (low, high) = match self {
            Reset => (Idle, Reset),
            Idle | UpdateDr | UpdateIr => (Idle, SelectDr),
            SelectDr => (CaptureDr, SelectIr),
            CaptureDr | ShiftDr => (ShiftDr, Exit1Dr),
            Exit1Dr => (PauseDr, UpdateDr),
            PauseDr => (PauseDr, Exit2Dr),
            Exit2Dr => (ShiftDr, UpdateDr),
            SelectIr => (CaptureIr, Reset),
            CaptureIr | ShiftIr => (ShiftIr, Exit1Ir),
            Exit1Ir => (PauseIr, UpdateIr),
            PauseIr => (PauseIr, Exit2Ir),
            Exit2Ir => (ShiftIr, UpdateIr),
        };
        if tms { high } else { low }
    }
}

/// The device.
pub struct Ecp5 {
    pub idcode: u32,
    pub flash: Flash,
    /// What was last burst into the device.
    pub loaded: Vec<u8>,
    state: State,
    instruction: u8,
    ir: u8,
    /// The data register that is shifted, and its length.
    dr: u64,
    length: u32,
    bits: u32,
    enabled: bool,
    done: bool,
    /// The flash is connected to the data register.
    to_flash: bool,
    byte: u8,
}

impl Ecp5 {
    pub fn new(idcode: u32) -> Ecp5 {
        Ecp5 {
            idcode,
            flash: Flash::new(),
            loaded: Vec::new(),
            state: State::Reset,
            instruction: IDCODE,
            ir: 0,
            dr: 0,
            length: 32,
            bits: 0,
            enabled: false,
            done: false,
            to_flash: false,
            byte: 0,
        }
    }

    /// The device is configured.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// One rising edge of TCK; what TDO showed before it.
    pub fn clock(&mut self, tms: bool, tdi: bool) -> bool {
        let tdo = match self.state {
            State::ShiftIr => {
                let out = self.ir & 1 == 1;
                self.ir = self.ir >> 1 | u8::from(tdi) << 7;
                out
            }
            State::ShiftDr => self.shift(tdi),
            _ => false,
        };
        self.state = self.state.next(tms);
        match self.state {
            State::Reset => self.instruction = IDCODE,
            State::CaptureIr => self.ir = 1,
            State::UpdateIr => self.instruct(),
            State::CaptureDr => self.capture(),
            State::UpdateDr => self.update(),
            _ => {}
        }
        tdo
    }

    fn shift(&mut self, tdi: bool) -> bool {
        self.bits += 1;
        if self.to_flash && self.instruction == PROG_SPI {
            return self.flash.clock(tdi);
        }
        if self.instruction == BITSTREAM_BURST && self.enabled {
            // The first bit of a byte is its highest.
            self.byte = self.byte << 1 | u8::from(tdi);
            if self.bits.is_multiple_of(8) {
                self.loaded.push(self.byte);
            }
        }
        let out = self.dr & 1 == 1;
        self.dr = self.dr >> 1 | u64::from(tdi) << (self.length - 1);
        out
    }

    fn instruct(&mut self) {
        self.instruction = self.ir;
        match self.instruction {
            ISC_ENABLE => self.enabled = true,
            ISC_DISABLE => {
                // A device that was given a bitstream starts.
                self.done |= self.enabled && !self.loaded.is_empty();
                self.enabled = false;
            }
            BITSTREAM_BURST => self.loaded.clear(),
            REFRESH => (self.done, self.enabled) = (self.boots(), false),
            PROG_SPI => {}
            _ => self.to_flash = false,
        }
    }

    /// What is in the flash has a preamble near its beginning.
    fn boots(&self) -> bool {
        self.flash.memory[..4096].windows(4).any(|window| window == [0xff, 0xff, 0xbd, 0xb3])
    }

    fn capture(&mut self) {
        self.bits = 0;
        (self.dr, self.length) = match self.instruction {
            IDCODE => (self.idcode.into(), 32),
            READ_STATUS => (self.status().into(), 32),
            BYPASS => (0, 1),
            _ => (0, 8),
        };
        if self.to_flash && self.instruction == PROG_SPI {
            self.flash.select();
        }
    }

    fn update(&mut self) {
        match self.instruction {
            ISC_ERASE if self.enabled => (self.done, self.loaded) = (false, Vec::new()),
            PROG_SPI if self.to_flash => self.flash.release(),
            PROG_SPI => self.to_flash = true,
            _ => {}
        }
    }

    fn status(&self) -> u32 {
        let bit = |on: bool, mask: u32| if on { mask } else { 0 };
        bit(self.done, STATUS_DONE) | bit(self.enabled, STATUS_ENABLED)
    }
}
