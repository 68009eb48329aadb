// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same tokens from the emitted Verilog as from the golden device, for whole models.

mod decoder_support;

use std::sync::Arc;

use decoder_support::{decoder, greedy, nano, shared, tiny::Tiny};
use heddle::compile::{Program, compile};
use heddle::decoder::Decoder;
use heddle::driver::sim::{Sim, build};
use heddle::driver::{Driver, DriverError, Transport};
use heddle::model::gguf::{GgmlType, Gguf};
use heddle_core::config::Config;
use heddle_core::descriptor::Cause;
use heddle_core::registers::present;
use heddle_tb::axi::{Backpressure, MemoryConfig};
use heddle_tb::tools::have_verilator;
use heddle_tb::verilator::{BuildOptions, Library};

const TOKENS: usize = 64;

fn library(config: &Config) -> Library {
    build(config, &BuildOptions::default(), &mut |_| {}).unwrap_or_else(|e| panic!("{e}"))
}

fn simulated(gguf: &Arc<Gguf>, library: &Library, config: &Config) -> Decoder {
    let driver = Driver::connect(Box::new(Sim::new(library, config).unwrap()), config).unwrap();
    Decoder::new(&compile(gguf, config).unwrap(), driver).unwrap()
}

/// Greedy tokens of every model on the hardware of these settings.
fn check(test: &str, settings: &[&str]) {
    if !have_verilator(test) {
        return;
    }
    let config = Config::base().with_settings(settings).unwrap();
    let library = library(&config);
    let check = |name: &str, gguf: &Arc<Gguf>, prompt: &[u32]| {
        let (mut sim, mut golden) = (simulated(gguf, &library, &config), decoder(gguf, &config));
        assert_eq!(greedy(&mut sim, prompt, TOKENS), greedy(&mut golden, prompt, TOKENS), "{name}");
        let (sim, golden) = (sim.driver().counters(), golden.driver().counters());
        assert_eq!((sim.rows, sim.blocks, sim.descriptors), (golden.rows, golden.blocks, golden.descriptors), "{name}");
        assert!(sim.read_beats >= golden.read_beats && sim.cycles > sim.read_beats, "{name}");
    };
    for name in ["nano-q4_0", "nano-q8_0"] {
        check(name, &nano(name), &[1, 503, 370, 499, 475]);
    }
    for ty in [GgmlType::Q8_0, GgmlType::Q5_0, GgmlType::Q4_1, GgmlType::Q4_0] {
        check(ty.name(), &Tiny { ty, context: 128, output: true, ..Tiny::default() }.gguf(), &[1, 2, 3]);
        let Some(gguf) = shared(&format!("stories260K/stories260K-h192-{ty}.gguf")) else { continue };
        check(ty.name(), &gguf, &[1, 403, 407, 261, 378]);
    }
}

#[test]
fn base_equals_golden() {
    check("base_equals_golden", &[]);
}

#[test]
fn two_columns_of_16_lanes_equal_golden() {
    check("two_columns_of_16_lanes_equal_golden", &["array.lanes=16", "array.columns=2", "memory.port_bits=64"]);
}

#[test]
fn one_column_of_8_lanes_equals_golden() {
    check("one_column_of_8_lanes_equals_golden", &["array.lanes=8", "array.columns=1", "memory.port_bits=32"]);
}

#[test]
fn stalls_change_no_token() {
    if !have_verilator("stalls_change_no_token") {
        return;
    }
    let config = Config::base();
    let gguf = Tiny::default().gguf();
    let want = greedy(&mut decoder(&gguf, &config), &[1, 2, 3], 16);
    for seed in 1..=3 {
        let mut memory = MemoryConfig::new(1 << 20, config.port_bytes() as usize);
        memory.backpressure = Some(Backpressure { seed, chance: 60 * seed as u8 });
        let sim = Sim::with_memory(&library(&config), memory).unwrap();
        let driver = Driver::connect(Box::new(sim), &config).unwrap();
        let mut decoder = Decoder::new(&compile(&gguf, &config).unwrap(), driver).unwrap();
        assert_eq!(greedy(&mut decoder, &[1, 2, 3], 16), want, "seed {seed}");
    }
}

#[test]
fn the_hardware_is_checked_and_tells_its_errors() {
    if !have_verilator("the_hardware_is_checked_and_tells_its_errors") {
        return;
    }
    let config = Config::base();
    let library = library(&config);
    let mut sim = Sim::new(&library, &config).unwrap();
    for register in present(&config) {
        assert_eq!(sim.read_reg(register.offset).unwrap(), register.reset_value(&config), "{}", register.name);
    }
    let error = Driver::connect(Box::new(sim), &Config::small()).err().unwrap();
    assert!(matches!(&error, DriverError::Digest { found, .. } if *found == config.digest_hex()), "{error}");

    let mut driver = Driver::connect(Box::new(Sim::new(&library, &config).unwrap()), &config).unwrap();
    driver.transport().write_mem(0x100, &9u32.to_le_bytes()).unwrap();
    let error = driver.run(&Program { address: 0x100, beats: 1 }).unwrap_err();
    let DriverError::Stopped(stopped) = &error else { panic!("{error}") };
    assert_eq!((stopped.cause, stopped.address), (Some(Cause::BadOpcode), 0x100));
    driver.transport().write_mem(0x100, &3u32.to_le_bytes()).unwrap();
    driver.run(&Program { address: 0x100, beats: 1 }).unwrap();
}
