// SPDX-License-Identifier: MIT OR Apache-2.0
//! Register port, memory model and interrupt around a small DMA engine written by hand.

use heddle_tb::axi::{Backpressure, LiteSkew, MemoryConfig, Rate, Refresh};
use heddle_tb::random::Random;
use heddle_tb::soc::{Soc, SocError};
use heddle_tb::tools::have_verilator;
use heddle_tb::verilator::{BuildOptions, Design, Model};

const SOURCE: u32 = 0x00;
const TARGET: u32 = 0x04;
const BEATS: u32 = 0x08;
const START: u32 = 0x0c;
const LEFT: u32 = 0x10;
const BUG: u32 = 0x14;

fn dma(beat_bytes: usize, change: impl FnOnce(&mut MemoryConfig)) -> Soc<Model> {
    let text = include_str!("rtl/dma.v").replace("BITS = 64", &format!("BITS = {}", 8 * beat_bytes));
    let library = Design::new("dma")
        .clock("clk_i")
        .file("dma.v", text)
        .build(&BuildOptions::default(), &mut |_| {})
        .unwrap_or_else(|e| panic!("{e}"));
    let mut config = MemoryConfig::new(64 << 10, beat_bytes);
    config.base = 0x8000_0000;
    change(&mut config);
    let mut soc = Soc::new(library.instance().unwrap(), config).unwrap();
    let mut random = Random::new(7);
    soc.memory_mut().bytes_mut().fill_with(|| random.bits() as u8);
    soc
}

/// Copies `beats` from offset 0xfc0 to offset 0x8f80, both near the end of a page; returns the cycles.
fn copy(soc: &mut Soc<Model>, beats: u32) -> Result<u64, SocError> {
    soc.write_reg(SOURCE, 0x8000_0fc0)?;
    soc.write_reg(TARGET, 0x8000_8f80)?;
    soc.write_reg(BEATS, beats)?;
    soc.write_reg(START, 1)?;
    let cycles = soc.run_until_irq(100_000)?;
    assert_eq!(soc.read_reg(LEFT)?, 0);
    Ok(cycles)
}

fn check(soc: &Soc<Model>, beats: u32) {
    let len = beats as usize * soc.memory().config().beat_bytes;
    let expected: Vec<u8> = soc.memory().range(0x8000_0fc0, len).unwrap().iter().map(|b| !b).collect();
    assert!(soc.memory().range(0x8000_8f80, len).unwrap() == expected);
}

#[test]
fn copies_for_every_width_and_every_timing() {
    if !have_verilator("copies_for_every_width_and_every_timing") {
        return;
    }
    for beat_bytes in [4, 8, 16, 32, 64] {
        let mut ideal = dma(beat_bytes, |_| {});
        let fast = copy(&mut ideal, 100).unwrap();
        check(&ideal, 100);
        for seed in 0..4 {
            let mut soc = dma(beat_bytes, |c| {
                c.read_latency = 40;
                c.rate = Rate { beats: 2, cycles: 3 };
                c.half_duplex = seed % 2 == 0;
                c.refresh = Some(Refresh { every: 100, length: 9 });
                c.backpressure = Some(Backpressure { seed, chance: 80 });
            });
            soc.set_skew([LiteSkew::Together, LiteSkew::AddressFirst, LiteSkew::DataFirst][seed as usize % 3]);
            let slow = copy(&mut soc, 100).unwrap();
            check(&soc, 100);
            assert!(slow > fast + 7 * 40, "{slow} cycles against {fast}");
            let statistics = soc.memory().statistics();
            assert_eq!((statistics.read_beats, statistics.write_beats), (100, 100));
            assert!(soc.memory().idle());
        }
    }
}

#[test]
fn a_broken_master_is_caught_with_cycle_and_cause() {
    if !have_verilator("a_broken_master_is_caught_with_cycle_and_cause") {
        return;
    }
    for (bug, cause) in [
        (1, "no WLAST on the last beat of the burst"),
        (2, "on AR: payload changed before READY"),
        (3, "16 beats from 0x80000fc0 cross a 4 KiB boundary"),
    ] {
        let mut soc = dma(8, |c| c.backpressure = Some(Backpressure { seed: 1, chance: 128 }));
        soc.write_reg(BUG, bug).unwrap();
        let error = copy(&mut soc, 100).unwrap_err();
        assert!(matches!(error, SocError::Memory(_)), "{error}");
        assert!(error.to_string().contains(cause), "{error}");
    }
}

#[test]
fn error_responses_reach_the_master() {
    if !have_verilator("error_responses_reach_the_master") {
        return;
    }
    for (errors, failed) in [(0..0, 0), (0x8000_1000..0x8000_1008, 1), (0x8000_9000..0x8000_9001, 1)] {
        let mut soc = dma(8, |c| c.errors = errors);
        copy(&mut soc, 32).unwrap();
        assert_eq!(soc.read_reg(BUG), Ok(failed));
    }
}

#[test]
fn registers_answer_errors_and_time_out() {
    if !have_verilator("registers_answer_errors_and_time_out") {
        return;
    }
    let mut soc = dma(4, |_| {});
    assert_eq!(soc.read_reg(0x40), Err(SocError::Response { addr: 0x40, resp: 2 }));
    assert_eq!(soc.write_reg(0x40, 1), Err(SocError::Response { addr: 0x40, resp: 2 }));
    assert_eq!(soc.read_reg(3), Err(SocError::Address { addr: 3 }));
    assert_eq!(soc.write_reg(SOURCE, 0x1234), Ok(()));
    assert_eq!(soc.read_reg(SOURCE), Ok(0x1234));
    let error = soc.run_until_irq(50).unwrap_err().to_string();
    assert!(error.starts_with("no interrupt within 50 cycles"), "{error}");

    // Held in reset, it never answers.
    let rst = soc.simulator().port("rst_i").unwrap();
    soc.simulator().set(rst, 1);
    let mut waiting = 0;
    let error = loop {
        match soc.write_reg(SOURCE, 0) {
            Ok(()) => waiting += 1,
            Err(error) => break error.to_string(),
        }
        assert!(waiting < 3);
    };
    assert!(error.starts_with("no answer from register 0x0 within 1000 cycles"), "{error}");
}

#[test]
fn out_of_range_is_an_error_not_a_wrap() {
    if !have_verilator("out_of_range_is_an_error_not_a_wrap") {
        return;
    }
    let mut soc = dma(8, |_| {});
    soc.write_reg(SOURCE, 0x9000_0000).unwrap();
    soc.write_reg(TARGET, 0x8000_0000).unwrap();
    soc.write_reg(BEATS, 1).unwrap();
    soc.write_reg(START, 1).unwrap();
    let error = soc.run_until_irq(100).unwrap_err().to_string();
    assert!(error.contains("0x90000000 to 0x90000007 is outside the memory"), "{error}");
}
