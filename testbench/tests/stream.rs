// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stream bench on a two-entry buffer, right and with each rule broken.

use heddle_tb::random::Random;
use heddle_tb::stream::{Bench, Item, Stall, StreamError, StreamPins, no_path_from_ready};
use heddle_tb::tools::have_verilator;
use heddle_tb::verilator::{BuildOptions, Design, Model};

fn skid(bug: u32) -> Model {
    let text = include_str!("rtl/skid.v").replace("BUG = 0", &format!("BUG = {bug}"));
    let options = BuildOptions::quick();
    let design = Design::new("skid").clock("clk_i").file("skid.v", text);
    let mut model = design.build(&options, &mut |_| {}).unwrap_or_else(|e| panic!("{e}")).instance().unwrap();
    let rst = model.port("rst_i").unwrap();
    model.set(rst, 1);
    model.tick().unwrap();
    model.set(rst, 0);
    model
}

fn items(count: usize) -> Vec<Item> {
    let mut random = Random::new(3);
    // Tag: 9 bits in 2 bytes; data: 100 bits in 13.
    let masks = [0xff, 0x01].into_iter().chain([0xff; 12]).chain([0x0f]);
    (0..count).map(|_| masks.clone().map(|mask| random.bits() as u8 & mask).collect()).collect()
}

fn bench(bug: u32, stalls: [Stall; 2]) -> (Bench<Model>, Vec<Item>) {
    let sim = skid(bug);
    let input = StreamPins::input(&sim, "in", &["tag", "data"]).unwrap();
    let output = StreamPins::output(&sim, "out", &["tag", "data"]).unwrap();
    let items = items(300);
    let mut bench = Bench::new(sim);
    let [source, sink] = stalls;
    bench.source(input, items.clone(), source);
    bench.sink(output, sink);
    (bench, items)
}

#[test]
fn items_pass_in_order_for_every_stall() {
    if !have_verilator("items_pass_in_order_for_every_stall") {
        return;
    }
    for seed in 0..16 {
        let (mut bench, items) = bench(0, [Stall::variety(seed), Stall::variety(seed / 4)]);
        let cycles = bench.run(&[items.len()], 20_000).unwrap();
        assert!(bench.received(0) == items);
        assert!(seed != 0 || cycles <= 303, "{cycles} cycles");
    }
    let (mut bench, items) = bench(0, [Stall::Never, Stall::AfterValid(2)]);
    bench.run(&[items.len()], 20_000).unwrap();
    assert!(bench.received(0) == items);
}

#[test]
fn each_broken_rule_is_found() {
    if !have_verilator("each_broken_rule_is_found") {
        return;
    }
    let (mut waits, _) = bench(2, [Stall::Never, Stall::AfterValid(1)]);
    let error = waits.run(&[300], 1000).unwrap_err();
    assert_eq!(error.to_string(), "after 1000 cycles: `out` gave 0 of 300 items");

    let (mut changes, _) = bench(3, [Stall::Never, Stall::random(1, 128)]);
    let error = changes.run(&[300], 1000).unwrap_err();
    assert!(matches!(error, StreamError::Rule { .. }), "{error}");
    assert!(error.to_string().contains("stream `out`: cycle"), "{error}");

    for (bug, found) in [(0, false), (4, true)] {
        let (mut bench, _) = bench(bug, [Stall::Never, Stall::random(1, 128)]);
        let pins = StreamPins::output(&bench.sim, "out", &["tag", "data"]).unwrap();
        let mut error = None;
        for _ in 0..20 {
            bench.cycle().unwrap();
            error = error.or(no_path_from_ready(&mut bench.sim, &pins).err());
        }
        assert_eq!(error.is_some(), found);
    }
}
