// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memories of the builder.

use super::{Builder, Mem, address_bits};
use crate::{
    bits::Bits,
    expr::{Expr, NetId, Ty},
    module::*,
};

impl Builder {
    /// A memory of `depth` words; ports are added with [`Builder::write`] and [`Builder::read`].
    pub fn memory(&mut self, name: &str, width: u32, depth: u32) -> Mem {
        self.claim(name);
        let clock = self.clock.unwrap_or_else(|| {
            self.errors.push(format!("memory `{name}` in a module without a clock"));
            NetId(0)
        });
        if depth == 0 || width == 0 {
            self.errors.push(format!("memory `{name}` is empty: {depth} words of {width} bits"));
        }
        let memory =
            Memory { name: name.to_string(), clock, width, depth, init: vec![], attribute: String::new(), writes: vec![], reads: vec![] };
        self.item(Item::Memory(memory));
        Mem(self.items.len() - 1)
    }

    fn memory_mut(&mut self, mem: Mem) -> &mut Memory {
        match &mut self.items[mem.0] {
            Item::Memory(m) => m,
            other => unreachable!("a memory handle names {other:?}"),
        }
    }

    pub fn memory_init(&mut self, mem: Mem, words: Vec<Bits>) {
        self.memory_mut(mem).init = words;
    }

    /// A Verilog attribute such as `ram_style = "block"`.
    pub fn memory_attribute(&mut self, mem: Mem, attribute: &str) {
        self.memory_mut(mem).attribute = attribute.to_string();
    }

    fn check_address(&mut self, mem: Mem, address: &Expr) {
        let m = self.memory_mut(mem);
        let (name, depth) = (m.name.clone(), m.depth);
        let bits = address_bits(depth);
        if address.ty() != Ty::Unsigned(bits) {
            self.errors.push(format!("memory `{name}` of {depth} words is addressed by u{bits}, not {}", address.describe()));
        }
    }

    pub fn write(&mut self, mem: Mem, enable: impl Into<Expr>, address: &Expr, data: impl Into<Expr>) {
        self.write_bytes(mem, enable, address, data, None);
    }

    /// A write of the parts of the word whose bit in `byte_enable` is set.
    pub fn write_bytes(&mut self, mem: Mem, enable: impl Into<Expr>, address: &Expr, data: impl Into<Expr>, byte_enable: Option<Expr>) {
        self.check_address(mem, address);
        let port = WritePort { enable: enable.into(), address: address.clone(), data: data.into(), byte_enable };
        let m = self.memory_mut(mem);
        let (name, width) = (m.name.clone(), m.width);
        m.writes.push(port.clone());
        self.check_type(&format!("{name} write data"), Ty::Unsigned(width), &port.data);
        self.check_type(&format!("{name} write enable"), Ty::BIT, &port.enable);
        if port.byte_enable.is_some_and(|b| width % b.width() != 0) {
            self.errors.push(format!("the byte enables of memory `{name}` do not divide its {width} bits"));
        }
    }

    /// The word at `address` one cycle after `enable`, held otherwise.
    pub fn read(&mut self, mem: Mem, name: &str, enable: impl Into<Expr>, address: &Expr) -> Expr {
        self.check_address(mem, address);
        let width = self.memory_mut(mem).width;
        let data = self.net(name, Ty::Unsigned(width), NetKind::ReadData);
        let port = ReadPort { data: Builder::id(&data).unwrap_or(NetId(0)), enable: enable.into(), address: address.clone() };
        self.check_type(&format!("{name} read enable"), Ty::BIT, &port.enable);
        self.memory_mut(mem).reads.push(port);
        data
    }
}
