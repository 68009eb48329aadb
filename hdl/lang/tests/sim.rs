// SPDX-License-Identifier: MIT OR Apache-2.0
//! The native simulator on small designs whose behaviour is known.

use heddle_lang::{
    Bits, Builder, Expr, Module, Ty,
    module::Stmt,
    sim::{SimError, Simulator},
};
use std::sync::{Arc, Mutex};

const U8: Ty = Ty::Unsigned(8);
const I8: Ty = Ty::Signed(8);

fn simulator(m: Builder) -> Simulator {
    Simulator::new(&m.build().expect("a sound module")).expect("it simulates")
}

fn set(sim: &mut Simulator, name: &str, value: i64) {
    let p = sim.port(name).expect(name);
    sim.set(p, value as u64);
}

fn get(sim: &mut Simulator, name: &str) -> i64 {
    let p = sim.port(name).expect(name);
    sim.get_signed(p)
}

#[test]
fn arithmetic_is_exact_and_signed() {
    let mut m = Builder::new("m", file!());
    let (a, b) = (m.input("a", I8), m.input("b", I8));
    m.output("sum", &a + &b);
    m.output("product", &a * &b);
    m.output("difference", a.as_unsigned() - b.as_unsigned());
    m.output("negated", a.negate());
    m.output("less", a.lt(&b));
    m.output("shifted", a.shr(&b.as_unsigned().truncate(4)));
    m.output("saturated", a.saturate(4));
    m.output("rounded", a.round_even(2));
    let mut sim = simulator(m);
    for a in -128..128i64 {
        for b in [-128, -127, -1, 0, 1, 5, 127i64] {
            set(&mut sim, "a", a);
            set(&mut sim, "b", b);
            assert_eq!(get(&mut sim, "sum"), a + b);
            assert_eq!(get(&mut sim, "product"), a * b);
            assert_eq!(get(&mut sim, "difference"), (a & 255) - (b & 255));
            assert_eq!(get(&mut sim, "negated"), -a);
            assert_eq!(get(&mut sim, "less"), i64::from(a < b));
            assert_eq!(get(&mut sim, "shifted"), a >> (b & 15));
            assert_eq!(get(&mut sim, "saturated"), a.clamp(-8, 7));
            let half = (a as f64 / 4.0).round_ties_even() as i64;
            assert_eq!(get(&mut sim, "rounded"), half);
        }
    }
}

#[test]
fn wide_values_match_128_bit_arithmetic() {
    let mut m = Builder::new("m", file!());
    let (a, b) = (m.input("a", Ty::Signed(100)), m.input("b", Ty::Signed(70)));
    m.output("sum", (&a + &b).resize(128));
    m.output("difference", (&a - &b).resize(128));
    m.output("product", (&a * &b).truncate(128));
    m.output("less", a.lt(&b));
    m.output("middle", a.slice(30, 65));
    m.output("joined", Expr::concat([b.slice(3, 20), a.slice(60, 40), b.slice(10, 60)]));
    m.output("shifted", a.shr(&b.slice(0, 7)));
    m.output("element", Expr::concat([a.slice(0, 64), a.slice(36, 64)]).select(&b.slice(0, 3), 16));
    let mut sim = simulator(m);
    let mut x: u128 = 0x1234_5678_9abc_def0_0fed_cba9_8765_4321;
    for _ in 0..500 {
        x = x.wrapping_mul(0xda94_2042_e4dd_58b5).wrapping_add(0x9e37_79b9_7f4a_7c15).rotate_left(37);
        let (a, b) = ((x as i128) >> 28, (x.rotate_left(61) as i128) >> 58);
        for (name, width, v) in [("a", 100, a), ("b", 70, b)] {
            let p = sim.port(name).expect(name);
            sim.set_bits(p, &Bits::from_i128(width, v));
        }
        let mut out = |name: &str| {
            let p = sim.port(name).expect(name);
            sim.get_bits(p).to_i128()
        };
        assert_eq!(out("sum"), a + b);
        assert_eq!(out("difference"), a - b);
        assert_eq!(out("product"), a.wrapping_mul(b));
        assert_eq!(out("less") & 1, i128::from(a < b));
        let field = |v: i128, lsb: u32, width: u32| (v >> lsb) as u128 & ((1 << width) - 1);
        assert_eq!(out("middle") as u128 & ((1 << 65) - 1), field(a, 30, 65));
        assert_eq!(out("joined") as u128 & ((1 << 120) - 1), field(b, 3, 20) << 100 | field(a, 60, 40) << 60 | field(b, 10, 60));
        assert_eq!(out("shifted"), a >> (b & 127).min(127));
        let word = field(a, 0, 64) << 64 | field(a, 36, 64);
        assert_eq!(out("element") as u128 & 0xffff, word >> ((b & 7) * 16) & 0xffff);
    }
}

