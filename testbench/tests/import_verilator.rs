// SPDX-License-Identifier: MIT OR Apache-2.0
//! Imported modules as printed Verilog, in Verilator, against rust-hdl's own simulation.
#![cfg(feature = "import")]

#[path = "../../hdl/lang/tests/import_cases/mod.rs"]
mod import_cases;

use heddle_lang::{Bits, verilog};
use heddle_tb::{
    tools::have_verilator,
    verilator::{BuildOptions, Design, Library, Model, PortHandle},
};
use import_cases::{Case, all};

const CYCLES: usize = 10_000;

fn design(case: &Case, reset: bool) -> Design {
    let files = verilog::files(&case.module(reset), &verilog::Options::default()).unwrap_or_else(|e| panic!("{e}"));
    files.into_iter().fold(Design::new(case.name), |d, f| d.file(f.name, f.text))
}

fn port(model: &Model, name: String) -> PortHandle {
    model.port(&name).unwrap_or_else(|e| panic!("{e}"))
}

fn set(model: &mut Model, port: PortHandle, value: &Bits) {
    let bytes: Vec<u8> = value.limbs().iter().flat_map(|l| l.to_le_bytes()).collect();
    model.set_bytes(port, &bytes);
}

fn get(model: &Model, port: PortHandle) -> Bits {
    let mut bytes = model.bytes(port).to_vec();
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let (limbs, _) = bytes.as_chunks::<8>();
    let limbs: Vec<u64> = limbs.iter().map(|l| u64::from_le_bytes(*l)).collect();
    Bits::from_limbs(model.width(port), &limbs)
}

fn tick(model: &mut Model, clocks: &[PortHandle]) {
    for clock in clocks {
        for level in [1, 0] {
            model.set(*clock, level);
            model.eval().unwrap();
        }
    }
}

fn compare(case: &Case, library: &Library, seed: u64) {
    let record = case.record(seed, CYCLES);
    let block = (case.start)();
    let mut model = library.instance().unwrap();
    let inputs: Vec<PortHandle> = block.inputs().iter().map(|(name, _)| port(&model, format!("{name}_i"))).collect();
    let outputs: Vec<PortHandle> = block.outputs().iter().map(|name| port(&model, format!("{name}_o"))).collect();
    let clocks: Vec<PortHandle> = block.clocks().iter().map(|name| port(&model, format!("{name}_i"))).collect();
    model.eval().unwrap();
    let rst = model.port("rst_i").ok();
    if let Some(rst) = rst {
        model.set(rst, 1);
        tick(&mut model, &clocks);
        model.set(rst, 0);
    }
    for (i, cycle) in record.iter().enumerate() {
        inputs.iter().zip(&cycle.inputs).for_each(|(p, v)| set(&mut model, *p, v));
        model.eval().unwrap();
        for ((p, name), want) in outputs.iter().zip(block.outputs()).zip(&cycle.outputs) {
            assert_eq!(get(&model, *p), *want, "{}: `{name}` in cycle {i}, seed {seed}, inputs {:?}", case.name, cycle.inputs);
        }
        tick(&mut model, &clocks);
    }
    println!("{:<20} {CYCLES} cycles equal, seed {seed}{}", case.name, if rst.is_some() { ", with reset" } else { "" });
}

#[test]
fn verilated_modules_equal_rust_hdl() {
    if !have_verilator("verilated_modules_equal_rust_hdl") {
        return;
    }
    let seed = std::env::var("HEDDLE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(3);
    let cases = all();
    for reset in [false, true] {
        let designs: Vec<Design> = cases.iter().map(|c| design(c, reset)).collect();
        let libraries = Design::build_batch(&designs, &BuildOptions::quick(), &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
        cases.iter().zip(&libraries).for_each(|(case, library)| compare(case, library, seed + u64::from(reset)));
    }
}
