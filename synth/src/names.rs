// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of a netlist as names of the builder: instances by their path, nets by the name in Rust.
//!
//! Tools flatten the hierarchy with `.` between instances and name what they make after a net that is near:
//! `dut.array.column_0.sum_q_TRELLIS_FF_Q_3` is a register beside `sum` of `array/column_0`.

use heddle_lang::{
    Expr, Module,
    expr::{Kind, NetId},
    module::{Item, NetKind},
    verilog,
};
use serde::Serialize;
use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    rc::Rc,
    sync::Arc,
};

/// Where something in a netlist comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// Instances from the top, `/` between them; empty: the top itself.
    pub path: String,
    /// The module of that instance.
    pub module: String,
    /// The Rust file that describes it.
    pub source: String,
    /// The net as it is called there, with its bit; what the tool made of it if no net has such a name.
    pub net: String,
}

/// What the name of a cell says of the instance that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The instance: the cell drives a net of it, or reads one that no other has.
    Certain(Vec<String>),
    /// It reads a net of this instance that others have, too.
    Likely(Vec<String>),
    /// None of the design.
    Harness,
    /// A tool made it, or it reads a net of the harness: only its neighbours can tell.
    Unknown,
}

/// Finds origins in a design.
pub struct Names<'a> {
    top: Option<&'a Arc<Module>>,
    within: &'a str,
    outside: Outside,
    indices: RefCell<HashMap<*const Module, Rc<Index>>>,
}

/// What stands around a design.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Outside {
    /// Registers at its ports, under names of their own.
    #[default]
    Harness,
    /// Pads: nets at the ports of the design have the names of these ports.
    Pads,
}

/// Nets of a module by their Verilog names, those that are only another name for a net elsewhere, and those that have
/// another name elsewhere.
struct Index {
    nets: HashMap<String, NetId>,
    aliases: HashMap<NetId, Alias>,
    shared: HashSet<NetId>,
}

enum Alias {
    /// Assigned from another net of the module.
    Net(NetId),
    /// An output of an instance: instance and port.
    Output(String, String),
}

/// A place in the hierarchy: the instances and modules from the top to it.
struct Place<'a> {
    path: Vec<String>,
    modules: Vec<&'a Arc<Module>>,
}

/// What a name means: where it stands, the net, and whether another instance may be meant.
struct Found {
    path: Vec<String>,
    net: String,
    shared: bool,
}

/// More steps than any chain of names has.
const STEPS: usize = 64;

impl<'a> Names<'a> {
    /// `within`: the instance that holds the design, if it is not the top; then `outside` is what stands around it.
    pub fn new(top: Option<&'a Arc<Module>>, within: &'a str, outside: Outside) -> Names<'a> {
        Names { top, within, outside, indices: RefCell::default() }
    }

    /// What the name of a cell says, through all other names of the net that it is named after.
    pub fn owner(&self, cell: &str) -> Owner {
        if cell.starts_with('$') {
            return Owner::Unknown;
        }
        match self.find(cell) {
            Some(Found { path, shared: false, .. }) => Owner::Certain(path),
            Some(Found { path, shared: true, .. }) => Owner::Likely(path),
            None if self.inside(cell).is_some() || drives(suffix(cell)) => Owner::Harness,
            None => Owner::Unknown,
        }
    }

    /// The module at a path of instances.
    pub fn module(&self, path: &str) -> Option<&'a Arc<Module>> {
        if path.is_empty() { self.top } else { self.top?.at(path) }
    }

    /// Where a cell or net comes from; of the harness, its path is `(harness)`.
    pub fn origin(&self, name: &str) -> Origin {
        let Some(Found { path, net, .. }) = self.find(name) else {
            return Origin { path: "(harness)".into(), module: String::new(), source: String::new(), net: name.into() };
        };
        let path = path.join("/");
        let (module, source) = self.module(&path).map_or_else(Default::default, |m| (m.name.clone(), m.source.clone()));
        Origin { path, module, source, net }
    }

    /// A name within the design; None: the name is the harness'.
    fn inside<'t>(&self, name: &'t str) -> Option<&'t str> {
        if self.within.is_empty() {
            return Some(name);
        }
        let rest = name.strip_prefix(self.within).and_then(|rest| rest.strip_prefix('.'));
        rest.or_else(|| Some(name).filter(|_| self.outside == Outside::Pads))
    }

    /// None: the harness drives what has this name.
    fn find(&self, name: &str) -> Option<Found> {
        let rest = self.inside(name)?;
        let Some(top) = self.top else {
            let mut path: Vec<String> = rest.split('.').map(str::to_owned).collect();
            let net = path.pop().unwrap_or_default();
            return Some(Found { path, net, shared: false });
        };
        let (mut place, mut rest) = (Place { path: vec![], modules: vec![top] }, rest);
        while let Some((first, after)) = rest.split_once('.') {
            if !place.enter(first) {
                break;
            }
            rest = after;
        }
        let (plain, bit) = rest.find('[').map_or((rest, ""), |at| rest.split_at(at));
        let index = self.index(place.module());
        let Some((net, suffix)) = index.longest(plain) else {
            return Some(Found { path: place.path, net: rest.to_owned(), shared: false });
        };
        // What reads a net stands where the net has that name, or another; what drives it may stand elsewhere.
        let by_driver = drives(suffix);
        let found = if by_driver { self.follow(&mut place, net)? } else { net };
        let name = &place.module().net(found).name;
        let text = if suffix.is_empty() { format!("{name}{bit}") } else { format!("logic of {name}") };
        Some(Found { path: place.path, net: text, shared: !by_driver && index.shared.contains(&net) })
    }

    /// The net that another one is only a name for: down into instances whose output it is, up where it is an input.
    /// None: the harness drives it.
    fn follow(&self, place: &mut Place<'a>, mut net: NetId) -> Option<NetId> {
        for _ in 0..STEPS {
            let module = place.module();
            match self.index(module).aliases.get(&net) {
                Some(Alias::Net(other)) => net = *other,
                Some(Alias::Output(instance, port)) => {
                    if !place.enter(instance) {
                        return Some(net);
                    }
                    let inner = place.module();
                    net = inner.ports().find(|(_, n)| n.kind == NetKind::Output && n.name == *port)?.0;
                }
                None if module.net(net).kind == NetKind::Input && place.modules.len() == 1 => {
                    return Some(net).filter(|_| self.within.is_empty() || self.outside == Outside::Pads);
                }
                None if module.net(net).kind == NetKind::Input => {
                    let port = &module.net(net).name;
                    let outer = place.modules[place.modules.len() - 2];
                    let name = place.path.last()?;
                    let instance = outer.instances().find(|i| i.name == *name)?;
                    let Some(source) = instance.inputs.iter().find(|(p, _)| p == port).and_then(|(_, e)| plain_net(e)) else {
                        return Some(net);
                    };
                    place.leave();
                    net = source;
                }
                None => return Some(net),
            }
        }
        Some(net)
    }

    fn index(&self, module: &Arc<Module>) -> Rc<Index> {
        self.indices.borrow_mut().entry(Arc::as_ptr(module)).or_insert_with(|| Rc::new(Index::of(module))).clone()
    }
}

