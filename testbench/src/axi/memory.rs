// SPDX-License-Identifier: MIT OR Apache-2.0
//! An AXI4 memory over a flat array of bytes.

use std::collections::VecDeque;

use super::config::{ConfigError, MemoryConfig};
use super::pace::{Allowed, Pace};
use super::{Burst, FromMaster, OKAY, SLVERR, ToMaster, Violation, WriteBeat};

/// What went over the port since the last reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    pub cycles: u64,
    pub read_bursts: u64,
    pub read_beats: u64,
    /// Cycles in which the memory offered a beat that the master did not take.
    pub read_stalled: u64,
    pub write_bursts: u64,
    pub write_beats: u64,
}

/// A burst on its way.
#[derive(Clone, Copy, Debug)]
struct Flight {
    /// Offset of the next beat in the memory.
    offset: usize,
    beats: u32,
    /// First cycle in which data, or the response, may appear.
    ready_at: u64,
    resp: u8,
}

/// The last write beat, kept while it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct HeldBeat {
    data: [u8; 64],
    strb: u64,
    last: bool,
}

/// AXI4 slave with one ID: reads and writes complete in order. See the module for how a bench steps it.
///
/// Bursts must be INCR, of full width, aligned to a beat, inside the memory and inside a 4 KiB page. What the
/// master breaks is an error with its cycle and cause; `AR`, `AW` and `W` must stay stable until taken.
#[derive(Clone, Debug)]
pub struct Memory {
    config: MemoryConfig,
    bytes: Vec<u8>,
    pace: Pace,
    out: ToMaster,
    rdata: usize,
    reads: VecDeque<Flight>,
    writes: VecDeque<Flight>,
    responses: VecDeque<Flight>,
    held_ar: Option<Burst>,
    held_aw: Option<Burst>,
    held_w: Option<HeldBeat>,
    statistics: Statistics,
}

