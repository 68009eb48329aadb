// SPDX-License-Identifier: MIT OR Apache-2.0
//! The whole accelerator against the golden device: several geometries, formats, random programs, random stalls.

use heddle_core::{config::Config, top};
use heddle_tb::{
    axi::{Backpressure, LiteSkew, MemoryConfig, Rate, Refresh},
    matmul::{self, Product},
    random::Random,
    rtl,
    simulator::Simulator,
    soc::Soc,
    tools::have_verilator,
    verilator::BuildOptions,
};

const LIMIT: u64 = 2_000_000;

fn geometry(lanes: u32, columns: u32, port: u32) -> Config {
    let settings = [
        format!("array.lanes={lanes}"),
        format!("array.columns={columns}"),
        format!("memory.port_bits={port}"),
        "activations.blocks=32".into(),
    ];
    Config::base().with_settings(&settings).expect("a legal geometry")
}

fn program(rng: &mut Random, config: &Config, length: usize) -> Vec<Product> {
    let mut products: Vec<Product> = Vec::new();
    for _ in 0..length {
        let p = matmul::random_product(rng, config, products.last());
        products.push(p);
    }
    products
}

/// An ideal memory, one that stalls at random, and a slow one with refresh on one data bus.
fn memories(ideal: &MemoryConfig, seed: u64) -> [(MemoryConfig, LiteSkew); 3] {
    let stalls = MemoryConfig { backpressure: Some(Backpressure { seed, chance: 100 }), ..ideal.clone() };
    let slow = MemoryConfig {
        read_latency: 90,
        write_latency: 25,
        outstanding: 2,
        rate: Rate { beats: 2, cycles: 3 },
        half_duplex: true,
        refresh: Some(Refresh { every: 300, length: 40 }),
        ..ideal.clone()
    };
    [(ideal.clone(), LiteSkew::Together), (stalls, LiteSkew::AddressFirst), (slow, LiteSkew::DataFirst)]
}

/// One program on one simulation, with each memory.
fn check<S: Simulator>(config: &Config, sim: impl Fn() -> S, seed: u64, length: usize) {
    let mut rng = Random::new(seed);
    let products = program(&mut rng, config, length);
    let image = matmul::image(config, &products);
    let expected = matmul::golden(config, &image);
    for (memory, skew) in memories(&matmul::memory_config(config, &image), seed) {
        let what = format!(
            "lanes {} columns {} port {} seed {seed} {memory:?} {skew:?}",
            config.array.lanes, config.array.columns, config.memory.port_bits
        );
        let mut soc = Soc::new(sim(), memory).expect("a system");
        soc.set_skew(skew);
        let (outcome, counters) = matmul::run(&mut soc, &image, LIMIT).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(
            (outcome.cause, outcome.error_addr, outcome.saturated),
            (expected.cause, expected.error_addr, expected.saturated),
            "{what}"
        );
        if let Some(at) = (0..outcome.memory.len()).find(|&i| outcome.memory[i] != expected.memory[i]) {
            panic!("{what}: byte {at:#x} of the memory is {:#04x}, not {:#04x}", outcome.memory[at], expected.memory[at]);
        }
        let results: u64 = products.iter().map(|p| (p.rows * p.columns.len()) as u64).sum();
        assert_eq!(counters.rows, results, "{what}");
    }
}

/// Lanes, columns, bits of the port.
const GEOMETRIES: [(u32, u32, u32); 6] = [(4, 1, 32), (8, 2, 64), (16, 4, 128), (32, 4, 128), (32, 1, 32), (4, 2, 128)];
/// Beats of several blocks: what follows a matrix's last block in its last beat belongs to nobody.
const WIDE_PORTS: [(u32, u32, u32); 3] = [(8, 1, 256), (32, 2, 256), (32, 1, 512)];

#[test]
fn native_equals_golden() {
    for (lanes, columns, port) in GEOMETRIES.into_iter().chain(WIDE_PORTS) {
        let config = geometry(lanes, columns, port);
        let top = top::top(&config).expect("the top");
        check(&config, || rtl::Native::new(&top).expect("native"), 1, 3);
    }
}

#[test]
fn verilog_equals_golden() {
    if !have_verilator("verilog_equals_golden") {
        return;
    }
    for (lanes, columns, port) in GEOMETRIES.into_iter().chain(WIDE_PORTS).chain([(64, 2, 256), (128, 8, 512)]) {
        let config = geometry(lanes, columns, port);
        let top = top::top(&config).expect("the top");
        let library = rtl::verilated(&top, &BuildOptions::quick(), &mut |_| {}).expect("verilated");
        for seed in 1..=4 {
            check(&config, || library.instance().expect("instance"), seed, 6);
        }
    }
}
