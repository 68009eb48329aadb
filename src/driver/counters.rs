// SPDX-License-Identifier: MIT OR Apache-2.0
//! The performance counters of many programs, summed.

use std::ops::AddAssign;

use heddle_core::registers::map;
use serde::Serialize;

use super::{Transport, TransportError};

macro_rules! counters {
    ($($field:ident = $register:ident,)*) => {
        /// Sums over programs; the meaning of each is in the register of the same name.
        ///
        /// `last_result - first_beat` is the number of cycles from the first beat of weights to the last result.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
        pub struct Counters { $(pub $field: u64,)* }

        impl Counters {
            /// The counters of the program that ran last.
            pub(super) fn read(t: &mut dyn Transport) -> Result<Counters, TransportError> {
                Ok(Counters { $($field: t.read_reg(map::$register.offset)?.into(),)* })
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
    cycles = CYCLES,
    read_beats = READ_BEATS,
    read_wait = READ_WAIT,
    read_blocked = READ_BLOCKED,
    read_idle = READ_IDLE,
    array_busy = ARRAY_BUSY,
    array_starved = ARRAY_STARVED,
    array_blocked = ARRAY_BLOCKED,
    blocks = BLOCKS,
    rows = ROWS,
    write_beats = WRITE_BEATS,
    write_wait = WRITE_WAIT,
    descriptors = DESCRIPTORS,
    first_beat = FIRST_BEAT,
    last_result = LAST_RESULT,
}

impl Counters {
    /// Share of the cycles in which the memory port moved a beat of reads, 0 to 1; `None` without cycles.
    pub fn port_use(&self) -> Option<f64> {
        (self.cycles > 0).then(|| self.read_beats as f64 / self.cycles as f64)
    }
}
