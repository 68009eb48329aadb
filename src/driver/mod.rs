// SPDX-License-Identifier: MIT OR Apache-2.0
//! The host's side of the accelerator: checks that it is the right one, loads an image, runs programs.
//!
//! A [`Transport`] reaches some accelerator; the [`Driver`] is the same for all of them.

mod counters;
pub mod dvfs;
mod error;
pub mod events;
pub mod gating;
pub mod golden;
pub mod serial;
pub mod sim;
mod transport;
pub mod waves;

use heddle_core::config::{CONTRACT_VERSION, Config};
use heddle_core::descriptor::{BYTES, Cause, Phase, disassemble};
use heddle_core::format::region::read_results;
use heddle_core::numerics::F24;
use heddle_core::numerics::quant::Activations;
use heddle_core::registers::map;

use crate::compile::{Image, Program, Stage};

pub use counters::{Counters, KnownCounters};
pub use error::{DriverError, Stopped};
pub use gating::{DomainPower, Gating, GatingError};
pub use transport::{Transport, TransportError};

/// Cycles that any program may take, however small.
const LIMIT_BASE: u64 = 100_000;
/// Cycles that a program may take for each beat it moves: a memory port used to less than 2 % counts as hung.
const LIMIT_PER_BEAT: u64 = 64;
/// Both events raise the interrupt.
const IRQS: u32 = map::IRQ_DONE.mask() | map::IRQ_ERROR.mask();

/// An accelerator that is known to be of the expected configuration.
pub struct Driver {
    transport: Box<dyn Transport>,
    config: Config,
    counters: Counters,
    /// Of a DVFS unit.
    targets: dvfs::Targets,
    /// Of power, since they were taken.
    events: events::PowerEvents,
    /// Reused for what is read from the device.
    buffer: Vec<u8>,
}

