// SPDX-License-Identifier: MIT OR Apache-2.0
//! The graph as a tape: runs of one operation each, so that dispatch costs little and operands lie close.
//!
//! Slots are ordered: registers (by clock), read data, inputs, constants, then results in the order in which
//! they are computed. So all operands of a run lie below its results, and a run is one pass over two slices.

use super::{
    graph::{Graph, Id, Op, canonical, limbs, narrow},
    wide::WideInst,
};
use crate::expr::Ty;
use std::collections::BTreeMap;

/// When a result changes; each part is its own tape.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Part {
    /// Never.
    Constant,
    /// After a clock edge.
    State,
    /// After a clock edge, or when an input changes.
    Input,
    /// Needed by no output, register or property: computed when somebody looks.
    Debug,
}

const PARTS: usize = 4;

#[derive(Clone, Copy, Debug)]
struct Inst {
    a: u32,
    b: u32,
    c: u32,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    op: Op,
    /// First result slot.
    base: u32,
    first: u32,
    len: u32,
}

pub(super) struct Tape {
    runs: [Vec<Run>; PARTS],
    insts: Vec<Inst>,
    wides: Vec<WideInst>,
    /// By node.
    pub slot: Vec<u32>,
    pub part: Vec<Part>,
    /// Slots at the start: constants set, everything else zero.
    pub initial: Vec<u64>,
}

impl Tape {
    /// `sources`: every source node in slot order; `inputs`: those that are inputs of the design.
    pub fn new(graph: &Graph, sources: &[Id], inputs: &[Id], roots: &[Id]) -> Tape {
        let n = graph.nodes.len();
        let mut tape = Tape {
            runs: Default::default(),
            insts: vec![],
            wides: vec![],
            slot: vec![u32::MAX; n],
            part: classify(graph, inputs, roots),
            initial: vec![],
        };
        for &id in sources {
            tape.slot[id as usize] = tape.initial.len() as u32;
            tape.initial.extend(vec![0; limbs(graph.node(id).ty)]);
        }
        for (i, node) in graph.nodes.iter().enumerate().filter(|(_, n)| n.op == Op::Const) {
            tape.slot[i] = tape.initial.len() as u32;
            tape.initial.extend(&graph.consts[node.args[0] as usize]);
        }
        for part in [Part::Constant, Part::State, Part::Input, Part::Debug] {
            tape.schedule(graph, part);
        }
        let mut slots = std::mem::take(&mut tape.initial);
        tape.run(Part::Constant, &mut slots);
        tape.initial = slots;
        tape
    }

    /// Runs of a part: of the operations that are ready, always the one with most instructions.
    fn schedule(&mut self, graph: &Graph, part: Part) {
        let computed = |id: Id| !matches!(graph.node(id).op, Op::Const | Op::Source);
        let mine: Vec<Id> = (0..graph.nodes.len() as Id).filter(|&id| self.part[id as usize] == part && computed(id)).collect();
        let mut waiting = vec![0u32; graph.nodes.len()];
        let mut readers: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
        let mut ready: BTreeMap<Op, Vec<Id>> = BTreeMap::new();
        for &id in &mine {
            for from in graph.operands(id).filter(|&o| self.part[o as usize] == part && computed(o)) {
                waiting[id as usize] += 1;
                readers.entry(from).or_default().push(id);
            }
            if waiting[id as usize] == 0 {
                ready.entry(graph.node(id).op).or_default().push(id);
            }
        }
        // A limb is no instruction, so it goes at once.
        while let Some((&op, _)) = ready.iter().max_by_key(|(op, ids)| if **op == Op::Limb { usize::MAX } else { ids.len() }) {
            let ids = ready.remove(&op).unwrap_or_default();
            self.emit(graph, part, op, &ids);
            for id in ids {
                for &reader in readers.get(&id).into_iter().flatten() {
                    waiting[reader as usize] -= 1;
                    if waiting[reader as usize] == 0 {
                        ready.entry(graph.node(reader).op).or_default().push(reader);
                    }
                }
            }
        }
    }

