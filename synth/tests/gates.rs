// SPDX-License-Identifier: MIT OR Apache-2.0
//! Our models of lookup tables do what Yosys' own do.

use heddle_synth::{Family, gates};
use heddle_tools::{find_yosys, have_pinned};

/// Both models side by side, with each table of one bit: a table selects one of its bits, so that they select the same
/// follows from each bit alone.
const SIDE_BY_SIDE: &str = "
module both (input [3:0] s);
    genvar i;
    generate
        for (i = 0; i < 16; i = i + 1) begin : bits
            wire a, b;
            CELL #(.PARAMETER(16'd1 << i)) t (OUTPUT(a), INPUTS);
            ours #(.PARAMETER(16'd1 << i)) o (OUTPUT(b), INPUTS);
            always @* assert (a == b);
        end
    endgenerate
endmodule
";

#[test]
fn lookup_tables_equal_those_of_yosys() {
    if !have_pinned("lookup_tables_equal_those_of_yosys", &["yosys"]) {
        return;
    }
    for (family, theirs, [cell, parameter, output, inputs]) in [
        (Family::Ecp5, "+/ecp5/common_sim.vh", ["LUT4", "INIT", ".Z", ".A(s[0]), .B(s[1]), .C(s[2]), .D(s[3])"]),
        (Family::Ice40, "+/ice40/cells_sim.v", ["SB_LUT4", "LUT_INIT", ".O", ".I0(s[0]), .I1(s[1]), .I2(s[2]), .I3(s[3])"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let both = SIDE_BY_SIDE.replace("CELL", cell).replace("PARAMETER", parameter).replace("OUTPUT", output).replace("INPUTS", inputs);
        let ours = gates::lut(family);
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("both.sv", &both);
        let prove = |changed: &str| {
            write("ours.v", &changed.replace(&format!("module {cell} "), "module ours "));
            // Deferred: only what is used is elaborated; the memories of the other cells take minutes.
            let script = format!(
                "read_verilog -defer -DNO_ICE40_DEFAULT_ASSIGNMENTS -DICE40_HX {theirs}\nread_verilog ours.v\nread_verilog -formal both.sv\n\
                 hierarchy -top both\nsetattr -mod -unset abc9_lut -unset lib_whitebox *\nprep -top both -flatten\nchformal -lower\n\
                 sat -verify -prove-asserts -set-def-inputs\n"
            );
            write("prove.ys", &script);
            let out = find_yosys().unwrap().command().current_dir(folder.path()).args(["-q", "-l", "log", "prove.ys"]).output().unwrap();
            let log = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            (out.status.success() && log.contains("SAT proof finished - no model found: SUCCESS!"), log)
        };
        let (same, log) = prove(ours);
        assert!(same, "{cell}: {log}");
        let (a, b) = if family == Family::Ecp5 { ("D, C", "C, D") } else { ("I3, I2", "I2, I3") };
        let (same, log) = prove(&ours.replace(&format!("{{{a}"), &format!("{{{b}")));
        assert!(!same && log.contains("model found: FAIL!"), "inputs in another order: {log}");
    }
}
