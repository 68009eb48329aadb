// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bad designs, each found and named.

use heddle_lang::{
    Builder, Expr, Module, Ty,
    check::{self, Finding, Rule, Severity},
    stdlib,
};
use std::sync::Arc;

const U4: Ty = Ty::Unsigned(4);
const U8: Ty = Ty::Unsigned(8);
const I8: Ty = Ty::Signed(8);

/// The messages of a module that must not build.
fn refused(m: Builder) -> String {
    m.build().expect_err("the module must be refused").to_string()
}

fn findings(m: Builder, rule: Rule) -> Vec<String> {
    let all = check::all(&m.build().expect("it builds"));
    all.into_iter().filter(|f| f.rule == rule).map(|f| f.to_string()).collect()
}

#[test]
fn a_sound_design_has_no_findings() {
    let blocks = [
        stdlib::fifo(8, 4),
        stdlib::fifo(8, 40),
        stdlib::skid(8),
        stdlib::gearbox(8, 64),
        stdlib::gearbox(64, 8),
        stdlib::round_robin(3, 8),
        stdlib::fixed_priority(3, 8),
        stdlib::counter(8),
        stdlib::synchroniser(1),
    ];
    for m in blocks {
        assert_eq!(check::all(&m.expect("it builds")), vec![]);
    }
}

