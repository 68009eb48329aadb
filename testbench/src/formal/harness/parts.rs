// SPDX-License-Identifier: MIT OR Apache-2.0
//! Parts of a harness.

use heddle_lang::{BuildError, Builder, Expr, Module, Reg, Ty, module::NetKind, stdlib::stream};
use std::sync::Arc;

/// A block inside its harness: the instance `unit`, every input of the block an input of the harness.
pub struct Unit {
    inputs: Vec<(String, Expr)>,
    outputs: Vec<(String, Expr)>,
}

impl Unit {
    /// An input or output by its base name.
    pub fn get(&self, name: &str) -> Expr {
        let find = |list: &[(String, Expr)]| list.iter().find(|(n, _)| n == name).map(|(_, e)| e.clone());
        find(&self.inputs)
            .or_else(|| find(&self.outputs))
            .unwrap_or_else(|| Expr::poison(Ty::BIT, format!("the unit has no port `{name}`")))
    }

    /// `<name>_valid` and `<name>_ready`: a transfer in this cycle.
    pub fn transfer(&self, name: &str) -> Expr {
        self.get(&format!("{name}_valid")) & self.get(&format!("{name}_ready"))
    }
}

/// The harness of a block, and the block in it. Inputs that are listed in `driven` are given, the others are free.
pub fn harness(unit: &Arc<Module>, driven: &[(&str, Expr)], m: &mut Builder) -> Unit {
    let mut inputs: Vec<(String, Expr)> = Vec::new();
    for (_, net) in unit.ports().filter(|(_, n)| n.kind == NetKind::Input && n.name != "rst") {
        let given = driven.iter().find(|(name, _)| *name == net.name).map(|(_, value)| value.clone());
        let value = given.unwrap_or_else(|| m.input(&net.name, net.ty));
        inputs.push((net.name.clone(), value));
    }
    let connected: Vec<(&str, Expr)> = inputs.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let nets = m.instance("unit", unit, &connected);
    let outputs = unit.ports().filter(|(_, n)| n.kind == NetKind::Output).map(|(_, n)| (n.name.clone(), nets.get(&n.name)));
    let outputs: Vec<(String, Expr)> = outputs.collect();
    for (name, value) in &outputs {
        m.output(name, value);
    }
    Unit { inputs, outputs }
}

/// A value that the environment chooses during reset and that stays: what is shown for it is shown for every value.
pub fn symbol(m: &mut Builder, name: &str, ty: Ty) -> Expr {
    symbol_and_choice(m, name, ty).0
}

/// The same, and the input that it takes during reset.
pub fn symbol_and_choice(m: &mut Builder, name: &str, ty: Ty) -> (Expr, Expr) {
    let choice = m.input(&format!("{name}_choice"), ty);
    let symbol = m.reg_no_reset(name, ty);
    let reset = m.reset();
    m.on(&symbol, reset, &choice);
    (symbol.q(), choice)
}

/// A stream, or a channel of a bus, that is watched.
pub struct Watched {
    pub valid: Expr,
    pub ready: Expr,
    pub data: Expr,
}

impl Watched {
    pub fn transfer(&self) -> Expr {
        &self.valid & &self.ready
    }

    /// The stream rules: assumed where the environment drives it, asserted where the unit does.
    pub fn rules(&self, m: &mut Builder, name: &str, assume: bool) -> Result<(), BuildError> {
        let data = self.data.as_unsigned();
        let checker = stream::checker(data.width(), assume)?;
        let watched = [("valid", self.valid.clone()), ("ready", self.ready.clone()), ("data", data)];
        m.instance(&format!("{name}_rules"), &checker, &watched);
        Ok(())
    }
}

/// The rules of the stream `<name>_valid`, `<name>_ready`, `<name>_data` of the unit.
pub fn stream_rules(m: &mut Builder, unit: &Unit, name: &str, assume: bool) -> Result<(), BuildError> {
    let port = |part: &str| unit.get(&format!("{name}_{part}"));
    Watched { valid: port("valid"), ready: port("ready"), data: port("data") }.rules(m, name, assume)
}

/// The number of words that came and have not left.
pub fn words_inside(m: &mut Builder, push: &Expr, pop: &Expr, ty: Ty) -> Expr {
    let count = m.reg("words_inside", ty, 0);
    m.on(&count, push & !pop, count.q().wrapping_add(1));
    m.on(&count, !push & pop, count.q().wrapping_sub(1));
    count.q()
}

/// One word of a stream of words, followed from an input to an output.
pub struct Followed {
    /// The word is inside.
    pub inside: Expr,
    /// Its value.
    pub word: Expr,
    /// Words that leave before it.
    pub ahead: Expr,
}

/// Follows a word that enters in a transfer the environment picks (`follow`): `count` words are inside when it comes, and as many
/// leave before it.
pub fn follow(m: &mut Builder, push: &Expr, pop: &Expr, word: &Expr, count: &Expr) -> Followed {
    let choice = m.input("follow", Ty::BIT);
    let inside = m.reg("inside", Ty::BIT, 0);
    let value = m.reg_no_reset("followed", word.ty());
    let ahead: Reg = m.reg_no_reset("ahead", count.ty());
    let enters = m.wire("enters", push & choice & !inside.q());
    let leaves = m.wire("leaves", pop & inside.q() & ahead.q().is_zero());
    m.on(&inside, &enters, 1);
    m.on(&inside, leaves, 0);
    m.on(&value, &enters, word);
    m.on(&ahead, &enters, pop.mux(count.wrapping_sub(1), count));
    m.on(&ahead, pop & inside.q(), ahead.q().wrapping_sub(1));
    Followed { inside: inside.q(), word: value.q(), ahead: ahead.q() }
}

/// Cycles in a row before this one in which `bit` was high, as far as they can be counted in so many bits.
pub fn cycles(m: &mut Builder, name: &str, bits: u32, bit: impl Into<Expr>) -> Expr {
    let bit = bit.into();
    let count = m.reg(name, Ty::Unsigned(bits), 0);
    m.on(&count, !&bit, 0);
    m.on(&count, !count.q().all(), count.q().wrapping_add(1));
    count.q()
}
