// SPDX-License-Identifier: MIT OR Apache-2.0
//! The SDRAM controller against a device that checks every rule: data, timing, share of the peak.

#[path = "support/sdram.rs"]
mod bench;
#[path = "support/master.rs"]
mod master;

use bench::{Bench, RandomBursts};
use heddle_fpga::sdram::{Geometry, SdramConfig, sdram};
use heddle_tb::{
    blocks::{Block, BlockError, Dut, check_native, check_verilog, seeds},
    random::Random,
    tools::have_verilator,
};
use master::Job;

/// A short start, so that runs are short.
fn quick(config: SdramConfig) -> SdramConfig {
    let mut quick = config;
    quick.timing.power_up_us = 2.0;
    quick
}

/// Widths, clocks, latencies, delays of the way, patience with refreshes, other geometries.
fn configurations() -> Vec<SdramConfig> {
    let base = |mhz, port| quick(SdramConfig::ulx3s(mhz, port));
    let small = Geometry { row_bits: 11, column_bits: 8, bank_bits: 1 };
    let large = Geometry { row_bits: 12, column_bits: 10, bank_bits: 2 };
    vec![
        base(100.0, 32),
        base(143.0, 32),
        base(50.0, 64),
        SdramConfig { cas_latency: 3, read_delay: 1, postponed: 4, ..base(120.0, 64) },
        SdramConfig { read_delay: 3, postponed: 1, ..base(25.0, 128) },
        base(143.0, 128),
        SdramConfig { geometry: small, cas_latency: 3, ..base(80.0, 32) },
        SdramConfig { geometry: large, ..base(90.0, 32) },
        SdramConfig { geometry: small, ..base(100.0, 128) },
    ]
}

#[test]
fn random_bursts_read_what_was_written_and_break_no_rule() {
    let blocks: Vec<RandomBursts> = configurations().into_iter().map(|config| RandomBursts { config, bursts: 400 }).collect();
    let blocks: Vec<&dyn Block> = blocks.iter().map(|b| b as &dyn Block).collect();
    check_native(&blocks, seeds(4)).unwrap_or_else(|e| panic!("{e}"));
}

/// What random bursts end with when the controller was built for another device than the one behind it.
fn mismatched(controller: &SdramConfig, device: &SdramConfig) -> String {
    let run = || -> Result<(), BlockError> {
        let mut bench = Bench::new(Dut::native(&sdram(controller)?)?, device, 20, 3)?;
        bench.add_random(400, &mut Random::new(3));
        bench.run(4_000_000).map(drop)
    };
    run().map_or_else(|e| e.to_string(), |()| "no error".into())
}

#[test]
fn the_device_finds_every_rule_that_is_broken() {
    type Change = fn(&mut SdramConfig);
    let rules: [(&str, Change); 13] = [
        ("tRCD is not over", |c| c.timing.rcd += 10.0),
        ("tRP is not over", |c| c.timing.rp += 10.0),
        ("tRAS is not over", |c| c.timing.ras += 20.0),
        ("tRC is not over", |c| c.timing.rc += 40.0),
        ("tRRD is not over", |c| c.timing.rrd += 10.0),
        ("tWR is not over", |c| c.timing.wr += 10.0),
        ("tRFC is not over", |c| c.timing.rfc += 10.0),
        ("tMRD is not over", |c| c.timing.mrd_cycles += 3),
        ("more refreshes are owed", |c| c.timing.refresh_us *= 0.8),
        ("before the time of power-up is over", |c| c.timing.power_up_us += 1.0),
        ("the mode 0x21 is not that of the controller", |c| c.cas_latency = 3),
        ("a bank that is not there", |c| c.geometry.bank_bits = 1),
        ("burst 0x", |c| c.read_delay = 1),
    ];
    let controller = quick(SdramConfig::ulx3s(100.0, 32));
    assert_eq!(mismatched(&controller, &controller), "no error");
    for (rule, change) in rules {
        let mut device = controller;
        change(&mut device);
        let found = mismatched(&controller, &device);
        assert!(found.contains(rule), "{rule}: {found}");
    }
}

