// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `engine::result_store`: rows of accumulators from an array of fixed latency, into the AXI4 memory model;
//! afterwards the whole memory is compared, with what lies between the results.

use super::{Block, BlockError, Dut, bits::pack, geometry, shape};
use crate::{
    axi::{Backpressure, Burst, FromMaster, Memory, MemoryConfig, WriteBeat},
    random::Random,
    simulator::Simulator,
};
use heddle_core::{
    config::Config,
    engine::{place::GRID_BITS, result_store},
    format::region::write_results,
    numerics::grid,
};
use heddle_lang::{BuildError, Module};
use std::{collections::VecDeque, sync::Arc};

const MATRICES: usize = 8;
/// Cycles from the announcement of a row to its accumulators: any number will do.
const ARRAY_LATENCY: usize = 13;
/// Bytes set aside for the results of a matrix.
const REGION: usize = 2048;
const INCR: u8 = 1;

/// The store of a configuration.
pub struct ResultStore {
    pub config: Config,
}

impl ResultStore {
    pub fn new(columns: u32, port_bits: u32) -> ResultStore {
        ResultStore { config: geometry(8, columns, port_bits) }
    }

    /// In a compact build.
    pub fn compact(self) -> ResultStore {
        ResultStore { config: Config { compact: true, ..self.config } }
    }
}

struct Matrix {
    address: u64,
    columns: usize,
    /// `rows[r][c]`: an accumulator.
    rows: Vec<Vec<i64>>,
}

/// A row on its way through the array.
#[derive(Clone)]
struct Row {
    acc: Vec<i64>,
    last: bool,
}

impl Block for ResultStore {
    fn name(&self) -> String {
        format!("result_store, {}{}", shape(&self.config), if self.config.compact { ", compact" } else { "" })
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        result_store::result_store(&self.config)
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        let matrices: Vec<Matrix> = (0..MATRICES).map(|i| self.matrix(rng, i)).collect();
        let mut memory = self.memory(rng)?;
        let mut expected = memory.bytes().to_vec();
        for m in &matrices {
            let floats: Vec<_> = m.rows.iter().flatten().map(|a| grid::to_f24(*a)).collect();
            let bytes = write_results(&floats);
            expected[m.address as usize..][..bytes.len()].copy_from_slice(&bytes);
        }
        self.drive(&mut dut, rng, &matrices, &mut memory)?;
        match (0..expected.len()).find(|&i| expected[i] != memory.bytes()[i]) {
            None => Ok(()),
            Some(at) => {
                let (got, want) = (memory.bytes()[at], expected[at]);
                Err(BlockError::wrong(format!("byte {at:#x} of the memory is {got:#04x}, not {want:#04x}")))
            }
        }
    }
}

impl ResultStore {
    fn matrix(&self, rng: &mut Random, index: usize) -> Matrix {
        let columns = 1 + rng.bits() as usize % self.config.array.columns as usize;
        let rows = 1 + rng.bits() as usize % (REGION / 4 / columns).min(60);
        let mut value = || rng.bits() as i64 >> (rng.bits() % 64);
        let rows = (0..rows).map(|_| (0..columns).map(|_| value()).collect()).collect();
        Matrix { address: ((MATRICES - 1 - index) * REGION) as u64, columns, rows }
    }

    fn memory(&self, rng: &mut Random) -> Result<Memory, BlockError> {
        let mut config = MemoryConfig::new(MATRICES * REGION, self.config.port_bytes() as usize);
        config.write_latency = 1 + rng.bits() as u32 % 30;
        config.outstanding = 1 + rng.bits() as usize % 16;
        if rng.chance(160) {
            config.backpressure = Some(Backpressure { seed: rng.bits(), chance: 120 });
        }
        let mut memory = Memory::new(config)?;
        memory.bytes_mut().fill_with(|| rng.bits() as u8);
        Ok(memory)
    }

