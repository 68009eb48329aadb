// SPDX-License-Identifier: MIT OR Apache-2.0
//! A PLL: clocks of chosen frequency and phase from a board's oscillator.
//!
//! Ports      `clk_i`: the oscillator; one output per clock, by its name; `locked_o`
//!
//! The plain form passes the oscillator on as every clock and is always locked: frequency, phase and the time to lock
//! are not modelled. Sources: Lattice FPGA-TN-02200 (ECP5 sysCLOCK), FPGA-TN-02052 (iCE40 sysCLOCK).

use super::{Primitive, Target, cell::Cell};
use crate::{
    builder::{BuildError, Builder},
    expr::{Expr, Ty},
    module::Module,
};
use std::{ops::RangeInclusive, sync::Arc};

/// A clock that a PLL makes.
#[derive(Clone, Debug, PartialEq)]
pub struct PllClock {
    /// Base name of its output.
    pub name: String,
    pub mhz: f64,
    /// Degrees behind the first clock.
    pub phase: f64,
}

/// A PLL: the oscillator and the clocks made of it, the first of them fed back.
#[derive(Clone, Debug, PartialEq)]
pub struct Pll {
    pub input_mhz: f64,
    pub clocks: Vec<PllClock>,
}

/// Why a PLL cannot be had.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PllError {
    #[error("{target}: {count} clocks of one PLL: must be 1 to {most}")]
    Clocks { target: Target, count: usize, most: usize },
    #[error("{target}: no dividers give {wanted} MHz within 1 % from {input_mhz} MHz{near}")]
    Frequency { target: Target, input_mhz: f64, wanted: String, near: String },
    #[error("{target}: clock `{name}` at {phase} degrees: must be 0 to 359, and 0 for the first clock (all of iCE40)")]
    Phase { target: Target, name: String, phase: f64 },
}

/// Largest relative error of a frequency.
const TOLERANCE: f64 = 0.01;

/// Limits of EHXPLLL, in MHz.
const ECP5_VCO: RangeInclusive<f64> = 400.0..=800.0;
const ECP5_PFD: RangeInclusive<f64> = 3.125..=400.0;
const ECP5_DIVIDER: u32 = 128;
const ECP5_CLOCKS: [&str; 4] = ["CLKOP", "CLKOS", "CLKOS2", "CLKOS3"];

/// Limits of SB_PLL40_PAD, in MHz.
const ICE40_VCO: RangeInclusive<f64> = 533.0..=1066.0;
const ICE40_PFD: RangeInclusive<f64> = 10.0..=133.0;

/// The module of a PLL.
pub fn pll(name: &str, spec: &Pll) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::new(name, file!());
    let clocks: Vec<String> = spec.clocks.iter().map(|c| format!("{} at {} MHz", c.name, c.mhz)).collect();
    m.doc(&format!("PLL: {} from {} MHz.", clocks.join(", "), spec.input_mhz));
    // A PLL is for one board: what only the other family lacks is no mistake.
    if let (Err(a), Err(b)) = (spec.frequencies(Target::Ecp5), spec.frequencies(Target::Ice40)) {
        m.error(format!("{a}; {b}"));
    }
    let oscillator = m.clock("clk");
    for clock in &spec.clocks {
        m.output(&clock.name, oscillator.clone());
    }
    m.output("locked", Expr::constant(Ty::BIT, 1));
    m.primitive(Primitive::Pll(spec.clone()));
    m.build()
}

/// Dividers of EHXPLLL: of the oscillator, of the feedback, of each clock.
struct Ehxplll {
    input: u32,
    feedback: u32,
    outputs: Vec<u32>,
    vco: f64,
}

/// Dividers of SB_PLL40_PAD as it takes them.
struct Pll40 {
    divr: u32,
    divf: u32,
    divq: u32,
    mhz: f64,
}

impl Pll {
    /// What the clocks will be on a target, in MHz; each is within 1 % of what was asked for.
    pub fn frequencies(&self, target: Target) -> Result<Vec<f64>, PllError> {
        match target {
            Target::Generic => Ok(self.clocks.iter().map(|c| c.mhz).collect()),
            Target::Ecp5 => self.ehxplll().map(|d| d.outputs.iter().map(|&n| d.vco / f64::from(n)).collect()),
            Target::Ice40 => self.pll40().map(|d| vec![d.mhz]),
        }
    }

    pub(super) fn body(&self, target: Target) -> Option<Vec<String>> {
        match target {
            Target::Generic => None,
            Target::Ecp5 => self.ehxplll().ok().map(|d| self.ecp5(&d)),
            Target::Ice40 => self.pll40().ok().map(|d| self.ice40(&d)),
        }
    }

    fn check(&self, target: Target, most: usize, phases: bool) -> Result<(), PllError> {
        if !(1..=most).contains(&self.clocks.len()) {
            return Err(PllError::Clocks { target, count: self.clocks.len(), most });
        }
        for (i, clock) in self.clocks.iter().enumerate() {
            let legal = if i > 0 && phases { (0.0..360.0).contains(&clock.phase) } else { clock.phase == 0.0 };
            if !legal {
                return Err(PllError::Phase { target, name: clock.name.clone(), phase: clock.phase });
            }
        }
        Ok(())
    }

