// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scripts and constraint files, from templates.

use crate::{Design, Family, Options, SynthError};
use tera::{Context, Tera};

const YOSYS: [(Family, &str); 2] =
    [(Family::Ecp5, include_str!("../templates/ecp5.ys.tera")), (Family::Ice40, include_str!("../templates/ice40.ys.tera"))];
const GATES: [(Family, &str); 2] =
    [(Family::Ecp5, include_str!("../templates/gates_ecp5.ys.tera")), (Family::Ice40, include_str!("../templates/gates_ice40.ys.tera"))];
const UNPACKED: [(Family, &str); 1] = [(Family::Ice40, include_str!("../templates/unpacked_ice40.ys.tera"))];
const CONSTRAINTS: [(Family, &str); 2] =
    [(Family::Ecp5, include_str!("../templates/board.lpf.tera")), (Family::Ice40, include_str!("../templates/board.pcf.tera"))];

/// The Yosys script of a design.
pub fn yosys(design: &Design, options: &Options, sources: &[(String, String)]) -> Result<String, SynthError> {
    let mut context = Context::new();
    let files: Vec<&str> = sources.iter().map(|(name, _)| name.as_str()).collect();
    let fabric = match options.device.size.chars().next() {
        Some('u') => "u",
        Some('l') => "lp",
        _ => "hx",
    };
    let multipliers = if options.device.multiplier().is_some() { " -dsp" } else { "" };
    context.insert("files", &files.join(" "));
    context.insert("top", &design.top);
    context.insert("technology", &format!("-device {fabric}{multipliers}"));
    render(&YOSYS, design, options, &context)
}

/// The Yosys script that makes a netlist fit for simulation.
pub fn gates(design: &Design, options: &Options) -> Result<String, SynthError> {
    let mut context = Context::new();
    context.insert("top", &design.top);
    render(&GATES, design, options, &context)
}

/// The Yosys script that makes Verilog from a bitstream fit for simulation.
pub fn unpacked(design: &Design, options: &Options) -> Result<String, SynthError> {
    let mut context = Context::new();
    context.insert("top", &design.top);
    render(&UNPACKED, design, options, &context)
}

/// The LPF or PCF: targets of the clocks, then what was given.
pub fn constraints(design: &Design, options: &Options) -> Result<String, SynthError> {
    let mut context = Context::new();
    context.insert("clocks", &options.targets(design));
    context.insert("clock_port", &design.clocks.first());
    context.insert("clock_pin", &options.device.clock_pin().filter(|_| options.constraints.is_none()));
    context.insert("constraints", options.constraints.as_deref().unwrap_or_default());
    render(&CONSTRAINTS, design, options, &context)
}

fn render(templates: &[(Family, &str)], design: &Design, options: &Options, context: &Context) -> Result<String, SynthError> {
    let template = templates.iter().find(|(family, _)| *family == options.device.family).map_or("", |(_, text)| *text);
    let failed = |error: tera::Error| SynthError::Failed { tool: "the template", top: design.top.clone(), message: error.to_string() };
    let mut tera = Tera::default();
    tera.add_raw_template("script", template).map_err(failed)?;
    tera.render("script", context).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, Device};

    #[test]
    fn clocks_come_before_the_constraints_of_the_board() {
        let design = Design::verilog("blinky", "", &["clk_i", "ref_i"]);
        let mut options = Options::new(Device::named("ecp5-85k").unwrap(), 100.0);
        options.clocks.push(Clock { port: "ref_i".into(), mhz: 25.0 });
        options.constraints = Some("LOCATE COMP \"clk_i\" SITE \"G2\";\n".into());
        let text = constraints(&design, &options).unwrap();
        let expected = "FREQUENCY PORT \"clk_i\" 100.0 MHZ;\nFREQUENCY PORT \"ref_i\" 25.0 MHZ;\nLOCATE COMP \"clk_i\" SITE \"G2\";\n";
        assert_eq!(text.trim_end(), expected.trim_end());
        assert!(yosys(&design, &options, &design.files).unwrap().contains("\nsynth_ecp5 -top blinky -run begin:check\n"));
        options.device = Device::named("up5k").unwrap();
        assert!(yosys(&design, &options, &design.files).unwrap().contains("\nsynth_ice40 -device u -dsp -top blinky "));
        options.device = Device::named("hx8k").unwrap();
        assert!(yosys(&design, &options, &design.files).unwrap().contains("\nsynth_ice40 -device hx -top blinky "));
    }
}
