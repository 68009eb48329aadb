// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `engine::weight_fetch`: random jobs against the AXI4 memory model; bursts, data, order and reserved room.

use super::{Block, BlockError, Dut, geometry, shape};
use crate::{
    axi::{Backpressure, Burst, FromMaster, Memory, MemoryConfig, Rate, Refresh},
    random::Random,
    simulator::Simulator,
    stream::{Checker, Sink, Source, Stall, StreamError},
};
use heddle_core::{
    config::Config,
    engine::weight_fetch::{self, DEST_ACTIVATIONS, DEST_DESCRIPTOR, DEST_WEIGHTS, golden},
};
use heddle_lang::{BuildError, Module};
use std::{collections::VecDeque, sync::Arc};

const JOBS: usize = 24;
const DESTINATIONS: [u64; 3] = [DEST_DESCRIPTOR, DEST_ACTIVATIONS, DEST_WEIGHTS];
const MEMORY: usize = 64 << 10;
/// AXI `INCR`.
const INCR: u8 = 1;

/// The read master of a configuration.
pub struct WeightFetch {
    pub config: Config,
}

impl WeightFetch {
    pub fn new(port_bits: u32, fifo_beats: u32, burst_beats: u32) -> WeightFetch {
        let mut config = geometry(8, 1, port_bits);
        config.memory.latency_cycles = 10;
        (config.memory.fifo_beats, config.memory.burst_beats) = (fifo_beats, burst_beats);
        WeightFetch { config }
    }
}

#[derive(Clone, Copy, Debug)]
struct Job {
    address: u32,
    beats: u64,
    dest: u64,
}

impl Block for WeightFetch {
    fn name(&self) -> String {
        let memory = &self.config.memory;
        format!("weight_fetch, {}, FIFO {}, bursts of {}", shape(&self.config), memory.fifo_beats, memory.burst_beats)
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        weight_fetch::weight_fetch(&self.config)
    }

    fn run(&self, dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        let port = self.config.port_bytes();
        let job = |rng: &mut Random| {
            let beats = 1 + rng.bits() % if rng.chance(40) { 600 } else { 60 };
            let span = MEMORY as u32 / port - beats as u32;
            // Half of the jobs end or start near a 4 KiB boundary.
            let mut first = rng.bits() as u32 % span;
            if rng.chance(128) {
                first = (first.next_multiple_of(4096 / port).saturating_sub(rng.bits() as u32 % 5)).min(span);
            }
            Job { address: first * port, beats, dest: DESTINATIONS[rng.bits() as usize % 3] }
        };
        let jobs: Vec<Job> = (0..JOBS).map(|_| job(rng)).collect();
        self.check(dut, rng, &jobs)
    }
}

impl WeightFetch {
    fn memory(&self, rng: &mut Random) -> Result<Memory, BlockError> {
        let mut config = MemoryConfig::new(MEMORY, self.config.port_bytes() as usize);
        config.read_latency = 1 + rng.bits() as u32 % 40;
        config.outstanding = 1 + rng.bits() as usize % 16;
        if rng.chance(128) {
            config.rate = Rate { beats: 2, cycles: 3 };
            config.refresh = Some(Refresh { every: 90, length: 11 });
        }
        if rng.chance(160) {
            config.backpressure = Some(Backpressure { seed: rng.bits(), chance: 90 });
        }
        let mut memory = Memory::new(config)?;
        memory.bytes_mut().fill_with(|| rng.bits() as u8);
        Ok(memory)
    }

