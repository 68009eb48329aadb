// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Verilator driver on small designs written by hand.

use heddle_tb::tools::have_verilator;
use heddle_tb::verilator::{BuildError, BuildOptions, Design, Library, Opt, Port, SimError, Trace};

fn counter() -> Design {
    Design::new("counter").clock("clk_i").file("counter.v", include_str!("rtl/counter.v"))
}

fn mac16() -> Design {
    Design::new("mac16").clock("clk_i").file("mac16.v", include_str!("rtl/mac16.v"))
}

fn build(design: &Design, options: &BuildOptions) -> Library {
    design.build(options, &mut |_| {}).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn counts_and_masks_every_port_size() {
    if !have_verilator("counts_and_masks_every_port_size") {
        return;
    }
    let library = build(&counter(), &BuildOptions::default());
    let mut model = library.instance().unwrap();
    let port = |name: &str| library.instance().unwrap().port(name).unwrap();
    let (rst, step, wide) = (port("rst_i"), port("step_i"), port("wide_i"));
    model.set(rst, 1);
    model.tick().unwrap();
    model.set(rst, 0);
    model.set(step, 0xe7); // 5 bits: 7
    model.tick_n(3).unwrap();
    assert_eq!(model.get(port("count_o")), 21);
    assert_eq!(model.get(port("long_o")), (1 << 37) - 3);
    assert_eq!(model.get(port("next_o")), 8);
    assert_eq!(model.cycles(), 4);

    model.set_bytes(wide, &[0xff; 16]); // 70 bits
    model.eval().unwrap();
    assert_eq!(model.words(port("wide_o")), [0, 0, 0]);
    model.set(wide, 1);
    model.eval().unwrap();
    assert_eq!(model.words(port("wide_o")), [0xffff_fffe, 0xffff_ffff, 0x3f]);
    assert_eq!(model.bytes(port("wide_o")).len(), 12);
    assert!(model.words(port("count_o")).is_empty());
    assert_eq!(model.cycles(), 4);
}

#[test]
fn dot_products_equal_plain_rust() {
    if !have_verilator("dot_products_equal_plain_rust") {
        return;
    }
    let mut model = build(&mac16(), &BuildOptions::default()).instance().unwrap();
    let (rst, en, a, w, dot) = ["rst_i", "en_i", "a_i", "w_i", "dot_o"].map(|n| model.port(n).unwrap()).into();
    model.set(rst, 1);
    model.tick().unwrap();
    model.set(rst, 0);
    model.set(en, 1);
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    let mut expected = std::collections::VecDeque::new();
    for cycle in 0..1000 {
        let (x, y): ([u8; 16], [u8; 16]) = (std::array::from_fn(|_| random()), std::array::from_fn(|_| random()));
        model.set_bytes(a, &x);
        model.set_bytes(w, &y);
        model.tick().unwrap();
        expected.push_back(x.iter().zip(y).map(|(&x, y)| i32::from(x as i8) * i32::from(y as i8)).sum::<i32>());
        if cycle > 0 {
            assert_eq!(model.get(dot) as u32 as i32, expected.pop_front().unwrap(), "cycle {cycle}");
        }
    }
}

#[test]
fn instances_are_independent_on_threads() {
    if !have_verilator("instances_are_independent_on_threads") {
        return;
    }
    let library = build(&counter(), &BuildOptions::default());
    std::thread::scope(|scope| {
        for thread in 1..=4 {
            let mut model = library.instance().unwrap();
            scope.spawn(move || {
                let (rst, step, count) = ["rst_i", "step_i", "count_o"].map(|n| model.port(n).unwrap()).into();
                model.set(rst, 1);
                model.tick().unwrap();
                model.set(rst, 0);
                model.set(step, thread);
                model.tick_n(100).unwrap();
                assert_eq!(model.get(count), 100 * thread);
            });
        }
    });
}

#[test]
fn stops_are_errors_and_stay() {
    if !have_verilator("stops_are_errors_and_stay") {
        return;
    }
    let library = build(&counter(), &BuildOptions::default());
    for (stop, text) in [(1, "called $finish in cycle"), (2, "$stop or a failed assertion at counter.v:")] {
        let mut model = library.instance().unwrap();
        model.tick_n(5).unwrap();
        model.set(model.port("stop_i").unwrap(), stop);
        let first = model.tick_n(3).unwrap_err();
        assert!(first.to_string().contains(text), "{first}");
        assert_eq!(model.tick().unwrap_err(), first);
        assert_eq!(model.eval().unwrap_err(), first);
    }
}

#[test]
fn run_until_has_a_limit() {
    if !have_verilator("run_until_has_a_limit") {
        return;
    }
    let mut model = build(&counter(), &BuildOptions::default()).instance().unwrap();
    let (rst, step, count, wide) = ["rst_i", "step_i", "count_o", "wide_o"].map(|n| model.port(n).unwrap()).into();
    model.set(rst, 1);
    model.tick().unwrap();
    model.set(rst, 0);
    model.set(step, 2);
    assert_eq!(model.run_until(count, 0, 10), Ok(0));
    assert_eq!(model.run_until(count, 20, 100), Ok(10));
    let error = model.run_until(count, 21, 5000).unwrap_err();
    assert_eq!(error.to_string(), "no `count_o` = 21 within 5000 cycles (now in cycle 5011)");
    assert!(matches!(model.run_until(wide, 0, 1), Err(SimError::Width { .. })));
}

#[test]
fn assertions_are_a_variant() {
    if !have_verilator("assertions_are_a_variant") {
        return;
    }
    let options = BuildOptions { assertions: true, opt: Opt::Quick, ..BuildOptions::default() };
    let mut model = build(&counter(), &options).instance().unwrap();
    let (rst, step) = ["rst_i", "step_i"].map(|n| model.port(n).unwrap()).into();
    model.set(rst, 1);
    model.tick().unwrap();
    model.set(rst, 0);
    model.set(step, 5);
    let error = model.tick_n(100).unwrap_err();
    assert!(matches!(error, SimError::Failed { cycle: 5, .. }), "{error}");
}

#[test]
fn traces_have_a_window() {
    if !have_verilator("traces_have_a_window") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (trace, name) in [(Trace::Vcd, "t.vcd"), (Trace::Fst, "t.fst")] {
        let options = BuildOptions { trace, opt: Opt::Quick, ..BuildOptions::default() };
        let library = match counter().build(&options, &mut |_| {}) {
            Err(error @ BuildError::Compile { .. }) if trace == Trace::Fst => {
                assert!(error.to_string().contains("apt-get install zlib1g-dev liblz4-dev"), "{error}");
                println!("skipped: FST: {error}");
                continue;
            }
            library => library.unwrap(),
        };
        let mut model = library.instance().unwrap();
        let path = folder.path().join(name);
        model.trace_start(&path, 10..20).unwrap();
        model.tick_n(50).unwrap();
        model.trace_stop();
        let bytes = std::fs::read(&path).unwrap();
        assert!(bytes.len() > 200, "{} bytes", bytes.len());
        if trace == Trace::Vcd {
            let text = String::from_utf8(bytes).unwrap();
            let times: Vec<u64> = text.lines().filter_map(|l| l.strip_prefix('#')?.parse().ok()).collect();
            assert_eq!((times.first(), times.last(), times.len()), (Some(&20), Some(&39), 20));
        }
    }
    let mut model = build(&counter(), &BuildOptions::default()).instance().unwrap();
    assert!(matches!(model.trace_start(&folder.path().join("n"), 0..1), Err(SimError::Output { .. })));
}

#[test]
fn a_batch_is_one_library_with_independent_designs() {
    if !have_verilator("a_batch_is_one_library_with_independent_designs") {
        return;
    }
    let designs: Vec<Design> = (1..=8)
        .map(|k| {
            let text = format!(
                "module sub (input [15:0] a_i, output [15:0] y_o); assign y_o = a_i * 16'd{k}; endmodule\n\
                 module top (input clk_i, input [15:0] a_i, output reg [15:0] y_o);\n\
                 wire [15:0] y; sub s (.a_i(a_i), .y_o(y)); always @(posedge clk_i) y_o <= y; endmodule\n"
            );
            Design::new("top").clock("clk_i").file("top.v", text)
        })
        .collect();
    let options = BuildOptions { opt: Opt::Quick, keep: false, ..BuildOptions::default() };
    let libraries = Design::build_batch(&designs, &options, &mut |_| {}).unwrap();
    for (library, k) in libraries.iter().zip(1..) {
        let mut model = library.instance().unwrap();
        model.set(model.port("a_i").unwrap(), 7);
        model.tick().unwrap();
        assert_eq!(model.get(model.port("y_o").unwrap()), 7 * k);
    }
}

#[test]
fn random_start_differs_by_seed_only() {
    if !have_verilator("random_start_differs_by_seed_only") {
        return;
    }
    let options = BuildOptions { random_init: true, opt: Opt::Quick, ..BuildOptions::default() };
    let library = build(&mac16(), &options);
    let start = |seed| {
        let mut model = library.instance_seeded(seed).unwrap();
        model.eval().unwrap();
        model.words(model.port("acc_o").unwrap()).to_vec()
    };
    assert_eq!(start(1), start(1));
    assert_ne!(start(1), start(2));
}

#[test]
fn coverage_is_written() {
    if !have_verilator("coverage_is_written") {
        return;
    }
    let options = BuildOptions { coverage: true, opt: Opt::Quick, ..BuildOptions::default() };
    let mut model = build(&counter(), &options).instance().unwrap();
    model.tick_n(10).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("coverage.dat");
    model.coverage_write(&path).unwrap();
    assert!(std::fs::read_to_string(path).unwrap().contains("counter"));
}

#[test]
fn wrong_input_is_explained() {
    if !have_verilator("wrong_input_is_explained") {
        return;
    }
    let options = BuildOptions::default();
    let error = |design: Design| design.build(&options, &mut |_| {}).err().expect("an error").to_string();
    let port = |name: &str, width| Port { name: name.into(), width, input: true };

    assert!(error(Design::new("bad").file("bad.v", "module bad (")).contains("bad.v:1"));
    assert!(error(Design::new("a b").file("a.v", "")).contains("`a b` is not a plain Verilog identifier"));
    assert!(error(Design::new("a").file("../a.v", "")).contains("must be a plain name without a path"));
    assert!(error(counter().clock("clock")).contains("the clock `clock` is not a one-bit input"));
    assert!(error(counter().port(port("step_i", 6))).contains("the Verilog has input of 5 bits"));
    assert!(error(counter().port(port("step_i", 5))).contains("which was not declared"));

    let model = build(&counter(), &options).instance().unwrap();
    let error = model.port("step").unwrap_err().to_string();
    assert!(error.contains("no port `step`; it has clk_i, rst_i, step_i"), "{error}");
    let text = "module comb (input a_i, output y_o); assign y_o = ~a_i; endmodule";
    let mut comb = build(&Design::new("comb").file("comb.v", text), &options).instance().unwrap();
    comb.eval().unwrap();
    assert_eq!(comb.get(comb.port("y_o").unwrap()), 1);
    assert!(matches!(comb.tick(), Err(SimError::NoClock { .. })));
}

#[test]
fn a_loop_that_does_not_settle_is_an_error() {
    if !have_verilator("a_loop_that_does_not_settle_is_an_error") {
        return;
    }
    let text = "module ring (input en_i, output y_o); wire y; assign y = en_i & ~y; assign y_o = y; endmodule";
    let mut model = build(&Design::new("ring").file("ring.v", text), &BuildOptions::default()).instance().unwrap();
    model.eval().unwrap();
    model.set(model.port("en_i").unwrap(), 1);
    let error = model.eval().unwrap_err().to_string();
    assert!(error.contains("converge"), "{error}");
}

#[test]
fn the_second_build_comes_from_the_cache() {
    if !have_verilator("the_second_build_comes_from_the_cache") {
        return;
    }
    let first = build(&mac16(), &BuildOptions::default());
    drop(first);
    let mut steps = Vec::new();
    let second = mac16().build(&BuildOptions::default(), &mut |step| steps.push(step.to_owned())).unwrap();
    assert!(steps.is_empty(), "{steps:?}");
    drop(second);
}
