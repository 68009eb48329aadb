// SPDX-License-Identifier: MIT OR Apache-2.0
// A counter with widths that need masking, and ways to stop the simulation.
`default_nettype none
module counter (
    input  wire        clk_i,
    input  wire        rst_i,
    input  wire [ 4:0] step_i,
    input  wire [69:0] wide_i,
    input  wire [ 1:0] stop_i,
    output reg  [11:0] count_o,
    output reg  [36:0] long_o,
    output wire [69:0] wide_o,
    output wire [ 5:0] next_o
);
  assign wide_o = ~wide_i;
  assign next_o = {1'b0, step_i} + 6'd1;
  always @(posedge clk_i) begin
    count_o <= rst_i ? 12'd0 : (count_o + {7'd0, step_i});
    long_o  <= rst_i ? 37'd0 : (long_o - 37'd1);
    if (stop_i == 2'd1) $finish;
    if (stop_i == 2'd2) $stop;
`ifdef FORMAL
    if (!rst_i) assert (count_o != 12'd20);
`endif
  end
endmodule
`default_nettype wire
