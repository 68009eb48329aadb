// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bridge in plain Rust, byte by byte: same bytes in, same bytes out, same accesses in the same order.

use super::wire::{self, CRC_RIGHT, CRC_START, ESCAPE, FIRST, FLAG, GREETING, HEAD, Op, PAYLOAD, Status, TAIL, TURN, WORD, bone};

/// What is behind the bridge. Addresses are in words (byte address / 4).
pub trait Bus {
    /// `None`: nothing answers there, or with an error.
    fn read(&mut self, address: u32) -> Option<u32>;

    /// Whether the write was accepted.
    fn write(&mut self, address: u32, value: u32) -> bool;
}

/// A bridge byte by byte.
pub trait Bytes {
    /// One byte from the wire; what is answered goes to `out`.
    fn byte(&mut self, byte: u8, bus: &mut dyn Bus, out: &mut Vec<u8>);

    /// No byte came for the time of a time-out: what came of a command is forgotten.
    fn silence(&mut self);
}

/// Where a word address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Byte offset of a register.
    Register(u32),
    /// Byte offset in the memory.
    Memory(u32),
}

/// The map of addresses, for a memory of so many bytes.
pub fn place(address: u32, memory_bytes: u64) -> Option<Place> {
    let register = address.wrapping_sub(wire::REGISTERS / 4);
    let memory = address.wrapping_sub(wire::MEMORY / 4);
    match (register < wire::REGISTER_BYTES / 4, u64::from(memory) < memory_bytes / 4) {
        (true, _) => Some(Place::Register(4 * register)),
        (_, true) => Some(Place::Memory(4 * memory)),
        _ => None,
    }
}

/// Where the parser is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between commands; whether a flag came last.
    Idle {
        flagged: bool,
    },
    Bone,
    Frame,
    /// A frame too long to be one; its end is waited for.
    Skip,
}

/// The bridge.
#[derive(Clone, Debug)]
pub struct Bridge {
    state: State,
    escaped: bool,
    crc: u32,
    bytes: Vec<u8>,
    /// A session is open: only frames are understood.
    open: bool,
    /// Sequence number of the last request that was carried out.
    last: u8,
    /// That a frame is missing has been told.
    complained: bool,
}

impl Default for Bridge {
    fn default() -> Self {
        let state = State::Idle { flagged: false };
        Bridge { state, escaped: false, crc: CRC_START, bytes: Vec::new(), open: false, last: 0, complained: false }
    }
}

impl Bridge {
    /// Whether a session is open.
    pub fn open(&self) -> bool {
        self.open
    }
}

impl Bytes for Bridge {
    fn silence(&mut self) {
        if !matches!(self.state, State::Idle { .. }) {
            self.state = State::Idle { flagged: false };
        }
        self.escaped = false;
        self.bytes.clear();
    }

    fn byte(&mut self, byte: u8, bus: &mut dyn Bus, out: &mut Vec<u8>) {
        match self.state {
            State::Idle { flagged } => self.idle(byte, flagged),
            State::Bone => {
                self.bytes.push(byte);
                self.bone(bus, out);
            }
            State::Skip => {
                if byte == FLAG {
                    self.ended(None, bus, out);
                }
            }
            State::Frame if byte == FLAG => {
                let whole = self.crc == CRC_RIGHT && self.bytes.len() % WORD == (HEAD + TAIL) % WORD;
                let (escaped, bytes) = (self.escaped, std::mem::take(&mut self.bytes));
                match bytes.len() < HEAD + TAIL || escaped {
                    true => self.flagged(),
                    false => self.ended(whole.then_some(&bytes[..bytes.len() - TAIL]), bus, out),
                }
            }
            State::Frame => self.body(byte),
        }
    }
}

impl Bridge {
    fn idle(&mut self, byte: u8, flagged: bool) {
        self.bytes.clear();
        match byte {
            FLAG => self.flagged(),
            bone::WRITE..=bone::READ_FIXED if !self.open => {
                self.state = State::Bone;
                self.bytes.push(byte);
            }
            _ if flagged => {
                self.state = State::Frame;
                self.body(byte);
            }
            _ => self.state = State::Idle { flagged: false },
        }
    }

    /// A flag: the next byte may begin a frame.
    fn flagged(&mut self) {
        self.state = State::Idle { flagged: true };
        self.escaped = false;
        self.crc = CRC_START;
        self.bytes.clear();
    }

    fn body(&mut self, byte: u8) {
        if byte == ESCAPE {
            self.escaped = true;
            return;
        }
        let plain = byte ^ if std::mem::take(&mut self.escaped) { TURN } else { 0 };
        self.crc = wire::crc_byte(self.crc, plain);
        self.bytes.push(plain);
        if self.bytes.len() > HEAD + PAYLOAD + TAIL {
            self.state = State::Skip;
        }
    }

    /// A frame has ended; its bytes without the CRC, if that is right.
    fn ended(&mut self, frame: Option<&[u8]>, bus: &mut dyn Bus, out: &mut Vec<u8>) {
        self.flagged();
        match frame {
            Some(bytes) => self.frame(bytes, bus, out),
            None if self.open => self.complain(out),
            None => {}
        }
    }