impl<'a> Place<'a> {
    fn module(&self) -> &'a Arc<Module> {
        self.modules[self.modules.len() - 1]
    }

    fn enter(&mut self, instance: &str) -> bool {
        let Some(inner) = self.module().instances().find(|i| i.name == instance) else { return false };
        self.path.push(instance.to_owned());
        self.modules.push(&inner.module);
        true
    }

    fn leave(&mut self) {
        self.path.pop();
        self.modules.pop();
    }
}

impl Index {
    fn of(module: &Module) -> Index {
        let nets = module.ids().map(|id| (verilog::net_name(module.net(id)), id)).collect();
        let mut aliases = HashMap::new();
        let mut shared: HashSet<NetId> = module.ports().map(|(id, _)| id).collect();
        for item in &module.items {
            match item {
                Item::Assign(net, expr) => {
                    aliases.extend(plain_net(expr).map(|source| (*net, Alias::Net(source))));
                    shared.extend(plain_net(expr).filter(|_| module.net(*net).kind == NetKind::Output));
                }
                Item::Instance(i) => {
                    shared.extend(i.inputs.iter().filter_map(|(_, expr)| plain_net(expr)));
                    shared.extend(i.outputs.iter().map(|(_, net)| *net));
                    aliases.extend(i.outputs.iter().map(|(port, net)| (*net, Alias::Output(i.name.clone(), port.clone()))));
                }
                _ => {}
            }
        }
        Index { nets, aliases, shared }
    }

    /// The net of this name, or of its longest beginning that ends before a `_` or `$`; the rest of the name.
    fn longest<'t>(&self, text: &'t str) -> Option<(NetId, &'t str)> {
        let ends = text.rmatch_indices(['_', '$']).map(|(at, _)| at);
        std::iter::once(text.len()).chain(ends).find_map(|end| Some((*self.nets.get(&text[..end])?, &text[end..])))
    }
}

/// Words of which the names of cells are made.
const CELL_WORDS: [&str; 17] = [
    "",
    "TRELLIS",
    "FF",
    "LUT4",
    "PFUMX",
    "L6MUX21",
    "CCU2C",
    "MULT18X18D",
    "DP16KD",
    "PDPW16KD",
    "DPR16X4",
    "SB",
    "CARRY",
    "MAC16",
    "RAM40",
    "4K",
    "SPRAM256KA",
];

/// First words of cells' types.
const CELL_TYPES: [&str; 9] = ["TRELLIS", "LUT4", "PFUMX", "L6MUX21", "CCU2C", "MULT18X18D", "DP16KD", "DPR16X4", "SB"];

