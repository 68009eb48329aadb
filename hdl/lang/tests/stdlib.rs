// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stream library under random stalls, against the golden models. A failing case prints its seed.

use heddle_lang::{
    Bits, Module, Simulator,
    stdlib::{
        self,
        testing::{self, Random, Sink, Source},
    },
};
use proptest::prelude::*;
use std::sync::Arc;

type Outcome = Result<(), TestCaseError>;

fn fail(e: impl std::fmt::Display) -> TestCaseError {
    TestCaseError::fail(e.to_string())
}

fn simulate(m: &Arc<Module>) -> Result<Simulator, TestCaseError> {
    let mut sim = Simulator::new(m).map_err(fail)?;
    sim.reset().map_err(fail)?;
    Ok(sim)
}

fn words(random: &mut Random, n: usize, width: u32) -> Vec<Bits> {
    (0..n).map(|_| random.word(width)).collect()
}

/// One stream in, one out; gives what came out and when.
fn through(
    m: &Arc<Module>,
    input: &[Bits],
    expected: usize,
    stalls: (u32, u32),
    seed: u64,
) -> Result<(Vec<Bits>, Vec<u64>), TestCaseError> {
    let mut sim = simulate(m)?;
    let mut sources = [Source::new(&sim, "in", input.iter().cloned(), stalls.0).map_err(fail)?];
    let mut sinks = [Sink::new(&sim, "out", stalls.1, expected).map_err(fail)?];
    let limit = 200 + 100 * (input.len() + expected) as u64;
    testing::run(&mut sim, &mut sources, &mut sinks, &mut Random(seed), limit).map_err(fail)?;
    let [sink] = sinks;
    Ok((sink.received, sink.times))
}

fn is_full_rate(times: &[u64]) -> bool {
    times.windows(2).all(|t| t[1] == t[0] + 1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_fifo_keeps_order_and_count(width in 1u32..80, depth in prop_oneof![1u32..40, Just(64), Just(100)], a in 0u32..90, b in 0u32..90, seed: u64) {
        fifo_against_golden(width, depth, (a, b), seed)?;
    }
}

fn fifo_against_golden(width: u32, depth: u32, stalls: (u32, u32), seed: u64) -> Outcome {
    const WORDS: usize = 300;
    let mut random = Random(seed);
    let mut sim = simulate(&stdlib::fifo(width, depth).map_err(fail)?)?;
    let input = words(&mut random, WORDS, width);
    let mut sources = [Source::new(&sim, "in", input.iter().cloned(), stalls.0).map_err(fail)?];
    let mut sinks = [Sink::new(&sim, "out", stalls.1, WORDS).map_err(fail)?];
    let mut golden = stdlib::fifo::golden::Fifo::new(depth as usize);
    let (count, ready) = (sim.port("count").map_err(fail)?, sim.port("in_ready").map_err(fail)?);
    let (mut sent, mut received) = (0, 0);
    while received < WORDS {
        prop_assert!(sim.cycles() < 60_000, "stuck after {received} words");
        testing::cycle(&mut sim, &mut sources, &mut sinks, &mut random).map_err(fail)?;
        if sinks[0].received.len() > received {
            let expected = golden.pop();
            prop_assert_eq!(expected.as_ref(), sinks[0].received.get(received));
            received += 1;
        }
        if WORDS - sources[0].left() > sent {
            golden.push(input[sent].clone());
            sent += 1;
        }
        prop_assert_eq!(sim.get(count), golden.words.len() as u64);
        prop_assert_eq!(sim.get(ready) == 1, golden.ready());
    }
    Ok(())
}

#[test]
fn a_fifo_moves_a_word_per_cycle() {
    for (depth, latency) in [(2, 1), (3, 1), (16, 1), (17, 2), (64, 2), (100, 2)] {
        let input = words(&mut Random(1), 400, 32);
        let (out, times) = through(&stdlib::fifo(32, depth).expect("fifo"), &input, 400, (0, 0), 1).expect("it runs");
        assert_eq!(out, input);
        assert!(is_full_rate(&times), "depth {depth}: {times:?}");
        // The first word goes in at cycle 1, after the reset cycle.
        assert_eq!(times[0], 1 + latency, "depth {depth}");
    }
}

#[test]
fn a_fifo_of_no_words_is_refused() {
    let error = stdlib::fifo(8, 0).expect_err("no depth");
    assert!(error.to_string().contains("a FIFO has 1 to 2^24 words, not 0"), "{error}");
}

#[test]
fn a_fifo_keeps_the_stream_rules_by_its_own_checkers() {
    for depth in [1, 5, 20] {
        let input = words(&mut Random(2), 200, 9);
        let mut sim = simulate(&stdlib::fifo::proof(9, depth).expect("proof")).expect("it simulates");
        let mut sources = [Source::new(&sim, "in", input, 30).expect("ports")];
        let mut random = Random(3);
        let ready = sim.port("out_ready").expect("out_ready");
        for _ in 0..500 {
            sim.set(ready, random.bits() & 1);
            testing::cycle(&mut sim, &mut sources, &mut [], &mut random).expect("rules hold");
        }
    }
}
