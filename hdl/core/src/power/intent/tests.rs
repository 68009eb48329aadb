// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is refused, on a small design of two domains.

use super::*;
use heddle_lang::{Builder, check};

const BYTE: Ty = Ty::Unsigned(8);

/// What is wrong with the design.
#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    None,
    /// The output of column 1 goes round its cell.
    Bypassed,
    /// The cell of column 1 clamps where its control is low.
    Inverted,
    /// It clamps to ones.
    Ones,
    /// It is controlled by the other domain's signal.
    Crossed,
}

fn column() -> Arc<Module> {
    let mut m = Builder::clocked("column", file!());
    let x = m.input("x", BYTE);
    let acc = m.reg_no_reset("acc", BYTE);
    m.next(&acc, &x);
    m.retain(&acc);
    let count = m.register_reset("count", &x);
    m.output("acc", acc.q() ^ count);
    m.build().unwrap()
}

fn cell(flaw: Flaw) -> Arc<Module> {
    let mut m = Builder::new(if flaw == Flaw::None { "isolate" } else { "isolate_bad" }, file!());
    let (isolate, acc) = (m.input("isolate", Ty::BIT), m.input("acc", BYTE));
    let clamped = match flaw {
        Flaw::Inverted => isolate.mux(&acc, &Expr::constant(BYTE, 0)),
        Flaw::Ones => isolate.mux(0xff, &acc),
        _ => isolate.mux(0, &acc),
    };
    m.output("clamped_acc", clamped);
    m.build().unwrap()
}

fn array(flaw: Flaw) -> Arc<Module> {
    let mut m = Builder::clocked("array", file!());
    let (x, isolate) = (m.input("x", BYTE), m.input("isolate", Ty::Unsigned(2)));
    let around = flaw == Flaw::Bypassed;
    for c in 0..2 {
        let bit = if flaw == Flaw::Crossed { 0 } else { c };
        let flaw = if c == 1 && matches!(flaw, Flaw::Inverted | Flaw::Ones) { flaw } else { Flaw::None };
        let acc = m.instance(&format!("column_{c}"), &column(), &[("x", x.clone())]).get("acc");
        let inputs = [("isolate", isolate.bit(bit)), ("acc", acc.clone())];
        let cell = m.instance(&format!("isolate_{c}"), &cell(flaw), &inputs).get("clamped_acc");
        m.output(&format!("acc_{c}"), cell);
        if around {
            m.output(&format!("raw_{c}"), acc);
        }
    }
    m.build().unwrap()
}

/// A register per output.
fn controller() -> Arc<Module> {
    let mut m = Builder::clocked("domain", file!());
    let good = m.input("good", Ty::BIT);
    for name in ["isolate", "save", "restore", "clock_enable", "domain_rst", "weak_on", "strong_on"] {
        let q = m.register_reset(name, &good);
        m.output(name, q);
    }
    m.build().unwrap()
}

const CONTROLS: [&str; 5] = ["isolate", "save", "restore", "clock_enable", "domain_rst"];

fn power() -> Arc<Module> {
    let mut m = Builder::clocked("power", file!());
    let acks = [m.input("weak_acks", Ty::Unsigned(2)), m.input("strong_acks", Ty::Unsigned(2)), m.input("good", Ty::Unsigned(2))];
    let domains: Vec<_> = (0..2)
        .map(|d| m.instance(&format!("domain_{d}"), &controller(), &[("good", acks[0].bit(d) & acks[1].bit(d) & acks[2].bit(d))]))
        .collect();
    for name in CONTROLS.into_iter().chain(["weak_on", "strong_on"]) {
        m.output(name, Expr::pack(&[domains[0].get(name), domains[1].get(name)]));
    }
    m.build().unwrap()
}

fn top(flaw: Flaw) -> Arc<Module> {
    let mut m = Builder::clocked("top", file!());
    let x = m.input("x", BYTE);
    let acks = ["power_weak_ack", "power_strong_ack", "power_good"].map(|name| m.input(name, Ty::Unsigned(2)));
    let [weak, strong, good] = acks;
    let power = m.instance("power", &power(), &[("weak_acks", weak), ("strong_acks", strong), ("good", good)]);
    let array = m.instance("array", &array(flaw), &[("x", x), ("isolate", power.get("isolate"))]);
    m.output("power_weak_on", power.get("weak_on"));
    m.output("power_strong_on", power.get("strong_on"));
    for c in 0..2 {
        m.output(&format!("acc_{c}"), array.get(&format!("acc_{c}")));
        if flaw == Flaw::Bypassed {
            m.output(&format!("raw_{c}"), array.get(&format!("raw_{c}")));
        }
    }
    m.build().unwrap()
}

fn intent() -> Intent {
    let domain = |d: u32| {
        let signal = |name: &str| Signal::new(name, d);
        let chain = |name: &str| Switches {
            control: vec![signal(&format!("power_{name}_on_o"))],
            ack: vec![signal(&format!("power_{name}_ack_i"))],
        };
        Domain {
            name: format!("columns_{d}"),
            elements: vec![format!("array/column_{d}")],
            controller: format!("power/domain_{d}"),
            weak: chain("weak"),
            strong: chain("strong"),
            power_good: signal("power_good_i"),
            clock_enable: signal("power_clock_enable"),
            reset: signal("power_domain_rst"),
            isolation: Isolation {
                cells: vec![format!("array/isolate_{d}")],
                signal: signal("power_isolate"),
                sense: Sense::High,
                clamp: false,
            },
            retention: Retention {
                registers: vec![format!("array/column_{d}/acc")],
                save: signal("power_save"),
                restore: signal("power_restore"),
            },
        }
    };
    Intent { domains: vec![domain(0), domain(1)] }
}

