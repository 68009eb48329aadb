// SPDX-License-Identifier: MIT OR Apache-2.0
//! Copies of the modules inside a domain: registers and memories that take noise while it is off.

use super::{Editor, Lines, NOISE, SUFFIX, noise};
use crate::{
    Ty,
    bits::Bits,
    expr::{Expr, Kind},
    module::*,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The copies made so far.
pub struct Copies {
    done: BTreeMap<String, Arc<Module>>,
    names: BTreeSet<String>,
}

impl Copies {
    pub fn new(top: &Arc<Module>) -> Copies {
        Copies { done: BTreeMap::new(), names: top.hierarchy().iter().map(|m| m.name.clone()).collect() }
    }

    /// A name for a changed module that no other has.
    pub fn name(&mut self, of: &str) -> String {
        let numbered = |n: u32| if n == 1 { format!("{of}{SUFFIX}") } else { format!("{of}{SUFFIX}_{n}") };
        let name = (1..).map(numbered).find(|name| !self.names.contains(name)).unwrap_or_default();
        self.names.insert(name.clone());
        name
    }

    /// Makes an instance one of the copy of its module; one without state stays as it is.
    pub fn instance(&mut self, i: &mut Instance, lines: &Lines, noise: &Expr) {
        if !has_state(&i.module) {
            return;
        }
        i.module = self.module(&i.module);
        lines.connect(&mut i.inputs, "");
        i.inputs.push((NOISE.into(), noise.clone()));
    }

    fn module(&mut self, module: &Arc<Module>) -> Arc<Module> {
        if let Some(done) = self.done.get(&module.name) {
            return done.clone();
        }
        let mut m = Editor::new(module, self.name(&module.name));
        let mut domain = Inside { lines: Lines::inputs(&mut m, ""), noise: m.add(NOISE, Ty::Unsigned(noise::BITS), NetKind::Input) };
        let Lines { off, save, restore } = &domain.lines;
        let lines = [off, save, restore, &domain.noise].map(Clone::clone);
        for item in std::mem::take(&mut m.module.items) {
            let item = domain.item(&mut m, self, item);
            m.module.items.push(item);
        }
        m.module.items.push(Item::Comment("The copies have the same inputs, whether or not they hold what needs them".into()));
        m.wire("unused_corrupt", Expr::concat([Expr::bit_const(false)].into_iter().chain(lines)).all());
        let new = m.finish();
        self.done.insert(module.name.clone(), new.clone());
        new
    }
}

fn has_state(m: &Module) -> bool {
    m.items.iter().any(|item| match item {
        Item::Register(_) | Item::Memory(_) => true,
        Item::Instance(i) => has_state(&i.module),
        _ => false,
    })
}

/// The power lines and the noise inside a copy.
struct Inside {
    lines: Lines,
    noise: Expr,
}

impl Inside {
    fn item(&mut self, m: &mut Editor, copies: &mut Copies, item: Item) -> Item {
        match item {
            Item::Register(r) => Item::Register(self.register(m, r)),
            Item::Memory(memory) => Item::Memory(self.memory(m, memory)),
            Item::Instance(mut i) => {
                let noise = noise::twist(&self.noise, &i.name);
                copies.instance(&mut i, &self.lines, &noise);
                Item::Instance(i)
            }
            Item::Property(p) => Item::Property(self.property(p)),
            other => other,
        }
    }

    /// Noise comes before everything, then the shadow of a retained register, then what the register did.
    fn register(&self, m: &mut Editor, r: Register) -> Register {
        let Net { name, ty, .. } = m.module.net(r.net).clone();
        let mut updates = vec![update(&self.lines.off, noise::of(&self.noise, &name, ty))];
        if r.retained {
            let q = Expr::new(ty, Kind::Net(r.net, name.as_str().into()));
            let shadow = m.register(&format!("{name}_shadow"), ty, r.clock, vec![update(&self.lines.save, q)]);
            updates.push(update(&self.lines.restore, shadow));
        }
        updates.extend(r.reset.map(|(condition, value)| update(&condition, Expr::from_bits(ty, value))));
        updates.extend(r.updates);
        Register { reset: None, updates, ..r }
    }

    /// One bit per word says that it was written since the power came; until then it reads as noise.
    fn memory(&self, m: &mut Editor, mut memory: Memory) -> Memory {
        let name = memory.name.clone();
        let ty = Ty::Unsigned(memory.depth);
        let one = |address: &Expr| Expr::constant(Ty::Unsigned(1), 1).extend(memory.depth).shl(address);
        let zero = Expr::from_bits(ty, Bits::zero(memory.depth));
        let written = m.register(&format!("{name}_written"), ty, memory.clock, vec![]);
        let marks = memory.writes.iter().map(|w| w.enable.mux(one(&w.address), &zero));
        let next = marks.fold(written.clone(), |all, mark| all | mark);
        m.update(&written, vec![update(&self.lines.off, zero), Update { condition: None, value: next }]);
        for read in &mut memory.reads {
            let Net { name, ty, .. } = m.module.net(read.data).clone();
            let word = m.add(&format!("{name}_word"), ty, NetKind::ReadData);
            let taken = &self.lines.off | &read.enable;
            let mut held =
                |what: &str, value: Expr| m.register(&format!("{name}_{what}"), value.ty(), memory.clock, vec![update(&taken, value)]);
            let known = held("known", (&written & one(&read.address)).any() & !&self.lines.off);
            let noise = held("noise", noise::of(&self.noise, &name, ty));
            // Readers keep the net; it is now a wire.
            m.module.nets[read.data.0 as usize].kind = NetKind::Wire;
            m.module.items.push(Item::Assign(read.data, known.mux(&word, &noise)));
            if let Kind::Net(id, _) = word.kind() {
                read.data = *id;
            }
        }
        memory
    }

    /// Nothing is claimed of what has no power.
    fn property(&self, p: Property) -> Property {
        let off = &self.lines.off;
        let expr = match p.kind {
            PropertyKind::Assert | PropertyKind::Assume => off | &p.expr,
            PropertyKind::Cover => !off & &p.expr,
        };
        Property { expr, ..p }
    }
}

fn update(condition: &Expr, value: Expr) -> Update {
    Update { condition: Some(condition.clone()), value }
}
