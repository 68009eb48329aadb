// SPDX-License-Identifier: MIT OR Apache-2.0
//! A plan as a module, through the builder.

use super::plan::*;
use heddle_lang::{Bits, BuildError, Builder, Expr, Module, Ty, builder::Reg, module::Stmt};
use std::{collections::BTreeMap, sync::Arc};

/// The module of a plan; children of one name are built once.
pub fn build(plan: &Plan) -> Result<Arc<Module>, BuildError> {
    build_with(plan, &mut BTreeMap::new())
}

type Modules = BTreeMap<String, Arc<Module>>;

fn build_with(plan: &Plan, modules: &mut Modules) -> Result<Arc<Module>, BuildError> {
    if let Some(done) = modules.get(&plan.name) {
        return Ok(done.clone());
    }
    let mut children = BTreeMap::new();
    for i in plan.used_instances() {
        children.insert(i, build_with(&plan.instances[i].plan, modules)?);
    }
    let b = Build {
        m: Builder::clocked(&plan.name, file!()),
        plan,
        children,
        exprs: vec![None; plan.nodes.len()],
        weight: vec![0; plan.nodes.len()],
        registers: vec![],
        memories: BTreeMap::new(),
    };
    let module = b.run()?;
    modules.insert(plan.name.clone(), module.clone());
    Ok(module)
}

/// The base name of the port of an input node.
pub fn input_name(id: Id) -> String {
    format!("a{id}")
}

pub fn output_name(index: usize) -> String {
    format!("o{index}")
}

/// Text that an expression may grow to before it gets a net of its own.
const HEAVY: u32 = 24;

struct Build<'a> {
    m: Builder,
    plan: &'a Plan,
    children: BTreeMap<usize, Arc<Module>>,
    exprs: Vec<Option<Expr>>,
    /// Operators that stand in the text of an expression.
    weight: Vec<u32>,
    registers: Vec<(Id, Reg)>,
    memories: BTreeMap<usize, heddle_lang::builder::Mem>,
}

fn constant(ty: Ty, value: u128) -> Expr {
    Expr::from_bits(ty, Bits::from_limbs(ty.width(), &[value as u64, (value >> 64) as u64]))
}

/// The same width and sign as `ty`.
fn coerced(e: &Expr, ty: Ty) -> Expr {
    let e = e.resize(ty.width());
    if ty.is_signed() { e.as_signed() } else { e.as_unsigned() }
}

fn apply(op: Binary, a: &Expr, b: &Expr) -> Expr {
    match op {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul => a * b,
        Binary::WrapAdd => a.wrapping_add(b),
        Binary::WrapSub => a.wrapping_sub(b),
        Binary::And => a & b,
        Binary::Or => a | b,
        Binary::Xor => a ^ b,
        Binary::Eq => a.eq(b),
        Binary::Ne => a.ne(b),
        Binary::Lt => a.lt(b),
        Binary::Le => a.le(b),
        Binary::Gt => a.gt(b),
        Binary::Ge => a.ge(b),
        Binary::Shl => a.shl(b),
        Binary::Shr => a.shr(b),
    }
}

