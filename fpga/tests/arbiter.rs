// SPDX-License-Identifier: MIT OR Apache-2.0
//! The arbiter between two random masters and the AXI4 memory model.

#[path = "support/master.rs"]
mod master;

use heddle_fpga::arbiter::{UNDER_WAY, arbiter};
use heddle_lang::{BuildError, Module};
use heddle_tb::{
    axi::{Backpressure, Burst, FromMaster, Memory, MemoryConfig, Rate, WriteBeat},
    blocks::{Block, BlockError, Dut, Pin, check_native, seeds},
    random::Random,
    simulator::Simulator,
};
use master::{Job, Master};
use std::sync::Arc;

/// Each master has this much of the memory; behind it, as much that answers with errors.
const SHARE: usize = 64 << 10;

struct Arbiter {
    port_bits: u32,
    under_way: u32,
    bursts: usize,
}

impl Block for Arbiter {
    fn name(&self) -> String {
        format!("axi_arbiter, port of {} bits, {} bursts", self.port_bits, self.under_way)
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        arbiter(self.port_bits, self.under_way)
    }

    fn run(&self, dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        let beat = self.port_bits as usize / 8;
        let backpressure = rng.chance(128).then(|| Backpressure { seed: rng.bits(), chance: 64 });
        let read_latency = rng.bits() as u32 % 30 + 1;
        let errors = 2 * SHARE as u64..3 * SHARE as u64;
        let memory = MemoryConfig { backpressure, read_latency, errors, ..MemoryConfig::new(3 * SHARE, beat) };
        let mut bench = Bench::new(dut, memory, [0, 60][rng.bits() as usize % 2], rng.bits())?;
        for _ in 0..self.bursts {
            for i in 0..2 {
                let job = random_job(i, beat, rng);
                bench.masters[i].jobs.push_back(job);
            }
        }
        bench.run(1_000_000)?;
        let held = bench.masters.iter().enumerate().all(|(i, m)| m.memory() == &bench.memory.bytes()[i * SHARE..][..SHARE]);
        if held { Ok(()) } else { Err(BlockError::Wrong("the memory holds something else than was written".into())) }
    }
}

/// A burst of any length in the master's share, or in what answers with errors.
fn random_job(master: usize, beat: usize, rng: &mut Random) -> Job {
    let bits = rng.bits() as usize;
    let refused = rng.chance(16);
    let page = if refused { 2 * SHARE } else { master * SHARE } + (bits >> 8) % (SHARE / 4096) * 4096;
    let in_page = 4096 / beat;
    let first = (bits >> 16) % in_page;
    let longest = [1, 4, 256][(bits >> 4) % 3];
    let beats = ((bits >> 32) % longest + 1).min(in_page - first);
    Job { write: bits & 1 == 1, addr: (page + first * beat) as u64, beats, refused }
}

struct Bench {
    dut: Dut,
    masters: [Master; 2],
    memory: Memory,
    inputs: [Pin; 9],
    outputs: [Pin; 16],
}

impl Bench {
    fn new(mut dut: Dut, memory: MemoryConfig, stall: u8, seed: u64) -> Result<Bench, BlockError> {
        let master = |i: usize, name| Master::new(&dut, name, memory.beat_bytes, (i * SHARE) as u64, SHARE, stall, seed + i as u64);
        let masters = [master(0, "s0_axi_")?, master(1, "s1_axi_")?];
        let inputs = dut.inputs([
            "m_axi_arready",
            "m_axi_awready",
            "m_axi_wready",
            "m_axi_rvalid",
            "m_axi_rlast",
            "m_axi_rresp",
            "m_axi_bvalid",
            "m_axi_bresp",
            "m_axi_rdata",
        ])?;
        let outputs = dut.outputs([
            "m_axi_arvalid",
            "m_axi_araddr",
            "m_axi_arlen",
            "m_axi_arsize",
            "m_axi_arburst",
            "m_axi_awvalid",
            "m_axi_awaddr",
            "m_axi_awlen",
            "m_axi_awsize",
            "m_axi_awburst",
            "m_axi_rready",
            "m_axi_bready",
            "m_axi_wvalid",
            "m_axi_wlast",
            "m_axi_wstrb",
            "m_axi_wdata",
        ])?;
        dut.reset()?;
        Ok(Bench { masters, memory: Memory::new(memory)?, inputs, outputs, dut })
    }

