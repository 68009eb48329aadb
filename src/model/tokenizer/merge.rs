// SPDX-License-Identifier: MIT OR Apache-2.0
//! Greedy merging of neighbours, best pair first: the loop that SPM and BPE share.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

const NONE: usize = usize::MAX;

/// A merge that was possible when it was queued: greatest rank first, then leftmost.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate<R> {
    rank: R,
    left: Reverse<usize>,
    right: usize,
    /// How often each side had been merged before; a side that changed since makes this candidate stale.
    ages: (u32, u32),
}

/// Merges neighbours until `pair` allows no more. `pair(a, b)` is the rank of the merge and what it makes.
/// Takes O(n log n) calls and steps for n symbols.
pub(super) fn merge_all<S: Copy, R: Ord>(symbols: Vec<S>, pair: impl Fn(S, S) -> Option<(R, S)>) -> Vec<S> {
    let mut list = List::new(symbols);
    let mut queue = BinaryHeap::new();
    for left in 1..list.symbols.len() {
        queue.extend(list.candidate(left - 1, &pair));
    }
    while let Some(Candidate { left: Reverse(left), right, ages, .. }) = queue.pop() {
        if ages != (list.ages[left], list.ages[right]) {
            continue;
        }
        let Some((_, merged)) = pair(list.symbols[left], list.symbols[right]) else {
            continue;
        };
        list.join(left, right, merged);
        queue.extend(list.candidate(left, &pair));
        if list.before[left] != NONE {
            queue.extend(list.candidate(list.before[left], &pair));
        }
    }
    list.into_symbols()
}

/// A doubly linked list of symbols; a symbol that was merged into its left neighbour has the age `GONE`.
struct List<S> {
    symbols: Vec<S>,
    before: Vec<usize>,
    after: Vec<usize>,
    ages: Vec<u32>,
}

const GONE: u32 = u32::MAX;

impl<S: Copy> List<S> {
    fn new(symbols: Vec<S>) -> List<S> {
        let n = symbols.len();
        List {
            before: (0..n).map(|i| i.wrapping_sub(1)).collect(), // NONE for the first
            after: (0..n).map(|i| if i + 1 < n { i + 1 } else { NONE }).collect(),
            ages: vec![0; n],
            symbols,
        }
    }

    fn candidate<R: Ord>(&self, left: usize, pair: &impl Fn(S, S) -> Option<(R, S)>) -> Option<Candidate<R>> {
        let right = self.after[left];
        if right == NONE {
            return None;
        }
        let (rank, _) = pair(self.symbols[left], self.symbols[right])?;
        let ages = (self.ages[left], self.ages[right]);
        Some(Candidate { rank, left: Reverse(left), right, ages })
    }

    fn join(&mut self, left: usize, right: usize, merged: S) {
        self.symbols[left] = merged;
        self.ages[left] += 1;
        self.ages[right] = GONE;
        self.after[left] = self.after[right];
        if self.after[right] != NONE {
            self.before[self.after[right]] = left;
        }
    }

    fn into_symbols(self) -> Vec<S> {
        let alive = self.ages.iter().map(|&age| age != GONE);
        self.symbols.iter().zip(alive).filter_map(|(&s, alive)| alive.then_some(s)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn best_rank_first_then_leftmost() {
        // Digits add while the sum stays below ten; the greatest sum goes first.
        let add = |a: u32, b: u32| (a + b < 10).then_some((a + b, a + b));
        assert_eq!(merge_all(vec![1, 2, 6, 3, 5], add), [3, 9, 5]);
        assert_eq!(merge_all(vec![3, 3, 3, 3], |a, b| (a == b).then_some((0, a + b))), [12]);
        assert_eq!(merge_all(vec![3, 3, 3], |a, b| (a == b).then_some((0, a + b))), [6, 3]);
        assert!(merge_all(Vec::<u32>::new(), add).is_empty());
    }
}
