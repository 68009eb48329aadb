// SPDX-License-Identifier: MIT OR Apache-2.0
//! The formal flow: its answers on small modules whose answers are known, the proofs of the library, and some of the
//! changes that must violate them (`heddle verify --formal --mutations` makes all of them). Needs Yosys and Yices.

use heddle_lang::{Builder, Expr, Module, Simulator, Ty, module::PropertyKind, primitive::Primitive, verilog};
use heddle_tb::{
    formal::{Effort, Engine, FormalError, Options, SolverError, Tools, Trace, Verdict, harness, models, observe, select, verify},
    tools::{have_formal, make_script},
};
use std::{path::Path, sync::Arc, time::Duration};

const EFFORT: Effort = Effort { depth: 12, induction: 3, limit: Duration::from_secs(20) };

fn built(m: Builder) -> Arc<Module> {
    m.build().unwrap_or_else(|e| panic!("{e}"))
}

fn tools() -> Tools {
    Tools::find().unwrap_or_else(|e| panic!("{e}"))
}

/// The verdict of each assertion.
fn check(module: &Arc<Module>, effort: Effort) -> Result<Vec<(String, Verdict)>, FormalError> {
    let tools = tools();
    let model = models(&tools.yosys, std::slice::from_ref(module))?.remove(0);
    let engine = Engine { program: &tools.solver, effort };
    engine.assumptions(&model)?;
    Ok(engine.assertions(&model, None)?.into_iter().map(|c| (c.name, c.verdict)).collect())
}

fn verdict(module: &Arc<Module>, effort: Effort) -> Verdict {
    let all = check(module, effort).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(all.len(), 1, "{all:?}");
    all.into_iter().map(|(_, verdict)| verdict).next().unwrap_or_else(|| panic!("no assertion"))
}

/// Counts the cycles in which `go` is high, up to 4 and back to 0.
fn counting(claims: impl Fn(&mut Builder, &Expr)) -> Arc<Module> {
    let mut m = Builder::clocked("counting", file!());
    let go = m.input("go", Ty::BIT);
    let count = m.reg("count", Ty::Unsigned(3), 0);
    m.on(&count, &go & count.q().eq(4), 0);
    m.on(&count, &go, count.q().wrapping_add(1));
    m.output("count", count.q());
    claims(&mut m, &count.q());
    built(m)
}

fn never(m: &mut Builder, count: &Expr, value: u32) {
    let rst = m.reset();
    m.assert(&format!("never_{value}"), rst | count.ne(value));
}

/// The native simulation of a run of the solver, which must violate the assertion in its last cycle and not before.
fn replay(module: &Arc<Module>, trace: &Trace, inputs: &[&str]) {
    let mut sim = Simulator::new(module).unwrap_or_else(|e| panic!("{e}"));
    for t in 0..trace.cycles {
        for input in inputs {
            let port = sim.port(input).unwrap_or_else(|e| panic!("{e}"));
            let values = trace.numbers(&format!("{input}_i")).unwrap_or_else(|| panic!("no `{input}` in the trace"));
            sim.set(port, values[t]);
        }
        let step = sim.step();
        assert_eq!(step.is_err(), t + 1 == trace.cycles, "cycle {t}: {step:?}");
    }
}

#[test]
fn a_false_property_fails_with_a_run_that_simulation_repeats() {
    if !have_formal("a_false_property_fails_with_a_run_that_simulation_repeats") {
        return;
    }
    let module = counting(|m, count| never(m, count, 3));
    let Verdict::Failed { trace } = verdict(&module, EFFORT) else { panic!("a false property holds") };
    assert_eq!(trace.cycles, 5, "reset, three counts, and the cycle that sees the third");
    assert_eq!(trace.numbers("rst_i"), Some(vec![1, 0, 0, 0, 0]));
    assert_eq!(trace.numbers("count_o").map(|c| c[1..].to_vec()), Some(vec![0, 1, 2, 3]));
    replay(&module, &trace, &["rst", "go"]);
    let table = trace.table();
    assert!(table.starts_with("cycle   0 1 2 3 4\n"), "{table}");
    assert!(table.lines().any(|l| l == "rst_i   1 0 0 0 0"), "{table}");
    let vcd = trace.vcd();
    assert!(vcd.contains(" count_q [2:0] $end") && vcd.contains("#40\n") && vcd.ends_with("#50\n"), "{vcd}");
}

