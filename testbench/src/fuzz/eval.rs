// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a plan means, from the documentation of the builder alone: no IR, no simulator in between.
//!
//! A value is its bits as a number below 2^width. Only the low 128 bits of a result are kept, so arithmetic
//! modulo 2^128 is exact enough.

use super::plan::*;
use heddle_lang::Ty;

/// Registers, memories and the state of instances.
#[derive(Clone, Debug)]
pub struct State {
    /// By node: registers and read data.
    stored: Vec<u128>,
    memories: Vec<Vec<u128>>,
    instances: Vec<State>,
}

/// The values of one cycle.
pub struct Values {
    pub nodes: Vec<u128>,
    instances: Vec<Option<Values>>,
}

pub fn mask(width: u32) -> u128 {
    if width >= 128 { u128::MAX } else { (1 << width) - 1 }
}

/// Extended to 128 bits by the sign of its type.
fn extended(ty: Ty, raw: u128) -> u128 {
    let w = ty.width();
    let negative = ty.is_signed() && raw >> (w - 1) & 1 == 1;
    if negative { raw | !mask(w) } else { raw }
}

impl State {
    pub fn new(plan: &Plan) -> Self {
        let contents = |m: &MemoryPlan| {
            let mut words = m.init.clone();
            words.resize(m.depth as usize, 0);
            words
        };
        State {
            stored: vec![0; plan.nodes.len()],
            memories: plan.memories.iter().map(contents).collect(),
            instances: plan.instances.iter().map(|i| State::new(&i.plan)).collect(),
        }
    }

    /// Everything within a cycle; `inputs` in the order of the input nodes.
    pub fn settle(&self, plan: &Plan, inputs: &[u128]) -> Values {
        let mut inputs = inputs.iter();
        let mut v = Values { nodes: Vec::with_capacity(plan.nodes.len()), instances: plan.instances.iter().map(|_| None).collect() };
        let mut processes: Vec<Option<Vec<u128>>> = vec![None; plan.processes.len()];
        for (id, node) in plan.nodes.iter().enumerate() {
            let value = match &node.op {
                Op::Input => inputs.next().copied().unwrap_or(0),
                Op::Register(..) | Op::Read(..) => self.stored[id],
                Op::Variable(p, target) => processes[*p].get_or_insert_with(|| run_process(plan, &plan.processes[*p], &v.nodes))[*target],
                Op::Output(i, output) => {
                    let instance = &plan.instances[*i];
                    if v.instances[*i].is_none() {
                        let inputs: Vec<u128> = instance.inputs.iter().map(|&id| v.nodes[id]).collect();
                        v.instances[*i] = Some(self.instances[*i].settle(&instance.plan, &inputs));
                    }
                    v.instances[*i].as_ref().map_or(0, |values| values.nodes[instance.plan.outputs[*output]])
                }
                op => compute(plan, op, node.ty, &v.nodes),
            };
            v.nodes.push(value & mask(node.ty.width()));
        }
        v
    }

    /// The clock edge that ends a cycle with these values.
    pub fn step(&mut self, plan: &Plan, v: &Values, reset: bool) {
        let before = self.memories.clone();
        for (id, node) in plan.nodes.iter().enumerate() {
            match &node.op {
                Op::Register(Some(value), _) if reset => self.stored[id] = value & mask(node.ty.width()),
                Op::Register(_, updates) => {
                    let hit = updates.iter().find(|(c, _)| c.is_none_or(|c| v.nodes[c] == 1));
                    if let Some((_, value)) = hit {
                        self.stored[id] = v.nodes[*value];
                    }
                }
                Op::Read(m, port) => {
                    let (enable, address) = plan.memories[*m].reads[*port];
                    if v.nodes[enable] == 1 {
                        self.stored[id] = before[*m].get(v.nodes[address] as usize).copied().unwrap_or(0);
                    }
                }
                _ => {}
            }
        }
        for (words, m) in self.memories.iter_mut().zip(&plan.memories) {
            m.writes.iter().for_each(|w| write(words, m.width, w, plan, v));
        }
        for ((state, values), instance) in self.instances.iter_mut().zip(&v.instances).zip(&plan.instances) {
            if let Some(values) = values {
                state.step(&instance.plan, values, reset);
            }
        }
    }
}

fn write(words: &mut [u128], width: u32, w: &Write, plan: &Plan, v: &Values) {
    let Some(word) = words.get_mut(v.nodes[w.address] as usize).filter(|_| v.nodes[w.enable] == 1) else { return };
    let parts = w.bytes.map_or(1, |b| plan.ty(b).width());
    let enables = w.bytes.map_or(1, |b| v.nodes[b]);
    let part = width / parts;
    for i in (0..parts).filter(|i| enables >> i & 1 == 1) {
        let bits = mask(part) << (i * part);
        *word = *word & !bits | v.nodes[w.data] & bits;
    }
}

