// SPDX-License-Identifier: MIT OR Apache-2.0
//! The syntax of Liberty files: groups with attributes. What they mean, [`super::library`] knows.
//!
//! Accepted is what the format allows: `name (arguments) { ... }`, `name : value ;`, `name (values) ;`, comments,
//! strings, line continuation. Files are untrusted: size and depth are bounded, and each error has its line.

use super::AsicError;

/// Groups within groups; real files have five or six.
const MAX_DEPTH: usize = 32;

/// A group, with what is in it in the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    pub kind: String,
    pub arguments: Vec<String>,
    pub groups: Vec<Group>,
    /// Name and values; a complex attribute has several.
    pub attributes: Vec<(String, Vec<String>)>,
}

impl Group {
    /// The first value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values(name)?.first().map(String::as_str)
    }

    /// All values of an attribute.
    pub fn values(&self, name: &str) -> Option<&[String]> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, values)| values.as_slice())
    }

    /// The first value as a number; None if there is none or it is no finite number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.trim().parse().ok().filter(|n: &f64| n.is_finite())
    }

    /// The first argument, which is a cell's or pin's name.
    pub fn name(&self) -> &str {
        self.arguments.first().map_or("", String::as_str)
    }

    /// Groups of a kind.
    pub fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Group> {
        self.groups.iter().filter(move |group| group.kind == kind)
    }
}

/// The `library` group of a file; `file` is for messages.
pub fn parse(text: &str, file: &str) -> Result<Group, AsicError> {
    let mut parser = Parser { text: text.as_bytes(), at: 0, line: 1, file };
    let library = parser.statement(0)?.and_then(Item::into_group);
    match library {
        Some(group) if group.kind == "library" => Ok(group),
        _ => Err(parser.error("there is no `library (name) { ... }`")),
    }
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
    file: &'a str,
}

enum Item {
    Group(Group),
    Attribute(String, Vec<String>),
}

impl Item {
    fn into_group(self) -> Option<Group> {
        match self {
            Item::Group(group) => Some(group),
            Item::Attribute(..) => None,
        }
    }
}

