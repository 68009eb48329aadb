// SPDX-License-Identifier: MIT OR Apache-2.0
//! Benches and a product of a real model on netlists for ECP5 and iCE40, and the trap that they are there for.

use heddle::netlist::{self, Check, bitstream};
use heddle_lang::{BuildError, Builder, Module, Ty};
use heddle_synth::{Device, Options, SynthError, gates};
use heddle_tb::{
    blocks::{Block, BlockError, Dut, check_native},
    random::Random,
    simulator::Simulator,
};
use heddle_tools::{have_pinned, have_verilator};
use std::sync::Arc;

/// Blocks with multipliers, with block RAM, and the whole with a matrix. `heddle verify --netlist` has all.
const BLOCKS: [&str; 4] = ["column", "scale_acc", "act_buffer", "top with"];

fn have_tools(test: &str) -> bool {
    have_verilator(test) && have_pinned(test, &["yosys"])
}

fn run(part: &str) -> Vec<Check> {
    let (device, config) = netlist::targets().into_iter().find(|(d, _)| *d == Device::named(part).unwrap()).expect("a target");
    let blocks = BLOCKS.iter().flat_map(|word| netlist::benches(&config, word).expect("benches")).collect::<Vec<_>>();
    assert_eq!(blocks.len(), BLOCKS.len());
    let checks = netlist::check(&blocks, &device, &(1..=1), &|_| {});
    assert!(checks.iter().all(|check| check.fault.is_none()), "{}", netlist::table(&checks));
    checks
}

/// Before any tool: each bench fits the block of its target.
#[test]
fn benches_of_every_target_hold_natively() {
    for (_, config) in netlist::targets().into_iter().chain([bitstream::target()]) {
        let blocks = netlist::benches(&config, "").expect("benches");
        let blocks: Vec<&dyn Block> = blocks.iter().map(AsRef::as_ref).collect();
        check_native(&blocks, 1..=1).unwrap_or_else(|failure| panic!("{failure}"));
    }
}

#[test]
fn ecp5_netlists_equal_golden() {
    if have_tools("ecp5_netlists_equal_golden") {
        let checks = run("ecp5-25k");
        let whole = &checks[3].cells;
        assert!(whole["MULT18X18D"] >= 8 && whole["DP16KD"] >= 5 && whole["TRELLIS_FF"] > 1000, "{whole:?}");
    }
}

#[test]
fn ice40_netlists_equal_golden() {
    if have_tools("ice40_netlists_equal_golden") {
        let checks = run("up5k");
        let whole = &checks[3].cells;
        assert!(whole["SB_MAC16"] >= 4 && whole["SB_RAM40_4K"] >= 10, "{whole:?}");
    }
}

/// A block in lookup tables and one with block RAM, from placed, routed and packed designs, and products that only a device
/// without multipliers can show; the nightly command has all, and the whole with a matrix.
#[test]
fn ice40_bitstreams_equal_golden() {
    let test = "ice40_bitstreams_equal_golden";
    if !have_tools(test) || !have_pinned(test, &["nextpnr-ice40", "icepack", "iceunpack", "icebox_vlog"]) {
        return;
    }
    let (device, config) = bitstream::target();
    let blocks = ["column", "weight_fetch"].iter().flat_map(|word| netlist::benches(&config, word).expect("benches"));
    let blocks = blocks.chain([Box::new(TwoProducts) as Box<dyn Block>]);
    let checks = bitstream::check(&blocks.collect::<Vec<_>>(), &device, &(1..=1), &|_| {});
    assert!(checks.iter().all(|check| check.fault.is_none()), "{}", netlist::table(&checks));
    assert!(checks[0].cells["LUT"] > 500 && checks[1].cells["SB_RAM40_4K"] >= 1, "{}", netlist::table(&checks));
    assert!(checks[2].device.contains("hx8k") && checks[2].cells["LUT"] > 100, "{}", netlist::table(&checks));
}

/// Two registered products and their registered sum, written with `*`: Yosys' `synth_ice40 -dsp` loses one of them.
struct TwoProducts;

impl Block for TwoProducts {
    fn name(&self) -> String {
        "two_products".into()
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        let mut m = Builder::clocked("two_products", file!());
        let [a0, a1, b0, b1] = ["a0", "a1", "b0", "b1"].map(|name| m.input(name, Ty::Signed(8)));
        let (p0, p1) = (m.register("p0", &a0 * &b0), m.register("p1", &a1 * &b1));
        let sum = m.register("sum", &p0 + &p1);
        m.output("sum", sum);
        m.build()
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        let inputs = dut.inputs(["a0", "b0", "a1", "b1"])?;
        let [sum] = dut.outputs(["sum"])?;
        for _ in 0..200 {
            let values = inputs.map(|pin| {
                let value = rng.bits() as i8;
                dut.put(pin, u64::from(value as u8));
                i64::from(value)
            });
            dut.tick()?;
            dut.tick()?;
            dut.settle()?;
            dut.expect(sum, (values[0] * values[1] + values[2] * values[3]) as u64 & 0x1_ffff)?;
        }
        Ok(())
    }
}

#[test]
fn the_netlist_check_finds_a_lost_product() {
    check_native(&[&TwoProducts], 1..=1).expect("the design itself is right");
    if !have_tools("the_netlist_check_finds_a_lost_product") {
        return;
    }
    let blocks: [Box<dyn Block>; 1] = [Box::new(TwoProducts)];
    let check = |part| netlist::check(&blocks, &Device::named(part).unwrap(), &(1..=1), &|_| {}).remove(0);
    let ecp5 = check("ecp5-25k");
    assert_eq!((ecp5.fault, ecp5.cells["MULT18X18D"]), (None, 2));
    let ice40 = check("up5k");
    let fault = ice40.fault.expect("a difference: without one, `synth_ice40 -dsp` is sound again and the script may be simpler");
    assert!(fault.contains("`sum` is") && ice40.cells["SB_MAC16"] == 1, "{fault}");
}

#[test]
fn a_black_box_has_no_netlist() {
    if !have_tools("a_black_box_has_no_netlist") {
        return;
    }
    let text = "module boxed(input clk_i, output y_o); mystery u (.y(y_o)); endmodule";
    let design =
        heddle_synth::Design::verilog("boxed", text, &["clk_i"]).file("mystery.v", "(* blackbox *) module mystery(output y); endmodule");
    let failed = gates::gates(&design, &Options::new(Device::named("up5k").unwrap(), 1.0));
    assert!(matches!(failed, Err(SynthError::BlackBox { .. })), "{failed:?}");
}
