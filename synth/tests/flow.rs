// SPDX-License-Identifier: MIT OR Apache-2.0
//! The flow on small designs: figures of a sound one, and each fault that must be an error.

use heddle_lang::{Builder, Expr, Module, Ty};
use heddle_synth::{Count, Design, Device, Expected, Options, Outcome, SynthError, error::Use, expect::expected, measure, stored};
use heddle_tools::have_pinned;
use std::sync::Arc;

fn have_tools(test: &str) -> bool {
    have_pinned(test, &["yosys", "nextpnr-ecp5", "nextpnr-ice40", "ecppack", "icepack"])
}

fn options(device: &str, mhz: f64) -> Options {
    Options::new(Device::named(device).expect("a known device"), mhz)
}

fn run(design: &Design, options: &Options) -> Result<Outcome, SynthError> {
    measure(design, options, &|_| {})
}

/// Products of so many pairs of registered int8, each in a module of its own.
fn products(count: u32) -> Arc<Module> {
    let mut inner = Builder::clocked("product", file!());
    let (x, w) = (inner.input("x", Ty::Signed(8)), inner.input("w", Ty::Signed(8)));
    let (x, w) = (inner.register("x", x), inner.register("w", w));
    let product = inner.register("product", &x * &w);
    inner.output("product", product);
    let inner = inner.build().expect("a sound module");
    let mut m = Builder::clocked("products", file!());
    for i in 0..count {
        let (x, w) = (m.input(&format!("x_{i}"), Ty::Signed(8)), m.input(&format!("w_{i}"), Ty::Signed(8)));
        let out = m.instance(&format!("lane_{i}"), &inner, &[("x", x), ("w", w)]);
        m.output(&format!("product_{i}"), out.get("product"));
    }
    let count = m.reg("count", Ty::Unsigned(20), 0);
    m.next(&count, count.q().wrapping_add(Expr::constant(Ty::Unsigned(20), 1)));
    m.output("count", count.q());
    m.build().expect("a sound module")
}

fn sound(device: &str) -> Outcome {
    let mut options = options(device, 20.0);
    options.seeds = 2;
    options.expected = Expected { dsp: Some(Count::exactly(2)), ram: Some(Count::exactly(0)), lut: Some(1000) };
    let outcome = run(&Design::in_harness(&products(2)).expect("a harness"), &options).unwrap_or_else(|e| panic!("{e}"));
    outcome.check().unwrap_or_else(|e| panic!("{e}"));
    outcome
}

#[test]
fn a_sound_design_has_figures_and_pictures() {
    if !have_tools("a_sound_design_has_figures_and_pictures") {
        return;
    }
    for (device, extension) in [("ecp5-25k", "bit"), ("up5k", "bin")] {
        let outcome = sound(device);
        let report = &outcome.report;
        assert!(report.fmax_mhz > 20.0 && report.slack_ns > 0.0, "{report:?}");
        assert_eq!((report.seeds.len(), report.clocks.len(), &*report.clocks[0].clock), (2, 1, "clk_i"));
        let lane = report.modules.iter().find(|m| m.name == "lane_1").expect("a row for each instance");
        assert_eq!((&*lane.module, lane.area.dsp), ("product", 1));
        assert!(lane.source.ends_with("flow.rs"), "{}", lane.source);
        let ffs: u32 = report.modules.iter().filter(|m| m.depth == 1 && m.name != "(harness)").map(|m| m.area.ff).sum();
        assert_eq!(ffs, report.area.ff);
        assert!(report.area.ff >= 20 && report.area.carry >= 10, "{:?}", report.area);
        assert!(report.critical_path.iter().any(|step| step.kind == "setup"), "{:?}", report.critical_path);
        assert!(outcome.floorplan().contains(">lane_1</text>") && report.markdown(1).contains("| lane_1 |"));
        assert!(heddle_synth::chart::svg(report).contains("lane_0"));
        let folder = tempfile::tempdir().unwrap();
        let bitstream = folder.path().join("products").with_extension(extension);
        outcome.bitstream(&bitstream).unwrap_or_else(|e| panic!("{e}"));
        assert!(std::fs::metadata(&bitstream).unwrap().len() > 10_000);
        let again = sound(device);
        assert_eq!(again.report, *report, "from the cache, with the times of the first run");
    }
}

