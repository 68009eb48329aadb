// SPDX-License-Identifier: MIT OR Apache-2.0
//! The few SVG elements that the figures are made of.

use std::fmt::Write;

pub const INK: &str = "#2f3b4c";
pub const PALE: &str = "#7a8aa0";

/// An SVG document under construction.
pub struct Svg {
    width: u32,
    height: u32,
    body: String,
}

/// Where a text stands relative to its point.
#[derive(Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    pub fn new(width: u32, height: u32) -> Svg {
        Svg { width, height, body: String::new() }
    }

    pub fn rect(&mut self, (x, y): (u32, u32), (width, height): (u32, u32), fill: &str) {
        let _ = writeln!(self.body, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>");
    }

    /// An open or closed line through points given as SVG path data.
    pub fn path(&mut self, data: &str, stroke: &str, fill: &str) {
        let _ = writeln!(self.body, "<path d=\"{data}\" stroke=\"{stroke}\" fill=\"{fill}\"/>");
    }

    pub fn text(&mut self, (x, y): (u32, u32), anchor: Anchor, fill: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _ = writeln!(self.body, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"{fill}\">{}</text>", escape(text));
    }

    /// The document; `title` is read out by screen readers and shown on hovering.
    pub fn finish(self, title: &str) -> String {
        let Svg { width, height, body } = self;
        format!(
            "<!-- SPDX-License-Identifier: MIT OR Apache-2.0 -->\n\
             <svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             font-family=\"sans-serif\" font-size=\"11\">\n<title>{}</title>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n{body}</svg>\n",
            escape(title)
        )
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