#[test]
fn what_induction_cannot_close_is_bounded_until_another_property_helps() {
    if !have_formal("what_induction_cannot_close_is_bounded_until_another_property_helps") {
        return;
    }
    // From the unreachable 6 it stands as long as it likes before it goes to 7: no k is large enough.
    let alone = counting(|m, count| never(m, count, 7));
    assert_eq!(verdict(&alone, EFFORT), Verdict::Bounded { cycles: EFFORT.depth });
    let together = counting(|m, count| (5..8).for_each(|value| never(m, count, value)));
    for (name, verdict) in check(&together, EFFORT).unwrap_or_else(|e| panic!("{e}")) {
        assert_eq!(verdict, Verdict::Proven { k: 1 }, "{name}");
    }
    // A false one does not drag along those that need no help from it.
    let mixed = counting(|m, count| (4..8).for_each(|value| never(m, count, value)));
    let verdicts = check(&mixed, EFFORT).unwrap_or_else(|e| panic!("{e}"));
    let proven = verdicts.iter().filter(|(_, v)| matches!(v, Verdict::Proven { .. })).count();
    let failed: Vec<&str> = verdicts.iter().filter(|(_, v)| matches!(v, Verdict::Failed { .. })).map(|(n, _)| n.as_str()).collect();
    assert_eq!((proven, failed), (3, vec!["never_4"]));
}

#[test]
fn covers_are_reached_as_early_as_they_can_be_or_not_at_all() {
    if !have_formal("covers_are_reached_as_early_as_they_can_be_or_not_at_all") {
        return;
    }
    let module = counting(|m, count| {
        m.cover("four", count.eq(4));
        m.cover("six", count.eq(6));
    });
    let tools = tools();
    let model = models(&tools.yosys, &[module]).unwrap_or_else(|e| panic!("{e}")).remove(0);
    let covers = Engine { program: &tools.solver, effort: EFFORT }.covers(&model).unwrap_or_else(|e| panic!("{e}"));
    let found: Vec<(&str, Option<u32>, u32)> = covers.iter().map(|c| (c.name.as_str(), c.reached, c.searched)).collect();
    assert_eq!(found, [("four", Some(5), 6), ("six", None, EFFORT.depth)]);
}

