// SPDX-License-Identifier: MIT OR Apache-2.0
//! Registers of the builder, and what is made of them: delays, stages, sums, machines.

use super::{Builder, Reg, States};
use crate::{
    bits::Bits,
    expr::{Expr, Kind, NetId, Operand, Ty},
    module::*,
};

impl Builder {
    fn new_register(&mut self, name: &str, ty: Ty, reset: Option<i128>) -> Reg {
        let q = self.net(name, ty, NetKind::Register);
        let clock = self.clock.unwrap_or_else(|| {
            self.errors.push(format!("register `{name}` in a module without a clock"));
            NetId(0)
        });
        let reset = match (reset, &self.reset) {
            (None, _) => None,
            (Some(v), Some(r)) => Some((r.clone(), Bits::from_i128(ty.width(), v))),
            (Some(_), None) => {
                self.errors.push(format!("register `{name}` wants a reset, but the module has none"));
                None
            }
        };
        let net = Builder::id(&q).unwrap_or(NetId(0));
        self.item(Item::Register(Register { net, clock, reset, updates: vec![], retained: false, copy: false }));
        Reg { q, index: self.items.len() - 1 }
    }

    /// A register with a reset value, written by [`Builder::on`] and [`Builder::next`].
    pub fn reg(&mut self, name: &str, ty: Ty, reset: i128) -> Reg {
        self.new_register(name, ty, Some(reset))
    }

    /// A register that reset leaves alone.
    pub fn reg_no_reset(&mut self, name: &str, ty: Ty) -> Reg {
        self.new_register(name, ty, None)
    }

    /// `value` a cycle later, in a register for each of so many readers that are far apart; synthesis leaves them apart, too.
    pub fn copies(&mut self, name: &str, value: &Expr, count: usize) -> Vec<Expr> {
        let mut copy = |i| {
            let reg = self.reg_no_reset(&format!("{name}_{i}"), value.ty());
            if let Item::Register(r) = &mut self.items[reg.index] {
                r.copy = true;
            }
            self.next(&reg, value);
            reg.q()
        };
        (0..count).map(&mut copy).collect()
    }

    /// The register keeps its value while its power domain is off (docs/power-intent.md); it must have no reset.
    pub fn retain(&mut self, reg: &Reg) {
        let name = reg.q.describe();
        match &mut self.items[reg.index] {
            Item::Register(r) if r.reset.is_none() => {
                r.retained = true;
                let doc = &mut self.nets[r.net.0 as usize].doc;
                *doc = if doc.is_empty() { "retained".into() } else { format!("{doc}; retained") };
            }
            Item::Register(_) => self.errors.push(format!("{name} has a reset: it cannot be retained")),
            _ => self.errors.push(format!("{name} is not a register of this module")),
        }
    }

    fn update(&mut self, reg: &Reg, condition: Option<Expr>, value: Expr) {
        if let Some(c) = &condition {
            self.check_type(&format!("a condition of {}", reg.q.describe()), Ty::BIT, c);
        }
        let name = reg.q.describe();
        self.check_type(&name, reg.q.ty(), &value);
        let condition = match (condition, &self.enable) {
            (Some(condition), Some(enable)) => Some(enable & condition),
            (condition, enable) => condition.or(enable.clone()),
        };
        match &mut self.items[reg.index] {
            Item::Register(r) => {
                if r.updates.last().is_some_and(|u| u.condition.is_none()) {
                    self.errors.push(format!("an update of {name} comes after one that always applies"));
                } else {
                    r.updates.push(Update { condition, value });
                }
            }
            _ => self.errors.push(format!("{name} is not a register of this module")),
        }
    }

    /// Where `condition` holds and no earlier update applied, the register takes `value`.
    pub fn on(&mut self, reg: &Reg, condition: impl Into<Expr>, value: impl Operand) {
        let value = value.like(&reg.q);
        self.update(reg, Some(condition.into()), value);
    }

    /// The register takes `value` in every cycle in which no earlier update applied.
    pub fn next(&mut self, reg: &Reg, value: impl Operand) {
        let value = value.like(&reg.q);
        self.update(reg, None, value);
    }

    /// `value`, one cycle later; not reset.
    pub fn register(&mut self, name: &str, value: impl Into<Expr>) -> Expr {
        let value = value.into();
        let r = self.reg_no_reset(name, value.ty());
        self.next(&r, value);
        r.q()
    }

    /// `value`, one cycle later, zero after reset.
    pub fn register_reset(&mut self, name: &str, value: impl Into<Expr>) -> Expr {
        let value = value.into();
        let r = self.reg(name, value.ty(), 0);
        self.next(&r, value);
        r.q()
    }

    /// `value` of the last cycle in which `enable` was high; not reset.
    pub fn register_when(&mut self, name: &str, enable: impl Into<Expr>, value: impl Into<Expr>) -> Expr {
        let (enable, value) = (enable.into(), value.into());
        let r = self.reg_no_reset(name, value.ty());
        let always = matches!(enable.kind(), Kind::Const(bits, _) if enable.width() == 1 && !bits.is_zero());
        self.update(&r, (!always).then_some(enable), value);
        r.q()
    }

    /// One register per value, `name_0`, `name_1`, ...
    pub fn register_each(&mut self, name: &str, values: impl IntoIterator<Item = Expr>) -> Vec<Expr> {
        values.into_iter().enumerate().map(|(i, v)| self.register(&format!("{name}_{i}"), v)).collect()
    }

