// SPDX-License-Identifier: MIT OR Apache-2.0
//! The buses behind the link: the memory model, and registers that hold what is written.

use super::{BlockError, Dut, Pin};
use crate::{
    axi::{Burst, FromMaster, Memory, OKAY, SLVERR, WriteBeat},
    random::Random,
};
use std::ops::Range;

/// An AXI4-Lite slave of 1024 registers; takes address and data in any order, answers in its own time.
pub struct RegisterFile {
    pub words: Vec<u32>,
    /// Registers that answer with an error and keep their value.
    errors: Range<u32>,
    rng: Random,
    chance: u8,
    address: Option<u32>,
    data: Option<u32>,
    answer: Option<u8>,
    read: Option<(u32, u8)>,
    ready: [bool; 3],
    valid: [bool; 2],
}

impl RegisterFile {
    pub fn new(rng: &mut Random, errors: Range<u32>) -> RegisterFile {
        let words = (0..1024).map(|_| rng.bits() as u32).collect();
        let chance = [0, 100, 220][rng.bits() as usize % 3];
        RegisterFile {
            words,
            errors,
            rng: Random::new(rng.bits()),
            chance,
            address: None,
            data: None,
            answer: None,
            read: None,
            ready: [false; 3],
            valid: [false; 2],
        }
    }

    fn response(&self, index: u32) -> u8 {
        if self.errors.contains(&index) { SLVERR } else { OKAY }
    }

    /// What it drives in the next cycle.
    fn decide(&mut self) {
        let mut stalls = || self.rng.chance(self.chance);
        self.ready = [self.address.is_none() && !stalls(), self.data.is_none() && !stalls(), self.read.is_none() && !stalls()];
        // Once valid is high it stays: the response is cleared when it is taken.
        self.valid = [self.answer.is_some() && (self.valid[0] || !stalls()), self.read.is_some() && (self.valid[1] || !stalls())];
    }

    fn step(&mut self, from: &Lite) {
        if self.valid[0] {
            (self.answer, self.valid[0]) = (None, false);
        }
        if self.valid[1] {
            (self.read, self.valid[1]) = (None, false);
        }
        self.address = self.address.or(from.aw.filter(|_| self.ready[0]));
        self.data = self.data.or(from.w.filter(|_| self.ready[1]));
        if let (Some(address), Some(data), None) = (self.address, self.data, self.answer) {
            let response = self.response(address / 4);
            if response == OKAY {
                self.words[address as usize / 4] = data;
            }
            (self.address, self.data, self.answer) = (None, None, Some(response));
        }
        if let Some(address) = from.ar.filter(|_| self.ready[2]) {
            self.read = Some((self.words[address as usize / 4], self.response(address / 4)));
        }
        self.decide();
    }
}

/// What the master of the registers drives.
struct Lite {
    aw: Option<u32>,
    w: Option<u32>,
    ar: Option<u32>,
}

/// The ports of both buses.
pub struct Ports {
    lite_in: [Pin; 8],
    lite_out: [Pin; 7],
    axi_in: [Pin; 9],
    axi_out: [Pin; 14],
}

impl Ports {
    pub fn find(dut: &Dut) -> Result<Ports, BlockError> {
        Ok(Ports {
            lite_in: dut.inputs([
                "m_axil_awready",
                "m_axil_wready",
                "m_axil_arready",
                "m_axil_bvalid",
                "m_axil_bresp",
                "m_axil_rvalid",
                "m_axil_rresp",
                "m_axil_rdata",
            ])?,
            lite_out: dut.outputs([
                "m_axil_awvalid",
                "m_axil_awaddr",
                "m_axil_wvalid",
                "m_axil_wdata",
                "m_axil_wstrb",
                "m_axil_arvalid",
                "m_axil_araddr",
            ])?,
            axi_in: dut.inputs([
                "m_axi_awready",
                "m_axi_wready",
                "m_axi_arready",
                "m_axi_bvalid",
                "m_axi_bresp",
                "m_axi_rvalid",
                "m_axi_rresp",
                "m_axi_rlast",
                "m_axi_rdata",
            ])?,
            axi_out: dut.outputs([
                "m_axi_awvalid",
                "m_axi_awaddr",
                "m_axi_awlen",
                "m_axi_awsize",
                "m_axi_awburst",
                "m_axi_wvalid",
                "m_axi_wdata",
                "m_axi_wstrb",
                "m_axi_wlast",
                "m_axi_arvalid",
                "m_axi_araddr",
                "m_axi_arlen",
                "m_axi_arsize",
                "m_axi_arburst",
            ])?,
        })
    }

    /// Sets the inputs of this cycle.
    pub fn drive(&self, dut: &mut Dut, memory: &Memory, registers: &RegisterFile) {
        let [awready, wready, arready] = registers.ready.map(u64::from);
        let [bvalid, rvalid] = registers.valid.map(u64::from);
        let (rdata, rresp) = registers.read.unwrap_or((0xdead_beef, 3));
        let values = [awready, wready, arready, bvalid, registers.answer.unwrap_or(3).into(), rvalid, rresp.into(), rdata.into()];
        self.lite_in.iter().zip(values).for_each(|(pin, value)| dut.put(*pin, value));
        let out = *memory.out();
        let values = [
            out.awready.into(),
            out.wready.into(),
            out.arready.into(),
            out.bvalid.into(),
            out.bresp.into(),
            out.rvalid.into(),
            out.rresp.into(),
            out.rlast.into(),
        ];
        self.axi_in.iter().zip(values).for_each(|(pin, value)| dut.put(*pin, value));
        if out.rdata_new {
            dut.put_bytes(self.axi_in[8], memory.rdata());
        }
    }

    /// The clock edge of the models.
    pub fn step(&self, dut: &Dut, memory: &mut Memory, registers: &mut RegisterFile) -> Result<(), BlockError> {
        let [awvalid, awaddr, wvalid, wdata, wstrb, arvalid, araddr] = self.lite_out.map(|pin| dut.read(pin));
        if wvalid == 1 && wstrb != 15 {
            return Err(BlockError::wrong(format!("strobes {wstrb:#x} of a register")));
        }
        let lite = Lite {
            aw: (awvalid == 1).then_some(awaddr as u32),
            w: (wvalid == 1).then_some(wdata as u32),
            ar: (arvalid == 1).then_some(araddr as u32),
        };
        registers.step(&lite);
        let o = &self.axi_out;
        let burst = |at: usize| {
            let [addr, len, size, burst] = [at, at + 1, at + 2, at + 3].map(|i| dut.read(o[i]));
            Burst { addr, len: len as u8, size: size as u8, burst: burst as u8 }
        };
        let data = dut.read_bytes(o[6]);
        let from = FromMaster {
            ar: dut.high(o[9]).then(|| burst(10)),
            rready: true,
            aw: dut.high(o[0]).then(|| burst(1)),
            w: dut.high(o[5]).then(|| WriteBeat { data: &data, strb: dut.read(o[7]), last: dut.high(o[8]) }),
            bready: true,
        };
        Ok(memory.step(&from)?)
    }
}
