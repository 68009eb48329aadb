// SPDX-License-Identifier: MIT OR Apache-2.0
//! A byte-level board behind a pseudo-terminal: for the system it is a serial port like any other.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use heddle_core::link::golden::{Bridge, Bus};
use serialport::{SerialPort, TTYPort};

use super::board::SILENCE;

/// How often a quiet board looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(20);

/// A board that is served by a thread until this is dropped.
pub struct PtyBoard {
    /// Path of the serial port.
    pub path: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl PtyBoard {
    /// Makes a pseudo-terminal and serves the bus behind it.
    pub fn serve<B: Bus + Send + 'static>(bus: B) -> io::Result<PtyBoard> {
        let (master, slave) = TTYPort::pair().map_err(io::Error::from)?;
        let path = slave.name().ok_or_else(|| io::Error::new(ErrorKind::NotFound, "the pseudo-terminal has no name"))?;
        // It is locked for others while it is open here.
        drop(slave);
        let stop = Arc::new(AtomicBool::new(false));
        let seen = stop.clone();
        let thread = std::thread::spawn(move || run(master, bus, &seen));
        Ok(PtyBoard { path, stop, thread: Some(thread) })
    }
}

impl Drop for PtyBoard {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of the board has been printed.
            let _ = thread.join();
        }
    }
}

fn run<B: Bus>(mut master: TTYPort, mut bus: B, stop: &AtomicBool) {
    let (mut bridge, mut buffer, mut out) = (Bridge::default(), [0; 4096], Vec::new());
    let mut last = Instant::now();
    if master.set_timeout(LOOK).is_err() {
        return;
    }
    while !stop.load(Ordering::Relaxed) {
        match master.read(&mut buffer) {
            Ok(count) if count > 0 => {
                if last.elapsed() > SILENCE {
                    bridge.silence();
                }
                buffer[..count].iter().for_each(|byte| bridge.byte(*byte, &mut bus, &mut out));
                last = Instant::now();
                send(&mut master, &mut out, stop);
            }
            Err(e) if passes(&e) => {}
            // Nobody has the terminal open.
            Ok(_) | Err(_) => std::thread::sleep(LOOK),
        }
    }
}

/// Writes replies; a client that does not read them must not keep the board from stopping, and one that has gone gets none.
fn send(master: &mut TTYPort, out: &mut Vec<u8>, stop: &AtomicBool) {
    while !out.is_empty() && !stop.load(Ordering::Relaxed) {
        match master.write(out) {
            Ok(count) => drop(out.drain(..count)),
            Err(e) if passes(&e) => {}
            Err(_) => out.clear(),
        }
    }
}

fn passes(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Interrupted | ErrorKind::WouldBlock)
}
