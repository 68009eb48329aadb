// SPDX-License-Identifier: MIT OR Apache-2.0
//! Device primitives: the plain Verilog and the form for each device, in Verilator, against the native simulation of
//! the behaviour, with random data under the rules of each primitive. ECP5 cells are our own models; those of iCE40
//! come with Yosys.

use heddle_lang::{
    BuildError, Builder, Expr, Module, Primitive, Target, Ty,
    module::NetKind,
    primitive::{block_ram, cells, multiplier, spram},
    verilog::{self, net_name},
};
use heddle_tb::{
    random::Random,
    rtl::{self, Native},
    simulator::Simulator,
    tools::{find_verilator, find_yosys, have_verilator},
    verilator::{BuildOptions, Design, Library},
};
use std::{collections::BTreeMap, sync::Arc};

const CYCLES: usize = 4000;

fn multipliers() -> Vec<Arc<Module>> {
    let [s8, s12, s16, s18, u16] = [Ty::Signed(8), Ty::Signed(12), Ty::Signed(16), Ty::Signed(18), Ty::Unsigned(16)];
    let all = [(s8, s8, 1), (s8, s8, 2), (s8, s8, 3), (s12, u16, 1), (u16, u16, 1), (s16, s16, 1), (s18, s18, 1), (s16, s8, 2)];
    built(all.map(|(a, b, lanes)| multiplier(a, b, lanes)))
}

fn memories() -> Vec<Arc<Module>> {
    let shapes = [(36, 512), (128, 512), (23, 64), (18, 1024), (20, 1000), (9, 2048), (4, 4096), (3, 8192), (1, 16384), (13, 2)];
    built(shapes.map(|(width, depth)| block_ram(width, depth)).into_iter().chain([spram()]))
}

fn built(modules: impl IntoIterator<Item = Result<Arc<Module>, BuildError>>) -> Vec<Arc<Module>> {
    modules.into_iter().map(|m| m.unwrap_or_else(|e| panic!("{e}"))).collect()
}

/// Values of the inputs of one cycle, within the rules of a primitive.
struct Stimulus {
    rng: Random,
}

impl Stimulus {
    fn cycle(&mut self, module: &Module) -> BTreeMap<String, Vec<u8>> {
        let mut values = BTreeMap::new();
        for (_, net) in module.ports().filter(|(_, n)| n.kind == NetKind::Input) {
            let bytes = (0..net.ty.width().div_ceil(8)).map(|_| self.operand()).collect();
            values.insert(net.name.clone(), bytes);
        }
        match module.primitive {
            // Sometimes a clock gate stops all stages.
            Some(Primitive::Multiplier(_)) => {
                let run = self.rng.chance(200);
                values.insert("run".into(), vec![run.into()]);
                values.insert("en".into(), vec![(run && self.rng.chance(160)).into()]);
            }
            // No word is read while it is written. Few addresses, so that words are written again.
            Some(Primitive::BlockRam(ram)) => {
                let address = |rng: &mut Random| (rng.bits() % 24 * u64::from((ram.depth / 24).max(1))) % u64::from(ram.depth);
                let (write, mut read) = (address(&mut self.rng), address(&mut self.rng));
                if write == read {
                    read = (read + 1) % u64::from(ram.depth);
                }
                values.insert("write_addr".into(), write.to_le_bytes().to_vec());
                values.insert("read_addr".into(), read.to_le_bytes().to_vec());
            }
            // What a write leaves at the output is not defined: it is followed by a read before anybody looks.
            _ => {
                values.insert("addr".into(), (self.rng.bits() % 64).to_le_bytes().to_vec());
            }
        }
        values
    }

    /// One byte in four is an extreme.
    fn operand(&mut self) -> u8 {
        match self.rng.bits() % 12 {
            0 => 0x80,
            1 => 0x7f,
            2 => 0xff,
            _ => self.rng.bits() as u8,
        }
    }
}

