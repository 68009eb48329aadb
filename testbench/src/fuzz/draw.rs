// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random plans: every operator, widths 1 to 128, feedback through registers and memories, instances, processes.

use super::{eval::mask, plan::*};
use heddle_lang::{Ty, stdlib::testing::Random};

/// A module with about `size` nodes and children up to `depth` levels below it.
pub fn draw(random: &mut Random, name: &str, size: usize, depth: u32) -> Plan {
    let plan = Plan { name: name.to_string(), ..Plan::default() };
    let mut d = Draw { random, plan, registers: vec![], writes: vec![], depth };
    for _ in 0..2 + d.random.below(5) {
        let ty = d.ty();
        d.push(ty, Op::Input);
    }
    for _ in 0..size {
        d.step();
    }
    d.feedback();
    d.outputs();
    d.plan
}

struct Draw<'a> {
    random: &'a mut Random,
    plan: Plan,
    registers: Vec<Id>,
    /// Memories whose write ports are still to come.
    writes: Vec<usize>,
    depth: u32,
}

impl Draw<'_> {
    fn below(&mut self, n: usize) -> usize {
        self.random.below(n as u64) as usize
    }

    fn percent(&mut self, percent: u32) -> bool {
        self.random.percent(percent)
    }

    /// Small widths, those around limb and word boundaries, any.
    fn width(&mut self) -> u32 {
        match self.below(8) {
            0 => 1,
            1..=3 => 1 + self.below(9) as u32,
            4 => 8 * (1 + self.below(8) as u32),
            5 => [31, 32, 33, 63, 64, 65, 127, 128][self.below(8)],
            6 => 1 + self.below(40) as u32,
            _ => 1 + self.below(WIDEST as usize) as u32,
        }
    }

    fn ty(&mut self) -> Ty {
        let width = self.width();
        if self.percent(40) { Ty::Signed(width) } else { Ty::Unsigned(width) }
    }

    fn word(&mut self, width: u32) -> u128 {
        let any = u128::from(self.random.bits()) << 64 | u128::from(self.random.bits());
        let value = match self.below(6) {
            0 => 0,
            1 => u128::MAX,
            2 => 1 << (width - 1),
            3 => any & 15,
            _ => any,
        };
        value & mask(width)
    }

    fn push(&mut self, ty: Ty, op: Op) -> Id {
        let named = self.percent(25);
        self.plan.nodes.push(Node { ty, op, named });
        self.plan.nodes.len() - 1
    }

    /// A node, recent ones more often.
    fn pick(&mut self) -> Id {
        let n = self.plan.nodes.len();
        match self.percent(60) {
            true => n - 1 - self.below(n.min(8)),
            false => self.below(n),
        }
    }

    fn pick_up_to(&mut self, width: u32) -> Id {
        let id = self.pick();
        let ty = self.plan.ty(id);
        if ty.width() <= width { id } else { self.push(ty.with_width(width), Op::Resize(id)) }
    }

    /// A one-bit condition.
    fn bit(&mut self) -> Id {
        let id = self.pick();
        match self.plan.ty(id) {
            Ty::BIT => id,
            ty => {
                let op = match self.below(3) {
                    0 => Op::Any(id),
                    _ => Op::Slice(id, self.below(ty.width() as usize) as u32),
                };
                self.push(Ty::BIT, op)
            }
        }
    }

    /// A node of this type, from any node by resizing and a change of sign.
    fn like(&mut self, ty: Ty) -> Id {
        if self.percent(10) {
            let value = self.word(ty.width());
            return self.push(ty, Op::Const(value));
        }
        let mut id = self.pick();
        let from = self.plan.ty(id);
        if from.width() != ty.width() {
            id = self.push(from.with_width(ty.width()), Op::Resize(id));
        }
        if self.plan.ty(id) == ty { id } else { self.push(ty, Op::Cast(id)) }
    }

    /// A node of the sign of `id`.
    fn same_sign(&mut self, id: Id) -> Id {
        let signed = self.plan.ty(id).is_signed();
        let other = self.pick();
        let ty = self.plan.ty(other);
        match signed == ty.is_signed() {
            true => other,
            false if signed => self.push(Ty::Signed(ty.width()), Op::Cast(other)),
            false => self.push(Ty::Unsigned(ty.width()), Op::Cast(other)),
        }
    }

    fn step(&mut self) {
        match self.below(100) {
            0..=3 => {
                let ty = self.ty();
                let value = self.word(ty.width());
                self.push(ty, Op::Const(value));
            }
            4..=13 => self.unary(),
            14..=45 => self.binary(),
            46..=61 => self.bits(),
            62..=71 => self.choice(),
            72..=77 => self.shrink(),
            78..=89 => {
                let ty = self.ty();
                let reset = if self.percent(60) { Some(self.word(ty.width())) } else { None };
                let id = self.push(ty, Op::Register(reset, vec![]));
                self.registers.push(id);
            }
            90..=92 => self.memory(),
            93..=96 => self.process(),
            _ if self.depth > 0 => self.instance(),
            _ => self.binary(),
        }
    }

    fn unary(&mut self) {
        let a = self.pick();
        let ty = self.plan.ty(a);
        match self.below(5) {
            0 => self.push(ty, Op::Not(a)),
            1 => self.push(Ty::Signed((ty.width() + 1).min(WIDEST)), Op::Negate(a)),
            2 => self.push(Ty::BIT, Op::Any(a)),
            3 => self.push(Ty::BIT, Op::All(a)),
            _ => self.push(Ty::BIT, Op::Parity(a)),
        };
    }

    fn binary(&mut self) {
        use Binary::*;
        const OPS: [Binary; 18] = [Add, Add, Sub, Sub, Mul, Mul, WrapAdd, WrapSub, And, Or, Xor, Eq, Ne, Lt, Le, Gt, Ge, Shl];
        let op = if self.percent(5) { Shr } else { OPS[self.below(OPS.len())] };
        let a = self.pick();
        let ty = self.plan.ty(a);
        let (b, ty) = match op {
            Add | Sub | Mul => {
                let b = self.same_sign(a);
                let (wa, wb) = (ty.width(), self.plan.ty(b).width());
                let grown = (wa.max(wb) + 1).min(WIDEST);
                let ty = match op {
                    Mul => ty.with_width((wa + wb).min(WIDEST)),
                    Sub => Ty::Signed(grown),
                    _ => ty.with_width(grown),
                };
                (b, ty)
            }
            WrapAdd | WrapSub | And | Or | Xor => (self.like(ty), ty),
            Eq | Ne | Lt | Le | Gt | Ge => (self.same_sign(a), Ty::BIT),
            Shl | Shr => {
                let width = 1 + self.below(9) as u32;
                (self.like(Ty::Unsigned(width)), ty)
            }
        };
        let id = self.push(ty, Op::Binary(op, a, b));
        // Cut sums and products take a way of their own through the builder.
        if self.percent(20) && ty.width() > 1 {
            let width = 1 + self.below(ty.width() as usize) as u32;
            self.push(ty.with_width(width), Op::Resize(id));
        }
    }

    fn bits(&mut self) {
        let a = self.pick();
        let ty = self.plan.ty(a);
        let w = ty.width();
        match self.below(8) {
            0 | 1 => {
                let width = 1 + self.below(w as usize) as u32;
                let lsb = self.below((w - width + 1) as usize) as u32;
                self.push(Ty::Unsigned(width), Op::Slice(a, lsb));
            }
            2 => {
                let (element, log) = (1u32 << self.below(5), 1 + self.below(3) as u32);
                if element << log <= WIDEST {
                    let unsigned = self.percent(70);
                    let whole = element << log;
                    let vector = self.like(if unsigned { Ty::Unsigned(whole) } else { Ty::Signed(whole) });
                    let index = self.like(Ty::Unsigned(log));
                    self.push(Ty::Unsigned(element), Op::Select(vector, index));
                }
            }
            3 | 4 => {
                let mut parts = vec![];
                let mut left = WIDEST;
                for _ in 0..1 + self.below(4) {
                    let part = self.pick_up_to(left.min(64));
                    left -= self.plan.ty(part).width();
                    parts.push(part);
                    if left == 0 {
                        break;
                    }
                }
                self.push(Ty::Unsigned(WIDEST - left), Op::Concat(parts));
            }
            5 => {
                let times = 1 + self.below((WIDEST / w).min(8) as usize) as u32;
                self.push(Ty::Unsigned(w * times), Op::Repeat(a, times));
            }
            6 => {
                let width = self.width();
                self.push(ty.with_width(width), Op::Resize(a));
            }
            _ => {
                self.push(if ty.is_signed() { Ty::Unsigned(w) } else { Ty::Signed(w) }, Op::Cast(a));
            }
        }
    }

    fn choice(&mut self) {
        let a = self.pick();
        let ty = self.plan.ty(a);
        if self.percent(80) {
            let (c, b) = (self.bit(), self.like(ty));
            self.push(ty, Op::Mux(c, a, b));
            return;
        }
        let log = 1 + self.below(3) as u32;
        let index = self.like(Ty::Unsigned(log));
        let elements = (0..1 << log).map(|_| self.like(ty)).collect();
        self.push(ty, Op::Choose(index, elements));
    }

    fn shrink(&mut self) {
        let a = self.pick_up_to(100);
        let ty = self.plan.ty(a);
        let w = ty.width();
        let n = 1 + self.below(w as usize) as u32;
        match self.below(4) {
            0 if w > 1 => {
                let n = n.min(w - 1);
                self.push(ty.with_width(w - n + 1), Op::Round(a, n));
            }
            1 if w > 1 => {
                let n = n.min(w - 1);
                self.push(ty.with_width(w - n), Op::ShiftRight(a, n));
            }
            2 => {
                let n = 1 + self.below(28) as u32;
                self.push(ty.with_width(w + n), Op::ShiftLeft(a, n));
            }
            _ => {
                self.push(ty.with_width(n), Op::Saturate(a));
            }
        }
    }

    fn memory(&mut self) {
        let (width, log) = (self.width(), 1 + self.below(5) as u32);
        let depth = if self.percent(70) { 1 << log } else { 2 + self.below(40) as u32 };
        let init = (0..self.below(depth as usize + 1)).map(|_| self.word(width)).collect();
        let index = self.plan.memories.len();
        let ports = 1 + self.below(2);
        self.plan.memories.push(MemoryPlan { width, depth, init, ..MemoryPlan::default() });
        for port in 0..ports {
            self.push(Ty::Unsigned(width), Op::Read(index, port));
            // What they read is drawn at the end, when there is more to read.
            self.plan.memories[index].reads.push((0, 0));
        }
        self.writes.push(index);
    }

    fn instance(&mut self) {
        let index = self.plan.instances.len();
        let plan = match self.plan.instances.first() {
            Some(sibling) if self.random.percent(30) => sibling.plan.clone(),
            _ => {
                let name = format!("{}_{index}", self.plan.name);
                let size = 4 + self.below(12);
                draw(self.random, &name, size, self.depth - 1)
            }
        };
        let inputs = plan.inputs().map(|id| plan.ty(id)).collect::<Vec<_>>().into_iter().map(|ty| self.like(ty)).collect();
        let outputs: Vec<Ty> = plan.outputs.iter().map(|&id| plan.ty(id)).collect();
        self.plan.instances.push(InstancePlan { plan, inputs });
        for (output, ty) in outputs.into_iter().enumerate() {
            self.push(ty, Op::Output(index, output));
        }
    }

    fn process(&mut self) {
        let targets: Vec<Ty> = (0..1 + self.below(3)).map(|_| self.ty()).collect();
        let mut body: Vec<Step> = (0..targets.len()).map(|t| Step::Assign(t, self.like(targets[t]))).collect();
        // A process that reads nothing is refused.
        let awake = self.push(targets[0], Op::Input);
        body.push(Step::Combine(0, Binary::Xor, 0, awake));
        body.extend(self.body(&targets, 3));
        let index = self.plan.processes.len();
        for (t, ty) in targets.iter().enumerate() {
            self.push(*ty, Op::Variable(index, t));
        }
        self.plan.processes.push(ProcessPlan { targets, body });
    }

    fn body(&mut self, targets: &[Ty], depth: u32) -> Vec<Step> {
        (0..1 + self.below(3)).map(|_| self.statement(targets, depth)).collect()
    }

    fn statement(&mut self, targets: &[Ty], depth: u32) -> Step {
        let t = self.below(targets.len());
        match self.below(if depth > 0 { 6 } else { 3 }) {
            0 => Step::Assign(t, self.like(targets[t])),
            1 | 2 => {
                use Binary::*;
                let op = [WrapAdd, WrapSub, And, Or, Xor, Add, Mul][self.below(7)];
                let from = self.below(targets.len());
                Step::Combine(t, op, from, self.like(targets[t]))
            }
            3 | 4 => {
                let condition = if self.percent(70) { Condition::Node(self.bit()) } else { Condition::Target(t) };
                let otherwise = if self.percent(50) { self.body(targets, depth - 1) } else { vec![] };
                Step::If(condition, self.body(targets, depth - 1), otherwise)
            }
            _ => {
                let width = 1 + self.below(4) as u32;
                let subject = self.like(Ty::Unsigned(width));
                let mut keys: Vec<u128> = (0..1 + self.below(4)).map(|_| self.word(width)).collect();
                keys.sort_unstable();
                keys.dedup();
                let arms = keys.into_iter().map(|k| (k, self.body(targets, depth - 1))).collect();
                Step::Case(subject, arms, self.body(targets, depth - 1))
            }
        }
    }

    /// What registers and memories take, from everything there is.
    fn feedback(&mut self) {
        for id in self.registers.clone() {
            let ty = self.plan.ty(id);
            let mut updates = vec![];
            for _ in 0..self.below(4) {
                updates.push((Some(self.bit()), self.like(ty)));
            }
            if updates.is_empty() || self.percent(30) {
                updates.push((None, self.like(ty)));
            }
            if let Op::Register(_, place) = &mut self.plan.nodes[id].op {
                *place = updates;
            }
        }
        for index in self.writes.clone() {
            let (width, depth) = (self.plan.memories[index].width, self.plan.memories[index].depth);
            let address = Ty::Unsigned(heddle_lang::builder::address_bits(depth));
            for port in 0..self.plan.memories[index].reads.len() {
                let read = (self.bit(), self.below_depth(address, depth));
                self.plan.memories[index].reads[port] = read;
            }
            for _ in 0..1 + self.below(2) {
                let divides: Vec<u32> = (1..=width).filter(|n| width.is_multiple_of(*n)).collect();
                let bytes = self.percent(40).then(|| divides[self.below(divides.len())]);
                let write = Write {
                    enable: self.bit(),
                    address: self.like(address),
                    data: self.like(Ty::Unsigned(width)),
                    bytes: bytes.map(|n| self.like(Ty::Unsigned(n))),
                };
                self.plan.memories[index].writes.push(write);
            }
        }
    }

    /// An address of a word that is there: beyond the depth, Verilog reads x.
    fn below_depth(&mut self, ty: Ty, depth: u32) -> Id {
        let address = self.like(ty);
        if depth.is_power_of_two() {
            return address;
        }
        let limit = self.push(ty, Op::Const(depth.into()));
        let (inside, zero) = (self.push(Ty::BIT, Op::Binary(Binary::Lt, address, limit)), self.push(ty, Op::Const(0)));
        self.push(ty, Op::Mux(inside, address, zero))
    }

    /// Everything that nothing reads, so that all of it can be seen.
    fn outputs(&mut self) {
        let mut read = vec![false; self.plan.nodes.len()];
        for id in 0..self.plan.nodes.len() {
            self.plan.reads(id).into_iter().filter(|&r| r != id).for_each(|r| read[r] = true);
        }
        self.plan.outputs = (0..self.plan.nodes.len()).filter(|&id| !read[id] || self.random.percent(10)).collect();
    }
}
