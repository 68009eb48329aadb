// SPDX-License-Identifier: MIT OR Apache-2.0
//! One word at a time to the registers (AXI4-Lite master) or to the memory (AXI4 master, single beats).
//!
//! Ports      `req_*`: a request, held until `done_o`, with its word address; `word_o`, `error_o`: valid with `done_o`;
//!            `m_axil_*`: to the registers; `m_axi_*`: to the memory, signals as those of the accelerator's port
//! Latency    2 cycles and what the bus takes      Throughput  one request at a time
//! Rounding   none      Reset  nothing under way
//!
//! The map is that of `wire`: an address outside of both windows is answered with an error at once. A word that was not
//! read reads 0.

use super::wire;
use heddle_lang::{BuildError, Builder, Expr, Module, Ty, builder::address_bits};
use std::sync::Arc;

const WORD: u32 = 32;
/// Bits of a byte address of a register.
const REGISTER_BITS: u32 = 12;
/// Burst type of AXI4.
const INCR: i128 = 1;

/// The masters; `port_bits`: width of the memory port; `memory_bytes`: its size, from `wire::MEMORY`.
pub fn bus(port_bits: u32, memory_bytes: u64) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked(format!("link_bus_{port_bits}"), file!());
    m.doc("Words to the registers over AXI4-Lite, or to the memory over AXI4.");
    if let Some(mistake) = mistake(port_bits, memory_bytes, (1 << 32) - u64::from(wire::MEMORY)) {
        m.error(mistake);
        return m.build();
    }
    m.comment("Requests");
    let valid = m.input("req_valid", Ty::BIT);
    let write = m.input("req_write", Ty::BIT);
    let address = m.input("req_address", Ty::Unsigned(WORD));
    let data = m.input("req_data", Ty::Unsigned(WORD));

    m.comment("Where a word address leads");
    let register = m.wire("register_word", address.wrapping_sub(u64::from(wire::REGISTERS / 4)));
    let memory = m.wire("memory_word", address.wrapping_sub(u64::from(wire::MEMORY / 4)));
    let in_registers = m.wire("in_registers", register.lt(u64::from(wire::REGISTER_BYTES / 4)));
    let in_memory = m.wire("in_memory", memory.lt(memory_bytes / 4));
    m.unused("addresses", "Bits above the windows.", &[register.slice(10, 22), memory.slice(30, 2)]);

    m.comment("The access under way");
    let (aw, w, b) = (m.reg("awvalid", Ty::BIT, 0), m.reg("wvalid", Ty::BIT, 0), m.reg("waits_b", Ty::BIT, 0));
    let (ar, r) = (m.reg("arvalid", Ty::BIT, 0), m.reg("waits_r", Ty::BIT, 0));
    let done = m.reg("done", Ty::BIT, 0);
    let idle = m.wire("idle", !b.q() & !r.q() & !done.q());
    let start = m.wire("start", &valid & &idle);
    let known = m.wire("known", &in_registers | &in_memory);
    let to_registers = m.register_when("to_registers", &start, &in_registers);
    for (reg, starts) in [(&aw, &write), (&w, &write), (&b, &write)] {
        m.on(reg, &start & &known & starts, 1);
    }
    for reg in [&ar, &r] {
        m.on(reg, &start & &known & !&write, 1);
    }
    let offset = m.register_when("offset", &start, in_registers.mux(register.slice(0, 30), &memory.slice(0, 30)));
    let value = m.register_when("value", &start, &data);

    let lite = lite(&mut m, &offset, &value);
    let axi = axi(&mut m, port_bits, &offset, &value);
    let choose = |name: &str| to_registers.mux(lite.get(name), &axi.get(name));
    let (awready, wready, arready) = (choose("awready"), choose("wready"), choose("arready"));
    m.on(&aw, awready, 0);
    m.on(&w, wready, 0);
    m.on(&ar, arready, 0);
    let valids = [("awvalid", &aw), ("wvalid", &w), ("arvalid", &ar)];
    for (name, reg) in valids {
        m.drive(&lite.get(&format!("{name}_port")), reg.q() & &to_registers);
        m.drive(&axi.get(&format!("{name}_port")), reg.q() & !&to_registers);
    }
    let written = m.wire("written", b.q() & choose("bvalid"));
    let read = m.wire("read", r.q() & choose("rvalid"));
    m.on(&b, &written, 0);
    m.on(&r, &read, 0);
    m.next(&done, (&start & !&known) | &written | &read);

    m.comment("The answer");
    let failed = (&written & choose("berror")) | (&read & choose("rerror")) | (&start & !&known);
    let error = m.register("error", failed);
    let word = m.reg_no_reset("word", Ty::Unsigned(WORD));
    m.on(&word, &start, 0);
    m.on(&word, &read & !choose("rerror"), choose("rdata"));
    m.output("done", done.q());
    m.output("error", error);
    m.output("word", word.q());
    m.build()
}

