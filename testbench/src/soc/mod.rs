// SPDX-License-Identifier: MIT OR Apache-2.0
//! The accelerator with a memory on its AXI4 port and a master on its register port.
//!
//! Port names are those of `docs/architecture.md`.

pub(crate) mod pins;
mod supply;
mod switches;

pub use supply::{Rail, Supplies, SupplyTiming, Taken};
pub use switches::{SwitchTiming, Switches};

use pins::{AxiPins, LitePins};

use crate::axi::{ConfigError, LiteDone, LiteMaster, LiteSkew, LiteToSlave, Memory, MemoryConfig, ToMaster, Violation};
use crate::simulator::Simulator;
use crate::verilator::SimError;

/// Why an operation on the system failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SocError {
    #[error(transparent)]
    Sim(#[from] SimError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Memory(#[from] Violation),
    #[error("register port: {0}")]
    Lite(Violation),
    #[error("register {addr:#x}: the accelerator answered {resp} instead of OKAY")]
    Response { addr: u32, resp: u8 },
    #[error("register address {addr:#x} is not a multiple of 4 below 4096")]
    Address { addr: u32 },
    #[error("{valid} is high at the end of reset")]
    ValidInReset { valid: &'static str },
}

/// Cycles that a register access may take.
const LITE_LIMIT: u64 = 1000;

/// A running system. `S` is the accelerator's simulation.
pub struct Soc<S: Simulator> {
    sim: S,
    rst: S::Port,
    irq: S::Port,
    axi: AxiPins<S::Port>,
    axil: LitePins<S::Port>,
    memory: Memory,
    lite: LiteMaster,
    /// Of an accelerator with power domains.
    switches: Option<Switches<S::Port>>,
    /// Of an accelerator with a DVFS unit.
    supplies: Option<Supplies<S::Port>>,
    /// What the pins carry now, so that only changes are driven.
    driven: ToMaster,
    driven_lite: LiteToSlave,
    done: Option<LiteDone>,
}

impl<S: Simulator> Soc<S> {
    /// Connects a fresh simulation and holds it in reset for a few cycles.
    pub fn new(sim: S, memory: MemoryConfig) -> Result<Self, SocError> {
        let mut soc = Self {
            rst: sim.port("rst_i")?,
            irq: sim.port("irq_o")?,
            axi: AxiPins::find(&sim)?,
            axil: LitePins::find(&sim)?,
            switches: Switches::find(&sim)?,
            supplies: Supplies::find(&sim)?,
            sim,
            memory: Memory::new(memory)?,
            lite: LiteMaster::new(LiteSkew::Together),
            driven: ToMaster::default(),
            driven_lite: LiteToSlave::default(),
            done: None,
        };
        soc.reset(4)?;
        Ok(soc)
    }

    /// Resets the accelerator and the bus models. The memory keeps its content; switches and supplies go on: they are told
    /// something else, and answer when they do.
    pub fn reset(&mut self, cycles: u64) -> Result<(), SocError> {
        self.memory.reset();
        self.lite.reset();
        self.done = None;
        self.driven = *self.memory.out();
        self.axi.drive(&mut self.sim, &self.driven);
        self.driven_lite = *self.lite.out();
        self.axil.drive(&mut self.sim, &self.driven_lite);
        self.sim.set(self.rst, 1);
        for _ in 0..cycles {
            self.supply();
            self.sim.tick()?;
        }
        self.sim.settle()?;
        let axi = &self.axi;
        for (port, valid) in [(axi.arvalid, "ARVALID"), (axi.awvalid, "AWVALID"), (axi.wvalid, "WVALID")] {
            if self.sim.get(port) != 0 {
                return Err(SocError::ValidInReset { valid });
            }
        }
        self.sim.set(self.rst, 0);
        Ok(())
    }

    /// One clock cycle of everything.
    #[inline]
    pub fn cycle(&mut self) -> Result<(), SocError> {
        let out = *self.memory.out();
        if out != self.driven {
            self.axi.drive(&mut self.sim, &out);
            if out.rdata_new {
                self.sim.set_bytes(self.axi.rdata, self.memory.rdata());
            }
            self.driven = ToMaster { rdata_new: false, ..out };
        }
        if *self.lite.out() != self.driven_lite {
            self.driven_lite = *self.lite.out();
            self.axil.drive(&mut self.sim, &self.driven_lite);
        }
        self.supply();
        self.sim.settle()?;
        let mut data = [0; 64];
        let from = self.axi.sample(&self.sim, &mut data[..self.memory.config().beat_bytes]);
        self.memory.step(&from)?;
        let from = self.axil.sample(&self.sim);
        if let Some(done) = self.lite.step(&from).map_err(SocError::Lite)? {
            self.done = Some(done);
        }
        self.sim.tick()?;
        Ok(())
    }

    /// What the power switches and the supplies do in this cycle.
    fn supply(&mut self) {
        if let Some(switches) = &mut self.switches {
            switches.step(&mut self.sim);
        }
        if let Some(supplies) = &mut self.supplies {
            supplies.step(&mut self.sim);
        }
    }

    /// Runs until the interrupt is high; returns the cycles it took, 0 if it was high already.
    pub fn run_until_irq(&mut self, limit: u64) -> Result<u64, SocError> {
        let start = self.cycles();
        while self.sim.get(self.irq) == 0 {
            if self.cycles() - start >= limit {
                let what = "interrupt".into();
                return Err(SimError::Limit { what, limit, cycle: self.cycles() }.into());
            }
            self.cycle()?;
        }
        Ok(self.cycles() - start)
    }

    /// Reads a register; errors on anything but OKAY, and after 1000 cycles without an answer.
    pub fn read_reg(&mut self, addr: u32) -> Result<u32, SocError> {
        check_address(addr)?;
        self.lite.start_read(addr);
        Ok(self.finish(addr)?.rdata)
    }

    /// Writes a whole register.
    pub fn write_reg(&mut self, addr: u32, value: u32) -> Result<(), SocError> {
        check_address(addr)?;
        self.lite.start_write(addr, value, 0xf);
        self.finish(addr).map(|_| ())
    }

    fn finish(&mut self, addr: u32) -> Result<LiteDone, SocError> {
        let start = self.cycles();
        self.done = None;
        loop {
            self.cycle()?;
            match self.done.take() {
                Some(done) if done.resp == crate::axi::OKAY => return Ok(done),
                Some(done) => return Err(SocError::Response { addr, resp: done.resp }),
                None if self.cycles() - start >= LITE_LIMIT => {
                    let what = format!("answer from register {addr:#x}");
                    return Err(SimError::Limit { what, limit: LITE_LIMIT, cycle: self.cycles() }.into());
                }
                None => {}
            }
        }
    }

    /// How later register writes offer address and data.
    pub fn set_skew(&mut self, skew: LiteSkew) {
        self.lite.set_skew(skew);
    }

    /// The power switches of its domains, if it has any.
    pub fn switches(&mut self) -> Option<&mut Switches<S::Port>> {
        self.switches.as_mut()
    }

    /// The regulator and the PLL of its DVFS unit, if it has one.
    pub fn supplies(&mut self) -> Option<&mut Supplies<S::Port>> {
        self.supplies.as_mut()
    }

    pub fn irq(&self) -> bool {
        self.sim.get(self.irq) != 0
    }

    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    pub fn memory_mut(&mut self) -> &mut Memory {
        &mut self.memory
    }

    pub fn simulator(&mut self) -> &mut S {
        &mut self.sim
    }

    /// Clock cycles so far, resets included.
    #[inline]
    pub fn cycles(&self) -> u64 {
        self.sim.cycles()
    }
}

fn check_address(addr: u32) -> Result<(), SocError> {
    if addr.is_multiple_of(4) && addr < 4096 { Ok(()) } else { Err(SocError::Address { addr }) }
}
