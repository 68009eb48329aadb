// SPDX-License-Identifier: MIT OR Apache-2.0
//! An AXI4-Lite master: one access at a time, 32-bit data.

use super::Violation;

/// What the master drives in a cycle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiteToSlave {
    pub awvalid: bool,
    pub awaddr: u32,
    pub wvalid: bool,
    pub wdata: u32,
    pub wstrb: u8,
    pub bready: bool,
    pub arvalid: bool,
    pub araddr: u32,
    pub rready: bool,
}

/// What the slave drives in a cycle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiteFromSlave {
    pub awready: bool,
    pub wready: bool,
    pub bvalid: bool,
    pub bresp: u8,
    pub arready: bool,
    pub rvalid: bool,
    pub rdata: u32,
    pub rresp: u8,
}

/// A finished access; `resp` is 0 for OKAY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiteDone {
    /// 0 for a write.
    pub rdata: u32,
    pub resp: u8,
}

/// Order of the two halves of a write, and how long a response waits: a slave must take all of them. The later half
/// does not wait for the earlier one to be taken, since AXI lets a slave wait for both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LiteSkew {
    #[default]
    Together,
    /// Data is offered two cycles after the address; responses wait two cycles.
    AddressFirst,
    /// The address is offered two cycles after the data; responses wait two cycles.
    DataFirst,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Write { address: bool, data: bool },
    Read { address: bool },
}

/// Cycles between the two halves of a write.
const SKEW: u32 = 2;

/// Steps like the memory: see `axi`.
#[derive(Clone, Debug)]
pub struct LiteMaster {
    skew: LiteSkew,
    state: State,
    out: LiteToSlave,
    /// A response that waits: valid's payload, which must stay.
    held: Option<LiteDone>,
    waited: u32,
    /// Cycles since the write under way started.
    writing: u32,
    cycle: u64,
}

impl LiteMaster {
    pub fn new(skew: LiteSkew) -> Self {
        let out = LiteToSlave::default();
        Self { skew, state: State::Idle, out, held: None, waited: 0, writing: 0, cycle: 0 }
    }

    pub fn set_skew(&mut self, skew: LiteSkew) {
        self.skew = skew;
    }

    /// No access is under way; a new one may start.
    pub fn idle(&self) -> bool {
        self.state == State::Idle
    }

    pub fn reset(&mut self) {
        *self = Self::new(self.skew);
    }

    /// Starts a read; an access under way is given up.
    pub fn start_read(&mut self, addr: u32) {
        self.state = State::Read { address: true };
        self.out = LiteToSlave { arvalid: true, araddr: addr, rready: self.eager(), ..LiteToSlave::default() };
    }

    /// Starts a write of the bytes that `strb` enables; an access under way is given up.
    pub fn start_write(&mut self, addr: u32, data: u32, strb: u8) {
        self.state = State::Write { address: true, data: true };
        self.writing = 0;
        self.out = LiteToSlave {
            awvalid: self.skew != LiteSkew::DataFirst,
            awaddr: addr,
            wvalid: self.skew != LiteSkew::AddressFirst,
            wdata: data,
            wstrb: strb,
            bready: self.eager(),
            ..LiteToSlave::default()
        };
    }

    fn eager(&self) -> bool {
        self.skew == LiteSkew::Together
    }

    #[inline]
    pub fn out(&self) -> &LiteToSlave {
        &self.out
    }

    /// The clock edge: `from` is what the slave drove in this cycle. `Some` when the access is done.
    #[inline]
    pub fn step(&mut self, from: &LiteFromSlave) -> Result<Option<LiteDone>, Violation> {
        self.cycle += 1;
        match self.state {
            State::Idle => match (from.rvalid, from.bvalid) {
                (false, false) => Ok(None),
                (true, _) => Err(self.violation("R", "a response without a request")),
                (_, true) => Err(self.violation("B", "a response without a request")),
            },
            State::Read { address } => self.read_step(address, from),
            State::Write { address, data } => self.write_step(address, data, from),
        }
    }

    fn read_step(&mut self, address: bool, from: &LiteFromSlave) -> Result<Option<LiteDone>, Violation> {
        if from.bvalid {
            return Err(self.violation("B", "a response without a request"));
        }
        if address && from.rvalid {
            return Err(self.violation("R", "RVALID before the address was taken"));
        }
        let taken = self.out.arvalid && from.arready;
        self.out.arvalid &= !taken;
        self.state = State::Read { address: address && !taken };
        let offered = from.rvalid.then_some(LiteDone { rdata: from.rdata, resp: from.rresp });
        let ready = self.out.rready;
        let (done, ready) = self.response("R", offered, ready)?;
        self.out.rready = ready;
        Ok(done)
    }

    fn write_step(&mut self, address: bool, data: bool, from: &LiteFromSlave) -> Result<Option<LiteDone>, Violation> {
        if from.rvalid {
            return Err(self.violation("R", "a response without a request"));
        }
        if from.bvalid && (address || data) {
            return Err(self.violation("B", "BVALID before address and data were taken"));
        }
        let address_left = address && !(self.out.awvalid && from.awready);
        let data_left = data && !(self.out.wvalid && from.wready);
        self.state = State::Write { address: address_left, data: data_left };
        self.writing += 1;
        let late = self.writing >= SKEW;
        self.out.awvalid = address_left && (self.skew != LiteSkew::DataFirst || late);
        self.out.wvalid = data_left && (self.skew != LiteSkew::AddressFirst || late);
        let offered = from.bvalid.then_some(LiteDone { rdata: 0, resp: from.bresp });
        let ready = self.out.bready;
        let (done, ready) = self.response("B", offered, ready)?;
        self.out.bready = ready;
        Ok(done)
    }

    /// What came of a response channel, and ready for the next cycle.
    fn response(&mut self, channel: &'static str, offered: Option<LiteDone>, ready: bool) -> Result<(Option<LiteDone>, bool), Violation> {
        if self.held.is_some() && self.held != offered {
            return Err(self.violation(channel, "VALID fell or the payload changed before READY"));
        }
        if let Some(done) = offered
            && ready
        {
            (self.held, self.waited, self.state) = (None, 0, State::Idle);
            self.out = LiteToSlave::default();
            return Ok((Some(done), false));
        }
        self.held = offered;
        self.waited += u32::from(offered.is_some());
        Ok((None, self.eager() || self.waited >= 2))
    }

    #[cold]
    fn violation(&self, channel: &'static str, cause: &str) -> Violation {
        Violation { cycle: self.cycle, channel, cause: cause.into() }
    }
}
