// SPDX-License-Identifier: MIT OR Apache-2.0
//! Simulation speed of a 16-lane dot product: cycles per second through the driver, best of several rounds.
//!
//! `cargo run --release -p heddle-tb --example speed`

use std::time::{Duration, Instant};

use heddle_tb::axi::MemoryConfig;
use heddle_tb::soc::Soc;
use heddle_tb::tools::find_verilator;
use heddle_tb::verilator::{BuildOptions, Design, Model, Opt, SimError};

const CYCLES: u32 = 1_000_000;
const ROUNDS: usize = 7;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let verilator = find_verilator()?;
    println!("{} ({})", verilator.version, verilator.binary.display());
    let design = Design::new("mac16").clock("clk_i").file("mac16.v", include_str!("../tests/rtl/mac16.v"));
    let library = design.build(&BuildOptions::default(), &mut |step| println!("{step}"))?;
    let report = library.report();
    println!("verilated in {:.2?}, compiled in {:.2?}", report.verilate, report.compile);
    let mut model = library.instance()?;
    let (rst, en) = (model.port("rst_i")?, model.port("en_i")?);
    model.set(rst, 1);
    model.tick()?;
    model.set(rst, 0);
    model.set(en, 1);

    let best = best_of(|| new_operands(&mut model))?;
    println!("tick, new operands each cycle   {:6.2} Mcycles/s", rate(best));
    let best = best_of(|| model.tick_n(u64::from(CYCLES)))?;
    println!("tick_n, constant operands       {:6.2} Mcycles/s", rate(best));
    soc_speed()?;
    batch_times()
}

/// A small DMA engine with the memory model in the loop: what the models cost beside the design.
fn soc_speed() -> Result<(), Box<dyn std::error::Error>> {
    let text = include_str!("../tests/rtl/dma.v").replace("BITS = 64", "BITS = 128");
    let design = Design::new("dma").clock("clk_i").file("dma.v", text);
    let library = design.build(&BuildOptions::default(), &mut |step| println!("{step}"))?;
    let mut config = MemoryConfig::new(4 << 20, 16);
    config.read_latency = 40;
    let mut soc = Soc::new(library.instance()?, config)?;
    let mut best = 0.0f64;
    for _ in 0..ROUNDS {
        for (register, value) in [(0, 0), (4, 2 << 20), (8, 1 << 17), (12, 1)] {
            soc.write_reg(register, value)?;
        }
        let start = Instant::now();
        let cycles = soc.run_until_irq(1 << 30)?;
        best = best.max(cycles as f64 / start.elapsed().as_secs_f64() / 1e6);
    }
    println!("DMA with AXI4 memory model      {best:6.2} Mcycles/s");
    let mut model = library.instance()?;
    let time = best_of(|| (0..CYCLES).try_for_each(|_| model.tick()))?;
    println!("the same design alone, idle     {:6.2} Mcycles/s", rate(time));
    Ok(())
}

fn new_operands(model: &mut Model) -> Result<(), SimError> {
    let (a, w) = (model.port("a_i")?, model.port("w_i")?);
    let mut x = [0x1234_5678_9abc_def0_u64, 0x0fed_cba9_8765_4321];
    for _ in 0..CYCLES {
        x[0] = x[0].wrapping_mul(6_364_136_223_846_793_005).wrapping_add(x[1]);
        x[1] = x[1].rotate_left(17) ^ x[0];
        let operand = (u128::from(x[0]) | (u128::from(x[1]) << 64)).to_le_bytes();
        model.set_bytes(a, &operand);
        model.set_bytes(w, &operand);
        model.tick()?;
    }
    Ok(())
}

/// CPU time would be steadier than the clock, but needs more than the standard library.
fn best_of(mut run: impl FnMut() -> Result<(), SimError>) -> Result<Duration, SimError> {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        run()?;
        best = best.min(start.elapsed());
    }
    Ok(best)
}

fn rate(time: Duration) -> f64 {
    f64::from(CYCLES) / time.as_secs_f64() / 1e6
}

/// Time to build 50 small designs, never cached.
fn batch_times() -> Result<(), Box<dyn std::error::Error>> {
    let designs: Vec<Design> = (0..50).map(small_design).collect();
    for opt in [Opt::Quick, Opt::Fast] {
        let options = BuildOptions { opt, keep: false, ..BuildOptions::default() };
        let start = Instant::now();
        let libraries = Design::build_batch(&designs, &options, &mut |_| {})?;
        let (total, report) = (start.elapsed(), libraries[0].report());
        println!("50 small designs, {opt:?}: {total:.2?} (verilate {:.2?}, compile {:.2?})", report.verilate, report.compile);
    }
    Ok(())
}

fn small_design(seed: u32) -> Design {
    let text = format!(
        "module top (input clk_i, input [70:0] a_i, input signed [30:0] b_i, output reg [100:0] y_o);\n\
         reg [40:0] m [0:15]; wire [70:0] t = (a_i ^ 71'd{seed}) + {{40'd0, b_i}};\n\
         always @(posedge clk_i) begin m[a_i[3:0]] <= t[60:20];\n\
         y_o <= b_i[0] ? ({{30'd0, t}} - y_o) : {{m[a_i[7:4]], y_o[59:0]}}; end endmodule\n"
    );
    Design::new("top").clock("clk_i").file("top.v", text)
}