    fn unreachable(&self, target: Target, best: Option<f64>) -> PllError {
        let wanted = self.clocks.iter().map(|c| c.mhz.to_string()).collect::<Vec<_>>().join(" and ");
        let near = best.map_or(String::new(), |error| format!("; the nearest are {:.1} % off", 100.0 * error));
        PllError::Frequency { target, input_mhz: self.input_mhz, wanted, near }
    }

    /// The dividers with the smallest error; of equal ones those with the VCO in the middle of its range.
    fn ehxplll(&self) -> Result<Ehxplll, PllError> {
        self.check(Target::Ecp5, ECP5_CLOCKS.len(), true)?;
        let mut best: Option<(f64, f64, Ehxplll)> = None;
        for input in 1..=ECP5_DIVIDER {
            let pfd = self.input_mhz / f64::from(input);
            if !ECP5_PFD.contains(&pfd) {
                continue;
            }
            for feedback in 1..=ECP5_DIVIDER {
                for first in 1..=ECP5_DIVIDER {
                    let vco = pfd * f64::from(feedback) * f64::from(first);
                    if !ECP5_VCO.contains(&vco) {
                        continue;
                    }
                    let (error, outputs) = self.dividers(vco, first);
                    let off = (vco - (ECP5_VCO.start() + ECP5_VCO.end()) / 2.0).abs();
                    if best.as_ref().is_none_or(|(e, o, _)| error < e - 1e-9 || (error < e + 1e-9 && off < o - 1e-9)) {
                        best = Some((error, off, Ehxplll { input, feedback, outputs, vco }));
                    }
                }
            }
        }
        match best {
            Some((error, _, dividers)) if error <= TOLERANCE => Ok(dividers),
            other => Err(self.unreachable(Target::Ecp5, other.map(|(error, ..)| error))),
        }
    }

    /// Dividers of the clocks from a VCO, the first as given, and the largest relative error.
    fn dividers(&self, vco: f64, first: u32) -> (f64, Vec<u32>) {
        let nearest = |mhz: f64| ((vco / mhz).round() as u32).clamp(1, ECP5_DIVIDER);
        let outputs: Vec<u32> = self.clocks.iter().enumerate().map(|(i, c)| if i == 0 { first } else { nearest(c.mhz) }).collect();
        let errors = self.clocks.iter().zip(&outputs).map(|(c, &n)| (vco / f64::from(n) / c.mhz - 1.0).abs());
        (errors.fold(0.0, f64::max), outputs)
    }

    fn ecp5(&self, d: &Ehxplll) -> Vec<String> {
        let mut cell = Cell::new("EHXPLLL", "pll");
        for name in ["PLLRST_ENA", "INTFB_WAKE", "STDBY_ENABLE", "DPHASE_SOURCE"] {
            cell.text(name, "DISABLED");
        }
        for (mux, divider) in [("A", "DIVA"), ("B", "DIVB"), ("C", "DIVC"), ("D", "DIVD")] {
            cell.text(&format!("OUTDIVIDER_MUX{mux}"), divider);
        }
        cell.number("CLKI_DIV", d.input);
        cell.number("CLKFB_DIV", d.feedback);
        cell.text("FEEDBK_PATH", "CLKOP");
        for ((clock, output), &divider) in self.clocks.iter().zip(ECP5_CLOCKS).zip(&d.outputs) {
            // In eighths of a period of the VCO, from the middle of the first clock's period.
            let start = f64::from((d.outputs[0] - 1) / 2) + clock.phase / 360.0 * f64::from(divider);
            let eighths = (8.0 * start).round() as u32;
            cell.text(&format!("{output}_ENABLE"), "ENABLED");
            cell.number(&format!("{output}_DIV"), divider);
            cell.number(&format!("{output}_CPHASE"), eighths / 8 % ECP5_DIVIDER);
            cell.number(&format!("{output}_FPHASE"), eighths % 8);
        }
        for (port, value) in [("CLKI", "clk_i"), ("RST", "1'b0"), ("STDBY", "1'b0"), ("ENCLKOP", "1'b0"), ("PLLWAKESYNC", "1'b0")] {
            cell.port(port, value);
        }
        for (port, value) in
            [("PHASESEL0", "1'b0"), ("PHASESEL1", "1'b0"), ("PHASEDIR", "1'b1"), ("PHASESTEP", "1'b1"), ("PHASELOADREG", "1'b1")]
        {
            cell.port(port, value);
        }
        for (clock, output) in self.clocks.iter().zip(ECP5_CLOCKS) {
            cell.port(output, format!("{}_o", clock.name));
        }
        cell.port("CLKFB", format!("{}_o", self.clocks[0].name));
        cell.port("LOCK", "locked_o");
        let analog = ["ICP_CURRENT = \"12\"", "LPF_RESISTOR = \"8\"", "MFG_ENABLE_FILTEROPAMP = \"1\"", "MFG_GMCREF_SEL = \"2\""];
        let pins =
            [("CLKI", self.input_mhz)].into_iter().chain(ECP5_CLOCKS.into_iter().zip(d.outputs.iter().map(|&n| d.vco / f64::from(n))));
        let pins = pins.map(|(pin, mhz)| format!("FREQUENCY_PIN_{pin} = \"{mhz}\""));
        let attributes: Vec<String> = pins.chain(analog.map(String::from)).collect();
        [format!("(* {} *)", attributes.join(", "))].into_iter().chain(cell.lines()).collect()
    }