/// Two adders of 24 bits in instances of a module, the second behind the first; nothing else.
fn two_adders() -> Arc<Module> {
    let ty = Ty::Unsigned(24);
    let mut inner = Builder::clocked("adder", file!());
    let (a, b) = (inner.input("a", ty), inner.input("b", ty));
    let b = inner.register("b", b);
    let sum = inner.register("sum", a.wrapping_add(b));
    inner.output("sum", sum);
    let inner = inner.build().expect("a sound module");
    let mut m = Builder::clocked("two_adders", file!());
    let [a, b, c] = ["a", "b", "c"].map(|name| m.input(name, ty));
    let first = m.instance("first", &inner, &[("a", a), ("b", b)]);
    let second = m.instance("second", &inner, &[("a", first.get("sum")), ("b", c)]);
    m.output("sum", second.get("sum"));
    m.build().expect("a sound module")
}

#[test]
fn carries_are_counted_where_their_sums_are() {
    if !have_tools("carries_are_counted_where_their_sums_are") {
        return;
    }
    let design = Design::in_harness(&two_adders()).expect("a harness");
    for device in ["ecp5-25k", "up5k"] {
        let outcome = run(&design, &options(device, 10.0)).unwrap_or_else(|e| panic!("{e}"));
        let report = &outcome.report;
        let carry = |name: &str| report.modules.iter().find(|m| m.name == name).map_or(0, |m| m.area.carry);
        assert!(carry("first") >= 23 && carry("second") >= 23, "{}", report.markdown(2));
        assert_eq!(carry("first") + carry("second"), report.area.carry, "{}", report.markdown(2));
        assert!(carry("first").abs_diff(carry("second")) <= 2, "{}", report.markdown(2));
    }
}

#[test]
fn results_are_found_again_without_a_run() {
    if !have_tools("results_are_found_again_without_a_run") {
        return;
    }
    let design = Design::in_harness(&two_adders()).expect("a harness");
    let mut options = options("up5k", 11.0);
    let first = run(&design, &options).unwrap_or_else(|e| panic!("{e}"));
    options.seeds = 3;
    let found = stored(&design, &options).unwrap_or_else(|e| panic!("{e}")).expect("one of three seeds");
    assert_eq!(found.report, first.report);
    let packed = first.pack().unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(found.packed().unwrap_or_else(|e| panic!("{e}")).expect("it was packed").seconds, packed.seconds);
    options.mhz = 11.5;
    assert!(stored(&design, &options).unwrap_or_else(|e| panic!("{e}")).is_none(), "another target is another result");
}

#[test]
fn negative_slack_is_an_error() {
    if !have_tools("negative_slack_is_an_error") {
        return;
    }
    let outcome = run(&Design::in_harness(&products(1)).unwrap(), &options("up5k", 400.0)).unwrap_or_else(|e| panic!("{e}"));
    let error = outcome.check().unwrap_err();
    assert!(matches!(&error, SynthError::NegativeSlack { clock, target: 400.0, .. } if clock == "clk_i"), "{error}");
}

#[test]
fn a_latch_is_an_error() {
    if !have_tools("a_latch_is_an_error") {
        return;
    }
    let text = "module t (input en_i, input d_i, output reg q_o); always @* if (en_i) q_o = d_i; endmodule";
    for device in ["up5k", "ecp5-25k"] {
        let error = run(&Design::verilog("t", text, &[]), &options(device, 10.0)).unwrap_err();
        assert!(matches!(&error, SynthError::Latch { names, .. } if names[0].contains("q_o")), "{error}");
    }
}

#[test]
fn a_black_box_is_an_error() {
    if !have_tools("a_black_box_is_an_error") {
        return;
    }
    let unknown = "module t (input a_i, output q_o); mystery u_gone (.a(a_i), .q(q_o)); endmodule";
    let empty = format!("{unknown}\n(* blackbox *) module mystery (input a, output q); endmodule");
    for text in [unknown, &empty] {
        for device in ["up5k", "ecp5-25k"] {
            let error = run(&Design::verilog("t", text, &[]), &options(device, 10.0)).unwrap_err();
            assert!(
                matches!(&error, SynthError::BlackBox { module, instance, .. } if module == "mystery" && instance == "u_gone"),
                "{error}"
            );
        }
    }
}