    fn emit(&mut self, graph: &Graph, part: Part, op: Op, ids: &[Id]) {
        let run = Run { op, base: self.initial.len() as u32, first: self.insts.len() as u32, len: ids.len() as u32 };
        for &id in ids {
            let node = graph.node(id);
            if op == Op::Limb {
                self.slot[id as usize] = self.slot[node.args[0] as usize] + node.args[1];
                continue;
            }
            self.slot[id as usize] = self.initial.len() as u32;
            self.initial.extend(vec![0; limbs(node.ty)]);
            let place = |i: usize| if i < op.operands() { self.slot[node.args[i] as usize] } else { node.args[i] };
            let mut inst = Inst { a: place(0), b: place(1), c: place(2) };
            if op == Op::Wide {
                inst.a = self.wides.len() as u32;
                let slot = |id: Id| self.slot[id as usize] as usize;
                self.wides.push(WideInst::new(&graph.wides[node.args[0] as usize], slot));
            }
            self.insts.push(inst);
        }
        if op != Op::Limb {
            self.runs[part as usize].push(run);
        }
    }

    /// Instructions, and runs of them, that one cycle executes.
    pub fn size(&self) -> (usize, usize) {
        let runs = || self.runs[Part::State as usize].iter().chain(&self.runs[Part::Input as usize]);
        (runs().map(|r| r.len as usize).sum(), runs().count())
    }

    pub fn run(&self, part: Part, slots: &mut [u64]) {
        for run in &self.runs[part as usize] {
            let (src, dst) = slots.split_at_mut(run.base as usize);
            let insts = &self.insts[run.first as usize..][..run.len as usize];
            match run.op {
                Op::Wide => {
                    let mut at = 0;
                    for i in insts {
                        let wide = &self.wides[i.a as usize];
                        wide.run(src, &mut dst[at..]);
                        at += wide.limbs();
                    }
                }
                Op::Select => each(insts, dst, |i| {
                    let bit = src[i.b as usize] << i.c;
                    canonical(Ty::Unsigned(1 << i.c), src[i.a as usize + (bit / 64) as usize] >> (bit % 64))
                }),
                op => run_narrow(op, insts, src, dst),
            }
        }
    }
}

#[inline(always)]
fn each(insts: &[Inst], dst: &mut [u64], f: impl Fn(&Inst) -> u64) {
    for (d, i) in dst.iter_mut().zip(insts) {
        *d = f(i);
    }
}

/// One loop per operation, with the operation a constant inside it.
fn run_narrow(op: Op, insts: &[Inst], src: &[u64], dst: &mut [u64]) {
    macro_rules! loops {
        (one: $($one:ident)*; two: $($two:ident)*; three: $($three:ident)*) => {
            match op {
                $(Op::$one => each(insts, dst, |i| narrow(Op::$one, src[i.a as usize], u64::from(i.b), u64::from(i.c))),)*
                $(Op::$two => each(insts, dst, |i| narrow(Op::$two, src[i.a as usize], src[i.b as usize], u64::from(i.c))),)*
                $(Op::$three => each(insts, dst, |i| narrow(Op::$three, src[i.a as usize], src[i.b as usize], src[i.c as usize])),)*
                Op::Const | Op::Source | Op::Limb | Op::Select | Op::Wide => {}
            }
        };
    }
    loops!(
        one: Copy FieldU FieldS Parity;
        two: Add Sub Mul And Or Xor AddU AddS SubU SubS Eq Ne LtU LtS LeU LeS ShlU ShlS ShrU ShrS Concat;
        three: Mux
    );
}

/// The part of each node.
fn classify(graph: &Graph, inputs: &[Id], roots: &[Id]) -> Vec<Part> {
    let mut part = vec![Part::Constant; graph.nodes.len()];
    let mut is_input = vec![false; graph.nodes.len()];
    inputs.iter().for_each(|&i| is_input[i as usize] = true);
    for id in 0..graph.nodes.len() as Id {
        part[id as usize] = match graph.node(id).op {
            Op::Source if is_input[id as usize] => Part::Input,
            Op::Source => Part::State,
            _ => graph.operands(id).map(|o| part[o as usize]).max().unwrap_or(Part::Constant),
        };
    }
    let mut live = vec![false; graph.nodes.len()];
    roots.iter().for_each(|&r| live[r as usize] = true);
    for id in (0..graph.nodes.len() as Id).rev() {
        if live[id as usize] {
            graph.operands(id).for_each(|o| live[o as usize] = true);
        } else if graph.node(id).op != Op::Source {
            part[id as usize] = part[id as usize].max(Part::Debug);
        }
    }
    part
}
