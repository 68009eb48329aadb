// SPDX-License-Identifier: MIT OR Apache-2.0
//! Multipliers with the registers that a DSP block has inside.
//!
//! Ports      `en_i`: the operands are taken; `run_i`: pipeline and product move on (a clock gate; else 1); `a_i`, `b_i`: one
//!            operand per lane; `p_o`: one exact product per lane
//! Latency    [`STAGES`] cycles      Throughput  one product per lane and cycle      Rounding  none      Reset  none
//!
//! Operands that are held stop everything behind them: one enable is enough for a unit that is idle not to toggle,
//! and it is one net to route. While `run_i` is low `en_i` must be low as well.

use super::{Primitive, Target, cell::Cell};
use crate::{
    builder::{BuildError, Builder},
    expr::{Expr, Ty},
    module::Module,
};
use std::sync::Arc;

/// Register stages: operands, pipeline, product.
pub const STAGES: u32 = 3;
/// Widest operand of MULT18X18D.
const ECP5_BITS: u32 = 18;
/// Widest operand of SB_MAC16, and of each of its halves.
const ICE40_BITS: u32 = 16;
const ICE40_HALF: u32 = 8;

/// Operand types and products per cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Multiplier {
    pub a: Ty,
    pub b: Ty,
    pub lanes: u32,
}

/// `lanes` products of `a` and `b`: signed up to 18 bits, unsigned up to 17.
pub fn multiplier(a: Ty, b: Ty, lanes: u32) -> Result<Arc<Module>, BuildError> {
    let short = |ty: Ty| format!("{}{}", if ty.is_signed() { 's' } else { 'u' }, ty.width());
    let count = if lanes == 1 { String::new() } else { lanes.to_string() };
    let mut m = Builder::new(format!("mul{count}_{}x{}_r{STAGES}", short(a), short(b)), file!());
    let named = |ty: Ty| format!("{} {} bits", if ty.is_signed() { "signed" } else { "unsigned" }, ty.width());
    m.doc(&format!(
        "{}: {} times {}, {STAGES} cycles later.\nRegisters of a DSP block: operands, with an enable of their own, pipeline, product.",
        if lanes == 1 { "A product".to_string() } else { format!("{lanes} products") },
        named(a),
        named(b)
    ));
    for ty in [a, b] {
        let most = ECP5_BITS - u32::from(!ty.is_signed());
        if ty.width() > most {
            m.error(format!("an operand of a multiplier has up to {most} bits, not {}", ty.width()));
        }
    }
    m.clock("clk");
    m.comment("Operands are taken; pipeline and product move on");
    let en = m.input("en", Ty::BIT);
    let run = m.input("run", Ty::BIT);
    let ai = m.input("a", Ty::Unsigned(lanes * a.width()));
    let bi = m.input("b", Ty::Unsigned(lanes * b.width()));
    let typed = |bits: &Expr, ty: Ty| if ty.is_signed() { bits.as_signed() } else { bits.clone() };
    let mut products = Vec::new();
    for (i, (x, y)) in ai.chunks(a.width()).iter().zip(bi.chunks(b.width())).enumerate() {
        let name = |what: &str| if lanes == 1 { what.to_string() } else { format!("{what}_{i}") };
        let x = m.register_when(&name("a"), &en, typed(x, a));
        let y = m.register_when(&name("b"), &en, typed(&y, b));
        let signed = a.is_signed() || b.is_signed();
        let (x, y) = if signed { (x.to_signed(), y.to_signed()) } else { (x, y) };
        let exact = &x * &y;
        let bits = a.width() + b.width();
        let exact = if exact.width() > bits { exact.truncate(bits) } else { exact };
        let pipeline = m.register_when(&name("pipeline"), &run, exact);
        products.push(m.register_when(&name("product"), &run, pipeline).as_unsigned());
    }
    m.output("p", Expr::pack(&products));
    m.primitive(Primitive::Multiplier(Multiplier { a, b, lanes }));
    m.build()
}

impl Multiplier {
    pub(super) fn body(&self, target: Target) -> Option<Vec<String>> {
        match target {
            Target::Generic => None,
            Target::Ecp5 => Some(self.ecp5()),
            Target::Ice40 if self.a.width().max(self.b.width()) > ICE40_BITS => None,
            Target::Ice40 => Some(self.ice40()),
        }
    }

    /// The bits of a lane's operand, extended to `bits`.
    fn operand(port: &str, ty: Ty, lane: u32, bits: u32) -> String {
        let (lsb, msb) = (lane * ty.width(), (lane + 1) * ty.width() - 1);
        let slice = if msb == 0 { port.to_string() } else { format!("{port}[{msb}:{lsb}]") };
        match (bits - ty.width(), ty.is_signed()) {
            (0, _) => slice,
            (n, true) => format!("{{{{{n}{{{port}[{msb}]}}}}, {slice}}}"),
            (n, false) => format!("{{{n}'d0, {slice}}}"),
        }
    }

