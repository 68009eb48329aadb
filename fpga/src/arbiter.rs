// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two AXI4 masters on one memory.
//!
//! Ports      `s0_axi_*`, `s1_axi_*`: AXI4 slaves for the masters; `m_axi_*`: AXI4 master to the memory; all with the
//!            signals of the accelerator's memory port
//! Latency    none: every channel passes within the cycle      Throughput  that of the memory
//! Rounding   none      Reset  forgets what is under way; slave 0 comes first
//!
//! Masters take turns burst by burst, reads and writes each for themselves. The memory answers in order, so a queue
//! of whose turn it was leads data and responses back; as many bursts as it holds may be under way in each direction.

use heddle_lang::{BuildError, Builder, Expr, Module, Ty, stdlib};
use std::sync::Arc;

/// Bursts under way in each direction that hide the latency of any memory here.
pub const UNDER_WAY: u32 = 8;
/// Masters.
const MASTERS: usize = 2;
/// Fields of an address channel.
const FIELDS: [(&str, u32); 4] = [("addr", 32), ("len", 8), ("size", 3), ("burst", 2)];

/// One valid/ready channel.
struct Channel {
    valid: Expr,
    ready: Expr,
    fields: Vec<Expr>,
}

impl Channel {
    /// At a slave: the master offers.
    fn from_master(m: &mut Builder, name: &str, fields: &[(&str, u32)]) -> Channel {
        let valid = m.input(&format!("{name}valid"), Ty::BIT);
        let ready = m.output_port(&format!("{name}ready"), Ty::BIT);
        let fields = fields.iter().map(|(field, bits)| m.input(&format!("{name}{field}"), Ty::Unsigned(*bits))).collect();
        Channel { valid, ready, fields }
    }

    /// At a master: this module offers.
    fn to_memory(m: &mut Builder, name: &str, fields: &[(&str, u32)]) -> Channel {
        let valid = m.output_port(&format!("{name}valid"), Ty::BIT);
        let ready = m.input(&format!("{name}ready"), Ty::BIT);
        let fields = fields.iter().map(|(field, bits)| m.output_port(&format!("{name}{field}"), Ty::Unsigned(*bits))).collect();
        Channel { valid, ready, fields }
    }

    fn payload(&self) -> Expr {
        Expr::pack(&self.fields)
    }

    /// Drives the fields from their packed form.
    fn unpack(&self, m: &mut Builder, payload: &Expr) {
        self.fields.iter().fold(0, |lsb, field| {
            m.drive(field, payload.slice(lsb, field.width()));
            lsb + field.width()
        });
    }
}

/// The arbiter for a port of `port_bits` bits: 32, 64, 128, 256 or 512; `under_way`: bursts in each direction.
pub fn arbiter(port_bits: u32, under_way: u32) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked(format!("axi_arbiter_{port_bits}"), file!());
    m.doc("Two AXI4 masters on one memory, burst by burst in turn.");
    if !(port_bits.is_power_of_two() && (32..=512).contains(&port_bits)) {
        m.error(format!("port_bits = {port_bits}: must be 32, 64, 128, 256 or 512"));
        return m.build();
    }
    reads(&mut m, port_bits, under_way)?;
    writes(&mut m, port_bits, under_way)?;
    m.build()
}

fn masters(m: &mut Builder, channel: &str, fields: &[(&str, u32)]) -> Vec<Channel> {
    (0..MASTERS).map(|i| Channel::from_master(m, &format!("s{i}_axi_{channel}"), fields)).collect()
}

