// SPDX-License-Identifier: MIT OR Apache-2.0
//! The link between host and board: a UART, and a bridge from its bytes to the buses.
//!
//! Ports      `rx_i`, `tx_o`: the wires, from any clock; `open_o`: a session is open; `m_axil_*`: AXI4-Lite master to the
//!            registers; `m_axi_*`: AXI4 master to the memory, signals as those of the accelerator's port
//! Latency    of the wire      Throughput  one byte in 10 bits and a cycle, each way
//! Rounding   none      Reset  no session, the line high
//!
//! docs/link.md has the format of the wire, [`wire`] its declaration, [`golden`] the bridge in plain Rust.

pub mod bone;
pub mod bridge;
pub mod bus;
pub mod executor;
pub mod framer;
pub mod golden;
pub mod receiver;
pub mod uart_rx;
pub mod uart_tx;
pub mod wire;

use heddle_lang::{BuildError, Builder, Expr, Module, Ty, builder::Outputs, import::ImportError, stdlib};
use std::sync::Arc;

/// Cycles of the clock per bit, at least: fewer leave no margin between two samples.
pub const LEAST_CYCLES_PER_BIT: u32 = 4;

/// A link of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkConfig {
    /// Width of the memory port in bits.
    pub port_bits: u32,
    /// Bytes of memory, from address [`wire::MEMORY`].
    pub memory_bytes: u64,
    pub clock_hz: u32,
    /// Bits per second on the wire.
    pub baud: u32,
    /// Milliseconds without a byte after which a started command is forgotten.
    pub silence_ms: u32,
    /// Frames beside uartbone. Without them a link takes a third of the cells, and the first damaged byte ends a session.
    pub frames: bool,
}

impl LinkConfig {
    /// With frames. The time-out is that of LiteX: 100 ms.
    pub fn new(port_bits: u32, memory_bytes: u64, clock_hz: u32, baud: u32) -> LinkConfig {
        LinkConfig { port_bits, memory_bytes, clock_hz, baud, silence_ms: 100, frames: true }
    }

    /// 2^24 x baud / clock, rounded.
    pub fn step(&self) -> u64 {
        let clock = u64::from(self.clock_hz.max(1));
        ((u64::from(self.baud) << uart_rx::PHASE_BITS) + clock / 2) / clock
    }

    fn silence_cycles(&self) -> u64 {
        u64::from(self.clock_hz) * u64::from(self.silence_ms) / 1000
    }

    /// What is not legal, with what would be.
    fn mistake(&self) -> Option<String> {
        let most = self.clock_hz / LEAST_CYCLES_PER_BIT;
        if self.baud == 0 || self.baud > most {
            return Some(format!("baud = {}: must be 1 to {most} with a clock of {} Hz", self.baud, self.clock_hz));
        }
        if self.step() == 0 {
            return Some(format!("baud = {}: too slow for a clock of {} Hz", self.baud, self.clock_hz));
        }
        let silence = self.silence_cycles();
        if silence == 0 || silence > u64::from(u32::MAX) {
            return Some(format!("silence_ms = {}: must be 1 to {} cycles", self.silence_ms, u32::MAX));
        }
        None
    }
}

/// UART and bridge.
pub fn link(config: &LinkConfig) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked("link", file!());
    m.doc(&format!("UART of {} baud at a clock of {} Hz, with a bridge to the buses.", config.baud, config.clock_hz));
    if let Some(mistake) = config.mistake() {
        m.error(mistake);
        return m.build();
    }
    let rx = m.input("rx", Ty::BIT);
    let tx = m.output_port("tx", Ty::BIT);
    let step = m.parameter("STEP", Ty::Unsigned(uart_rx::PHASE_BITS), i128::from(config.step()));
    let cycles = config.silence_cycles();
    let silence_bits = if config.frames { 32 } else { u64::BITS - cycles.leading_zeros() };
    let silence = m.parameter("SILENCE", Ty::Unsigned(silence_bits), i128::from(cycles));

    m.comment(if config.frames { "From the wire: bytes wait while a command is carried out" } else { "From the wire" });
    let line = m.instance("rx_sync", &stdlib::synchroniser(1)?, &[("from", rx)]).get("to");
    let receiver = m.instance("uart_rx", &uart_rx::uart_rx().map_err(ImportError::build_error)?, &[("rx", line), ("step", step.clone())]);
    let taken = m.forward("bridge_in_ready", Ty::BIT);
    let (valid, data) = if config.frames { backlog(&mut m, &receiver, &taken)? } else { at_once(&mut m, &receiver, &taken) };

    m.comment("To the wire");
    let sent = m.forward("uart_tx_in_ready", Ty::BIT);
    let unit = match config.frames {
        true => bridge::bridge(config.port_bits, config.memory_bytes)?,
        false => bone::bone(config.port_bits, config.memory_bytes, silence_bits)?,
    };
    let mut inputs: Vec<(String, Expr)> =
        [("in_valid", valid), ("in_data", data), ("out_ready", sent), ("silence", silence)].map(|(name, e)| (name.to_string(), e)).into();
    inputs.extend(bridge::pass_inputs(&mut m, &unit));
    let inputs: Vec<(&str, Expr)> = inputs.iter().map(|(name, e)| (name.as_str(), e.clone())).collect();
    let bridge = m.instance("bridge", &unit, &inputs);
    let line = m.instance(
        "uart_tx",
        &uart_tx::uart_tx().map_err(ImportError::build_error)?,
        &[("step", step), ("in_valid", bridge.get("out_valid")), ("in_data", bridge.get("out_data"))],
    );
    m.drive(&tx, line.get("tx"));
    m.output("open", bridge.get("open"));
    bridge::pass_outputs(&mut m, &unit, &bridge);
    m.build()
}

/// Bytes wait while a command is carried out.
fn backlog(m: &mut Builder, receiver: &Outputs, taken: &Expr) -> Result<(Expr, Expr), BuildError> {
    let backlog = m.instance(
        "backlog",
        &stdlib::fifo(8, wire::BACKLOG)?,
        &[("in_valid", receiver.get("valid")), ("in_data", receiver.get("data")), ("out_ready", taken.clone())],
    );
    let unread = [backlog.get("in_ready"), backlog.get("count"), receiver.get("broken")];
    m.unused("bytes", "A byte that is lost or broken shows in the CRC of its frame.", &unread);
    Ok((backlog.get("out_valid"), backlog.get("out_data")))
}

/// An access takes less time than the next byte, and nobody sends while answers come.
fn at_once(m: &mut Builder, receiver: &Outputs, taken: &Expr) -> (Expr, Expr) {
    m.unused("bytes", "A byte that is lost or broken shows in the CRC of what has passed.", &[taken.clone(), receiver.get("broken")]);
    (receiver.get("valid"), receiver.get("data"))
}
