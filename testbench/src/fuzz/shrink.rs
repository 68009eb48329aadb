// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cuts a failing plan down, greedily, while it still fails.

use super::plan::*;

/// The smallest plan found within `tries` attempts; `fails` says whether one still shows the failure.
pub fn shrink(plan: &Plan, mut tries: usize, fails: &mut dyn FnMut(&Plan) -> bool) -> Plan {
    let mut best = plan.clone();
    loop {
        let size = weight(&best);
        let mut improved = false;
        for change in changes(&best) {
            if tries == 0 {
                return best;
            }
            let Some(candidate) = apply(&best, &change) else { continue };
            if weight(&candidate) >= weight(&best) {
                continue;
            }
            tries -= 1;
            if fails(&candidate) {
                best = candidate;
                improved = true;
            }
        }
        if !improved || weight(&best) >= size {
            return best;
        }
    }
}

/// What a smaller plan has less of: nodes, then operators, then statements, then names.
fn weight(plan: &Plan) -> usize {
    let reached = plan.reached();
    let own = |(id, n): (usize, &Node)| match (reached[id], &n.op) {
        (false, _) => 0,
        (_, Op::Const(0)) => 100,
        (_, Op::Const(_)) => 110,
        (_, Op::Input) => 150,
        (_, Op::Register(_, updates)) => 200 + 40 * updates.len(),
        (_, Op::Variable(p, _)) => 200 + 10 * plan.processes[*p].body.iter().map(steps).sum::<usize>(),
        _ => 200 + usize::from(n.named) + n.ty.width() as usize / 16,
    };
    let nodes: usize = plan.nodes.iter().enumerate().map(own).sum();
    let writes: usize = plan.memories.iter().map(|m| 40 * m.writes.len()).sum();
    let children: usize = plan.used_instances().map(|i| weight(&plan.instances[i].plan)).sum();
    nodes + writes + children + 50 * plan.outputs.len()
}

fn steps(step: &Step) -> usize {
    let all = |body: &[Step]| body.iter().map(steps).sum::<usize>();
    1 + match step {
        Step::Assign(..) | Step::Combine(..) => 0,
        Step::If(_, a, b) => all(a) + all(b),
        Step::Case(_, arms, default) => arms.iter().map(|(_, b)| all(b)).sum::<usize>() + all(default),
    }
}

#[derive(Clone, Debug)]
enum Change {
    /// Only this output stays.
    Only(usize),
    Drop(usize),
    /// The one output shows this node.
    Show(Id),
    Zero(Id),
    /// An operand of the same type stands in for a node.
    Forward(Id, Id),
    FewerUpdates(Id, usize),
    FewerWrites(usize, usize),
    /// The n-th statement of a process goes, its initial ones excepted.
    FewerSteps(usize, usize),
    Unname(Id),
    Child(usize, Box<Change>),
}

fn changes(plan: &Plan) -> Vec<Change> {
    let reached = plan.reached();
    let mut out: Vec<Change> = vec![];
    if plan.outputs.len() > 1 {
        out.extend((0..plan.outputs.len()).map(Change::Only));
        out.extend((0..plan.outputs.len()).rev().map(Change::Drop));
    }
    for id in (0..plan.nodes.len()).rev().filter(|&id| reached[id]) {
        let node = &plan.nodes[id];
        if plan.outputs != [id] {
            out.push(Change::Show(id));
        }
        out.push(Change::Zero(id));
        out.extend(plan.reads(id).into_iter().filter(|&r| r < id && plan.ty(r) == node.ty).map(|r| Change::Forward(id, r)));
        if let Op::Register(_, updates) = &node.op {
            out.extend((0..updates.len()).map(|u| Change::FewerUpdates(id, u)));
        }
        out.push(Change::Unname(id));
    }
    out.extend(plan.memories.iter().enumerate().flat_map(|(m, p)| (0..p.writes.len()).map(move |w| Change::FewerWrites(m, w))));
    for (p, process) in plan.processes.iter().enumerate() {
        let n = process.body.iter().map(steps).sum::<usize>();
        out.extend((process.targets.len()..n).rev().map(|s| Change::FewerSteps(p, s)));
    }
    for i in plan.used_instances() {
        out.extend(changes(&plan.instances[i].plan).into_iter().map(|c| Change::Child(i, Box::new(c))));
    }
    out
}