#[test]
fn registers_change_together() {
    let mut m = Builder::clocked("m", file!());
    let (a, b) = (m.reg("a", U8, 1), m.reg("b", U8, 2));
    m.next(&a, b.q());
    m.next(&b, a.q());
    let count = m.reg_no_reset("count", U8);
    let enable = m.input("enable", Ty::BIT);
    m.on(&count, &enable, count.q().wrapping_add(1));
    m.output("both", Expr::concat([a.q(), b.q()]));
    m.output("counted", count.q());
    let mut sim = simulator(m);
    sim.reset().expect("reset");
    assert_eq!(get(&mut sim, "both"), 0x0102);
    set(&mut sim, "enable", 1);
    sim.step().expect("step");
    assert_eq!(get(&mut sim, "both"), 0x0201);
    set(&mut sim, "enable", 0);
    sim.run(2).expect("steps");
    assert_eq!((get(&mut sim, "both"), get(&mut sim, "counted"), sim.cycles()), (0x0201, 1, 4));
}

#[test]
fn a_register_takes_a_limb_of_another() {
    let mut m = Builder::clocked("m", file!());
    let x = m.input("x", Ty::Unsigned(192));
    let wide = m.register("wide", &x);
    let part = m.register("part", wide.slice(64, 64));
    let low = m.register("low", wide.truncate(128));
    m.output("out", part);
    m.output("low_out", low);
    let mut sim = simulator(m);
    let p = sim.port("x").expect("x");
    sim.set_limbs(p, &[1, u64::MAX, 3]);
    sim.run(2).expect("steps");
    assert_eq!(get(&mut sim, "out"), -1);
    let low = sim.port("low_out").expect("low_out");
    assert_eq!(sim.get_bits(low).limbs(), &[1, u64::MAX]);
}

#[test]
fn a_memory_reads_before_it_writes_and_has_byte_enables() {
    let mut m = Builder::clocked("m", file!());
    let (address, data) = (m.input("address", Ty::Unsigned(3)), m.input("data", Ty::Unsigned(96)));
    let (enable, bytes) = (m.input("enable", Ty::BIT), m.input("bytes", Ty::Unsigned(3)));
    let mem = m.memory("mem", 96, 6);
    m.memory_init(mem, vec![Bits::from_u64(96, 7)]);
    m.write_bytes(mem, &enable, &address, &data, Some(bytes));
    let read = m.read(mem, "word", Expr::bit_const(true), &address);
    m.output("out", read);
    let mut sim = simulator(m);
    sim.step().expect("step");
    assert_eq!(get(&mut sim, "out"), 7);
    let p = sim.port("data").expect("data");
    sim.set_bits(p, &Bits::from_i128(96, -1));
    set(&mut sim, "enable", 1);
    set(&mut sim, "bytes", 0b101);
    sim.step().expect("step");
    assert_eq!(get(&mut sim, "out"), 7, "the old word");
    set(&mut sim, "enable", 0);
    sim.step().expect("step");
    let out = sim.port("out").expect("out");
    assert_eq!(sim.get_bits(out), Bits::from_limbs(96, &[0x0000_0000_ffff_ffff, 0xffff_ffff]));
    set(&mut sim, "address", 7);
    set(&mut sim, "enable", 1);
    sim.run(2).expect("steps");
    assert!(sim.get_bits(out).is_zero(), "beyond the depth");
    assert_eq!(sim.read_memory("mem", 0).expect("mem").limbs(), &[0x0000_0000_ffff_ffff, 0xffff_ffff]);
}

#[test]
fn a_process_runs_its_statements_in_order() {
    let mut m = Builder::new("m", file!());
    let s = m.input("s", Ty::Unsigned(2));
    let (v, w) = (m.variable("v", U8), m.variable("w", U8));
    let body = vec![
        m.assign(&v, 1),
        m.assign(&w, v.wrapping_add(1)),
        Stmt::Case(
            s.clone(),
            vec![
                (Expr::constant(Ty::Unsigned(2), 1), vec![m.assign(&v, 10)]),
                (Expr::constant(Ty::Unsigned(2), 2), vec![m.assign(&v, w.wrapping_add(20)), m.assign(&w, &v)]),
            ],
            vec![Stmt::If(s.bit(0), vec![m.assign(&w, 99)], vec![])],
        ),
    ];
    m.process(&[v.clone(), w.clone()], body);
    m.output("v_out", &v);
    m.output("w_out", &w);
    let mut sim = simulator(m);
    for (s, v, w) in [(0, 1, 2), (1, 10, 2), (2, 22, 22), (3, 1, 99)] {
        set(&mut sim, "s", s);
        assert_eq!((get(&mut sim, "v_out"), get(&mut sim, "w_out")), (v, w), "s = {s}");
    }
}

#[test]
fn a_latch_is_refused_by_name() {
    let mut m = Builder::new("m", file!());
    let s = m.input("s", Ty::BIT);
    let v = m.variable("v", U8);
    let assign = m.assign(&v, 1);
    m.process(std::slice::from_ref(&v), vec![Stmt::If(s, vec![assign], vec![])]);
    m.output("out", &v);
    let error = m.build().expect_err("a latch").to_string();
    assert_eq!(error, "module `m`: `v` is not assigned on every path: it would be a latch");
}

