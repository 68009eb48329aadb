// SPDX-License-Identifier: MIT OR Apache-2.0
//! The geometries in which each block is verified.

use heddle_core::{
    config::{Config, Format},
    engine::{column::SUM_BITS, scale_acc::SUM_X_BITS},
    power::switches::STAGES_MAX,
};
use heddle_tb::blocks::{
    ActBuffer, Block, Column, ColumnPacked, Counters, Csr, Dequant, Isolate, Lanes, LinkBridge, LinkWhole, LutMultiplier, Place,
    PowerDemand, PowerDomain, PowerDvfs, PowerIdle, PowerLoop, PowerQDevice, PowerResidency, PowerSwitches, ResultStore, ScaleAcc,
    Sequencer, ToFloat, UartRx, UartTx, WeightFetch,
};

type Blocks = Vec<Box<dyn Block>>;

/// Lanes and port of the blocks between memory and array: narrower, equal and wider than a beat.
const STREAMS: [(u32, u32); 10] = [(4, 32), (8, 64), (16, 128), (32, 128), (32, 32), (4, 128), (64, 256), (128, 512), (64, 32), (128, 64)];

fn boxed<B: Block + 'static>(blocks: impl IntoIterator<Item = B>) -> Blocks {
    blocks.into_iter().map(|b| Box::new(b) as Box<dyn Block>).collect()
}

pub fn column() -> Blocks {
    let plain = [4, 8, 16, 32].into_iter().flat_map(|lanes| [false, true].map(|gated| Column { lanes, lut_lanes: 0, gated }));
    let mixed = [(4, 4, false), (16, 10, false), (16, 2, true), (32, 32, false)];
    boxed(plain.chain(mixed.map(|(lanes, lut_lanes, gated)| Column { lanes, lut_lanes, gated })))
}

pub fn column_packed() -> Blocks {
    boxed([2, 4, 8, 16, 32].map(|lanes| ColumnPacked { lanes }))
}

pub fn lut_multiplier() -> Blocks {
    boxed([LutMultiplier])
}

pub fn place() -> Blocks {
    boxed([(SUM_BITS, false), (SUM_X_BITS, false), (SUM_BITS, true)].map(|(bits, gated)| Place { bits, gated }))
}

pub fn scale_acc() -> Blocks {
    let plain = [1, 2, 4].into_iter().flat_map(|blocks| [false, true].map(|minima| ScaleAcc { blocks, minima, gated: false }));
    boxed(plain.chain([(1, true), (2, false)].map(|(blocks, minima)| ScaleAcc { blocks, minima, gated: true })))
}

pub fn power_demand() -> Blocks {
    boxed([(1, 1), (4, 1), (4, 2), (3, 2), (8, 3)].map(|(columns, per_domain)| PowerDemand::new(columns, per_domain)))
}

pub fn isolate() -> Blocks {
    boxed([Isolate])
}

pub fn to_float() -> Blocks {
    boxed([ToFloat { serial: false }, ToFloat { serial: true }])
}

pub fn lanes() -> Blocks {
    boxed(Format::ALL.into_iter().flat_map(|format| [4, 32].map(|lanes| Lanes { format, lanes })))
}

pub fn dequant() -> Blocks {
    // And beats of several blocks, of which the last may be fill.
    let wide = [(8, 256), (32, 256), (32, 512), (64, 512)];
    let all = STREAMS.into_iter().chain(wide).map(|(lanes, port)| Dequant::new(lanes, port));
    let alone = Format::ALL.map(|f| Dequant::new(16, 64).with_formats(&[f]));
    let pairs = [[Format::Q8_0, Format::Q4_0], [Format::Q5_0, Format::Q4_1]].map(|f| Dequant::new(32, 128).with_formats(&f));
    boxed(all.chain(alone).chain(pairs))
}

pub fn act_buffer() -> Blocks {
    let all = STREAMS.into_iter().zip([1, 2, 4, 4, 1, 2, 2, 8, 1, 2]).map(|((lanes, port), columns)| ActBuffer::new(lanes, columns, port));
    boxed(all.chain([ActBuffer::new(16, 2, 64).without_minima()]))
}

