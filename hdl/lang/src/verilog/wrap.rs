// SPDX-License-Identifier: MIT OR Apache-2.0
//! Long lines, broken where a person would: as far out in the brackets as possible.

/// Lines up to this stay as they are.
const WIDTH: usize = 120;
/// Where the parts of a broken one stand, from its own start.
const INDENT: usize = 8;

/// The line, in parts if it is long. What stands in a comment is left alone.
pub(super) fn wrapped(line: &str) -> Vec<String> {
    let indent = line.len() - line.trim_start().len();
    let mut parts = Vec::new();
    let mut rest = line.to_string();
    while rest.len() > WIDTH {
        let Some(at) = place(&rest) else { break };
        let tail = rest[at..].trim_start().to_string();
        rest.truncate(at);
        parts.push(rest.trim_end().to_string());
        rest = format!("{:1$}{tail}", "", indent + INDENT);
    }
    parts.push(rest);
    parts
}

/// Where to break: after a comma or before an operator; of those that leave the first part short enough, the one in
/// the fewest brackets, then the last.
fn place(line: &str) -> Option<usize> {
    let text = line.find("//").map_or(line, |comment| &line[..comment]);
    let start = line.len() - line.trim_start().len() + 1;
    // What is left of a broken line may close more brackets than it opens.
    let mut depth = 0i64;
    let mut best: Option<(usize, i64)> = None;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        let Some((place, cost)) = candidate(&text[at..], at) else { continue };
        let cost = 2 * depth + cost;
        if place > WIDTH && best.is_some() {
            break;
        }
        if place > start && best.is_none_or(|(_, least)| cost <= least) {
            best = Some((place, cost));
        }
        if place > WIDTH {
            break;
        }
    }
    best.map(|(place, _)| place)
}

/// A place to break at the start of `text`, and how much worse than others it is.
fn candidate(text: &str, at: usize) -> Option<(usize, i64)> {
    if text.starts_with(", ") {
        return Some((at + 1, 0));
    }
    if text.starts_with(" ? ") {
        return Some((at, 1));
    }
    [" : ", " | ", " & ", " ^ ", " + ", " - ", " == "].iter().any(|o| text.starts_with(o)).then_some((at, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str) -> Vec<String> {
        let parts = wrapped(line);
        let squeeze = |s: &str| s.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeeze(&parts.join(" ")), squeeze(line));
        parts
    }

    #[test]
    fn short_lines_and_comments_stay() {
        assert_eq!(wrapped("    assign a = b;"), ["    assign a = b;"]);
        let comment = format!("    // {}", "word, ".repeat(40));
        assert_eq!(wrapped(&comment), [comment]);
    }

    #[test]
    fn long_ones_break_outside_of_brackets() {
        let sum = (0..30).map(|i| format!("(a{i} & b{i})")).collect::<Vec<_>>().join(" | ");
        let parts = check(&format!("    wire x = {sum};"));
        assert!(parts.len() > 1 && parts.iter().all(|p| p.len() <= WIDTH), "{parts:#?}");
        assert!(parts[1..].iter().all(|p| p.starts_with("            | (")), "{parts:#?}");
        let list = (0..200).map(|i| format!("x[{i}]")).collect::<Vec<_>>().join(", ");
        let parts = check(&format!("    assign y = {{{list}}};"));
        assert!(parts.iter().all(|p| p.len() <= WIDTH) && parts[0].ends_with(','), "{parts:#?}");
        let chain = (0..12).map(|i| format!("condition_{i} ? 4'd{i}")).collect::<Vec<_>>().join(" : ");
        let parts = check(&format!("    wire [3:0] cause = {chain} : 4'd0;"));
        assert!(parts[1].trim_start().starts_with(": condition"), "{parts:#?}");
    }
}
