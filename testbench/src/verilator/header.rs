// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads the port list of a Verilated class from its header.
//!
//! Verilator declares each port on a line of its own, `VL_IN8(&clk_i,0,0);` or `VL_OUTW(&y_o,77,0,3);`,
//! in every version from 5.006 on.

use super::{BuildError, Design, Port};

/// The ports of `header`, in order of declaration.
pub(super) fn ports(header: &str) -> Vec<Port> {
    header.lines().filter_map(|line| port(line.trim())).collect()
}

fn port(line: &str) -> Option<Port> {
    let (input, rest) = match line.strip_prefix("VL_IN") {
        Some(rest) => (true, rest),
        None => (false, line.strip_prefix("VL_OUT")?),
    };
    let (_, arguments) = rest.split_once("(&")?;
    let mut arguments = arguments.trim_end_matches(");").split(',');
    let name = arguments.next()?.to_owned();
    let msb: u32 = arguments.next()?.parse().ok()?;
    let lsb: u32 = arguments.next()?.parse().ok()?;
    Some(Port { name, width: msb.checked_sub(lsb)? + 1, input })
}

/// Bytes that the C++ class uses for a port: 1, 2, 4, 8, or whole 32-bit words.
pub(super) fn storage_bytes(width: u32) -> usize {
    match width {
        0..=8 => 1,
        9..=16 => 2,
        17..=32 => 4,
        33..=64 => 8,
        _ => 4 * width.div_ceil(32) as usize,
    }
}

/// Compares what the caller declared with what the Verilog has.
pub(super) fn check(design: &Design, found: &[Port]) -> Result<(), BuildError> {
    let mismatch = |detail: String| BuildError::Ports { top: design.top.clone(), detail };
    for declared in &design.ports {
        let Some(actual) = found.iter().find(|p| p.name == declared.name) else {
            return Err(mismatch(format!("`{}` was declared, the Verilog does not have it", declared.name)));
        };
        if actual != declared {
            let side = |p: &Port| format!("{} of {} bits", if p.input { "input" } else { "output" }, p.width);
            return Err(mismatch(format!("`{}` was declared as {}, the Verilog has {}", declared.name, side(declared), side(actual))));
        }
    }
    let known = |name: &str| design.ports.iter().any(|d| d.name == name) || design.clock.as_deref() == Some(name);
    if !design.ports.is_empty()
        && let Some(extra) = found.iter().find(|p| !known(&p.name))
    {
        return Err(mismatch(format!("the Verilog has `{}`, which was not declared", extra.name)));
    }
    if let Some(clock) = &design.clock
        && !found.iter().any(|p| p.name == *clock && p.width == 1 && p.input)
    {
        return Err(mismatch(format!("the clock `{clock}` is not a one-bit input of the Verilog")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_narrow_and_wide_ports() {
        let found = ports("    VL_IN8(&clk_i,0,0);\n    VL_OUTW(&y_o,77,0,3);\n    int x;\n");
        assert_eq!(found[0], Port { name: "clk_i".into(), width: 1, input: true });
        assert_eq!(found[1], Port { name: "y_o".into(), width: 78, input: false });
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn the_clock_counts_as_declared() {
        let found = ports("VL_IN8(&clk_i,0,0);\nVL_IN8(&a_i,7,0);\n");
        let design = Design::new("t").clock("clk_i").port(found[1].clone());
        check(&design, &found).unwrap();
    }

    #[test]
    fn says_which_port_differs() {
        let design = Design::new("t").port(Port { name: "a_i".into(), width: 5, input: true });
        let error = check(&design, &[Port { name: "a_i".into(), width: 8, input: true }]).unwrap_err();
        assert!(error.to_string().contains("input of 5 bits, the Verilog has input of 8 bits"), "{error}");
    }
}
