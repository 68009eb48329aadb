// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memories, instances and processes as Verilog text.

use super::*;

impl Printer<'_> {
    pub(super) fn memory(&mut self, memory: &Memory) {
        let reads = memory.reads.iter().flat_map(|r| [&r.enable, &r.address]);
        let writes = memory.writes.iter().flat_map(|w| [&w.enable, &w.address, &w.data].into_iter().chain(&w.byte_enable));
        self.declare_reads(writes.chain(reads));
        for r in &memory.reads {
            self.declare(r.data);
        }
        let name = &memory.name;
        let mut body = Vec::new();
        for (i, w) in memory.writes.iter().enumerate() {
            let base = if i == 0 { format!("{name}_write") } else { format!("{name}_write{i}") };
            let enable = self.scope.operand(&w.enable, &base);
            let address = self.scope.atom(&w.address, &base);
            let data = self.scope.named(expr::strip_sign(&w.data), &base);
            match &w.byte_enable {
                None => body.push(format!("if ({enable}) {name}[{address}] <= {data};")),
                Some(bytes) => {
                    let bytes = self.scope.named(bytes, &format!("{base}_bytes"));
                    let n = w.byte_enable.as_ref().map_or(1, Expr::width);
                    let part = memory.width / n;
                    for b in 0..n {
                        let bit = if n == 1 { bytes.clone() } else { format!("{bytes}[{b}]") };
                        let slice = match (n, part) {
                            (1, _) => String::new(),
                            (_, 1) => format!("[{b}]"),
                            _ => format!("[{}:{}]", (b + 1) * part - 1, b * part),
                        };
                        body.push(format!("if ({enable} && {bit}) {name}[{address}]{slice} <= {data}{slice};"));
                    }
                }
            }
        }
        for r in &memory.reads {
            let data = self.scope.name(r.data).to_string();
            let enable = self.scope.operand(&r.enable, &data);
            let address = self.scope.atom(&r.address, &data);
            let always = matches!(r.enable.kind(), Kind::Const(bits, _) if !bits.is_zero());
            let condition = if always { String::new() } else { format!("if ({enable}) ") };
            body.push(format!("{condition}{data} <= {name}[{address}];"));
        }
        self.hoisted();
        if !memory.attribute.is_empty() {
            self.line(&format!("(* {} *)", memory.attribute));
        }
        let word = range(Ty::Unsigned(memory.width));
        self.line(&format!("reg {word}{name} [0:{}];", memory.depth - 1));
        if !memory.init.is_empty() {
            self.line("initial begin");
            for (i, word) in memory.init.iter().enumerate() {
                self.line(&format!("    {name}[{i}] = {};", literal(Ty::Unsigned(memory.width), word)));
            }
            self.line("end");
        }
        let clock = self.scope.name(memory.clock).to_string();
        self.line(&format!("always @(posedge {clock}) begin"));
        body.iter().for_each(|l| self.line(&format!("    {l}")));
        self.line("end");
        self.blank();
    }

    pub(super) fn instance(&mut self, i: &Instance) {
        self.declare_reads(i.inputs.iter().map(|(_, e)| e));
        for (_, net) in &i.outputs {
            self.declare(*net);
        }
        let mut connections = Vec::new();
        for (_, port) in i.module.ports() {
            let value = match i.inputs.iter().find(|(n, _)| *n == port.name) {
                Some((_, e)) => expr::bits_of(self.scope.atom(expr::strip_sign(e), &format!("{}_{}", i.name, port.name))),
                None => i.outputs.iter().find(|(n, _)| *n == port.name).map(|(_, id)| self.scope.name(*id).to_string()).unwrap_or_default(),
            };
            connections.push((net_name(port), value));
        }
        self.hoisted();
        self.blank();
        self.line(&format!("{}{} {} (", self.options.prefix, i.module.name, i.name));
        let last = connections.len().saturating_sub(1);
        for (n, (port, value)) in connections.iter().enumerate() {
            let comma = if n < last { "," } else { "" };
            self.line(&format!("    .{port}({value}){comma}"));
        }
        self.line(");");
        self.blank();
    }

    pub(super) fn process(&mut self, p: &Process) {
        self.declare_reads(p.body.iter().flat_map(Stmt::exprs));
        for t in &p.targets {
            self.declare(*t);
        }
        let base = p.targets.first().map(|t| self.scope.name(*t).to_string()).unwrap_or_default();
        let mut body = Vec::new();
        self.statements(&p.body, &base, 1, &mut body);
        self.hoisted();
        self.blank();
        self.line("always @* begin");
        body.iter().for_each(|l| self.line(l));
        self.line("end");
        self.blank();
    }

    fn statements(&mut self, body: &[Stmt], base: &str, depth: usize, out: &mut Vec<String>) {
        let pad = "    ".repeat(depth);
        for s in body {
            match s {
                Stmt::Comment(text) => out.push(format!("{pad}// {text}")),
                Stmt::Assign(net, value) => {
                    let name = self.scope.name(*net).to_string();
                    let value = self.scope.assigned(value, &name);
                    out.push(format!("{pad}{name} = {value};"));
                }
                Stmt::If(..) => self.conditional(s, base, depth, out),
                Stmt::Case(subject, arms, default) => {
                    let subject = self.scope.bare(subject, base);
                    out.push(format!("{pad}case ({subject})"));
                    for (key, body) in arms {
                        let key = self.scope.bare(key, base);
                        out.push(format!("{pad}    {key}: begin"));
                        self.statements(body, base, depth + 2, out);
                        out.push(format!("{pad}    end"));
                    }
                    if default.is_empty() {
                        out.push(format!("{pad}    default: ;"));
                    } else {
                        out.push(format!("{pad}    default: begin"));
                        self.statements(default, base, depth + 2, out);
                        out.push(format!("{pad}    end"));
                    }
                    out.push(format!("{pad}endcase"));
                }
            }
        }
    }

    /// An `if` with its `else if` branches on one level.
    fn conditional(&mut self, mut s: &Stmt, base: &str, depth: usize, out: &mut Vec<String>) {
        let pad = "    ".repeat(depth);
        let mut head = format!("{pad}if");
        while let Stmt::If(condition, then, otherwise) = s {
            let condition = self.scope.bare(condition, base);
            out.push(format!("{head} ({condition}) begin"));
            self.statements(then, base, depth + 1, out);
            match otherwise.as_slice() {
                [] => break,
                [next @ Stmt::If(..)] => {
                    head = format!("{pad}end else if");
                    s = next;
                }
                _ => {
                    out.push(format!("{pad}end else begin"));
                    self.statements(otherwise, base, depth + 1, out);
                    break;
                }
            }
        }
        out.push(format!("{pad}end"));
    }
}