    fn check(&self, mut dut: Dut, rng: &mut Random, jobs: &[Job]) -> Result<(), BlockError> {
        let port = self.config.port_bytes();
        let mut memory = self.memory(rng)?;
        let mut bursts: VecDeque<(u32, u32)> = jobs.iter().flat_map(|j| self.bursts(j)).collect();
        let mut expected: VecDeque<(Vec<u8>, u64)> = VecDeque::new();
        for job in jobs {
            let bytes = job.beats as usize * port as usize;
            expected.extend(memory.bytes()[job.address as usize..][..bytes].chunks(port as usize).map(|b| (b.to_vec(), job.dest)));
        }
        let limit = 2000 + 40 * expected.len() as u64;

        dut.reset()?;
        let [job_valid, job_addr, job_beats, job_dest] = dut.inputs(["job_valid", "job_addr", "job_beats", "job_dest"])?;
        let [arready, rvalid, rdata, rresp, rlast, beat_ready] =
            dut.inputs(["arready", "rvalid", "rdata", "rresp", "rlast", "beat_ready"])?;
        let [job_ready, arvalid, araddr, arlen] = dut.outputs(["job_ready", "arvalid", "araddr", "arlen"])?;
        let [beat_valid, beat_data, beat_dest, idle] = dut.outputs(["beat_valid", "beat_data", "beat_dest", "idle"])?;
        let mut source = Source::new(jobs.iter().copied(), Stall::variety(rng.bits()));
        let mut sink: Sink<()> = Sink::new(Stall::variety(rng.bits()));
        let mut checker = Checker::default();
        // Beats asked for and not yet handed on: the FIFO must have room for all of them.
        let mut reserved = 0u32;
        for _ in 0..limit {
            dut.put(job_valid, source.out().is_some().into());
            if let Some(job) = source.out() {
                dut.put(job_addr, job.address.into());
                dut.put(job_beats, job.beats);
                dut.put(job_dest, job.dest);
            }
            let out = *memory.out();
            dut.put(arready, out.arready.into());
            dut.put(rvalid, out.rvalid.into());
            dut.put(rlast, out.rlast.into());
            dut.put(rresp, out.rresp.into());
            if out.rvalid {
                dut.put_bytes(rdata, memory.rdata());
            }
            dut.put(beat_ready, sink.out().into());
            dut.settle()?;

            let burst = dut.high(arvalid).then(|| (dut.read(araddr) as u32, dut.read(arlen) as u32 + 1));
            if let Some(burst) = burst.filter(|_| out.arready) {
                reserved += burst.1;
                if bursts.pop_front() != Some(burst) {
                    return Err(BlockError::wrong(format!("a burst of {} beats from {:#x} that no job has here", burst.1, burst.0)));
                }
            }
            let ar = burst.map(|(addr, beats)| Burst { addr: addr.into(), len: (beats - 1) as u8, size: port.ilog2() as u8, burst: INCR });
            memory.step(&FromMaster { ar, rready: true, ..FromMaster::default() })?;
            let beat = dut.high(beat_valid).then(|| (dut.read_bytes(beat_data), dut.read(beat_dest)));
            let rule = |violation| StreamError::Rule { stream: "beat".into(), violation };
            checker.step(beat.as_ref(), sink.out()).map_err(rule)?;
            if let Some(beat) = beat.as_ref().filter(|_| sink.out()) {
                reserved = reserved.saturating_sub(1);
                if expected.pop_front().as_ref() != Some(beat) {
                    return Err(BlockError::wrong(format!("beat {} is {beat:x?}", checker.transfers)));
                }
            }
            if reserved > self.config.memory.fifo_beats {
                return Err(BlockError::wrong(format!("{reserved} beats asked for with room for {}", self.config.memory.fifo_beats)));
            }
            sink.step(beat.map(|_| ()));
            let finished = source.finished() && expected.is_empty();
            source.step(dut.high(job_ready));
            dut.tick()?;
            if finished {
                dut.settle()?;
                return if bursts.is_empty() && memory.idle() { dut.expect(idle, 1) } else { Err(BlockError::wrong("bursts are left")) };
            }
        }
        Err(BlockError::Limit { limit, state: format!("{} beats are missing", expected.len()) })
    }

    fn bursts(&self, job: &Job) -> Vec<(u32, u32)> {
        golden::bursts(job.address, job.beats, self.config.port_bytes(), self.config.memory.burst_beats)
    }
}
