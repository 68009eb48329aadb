// SPDX-License-Identifier: MIT OR Apache-2.0
//! A model on an accelerator with a DVFS unit: the same tokens, layers in the programs, moves at layers.

mod decoder_support;

use decoder_support::{decoder, greedy, nano};
use heddle::compile::compile;
use heddle::decoder::Decoder;
use heddle::driver::dvfs::{DvfsError, DvfsTable, Point, Targets};
use heddle::driver::events::PowerEvents;
use heddle::driver::sim::{Sim, build};
use heddle::driver::{Driver, DriverError};
use heddle_core::config::Config;
use heddle_core::descriptor::{Phase, disassemble};
use heddle_core::registers::dvfs::{DVFS_CONTROL, DVFS_CONTROL_WRITE, DVFS_ENTRY, DVFS_ENTRY_CLOCK, DVFS_ENTRY_INDEX, DVFS_ENTRY_VOLTAGE};
use heddle_core::registers::map;
use heddle_tb::soc::{Rail, Soc};
use heddle_tb::tools::have_verilator;
use heddle_tb::verilator::{BuildOptions, Model};

const PROMPT: [u32; 6] = [1, 503, 370, 12, 99, 7];

fn built(entries: u32) -> Config {
    Config::small().with_settings(&[format!("power.dvfs_entries={entries}")]).unwrap()
}

#[test]
fn tokens_are_those_without_a_dvfs_unit() {
    let gguf = nano("nano-q4_0");
    let want = greedy(&mut decoder(&gguf, &Config::small()), &PROMPT, 16);
    for entries in [16, 32, 64] {
        assert_eq!(greedy(&mut decoder(&gguf, &built(entries)), &PROMPT, 16), want, "{entries} entries");
    }
}

