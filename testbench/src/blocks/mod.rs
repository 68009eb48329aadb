// SPDX-License-Identifier: MIT OR Apache-2.0
//! One bench per block of the accelerator: random stimulus with random stalls, against the block's golden model.
//!
//! A [`Block`] is a geometry of a block with its bench. [`check_native`] runs benches on the native simulation,
//! [`check_verilog`] on the emitted Verilog in Verilator; both give the same stimulus for the same seed. A failure
//! names its seed, and `HEDDLE_SEED=<n>` runs that seed alone.

mod act_buffer;
mod bits;
mod column;
mod column_packed;
mod counters;
mod csr;
mod dequant;
mod dut;
mod isolate;
mod lanes;
mod link_bridge;
mod link_device;
mod link_ports;
mod link_script;
mod link_uart;
mod link_whole;
mod lut_multiplier;
mod parts;
mod pipeline;
mod place;
mod power_demand;
mod power_domain;
mod power_dvfs;
mod power_env;
mod power_idle;
mod power_loop;
mod power_q_device;
mod power_residency;
mod power_switches;
mod products;
mod program;
mod result_store;
mod scale_acc;
mod sequencer;
mod to_float;
mod units;
mod weight_fetch;

pub use act_buffer::ActBuffer;
pub use column::Column;
pub use column_packed::ColumnPacked;
pub use counters::Counters;
pub use csr::Csr;
pub use dequant::{Dequant, Matrix};
pub use dut::{Dut, Pin};
pub use isolate::Isolate;
pub use lanes::Lanes;
pub use link_bridge::LinkBridge;
pub use link_device::LinkDevice;
pub use link_uart::{UartRx, UartTx};
pub use link_whole::LinkWhole;
pub use lut_multiplier::LutMultiplier;
pub use parts::parts;
pub use place::Place;
pub use power_demand::PowerDemand;
pub use power_domain::PowerDomain;
pub use power_dvfs::PowerDvfs;
pub use power_idle::PowerIdle;
pub use power_loop::{PowerLoop, one_domain};
pub use power_q_device::PowerQDevice;
pub use power_residency::PowerResidency;
pub use power_switches::PowerSwitches;
pub use products::Products;
pub use program::{Program, compare};
pub use result_store::ResultStore;
pub use scale_acc::ScaleAcc;
pub use sequencer::Sequencer;
pub use to_float::ToFloat;
pub use weight_fetch::WeightFetch;

use crate::{
    axi::{ConfigError, Violation},
    random::Random,
    rtl::{self, RtlError},
    soc::SocError,
    stream::StreamError,
    verilator::{BuildError, BuildOptions, Design, SimError},
};
use heddle_core::config::Config;
use heddle_lang::{BuildError as HdlError, Module, verilog};
use std::{any::Any, ops::RangeInclusive, sync::Arc};

/// A block in one geometry, and the bench that compares it with its golden model.
pub trait Block {
    /// Block and geometry, for messages.
    fn name(&self) -> String;

    fn module(&self) -> Result<Arc<Module>, HdlError>;

    /// One run on a fresh instance. Ends with an error at the first difference, and never hangs.
    fn run(&self, dut: Dut, rng: &mut Random) -> Result<(), BlockError>;
}

