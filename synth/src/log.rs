// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the logs of Yosys and nextpnr say of a failure.

use crate::SynthError;

/// The text between two marks.
fn between<'a>(line: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let rest = &line[line.find(start)? + start.len()..];
    Some(&rest[..rest.find(end)?])
}

/// Errors among the lines, without the word.
fn errors(log: &str) -> impl Iterator<Item = &str> {
    log.lines().filter_map(|line| line.split_once("ERROR: ").map(|(_, text)| text.trim()))
}

/// The error that a log of Yosys is about.
pub fn yosys(top: &str, log: &str) -> SynthError {
    let latches: Vec<String> =
        errors(log).filter_map(|line| between(line, "Latch inferred for signal `", "'")).map(|name| name.replace('\\', "")).collect();
    if !latches.is_empty() {
        return SynthError::Latch { top: top.into(), names: latches };
    }
    let unresolved = |line: &str| Some((between(line, "Module `", "'")?.to_owned(), between(line, "in cell `", "'")?.to_owned()));
    let black_box = errors(log).filter(|line| line.contains("is not part of the design")).find_map(unresolved);
    if let Some((module, instance)) = black_box {
        let plain = |name: String| name.trim_start_matches('\\').to_owned();
        return SynthError::BlackBox { top: top.into(), module: plain(module), instance: plain(instance) };
    }
    SynthError::Failed { tool: "Yosys", top: top.into(), message: last(log) }
}

/// The error that a log of nextpnr is about.
pub fn nextpnr(top: &str, log: &str) -> SynthError {
    let (top, message) = (top.to_owned(), errors(log).next().map_or_else(|| last(log), str::to_owned));
    if let Some((resource, used, available)) = overfull(log).filter(|_| message.contains("place") || message.contains("BELs")) {
        return SynthError::DoesNotFit { top, resource, used, available, message };
    }
    if message.contains("place") || message.contains("BEL") {
        return SynthError::Unplaceable { top, message };
    }
    if message.contains("route") || message.contains("Routing") {
        let nets: Vec<String> = errors(log).filter_map(|line| between(line, "net '", "'")).map(str::to_owned).collect();
        return SynthError::Unrouted { top, nets: if nets.is_empty() { vec![message] } else { nets } };
    }
    SynthError::Failed { tool: "nextpnr", top, message }
}

/// The resource of which most is used, if it is more than there is: `Info:  MULT18X18D:  48/  28  171%`.
fn overfull(log: &str) -> Option<(String, u32, u32)> {
    let lines = log.lines().filter_map(|line| line.strip_prefix("Info:"));
    let use_of = |line: &str| {
        let (name, counts) = line.split_once(':')?;
        let (used, rest) = counts.split_once('/')?;
        let available = rest.split_whitespace().next()?;
        Some((name.trim().to_owned(), used.trim().parse::<u32>().ok()?, available.parse::<u32>().ok()?))
    };
    let over = lines.filter_map(use_of).filter(|(_, used, available)| used > available);
    over.max_by_key(|(_, used, available)| u64::from(*used) * 1000 / u64::from(*available).max(1))
}

/// The last lines of a log that say something.
fn last(log: &str) -> String {
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(3)..].join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_apart() {
        let latch = yosys("t", "ERROR: Latch inferred for signal `\\t.\\q_o' from process `\\t.$proc$t.v:3$1'.\n");
        assert!(matches!(latch, SynthError::Latch { names, .. } if names == ["t.q_o"]));
        let unknown = "ERROR: Module `\\mystery' referenced in module `\\t' in cell `\\u1' is not part of the design.\n";
        assert!(matches!(yosys("t", unknown), SynthError::BlackBox { module, instance, .. } if module == "mystery" && instance == "u1"));
        let full = "Info: \t          MULT18X18D:      48/     28   171%\nERROR: Unable to place cell 'x', no BELs remaining to implement cell type 'MULT18X18D'\n";
        let error = nextpnr("t", full);
        assert!(matches!(&error, SynthError::DoesNotFit { resource, used: 48, available: 28, .. } if resource == "MULT18X18D"), "{error}");
        let unrouted = nextpnr("t", "ERROR: Failed to route arc 3 of net 'dut.a', from X1/Y1 to X2/Y2.\n");
        assert!(matches!(unrouted, SynthError::Unrouted { nets, .. } if nets == ["dut.a"]));
    }
}