    /// One register per value that takes it when `enable` is high.
    pub fn register_each_when(&mut self, name: &str, enable: &Expr, values: impl IntoIterator<Item = Expr>) -> Vec<Expr> {
        values.into_iter().enumerate().map(|(i, v)| self.register_when(&format!("{name}_{i}"), enable, v)).collect()
    }

    /// `value`, `cycles` later, through the shift register `name_line` (a single register `name_1`); 0 cycles: the
    /// value itself.
    pub fn delay(&mut self, name: &str, value: &Expr, cycles: u32) -> Expr {
        match cycles {
            0 => value.clone(),
            1 => self.register(&format!("{name}_1"), value.clone()),
            _ => {
                let line = self.reg_no_reset(&format!("{name}_line"), Ty::Unsigned(value.width() * cycles));
                self.shift_in(&line, value)
            }
        }
    }

    /// Like [`Builder::delay`], zero after reset: for the bits that say whether the rest is valid.
    pub fn delay_reset(&mut self, name: &str, value: &Expr, cycles: u32) -> Expr {
        match cycles {
            0 => value.clone(),
            1 => self.register_reset(&format!("{name}_1"), value.clone()),
            _ => {
                let line = self.reg(&format!("{name}_line"), Ty::Unsigned(value.width() * cycles), 0);
                self.shift_in(&line, value)
            }
        }
    }

    /// Moves a shift register up by one value; what leaves at its top.
    fn shift_in(&mut self, line: &Reg, value: &Expr) -> Expr {
        let kept = line.q().width() - value.width();
        self.next(line, Expr::concat([line.q().slice(0, kept), value.as_unsigned()]));
        let top = line.q().slice(kept, value.width());
        if value.ty().is_signed() { top.as_signed() } else { top }
    }

    /// `bit` now and after each of so many cycles: the enables of a pipeline.
    pub fn stages(&mut self, name: &str, bit: &Expr, cycles: u32) -> Vec<Expr> {
        if cycles < 2 {
            let later = (0..cycles).map(|_| self.register(&format!("{name}_1"), bit.clone())).collect::<Vec<_>>();
            return [bit.clone()].into_iter().chain(later).collect();
        }
        let line = self.reg_no_reset(&format!("{name}_line"), Ty::Unsigned(cycles));
        self.taps(&line, bit)
    }

    /// Like [`Builder::stages`], zero after reset.
    pub fn stages_reset(&mut self, name: &str, bit: &Expr, cycles: u32) -> Vec<Expr> {
        if cycles < 2 {
            let later = (0..cycles).map(|_| self.register_reset(&format!("{name}_1"), bit.clone())).collect::<Vec<_>>();
            return [bit.clone()].into_iter().chain(later).collect();
        }
        let line = self.reg(&format!("{name}_line"), Ty::Unsigned(cycles), 0);
        self.taps(&line, bit)
    }

    /// A bit and its copies on the way through a shift register.
    fn taps(&mut self, line: &Reg, bit: &Expr) -> Vec<Expr> {
        self.shift_in(line, bit);
        let later = (0..line.q().width()).map(|i| line.q().bit(i));
        [bit.clone()].into_iter().chain(later).collect()
    }

    /// Like [`Builder::delay`], by one register per enable.
    pub fn delay_when(&mut self, name: &str, value: &Expr, enables: &[Expr]) -> Expr {
        let stages = enables.iter().enumerate();
        stages.fold(value.clone(), |v, (i, enable)| self.register_when(&format!("{name}_{}", i + 1), enable, v))
    }

    /// Exact sum in a tree with registers after each level, held unless that level's enable is high: latency
    /// `ceil(log2 n)` cycles, as many as there must be enables.
    pub fn pipelined_sum(&mut self, name: &str, mut values: Vec<Expr>, enables: &[Expr]) -> Expr {
        if values.is_empty() {
            return Expr::poison(Ty::BIT, format!("`{name}` sums nothing"));
        }
        if 1 << enables.len() != values.len().next_power_of_two() {
            return Expr::poison(Ty::BIT, format!("`{name}` sums {} values with {} enables", values.len(), enables.len()));
        }
        for (level, enable) in enables.iter().enumerate() {
            let sums = values.chunks(2).map(|pair| match pair {
                [a, b] => a + b,
                [a, ..] => a.extend(a.width() + 1),
                [] => unreachable!("chunks are never empty"),
            });
            let sums: Vec<Expr> = sums.collect();
            values = match sums.len() {
                1 => vec![self.register_when(name, enable, sums[0].clone())],
                _ => self.register_each_when(&format!("{name}_level{level}"), enable, sums),
            };
        }
        values.remove(0)
    }

    /// A state machine; reset enters the first state.
    pub fn states(&mut self, name: &str, states: &[&'static str]) -> States {
        let width = usize::BITS - (states.len().max(2) - 1).leading_zeros();
        let ty = Ty::Unsigned(width);
        let value = |(i, s): (usize, &&'static str)| {
            let parameter = format!("{}_{}", name.to_uppercase(), s.to_uppercase());
            (*s, self.parameter(&parameter, ty, i as i128))
        };
        let names = states.iter().enumerate().map(value).collect();
        let reg = self.reg(name, ty, 0);
        States { reg, names }
    }

    /// Where `condition` holds and no earlier transition applied, the machine enters `state`.
    pub fn go(&mut self, states: &States, condition: impl Into<Expr>, state: &str) {
        self.on(&states.reg, condition, states.value(state));
    }
}
