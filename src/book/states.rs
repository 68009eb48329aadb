// SPDX-License-Identifier: MIT OR Apache-2.0
//! State diagram of a power domain's controller, from the arcs that its golden model takes: as DOT, and as SVG
//! with a layout of its own. The way up stands on the left, the way down on the right.

use super::svg::{Anchor, INK, PALE, Svg};
use heddle_core::power::domain::arcs::{Arc, CONDITIONS, arcs};
use heddle_core::power::domain::{CAUSES, DomainCause, DomainState, STATES};
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;

const FAULTED: u8 = DomainState::Faulted as u8;
const RED: &str = "#b3372f";
const WIDTH: u32 = 168;
const HEIGHT: u32 = 38;
const ROW: u32 = 66;
const MARGIN: u32 = 20;
/// Left edges of the columns: up, between, down, beside.
const COLUMNS: [u32; 4] = [130, 350, 570, 830];
/// Width of a letter, more or less.
const LETTER: u32 = 6;

type Arcs = BTreeMap<(u8, u8), Arc>;

/// The arcs in the language of Graphviz.
pub fn dot() -> String {
    let mut text = String::from("// SPDX-License-Identifier: MIT OR Apache-2.0\ndigraph power_domain {\n  node [shape=box];\n");
    for ((from, to), arc) in arcs().iter().filter(|((from, to), _)| from != to) {
        let (label, style) = match *to {
            FAULTED => (causes(arc), " color=red"),
            _ => (condition(arc), ""),
        };
        let _ = writeln!(text, "  {} -> {} [label=\"{label}\"{style}];", name(*from), name(*to));
    }
    text + "}\n"
}

fn name(state: u8) -> &'static str {
    STATES[usize::from(state)].name
}

fn causes(arc: &Arc) -> String {
    let names: Vec<&str> = arc.causes.iter().map(|cause| CAUSES[usize::from(*cause)].name).collect();
    names.join(", ")
}

/// What holds whenever the arc is taken, without what follows from it.
fn condition(arc: &Arc) -> String {
    let value = |name: &str| CONDITIONS.iter().position(|c| *c == name).and_then(|at| arc.fixed[at]);
    let powered = ["weak_ack", "strong_ack", "power_good"];
    let all_powered = powered.iter().all(|name| value(name) == Some(true));
    let implied = |name: &str| match name {
        "wanted" | "qactive" => value("wake").is_some(),
        // Time decides only where nothing else does.
        "late" => true,
        _ => all_powered && powered.contains(&name),
    };
    let literal = |name: &&str| value(name).map(|high| if high { name.to_string() } else { format!("!{name}") });
    let mut literals: Vec<String> = CONDITIONS.iter().filter(|name| !implied(name)).filter_map(literal).collect();
    if all_powered && literals.is_empty() {
        literals.push("powered".into());
    }
    literals.join(" & ")
}

/// The diagram. A state's causes of a fault stand in it, instead of an arc to `faulted`.
pub fn svg() -> String {
    let arcs = arcs();
    let places = layout(&arcs);
    let rows = places.values().map(|(_, row)| row + 1).max().unwrap_or(0);
    let mut svg = Svg::new(COLUMNS[3] + WIDTH + MARGIN, 2 * MARGIN + ROW * rows);
    for ((from, to), arc) in arcs.iter().filter(|((from, to), _)| from != to && *to != FAULTED) {
        arrow(&mut svg, places[from], places[to], &unless_powered(&arcs, *from, arc));
    }
    for (state, place) in &places {
        node(&mut svg, *place, *state, arcs.get(&(*state, FAULTED)).filter(|_| *state != FAULTED));
    }
    svg.finish("States of a power domain's controller")
}

/// Where lost power is a fault, that it is there goes without saying.
fn unless_powered(arcs: &Arcs, from: u8, arc: &Arc) -> String {
    let guarded = arcs.get(&(from, FAULTED)).is_some_and(|fault| fault.causes.contains(&(DomainCause::PowerLost as u8)));
    let label = condition(arc);
    if guarded && label == "powered" { String::new() } else { label }
}

