// SPDX-License-Identifier: MIT OR Apache-2.0
//! The DVFS unit of an accelerator: its table, its targets, what it tells.

use heddle_core::config::Config;
use heddle_core::descriptor::Phase;
use heddle_core::power::dvfs::{CAUSES, MoveState};
use heddle_core::registers::{dvfs as map, map::POWER_IRQ_DVFS, map::POWER_IRQ_STATUS};

use super::{Driver, DriverError};

/// Slack bins of one class: behind, less than an eighth of the target ahead, less than a quarter, more.
pub const BINS: usize = 4;
/// Most ticks of a target.
pub const TICKS_MAX: u32 = map::DVFS_TICKS.mask();

/// A clock code and the voltage code that it runs at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// 0 to 63.
    pub clock: u8,
    pub voltage: u8,
}

/// A table that is legal for one configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DvfsTable(Vec<Point>);

/// Why a table or a target is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DvfsError {
    #[error("the hardware of `{config}` has no DVFS unit; build it with `--set power.dvfs_entries=16` (or 32, 64)")]
    Absent { config: String },
    #[error("a table of {found} entries for a DVFS unit of {wanted}; give one for each of 2 phases, {} classes and 4 slack bins", wanted / 8)]
    Entries { found: usize, wanted: usize },
    #[error("entry {entry}: clock code {clock} is not one of 0 to 63")]
    Clock { entry: usize, clock: u8 },
    #[error(
        "entry {entry} asks for clock code {clock} at voltage code {voltage}, which carries at most {limit} \
         (power.clock_limits); lower the clock, or raise the voltage"
    )]
    Limit { entry: usize, clock: u8, voltage: u8, limit: u32 },
    #[error("a target of {ticks} ticks is more than the {TICKS_MAX} that the DVFS unit counts; give it slower ticks")]
    Target { ticks: u32 },
    #[error("the DVFS unit refused an entry of the table: its power.clock_limits differ from those of the configuration")]
    Refused,
}

/// Ticks that a pass may take; 0 for no target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// Of a prompt, all its batches together, up to the first token.
    pub ttft: u32,
    /// Of each further token.
    pub tpot: u32,
}

/// What the unit tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DvfsStatus {
    /// At the outputs; acknowledged while `settled`.
    pub point: Point,
    pub settled: bool,
    /// Entry that was looked up last.
    pub index: usize,
    /// Of the latest complaint since the last clear; `none` without one.
    pub cause: &'static str,
    /// Ticks of the pass under way, or of the last one.
    pub elapsed: u32,
    /// Ticks ahead of the target's share, at the last look-up.
    pub slack: i32,
    /// Passes that missed their target; each wraps at 2^16, as do the moves.
    pub ttft_violations: u32,
    pub tpot_violations: u32,
    pub moves: u32,
}

impl DvfsTable {
    /// A table for the hardware of `config`: as many points as it has entries, at the place of [`DvfsTable::index`].
    pub fn new(config: &Config, points: &[Point]) -> Result<DvfsTable, DvfsError> {
        let wanted = entries(config)?;
        if points.len() != wanted {
            return Err(DvfsError::Entries { found: points.len(), wanted });
        }
        for (entry, &Point { clock, voltage }) in points.iter().enumerate() {
            let limit = config.power.clock_limits[usize::from(voltage) / 32];
            if clock > 63 {
                return Err(DvfsError::Clock { entry, clock });
            }
            if u32::from(clock) > limit {
                return Err(DvfsError::Limit { entry, clock, voltage, limit });
            }
        }
        Ok(DvfsTable(points.to_vec()))
    }

    /// Place of an entry. `class`: below entries / 8; `bin`: below [`BINS`].
    pub fn index(config: &Config, phase: Phase, class: usize, bin: usize) -> usize {
        let half = config.power.dvfs_entries as usize / 2;
        usize::from(phase == Phase::Decode) * half + BINS * class + bin
    }

    pub fn points(&self) -> &[Point] {
        &self.0
    }
}

fn entries(config: &Config) -> Result<usize, DvfsError> {
    match config.power.dvfs_entries as usize {
        0 => Err(DvfsError::Absent { config: config.name.clone() }),
        entries => Ok(entries),
    }
}

impl Driver {
    /// Writes the table; the accelerator moves from the next layer on.
    pub fn load_dvfs(&mut self, table: &DvfsTable) -> Result<(), DriverError> {
        entries(&self.config)?;
        self.clear_dvfs()?;
        for (index, point) in table.0.iter().enumerate() {
            let entry = u32::from(point.clock) << map::DVFS_ENTRY_CLOCK.lsb
                | u32::from(point.voltage) << map::DVFS_ENTRY_VOLTAGE.lsb
                | (index as u32) << map::DVFS_ENTRY_INDEX.lsb;
            self.transport.write_reg(map::DVFS_ENTRY.offset, entry)?;
            self.transport.write_reg(map::DVFS_CONTROL.offset, map::DVFS_CONTROL_WRITE.mask())?;
        }
        match self.dvfs_status()?.cause {
            "refused" => Err(DvfsError::Refused.into()),
            _ => Ok(()),
        }
    }