impl Build<'_> {
    fn run(mut self) -> Result<Arc<Module>, BuildError> {
        let reached = self.plan.reached();
        for id in (0..self.plan.nodes.len()).filter(|&id| reached[id]) {
            if self.exprs[id].is_none() {
                self.node(id);
            }
        }
        for (id, reg) in std::mem::take(&mut self.registers) {
            let Op::Register(_, updates) = &self.plan.nodes[id].op else { continue };
            for (condition, value) in updates {
                match condition {
                    Some(c) => self.m.on(&reg, self.get(*c), self.get(*value)),
                    None => self.m.next(&reg, self.get(*value)),
                }
            }
        }
        for (index, mem) in std::mem::take(&mut self.memories) {
            self.ports(index, mem);
        }
        for (i, id) in self.plan.outputs.iter().enumerate() {
            let value = self.get(*id);
            self.m.output(&output_name(i), value);
        }
        self.m.build()
    }

    fn get(&self, id: Id) -> Expr {
        let missing = || Expr::poison(self.plan.ty(id), format!("node {id} is read before it is built"));
        self.exprs[id].clone().unwrap_or_else(missing)
    }

    fn node(&mut self, id: Id) {
        let node = &self.plan.nodes[id];
        let name = format!("n{id}");
        let value = match &node.op {
            Op::Input => self.m.input(&input_name(id), node.ty),
            Op::Const(value) if node.named && node.ty.width() < 100 => {
                let bits = constant(node.ty, *value);
                let heddle_lang::expr::Kind::Const(bits, _) = bits.kind() else { unreachable!("a constant") };
                let number = if node.ty.is_signed() { bits.to_i128() } else { *value as i128 };
                self.m.parameter(&format!("P{id}"), node.ty, number)
            }
            Op::Const(value) => constant(node.ty, *value),
            Op::Register(reset, _) => {
                let name = format!("r{id}");
                let reg = match reset {
                    Some(value) => self.m.reg(&name, node.ty, *value as i128),
                    None => self.m.reg_no_reset(&name, node.ty),
                };
                self.registers.push((id, reg.clone()));
                reg.q()
            }
            // The memory is finished at the end; its read data are nets from now on.
            Op::Read(m, _) => return self.memory(*m),
            Op::Variable(p, _) => return self.process(*p),
            Op::Output(i, _) => return self.instance(*i),
            op => {
                let value = self.operator(op, node.ty);
                let weight = 1 + self.plan.reads(id).into_iter().map(|a| self.weight[a]).sum::<u32>();
                if node.named || weight > HEAVY {
                    self.m.wire(&name, value)
                } else {
                    self.weight[id] = weight;
                    value
                }
            }
        };
        self.exprs[id] = Some(value);
    }

    fn operator(&self, op: &Op, ty: Ty) -> Expr {
        let x = |id: &Id| self.get(*id);
        let value = match op {
            Op::Not(a) => !x(a),
            Op::Negate(a) => x(a).negate(),
            Op::Any(a) => x(a).any(),
            Op::All(a) => x(a).all(),
            Op::Parity(a) => x(a).parity(),
            Op::Binary(op, a, b) => apply(*op, &x(a), &x(b)),
            Op::ShiftLeft(a, n) => x(a).shift_left(*n),
            Op::ShiftRight(a, n) => x(a).shift_right(*n),
            Op::Slice(a, lsb) => x(a).slice(*lsb, ty.width()),
            Op::Select(a, index) => x(a).select(&x(index), ty.width()),
            Op::Concat(parts) => Expr::concat(parts.iter().map(x)),
            Op::Repeat(a, n) => x(a).repeat(*n),
            Op::Cast(a) if ty.is_signed() => x(a).as_signed(),
            Op::Cast(a) => x(a).as_unsigned(),
            Op::Saturate(a) => x(a).saturate(ty.width()),
            Op::Round(a, n) => x(a).round_even(*n),
            Op::Mux(c, a, b) => x(c).mux(x(a), &x(b)),
            Op::Choose(index, elements) => x(index).choose(&elements.iter().map(x).collect::<Vec<_>>()),
            Op::Resize(a) => x(a),
            _ => Expr::poison(ty, format!("{op:?} is no operator")),
        };
        value.resize(ty.width())
    }

    /// Declares a memory with read ports on forward wires, so that what they read may come later.
    fn memory(&mut self, index: usize) {
        let plan = &self.plan.memories[index];
        let mem = self.m.memory(&format!("mem{index}"), plan.width, plan.depth);
        if !plan.init.is_empty() {
            let word = |v: &u128| Bits::from_limbs(plan.width, &[*v as u64, (*v >> 64) as u64]);
            self.m.memory_init(mem, plan.init.iter().map(word).collect());
        }
        self.memories.insert(index, mem);
        for id in self.all(|op| matches!(op, Op::Read(m, _) if *m == index)) {
            self.exprs[id] = Some(self.m.forward(&format!("d{id}"), self.plan.ty(id)));
        }
    }

    fn ports(&mut self, index: usize, mem: heddle_lang::builder::Mem) {
        let plan = &self.plan.memories[index];
        for w in &plan.writes {
            let bytes = w.bytes.map(|b| self.get(b));
            self.m.write_bytes(mem, self.get(w.enable), &self.get(w.address), self.get(w.data), bytes);
        }
        for (port, (enable, address)) in plan.reads.iter().enumerate() {
            let data = self.m.read(mem, &format!("mem{index}_read{port}"), self.get(*enable), &self.get(*address));
            for id in self.all(|op| *op == Op::Read(index, port)) {
                self.m.drive(&self.get(id), &data);
            }
        }
    }

    fn all(&self, is: impl Fn(&Op) -> bool) -> Vec<Id> {
        (0..self.plan.nodes.len()).filter(|&id| is(&self.plan.nodes[id].op)).collect()
    }

    fn instance(&mut self, index: usize) {
        let instance = &self.plan.instances[index];
        let child = &self.children[&index];
        let names: Vec<(String, Id)> = instance.plan.inputs().map(input_name).zip(instance.inputs.iter().copied()).collect();
        let connected = names.iter().filter(|(name, _)| child.port(name).is_some());
        let inputs: Vec<(&str, Expr)> = connected.map(|(name, id)| (name.as_str(), self.get(*id))).collect();
        let outs = self.m.instance(&format!("u{index}"), &child.clone(), &inputs);
        for id in self.all(|op| matches!(op, Op::Output(i, _) if *i == index)) {
            let Op::Output(_, output) = self.plan.nodes[id].op else { continue };
            self.exprs[id] = Some(outs.get(&output_name(output)));
        }
    }

    fn process(&mut self, index: usize) {
        let plan = &self.plan.processes[index];
        let variable = |(t, ty): (usize, &Ty)| self.m.variable(&format!("v{index}_{t}"), *ty);
        let targets: Vec<Expr> = plan.targets.iter().enumerate().map(variable).collect();
        let body = self.steps(&plan.body, &targets);
        self.m.process(&targets, body);
        for id in self.all(|op| matches!(op, Op::Variable(p, _) if *p == index)) {
            let Op::Variable(_, target) = self.plan.nodes[id].op else { continue };
            self.exprs[id] = Some(targets[target].clone());
        }
    }

    fn steps(&mut self, body: &[Step], targets: &[Expr]) -> Vec<Stmt> {
        let mut out = Vec::new();
        for step in body {
            out.push(match step {
                Step::Assign(t, id) => {
                    let value = self.get(*id);
                    self.m.assign(&targets[*t], value)
                }
                Step::Combine(t, op, from, id) => {
                    let ty = targets[*t].ty();
                    let value = apply(*op, &coerced(&targets[*from], ty), &self.get(*id));
                    self.m.assign(&targets[*t], coerced(&value, ty))
                }
                Step::If(c, a, b) => {
                    let condition = match c {
                        Condition::Node(id) => self.get(*id),
                        Condition::Target(t) => targets[*t].bit(0),
                    };
                    Stmt::If(condition, self.steps(a, targets), self.steps(b, targets))
                }
                Step::Case(subject, arms, default) => {
                    let subject = self.get(*subject);
                    let mut built = Vec::new();
                    for (key, body) in arms {
                        built.push((constant(subject.ty(), *key), self.steps(body, targets)));
                    }
                    Stmt::Case(subject, built, self.steps(default, targets))
                }
            });
        }
        out
    }
}