impl Memory {
    /// A zeroed memory.
    pub fn new(config: MemoryConfig) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self {
            bytes: vec![0; config.size],
            pace: Pace::new(&config),
            out: ToMaster::default(),
            rdata: 0,
            reads: VecDeque::with_capacity(config.outstanding),
            writes: VecDeque::with_capacity(config.outstanding),
            responses: VecDeque::with_capacity(config.outstanding),
            held_ar: None,
            held_aw: None,
            held_w: None,
            statistics: Statistics::default(),
            config,
        })
    }

    pub fn config(&self) -> &MemoryConfig {
        &self.config
    }

    /// Content; index 0 is address `base`.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// The content at `addr`, past the bus; `None` if it is not all inside the memory.
    pub fn range(&self, addr: u64, len: usize) -> Option<&[u8]> {
        let start = usize::try_from(addr.checked_sub(self.config.base)?).ok()?;
        self.bytes.get(start..start.checked_add(len)?)
    }

    pub fn range_mut(&mut self, addr: u64, len: usize) -> Option<&mut [u8]> {
        let start = usize::try_from(addr.checked_sub(self.config.base)?).ok()?;
        self.bytes.get_mut(start..start.checked_add(len)?)
    }

    /// From now on these addresses answer SLVERR.
    pub fn set_errors(&mut self, errors: std::ops::Range<u64>) {
        self.config.errors = errors;
    }

    pub fn statistics(&self) -> Statistics {
        self.statistics
    }

    /// Nothing is under way.
    pub fn idle(&self) -> bool {
        self.reads.is_empty() && self.writes.is_empty() && self.responses.is_empty()
    }

    /// Forgets everything under way and the statistics; keeps the content.
    pub fn reset(&mut self) {
        self.reads.clear();
        self.writes.clear();
        self.responses.clear();
        (self.held_ar, self.held_aw, self.held_w) = (None, None, None);
        self.pace = Pace::new(&self.config);
        self.out = ToMaster::default();
        self.statistics = Statistics::default();
    }

    /// What the memory drives in this cycle.
    #[inline]
    pub fn out(&self) -> &ToMaster {
        &self.out
    }

    /// The read beat of this cycle, if `out().rvalid`.
    #[inline]
    pub fn rdata(&self) -> &[u8] {
        &self.bytes[self.rdata..self.rdata + self.config.beat_bytes]
    }

    /// The clock edge: `from` is what the master drove in this cycle, beside `out()`.
    #[inline]
    pub fn step(&mut self, from: &FromMaster<'_>) -> Result<(), Violation> {
        self.take_read_address(from.ar)?;
        self.take_write_address(from.aw)?;
        self.take_write_data(from.w)?;
        let read_taken = self.out.rvalid && from.rready;
        let response_taken = self.out.bvalid && from.bready;
        self.statistics.read_beats += u64::from(read_taken);
        self.statistics.read_stalled += u64::from(self.out.rvalid && !from.rready);
        self.statistics.cycles += 1;

        let allowed = self.pace.step();
        self.next_read(allowed, read_taken);
        self.next_response(allowed, response_taken);
        self.out.arready = allowed.ar && self.reads.len() < self.config.outstanding;
        let writes = self.writes.len() + self.responses.len();
        self.out.awready = allowed.aw && writes < self.config.outstanding;
        self.out.wready = allowed.w && !self.writes.is_empty();
        Ok(())
    }

    fn take_read_address(&mut self, ar: Option<Burst>) -> Result<(), Violation> {
        if ar.is_none() && self.held_ar.is_none() {
            return Ok(());
        }
        if self.held_ar.is_some() && self.held_ar != ar {
            return Err(self.unstable("AR", self.held_ar, ar));
        }
        let Some(burst) = ar else { return Ok(()) };
        if self.held_ar.is_none() {
            self.check_burst("AR", &burst)?;
        }
        if !self.out.arready {
            self.held_ar = ar;
            return Ok(());
        }
        self.held_ar = None;
        self.statistics.read_bursts += 1;
        let flight = self.flight(&burst, u64::from(self.config.read_latency));
        self.reads.push_back(flight);
        Ok(())
    }

    fn take_write_address(&mut self, aw: Option<Burst>) -> Result<(), Violation> {
        if aw.is_none() && self.held_aw.is_none() {
            return Ok(());
        }
        if self.held_aw.is_some() && self.held_aw != aw {
            return Err(self.unstable("AW", self.held_aw, aw));
        }
        let Some(burst) = aw else { return Ok(()) };
        if self.held_aw.is_none() {
            self.check_burst("AW", &burst)?;
        }
        if !self.out.awready {
            self.held_aw = aw;
            return Ok(());
        }
        self.held_aw = None;
        self.statistics.write_bursts += 1;
        let flight = self.flight(&burst, 0);
        self.writes.push_back(flight);
        Ok(())
    }

    fn flight(&self, burst: &Burst, latency: u64) -> Flight {
        Flight {
            offset: (burst.addr - self.config.base) as usize,
            beats: u32::from(burst.len) + 1,
            ready_at: self.statistics.cycles + latency,
            resp: OKAY,
        }
    }

    #[inline]
    fn take_write_data(&mut self, w: Option<WriteBeat<'_>>) -> Result<(), Violation> {
        let Some(beat) = w else {
            return match self.held_w {
                None => Ok(()),
                Some(_) => Err(self.violation("W", "WVALID fell before WREADY".into())),
            };
        };
        self.check_beat(&beat)?;
        if !self.out.wready {
            if self.held_w.is_none() {
                let mut data = [0; 64];
                data[..beat.data.len()].copy_from_slice(beat.data);
                self.held_w = Some(HeldBeat { data, strb: beat.strb, last: beat.last });
            }
            return Ok(());
        }
        self.held_w = None;
        self.write(&beat)
    }

    /// Stores a beat of the oldest burst; `out.wready` says that there is one.
    fn write(&mut self, beat: &WriteBeat<'_>) -> Result<(), Violation> {
        let bytes = self.config.beat_bytes;
        let Some(flight) = self.writes.front_mut() else { return Ok(()) };
        flight.beats -= 1;
        let (offset, finished) = (flight.offset, flight.beats == 0);
        flight.offset += bytes;
        if self.config.errors.contains(&(self.config.base + offset as u64)) {
            flight.resp = SLVERR;
        }
        let left = flight.beats;
        if beat.last != finished {
            let cause = if beat.last {
                format!("WLAST with {left} beats of the burst left")
            } else {
                "no WLAST on the last beat of the burst".into()
            };
            return Err(self.violation("W", cause));
        }
        let target = &mut self.bytes[offset..offset + bytes];
        if beat.strb == all_lanes(bytes) {
            target.copy_from_slice(beat.data);
        } else {
            for (lane, (to, from)) in target.iter_mut().zip(beat.data).enumerate() {
                if beat.strb >> lane & 1 == 1 {
                    *to = *from;
                }
            }
        }
        self.pace.spend_write();
        self.statistics.write_beats += 1;
        if finished && let Some(mut flight) = self.writes.pop_front() {
            flight.ready_at = self.statistics.cycles + u64::from(self.config.write_latency);
            self.responses.push_back(flight);
        }
        Ok(())
    }

    /// Decides the read channel of the coming cycle; `statistics.cycles` is its number.
    #[inline]
    fn next_read(&mut self, allowed: Allowed, taken: bool) {
        self.out.rdata_new = false;
        if self.out.rvalid && !taken {
            return;
        }
        self.out.rvalid = false;
        let now = self.statistics.cycles;
        let Some(flight) = self.reads.front_mut() else { return };
        if !allowed.r || flight.ready_at > now {
            return;
        }
        self.rdata = flight.offset;
        flight.offset += self.config.beat_bytes;
        flight.beats -= 1;
        let last = flight.beats == 0;
        let failed = self.config.errors.contains(&(self.config.base + self.rdata as u64));
        self.out.rvalid = true;
        self.out.rdata_new = true;
        self.out.rlast = last;
        self.out.rresp = if failed { SLVERR } else { OKAY };
        self.pace.spend_read();
        if last {
            self.reads.pop_front();
        }
    }

    fn next_response(&mut self, allowed: Allowed, taken: bool) {
        if self.out.bvalid && !taken {
            return;
        }
        self.out.bvalid = false;
        if let Some(flight) = self.responses.front()
            && allowed.b
            && flight.ready_at <= self.statistics.cycles
        {
            self.out.bvalid = true;
            self.out.bresp = flight.resp;
            self.responses.pop_front();
        }
    }

    fn check_burst(&self, channel: &'static str, burst: &Burst) -> Result<(), Violation> {
        let bytes = self.config.beat_bytes as u64;
        let (addr, beats) = (burst.addr, u64::from(burst.len) + 1);
        let fail = |cause| Err(self.violation(channel, cause));
        if burst.burst != 1 {
            return fail(format!("burst type {} (this memory takes INCR, 1)", burst.burst));
        }
        if 1u64.checked_shl(burst.size.into()) != Some(bytes) {
            return fail(format!("size {} on a bus of {bytes} bytes", burst.size));
        }
        if !addr.is_multiple_of(bytes) {
            return fail(format!("address {addr:#x} is not aligned to {bytes} bytes"));
        }
        let last = addr + beats * bytes - 1;
        if addr / 4096 != last / 4096 {
            return fail(format!("{beats} beats from {addr:#x} cross a 4 KiB boundary"));
        }
        let (base, size) = (self.config.base, self.config.size as u64);
        if addr < base || last - base >= size {
            return fail(format!("{addr:#x} to {last:#x} is outside the memory, {base:#x} to {:#x}", base + size - 1));
        }
        Ok(())
    }

    #[inline]
    fn check_beat(&self, beat: &WriteBeat<'_>) -> Result<(), Violation> {
        let bytes = self.config.beat_bytes;
        if beat.data.len() != bytes {
            return Err(self.violation("W", format!("{} bytes on a bus of {bytes}", beat.data.len())));
        }
        if beat.strb & !all_lanes(bytes) != 0 {
            return Err(self.violation("W", format!("WSTRB {:#x} on a bus of {bytes} bytes", beat.strb)));
        }
        if let Some(held) = &self.held_w
            && (held.data[..bytes] != *beat.data || held.strb != beat.strb || held.last != beat.last)
        {
            return Err(self.violation("W", "payload changed before WREADY".into()));
        }
        Ok(())
    }

    #[cold]
    fn unstable(&self, channel: &'static str, held: Option<Burst>, now: Option<Burst>) -> Violation {
        let cause = match now {
            None => "VALID fell before READY".into(),
            Some(now) => format!("payload changed before READY: {held:?} to {now:?}"),
        };
        self.violation(channel, cause)
    }

    #[cold]
    fn violation(&self, channel: &'static str, cause: String) -> Violation {
        Violation { cycle: self.statistics.cycles, channel, cause }
    }
}

fn all_lanes(bytes: usize) -> u64 {
    u64::MAX >> (64 - bytes)
}
