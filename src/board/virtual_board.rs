// SPDX-License-Identifier: MIT OR Apache-2.0
//! A board without a board: its top, verilated, with an SDRAM at its pins and its UART, bit by bit, at a
//! pseudo-terminal.

use heddle_core::config::Config;
use heddle_fpga::{
    board::{Board, MemoryKind},
    reset::CYCLES,
    sdram::device::{Device, Pins},
    system::Memory,
    top::{TopError, Wire, board_top, core_hz, system_config},
};
use heddle_tb::{
    SimError,
    rtl::{self, RtlError},
    simulator::Simulator,
    tools::{self, ToolError},
    verilator::{BuildOptions, Library, Model},
};

use std::{collections::VecDeque, io, time::Duration};

use super::uart::Uart;
use crate::driver::serial::{Port, pty::Behind};

/// Cycles with the reset button pressed, at power-up.
const PRESSED: u32 = 16;
/// Cycles until the reset is over, with some to spare: a byte that comes before is lost.
const RESET: u64 = CYCLES + 32;
/// Cycles between looks at the terminal.
const CHUNK: u32 = 4000;
/// Bits of silence after which a reply is passed on.
const PAUSE_BITS: u64 = 20;
/// Cycles without a bit after which nothing more will happen by itself.
const ASLEEP: u64 = 1 << 20;

