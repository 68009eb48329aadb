// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tokens of whole models on whole boards: the verilated top, its UART bit by bit, a memory at its pins.

use super::decode::{counters_after_prompt, greedy};
use super::{BenchError, Progress, Table};
use crate::board::virtual_board::{VirtualBoard, VirtualConfig};
use crate::driver::golden::Golden;
use crate::driver::serial::{Link, SerialTransport};
use crate::driver::{Driver, Transport};
use crate::model::gguf::Gguf;
use crate::model::open;
use heddle_core::config::Config;
use heddle_fpga::board::{Board, MemoryKind};
use heddle_tb::tools::reference_file;
use std::sync::Arc;

pub const NAME: &str = "board";

/// A model on a board; one that is not embedded is a file of the reference data.
struct Case {
    board: &'static str,
    memory: MemoryKind,
    model: &'static str,
    prompt: &'static str,
    tokens: usize,
}

const CASES: [Case; 2] = [
    Case { board: "ulx3s", memory: MemoryKind::BlockRam, model: "stories260K/stories260K-h192-Q8_0.gguf", prompt: "Once upon", tokens: 16 },
    Case { board: "ulx3s", memory: MemoryKind::Sdram, model: "nano-q4_0", prompt: "KING:", tokens: 4 },
];

/// Each case, against the golden device.
pub fn run(progress: Progress<'_>) -> Result<Table, BenchError> {
    let head = ["board", "memory", "model", "prompt", "tokens", "cycles per token", "port use", "at the board's clock", "ids"];
    let mut table = Table::new(NAME, "Tokens from whole boards", &head);
    table.notes =
        "The board's top in Verilator, the model uploaded and run through its UART, bit by bit, at a quarter of the core's clock. \
        Cycles are those of the matrix engine with the board's memory, without the prompt; what the host computes and what the wire takes \
        is not in them. *Port use* is the share of cycles in which the memory port delivered a beat. *Ids*: whether they are those of the \
        golden model. A model that is not embedded is of the [reference data](../reference-data.md)."
            .into();
    for case in CASES {
        progress(&format!("{} with {}", case.board, case.memory));
        let row = case.row(progress, &mut table.missed)?;
        table.rows.push(row);
    }
    Ok(table)
}

impl Case {
    fn model(&self) -> Result<Gguf, BenchError> {
        if !self.model.contains('/') {
            return Ok(open(self.model, &mut |_| {})?);
        }
        let file = reference_file(self.model).ok_or_else(|| format!("`{}` of the reference data is missing", self.model))?;
        Ok(Gguf::open(file)?)
    }

    fn row(&self, progress: Progress<'_>, missed: &mut Vec<String>) -> Result<Vec<String>, BenchError> {
        let gguf = Arc::new(self.model()?);
        let board = Board::named(self.board)?;
        let config = Config::preset(&board.preset)?;
        let virtual_config = VirtualConfig::fast(&board, &config, self.memory);
        let library = virtual_config.build(progress)?;
        progress(&format!("{} with {}: {}", self.board, self.memory, self.model));
        let link = Link::open(VirtualBoard::new(&library, &virtual_config)?, virtual_config.wire.baud)?;
        let run = |transport: Box<dyn Transport>| {
            let driver = Driver::connect(transport, &config)?;
            greedy(&gguf, &config, driver, self.prompt, self.tokens)
        };
        let on_board = run(Box::new(SerialTransport::new(link)))?;
        let same = run(Box::new(Golden::new(&config)))?.ids == on_board.ids;
        if !same {
            missed.push(format!("{} with {}: other ids than the golden model's", self.board, self.memory));
        }
        let counters = counters_after_prompt(&on_board);
        let cycles = counters.cycles as f64 / (self.tokens - 1) as f64;
        let mhz = board.clock.core_mhz;
        Ok(vec![
            self.board.into(),
            self.memory.to_string(),
            self.model.rsplit('/').next().unwrap_or(self.model).into(),
            format!("\"{}\"", self.prompt),
            self.tokens.to_string(),
            format!("{cycles:.0}"),
            format!("{:.1} %", 100.0 * counters.port_use().unwrap_or(0.0)),
            format!("{:.1} tokens/s at {mhz} MHz", 1e6 * mhz / cycles),
            if same { "equal" } else { "differ" }.into(),
        ])
    }
}
