// SPDX-License-Identifier: MIT OR Apache-2.0
// Sixteen signed int8 products per cycle, their sum a cycle later, and an accumulator per lane.
`default_nettype none
module mac16 (
    input  wire         clk_i,
    input  wire         rst_i,
    input  wire         en_i,
    input  wire [127:0] a_i,
    input  wire [127:0] w_i,
    output reg  [ 31:0] dot_o,
    output wire [511:0] acc_o
);
  reg signed [15:0] product_q[0:15];
  reg signed [31:0] acc_q[0:15];
  reg signed [31:0] sum;
  integer k;
  always @* begin
    sum = 0;
    for (k = 0; k < 16; k = k + 1) sum = sum + {{16{product_q[k][15]}}, product_q[k]};
  end
  always @(posedge clk_i) dot_o <= sum;

  genvar g;
  generate
    for (g = 0; g < 16; g = g + 1) begin : lane
      wire signed [7:0] a = a_i[8*g+:8];
      wire signed [7:0] w = w_i[8*g+:8];
      assign acc_o[32*g+:32] = acc_q[g];
      always @(posedge clk_i)
        if (rst_i) begin
          product_q[g] <= 16'sd0;
          acc_q[g]     <= 32'sd0;
        end else if (en_i) begin
          product_q[g] <= a * w;
          acc_q[g]     <= acc_q[g] + {{16{product_q[g][15]}}, product_q[g]};
        end
    end
  endgenerate
endmodule
`default_nettype wire