    fn drive(&self, dut: &mut Dut, rng: &mut Random, matrices: &[Matrix], memory: &mut Memory) -> Result<(), BlockError> {
        dut.reset()?;
        let [cmd_valid, cmd_addr, row_issue, issue_columns] = dut.inputs(["cmd_valid", "cmd_addr", "row_issue", "issue_columns"])?;
        let [row_valid, row_matrix_last, row_columns, acc] = dut.inputs(["row_valid", "row_matrix_last", "row_columns", "acc"])?;
        let [cmd_ready, room, matrix_done, idle] = dut.outputs(["cmd_ready", "room", "matrix_done", "idle"])?;
        let port = WritePort::find(dut)?;
        let mut array: VecDeque<Option<Row>> = (0..ARRAY_LATENCY).map(|_| None).collect();
        let issue_chance = [255, 128, 20][rng.bits() as usize % 3];
        let (mut commands, mut issued, mut done) = (0, (0, 0), 0);
        let results: usize = matrices.iter().map(|m| m.rows.len() * m.columns).sum();
        let limit = 2000 + 60 * results as u64;
        for _ in 0..limit {
            // A command goes in when its matrix is at most one ahead of the rows, as from the sequencer.
            let offer = matrices.get(commands).filter(|_| commands <= issued.0 + 1 && rng.chance(128));
            dut.put(cmd_valid, offer.is_some().into());
            offer.into_iter().for_each(|m| dut.put(cmd_addr, m.address));
            let (matrix, row) = issued;
            let next = matrices.get(matrix).filter(|_| matrix < commands && rng.chance(issue_chance));
            let columns = matrices.get(matrix).map_or(1, |m| m.columns);
            dut.put(issue_columns, columns as u64);
            dut.put(row_issue, 0);
            let arriving = array.pop_front().flatten();
            dut.put(row_valid, arriving.is_some().into());
            dut.put(row_matrix_last, arriving.as_ref().is_some_and(|r| r.last).into());
            if let Some(r) = &arriving {
                dut.put(row_columns, r.acc.len() as u64);
                // Columns that are not in use carry anything.
                let fill = (r.acc.len()..self.config.array.columns as usize).map(|_| rng.bits());
                dut.put_bytes(acc, &pack(GRID_BITS, r.acc.iter().map(|a| *a as u64).chain(fill)));
            }
            port.drive(dut, memory);
            dut.settle()?;
            // The announcement depends on the room of the same cycle.
            let go = next.filter(|_| dut.high(room));
            dut.put(row_issue, go.is_some().into());
            dut.settle()?;
            array.push_back(go.map(|m| Row { acc: m.rows[row].clone(), last: row + 1 == m.rows.len() }));
            if let Some(m) = go {
                issued = if row + 1 == m.rows.len() { (matrix + 1, 0) } else { (matrix, row + 1) };
            }
            commands += usize::from(offer.is_some() && dut.high(cmd_ready));
            done += usize::from(dut.high(matrix_done));
            port.step(dut, memory)?;
            let quiet = dut.high(idle) && issued.0 == matrices.len() && done == matrices.len();
            dut.tick()?;
            if quiet {
                return if memory.idle() { Ok(()) } else { Err(BlockError::wrong("idle with writes under way")) };
            }
        }
        Err(BlockError::Limit { limit, state: format!("{} of {} matrices issued, {done} done", issued.0, matrices.len()) })
    }
}

/// The AXI4 write channels.
struct WritePort {
    inputs: [super::Pin; 4],
    outputs: [super::Pin; 5],
}

impl WritePort {
    fn find(dut: &Dut) -> Result<WritePort, BlockError> {
        Ok(WritePort {
            inputs: dut.inputs(["awready", "wready", "bvalid", "bresp"])?,
            outputs: dut.outputs(["awvalid", "awaddr", "wvalid", "wdata", "wstrb"])?,
        })
    }

    fn drive(&self, dut: &mut Dut, memory: &Memory) {
        let out = *memory.out();
        let [awready, wready, bvalid, bresp] = self.inputs;
        for (pin, value) in
            [(awready, out.awready.into()), (wready, out.wready.into()), (bvalid, out.bvalid.into()), (bresp, out.bresp.into())]
        {
            dut.put(pin, value);
        }
    }

    fn step(&self, dut: &Dut, memory: &mut Memory) -> Result<(), BlockError> {
        let [awvalid, awaddr, wvalid, wdata, wstrb] = self.outputs;
        let size = memory.config().beat_bytes.ilog2() as u8;
        let aw = dut.high(awvalid).then(|| Burst { addr: dut.read(awaddr), len: 0, size, burst: INCR });
        let data = dut.read_bytes(wdata);
        let w = dut.high(wvalid).then(|| WriteBeat { data: &data, strb: dut.read(wstrb), last: true });
        Ok(memory.step(&FromMaster { aw, w, bready: true, ..FromMaster::default() })?)
    }
}
