// SPDX-License-Identifier: MIT OR Apache-2.0
//! The registers, as an AXI4-Lite slave made from their one declaration (`crate::registers`).
//!
//! Ports      `s_axil_*`; per register that the hardware writes: an input of its name (fields: `<register>_<field>`);
//!            per register that software writes: an output
//! Latency    3 cycles a read, 2 cycles a write; compact 2 and 1; a command one more      Throughput  one access at a time
//! Rounding   none      Reset  each register's declared value
//!
//! An address that is not declared is answered with SLVERR and reads 0. Byte strobes apply to writable registers.

use crate::{
    config::Config,
    registers::{ADDRESS_BITS, Access, Bits, Register, Reset, present},
};
use heddle_lang::{BuildError, Builder, Expr, Module, Ty};
use std::sync::Arc;

const SLVERR: i128 = 2;
const WORD: Ty = Ty::Unsigned(32);

/// The register block.
pub fn csr(config: &Config) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked("csr", file!());
    m.doc("Registers on AXI4-Lite, generated from their declaration; docs/registers.md lists them.");
    let (write, read) = match config.compact {
        true => (held_write(&mut m), held_read(&mut m)),
        false => (write_channel(&mut m), read_channel(&mut m)),
    };
    let mut words = Vec::new();
    for register in present(config) {
        m.comment(&format!("{}: {}", register.name, register.doc));
        let offset = m.parameter(&format!("{}_OFFSET", register.name), Ty::Unsigned(ADDRESS_BITS), register.offset.into());
        let value = value(&mut m, config, register, &offset, &write);
        words.push(selected_word(&mut m, config, register, &read, &offset, &value));
    }
    respond(&mut m, config, &write, &read, &words);
    m.build()
}

struct Write {
    accept: Expr,
    address: Expr,
    data: Expr,
    strobe: Expr,
}

struct Read {
    /// The address of a read, in the cycle in which it is taken.
    address: Expr,
    /// The word at the address is being looked up.
    found: Expr,
}

/// What a register gives to a read.
struct Word {
    selected: Expr,
    /// The word of the register where it is selected, else 0; none where it reads 0 always.
    data: Option<Expr>,
}

/// Address and data are taken when they come, each into a register: no path from an input to a ready.
fn write_channel(m: &mut Builder) -> Write {
    m.comment("Write channels: address and data come in any order");
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
    let (has_address, has_data) = (m.reg("has_address", Ty::BIT, 0), m.reg("has_data", Ty::BIT, 0));
    let accept = m.wire("write_accept", has_address.q() & has_data.q() & !bvalid.q());
    m.drive(&awready, !has_address.q());
    m.drive(&wready, !has_data.q());
    let (take_address, take_data) = (m.wire("take_address", awvalid & !has_address.q()), m.wire("take_data", wvalid & !has_data.q()));
    m.on(&has_address, &take_address, 1);
    m.on(&has_address, &accept, 0);
    m.on(&has_data, &take_data, 1);
    m.on(&has_data, &accept, 0);
    let address = m.register_when("write_address", &take_address, &awaddr);
    let data = m.register_when("write_data", &take_data, &wdata);
    let strobe = m.register_when("write_strobe", &take_data, &wstrb);
    m.on(&bvalid, &accept, 1);
    m.on(&bvalid, bready, 0);
    m.drive(&bvalid_port, bvalid.q());
    Write { accept, address, data, strobe }
}

/// Address and data are taken together, in the cycle in which they are used: until then the master holds them.
fn held_write(m: &mut Builder) -> Write {
    m.comment("Write channels: the master holds address and data until both are there");
    let awvalid = m.input("s_axil_awvalid", Ty::BIT);
    let awready = m.output_port("s_axil_awready", Ty::BIT);
    let address = m.input("s_axil_awaddr", Ty::Unsigned(ADDRESS_BITS));
    let wvalid = m.input("s_axil_wvalid", Ty::BIT);
    let wready = m.output_port("s_axil_wready", Ty::BIT);
    let data = m.input("s_axil_wdata", WORD);
    let strobe = m.input("s_axil_wstrb", Ty::Unsigned(4));
    let bvalid_port = m.output_port("s_axil_bvalid", Ty::BIT);
    let bready = m.input("s_axil_bready", Ty::BIT);
    let bvalid = m.reg("bvalid", Ty::BIT, 0);
    let accept = m.wire("write_accept", awvalid & wvalid & !bvalid.q());
    m.drive(&awready, &accept);
    m.drive(&wready, &accept);
    m.on(&bvalid, &accept, 1);
    m.on(&bvalid, bready, 0);
    m.drive(&bvalid_port, bvalid.q());
    Write { accept, address, data, strobe }
}

/// The address is taken in the cycle in which it is used.
fn held_read(m: &mut Builder) -> Read {
    m.comment("Read channels: the master holds the address while the word is looked up");
    let arvalid = m.input("s_axil_arvalid", Ty::BIT);
    let arready = m.output_port("s_axil_arready", Ty::BIT);
    let address = m.input("s_axil_araddr", Ty::Unsigned(ADDRESS_BITS));
    let rvalid_port = m.output_port("s_axil_rvalid", Ty::BIT);
    let rready = m.input("s_axil_rready", Ty::BIT);
    let rvalid = m.reg("rvalid", Ty::BIT, 0);
    let found = m.wire("read_accept", arvalid & !rvalid.q());
    m.drive(&arready, &found);
    m.on(&rvalid, &found, 1);
    m.on(&rvalid, rready, 0);
    m.drive(&rvalid_port, rvalid.q());
    Read { address, found }
}

