// SPDX-License-Identifier: MIT OR Apache-2.0
//! Blocks of rust-hdl without a kernel that are known: flip-flops, memories, tables.
//!
//! They carry Verilog text instead of a syntax tree. The text is compared whole with what rust-hdl's
//! widgets emit; anything else is refused.

use super::tree::{Literal, Node, Signal};
use crate::bits::Bits;
use rust_hdl::core::{
    ast::{Verilog, VerilogExpression, VerilogStatement},
    atom::AtomKind,
};

#[derive(Debug, Clone)]
pub enum Leaf {
    /// `DFF`, `EdgeDFF`, `DFFWithInit`: `q` takes `d` at each rising edge.
    Register { clock: &'static str, start: Bits },
    /// `RAM`: one write port, one synchronous read port; words from address 0.
    Ram { words: Vec<Bits> },
    /// `SyncROM`.
    SyncRom { words: Vec<Bits> },
    /// `ROM`: words by address; the others are `other`.
    Rom { words: Vec<(Bits, Bits)>, other: Bits },
}

/// What the block is, if it is one of those above.
pub fn recognise(node: &Node) -> Option<Leaf> {
    match &node.code {
        Verilog::Custom(text) => custom(node, &words_of(text)),
        Verilog::Combinatorial(_) => with_init(node),
        _ => None,
    }
}

/// A leaf inside a block that only passes its ports through, so that it can be a module of its own.
pub fn wrapped(node: Node) -> Node {
    let name = match recognise(&node) {
        Some(Leaf::Register { .. }) => "value",
        Some(_) => "words",
        None => return node,
    };
    let inner = Node { name: name.into(), ..node.clone() };
    let signal = |path: String| VerilogExpression::Signal(path);
    let connect = |s: &Signal| match s.kind {
        AtomKind::OutputParameter => Some(VerilogStatement::Assignment(signal(s.path.clone()), signal(format!("{name}${}", s.path)))),
        AtomKind::InputParameter => Some(VerilogStatement::Assignment(signal(format!("{name}${}", s.path)), signal(s.path.clone()))),
        _ => None,
    };
    let code = Verilog::Combinatorial(node.signals.iter().filter_map(connect).collect());
    let signals = node.signals.into_iter().filter(|s| s.kind.is_parameter()).collect();
    Node { name: node.name, signals, children: vec![inner], code }
}

fn words_of(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn has_ports(node: &Node, ports: &[(&str, AtomKind)]) -> bool {
    let found = |(path, kind): &(&str, AtomKind)| node.signal(path).is_some_and(|s| s.kind == *kind);
    node.signals.len() == ports.len() && node.children.is_empty() && ports.iter().all(found)
}

fn between<'a>(text: &'a str, head: &str, tail: &str) -> Option<&'a str> {
    text.strip_prefix(head)?.strip_suffix(tail)
}

fn custom(node: &Node, text: &str) -> Option<Leaf> {
    use AtomKind::{InputParameter as In, OutputParameter as Out};
    for (clock, tail) in [("clock", "; end always @(posedge clock) begin q <= d; end"), ("clk", "; end always @(posedge clk) q <= d;")] {
        if let (true, Some(value)) = (has_ports(node, &[("d", In), ("q", Out), (clock, In)]), between(text, "initial begin q = ", tail)) {
            return Some(Leaf::Register { clock, start: Literal::parse(value)?.bits(node.signal("q")?.ty.width()) });
        }
    }
    if has_ports(node, &[("address", In), ("data", Out)]) {
        return rom(node, text);
    }
    if has_ports(node, &[("address", In), ("clock", In), ("data", Out)]) {
        let head = memory_head(node, "data", "address", "mem [")?;
        let body = between(text, &head, " always @(posedge clock) begin data <= mem[address]; end")?;
        return Some(Leaf::SyncRom { words: initial_words(node, body, "data", "address")? });
    }
    let ram = [
        ("read_address", In),
        ("read_clock", In),
        ("read_data", Out),
        ("write_address", In),
        ("write_clock", In),
        ("write_data", In),
        ("write_enable", In),
    ];
    if has_ports(node, &ram) {
        let head = memory_head(node, "read_data", "read_address", "mem[")?;
        let tail = "always @(posedge read_clock) begin read_data <= mem[read_address]; end \
                    always @(posedge write_clock) begin if (write_enable) begin mem[write_address] <= write_data; end end";
        let body = between(text, &head, tail)?;
        return Some(Leaf::Ram { words: initial_words(node, body, "read_data", "read_address")? });
    }
    None
}

fn memory_head(node: &Node, data: &str, address: &str, mem: &str) -> Option<String> {
    let (data, address) = (node.signal(data)?.ty.width(), node.signal(address)?.ty.width());
    let last = 1u64.checked_shl(address)? - 1;
    Some(format!("reg[{}:0] {mem}{last}:0]; ", data - 1))
}

/// `initial begin mem[A] = D; ... end`, or nothing, as words from address 0.
fn initial_words(node: &Node, text: &str, data: &str, address: &str) -> Option<Vec<Bits>> {
    let text = text.trim();
    let (data, address) = (node.signal(data)?.ty.width(), node.signal(address)?.ty.width());
    let mut words = vec![];
    if text.is_empty() {
        return Some(words);
    }
    let body = between(text, "initial begin", "end")?;
    for line in body.split(';').map(str::trim).filter(|l| !l.is_empty()) {
        let (at, value) = between(line, "mem[", "")?.split_once("] = ")?;
        let at = Literal::parse(at)?.bits(address).low_u64() as usize;
        words.resize((at + 1).max(words.len()), Bits::zero(data));
        words[at] = Literal::parse(value)?.bits(data);
    }
    Some(words)
}

fn rom(node: &Node, text: &str) -> Option<Leaf> {
    let (data, address) = (node.signal("data")?.ty.width(), node.signal("address")?.ty.width());
    let (cases, other) = between(text, "always @* case (address) ", "; endcase")?.rsplit_once("default: data = ")?;
    let word = |line: &str| {
        let (at, value) = line.split_once(": data = ")?;
        Some((Literal::parse(at)?.bits(address), Literal::parse(value)?.bits(data)))
    };
    let lines = cases.split(';').map(str::trim).filter(|l| !l.is_empty());
    Some(Leaf::Rom { words: lines.map(word).collect::<Option<_>>()?, other: Literal::parse(other)?.bits(data) })
}

/// `DFFWithInit`: a flip-flop that starts at zero between two exclusive-ors with its start value.
fn with_init(node: &Node) -> Option<Leaf> {
    let Verilog::Combinatorial(code) = &node.code else { return None };
    let (constant, [inner]) = (node.signal("init")?, node.children.as_slice()) else { return None };
    let kernel = "[Assignment(Signal(\"dff$clock$next\"), Signal(\"clock\")), \
                  Assignment(Signal(\"q$next\"), Binary(Signal(\"dff$q\"), BitXor, Signal(\"init\"))), \
                  Assignment(Signal(\"dff$d$next\"), Binary(Signal(\"d\"), BitXor, Signal(\"init\")))]";
    let plain = matches!(recognise(inner), Some(Leaf::Register { start, clock: "clock" }) if start.is_zero());
    let same = constant.kind == AtomKind::Constant && inner.name == "dff" && plain && format!("{code:?}") == kernel;
    same.then(|| Leaf::Register { clock: "clock", start: constant.value.clone() })
}
