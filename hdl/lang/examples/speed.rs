// SPDX-License-Identifier: MIT OR Apache-2.0
//! Speed of the native simulator and of the tool itself: `cargo run --release -p heddle-lang --example speed`.

use heddle_lang::{BuildError, Builder, Expr, Module, Simulator, Ty, check, verilog};
use std::{error::Error, sync::Arc, time::Instant};

/// 16 products of int8, registered; an adder tree with a register per level; a 32-bit accumulator.
fn dot16() -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked("dot16", file!());
    let (x, w) = (m.input("x", Ty::Unsigned(128)), m.input("w", Ty::Unsigned(128)));
    let lanes = |m: &mut Builder, name: &str, v: &Expr| m.register_each(name, v.chunks(8).iter().map(Expr::as_signed));
    let (x, w) = (lanes(&mut m, "x", &x), lanes(&mut m, "w", &w));
    let products = m.register_each("product", x.iter().zip(&w).map(|(x, w)| x * w));
    let sum = m.pipelined_sum("sum", products, &vec![Expr::bit_const(true); 4]);
    let total = m.reg("total", Ty::Signed(32), 0);
    m.next(&total, total.q().wrapping_add(sum.extend(32)));
    m.output("dot", total.q());
    m.build()
}

fn simulate(cycles: u64) -> Result<(), Box<dyn Error>> {
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
    let (instructions, runs) = sim.size();
    println!("dot16: {:.2} M cycles/s ({instructions} instructions in {runs} runs)", cycles as f64 / seconds / 1e6);
    Ok(())
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

fn generate() -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let top = array(32)?;
    let built = start.elapsed();
    let errors = check::all(&top).into_iter().filter(|f| f.severity == check::Severity::Error).count();
    let checked = start.elapsed();
    let files = verilog::files(&top, &verilog::Options::default())?;
    let printed = start.elapsed();
    let lines: usize = files.iter().map(|f| f.text.lines().count()).sum();
    assert_eq!((errors, files.len()), (0, 2), "a sound array of one kind of element");
    println!("32x32 array: {} modules, {lines} lines in {printed:.1?} (built by {built:.1?}, checked by {checked:.1?})", files.len());
    let start = Instant::now();
    let mut sim = Simulator::new(&top)?;
    let compiled = start.elapsed();
    let cycles = 2000;
    let start = Instant::now();
    let inputs: Vec<_> = (0..32).map(|r| sim.port(&format!("x_{r}"))).collect::<Result<_, _>>()?;
    for i in 0..cycles {
        inputs.iter().for_each(|&p| sim.set(p, i * 7 + 3));
        sim.step()?;
    }
    let rate = cycles as f64 / start.elapsed().as_secs_f64() / 1e3;
    let (instructions, runs) = sim.size();
    println!("its native simulation: {rate:.0} k cycles/s, compiled in {compiled:.1?} ({instructions} instructions in {runs} runs)");
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    simulate(2_000_000)?;
    generate()
}