impl Driver {
    /// Checks id, contract version and configuration digest, in this order, then clears the accelerator.
    pub fn connect(mut transport: Box<dyn Transport>, config: &Config) -> Result<Driver, DriverError> {
        check(transport.as_mut(), config)?;
        transport.write_reg(map::CONTROL.offset, map::CONTROL_CLEAR.mask())?;
        transport.write_reg(map::IRQ_STATUS.offset, IRQS)?;
        transport.write_reg(map::IRQ_ENABLE.offset, IRQS)?;
        Ok(Driver {
            transport,
            config: config.clone(),
            counters: Counters::default(),
            targets: dvfs::Targets::default(),
            events: events::PowerEvents::default(),
            buffer: Vec::new(),
        })
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    pub fn transport(&mut self) -> &mut dyn Transport {
        self.transport.as_mut()
    }

    /// Writes an image to the device's memory.
    pub fn load(&mut self, image: &Image) -> Result<(), DriverError> {
        Ok(self.transport.write_mem(0, &image.memory)?)
    }

    /// Sums of the counters of all programs since the last [`Driver::take_counters`].
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// [`Driver::counters`], which then start from zero.
    pub fn take_counters(&mut self) -> Counters {
        std::mem::take(&mut self.counters)
    }

    /// Runs a program to its end. Errors: the cause and descriptor at which it stopped; results out of range.
    pub fn run(&mut self, program: &Program) -> Result<(), DriverError> {
        let t = self.transport.as_mut();
        t.write_reg(map::PROGRAM.offset, program.address)?;
        t.write_reg(map::CONTROL.offset, map::CONTROL_START.mask())?;
        self.wait_for_end(LIMIT_BASE + LIMIT_PER_BEAT * program.beats)?;
        let t = self.transport.as_mut();
        let status = t.read_reg(map::STATUS.offset)?;
        t.write_reg(map::IRQ_STATUS.offset, IRQS)?;
        if map::STATUS_ERROR.get(status) == 1 {
            return Err(self.stopped(program)?.into());
        }
        self.counters += Counters::read(t, &self.config)?;
        if map::STATUS_SATURATED.get(status) == 1 {
            t.write_reg(map::CONTROL.offset, map::CONTROL_CLEAR.mask())?;
            return Err(DriverError::Saturated { program: program.address });
        }
        Ok(())
    }

    /// Multiplies each matrix of `stage` with these vectors.
    ///
    /// `x`: 1 to `array.columns` vectors; `phase`: which target a DVFS unit measures the pass against. Gives, for each matrix, columns x rows: the whole result of the first
    /// vector, then that of the second.
    pub fn multiply(&mut self, stage: &Stage, x: &[Activations], phase: Phase) -> Result<Vec<Vec<F24>>, DriverError> {
        let Some(program) = stage.program(x.len(), phase) else {
            return Err(DriverError::Columns { found: x.len(), limit: stage.programs.len() });
        };
        let region = stage.layout.write(x)?;
        self.transport.write_mem(stage.activations, &region)?;
        self.run(program)?;
        let mut all = Vec::with_capacity(stage.outputs.len());
        for output in &stage.outputs {
            self.buffer.resize(4 * output.rows * x.len(), 0);
            self.transport.read_mem(output.address, &mut self.buffer)?;
            all.push(by_column(read_results(&self.buffer), x.len()));
        }
        Ok(all)
    }

    /// Reads what the error state tells, then leaves it.
    fn stopped(&mut self, program: &Program) -> Result<Stopped, DriverError> {
        let t = self.transport.as_mut();
        let code = map::CAUSE_CAUSE.get(t.read_reg(map::CAUSE.offset)?);
        let address = t.read_reg(map::ERROR_ADDR.offset)?;
        let faults = if code == Cause::PowerFault.code() { gating::faults(t, &self.config)? } else { String::new() };
        t.write_reg(map::CONTROL.offset, map::CONTROL_CLEAR.mask())?;
        // The listing starts with the program, since a descriptor may depend on those before it. The descriptor
        // may be outside of the memory; then there is nothing to list.
        let mut bytes = vec![0; (address.wrapping_sub(program.address).min(1 << 20) + BYTES) as usize];
        let listing = match t.read_mem(program.address, &mut bytes) {
            Ok(()) => disassemble(&self.config, program.address, &bytes),
            Err(_) => String::new(),
        };
        Ok(Stopped { cause: Cause::from_code(code), code, address, faults, listing })
    }
}

/// Rows x columns to columns x rows.
fn by_column(y: Vec<F24>, columns: usize) -> Vec<F24> {
    if columns == 1 {
        return y;
    }
    (0..columns).flat_map(|c| y.iter().skip(c).step_by(columns).copied()).collect()
}

fn check(t: &mut dyn Transport, config: &Config) -> Result<(), DriverError> {
    let id = t.read_reg(map::ID.offset)?;
    if id != map::ID_VALUE {
        return Err(DriverError::Id { found: id });
    }
    let version = t.read_reg(map::VERSION.offset)?;
    let found = ((version >> 16) as u16, version as u16);
    if found.0 != CONTRACT_VERSION.0 || found.1 < CONTRACT_VERSION.1 {
        return Err(DriverError::Version { found });
    }
    let words = [t.read_reg(map::DIGEST_LO.offset)?, t.read_reg(map::DIGEST_HI.offset)?];
    let digest: String = words.iter().flat_map(|w| w.to_le_bytes()).map(|b| format!("{b:02x}")).collect();
    if digest == config.digest_hex() {
        return Ok(());
    }
    let geometry = t.read_reg(map::GEOMETRY.offset)?;
    Err(DriverError::Digest {
        found: digest,
        wanted: config.digest_hex(),
        config: config.name.clone(),
        lanes: map::GEOMETRY_LANES.get(geometry),
        columns: map::GEOMETRY_COLUMNS.get(geometry),
        port_bits: 8 * map::GEOMETRY_PORT_BYTES.get(geometry),
    })
}