/// Same stimulus, same outputs in every cycle.
fn compare<A: Simulator, B: Simulator>(module: &Module, what: &str, mut a: A, mut b: B) {
    let mut stimulus = Stimulus { rng: Random::new(11) };
    let inputs: Vec<(String, String)> =
        module.ports().filter(|(_, n)| n.kind == NetKind::Input).map(|(_, n)| (n.name.clone(), net_name(n))).collect();
    let outputs: Vec<String> = module.ports().filter(|(_, n)| n.kind == NetKind::Output).map(|(_, n)| net_name(n)).collect();
    let mut read = false;
    for cycle in 0..CYCLES {
        let values = stimulus.cycle(module);
        for (base, name) in &inputs {
            let mut bytes = values[base].clone();
            let width = a.width(a.port(name).unwrap()) as usize;
            bytes.resize(width.div_ceil(8), 0);
            if !width.is_multiple_of(8) {
                bytes[width / 8] &= (1 << (width % 8)) - 1;
            }
            let (pa, pb) = (a.port(name).unwrap(), b.port(name).unwrap());
            a.set_bytes(pa, &bytes);
            b.set_bytes(pb, &bytes);
        }
        a.settle().unwrap();
        b.settle().unwrap();
        for name in outputs.iter().filter(|_| read || module.primitive != Some(Primitive::Spram)) {
            let mut x = vec![0; 64];
            let mut y = vec![0; 64];
            a.get_bytes(a.port(name).unwrap(), &mut x);
            b.get_bytes(b.port(name).unwrap(), &mut y);
            assert_eq!(x, y, "{}, {what}: `{name}` in cycle {cycle}", module.name);
        }
        let bit = |name: &str| values.get(name).is_some_and(|v| v[0] & 1 == 1);
        read = if bit("en") { !bit("write_en") } else { read };
        a.tick().unwrap();
        b.tick().unwrap();
    }
}

fn options(target: Target) -> verilog::Options {
    verilog::Options { target, ..Default::default() }
}

/// The form for a target, with the models of its cells.
fn design(module: &Arc<Module>, target: Target) -> Design {
    let design = rtl::design(module, &options(target)).unwrap_or_else(|e| panic!("{}: {e}", module.name));
    match target.models() {
        "" => design,
        models => design.file("cells.v", models),
    }
}

/// Designs and what they are called, against the behaviour.
fn check(designs: &[(Arc<Module>, String, Design)]) {
    let build: Vec<Design> = designs.iter().map(|(.., design)| design.clone()).collect();
    let quick = BuildOptions::quick();
    let libraries: Vec<Library> = Design::build_batch(&build, &quick, &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
    for ((module, what, _), library) in designs.iter().zip(&libraries) {
        compare(module, what, Native::new(module).expect("native simulation"), library.instance().expect("an instance"));
    }
}

#[test]
fn plain_and_ecp5_forms_equal_the_behaviour() {
    if !have_verilator("plain_and_ecp5_forms_equal_the_behaviour") {
        return;
    }
    let modules: Vec<Arc<Module>> = multipliers().into_iter().chain(memories()).collect();
    let forms = [Target::Generic, Target::Ecp5];
    let designs: Vec<_> =
        forms.into_iter().flat_map(|target| modules.iter().map(move |m| (m.clone(), target.to_string(), design(m, target)))).collect();
    check(&designs);
}

#[test]
fn ice40_forms_equal_the_behaviour() {
    if !have_verilator("ice40_forms_equal_the_behaviour") {
        return;
    }
    let Ok(yosys) = find_yosys() else {
        assert!(std::env::var_os("CI").is_none_or(|v| v != "true"), "ice40_forms_equal_the_behaviour needs Yosys");
        return println!("skipped: ice40_forms_equal_the_behaviour: Yosys is missing; `tools/provision.sh lint` installs it");
    };
    // The form of the SPRAM is the cell alone.
    let has_form = |m: &Arc<Module>| m.primitive.as_ref().is_some_and(|p| p.cells(Target::Ice40).is_some());
    let modules: Vec<Arc<Module>> = multipliers().into_iter().filter(has_form).collect();
    assert_eq!(modules.len(), 7, "all but the one of 18 bits");
    let folder = tempfile::tempdir().expect("a folder");
    let mut script = String::new();
    for module in &modules {
        let name = &module.name;
        let text = verilog::module(module, &options(Target::Ice40)).expect("Verilog");
        std::fs::write(folder.path().join(format!("{name}.v")), text).expect("a written file");
        // Yosys' own models of the cells, flattened into what Verilator takes.
        script += &format!(
            "design -reset\nread_verilog {name}.v\nread_verilog -defer -DNO_ICE40_DEFAULT_ASSIGNMENTS +/ice40/cells_sim.v\n\
             hierarchy -check -top {name}\nproc\nflatten\nopt -fast\nclean\nwrite_verilog -noattr flat_{name}.v\n"
        );
    }
    std::fs::write(folder.path().join("all.ys"), script).expect("a written file");
    let out = yosys.command().args(["-q", "all.ys"]).current_dir(folder.path()).output().expect("Yosys");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    let designs: Vec<_> = modules
        .iter()
        .map(|m| {
            let flat = std::fs::read_to_string(folder.path().join(format!("flat_{}.v", m.name))).expect("a flat file");
            let flat =
                format!("// Yosys' models of cells compare and shift vectors of different length.\n/* verilator lint_off WIDTH */\n{flat}");
            (m.clone(), "ice40".to_string(), Design { files: vec![("flat.v".into(), flat)], ..design(m, Target::Generic) })
        })
        .collect();
    check(&designs);
}

/// `-Wall` with the models, and Icarus' own warnings for Verilog-2005.
#[test]
fn ecp5_forms_have_no_warning() {
    if !have_verilator("ecp5_forms_have_no_warning") {
        return;
    }
    let verilator = find_verilator().expect("Verilator was there a moment ago");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("cells.v"), Target::Ecp5.models()).expect("a written file");
    for module in multipliers().into_iter().chain(memories()) {
        let file = format!("{}.v", module.name);
        std::fs::write(folder.path().join(&file), verilog::module(&module, &options(Target::Ecp5)).expect("Verilog")).expect("a file");
        let mut command = verilator.command();
        command.args(["--lint-only", "-Wall", "--top-module", &module.name, &file, "cells.v"]).current_dir(folder.path());
        let out = command.output().expect("Verilator");
        let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success() && !text.lines().any(|l| l.starts_with('%')), "{}\n{text}", module.name);
    }
}

