// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a bench sends to the link: commands of both protocols, right and wrong, then broken at random.

use crate::random::Random;
use heddle_core::link::wire::{self, Op, bone};

/// One thing that happens on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Byte(u8),
    /// Nothing, for longer than the time-out.
    Silence,
}

/// Commands in a row, and the sequence number of the next request.
pub struct Script {
    pub events: Vec<Event>,
    memory_bytes: u32,
    seq: u8,
}

impl Script {
    pub fn new(memory_bytes: u32) -> Script {
        Script { events: Vec::new(), memory_bytes, seq: wire::FIRST }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.events.extend(bytes.iter().map(|b| Event::Byte(*b)));
    }

    /// A random mixture of so many commands; `noise`: of 256 commands, so many are broken on their way.
    pub fn fill(&mut self, rng: &mut Random, commands: usize, noise: u8) {
        self.edges(rng);
        for _ in 0..commands {
            let from = self.events.len();
            match rng.bits() % 16 {
                0..=2 => self.bone(rng),
                3..=4 => self.hello(),
                5 => self.request(rng, Op::Bye, 0, &[]),
                6..=8 => self.write(rng),
                9..=12 => self.read(rng),
                13..=14 => self.odd(rng),
                _ => self.events.push(Event::Silence),
            }
            if rng.chance(noise) {
                self.break_after(rng, from);
            }
            if rng.chance(30) {
                self.events.push(Event::Silence);
            }
        }
        // Whatever was cut is forgotten, and the last word is a right command.
        self.events.push(Event::Silence);
        self.hello();
        self.read(rng);
    }

    /// The same for a bridge that knows nothing but uartbone.
    pub fn fill_bone(&mut self, rng: &mut Random, commands: usize, noise: u8) {
        for _ in 0..commands {
            let from = self.events.len();
            match rng.bits() % 8 {
                0 => self.hello(),
                1 => self.link(),
                _ => self.bone(rng),
            }
            if rng.chance(noise) {
                self.break_after(rng, from);
            }
            if rng.chance(60) {
                self.events.push(Event::Silence);
            }
        }
        // Whatever was cut is forgotten, and the last command is right.
        self.events.push(Event::Silence);
        self.link();
    }

    /// What is just legal and just not, each as the next request of a session.
    fn edges(&mut self, rng: &mut Random) {
        let most = wire::PAYLOAD as u32;
        self.bytes(&wire::request(Op::Hello, wire::FIRST, wire::GREETING ^ 1, &[]));
        self.bytes(&wire::request(Op::Read, wire::FIRST.wrapping_add(1), wire::MEMORY, &4u32.to_le_bytes()));
        self.hello();
        let payload: Vec<u8> = (0..wire::PAYLOAD).map(|_| special(rng)).collect();
        self.next(Op::Write, wire::MEMORY, &payload);
        self.next(Op::Read, wire::MEMORY, &most.to_le_bytes());
        for (op, address, count) in [
            (Op::Read, 0, most + 4),
            (Op::Read, 0, 2),
            (Op::Check, 0, 7),
            (Op::Read, 0, 0),
            (Op::Read, 1, 4),
            (Op::Read, 2, 4),
            (Op::Hello, 0, 4),
            (Op::Read, self.memory_bytes - 4, 8),
        ] {
            // Not done, so its number is the next one's, too.
            self.bytes(&wire::request(op, self.seq, wire::MEMORY + address, &u32::to_le_bytes(count)));
        }
        self.bytes(&wire::request(Op::Read, self.seq, wire::MEMORY, &[4, 0, 0, 0, 4, 0, 0, 0]));
        self.next(Op::Check, wire::MEMORY, &most.to_le_bytes());
        // The last word of the memory, then the first behind it.
        for end in [4, 0] {
            self.next(Op::Read, wire::MEMORY + self.memory_bytes - end, &4u32.to_le_bytes());
            self.hello();
        }
    }

    fn next(&mut self, op: Op, address: u32, payload: &[u8]) {
        self.bytes(&wire::request(op, self.seq, address, payload));
        self.seq = self.seq.wrapping_add(1);
    }

    /// Registers, memory, their ends, and addresses where there is nothing.
    fn address(&self, rng: &mut Random) -> u32 {
        let word = |n: u32| 4 * (n / 4);
        let inside = rng.bits() as u32;
        match rng.bits() % 8 {
            0..=3 => wire::MEMORY + word(inside % self.memory_bytes),
            4 => wire::MEMORY + self.memory_bytes - 8,
            5..=6 => wire::REGISTERS + word(inside % wire::REGISTER_BYTES),
            _ => word(inside),
        }
    }