#[test]
fn a_property_that_takes_too_long_is_given_up_and_the_others_are_not() {
    if !have_formal("a_property_that_takes_too_long_is_given_up_and_the_others_are_not") {
        return;
    }
    // The product of two primes of 32 bits: to find them takes a solver longer than anybody waits.
    const PRODUCT: i128 = 2_860_486_313 * 3_267_000_013;
    let mut m = Builder::clocked("factors", file!());
    let (a, b) = (m.input("a", Ty::Unsigned(32)), m.input("b", Ty::Unsigned(32)));
    m.assert("is_prime", (&a * &b).ne(Expr::constant(Ty::Unsigned(64), PRODUCT)));
    m.assert("is_simple", (&a & !&a).is_zero());
    let start = std::time::Instant::now();
    let verdicts = check(&built(m), Effort { limit: Duration::from_secs(1), ..EFFORT }).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(verdicts[0], ("is_prime".into(), Verdict::Bounded { cycles: 0 }));
    assert_eq!(verdicts[1], ("is_simple".into(), Verdict::Proven { k: 1 }));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn assumptions_that_contradict_each_other_are_refused() {
    if !have_formal("assumptions_that_contradict_each_other_are_refused") {
        return;
    }
    let module = counting(|m, count| {
        m.assume("low", count.lt(2));
        m.assume("high", count.ge(2));
        never(m, count, 6);
    });
    let error = check(&module, EFFORT).expect_err("nothing can be proven").to_string();
    assert!(error.starts_with("the assumptions contradict each other within 12 cycles"), "{error}");
}

#[test]
fn a_module_with_two_clocks_is_refused() {
    if !have_formal("a_module_with_two_clocks_is_refused") {
        return;
    }
    let mut m = Builder::clocked("two_clocks", file!());
    m.clock("other");
    let a = m.input("a", Ty::BIT);
    m.assert("nothing", &a | !&a);
    let error = check(&built(m), EFFORT).expect_err("two clocks are refused").to_string();
    assert_eq!(error, "`two_clocks` has several clocks; a proof knows one");
}

#[test]
fn a_broken_solver_is_an_error_and_no_answer() {
    if !have_formal("a_broken_solver_is_an_error_and_no_answer") {
        return;
    }
    let module = counting(|m, count| never(m, count, 3));
    let model = models(&tools().yosys, &[module]).unwrap_or_else(|e| panic!("{e}")).remove(0);
    let folder = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let ask = |program: &Path| match (Engine { program, effort: EFFORT }).assertions(&model, None) {
        Err(FormalError::Solver(error)) => error,
        other => panic!("{other:?}"),
    };
    let script = |name: &str, text: &str| {
        let path = folder.path().join(name);
        make_script(&path, text).unwrap_or_else(|e| panic!("{e}"));
        path
    };
    assert!(matches!(ask(Path::new("/nowhere/yices-smt2")), SolverError::Start { .. }));
    assert!(matches!(ask(&script("ends", "#!/bin/sh\nexit 3\n")), SolverError::Ended { status } if status.contains('3')));
    assert!(
        matches!(ask(&script("says", "#!/bin/sh\necho unknown\ncat >/dev/null\n")), SolverError::Answer { answer } if answer == "unknown")
    );
}

#[test]
fn sight_of_registers_in_instances() {
    let mut m = Builder::clocked("outside", file!());
    let go = m.input("go", Ty::BIT);
    let inner = counting(|_, _| {});
    let counter = m.instance("counter", &inner, &[("go", go)]);
    m.output("count", counter.get("count"));
    let seen = observe(&built(m), &["counter.count_q", "go_i", "nothing.count_q", "nothing_q"]);
    let ports: Vec<&str> = seen.ports().map(|(_, net)| net.name.as_str()).filter(|n| n.starts_with("seen")).collect();
    assert_eq!(ports, ["seen_counter_count", "seen_go"]);
    let mut sim = Simulator::new(&seen).unwrap_or_else(|e| panic!("{e}"));
    let [go, count] = ["go", "seen_counter_count"].map(|name| sim.port(name).unwrap_or_else(|e| panic!("{e}")));
    sim.set(go, 1);
    sim.run(3).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(sim.get(count), 3);
}

#[test]
fn every_block_says_what_its_properties_mean_and_how_they_can_fail() {
    for block in harness::blocks().unwrap_or_else(|e| panic!("{e}")) {
        assert_eq!(block.gaps(), Vec::<String>::new());
    }
}

#[test]
fn the_page_of_results_has_every_property_and_no_other() {
    let page = include_str!("../../docs/results/formal.md");
    let (properties, rest) = page.split_once("## Covers").unwrap_or_else(|| panic!("no covers"));
    let (covers, _) = rest.split_once("## Changes").unwrap_or_else(|| panic!("no changes"));
    for (part, kind) in [(properties, PropertyKind::Assert), (covers, PropertyKind::Cover)] {
        let listed = part.lines().filter(|l| l.starts_with("| ")).filter_map(|l| l.split('`').nth(1));
        let mut listed: Vec<String> = listed.map(str::to_owned).collect();
        let mut expected = Vec::new();
        for block in harness::blocks().unwrap_or_else(|e| panic!("{e}")) {
            for proof in &block.proofs {
                expected.extend(proof.properties(kind).iter().map(|path| format!("{}.{path}", proof.module.name)));
            }
        }
        listed.sort();
        expected.sort();
        assert_eq!(listed, expected, "`heddle verify --formal --docs` writes the page");
    }
}

/// Held up to a number of cycles, which the page tells: induction does not close on them.
const BOUNDED: [&str; 1] = ["power_dvfs_mover_proof.settles_in_time"];

#[test]
fn the_blocks_are_proven() {
    if !have_formal("the_blocks_are_proven") {
        return;
    }
    let report = run("", false);
    let bad: Vec<String> = report
        .properties
        .iter()
        .filter(|p| p.status != if BOUNDED.contains(&p.name.as_str()) { "bounded" } else { "proven" })
        .map(|p| format!("{}: {}", p.name, p.status))
        .collect();
    assert!(bad.is_empty() && !report.failed(), "{bad:#?} {}", report.summary());
}

/// Yosys has an induction of its own, over a SAT solver and from another reading of the same Verilog.
#[test]
fn another_engine_proves_the_same() {
    if !have_formal("another_engine_proves_the_same") {
        return;
    }
    let folder = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let mut script = String::new();
    let blocks = harness::blocks().unwrap_or_else(|e| panic!("{e}"));
    // It takes long over many steps, and over multipliers.
    let multiplies = |module: &Arc<Module>| module.hierarchy().iter().any(|m| matches!(m.primitive, Some(Primitive::Multiplier(_))));
    let proofs = blocks.into_iter().flat_map(|block| block.proofs);
    let proofs: Vec<_> = proofs.filter(|proof| proof.induction <= 12 && !multiplies(&proof.module)).collect();
    for proof in &proofs {
        let name = &proof.module.name;
        let below = folder.path().join(name);
        std::fs::create_dir(&below).unwrap_or_else(|e| panic!("{e}"));
        let files = verilog::files(&proof.module, &verilog::Options::default()).unwrap_or_else(|e| panic!("{e}"));
        files.iter().for_each(|f| std::fs::write(below.join(&f.name), &f.text).unwrap_or_else(|e| panic!("{e}")));
        let files: Vec<String> = files.iter().map(|f| format!("{name}/{}", f.name)).collect();
        // Its properties are registered, so they need a step more than ours.
        script += &format!(
            "design -reset\nread_verilog -formal {}\nprep -flatten -top {name}\nmemory_map\nasync2sync\nchformal -lower\n\
             chformal -cover -remove\nopt -full\nformalff -clk2ff\ndffunmap\nopt\n\
             sat -tempinduct -prove-asserts -set-assumes -set-at 1 rst_i 1 -seq 2 -maxsteps {} -timeout 60 -verify\n",
            files.join(" "),
            proof.induction + 2
        );
    }
    std::fs::write(folder.path().join("all.ys"), script).unwrap_or_else(|e| panic!("{e}"));
    let out = tools().yosys.command().arg("all.ys").current_dir(folder.path()).output().unwrap_or_else(|e| panic!("{e}"));
    let text = String::from_utf8_lossy(&out.stdout);
    let proven = text.matches("Induction step proven: SUCCESS!").count();
    let wanted = proofs.len();
    let end: Vec<&str> = text.lines().rev().take(20).collect();
    assert!(out.status.success() && proven == wanted, "{proven} of {wanted} proven; {end:#?}");
}

#[test]
fn changes_of_some_blocks_violate_their_properties() {
    if !have_formal("changes_of_some_blocks_violate_their_properties") {
        return;
    }
    for word in ["fifo_2x4", "skid", "counter", "gearbox_2", "round_robin"] {
        let report = run(word, true);
        let survived: Vec<String> =
            report.mutations.iter().filter(|m| m.status != "violated").map(|m| format!("{}: {}", m.change, m.name)).collect();
        assert!(survived.is_empty() && !report.mutations.is_empty(), "{word}: {survived:#?}");
    }
}

fn run(word: &str, mutations: bool) -> heddle_tb::formal::Report {
    let blocks = select(word).unwrap_or_else(|e| panic!("{e}"));
    verify(&blocks, &tools(), &Options { mutations, ..Options::default() }, &mut |_| {}).unwrap_or_else(|e| panic!("{e}"))
}