/// What is not legal, with what would be; `most`: bytes of memory.
pub(super) fn mistake(port_bits: u32, memory_bytes: u64, most: u64) -> Option<String> {
    if !(port_bits.is_power_of_two() && (32..=512).contains(&port_bits)) {
        return Some(format!("port_bits = {port_bits}: must be 32, 64, 128, 256 or 512"));
    }
    let whole = memory_bytes != 0 && memory_bytes.is_multiple_of(u64::from(port_bits / 8));
    let legal = whole && memory_bytes <= most;
    (!legal).then(|| format!("memory_bytes = {memory_bytes}: must be a multiple of the port, 1 beat to {most}"))
}

/// The signals of a bus by their names; those that this module drives later end in `_port`.
pub(super) struct Signals(Vec<(String, Expr)>);

impl Signals {
    pub(super) fn get(&self, name: &str) -> Expr {
        let found = self.0.iter().find(|(n, _)| n == name);
        found.map_or_else(|| Expr::poison(Ty::BIT, format!("no signal `{name}`")), |(_, e)| e.clone())
    }
}

/// Channels of a master; responses are always taken.
fn channels(m: &mut Builder, bus: &str, data_bits: u32) -> (Signals, Expr) {
    let mut all = Vec::new();
    for valid in ["awvalid", "wvalid", "arvalid"] {
        all.push((format!("{valid}_port"), m.output_port(&format!("{bus}_{valid}"), Ty::BIT)));
    }
    for input in ["awready", "wready", "bvalid", "arready", "rvalid"] {
        all.push((input.to_string(), m.input(&format!("{bus}_{input}"), Ty::BIT)));
    }
    for (response, error) in [("bresp", "berror"), ("rresp", "rerror")] {
        let bits = m.input(&format!("{bus}_{response}"), Ty::Unsigned(2));
        m.unused(&format!("{bus}_{response}"), "Bit 1 of the response says error.", &[bits.bit(0)]);
        all.push((error.to_string(), bits.bit(1)));
    }
    m.output(&format!("{bus}_bready"), Expr::bit_const(true));
    m.output(&format!("{bus}_rready"), Expr::bit_const(true));
    let rdata = m.input(&format!("{bus}_rdata"), Ty::Unsigned(data_bits));
    (Signals(all), rdata)
}

/// The master of the registers, for a word's number and its value.
pub(super) fn lite(m: &mut Builder, offset: &Expr, value: &Expr) -> Signals {
    m.comment("AXI4-Lite master to the registers");
    let (mut signals, rdata) = channels(m, "m_axil", WORD);
    let address = Expr::concat([offset.slice(0, REGISTER_BITS - 2), Expr::constant(Ty::Unsigned(2), 0)]);
    m.output("m_axil_awaddr", &address);
    m.output("m_axil_araddr", &address);
    m.output("m_axil_wdata", value);
    m.output("m_axil_wstrb", Expr::constant(Ty::Unsigned(4), 15));
    signals.0.push(("rdata".into(), rdata));
    signals
}

/// The master of the memory, likewise.
pub(super) fn axi(m: &mut Builder, port_bits: u32, offset: &Expr, value: &Expr) -> Signals {
    m.comment("AXI4 master to the memory");
    let (mut signals, rdata) = channels(m, "m_axi", port_bits);
    let words = port_bits / WORD;
    let lane_bits = words.trailing_zeros();
    let beat = Expr::concat([offset.slice(lane_bits, 30 - lane_bits), Expr::constant(Ty::Unsigned(lane_bits + 2), 0)]);
    for channel in ["aw", "ar"] {
        m.output(&format!("m_axi_{channel}addr"), &beat);
        m.output(&format!("m_axi_{channel}len"), Expr::constant(Ty::Unsigned(8), 0));
        m.output(&format!("m_axi_{channel}size"), Expr::constant(Ty::Unsigned(3), i128::from((port_bits / 8).trailing_zeros())));
        m.output(&format!("m_axi_{channel}burst"), Expr::constant(Ty::Unsigned(2), INCR));
    }
    m.output("m_axi_wlast", Expr::bit_const(true));
    m.output("m_axi_wdata", value.repeat(words));
    let rlast = m.input("m_axi_rlast", Ty::BIT);
    m.unused("rlast", "Every burst is one beat.", &[rlast]);
    let (strobes, word) = match words {
        1 => (Expr::constant(Ty::Unsigned(4), 15), rdata),
        _ => {
            let lane = m.wire("lane", offset.slice(0, address_bits(words)));
            let strobes: Vec<Expr> = (0..words).map(|i| lane.eq(i).repeat(4)).collect();
            (Expr::pack(&strobes), lane.choose(&rdata.chunks(WORD)))
        }
    };
    m.output("m_axi_wstrb", strobes);
    signals.0.push(("rdata".into(), word));
    signals
}
