// SPDX-License-Identifier: MIT OR Apache-2.0
//! The corrupted form of a design of two power domains as printed Verilog: free of warnings, and in Verilator what it
//! is in native simulation, which `hdl/lang/tests/corrupt.rs` looks into. Inputs are random in every cycle.

#[path = "../../hdl/lang/tests/corrupt_cases/mod.rs"]
#[allow(dead_code)] // its bench is for the native simulation
mod corrupt_cases;

use heddle_lang::{corrupt::corrupt, module::NetKind, verilog};
use heddle_tb::{
    random::Random,
    rtl::{self, Native},
    simulator::Simulator,
    tools::{find_verilator, have_verilator},
    verilator::BuildOptions,
};

#[test]
fn verilator_has_no_warning_and_equals_native_simulation() {
    if !have_verilator("verilator_has_no_warning_and_equals_native_simulation") {
        return;
    }
    let plain = corrupt_cases::top(true);
    let top = corrupt(&plain, &corrupt_cases::domains(&plain)).expect("the corrupted design");
    let dir = tempfile::tempdir().expect("a temporary folder");
    let files = verilog::files(&top, &verilog::Options::default()).expect("Verilog");
    for file in &files {
        std::fs::write(dir.path().join(&file.name), &file.text).expect("a written file");
    }
    let mut lint = find_verilator().expect("Verilator was there a moment ago").command();
    lint.args(["--lint-only", "-Wall", "--top-module", &top.name]).args(files.iter().map(|f| &f.name));
    let out = lint.current_dir(dir.path()).output().expect("a run of Verilator");
    assert!(out.status.success() && out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));

    let options = BuildOptions::quick();
    let library = rtl::verilated(&top, &options, &mut |_| {}).expect("verilated");
    let (mut a, mut b) = (Native::new(&top).expect("native"), library.instance().expect("an instance"));
    let mut rng = Random::new(11);
    let ports: Vec<_> = top.ports().map(|(_, n)| (verilog::net_name(n), n.kind)).collect();
    for cycle in 0..3000 {
        for (name, _) in ports.iter().filter(|(_, kind)| *kind == NetKind::Input) {
            let off = name.starts_with("off");
            let value = match name.as_str() {
                "rst_i" => u64::from(cycle < 3),
                // Both lose their power before anything is looked at: registers start alike.
                _ if off && cycle < 6 => 1,
                _ => rng.bits(),
            };
            a.set(a.port(name).expect("a port"), value);
            b.set(b.port(name).expect("a port"), value);
        }
        a.settle().expect("settled");
        b.settle().expect("settled");
        for (name, _) in ports.iter().filter(|(_, kind)| *kind == NetKind::Output && cycle >= 8) {
            let (x, y) = (a.get(a.port(name).expect("a port")), b.get(b.port(name).expect("a port")));
            assert_eq!(x, y, "`{name}` in cycle {cycle}");
        }
        a.tick().expect("a cycle");
        b.tick().expect("a cycle");
    }
}
