// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the logs of Yosys and nextpnr say of a failure.

use crate::{SynthError, error::Use};

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
    if message.contains("place") || message.contains("BEL") {
        let over = overfull(log);
        return if over.is_empty() { SynthError::Unplaceable { top, message } } else { SynthError::DoesNotFit { top, over, message } };
    }
    if message.contains("route") || message.contains("Routing") {
        let nets: Vec<String> = errors(log).filter_map(|line| between(line, "net '", "'")).map(str::to_owned).collect();
        return SynthError::Unrouted { top, nets: if nets.is_empty() { vec![message] } else { nets } };
    }
    SynthError::Failed { tool: "nextpnr", top, message }
}

/// What is used more than there is, the worst first: `Info:  MULT18X18D:  48/  28  171%`.
fn overfull(log: &str) -> Vec<Use> {
    let lines = log.lines().filter_map(|line| line.strip_prefix("Info:"));
    let use_of = |line: &str| {
        let (name, counts) = line.split_once(':')?;
        let (used, rest) = counts.split_once('/')?;
        let available = rest.split_whitespace().next()?.parse().ok()?;
        Some(Use { resource: name.trim().to_owned(), used: used.trim().parse().ok()?, available })
    };
    let mut over: Vec<Use> = lines.filter_map(use_of).filter(|u| u.used > u.available).collect();
    over.sort_by_key(|u| std::cmp::Reverse(u64::from(u.used) * 1000 / u64::from(u.available).max(1)));
    over
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
        let expected = Use { resource: "MULT18X18D".into(), used: 48, available: 28 };
        assert!(matches!(&error, SynthError::DoesNotFit { over, .. } if *over == [expected]), "{error}");
        let unrouted = nextpnr("t", "ERROR: Failed to route arc 3 of net 'dut.a', from X1/Y1 to X2/Y2.\n");
        assert!(matches!(unrouted, SynthError::Unrouted { nets, .. } if nets == ["dut.a"]));
    }
}
