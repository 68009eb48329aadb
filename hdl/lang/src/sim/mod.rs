// SPDX-License-Identifier: MIT OR Apache-2.0
//! The native simulator: a module, its hierarchy flattened, as a tape of machine operations.
//!
//! Two values only: registers and memories start at zero. Two phases per clock edge: everything is computed
//! from the old state, then all registers and memories change at once. Inputs are set between edges;
//! [`Simulator::get`] sees their effect at once, [`Simulator::step`] is the rising edge.
//!
//! ```
//! use heddle_lang::{Builder, Ty, sim::Simulator};
//! let mut m = Builder::clocked("counter", file!());
//! let count = m.reg("count", Ty::Unsigned(4), 0);
//! m.next(&count, count.q().wrapping_add(1));
//! m.output("value", count.q());
//! let mut sim = Simulator::new(&m.build()?)?;
//! let value = sim.port("value")?;
//! for _ in 0..18 {
//!     sim.step()?;
//! }
//! assert_eq!(sim.get(value), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod compile;
pub(crate) mod flatten;
mod graph;
mod lower;
mod memory;
mod tape;
mod vcd;
mod wide;

use crate::{
    bits::Bits,
    expr::Ty,
    module::{Module, PropertyKind},
};
use graph::{canonical, limbs, normalise};
use std::{collections::BTreeMap, sync::Arc};
use tape::Part;

