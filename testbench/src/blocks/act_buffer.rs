// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `engine::act_buffer`: one bank is loaded while everything in the other is read back in random order.

use super::{
    Block, BlockError, Dut, Pin,
    bits::{pack, slice},
    geometry,
    place::scale_bits,
    shape,
};
use crate::{
    matmul,
    random::Random,
    simulator::Simulator,
    stream::{Source, Stall},
};
use heddle_core::{
    config::{Config, Format},
    engine::{
        act_buffer::{self, golden},
        place::SCALE_BITS,
        scale_acc::SUM_X_BITS,
    },
    format::region::ActivationLayout,
    numerics::quant::Activations,
};
use heddle_lang::{BuildError, Module};
use std::{collections::VecDeque, sync::Arc};

const LOADS: u64 = 8;

/// The buffer of a configuration.
pub struct ActBuffer {
    pub config: Config,
}

impl ActBuffer {
    pub fn new(lanes: u32, columns: u32, port_bits: u32) -> ActBuffer {
        ActBuffer { config: geometry(lanes, columns, port_bits) }
    }

    /// Without a format that has a minimum, so without sums.
    pub fn without_minima(self) -> ActBuffer {
        ActBuffer { config: Config { formats: vec![Format::Q8_0], ..self.config } }
    }
}

impl Block for ActBuffer {
    fn name(&self) -> String {
        format!("act_buffer, {}{}", shape(&self.config), if act_buffer::has_minima(&self.config) { "" } else { ", no sums" })
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        act_buffer::act_buffer(&self.config)
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        dut.reset()?;
        let mut bench = Bench::new(&self.config, &dut)?;
        let mut before = Vec::new();
        for load in 0..=LOADS {
            let bank = load & 1;
            let columns = if load < LOADS { self.columns(rng) } else { Vec::new() };
            bench.step(&mut dut, rng, bank, &columns, &before)?;
            before = columns;
        }
        Ok(())
    }
}

impl ActBuffer {
    /// Vectors of a random length, filled up to what is stored.
    fn columns(&self, rng: &mut Random) -> Vec<Activations> {
        let per_cycle = self.config.blocks_per_cycle() as usize;
        let steps = self.config.activations.blocks as usize / per_cycle;
        let blocks = per_cycle * (1 + rng.bits() as usize % steps);
        let count = 1 + rng.bits() as usize % self.config.array.columns as usize;
        let mut columns: Vec<Activations> = (0..count).map(|_| matmul::random_vector(rng, blocks)).collect();
        // -128 cannot come from quantisation, but the sum of 32 of them fits.
        columns[0].q[..32].fill(-128);
        columns
    }
}

/// A read: its addresses, and what each column in use must show.
struct Read {
    x_addr: u64,
    scale_addr: u64,
    /// Per column: lanes, scales, sums.
    columns: Vec<[Vec<u8>; 3]>,
}

struct Bench<'a> {
    config: &'a Config,
    load: [Pin; 6],
    address: [Pin; 2],
    ready: [Pin; 3],
    data: Vec<Pin>,
}

