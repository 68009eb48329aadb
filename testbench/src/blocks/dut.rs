// SPDX-License-Identifier: MIT OR Apache-2.0
//! A block under test: its native simulation or its verilated Verilog, behind one type.

use super::BlockError;
use crate::{
    rtl::{Native, RtlError},
    simulator::Simulator,
    verilator::{Library, SimError},
};
use heddle_lang::Module;
use std::{cell::RefCell, sync::Arc};

/// A running block. Values of ports are little-endian bytes, of their width rounded up.
pub struct Dut {
    sim: Box<dyn Erased>,
}

/// A port of a block, looked up once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    index: usize,
    pub name: &'static str,
    pub width: u32,
}

/// A simulation whose ports are numbered in the order in which they were asked for.
trait Erased: Send {
    fn port(&self, name: &str) -> Result<usize, SimError>;
    fn width(&self, port: usize) -> u32;
    fn get(&self, port: usize) -> u64;
    fn set(&mut self, port: usize, value: u64);
    fn get_bytes(&self, port: usize, to: &mut [u8]);
    fn set_bytes(&mut self, port: usize, from: &[u8]);
    fn settle(&mut self) -> Result<(), SimError>;
    fn tick(&mut self) -> Result<(), SimError>;
    fn cycles(&self) -> u64;
}

struct Held<S: Simulator> {
    sim: S,
    ports: RefCell<Vec<S::Port>>,
}

impl<S: Simulator> Held<S> {
    fn at(&self, index: usize) -> S::Port {
        self.ports.borrow()[index]
    }
}

impl<S: Simulator<Port: Send> + Send> Erased for Held<S> {
    fn port(&self, name: &str) -> Result<usize, SimError> {
        let mut ports = self.ports.borrow_mut();
        ports.push(self.sim.port(name)?);
        Ok(ports.len() - 1)
    }

    fn width(&self, port: usize) -> u32 {
        self.sim.width(self.at(port))
    }

    fn get(&self, port: usize) -> u64 {
        self.sim.get(self.at(port))
    }

    fn set(&mut self, port: usize, value: u64) {
        self.sim.set(self.at(port), value);
    }

    fn get_bytes(&self, port: usize, to: &mut [u8]) {
        self.sim.get_bytes(self.at(port), to);
    }

    fn set_bytes(&mut self, port: usize, from: &[u8]) {
        self.sim.set_bytes(self.at(port), from);
    }

    fn settle(&mut self) -> Result<(), SimError> {
        self.sim.settle()
    }

    fn tick(&mut self) -> Result<(), SimError> {
        self.sim.tick()
    }

    fn cycles(&self) -> u64 {
        self.sim.cycles()
    }
}

impl Dut {
    /// The native simulation of a module.
    pub fn native(module: &Arc<Module>) -> Result<Dut, RtlError> {
        Ok(Dut::of(Native::new(module)?))
    }

    /// An instance of a verilated module.
    pub fn verilog(library: &Library) -> Result<Dut, SimError> {
        Ok(Dut::of(library.instance()?))
    }

    /// Any simulation with the block's ports.
    pub fn of<S: Simulator<Port: Send> + Send + 'static>(sim: S) -> Dut {
        Dut { sim: Box::new(Held { sim, ports: RefCell::default() }) }
    }

    /// Inputs by base name.
    pub fn inputs<const N: usize>(&self, names: [&'static str; N]) -> Result<[Pin; N], BlockError> {
        self.pins(names, "_i")
    }

    /// Outputs by base name.
    pub fn outputs<const N: usize>(&self, names: [&'static str; N]) -> Result<[Pin; N], BlockError> {
        self.pins(names, "_o")
    }

    fn pins<const N: usize>(&self, names: [&'static str; N], suffix: &str) -> Result<[Pin; N], BlockError> {
        let mut pins = [Pin { index: 0, name: "", width: 0 }; N];
        for (pin, name) in pins.iter_mut().zip(names) {
            let index = self.sim.port(&format!("{name}{suffix}"))?;
            *pin = Pin { index, name, width: self.sim.width(index) };
        }
        Ok(pins)
    }

    /// Two cycles of reset; for blocks that have one.
    pub fn reset(&mut self) -> Result<(), BlockError> {
        let [rst] = self.inputs(["rst"])?;
        self.put(rst, 1);
        self.tick()?;
        self.tick()?;
        self.put(rst, 0);
        Ok(())
    }

    /// Sets an input of at most 64 bits.
    pub fn put(&mut self, pin: Pin, value: u64) {
        self.sim.set(pin.index, value);
    }

    /// Sets an input.
    pub fn put_bytes(&mut self, pin: Pin, value: &[u8]) {
        self.sim.set_bytes(pin.index, value);
    }

    /// Value of a port of at most 64 bits.
    pub fn read(&self, pin: Pin) -> u64 {
        self.sim.get(pin.index)
    }

    /// Whether a port of one bit is high.
    pub fn high(&self, pin: Pin) -> bool {
        self.read(pin) != 0
    }

    /// Value of a port.
    pub fn read_bytes(&self, pin: Pin) -> Vec<u8> {
        let mut value = vec![0; pin.width.div_ceil(8) as usize];
        self.sim.get_bytes(pin.index, &mut value);
        value
    }

    /// An error unless the port has this value.
    pub fn expect(&self, pin: Pin, value: u64) -> Result<(), BlockError> {
        let got = self.read(pin);
        let pin_value = |v: u64| format!("{v:#x}");
        if got == value { Ok(()) } else { Err(self.wrong(pin, &pin_value(got), &pin_value(value))) }
    }

    /// An error unless the port has this value.
    pub fn expect_bytes(&self, pin: Pin, value: &[u8]) -> Result<(), BlockError> {
        let got = self.read_bytes(pin);
        if got == value { Ok(()) } else { Err(self.wrong(pin, &hex(&got), &hex(value))) }
    }

    fn wrong(&self, pin: Pin, got: &str, want: &str) -> BlockError {
        BlockError::wrong(format!("cycle {}: `{}` is {got}, not {want}", self.sim.cycles(), pin.name))
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().rev().map(|b| format!("{b:02x}")).collect();
    format!("0x{digits}")
}

impl Simulator for Dut {
    type Port = usize;

    fn port(&self, name: &str) -> Result<usize, SimError> {
        self.sim.port(name)
    }

    fn width(&self, port: usize) -> u32 {
        self.sim.width(port)
    }

    fn get(&self, port: usize) -> u64 {
        self.sim.get(port)
    }

    fn set(&mut self, port: usize, value: u64) {
        self.sim.set(port, value);
    }

    fn get_bytes(&self, port: usize, to: &mut [u8]) {
        self.sim.get_bytes(port, to);
    }

    fn set_bytes(&mut self, port: usize, from: &[u8]) {
        self.sim.set_bytes(port, from);
    }

    fn settle(&mut self) -> Result<(), SimError> {
        self.sim.settle()
    }

    fn tick(&mut self) -> Result<(), SimError> {
        self.sim.tick()
    }

    fn cycles(&self) -> u64 {
        self.sim.cycles()
    }
}
