// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `engine::csr`: every register of the declaration and every address beside it, through AXI4-Lite.

use super::{Block, BlockError, Dut, geometry};
use crate::{
    axi::{LiteDone, LiteMaster, LiteSkew, OKAY, SLVERR},
    random::Random,
    simulator::Simulator,
    soc::pins::LitePins,
};
use heddle_core::{
    config::Config,
    engine::csr,
    registers::{ADDRESS_BITS, Access, Register, Reset, present},
};
use heddle_lang::{BuildError, Module};
use std::sync::Arc;

/// Cycles that an access may take.
const LIMIT: usize = 50;

/// The register block of a configuration.
pub struct Csr {
    pub config: Config,
}

impl Csr {
    pub fn new(lanes: u32, columns: u32, port_bits: u32) -> Csr {
        Csr { config: geometry(lanes, columns, port_bits) }
    }
}

impl Csr {
    /// In a compact build.
    pub fn compact(self) -> Csr {
        Csr { config: Config { compact: true, ..self.config } }
    }
}

impl Block for Csr {
    fn name(&self) -> String {
        format!("csr{}", if self.config.compact { ", compact" } else { "" })
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        csr::csr(&self.config)
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        dut.reset()?;
        let skew = [LiteSkew::Together, LiteSkew::AddressFirst, LiteSkew::DataFirst][rng.bits() as usize % 3];
        let mut bus = Bus { pins: LitePins::find(&dut)?, master: LiteMaster::new(skew), dut, pulses: Vec::new() };
        for register in present(&self.config) {
            bus.expect(register, register.reset_value(&self.config))?;
        }
        for register in present(&self.config) {
            match register.access {
                Access::ReadOnly => self.read_only(&mut bus, rng, register)?,
                Access::ReadWrite => self.read_write(&mut bus, rng, register)?,
                Access::WriteOneToClear => self.write_one_to_clear(&mut bus, rng, register)?,
                Access::WriteOnly => self.write_only(&mut bus, rng, register)?,
            }
        }
        self.unmapped(&mut bus, rng)
    }
}

impl Csr {
    /// Follows its inputs where the hardware has any, and no write changes it.
    fn read_only(&self, bus: &mut Bus, rng: &mut Random, register: &Register) -> Result<(), BlockError> {
        let mut value = register.reset_value(&self.config);
        if matches!(register.reset, Reset::Value(0)) {
            value = rng.bits() as u32 & register.mask();
            for (port, lsb, width) in ports(register) {
                let pin = bus.input(&port)?;
                Simulator::set(&mut bus.dut, pin, u64::from(value) >> lsb & ((1 << width) - 1));
            }
        }
        bus.expect(register, value)?;
        bus.write(register.offset, rng.bits() as u32, 0xf)?;
        bus.expect(register, value)
    }

    /// Keeps the bytes that a strobe enables, shows them to the hardware, and no bit that does not exist.
    fn read_write(&self, bus: &mut Bus, rng: &mut Random, register: &Register) -> Result<(), BlockError> {
        let mut value = register.reset_value(&self.config);
        for strobe in 0..16u8 {
            let data = rng.bits() as u32;
            bus.write(register.offset, data, strobe)?;
            let mask = bytes_mask(strobe);
            value = (value & !mask | data & mask) & register.mask();
            bus.expect(register, value)?;
            for (port, lsb, width) in ports(register) {
                let pin = bus.output(&port)?;
                let got = Simulator::get(&bus.dut, pin);
                let want = u64::from(value) >> lsb & ((1 << width) - 1);
                if got != want {
                    return Err(BlockError::wrong(format!("`{port}` is {got:#x}, not {want:#x}")));
                }
            }
        }
        Ok(())
    }

    /// An event sets its bit; only a 1 under a strobe clears it; an event in the cycle of the clear is not lost.
    fn write_one_to_clear(&self, bus: &mut Bus, rng: &mut Random, register: &Register) -> Result<(), BlockError> {
        let mut value = 0;
        for _ in 0..40 {
            for (port, lsb, _) in ports(register) {
                if rng.chance(100) {
                    bus.pulse(&format!("{port}_set"))?;
                    value |= 1 << lsb;
                }
            }
            bus.expect(register, value)?;
            let (data, strobe) = (rng.bits() as u32, rng.bits() as u8 & 15);
            bus.write(register.offset, data, strobe)?;
            value &= !(data & bytes_mask(strobe));
            bus.expect(register, value)?;
        }
        for (port, lsb, _) in ports(register) {
            let pin = bus.input(&format!("{port}_set"))?;
            Simulator::set(&mut bus.dut, pin, 1);
            bus.write(register.offset, u32::MAX, 0xf)?;
            Simulator::set(&mut bus.dut, pin, 0);
            bus.expect(register, 1 << lsb)?;
            bus.write(register.offset, u32::MAX, 0xf)?;
        }
        bus.expect(register, 0)
    }

