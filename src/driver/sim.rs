// SPDX-License-Identifier: MIT OR Apache-2.0
//! The emitted Verilog, verilated, with a memory model on its port.

use std::ops::Range;
use std::path::Path;

use heddle_core::config::Config;
use heddle_core::top::top;
use heddle_lang::BuildError as HdlError;
use heddle_tb::SimError;
use heddle_tb::axi::MemoryConfig;
use heddle_tb::rtl::{self, RtlError};
use heddle_tb::soc::{Soc, SocError, SwitchTiming};
use heddle_tb::tools::{self, ToolError};
use heddle_tb::verilator::{BuildOptions, Library, Model};

use super::{Transport, TransportError};

/// Why there is no simulation.
#[derive(Debug, thiserror::Error)]
pub enum SimBuildError {
    #[error(transparent)]
    Hdl(#[from] HdlError),
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error(transparent)]
    Rtl(#[from] RtlError),
}

/// Generates and verilates the accelerator of `config`, or takes it from the cache; installs Verilator beside the
/// project if there is none. `progress` hears of each step.
pub fn build(config: &Config, options: &BuildOptions, progress: &mut dyn FnMut(&str)) -> Result<Library, SimBuildError> {
    tools::verilator_or_provision(progress)?;
    progress("generating the Verilog");
    let top = top(config)?;
    Ok(rtl::verilated(&top, options, progress)?)
}

/// A running simulation as a transport.
pub struct Sim {
    soc: Soc<Model>,
}

impl Sim {
    /// An instance out of reset; `config` is that of the library. The memory answers with the configured latency.
    pub fn new(library: &Library, config: &Config) -> Result<Sim, SocError> {
        let mut memory = MemoryConfig::new(config.memory_bytes() as usize, config.port_bytes() as usize);
        memory.read_latency = config.memory.latency_cycles;
        Sim::with_memory(library, memory)
    }

    /// As [`Sim::new`] with a memory of other timing.
    pub fn with_memory(library: &Library, memory: MemoryConfig) -> Result<Sim, SocError> {
        Sim::of(library.instance()?, memory)
    }

    /// An instance whose inputs may have been set: it is reset here.
    pub fn of(instance: Model, memory: MemoryConfig) -> Result<Sim, SocError> {
        Ok(Sim { soc: Soc::new(instance, memory)? })
    }

    /// What surrounds the accelerator: memory, power switches.
    pub fn soc(&mut self) -> &mut Soc<Model> {
        &mut self.soc
    }

    /// How the switches of its power domains answer from now on, if it has any.
    pub fn set_switches(&mut self, timing: SwitchTiming) {
        if let Some(switches) = self.soc.switches() {
            switches.set_timing(timing);
        }
    }

    /// Writes the waveforms of these cycles; the library must have been built with tracing.
    pub fn trace(&mut self, file: &Path, cycles: Range<u64>) -> Result<(), SimError> {
        self.soc.simulator().trace_start(file, cycles)
    }
}

impl Transport for Sim {
    fn read_reg(&mut self, offset: u32) -> Result<u32, TransportError> {
        Ok(self.soc.read_reg(offset)?)
    }

    fn write_reg(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        Ok(self.soc.write_reg(offset, value)?)
    }

    fn read_mem(&mut self, address: u32, to: &mut [u8]) -> Result<(), TransportError> {
        let memory = self.soc.memory();
        let size = memory.bytes().len() as u64;
        let region = memory.range(address.into(), to.len());
        to.copy_from_slice(region.ok_or(TransportError::Memory { address, bytes: to.len(), size })?);
        Ok(())
    }

    fn write_mem(&mut self, address: u32, from: &[u8]) -> Result<(), TransportError> {
        let memory = self.soc.memory_mut();
        let size = memory.bytes().len() as u64;
        let region = memory.range_mut(address.into(), from.len());
        region.ok_or(TransportError::Memory { address, bytes: from.len(), size })?.copy_from_slice(from);
        Ok(())
    }

    fn wait_irq(&mut self, limit: u64) -> Result<(), TransportError> {
        match self.soc.run_until_irq(limit) {
            Ok(_) => Ok(()),
            Err(SocError::Sim(SimError::Limit { .. })) => Err(TransportError::Limit { limit }),
            Err(error) => Err(error.into()),
        }
    }

    fn has_cycles(&self) -> bool {
        true
    }

    fn clock_cycles(&self) -> Option<u64> {
        Some(self.soc.cycles())
    }
}
