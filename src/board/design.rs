// SPDX-License-Identifier: MIT OR Apache-2.0
//! The design of a board for synthesis: its top with pads, pins, clocks, and what must come out.

use heddle_core::config::Config;
use heddle_fpga::{
    board::{Board, Family, MemoryKind},
    pads,
    top::{TopError, Wire, board_top},
};
use heddle_lang::verilog;
use heddle_synth::{Clock, Design, Device, Options, expect, names::Outside};

/// Design and options of a board with one of its memories: the oscillator's target is its frequency, everything else
/// must meet the core's.
pub fn prepare(board: &Board, config: &Config, memory: MemoryKind, seeds: u32) -> Result<(Design, Options), TopError> {
    let top = board_top(board, config, memory, Wire::of(board))?;
    let clocks: Vec<String> = top.ports().filter(|(_, net)| net.name == "clk").map(|(_, net)| verilog::net_name(net)).collect();
    let mut options = Options::new(device(board), board.clock.core_mhz);
    options.clocks = clocks.iter().map(|port| Clock { port: port.clone(), mhz: board.clock.mhz }).collect();
    options.constraints = Some(pads::constraints(board, &top));
    options.seeds = seeds;
    options.expected = expect::expected(&top, &options.device);
    let name = pads::name(&top);
    let design = Design {
        files: vec![(format!("{name}.v"), pads::verilog(&top))],
        top: name,
        outer: Some(top.clone()),
        module: Some(top),
        within: pads::INSTANCE.into(),
        outside: Outside::Pads,
        clocks,
    };
    Ok((design, options))
}

/// The device as the flow knows it.
fn device(board: &Board) -> Device {
    let family = match board.device.family {
        Family::Ecp5 => heddle_synth::Family::Ecp5,
        Family::Ice40 => heddle_synth::Family::Ice40,
    };
    Device { family, size: board.device.size.clone(), package: board.device.package.clone(), speed: board.device.speed }
}

/// Name of a board's bitstream: `ulx3s-small-block-ram.bit`.
pub fn bitstream_name(board: &Board, config: &Config, memory: MemoryKind) -> String {
    let ending = match board.device.family {
        Family::Ecp5 => "bit",
        Family::Ice40 => "bin",
    };
    format!("{}-{}-{memory}.{ending}", board.name, config.name)
}