    fn pll40(&self) -> Result<Pll40, PllError> {
        self.check(Target::Ice40, 1, false)?;
        let wanted = self.clocks[0].mhz;
        let mut best: Option<Pll40> = None;
        for divr in 0..16 {
            let pfd = self.input_mhz / f64::from(divr + 1);
            if !ICE40_PFD.contains(&pfd) {
                continue;
            }
            for divf in 0..128 {
                let vco = pfd * f64::from(divf + 1);
                if !ICE40_VCO.contains(&vco) {
                    continue;
                }
                for divq in 1..7 {
                    let mhz = vco / f64::from(1 << divq);
                    if best.as_ref().is_none_or(|b| (mhz - wanted).abs() < (b.mhz - wanted).abs() - 1e-9) {
                        best = Some(Pll40 { divr, divf, divq, mhz });
                    }
                }
            }
        }
        let error = |d: &Pll40| (d.mhz / wanted - 1.0).abs();
        match best {
            Some(d) if error(&d) <= TOLERANCE => Ok(d),
            other => Err(self.unreachable(Target::Ice40, other.as_ref().map(error))),
        }
    }

    fn ice40(&self, d: &Pll40) -> Vec<String> {
        // The loop filter by the frequency at the phase detector.
        let pfd = self.input_mhz / f64::from(d.divr + 1);
        let range = [17.0, 26.0, 44.0, 66.0, 101.0].into_iter().take_while(|limit| pfd >= *limit).count() + 1;
        let mut cell = Cell::new("SB_PLL40_PAD", "pll");
        cell.text("FEEDBACK_PATH", "SIMPLE");
        cell.number("DIVR", format!("4'd{}", d.divr));
        cell.number("DIVF", format!("7'd{}", d.divf));
        cell.number("DIVQ", format!("3'd{}", d.divq));
        cell.number("FILTER_RANGE", format!("3'd{range}"));
        let clock = format!("{}_o", self.clocks[0].name);
        for (port, value) in
            [("PACKAGEPIN", "clk_i"), ("PLLOUTGLOBAL", &clock), ("LOCK", "locked_o"), ("RESETB", "1'b1"), ("BYPASS", "1'b0")]
        {
            cell.port(port, value);
        }
        cell.lines()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(input_mhz: f64, clocks: &[(&str, f64, f64)]) -> Pll {
        let clocks = clocks.iter().map(|&(name, mhz, phase)| PllClock { name: name.into(), mhz, phase }).collect();
        Pll { input_mhz, clocks }
    }

    #[test]
    fn frequencies_are_what_was_asked_for() {
        let two = spec(25.0, &[("core", 120.0, 0.0), ("ram", 120.0, 90.0)]);
        assert_eq!(two.frequencies(Target::Ecp5), Ok(vec![120.0, 120.0]));
        let text = two.body(Target::Ecp5).unwrap().join("\n");
        for part in [".CLKI_DIV(5)", ".CLKFB_DIV(24)", ".CLKOP_DIV(5)", ".CLKOP_CPHASE(2)", ".CLKOS_CPHASE(3)", ".CLKOS_FPHASE(2)"] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        let nano = spec(12.0, &[("core", 24.0, 0.0)]);
        assert_eq!(nano.frequencies(Target::Ice40), Ok(vec![24.0]));
        let text = nano.body(Target::Ice40).unwrap().join("\n");
        for part in [".DIVR(4'd0)", ".DIVF(7'd63)", ".DIVQ(3'd5)", ".FILTER_RANGE(3'd1)"] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn what_no_divider_gives_is_refused() {
        let error = |p: &Pll, target| p.frequencies(target).unwrap_err().to_string();
        assert!(error(&spec(25.0, &[("core", 900.0, 0.0)]), Target::Ecp5).contains("no dividers give 900 MHz"));
        assert!(error(&spec(12.0, &[("core", 5.0, 0.0)]), Target::Ice40).contains("from 12 MHz"));
        assert!(error(&spec(12.0, &[("a", 24.0, 0.0), ("b", 24.0, 0.0)]), Target::Ice40).contains("2 clocks"));
        assert!(error(&spec(25.0, &[("a", 50.0, 10.0)]), Target::Ecp5).contains("10 degrees"));
    }
}
