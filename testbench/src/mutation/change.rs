// SPDX-License-Identifier: MIT OR Apache-2.0
//! One change of one operator in one module of a design.

use heddle_lang::{
    Bits, Expr, Module, Ty,
    expr::{BinaryOp, Kind, NetId, Node, UnaryOp},
    module::{Instance, Item, Register, Stmt},
    verilog::net_name,
};
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

/// What is changed in the expressions or the register that drive a net.
#[derive(Clone, Debug)]
pub enum Change {
    /// A two-operand operator becomes another one.
    Operator(BinaryOp, BinaryOp),
    /// A one-operand operator becomes another one.
    Unary(UnaryOp, UnaryOp),
    /// An inversion is left out.
    DropNot,
    /// The two values of a choice change places.
    SwapMux,
    /// A constant gets another value.
    Constant(i128, i128),
    /// A slice starts so many bits higher.
    Slice(i32),
    /// Another net of the same type is read: `(from, to)`.
    Net(&'static str, &'static str),
    /// A signed value is extended with zeros.
    ZeroExtend,
    /// The register starts with another value.
    Reset(i128),
    /// An update of the register, counted from 0, is left out.
    DropUpdate(usize),
    /// An update of the register happens whether or not its condition holds.
    Always(usize),
    /// An assignment to the net in its process, counted from 0, is left out.
    DropAssign(usize),
    /// A change in one arm of the `case` of a process: its constant by name, or `default`.
    Arm(&'static str, Box<Change>),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Operator(from, to) => write!(f, "{from:?} becomes {to:?}"),
            Change::Unary(from, to) => write!(f, "{from:?} becomes {to:?}"),
            Change::DropNot => write!(f, "inversion left out"),
            Change::SwapMux => write!(f, "choice the wrong way round"),
            Change::Constant(from, to) => write!(f, "constant {from} becomes {to}"),
            Change::Slice(by) => write!(f, "slice moved by {by}"),
            Change::Net(from, to) => write!(f, "{to} in place of {from}"),
            Change::ZeroExtend => write!(f, "sign not extended"),
            Change::Reset(to) => write!(f, "reset to {to}"),
            Change::DropUpdate(n) => write!(f, "update {n} left out"),
            Change::Always(n) => write!(f, "update {n} without its condition"),
            Change::DropAssign(n) => write!(f, "assignment {n} left out"),
            Change::Arm(arm, change) => write!(f, "in {arm}: {change}"),
        }
    }
}

/// Why a change cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    #[error("the design has no module `{module}`; it has {known}")]
    Module { module: String, known: String },
    #[error("nothing in `{module}` drives `{net}`")]
    Net { module: String, net: String },
    #[error("`{net}` of `{module}` has no place for the change: {change}")]
    Place { module: String, net: String, change: String },
}

/// The design with one module changed at the place that drives `net`.
///
/// `net` is the name in the emitted Verilog, or `instance.port` for an input of an instance. Where several places
/// fit, the first one in the expression is taken.
pub fn apply(top: &Arc<Module>, module: &str, net: &str, change: &Change) -> Result<Arc<Module>, ChangeError> {
    let modules = top.hierarchy();
    let found = modules.iter().find(|m| m.name == module);
    let unknown =
        || ChangeError::Module { module: module.into(), known: modules.iter().map(|m| m.name.as_str()).collect::<Vec<_>>().join(", ") };
    let changed = Arc::new(change_module(found.ok_or_else(unknown)?, net, change)?);
    Ok(replace(top, &changed, &mut BTreeMap::new()))
}

/// The hierarchy with a module of the name of `new` replaced by it.
fn replace(module: &Arc<Module>, new: &Arc<Module>, done: &mut BTreeMap<String, Arc<Module>>) -> Arc<Module> {
    if module.name == new.name {
        return new.clone();
    }
    if let Some(done) = done.get(&module.name) {
        return done.clone();
    }
    let mut copy = Module::clone(module);
    for item in &mut copy.items {
        if let Item::Instance(instance) = item {
            instance.module = replace(&instance.module, new, done);
        }
    }
    let copy = Arc::new(copy);
    done.insert(module.name.clone(), copy.clone());
    copy
}

