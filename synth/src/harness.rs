// SPDX-License-Identifier: MIT OR Apache-2.0
//! A wrapper of shift registers, so that a module with hundreds of ports can be placed alone on a chip.
//!
//! Ports      the module's clocks, `shift_i`, `data_i`, `result_o`
//! Inputs of the module are the bits of one shift register, its outputs are caught in another. All its paths thus
//! start and end at a register, as they would between neighbours. Registers of the harness are not counted as area.

use heddle_lang::{BuildError, Builder, Expr, Module, Ty, module::NetKind};
use std::sync::Arc;

/// Name of the instance of the module.
pub const INSTANCE: &str = "dut";

/// The wrapper of a module; the first clock moves the shift registers.
pub fn harness(module: &Arc<Module>) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::new(format!("{}_harness", module.name), file!());
    m.doc("Shift registers around a module, for figures of it alone.");
    let clocks: Vec<&str> = module.ports().filter(|(_, n)| n.kind == NetKind::Clock).map(|(_, n)| n.name.as_str()).collect();
    if clocks.is_empty() {
        m.clock("clk");
    }
    clocks.into_iter().for_each(|clock| {
        m.clock(clock);
    });
    let shift = m.input("shift", Ty::BIT);
    let data = m.input("data", Ty::BIT);
    let inputs: Vec<(&str, Ty)> = module.ports().filter(|(_, n)| n.kind == NetKind::Input).map(|(_, n)| (n.name.as_str(), n.ty)).collect();
    let width = inputs.iter().map(|(_, ty)| ty.width()).sum::<u32>().max(1);
    let line = m.reg_no_reset("inputs", Ty::Unsigned(width));
    let next = if width == 1 { data.clone() } else { Expr::concat([line.q().slice(0, width - 1), data.clone()]) };
    m.on(&line, &shift, next);
    let mut low = 0;
    let connected: Vec<(&str, Expr)> = inputs
        .into_iter()
        .map(|(name, ty)| {
            let bits = line.q().slice(low, ty.width());
            low += ty.width();
            (name, if ty.is_signed() { bits.as_signed() } else { bits })
        })
        .collect();
    let outputs = m.instance(INSTANCE, module, &connected);
    let results: Vec<Expr> =
        module.ports().filter(|(_, n)| n.kind == NetKind::Output).map(|(_, n)| outputs.get(&n.name).as_unsigned()).collect();
    let caught = Expr::concat(results.into_iter().chain([data]));
    let kept = m.reg_no_reset("outputs", Ty::Unsigned(caught.width()));
    let top = kept.q().width() - 1;
    let rotated = Expr::concat([kept.q().slice(0, top), kept.q().bit(top)]);
    m.on(&kept, &shift, rotated);
    m.next(&kept, caught);
    m.output("result", kept.q().bit(top));
    m.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_port_is_reached() {
        let mut m = Builder::clocked("adder", file!());
        let (a, b) = (m.input("a", Ty::Signed(8)), m.input("b", Ty::Signed(8)));
        let sum = m.register("sum", &a + &b);
        m.output("sum", sum);
        let outer = harness(&m.build().unwrap()).unwrap();
        assert_eq!(outer.at(INSTANCE).unwrap().name, "adder");
        let bits = |name: &str| outer.nets.iter().find(|n| n.name == name).unwrap().ty.width();
        assert_eq!((bits("inputs"), bits("outputs")), (17, 10));
        assert!(heddle_lang::check::all(&outer).iter().all(|f| f.severity != heddle_lang::check::Severity::Error));
    }
}
