// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sources, sinks and a checker for valid/ready streams.
//!
//! The four rules of a stream:
//! 1. a transfer happens in a cycle in which valid and ready are both high;
//! 2. a producer may not wait for ready before it raises valid;
//! 3. once valid is high it stays, with stable data, until the transfer;
//! 4. there is no combinational path from ready to valid.
//!
//! `Checker` enforces rule 3 and counts transfers by rule 1. A sink with `Stall::AfterValid` starves a producer
//! that breaks rule 2, which then runs into the bench's cycle limit. `no_path_from_ready` probes rule 4.
//!
//! Each cycle: drive `out()`, settle, sample, `step`, clock edge.

mod bench;

use std::collections::VecDeque;

pub use bench::{Bench, Item, StreamError, StreamPins, no_path_from_ready};

use crate::random::Random;

/// When one side of a stream holds back.
#[derive(Clone, Debug)]
pub enum Stall {
    Never,
    /// Each cycle, with a probability of `chance` in 256.
    Random {
        random: Random,
        chance: u8,
    },
    /// Runs of stalls and of transfers with random lengths below `longest`: fills and drains FIFOs.
    Runs {
        random: Random,
        longest: u32,
        stalled: bool,
        left: u32,
    },
    /// For sinks: ready only after valid has been high for so many cycles. For sources: never stalls.
    AfterValid(u32),
}

impl Stall {
    pub fn random(seed: u64, chance: u8) -> Self {
        Self::Random { random: Random::new(seed), chance }
    }

    pub fn runs(seed: u64, longest: u32) -> Self {
        Self::Runs { random: Random::new(seed), longest: longest.max(1), stalled: false, left: 0 }
    }

    /// A mixture to try in turn: none, light, heavy, runs.
    pub fn variety(seed: u64) -> Self {
        match seed % 4 {
            0 => Self::Never,
            1 => Self::random(seed, 40),
            2 => Self::random(seed, 200),
            _ => Self::runs(seed, 24),
        }
    }

    /// Whether to hold back in the next cycle; `waited` is how long the other side has been waiting.
    fn next(&mut self, waited: u32) -> bool {
        match self {
            Self::Never => false,
            Self::Random { random, chance } => random.chance(*chance),
            Self::Runs { random, longest, stalled, left } => {
                if *left == 0 {
                    *stalled = !*stalled;
                    *left = 1 + (random.bits() >> 33) as u32 % *longest;
                }
                *left -= 1;
                *stalled
            }
            Self::AfterValid(cycles) => waited < *cycles,
        }
    }
}

/// Offers items in order, with gaps.
#[derive(Clone, Debug)]
pub struct Source<T> {
    items: VecDeque<T>,
    stall: Stall,
    offering: bool,
}

impl<T> Source<T> {
    pub fn new(items: impl IntoIterator<Item = T>, stall: Stall) -> Self {
        Self { items: items.into_iter().collect(), stall, offering: false }
    }

    pub fn push(&mut self, item: T) {
        self.items.push_back(item);
    }

    /// The item on offer: valid is high with this payload.
    pub fn out(&self) -> Option<&T> {
        if self.offering { self.items.front() } else { None }
    }

    /// The clock edge, with the ready of this cycle.
    pub fn step(&mut self, ready: bool) {
        if self.offering && !ready {
            return;
        }
        if self.offering {
            self.items.pop_front();
        }
        let reluctant = !matches!(self.stall, Stall::AfterValid(_)) && self.stall.next(0);
        self.offering = !self.items.is_empty() && !reluctant;
    }

    /// Items that were not taken yet.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// All items were taken.
    pub fn finished(&self) -> bool {
        self.items.is_empty()
    }
}

/// Takes items, with gaps.
#[derive(Clone, Debug)]
pub struct Sink<T> {
    /// In the order of arrival.
    pub received: Vec<T>,
    stall: Stall,
    ready: bool,
    waited: u32,
}

impl<T> Sink<T> {
    pub fn new(stall: Stall) -> Self {
        Self { received: Vec::new(), stall, ready: false, waited: 0 }
    }

    /// Ready in this cycle.
    pub fn out(&self) -> bool {
        self.ready
    }

    /// The clock edge, with what was offered in this cycle.
    pub fn step(&mut self, offered: Option<T>) {
        match offered {
            Some(item) if self.ready => {
                self.received.push(item);
                self.waited = 0;
            }
            Some(_) => self.waited += 1,
            None => self.waited = 0,
        }
        self.ready = !self.stall.next(self.waited);
    }
}

/// Rule 3 on one stream.
#[derive(Clone, Debug)]
pub struct Checker<T> {
    held: Option<T>,
    cycle: u64,
    /// Transfers so far.
    pub transfers: u64,
}

impl<T> Default for Checker<T> {
    fn default() -> Self {
        Self { held: None, cycle: 0, transfers: 0 }
    }
}

impl<T: PartialEq + Clone + std::fmt::Debug> Checker<T> {
    /// One cycle: what is offered (`None`: valid is low), and ready.
    pub fn step(&mut self, offered: Option<&T>, ready: bool) -> Result<(), StreamViolation> {
        if let Some(held) = &self.held
            && offered != Some(held)
        {
            let cause = match offered {
                None => "valid fell before ready".to_owned(),
                Some(now) => format!("the payload changed before ready, from {held:?} to {now:?}"),
            };
            return Err(StreamViolation { cycle: self.cycle, cause });
        }
        self.cycle += 1;
        let transfer = ready && offered.is_some();
        self.transfers += u64::from(transfer);
        match (ready, offered) {
            (false, Some(item)) if self.held.is_none() => self.held = Some(item.clone()),
            (true, _) => self.held = None,
            _ => {}
        }
        Ok(())
    }
}

/// A rule that a producer broke.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cycle {cycle}: {cause}")]
pub struct StreamViolation {
    pub cycle: u64,
    pub cause: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stall_passes_all_items_in_order() {
        for seed in 0..16 {
            let mut source = Source::new(0..100, Stall::variety(seed / 4));
            let mut sink = Sink::new(if seed == 5 { Stall::AfterValid(3) } else { Stall::variety(seed) });
            let mut checker = Checker::default();
            let mut cycles = 0;
            while !source.finished() {
                let (offered, ready) = (source.out().copied(), sink.out());
                checker.step(offered.as_ref(), ready).unwrap();
                source.step(ready);
                sink.step(offered);
                cycles += 1;
                assert!(cycles < 20_000);
            }
            assert_eq!(sink.received, (0..100).collect::<Vec<_>>());
            assert_eq!(checker.transfers, 100);
        }
    }

    #[test]
    fn a_retracted_or_changed_offer_is_found() {
        let mut checker = Checker::default();
        checker.step(Some(&1), true).unwrap();
        checker.step(Some(&2), false).unwrap();
        let fell = checker.clone().step(None, false).unwrap_err();
        assert_eq!(fell.to_string(), "cycle 2: valid fell before ready");
        let changed = checker.step(Some(&3), true).unwrap_err();
        assert_eq!(changed.cause, "the payload changed before ready, from 2 to 3");
    }
}
