// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stream library under random stalls, against the golden models. A failing case prints its seed.

use heddle_lang::{
    Bits, Module, Simulator,
    sim::Port,
    stdlib::{
        self,
        arbiter::Policy,
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
fn every_block_keeps_the_stream_rules_by_the_checkers_in_the_ir() {
    let units = [
        stdlib::fifo(9, 1),
        stdlib::fifo(9, 5),
        stdlib::fifo(9, 20),
        stdlib::skid(9),
        stdlib::pair(9),
        stdlib::gearbox(8, 32),
        stdlib::gearbox(32, 8),
    ];
    for unit in units.map(|u| u.expect("it builds")) {
        let mut sim = simulate(&stdlib::stream::proof(&unit).expect("proof")).expect("it simulates");
        let width = sim.port("in_data").expect("in_data").ty().width();
        let mut sources = [Source::new(&sim, "in", words(&mut Random(2), 200, width), 30).expect("ports")];
        let mut sinks = [Sink::new(&sim, "out", 50, 0).expect("ports")];
        for _ in 0..500 {
            testing::cycle(&mut sim, &mut sources, &mut sinks, &mut Random(3)).expect("the rules hold");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_skid_buffer_is_a_fifo(width in 1u32..100, a in 0u32..90, b in 0u32..90, seed: u64) {
        let input = words(&mut Random(seed), 300, width);
        let (out, _) = through(&stdlib::skid(width).map_err(fail)?, &input, 300, (a, b), seed)?;
        prop_assert_eq!(out, input);
    }

    #[test]
    fn a_pair_is_a_fifo(width in 1u32..100, a in 0u32..90, b in 0u32..90, seed: u64) {
        let input = words(&mut Random(seed), 300, width);
        let (out, _) = through(&stdlib::pair(width).map_err(fail)?, &input, 300, (a, b), seed)?;
        prop_assert_eq!(out, input);
    }

    #[test]
    fn a_gearbox_keeps_all_bits(narrow in 1u32..40, log in 1u32..5, is_up: bool, a in 0u32..90, b in 0u32..90, seed: u64) {
        let (from, to) = if is_up { (narrow, narrow << log) } else { (narrow << log, narrow) };
        let input = words(&mut Random(seed), 64, from);
        let expected = stdlib::gearbox::golden::gearbox(&input, to);
        let (out, _) = through(&stdlib::gearbox(from, to).map_err(fail)?, &input, expected.len(), (a, b), seed)?;
        prop_assert_eq!(out, expected);
    }

    #[test]
    fn an_arbiter_serves_as_the_golden_model(inputs in 1u32..9, is_fair: bool, a in 0u32..90, b in 0u32..90, seed: u64) {
        arbiter_against_golden(inputs, is_fair, (a, b), seed)?;
    }

    #[test]
    fn a_counter_counts(width in 1u32..20, limit: u64, seed: u64) {
        let mut random = Random(seed);
        let mut sim = simulate(&stdlib::counter(width).map_err(fail)?)?;
        let [clear, enable, limit_port, value, last] = ports(&sim, ["clear", "enable", "limit", "value", "last"])?;
        let limit = limit & ((1 << width) - 1).min(20);
        sim.set(limit_port, limit);
        let mut expected = 0;
        for _ in 0..300 {
            let (c, e) = (random.percent(5), random.percent(70));
            sim.set(clear, c.into());
            sim.set(enable, e.into());
            prop_assert_eq!(sim.get(last) == 1, expected == limit);
            sim.step().map_err(fail)?;
            expected = stdlib::counter::golden::counter(expected, c, e, limit, width);
            prop_assert_eq!(sim.get(value), expected);
        }
    }
}

fn ports<const N: usize>(sim: &Simulator, names: [&str; N]) -> Result<[Port; N], TestCaseError> {
    let found: Result<Vec<Port>, _> = names.iter().map(|n| sim.port(n)).collect();
    found.map_err(fail)?.try_into().map_err(|_| fail("as many as asked for"))
}

fn arbiter_against_golden(inputs: u32, is_fair: bool, stalls: (u32, u32), seed: u64) -> Outcome {
    let policy = if is_fair { Policy::RoundRobin } else { Policy::FixedPriority };
    let mut random = Random(seed);
    let mut sim = simulate(&stdlib::stream::proof(&stdlib::arbiter::arbiter(policy, inputs, 16).map_err(fail)?).map_err(fail)?)?;
    let mut golden = stdlib::arbiter::golden::Arbiter::new(policy, inputs as usize);
    let mut sources = vec![];
    let mut valids = vec![];
    for i in 0..inputs {
        sources.push(Source::new(&sim, &format!("in_{i}"), words(&mut random, 60, 16), stalls.0).map_err(fail)?);
        valids.push(sim.port(&format!("in_{i}_valid")).map_err(fail)?);
    }
    let mut sinks = [Sink::new(&sim, "out", stalls.1, 60 * inputs as usize).map_err(fail)?];
    let [ready, valid, source] = ports(&sim, ["out_ready", "out_valid", "out_source"])?;
    while sinks[0].received.len() < 60 * inputs as usize {
        prop_assert!(sim.cycles() < 60_000, "stuck");
        testing::drive(&mut sim, &mut sources, &mut sinks, &mut random);
        let offered: Vec<bool> = valids.iter().map(|&v| sim.get(v) == 1).collect();
        let expected = golden.cycle(&offered, sim.get(ready) == 1);
        let served = (sim.get(valid) == 1).then(|| sim.get(source) as usize);
        prop_assert_eq!(served, expected);
        testing::finish(&mut sim, &mut sources, &mut sinks).map_err(fail)?;
    }
    Ok(())
}

#[test]
fn blocks_move_a_word_per_cycle() {
    let input = words(&mut Random(1), 128, 32);
    let (out, times) = through(&stdlib::skid(32).expect("skid"), &input, 128, (0, 0), 1).expect("it runs");
    assert!(out == input && is_full_rate(&times), "{times:?}");
    let (_, times) = through(&stdlib::gearbox(32, 8).expect("gearbox"), &input, 512, (0, 0), 1).expect("it runs");
    assert!(is_full_rate(&times), "{times:?}");
    let (_, times) = through(&stdlib::gearbox(32, 128).expect("gearbox"), &input, 32, (0, 0), 1).expect("it runs");
    assert!(times.windows(2).all(|t| t[1] == t[0] + 4), "{times:?}");
}

#[test]
fn sizes_that_make_no_sense_are_refused() {
    let messages = [
        (stdlib::gearbox(8, 24), "a gearbox changes the width by a power of two above 1, not from 8 to 24"),
        (stdlib::gearbox(0, 8), "not from 0 to 8"),
        (stdlib::gearbox(8, 8), "not from 8 to 8"),
        (stdlib::round_robin(0, 8), "an arbiter has 1 to 64 inputs, not 0"),
    ];
    for (module, part) in messages {
        let error = module.expect_err(part).to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_delay_line_delays() {
    for (width, cycles) in [(1, 2), (16, 9), (40, 21), (33, 64)] {
        let mut sim = Simulator::new(&stdlib::delay_line(width, cycles).expect("delay line")).expect("it runs");
        sim.reset().expect("reset");
        let input = words(&mut Random(u64::from(width)), 300, width);
        let [data, out] = ["in_data", "out_data"].map(|name| sim.port(name).expect("a port"));
        for (n, word) in input.iter().enumerate() {
            sim.set_bits(data, word);
            sim.settle();
            if let Some(expected) = stdlib::delay_line::golden::delayed(&input.iter().collect::<Vec<_>>(), n, cycles as usize) {
                assert_eq!(sim.get_bits(out), *expected, "{width} bits, {cycles} cycles, word {n}");
            }
            sim.step().expect("a cycle");
        }
    }
    assert!(stdlib::delay_line(8, 1).is_err());
}