/// Yosys takes each form for what it is: so many cells, and no other multiplier, memory or flip-flop.
#[test]
fn yosys_maps_each_form_to_its_cells() {
    let Ok(yosys) = find_yosys() else {
        assert!(std::env::var_os("CI").is_none_or(|v| v != "true"), "yosys_maps_each_form_to_its_cells needs Yosys");
        return println!("skipped: yosys_maps_each_form_to_its_cells: Yosys is missing; `tools/provision.sh lint` installs it");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut script = String::new();
    for target in [Target::Ecp5, Target::Ice40] {
        let modules = multipliers().into_iter().chain(memories()).filter(|m| m.primitive.as_ref().unwrap().cells(target).is_some());
        let top = together(&modules.collect::<Vec<_>>());
        let mut read = String::from("read_verilog");
        for file in verilog::files(&top, &options(target)).expect("Verilog") {
            std::fs::write(folder.path().join(format!("{target}_{}", file.name)), file.text).expect("a written file");
            read += &format!(" {target}_{}", file.name);
        }
        script += &format!("design -reset\n{read}\nsynth_{target} -top together\n");
        let cells = cells(&top, target);
        for (cell, count) in &cells {
            script += &format!("select -assert-count {count} t:{cell}\n");
        }
        script += "select -assert-none t:TRELLIS_FF t:SB_DFF* t:$mem_v2 t:$mul\n";
        for cell in ["MULT18X18D", "SB_MAC16", "DP16KD", "SB_RAM40_4K"].into_iter().filter(|cell| !cells.contains_key(cell)) {
            script += &format!("select -assert-none t:{cell}\n");
        }
    }
    std::fs::write(folder.path().join("all.ys"), script).expect("a written file");
    let out = yosys.command().args(["-q", "all.ys"]).current_dir(folder.path()).output().expect("Yosys");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
}

/// A module with one of each, every port of it a port.
fn together(modules: &[Arc<Module>]) -> Arc<Module> {
    let mut m = Builder::new("together", file!());
    m.clock("clk");
    for (i, module) in modules.iter().enumerate() {
        let inputs: Vec<(String, Expr)> = module
            .ports()
            .filter(|(_, n)| n.kind == NetKind::Input)
            .map(|(_, n)| (n.name.clone(), m.input(&format!("u{i}_{}", n.name), n.ty)))
            .collect();
        let inputs: Vec<(&str, Expr)> = inputs.iter().map(|(n, e)| (n.as_str(), e.clone())).collect();
        let out = m.instance(&format!("unit_{i}"), module, &inputs);
        for (_, net) in module.ports().filter(|(_, n)| n.kind == NetKind::Output) {
            m.output(&format!("u{i}_{}", net.name), out.get(&net.name));
        }
    }
    m.build().unwrap_or_else(|e| panic!("{e}"))
}
