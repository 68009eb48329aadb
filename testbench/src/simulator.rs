// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a bench needs of a simulation, so that one bench serves the verilated design and the native one.

use crate::verilator::{Model, PortHandle, SimError};

/// A running design with one clock.
pub trait Simulator {
    /// A port, looked up once.
    type Port: Copy;

    fn port(&self, name: &str) -> Result<Self::Port, SimError>;

    /// Width of a port in bits.
    fn width(&self, port: Self::Port) -> u32;

    /// Value of a port of at most 64 bits.
    fn get(&self, port: Self::Port) -> u64;

    /// Sets an input of at most 64 bits; higher bits are dropped.
    fn set(&mut self, port: Self::Port, value: u64);

    /// The low `to.len()` bytes of a port, little-endian; zero beyond its width.
    fn get_bytes(&self, port: Self::Port, to: &mut [u8]);

    /// Sets an input from little-endian bytes, zero-extended, cut to its width.
    fn set_bytes(&mut self, port: Self::Port, from: &[u8]);

    /// Makes outputs follow changed inputs, without a clock edge.
    fn settle(&mut self) -> Result<(), SimError>;

    /// One rising clock edge.
    fn tick(&mut self) -> Result<(), SimError>;

    /// Rising clock edges so far.
    fn cycles(&self) -> u64;
}

impl Simulator for Model {
    type Port = PortHandle;

    fn port(&self, name: &str) -> Result<PortHandle, SimError> {
        Model::port(self, name)
    }

    fn width(&self, port: PortHandle) -> u32 {
        Model::width(self, port)
    }

    #[inline]
    fn get(&self, port: PortHandle) -> u64 {
        Model::get(self, port)
    }

    #[inline]
    fn set(&mut self, port: PortHandle, value: u64) {
        Model::set(self, port, value);
    }

    #[inline]
    fn get_bytes(&self, port: PortHandle, to: &mut [u8]) {
        let bytes = self.bytes(port);
        let common = bytes.len().min(to.len());
        to[..common].copy_from_slice(&bytes[..common]);
        to[common..].fill(0);
    }

    #[inline]
    fn set_bytes(&mut self, port: PortHandle, from: &[u8]) {
        Model::set_bytes(self, port, from);
    }

    #[inline]
    fn settle(&mut self) -> Result<(), SimError> {
        self.eval()
    }

    #[inline]
    fn tick(&mut self) -> Result<(), SimError> {
        Model::tick(self)
    }

    #[inline]
    fn cycles(&self) -> u64 {
        Model::cycles(self)
    }
}
