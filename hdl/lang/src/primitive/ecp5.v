// SPDX-License-Identifier: MIT OR Apache-2.0
// Behaviour of ECP5 cells, for simulation: multiplier and block RAM.
// After Lattice FPGA-TN-02205 (sysDSP) and FPGA-TN-02204 (sysMEM); tests compare them with the primitives that use them.

`default_nettype none

// The models of several cells stand in this file, so its name is that of none.
/* verilator lint_off DECLFILENAME */
// The vendor's parameters must be there to be set; many choose modes that are not modelled.
/* verilator lint_off UNUSEDPARAM */
// Likewise the vendor's ports: cascades, second clocks and resets are not modelled.
/* verilator lint_off UNUSEDSIGNAL */
// Modes are strings of different length, compared with one another.
/* verilator lint_off WIDTHEXPAND */

// 18 x 18 multiplier: registers for operands, pipeline and product. All registers that are on use CLK0; no cascades.
module MULT18X18D (
    input  wire A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
    input  wire B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
    input  wire C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
    input  wire SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    input  wire CLK3, CLK2, CLK1, CLK0, CE3, CE2, CE1, CE0, RST3, RST2, RST1, RST0,
    output wire P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);

    parameter REG_INPUTA_CLK = "NONE";
    parameter REG_INPUTA_CE = "CE0";
    parameter REG_INPUTA_RST = "RST0";
    parameter REG_INPUTB_CLK = "NONE";
    parameter REG_INPUTB_CE = "CE0";
    parameter REG_INPUTB_RST = "RST0";
    parameter REG_INPUTC_CLK = "NONE";
    parameter REG_INPUTC_CE = "CE0";
    parameter REG_INPUTC_RST = "RST0";
    parameter REG_PIPELINE_CLK = "NONE";
    parameter REG_PIPELINE_CE = "CE0";
    parameter REG_PIPELINE_RST = "RST0";
    parameter REG_OUTPUT_CLK = "NONE";
    parameter REG_OUTPUT_CE = "CE0";
    parameter REG_OUTPUT_RST = "RST0";
    parameter CLK0_DIV = "ENABLED";
    parameter CLK1_DIV = "ENABLED";
    parameter CLK2_DIV = "ENABLED";
    parameter CLK3_DIV = "ENABLED";
    parameter HIGHSPEED_CLK = "NONE";
    parameter GSR = "ENABLED";
    parameter CAS_MATCH_REG = "FALSE";
    parameter SOURCEB_MODE = "B_SHIFT";
    parameter MULT_BYPASS = "DISABLED";
    parameter RESETMODE = "SYNC";

    wire ce_a = REG_INPUTA_CE == "CE0" ? CE0 : REG_INPUTA_CE == "CE1" ? CE1 : REG_INPUTA_CE == "CE2" ? CE2 : CE3;
    wire ce_b = REG_INPUTB_CE == "CE0" ? CE0 : REG_INPUTB_CE == "CE1" ? CE1 : REG_INPUTB_CE == "CE2" ? CE2 : CE3;
    wire ce_m = REG_PIPELINE_CE == "CE0" ? CE0 : REG_PIPELINE_CE == "CE1" ? CE1 : REG_PIPELINE_CE == "CE2" ? CE2 : CE3;
    wire ce_p = REG_OUTPUT_CE == "CE0" ? CE0 : REG_OUTPUT_CE == "CE1" ? CE1 : REG_OUTPUT_CE == "CE2" ? CE2 : CE3;
    wire rst_a = REG_INPUTA_RST == "RST0" ? RST0 : REG_INPUTA_RST == "RST1" ? RST1 : REG_INPUTA_RST == "RST2" ? RST2 : RST3;
    wire rst_b = REG_INPUTB_RST == "RST0" ? RST0 : REG_INPUTB_RST == "RST1" ? RST1 : REG_INPUTB_RST == "RST2" ? RST2 : RST3;
    wire rst_m = REG_PIPELINE_RST == "RST0" ? RST0 : REG_PIPELINE_RST == "RST1" ? RST1 : REG_PIPELINE_RST == "RST2" ? RST2 : RST3;
    wire rst_p = REG_OUTPUT_RST == "RST0" ? RST0 : REG_OUTPUT_RST == "RST1" ? RST1 : REG_OUTPUT_RST == "RST2" ? RST2 : RST3;

    wire [17:0] a = {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0};
    wire [17:0] b = {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};
    // One bit more than the operands, so that one signed product serves both kinds.
    reg signed [18:0] a_q;
    reg signed [18:0] b_q;
    reg signed [37:0] m_q;
    reg signed [37:0] p_q;
    wire signed [18:0] a_d = {SIGNEDA & a[17], a};
    wire signed [18:0] b_d = {SIGNEDB & b[17], b};
    wire signed [18:0] a_m = REG_INPUTA_CLK == "NONE" ? a_d : a_q;
    wire signed [18:0] b_m = REG_INPUTB_CLK == "NONE" ? b_d : b_q;
    wire signed [37:0] m_d = a_m * b_m;
    wire signed [37:0] p_d = REG_PIPELINE_CLK == "NONE" ? m_d : m_q;
    wire signed [37:0] product = REG_OUTPUT_CLK == "NONE" ? p_d : p_q;

    always @(posedge CLK0) begin
        if (rst_a) a_q <= 19'sd0;
        else if (ce_a) a_q <= a_d;
        if (rst_b) b_q <= 19'sd0;
        else if (ce_b) b_q <= b_d;
        if (rst_m) m_q <= 38'sd0;
        else if (ce_m) m_q <= m_d;
        if (rst_p) p_q <= 38'sd0;
        else if (ce_p) p_q <= p_d;
    end

    assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = product[35:0];

endmodule

// 18 Kbit block RAM with two ports of up to 18 bits, or of 36 bits: port A writes, port B reads. Content is kept in
// lanes of 9 bits; a word of up to 4 bits is part of the low 8 bits of a lane. Selects are not modelled: they are 0.
module DP16KD (
    input  wire DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0,
    input  wire DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
    input  wire ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
    input  wire ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
    input  wire CLKA, CEA, OCEA, WEA, RSTA, CSA2, CSA1, CSA0,
    input  wire CLKB, CEB, OCEB, WEB, RSTB, CSB2, CSB1, CSB0,
    output wire DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0,
    output wire DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
);

    parameter integer DATA_WIDTH_A = 18;
    parameter integer DATA_WIDTH_B = 18;
    parameter REGMODE_A = "NOREG";
    parameter REGMODE_B = "NOREG";
    parameter RESETMODE = "SYNC";
    parameter ASYNC_RESET_RELEASE = "SYNC";
    parameter CSDECODE_A = "0b000";
    parameter CSDECODE_B = "0b000";
    parameter WRITEMODE_A = "NORMAL";
    parameter WRITEMODE_B = "NORMAL";
    parameter CLKAMUX = "CLKA";
    parameter CLKBMUX = "CLKB";
    parameter GSR = "AUTO";
    parameter WID = 0;
    parameter INIT_DATA = "STATIC";
    parameter [319:0] INITVAL_00 = 320'd0;
    parameter [319:0] INITVAL_01 = 320'd0;
    parameter [319:0] INITVAL_02 = 320'd0;
    parameter [319:0] INITVAL_03 = 320'd0;
    parameter [319:0] INITVAL_04 = 320'd0;
    parameter [319:0] INITVAL_05 = 320'd0;
    parameter [319:0] INITVAL_06 = 320'd0;
    parameter [319:0] INITVAL_07 = 320'd0;
    parameter [319:0] INITVAL_08 = 320'd0;
    parameter [319:0] INITVAL_09 = 320'd0;
    parameter [319:0] INITVAL_0A = 320'd0;
    parameter [319:0] INITVAL_0B = 320'd0;
    parameter [319:0] INITVAL_0C = 320'd0;
    parameter [319:0] INITVAL_0D = 320'd0;
    parameter [319:0] INITVAL_0E = 320'd0;
    parameter [319:0] INITVAL_0F = 320'd0;
    parameter [319:0] INITVAL_10 = 320'd0;
    parameter [319:0] INITVAL_11 = 320'd0;
    parameter [319:0] INITVAL_12 = 320'd0;
    parameter [319:0] INITVAL_13 = 320'd0;
    parameter [319:0] INITVAL_14 = 320'd0;
    parameter [319:0] INITVAL_15 = 320'd0;
    parameter [319:0] INITVAL_16 = 320'd0;
    parameter [319:0] INITVAL_17 = 320'd0;
    parameter [319:0] INITVAL_18 = 320'd0;
    parameter [319:0] INITVAL_19 = 320'd0;
    parameter [319:0] INITVAL_1A = 320'd0;
    parameter [319:0] INITVAL_1B = 320'd0;
    parameter [319:0] INITVAL_1C = 320'd0;
    parameter [319:0] INITVAL_1D = 320'd0;
    parameter [319:0] INITVAL_1E = 320'd0;
    parameter [319:0] INITVAL_1F = 320'd0;
    parameter [319:0] INITVAL_20 = 320'd0;
    parameter [319:0] INITVAL_21 = 320'd0;
    parameter [319:0] INITVAL_22 = 320'd0;
    parameter [319:0] INITVAL_23 = 320'd0;
    parameter [319:0] INITVAL_24 = 320'd0;
    parameter [319:0] INITVAL_25 = 320'd0;
    parameter [319:0] INITVAL_26 = 320'd0;
    parameter [319:0] INITVAL_27 = 320'd0;
    parameter [319:0] INITVAL_28 = 320'd0;
    parameter [319:0] INITVAL_29 = 320'd0;
    parameter [319:0] INITVAL_2A = 320'd0;
    parameter [319:0] INITVAL_2B = 320'd0;
    parameter [319:0] INITVAL_2C = 320'd0;
    parameter [319:0] INITVAL_2D = 320'd0;
    parameter [319:0] INITVAL_2E = 320'd0;
    parameter [319:0] INITVAL_2F = 320'd0;
    parameter [319:0] INITVAL_30 = 320'd0;
    parameter [319:0] INITVAL_31 = 320'd0;
    parameter [319:0] INITVAL_32 = 320'd0;
    parameter [319:0] INITVAL_33 = 320'd0;
    parameter [319:0] INITVAL_34 = 320'd0;
    parameter [319:0] INITVAL_35 = 320'd0;
    parameter [319:0] INITVAL_36 = 320'd0;
    parameter [319:0] INITVAL_37 = 320'd0;
    parameter [319:0] INITVAL_38 = 320'd0;
    parameter [319:0] INITVAL_39 = 320'd0;
    parameter [319:0] INITVAL_3A = 320'd0;
    parameter [319:0] INITVAL_3B = 320'd0;
    parameter [319:0] INITVAL_3C = 320'd0;
    parameter [319:0] INITVAL_3D = 320'd0;
    parameter [319:0] INITVAL_3E = 320'd0;
    parameter [319:0] INITVAL_3F = 320'd0;
    localparam [20479:0] INIT = {
        INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
        INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
        INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
        INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
        INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
        INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
        INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
        INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00
    };

    // A dual-port memory: each port writes it with a clock of its own.
    /* verilator lint_off MULTIDRIVEN */
    reg [8:0] lane [0:2047];
    /* verilator lint_on MULTIDRIVEN */
    integer i;
    initial for (i = 0; i < 2048; i = i + 1) lane[i] = INIT[20 * (i / 2) + 9 * (i % 2) +: 9];

    wire [13:0] ada = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
    wire [13:0] adb = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
    wire [35:0] di = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0, DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
    wire [17:0] dia = di[17:0];
    wire [17:0] dib = di[35:18];

    // What a port of a width sees of four lanes.
    function [35:0] word(input integer width, input [4:0] at, input [35:0] lanes);
        case (width)
            1: word = {35'd0, lanes[{3'd0, at[2:0]}]};
            2: word = {34'd0, lanes[{3'd0, at[2:1], 1'b0} +: 2]};
            4: word = {32'd0, lanes[{3'd0, at[2], 2'b0} +: 4]};
            9: word = {27'd0, lanes[8:0]};
            18: word = {18'd0, lanes[17:0]};
            default: word = lanes;
        endcase
    endfunction

    // The four lanes from the one that a port's address names, or from the first of its word.
    wire [10:0] from_a = DATA_WIDTH_A == 36 ? {ada[13:5], 2'b0} : DATA_WIDTH_A == 18 ? {ada[13:4], 1'b0} : ada[13:3];
    wire [10:0] from_b = DATA_WIDTH_B == 36 ? {adb[13:5], 2'b0} : DATA_WIDTH_B == 18 ? {adb[13:4], 1'b0} : adb[13:3];
    wire [35:0] seen_a = word(DATA_WIDTH_A, ada[4:0],
            {lane[from_a | 11'd3], lane[from_a | 11'd2], lane[from_a | 11'd1], lane[from_a]});
    wire [35:0] seen_b = word(DATA_WIDTH_B, adb[4:0],
            {lane[from_b | 11'd3], lane[from_b | 11'd2], lane[from_b | 11'd1], lane[from_b]});

    reg [35:0] read_a;
    reg [35:0] read_b;
    always @(posedge CLKA) begin
        if (CEA & WEA) begin
            case (DATA_WIDTH_A)
                1: lane[from_a][{1'b0, ada[2:0]}] <= dia[0];
                2: lane[from_a][{1'b0, ada[2:1], 1'b0} +: 2] <= dia[1:0];
                4: lane[from_a][{1'b0, ada[2], 2'b0} +: 4] <= dia[3:0];
                9: lane[from_a] <= dia[8:0];
                default: begin
                    if (ada[0]) lane[from_a] <= di[8:0];
                    if (ada[1]) lane[from_a | 11'd1] <= di[17:9];
                    if (DATA_WIDTH_A == 36 && ada[2]) lane[from_a | 11'd2] <= di[26:18];
                    if (DATA_WIDTH_A == 36 && ada[3]) lane[from_a | 11'd3] <= di[35:27];
                end
            endcase
        end
        if (RSTA) read_a <= 36'd0;
        else if (CEA && (!WEA || WRITEMODE_A == "READBEFOREWRITE")) read_a <= seen_a;
        else if (CEA && WRITEMODE_A == "WRITETHROUGH") read_a <= {18'd0, dia};
    end
    always @(posedge CLKB) begin
        if (CEB & WEB) begin
            case (DATA_WIDTH_B)
                1: lane[from_b][{1'b0, adb[2:0]}] <= dib[0];
                2: lane[from_b][{1'b0, adb[2:1], 1'b0} +: 2] <= dib[1:0];
                4: lane[from_b][{1'b0, adb[2], 2'b0} +: 4] <= dib[3:0];
                9: lane[from_b] <= dib[8:0];
                default: begin
                    if (adb[0]) lane[from_b] <= dib[8:0];
                    if (adb[1]) lane[from_b | 11'd1] <= dib[17:9];
                end
            endcase
        end
        if (RSTB) read_b <= 36'd0;
        else if (CEB && (!WEB || WRITEMODE_B == "READBEFOREWRITE")) read_b <= seen_b;
        else if (CEB && WRITEMODE_B == "WRITETHROUGH") read_b <= {18'd0, dib};
    end

    // A word of 36 bits read by port B leaves through both ports.
    wire [17:0] doa_d = DATA_WIDTH_B == 36 ? read_b[17:0] : read_a[17:0];
    wire [17:0] dob_d = DATA_WIDTH_B == 36 ? read_b[35:18] : read_b[17:0];
    reg [17:0] doa_q;
    reg [17:0] dob_q;
    always @(posedge CLKA) if (RSTA) doa_q <= 18'd0; else if (OCEA) doa_q <= doa_d;
    always @(posedge CLKB) if (RSTB) dob_q <= 18'd0; else if (OCEB) dob_q <= dob_d;
    assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} = REGMODE_A == "OUTREG" ? doa_q : doa_d;
    assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0} = REGMODE_B == "OUTREG" ? dob_q : dob_d;

endmodule

/* verilator lint_on WIDTHEXPAND */
/* verilator lint_on UNUSEDSIGNAL */
/* verilator lint_on UNUSEDPARAM */
/* verilator lint_on DECLFILENAME */

`default_nettype wire
