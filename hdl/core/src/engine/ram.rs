// SPDX-License-Identifier: MIT OR Apache-2.0
//! On-chip vector memory whose write and read side take different numbers of elements.
//!
//! Ports      `write_en_i`, `write_addr_i` (in units of a write), `write_data_i`;
//!            `read_addr_i` (in units of a read), `read_data_o`
//! Latency    2 cycles from address to data: block RAM and its output register
//! Throughput one write and one read per cycle; a word written is readable two cycles later
//! Rounding   none      Reset  none, the content is written before it is read
//!
//! Both sides are a power of two of elements wide. A wide read is served by banks side by side, a narrow one
//! by choosing from a wide word on its way into the output register.

use heddle_lang::{BuildError, Builder, Expr, Module, Ty, builder::address_bits};
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
}

/// The memory; see the head of this file.
pub fn ram(shape: Shape) -> Result<Arc<Module>, BuildError> {
    let Shape { element_bits: e, write_elements: w, read_elements: r, elements } = shape;
    let mut m = Builder::new(format!("ram_{elements}x{e}_w{w}_r{r}"), file!());
    m.doc(&format!(
        "Vector memory of {elements} elements of {e} bits: {w} per write, {r} per read.\nData two cycles after the address; block RAM with its output register."
    ));
    m.clock("clk");
    let write_en = m.input("write_en", Ty::BIT);
    let write_addr = m.input("write_addr", Ty::Unsigned(shape.write_address_bits()));
    let write_data = m.input("write_data", Ty::Unsigned(e * w));
    let read_addr = m.input("read_addr", Ty::Unsigned(shape.read_address_bits()));
    let always = Expr::bit_const(true);
    let word = if r >= w {
        let banks = r / w;
        let bank_bits = banks.trailing_zeros();
        let data: Vec<Expr> = (0..banks)
            .map(|b| {
                let bank = m.memory(&format!("bank{b}"), e * w, elements / r);
                let (address, enable) = match bank_bits {
                    0 => (write_addr.clone(), write_en.clone()),
                    n => (write_addr.slice(n, write_addr.width() - n), &write_en & write_addr.slice(0, n).eq(b)),
                };
                m.write(bank, enable, &address.resize(read_addr.width()), &write_data);
                m.read(bank, &format!("read{b}"), always.clone(), &read_addr)
            })
            .collect();
        Expr::pack(&data)
    } else {
        let choice_bits = (w / r).trailing_zeros();
        let bank = m.memory("words", e * w, elements / w);
        m.write(bank, &write_en, &write_addr, &write_data);
        let address = read_addr.slice(choice_bits, read_addr.width() - choice_bits);
        let word = m.read(bank, "read", always, &address.resize(write_addr.width()));
        m.comment("Which part of the word was asked for");
        let choice = m.register("choice", read_addr.slice(0, choice_bits));
        choice.choose(&word.chunks(e * r))
    };
    let data = m.register("data", word);
    m.output("read_data", data);
    m.build()
}