fn compute(plan: &Plan, op: &Op, ty: Ty, v: &[u128]) -> u128 {
    let x = |id: &Id| extended(plan.ty(*id), v[*id]);
    let width = |id: &Id| plan.ty(*id).width();
    match op {
        Op::Const(value) => *value,
        Op::Not(a) => !v[*a],
        Op::Negate(a) => x(a).wrapping_neg(),
        Op::Any(a) => u128::from(v[*a] != 0),
        Op::All(a) => u128::from(v[*a] == mask(width(a))),
        Op::Parity(a) => u128::from(v[*a].count_ones() & 1),
        Op::Binary(op, a, b) => binary(*op, (plan.ty(*a), v[*a]), (plan.ty(*b), v[*b])),
        Op::ShiftLeft(a, n) => v[*a].checked_shl(*n).unwrap_or(0),
        Op::ShiftRight(a, n) | Op::Slice(a, n) => v[*a] >> n,
        Op::Select(a, index) => v[*a] >> (v[*index] as u32 * ty.width()),
        Op::Concat(parts) => parts.iter().fold(0, |all, p| all.checked_shl(width(p)).unwrap_or(0) | v[*p]),
        Op::Repeat(a, n) => (0..*n).fold(0, |all, _| all.checked_shl(width(a)).unwrap_or(0) | v[*a]),
        Op::Resize(a) => x(a),
        Op::Cast(a) => v[*a],
        Op::Saturate(a) => saturate(plan.ty(*a), v[*a], ty.width()),
        Op::Round(a, n) => round(x(a), *n),
        Op::Mux(c, a, b) => v[if v[*c] == 1 { *a } else { *b }],
        Op::Choose(index, elements) => v[elements[v[*index] as usize % elements.len()]],
        Op::Input | Op::Register(..) | Op::Read(..) | Op::Variable(..) | Op::Output(..) => 0,
    }
}

fn binary(op: Binary, (ta, ra): (Ty, u128), (tb, rb): (Ty, u128)) -> u128 {
    let (a, b) = (extended(ta, ra), extended(tb, rb));
    let less = if ta.is_signed() { (a as i128) < b as i128 } else { a < b };
    match op {
        Binary::Add | Binary::WrapAdd => a.wrapping_add(b),
        Binary::Sub | Binary::WrapSub => a.wrapping_sub(b),
        Binary::Mul => a.wrapping_mul(b),
        Binary::And => ra & rb,
        Binary::Or => ra | rb,
        Binary::Xor => ra ^ rb,
        Binary::Eq => u128::from(a == b),
        Binary::Ne => u128::from(a != b),
        Binary::Lt => u128::from(less),
        Binary::Le => u128::from(less || a == b),
        Binary::Gt => u128::from(!less && a != b),
        Binary::Ge => u128::from(!less),
        Binary::Shl if rb < 128 => ra << rb,
        Binary::Shl => 0,
        Binary::Shr if ta.is_signed() => (a as i128 >> rb.min(127)) as u128,
        Binary::Shr => ra.checked_shr(rb.min(128) as u32).unwrap_or(0),
    }
}

fn saturate(ty: Ty, raw: u128, width: u32) -> u128 {
    if width >= ty.width() {
        return extended(ty, raw);
    }
    if !ty.is_signed() {
        return raw.min(mask(width));
    }
    let high = (mask(width) >> 1) as i128;
    (extended(ty, raw) as i128).clamp(-high - 1, high) as u128
}

/// The value over 2^n, to nearest, ties to even. The value is extended, so an unsigned one has its top bit
/// clear or is of full width; either way the shift keeps what matters.
fn round(value: u128, n: u32) -> u128 {
    let floor = (value as i128 >> n) as u128;
    let rest = value & mask(n);
    let half = 1 << (n - 1);
    let up = rest > half || rest == half && floor & 1 == 1;
    floor.wrapping_add(u128::from(up))
}

fn run_process(plan: &Plan, p: &ProcessPlan, nodes: &[u128]) -> Vec<u128> {
    fn run(plan: &Plan, p: &ProcessPlan, nodes: &[u128], body: &[Step], targets: &mut [u128]) {
        for step in body {
            match step {
                Step::Assign(t, id) => targets[*t] = nodes[*id],
                Step::Combine(t, op, from, id) => {
                    let ty = p.targets[*t];
                    let resized = extended(p.targets[*from], targets[*from]) & mask(ty.width());
                    targets[*t] = binary(*op, (ty, resized), (plan.ty(*id), nodes[*id])) & mask(ty.width());
                }
                Step::If(c, a, b) => {
                    let holds = match c {
                        Condition::Node(id) => nodes[*id] == 1,
                        Condition::Target(t) => targets[*t] & 1 == 1,
                    };
                    run(plan, p, nodes, if holds { a } else { b }, targets);
                }
                Step::Case(subject, arms, default) => {
                    let hit = arms.iter().find(|(key, _)| *key == nodes[*subject]).map_or(default, |(_, body)| body);
                    run(plan, p, nodes, hit, targets);
                }
            }
        }
    }
    let mut targets = vec![0; p.targets.len()];
    run(plan, p, nodes, &p.body, &mut targets);
    targets
}
