// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random gating with corruption: what has no power holds noise, and no result changes. Without one isolation cell,
//! or without the save or the restore pulse, the same runs fail.
//!
//! `tests/power_tokens.rs` does the same for the tokens of a model, on the same hardware.

use heddle_core::{config::Config, power::intent::Intent, registers::map, top};
use heddle_lang::{
    Expr, Module, Ty,
    corrupt::SEED,
    module::{Item, NetKind},
    verilog::net_name,
};
use heddle_tb::{
    axi::{Backpressure, MemoryConfig, Rate, Refresh},
    matmul::{self, Product},
    random::Random,
    rtl::{self, Native},
    simulator::Simulator,
    soc::{Soc, SwitchTiming},
    tools::have_verilator,
    verilator::BuildOptions,
};
use std::sync::Arc;

const LIMIT: u64 = 4_000_000;
/// Times that each domain is switched on again at least.
const POWER_CYCLES: u64 = 1000;

/// Two domains of a column; a block takes two cycles, so that its sum is retained as well.
fn config() -> Config {
    geometry(16, 2, 1, 64)
}

fn geometry(lanes: u32, columns: u32, per_domain: u32, port: u32) -> Config {
    let settings = [
        format!("array.lanes={lanes}"),
        format!("array.columns={columns}"),
        format!("memory.port_bits={port}"),
        format!("power.columns_per_domain={per_domain}"),
        "power.dvfs_entries=0".into(),
    ];
    Config::gated().with_settings(&settings).expect("a legal configuration")
}

/// Random products; `fine`: none leaves the grid, so that the flag of saturation may show what should not be there.
fn program(rng: &mut Random, config: &Config, length: usize, fine: bool) -> Vec<Product> {
    let mut products: Vec<Product> = Vec::new();
    for _ in 0..length {
        let mut p = matmul::random_product(rng, config, products.last());
        let scales = if p.format.has_minimum() { 2 } else { 1 };
        for block in p.weights.chunks_mut(p.format.block_bytes()).filter(|_| fine) {
            // The exponent below that of 1.
            block[..2 * scales].iter_mut().skip(1).step_by(2).for_each(|high| *high &= 0xbb);
        }
        products.push(p);
    }
    products
}

/// Stalls at random, beats that come slowly, or long pauses: with the last two a column waits often within a row.
fn memory(rng: &mut Random, ideal: MemoryConfig, seed: u64) -> MemoryConfig {
    let random = |rng: &mut Random, n: u64| (rng.bits() % n) as u32;
    match seed % 4 {
        0 => MemoryConfig { backpressure: Some(Backpressure { seed, chance: rng.bits() as u8 / 2 }), ..ideal },
        3 => MemoryConfig { refresh: Some(Refresh { every: 100 + random(rng, 60), length: 30 + random(rng, 60) }), ..ideal },
        _ => MemoryConfig { rate: Rate { beats: 1, cycles: 15 + random(rng, 60) }, ..ideal },
    }
}

/// Runs a random program; gives how often each domain came up, or how memory, cause or flags differ from the golden
/// device's, which knows no gating.
fn run<S: Simulator>(config: &Config, mut sim: S, seed: u64, within: u32) -> Result<Vec<u64>, String> {
    let mut rng = Random::new(seed);
    let fine = !seed.is_multiple_of(3);
    let products = program(&mut rng, config, 6, fine);
    let image = matmul::image(config, &products);
    let expected = matmul::golden(config, &image);
    let memory = memory(&mut rng, matmul::memory_config(config, &image), seed);
    let noise = sim.port(&format!("{SEED}_i")).map_err(|e| e.to_string())?;
    sim.set(noise, rng.bits());
    let mut soc = Soc::new(sim, memory).map_err(|e| e.to_string())?;
    let delay = 0..=[0, 3, 12][rng.bits() as usize % 3];
    soc.switches().expect("power domains").set_timing(SwitchTiming { delay, seed });
    let idle = [0, 0, 0, 5, 40][rng.bits() as usize % 5];
    let set = [(&map::POWER_IDLE, idle), (&map::POWER_MODE, within), (&map::POWER_ENABLE, 0xff)];
    for (register, value) in set {
        soc.write_reg(register.offset, value).map_err(|e| e.to_string())?;
    }
    let (outcome, _) = matmul::run(&mut soc, &image, LIMIT).map_err(|e| e.to_string())?;
    let found = (outcome.cause, outcome.error_addr, outcome.saturated);
    if found != (expected.cause, expected.error_addr, expected.saturated) {
        return Err(format!("cause, address and saturation are {found:?}"));
    }
    if let Some(at) = (0..outcome.memory.len()).find(|&i| outcome.memory[i] != expected.memory[i]) {
        return Err(format!("byte {at:#x} of the memory is {:#04x}, not {:#04x}", outcome.memory[at], expected.memory[at]));
    }
    let mut ups = Vec::new();
    for domain in 0..config.domains() {
        soc.write_reg(map::POWER_SELECT.offset, domain).map_err(|e| e.to_string())?;
        ups.push(soc.read_reg(map::POWER_UPS.offset).map_err(|e| e.to_string())?.into());
    }
    Ok(ups)
}

