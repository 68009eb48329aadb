// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events of power: they share the interrupt with the end of a program.

use heddle_core::config::Config;
use heddle_core::registers::map;

use super::{Driver, DriverError, IRQS, Transport, TransportError};

/// Events of power during one program after which the program is given up.
const EVENTS_MAX: u32 = 10_000;

/// Which events there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PowerEvents(u32);

impl PowerEvents {
    /// Every event that hardware of `config` knows.
    pub fn all(config: &Config) -> PowerEvents {
        let has_power = config.domains() > 0 || config.power.dvfs_entries > 0;
        PowerEvents(if has_power { map::POWER_IRQ_STATUS.fields.iter().fold(0, |all, f| all | f.mask()) } else { 0 })
    }

    /// A controller of a domain complained.
    pub fn fault(self) -> bool {
        map::POWER_IRQ_FAULT.get(self.0) == 1
    }

    /// The target for the first token was missed.
    pub fn ttft(self) -> bool {
        map::POWER_IRQ_TTFT.get(self.0) == 1
    }

    /// The target for a further token was missed.
    pub fn tpot(self) -> bool {
        map::POWER_IRQ_TPOT.get(self.0) == 1
    }

    /// The DVFS unit complained.
    pub fn dvfs(self) -> bool {
        map::POWER_IRQ_DVFS.get(self.0) == 1
    }

    pub fn any(self) -> bool {
        self.0 != 0
    }
}

impl Driver {
    /// Chooses the events of power that raise the interrupt; a program goes on through them.
    pub fn listen(&mut self, events: PowerEvents) -> Result<(), DriverError> {
        if !PowerEvents::all(&self.config).any() {
            return Ok(());
        }
        Ok(self.transport.write_reg(map::POWER_IRQ_ENABLE.offset, events.0)?)
    }

    /// The events that came since the last call, whether or not they were listened to.
    pub fn take_events(&mut self) -> Result<PowerEvents, DriverError> {
        if PowerEvents::all(&self.config).any() {
            self.events.0 |= drain(self.transport.as_mut())?;
        }
        Ok(std::mem::take(&mut self.events))
    }

    /// Lets domains leave their faults, and forgets their causes; bit d is domain d.
    pub fn clear_faults(&mut self, domains: u32) -> Result<(), DriverError> {
        self.domains()?;
        self.transport.write_reg(map::POWER_CLEAR.offset, domains)?;
        Ok(self.transport.write_reg(map::POWER_IRQ_STATUS.offset, map::POWER_IRQ_FAULT.mask())?)
    }

    /// Waits for the end of a program; events of power on the way are kept.
    pub(super) fn wait_for_end(&mut self, limit: u64) -> Result<(), DriverError> {
        let power = PowerEvents::all(&self.config).any();
        for _ in 0..EVENTS_MAX {
            let t = self.transport.as_mut();
            t.wait_irq(limit)?;
            if t.read_reg(map::IRQ_STATUS.offset)? & IRQS != 0 || !power {
                return Ok(());
            }
            self.events.0 |= drain(t)?;
        }
        Err(TransportError::Limit { limit }.into())
    }
}

/// Reads and forgets what is pending.
fn drain(t: &mut dyn Transport) -> Result<u32, TransportError> {
    let pending = t.read_reg(map::POWER_IRQ_STATUS.offset)?;
    t.write_reg(map::POWER_IRQ_STATUS.offset, pending)?;
    Ok(pending)
}
