// SPDX-License-Identifier: MIT OR Apache-2.0
//! A board behind a pseudo-terminal: for the system it is a serial port like any other.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use heddle_core::link::golden::{Bridge, Bus, Bytes};
use serialport::{SerialPort, TTYPort};

use super::board::SILENCE;

/// How often a quiet board looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(20);

/// What is behind a pseudo-terminal.
pub trait Behind: Send {
    /// Takes bytes from the wire and appends those that it sends. True: it has work to do, even if no byte comes. An error
    /// ends the board.
    fn exchange(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<bool, String>;
}

/// A bridge in plain Rust with a bus behind it: byte by byte.
struct Bytewise<G: Bytes, B: Bus> {
    bridge: G,
    bus: B,
    last: Instant,
}

impl<G: Bytes + Send, B: Bus + Send> Behind for Bytewise<G, B> {
    fn exchange(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<bool, String> {
        if !input.is_empty() {
            if self.last.elapsed() > SILENCE {
                self.bridge.silence();
            }
            input.iter().for_each(|byte| self.bridge.byte(*byte, &mut self.bus, out));
            self.last = Instant::now();
        }
        Ok(false)
    }
}

/// A board that is served by a thread until this is dropped.
pub struct PtyBoard {
    /// Path of the serial port.
    pub path: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<(), String>>>,
}

impl PtyBoard {
    /// Makes a pseudo-terminal and serves the bus behind it, through the bridge with frames in plain Rust.
    pub fn serve<B: Bus + Send + 'static>(bus: B) -> io::Result<PtyBoard> {
        PtyBoard::with(Bridge::default(), bus)
    }

    /// The same with a bridge of another kind.
    pub fn with<G: Bytes + Send + 'static, B: Bus + Send + 'static>(bridge: G, bus: B) -> io::Result<PtyBoard> {
        PtyBoard::of(Bytewise { bridge, bus, last: Instant::now() })
    }

    /// Makes a pseudo-terminal for a board.
    pub fn of<B: Behind + 'static>(board: B) -> io::Result<PtyBoard> {
        let (master, slave) = TTYPort::pair().map_err(io::Error::from)?;
        let path = slave.name().ok_or_else(|| io::Error::new(ErrorKind::NotFound, "the pseudo-terminal has no name"))?;
        // It is locked for others while it is open here.
        drop(slave);
        let stop = Arc::new(AtomicBool::new(false));
        let seen = stop.clone();
        let thread = std::thread::spawn(move || run(master, board, &seen));
        Ok(PtyBoard { path, stop, thread: Some(thread) })
    }

    /// Waits until the board ends by itself, which it does with an error only.
    pub fn wait(mut self) -> Result<(), String> {
        let panicked = || Err("its thread ended in a panic, which is printed above".to_owned());
        self.thread.take().map_or(Ok(()), |thread| thread.join().unwrap_or_else(|_| panicked()))
    }
}

impl Drop for PtyBoard {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of the board has been printed; an error has no one left to hear it.
            let _ = thread.join();
        }
    }
}

fn run<B: Behind>(mut master: TTYPort, mut board: B, stop: &AtomicBool) -> Result<(), String> {
    let (mut buffer, mut out, mut busy) = ([0; 4096], Vec::new(), true);
    while !stop.load(Ordering::Relaxed) {
        let wait = if busy { Duration::ZERO } else { LOOK };
        master.set_timeout(wait).map_err(|e| e.to_string())?;
        let count = match master.read(&mut buffer) {
            Ok(count) => count,
            Err(e) if passes(&e) => 0,
            // Nobody has the terminal open.
            Err(_) => {
                std::thread::sleep(wait);
                0
            }
        };
        busy = board.exchange(&buffer[..count], &mut out)?;
        master.set_timeout(LOOK).map_err(|e| e.to_string())?;
        send(&mut master, &mut out, stop);
    }
    Ok(())
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
