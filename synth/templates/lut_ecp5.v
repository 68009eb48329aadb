// SPDX-License-Identifier: MIT OR Apache-2.0
// ECP5's lookup table in one expression, a fifth of the text of Yosys' model; `synth/tests/gates.rs` proves them equal.

module LUT4 (
    input  A,
    input  B,
    input  C,
    input  D,
    output Z
);
    parameter [15:0] INIT = 16'h0000;
    assign Z = INIT[{D, C, B, A}];
endmodule