/// Column and row of each state: the ways up and down face each other, what is left stands between or beside them.
fn layout(arcs: &Arcs) -> BTreeMap<u8, (usize, u32)> {
    let up = path(arcs, DomainState::PoweredOff as u8, DomainState::Running as u8);
    let down = path(arcs, DomainState::Running as u8, DomainState::PoweredOff as u8);
    let mut places: BTreeMap<u8, (usize, u32)> = up.iter().zip(0..).map(|(state, row)| (*state, (0, row))).collect();
    let last = up.len() as u32 - 1;
    for (state, step) in down.iter().zip(0u32..).filter(|(state, _)| !up.contains(state)) {
        places.insert(*state, (2, (last + 1).saturating_sub(step)));
    }
    for state in 0..STATES.len() as u8 {
        if places.contains_key(&state) {
            continue;
        }
        let next = arcs.keys().filter(|(from, to)| *from == state && *to != FAULTED && from != to).find_map(|(_, to)| places.get(to));
        let place = match next {
            Some((0, row)) => (1, row + 1),
            Some((_, row)) => (3, *row),
            None => (3, 0),
        };
        places.insert(state, place);
    }
    places
}

/// The shortest way that no fault is on.
fn path(arcs: &Arcs, from: u8, to: u8) -> Vec<u8> {
    let mut before = BTreeMap::from([(from, from)]);
    let mut open = VecDeque::from([from]);
    while let Some(state) = open.pop_front() {
        for (_, next) in arcs.keys().filter(|(a, b)| *a == state && *b != FAULTED) {
            if !before.contains_key(next) {
                before.insert(*next, state);
                open.push_back(*next);
            }
        }
    }
    let mut way = vec![to];
    while let Some(state) = way.last().and_then(|state| before.get(state)).filter(|state| way.last() != Some(state)) {
        way.push(*state);
    }
    way.reverse();
    way
}

fn corner((column, row): (usize, u32)) -> (u32, u32) {
    (COLUMNS[column], MARGIN + ROW * row)
}

fn node(svg: &mut Svg, place: (usize, u32), state: u8, fault: Option<&Arc>) {
    let (x, y) = corner(place);
    let fill = if state == FAULTED { "#fbecea" } else { "#eef3fb" };
    svg.path(&format!("M{x} {y}h{WIDTH}v{HEIGHT}h-{WIDTH}Z"), INK, fill);
    let middle = x + WIDTH / 2;
    match fault {
        Some(arc) => {
            svg.text((middle, y + 15), Anchor::Middle, INK, name(state));
            svg.text((middle, y + 31), Anchor::Middle, RED, &causes(arc));
        }
        None => svg.text((middle, y + 23), Anchor::Middle, INK, name(state)),
    }
}

/// Straight from side to side, with its condition beside it.
fn arrow(svg: &mut Svg, from: (usize, u32), to: (usize, u32), label: &str) {
    let ((x1, y1), (x2, y2)) = (corner(from), corner(to));
    let (start, end) = match from.0.cmp(&to.0) {
        std::cmp::Ordering::Equal if y1 < y2 => ((x1 + WIDTH / 2, y1 + HEIGHT), (x2 + WIDTH / 2, y2)),
        std::cmp::Ordering::Equal => ((x1 + WIDTH / 2, y1), (x2 + WIDTH / 2, y2 + HEIGHT)),
        std::cmp::Ordering::Less => ((x1 + WIDTH, y1 + HEIGHT / 2), (x2, y2 + HEIGHT / 2)),
        std::cmp::Ordering::Greater => ((x1, y1 + HEIGHT / 2), (x2 + WIDTH, y2 + HEIGHT / 2)),
    };
    svg.path(&format!("M{} {}L{} {}", start.0, start.1, end.0, end.1), PALE, "none");
    svg.path(&tip(start, end), PALE, PALE);
    let (x, y) = ((start.0 + end.0) / 2, (start.1 + end.1) / 2);
    match (from.0, from.0 == to.0) {
        (0, true) => svg.text((x - 8, y + 4), Anchor::End, INK, label),
        (_, true) => svg.text((x + 8, y + 4), Anchor::Start, INK, label),
        _ if label.is_empty() => {}
        _ => {
            let width = LETTER * label.len() as u32 + 4;
            svg.rect((x - width / 2, y - 8), (width, 15), "#fff");
            svg.text((x, y + 4), Anchor::Middle, INK, label);
        }
    }
}

/// A triangle at the end of a line.
fn tip(start: (u32, u32), end: (u32, u32)) -> String {
    let (dx, dy) = (f64::from(end.0) - f64::from(start.0), f64::from(end.1) - f64::from(start.1));
    let length = dx.hypot(dy).max(1.0);
    let (ux, uy) = (dx / length, dy / length);
    let (x, y) = (f64::from(end.0), f64::from(end.1));
    let (bx, by) = (x - 8.0 * ux, y - 8.0 * uy);
    format!("M{x:.0} {y:.0}L{:.1} {:.1}L{:.1} {:.1}Z", bx - 3.5 * uy, by + 3.5 * ux, bx + 3.5 * uy, by - 3.5 * ux)
}