    fn hello(&mut self) {
        self.bytes(&wire::request(Op::Hello, wire::FIRST, wire::GREETING, &[]));
        self.seq = wire::FIRST.wrapping_add(1);
    }

    /// A request with the next number; sometimes the one before again, or one too far.
    fn request(&mut self, rng: &mut Random, op: Op, address: u32, payload: &[u8]) {
        let seq = match rng.bits() % 16 {
            0..=1 => self.seq.wrapping_sub(1),
            2 => self.seq.wrapping_add(1),
            3 => rng.bits() as u8,
            _ => self.seq,
        };
        self.bytes(&wire::request(op, seq, address, payload));
        if seq == self.seq {
            self.seq = self.seq.wrapping_add(1);
        }
    }

    fn write(&mut self, rng: &mut Random) {
        let words = match rng.bits() % 8 {
            0 => wire::PAYLOAD / wire::WORD,
            1..=2 => 1,
            _ => 1 + rng.bits() as usize % 20,
        };
        let address = self.address(rng);
        let payload: Vec<u8> = (0..wire::WORD * words).map(|_| special(rng)).collect();
        self.request(rng, Op::Write, address, &payload);
    }

    fn read(&mut self, rng: &mut Random) {
        let words = if rng.chance(20) { (wire::PAYLOAD / wire::WORD) as u32 } else { 1 + rng.bits() as u32 % 12 };
        let address = self.address(rng);
        let op = if rng.chance(60) { Op::Check } else { Op::Read };
        self.request(rng, op, address, &(4 * words).to_le_bytes());
    }

    /// A frame that is whole and makes no sense.
    fn odd(&mut self, rng: &mut Random) {
        let most = wire::PAYLOAD as u32;
        let odd_count = [0, 2, 7, most + 4, u32::MAX][rng.bits() as usize % 5];
        let (address, stray, fill) = (self.address(rng), 1 + rng.bits() as u32 % 3, special(rng));
        match rng.bits() % 10 {
            0 | 8 => self.request(rng, Op::Read, address, &odd_count.to_le_bytes()),
            1 | 9 => self.request(rng, Op::Read, address + stray, &4u32.to_le_bytes()),
            2 => self.request(rng, Op::Write, address, &[]),
            3 => self.request(rng, Op::Write, address, &[1, 2, 3, 4, 5]),
            4 => self.request(rng, Op::Again, address, &4u32.to_le_bytes()),
            5 => self.request(rng, Op::Hello, address, &[]),
            6 => self.request(rng, Op::Write, address, &[fill; wire::PAYLOAD + 4]),
            _ => self.bytes(&wire::frame(&[fill; 3])),
        }
    }

    /// What the link can do, and the word behind it.
    fn link(&mut self) {
        self.bytes(&[bone::READ, 2]);
        self.bytes(&(wire::LINK / 4).to_be_bytes());
    }

    fn bone(&mut self, rng: &mut Random) {
        let (command, ..) = bone::ALL[rng.bits() as usize % 4];
        let count = if rng.chance(10) { 0 } else { 1 + (rng.bits() % 20) as u8 };
        let words = if count == 0 { 256 } else { usize::from(count) };
        let mut bytes = vec![command, count];
        bytes.extend((self.address(rng) / 4).to_be_bytes());
        if command % 2 == 1 {
            bytes.extend((0..4 * words).map(|_| special(rng)));
        }
        self.bytes(&bytes);
    }

    /// Drops, doubles, flips or adds bytes in what came after this event.
    fn break_after(&mut self, rng: &mut Random, from: usize) {
        for _ in 0..1 + rng.bits() % 3 {
            if self.events.len() == from {
                return;
            }
            let at = from + rng.bits() as usize % (self.events.len() - from);
            match (rng.bits() % 5, self.events[at]) {
                (0, _) => drop(self.events.remove(at)),
                (1, event) => self.events.insert(at, event),
                (2, _) => self.events.insert(at, Event::Byte(special(rng))),
                (3, _) => self.events.truncate(at),
                (_, Event::Byte(byte)) => self.events[at] = Event::Byte(byte ^ 1 << (rng.bits() % 8)),
                (_, Event::Silence) => {}
            }
        }
    }
}

/// Any byte; more often one that means something on the wire.
fn special(rng: &mut Random) -> u8 {
    let any = rng.bits() as u8;
    match rng.bits() % 16 {
        0 => wire::FLAG,
        1 => wire::ESCAPE,
        2 => any % 6,
        _ => any,
    }
}
