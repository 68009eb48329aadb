// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a module of `heddle-lang` to something that runs: its Verilog in Verilator, or the IR itself.

use crate::simulator::Simulator;
use crate::verilator::{BuildError, BuildOptions, Design, Library, Port, Progress, SimError};
use heddle_lang::{Module, module::NetKind, sim, verilog};
use std::{cell::RefCell, sync::Arc};

/// Why a module could not be made to run.
#[derive(Debug, thiserror::Error)]
pub enum RtlError {
    #[error(transparent)]
    Print(#[from] verilog::PrintError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Native(#[from] sim::SimError),
}

/// The emitted Verilog of a module and all below it, with the ports that the emitted text must have.
pub fn design(top: &Arc<Module>, options: &verilog::Options) -> Result<Design, RtlError> {
    let mut design = Design::new(format!("{}{}", options.prefix, top.name));
    for file in verilog::files(top, options)? {
        design = design.file(file.name, file.text);
    }
    for (_, net) in top.ports() {
        let name = verilog::net_name(net);
        design = match net.kind {
            NetKind::Clock => design.clock(name),
            kind => design.port(Port { name, width: net.ty.width(), input: kind == NetKind::Input }),
        };
    }
    Ok(design)
}

/// The emitted Verilog of a module, verilated.
pub fn verilated(top: &Arc<Module>, options: &BuildOptions, progress: Progress<'_>) -> Result<Library, RtlError> {
    Ok(design(top, &verilog::Options::default())?.build(options, progress)?)
}

/// The native simulation of a module, as a bench sees it.
pub struct Native {
    top: String,
    /// Reading an output may evaluate the design first.
    sim: RefCell<sim::Simulator>,
}

impl Native {
    /// The simulation itself, to look inside.
    pub fn raw(&mut self) -> &mut sim::Simulator {
        self.sim.get_mut()
    }

    pub fn new(top: &Arc<Module>) -> Result<Self, RtlError> {
        Ok(Native { top: top.name.clone(), sim: RefCell::new(sim::Simulator::new(top)?) })
    }
}

impl Simulator for Native {
    type Port = sim::Port;

    fn port(&self, name: &str) -> Result<sim::Port, SimError> {
        let base = name.strip_suffix("_i").or(name.strip_suffix("_o")).unwrap_or(name);
        self.sim.borrow().port(base).map_err(|e| SimError::Failed { top: self.top.clone(), message: e.to_string(), cycle: 0 })
    }

    fn width(&self, port: sim::Port) -> u32 {
        port.ty().width()
    }

    fn get(&self, port: sim::Port) -> u64 {
        self.sim.borrow_mut().get(port)
    }

    fn set(&mut self, port: sim::Port, value: u64) {
        self.sim.get_mut().set(port, value);
    }

    fn get_bytes(&self, port: sim::Port, to: &mut [u8]) {
        let bits = self.sim.borrow_mut().get_bits(port);
        let bytes = bits.limbs().iter().flat_map(|l| l.to_le_bytes());
        to.iter_mut().zip(bytes.chain(std::iter::repeat(0))).for_each(|(t, b)| *t = b);
    }

    fn set_bytes(&mut self, port: sim::Port, from: &[u8]) {
        let mut limbs = [0u64; 64];
        for (i, b) in from.iter().enumerate().take(512) {
            limbs[i / 8] |= u64::from(*b) << (8 * (i % 8));
        }
        let used = (port.ty().width() as usize).div_ceil(64);
        self.sim.get_mut().set_limbs(port, &limbs[..used]);
    }

    fn settle(&mut self) -> Result<(), SimError> {
        self.sim.get_mut().settle();
        Ok(())
    }

    fn tick(&mut self) -> Result<(), SimError> {
        let cycle = self.cycles();
        self.sim.get_mut().step().map_err(|e| SimError::Failed { top: self.top.clone(), message: e.to_string(), cycle })
    }

    fn cycles(&self) -> u64 {
        self.sim.borrow().cycles()
    }
}
