// SPDX-License-Identifier: MIT OR Apache-2.0
//! Speed of the HDL: its native simulator, and building, checking and printing an array.

use super::{BenchError, Progress, Table};
use heddle_lang::{BuildError, Builder, Expr, Module, Simulator, Ty, check, verilog};
use std::{sync::Arc, time::Instant};

pub const NAME: &str = "hdl";
/// Cycles per second of the dot product.
const CYCLES_MIN: f64 = 1e6;
/// Seconds for the array.
const ARRAY_MAX: f64 = 0.1;
const CYCLES: u64 = 1_000_000;
const ROUNDS: usize = 3;

/// The best of a few rounds each.
pub fn run(progress: Progress<'_>) -> Result<Table, BenchError> {
    let mut table = Table::new(NAME, "Speed of the HDL", &["what", "figure", "target"]);
    progress("simulating a dot product of 16 lanes");
    let rates = (0..ROUNDS).map(|_| simulate(CYCLES)).collect::<Result<Vec<_>, _>>()?;
    let rate = rates.into_iter().fold(0.0, f64::max);
    let row = |what: &str, figure: String, target: String| vec![what.to_owned(), figure, target];
    let target = format!(">= {:.0} Mcycles/s", CYCLES_MIN / 1e6);
    table.rows.push(row("dot product of 16 lanes, native simulation", format!("{:.2} Mcycles/s", rate / 1e6), target));
    progress("building an array of 32 x 32");
    let times = (0..ROUNDS).map(|_| generate()).collect::<Result<Vec<_>, _>>()?;
    let time = times.into_iter().fold(f64::INFINITY, f64::min);
    let what = "array of 32 x 32 elements: built, checked, printed as two modules";
    table.rows.push(row(what, format!("{:.1} ms", 1e3 * time), format!("< {:.0} ms", 1e3 * ARRAY_MAX)));
    table.notes = format!("Best of {ROUNDS} rounds; the simulated dot product is checked against plain Rust.");
    if rate < CYCLES_MIN {
        table.missed.push(format!("{:.2} Mcycles/s of the dot product", rate / 1e6));
    }
    if time > ARRAY_MAX {
        table.missed.push(format!("{:.1} ms for the array", 1e3 * time));
    }
    Ok(table)
}

/// 16 products of int8, registered; an adder tree with a register per level; a 32-bit accumulator.
fn dot16() -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked("dot16", file!());
    let (x, w) = (m.input("x", Ty::Unsigned(128)), m.input("w", Ty::Unsigned(128)));
    let lanes = |m: &mut Builder, name: &str, v: &Expr| m.register_each(name, v.chunks(8).iter().map(Expr::as_signed));
    let (x, w) = (lanes(&mut m, "x", &x), lanes(&mut m, "w", &w));
    let products = m.register_each("product", x.iter().zip(&w).map(|(x, w)| x * w));
    let sum = m.pipelined_sum("sum", products, &[(); 4].map(|()| Expr::bit_const(true)));
    let total = m.reg("total", Ty::Signed(32), 0);
    m.next(&total, total.q().wrapping_add(sum.extend(32)));
    m.output("dot", total.q());
    m.build()
}

/// Cycles per second, new operands in each.
fn simulate(cycles: u64) -> Result<f64, BenchError> {
    let mut sim = Simulator::new(&dot16()?)?;
    let (x, w, dot) = (sim.port("x")?, sim.port("w")?, sim.port("dot")?);
    sim.reset()?;
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut expected = 0i32;
    let start = Instant::now();
    for _ in 0..cycles {
        let (a, b) = ([random(), random()], [random(), random()]);
        sim.set_limbs(x, &a);
        sim.set_limbs(w, &b);
        sim.step()?;
        let bytes = |v: [u64; 2]| v.into_iter().flat_map(u64::to_le_bytes).map(|b| i32::from(b as i8));
        expected = bytes(a).zip(bytes(b)).fold(expected, |sum, (x, w)| sum.wrapping_add(x * w));
    }
    let seconds = start.elapsed().as_secs_f64();
    sim.set(x, 0);
    sim.set(w, 0);
    sim.run(8)?;
    assert_eq!(sim.get_signed(dot), i64::from(expected), "the dot product is wrong");
    Ok(cycles as f64 / seconds)
}

/// A processing element that keeps its weight: `x` goes right, the sum goes down.
fn element() -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked("element", file!());
    m.doc("A processing element: keeps a weight, adds its product to the sum that passes.");
    let (load, x, above) = (m.input("load", Ty::BIT), m.input("x", Ty::Signed(8)), m.input("above", Ty::Signed(32)));
    let weight = m.register_when("weight", load, above.truncate(8));
    let right = m.register("x_right", &x);
    let product = m.register("product", &x * &weight);
    let sum = m.register("sum", above.wrapping_add(product.extend(32)));
    m.output("right", right);
    m.output("below", sum);
    m.build()
}

/// `n` x `n` elements, one module for all of them.
fn array(n: usize) -> Result<Arc<Module>, BuildError> {
    let element = element()?;
    let mut m = Builder::clocked(format!("array_{n}x{n}"), file!());
    let load = m.input("load", Ty::BIT);
    let mut above: Vec<Expr> = (0..n).map(|c| m.input(&format!("above_{c}"), Ty::Signed(32))).collect();
    for r in 0..n {
        let mut x = m.input(&format!("x_{r}"), Ty::Signed(8));
        for (c, above) in above.iter_mut().enumerate() {
            let inputs = [("load", load.clone()), ("x", x), ("above", above.clone())];
            let outs = m.instance(&format!("element_{r}_{c}"), &element, &inputs);
            (x, *above) = (outs.get("right"), outs.get("below"));
        }
        m.output(&format!("right_{r}"), x);
    }
    for (c, below) in above.into_iter().enumerate() {
        m.output(&format!("below_{c}"), below);
    }
    m.build()
}

/// Seconds to build, check and print.
fn generate() -> Result<f64, BenchError> {
    let start = Instant::now();
    let top = array(32)?;
    let errors = check::all(&top).into_iter().filter(|f| f.severity == check::Severity::Error).count();
    let files = verilog::files(&top, &verilog::Options::default())?;
    let time = start.elapsed().as_secs_f64();
    assert_eq!((errors, files.len()), (0, 2), "a sound array of one kind of element");
    Ok(time)
}