    /// Bits below an operand of MULT18X18D, whose operands are signed.
    fn zeros(ty: Ty) -> u32 {
        ECP5_BITS - ty.width() - u32::from(!ty.is_signed())
    }

    /// A lane's operand in the top bits of a port of MULT18X18D.
    fn at_the_top(port: &str, ty: Ty, lane: u32) -> String {
        let signed = Self::operand(port, ty, lane, ECP5_BITS - Self::zeros(ty));
        match Self::zeros(ty) {
            0 => signed,
            n => format!("{{{signed}, {n}'d0}}"),
        }
    }

    fn ecp5(&self) -> Vec<String> {
        let mut out = Vec::new();
        let bits = self.a.width() + self.b.width();
        let from = Self::zeros(self.a) + Self::zeros(self.b);
        out.push(
            "// Operands stand at the top of the ports: to extend them would take a sign to ten more pins, zeros below cost no wire."
                .into(),
        );
        out.extend(
            [
                "// Clocks, enables and resets that no register uses are open: four multipliers share four nets of each kind, and a",
                "// constant would be one of them, with a route across the device.",
                "/* verilator lint_off PINMISSING */",
            ]
            .map(String::from),
        );
        for lane in 0..self.lanes {
            let name = |what: &str| if self.lanes == 1 { what.to_string() } else { format!("{what}_{lane}") };
            let (a, b, p) = (name("a"), name("b"), name("p"));
            out.push(format!("wire [{}:0] {a} = {};", ECP5_BITS - 1, Self::at_the_top("a_i", self.a, lane)));
            out.push(format!("wire [{}:0] {b} = {};", ECP5_BITS - 1, Self::at_the_top("b_i", self.b, lane)));
            out.push(format!("wire [{}:0] {p};", 2 * ECP5_BITS - 1));
            let to = if self.lanes == 1 { "p_o".into() } else { format!("p_o[{}:{}]", (lane + 1) * bits - 1, lane * bits) };
            out.push(format!("assign {to} = {p}[{}:{from}];", from + bits - 1));
            let mut spare = Vec::new();
            if from + bits < 2 * ECP5_BITS {
                spare.push(format!("{p}[{}:{}]", 2 * ECP5_BITS - 1, from + bits));
            }
            if from > 0 {
                spare.push(format!("{p}[{}:0]", from - 1));
            }
            if !spare.is_empty() {
                out.push("// Copies of the sign above the product, zeros below".into());
                out.push(format!("wire unused_{p} = &{{1'b0, {}}};", spare.join(", ")));
            }
            out.extend(Self::mult18x18d(&name("mult"), &a, &b, &p).lines());
            out.push(String::new());
        }
        out.push("/* verilator lint_on PINMISSING */".into());
        out
    }

    fn mult18x18d(name: &str, a: &str, b: &str, p: &str) -> Cell {
        let mut cell = Cell::new("MULT18X18D", name);
        for (register, enable) in [("INPUTA", "CE0"), ("INPUTB", "CE0"), ("PIPELINE", "CE1"), ("OUTPUT", "CE1")] {
            cell.text(&format!("REG_{register}_CLK"), "CLK0");
            cell.text(&format!("REG_{register}_CE"), enable);
            cell.text(&format!("REG_{register}_RST"), "RST0");
        }
        cell.text("REG_INPUTC_CLK", "NONE");
        for clock in 0..4 {
            cell.text(&format!("CLK{clock}_DIV"), "ENABLED");
        }
        cell.text("SOURCEB_MODE", "B_SHIFT");
        cell.text("MULT_BYPASS", "DISABLED");
        cell.text("RESETMODE", "SYNC");
        cell.text("GSR", "DISABLED");
        cell.bits("A", a, ECP5_BITS, ECP5_BITS, "1'b0");
        cell.bits("B", b, ECP5_BITS, ECP5_BITS, "1'b0");
        cell.bits("C", "", 0, ECP5_BITS, "1'b0");
        for (port, value) in [("SIGNEDA", "1'b1"), ("SIGNEDB", "1'b1"), ("SOURCEA", "1'b0"), ("SOURCEB", "1'b0")] {
            cell.port(port, value);
        }
        cell.port("CLK0", "clk_i");
        for (port, value) in [("CE0", "en_i"), ("CE1", "run_i"), ("RST0", "1'b0")] {
            cell.port(port, value);
        }
        cell.bits("P", p, 2 * ECP5_BITS, 2 * ECP5_BITS, "");
        cell
    }

    /// Lanes in the halves of one cell.
    fn halves(&self) -> bool {
        self.lanes > 1 && self.a.width().max(self.b.width()) <= ICE40_HALF
    }

    pub(super) fn mac16(&self) -> u32 {
        if self.halves() { self.lanes.div_ceil(2) } else { self.lanes }
    }

