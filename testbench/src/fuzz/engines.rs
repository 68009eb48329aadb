// SPDX-License-Identifier: MIT OR Apache-2.0
//! What runs a plan: the native simulator, Verilator, Icarus; all against the plan's own meaning.

use super::{
    build::{self, input_name, output_name},
    eval::{State, mask},
    plan::Plan,
};
use crate::{
    rtl,
    verilator::{BuildOptions, Design, Library, Opt},
};
use heddle_lang::{Bits, Module, Simulator, stdlib::testing::Random, verilog};
use std::sync::Arc;

/// Stimulus of a plan and what must come out of it.
#[derive(Clone, Debug)]
pub struct Vectors {
    /// Names and widths of the inputs that are built.
    pub inputs: Vec<(String, u32)>,
    pub outputs: Vec<(String, u32)>,
    pub cycles: Vec<Cycle>,
}

#[derive(Clone, Debug)]
pub struct Cycle {
    pub reset: bool,
    pub inputs: Vec<u128>,
    /// Settled, before the edge.
    pub outputs: Vec<u128>,
}

/// The first output that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    pub cycle: usize,
    pub output: String,
    pub expected: u128,
    pub got: String,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cycle {}: `{}` is {}, expected {:x}", self.cycle, self.output, self.got, self.expected)
    }
}

/// Draws stimulus and interprets the plan over it; the first cycle is a reset.
pub fn vectors(plan: &Plan, random: &mut Random, cycles: usize) -> Vectors {
    let reached = plan.reached();
    let ids: Vec<usize> = plan.inputs().collect();
    let built: Vec<usize> = (0..ids.len()).filter(|&i| reached[ids[i]]).collect();
    let mut state = State::new(plan);
    let mut out = Vec::with_capacity(cycles);
    let mut values: Vec<u128> = vec![0; ids.len()];
    for cycle in 0..cycles {
        for (value, &id) in values.iter_mut().zip(&ids) {
            *value = stimulus(random, *value, plan.ty(id).width());
        }
        let reset = cycle == 0 || random.percent(4);
        let v = state.settle(plan, &values);
        out.push(Cycle {
            reset,
            inputs: built.iter().map(|&i| values[i]).collect(),
            outputs: plan.outputs.iter().map(|&id| v.nodes[id]).collect(),
        });
        state.step(plan, &v, reset);
    }
    let width = |id: usize| plan.ty(id).width();
    Vectors {
        inputs: built.iter().map(|&i| (input_name(ids[i]), width(ids[i]))).collect(),
        outputs: plan.outputs.iter().enumerate().map(|(i, &id)| (output_name(i), width(id))).collect(),
        cycles: out,
    }
}

fn stimulus(random: &mut Random, last: u128, width: u32) -> u128 {
    let any = u128::from(random.bits()) << 64 | u128::from(random.bits());
    let value = match random.below(10) {
        0 => 0,
        1 => u128::MAX,
        2 => 1 << (width - 1),
        3 => (1 << (width - 1)) - 1,
        4 => any & 7,
        5 => last,
        6 => last.wrapping_add(1),
        _ => any,
    };
    value & mask(width)
}

fn differ(cycle: usize, output: &str, expected: u128, got: u128) -> Result<(), Mismatch> {
    match expected == got {
        true => Ok(()),
        false => Err(Mismatch { cycle, output: output.to_string(), expected, got: format!("{got:x}") }),
    }
}

/// Why an engine did not agree: it differs, or it does not run at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("{0}")]
    Differs(Mismatch),
    /// Some bits are x: a read beyond a memory, or a register that nothing has set.
    #[error("{0}")]
    Unknown(Mismatch),
    #[error("{0}")]
    Broken(String),
}

fn broken(e: impl std::fmt::Display) -> Failure {
    Failure::Broken(e.to_string())
}

pub fn native(module: &Arc<Module>, v: &Vectors) -> Result<(), Failure> {
    let mut sim = Simulator::new(module).map_err(broken)?;
    let port = |name: &str| sim.port(name).map_err(broken);
    let inputs = v.inputs.iter().map(|(n, _)| port(n)).collect::<Result<Vec<_>, _>>()?;
    let outputs = v.outputs.iter().map(|(n, _)| port(n)).collect::<Result<Vec<_>, _>>()?;
    let reset = port("rst")?;
    for (n, cycle) in v.cycles.iter().enumerate() {
        sim.set(reset, cycle.reset.into());
        for (p, value) in inputs.iter().zip(&cycle.inputs) {
            sim.set_limbs(*p, &[*value as u64, (*value >> 64) as u64]);
        }
        for ((p, (name, _)), expected) in outputs.iter().zip(&v.outputs).zip(&cycle.outputs) {
            differ(n, name, *expected, number(&sim.get_bits(*p))).map_err(Failure::Differs)?;
        }
        sim.step().map_err(broken)?;
    }
    Ok(())
}

fn number(bits: &Bits) -> u128 {
    bits.limbs().iter().rev().fold(0, |n, limb| n << 64 | u128::from(*limb))
}

/// Builds many modules in one go.
pub fn verilate(modules: &[Arc<Module>]) -> Result<Vec<Library>, String> {
    let options = verilog::Options { generator: "the fuzzer".into(), ..verilog::Options::default() };
    let designs: Vec<Design> = modules.iter().map(|m| rtl::design(m, &options).map_err(|e| e.to_string())).collect::<Result<_, _>>()?;
    let build = BuildOptions { opt: Opt::Quick, keep: false, ..BuildOptions::default() };
    Design::build_batch(&designs, &build, &mut |_| {}).map_err(|e| e.to_string())
}

pub fn verilator(library: &Library, v: &Vectors) -> Result<(), Failure> {
    let mut model = library.instance().map_err(broken)?;
    let inputs = v.inputs.iter().map(|(n, _)| model.port(&format!("{n}_i"))).collect::<Result<Vec<_>, _>>().map_err(broken)?;
    let outputs = v.outputs.iter().map(|(n, _)| model.port(&format!("{n}_o"))).collect::<Result<Vec<_>, _>>().map_err(broken)?;
    let reset = model.port("rst_i").map_err(broken)?;
    for (n, cycle) in v.cycles.iter().enumerate() {
        model.set(reset, cycle.reset.into());
        for (p, value) in inputs.iter().zip(&cycle.inputs) {
            model.set_bytes(*p, &value.to_le_bytes());
        }
        model.eval().map_err(broken)?;
        for ((p, (name, width)), expected) in outputs.iter().zip(&v.outputs).zip(&cycle.outputs) {
            let mut bytes = [0u8; 16];
            let storage = model.bytes(*p);
            bytes[..storage.len()].copy_from_slice(storage);
            // Bits above the width must be zero: they are part of what Verilator promises.
            differ(n, name, *expected & mask(*width), u128::from_le_bytes(bytes)).map_err(Failure::Differs)?;
        }
        model.tick().map_err(broken)?;
    }
    Ok(())
}

/// The module of a plan, and its stimulus from a seed.
pub fn prepare(plan: &Plan, seed: u64, cycles: usize) -> Result<(Arc<Module>, Vectors), Failure> {
    let module = build::build(plan).map_err(broken)?;
    Ok((module, vectors(plan, &mut Random(seed), cycles)))
}
