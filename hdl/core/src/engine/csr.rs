// SPDX-License-Identifier: MIT OR Apache-2.0
//! The registers, as an AXI4-Lite slave made from their one declaration (`crate::registers`).
//!
//! Ports      `s_axil_*`; per register that the hardware writes: an input of its name (fields: `<register>_<field>`);
//!            per register that software writes: an output
//! Latency    2 cycles a read, 1 cycle a write      Throughput  one access at a time
//! Rounding   none      Reset  each register's declared value
//!
//! An address that is not declared is answered with SLVERR and reads 0. Byte strobes apply to writable registers.

use crate::{
    config::Config,
    registers::{ADDRESS_BITS, Access, Bits, REGISTERS, Register, Reset},
};
use heddle_lang::{BuildError, Builder, Expr, Module, Reg, Ty, module::Stmt};
use std::sync::Arc;

const SLVERR: i128 = 2;
const WORD: Ty = Ty::Unsigned(32);

/// The register block.
pub fn csr(config: &Config) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked("csr", file!());
    m.doc("Registers on AXI4-Lite, generated from their declaration; docs/registers.md lists them.");
    let write = write_channel(&mut m);
    let read = read_channel(&mut m);
    let mut values = Vec::new();
    for register in REGISTERS {
        m.comment(&format!("{}: {}", register.name, register.doc));
        values.push((register, value(&mut m, config, register, &write)));
    }
    respond(&mut m, &write, &read, &values);
    m.build()
}

struct Write {
    accept: Expr,
    address: Expr,
    data: Expr,
    strobe: Expr,
    bvalid: Reg,
}

struct Read {
    accept: Expr,
    address: Expr,
    rvalid: Reg,
}

fn write_channel(m: &mut Builder) -> Write {
    m.comment("Write channels: address and data are taken together");
    let awvalid = m.input("s_axil_awvalid", Ty::BIT);
    let awready = m.output_port("s_axil_awready", Ty::BIT);
    let awaddr = m.input("s_axil_awaddr", Ty::Unsigned(ADDRESS_BITS));
    let wvalid = m.input("s_axil_wvalid", Ty::BIT);
    let wready = m.output_port("s_axil_wready", Ty::BIT);
    let wdata = m.input("s_axil_wdata", WORD);
    let wstrb = m.input("s_axil_wstrb", Ty::Unsigned(4));
    let bvalid_port = m.output_port("s_axil_bvalid", Ty::BIT);
    let bready = m.input("s_axil_bready", Ty::BIT);
    let bvalid = m.reg("bvalid", Ty::BIT, 0);
    let accept = m.wire("write_accept", awvalid & wvalid & !bvalid.q());
    m.drive(&awready, &accept);
    m.drive(&wready, &accept);
    m.on(&bvalid, &accept, 1);
    m.on(&bvalid, bready, 0);
    m.drive(&bvalid_port, bvalid.q());
    Write { accept, address: awaddr, data: wdata, strobe: wstrb, bvalid }
}

fn read_channel(m: &mut Builder) -> Read {
    m.comment("Read channels");
    let arvalid = m.input("s_axil_arvalid", Ty::BIT);
    let arready = m.output_port("s_axil_arready", Ty::BIT);
    let araddr = m.input("s_axil_araddr", Ty::Unsigned(ADDRESS_BITS));
    let rvalid_port = m.output_port("s_axil_rvalid", Ty::BIT);
    let rready = m.input("s_axil_rready", Ty::BIT);
    let rvalid = m.reg("rvalid", Ty::BIT, 0);
    m.drive(&arready, !rvalid.q());
    let accept = m.wire("read_accept", arvalid & !rvalid.q());
    m.on(&rvalid, &accept, 1);
    m.on(&rvalid, rready, 0);
    m.drive(&rvalid_port, rvalid.q());
    Read { accept, address: araddr, rvalid }
}

