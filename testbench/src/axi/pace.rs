// SPDX-License-Identifier: MIT OR Apache-2.0
//! When data may move: bandwidth, refresh gaps, random stalls.

use super::config::{MemoryConfig, Rate};
use crate::random::Random;

/// Credit of one data bus. A beat costs `rate.cycles`, each cycle earns `rate.beats`.
///
/// Debt is allowed: two directions that share a bus may both move in a cycle, and then wait for it.
#[derive(Clone, Debug)]
struct Credit {
    now: i64,
    earn: i64,
    cost: i64,
    most: i64,
}

impl Credit {
    fn new(rate: Rate) -> Self {
        let (earn, cost) = (i64::from(rate.beats), i64::from(rate.cycles));
        // The largest balance that a saver needs to average exactly `earn / cost`.
        let most = cost + earn - 1;
        Self { now: cost, earn, cost, most }
    }
}

/// What the coming cycle allows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Allowed {
    pub ar: bool,
    pub r: bool,
    pub aw: bool,
    pub w: bool,
    pub b: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Pace {
    read: Credit,
    write: Credit,
    shared: bool,
    random: Option<(Random, u8)>,
    /// Cycles of a refresh period, and those with data; both 0 without refresh.
    period: u32,
    open: u32,
    phase: u32,
}

impl Pace {
    pub fn new(config: &MemoryConfig) -> Self {
        let (period, open) = config.refresh.map_or((0, 0), |r| (r.every, r.every - r.length));
        Self {
            read: Credit::new(config.rate),
            write: Credit::new(config.rate),
            shared: config.half_duplex,
            random: config.backpressure.map(|b| (Random::new(b.seed), b.chance)),
            period,
            open,
            phase: 0,
        }
    }

    pub fn spend_read(&mut self) {
        self.read.now -= self.read.cost;
    }

    pub fn spend_write(&mut self) {
        let credit = if self.shared { &mut self.read } else { &mut self.write };
        credit.now -= credit.cost;
    }

    /// Advances to the next cycle.
    #[inline]
    pub fn step(&mut self) -> Allowed {
        let open = self.refresh_step();
        let mut allowed = Allowed { ar: true, r: false, aw: true, w: false, b: true };
        if open {
            for credit in [&mut self.read, &mut self.write] {
                credit.now = (credit.now + credit.earn).min(credit.most);
            }
            allowed.r = self.read.now >= self.read.cost;
            let write = if self.shared { &self.read } else { &self.write };
            allowed.w = write.now >= write.cost;
        }
        if let Some((random, chance)) = &mut self.random {
            let bits = random.bits();
            let pass = |byte: u32| (bits >> (8 * byte)) as u8 >= *chance;
            allowed.ar &= pass(3);
            allowed.r &= pass(4);
            allowed.aw &= pass(5);
            allowed.w &= pass(6);
            allowed.b &= pass(7);
        }
        allowed
    }

    /// Whether data may move in the new cycle.
    fn refresh_step(&mut self) -> bool {
        if self.period == 0 {
            return true;
        }
        self.phase = if self.phase + 1 == self.period { 0 } else { self.phase + 1 };
        self.phase < self.open
    }
}
