// SPDX-License-Identifier: MIT OR Apache-2.0
//! The controller between an AXI4 master and the checking device.

use super::master::{Job, Master};
use heddle_fpga::sdram::{
    SdramConfig,
    device::{Device, Pins},
    sdram,
};
use heddle_lang::{BuildError, Module};
use heddle_tb::{
    blocks::{Block, BlockError, Dut, Pin},
    random::Random,
    simulator::Simulator,
};
use std::sync::Arc;

/// Cycles after which an acknowledged write is in the device.
const SETTLE: usize = 300;

/// Random bursts of a configuration.
pub struct RandomBursts {
    pub config: SdramConfig,
    pub bursts: usize,
}

impl Block for RandomBursts {
    fn name(&self) -> String {
        let c = &self.config;
        format!("sdram, port of {} bits, {} MHz, CAS latency {}, delay {}", c.port_bits, c.clock_mhz, c.cas_latency, c.read_delay)
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        sdram(&self.config)
    }

    fn run(&self, dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        let stall = [0, 20, 128, 240][rng.bits() as usize % 4];
        let mut bench = Bench::new(dut, &self.config, stall, rng.bits())?;
        bench.add_random(self.bursts, rng);
        bench.run(4_000_000)?;
        // A write is acknowledged when it has its place before all that comes later.
        (0..SETTLE).try_for_each(|_| bench.cycle())?;
        match bench.device.bytes() == bench.master.memory() {
            true => Ok(()),
            false => Err(BlockError::Wrong("the device holds something else than was written".into())),
        }
    }
}

pub struct Bench {
    dut: Dut,
    config: SdramConfig,
    pub device: Device,
    pub master: Master,
    outputs: [Pin; 10],
    dq_read: Pin,
    started: Pin,
}

const OUTPUTS: [&str; 10] = [
    "sdram_cke",
    "sdram_cs_n",
    "sdram_ras_n",
    "sdram_cas_n",
    "sdram_we_n",
    "sdram_ba",
    "sdram_a",
    "sdram_dqm",
    "sdram_dq",
    "sdram_dq_enable",
];

impl Bench {
    /// `config` is the device's.
    pub fn new(mut dut: Dut, config: &SdramConfig, stall: u8, seed: u64) -> Result<Bench, BlockError> {
        let master = Master::new(&dut, "s_axi_", config.port_bits as usize / 8, 0, config.bytes() as usize, stall, seed)?;
        let outputs = dut.outputs(OUTPUTS)?;
        let [dq_read] = dut.inputs(["sdram_dq_read"])?;
        let [started] = dut.outputs(["started"])?;
        dut.reset()?;
        Ok(Bench { device: Device::new(config), config: *config, master, outputs, dq_read, started, dut })
    }

    pub fn add_random(&mut self, bursts: usize, rng: &mut Random) {
        let jobs: Vec<Job> = (0..bursts).map(|_| self.random_job(rng)).collect();
        self.master.jobs.extend(jobs);
    }

    /// A burst of any length: half of them in a few rows of all banks, the rest anywhere; one in 32 beyond the memory.
    fn random_job(&self, rng: &mut Random) -> Job {
        let beat = u64::from(self.config.port_bits / 8);
        let bits = rng.bits();
        let write = bits & 1 == 1;
        let page = match bits >> 1 & 1 {
            0 => (bits >> 8) % 4 + 16 * ((bits >> 16) % 2),
            _ => (bits >> 8) % (self.config.bytes() / 4096),
        };
        let in_page = 4096 / beat;
        let first = (bits >> 32) % in_page;
        let most = (in_page - first).min(256);
        let beats = match bits >> 2 & 3 {
            0 => 1,
            1 => (bits >> 48) % 8 + 1,
            _ => (bits >> 48) % 256 + 1,
        };
        let refused = (bits >> 3).is_multiple_of(32);
        let beyond = if refused { self.config.bytes() } else { 0 };
        Job { write, addr: beyond + page * 4096 + first * beat, beats: beats.min(most) as usize, refused }
    }

    /// Runs until the device is initialised.
    pub fn start(&mut self) -> Result<(), BlockError> {
        while !self.dut.high(self.started) {
            self.cycle()?;
        }
        Ok(())
    }

    /// Runs until all bursts are done; gives the cycles it took.
    pub fn run(&mut self, limit: u64) -> Result<u64, BlockError> {
        for cycle in 0..limit {
            if self.master.done() {
                return Ok(cycle);
            }
            self.cycle()?;
        }
        Err(BlockError::Limit { limit, state: self.master.state() })
    }

    pub fn cycle(&mut self) -> Result<(), BlockError> {
        self.dut.put(self.dq_read, self.device.dq().into());
        self.master.drive(&mut self.dut);
        self.dut.settle()?;
        self.master.sample(&self.dut)?;
        let [cke, cs_n, ras, cas, we, ba, a, dqm, dq, enable] = self.outputs.map(|pin| self.dut.read(pin) as u32);
        let pins =
            Pins { cke: cke == 1, cs_n: cs_n == 1, command: ras << 2 | cas << 1 | we, ba, a, dqm, dq: dq as u16, drive: enable == 1 };
        self.device.step(&pins).map_err(|e| BlockError::Wrong(e.to_string()))?;
        Ok(self.dut.tick()?)
    }
}