/// Why a bench failed.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    #[error(transparent)]
    Sim(#[from] SimError),
    #[error(transparent)]
    Rtl(#[from] RtlError),
    #[error(transparent)]
    Hdl(#[from] HdlError),
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error(transparent)]
    Bus(#[from] Violation),
    #[error(transparent)]
    Memory(#[from] ConfigError),
    #[error(transparent)]
    Soc(#[from] SocError),
    #[error("{0}")]
    Wrong(String),
    #[error("not finished after {limit} cycles: {state}")]
    Limit { limit: u64, state: String },
    #[error("the bench gave up on what the block did: {0}")]
    Panic(String),
}

impl BlockError {
    pub(crate) fn wrong(what: impl Into<String>) -> BlockError {
        BlockError::Wrong(what.into())
    }
}

/// A failed run and how to repeat it.
#[derive(Debug, thiserror::Error)]
#[error("{block} in {engine}: {source} (again with HEDDLE_SEED={seed})")]
pub struct Failure {
    pub block: String,
    pub engine: &'static str,
    pub seed: u64,
    pub source: BlockError,
}

/// Seeds of a test: 1 up to `count`, or the one in `HEDDLE_SEED`.
pub fn seeds(count: u64) -> RangeInclusive<u64> {
    match std::env::var("HEDDLE_SEED").ok().and_then(|s| s.parse().ok()) {
        Some(seed) => seed..=seed,
        None => 1..=count,
    }
}

/// Runs the benches on the native simulation.
pub fn check_native(blocks: &[&dyn Block], seeds: RangeInclusive<u64>) -> Result<(), Box<Failure>> {
    for block in blocks {
        let fail = |seed, source| Box::new(Failure { block: block.name(), engine: "native simulation", seed, source });
        let module = block.module().map_err(|e| fail(*seeds.start(), e.into()))?;
        for seed in seeds.clone() {
            run_native(*block, &module, seed).map_err(|e| fail(seed, e))?;
        }
    }
    Ok(())
}

/// One run of a bench on a module: the block's own, or a changed one.
pub fn run_native(block: &dyn Block, module: &Arc<Module>, seed: u64) -> Result<(), BlockError> {
    let dut = Dut::native(module)?;
    guarded(block, dut, seed)
}

/// Runs the benches on the emitted Verilog; all of them are one Verilator library.
pub fn check_verilog(blocks: &[&dyn Block], seeds: RangeInclusive<u64>) -> Result<(), Box<Failure>> {
    check_designs(blocks, "Verilator", seeds, &mut |block| Ok(rtl::design(&block.module()?, &verilog::Options::default())?))
}

/// Runs the benches on designs that stand for the blocks' modules and have their ports, such as their netlists; all of
/// them are one Verilator library.
pub fn check_designs(
    blocks: &[&dyn Block],
    engine: &'static str,
    seeds: RangeInclusive<u64>,
    design: &mut dyn FnMut(&dyn Block) -> Result<Design, BlockError>,
) -> Result<(), Box<Failure>> {
    let fail = |block: &dyn Block, seed, source| Box::new(Failure { block: block.name(), engine, seed, source });
    let mut designs: Vec<Design> = Vec::new();
    for block in blocks {
        designs.push(design(*block).map_err(|e| fail(*block, *seeds.start(), e))?);
    }
    let options = BuildOptions::quick();
    let built = Design::build_batch(&designs, &options, &mut |_| {});
    let libraries = built.map_err(|e: BuildError| fail(blocks[0], *seeds.start(), RtlError::from(e).into()))?;
    for (block, library) in blocks.iter().zip(&libraries) {
        for seed in seeds.clone() {
            let run = Dut::verilog(library).map_err(BlockError::from).and_then(|dut| guarded(*block, dut, seed));
            run.map_err(|e| fail(*block, seed, e))?;
        }
    }
    Ok(())
}

/// Runs the bench on whatever `dut` makes for each run.
pub fn check_duts(
    block: &dyn Block,
    engine: &'static str,
    seeds: RangeInclusive<u64>,
    dut: &mut dyn FnMut() -> Result<Dut, BlockError>,
) -> Result<(), Box<Failure>> {
    let fail = |seed, source| Box::new(Failure { block: block.name(), engine, seed, source });
    seeds.into_iter().try_for_each(|seed| dut().and_then(|dut| guarded(block, dut, seed)).map_err(|e| fail(seed, e)))
}

/// A run in which a panic is an error: the bus models and benches may trip over what a broken block does.
fn guarded(block: &dyn Block, dut: Dut, seed: u64) -> Result<(), BlockError> {
    let mut rng = Random::new(seed);
    let run = std::panic::AssertUnwindSafe(|| block.run(dut, &mut rng));
    std::panic::catch_unwind(run).unwrap_or_else(|cause| Err(BlockError::Panic(message(&*cause))))
}

fn message(cause: &(dyn Any + Send)) -> String {
    let text = cause.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| cause.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".into())
}

/// The `base` preset in another geometry, with short vectors.
pub fn geometry(lanes: u32, columns: u32, port_bits: u32) -> Config {
    let settings = [
        format!("array.lanes={lanes}"),
        format!("array.columns={columns}"),
        format!("memory.port_bits={port_bits}"),
        format!("activations.blocks={}", (port_bits / 16).max(16)),
    ];
    Config::base().with_settings(&settings).expect("a legal geometry")
}

/// Lanes, columns and port of a configuration, for names.
pub(crate) fn shape(config: &Config) -> String {
    format!("{} lanes, {} column(s), port of {} bits", config.array.lanes, config.array.columns, config.memory.port_bits)
}

/// For the name of a bench.
fn gate(gated: bool) -> &'static str {
    if gated { ", clock gate" } else { "" }
}
