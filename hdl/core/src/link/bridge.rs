// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes of a wire to accesses of registers and memory: LiteX's uartbone, and frames with sequence numbers and CRC.
//!
//! Ports      `in_*`, `out_*`: streams of bytes from and to the wire; `silence_i`: cycles after which a started command is
//!            forgotten; `open_o`: a session is open; `m_axil_*`, `m_axi_*`: the buses
//! Latency    5 cycles from the last byte of a command to its first access      Throughput  a byte per cycle in, a word at
//!            a time on the buses      Rounding  none      Reset  no session, between commands

use super::{bus, executor, framer, receiver, wire};
use heddle_lang::{BuildError, Builder, Expr, Module, Ty, builder::Outputs, import::ImportError, stdlib::Stream};
use std::sync::Arc;

/// The bridge, for a memory port of so many bits and a memory of so many bytes.
pub fn bridge(port_bits: u32, memory_bytes: u64) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked(format!("link_bridge_{port_bits}"), file!());
    m.doc("Bytes of a wire to accesses of registers and memory; docs/link.md has the format.");
    let input = Stream::input(&mut m, "in", Ty::Unsigned(8));
    let output = Stream::output(&mut m, "out", Ty::Unsigned(8));
    let silence = m.input("silence", Ty::Unsigned(32));

    m.comment("Bytes to commands");
    let open = m.forward("executor_open", Ty::BIT);
    let done = m.forward("executor_done", Ty::BIT);
    let right = m.forward("crc_right", Ty::BIT);
    let receiver = m.instance(
        "receiver",
        &receiver::receiver().map_err(ImportError::build_error)?,
        &[
            ("byte_valid", input.valid.clone()),
            ("byte_data", input.data.clone()),
            ("open", open.clone()),
            ("silence", silence),
            ("crc_right", right.clone()),
            ("done", done),
        ],
    );
    m.drive(&input.ready, receiver.get("byte_ready"));
    let crc = crc(&mut m, "crc", &receiver.get("crc_clear"), &receiver.get("crc_take"), &receiver.get("plain"))?;
    m.drive(&right, crc.eq(u64::from(wire::CRC_RIGHT)));

    m.comment("Payload: of a write its words, of a read or a check their count");
    let payload = m.memory("payload", 32, (wire::PAYLOAD / wire::WORD) as u32);
    // A word is read again after the command that wrote it is whole: what a read in the cycle of its write gives is not used.
    m.memory_attribute(payload, "no_rw_check");
    let index = receiver.get("word_index");
    let fits = m.wire("payload_fits", index.slice(8, 2).is_zero());
    m.write(payload, receiver.get("word_write") & fits, &index.slice(0, 8), receiver.get("word"));
    let payload_index = m.forward("executor_payload_index", Ty::Unsigned(8));
    let payload_word = m.read(payload, "payload_word", Expr::bit_const(true), &payload_index);

    m.comment("Commands to accesses and replies");
    let sum = m.forward("sum", Ty::Unsigned(32));
    let framer_ready = m.forward("framer_in_ready", Ty::BIT);
    let bus_outputs = [("bus_done", "bus_done", Ty::BIT), ("bus_error", "bus_error", Ty::BIT), ("bus_word", "bus_word", Ty::Unsigned(32))];
    let mut inputs: Vec<(&str, Expr)> = bus_outputs.map(|(input, net, ty)| (input, m.forward(net, ty))).into();
    inputs.extend(["command", "frame", "broken", "head", "words"].map(|name| (name, receiver.get(name))));
    inputs.extend([("payload_word", payload_word), ("sum", sum.clone()), ("out_ready", framer_ready)]);
    let executor = m.instance("executor", &executor::executor().map_err(ImportError::build_error)?, &inputs);
    let total = crc_sum(&mut m, &executor)?;
    m.drive(&sum, !total);

    m.comment("Replies to bytes");
    let out_crc = m.forward("out_crc", Ty::Unsigned(32));
    let framer = m.instance(
        "framer",
        &framer::framer().map_err(ImportError::build_error)?,
        &[
            ("in_valid", executor.get("out_valid")),
            ("in_data", executor.get("out_data")),
            ("in_raw", executor.get("out_raw")),
            ("in_last", executor.get("out_last")),
            ("crc", out_crc.clone()),
            ("out_ready", output.ready.clone()),
        ],
    );
    let reply = crc_of_reply(&mut m, &framer, &executor.get("out_data"))?;
    m.drive(&out_crc, !reply);
    m.drive(&output.valid, framer.get("out_valid"));
    m.drive(&output.data, framer.get("out_data"));
    m.output("open", open);

    m.comment("The buses");
    buses(&mut m, &bus::bus(port_bits, memory_bytes)?, &executor);
    m.build()
}

