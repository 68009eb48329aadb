// SPDX-License-Identifier: MIT OR Apache-2.0
//! Speed of the native simulator and of the tool itself: `cargo run --release -p heddle-lang --example speed`.

use heddle_lang::{BuildError, Builder, Expr, Module, Simulator, Ty};
use std::{error::Error, sync::Arc, time::Instant};

/// 16 products of int8, registered; an adder tree with a register per level; a 32-bit accumulator.
fn dot16() -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked("dot16", file!());
    let (x, w) = (m.input("x", Ty::Unsigned(128)), m.input("w", Ty::Unsigned(128)));
    let lanes = |m: &mut Builder, name: &str, v: &Expr| m.register_each(name, v.chunks(8).iter().map(Expr::as_signed));
    let (x, w) = (lanes(&mut m, "x", &x), lanes(&mut m, "w", &w));
    let products = m.register_each("product", x.iter().zip(&w).map(|(x, w)| x * w));
    let sum = m.pipelined_sum("sum", products);
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

fn main() -> Result<(), Box<dyn Error>> {
    simulate(2_000_000)
}
