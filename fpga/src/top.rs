// SPDX-License-Identifier: MIT OR Apache-2.0
//! The top of a board: PLL (none where the core runs with the oscillator), reset, and the [`system`](crate::system) on their clock; its ports are the pins.
//!
//! Ports      `clk_i`: the oscillator; `button_i`, `rx_i`, `tx_o`, `led_o`, `high_o`; with SDRAM `sdram_*`, the data bus as
//!            value out, enable and value in, which [`pads`](crate::pads) makes one pin of
//! Latency    of the units      Throughput  likewise      Rounding  none      Reset  by itself
//!
//! In simulation the PLL passes its input on, so one cycle of `clk_i` is one cycle of everything inside.

use crate::{
    board::{Board, BoardError, MemoryKind},
    reset::reset,
    system::{Memory, SystemConfig, system},
};
use heddle_core::{config::Config, link::LinkConfig};
use heddle_lang::{
    BuildError, Builder, Expr, Module, Target, Ty,
    module::NetKind,
    primitive::{Pll, PllClock, PllError, pll},
};
use std::sync::Arc;

/// The wire to the host as it is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    pub baud: u32,
    /// Milliseconds without a byte after which a started command is forgotten.
    pub silence_ms: u32,
}

impl Wire {
    /// That of the board.
    pub fn of(board: &Board) -> Wire {
        Wire { baud: board.link.baud, silence_ms: 100 }
    }
}

/// Why there is no design for a board.
#[derive(Debug, thiserror::Error)]
pub enum TopError {
    #[error(transparent)]
    Board(#[from] BoardError),
    #[error("board `{board}`: {source}")]
    Pll { board: String, source: PllError },
    #[error("board `{board}`: {source}")]
    Build { board: String, source: BuildError },
}

/// Frequency of the core's clock in Hz.
pub fn core_hz(board: &Board) -> u32 {
    (board.clock.core_mhz * 1e6).round() as u32
}

/// What a board's system is made of.
pub fn system_config(board: &Board, accelerator: &Config, memory: MemoryKind, wire: Wire) -> Result<SystemConfig, BoardError> {
    let bytes = board.memory_bytes(memory)?;
    let port_bits = accelerator.memory.port_bits;
    let memory = match (&board.memory.sdram, memory) {
        (Some(pins), MemoryKind::Sdram) => Memory::Sdram(pins.config(board.clock.core_mhz, port_bits)),
        (_, MemoryKind::Spram) => Memory::Spram { bytes },
        _ => Memory::BlockRam { bytes },
    };
    let link = LinkConfig {
        silence_ms: wire.silence_ms,
        frames: board.link.frames,
        ..LinkConfig::new(port_bits, bytes, core_hz(board), wire.baud)
    };
    Ok(SystemConfig { accelerator: accelerator.clone(), link, memory, lights: board.leds.pins.len() as u32 })
}

/// The design of a board, with one of its memories.
pub fn board_top(board: &Board, accelerator: &Config, memory: MemoryKind, wire: Wire) -> Result<Arc<Module>, TopError> {
    let config = system_config(board, accelerator, memory, wire)?;
    let clocks = clocks(board, memory);
    if runs_on_oscillator(board, &clocks) {
        return build(board, &config, None).map_err(|source| TopError::Build { board: board.name.clone(), source });
    }
    let target = match board.device.family {
        crate::board::Family::Ecp5 => Target::Ecp5,
        crate::board::Family::Ice40 => Target::Ice40,
    };
    clocks.frequencies(target).map_err(|source| TopError::Pll { board: board.name.clone(), source })?;
    build(board, &config, Some(&clocks)).map_err(|source| TopError::Build { board: board.name.clone(), source })
}

/// The PLL: the core's clock, and with SDRAM that of the device.
fn clocks(board: &Board, memory: MemoryKind) -> Pll {
    let clock = |name: &str, phase| PllClock { name: name.into(), mhz: board.clock.core_mhz, phase };
    let of_sdram = board.memory.sdram.iter().filter(|_| memory == MemoryKind::Sdram).map(|sdram| clock("sdram", sdram.phase));
    Pll { input_mhz: board.clock.mhz, clocks: std::iter::once(clock("core", 0.0)).chain(of_sdram).collect() }
}

/// Whether the core's clock is the oscillator itself, and there is no other.
fn runs_on_oscillator(board: &Board, clocks: &Pll) -> bool {
    clocks.clocks.len() == 1 && board.clock.core_mhz == board.clock.mhz
}

/// The pins' module; without `clocks` everything runs with the oscillator.
fn build(board: &Board, config: &SystemConfig, clocks: Option<&Pll>) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::new(format!("board_{}", board.name.replace('-', "_")), file!());
    m.doc(&format!("{}: {} at {} MHz.", board.title, config.accelerator.name, board.clock.core_mhz));
    let oscillator = m.clock("clk");
    m.comment("Clock and reset");
    let button = m.input("button", Ty::BIT);
    let pll = clocks.map(|clocks| Ok(m.instance("pll", &pll("board_pll", clocks)?, &[("clk", oscillator.clone())]))).transpose()?;
    let core = pll.as_ref().map_or(oscillator, |pll| pll.get("core"));
    let released = if board.reset.active_low { button } else { !button };
    let ready = m.wire("ready", pll.as_ref().map_or(released.clone(), |pll| pll.get("locked") & released));
    let reset = m.instance("reset", &reset()?, &[("clk", core.clone()), ("ready", ready)]).get("reset");
    m.comment("Everything else");
    let system = system(config)?;
    let ports: Vec<(String, Ty, NetKind)> = system.ports().map(|(_, net)| (net.name.clone(), net.ty, net.kind)).collect();
    let mut inputs = vec![("clk", core), ("rst", reset)];
    for (name, ty, kind) in &ports {
        if *kind == NetKind::Input && name != "rst" {
            inputs.push((name, m.input(name, *ty)));
        }
    }
    let unit = m.instance("system", &system, &inputs);
    for (name, _, _) in ports.iter().filter(|(_, _, kind)| *kind == NetKind::Output) {
        let value = unit.get(name);
        m.output(name, if name == "led" && board.leds.active_low { !value } else { value });
    }
    if let Some(pll) = pll.filter(|_| clocks.is_some_and(|all| all.clocks.len() > 1)) {
        m.output("sdram_clk", pll.get("sdram"));
    }
    if !board.leds.held_high.is_empty() {
        let all = Expr::bit_const(true).repeat(board.leds.held_high.len() as u32);
        m.output("high", all);
    }
    m.build()
}
