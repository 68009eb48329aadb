// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Verilog printer: one module, one file, Verilog-2005.
//!
//! Every width and sign that the IR implies is written out, so that no reader (and no tool) depends on
//! Verilog's context rules: an operand is extended where it stands, and what cannot stand as an operand
//! becomes a wire named after what it feeds. The text depends on nothing but the module.

mod always;
mod expr;
mod items;
mod keywords;
mod wrap;

use crate::{
    bits::Bits,
    expr::{Expr, Kind, NetId, Ty},
    module::*,
    primitive::Target,
};
use always::Always;
use expr::Scope;
pub use keywords::is_keyword;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    sync::Arc,
};

/// What the head of each file says, and what each module name starts with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Put before every module name, e.g. `heddle_`.
    pub prefix: String,
    /// What generated the file, e.g. `Heddle 0.1.0`.
    pub generator: String,
    /// The digest of the configuration; empty: not mentioned.
    pub digest: String,
    /// What primitives are printed as.
    pub target: Target,
}

/// One emitted file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub name: String,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrintError {
    #[error("module `{module}`: the Verilog name `{name}` stands for two things")]
    Collision { module: String, name: String },
    #[error("module `{module}`: `{name}` is a reserved word of Verilog")]
    Keyword { module: String, name: String },
    #[error("{0}")]
    Hierarchy(String),
}

/// The top and everything below it, one file per module, instantiated ones first.
pub fn files(top: &Arc<Module>, options: &Options) -> Result<Vec<File>, PrintError> {
    if let Some(clash) = crate::check::name_clashes(top).into_iter().next() {
        return Err(PrintError::Hierarchy(clash));
    }
    let print = |m: &Arc<Module>| Ok(File { name: format!("{}{}.v", options.prefix, m.name), text: module(m, options)? });
    top.hierarchy().iter().map(print).collect()
}

/// The file of one module.
pub fn module(m: &Module, options: &Options) -> Result<String, PrintError> {
    let names: Vec<String> = m.nets.iter().map(net_name).collect();
    check_names(m, &names)?;
    let mut p = Printer {
        m,
        options,
        scope: Scope::new(names),
        out: String::new(),
        declared: BTreeSet::new(),
        parameters: BTreeSet::new(),
        states: always::states(m),
        pending: vec![],
    };
    let device = m.primitive.as_ref().and_then(|primitive| primitive.body(options.target));
    p.head();
    match device {
        Some(lines) => p.cells(&lines),
        None => p.body(),
    }
    p.foot();
    Ok(p.out)
}

/// The Verilog name of a net.
pub fn net_name(net: &Net) -> String {
    format!("{}{}", net.name, net.kind.suffix())
}

fn check_names(m: &Module, names: &[String]) -> Result<(), PrintError> {
    let of_items = m.items.iter().filter_map(|i| match i {
        Item::Parameter(name, ..) => Some(name),
        Item::Memory(memory) => Some(&memory.name),
        Item::Instance(i) => Some(&i.name),
        _ => None,
    });
    let mut seen = BTreeSet::new();
    for name in names.iter().chain(of_items) {
        if is_keyword(name) {
            return Err(PrintError::Keyword { module: m.name.clone(), name: name.clone() });
        }
        if !seen.insert(name) {
            return Err(PrintError::Collision { module: m.name.clone(), name: name.clone() });
        }
    }
    Ok(())
}

/// `signed [7:0] `, or nothing for one unsigned bit.
fn range(ty: Ty) -> String {
    let sign = if ty.is_signed() { "signed " } else { "" };
    match ty.width() {
        1 if !ty.is_signed() => String::new(),
        w => format!("{sign}[{}:0] ", w - 1),
    }
}

/// A constant as Verilog writes it; negative numbers in parentheses.
fn literal(ty: Ty, bits: &Bits) -> String {
    let w = ty.width();
    let value = bits.to_i128();
    match ty {
        Ty::Unsigned(1) => format!("1'b{}", bits.low_u64()),
        Ty::Unsigned(_) if w <= 16 => format!("{w}'d{}", bits.low_u64()),
        Ty::Unsigned(_) if bits.limbs().iter().skip(1).all(|&l| l == 0) && bits.low_u64() < 1000 => format!("{w}'d{}", bits.low_u64()),
        Ty::Unsigned(_) => format!("{w}'h{bits:x}"),
        Ty::Signed(_) if w > 64 || value == -(1i128 << (w - 1)) => format!("{w}'sh{bits:x}"),
        Ty::Signed(_) if value < 0 => format!("(-{w}'sd{})", -value),
        Ty::Signed(_) => format!("{w}'sd{value}"),
    }
}