fn change_module(module: &Module, net: &str, change: &Change) -> Result<Module, ChangeError> {
    let mut copy = module.clone();
    let mut rewriter = Rewriter::new(module, change);
    let mut driven = false;
    for item in &mut copy.items {
        let drives = match (&*item, net.split_once('.')) {
            (Item::Instance(i), Some((instance, port))) => i.name == instance && i.inputs.iter().any(|(name, _)| name == port),
            (_, Some(_)) => false,
            (other, None) => other.drives().into_iter().any(|id| net_name(module.net(id)) == net),
        };
        if drives && !rewriter.done {
            driven = true;
            rewriter.item(item, net);
        }
    }
    let (name, net) = (module.name.clone(), net.to_owned());
    match (driven, rewriter.done) {
        (_, true) => Ok(copy),
        (true, false) => Err(ChangeError::Place { module: name, net, change: change.to_string() }),
        (false, false) => Err(ChangeError::Net { module: name, net }),
    }
}

/// Rebuilds expressions with the change made once; shared parts stay shared.
struct Rewriter<'a> {
    module: &'a Module,
    change: &'a Change,
    done: bool,
    seen: HashMap<*const Node, Expr>,
}

impl<'a> Rewriter<'a> {
    fn new(module: &'a Module, change: &'a Change) -> Self {
        Rewriter { module, change, done: false, seen: HashMap::new() }
    }

    fn item(&mut self, item: &mut Item, net: &str) {
        match item {
            Item::Assign(_, value) => *value = self.expr(value),
            Item::Register(register) => self.register(register),
            Item::Instance(instance) => self.instance(instance, net),
            Item::Process(process) => self.process(&mut process.body, net),
            Item::Memory(_) | Item::Comment(_) | Item::Parameter(..) | Item::Property(_) => {}
        }
    }

    fn instance(&mut self, instance: &mut Instance, net: &str) {
        let port = net.split_once('.').map(|(_, port)| port);
        for (name, value) in &mut instance.inputs {
            if Some(name.as_str()) == port {
                *value = self.expr(value);
            }
        }
    }

    fn register(&mut self, register: &mut Register) {
        match (self.change, &mut register.reset) {
            (Change::Reset(to), Some((_, value))) => {
                *value = Bits::from_i128(value.width(), *to);
                self.done = true;
            }
            (Change::DropUpdate(n), _) if *n < register.updates.len() => {
                register.updates.remove(*n);
                self.done = true;
            }
            (Change::Always(n), _) => {
                if let Some(update) = register.updates.get_mut(*n) {
                    self.done = update.condition.take().is_some();
                    // Those behind it never apply any more, and Verilog has no branch after an `else`.
                    register.updates.truncate(n + 1);
                }
            }
            _ => {
                for update in &mut register.updates {
                    update.condition = update.condition.take().map(|c| self.expr(&c));
                    update.value = self.expr(&update.value);
                }
            }
        }
    }

    fn process(&mut self, body: &mut Vec<Stmt>, net: &str) {
        match self.change {
            Change::Arm(name, change) => {
                let Some(arm) = arm(body, name) else { return };
                let mut inside = Rewriter::new(self.module, change);
                inside.process(arm, net);
                self.done = inside.done;
            }
            Change::DropAssign(n) => {
                let Some(target) = self.module.ids().find(|id| net_name(self.module.net(*id)) == net) else { return };
                self.done = drop_assign(body, target, &mut n.clone());
            }
            _ => self.stmts(body),
        }
    }

    fn stmts(&mut self, body: &mut [Stmt]) {
        for stmt in body {
            match stmt {
                Stmt::Assign(_, value) => *value = self.expr(value),
                Stmt::If(condition, then, other) => {
                    *condition = self.expr(condition);
                    self.stmts(then);
                    self.stmts(other);
                }
                Stmt::Case(subject, arms, default) => {
                    *subject = self.expr(subject);
                    for (key, body) in arms {
                        *key = self.expr(key);
                        self.stmts(body);
                    }
                    self.stmts(default);
                }
                Stmt::Comment(_) => {}
            }
        }
    }

    fn expr(&mut self, e: &Expr) -> Expr {
        if let Some(seen) = self.seen.get(&Arc::as_ptr(&e.0)) {
            return seen.clone();
        }
        let new = match (!self.done).then(|| self.changed(e)).flatten() {
            Some(new) => {
                self.done = true;
                new
            }
            None => self.descend(e),
        };
        self.seen.insert(Arc::as_ptr(&e.0), new.clone());
        new
    }

