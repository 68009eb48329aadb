// SPDX-License-Identifier: MIT OR Apache-2.0
//! The far end of a UART in simulation: bytes to levels and back, one cycle of the board's clock at a time.

use std::collections::VecDeque;

/// Bits of the phase; a bit of the wire is 2^32 of it.
const PHASE_BITS: u32 = 32;

/// Sender and receiver of 8N1.
#[derive(Clone, Debug)]
pub struct Uart {
    step: u64,
    queue: VecDeque<u8>,
    /// What is sent, lowest bit first, and how many bits of it are left; the line is high without.
    sending: (u16, u32),
    send_phase: u64,
    /// Bits heard and their count, from the start bit on.
    heard: Option<(u16, u32)>,
    hear_phase: u64,
    /// Cycles since a line was low.
    quiet: u64,
}

impl Uart {
    /// `baud` is at most half of the clock.
    pub fn new(clock_hz: u32, baud: u32) -> Uart {
        let step = (u64::from(baud) << PHASE_BITS) / u64::from(clock_hz.max(1));
        Uart { step, queue: VecDeque::new(), sending: (0, 0), send_phase: 0, heard: None, hear_phase: 0, quiet: 0 }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.queue.extend(bytes);
    }

    /// Cycles since the last bit of either side; 0 while a byte is under way.
    pub fn quiet(&self) -> u64 {
        self.quiet
    }

    /// The level of the line to the board in this cycle.
    #[inline]
    pub fn level(&mut self) -> bool {
        self.send_phase += self.step;
        if self.send_phase >> PHASE_BITS != 0 {
            self.send_phase &= (1 << PHASE_BITS) - 1;
            let (bits, left) = self.sending;
            self.sending = match left {
                0 | 1 => self.queue.pop_front().map_or((0, 0), |byte| (u16::from(byte) << 1 | 0x200, 10)),
                _ => (bits >> 1, left - 1),
            };
        }
        let (bits, left) = self.sending;
        left == 0 || bits & 1 == 1
    }

    /// Takes the level of the line from the board; a byte, when its stop bit was there.
    #[inline]
    pub fn hear(&mut self, level: bool) -> Option<u8> {
        self.quiet += 1;
        if self.sending.1 > 0 || !self.queue.is_empty() {
            self.quiet = 0;
        }
        let Some((bits, count)) = self.heard else {
            if !level {
                self.heard = Some((0, 0));
                self.hear_phase = 1 << (PHASE_BITS - 1);
            }
            return None;
        };
        self.quiet = 0;
        self.hear_phase += self.step;
        if self.hear_phase >> PHASE_BITS == 0 {
            return None;
        }
        self.hear_phase &= (1 << PHASE_BITS) - 1;
        let bits = bits | u16::from(level) << count;
        if count < 9 {
            self.heard = Some((bits, count + 1));
            return None;
        }
        self.heard = None;
        (level && bits & 1 == 0).then_some((bits >> 1) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_heard_at_any_speed() {
        for (clock, baud) in [(80_000_000, 20_000_000), (80_000_000, 3_000_000), (18_000_000, 1_000_000), (25_000_000, 3_000_000)] {
            let mut uart = Uart::new(clock, baud);
            let bytes: Vec<u8> = (0..=255).collect();
            uart.send(&bytes);
            let mut heard = Vec::new();
            for _ in 0..3000 * u64::from(clock / baud + 1) {
                let level = uart.level();
                heard.extend(uart.hear(level));
            }
            assert_eq!(heard, bytes, "{baud} at {clock} Hz");
            assert!(uart.quiet() > 0);
        }
    }
}
