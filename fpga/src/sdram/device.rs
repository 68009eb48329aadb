// SPDX-License-Identifier: MIT OR Apache-2.0
//! An SDR SDRAM in plain Rust: it holds data, and checks every rule of the commands that it gets.
//!
//! Each cycle: drive [`Device::dq`] into the design, let it settle, sample its pins, [`Device::step`], clock edge. The
//! device does not know how the controller counts: times are compared in nanoseconds.

use super::{
    ADDRESS_PINS,
    config::{MOST_POSTPONED, START_REFRESHES, SdramConfig},
    scheduler::{ALL_BANKS, command},
};

/// Levels at the pins in a cycle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pins {
    pub cke: bool,
    pub cs_n: bool,
    /// RAS, CAS, WE.
    pub command: u32,
    pub ba: u32,
    pub a: u32,
    /// Bit 1 masks the high byte.
    pub dqm: u32,
    pub dq: u16,
    /// The controller drives the data bus.
    pub drive: bool,
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SDRAM, cycle {cycle}: {rule}")]
pub struct Violation {
    pub cycle: u64,
    pub rule: String,
}

/// Commands and words since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub activates: u64,
    pub refreshes: u64,
    pub words_read: u64,
    pub words_written: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bank {
    row: Option<u32>,
    activated: Option<u64>,
    closed: Option<u64>,
    /// The last word that was written.
    written: Option<u64>,
}

/// A burst of written words.
#[derive(Clone, Copy, Debug)]
struct Writing {
    bank: usize,
    base: u64,
    column: u32,
    done: u32,
}

/// Words that lie ahead on the data bus.
const AHEAD: usize = 32;
/// Cycles from a mask to the word that it blanks.
const MASK_LATENCY: u64 = 2;
/// What an input reads while nobody drives it.
const FLOATING: u16 = 0xa55a;

/// The device.
pub struct Device {
    config: SdramConfig,
    bytes: Vec<u8>,
    cycle: u64,
    banks: Vec<Bank>,
    bus: [Option<u16>; AHEAD],
    masks: [u32; AHEAD],
    writing: Option<Writing>,
    /// The last column command, and whether it was a read.
    column: Option<(u64, bool, usize)>,
    activated: Option<u64>,
    refreshed: Option<u64>,
    mode_loaded: Option<u64>,
    start_precharged: bool,
    /// When the device was first ready for work.
    ready: Option<u64>,
    refreshed_since: u64,
    counts: Counts,
}

impl Device {
    /// A device of zeros, before its start.
    pub fn new(config: &SdramConfig) -> Device {
        Device {
            config: *config,
            bytes: vec![0; config.bytes() as usize],
            cycle: 0,
            banks: vec![Bank::default(); 1 << config.geometry.bank_bits],
            bus: [None; AHEAD],
            masks: [0; AHEAD],
            writing: None,
            column: None,
            activated: None,
            refreshed: None,
            mode_loaded: None,
            start_precharged: false,
            ready: None,
            refreshed_since: 0,
            counts: Counts::default(),
        }
    }

    /// The content, in the order of addresses: row, bank, column.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The data bus in this cycle, as the controller reads it.
    pub fn dq(&self) -> u16 {
        self.cycle.checked_sub(self.config.read_delay.into()).and_then(|c| self.bus[c as usize % AHEAD]).unwrap_or(FLOATING)
    }

    /// The clock edge that ends a cycle with these pins.
    pub fn step(&mut self, pins: &Pins) -> Result<(), Violation> {
        let now = self.cycle as usize % AHEAD;
        self.masks[now] = pins.dqm;
        let driven = self.bus[now].is_some() || self.cycle > 0 && self.bus[(now + AHEAD - 1) % AHEAD].is_some();
        self.rule(!(pins.drive && driven), "both sides drive the data bus, or without a cycle between")?;
        if !pins.cs_n {
            self.command(pins)?;
        }
        self.write_word(pins)?;
        self.refresh_in_time()?;
        self.cycle += 1;
        self.blank();
        Ok(())
    }