    /// Asks for the request that is missing, once.
    fn complain(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.complained, true) {
            reply(out, Op::Again.code(), self.last.wrapping_add(1), &[], Status::Again);
        }
    }

    fn frame(&mut self, bytes: &[u8], bus: &mut dyn Bus, out: &mut Vec<u8>) {
        let (code, seq, payload) = (bytes[0], bytes[1], &bytes[HEAD..]);
        let address = u32::from_le_bytes([bytes[2], bytes[3], bytes[4], bytes[5]]);
        let op = Op::from_code(code);
        let behind = self.last.wrapping_sub(seq);
        if op == Some(Op::Hello) && address == GREETING && seq == FIRST {
            (self.open, self.last, self.complained) = (true, seq, false);
            return reply(out, code, seq, &hello(), Status::Ok);
        }
        if !self.open {
            return reply(out, code, seq, &[], Status::Closed);
        }
        let next = behind == u8::MAX;
        if !next && behind >= 128 {
            return self.complain(out);
        }
        let (status, data) = carry_out(op, address, payload, next, bus);
        if next && status == Status::Ok {
            (self.last, self.complained) = (seq, false);
            self.open = op != Some(Op::Bye);
        }
        reply(out, code, seq, &data, status);
    }

    /// Runs a command of uartbone when all of it has come.
    fn bone(&mut self, bus: &mut dyn Bus, out: &mut Vec<u8>) {
        let [command, count, a, b, c, d, data @ ..] = self.bytes.as_slice() else { return };
        let words = if *count == 0 { 256 } else { usize::from(*count) };
        let step = u32::from(*command <= bone::READ);
        let addresses = (0..words as u32).map(|i| u32::from_be_bytes([*a, *b, *c, *d]).wrapping_add(step * i));
        let is_read = command % 2 == 0;
        if !is_read && data.len() < WORD * words {
            return;
        }
        if is_read {
            addresses.for_each(|address| out.extend(bus.read(address).unwrap_or(0).to_be_bytes()));
        } else {
            let values = data.as_chunks::<WORD>().0.iter().map(|word| u32::from_be_bytes(*word));
            addresses.zip(values).for_each(|(address, value)| {
                bus.write(address, value);
            });
        }
        self.state = State::Idle { flagged: false };
    }
}

/// Data of the reply to a greeting.
fn hello() -> Vec<u8> {
    [wire::VERSION.to_le_bytes(), (PAYLOAD as u16).to_le_bytes()].concat()
}

fn reply(out: &mut Vec<u8>, code: u8, seq: u8, data: &[u8], status: Status) {
    out.extend(wire::frame(&[&[code | wire::REPLY, seq], data, &[status.code()]].concat()));
}

/// Status and data. A write that was carried out before is not repeated.
fn carry_out(op: Option<Op>, address: u32, payload: &[u8], next: bool, bus: &mut dyn Bus) -> (Status, Vec<u8>) {
    let refused = (Status::Refused, Vec::new());
    if !address.is_multiple_of(WORD as u32) {
        return refused;
    }
    let first = address / WORD as u32;
    match op {
        Some(Op::Write) if !payload.is_empty() => (if next { write(first, payload, bus) } else { Status::Ok }, Vec::new()),
        Some(op @ (Op::Read | Op::Check)) => {
            let &[a, b, c, d] = payload else { return refused };
            let count = u32::from_le_bytes([a, b, c, d]);
            let most = if op == Op::Read { PAYLOAD as u32 } else { u32::MAX };
            if !count.is_multiple_of(WORD as u32) || count == 0 || count > most {
                return refused;
            }
            if op == Op::Read { read(first, count, bus) } else { check(first, count, bus) }
        }
        Some(Op::Bye) if payload.is_empty() => (Status::Ok, Vec::new()),
        _ => refused,
    }
}

/// Stops at the first word that is not accepted.
fn write(first: u32, payload: &[u8], bus: &mut dyn Bus) -> Status {
    let words = payload.as_chunks::<WORD>().0.iter();
    let all = words.zip(0..).all(|(word, i)| bus.write(first.wrapping_add(i), u32::from_le_bytes(*word)));
    if all { Status::Ok } else { Status::Bus }
}

/// A word that cannot be read is sent as 0.
fn read(first: u32, count: u32, bus: &mut dyn Bus) -> (Status, Vec<u8>) {
    let words: Vec<Option<u32>> = (0..count / WORD as u32).map(|i| bus.read(first.wrapping_add(i))).collect();
    let status = if words.contains(&None) { Status::Bus } else { Status::Ok };
    (status, words.iter().flat_map(|word| word.unwrap_or(0).to_le_bytes()).collect())
}

/// The CRC up to the first word that cannot be read, which ends it.
fn check(first: u32, count: u32, bus: &mut dyn Bus) -> (Status, Vec<u8>) {
    let mut crc = CRC_START;
    for i in 0..count / WORD as u32 {
        let Some(word) = bus.read(first.wrapping_add(i)) else {
            return (Status::Bus, (!crc).to_le_bytes().to_vec());
        };
        crc = word.to_le_bytes().into_iter().fold(crc, wire::crc_byte);
    }
    (Status::Ok, (!crc).to_le_bytes().to_vec())
}