/// The address is compared when it comes, and flags are kept, one for each register: behind a flag are the values of all
/// units, and an address before them would be the longest path of the engine.
fn read_channel(m: &mut Builder) -> Read {
    m.comment("Read channels");
    let arvalid = m.input("s_axil_arvalid", Ty::BIT);
    let arready = m.output_port("s_axil_arready", Ty::BIT);
    let address = m.input("s_axil_araddr", Ty::Unsigned(ADDRESS_BITS));
    let rvalid_port = m.output_port("s_axil_rvalid", Ty::BIT);
    let rready = m.input("s_axil_rready", Ty::BIT);
    let rvalid = m.reg("rvalid", Ty::BIT, 0);
    let reading = m.reg("reading", Ty::BIT, 0);
    let free = m.wire("read_free", !rvalid.q() & !reading.q());
    m.drive(&arready, &free);
    let accept = m.wire("read_accept", arvalid & free);
    m.next(&reading, accept);
    m.on(&rvalid, reading.q(), 1);
    m.on(&rvalid, rready, 0);
    m.drive(&rvalid_port, rvalid.q());
    Read { address, found: reading.q() }
}

/// Compares the address of a read with that of a register; not compact, the answer is there a cycle later.
fn selected_word(m: &mut Builder, config: &Config, register: &Register, read: &Read, offset: &Expr, value: &Expr) -> Word {
    let name = register.name.to_lowercase();
    let hit = read.address.eq(offset);
    let selected = match config.compact {
        true => m.wire(&format!("{name}_selected"), hit),
        false => m.register(&format!("{name}_selected"), hit),
    };
    let data = (register.access != Access::WriteOnly).then(|| m.wire(&format!("{name}_read"), selected.repeat(32) & value));
    Word { selected, data }
}

/// Storage and ports of one register; the word it reads as.
fn value(m: &mut Builder, config: &Config, register: &Register, offset: &Expr, write: &Write) -> Expr {
    let name = register.name.to_lowercase();
    let selected = |m: &mut Builder| m.wire(&format!("{name}_write"), &write.accept & write.address.eq(offset));
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
                let kept = m.wire(&format!("{port}_kept"), r.q() & !ones(write, &selected, lsb, width));
                m.next(&r, kept | set);
                m.output(&port, r.q());
                r.q()
            })
        }
        Access::WriteOnly => {
            let selected = selected(m);
            for field in register.fields {
                let port = port(register, Some(field));
                // A cycle later: what it starts goes on in logic of its own.
                let pulse = m.register_reset(&port, ones(write, &selected, field.lsb, field.width));
                m.output(&port, pulse);
            }
            Expr::constant(WORD, 0)
        }
    }
}

/// Name of the port of a register, or of a field of it.
pub fn port(register: &Register, field: Option<&Bits>) -> String {
    match field {
        // CAUSE has a field of its own name.
        Some(f) if f.name == register.name.to_lowercase() => f.name.to_string(),
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

/// The ones that are written where `selected` and the byte strobe are set.
fn ones(write: &Write, selected: &Expr, lsb: u32, width: u32) -> Expr {
    let strobes: Vec<Expr> = (lsb..lsb + width).map(|bit| selected & write.strobe.bit(bit / 8)).collect();
    Expr::pack(&strobes) & write.data.slice(lsb, width)
}

/// The OR of all of them.
fn any(ty: Ty, parts: impl Iterator<Item = Expr>) -> Expr {
    parts.reduce(|a, b| a | b).unwrap_or_else(|| Expr::constant(ty, 0))
}

/// Read data and responses.
fn respond(m: &mut Builder, config: &Config, write: &Write, read: &Read, words: &[Word]) {
    m.comment("The word at the address: one register is selected, or none");
    let data = m.wire("read_data", any(WORD, words.iter().filter_map(|word| word.data.clone())));
    m.comment("Addresses without a register are answered with an error");
    let response = |ok: &Expr| ok.mux(Expr::constant(Ty::Unsigned(2), 0), &Expr::constant(Ty::Unsigned(2), SLVERR));
    let read_found = m.wire("read_found", any(Ty::BIT, words.iter().map(|word| word.selected.clone())));
    let write_found = m.wire("write_found", is_register(config, &write.address));
    let rdata = m.register_when("rdata", &read.found, &data);
    let rresp = m.register_when("rresp", &read.found, response(&read_found));
    m.output("s_axil_rdata", rdata);
    m.output("s_axil_rresp", rresp);
    let bresp = m.register_when("bresp", &write.accept, response(&write_found));
    m.output("s_axil_bresp", bresp);
}

/// Whether there is a register at an address: offsets in runs of words.
fn is_register(config: &Config, address: &Expr) -> Expr {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for register in present(config) {
        match runs.last_mut() {
            Some((_, last)) if *last + 4 == register.offset => *last = register.offset,
            _ => runs.push((register.offset, register.offset)),
        }
    }
    let within = |&(first, last): &(u32, u32)| match first {
        0 => address.le(last),
        _ => address.ge(first) & address.le(last),
    };
    let any = runs.iter().map(within).reduce(|a, b| a | b).unwrap_or_else(|| Expr::bit_const(false));
    address.slice(0, 2).is_zero() & any
}

/// The same, in plain Rust: [`crate::registers`] declares, `crate::device` answers.
pub mod golden {
    pub use crate::registers::REGISTERS;
}
