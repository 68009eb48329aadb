// SPDX-License-Identifier: MIT OR Apache-2.0
//! On-chip vector memory whose write and read side take different numbers of elements.
//!
//! Ports      `write_en_i`, `write_addr_i` (in units of a write), `write_data_i`;
//!            `read_addr_i` (in units of a read), `read_data_o`
//! Latency    [`Shape::latency`] or one cycle more, as asked for: block RAM with its output register, then a register
//! Throughput one write and one read per cycle; a word written is readable in the cycle after
//! Rounding   none      Reset  none, the content is written before it is read
//!
//! Both sides are a power of two of elements wide. A wide read is served by banks side by side, a narrow one
//! by choosing from a wide word on its way into a register behind the memory.

use heddle_lang::{
    BuildError, Builder, Expr, Module, Ty,
    builder::address_bits,
    primitive::{BlockRam, block_ram},
};
use std::sync::Arc;

/// Shape of a memory: element width in bits, elements per write, elements per read, elements in all.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub element_bits: u32,
    pub write_elements: u32,
    pub read_elements: u32,
    pub elements: u32,
}

impl Shape {
    pub fn write_address_bits(&self) -> u32 {
        address_bits(self.elements / self.write_elements)
    }

    pub fn read_address_bits(&self) -> u32 {
        address_bits(self.elements / self.read_elements)
    }

    /// Cycles from an address to its data, at least.
    pub fn latency(&self) -> u32 {
        BlockRam::LATENCY + u32::from(self.write_elements > self.read_elements)
    }
}

/// The memory; see the head of this file. `latency`: cycles from an address to its data.
pub fn ram(shape: Shape, latency: u32) -> Result<Arc<Module>, BuildError> {
    let Shape { element_bits: e, write_elements: w, read_elements: r, elements } = shape;
    let registers = latency.saturating_sub(BlockRam::LATENCY);
    let suffix = if latency == shape.latency() { "" } else { "_q" };
    let mut m = Builder::new(format!("ram_{elements}x{e}_w{w}_r{r}{suffix}"), file!());
    m.doc(&format!(
        "Vector memory of {elements} elements of {e} bits: {w} per write, {r} per read.\nData {latency} cycles after the address."
    ));
    if !(shape.latency()..=shape.latency() + 1).contains(&latency) {
        m.error(format!("latency = {latency}: must be {} or one more", shape.latency()));
    }
    m.clock("clk");
    let write_en = m.input("write_en", Ty::BIT);
    let write_addr = m.input("write_addr", Ty::Unsigned(shape.write_address_bits()));
    let write_data = m.input("write_data", Ty::Unsigned(e * w));
    let read_addr = m.input("read_addr", Ty::Unsigned(shape.read_address_bits()));
    let mut bank = |name: String, depth: u32, write: (Expr, Expr), read: Expr| {
        let always = Expr::bit_const(true);
        let inputs = [
            ("write_en", write.0),
            ("write_addr", write.1),
            ("write_data", write_data.clone()),
            ("read_en", always.clone()),
            ("out_en", always),
            ("read_addr", read),
        ];
        Ok(m.instance(&name, &block_ram(e * w, depth)?, &inputs).get("read_data"))
    };
    if r >= w {
        let banks = r / w;
        let mut data = Vec::new();
        for b in 0..banks {
            let write = match banks.trailing_zeros() {
                0 => (write_en.clone(), write_addr.clone()),
                n => (&write_en & write_addr.slice(0, n).eq(b), write_addr.slice(n, write_addr.width() - n)),
            };
            let write = (write.0, write.1.resize(read_addr.width()));
            data.push(bank(format!("bank{b}"), elements / r, write, read_addr.clone())?);
        }
        let data = m.delay("data", &Expr::pack(&data), registers);
        m.output("read_data", data);
        return m.build();
    }
    let choice_bits = (w / r).trailing_zeros();
    let address = read_addr.slice(choice_bits, read_addr.width() - choice_bits).resize(write_addr.width());
    let word = bank("bank0".into(), elements / w, (write_en, write_addr), address)?;
    m.comment("Which part of the word was asked for");
    let choice = m.delay("choice", &read_addr.slice(0, choice_bits), BlockRam::LATENCY);
    let data = m.delay("data", &choice.choose(&word.chunks(e * r)), registers);
    m.output("read_data", data);
    m.build()
}