    fn command(&mut self, pins: &Pins) -> Result<(), Violation> {
        let bank = pins.ba as usize;
        self.rule(pins.cke || pins.command == command::NOTHING, "a command without CKE")?;
        self.rule(pins.a < 1 << ADDRESS_PINS && bank < self.banks.len(), "an address or a bank that is not there")?;
        match pins.command {
            command::NOTHING => Ok(()),
            command::PRECHARGE => self.precharge(bank, pins.a >> ALL_BANKS & 1 == 1),
            command::REFRESH => self.refresh(),
            command::LOAD_MODE => self.load_mode(pins),
            command::ACTIVATE => self.activate(bank, pins.a),
            command::READ => self.read(bank, pins.a),
            command::WRITE => self.write(bank, pins.a),
            other => self.rule(false, &format!("the command {other:03b} is not used")),
        }
    }

    fn activate(&mut self, bank: usize, row: u32) -> Result<(), Violation> {
        let t = self.config.timing;
        let b = self.banks[bank];
        self.rule(self.ready.is_some(), "an activate before the start is complete")?;
        self.rule(b.row.is_none(), &format!("an activate of bank {bank}, which is open"))?;
        self.rule(row < 1 << self.config.geometry.row_bits, "a row that is not there")?;
        self.since(b.closed, t.rp, "tRP")?;
        self.since(b.activated, t.rc, "tRC")?;
        self.since(self.activated, t.rrd, "tRRD")?;
        self.since(self.refreshed, t.rfc, "tRFC")?;
        self.after_mode()?;
        self.banks[bank] = Bank { row: Some(row), activated: Some(self.cycle), closed: None, written: None };
        self.activated = Some(self.cycle);
        self.counts.activates += 1;
        Ok(())
    }

