// SPDX-License-Identifier: MIT OR Apache-2.0
//! A small design of two power domains and what drives it.

use heddle_lang::{
    Builder, Expr, Module, Simulator, Ty,
    corrupt::{Domain, SEED, corrupt},
    expr::Kind,
};
use std::sync::Arc;

const BYTE: Ty = Ty::Unsigned(8);

/// A memory of four bytes whose word 1 is read in every cycle.
fn store() -> Arc<Module> {
    let mut m = Builder::new("store", file!());
    m.clock("clk");
    let (write, x) = (m.input("write", Ty::BIT), m.input("x", BYTE));
    let one = Expr::constant(Ty::Unsigned(2), 1);
    let memory = m.memory("words", 8, 4);
    m.write(memory, write, &one, x);
    let word = m.read(memory, "word", Expr::bit_const(true), &one);
    m.output("word", word);
    m.build().unwrap()
}

/// A register that is retained, one that has a reset, and a memory.
fn unit() -> Arc<Module> {
    let mut m = Builder::new("unit", file!());
    m.clock("clk");
    let (rst, enable, x) = (m.input("domain_rst", Ty::BIT), m.input("enable", Ty::BIT), m.input("x", BYTE));
    let kept = m.reg_no_reset("kept", BYTE);
    m.on(&kept, &enable, &x);
    m.retain(&kept);
    let count = m.reg_no_reset("count", BYTE);
    m.on(&count, rst, 0);
    m.on(&count, &enable, &x);
    let store = m.instance("store", &store(), &[("write", enable), ("x", x)]);
    m.output("sum", kept.q() ^ count.q() ^ store.get("word"));
    m.build().unwrap()
}

fn isolate() -> Arc<Module> {
    let mut m = Builder::new("isolate", file!());
    let (isolate, x) = (m.input("isolate", Ty::BIT), m.input("x", BYTE));
    let clamped = isolate.mux(0, &x);
    m.output("y", clamped);
    m.build().unwrap()
}

/// Domains `a` and `b`, each a `unit`, in `group`; `isolated`: with a cell behind the output of `a`.
pub fn top(isolated: bool) -> Arc<Module> {
    let mut g = Builder::new("group", file!());
    g.clock("clk");
    let (rst, enable) = (g.input("domain_rst", Ty::BIT), g.input("enable", Ty::BIT));
    for d in ["a", "b"] {
        let (x, isolate_in) = (g.input(&format!("x_{d}"), BYTE), g.input(&format!("isolate_{d}"), Ty::BIT));
        let inputs = [("domain_rst", rst.clone()), ("enable", enable.clone()), ("x", x)];
        let sum = g.instance(&format!("unit_{d}"), &unit(), &inputs).get("sum");
        let cell = g.instance(&format!("isolate_{d}_cell"), &isolate(), &[("isolate", isolate_in), ("x", sum.clone())]);
        g.output(&format!("out_{d}"), if isolated || d == "b" { cell.get("y") } else { sum });
        if !isolated && d == "a" {
            g.unused("cell", "The cell is left out", &[cell.get("y")]);
        }
    }
    let group = g.build().unwrap();

    let mut m = Builder::clocked("top", file!());
    let mut inputs = Vec::new();
    for name in ["domain_rst", "enable", "isolate_a", "isolate_b"] {
        inputs.push((name, m.input(name, Ty::BIT)));
    }
    for name in ["x_a", "x_b"] {
        inputs.push((name, m.input(name, BYTE)));
    }
    let lines = ["off_a", "save_a", "restore_a", "off_b", "save_b", "restore_b"].map(|n| m.input(n, Ty::BIT));
    m.unused("lines", "Only the corrupted design reads them", &lines);
    let reset = m.reset();
    m.unused("reset", "Only the corrupted design reads it", &[reset]);
    let out = m.instance("group", &group, &inputs);
    m.output("out_a", out.get("out_a"));
    m.output("out_b", out.get("out_b"));
    m.build().unwrap()
}

pub fn domains(top: &Module) -> Vec<Domain> {
    let net = |name: String| {
        let (id, net) = top.port(&name).unwrap();
        Expr::new(net.ty, Kind::Net(id, name.as_str().into()))
    };
    let domain = |d: &str| Domain {
        name: d.into(),
        elements: vec![format!("group/unit_{d}")],
        off: net(format!("off_{d}")),
        save: net(format!("save_{d}")),
        restore: net(format!("restore_{d}")),
    };
    ["a", "b"].map(domain).into()
}

/// A running design.
pub struct Bench {
    sim: Simulator,
}

impl Bench {
    pub fn new(top: &Arc<Module>, seed: u64) -> Bench {
        let mut b = Bench { sim: Simulator::new(&corrupt(top, &domains(top)).unwrap()).unwrap() };
        b.set(SEED, seed);
        b.sim.reset().unwrap();
        b
    }

    pub fn plain(top: &Arc<Module>) -> Bench {
        let mut b = Bench { sim: Simulator::new(top).unwrap() };
        b.sim.reset().unwrap();
        b
    }

    pub fn set(&mut self, port: &str, value: u64) {
        let port = self.sim.port(port).unwrap();
        self.sim.set(port, value);
    }

    pub fn get(&mut self, port: &str) -> u64 {
        let port = self.sim.port(port).unwrap();
        self.sim.get(port)
    }

    pub fn step(&mut self) -> &mut Bench {
        self.sim.step().unwrap();
        self
    }

    pub fn peek(&mut self, net: &str) -> u64 {
        self.sim.peek(net).unwrap().low_u64()
    }

    /// Both units take a value, and their memories it too.
    pub fn load(&mut self, values: [u64; 2]) {
        self.set("x_a", values[0]);
        self.set("x_b", values[1]);
        self.set("enable", 1);
        self.step();
        self.set("enable", 0);
        self.step().step();
    }

    /// Domain `a` goes down and comes up again.
    pub fn cycle_power(&mut self, save: bool, restore: bool) {
        self.set("save_a", save.into());
        self.step();
        self.set("save_a", 0);
        self.set("off_a", 1);
        self.step().step();
        self.set("off_a", 0);
        self.set("restore_a", restore.into());
        self.step();
        self.set("restore_a", 0);
    }
}