/// What follows the name of a net in the name of a cell that Yosys named after it.
fn suffix(cell: &str) -> &str {
    let is_type = |rest: &str| rest[1..].split('_').next().is_some_and(|word| CELL_TYPES.contains(&word));
    cell.match_indices('_').map(|(at, _)| &cell[at..]).find(|rest| is_type(rest)).unwrap_or("")
}

/// Whether the cell that Yosys named `<net><suffix>` drives that net: the suffix is the cell's type and the port that the
/// net is connected to. Without suffix it is the net itself.
fn drives(suffix: &str) -> bool {
    let mut words = suffix.split('_').skip_while(|word| CELL_WORDS.contains(word) || word.starts_with("DFF"));
    let is_output = |port: &str| {
        let numbered = |start: &str| port.strip_prefix(start).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        matches!(port, "Q" | "Z" | "O" | "CO" | "S0" | "S1" | "COUT" | "RDATA") || port.starts_with("DO") || numbered("P")
    };
    words.next().is_none_or(is_output)
}

/// The net that an expression is, or is a part of.
fn plain_net(expr: &Expr) -> Option<NetId> {
    match expr.kind() {
        Kind::Net(id, _) => Some(*id),
        Kind::Slice(inner, _) | Kind::Cast(inner) => plain_net(inner),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heddle_lang::{Builder, Ty};

    #[test]
    fn ports_tell_drivers_from_readers() {
        for driver in ["", "_TRELLIS_FF_Q_3", "_LUT4_Z_1_D", "_SB_DFFESR_Q", "_MULT18X18D_P15", "_SB_RAM40_4K_RDATA", "_CCU2C_S0"] {
            assert!(drives(driver), "{driver}");
        }
        for reader in ["_LUT4_D_Z_LUT4_Z", "_TRELLIS_FF_DI", "_MULT18X18D_A0", "_SB_LUT4_I3", "_CCU2C_A1"] {
            assert!(!drives(reader), "{reader}");
        }
    }

    /// `sum` in an instance `first`, passed on.
    fn nested() -> Arc<Module> {
        let mut inner = Builder::clocked("adder", "hdl/adder.rs");
        let a = inner.input("a", Ty::Unsigned(8));
        let sum = inner.register("sum", &a);
        inner.output("sum", sum);
        let inner = inner.build().unwrap();
        let mut m = Builder::clocked("outer", "hdl/outer.rs");
        let a = m.input("a", Ty::Unsigned(8));
        let out = m.instance("first", &inner, &[("a", a)]);
        m.output("sum", out.get("sum"));
        m.build().unwrap()
    }

    #[test]
    fn tool_names_become_names_of_the_builder() {
        let top = nested();
        let names = Names::new(Some(&top), "dut", Outside::Harness);
        let origin = names.origin("dut.first.sum_q[3]");
        let expected = ("first", "adder", "hdl/adder.rs", "sum[3]");
        assert_eq!(names.origin("dut.sum_o_TRELLIS_FF_Q").path, "first", "the top's output is a name for the register");
        assert_eq!(names.origin("dut.first.a_i_LUT4_D").path, "first", "what reads an input is inside");
        assert_eq!(names.origin("dut.first.a_i_LUT4_Z").path, "(harness)", "what drives it is outside, and outside of the top");
        assert_eq!((&*origin.path, &*origin.module, &*origin.source, &*origin.net), expected);
        assert_eq!(names.origin("dut.first.sum_q_TRELLIS_FF_Q_3").net, "logic of sum");
        assert_eq!(names.origin("dut.a_i[0]").path, "(harness)");
        assert_eq!(Names::new(Some(&top), "", Outside::Harness).origin("a_i[0]").net, "a[0]");
        assert_eq!(names.origin("inputs_q[7]").path, "(harness)");
    }

    #[test]
    fn a_name_may_say_who_has_the_cell() {
        let top = nested();
        let names = Names::new(Some(&top), "dut", Outside::Harness);
        let first = || vec!["first".to_owned()];
        assert_eq!(names.owner("dut.first.sum_q_TRELLIS_FF_Q_3"), Owner::Certain(first()));
        assert_eq!(names.owner("dut.first.sum_q_CCU2C_A0"), Owner::Likely(first()), "outside it is `sum_o`");
        assert_eq!(names.owner("dut.first.x"), Owner::Certain(first()));
        assert_eq!(names.owner("dut.first.a_i_TRELLIS_FF_Q"), Owner::Harness);
        assert_eq!(names.owner("outputs_q_TRELLIS_FF_Q_1_DI_LUT4_Z"), Owner::Harness);
        assert_eq!(names.owner("inputs_q_LUT4_A"), Owner::Unknown);
        assert_eq!(names.owner("$nextpnr_CCU2C_0$CCU2_COMB1"), Owner::Unknown);
        let pads = Names::new(Some(&top), "dut", Outside::Pads);
        assert_eq!(pads.owner("sum_o_TRELLIS_FF_Q_3"), Owner::Certain(first()), "the pad has the name of the port");
    }
}
