// SPDX-License-Identifier: MIT OR Apache-2.0
//! A board that is none: the golden bridge with an accelerator behind it, byte by byte, in a simulated wire or behind a
//! pseudo-terminal.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use heddle_core::link::golden::{Bridge, Bus, Bytes, Place, place};
use heddle_core::registers::map;

use super::port::Port;
use crate::driver::Transport;

/// Silence after which the bridge forgets a started command.
pub const SILENCE: Duration = Duration::from_millis(100);
/// Cycles that a simulated accelerator goes on for each look at its interrupt.
const POLL_CYCLES: u64 = 20_000;

/// Registers and memory of a transport as the bridge sees them.
pub struct Accelerator<T: Transport> {
    transport: T,
    memory_bytes: u64,
}

impl<T: Transport> Accelerator<T> {
    /// `memory_bytes`: of the device.
    pub fn new(transport: T, memory_bytes: u64) -> Accelerator<T> {
        Accelerator { transport, memory_bytes }
    }

    pub fn transport(&mut self) -> &mut T {
        &mut self.transport
    }
}

impl<T: Transport> Bus for Accelerator<T> {
    fn read(&mut self, address: u32) -> Option<u32> {
        match place(address, self.memory_bytes)? {
            Place::Register(offset) => {
                if offset == map::IRQ_STATUS.offset {
                    // A simulation moves only when it is asked to; what it says now is read below.
                    let _ = self.transport.wait_irq(POLL_CYCLES);
                }
                self.transport.read_reg(offset).ok()
            }
            Place::Memory(offset) => {
                let mut bytes = [0; 4];
                self.transport.read_mem(offset, &mut bytes).ok()?;
                Some(u32::from_le_bytes(bytes))
            }
        }
    }

    fn write(&mut self, address: u32, value: u32) -> bool {
        match place(address, self.memory_bytes) {
            None => false,
            Some(Place::Register(offset)) => self.transport.write_reg(offset, value).is_ok(),
            Some(Place::Memory(offset)) => self.transport.write_mem(offset, &value.to_le_bytes()).is_ok(),
        }
    }
}

/// A wire with a board at its end, in simulated time: a byte takes its time each way, and waiting costs nothing.
pub struct Wire<B: Bus + Send, G: Bytes = Bridge> {
    name: String,
    pub bridge: G,
    pub bus: B,
    byte_time: Duration,
    now: Duration,
    /// When the wire to the board is free again, and when that from it is.
    sent: Duration,
    heard: Duration,
    replies: VecDeque<(u8, Duration)>,
    /// The board can be made to stop answering.
    pub dead: bool,
}

impl<B: Bus + Send> Wire<B> {
    pub fn new(bus: B, baud: u32) -> Wire<B> {
        Wire::with(Bridge::default(), bus, baud)
    }
}

impl<B: Bus + Send, G: Bytes> Wire<B, G> {
    /// A wire to a bridge of another kind.
    pub fn with(bridge: G, bus: B, baud: u32) -> Wire<B, G> {
        Wire {
            name: format!("simulated@{baud}"),
            bridge,
            bus,
            byte_time: Duration::from_secs(10) / baud.max(1),
            now: Duration::ZERO,
            sent: Duration::ZERO,
            heard: Duration::ZERO,
            replies: VecDeque::new(),
            dead: false,
        }
    }
}

impl<B: Bus + Send, G: Bytes + Send> Port for Wire<B, G> {
    fn name(&self) -> &str {
        &self.name
    }

    fn now(&self) -> Duration {
        self.now
    }

    fn read(&mut self, to: &mut [u8], until: Duration) -> io::Result<usize> {
        let Some((_, due)) = self.replies.front() else {
            self.now = self.now.max(until);
            return Ok(0);
        };
        if *due > until {
            self.now = self.now.max(until);
            return Ok(0);
        }
        self.now = self.now.max(*due);
        let count = self.replies.iter().take_while(|(_, due)| *due <= self.now).count().min(to.len());
        self.replies.drain(..count).zip(to).for_each(|((byte, _), to)| *to = byte);
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.dead {
            return Ok(());
        }
        if self.now > self.sent + SILENCE {
            self.bridge.silence();
        }
        let mut out = Vec::new();
        self.sent = self.sent.max(self.now);
        for byte in bytes {
            self.sent += self.byte_time;
            self.bridge.byte(*byte, &mut self.bus, &mut out);
            self.heard = self.heard.max(self.sent);
            for byte in out.drain(..) {
                self.heard += self.byte_time;
                self.replies.push_back((byte, self.heard));
            }
        }
        Ok(())
    }
}
