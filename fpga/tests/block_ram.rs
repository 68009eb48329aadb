// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory in block RAM, and in SPRAM, behind a checking AXI4 master.

#[path = "support/master.rs"]
#[allow(dead_code, reason = "each test uses a part")]
mod master;

use heddle_fpga::{block_ram::block_ram, spram::spram_memory};
use heddle_lang::{BuildError, Module};
use heddle_tb::{
    blocks::{Block, BlockError, Dut, check_native, seeds},
    random::Random,
    simulator::Simulator,
};
use master::{Job, Master};
use std::sync::Arc;

/// Whether a master may let what it has read wait.
#[derive(Clone, Copy, PartialEq)]
enum Reads {
    Wait,
    AreTaken,
}

/// Makes a memory for a port of so many bits, of so many bytes.
type Make = fn(u32, u64) -> Result<Arc<Module>, BuildError>;

struct RandomBursts {
    make: Make,
    port_bits: u32,
    bytes: u64,
    reads: Reads,
    bursts: usize,
}

impl Block for RandomBursts {
    fn name(&self) -> String {
        format!("memory, {} bytes, port of {} bits", self.bytes, self.port_bits)
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        (self.make)(self.port_bits, self.bytes)
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        let beat = self.port_bits as usize / 8;
        let stall = [0, 40, 160][rng.bits() as usize % 3];
        let mut master = Master::new(&dut, "s_axi_", beat, 0, self.bytes as usize, stall, rng.bits())?;
        master.takes_reads = self.reads == Reads::AreTaken;
        dut.reset()?;
        for _ in 0..self.bursts {
            let next = self.random_job(rng);
            master.jobs.push_back(next);
        }
        run(&mut dut, &mut master, 1_000_000).map(|_| ())
    }
}

fn job(write: bool, first: usize, beats: usize, beat: usize, refused: bool) -> Job {
    Job { write, addr: (first * beat) as u64, beats, refused }
}

impl RandomBursts {
    /// A burst of any length inside of the memory, or behind it.
    fn random_job(&self, rng: &mut Random) -> Job {
        let beat = self.port_bits as usize / 8;
        let beats = self.bytes as usize / beat;
        let bits = rng.bits() as usize;
        let refused = rng.chance(16);
        let first = (bits >> 8) % beats;
        let longest = [1, 5, 256][(bits >> 4) % 3];
        let in_page = 4096 / beat - first % (4096 / beat);
        let count = ((bits >> 32) % longest + 1).min(in_page).min(beats - first);
        let first = if refused { first + beats.next_multiple_of(4096 / beat) } else { first };
        job(bits & 1 == 1, first, count, beat, refused)
    }
}

/// Runs until all bursts are done; gives the cycles it took.
fn run(dut: &mut Dut, master: &mut Master, limit: u64) -> Result<u64, BlockError> {
    for cycle in 0..limit {
        if master.done() {
            return Ok(cycle);
        }
        master.drive(dut);
        dut.settle()?;
        master.sample(dut)?;
        dut.tick()?;
    }
    Err(BlockError::Limit { limit, state: master.state() })
}

/// One segment, several of them, a last one that is not full; SPRAM of one, two and three banks.
const SHAPES: [(Make, u32, u64, Reads); 8] = [
    (block_ram, 32, 1024, Reads::Wait),
    (block_ram, 32, 24 << 10, Reads::Wait),
    (block_ram, 64, 40 << 10, Reads::Wait),
    (block_ram, 128, 80 << 10, Reads::Wait),
    (block_ram, 512, 4096, Reads::Wait),
    (spram_memory, 32, 128 << 10, Reads::AreTaken),
    (spram_memory, 32, 192 << 10, Reads::AreTaken),
    (spram_memory, 64, 128 << 10, Reads::AreTaken),
];

fn blocks() -> Vec<RandomBursts> {
    SHAPES.map(|(make, port_bits, bytes, reads)| RandomBursts { make, port_bits, bytes, reads, bursts: 250 }).into()
}

#[test]
fn what_was_written_is_read() {
    let blocks = blocks();
    let blocks: Vec<&dyn Block> = blocks.iter().map(|b| b as &dyn Block).collect();
    check_native(&blocks, seeds(4)).unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn a_stream_of_reads_takes_a_beat_per_cycle() -> Result<(), BlockError> {
    const BURSTS: usize = 100;
    let mut dut = Dut::native(&block_ram(64, 64 << 10)?)?;
    let mut master = Master::new(&dut, "s_axi_", 8, 0, 64 << 10, 0, 1)?;
    dut.reset()?;
    master.jobs.extend((0..1 << 13).step_by(64).map(|at| job(true, at, 64, 8, false)));
    run(&mut dut, &mut master, 100_000)?;
    master.jobs.extend((0..BURSTS).map(|i| job(false, 32 * i, 32, 8, false)));
    let cycles = run(&mut dut, &mut master, 100_000)?;
    println!("{} beats in {cycles} cycles", 32 * BURSTS);
    // A cycle between bursts, and the latency of the first.
    assert!(cycles <= (33 * BURSTS + 20) as u64, "{cycles}");
    Ok(())
}