/// Why a design cannot be simulated, or a simulation cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SimError {
    #[error("combinational loop: {}", nets.join(" -> "))]
    Loop { nets: Vec<String> },
    #[error("`{net}` {why}: it would be a latch")]
    Latch { net: String, why: &'static str },
    #[error("the clock `{net}` does not come from a clock input of the top module")]
    Clock { net: String },
    #[error("module `{module}` has no port `{port}`")]
    Port { module: String, port: String },
    #[error("there is no {what} `{name}`")]
    Unknown { what: &'static str, name: String },
    #[error("assertion `{name}` does not hold in cycle {cycle}")]
    Assertion { name: String, cycle: u64 },
    #[error("the stimulus breaks the assumption `{name}` in cycle {cycle}")]
    Assumption { name: String, cycle: u64 },
    #[error("cannot write the trace: {0}")]
    Trace(String),
}

/// A port of the top module.
#[derive(Clone, Copy, Debug)]
pub struct Port {
    slot: usize,
    ty: Ty,
    input: bool,
    /// An input or a register: up to date without evaluation.
    stored: bool,
}

impl Port {
    pub fn ty(self) -> Ty {
        self.ty
    }
}

/// Where the value of a net is.
#[derive(Clone, Copy)]
struct NetSlot {
    slot: usize,
    ty: Ty,
    debug: bool,
}

struct SimProperty {
    kind: PropertyKind,
    name: String,
    slot: usize,
    hits: u64,
}

/// What changes at the edge of one clock.
struct Domain {
    clock: String,
    /// First register slot.
    first: usize,
    /// For each register slot, the slot of its next value.
    next: Vec<u32>,
    memories: Vec<usize>,
    properties: Vec<SimProperty>,
    cycles: u64,
}

impl Domain {
    fn new(clock: String) -> Self {
        Domain { clock, first: 0, next: vec![], memories: vec![], properties: vec![], cycles: 0 }
    }
}

pub struct Simulator {
    flat: flatten::Flat,
    tape: tape::Tape,
    slots: Vec<u64>,
    /// By net of the flattened design.
    nets: Vec<NetSlot>,
    ports: BTreeMap<String, Port>,
    domains: Vec<Domain>,
    memories: Vec<memory::SimMemory>,
    state_dirty: bool,
    input_dirty: bool,
    debug_dirty: bool,
    /// Read data between the edge's two phases.
    staged: Vec<(usize, u64)>,
    trace: Option<vcd::Trace>,
}

impl Simulator {
    pub fn new(top: &Arc<Module>) -> Result<Simulator, SimError> {
        compile::compile(top)
    }

    /// A port of the top module, by base name.
    pub fn port(&self, name: &str) -> Result<Port, SimError> {
        self.ports.get(name).copied().ok_or_else(|| SimError::Unknown { what: "port", name: name.to_string() })
    }

    fn input(&self, port: Port) {
        assert!(port.input, "an output cannot be set");
    }

    /// Sets an input to the low bits of `value`.
    ///
    /// # Panics
    /// If the port is not an input.
    pub fn set(&mut self, port: Port, value: u64) {
        self.set_limbs(port, &[value]);
    }

    pub fn set_bits(&mut self, port: Port, value: &Bits) {
        self.set_limbs(port, value.limbs());
    }

    /// Sets an input from limbs of 64 bits, least significant first; missing ones are zero.
    ///
    /// # Panics
    /// If the port is not an input.
    pub fn set_limbs(&mut self, port: Port, value: &[u64]) {
        self.input(port);
        let n = limbs(port.ty);
        for i in 0..n {
            let mut limb = value.get(i).copied().unwrap_or(0);
            if i + 1 == n {
                normalise(port.ty, std::slice::from_mut(&mut limb));
            }
            let slot = &mut self.slots[port.slot + i];
            self.input_dirty |= *slot != limb;
            *slot = limb;
        }
    }

    /// The low 64 bits of a port, without sign extension.
    pub fn get(&mut self, port: Port) -> u64 {
        if !port.stored {
            self.settle();
        }
        canonical(Ty::Unsigned(port.ty.width().min(64)), self.slots[port.slot])
    }

    /// The value of a port of up to 64 bits, sign-extended where it is signed.
    pub fn get_signed(&mut self, port: Port) -> i64 {
        if !port.stored {
            self.settle();
        }
        self.slots[port.slot] as i64
    }

    pub fn get_bits(&mut self, port: Port) -> Bits {
        if !port.stored {
            self.settle();
        }
        self.bits(port.slot, port.ty)
    }

    fn bits(&self, slot: usize, ty: Ty) -> Bits {
        Bits::from_limbs(ty.width(), &self.slots[slot..slot + limbs(ty)])
    }

    /// Brings every output up to date with the inputs; [`Simulator::get`] and [`Simulator::step`] do it too.
    pub fn settle(&mut self) {
        if self.state_dirty {
            self.tape.run(Part::State, &mut self.slots);
        }
        if self.state_dirty || self.input_dirty {
            self.tape.run(Part::Input, &mut self.slots);
            self.debug_dirty = true;
        }
        (self.state_dirty, self.input_dirty) = (false, false);
    }

    fn settle_debug(&mut self) {
        self.settle();
        if self.debug_dirty {
            self.tape.run(Part::Debug, &mut self.slots);
            self.debug_dirty = false;
        }
    }

    /// A rising edge of the first clock.
    pub fn step(&mut self) -> Result<(), SimError> {
        self.edge(0)
    }

    /// `n` rising edges of the first clock.
    pub fn run(&mut self, n: u64) -> Result<(), SimError> {
        (0..n).try_for_each(|_| self.edge(0))
    }

    /// A rising edge of the clock of this name.
    pub fn step_clock(&mut self, clock: &str) -> Result<(), SimError> {
        let unknown = || SimError::Unknown { what: "clock", name: clock.to_string() };
        let domain = self.domains.iter().position(|d| d.clock == clock).ok_or_else(unknown)?;
        self.edge(domain)
    }

    fn edge(&mut self, domain: usize) -> Result<(), SimError> {
        self.settle();
        if self.trace.is_some() {
            self.write_trace(domain)?;
        }
        let d = &mut self.domains[domain];
        let cycle = d.cycles;
        for p in &mut d.properties {
            let holds = self.slots[p.slot] != 0;
            match p.kind {
                PropertyKind::Cover => p.hits += u64::from(holds),
                PropertyKind::Assert if !holds => return Err(SimError::Assertion { name: p.name.clone(), cycle }),
                PropertyKind::Assume if !holds => return Err(SimError::Assumption { name: p.name.clone(), cycle }),
                _ => {}
            }
        }
        d.cycles += 1;
        for &m in &d.memories {
            self.memories[m].sample(&self.slots, &mut self.staged);
        }
        for &m in &d.memories {
            self.memories[m].commit(&self.slots);
        }
        let end = d.first + d.next.len();
        let (registers, rest) = self.slots.split_at_mut(end);
        for (q, &next) in registers[d.first..].iter_mut().zip(&d.next) {
            *q = rest[next as usize - end];
        }
        for (slot, limb) in self.staged.drain(..) {
            self.slots[slot] = limb;
        }
        self.state_dirty = true;
        Ok(())
    }

    /// One cycle with the input `rst` high; it is low afterwards.
    pub fn reset(&mut self) -> Result<(), SimError> {
        let rst = self.port("rst")?;
        self.set(rst, 1);
        self.step()?;
        self.set(rst, 0);
        Ok(())
    }

    /// Rising edges of the first clock so far.
    pub fn cycles(&self) -> u64 {
        self.domains[0].cycles
    }

    /// Instructions of one cycle, and runs of equal ones.
    pub fn size(&self) -> (usize, usize) {
        self.tape.size()
    }

    /// How often each cover was reached.
    pub fn covers(&self) -> BTreeMap<String, u64> {
        let covers = self.domains.iter().flat_map(|d| &d.properties).filter(|p| p.kind == PropertyKind::Cover);
        covers.map(|p| (p.name.clone(), p.hits)).collect()
    }

    fn find(&self, path: &str) -> Result<NetSlot, SimError> {
        let (scope, name) = path.rsplit_once('.').unwrap_or(("", path));
        let net = self.flat.scopes.iter().find(|s| s.path == scope).and_then(|s| {
            let of = |f: &dyn Fn(&crate::module::Net) -> bool| s.module.nets.iter().position(f);
            let index = of(&|n| crate::verilog::net_name(n) == name).or_else(|| of(&|n| n.name == name))?;
            Some(self.nets[s.base + index])
        });
        net.ok_or_else(|| SimError::Unknown { what: "net", name: path.to_string() })
    }

    /// The value of any net, by its path: `"fifo.count_q"`, or in base names where one net has the name.
    pub fn peek(&mut self, path: &str) -> Result<Bits, SimError> {
        let net = self.find(path)?;
        if net.debug {
            self.settle_debug()
        } else {
            self.settle()
        }
        Ok(self.bits(net.slot, net.ty))
    }

    fn memory(&self, path: &str) -> Result<usize, SimError> {
        let unknown = || SimError::Unknown { what: "memory", name: path.to_string() };
        self.memories.iter().position(|m| m.name == path).ok_or_else(unknown)
    }

    /// A word of a memory, by its path; zero beyond its depth.
    pub fn read_memory(&self, path: &str, address: u64) -> Result<Bits, SimError> {
        let m = &self.memories[self.memory(path)?];
        Ok(Bits::from_limbs(m.width, m.word(address).unwrap_or(&[])))
    }

    /// Changes a word of a memory, as a test or a loader would; beyond the depth it does nothing.
    pub fn write_memory(&mut self, path: &str, address: u64, value: &Bits) -> Result<(), SimError> {
        let index = self.memory(path)?;
        let m = &mut self.memories[index];
        let value = Bits::from_limbs(m.width, value.limbs());
        if let Some(word) = m.word_mut(address) {
            word.copy_from_slice(value.limbs());
        }
        Ok(())
    }
}