    /// Each bit written as 1 under a strobe gives one pulse; it reads 0.
    fn write_only(&self, bus: &mut Bus, rng: &mut Random, register: &Register) -> Result<(), BlockError> {
        let fields = ports(register);
        let names: Vec<&'static str> = register.fields.iter().map(|f| f.name).collect();
        let prefix = register.name.to_lowercase();
        for _ in 0..30 {
            let (data, strobe) = (rng.bits() as u32, rng.bits() as u8 & 15);
            bus.pulses = fields.iter().map(|(port, ..)| bus.output(port).map(|pin| (pin, 0))).collect::<Result<_, _>>()?;
            bus.write(register.offset, data, strobe)?;
            bus.idle()?;
            for (((_, lsb, _), (_, seen)), name) in fields.iter().zip(std::mem::take(&mut bus.pulses)).zip(&names) {
                let want = data & bytes_mask(strobe) & 1 << lsb != 0;
                if seen != u32::from(want) {
                    return Err(BlockError::wrong(format!("{data:#x} with strobes {strobe:#x}: {seen} pulses of `{prefix}_{name}`")));
                }
            }
            bus.expect(register, 0)?;
        }
        Ok(())
    }

    /// Every other address answers SLVERR, reads 0, and a write there changes no register.
    fn unmapped(&self, bus: &mut Bus, rng: &mut Random) -> Result<(), BlockError> {
        let scratch = present(&self.config).find(|r| r.name == "SCRATCH");
        for word in 0..1u32 << (ADDRESS_BITS - 2) {
            let address = 4 * word;
            if present(&self.config).any(|r| r.offset == address) {
                continue;
            }
            let read = bus.read(address)?;
            if read != (LiteDone { rdata: 0, resp: SLVERR }) {
                return Err(BlockError::wrong(format!("a read of {address:#x}, which is no register: {read:x?}")));
            }
            let resp = bus.access(|m| m.start_write(address, rng.bits() as u32, 0xf))?.resp;
            if resp != SLVERR {
                return Err(BlockError::wrong(format!("a write to {address:#x}, which is no register: response {resp}")));
            }
        }
        let Some(scratch) = scratch else { return Ok(()) };
        bus.write(scratch.offset, 0x1234_5678, 0xf)?;
        bus.access(|m| m.start_write(scratch.offset + 0x800, 0, 0xf))?;
        bus.expect(scratch, 0x1234_5678)
    }
}

/// Port, lowest bit and width of each field, or of the whole register.
fn ports(register: &Register) -> Vec<(String, u32, u32)> {
    if register.fields.is_empty() {
        return vec![(csr::port(register, None), 0, 32)];
    }
    register.fields.iter().map(|f| (csr::port(register, Some(f)), f.lsb, f.width)).collect()
}

fn bytes_mask(strobe: u8) -> u32 {
    (0..4).filter(|i| strobe >> i & 1 == 1).map(|i| 0xff << (8 * i)).sum()
}

/// The block with a master on its port.
struct Bus {
    dut: Dut,
    pins: LitePins<usize>,
    master: LiteMaster,
    /// Outputs to watch, and cycles in which they were high.
    pulses: Vec<(usize, u32)>,
}

impl Bus {
    fn input(&self, name: &str) -> Result<usize, BlockError> {
        Ok(Simulator::port(&self.dut, &format!("{name}_i"))?)
    }

    fn output(&self, name: &str) -> Result<usize, BlockError> {
        Ok(Simulator::port(&self.dut, &format!("{name}_o"))?)
    }

    fn cycle(&mut self) -> Result<Option<LiteDone>, BlockError> {
        let out = *self.master.out();
        self.pins.drive(&mut self.dut, &out);
        self.dut.settle()?;
        for (pin, seen) in &mut self.pulses {
            *seen += Simulator::get(&self.dut, *pin) as u32;
        }
        let from = self.pins.sample(&self.dut);
        let done = self.master.step(&from)?;
        self.dut.tick()?;
        Ok(done)
    }

    fn idle(&mut self) -> Result<(), BlockError> {
        (0..3).try_for_each(|_| self.cycle().map(|_| ()))
    }

    /// Holds an input high for one cycle.
    fn pulse(&mut self, name: &str) -> Result<(), BlockError> {
        let pin = self.input(name)?;
        Simulator::set(&mut self.dut, pin, 1);
        self.cycle()?;
        Simulator::set(&mut self.dut, pin, 0);
        Ok(())
    }

    fn access(&mut self, start: impl FnOnce(&mut LiteMaster)) -> Result<LiteDone, BlockError> {
        start(&mut self.master);
        for _ in 0..LIMIT {
            if let Some(done) = self.cycle()? {
                return Ok(done);
            }
        }
        Err(BlockError::Limit { limit: LIMIT as u64, state: "an access".into() })
    }

    fn read(&mut self, address: u32) -> Result<LiteDone, BlockError> {
        self.access(|m| m.start_read(address))
    }

    fn write(&mut self, address: u32, data: u32, strobe: u8) -> Result<(), BlockError> {
        match self.access(|m| m.start_write(address, data, strobe))?.resp {
            OKAY => Ok(()),
            resp => Err(BlockError::wrong(format!("a write to {address:#x}: response {resp}"))),
        }
    }

    fn expect(&mut self, register: &Register, value: u32) -> Result<(), BlockError> {
        let got = self.read(register.offset)?;
        if got == (LiteDone { rdata: value, resp: OKAY }) {
            return Ok(());
        }
        Err(BlockError::wrong(format!("{} is {:#x} with response {}, not {value:#x}", register.name, got.rdata, got.resp)))
    }
}