fn crc_sum(m: &mut Builder, executor: &Outputs) -> Result<Expr, BuildError> {
    crc(m, "check", &executor.get("sum_clear"), &executor.get("sum_take"), &executor.get("sum_byte"))
}

fn crc_of_reply(m: &mut Builder, framer: &Outputs, byte: &Expr) -> Result<Expr, BuildError> {
    crc(m, "reply", &framer.get("crc_clear"), &framer.get("crc_take"), byte)
}

/// A CRC register: its content before the bytes of this cycle.
fn crc(m: &mut Builder, name: &str, clear: &Expr, take: &Expr, byte: &Expr) -> Result<Expr, BuildError> {
    let register = m.reg_no_reset(&format!("{name}_crc"), Ty::Unsigned(32));
    let step = m.instance(&format!("{name}_step"), &crc_step()?, &[("crc", register.q()), ("byte", byte.clone())]);
    m.on(&register, clear, i128::from(wire::CRC_START));
    m.on(&register, take, step.get("next"));
    Ok(register.q())
}

/// CRC-32 with one more byte, combinational.
pub fn crc_step() -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::new("crc32_byte", file!());
    m.doc("CRC-32 (IEEE 802.3, reflected) with one more byte.");
    let crc = m.input("crc", Ty::Unsigned(32));
    let byte = m.input("byte", Ty::Unsigned(8));
    let low = m.wire("low", crc.slice(0, 8) ^ byte);
    let bits: Vec<Expr> = (0..32)
        .map(|i| {
            // What bit j of the low byte leaves behind after eight steps.
            let taps = (0..8).filter(|j| wire::crc_byte(0, 1 << j) >> i & 1 == 1).map(|j| low.bit(j));
            let shifted = (i < 24).then(|| crc.bit(i + 8));
            shifted.into_iter().chain(taps).reduce(|a, b| a ^ b).unwrap_or_else(|| Expr::bit_const(false))
        })
        .collect();
    m.output("next", Expr::pack(&bits));
    m.build()
}

/// The bus masters, their ports brought out.
fn buses(m: &mut Builder, bus: &Arc<Module>, executor: &Outputs) {
    let mut inputs: Vec<(String, Expr)> =
        [("req_valid", "bus_valid"), ("req_write", "bus_write"), ("req_address", "bus_address"), ("req_data", "bus_data")]
            .map(|(input, output)| (input.to_string(), executor.get(output)))
            .into();
    inputs.extend(pass_inputs(m, bus));
    let inputs: Vec<(&str, Expr)> = inputs.iter().map(|(name, e)| (name.as_str(), e.clone())).collect();
    let outputs = m.instance("bus", bus, &inputs);
    pass_outputs(m, bus, &outputs);
}

/// Inputs of the module for the bus inputs of `unit`.
pub(super) fn pass_inputs(m: &mut Builder, unit: &Arc<Module>) -> Vec<(String, Expr)> {
    use heddle_lang::module::NetKind;
    let inputs = unit.ports().filter(|(_, net)| net.kind == NetKind::Input && net.name.starts_with("m_axi"));
    inputs.map(|(_, net)| (net.name.clone(), m.input(&net.name, net.ty))).collect()
}

/// Outputs of the module for the bus outputs of `unit`.
pub(super) fn pass_outputs(m: &mut Builder, unit: &Arc<Module>, outputs: &Outputs) {
    use heddle_lang::module::NetKind;
    for (_, net) in unit.ports().filter(|(_, net)| net.kind == NetKind::Output && net.name.starts_with("m_axi")) {
        m.output(&net.name, outputs.get(&net.name));
    }
}