    /// Sets the targets; they hold from now on, for a pass under way too.
    pub fn set_targets(&mut self, targets: Targets) -> Result<(), DriverError> {
        entries(&self.config)?;
        for ticks in [targets.ttft, targets.tpot] {
            if ticks > TICKS_MAX {
                return Err(DvfsError::Target { ticks }.into());
            }
        }
        self.targets = targets;
        self.transport.write_reg(map::DVFS_TTFT.offset, targets.ttft)?;
        Ok(self.transport.write_reg(map::DVFS_TPOT.offset, targets.tpot)?)
    }

    /// A pass begins. Each of the `batches` of a prompt is measured by itself, against its part of the target.
    pub(crate) fn begin_pass(&mut self, phase: Phase, batches: usize) -> Result<(), DriverError> {
        if phase == Phase::Prefill && self.targets.ttft > 0 {
            let part = (self.targets.ttft / batches.max(1) as u32).max(1);
            self.transport.write_reg(map::DVFS_TTFT.offset, part)?;
        }
        Ok(())
    }

    /// What the DVFS unit tells.
    pub fn dvfs_status(&mut self) -> Result<DvfsStatus, DriverError> {
        entries(&self.config)?;
        let mut read = |register: &heddle_core::registers::Register| self.transport.read_reg(register.offset);
        let (state, violations) = (read(&map::DVFS_STATE)?, read(&map::DVFS_VIOLATIONS)?);
        let cause = map::DVFS_STATE_CAUSE.get(state) as usize;
        Ok(DvfsStatus {
            point: Point { clock: map::DVFS_ENTRY_CLOCK.get(state) as u8, voltage: map::DVFS_ENTRY_VOLTAGE.get(state) as u8 },
            settled: map::DVFS_STATE_STATE.get(state) == MoveState::Settled as u32,
            index: map::DVFS_STATE_INDEX.get(state) as usize,
            cause: CAUSES.get(cause).map_or("unknown", |cause| cause.name),
            elapsed: read(&map::DVFS_ELAPSED)?,
            slack: read(&map::DVFS_SLACK)? as i32,
            ttft_violations: map::DVFS_VIOLATIONS_TTFT.get(violations),
            tpot_violations: map::DVFS_VIOLATIONS_TPOT.get(violations),
            moves: read(&map::DVFS_MOVES)?,
        })
    }

    /// Forgets the unit's cause and its pending interrupt.
    pub fn clear_dvfs(&mut self) -> Result<(), DriverError> {
        entries(&self.config)?;
        self.transport.write_reg(map::DVFS_CONTROL.offset, map::DVFS_CONTROL_CLEAR.mask())?;
        Ok(self.transport.write_reg(POWER_IRQ_STATUS.offset, POWER_IRQ_DVFS.mask())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(change: impl FnOnce(&mut Vec<Point>)) -> Result<DvfsTable, DvfsError> {
        let mut points = vec![Point { clock: 10, voltage: 100 }; 16];
        change(&mut points);
        DvfsTable::new(&Config::gated(), &points)
    }

    #[test]
    fn a_clock_above_the_limit_of_its_voltage_is_refused() {
        assert!(table(|_| {}).is_ok());
        assert!(table(|p| p[5] = Point { clock: 31, voltage: 127 }).is_ok());
        let error = table(|p| p[5] = Point { clock: 32, voltage: 127 }).unwrap_err();
        assert_eq!(error, DvfsError::Limit { entry: 5, clock: 32, voltage: 127, limit: 31 });
        let message = "entry 5 asks for clock code 32 at voltage code 127, which carries at most 31 (power.clock_limits)";
        assert!(error.to_string().starts_with(message), "{error}");
    }

    #[test]
    fn other_tables_are_refused() {
        assert_eq!(table(|p| p.truncate(15)), Err(DvfsError::Entries { found: 15, wanted: 16 }));
        assert_eq!(table(|p| p[0].clock = 64), Err(DvfsError::Clock { entry: 0, clock: 64 }));
        assert_eq!(DvfsTable::new(&Config::base(), &[]), Err(DvfsError::Absent { config: "base".into() }));
    }

    #[test]
    fn places_are_those_of_the_hardware() {
        let config = Config::gated();
        assert_eq!(DvfsTable::index(&config, Phase::Prefill, 0, 3), 3);
        assert_eq!(DvfsTable::index(&config, Phase::Decode, 1, 0), 12);
    }
}
