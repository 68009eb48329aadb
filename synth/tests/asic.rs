// SPDX-License-Identifier: MIT OR Apache-2.0
//! Area and energy in a library of our own, compared with figures computed by hand.

use heddle_lang::{Builder, Module, Ty};
use heddle_synth::asic::{AsicError, Library, Sim, map, power};
use heddle_tools::have_pinned;
use std::sync::Arc;

const TINY: &str = include_str!("tiny.lib");

fn tiny() -> Library {
    Library::of(vec![("tiny.lib".into(), TINY.into())]).unwrap_or_else(|e| panic!("{e}"))
}

/// Two instances of a register that changes with each cycle.
fn pair() -> Arc<Module> {
    let mut inner = Builder::new("toggle", file!());
    inner.clock("clk");
    let state = inner.reg_no_reset("state", Ty::BIT);
    inner.next(&state, !state.q());
    inner.output("state", state.q());
    let inner = inner.build().expect("a sound module");
    let mut m = Builder::new("pair", file!());
    m.clock("clk");
    for name in ["first", "second"] {
        let out = m.instance(name, &inner, &[]);
        m.output(name, out.get("state"));
    }
    m.build().expect("a sound module")
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs()
}

#[test]
fn area_and_energy_are_those_computed_by_hand() {
    if !have_pinned("area_and_energy_are_those_computed_by_hand", &["yosys"]) {
        return;
    }
    let library = tiny();
    let flat = Arc::new(map(&pair(), &library).unwrap_or_else(|e| panic!("{e}")));
    let mut sim = Sim::new(&flat);
    sim.tick();
    sim.restart();
    let bits = sim.port("first_o").expect("an output").bits.clone();
    for cycle in 0..10u8 {
        let mut value = [0];
        sim.settle();
        sim.get(&bits, &mut value);
        assert_eq!(value[0], 1 - cycle % 2);
        sim.tick();
    }
    let rows = power::with_all_below(&power::own(&sim, &library));
    let paths: Vec<&str> = rows.iter().map(|row| row.path.as_str()).collect();
    assert_eq!(paths, ["", "first", "second"]);
    // A register and an inverter. In 10 cycles: the register's output 10 x (4 fJ at 1 fF + 0.5 fJ), the inverter's
    // 10 x (mean of 1 and 3 fJ + 0.5 fJ), the clock pin 20 x (3 fJ + half of 2 fF x 1 V^2).
    for (row, count) in rows.iter().zip([2.0, 1.0, 1.0]) {
        assert_eq!((row.cells as f64, row.registers as f64), (2.0 * count, count), "{row:?}");
        assert!(near(row.area_um2, 6.0 * count) && near(row.leakage_w, 5e-9 * count), "{row:?}");
        assert!(near(row.clock_j, 80e-15 * count) && near(row.dynamic_j, 150e-15 * count), "{row:?}");
    }
}

/// A sum with a synchronous reset, cycle by cycle equal to the native simulation.
#[test]
fn gates_compute_what_the_module_does() {
    if !have_pinned("gates_compute_what_the_module_does", &["yosys"]) {
        return;
    }
    let mut m = Builder::clocked("mixed", file!());
    let a = m.input("a", Ty::Unsigned(6));
    let total = m.reg("total", Ty::Unsigned(8), 0);
    m.next(&total, total.q().wrapping_add(a.resize(8)));
    m.output("total", total.q());
    let module = m.build().expect("a sound module");
    let flat = Arc::new(map(&module, &tiny()).unwrap_or_else(|e| panic!("{e}")));
    let mut gates = Sim::new(&flat);
    let mut native = heddle_lang::sim::Simulator::new(&module).expect("native");
    let ports = ["a", "rst", "total"].map(|name| native.port(name).expect("a port"));
    let bits = ["a_i", "rst_i", "total_o"].map(|name| gates.port(name).expect("a port").bits.clone());
    for cycle in 0..200u64 {
        let (a, rst) = (cycle * 37 % 64, u64::from(cycle % 50 == 0));
        native.set(ports[0], a);
        native.set(ports[1], rst);
        gates.set(&bits[0], &a.to_le_bytes());
        gates.set(&bits[1], &rst.to_le_bytes());
        native.step().expect("a step");
        gates.tick();
        gates.settle();
        let mut value = [0; 8];
        gates.get(&bits[2], &mut value);
        assert_eq!(u64::from_le_bytes(value), native.get(ports[2]), "cycle {cycle}");
    }
}

#[test]
fn bad_libraries_are_refused_with_the_reason() {
    let refused = |text: String| Library::of(vec![("bad.lib".into(), text)]).unwrap_err().to_string();
    assert!(refused(TINY.replace("capacitive_load_unit (1, ff);", "")).contains("capacitive_load_unit"));
    assert!(refused(TINY.replace("\"1nW\"", "\"1hW\"")).contains("legal is such as `1ns`"));
    assert!(refused(TINY.replace("\"4, 8\", \"4, 8\"", "\"4, 8\"")).contains("has 2 values, not 4"));
    assert!(refused(TINY.replace("area : 5;", "")).contains("cell `DFF`: no `area`"));
    assert!(refused(TINY.replace("next_state : \"D\"", "next_state : \"D+\"")).contains("is no function"));
    let other = TINY.replace("voltage : 1.0", "voltage : 1.2");
    let both = Library::of(vec![("a.lib".into(), TINY.into()), ("b.lib".into(), other)]).unwrap_err();
    assert!(both.to_string().contains("b.lib: has other units or another voltage"), "{both}");
    let none = Library::read(&[] as &[&str]).unwrap_err();
    assert!(matches!(none, AsicError::NoLiberty { .. }) && none.to_string().contains("--liberty FILE"));
    assert!(Library::read(&["/no/such.lib"]).unwrap_err().to_string().starts_with("/no/such.lib: "));
}
