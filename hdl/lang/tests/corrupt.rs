// SPDX-License-Identifier: MIT OR Apache-2.0
//! A design of two power domains, corrupted: what is lost, what is kept, what gets out.

mod corrupt_cases;

use corrupt_cases::{Bench, domains, top};
use heddle_lang::{
    Builder, Expr, Ty, check,
    corrupt::{CorruptError, corrupt},
    module::{Item, Module},
};
use std::{collections::BTreeSet, sync::Arc};

/// The two domains, isolated, retained and restored as they should be.
fn bench() -> Bench {
    Bench::new(&top(true), 7)
}

#[test]
fn registers_hold_random_values_while_off() {
    let mut b = bench();
    b.load([11, 22]);
    b.set("off_a", 1);
    let seen: BTreeSet<u64> = (0..50).map(|_| b.step().peek("group.unit_a.count")).collect();
    assert!(seen.len() > 40, "{seen:?}");
    // The memory too, and the other domain not at all.
    let words: BTreeSet<u64> = (0..50).map(|_| b.step().peek("group.unit_a.store.word")).collect();
    assert!(words.len() > 40, "{words:?}");
    assert_eq!(b.peek("group.unit_b.count"), 22);
}

#[test]
fn registers_differ_from_each_other() {
    let mut b = bench();
    b.set("off_a", 1);
    b.set("off_b", 1);
    let mut equal = 0;
    for _ in 0..200 {
        b.step();
        let all = ["unit_a.count", "unit_a.kept", "unit_b.count", "unit_b.kept"].map(|n| b.peek(&format!("group.{n}")));
        equal += (0..4).flat_map(|i| (0..i).map(move |j| (i, j))).filter(|&(i, j)| all[i] == all[j]).count();
    }
    assert!(equal < 20, "{equal} of 1200 pairs of bytes");
}

#[test]
fn a_retained_register_comes_back_and_the_others_do_not() {
    let mut b = bench();
    b.load([11, 22]);
    b.cycle_power(true, true);
    assert_eq!(b.peek("group.unit_a.kept"), 11);
    assert_ne!(b.peek("group.unit_a.count"), 11);
    assert_eq!(b.peek("group.unit_b.kept"), 22);
    // A reset of the domain clears what has one, and leaves the retained one.
    b.set("domain_rst", 1);
    b.step();
    assert_eq!((b.peek("group.unit_a.count"), b.peek("group.unit_a.kept")), (0, 11));
}

#[test]
fn without_save_or_restore_it_does_not() {
    for (save, restore) in [(false, true), (true, false)] {
        let mut b = bench();
        b.load([11, 22]);
        b.cycle_power(save, restore);
        assert_ne!(b.peek("group.unit_a.kept"), 11, "save {save} restore {restore}");
    }
}

#[test]
fn words_of_a_memory_are_known_once_written_again() {
    let mut b = bench();
    b.load([11, 22]);
    assert_eq!(b.peek("group.unit_a.store.word"), 11);
    b.cycle_power(true, true);
    let unknown: BTreeSet<u64> = (0..20).map(|_| b.step().peek("group.unit_a.store.word")).collect();
    assert!(unknown.len() > 10, "{unknown:?}");
    b.load([33, 22]);
    assert_eq!((b.step().peek("group.unit_a.store.word"), b.step().peek("group.unit_a.store.word")), (33, 33));
}

#[test]
fn isolation_keeps_the_noise_inside() {
    for isolated in [true, false] {
        let mut b = Bench::new(&top(isolated), 3);
        b.load([11, 22]);
        b.set("isolate_a", 1);
        b.set("off_a", 1);
        let seen: BTreeSet<u64> = (0..50).map(|_| b.step().get("out_a")).collect();
        assert_eq!(seen == BTreeSet::from([0]), isolated, "{seen:?}");
    }
}

