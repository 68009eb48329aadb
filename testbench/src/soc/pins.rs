// SPDX-License-Identifier: MIT OR Apache-2.0
//! The accelerator's bus ports, resolved once.

use crate::axi::{Burst, FromMaster, LiteFromSlave, LiteToSlave, ToMaster, WriteBeat};
use crate::simulator::Simulator;
use crate::verilator::SimError;

/// Ports of the memory master.
pub(super) struct AxiPins<P> {
    pub arvalid: P,
    arready: P,
    araddr: P,
    arlen: P,
    arsize: P,
    arburst: P,
    rvalid: P,
    rready: P,
    pub rdata: P,
    rresp: P,
    rlast: P,
    pub awvalid: P,
    awready: P,
    awaddr: P,
    awlen: P,
    awsize: P,
    awburst: P,
    pub wvalid: P,
    wready: P,
    wdata: P,
    wstrb: P,
    wlast: P,
    bvalid: P,
    bready: P,
    bresp: P,
}

impl<P: Copy> AxiPins<P> {
    pub fn find<S: Simulator<Port = P>>(sim: &S) -> Result<Self, SimError> {
        let o = |name: &str| sim.port(&format!("m_axi_{name}_o"));
        let i = |name: &str| sim.port(&format!("m_axi_{name}_i"));
        Ok(Self {
            arvalid: o("arvalid")?,
            arready: i("arready")?,
            araddr: o("araddr")?,
            arlen: o("arlen")?,
            arsize: o("arsize")?,
            arburst: o("arburst")?,
            rvalid: i("rvalid")?,
            rready: o("rready")?,
            rdata: i("rdata")?,
            rresp: i("rresp")?,
            rlast: i("rlast")?,
            awvalid: o("awvalid")?,
            awready: i("awready")?,
            awaddr: o("awaddr")?,
            awlen: o("awlen")?,
            awsize: o("awsize")?,
            awburst: o("awburst")?,
            wvalid: o("wvalid")?,
            wready: i("wready")?,
            wdata: o("wdata")?,
            wstrb: o("wstrb")?,
            wlast: o("wlast")?,
            bvalid: i("bvalid")?,
            bready: o("bready")?,
            bresp: i("bresp")?,
        })
    }

    pub fn drive<S: Simulator<Port = P>>(&self, sim: &mut S, out: &ToMaster) {
        sim.set(self.arready, out.arready.into());
        sim.set(self.awready, out.awready.into());
        sim.set(self.wready, out.wready.into());
        sim.set(self.rvalid, out.rvalid.into());
        sim.set(self.rlast, out.rlast.into());
        sim.set(self.rresp, out.rresp.into());
        sim.set(self.bvalid, out.bvalid.into());
        sim.set(self.bresp, out.bresp.into());
    }

    #[inline]
    pub fn sample<'a, S: Simulator<Port = P>>(&self, sim: &S, data: &'a mut [u8]) -> FromMaster<'a> {
        let high = |port| sim.get(port) != 0;
        let mut from = FromMaster { rready: high(self.rready), bready: high(self.bready), ..FromMaster::default() };
        if high(self.arvalid) {
            from.ar = Some(burst(sim, [self.araddr, self.arlen, self.arsize, self.arburst]));
        }
        if high(self.awvalid) {
            from.aw = Some(burst(sim, [self.awaddr, self.awlen, self.awsize, self.awburst]));
        }
        if high(self.wvalid) {
            sim.get_bytes(self.wdata, data);
            from.w = Some(WriteBeat { data, strb: sim.get(self.wstrb), last: high(self.wlast) });
        }
        from
    }
}

fn burst<S: Simulator>(sim: &S, [addr, len, size, burst]: [S::Port; 4]) -> Burst {
    Burst { addr: sim.get(addr), len: sim.get(len) as u8, size: sim.get(size) as u8, burst: sim.get(burst) as u8 }
}

/// Ports of the register slave.
pub(crate) struct LitePins<P> {
    awvalid: P,
    awready: P,
    awaddr: P,
    wvalid: P,
    wready: P,
    wdata: P,
    wstrb: P,
    bvalid: P,
    bready: P,
    bresp: P,
    arvalid: P,
    arready: P,
    araddr: P,
    rvalid: P,
    rready: P,
    rdata: P,
    rresp: P,
}

impl<P: Copy> LitePins<P> {
    pub fn find<S: Simulator<Port = P>>(sim: &S) -> Result<Self, SimError> {
        let o = |name: &str| sim.port(&format!("s_axil_{name}_o"));
        let i = |name: &str| sim.port(&format!("s_axil_{name}_i"));
        Ok(Self {
            awvalid: i("awvalid")?,
            awready: o("awready")?,
            awaddr: i("awaddr")?,
            wvalid: i("wvalid")?,
            wready: o("wready")?,
            wdata: i("wdata")?,
            wstrb: i("wstrb")?,
            bvalid: o("bvalid")?,
            bready: i("bready")?,
            bresp: o("bresp")?,
            arvalid: i("arvalid")?,
            arready: o("arready")?,
            araddr: i("araddr")?,
            rvalid: o("rvalid")?,
            rready: i("rready")?,
            rdata: o("rdata")?,
            rresp: o("rresp")?,
        })
    }

    pub fn drive<S: Simulator<Port = P>>(&self, sim: &mut S, out: &LiteToSlave) {
        sim.set(self.awvalid, out.awvalid.into());
        sim.set(self.awaddr, out.awaddr.into());
        sim.set(self.wvalid, out.wvalid.into());
        sim.set(self.wdata, out.wdata.into());
        sim.set(self.wstrb, out.wstrb.into());
        sim.set(self.bready, out.bready.into());
        sim.set(self.arvalid, out.arvalid.into());
        sim.set(self.araddr, out.araddr.into());
        sim.set(self.rready, out.rready.into());
    }

    #[inline]
    pub fn sample<S: Simulator<Port = P>>(&self, sim: &S) -> LiteFromSlave {
        let high = |port| sim.get(port) != 0;
        let mut from = LiteFromSlave {
            awready: high(self.awready),
            wready: high(self.wready),
            bvalid: high(self.bvalid),
            arready: high(self.arready),
            rvalid: high(self.rvalid),
            ..LiteFromSlave::default()
        };
        if from.bvalid {
            from.bresp = sim.get(self.bresp) as u8;
        }
        if from.rvalid {
            from.rdata = sim.get(self.rdata) as u32;
            from.rresp = sim.get(self.rresp) as u8;
        }
        from
    }
}
