// SPDX-License-Identifier: MIT OR Apache-2.0
//! The few SVG elements that the pictures are made of.

use std::fmt::Write;

pub const INK: &str = "#2f3b4c";

/// Colours that can be told apart; the rest of the modules share the last.
pub const COLOURS: [&str; 12] =
    ["#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#76b7b2", "#edc948", "#b07aa1", "#ff9da7", "#9c755f", "#86bcb6", "#d37295", "#bab0ac"];

/// A document under construction.
pub struct Svg {
    width: u32,
    height: u32,
    body: String,
}

impl Svg {
    pub fn new(width: u32, height: u32) -> Svg {
        Svg { width, height, body: String::new() }
    }

    pub fn rect(&mut self, (x, y): (u32, u32), (width, height): (u32, u32), fill: &str) {
        let _ = writeln!(self.body, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>");
    }

    /// Squares of one size and colour, as one path: a floorplan has thousands.
    pub fn squares(&mut self, corners: &[(u32, u32)], size: u32, fill: &str) {
        let data: String = corners.iter().map(|(x, y)| format!("M{x} {y}h{size}v{size}h-{size}z")).collect();
        let _ = writeln!(self.body, "<path fill=\"{fill}\" d=\"{data}\"/>");
    }

    pub fn text(&mut self, (x, y): (u32, u32), text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let _ = writeln!(self.body, "<text x=\"{x}\" y=\"{y}\" fill=\"{INK}\">{text}</text>");
    }

    /// The document; `title` is read out by screen readers.
    pub fn finish(self, title: &str) -> String {
        let Svg { width, height, body } = self;
        format!(
            "<!-- SPDX-License-Identifier: MIT OR Apache-2.0 -->\n<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"11\">\n<title>{title}</title>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n{body}</svg>\n"
        )
    }
}
