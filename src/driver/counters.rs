// SPDX-License-Identifier: MIT OR Apache-2.0
//! The performance counters of many programs, summed.

use std::ops::AddAssign;

use heddle_core::config::Config;
use heddle_core::registers::{Register, map, present};
use serde::Serialize;

use super::{Transport, TransportError};

/// What a counter counts.
#[derive(PartialEq, Eq)]
enum Kind {
    /// What a program does, the same on any transport.
    Work,
    /// Cycles.
    Time,
}

fn is_built(config: &Config, register: &Register) -> bool {
    present(config).any(|r| r.offset == register.offset)
}

macro_rules! counters {
    ($($field:ident = $register:ident $kind:ident,)*) => {
        /// Sums over programs; the meaning of each is in the register of the same name.
        ///
        /// `last_result - first_beat` is the number of cycles from the first beat of weights to the last result.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
        pub struct Counters { $(pub $field: u64,)* }

        /// [`Counters`] as far as they are known.
        #[derive(Clone, Copy, Debug, Serialize)]
        pub struct KnownCounters { $(pub $field: Option<u64>,)* }

        impl Counters {
            /// Those that are known: in a build with counters work always is, time only where there are cycles.
            pub fn known(&self, config: &Config, has_cycles: bool) -> KnownCounters {
                let counted = |register: &Register| config.counters || is_built(config, register);
                let known = |register: &Register, kind: Kind| counted(register) && (kind == Kind::Work || has_cycles);
                KnownCounters { $($field: known(&map::$register, Kind::$kind).then_some(self.$field),)* }
            }

            /// The counters of the program that ran last; 0 where the build has none of that name.
            pub(super) fn read(t: &mut dyn Transport, config: &Config) -> Result<Counters, TransportError> {
                let mut read = |register: &Register| match is_built(config, register) {
                    true => t.read_reg(register.offset).map(u64::from),
                    false => Ok(0),
                };
                Ok(Counters { $($field: read(&map::$register)?,)* })
            }
        }

        impl AddAssign for Counters {
            fn add_assign(&mut self, other: Counters) {
                $(self.$field += other.$field;)*
            }
        }
    };
}

counters! {
    cycles = CYCLES Time,
    read_beats = READ_BEATS Work,
    read_wait = READ_WAIT Time,
    read_blocked = READ_BLOCKED Time,
    read_idle = READ_IDLE Time,
    array_busy = ARRAY_BUSY Time,
    array_starved = ARRAY_STARVED Time,
    array_blocked = ARRAY_BLOCKED Time,
    blocks = BLOCKS Work,
    rows = ROWS Work,
    write_beats = WRITE_BEATS Work,
    write_wait = WRITE_WAIT Time,
    descriptors = DESCRIPTORS Work,
    first_beat = FIRST_BEAT Time,
    last_result = LAST_RESULT Time,
    wake_stall = WAKE_STALL Time,
}

impl Counters {
    /// Share of the cycles in which the memory port moved a beat of reads, 0 to 1; `None` without cycles.
    pub fn port_use(&self) -> Option<f64> {
        (self.cycles > 0).then(|| self.read_beats as f64 / self.cycles as f64)
    }
}
