// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tokens of the embedded model on hardware whose domains lose their contents whenever they are off: the same as
//! without gating. `testbench/tests/power_corrupt.rs` does the same for matrix products.

mod decoder_support;

use decoder_support::{decoder, greedy, nano};
use heddle::compile::compile;
use heddle::decoder::Decoder;
use heddle::driver::{Driver, sim::Sim};
use heddle_core::{config::Config, power::intent::Intent, registers::map, top};
use heddle_lang::corrupt::SEED;
use heddle_tb::{
    axi::{MemoryConfig, Refresh},
    rtl,
    simulator::Simulator,
    soc::SwitchTiming,
    tools::have_verilator,
    verilator::BuildOptions,
};

const TOKENS: usize = 32;
/// Several times as long as the array has columns, so that every domain works.
const PROMPT: [u32; 13] = [1, 503, 370, 499, 475, 370, 503, 475, 499, 370, 475, 503, 499];

/// As in the tests of matrix products, so that the build is shared.
fn config() -> Config {
    let settings = ["array.lanes=16", "array.columns=2", "memory.port_bits=64", "power.columns_per_domain=1", "power.dvfs_entries=0"];
    Config::gated().with_settings(&settings).unwrap()
}

#[test]
fn tokens_are_the_same_under_random_gating_and_corruption() {
    if !have_verilator("tokens_are_the_same_under_random_gating_and_corruption") {
        return;
    }
    let (config, gguf) = (config(), nano("nano-q4_0"));
    let top = top::top(&config).unwrap();
    let corrupted = Intent::of(&config, &top).unwrap().corrupted(&top).unwrap();
    let library = rtl::verilated(&corrupted, &BuildOptions::default(), &mut |_| {}).unwrap();
    let want = greedy(&mut decoder(&gguf, &config), &PROMPT, TOKENS);
    let mut ups = vec![0; config.domains() as usize];
    for (idle, within, delay) in [(0, 1, 0..=3), (3, 0, 0..=20)] {
        let mut memory = MemoryConfig::new(4 << 20, config.port_bytes() as usize);
        // Pauses long enough for a domain to sleep within a row.
        memory.refresh = (within == 1).then_some(Refresh { every: 400, length: 70 });
        let mut instance = library.instance().unwrap();
        let seed = Simulator::port(&instance, &format!("{SEED}_i")).unwrap();
        Simulator::set(&mut instance, seed, 0x5eed_0000 + u64::from(idle));
        let mut sim = Sim::of(instance, memory).unwrap();
        sim.soc().switches().unwrap().set_timing(SwitchTiming { delay, seed: 4 });
        let mut driver = Driver::connect(Box::new(sim), &config).unwrap();
        for (register, value) in [(&map::POWER_IDLE, idle), (&map::POWER_MODE, within), (&map::POWER_ENABLE, 0xff)] {
            driver.transport().write_reg(register.offset, value).unwrap();
        }
        let mut decoder = Decoder::new(&compile(&gguf, &config).unwrap(), driver).unwrap();
        assert_eq!(greedy(&mut decoder, &PROMPT, TOKENS), want, "idle threshold {idle}, within a matrix {within}");
        for (domain, ups) in ups.iter_mut().enumerate() {
            let transport = decoder.driver().transport();
            transport.write_reg(map::POWER_SELECT.offset, domain as u32).unwrap();
            *ups += transport.read_reg(map::POWER_UPS.offset).unwrap();
        }
    }
    println!("{TOKENS} tokens twice; domains were switched on {ups:?} times");
    assert!(ups.iter().all(|&n| n >= 1000), "{ups:?}");
}
