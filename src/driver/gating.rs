// SPDX-License-Identifier: MIT OR Apache-2.0
//! Power domains of an accelerator: when they sleep, and how long they did.

use heddle_core::config::Config;
use heddle_core::power::domain::{CAUSES, STATES};
use heddle_core::registers::map;
use serde::Serialize;

use super::{Driver, DriverError, Transport, TransportError};

/// When domains are switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gating {
    /// Break-even time: cycles without need before a domain is switched off.
    pub idle: u16,
    /// Cycles that a controller waits for switches and unit before it calls their answer missing.
    pub limit: u16,
    /// Domains may sleep within a matrix, while its weights are late; they wake late too.
    pub within_matrix: bool,
}

impl Default for Gating {
    fn default() -> Gating {
        Gating { idle: 256, limit: u16::MAX, within_matrix: false }
    }
}

/// Why gating is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatingError {
    #[error("the hardware of `{config}` has no power domains; build it with --preset gated, or --set power.columns_per_domain=1")]
    Absent { config: String },
    #[error(
        "a limit of {limit} cycles is below the {least} that a chain of {stages} switches takes to answer: every wake-up would fail; \
         give at least {least}, and more where switches answer slowly"
    )]
    Limit { limit: u16, least: u16, stages: u32 },
}

/// What became of one domain since reset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DomainPower {
    /// State of its controller.
    pub state: &'static str,
    /// First complaint since the last clear, or that of the fault; `none` without one.
    pub cause: &'static str,
    /// Times it was switched on.
    pub ups: u32,
    /// Cycles in each state, by its code; each wraps at 2^32.
    pub cycles: Vec<u32>,
}

/// Cycles that a chain of switches takes to answer at the least: each segment is told, acknowledges, and its
/// acknowledge goes through two registers.
pub fn least_limit(config: &Config) -> u16 {
    (4 * config.power.switch_stages + 1) as u16
}

impl Driver {
    /// Lets the domains sleep, or keeps them on with `None`.
    pub fn set_gating(&mut self, gating: Option<Gating>) -> Result<(), DriverError> {
        let domains = self.domains()?;
        let t = self.transport.as_mut();
        let Some(Gating { idle, limit, within_matrix }) = gating else {
            return Ok(t.write_reg(map::POWER_ENABLE.offset, 0)?);
        };
        let least = least_limit(&self.config);
        if limit < least {
            return Err(GatingError::Limit { limit, least, stages: self.config.power.switch_stages }.into());
        }
        t.write_reg(map::POWER_IDLE.offset, idle.into())?;
        t.write_reg(map::POWER_LIMIT.offset, limit.into())?;
        t.write_reg(map::POWER_MODE.offset, u32::from(within_matrix))?;
        Ok(t.write_reg(map::POWER_ENABLE.offset, (1 << domains) - 1)?)
    }

    /// What became of each domain.
    pub fn power(&mut self) -> Result<Vec<DomainPower>, DriverError> {
        let domains = self.domains()?;
        Ok((0..domains).map(|domain| read(self.transport.as_mut(), domain)).collect::<Result<_, _>>()?)
    }

    pub(super) fn domains(&self) -> Result<u32, DriverError> {
        match self.config.domains() {
            0 => Err(GatingError::Absent { config: self.config.name.clone() }.into()),
            domains => Ok(domains),
        }
    }
}

impl DomainPower {
    /// Cycles in a state, by its name.
    pub fn in_state(&self, name: &str) -> u64 {
        STATES.iter().zip(&self.cycles).filter(|(state, _)| state.name == name).map(|(_, &cycles)| u64::from(cycles)).sum()
    }

    /// What became of it since an earlier report, less than 2^32 cycles ago.
    pub fn since(&self, before: &DomainPower) -> DomainPower {
        let cycles = self.cycles.iter().zip(&before.cycles).map(|(now, then)| now.wrapping_sub(*then)).collect();
        DomainPower { ups: self.ups.wrapping_sub(before.ups), cycles, ..self.clone() }
    }

    /// Cycles in all states.
    pub fn total(&self) -> u64 {
        self.cycles.iter().map(|&cycles| u64::from(cycles)).sum()
    }
}

/// Share of domain-cycles in which the switches were open, from one report (or, without one, the reset) to a later one;
/// 0 without cycles.
pub fn share_off(before: &[DomainPower], after: &[DomainPower]) -> f64 {
    let between = after.iter().enumerate().map(|(domain, after)| match before.get(domain) {
        Some(before) => after.since(before),
        None => after.clone(),
    });
    let (off, all) = between.fold((0, 0), |(off, all), d| (off + d.in_state("powered_off"), all + d.total()));
    if all == 0 { 0.0 } else { off as f64 / all as f64 }
}

fn read(t: &mut dyn Transport, domain: u32) -> Result<DomainPower, TransportError> {
    let mut cycles = Vec::with_capacity(STATES.len());
    for state in &STATES {
        t.write_reg(map::POWER_SELECT.offset, domain << map::POWER_SELECT_DOMAIN.lsb | state.value << map::POWER_SELECT_STATE.lsb)?;
        cycles.push(t.read_reg(map::POWER_RESIDENCY.offset)?);
    }
    let state = t.read_reg(map::POWER_STATE.offset)?;
    let name = |of: &[heddle_core::registers::Value], code: u32| of.iter().find(|v| v.value == code).map_or("unknown", |v| v.name);
    Ok(DomainPower {
        state: name(&STATES, map::POWER_STATE_STATE.get(state)),
        cause: name(&CAUSES, map::POWER_STATE_CAUSE.get(state)),
        ups: t.read_reg(map::POWER_UPS.offset)?,
        cycles,
    })
}

/// Domains with a fault and what their controllers say: `domain 3: strong_missing`; empty without any.
pub(super) fn faults(t: &mut dyn Transport, config: &Config) -> Result<String, TransportError> {
    if config.domains() == 0 {
        return Ok(String::new());
    }
    let mask = t.read_reg(map::POWER_FAULTS.offset)?;
    let faulted = (0..config.domains()).filter(|d| mask >> d & 1 == 1);
    let each = faulted.map(|d| read(t, d).map(|domain| format!("domain {d}: {}", domain.cause)));
    Ok(each.collect::<Result<Vec<_>, _>>()?.join(", "))
}