struct Printer<'a> {
    m: &'a Module,
    options: &'a Options,
    scope: Scope,
    out: String,
    declared: BTreeSet<NetId>,
    /// Named constants that stand in the text.
    parameters: BTreeSet<String>,
    /// Named values that a net is compared with.
    states: BTreeMap<(NetId, u64), Arc<str>>,
    /// Registers whose always block still has to be written.
    pending: Vec<&'a Register>,
}

impl<'a> Printer<'a> {
    fn line(&mut self, text: &str) {
        for line in wrap::wrapped(&format!("    {text}")) {
            let _ = writeln!(self.out, "{line}");
        }
    }

    /// An empty line, unless there is one or a comment that belongs to what follows.
    fn blank(&mut self) {
        if !self.out.ends_with("\n\n") && !self.follows_comment() {
            self.out.push('\n');
        }
    }

    fn follows_comment(&self) -> bool {
        self.out.trim_end().lines().last().is_some_and(|l| l.trim_start().starts_with("//"))
    }

    fn head(&mut self) {
        let (m, o) = (self.m, self.options);
        self.out += "// SPDX-License-Identifier: MIT OR Apache-2.0\n";
        let digest = if o.digest.is_empty() { String::new() } else { format!(", configuration {}", o.digest) };
        let _ = writeln!(self.out, "// Generated by {} from {}{digest}.", o.generator, m.source);
        if !m.doc.is_empty() {
            self.out += "//\n";
        }
        for line in &m.doc {
            let _ = writeln!(self.out, "{}", format!("// {line}").trim_end());
        }
        let _ = writeln!(self.out, "\n`default_nettype none\n\nmodule {}{} (", o.prefix, m.name);
        let ports: Vec<(NetId, &Net)> = m.ports().collect();
        let assigned: BTreeSet<NetId> = m.items.iter().filter(|i| matches!(i, Item::Process(_))).flat_map(Item::drives).collect();
        let width = ports.iter().map(|(_, n)| range(n.ty).len()).max().unwrap_or(0);
        for (i, (id, net)) in ports.iter().enumerate() {
            let direction = match net.kind {
                NetKind::Output if assigned.contains(id) => "output reg ",
                NetKind::Output => "output wire",
                _ => "input  wire",
            };
            let comma = if i + 1 < ports.len() { "," } else { "" };
            let doc = if net.doc.is_empty() { String::new() } else { format!("  // {}", net.doc) };
            let name = self.scope.name(*id);
            for line in &net.heading {
                let _ = writeln!(self.out, "    // {line}");
            }
            let _ = writeln!(self.out, "    {direction} {:width$}{name}{comma}{doc}", range(net.ty));
            self.declared.insert(*id);
        }
        self.out += ");\n\n";
    }

    fn foot(&mut self) {
        self.out.truncate(self.out.trim_end().len());
        self.out += "\n\nendmodule\n\n`default_nettype wire\n";
    }

    /// The cells of a device, which drive the outputs.
    fn cells(&mut self, lines: &[String]) {
        for line in lines {
            match line.as_str() {
                "" => self.blank(),
                text => self.line(text),
            }
        }
    }

    fn body(&mut self) {
        let m = self.m;
        for item in &m.items {
            match item {
                Item::Comment(text) => {
                    self.flush(false);
                    self.blank();
                    self.line(&format!("// {text}"));
                }
                Item::Parameter(name, ty, bits) => self.parameter(name, *ty, bits),
                Item::Assign(net, value) => self.assignment(*net, value),
                Item::Register(r) => {
                    self.declare(r.net);
                    self.pending.push(r);
                }
                Item::Memory(memory) => self.memory(memory),
                Item::Instance(i) => self.instance(i),
                Item::Process(p) => self.process(p),
                Item::Property(_) => {}
            }
        }
        self.flush(true);
        self.properties();
    }

    /// Declares a net that is used or driven further down.
    fn declare(&mut self, id: NetId) {
        if !self.declared.insert(id) {
            return;
        }
        let net = self.m.net(id);
        let keyword = match net.kind {
            NetKind::Register | NetKind::ReadData | NetKind::Variable => "reg ",
            _ => "wire",
        };
        let doc = if net.doc.is_empty() { String::new() } else { format!("  // {}", net.doc) };
        let text = format!("{keyword} {}{};{doc}", range(net.ty), self.scope.name(id));
        self.line(&text);
    }

