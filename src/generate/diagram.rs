// SPDX-License-Identifier: MIT OR Apache-2.0
//! Block diagram of a module: its instances as boxes, the data between them as arrows, from left to right.
//!
//! The graph is traced through wires and registers; between two boxes only the direction that carries
//! more bits is drawn, so the handshake that runs against a stream does not show. Layout by layers:
//! a box stands to the right of everything that feeds it, feedback excepted.

mod graph;

use graph::{Graph, Node};
use heddle_lang::Module;
use std::fmt::Write;

const BOX_WIDTH: u32 = 190;
const LAYER_WIDTH: u32 = BOX_WIDTH + 110;
const LINE: u32 = 15;
const GAP: u32 = 26;
const MARGIN: u32 = 24;
const TITLE: u32 = 34;

#[derive(Clone, Copy)]
struct Rect {
    x: u32,
    y: u32,
    height: u32,
}

/// The diagram as an SVG document; `caption` follows the module's name in the title.
pub fn svg(module: &Module, caption: &str) -> String {
    let graph = Graph::of(module);
    let layers = graph.layers();
    let rects = place(&graph, &layers);
    let width = 2 * MARGIN + (layers.len().max(1) as u32 - 1) * LAYER_WIDTH + BOX_WIDTH;
    let height = rects.iter().map(|rect| rect.y + rect.height).max().unwrap_or(TITLE) + MARGIN;
    let mut text = head(width, height, &format!("{} ({caption})", module.name));
    for (index, edge) in graph.edges.iter().enumerate() {
        let start = port(&rects[edge.from], position(&graph, index, |other| other.from == edge.from), true);
        let end = port(&rects[edge.to], position(&graph, index, |other| other.to == edge.to), false);
        text += &arrow(start, end, edge.bits);
    }
    for (node, rect) in graph.nodes.iter().zip(&rects) {
        text += &boxed(node, rect);
    }
    text + "</svg>\n"
}

fn head(width: u32, height: u32, title: &str) -> String {
    let title = escape(title);
    format!(
        "<!-- SPDX-License-Identifier: MIT OR Apache-2.0 -->\n\
         <svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <title>{title}</title>\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#47566b\"/></marker></defs>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"{MARGIN}\" y=\"22\" font-size=\"15\" font-weight=\"bold\">{title}</text>\n"
    )
}

/// Boxes by node: layers from left to right, each centred vertically.
fn place(graph: &Graph, layers: &[Vec<usize>]) -> Vec<Rect> {
    let height = |node: usize| 2 * LINE + 12 + LINE * graph.nodes[node].inside.len() as u32;
    let total = |layer: &Vec<usize>| layer.iter().map(|&node| height(node) + GAP).sum::<u32>();
    let tallest = layers.iter().map(total).max().unwrap_or(0);
    let mut rects = vec![Rect { x: 0, y: 0, height: 0 }; graph.nodes.len()];
    for (index, layer) in layers.iter().enumerate() {
        let mut y = MARGIN + TITLE + (tallest - total(layer)) / 2;
        for &node in layer {
            rects[node] = Rect { x: MARGIN + index as u32 * LAYER_WIDTH, y, height: height(node) };
            y += height(node) + GAP;
        }
    }
    rects
}

/// Which of how many edges on one side of a box this is.
fn position(graph: &Graph, index: usize, same_side: impl Fn(&graph::Edge) -> bool) -> (u32, u32) {
    let before = graph.edges[..index].iter().filter(|edge| same_side(edge)).count();
    let all = graph.edges.iter().filter(|edge| same_side(edge)).count();
    (before as u32, all as u32)
}

fn port(rect: &Rect, (index, count): (u32, u32), right: bool) -> (u32, u32) {
    let x = if right { rect.x + BOX_WIDTH } else { rect.x };
    (x, rect.y + rect.height * (index + 1) / (count + 1))
}

fn arrow((x1, y1): (u32, u32), (x2, y2): (u32, u32), bits: u32) -> String {
    let (c1, c2) = (x1 + 55, x2.saturating_sub(55));
    let forward = x2 > x1;
    let dash = if forward { "" } else { " stroke-dasharray=\"5 3\"" };
    let width = 1.0 + f64::from(bits.max(1).ilog2()) / 4.0;
    format!(
        "<path d=\"M{x1} {y1}C{c1} {y1} {c2} {y2} {x2} {y2}\" fill=\"none\" stroke=\"#7a8aa0\" stroke-width=\"{width:.2}\" \
         marker-end=\"url(#tip)\"{dash}/>\n\
         <text x=\"{}\" y=\"{}\" font-size=\"9\" fill=\"#47566b\" stroke=\"#fff\" stroke-width=\"3\" paint-order=\"stroke\">{bits}</text>\n",
        x1 + 6,
        y1.saturating_sub(4)
    )
}

fn boxed(node: &Node, rect: &Rect) -> String {
    let (Rect { x, y, height }, fill) = (*rect, if node.is_port { "#eef7ee" } else { "#eef3fb" });
    let radius = if node.is_port { 14 } else { 3 };
    let mut text = format!(
        "<rect x=\"{x}\" y=\"{y}\" width=\"{BOX_WIDTH}\" height=\"{height}\" rx=\"{radius}\" fill=\"{fill}\" stroke=\"#47566b\"/>\n\
         <text x=\"{0}\" y=\"{1}\" font-size=\"13\" font-weight=\"bold\">{2}</text>\n\
         <text x=\"{0}\" y=\"{3}\" fill=\"#47566b\">{4}</text>\n",
        x + 10,
        y + LINE + 3,
        escape(&node.title),
        y + 2 * LINE + 3,
        escape(&node.subtitle)
    );
    for (index, line) in node.inside.iter().enumerate() {
        let y = y + (3 + index as u32) * LINE + 3;
        let _ = writeln!(text, "<text x=\"{}\" y=\"{y}\" fill=\"#7a8aa0\">{}</text>", x + 18, escape(line));
    }
    text
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