fn pass(name: &str) -> Arc<Module> {
    let mut m = Builder::new(name, file!());
    let (a, b) = (m.input("a", U8), m.input("b", U8));
    let inner = m.wire("inner", !&a);
    m.output("x", inner);
    m.output("y", &b & 15);
    m.build().expect("pass")
}

#[test]
fn instances_are_transparent_and_a_loop_through_them_is_named() {
    let mut m = Builder::new("m", file!());
    let a = m.input("a", U8);
    let (u, v) = (m.forward("u", U8), m.forward("v", U8));
    let outs = m.instance("pass", &pass("pass"), &[("a", a), ("b", u.clone())]);
    m.drive(&u, outs.get("x"));
    m.drive(&v, outs.get("y"));
    m.output("out", &v);
    let mut sim = simulator(m);
    set(&mut sim, "a", 0x35);
    assert_eq!(get(&mut sim, "out"), 0x0a);
    assert_eq!(sim.peek("pass.inner").expect("net").low_u64(), 0xca);
    assert_eq!(sim.peek("pass.iner").err().map(|e| e.to_string()), Some("there is no net `pass.iner`".into()));

    let mut m = Builder::new("m", file!());
    let u = m.forward("u", U8);
    let outs = m.instance("pass", &pass("pass"), &[("a", u.clone()), ("b", u.clone())]);
    m.drive(&u, outs.get("x"));
    m.output("out", &u);
    match Simulator::new(&m.build().expect("module")) {
        Err(SimError::Loop { nets }) => {
            for name in ["u", "pass.a", "pass.inner", "pass.x", "pass_x"] {
                assert!(nets.iter().any(|n| n == name), "{name} in {nets:?}");
            }
        }
        other => panic!("a loop, not {:?}", other.err()),
    }
}

#[test]
fn clocks_have_their_own_edges() {
    let mut m = Builder::new("m", file!());
    m.clock("fast");
    let slow = m.clock("slow");
    let fast_count = m.reg_no_reset("fast_count", U8);
    m.next(&fast_count, fast_count.q().wrapping_add(1));
    let mut child = Builder::new("child", file!());
    child.clock("clk");
    let count = child.reg_no_reset("count", U8);
    child.next(&count, count.q().wrapping_add(1));
    child.output("value", count.q());
    let outs = m.instance("child", &child.build().expect("child"), &[("clk", slow)]);
    m.output("f", fast_count.q());
    m.output("s", outs.get("value"));
    let mut sim = simulator(m);
    sim.run(3).expect("steps");
    sim.step_clock("slow").expect("step");
    assert_eq!((get(&mut sim, "f"), get(&mut sim, "s")), (3, 1));
    assert!(sim.step_clock("none").is_err());
}

#[test]
fn a_failing_assertion_is_named_with_its_cycle() {
    let mut child = Builder::clocked("child", file!());
    let count = child.reg("count", U8, 0);
    child.next(&count, count.q().wrapping_add(1));
    child.assert("below_five", count.q().lt(5));
    child.cover("odd", count.q().bit(0));
    child.output("value", count.q());
    let mut m = Builder::clocked("m", file!());
    let outs = m.instance("unit", &child.build().expect("child"), &[]);
    m.output("value", outs.get("value"));
    let mut sim = simulator(m);
    assert_eq!(sim.run(100), Err(SimError::Assertion { name: "unit.below_five".into(), cycle: 5 }));
    assert_eq!(sim.covers()["unit.odd"], 2);
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("lock").extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_trace_has_the_names_of_the_verilog_and_only_changes() {
    let mut child = Builder::clocked("child", file!());
    let x = child.input("x", Ty::BIT);
    let q = child.register("last", &x);
    child.output("y", q);
    let mut m = Builder::clocked("m", file!());
    let x = m.input("x", Ty::BIT);
    let outs = m.instance("unit", &child.build().expect("child"), &[("x", x)]);
    m.output("y", outs.get("y"));
    let mut sim = simulator(m);
    let out = Shared::default();
    sim.trace(out.clone(), 1..4).expect("header");
    set(&mut sim, "x", 1);
    sim.run(10).expect("steps");
    let text = String::from_utf8(out.0.lock().expect("lock").clone()).expect("text");
    for line in ["$scope module m $end", "$scope module unit $end", "$var wire 1 c0 clk_i $end", "#10", "#35"] {
        assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
    }
    assert!(text.contains(" last_q $end") && !text.contains("#40"), "{text}");
    // One value per signal in the first cycle, and no change later.
    let (header, changes) = text.split_once("$enddefinitions $end").expect("definitions");
    assert_eq!(changes.matches('n').count(), header.matches(" n").count(), "{text}");
}
