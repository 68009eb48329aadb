// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is around a domain's controller in its benches: switches, a supply and a unit with moods of their own.

use crate::random::Random;

/// How an environment behaves for a while.
#[derive(Clone, Copy, Debug)]
pub struct Mood {
    /// Cycles from a request to its answer, at most.
    pub delay: u64,
    /// Chances in 256 that an answer never comes, that one which is held drops, that the supply drops.
    pub missing: u8,
    pub drop: u8,
    pub brownout: u8,
    /// Chance in 256 that the unit refuses to stop.
    pub deny: u8,
    /// Chances in 256 per cycle that the wish for the domain changes, and that a fault is cleared.
    pub change: u8,
    pub clear: u8,
    /// Cycles that the controller waits for an answer.
    pub limit: u64,
}

impl Mood {
    /// Everything answers, nothing fails.
    pub fn sound(rng: &mut Random) -> Mood {
        let delay = [0, 1, 3, 12][rng.bits() as usize % 4];
        let limit = [20, 60, 0xffff][rng.bits() as usize % 3];
        Mood { delay, missing: 0, drop: 0, brownout: 0, deny: 60, change: [4, 40, 128][rng.bits() as usize % 3], clear: 2, limit }
    }

    /// Something is broken, or the limit is tight.
    pub fn broken(rng: &mut Random) -> Mood {
        let pick = |rng: &mut Random, from: [u8; 3]| from[rng.bits() as usize % 3];
        Mood {
            delay: [0, 2, 6][rng.bits() as usize % 3],
            missing: pick(rng, [0, 40, 120]),
            drop: pick(rng, [0, 2, 10]),
            brownout: pick(rng, [0, 1, 6]),
            deny: pick(rng, [0, 60, 200]),
            change: pick(rng, [10, 60, 128]),
            clear: pick(rng, [10, 40, 128]),
            limit: [0, 1, 2, 5, 12, 30][rng.bits() as usize % 6],
        }
    }
}

/// An answer that follows a request after a while, or never.
#[derive(Clone, Copy, Debug, Default)]
pub struct Follower {
    pub value: bool,
    asked: bool,
    left: u64,
    missing: bool,
}

impl Follower {
    /// The answer in a cycle with this request.
    pub fn step(&mut self, request: bool, mood: &Mood, rng: &mut Random) -> bool {
        if request != self.asked {
            self.asked = request;
            self.left = if mood.delay == 0 { 0 } else { rng.bits() % (mood.delay + 1) };
            self.missing = rng.chance(mood.missing);
        }
        if self.value != self.asked && !self.missing {
            match self.left {
                0 => self.value = self.asked,
                _ => self.left -= 1,
            }
        }
        self.value && !rng.chance(mood.drop)
    }
}

/// A unit behind a Q-Channel whose answers come when it likes; it keeps to the rules of the channel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unit {
    pub qacceptn: bool,
    pub qdeny: bool,
    pub qactive: bool,
    left: u64,
    missing: bool,
    asked: bool,
}

impl Unit {
    pub fn step(&mut self, qreqn: bool, mood: &Mood, rng: &mut Random) {
        self.qactive = if rng.chance(16) { rng.chance(80) } else { self.qactive };
        if qreqn != self.asked {
            self.asked = qreqn;
            self.left = if mood.delay == 0 { 0 } else { rng.bits() % (mood.delay + 1) };
            self.missing = rng.chance(mood.missing);
        }
        if self.missing {
            // A unit that does not answer may come back to its senses.
            self.missing = !rng.chance(4);
            return;
        }
        if self.left > 0 {
            self.left -= 1;
            return;
        }
        match (qreqn, self.qacceptn, self.qdeny) {
            (false, true, false) if rng.chance(mood.deny) => self.qdeny = true,
            (false, true, false) => self.qacceptn = false,
            (true, false, _) => self.qacceptn = true,
            (true, true, true) => self.qdeny = false,
            _ => {}
        }
    }
}
