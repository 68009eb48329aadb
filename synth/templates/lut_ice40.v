// SPDX-License-Identifier: MIT OR Apache-2.0
// iCE40's lookup table in one expression, a fifth of the text of Yosys' model; `synth/tests/gates.rs` proves them equal.

module SB_LUT4 (
    output O,
    input  I0,
    input  I1,
    input  I2,
    input  I3
);
    parameter [15:0] LUT_INIT = 16'h0000;
    assign O = LUT_INIT[{I3, I2, I1, I0}];
endmodule
