// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every block in several geometries on the native simulation, equal to its golden model.

mod suite;

use heddle_tb::blocks::{Block, check_native, seeds};

fn check(blocks: Vec<Box<dyn Block>>, runs: u64) {
    let blocks: Vec<&dyn Block> = blocks.iter().map(AsRef::as_ref).collect();
    check_native(&blocks, seeds(runs)).unwrap_or_else(|failure| panic!("{failure}"));
}

macro_rules! native {
    ($($block:ident: $runs:literal),* $(,)?) => {$(
        #[test]
        fn $block() {
            check(suite::$block(), $runs);
        }
    )*};
}

native! {
    column: 3,
    column_packed: 3,
    lut_multiplier: 1,
    place: 2,
    scale_acc: 3,
    to_float: 2,
    lanes: 2,
    dequant: 6,
    act_buffer: 3,
    weight_fetch: 6,
    result_store: 6,
    sequencer: 4,
    counters: 2,
    csr: 3,
    isolate: 1,
    power_demand: 4,
    power_domain: 2,
    power_q_device: 3,
    power_idle: 2,
    power_switches: 2,
    power_residency: 3,
    power_loop: 3,
    power_dvfs: 6,
    link_bridge: 6,
    uart_rx: 4,
    uart_tx: 3,
    link_whole: 2,
}