fn apply(plan: &Plan, change: &Change) -> Option<Plan> {
    let mut p = plan.clone();
    match change {
        Change::Only(output) => p.outputs = vec![*p.outputs.get(*output)?],
        Change::Drop(output) if p.outputs.len() > 1 && *output < p.outputs.len() => {
            p.outputs.remove(*output);
        }
        Change::Drop(_) => return None,
        Change::Show(id) => p.outputs = vec![*id],
        Change::Zero(id) => p.nodes[*id].op = Op::Const(0),
        Change::Forward(id, to) => replace(&mut p, *id, *to),
        Change::FewerUpdates(id, update) => match &mut p.nodes[*id].op {
            Op::Register(_, updates) if *update < updates.len() => {
                updates.remove(*update);
            }
            _ => return None,
        },
        Change::FewerWrites(memory, write) if *write < p.memories[*memory].writes.len() => {
            p.memories[*memory].writes.remove(*write);
        }
        Change::FewerWrites(..) => return None,
        Change::FewerSteps(process, step) => {
            let mut at = *step;
            remove(&mut p.processes[*process].body, &mut at);
        }
        Change::Unname(id) => p.nodes[*id].named = false,
        Change::Child(i, change) => {
            // A sibling may still use the module as it was, under its name.
            let unique = Plan { name: format!("{}_{i}x", p.name), ..p.instances[*i].plan.clone() };
            let child = apply(&unique, change)?;
            let types = |p: &Plan| p.outputs.iter().map(|&id| p.ty(id)).collect::<Vec<_>>();
            if types(&child) != types(&unique) {
                return None;
            }
            p.instances[*i].plan = child;
        }
    }
    Some(p)
}

/// Removes the statement with this number, counted in order of text.
fn remove(body: &mut Vec<Step>, at: &mut usize) -> bool {
    for i in 0..body.len() {
        if *at == 0 {
            body.remove(i);
            return true;
        }
        *at -= 1;
        let done = match &mut body[i] {
            Step::Assign(..) | Step::Combine(..) => false,
            Step::If(_, a, b) => remove(a, at) || remove(b, at),
            Step::Case(_, arms, default) => arms.iter_mut().any(|(_, body)| remove(body, at)) || remove(default, at),
        };
        if done {
            return true;
        }
    }
    false
}

/// Every reader of `id` reads `to` instead.
fn replace(p: &mut Plan, id: Id, to: Id) {
    let swap = |x: &mut Id| {
        if *x == id {
            *x = to;
        }
    };
    for node in &mut p.nodes {
        match &mut node.op {
            Op::Not(a) | Op::Negate(a) | Op::Any(a) | Op::All(a) | Op::Parity(a) => swap(a),
            Op::ShiftLeft(a, _) | Op::ShiftRight(a, _) | Op::Slice(a, _) | Op::Repeat(a, _) | Op::Round(a, _) => swap(a),
            Op::Resize(a) | Op::Cast(a) | Op::Saturate(a) => swap(a),
            Op::Binary(_, a, b) | Op::Select(a, b) => [a, b].into_iter().for_each(swap),
            Op::Concat(parts) => parts.iter_mut().for_each(swap),
            Op::Mux(c, a, b) => [c, a, b].into_iter().for_each(swap),
            Op::Choose(index, elements) => [index].into_iter().chain(elements).for_each(swap),
            Op::Register(_, updates) => updates.iter_mut().for_each(|(c, v)| c.iter_mut().chain([v]).for_each(swap)),
            Op::Input | Op::Const(_) | Op::Read(..) | Op::Variable(..) | Op::Output(..) => {}
        }
    }
    for m in &mut p.memories {
        m.reads.iter_mut().flat_map(|(e, a)| [e, a]).for_each(swap);
        m.writes.iter_mut().flat_map(|w| [&mut w.enable, &mut w.address, &mut w.data].into_iter().chain(&mut w.bytes)).for_each(swap);
    }
    p.processes.iter_mut().for_each(|process| replace_in(&mut process.body, &swap));
    p.instances.iter_mut().flat_map(|i| &mut i.inputs).for_each(swap);
    p.outputs.iter_mut().for_each(swap);
}

fn replace_in(body: &mut [Step], swap: &impl Fn(&mut Id)) {
    for step in body {
        match step {
            Step::Assign(_, v) | Step::Combine(_, _, _, v) => swap(v),
            Step::If(c, a, b) => {
                if let Condition::Node(c) = c {
                    swap(c);
                }
                replace_in(a, swap);
                replace_in(b, swap);
            }
            Step::Case(s, arms, default) => {
                swap(s);
                arms.iter_mut().for_each(|(_, body)| replace_in(body, swap));
                replace_in(default, swap);
            }
        }
    }
}
