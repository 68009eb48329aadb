// SPDX-License-Identifier: MIT OR Apache-2.0
//! Functions of cells as tables: `!(A&B)`, `A*B`, `A+B`, `A^B`, `A'`, `A B`.

/// Inputs that a function may have, so that its table is one word.
pub const MAX_INPUTS: usize = 6;

/// A function of some of a cell's pins; bit `i` of the table is its value where pin `k` is bit `k` of `i`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    pub inputs: Vec<String>,
    pub table: u64,
}

/// Reads a function; the reason if it is not one.
pub fn parse(text: &str) -> Result<Function, String> {
    let mut inputs: Vec<String> = vec![];
    for name in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|name| !name.is_empty() && !is_constant(name)) {
        if !inputs.iter().any(|input| input == name) {
            inputs.push(name.into());
        }
    }
    if inputs.len() > MAX_INPUTS {
        return Err(format!("`{text}` has {} inputs; at most {MAX_INPUTS} are supported", inputs.len()));
    }
    let mut table = 0;
    for row in 0..1u32 << inputs.len() {
        let mut eval = Eval { text: text.as_bytes(), at: 0, inputs: &inputs, row, depth: 0 };
        let value = eval.or().ok_or_else(|| format!("`{text}` is no function"))?;
        if eval.next().is_some() {
            return Err(format!("`{text}` is no function"));
        }
        table |= u64::from(value) << row;
    }
    Ok(Function { inputs, table })
}

fn is_constant(name: &str) -> bool {
    matches!(name, "0" | "1")
}

/// The value for one row of the table; `+` and `|` bind least, then `^`, then `*`, `&` and a blank, then `!`.
struct Eval<'a> {
    text: &'a [u8],
    at: usize,
    inputs: &'a [String],
    row: u32,
    depth: u32,
}

impl Eval<'_> {
    fn next(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn or(&mut self) -> Option<bool> {
        let mut value = self.xor()?;
        while let Some(b'+' | b'|') = self.next() {
            self.at += 1;
            value |= self.xor()?;
        }
        Some(value)
    }

    fn xor(&mut self) -> Option<bool> {
        let mut value = self.and()?;
        while self.next() == Some(b'^') {
            self.at += 1;
            value ^= self.and()?;
        }
        Some(value)
    }

    fn and(&mut self) -> Option<bool> {
        let mut value = self.not()?;
        loop {
            match self.next() {
                Some(b'*' | b'&') => self.at += 1,
                Some(b'(' | b'!' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z') => {}
                _ => return Some(value),
            }
            value &= self.not()?;
        }
    }

    fn not(&mut self) -> Option<bool> {
        let mut invert = false;
        while self.next() == Some(b'!') {
            self.at += 1;
            invert = !invert;
        }
        let mut value = self.atom()?;
        while self.next() == Some(b'\'') {
            self.at += 1;
            value = !value;
        }
        Some(value ^ invert)
    }

    fn atom(&mut self) -> Option<bool> {
        if self.next()? == b'(' {
            self.at += 1;
            self.depth += 1;
            let value = if self.depth < 64 { self.or()? } else { return None };
            self.depth -= 1;
            let closed = self.next() == Some(b')');
            self.at += 1;
            return Some(value).filter(|_| closed);
        }
        let from = self.at;
        while self.text.get(self.at).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') {
            self.at += 1;
        }
        match std::str::from_utf8(&self.text[from..self.at]).ok()? {
            "0" => Some(false),
            "1" => Some(true),
            name => self.inputs.iter().position(|input| input == name).map(|k| self.row >> k & 1 == 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_bind_as_in_liberty() {
        let table = |text| parse(text).unwrap().table;
        assert_eq!(table("!(A&B)"), 0b0111);
        assert_eq!(table("(A*B)+!C"), 0b1000_1111);
        assert_eq!(table("A^B"), 0b0110);
        assert_eq!(table("A B'"), 0b0010);
        assert_eq!((table("0"), table("1")), (0, 1));
        assert_eq!(parse("A1 * (B1 + A1)").unwrap().inputs, ["A1", "B1"]);
        for bad in ["", "A+", "(A", "A)", "A#B", "A B C D E F G"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse(&"(".repeat(1000)).is_err());
    }
}