#[test]
fn noise_in_domains_without_power_changes_no_result() {
    if !have_verilator("noise_in_domains_without_power_changes_no_result") {
        return;
    }
    let config = config();
    let top = top::top(&config).expect("the top");
    let corrupted = Intent::of(&config, &top).expect("an intent").corrupted(&top).expect("the corrupted design");
    let library = rtl::verilated(&corrupted, &BuildOptions::quick(), &mut |_| {}).expect("verilated");
    let mut ups = vec![0; config.domains() as usize];
    let mut seeds = 0;
    while seeds < 16 || ups.iter().any(|&n| n < POWER_CYCLES) {
        seeds += 1;
        assert!(seeds <= 200, "too few power cycles: {ups:?}");
        let instance = library.instance().expect("an instance");
        let more = run(&config, instance, seeds, u32::from(!seeds.is_multiple_of(4))).unwrap_or_else(|e| panic!("seed {seeds}: {e}"));
        ups.iter_mut().zip(more).for_each(|(n, more)| *n += more);
    }
    println!("{seeds} programs; domains were switched on {ups:?} times");
}

#[test]
fn other_geometries_in_native_simulation() {
    // A block in eight cycles, in one, and two in a cycle; domains of several columns, the last one smaller.
    for (lanes, columns, per_domain, port) in [(4, 1, 1, 32), (16, 4, 2, 64), (32, 3, 2, 128), (64, 2, 1, 256)] {
        let config = geometry(lanes, columns, per_domain, port);
        let top = top::top(&config).expect("the top");
        let corrupted = Intent::of(&config, &top).expect("an intent").corrupted(&top).expect("the corrupted design");
        for (seed, within) in [(1, 1), (5, 0), (7, 1)] {
            let sim = Native::new(&corrupted).expect("native");
            let ups = run(&config, sim, seed, within).unwrap_or_else(|e| panic!("{lanes} lanes, seed {seed}, within {within}: {e}"));
            assert!(ups.iter().all(|&n| n > 0), "{lanes} lanes, seed {seed}: {ups:?}");
        }
    }
}

/// The module with the items that drive a net, or an input of an instance, changed.
fn changed(top: &Arc<Module>, module: &str, change: &dyn Fn(&mut Module)) -> Arc<Module> {
    let mut copy = Module::clone(top);
    if copy.name == module {
        change(&mut copy);
        return Arc::new(copy);
    }
    for item in &mut copy.items {
        if let Item::Instance(i) = item {
            i.module = changed(&i.module, module, change);
        }
    }
    Arc::new(copy)
}

/// An output of a module that never rises.
fn silenced(top: &Arc<Module>, module: &str, output: &str) -> Arc<Module> {
    changed(top, module, &|m| {
        let net = m.ids().find(|id| net_name(m.net(*id)) == output && m.net(*id).kind == NetKind::Output).expect("the output");
        for item in &mut m.items {
            if let Item::Assign(id, value) = item
                && *id == net
            {
                *value = Expr::from_bits(value.ty(), heddle_lang::Bits::zero(value.width()));
            }
        }
    })
}

/// One isolation cell that lets everything through.
fn uncovered(top: &Arc<Module>, cell: &str) -> Arc<Module> {
    changed(top, "array", &|m| {
        for item in &mut m.items {
            if let Item::Instance(i) = item
                && i.name == cell
            {
                let control = i.inputs.iter_mut().find(|(port, _)| port == "isolate").expect("a control");
                control.1 = Expr::constant(Ty::BIT, 0);
            }
        }
    })
}

#[test]
fn a_missing_isolation_cell_save_or_restore_fails() {
    let config = config();
    let top = top::top(&config).expect("the top");
    let intent = Intent::of(&config, &top).expect("an intent");
    let broken = [
        ("isolation of column 0", uncovered(&top, "isolate_0")),
        ("isolation of column 1", uncovered(&top, "isolate_1")),
        ("save", silenced(&top, "power", "save_o")),
        ("restore", silenced(&top, "power", "restore_o")),
    ];
    for (what, broken) in broken {
        let corrupted = intent.corrupted(&broken).expect("the corrupted design");
        let found = (1..=9).find_map(|seed| run(&config, Native::new(&corrupted).expect("native"), seed, 1).err());
        let found = found.unwrap_or_else(|| panic!("nothing notices that the {what} is missing"));
        println!("without {what}: {found}");
    }
    // The missing cells do not even pass the check of the intent.
    for cell in ["isolate_0", "isolate_1"] {
        let error = Intent::of(&config, &uncovered(&top, cell)).unwrap_err().to_string();
        assert!(error.contains(&format!("`array/{cell}` is not controlled by")), "{error}");
    }
}