    /// Runs until all bursts of both masters are done.
    fn run(&mut self, limit: u64) -> Result<(), BlockError> {
        for _ in 0..limit {
            if self.masters.iter().all(Master::done) {
                return Ok(());
            }
            self.cycle()?;
        }
        Err(BlockError::Limit { limit, state: format!("{}; {}", self.masters[0].state(), self.masters[1].state()) })
    }

    fn cycle(&mut self) -> Result<(), BlockError> {
        let out = *self.memory.out();
        let levels = [out.arready, out.awready, out.wready, out.rvalid, out.rlast].map(u64::from);
        let levels = levels.into_iter().chain([out.rresp.into(), out.bvalid.into(), out.bresp.into()]);
        self.inputs.iter().zip(levels).for_each(|(pin, level)| self.dut.put(*pin, level));
        if out.rvalid {
            self.dut.put_bytes(self.inputs[8], self.memory.rdata());
        }
        self.masters.iter_mut().for_each(|master| master.drive(&mut self.dut));
        self.dut.settle()?;
        self.masters.iter_mut().try_for_each(|master| master.sample(&self.dut))?;
        let levels: Vec<u64> = self.outputs[..15].iter().map(|pin| self.dut.read(*pin)).collect();
        let burst = |at: usize| {
            let [addr, len, size, burst] = [1, 2, 3, 4].map(|i| levels[at + i]);
            (levels[at] == 1).then_some(Burst { addr, len: len as u8, size: size as u8, burst: burst as u8 })
        };
        let data = self.dut.read_bytes(self.outputs[15]);
        let beat = WriteBeat { data: &data, strb: levels[14], last: levels[13] == 1 };
        let from = FromMaster {
            ar: burst(0),
            aw: burst(5),
            rready: levels[10] == 1,
            bready: levels[11] == 1,
            w: (levels[12] == 1).then_some(beat),
        };
        self.memory.step(&from)?;
        Ok(self.dut.tick()?)
    }
}

#[test]
fn each_master_sees_a_memory_of_its_own() {
    let blocks = [(32, UNDER_WAY), (32, 2), (128, UNDER_WAY), (512, UNDER_WAY)].map(|(port_bits, under_way)| Arbiter {
        port_bits,
        under_way,
        bursts: 150,
    });
    let blocks: Vec<&dyn Block> = blocks.iter().map(|b| b as &dyn Block).collect();
    check_native(&blocks, seeds(6)).unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn a_busy_memory_is_shared_evenly_and_no_beat_is_lost() -> Result<(), BlockError> {
    let memory = MemoryConfig { rate: Rate { beats: 1, cycles: 1 }, read_latency: 10, ..MemoryConfig::new(2 * SHARE, 4) };
    let mut bench = Bench::new(Dut::native(&arbiter(32, UNDER_WAY)?)?, memory, 0, 1)?;
    for (i, master) in bench.masters.iter_mut().enumerate() {
        let job = |n: usize| Job { write: false, addr: (i * SHARE + n * 128) as u64, beats: 32, refused: false };
        master.jobs.extend((0..400).map(job));
    }
    const CYCLES: u64 = 10_000;
    (0..CYCLES).try_for_each(|_| bench.cycle())?;
    let beats = bench.masters.each_ref().map(|master| master.read_beats);
    println!("{} + {} beats in {CYCLES} cycles", beats[0], beats[1]);
    assert!(beats[0].abs_diff(beats[1]) <= 64, "{beats:?}");
    assert!(beats[0] + beats[1] >= CYCLES - 40, "{beats:?}");
    Ok(())
}