#[test]
fn operands_that_do_not_match_are_named() {
    let mut m = Builder::new("m", file!());
    let (a, b, c) = (m.input("a", U8), m.input("b", I8), m.input("c", U4));
    m.output("x", &a + &b);
    m.output("y", &a & &c);
    m.output("z", c.any().mux(&a, &c));
    m.output("w", a.wrapping_add(300));
    let text = refused(m);
    for part in [
        "module `m`",
        "Add needs operands of one sign: `a` (u8) and `b` (i8) do not match",
        "And needs operands of one type: `a` (u8) and `c` (u4) do not match",
        "a mux needs values of one type: `a` (u8) and `c` (u4) do not match",
        "the constant 300 does not fit u8",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_driver_of_another_width_is_named() {
    let mut m = Builder::clocked("m", file!());
    let a = m.input("a", U8);
    let out = m.output_port("out", U4);
    m.drive(&out, &a);
    let r = m.reg("r", U4, 0);
    m.next(&r, &a);
    m.output("q", r.q());
    let text = refused(m);
    assert!(text.contains("`out` is u4, but `a` (u8) does not match it"), "{text}");
    assert!(text.contains("`r` (u4)` is u4, but `a` (u8) does not match it") || text.contains("`r` (u4) is u4"), "{text}");
}

#[test]
fn a_process_that_nothing_would_start_is_named() {
    let mut m = Builder::new("m", file!());
    let v = m.variable("v", U8);
    let body = vec![m.assign(&v, 3), m.assign(&v, v.wrapping_add(1))];
    m.process(std::slice::from_ref(&v), body);
    m.output("q", &v);
    let text = refused(m);
    assert!(text.contains("the process of `v` reads nothing"), "{text}");
}

#[test]
fn a_name_used_twice_is_named() {
    let mut m = Builder::new("m", file!());
    let a = m.input("a", U8);
    m.wire("x", !&a);
    m.wire("x", &a & 1);
    m.wire("9x", &a & 1);
    let text = refused(m);
    assert!(text.contains("the name `x` is used twice") && text.contains("`9x` is not a name"), "{text}");
}

#[test]
fn a_net_without_a_driver_or_with_two_is_named() {
    let mut m = Builder::new("m", file!());
    let a = m.input("a", U8);
    let lost = m.forward("lost", U8);
    let twice = m.output_port("twice", U8);
    m.drive(&twice, &a);
    m.drive(&twice, &lost);
    let text = refused(m);
    assert!(text.contains("`lost` has no driver") && text.contains("`twice` has 2 drivers"), "{text}");
}

#[test]
fn a_net_of_another_module_is_named() {
    let mut other = Builder::new("other", file!());
    other.input("first", U8);
    let foreign = other.input("foreign", U8);
    let mut m = Builder::new("m", file!());
    m.input("a", U8);
    m.output("x", !foreign);
    let text = refused(m);
    assert!(text.contains("`foreign` is not a net of this module"), "{text}");
}

fn leaf() -> Arc<Module> {
    let mut m = Builder::new("leaf", file!());
    let (a, b) = (m.input("a", U8), m.input("b", U8));
    m.output("x", &a & 3);
    m.output("y", &a ^ &b);
    m.build().expect("leaf")
}

#[test]
fn an_instance_that_does_not_fit_is_named() {
    let mut m = Builder::new("m", file!());
    let c = m.input("c", U4);
    let outs = m.instance("unit", &leaf(), &[("a", c.clone()), ("z", c)]);
    m.output("x", outs.get("nothing"));
    let text = refused(m);
    for part in [
        "module `leaf` has no input `z`",
        "input `b` of `leaf` is not connected",
        "`unit.a` is u8, but `c` (u4) does not match it",
        "instance `unit` has no output `nothing`",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_loop_is_named_also_through_instances() {
    let mut m = Builder::new("m", file!());
    let (u, v) = (m.forward("u", U8), m.forward("v", U8));
    m.drive(&u, &v ^ 1);
    m.drive(&v, !&u);
    m.output("x", &u);
    let found = findings(m, Rule::Loop);
    assert!(
        found == ["error: module `m`: combinational loop: u -> v -> u"] || found == ["error: module `m`: combinational loop: v -> u -> v"],
        "{found:?}"
    );

    let mut m = Builder::new("m", file!());
    let u = m.forward("u", U8);
    let outs = m.instance("unit", &leaf(), &[("a", u.clone()), ("b", u.clone())]);
    m.drive(&u, outs.get("y"));
    m.output("x", outs.get("x"));
    let found = findings(m, Rule::Loop);
    assert!(found.len() == 1 && found[0].contains("unit_y (through `unit`)"), "{found:?}");
}

#[test]
fn paths_say_which_input_reaches_which_output() {
    let paths = check::paths(&leaf()).expect("no loop");
    let inputs = |output: &str| paths[output].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!((inputs("x"), inputs("y")), (vec!["a"], vec!["a", "b"]));
    let fifo = check::paths(&stdlib::fifo(8, 20).expect("fifo")).expect("no loop");
    assert!(fifo.values().all(|inputs| inputs.is_empty()), "{fifo:?}");
}

#[test]
fn ready_must_not_reach_valid() {
    let mut m = Builder::new("m", file!());
    let input = stdlib::Stream::input(&mut m, "in", U8);
    let output = stdlib::Stream::output(&mut m, "out", U8);
    m.drive(&output.valid, input.transfer());
    m.drive(&output.data, &input.data);
    m.drive(&input.ready, &output.ready);
    let found = findings(m, Rule::Stream);
    assert_eq!(found, ["error: module `m`: a combinational path leads from `out_ready` back to `out_valid`"]);
}

/// A register of clock `a` whose value goes to a register of clock `b`.
fn crossing(synchronised: bool, logic: bool) -> Vec<String> {
    let mut m = Builder::new("m", file!());
    m.clock("a");
    let b = m.clock("b");
    let toggle = m.reg_no_reset("toggle", Ty::BIT);
    m.next(&toggle, !toggle.q());
    let value = if logic { !toggle.q() } else { toggle.q() };
    let value = match synchronised {
        true => m.instance("bridge", &stdlib::synchroniser(1).expect("synchroniser"), &[("clk", b.clone()), ("from", value)]).get("to"),
        false => value,
    };
    let mut receiver = Builder::new("receiver", file!());
    receiver.clock("clk");
    let x = receiver.input("x", Ty::BIT);
    let caught = receiver.register("caught", x);
    receiver.output("y", caught);
    let outs = m.instance("unit", &receiver.build().expect("receiver"), &[("clk", b), ("x", value)]);
    m.output("y", outs.get("y"));
    findings(m, Rule::Clock)
}

#[test]
fn a_clock_crossing_needs_a_synchroniser_behind_a_register() {
    assert_eq!(crossing(true, false), [""; 0]);
    assert_eq!(crossing(false, false), ["error: module `m`: `unit.caught` (clock `b`) reads `toggle` (clock `a`) without a synchroniser"]);
    assert_eq!(crossing(true, true), ["error: module `m`: logic lies between `toggle` (clock `a`) and the synchroniser's `bridge.first`"]);
}

#[test]
fn two_modules_of_one_name_clash() {
    let named = |value: i128| {
        let mut m = Builder::new("same", file!());
        m.output("x", Expr::constant(U8, value));
        m.build().expect("module")
    };
    let mut m = Builder::new("m", file!());
    let (a, b) = (m.instance("a", &named(1), &[]), m.instance("b", &named(2), &[]));
    m.output("x", a.get("x") ^ b.get("x"));
    assert_eq!(findings(m, Rule::Name), ["error: module `m`: two different modules are called `same`"]);
}

#[test]
fn an_unread_net_is_a_warning_unless_its_name_says_so() {
    let mut m = Builder::new("m", file!());
    let a = m.input("a", U8);
    m.input("unused_b", U8);
    m.wire("idle", !&a);
    m.unused("low_bits", "The low bits do not matter", &[a.slice(0, 2)]);
    m.output("x", &a);
    let expected = Finding { severity: Severity::Warning, rule: Rule::Unused, module: "m".into(), message: "nothing reads `idle`".into() };
    assert_eq!(check::all(&m.build().expect("it builds")), [expected]);
}

#[test]
fn an_input_and_an_output_do_not_share_a_name() {
    let mut m = Builder::new("m", file!());
    let a = m.input("a", U8);
    m.output("a", !a);
    assert_eq!(m.build().expect_err("it does not build").messages, ["two ports are called `a`"]);
}
