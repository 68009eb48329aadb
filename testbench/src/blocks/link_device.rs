// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bridge of the link in native simulation, with memory and registers, byte by byte: something a host can talk to.

use super::{
    BlockError, Dut, Pin,
    link_ports::{Ports, RegisterFile},
};
use crate::{
    axi::{Memory, MemoryConfig},
    random::Random,
    simulator::Simulator,
};
use heddle_core::link::bridge;

/// Cycles without a byte in either direction after which all that was sent has been carried out.
const QUIET: u32 = 64;
/// Cycles of the time-out.
const SILENCE: u64 = 500;

/// The bridge, ideal buses behind it.
pub struct LinkDevice {
    dut: Dut,
    ports: Ports,
    memory: Memory,
    registers: RegisterFile,
    /// `in_valid`, `in_data`, `out_ready`.
    inputs: [Pin; 3],
    /// `in_ready`, `out_valid`, `out_data`.
    outputs: [Pin; 3],
}

impl LinkDevice {
    /// Memory of so many bytes; 1024 registers that hold what is written.
    pub fn new(port_bits: u32, memory_bytes: usize) -> Result<LinkDevice, BlockError> {
        let mut dut = Dut::native(&bridge::bridge(port_bits, memory_bytes as u64)?)?;
        let [silence] = dut.inputs(["silence"])?;
        dut.put(silence, SILENCE);
        let (inputs, outputs) = (dut.inputs(["in_valid", "in_data", "out_ready"])?, dut.outputs(["in_ready", "out_valid", "out_data"])?);
        dut.put(inputs[2], 1);
        dut.reset()?;
        let ports = Ports::find(&dut)?;
        let memory = Memory::new(MemoryConfig::new(memory_bytes, port_bits as usize / 8))?;
        Ok(LinkDevice { dut, ports, memory, registers: RegisterFile::new(&mut Random::new(1), 0..0), inputs, outputs })
    }

    pub fn memory(&self) -> &[u8] {
        self.memory.bytes()
    }

    /// Sends bytes, and goes on until nothing more comes of them.
    pub fn send(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), BlockError> {
        let (mut left, mut quiet) = (bytes, 0);
        while quiet < QUIET {
            let taken = self.cycle(left.first().copied(), out)?;
            left = &left[usize::from(taken && !left.is_empty())..];
            let busy = !left.is_empty() || !taken || self.dut.high(self.outputs[1]);
            quiet = if busy { 0 } else { quiet + 1 };
        }
        Ok(())
    }

    /// No byte for longer than the time-out.
    pub fn silence(&mut self) -> Result<(), BlockError> {
        let mut out = Vec::new();
        (0..SILENCE + 10).try_for_each(|_| self.cycle(None, &mut out).map(|_| ()))
    }

    /// One cycle; whether a byte is, or would be, taken.
    fn cycle(&mut self, offer: Option<u8>, out: &mut Vec<u8>) -> Result<bool, BlockError> {
        let [valid, data, _] = self.inputs;
        let [ready, out_valid, out_data] = self.outputs;
        self.dut.put(valid, offer.is_some().into());
        self.dut.put(data, offer.unwrap_or(0).into());
        self.ports.drive(&mut self.dut, &self.memory, &self.registers);
        self.dut.settle()?;
        if self.dut.high(out_valid) {
            out.push(self.dut.read(out_data) as u8);
        }
        let taken = self.dut.high(ready);
        self.ports.step(&self.dut, &mut self.memory, &mut self.registers)?;
        self.dut.tick()?;
        Ok(taken)
    }
}
