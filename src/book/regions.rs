// SPDX-License-Identifier: MIT OR Apache-2.0
//! Generated regions within written pages.

use super::{tables, wire};

const OPEN: &str = "<!-- generated: ";
const CLOSE: &str = "<!-- end -->";

/// The page with its regions filled anew; `None` when it has none. The error says which region and why.
pub fn fill(page: &str) -> Result<Option<String>, String> {
    let mut out = String::with_capacity(page.len());
    let mut lines = page.lines();
    let mut any = false;
    while let Some(line) = lines.next() {
        out += line;
        out.push('\n');
        let Some(directive) = line.strip_prefix(OPEN).and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        any = true;
        out += &content(directive)?;
        if !lines.any(|line| line == CLOSE) {
            return Err(format!("the region `{directive}` has no `{CLOSE}`"));
        }
        out += CLOSE;
        out.push('\n');
    }
    Ok(any.then_some(out))
}

fn content(directive: &str) -> Result<String, String> {
    let (kind, argument) = directive.split_once(' ').unwrap_or((directive, ""));
    match (kind, argument) {
        ("presets", "") => tables::presets(),
        ("numbers", "") => tables::numbers(),
        ("power-latency", "") => tables::power_latency(),
        ("wire", "") => Ok(wire::tables()),
        ("ports", module) if !module.is_empty() => tables::ports(module),
        _ => Err(format!("no region `{directive}`; there are: presets, numbers, power-latency, wire, ports MODULE")),
    }
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn a_region_is_replaced_and_the_rest_kept() {
        let page = "before\n<!-- generated: presets -->\nold\n<!-- end -->\nafter\n";
        let filled = fill(page).unwrap().unwrap();
        assert!(
            filled.starts_with("before\n<!-- generated: presets -->\n| preset") && filled.ends_with("<!-- end -->\nafter\n"),
            "{filled}"
        );
        assert_eq!(fill(&filled).unwrap().unwrap(), filled);
        assert_eq!(fill("no region\n").unwrap(), None);
    }

    #[test]
    fn mistakes_are_named() {
        assert!(fill("<!-- generated: presets -->\nold\n").unwrap_err().contains("has no `<!-- end -->`"));
        assert!(fill("<!-- generated: nonsense -->\n<!-- end -->\n").unwrap_err().contains("no region `nonsense`"));
        assert!(fill("<!-- generated: ports nothing -->\n<!-- end -->\n").unwrap_err().contains("no module `nothing`"));
    }
}