impl Parser<'_> {
    fn error(&self, reason: &str) -> AsicError {
        AsicError::Liberty { file: self.file.into(), line: self.line, reason: reason.into() }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Skips blanks, comments, continuations and semicolons that end nothing.
    fn skip(&mut self) -> Result<(), AsicError> {
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' => self.line += 1,
                b'/' if self.text.get(self.at + 1) == Some(&b'*') => {
                    let rest = &self.text[self.at + 2..];
                    let end = rest.windows(2).position(|w| w == b"*/").ok_or_else(|| self.error("a comment has no end"))?;
                    self.line += rest[..end].iter().filter(|b| **b == b'\n').count();
                    self.at += end + 3;
                }
                b'/' if self.text.get(self.at + 1) == Some(&b'/') => {
                    while self.peek().is_some_and(|b| b != b'\n') {
                        self.at += 1;
                    }
                    continue;
                }
                b' ' | b'\t' | b'\r' | b'\\' | b';' => {}
                _ => break,
            }
            self.at += 1;
        }
        Ok(())
    }

    /// The next item; None at a closing brace or the end.
    fn statement(&mut self, depth: usize) -> Result<Option<Item>, AsicError> {
        self.skip()?;
        if matches!(self.peek(), None | Some(b'}')) {
            return Ok(None);
        }
        let name = self.word()?;
        self.skip()?;
        match self.peek() {
            Some(b':') => {
                self.at += 1;
                Ok(Some(Item::Attribute(name, vec![self.value()?])))
            }
            Some(b'(') => {
                self.at += 1;
                let arguments = self.arguments()?;
                self.blanks();
                if self.peek() != Some(b'{') {
                    return Ok(Some(Item::Attribute(name, arguments)));
                }
                self.at += 1;
                self.group(name, arguments, depth + 1).map(|group| Some(Item::Group(group)))
            }
            _ => Err(self.error(&format!("`{name}` is followed by neither `:` nor `(`"))),
        }
    }

    fn group(&mut self, kind: String, arguments: Vec<String>, depth: usize) -> Result<Group, AsicError> {
        if depth > MAX_DEPTH {
            return Err(self.error(&format!("more than {MAX_DEPTH} groups within each other")));
        }
        let mut group = Group { kind, arguments, ..Group::default() };
        while let Some(item) = self.statement(depth)? {
            match item {
                Item::Group(inner) => group.groups.push(inner),
                Item::Attribute(name, values) => group.attributes.push((name, values)),
            }
        }
        match self.peek() {
            Some(_) => self.at += 1,
            None => return Err(self.error(&format!("group `{}` has no closing brace", group.kind))),
        }
        Ok(group)
    }

    fn blanks(&mut self) {
        while let Some(byte) = self.peek().filter(|b| b.is_ascii_whitespace() || *b == b'\\') {
            self.line += usize::from(byte == b'\n');
            self.at += 1;
        }
    }

    fn word(&mut self) -> Result<String, AsicError> {
        if self.peek() == Some(b'"') {
            return self.string();
        }
        let from = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_graphic() && !b"(){}:;,\"".contains(&b)) {
            self.at += 1;
        }
        match self.at > from {
            true => Ok(self.slice(from, self.at)),
            false => Err(self.error("a name or value is missing")),
        }
    }

    fn string(&mut self) -> Result<String, AsicError> {
        let from = self.at + 1;
        let end = self.text[from..].iter().position(|b| *b == b'"').ok_or_else(|| self.error("a string has no end"))? + from;
        self.line += self.text[from..end].iter().filter(|b| **b == b'\n').count();
        self.at = end + 1;
        Ok(self.slice(from, end))
    }

    fn slice(&self, from: usize, to: usize) -> String {
        String::from_utf8_lossy(&self.text[from..to]).into_owned()
    }

    /// What stands behind a colon: to the semicolon or the end of the line.
    fn value(&mut self) -> Result<String, AsicError> {
        self.blanks();
        if self.peek() == Some(b'"') {
            return self.string();
        }
        let from = self.at;
        while self.peek().is_some_and(|b| !b";\n}".contains(&b)) {
            self.at += 1;
        }
        Ok(self.slice(from, self.at).trim().to_owned())
    }

    fn arguments(&mut self) -> Result<Vec<String>, AsicError> {
        let mut values = vec![];
        loop {
            self.blanks();
            match self.peek() {
                Some(b')') => break,
                Some(b',') => self.at += 1,
                // A bus index such as `A[0]` or a product such as `a * b` is one value.
                Some(_) => values.push(self.word()?),
                None => return Err(self.error("a list has no closing parenthesis")),
            }
        }
        self.at += 1;
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_attributes_and_lists_are_read() {
        let text = "/* a\n comment */ library (tiny) {\n unit : \"1V\"; // said\n cap (1, pf);\n cell (\"INV\") { area : 2.5;\n\
            pin (Y) { function : \"(!A)\" } }\n values ( \\\n \"1, 2\", \\\n \"3, 4\" \\\n );\n}\n";
        let library = parse(text, "tiny.lib").unwrap();
        assert_eq!((library.name(), library.get("unit"), library.values("cap").unwrap().join(" ").as_str()), ("tiny", Some("1V"), "1 pf"));
        let cell = library.of("cell").next().unwrap();
        assert_eq!((cell.name(), cell.number("area")), ("INV", Some(2.5)));
        assert_eq!(cell.of("pin").next().unwrap().get("function"), Some("(!A)"));
        assert_eq!(library.values("values").unwrap(), ["1, 2", "3, 4"]);
    }

    #[test]
    fn errors_have_their_line() {
        for (text, line, reason) in [
            ("library (a) {\n area 3;\n}", 2, "neither"),
            ("library (a) {\n cell (b) {\n", 3, "closing brace"),
            ("\ncell (b) { }", 2, "no `library"),
            ("library (a) { x : \"y", 1, "no end"),
            ("library (a) { /* y", 1, "comment"),
            ("library (a", 1, "parenthesis"),
        ] {
            let error = parse(text, "bad.lib").unwrap_err().to_string();
            assert!(error.contains(&format!("bad.lib, line {line}")) && error.contains(reason), "{error}");
        }
        let deep = "a () {".repeat(100);
        assert!(parse(&deep, "deep.lib").unwrap_err().to_string().contains("within each other"));
    }
}
