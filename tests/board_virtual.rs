// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whole boards, verilated: the top with PLL, reset, link, accelerator and memory, an SDRAM at its pins, the host's end of
//! the UART bit by bit. The same tokens as on the golden device and as on the simulated accelerator alone.

#![cfg(unix)]

mod decoder_support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use decoder_support::{decoder, greedy, tiny::Tiny};
use heddle::board::virtual_board::{VirtualBoard, VirtualConfig};
use heddle::compile::compile;
use heddle::decoder::Decoder;
use heddle::driver::serial::faults::{FaultRates, Faulty};
use heddle::driver::serial::{Link, LinkError, SerialTransport};
use heddle::driver::sim::{self, Sim};
use heddle::driver::{Driver, Transport, TransportError};
use heddle::model::gguf::{GgmlType, Gguf};
use heddle_core::config::Config;
use heddle_core::registers::map;
use heddle_fpga::board::{Board, MemoryKind};
use heddle_tb::random::Random;
use heddle_tb::tools::have_verilator;
use heddle_tb::verilator::{BuildOptions, Library, Model};

fn ulx3s(memory: MemoryKind) -> VirtualConfig {
    virtual_board("ulx3s", memory)
}

fn virtual_board(name: &str, memory: MemoryKind) -> VirtualConfig {
    let board = Board::named(name).unwrap();
    let config = Config::preset(&board.preset).unwrap();
    VirtualConfig::fast(&board, &config, memory)
}

/// A library by name, built by the first test that asks; the others wait instead of building it as well.
fn shared_library(name: String, build: impl FnOnce() -> Library) -> Library {
    static BUILT: Mutex<BTreeMap<String, Library>> = Mutex::new(BTreeMap::new());
    BUILT.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_insert_with(build).clone()
}

