// SPDX-License-Identifier: MIT OR Apache-2.0
//! An instance of a device cell, as text.

/// A cell, its parameters and its connections, each in order.
pub(super) struct Cell {
    cell: &'static str,
    name: String,
    parameters: Vec<String>,
    ports: Vec<String>,
}

impl Cell {
    pub fn new(cell: &'static str, name: impl Into<String>) -> Cell {
        Cell { cell, name: name.into(), parameters: vec![], ports: vec![] }
    }

    /// A parameter whose value stands as it is: a number.
    pub fn number(&mut self, name: &str, value: impl std::fmt::Display) {
        self.parameters.push(format!(".{name}({value})"));
    }

    /// A parameter that is a string.
    pub fn text(&mut self, name: &str, value: &str) {
        self.parameters.push(format!(".{name}(\"{value}\")"));
    }

    pub fn port(&mut self, name: &str, value: impl AsRef<str>) {
        self.ports.push(format!(".{name}({})", value.as_ref()));
    }

    /// One-bit ports `name0`, `name1`, ... for the bits of a net of `width` bits; those of `bits` beyond it take `fill`.
    pub fn bits(&mut self, name: &str, net: &str, width: u32, bits: u32, fill: &str) {
        for i in 0..bits {
            let value = if i < width { format!("{net}[{i}]") } else { fill.to_string() };
            self.port(&format!("{name}{i}"), value);
        }
    }

    /// The instance, line by line.
    pub fn lines(&self) -> Vec<String> {
        let mut out = vec![if self.parameters.is_empty() { format!("{} {} (", self.cell, self.name) } else { format!("{} #(", self.cell) }];
        if !self.parameters.is_empty() {
            out.extend(packed(&self.parameters));
            out.push(format!(") {} (", self.name));
        }
        out.extend(packed(&self.ports));
        out.push(");".into());
        out
    }
}

/// Connections in lines of up to 100 characters.
fn packed(parts: &[String]) -> Vec<String> {
    const WIDTH: usize = 100;
    let mut lines: Vec<String> = vec![];
    for (i, part) in parts.iter().enumerate() {
        let part = if i + 1 < parts.len() { format!("{part},") } else { part.clone() };
        match lines.last_mut() {
            Some(line) if line.len() + part.len() < WIDTH => *line += &format!(" {part}"),
            _ => lines.push(format!("    {part}")),
        }
    }
    lines
}