/// Why there is no virtual board.
#[derive(Debug, thiserror::Error)]
pub enum VirtualError {
    #[error(transparent)]
    Top(#[from] TopError),
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error(transparent)]
    Rtl(#[from] RtlError),
    #[error(transparent)]
    Sim(#[from] SimError),
    #[error("the board stopped at power-up: {0}")]
    PowerUp(String),
}

/// What is simulated: a board with one of its memories.
#[derive(Clone, Debug)]
pub struct VirtualConfig {
    pub board: Board,
    pub accelerator: Config,
    pub memory: MemoryKind,
    /// Of the wire. The design is the board's but for the two parameters that this sets in its link.
    pub wire: Wire,
}

impl VirtualConfig {
    /// A wire at a quarter of the clock, the fastest that the receiver allows, so that simulated time is not spent on it.
    /// The time-out of a cut command is as much shorter.
    pub fn fast(board: &Board, accelerator: &Config, memory: MemoryKind) -> VirtualConfig {
        let wire = Wire { baud: core_hz(board) / heddle_core::link::LEAST_CYCLES_PER_BIT, silence_ms: 10 };
        VirtualConfig { board: board.clone(), accelerator: accelerator.clone(), memory, wire }
    }

    /// Verilates the top, or takes it from the cache; `progress` hears of each step.
    pub fn build(&self, progress: &mut dyn FnMut(&str)) -> Result<Library, VirtualError> {
        let top = board_top(&self.board, &self.accelerator, self.memory, self.wire)?;
        tools::verilator_or_provision(progress)?;
        Ok(rtl::verilated(&top, &BuildOptions::default(), progress)?)
    }
}

/// An SDRAM and the ports of the top that it is at.
struct Sdram<P> {
    device: Device,
    outputs: [P; 10],
    read: P,
}

const SDRAM_OUTPUTS: [&str; 10] = [
    "sdram_cke_o",
    "sdram_cs_n_o",
    "sdram_ras_n_o",
    "sdram_cas_n_o",
    "sdram_we_n_o",
    "sdram_ba_o",
    "sdram_a_o",
    "sdram_dqm_o",
    "sdram_dq_o",
    "sdram_dq_enable_o",
];

/// A running board.
pub struct VirtualBoard<S: Simulator> {
    sim: S,
    rx: S::Port,
    tx: S::Port,
    led: S::Port,
    uart: Uart,
    /// [`PAUSE_BITS`] in cycles.
    pause: u64,
    sdram: Option<Sdram<S::Port>>,
    /// For [`Port`]: its name, the clock, and what was heard.
    name: String,
    hz: u32,
    heard: VecDeque<u8>,
}

impl VirtualBoard<Model> {
    /// A board of a library that was built for `config`, just powered up.
    pub fn new(library: &Library, config: &VirtualConfig) -> Result<VirtualBoard<Model>, VirtualError> {
        VirtualBoard::of(library.instance()?, config)
    }
}

impl<S: Simulator> VirtualBoard<S> {
    /// A board from a simulation of its top, out of its reset.
    pub fn of(mut sim: S, config: &VirtualConfig) -> Result<VirtualBoard<S>, VirtualError> {
        let (hz, baud) = (core_hz(&config.board), config.wire.baud);
        let system = system_config(&config.board, &config.accelerator, config.memory, config.wire).map_err(TopError::from)?;
        let sdram = match &system.memory {
            Memory::Sdram(of_controller) => {
                let mut outputs = Vec::new();
                for name in SDRAM_OUTPUTS {
                    outputs.push(sim.port(name)?);
                }
                let outputs = std::array::from_fn(|i| outputs[i]);
                Some(Sdram { device: Device::new(of_controller), outputs, read: sim.port("sdram_dq_read_i")? })
            }
            _ => None,
        };
        let (rx, button) = (sim.port("rx_i")?, sim.port("button_i")?);
        let pressed = u64::from(!config.board.reset.active_low);
        sim.set(rx, 1);
        sim.set(button, pressed);
        let (tx, led) = (sim.port("tx_o")?, sim.port("led_o")?);
        let pause = PAUSE_BITS * u64::from(hz / baud.max(1) + 1);
        let (name, heard) = (format!("{}@{baud}", config.board.name), VecDeque::new());
        let mut board = VirtualBoard { rx, tx, led, uart: Uart::new(hz, baud), pause, sdram, name, hz, heard, sim };
        (0..PRESSED).try_for_each(|_| board.sim.tick())?;
        board.sim.set(button, 1 - pressed);
        (0..RESET).try_for_each(|_| board.cycle().map(|_| ())).map_err(VirtualError::PowerUp)?;
        Ok(board)
    }

    /// Cycles of the core's clock so far.
    pub fn cycles(&self) -> u64 {
        self.sim.cycles()
    }

    /// Levels of the lights, the first in bit 0.
    pub fn lights(&self) -> u64 {
        self.sim.get(self.led)
    }

    /// One cycle; a byte that the board has sent.
    #[inline]
    fn cycle(&mut self) -> Result<Option<u8>, String> {
        let level = self.uart.level();
        self.sim.set(self.rx, level.into());
        if let Some(sdram) = &mut self.sdram {
            // All pins come from registers and go into one: they stand from the edge before on.
            self.sim.set(sdram.read, sdram.device.dq().into());
            let [cke, cs_n, ras, cas, we, ba, a, dqm, dq, enable] = sdram.outputs.map(|port| self.sim.get(port) as u32);
            let command = ras << 2 | cas << 1 | we;
            let pins = Pins { cke: cke == 1, cs_n: cs_n == 1, command, ba, a, dqm, dq: dq as u16, drive: enable == 1 };
            sdram.device.step(&pins).map_err(|e| e.to_string())?;
        }
        self.sim.tick().map_err(|e| e.to_string())?;
        Ok(self.uart.hear(self.sim.get(self.tx) != 0))
    }
}

impl<S: Simulator + Send> Behind for VirtualBoard<S>
where
    S::Port: Send,
{
    fn exchange(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<bool, String> {
        self.uart.send(input);
        for _ in 0..CHUNK {
            out.extend(self.cycle()?);
            if !out.is_empty() && self.uart.quiet() > self.pause {
                break;
            }
        }
        Ok(self.uart.quiet() < ASLEEP)
    }
}

/// The board in its own time, without a terminal: waiting is simulated, and nothing depends on how fast that is.
impl<S: Simulator + Send> Port for VirtualBoard<S>
where
    S::Port: Send,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn now(&self) -> Duration {
        Duration::from_secs_f64(self.cycles() as f64 / f64::from(self.hz))
    }

    fn read(&mut self, to: &mut [u8], until: Duration) -> io::Result<usize> {
        let end = (until.as_secs_f64() * f64::from(self.hz)) as u64;
        while self.heard.is_empty() && self.cycles() <= end {
            let byte = self.cycle().map_err(io::Error::other)?;
            self.heard.extend(byte);
        }
        let count = self.heard.len().min(to.len());
        self.heard.drain(..count).zip(to).for_each(|(byte, to)| *to = byte);
        Ok(count)
    }

    /// The wire takes its time while something is read.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.uart.send(bytes);
        Ok(())
    }
}