fn powered(config: &VirtualConfig) -> VirtualBoard<Model> {
    let build = || config.build(&mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
    let name = format!("{} at {} MHz with {}", config.board.name, config.board.clock.core_mhz, config.memory);
    let library = shared_library(name, build);
    VirtualBoard::new(&library, config).unwrap_or_else(|e| panic!("{e}"))
}

/// The simulated accelerator without a board.
fn alone(config: &Config) -> Sim {
    let build = || sim::build(config, &BuildOptions::default(), &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
    Sim::new(&shared_library(config.name.clone(), build), config).unwrap()
}

/// The tokens of a model on a board are those of the golden device and of the simulated accelerator alone.
fn same_tokens(config: &VirtualConfig, gguf: &Arc<Gguf>, prompt: &[u32], tokens: usize) {
    let (memory, board) = (config.memory, powered(config));
    let start = Instant::now();
    let transport = SerialTransport::new(Link::open(board, config.wire.baud).unwrap());
    let driver = Driver::connect(Box::new(transport), &config.accelerator).unwrap();
    let mut on_board = Decoder::new(&compile(gguf, &config.accelerator).unwrap(), driver).unwrap();
    println!("uploaded after {:.1} s", start.elapsed().as_secs_f64());
    let ids = greedy(&mut on_board, prompt, tokens);
    println!("{tokens} tokens from {memory} after {:.1} s", start.elapsed().as_secs_f64());
    assert_eq!(ids, greedy(&mut decoder(gguf, &config.accelerator), prompt, tokens), "golden");
    let alone = Driver::connect(Box::new(alone(&config.accelerator)), &config.accelerator).unwrap();
    let mut alone = Decoder::new(&compile(gguf, &config.accelerator).unwrap(), alone).unwrap();
    assert_eq!(ids, greedy(&mut alone, prompt, tokens), "the simulated accelerator alone");
}

#[test]
fn registers_and_memory_over_the_wire() {
    if !have_verilator("registers_and_memory_over_the_wire") {
        return;
    }
    for memory in [MemoryKind::BlockRam, MemoryKind::Sdram] {
        let config = ulx3s(memory);
        let (board, start) = (powered(&config), Instant::now());
        let mut transport = SerialTransport::new(Link::open(board, config.wire.baud).unwrap());
        let bytes: Vec<u8> = (0..6000u32).map(|i| (i.wrapping_mul(0x9e37_79b1) >> 24) as u8).collect();
        transport.write_mem(64, &bytes).unwrap();
        let mut back = vec![0; bytes.len()];
        transport.read_mem(64, &mut back).unwrap();
        assert!(back == bytes);
        let end = config.board.memory_bytes(memory).unwrap() as u32;
        transport.write_mem(end - 4, &[1, 2, 3, 4]).unwrap();
        assert!(transport.write_mem(end, &[1, 2, 3, 4]).unwrap_err().to_string().contains("an error of its bus"));
        let cycles = transport.link().port().cycles();
        let seconds = start.elapsed().as_secs_f64();
        println!("{memory}: {cycles} cycles in {seconds:.1} s, {:.2} M/s", cycles as f64 / seconds / 1e6);
        assert_eq!(transport.link().counts().repeated, 0);
        // A session, memory that is ready, and no error; the others come and go.
        assert_eq!(transport.link().port().lights() & 0b1010_0010, 0b0010_0010);
    }
}

#[test]
fn tokens_of_a_tiny_model_from_spram_by_uartbone() {
    if !have_verilator("tokens_of_a_tiny_model_from_spram_by_uartbone") {
        return;
    }
    let tiny = Tiny { ty: GgmlType::Q4_0, context: 32, output: true, ..Tiny::default() }.gguf();
    same_tokens(&virtual_board("icebreaker", MemoryKind::Spram), &tiny, &[1, 2, 3], 3);
}

#[test]
fn tokens_of_a_tiny_model_from_both_memories() {
    if !have_verilator("tokens_of_a_tiny_model_from_both_memories") {
        return;
    }
    let tiny = Tiny { ty: GgmlType::Q4_0, context: 128, output: true, ..Tiny::default() }.gguf();
    for memory in [MemoryKind::BlockRam, MemoryKind::Sdram] {
        same_tokens(&ulx3s(memory), &tiny, &[1, 2, 3], 3);
    }
}

/// At 100 kHz, without a PLL: the host's time-outs, which are of real time, take few cycles.
fn slow(name: &str, memory: MemoryKind) -> VirtualConfig {
    let mut board = Board::named(name).unwrap();
    (board.clock.mhz, board.clock.core_mhz) = (0.1, 0.1);
    let config = Config::preset(&board.preset).unwrap();
    VirtualConfig::fast(&board, &config, memory)
}

/// Transfers until the first error; how many were accepted, and whether there was one. What was accepted is in the board's
/// memory, and the board answers afterwards.
fn over_a_bad_wire(config: &VirtualConfig, seed: u64, rates: FaultRates) -> (usize, bool) {
    let Ok(link) = Link::open(Faulty::new(powered(config), seed, rates), config.wire.baud) else { return (0, true) };
    let mut transport = SerialTransport::new(link);
    let mut rng = Random::new(seed);
    let (mut accepted, mut failed) = (vec![], false);
    for i in 0..4u32 {
        let data: Vec<u8> = (0..1 + rng.bits() % 400).map(|_| rng.bits() as u8).collect();
        let (at, mut back) = (0x1000 * i, vec![0; data.len()]);
        match transport.write_mem(at, &data).and_then(|()| transport.read_mem(at, &mut back)) {
            Ok(()) => {
                assert!(back == data, "{} seed {seed}, transfer {i}", config.board.name);
                accepted.push((at, data));
            }
            Err(TransportError::Link(LinkError::Lost { .. } | LinkError::Silent { .. } | LinkError::Damaged { .. })) => {
                failed = true;
                break;
            }
            Err(error) => panic!("{} seed {seed}: {error}", config.board.name),
        }
    }
    transport.link().port().rates = FaultRates::default();
    transport.link().again().unwrap();
    assert_eq!(transport.read_reg(map::ID.offset).unwrap(), map::ID_VALUE);
    for (at, data) in &accepted {
        let mut held = vec![0; data.len()];
        transport.read_mem(*at, &mut held).unwrap();
        assert!(held == *data, "{} seed {seed}, at {at:#x}", config.board.name);
    }
    (accepted.len(), failed)
}

#[test]
fn over_a_bad_wire_what_is_accepted_is_right() {
    if !have_verilator("over_a_bad_wire_what_is_accepted_is_right") {
        return;
    }
    // With frames faults are repaired; without, the first one ends the run.
    for (name, memory, rate) in [("ulx3s", MemoryKind::BlockRam, 1000), ("icebreaker", MemoryKind::Spram, 60)] {
        let (config, rates) = (slow(name, memory), FaultRates { drop: rate, double: rate, flip: rate, delay: rate });
        let start = Instant::now();
        let ends: Vec<(usize, bool)> = (1..=3).map(|seed| over_a_bad_wire(&config, seed, rates)).collect();
        println!("{name}: {ends:?} in {:.1} s", start.elapsed().as_secs_f64());
        assert!(ends.iter().map(|(accepted, _)| accepted).sum::<usize>() > 6, "{name}: {ends:?}");
        assert!(name == "ulx3s" || ends.iter().any(|(_, failed)| *failed), "{name}: {ends:?}");
    }
}
