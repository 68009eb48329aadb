// SPDX-License-Identifier: MIT OR Apache-2.0
// A two-entry buffer between streams; BUG selects a rule to break: 2, 3 or 4.
`default_nettype none
module skid #(
    parameter BUG = 0
) (
    input  wire        clk_i,
    input  wire        rst_i,
    input  wire        in_valid_i,
    output wire        in_ready_o,
    input  wire [ 8:0] in_tag_i,
    input  wire [99:0] in_data_i,
    output wire        out_valid_o,
    input  wire        out_ready_i,
    output wire [ 8:0] out_tag_o,
    output wire [99:0] out_data_o
);
  reg [1:0] count_q;
  reg [108:0] head_q, tail_q;
  wire valid = count_q != 0;
  wire push = in_valid_i && in_ready_o;
  wire pop = out_valid_o && out_ready_i;
  assign in_ready_o = count_q != 2'd2;
  assign out_valid_o = (BUG == 2 || BUG == 4) ? (valid && out_ready_i) : valid;
  assign {out_tag_o, out_data_o} = head_q;
  always @(posedge clk_i) begin
    count_q <= rst_i ? 2'd0 : (count_q + {1'b0, push} - {1'b0, pop});
    if (pop || !valid || BUG == 3) head_q <= (count_q == 2'd2) ? tail_q : {in_tag_i, in_data_i};
    if (push) tail_q <= {in_tag_i, in_data_i};
  end
endmodule
`default_nettype wire