/// Yosys 0.70 makes one SB_MAC16 of two products whose registers feed a registered sum, and loses the other product.
#[test]
fn lost_multipliers_are_an_error() {
    if !have_tools("lost_multipliers_are_an_error") {
        return;
    }
    let mut m = Builder::clocked("pair", file!());
    let mut product = |i: u32| {
        let (x, w) = (m.input(&format!("x_{i}"), Ty::Signed(8)), m.input(&format!("w_{i}"), Ty::Signed(8)));
        m.register(&format!("product_{i}"), &x * &w)
    };
    let (a, b) = (product(0), product(1));
    let sum = m.register("sum", &a + &b);
    m.output("sum", sum);
    let module = m.build().expect("a sound module");
    let mut options = options("up5k", 10.0);
    options.expected = expected(&module, &options.device);
    let outcome = run(&Design::in_harness(&module).unwrap(), &options).unwrap_or_else(|e| panic!("{e}"));
    let error = outcome.check().unwrap_err();
    assert!(matches!(error, SynthError::Count { what: "multipliers", found: 1, expected, .. } if expected == Count::exactly(2)), "{error}");
}

#[test]
fn more_lookup_tables_than_allowed_are_an_error() {
    if !have_tools("more_lookup_tables_than_allowed_are_an_error") {
        return;
    }
    let mut options = options("up5k", 20.0);
    options.expected.lut = Some(3);
    let outcome = run(&Design::in_harness(&products(1)).unwrap(), &options).unwrap_or_else(|e| panic!("{e}"));
    let error = outcome.check().unwrap_err();
    assert!(matches!(error, SynthError::Area { found: 4.., most: 3, .. }), "{error}");
}

/// Of iCE40 only UltraPlus has multipliers.
#[test]
fn without_multipliers_products_are_lookup_tables() {
    if !have_tools("without_multipliers_products_are_lookup_tables") {
        return;
    }
    let module = products(2);
    let mut options = options("hx8k", 20.0);
    options.expected = expected(&module, &options.device);
    let outcome = run(&Design::in_harness(&module).unwrap(), &options).unwrap_or_else(|e| panic!("{e}"));
    outcome.check().unwrap_or_else(|e| panic!("{e}"));
    let area = outcome.report.area;
    assert!(area.dsp == 0 && area.lut > 100, "{area:?}");
}

/// A memory that is never written holds nothing, and Yosys makes none.
#[test]
fn lost_memories_are_an_error() {
    if !have_tools("lost_memories_are_an_error") {
        return;
    }
    let mut m = Builder::clocked("never_written", file!());
    let (address, data) = (m.input("address", Ty::Unsigned(8)), m.input("data", Ty::Unsigned(8)));
    let words = m.memory("words", 8, 256);
    m.memory_attribute(words, "ram_style = \"block\"");
    m.write(words, Expr::bit_const(false), &address, &data);
    let word = m.read(words, "word", Expr::bit_const(true), &address);
    m.output("word", word);
    let module = m.build().expect("a sound module");
    for device in ["ecp5-25k", "up5k"] {
        let mut options = options(device, 10.0);
        options.expected = expected(&module, &options.device);
        let outcome = run(&Design::in_harness(&module).unwrap(), &options).unwrap_or_else(|e| panic!("{e}"));
        let error = outcome.check().unwrap_err();
        assert!(
            matches!(error, SynthError::Count { what: "block RAMs", found: 0, expected, .. } if expected == Count::exactly(1)),
            "{error}"
        );
    }
}

#[test]
fn a_design_that_does_not_fit_is_an_error() {
    if !have_tools("a_design_that_does_not_fit_is_an_error") {
        return;
    }
    let (design, options) = (Design::in_harness(&products(9)).unwrap(), options("up5k", 10.0));
    let expected = [Use { resource: "ICESTORM_DSP".into(), used: 9, available: 8 }];
    let error = run(&design, &options).unwrap_err();
    assert!(matches!(&error, SynthError::DoesNotFit { over, .. } if *over == expected), "{error}");
    let error = stored(&design, &options).unwrap_err();
    assert!(matches!(&error, SynthError::DoesNotFit { over, .. } if *over == expected), "the log is kept: {error}");
}

#[test]
fn unrouted_nets_are_an_error() {
    if !have_tools("unrouted_nets_are_an_error") {
        return;
    }
    for device in ["up5k", "ecp5-25k"] {
        let mut options = options(device, 10.0);
        options.arguments.push("--no-route".into());
        let error = run(&Design::in_harness(&products(1)).unwrap(), &options).unwrap_err();
        assert!(matches!(&error, SynthError::Unrouted { nets, .. } if nets.len() > 10), "{error}");
    }
}

#[test]
fn options_are_checked() {
    let mut none = options("up5k", 10.0);
    none.seeds = 0;
    let design = Design::verilog("t", "", &[]);
    assert_eq!(run(&design, &none).unwrap_err().to_string(), "seeds = 0 is not legal: it must be at least 1");
    assert!(run(&design, &options("up5k", f64::NAN)).is_err());
}
