// SPDX-License-Identifier: MIT OR Apache-2.0
//! A reader of the part of Tcl that UPF files are written in, and of the names in emitted Verilog.

use regex::Regex;
use std::collections::BTreeMap;

/// One command: `verb object -option value ...`.
#[derive(Debug)]
pub struct Command {
    pub verb: String,
    pub object: String,
    /// In order; an option may come several times.
    pub options: Vec<(String, String)>,
}

impl Command {
    /// The value of an option that must come once.
    pub fn option(&self, name: &str) -> &str {
        match self.all(name)[..] {
            [one] => one,
            ref other => panic!("{} {}: {} times {name}", self.verb, self.object, other.len()),
        }
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        self.options.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// The commands of a file.
pub fn parse(text: &str) -> Vec<Command> {
    let mut commands = Vec::new();
    // Outside of braces Tcl would substitute.
    let bare = braceless(text);
    assert!(!bare.contains(['[', '$', '"']), "{bare}");
    for words in scripts(text) {
        let mut words = words.into_iter();
        let verb = words.next().expect("a verb");
        let object = words.next().unwrap_or_default();
        let mut options = Vec::new();
        while let Some(option) = words.next() {
            assert!(option.starts_with('-'), "{verb} {object}: `{option}` is no option");
            options.push((option, words.next().expect("a value")));
        }
        commands.push(Command { verb, object, options });
    }
    commands
}

/// The words of each command. Braces quote and nest, a backslash at the end of a line continues it, `#` in the place
/// of a verb starts a comment. Nothing is substituted.
fn scripts(text: &str) -> Vec<Vec<String>> {
    let text = text.replace("\\\n", " ");
    let mut all = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '#' if words.is_empty() => while chars.next_if(|c| *c != '\n').is_some() {},
            '\n' | ';' => all.extend((!words.is_empty()).then(|| std::mem::take(&mut words))),
            '{' => words.push(braced(&mut chars)),
            c if c.is_whitespace() => {}
            c => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|c| !c.is_whitespace() && *c != ';') {
                    word.push(c);
                }
                words.push(word);
            }
        }
    }
    assert!(words.is_empty(), "the last command ends with its line");
    all
}

/// What stands outside of braces and comments.
fn braceless(text: &str) -> String {
    let mut depth = 0;
    let code = text.lines().filter(|line| !line.starts_with('#')).flat_map(str::chars);
    let outside = code.filter(|c| {
        depth += i32::from(*c == '{') - i32::from(*c == '}');
        depth == 0
    });
    outside.collect()
}

fn braced(chars: &mut impl Iterator<Item = char>) -> String {
    let (mut depth, mut word) = (1, String::new());
    for c in chars {
        depth += match c {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        if depth == 0 {
            return word;
        }
        word.push(c);
    }
    panic!("a brace is not closed: {word}");
}

/// The elements of a list.
pub fn list(text: &str) -> Vec<String> {
    scripts(&format!("{}\n", text.replace('\n', " "))).into_iter().flatten().collect()
}

/// The value of a condition over `name`s with `&&`, `||`, `!` and parentheses.
pub fn condition(text: &str, value: &dyn Fn(&str) -> bool) -> bool {
    let tokens: Vec<&str> = Regex::new(r"&&|\|\||[!()]|\w+").unwrap().find_iter(text).map(|m| m.as_str()).collect();
    let mut rest = &tokens[..];
    let out = either(&mut rest, value);
    assert!(rest.is_empty(), "`{text}` goes on with {rest:?}");
    out
}

fn either(rest: &mut &[&str], value: &dyn Fn(&str) -> bool) -> bool {
    let mut out = both(rest, value);
    while rest.first() == Some(&"||") {
        *rest = &rest[1..];
        out |= both(rest, value);
    }
    out
}

fn both(rest: &mut &[&str], value: &dyn Fn(&str) -> bool) -> bool {
    let mut out = one(rest, value);
    while rest.first() == Some(&"&&") {
        *rest = &rest[1..];
        out &= one(rest, value);
    }
    out
}

fn one(rest: &mut &[&str], value: &dyn Fn(&str) -> bool) -> bool {
    let (first, more) = rest.split_first().expect("an operand");
    *rest = more;
    match *first {
        "!" => !one(rest, value),
        "(" => {
            let out = either(rest, value);
            assert_eq!(rest.first(), Some(&")"));
            *rest = &rest[1..];
            out
        }
        name => value(name),
    }
}

/// A module as its text declares it.
#[derive(Debug, Default)]
pub struct VerilogModule {
    /// Ports and nets by name: direction (empty for a net) and bits.
    pub nets: BTreeMap<String, (String, u32)>,
    /// Names of registers that a clock edge assigns.
    pub registers: Vec<String>,
    /// Module by instance name.
    pub instances: BTreeMap<String, String>,
    /// Text connected to each port of each instance.
    pub connections: BTreeMap<(String, String), String>,
}

/// The modules of some files by name.
pub fn verilog<'a>(texts: impl Iterator<Item = &'a str>) -> BTreeMap<String, VerilogModule> {
    let head = Regex::new(r"(?m)^module (\w+)").unwrap();
    let net = Regex::new(r"(?m)^ +(input +wire|output +wire|output +reg|wire|reg) +(?:signed +)?(?:\[(\d+):0\] +)?(\w+)").unwrap();
    let register = Regex::new(r"(?m)(\w+) <= ").unwrap();
    let instance = Regex::new(r"(?ms)^    (\w+) (\w+) \(\n(.*?)^    \);").unwrap();
    let port = Regex::new(r"\.(\w+)\((.*)\)").unwrap();
    let mut all = BTreeMap::new();
    for text in texts {
        let mut m = VerilogModule::default();
        for c in net.captures_iter(text) {
            let direction = c[1].split_whitespace().next().filter(|d| d.ends_with("put")).unwrap_or_default();
            let bits = c.get(2).map_or(1, |high| high.as_str().parse::<u32>().unwrap() + 1);
            m.nets.insert(c[3].into(), (direction.into(), bits));
        }
        m.registers = register.captures_iter(text).map(|c| c[1].to_string()).collect();
        for c in instance.captures_iter(text) {
            m.instances.insert(c[2].into(), c[1].into());
            for p in port.captures_iter(&c[3]) {
                m.connections.insert((c[2].into(), p[1].into()), p[2].into());
            }
        }
        all.insert(head.captures(text).expect("a module")[1].to_string(), m);
    }
    all
}