    fn ice40(&self) -> Vec<String> {
        let mut out = Vec::new();
        let bits = self.a.width() + self.b.width();
        for n in 0..self.mac16() {
            let p = format!("p_{n}");
            let (a, b) = if self.halves() { (self.pair("a_i", self.a, n), self.pair("b_i", self.b, n)) } else { self.whole(n) };
            out.push(format!("wire [31:0] {p};"));
            let lanes: Vec<(u32, u32)> = if self.halves() { vec![(2 * n, 0), (2 * n + 1, 16)] } else { vec![(n, 0)] };
            for (lane, from) in lanes.into_iter().filter(|(lane, _)| *lane < self.lanes) {
                let to = if self.lanes == 1 { "p_o".into() } else { format!("p_o[{}:{}]", (lane + 1) * bits - 1, lane * bits) };
                out.push(format!("assign {to} = {p}[{}:{from}];", from + bits - 1));
            }
            let width = if self.halves() { 2 * ICE40_HALF } else { bits };
            let spare: Vec<String> = match (self.halves(), bits) {
                (true, b) if b < 16 => vec![format!("{p}[15:{b}]"), format!("{p}[31:{}]", 16 + b)],
                (false, _) if width < 32 => vec![format!("{p}[31:{width}]")],
                _ => vec![],
            };
            if !spare.is_empty() {
                out.push("// Copies of the sign".into());
                out.push(format!("wire unused_{p} = &{{1'b0, {}}};", spare.join(", ")));
            }
            out.extend(self.sb_mac16(&format!("mac_{n}"), &a, &b, &p).lines());
            out.push(String::new());
        }
        out
    }

    /// Operands of two lanes, the odd one in the upper half.
    fn pair(&self, port: &str, ty: Ty, n: u32) -> String {
        let low = Self::operand(port, ty, 2 * n, ICE40_HALF);
        let high = if 2 * n + 1 < self.lanes { Self::operand(port, ty, 2 * n + 1, ICE40_HALF) } else { "8'd0".into() };
        format!("{{{high}, {low}}}")
    }

    fn whole(&self, lane: u32) -> (String, String) {
        (Self::operand("a_i", self.a, lane, ICE40_BITS), Self::operand("b_i", self.b, lane, ICE40_BITS))
    }

    /// The output registers stand behind the adders, which add the product to zero.
    fn sb_mac16(&self, name: &str, a: &str, b: &str, p: &str) -> Cell {
        let mut cell = Cell::new("SB_MAC16", name);
        let source = if self.halves() { "2'b01" } else { "2'b10" };
        for (parameter, on) in [("A_REG", true), ("B_REG", true), ("C_REG", false), ("D_REG", false)] {
            cell.number(parameter, if on { "1'b1" } else { "1'b0" });
        }
        for parameter in ["TOP_8x8_MULT_REG", "BOT_8x8_MULT_REG"] {
            cell.number(parameter, "1'b1");
        }
        cell.number("PIPELINE_16x16_MULT_REG1", if self.halves() { "1'b0" } else { "1'b1" });
        cell.number("PIPELINE_16x16_MULT_REG2", "1'b0");
        for half in ["TOP", "BOT"] {
            cell.number(&format!("{half}OUTPUT_SELECT"), "2'b01");
            cell.number(&format!("{half}ADDSUB_LOWERINPUT"), source);
            cell.number(&format!("{half}ADDSUB_UPPERINPUT"), "1'b1");
            cell.number(&format!("{half}ADDSUB_CARRYSELECT"), "2'b00");
        }
        cell.number("MODE_8x8", if self.halves() { "1'b1" } else { "1'b0" });
        for (parameter, ty) in [("A_SIGNED", self.a), ("B_SIGNED", self.b)] {
            cell.number(parameter, if ty.is_signed() { "1'b1" } else { "1'b0" });
        }
        cell.port("CLK", "clk_i");
        cell.port("CE", "run_i");
        for (port, value) in [("A", a), ("B", b), ("C", "16'd0"), ("D", "16'd0")] {
            cell.port(port, value);
        }
        for (port, value) in [("AHOLD", "~en_i"), ("BHOLD", "~en_i")] {
            cell.port(port, value);
        }
        for port in [
            "CHOLD",
            "DHOLD",
            "OHOLDTOP",
            "OHOLDBOT",
            "IRSTTOP",
            "IRSTBOT",
            "ORSTTOP",
            "ORSTBOT",
            "OLOADTOP",
            "OLOADBOT",
            "ADDSUBTOP",
            "ADDSUBBOT",
        ] {
            cell.port(port, "1'b0");
        }
        for port in ["CI", "ACCUMCI", "SIGNEXTIN"] {
            cell.port(port, "1'b0");
        }
        cell.port("O", p);
        cell
    }
}