    fn read(&mut self, bank: usize, a: u32) -> Result<(), Violation> {
        let (base, column) = self.column_command(bank, a, true)?;
        let burst = self.config.burst();
        for i in 0..burst {
            let at = self.word_at(base, column, i);
            let at_cycle = self.cycle + u64::from(self.config.cas_latency + i);
            self.bus[at_cycle as usize % AHEAD] = Some(u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]]));
        }
        self.counts.words_read += u64::from(burst);
        Ok(())
    }

    fn write(&mut self, bank: usize, a: u32) -> Result<(), Violation> {
        let (base, column) = self.column_command(bank, a, false)?;
        self.writing = Some(Writing { bank, base, column, done: 0 });
        self.counts.words_written += u64::from(self.config.burst());
        Ok(())
    }

    /// Checks of reads and writes; word number of the row, and the column.
    fn column_command(&mut self, bank: usize, a: u32, read: bool) -> Result<(u64, u32), Violation> {
        let g = self.config.geometry;
        let b = self.banks[bank];
        let Some(row) = b.row else {
            return self.rule(false, &format!("a column command to bank {bank}, which is closed")).map(|()| (0, 0));
        };
        self.since(b.activated, self.config.timing.rcd, "tRCD")?;
        self.rule(a < 1 << g.column_bits, "a column that is not there, or an auto-precharge")?;
        let apart = self.column.is_none_or(|(at, ..)| self.cycle >= at + u64::from(self.config.burst()));
        self.rule(apart, "a column command inside of a burst")?;
        self.column = Some((self.cycle, read, bank));
        let row_number = u64::from(row) << g.bank_bits | bank as u64;
        Ok((row_number << g.column_bits, a))
    }

    /// Where word `i` of a burst lies: bursts wrap inside of their block.
    fn word_at(&self, base: u64, column: u32, i: u32) -> usize {
        let burst = self.config.burst();
        let column = (column & !(burst - 1)) | ((column + i) & (burst - 1));
        2 * (base | u64::from(column)) as usize
    }

    fn write_word(&mut self, pins: &Pins) -> Result<(), Violation> {
        let Some(writing) = self.writing else { return Ok(()) };
        self.rule(pins.drive, "a word is to be written, and nobody drives the data bus")?;
        let at = self.word_at(writing.base, writing.column, writing.done);
        let lanes = pins.dq.to_le_bytes().into_iter().enumerate();
        lanes.filter(|(i, _)| pins.dqm >> i & 1 == 0).for_each(|(i, byte)| self.bytes[at + i] = byte);
        self.banks[writing.bank].written = Some(self.cycle);
        let done = writing.done + 1;
        self.writing = (done < self.config.burst()).then_some(Writing { done, ..writing });
        Ok(())
    }

    fn precharge(&mut self, bank: usize, all: bool) -> Result<(), Violation> {
        let t = self.config.timing;
        let powered = self.nanoseconds(self.cycle) + 1e-3 >= t.power_up_us * 1000.0;
        self.rule(powered, "a precharge before the time of power-up is over")?;
        self.start_precharged |= all;
        let banks = if all { 0..self.banks.len() } else { bank..bank + 1 };
        for i in banks {
            let b = self.banks[i];
            if b.row.is_some() {
                self.since(b.activated, t.ras, "tRAS")?;
                self.since(b.written, t.wr, "tWR")?;
                let cut = self.column.is_some_and(|(at, _, of)| of == i && self.cycle < at + u64::from(self.config.burst()));
                self.rule(!cut, "a precharge cuts a burst")?;
                self.banks[i] = Bank { row: None, closed: Some(self.cycle), ..b };
            }
        }
        // The first precharge of all banks closes them, whatever they were.
        if self.ready.is_none() {
            self.banks.iter_mut().for_each(|b| b.closed = Some(self.cycle));
        }
        Ok(())
    }

    fn all_closed(&self, what: &str) -> Result<(), Violation> {
        self.rule(self.start_precharged, &format!("{what} before all banks were precharged"))?;
        self.rule(self.banks.iter().all(|b| b.row.is_none()), &format!("{what} with a row open"))?;
        self.banks.iter().try_for_each(|b| self.since(b.closed, self.config.timing.rp, "tRP"))?;
        self.since(self.refreshed, self.config.timing.rfc, "tRFC")?;
        self.after_mode()
    }

    fn refresh(&mut self) -> Result<(), Violation> {
        self.all_closed("a refresh")?;
        self.refreshed = Some(self.cycle);
        self.refreshed_since += 1;
        self.counts.refreshes += 1;
        Ok(())
    }

    fn load_mode(&mut self, pins: &Pins) -> Result<(), Violation> {
        self.all_closed("a load of the mode")?;
        self.rule(self.refreshed_since >= u64::from(START_REFRESHES), "a load of the mode before the refreshes of the start")?;
        self.rule(pins.ba == 0 && pins.a == self.config.mode(), &format!("the mode {:#x} is not that of the controller", pins.a))?;
        self.mode_loaded = Some(self.cycle);
        self.ready = Some(self.cycle);
        self.refreshed_since = 0;
        Ok(())
    }

    /// No more refreshes may be owed than a device can wait for.
    fn refresh_in_time(&self) -> Result<(), Violation> {
        let Some(ready) = self.ready else { return Ok(()) };
        let due = self.nanoseconds(self.cycle - ready) / (1000.0 * self.config.timing.refresh_us);
        let owed = due - self.refreshed_since as f64;
        self.rule(owed <= f64::from(MOST_POSTPONED + 1), "more refreshes are owed than may be postponed")
    }

    fn after_mode(&self) -> Result<(), Violation> {
        let settled = self.mode_loaded.is_none_or(|at| self.cycle >= at + u64::from(self.config.timing.mrd_cycles));
        self.rule(settled, "tMRD is not over")
    }

    /// A mask that was high two cycles ago blanks the word of this cycle.
    fn blank(&mut self) {
        let now = self.cycle as usize % AHEAD;
        let mask = self.cycle.checked_sub(MASK_LATENCY).map_or(0, |c| self.masks[c as usize % AHEAD]);
        let keep = [0xffff, 0xff00, 0x00ff, 0][mask as usize & 3];
        self.bus[now] = self.bus[now].map(|word| word & keep | FLOATING & !keep);
        // The place of the word that has left is free for a burst to come.
        self.bus[(now + AHEAD / 2) % AHEAD] = None;
    }

    fn since(&self, then: Option<u64>, ns: f64, name: &str) -> Result<(), Violation> {
        let over = then.is_none_or(|then| self.nanoseconds(self.cycle - then) + 1e-3 >= ns);
        self.rule(over, &format!("{name} is not over"))
    }

    fn nanoseconds(&self, cycles: u64) -> f64 {
        cycles as f64 * 1000.0 / self.config.clock_mhz
    }

    fn rule(&self, holds: bool, rule: &str) -> Result<(), Violation> {
        if holds { Ok(()) } else { Err(Violation { cycle: self.cycle, rule: rule.into() }) }
    }
}