impl<'a> Bench<'a> {
    fn new(config: &'a Config, dut: &Dut) -> Result<Bench<'a>, BlockError> {
        let mut data: Vec<Pin> = dut.outputs(["x", "dx"])?.into();
        if act_buffer::has_minima(config) {
            data.extend(dut.outputs(["sum_x"])?);
        }
        Ok(Bench {
            config,
            load: dut.inputs(["load_valid", "load_last_block", "load_columns", "load_bank", "beat_valid", "beat_data"])?,
            address: dut.inputs(["x_addr", "scale_addr"])?,
            ready: dut.outputs(["load_ready", "beat_ready", "busy"])?,
            data,
        })
    }

    /// Loads `columns` into `bank` while reading all of `before` from the other one.
    fn step(
        &mut self,
        dut: &mut Dut,
        rng: &mut Random,
        bank: u64,
        columns: &[Activations],
        before: &[Activations],
    ) -> Result<(), BlockError> {
        let [load_valid, last_block, load_columns, load_bank, beat_valid, beat_data] = self.load;
        let [load_ready, beat_ready, busy] = self.ready;
        let blocks = columns.first().map_or(0, |c| c.d.len());
        let mut start = Source::new((blocks > 0).then_some(()), Stall::variety(rng.bits()));
        let mut beats = Source::new(self.beats(columns)?, Stall::variety(rng.bits()));
        let mut reads = self.reads(rng, 1 - bank, before);
        let mut due: VecDeque<Option<Read>> = (0..act_buffer::latency(self.config)).map(|_| None).collect();
        let limit = 200 + 12 * (reads.len() + beats.len()) as u64;
        for _ in 0..limit {
            dut.put(load_valid, start.out().is_some().into());
            dut.put(last_block, blocks.saturating_sub(1) as u64);
            dut.put(load_columns, columns.len() as u64);
            dut.put(load_bank, bank);
            dut.put(beat_valid, beats.out().is_some().into());
            beats.out().into_iter().for_each(|beat| dut.put_bytes(beat_data, beat));
            let read = reads.pop();
            let pins = self.address;
            let addresses = read.as_ref().map_or([rng.bits(), rng.bits()], |r| [r.x_addr, r.scale_addr]);
            pins.into_iter().zip(addresses).for_each(|(pin, address)| dut.put(pin, address));
            dut.settle()?;
            due.push_back(read);
            if let Some(read) = due.pop_front().flatten() {
                self.check(dut, &read)?;
            }
            // `busy` follows a beat by one cycle.
            let idle = beats.finished() && !dut.high(busy);
            start.step(dut.high(load_ready));
            beats.step(dut.high(beat_ready));
            dut.tick()?;
            if start.finished() && idle && reads.is_empty() && due.iter().all(Option::is_none) {
                return Ok(());
            }
        }
        Err(BlockError::Limit { limit, state: format!("load of {} column(s) of {blocks} blocks", columns.len()) })
    }

    fn beats(&self, columns: &[Activations]) -> Result<Vec<Vec<u8>>, BlockError> {
        let Some(first) = columns.first() else { return Ok(Vec::new()) };
        let (lanes, port) = (self.config.array.lanes as usize, self.config.memory.port_bits as usize);
        let illegal = |e| BlockError::wrong(format!("illegal activations: {e}"));
        let layout = ActivationLayout::new(first.d.len(), lanes, port).map_err(illegal)?;
        Ok(layout.write(columns).map_err(illegal)?.chunks(port / 8).map(<[u8]>::to_vec).collect())
    }

    /// Every address of the vectors in a bank, in random order.
    fn reads(&self, rng: &mut Random, bank: u64, columns: &[Activations]) -> Vec<Read> {
        let config = self.config;
        let (lanes, per_cycle, parts) =
            (config.array.lanes as usize, config.blocks_per_cycle() as usize, u64::from(config.cycles_per_block()));
        let step_bits = act_buffer::scale_address_bits(config) - 1;
        let steps = columns.first().map_or(0, |c| c.d.len()) / per_cycle;
        let mut reads = Vec::new();
        for step in 0..steps {
            for part in 0..parts as usize {
                let of_column = |c: &Activations| {
                    let first = 32 * per_cycle * step + lanes * part;
                    let blocks = step * per_cycle..(step + 1) * per_cycle;
                    let sums = c.q.as_chunks::<32>().0[blocks.clone()].iter().map(|b| golden::sum_x(b) as u64);
                    [
                        c.q[first..first + lanes].iter().map(|q| *q as u8).collect(),
                        pack(SCALE_BITS, c.d[blocks].iter().map(|d| scale_bits(*d))),
                        pack(SUM_X_BITS, sums),
                    ]
                };
                let scale_addr = bank << step_bits | step as u64;
                reads.push(Read { x_addr: scale_addr * parts + part as u64, scale_addr, columns: columns.iter().map(of_column).collect() });
            }
        }
        for i in (1..reads.len()).rev() {
            reads.swap(i, rng.bits() as usize % (i + 1));
        }
        reads
    }

    fn check(&self, dut: &Dut, read: &Read) -> Result<(), BlockError> {
        for (kind, pin) in self.data.iter().enumerate() {
            let word = dut.read_bytes(*pin);
            let bits = (pin.width / self.config.array.columns) as usize;
            for (c, expected) in read.columns.iter().enumerate() {
                let got = slice(&word, c * bits, bits);
                if got != expected[kind] {
                    let what = format!("`{}` of column {c} at address {:#x} is {got:x?}, not {:x?}", pin.name, read.x_addr, expected[kind]);
                    return Err(BlockError::wrong(what));
                }
            }
        }
        Ok(())
    }
}