#[test]
fn with_power_nothing_changes() {
    let (mut plain, mut corrupted) = (Bench::plain(&top(true)), bench());
    plain.load([1, 2]);
    corrupted.load([1, 2]);
    for i in 0..300u64 {
        for b in [&mut plain, &mut corrupted] {
            b.set("x_a", i * 37);
            b.set("x_b", i * 91);
            b.set("enable", u64::from(i % 3 != 0));
            b.set("domain_rst", u64::from(i % 50 == 0));
            b.step();
        }
        assert_eq!(["out_a", "out_b"].map(|o| plain.get(o)), ["out_a", "out_b"].map(|o| corrupted.get(o)), "cycle {i}");
    }
}

#[test]
fn the_seed_decides_the_noise() {
    let run = |seed| {
        let mut b = Bench::new(&top(true), seed);
        b.set("off_a", 1);
        (0..8).map(|_| b.step().peek("group.unit_a.count")).collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    assert!(run(0).iter().collect::<BTreeSet<_>>().len() > 4, "a seed of 0 gives noise as well");
}

#[test]
fn the_new_design_is_sound_and_the_old_one_untouched() {
    let top = top(true);
    let before = format!("{top:?}");
    let new = corrupt(&top, &domains(&top)).unwrap();
    assert_eq!(before, format!("{top:?}"));
    assert_eq!(check::all(&new), []);
    let names: Vec<String> = new.hierarchy().iter().map(|m| m.name.clone()).collect();
    let expected = ["store_corrupt", "unit_corrupt", "isolate", "group_corrupt", "top_corrupt"];
    assert_eq!(names, expected);
    let ports: Vec<&str> = new.ports().map(|(_, n)| n.name.as_str()).filter(|n| top.port(n).is_none()).collect();
    assert_eq!(ports, ["noise_seed"]);
}

#[test]
fn a_module_stays_whole_outside_of_the_domains() {
    let top = top(true);
    let all = domains(&top);
    let new = corrupt(&top, &all[..1]).unwrap();
    assert_eq!(new.at("group/unit_a").unwrap().name, "unit_corrupt");
    assert_eq!(new.at("group/unit_b").unwrap().name, "unit");
    assert_eq!(check::all(&new), []);
}

#[test]
fn errors_name_domain_and_object() {
    let top = top(true);
    let change = |f: &dyn Fn(&mut Vec<heddle_lang::corrupt::Domain>)| {
        let mut domains = domains(&top);
        f(&mut domains);
        corrupt(&top, &domains).unwrap_err()
    };
    let error = change(&|d| d[0].elements[0] = "group/unit_z".into());
    assert_eq!(error, CorruptError::NoInstance { domain: "a".into(), path: "group/unit_z".into() });
    let error = change(&|d| d[1].elements[0] = "group".into());
    assert_eq!(error.to_string(), "domain `b`: `group` lies in domain `a` as well");
    let error = change(&|d| d[0].save = Expr::constant(Ty::Unsigned(2), 1));
    assert!(error.to_string().contains("domain `a`: `save` must be one bit"), "{error}");
    let other = Module { nets: vec![], ..Module::clone(&top) };
    assert!(matches!(corrupt(&Arc::new(other), &domains(&top)), Err(CorruptError::Condition { .. })));
    let mut m = Builder::new("bare", file!());
    let x = m.input("x", Ty::BIT);
    m.output("y", x);
    assert!(matches!(corrupt(&m.build().unwrap(), &[]), Err(CorruptError::NoReset { .. })));
    let again = corrupt(&corrupt(&top, &domains(&top)).unwrap(), &[]);
    assert!(matches!(again, Err(CorruptError::Name { .. })));
}

#[test]
fn a_register_with_a_reset_cannot_be_retained() {
    let mut m = Builder::clocked("m", file!());
    let r = m.reg("state", Ty::Unsigned(4), 0);
    m.retain(&r);
    m.output("y", r.q());
    let error = m.build().unwrap_err().to_string();
    assert!(error.contains("`state`") && error.contains("cannot be retained"), "{error}");
}

#[test]
fn retained_registers_say_so() {
    let top = top(true);
    let unit = top.at("group/unit_a").unwrap();
    let retained = unit.items.iter().filter(|i| matches!(i, Item::Register(r) if r.retained)).count();
    assert_eq!(retained, 1);
    let text = heddle_lang::verilog::module(unit, &Default::default()).unwrap();
    assert!(text.contains("kept_q;  // retained"), "{text}");
}
