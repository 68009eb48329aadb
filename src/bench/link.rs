// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the link carries at each speed of the wire.

use std::sync::Arc;
use std::time::Duration;

use heddle_core::config::Config;
use heddle_core::link::wire;
use heddle_core::registers::map;

use super::{BenchError, Progress, Table};
use crate::compile::compile;
use crate::driver::golden::Golden;
use crate::driver::serial::board::{Accelerator, Wire};
use crate::driver::serial::{Link, Port, SerialTransport};
use crate::driver::{Driver, Transport};
use crate::model::embedded::embedded;
use crate::model::gguf::Gguf;

pub const NAME: &str = "link";
const BAUDS: [u32; 3] = [115_200, 1_000_000, 3_000_000];
const BYTES: usize = 1 << 18;
const ACCESSES: u32 = 100;
/// Share of the wire's bytes that are payload, for bulk.
const USE_MIN: f64 = 0.95;

type Board = SerialTransport<Wire<Accelerator<Golden>>>;

/// Bulk and single accesses in simulated time.
pub fn run(progress: Progress<'_>) -> Result<Table, BenchError> {
    let head = ["baud", "write", "read", "of the wire", "register read", "the embedded model: upload", "again, unchanged"];
    let mut table = Table::new(NAME, "Throughput of the link", &head);
    table.notes = format!(
        "The host's end of the link and the bridge in plain Rust on a *simulated* wire that takes 10 bits for a byte, each way, and nothing \
         else: no latency of a USB adapter or of a system. Bulk is {} KiB of a model's weights, in frames of {} bytes, {} under way; *of the \
         wire* is the smaller share of its bytes that are payload. The embedded model is the image that `heddle infer` uploads; the second \
         time the board only tells its checksums.",
        BYTES >> 10,
        wire::PAYLOAD,
        wire::WINDOW
    );
    let config = Config::small();
    let gguf = Arc::new(Gguf::from_static(embedded("nano").ok_or("no embedded model")?)?);
    let image = compile(&gguf, &config)?.image;
    for baud in BAUDS {
        progress(&format!("{baud} baud"));
        let wire = Wire::new(Accelerator::new(Golden::new(&config), config.memory_bytes()), baud);
        let mut board = SerialTransport::new(Link::open(wire, baud)?);
        let weights = &image.memory[..BYTES];
        let write = timed(&mut board, |b| b.link().write(wire::MEMORY, weights))?;
        let mut back = vec![0; BYTES];
        let read = timed(&mut board, |b| b.link().read(wire::MEMORY, &mut back))?;
        if back != weights {
            return Err("what was read is not what was written".into());
        }
        let access = timed(&mut board, |b| (0..ACCESSES).try_for_each(|_| b.read_reg(map::ID.offset).map(|_| ())))? / ACCESSES;
        board.link().write(wire::MEMORY, &vec![0xff; BYTES])?;
        let upload = timed(&mut board, |b| b.write_mem(0, &image.memory))?;
        let again = timed(&mut board, |b| b.write_mem(0, &image.memory))?;
        let share = |time: Duration| BYTES as f64 * 10.0 / f64::from(baud) / time.as_secs_f64();
        let used = share(write).min(share(read));
        if used < USE_MIN {
            table.missed.push(format!("{:.1} % of the wire at {baud} baud", 100.0 * used));
        }
        let speed = |time: Duration| format!("{:.1} kB/s", BYTES as f64 / 1e3 / time.as_secs_f64());
        let cells = [speed(write), speed(read), format!("{:.1} %", 100.0 * used), format!("{:.2} ms", 1e3 * access.as_secs_f64())];
        let times = [format!("{:.1} s", upload.as_secs_f64()), format!("{:.0} ms", 1e3 * again.as_secs_f64())];
        table.rows.push([baud.to_string()].into_iter().chain(cells).chain(times).collect());
        // The session ends as a user's does.
        drop(Driver::connect(Box::new(board), &config)?);
    }
    Ok(table)
}

/// Simulated time of an action.
fn timed<E: Into<BenchError>>(board: &mut Board, action: impl FnOnce(&mut Board) -> Result<(), E>) -> Result<Duration, BenchError> {
    let start = board.link().port().now();
    action(board).map_err(Into::into)?;
    Ok(board.link().port().now() - start)
}