    /// Once, where it stands or before its first use, whichever comes first.
    fn parameter(&mut self, name: &str, ty: Ty, bits: &Bits) {
        if self.parameters.insert(name.to_string()) {
            // Wide ones are addresses or masks.
            let value = match ty {
                Ty::Unsigned(w) if w > 8 => format!("{w}'h{bits:x}"),
                _ => literal(ty, bits),
            };
            self.line(&format!("localparam {}{name} = {value};", range(ty)));
        }
    }

    fn declare_reads<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        for e in exprs {
            for id in crate::check::reads(e) {
                self.declare(id);
            }
            e.visit(&mut |e| {
                if let Kind::Const(bits, Some(name)) = e.kind() {
                    self.parameter(name, e.ty(), bits);
                }
            });
        }
    }

    /// Writes the wires that expressions printed since the last call were split into.
    fn hoisted(&mut self) {
        for wire in std::mem::take(&mut self.scope.hoisted) {
            self.line(&wire);
        }
    }

    fn assignment(&mut self, id: NetId, value: &Expr) {
        self.declare_reads([value]);
        let name = self.scope.name(id).to_string();
        let text = self.scope.assigned(value, &name);
        self.hoisted();
        let net = self.m.net(id);
        if net.kind == NetKind::Wire && self.declared.insert(id) {
            let doc = if net.doc.is_empty() { String::new() } else { format!("  // {}", net.doc) };
            self.line(&format!("wire {}{name} = {text};{doc}", range(net.ty)));
        } else {
            self.line(&format!("assign {name} = {text};"));
        }
    }

    /// Writes the always blocks of the registers whose operands are all declared; with `all`, of every one.
    fn flush(&mut self, all: bool) {
        let (ready, later): (Vec<&Register>, Vec<&Register>) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|r| all || register_exprs(r).flat_map(crate::check::reads).all(|id| self.declared.contains(&id)));
        self.pending = later;
        let mut blocks: Vec<Always> = Vec::new();
        for r in ready {
            self.declare_reads(register_exprs(r));
            let block = self.always(r);
            match blocks.iter_mut().find(|b| b.clock == block.clock && b.arms_match(&block)) {
                Some(b) => b.absorb(block),
                None => blocks.push(block),
            }
        }
        self.hoisted();
        for block in blocks {
            let text = block.text();
            self.blank();
            text.iter().for_each(|l| self.line(l));
            self.blank();
        }
    }

    /// The register's assignments, by the condition under which each applies.
    fn always(&mut self, r: &Register) -> Always {
        let name = self.scope.name(r.net).to_string();
        let ty = self.m.net(r.net).ty;
        let mut arms = Vec::new();
        if let Some((condition, value)) = &r.reset {
            let condition = self.scope.bare(condition, &name);
            arms.push((Some(condition), vec![format!("{name} <= {};", self.start(r.net, ty, value))]));
        }
        for u in &r.updates {
            let condition = u.condition.as_ref().map(|c| self.scope.bare(c, &name));
            let value = self.scope.assigned(&u.value, &name);
            arms.push((condition, vec![format!("{name} <= {value};")]));
        }
        Always { clock: self.scope.name(r.clock).to_string(), copies: r.copy, arms }
    }

    /// The reset value of a register, by the name it has where the register is compared with it.
    fn start(&self, net: NetId, ty: Ty, value: &Bits) -> String {
        self.states.get(&(net, value.low_u64())).map_or_else(|| literal(ty, value), |name| name.to_string())
    }

    fn properties(&mut self) {
        let properties: Vec<&Property> = self.m.items.iter().filter_map(property).collect();
        if properties.is_empty() {
            return;
        }
        self.blank();
        self.out += "`ifdef FORMAL\n";
        for p in properties {
            self.declare_reads([&p.expr]);
            let value = self.scope.bare(&p.expr, &p.name);
            self.hoisted();
            let clock = self.scope.name(p.clock).to_string();
            let keyword = match p.kind {
                PropertyKind::Assert => "assert",
                PropertyKind::Assume => "assume",
                PropertyKind::Cover => "cover",
            };
            self.line(&format!("always @(posedge {clock}) {}: {keyword} ({value});", p.name));
        }
        self.out += "`endif\n";
    }
}

fn property(item: &Item) -> Option<&Property> {
    match item {
        Item::Property(p) => Some(p),
        _ => None,
    }
}

fn register_exprs(r: &Register) -> impl Iterator<Item = &Expr> {
    r.reset.iter().map(|(c, _)| c).chain(r.updates.iter().flat_map(|u| u.condition.iter().chain([&u.value])))
}