    fn descend(&mut self, e: &Expr) -> Expr {
        let kind = match e.kind() {
            Kind::Const(..) | Kind::Net(..) | Kind::Poison(_) => return e.clone(),
            Kind::Unary(op, a) => Kind::Unary(*op, self.expr(a)),
            Kind::Binary(op, a, b) => Kind::Binary(*op, self.expr(a), self.expr(b)),
            Kind::Mux(c, a, b) => Kind::Mux(self.expr(c), self.expr(a), self.expr(b)),
            Kind::Slice(a, lsb) => Kind::Slice(self.expr(a), *lsb),
            Kind::Select(a, i) => Kind::Select(self.expr(a), self.expr(i)),
            Kind::Concat(parts) => Kind::Concat(parts.iter().map(|p| self.expr(p)).collect()),
            Kind::Resize(a) => Kind::Resize(self.expr(a)),
            Kind::Cast(a) => Kind::Cast(self.expr(a)),
        };
        Expr::new(e.ty(), kind)
    }

    /// This node with the change, if it is a place for it; the type stays.
    fn changed(&self, e: &Expr) -> Option<Expr> {
        let kind = match (self.change, e.kind()) {
            (Change::Operator(from, to), Kind::Binary(op, a, b)) if op == from => return Some(operator(e.ty(), *to, a, b)),
            (Change::Unary(from, to), Kind::Unary(op, a)) if op == from => Kind::Unary(*to, a.clone()),
            (Change::DropNot, Kind::Unary(UnaryOp::Not, a)) => return Some(a.clone()),
            (Change::SwapMux, Kind::Mux(c, a, b)) => Kind::Mux(c.clone(), b.clone(), a.clone()),
            (Change::Constant(from, to), Kind::Const(bits, _)) if is_constant(e.ty(), bits, *from) => {
                return Some(Expr::constant(e.ty(), *to));
            }
            (Change::Slice(by), Kind::Slice(a, lsb)) => {
                let lsb = lsb.checked_add_signed(*by).filter(|lsb| lsb + e.width() <= a.width())?;
                Kind::Slice(a.clone(), lsb)
            }
            (Change::Net(from, to), Kind::Net(id, _)) if net_name(self.module.net(*id)) == *from => {
                let to = self.module.ids().find(|id| net_name(self.module.net(*id)) == *to)?;
                let net = self.module.net(to);
                (net.ty == e.ty()).then(|| Kind::Net(to, net.name.as_str().into()))?
            }
            (Change::ZeroExtend, Kind::Resize(a)) if a.ty().is_signed() && e.width() > a.width() => {
                let unsigned = Expr::new(Ty::Unsigned(a.width()), Kind::Cast(a.clone()));
                let extended = Expr::new(Ty::Unsigned(e.width()), Kind::Resize(unsigned));
                return Some(if e.ty().is_signed() { Expr::new(e.ty(), Kind::Cast(extended)) } else { extended });
            }
            _ => return None,
        };
        Some(Expr::new(e.ty(), kind))
    }
}

/// The arm of a `case` with this name.
fn arm<'s>(body: &'s mut [Stmt], name: &str) -> Option<&'s mut Vec<Stmt>> {
    let is_named = |key: &Expr| matches!(key.kind(), Kind::Const(_, Some(n)) if **n == *name);
    body.iter_mut().find_map(|stmt| match stmt {
        Stmt::Case(_, _, default) if name == "default" => Some(default),
        Stmt::Case(_, arms, _) => arms.iter_mut().find(|(key, _)| is_named(key)).map(|(_, body)| body),
        _ => None,
    })
}

/// Leaves out assignment `n` to the net; whether there was one.
fn drop_assign(body: &mut Vec<Stmt>, target: NetId, n: &mut usize) -> bool {
    for i in 0..body.len() {
        let found = match &mut body[i] {
            Stmt::Assign(net, _) if *net == target && *n == 0 => {
                body.remove(i);
                true
            }
            Stmt::Assign(net, _) => {
                *n -= usize::from(*net == target);
                false
            }
            Stmt::If(_, then, other) => drop_assign(then, target, n) || drop_assign(other, target, n),
            Stmt::Case(_, arms, default) => arms.iter_mut().any(|(_, arm)| drop_assign(arm, target, n)) || drop_assign(default, target, n),
            Stmt::Comment(_) => false,
        };
        if found {
            return true;
        }
    }
    false
}

fn is_constant(ty: Ty, bits: &Bits, value: i128) -> bool {
    matches!(Expr::constant(ty, value).kind(), Kind::Const(wanted, _) if wanted == bits)
}

/// The operator with the type that its place has.
fn operator(ty: Ty, op: BinaryOp, a: &Expr, b: &Expr) -> Expr {
    let signed = Ty::Signed(ty.width());
    if op == BinaryOp::Sub && !ty.is_signed() {
        return Expr::new(ty, Kind::Cast(Expr::new(signed, Kind::Binary(op, a.clone(), b.clone()))));
    }
    Expr::new(ty, Kind::Binary(op, a.clone(), b.clone()))
}