/// The message of the refusal.
fn refused(flaw: Flaw, change: impl FnOnce(&mut Vec<Domain>)) -> String {
    let mut intent = intent();
    change(&mut intent.domains);
    intent.check(&top(flaw)).expect_err("a refusal").to_string()
}

#[test]
fn a_sound_intent_passes_and_corrupts() {
    let top = top(Flaw::None);
    intent().check(&top).unwrap();
    let corrupted = intent().corrupted(&top).unwrap();
    assert!(check::all(&corrupted).iter().all(|f| f.severity == check::Severity::Warning), "{:?}", check::all(&corrupted));
    assert!(corrupted.port(corrupt::SEED).is_some());
    assert_eq!(retained(&top, "array"), ["array/column_0/acc", "array/column_1/acc"]);
}

#[test]
fn unknown_names_are_refused() {
    assert_eq!(
        refused(Flaw::None, |d| d[1].elements[0] = "array/column_7".into()),
        "power domain `columns_1`: there is no instance `array/column_7`"
    );
    assert!(refused(Flaw::None, |d| d[0].controller = "power/domain_9".into()).contains("`power/domain_9`"));
    assert!(
        refused(Flaw::None, |d| d[0].isolation.cells[0] = "array/cell".into()).contains("`columns_0`: there is no instance `array/cell`")
    );
    let bit = refused(Flaw::None, |d| d[1].retention.save.bit = 2);
    assert_eq!(bit, "power domain `columns_1`: the save signal is `power_save[2]`, which must be a bit of a net of the top");
    let net = refused(Flaw::None, |d| d[0].isolation.signal.net = "power_isolation".into());
    assert!(net.contains("the isolation control is `power_isolation[0]`"), "{net}");
    let ack = refused(Flaw::None, |d| d[0].weak.ack[0].net = "power_weak_on_o".into());
    assert!(ack.contains("a switch acknowledge is `power_weak_on_o[0]`, which must be a bit of an input port"), "{ack}");
    let missing = refused(Flaw::None, |d| d[0].strong.ack.clear());
    assert_eq!(missing, "power domain `columns_0`: 1 controls but 0 acknowledges of the strong switches");
}

#[test]
fn a_domain_that_contains_its_controller_is_refused() {
    let own = refused(Flaw::None, |d| d[0].elements.push("power/domain_0".into()));
    assert!(own.starts_with("power domain `columns_0` contains the controller of `columns_0` (`power/domain_0`)"), "{own}");
    let whole = refused(Flaw::None, |d| d[1].elements = vec!["power".into()]);
    assert!(whole.starts_with("power domain `columns_1` contains the controller of `columns_0`"), "{whole}");
    // The controller is named wrongly, but what drives the isolation control shows it.
    let source = refused(Flaw::None, |d| {
        d[0].elements.push("power/domain_1".into());
        d[1].controller = "power/domain_0".into();
    });
    assert!(source.contains("contains the clock enable of `columns_1` (`power/domain_1`)"), "{source}");
    let cell = refused(Flaw::None, |d| d[0].elements.push("array/isolate_0".into()));
    assert!(cell.contains("contains an isolation cell of `columns_0` (`array/isolate_0`)"), "{cell}");
}

#[test]
fn domains_share_nothing() {
    let overlap = refused(Flaw::None, |d| d[1].elements[0] = "array/column_0".into());
    assert_eq!(overlap, "power domain `columns_1`: `array/column_0` lies in domain `columns_0` as well");
    assert!(refused(Flaw::None, |d| d[1].elements[0] = "array".into()).contains("`array` lies in domain `columns_0`"));
    let signal = refused(Flaw::None, |d| d[1].retention.restore.bit = 0);
    assert!(
        signal.contains("`columns_1`: the restore signal is `power_restore[0]`, which is the restore signal of domain `columns_0`"),
        "{signal}"
    );
}

#[test]
fn an_output_without_isolation_is_refused() {
    let bypassed = refused(Flaw::Bypassed, |_| {});
    assert_eq!(bypassed, "power domain `columns_0`: output `acc` of `array/column_0` reaches `raw_0_o` without isolation");
    let unnamed = refused(Flaw::None, |d| d[1].isolation.cells.clear());
    assert_eq!(unnamed, "power domain `columns_1`: output `acc` of `array/column_1` reaches `isolate_1` without isolation");
}

#[test]
fn wrong_polarities_are_refused() {
    let inverted = refused(Flaw::Inverted, |_| {});
    assert!(inverted.contains("isolation cell `array/isolate_1` does not give 0 on `clamped_acc` for 1 with `isolate` = 1"), "{inverted}");
    assert!(refused(Flaw::Ones, |_| {}).contains("does not give 0 on `clamped_acc` for 0 with `isolate` = 1"));
    let sense = refused(Flaw::None, |d| d[0].isolation.sense = Sense::Low);
    assert!(sense.contains("`array/isolate_0` does not give 0 on `clamped_acc` for 1 with `isolate` = 0"), "{sense}");
    assert!(refused(Flaw::None, |d| d[0].isolation.clamp = true).contains("does not give 1 on `clamped_acc`"));
    let crossed = refused(Flaw::Crossed, |_| {});
    assert_eq!(crossed, "power domain `columns_1`: isolation cell `array/isolate_1` is not controlled by `power_isolate[1]`");
}

#[test]
fn what_cannot_be_retained_is_refused() {
    let retain = |path: &str| {
        let path = path.to_string();
        refused(Flaw::None, |d| d[0].retention.registers = vec![path])
    };
    assert!(retain("array/column_0/count").ends_with("`array/column_0/count` cannot be retained: it has a reset"));
    assert!(retain("array/column_0/sum").ends_with("it does not exist"));
    assert!(retain("array/column_1/acc").ends_with("it is not in the domain"));
}