/// Storage and ports of one register; the word it reads as.
fn value(m: &mut Builder, config: &Config, register: &Register, write: &Write) -> Expr {
    let name = register.name.to_lowercase();
    let selected = |m: &mut Builder| m.wire(&format!("{name}_write"), &write.accept & write.address.eq(register.offset));
    match register.access {
        Access::ReadOnly => match register.reset {
            Reset::Build(_) => Expr::constant(WORD, register.reset_value(config).into()),
            Reset::Value(value) if value != 0 => Expr::constant(WORD, value.into()),
            Reset::Value(_) => word(register, |field| m.input(&port(register, field), Ty::Unsigned(field.map_or(32, |f| f.width)))),
        },
        Access::ReadWrite => {
            let selected = selected(m);
            let reset = register.reset_value(config);
            word(register, |field| {
                let (lsb, width) = field.map_or((0, 32), |f| (f.lsb, f.width));
                let port = port(register, field);
                let r = m.reg(&port, Ty::Unsigned(width), i128::from(reset >> lsb) & ((1 << width) - 1));
                m.on(&r, &selected, strobed(write, &r.q(), lsb, width));
                m.output(&port, r.q());
                r.q()
            })
        }
        Access::WriteOneToClear => {
            let selected = selected(m);
            word(register, |field| {
                let (lsb, width) = field.map_or((0, 32), |f| (f.lsb, f.width));
                let port = port(register, field);
                let set = m.input(&format!("{port}_set"), Ty::Unsigned(width));
                let r = m.reg(&port, Ty::Unsigned(width), 0);
                let zero = Expr::constant(Ty::Unsigned(width), 0);
                let cleared = selected.mux(strobed(write, &zero, lsb, width), &zero);
                let kept = m.wire(&format!("{port}_kept"), r.q() & !cleared);
                m.next(&r, kept | set);
                m.output(&port, r.q());
                r.q()
            })
        }
        Access::WriteOnly => {
            let selected = selected(m);
            for field in register.fields {
                let zero = Expr::constant(Ty::Unsigned(field.width), 0);
                let pulse = selected.repeat(field.width) & strobed(write, &zero, field.lsb, field.width);
                m.output(&port(register, Some(field)), pulse);
            }
            Expr::constant(WORD, 0)
        }
    }
}

fn port(register: &Register, field: Option<&Bits>) -> String {
    match field {
        Some(f) => format!("{}_{}", register.name.to_lowercase(), f.name),
        None => register.name.to_lowercase(),
    }
}

/// The word of a register from the values of its fields, zeros between them.
fn word(register: &Register, mut field: impl FnMut(Option<&Bits>) -> Expr) -> Expr {
    if register.fields.is_empty() {
        return field(None);
    }
    let mut parts = Vec::new();
    let mut at = 0;
    let mut fields: Vec<&Bits> = register.fields.iter().collect();
    fields.sort_by_key(|f| f.lsb);
    for f in fields {
        if f.lsb > at {
            parts.push(Expr::constant(Ty::Unsigned(f.lsb - at), 0));
        }
        parts.push(field(Some(f)));
        at = f.lsb + f.width;
    }
    if at < 32 {
        parts.push(Expr::constant(Ty::Unsigned(32 - at), 0));
    }
    Expr::pack(&parts)
}

/// Written bits where the byte strobe is set, `old` elsewhere.
fn strobed(write: &Write, old: &Expr, lsb: u32, width: u32) -> Expr {
    let mut parts = Vec::new();
    let mut at = lsb;
    while at < lsb + width {
        let end = ((at / 8 + 1) * 8).min(lsb + width);
        let (new, old) = (write.data.slice(at, end - at), old.slice(at - lsb, end - at));
        parts.push(write.strobe.bit(at / 8).mux(new, &old));
        at = end;
    }
    Expr::pack(&parts)
}

/// Read data and responses.
fn respond(m: &mut Builder, write: &Write, read: &Read, values: &[(&Register, Expr)]) {
    m.comment("The word at the address, and whether there is one");
    let data = m.variable("read_data", WORD);
    let found = m.variable("read_found", Ty::BIT);
    let mut arms = Vec::new();
    for (register, value) in values {
        let key = Expr::constant(Ty::Unsigned(ADDRESS_BITS), register.offset.into());
        arms.push((key, vec![Stmt::Comment(register.name.into()), m.assign(&data, value)]));
    }
    let body = vec![m.assign(&found, 1), Stmt::Case(read.address.clone(), arms, vec![m.assign(&data, 0), m.assign(&found, 0)])];
    m.process(&[data.clone(), found.clone()], body);
    let response = |ok: &Expr| ok.mux(Expr::constant(Ty::Unsigned(2), 0), &Expr::constant(Ty::Unsigned(2), SLVERR));
    let rdata = m.register_when("rdata", &read.accept, &data);
    let rresp = m.register_when("rresp", &read.accept, response(&found));
    m.output("s_axil_rdata", rdata);
    m.output("s_axil_rresp", rresp);
    let known = values.iter().map(|(r, _)| write.address.eq(r.offset)).reduce(|a, b| a | b);
    let known = m.wire("write_found", known.unwrap_or_else(|| Expr::bit_const(false)));
    let bresp = m.register_when("bresp", &write.accept, response(&known));
    m.output("s_axil_bresp", bresp);
    m.comment("Responses wait for the master");
    m.assert("write_answered_once", !(&write.accept & write.bvalid.q()));
    m.assert("read_answered_once", !(&read.accept & read.rvalid.q()));
}

/// The same, in plain Rust: [`crate::registers`] declares, `crate::device` answers.
pub mod golden {
    pub use crate::registers::REGISTERS;
}