pub fn weight_fetch() -> Blocks {
    let shapes = [(32, 64, 16), (64, 128, 32), (128, 128, 64), (128, 16, 1), (256, 64, 16), (512, 128, 64)];
    boxed(shapes.map(|(port, fifo, burst)| WeightFetch::new(port, fifo, burst)))
}

pub fn result_store() -> Blocks {
    let all = [(1, 32), (2, 64), (4, 128), (1, 128), (3, 128), (4, 32), (8, 512)].map(|(columns, port)| ResultStore::new(columns, port));
    let compact = [(1, 32), (1, 64), (2, 64)].map(|(columns, port)| ResultStore::new(columns, port).compact());
    boxed(all.into_iter().chain(compact))
}

pub fn sequencer() -> Blocks {
    let plain = [(4, 1, 32), (8, 2, 64), (16, 4, 128), (64, 2, 256), (128, 8, 512)].map(|(l, b, p)| Sequencer::new(l, b, p));
    let dvfs = [(4, 1, 32, 16), (16, 4, 128, 32), (64, 2, 512, 64)].map(|(l, b, p, entries)| Sequencer::new(l, b, p).with_dvfs(entries));
    boxed(plain.into_iter().chain(dvfs))
}

pub fn counters() -> Blocks {
    let all = [(8, 1), (32, 4), (128, 8)].map(|(lanes, columns)| Counters::new(lanes, columns));
    boxed(all.into_iter().chain([Counters { config: Config::nano() }]))
}

pub fn csr() -> Blocks {
    boxed([Csr::new(4, 1, 32), Csr::new(32, 4, 128), Csr::new(4, 1, 32).compact()])
}

/// The controller, also from each encoding that is no state.
pub fn power_domain() -> Blocks {
    boxed([None].into_iter().chain((17..32).map(Some)).map(|illegal| PowerDomain { illegal }))
}

pub fn power_q_device() -> Blocks {
    boxed([PowerQDevice])
}

pub fn power_idle() -> Blocks {
    boxed([PowerIdle])
}

pub fn power_switches() -> Blocks {
    boxed((1..=STAGES_MAX).map(|stages| PowerSwitches { stages }))
}

pub fn power_residency() -> Blocks {
    boxed([PowerResidency])
}

/// The blocks of a domain together.
pub fn power_loop() -> Blocks {
    boxed([1, 4, 8].map(|stages| PowerLoop { stages }))
}

pub fn power_dvfs() -> Blocks {
    let usual = [7, 15, 23, 31, 39, 47, 55, 63];
    let limits = [usual, [0, 0, 10, 10, 30, 31, 63, 63], usual];
    boxed([16, 32, 64].into_iter().zip(limits).map(|(entries, clock_limits)| PowerDvfs { entries, clock_limits }))
}

pub fn link_bridge() -> Blocks {
    let with_frames = [32, 64, 128, 512].map(|port_bits| LinkBridge { port_bits, frames: true });
    let without = [32, 128].map(|port_bits| LinkBridge { port_bits, frames: false });
    boxed(with_frames.into_iter().chain(without))
}

pub fn uart_rx() -> Blocks {
    boxed([4000, 8681, 16_000, 217_014].map(|millicycles| UartRx { millicycles }))
}

pub fn uart_tx() -> Blocks {
    boxed([4000, 8681, 16_000, 217_014].map(|millicycles| UartTx { millicycles }))
}

pub fn link_whole() -> Blocks {
    let with_frames = [(250_000, 32), (115_200, 128), (90_000, 64)].map(|(baud, port_bits)| LinkWhole { baud, port_bits, frames: true });
    let without = [(250_000, 32), (83_333, 64)].map(|(baud, port_bits)| LinkWhole { baud, port_bits, frames: false });
    boxed(with_frames.into_iter().chain(without))
}