#[test]
fn programs_tell_where_layers_begin() {
    let config = built(32);
    let compiled = compile(&nano("nano-q4_0"), &config).unwrap();
    let listing = |program: &heddle::compile::Program| {
        let text = disassemble(&config, program.address, &compiled.image.memory[program.address as usize..]);
        text.lines().map(|line| line.split("  ").skip(1).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    let stage = &compiled.model.layers[0].qkv;
    let lines = listing(stage.program(1, Phase::Decode).unwrap());
    assert!(lines[0].contains("decode, class 0, 0/256 done, first"), "{lines:?}");
    assert!(listing(stage.program(1, Phase::Prefill).unwrap())[0].contains("prefill, class 0, 0/256 done, first"));
    let mlp = listing(compiled.model.layers[1].gate_up.program(1, Phase::Decode).unwrap());
    assert!(mlp[0].contains("class 1") && !mlp[0].contains("first"), "{mlp:?}");
    assert!(listing(compiled.model.layers[0].down.program(1, Phase::Decode).unwrap())[0].contains("MATMUL"));
    let head = listing(compiled.model.logits.program(1, Phase::Decode).unwrap());
    assert!(head[0].contains("class 2"), "{head:?}");
    let end = &head[head.len() - 3..];
    assert!(end[0].contains("FENCE") && end[1].contains("last") && end[2].contains("END"), "{head:?}");
}

#[test]
fn hardware_without_a_unit_is_told_apart() {
    let mut decoder = decoder(&nano("nano-q4_0"), &Config::small());
    let error = decoder.driver().set_targets(Targets { ttft: 1, tpot: 1 }).unwrap_err();
    assert!(matches!(error, DriverError::Dvfs(DvfsError::Absent { .. })), "{error}");
    assert!(error.to_string().contains("power.dvfs_entries=16"), "{error}");
}

#[test]
fn a_target_past_the_counter_is_refused() {
    let mut decoder = decoder(&nano("nano-q4_0"), &built(16));
    let error = decoder.driver().set_targets(Targets { ttft: 0, tpot: 1 << 31 }).unwrap_err();
    assert!(error.to_string().contains("2147483648 ticks is more than the 2147483647"), "{error}");
}

/// On the emitted Verilog: the pair follows the layers, targets are measured, the tokens stay.
#[test]
fn moves_follow_the_layers() {
    if !have_verilator("moves_follow_the_layers") {
        return;
    }
    let (config, gguf) = (built(16), nano("nano-q4_0"));
    let library = build(&config, &BuildOptions::quick(), &mut |_| {}).unwrap();
    let sim = Sim::new(&library, &config).unwrap();
    let driver = Driver::connect(Box::new(sim), &config).unwrap();
    let mut decoder = Decoder::new(&compile(&gguf, &config).unwrap(), driver).unwrap();
    // A clock and a voltage of its own for each phase and class, whatever the slack.
    let points: Vec<Point> = (0..16u8).map(|i| Point { clock: 10 + 4 * (i / 4), voltage: 100 + 40 * (i / 4) }).collect();
    decoder.driver().load_dvfs(&DvfsTable::new(&config, &points).unwrap()).unwrap();
    decoder.driver().set_targets(Targets { ttft: 0, tpot: 100 }).unwrap();
    let want = greedy(&mut self::decoder(&gguf, &Config::small()), &PROMPT, 4);
    assert_eq!(greedy(&mut decoder, &PROMPT, 4), want);
    let layers = decoder.model().spec.layers as u32;
    let columns = config.array.columns as usize;
    let batches = PROMPT.len().div_ceil(columns) as u32;
    let status = decoder.driver().dvfs_status().unwrap();
    assert_eq!((status.cause, status.ttft_violations, status.tpot_violations), ("none", 0, 3));
    // The output matrix is of the MLP's class: no move. After that of the reset, each attention and each MLP is one.
    let passes = batches + 3;
    assert_eq!((status.moves, status.settled), (1 + passes * 2 * layers, true));
    assert_eq!(status.point, points[DvfsTable::index(&config, Phase::Decode, 1, 0)]);
    assert!(status.slack < 0 && status.elapsed > 100, "{status:?}");
}

/// An entry of its own for each slack bin: the first layer is on time, and what follows depends on the target.
#[test]
fn bins_follow_the_target() {
    if !have_verilator("bins_follow_the_target") {
        return;
    }
    let (config, gguf) = (built(16), nano("nano-q4_0"));
    let library = build(&config, &BuildOptions::quick(), &mut |_| {}).unwrap();
    let compiled = compile(&gguf, &config).unwrap();
    let points: Vec<Point> = (0..16u8).map(|i| Point { clock: 4 + i % 4, voltage: 100 + 2 * i }).collect();
    let want = greedy(&mut self::decoder(&gguf, &Config::small()), &PROMPT, 2);
    let last_bin = |tpot: u32| {
        let sim = Sim::new(&library, &config).unwrap();
        let mut decoder = Decoder::new(&compiled, Driver::connect(Box::new(sim), &config).unwrap()).unwrap();
        decoder.driver().load_dvfs(&DvfsTable::new(&config, &points).unwrap()).unwrap();
        decoder.driver().set_targets(Targets { ttft: 0, tpot }).unwrap();
        decoder.driver().listen(PowerEvents::all(&config)).unwrap();
        assert_eq!(greedy(&mut decoder, &PROMPT, 2), want);
        let status = decoder.driver().dvfs_status().unwrap();
        let events = decoder.driver().take_events().unwrap();
        assert_eq!((events.tpot(), events.fault(), events.dvfs()), (status.tpot_violations > 0, false, false));
        assert_eq!(decoder.driver().take_events().unwrap(), PowerEvents::default(), "events are told once");
        assert_eq!(status.point, points[status.index]);
        (status.index % 4, status.elapsed, status.tpot_violations)
    };
    let (bin, took, _) = last_bin(0);
    assert_eq!(bin, 3, "without a target there is time");
    // Of a pass that takes `took` ticks, most are over when the last layer, the output matrix, begins.
    let bins = [took / 4, took, 2 * took, 8 * took].map(last_bin);
    assert_eq!(bins.map(|(bin, ..)| bin)[0], 0, "{bins:?}");
    assert_eq!(bins[3].0, 3, "{bins:?}");
    assert!(bins.windows(2).all(|w| w[0].0 <= w[1].0), "{bins:?}");
    assert!(bins[0].2 > 0 && bins[3].2 == 0, "{bins:?}");
}

/// What the supplies were told before a reset is not forgotten by them: the unit moves to a safe pair, clock first.
#[test]
fn a_reset_moves_to_a_safe_pair() {
    if !have_verilator("a_reset_moves_to_a_safe_pair") {
        return;
    }
    let (config, gguf) = (built(16), nano("nano-q4_0"));
    let library = build(&config, &BuildOptions::quick(), &mut |_| {}).unwrap();
    let mut sim = Sim::new(&library, &config).unwrap();
    let compiled = compile(&gguf, &config).unwrap();
    let soc = sim.soc();
    let program = compiled.model.layers[0].qkv.program(1, Phase::Decode).unwrap();
    let start = compiled.image.memory.len();
    soc.memory_mut().bytes_mut()[..start].copy_from_slice(&compiled.image.memory);
    let entry = 15 << DVFS_ENTRY_CLOCK.lsb | 120 << DVFS_ENTRY_VOLTAGE.lsb;
    for index in 8..12 {
        soc.write_reg(DVFS_ENTRY.offset, entry | index << DVFS_ENTRY_INDEX.lsb).unwrap();
        soc.write_reg(DVFS_CONTROL.offset, DVFS_CONTROL_WRITE.mask()).unwrap();
    }
    soc.write_reg(map::PROGRAM.offset, program.address).unwrap();
    soc.write_reg(map::CONTROL.offset, map::CONTROL_START.mask()).unwrap();
    (0..3000).for_each(|_| soc.cycle().unwrap());
    let codes = |soc: &mut Soc<Model>| soc.supplies().unwrap().taken().iter().map(|t| (t.rail, t.code)).collect::<Vec<_>>();
    let reset = [(Rail::Clock, 0), (Rail::Voltage, 255)];
    let told = codes(soc);
    assert_eq!(told, [&reset[..], &[(Rail::Clock, 15), (Rail::Voltage, 120)]].concat());
    soc.reset(2).unwrap();
    (0..100).for_each(|_| soc.cycle().unwrap());
    assert_eq!(codes(soc)[told.len()..], reset);
}