#[test]
fn the_verilog_does_the_same() {
    if !have_verilator("the_verilog_does_the_same") {
        return;
    }
    let blocks = [quick(SdramConfig::ulx3s(100.0, 32)), SdramConfig { read_delay: 1, ..quick(SdramConfig::ulx3s(143.0, 128)) }];
    let blocks = blocks.map(|config| RandomBursts { config, bursts: 200 });
    let blocks: Vec<&dyn Block> = blocks.iter().map(|b| b as &dyn Block).collect();
    check_verilog(&blocks, seeds(2)).unwrap_or_else(|e| panic!("{e}"));
}

/// Cycles from the offer of a single read to its beat: row closed, open, and another one open in the bank.
fn latencies(config: &SdramConfig) -> Result<[u64; 3], BlockError> {
    let mut bench = Bench::new(Dut::native(&sdram(config)?)?, config, 0, 1)?;
    bench.start()?;
    let other_row = config.bytes() >> 1;
    let mut read = |addr| {
        (0..12).try_for_each(|_| bench.cycle())?;
        bench.master.jobs.push_back(Job { write: false, addr, beats: 1, refused: false });
        bench.run(1000)
    };
    Ok([read(0)?, read(0)?, read(other_row)?])
}

#[test]
fn a_read_takes_a_fixed_time() {
    for (mhz, port, want) in [(100.0, 32, [17, 14, 21]), (143.0, 128, [25, 21, 30])] {
        let got = latencies(&quick(SdramConfig::ulx3s(mhz, port))).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(got, want, "{mhz} MHz, port of {port} bits: cycles with the row closed, open, another one open");
    }
}

#[derive(Clone, Copy)]
enum Traffic {
    Reads,
    Writes,
    /// Reads, and a single beat written elsewhere after every four of them, as the accelerator does.
    Results,
}

/// Words per cycle while a memory of `bytes` is read or written in order.
fn sequential(config: &SdramConfig, traffic: Traffic, burst_bytes: usize, bytes: usize) -> Result<f64, BlockError> {
    let dut = Dut::native(&sdram(config)?)?;
    let mut bench = Bench::new(dut, config, 0, 1)?;
    bench.start()?;
    let beats = burst_bytes / (config.port_bits as usize / 8);
    let write = matches!(traffic, Traffic::Writes);
    for i in 0..bytes / burst_bytes {
        bench.master.jobs.push_back(Job { write, addr: (i * burst_bytes) as u64, beats, refused: false });
        if matches!(traffic, Traffic::Results) && i % 4 == 3 {
            bench.master.jobs.push_back(Job { write: true, addr: config.bytes() / 2 + 4 * i as u64, beats: 1, refused: false });
        }
    }
    let cycles = bench.run(4_000_000)?;
    Ok((bytes / 2) as f64 / cycles as f64)
}

#[test]
fn sequential_streams_use_most_of_the_peak() {
    let page = include_str!("../../docs/blocks/sdram.md");
    for (mhz, port, burst) in [(50.0, 32, 256), (100.0, 32, 256), (143.0, 32, 256), (100.0, 32, 64), (100.0, 64, 512), (143.0, 128, 1024)] {
        let config = quick(SdramConfig::ulx3s(mhz, port));
        let share = |traffic| sequential(&config, traffic, burst, 128 << 10).unwrap_or_else(|e| panic!("{e}"));
        let shares = [Traffic::Reads, Traffic::Writes, Traffic::Results].map(share);
        let [read, write, results] = shares.map(|share| 100.0 * share);
        let row = format!("| {port} | {mhz} | {} | {burst} | {read:.1} % | {write:.1} % | {results:.1} % |\n", config.cas_latency);
        assert!(page.contains(&row), "docs/blocks/sdram.md must have the row\n{row}");
        assert!(read >= 95.0 && write >= 95.0 && results >= 90.0);
    }
}