/// Address channels into one; the source of each burst that passes goes into the queues that are given.
fn addresses(m: &mut Builder, channel: &str, queues: &[&str]) -> Result<(Expr, Expr), BuildError> {
    m.comment(&format!("{} addresses", if channel == "ar" { "Read" } else { "Write" }));
    let from = masters(m, channel, &FIELDS);
    let to = Channel::to_memory(m, &format!("m_axi_{channel}"), &FIELDS);
    m.comment("A burst passes when its source can be remembered");
    let room = queues.iter().map(|queue| m.forward(&format!("{queue}_in_ready"), Ty::BIT)).reduce(|a, b| a & b);
    let room = m.wire(&format!("{channel}_room"), room.unwrap_or_else(|| Expr::bit_const(true)));
    let choice = m.instance(
        &format!("{channel}_turn"),
        &stdlib::round_robin(MASTERS as u32, from[0].payload().width())?,
        &[
            ("in_0_valid", from[0].valid.clone()),
            ("in_0_data", from[0].payload()),
            ("in_1_valid", from[1].valid.clone()),
            ("in_1_data", from[1].payload()),
            ("out_ready", &to.ready & &room),
        ],
    );
    m.drive(&from[0].ready, choice.get("in_0_ready"));
    m.drive(&from[1].ready, choice.get("in_1_ready"));
    m.drive(&to.valid, choice.get("out_valid") & &room);
    to.unpack(m, &choice.get("out_data"));
    let passes = m.wire(&format!("{channel}_passes"), &to.valid & &to.ready);
    Ok((passes, choice.get("out_source")))
}

/// Sources of bursts under way, oldest first: whether there is one, and which.
fn queue(m: &mut Builder, name: &str, words: u32, (passes, source): (&Expr, &Expr), done: &Expr) -> Result<(Expr, Expr), BuildError> {
    let inputs = [("in_valid", passes.clone()), ("in_data", source.clone()), ("out_ready", done.clone())];
    let out = m.instance(name, &stdlib::fifo(1, words)?, &inputs);
    m.unused(name, "Its readiness says enough.", &[out.get("count")]);
    Ok((out.get("out_valid"), out.get("out_data")))
}

fn reads(m: &mut Builder, port_bits: u32, under_way: u32) -> Result<(), BuildError> {
    let (passes, source) = addresses(m, "ar", &["reads"])?;
    let fields = [("data", port_bits), ("resp", 2), ("last", 1)];
    let last_beat = m.forward("last_beat", Ty::BIT);
    let (known, whose) = queue(m, "reads", under_way, (&passes, &source), &last_beat)?;
    m.comment("Read data");
    let beat = Channel::from_master(m, "m_axi_r", &fields);
    let to: Vec<Channel> = (0..MASTERS).map(|i| Channel::to_memory(m, &format!("s{i}_axi_r"), &fields)).collect();
    lead_back(m, &beat, &to, &known, &whose);
    m.drive(&last_beat, &beat.valid & &beat.ready & &beat.fields[2]);
    Ok(())
}

/// A channel from the memory to the master whose turn it was.
fn lead_back(m: &mut Builder, from: &Channel, to: &[Channel], known: &Expr, whose: &Expr) {
    for (i, to) in to.iter().enumerate() {
        m.drive(&to.valid, &from.valid & known & whose.eq(i));
        to.unpack(m, &from.payload());
    }
    m.drive(&from.ready, known & whose.mux(&to[1].ready, &to[0].ready));
}

fn writes(m: &mut Builder, port_bits: u32, under_way: u32) -> Result<(), BuildError> {
    let (passes, source) = addresses(m, "aw", &["bursts", "writes"])?;
    let last_beat = m.forward("last_written", Ty::BIT);
    let (known, whose) = queue(m, "bursts", under_way, (&passes, &source), &last_beat)?;
    m.comment("Written data, in the order of the addresses");
    let fields = [("data", port_bits), ("strb", port_bits / 8), ("last", 1)];
    let from = masters(m, "w", &fields);
    let to = Channel::to_memory(m, "m_axi_w", &fields);
    m.drive(&to.valid, &known & whose.mux(&from[1].valid, &from[0].valid));
    for (i, from) in from.iter().enumerate() {
        m.drive(&from.ready, &known & whose.eq(i) & &to.ready);
    }
    to.unpack(m, &whose.mux(from[1].payload(), &from[0].payload()));
    m.drive(&last_beat, &to.valid & &to.ready & &to.fields[2]);

    let answered = m.forward("answered", Ty::BIT);
    let (known, whose) = queue(m, "writes", under_way, (&passes, &source), &answered)?;
    m.comment("Responses");
    let response = Channel::from_master(m, "m_axi_b", &[("resp", 2)]);
    let to: Vec<Channel> = (0..MASTERS).map(|i| Channel::to_memory(m, &format!("s{i}_axi_b"), &[("resp", 2)])).collect();
    lead_back(m, &response, &to, &known, &whose);
    m.drive(&answered, &response.valid & &response.ready);
    Ok(())
}
