// SPDX-License-Identifier: MIT OR Apache-2.0
// Copies beats from one address to another, inverting them, with the ports of the accelerator.
//
// Registers: 0x00 source, 0x04 target, 0x08 beats, 0x0c start (write), 0x10 beats left (read),
// 0x14 a bug to show (1: WLAST missing, 2: address changes while it waits, 3: bursts ignore 4 KiB).
`default_nettype none
module dma #(
    parameter BITS = 64
) (
    input  wire              clk_i,
    input  wire              rst_i,
    output reg               irq_o,
    // Registers
    input  wire              s_axil_awvalid_i,
    output wire              s_axil_awready_o,
    input  wire [      11:0] s_axil_awaddr_i,
    input  wire              s_axil_wvalid_i,
    output wire              s_axil_wready_o,
    input  wire [      31:0] s_axil_wdata_i,
    input  wire [       3:0] s_axil_wstrb_i,
    output reg               s_axil_bvalid_o,
    input  wire              s_axil_bready_i,
    output reg  [       1:0] s_axil_bresp_o,
    input  wire              s_axil_arvalid_i,
    output wire              s_axil_arready_o,
    input  wire [      11:0] s_axil_araddr_i,
    output reg               s_axil_rvalid_o,
    input  wire              s_axil_rready_i,
    output reg  [      31:0] s_axil_rdata_o,
    output reg  [       1:0] s_axil_rresp_o,
    // Memory
    output reg               m_axi_arvalid_o,
    input  wire              m_axi_arready_i,
    output reg  [      31:0] m_axi_araddr_o,
    output reg  [       7:0] m_axi_arlen_o,
    output wire [       2:0] m_axi_arsize_o,
    output wire [       1:0] m_axi_arburst_o,
    input  wire              m_axi_rvalid_i,
    output wire              m_axi_rready_o,
    input  wire [  BITS-1:0] m_axi_rdata_i,
    input  wire [       1:0] m_axi_rresp_i,
    input  wire              m_axi_rlast_i,
    output reg               m_axi_awvalid_o,
    input  wire              m_axi_awready_i,
    output reg  [      31:0] m_axi_awaddr_o,
    output reg  [       7:0] m_axi_awlen_o,
    output wire [       2:0] m_axi_awsize_o,
    output wire [       1:0] m_axi_awburst_o,
    output wire              m_axi_wvalid_o,
    input  wire              m_axi_wready_i,
    output wire [  BITS-1:0] m_axi_wdata_o,
    output wire [BITS/8-1:0] m_axi_wstrb_o,
    output wire              m_axi_wlast_o,
    input  wire              m_axi_bvalid_i,
    output wire              m_axi_bready_o,
    input  wire [       1:0] m_axi_bresp_i
);
  localparam SIZE = $clog2(BITS / 8);
  localparam [31:0] BURST_BYTES = 16 * (BITS / 8);
  localparam [2:0] Idle = 0, Address = 1, Read = 2, Write = 3, Response = 4;

  reg [31:0] source_q, target_q, left_q;
  reg [1:0] bug_q;
  reg [2:0] state_q;
  reg start_q, failed_q;

  // Registers: address and data of a write may come in any order
  reg aw_q, w_q;
  reg [11:0] awaddr_q;
  reg [31:0] wdata_q;
  assign s_axil_awready_o = !aw_q && !s_axil_bvalid_o;
  assign s_axil_wready_o  = !w_q && !s_axil_bvalid_o;
  assign s_axil_arready_o = !s_axil_rvalid_o;
  always @(posedge clk_i) begin
    start_q <= 1'b0;
    if (s_axil_awvalid_i && s_axil_awready_o) begin
      aw_q     <= 1'b1;
      awaddr_q <= s_axil_awaddr_i;
    end
    if (s_axil_wvalid_i && s_axil_wready_o) begin
      w_q     <= s_axil_wstrb_i == 4'hf;
      wdata_q <= s_axil_wdata_i;
    end
    if (s_axil_bvalid_o && s_axil_bready_i) s_axil_bvalid_o <= 1'b0;
    if (aw_q && w_q) begin
      {aw_q, w_q}     <= 2'b00;
      s_axil_bvalid_o <= 1'b1;
      s_axil_bresp_o  <= (awaddr_q > 12'h14) ? 2'd2 : 2'd0;
      case (awaddr_q)
        12'h0c:  start_q <= 1'b1;
        12'h14:  bug_q <= wdata_q[1:0];
        default: ;
      endcase
    end
    if (s_axil_rvalid_o && s_axil_rready_i) s_axil_rvalid_o <= 1'b0;
    if (s_axil_arvalid_i && s_axil_arready_o) begin
      s_axil_rvalid_o <= 1'b1;
      s_axil_rresp_o  <= (s_axil_araddr_i > 12'h14) ? 2'd2 : 2'd0;
      case (s_axil_araddr_i)
        12'h00:  s_axil_rdata_o <= source_q;
        12'h04:  s_axil_rdata_o <= target_q;
        12'h10:  s_axil_rdata_o <= left_q;
        12'h14:  s_axil_rdata_o <= {31'd0, failed_q};
        default: s_axil_rdata_o <= 32'd0;
      endcase
    end
    if (rst_i) {aw_q, w_q, s_axil_bvalid_o, s_axil_rvalid_o, start_q, bug_q} <= 0;
  end

  // Up to 16 beats in, then out again
  reg [BITS-1:0] buffer[0:15];
  reg [3:0] index_q;
  wire [31:0] to_page = (32'd4096 - {20'd0, source_q[11:0]}) >> SIZE;
  wire [31:0] to_page_w = (32'd4096 - {20'd0, target_q[11:0]}) >> SIZE;
  wire [31:0] beats16 = (left_q > 32'd16) ? 32'd16 : left_q;
  wire [31:0] beats_r = (bug_q == 2'd3 || beats16 < to_page) ? beats16 : to_page;
  wire [31:0] beats = (bug_q == 2'd3 || beats_r < to_page_w) ? beats_r : to_page_w;
  wire [7:0] len = beats[7:0] - 8'd1;

  assign m_axi_arsize_o  = SIZE;
  assign m_axi_arburst_o = 2'd1;
  assign m_axi_awsize_o  = SIZE;
  assign m_axi_awburst_o = 2'd1;
  assign m_axi_rready_o  = state_q == Read;
  assign m_axi_wvalid_o  = state_q == Write && !m_axi_awvalid_o;
  assign m_axi_wdata_o   = ~buffer[index_q];
  assign m_axi_wstrb_o   = ~0;
  assign m_axi_wlast_o   = {4'd0, index_q} == m_axi_awlen_o && bug_q != 2'd1;
  assign m_axi_bready_o  = state_q == Response;

  always @(posedge clk_i) begin
    if (aw_q && w_q)
      case (awaddr_q)
        12'h00:  source_q <= wdata_q;
        12'h04:  target_q <= wdata_q;
        12'h08:  left_q <= wdata_q;
        default: ;
      endcase
    if (m_axi_arvalid_o && m_axi_arready_i) m_axi_arvalid_o <= 1'b0;
    else if (m_axi_arvalid_o && bug_q == 2'd2) m_axi_araddr_o <= m_axi_araddr_o + BURST_BYTES;
    if (m_axi_awvalid_o && m_axi_awready_i) m_axi_awvalid_o <= 1'b0;
    if (m_axi_rvalid_i && m_axi_rready_o) begin
      buffer[index_q] <= m_axi_rdata_i;
      if (m_axi_rresp_i != 0) failed_q <= 1'b1;
    end
    case (state_q)
      Idle:
      if (start_q) begin
        state_q <= Address;
        irq_o   <= 1'b0;
      end
      Address: begin
        state_q         <= Read;
        index_q         <= 4'd0;
        m_axi_arvalid_o <= 1'b1;
        m_axi_araddr_o  <= source_q;
        m_axi_arlen_o   <= len;
        m_axi_awaddr_o  <= target_q;
        m_axi_awlen_o   <= len;
        source_q        <= source_q + (beats << SIZE);
        target_q        <= target_q + (beats << SIZE);
        left_q          <= left_q - beats;
      end
      Read:
      if (m_axi_rvalid_i) begin
        index_q <= m_axi_rlast_i ? 4'd0 : (index_q + 4'd1);
        if (m_axi_rlast_i) begin
          state_q         <= Write;
          m_axi_awvalid_o <= 1'b1;
        end
      end
      Write:
      if (m_axi_wvalid_o && m_axi_wready_i) begin
        index_q <= index_q + 4'd1;
        if ({4'd0, index_q} == m_axi_awlen_o) state_q <= Response;
      end
      default:
      if (m_axi_bvalid_i) begin
        if (m_axi_bresp_i != 0) failed_q <= 1'b1;
        state_q <= (left_q == 0) ? Idle : Address;
        irq_o   <= left_q == 0;
      end
    endcase
    if (rst_i) begin
      {m_axi_arvalid_o, m_axi_awvalid_o, irq_o, failed_q} <= 0;
      state_q <= Idle;
    end
  end
endmodule
`default_nettype wire
