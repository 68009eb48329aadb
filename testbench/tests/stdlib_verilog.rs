// SPDX-License-Identifier: MIT OR Apache-2.0
//! The library of streams as printed Verilog, in Verilator, against its native simulation, which
//! `hdl/lang/tests/stdlib.rs` compares with the golden models. Inputs are random in every cycle, resets included.

use heddle_lang::{
    BuildError, Module,
    module::{Item, NetKind},
    stdlib::{arbiter, counter, delay_line, fifo, gearbox, pair, skid, synchroniser},
    verilog::{self, net_name},
};
use heddle_tb::{
    random::Random,
    rtl::{self, Native},
    simulator::Simulator,
    tools::have_verilator,
    verilator::{BuildOptions, Design},
};
use std::sync::Arc;

const CYCLES: usize = 3000;

fn modules() -> Vec<Arc<Module>> {
    let fifos = [(1, 1), (8, 2), (33, 5), (70, 16), (32, 64), (9, 100)].map(|(width, depth)| fifo::fifo(width, depth));
    let gears = [(8, 32), (32, 8), (5, 10), (128, 32), (24, 3)].map(|(from, to)| gearbox::gearbox(from, to));
    let arbiters = [2, 3, 8].into_iter().flat_map(|n| [arbiter::round_robin(n, 20), arbiter::fixed_priority(n, 20)]);
    let others = [skid::skid(1), skid::skid(80), pair::pair(1), pair::pair(80), counter::counter(1), counter::counter(40)];
    let synchronisers = [synchroniser::synchroniser(1), synchroniser::synchroniser(16)];
    let delays = [(1, 2), (16, 9), (40, 21)].map(|(width, cycles)| delay_line::delay_line(width, cycles));
    let all: Result<Vec<_>, BuildError> =
        fifos.into_iter().chain(gears).chain(arbiters).chain(others).chain(synchronisers).chain(delays).collect();
    all.unwrap_or_else(|e| panic!("{e}"))
}

/// Sets every input at random, and compares every output, after inputs have changed and after each edge.
fn compare<A: Simulator, B: Simulator>(module: &Module, mut a: A, mut b: B, rng: &mut Random) {
    let names = |kind: NetKind| {
        let nets: Vec<_> = module.ports().filter(|(_, n)| n.kind == kind).map(|(_, n)| net_name(n)).collect();
        nets
    };
    let (inputs, outputs) = (names(NetKind::Input), names(NetKind::Output));
    let [a_in, a_out] = [&inputs, &outputs].map(|n| n.iter().map(|n| a.port(n).unwrap()).collect::<Vec<_>>());
    let [b_in, b_out] = [&inputs, &outputs].map(|n| n.iter().map(|n| b.port(n).unwrap()).collect::<Vec<_>>());
    for cycle in 0..CYCLES {
        for (i, name) in inputs.iter().enumerate() {
            let mut bytes = [0; 16];
            // In reset at first, so that both start alike, and now and then.
            let rst = u8::from(cycle < 4 || rng.chance(2));
            bytes.iter_mut().for_each(|b| *b = if name == "rst_i" { rst } else { rng.bits() as u8 });
            a.set_bytes(a_in[i], &bytes);
            b.set_bytes(b_in[i], &bytes);
        }
        a.settle().unwrap();
        b.settle().unwrap();
        for (i, name) in outputs.iter().enumerate().filter(|_| cycle >= 4) {
            let (mut x, mut y) = ([0; 16], [0; 16]);
            a.get_bytes(a_out[i], &mut x);
            b.get_bytes(b_out[i], &mut y);
            assert_eq!(x, y, "{}: `{name}` in cycle {cycle}", module.name);
        }
        a.tick().unwrap();
        b.tick().unwrap();
    }
}

#[test]
fn verilated_library_equals_native_simulation() {
    if !have_verilator("verilated_library_equals_native_simulation") {
        return;
    }
    let modules = modules();
    let designs: Vec<Design> = modules.iter().map(|m| rtl::design(m, &verilog::Options::default()).expect("a design")).collect();
    let options = BuildOptions::quick();
    let libraries = Design::build_batch(&designs, &options, &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
    for (module, library) in modules.iter().zip(&libraries) {
        // Without assertions: these inputs keep no rule of streams.
        let mut bare = Module::clone(module);
        bare.items.retain(|item| !matches!(item, Item::Property(_)));
        let native = Native::new(&Arc::new(bare)).expect("native simulation");
        compare(module, native, library.instance().expect("an instance"), &mut Random::new(5));
    }
}
