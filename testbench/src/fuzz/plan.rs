// SPDX-License-Identifier: MIT OR Apache-2.0
//! A random module as plain data: it can be built, interpreted and cut down.

use heddle_lang::Ty;

/// Index of a node in its plan.
pub type Id = usize;

/// The widest value.
pub const WIDEST: u32 = 128;

/// An operation; results that would be wider than [`WIDEST`] are cut to it.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    Input,
    /// Printed as a local parameter where the node is named.
    Const(u128),
    Not(Id),
    Negate(Id),
    Any(Id),
    All(Id),
    Parity(Id),
    Binary(Binary, Id, Id),
    ShiftLeft(Id, u32),
    ShiftRight(Id, u32),
    Slice(Id, u32),
    Select(Id, Id),
    /// Most significant first.
    Concat(Vec<Id>),
    Repeat(Id, u32),
    Resize(Id),
    Cast(Id),
    Saturate(Id),
    Round(Id, u32),
    Mux(Id, Id, Id),
    Choose(Id, Vec<Id>),
    /// Reset value; updates with their conditions. What they read may come later.
    Register(Option<u128>, Vec<(Option<Id>, Id)>),
    /// Memory and read port.
    Read(usize, usize),
    /// Process and target.
    Variable(usize, usize),
    /// Instance and output.
    Output(usize, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    WrapAdd,
    WrapSub,
    And,
    Or,
    Xor,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Shl,
    Shr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub ty: Ty,
    pub op: Op,
    /// A net of its own rather than a part of what reads it.
    pub named: bool,
}

#[derive(Clone, Debug, PartialEq, Default)]
pub struct MemoryPlan {
    pub width: u32,
    pub depth: u32,
    pub init: Vec<u128>,
    /// Enable, address.
    pub reads: Vec<(Id, Id)>,
    pub writes: Vec<Write>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    pub enable: Id,
    pub address: Id,
    pub data: Id,
    pub bytes: Option<Id>,
}

/// A statement; targets are counted within the process.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Assign(usize, Id),
    /// The first target becomes the second, resized to its type, combined with a value of that type.
    Combine(usize, Binary, usize, Id),
    /// On a node, or on the low bit of a target.
    If(Condition, Vec<Step>, Vec<Step>),
    Case(Id, Vec<(u128, Vec<Step>)>, Vec<Step>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    Node(Id),
    Target(usize),
}

#[derive(Clone, Debug, PartialEq, Default)]
pub struct ProcessPlan {
    pub targets: Vec<Ty>,
    /// Its first statements assign every target.
    pub body: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct InstancePlan {
    pub plan: Plan,
    /// One per input of the plan, in its order.
    pub inputs: Vec<Id>,
}

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Plan {
    pub name: String,
    pub nodes: Vec<Node>,
    pub memories: Vec<MemoryPlan>,
    pub processes: Vec<ProcessPlan>,
    pub instances: Vec<InstancePlan>,
    pub outputs: Vec<Id>,
}

impl Plan {
    pub fn ty(&self, id: Id) -> Ty {
        self.nodes[id].ty
    }

    /// The input nodes, in order.
    pub fn inputs(&self) -> impl Iterator<Item = Id> {
        self.nodes.iter().enumerate().filter(|(_, n)| n.op == Op::Input).map(|(i, _)| i)
    }

    /// Every node that a node reads, at once or at the clock edge.
    pub fn reads(&self, id: Id) -> Vec<Id> {
        match &self.nodes[id].op {
            Op::Input | Op::Const(_) => vec![],
            Op::Not(a) | Op::Negate(a) | Op::Any(a) | Op::All(a) | Op::Parity(a) => vec![*a],
            Op::ShiftLeft(a, _) | Op::ShiftRight(a, _) | Op::Slice(a, _) | Op::Repeat(a, _) | Op::Round(a, _) => vec![*a],
            Op::Resize(a) | Op::Cast(a) | Op::Saturate(a) => vec![*a],
            Op::Binary(_, a, b) | Op::Select(a, b) => vec![*a, *b],
            Op::Concat(parts) => parts.clone(),
            Op::Mux(c, a, b) => vec![*c, *a, *b],
            Op::Choose(index, elements) => [*index].into_iter().chain(elements.iter().copied()).collect(),
            Op::Register(_, updates) => updates.iter().flat_map(|(c, v)| c.iter().copied().chain([*v])).collect(),
            Op::Read(m, _) => self.memories[*m].reads(),
            Op::Variable(p, _) => self.processes[*p].body.iter().flat_map(Step::reads).collect(),
            Op::Output(i, _) => self.instances[*i].inputs.clone(),
        }
    }

    /// Which nodes the outputs depend on; the others are not built.
    pub fn reached(&self) -> Vec<bool> {
        let mut reached = vec![false; self.nodes.len()];
        let mut stack = self.outputs.clone();
        while let Some(id) = stack.pop() {
            if !std::mem::replace(&mut reached[id], true) {
                stack.extend(self.reads(id));
            }
        }
        reached
    }

    /// Nodes that are built, those of instances included.
    pub fn size(&self) -> usize {
        let own = self.reached().into_iter().filter(|&r| r).count();
        own + self.used_instances().map(|i| self.instances[i].plan.size()).sum::<usize>()
    }

    /// The instances of which an output is reached.
    pub fn used_instances(&self) -> impl Iterator<Item = usize> {
        let reached = self.reached();
        let used = move |i: usize| (0..self.nodes.len()).any(|n| reached[n] && matches!(self.nodes[n].op, Op::Output(k, _) if k == i));
        (0..self.instances.len()).filter(move |&i| used(i))
    }
}

impl MemoryPlan {
    fn reads(&self) -> Vec<Id> {
        let writes = self.writes.iter().flat_map(|w| [w.enable, w.address, w.data].into_iter().chain(w.bytes));
        self.reads.iter().flat_map(|&(e, a)| [e, a]).chain(writes).collect()
    }
}

impl Step {
    fn reads(&self) -> Vec<Id> {
        let all = |body: &[Step]| body.iter().flat_map(Step::reads).collect::<Vec<_>>();
        match self {
            Step::Assign(_, v) | Step::Combine(_, _, _, v) => vec![*v],
            Step::If(c, a, b) => {
                let condition = if let Condition::Node(c) = c { vec![*c] } else { vec![] };
                [condition, all(a), all(b)].concat()
            }
            Step::Case(s, arms, default) => {
                let arms = arms.iter().flat_map(|(_, body)| all(body));
                [*s].into_iter().chain(arms).chain(all(default)).collect()
            }
        }
    }
}
