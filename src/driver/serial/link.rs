// SPDX-License-Identifier: MIT OR Apache-2.0
//! The host's end of the wire: requests in frames, several under way, repeated until they are answered.
//!
//! Each transfer is right, or an error after a bounded number of repetitions. `docs/link.md` says why. A board whose link
//! has no frames is spoken to by uartbone ([`bone`]): there the first damage is an error.

mod bone;

use std::time::Duration;

use heddle_core::link::wire::{self, Op, Status, Unframed, Unframer};

use super::port::Port;

/// Times that a request is sent in vain, in a row, before the port counts as silent.
const ATTEMPTS: u32 = 10;
/// The same for the greeting, which waits from [`GREETING_WAIT`] on, twice as long each time.
const GREETINGS: u32 = 6;
const GREETING_WAIT: Duration = Duration::from_millis(250);
/// What a system may hold bytes back, beside the time of the wire.
const SLACK: Duration = Duration::from_millis(120);
/// The longest wait for an answer.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// Most bytes of a reply, unstuffed.
const LONGEST_REPLY: usize = wire::HEAD + wire::PAYLOAD + wire::TAIL;

/// Why a transfer failed.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("serial port {port}: {source}; was the board unplugged?")]
    Io { port: String, source: std::io::Error },
    #[error(
        "no answer on serial port {port}; is it the right port and speed, does the board have power, and is a bitstream loaded? \
         (a board that LiteX's client has stopped in the middle of a command needs a tenth of a second)"
    )]
    Silent { port: String },
    #[error("serial port {port} answers no more, after {attempts} attempts; the connection is lost or too noisy")]
    Lost { port: String, attempts: u32 },
    #[error("serial port {port}: what is written at 0x{address:08x} is not what is read there; is it outside of the board's memory?")]
    Unkept { port: String, address: u32 },
    #[error(
        "serial port {port}: bytes were damaged on their way, and this board's link cannot tell which of them had an effect, so what \
         its memory holds is unknown; start again (what is held rightly is not sent again), with a better cable if it comes back"
    )]
    Damaged { port: String },
    #[error("serial port {port}: the board was reset in the middle of the session; start again")]
    Reset { port: String },
    #[error(
        "serial port {port}: the board speaks version {found} of the link, this program {}; load a bitstream of this version",
        wire::VERSION
    )]
    Version { port: String, found: u16 },
    #[error("serial port {port}: the board answers 0x{address:08x} with an error of its bus{}", beyond(*address))]
    Bus { port: String, address: u32 },
    #[error("serial port {port}: the board refused {op} at 0x{address:08x}; this is an error in the program, please report it")]
    Refused { port: String, op: &'static str, address: u32 },
}

/// What an error of the bus at an address of memory means.
fn beyond(address: u32) -> String {
    match address.checked_sub(wire::MEMORY).filter(|_| address < wire::LINK) {
        Some(byte) => format!(": its memory ends at or before byte {byte}, and a model must fit into it"),
        None => String::new(),
    }
}

/// What went over the link since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounts {
    /// Requests that were answered.
    pub requests: u64,
    /// Frames sent again.
    pub repeated: u64,
    /// Replies with a wrong CRC; without frames, commands after which the CRC of all bytes was wrong.
    pub broken: u64,
    /// Waits that ended without an answer.
    pub timeouts: u64,
}

/// A request of a batch.
#[derive(Clone, Debug)]
pub struct Request {
    op: Op,
    address: u32,
    payload: Vec<u8>,
    /// Bytes of data in the reply, and time the board works, in bytes of the wire.
    reply: usize,
    work: u32,
}

impl Request {
    /// Addresses and lengths are multiples of 4.
    pub fn read(address: u32, count: usize) -> Request {
        Request { op: Op::Read, address, payload: (count as u32).to_le_bytes().into(), reply: count, work: 0 }
    }

    pub fn write(address: u32, bytes: &[u8]) -> Request {
        Request { op: Op::Write, address, payload: bytes.into(), reply: 0, work: (bytes.len() / wire::WORD) as u32 }
    }

    pub fn check(address: u32, count: u32) -> Request {
        Request { op: Op::Check, address, payload: count.to_le_bytes().into(), reply: 4, work: count / wire::WORD as u32 }
    }

    /// Bytes on the wire of request and reply, about, and those that the board's work lasts.
    fn bytes(&self) -> u32 {
        32 + (self.payload.len() + self.reply) as u32 + self.work
    }
}

/// A reply whose CRC is right.
struct Reply {
    code: u8,
    seq: u8,
    data: Vec<u8>,
    status: Status,
}

/// What came in a wait.
enum Heard {
    Reply(Reply),
    Broken,
    Nothing,
}

/// An open session.
pub struct Link<P: Port> {
    port: P,
    unframer: Unframer,
    /// Received and not yet looked at.
    received: Vec<u8>,
    /// Sequence number of the next request.
    seq: u8,
    /// Time of a byte on the wire, as it was measured, at least that of the baud rate.
    byte_time: Duration,
    counts: LinkCounts,
    /// The board understands frames; otherwise uartbone alone.
    framed: bool,
    /// Without frames: what has passed, either way, since the board was asked for its CRC.
    passed: Vec<u8>,
}

impl<P: Port> Link<P> {
    /// Greets the board. `baud`: of the wire.
    pub fn open(port: P, baud: u32) -> Result<Link<P>, LinkError> {
        let mut link = Link::closed(port, baud);
        link.greet()?;
        Ok(link)
    }

    /// A link that has not greeted its board.
    pub(super) fn closed(port: P, baud: u32) -> Link<P> {
        let byte_time = Duration::from_secs(10) / baud.max(1);
        let (unframer, received, counts) = (Unframer::default(), Vec::new(), LinkCounts::default());
        Link { port, unframer, received, seq: 0, byte_time, counts, framed: true, passed: Vec::new() }
    }

    pub fn port(&mut self) -> &mut P {
        &mut self.port
    }

    pub fn name(&self) -> String {
        self.port.name().into()
    }

    pub fn counts(&self) -> LinkCounts {
        self.counts
    }

    /// Whether the board's link has frames.
    pub fn has_frames(&self) -> bool {
        self.framed
    }

    /// Opens the session anew: whatever is still on its way is not taken for an answer of what follows.
    fn greet(&mut self) -> Result<(), LinkError> {
        let hello = wire::request(Op::Hello, wire::FIRST, wire::GREETING, &[]);
        let mut wait = GREETING_WAIT;
        for _ in 0..GREETINGS {
            let (sent, exchanged) = (self.port.now(), 2 * hello.len() as u32);
            self.send(&hello)?;
            let until = sent + wait + self.byte_time * exchanged;
            loop {
                match self.hear(until)? {
                    Heard::Nothing => break,
                    Heard::Reply(Reply { code, seq: wire::FIRST, data, status: Status::Ok }) if code == Op::Hello.reply() => {
                        let Some(version) = data.first_chunk() else { continue };
                        let found = u16::from_le_bytes(*version);
                        if found != wire::VERSION {
                            return Err(LinkError::Version { port: self.name(), found });
                        }
                        // A board that is simulated may be slower than its wire.
                        let measured = (self.port.now() - sent).saturating_sub(SLACK) / exchanged;
                        self.byte_time = self.byte_time.max(measured);
                        self.seq = wire::FIRST.wrapping_add(1);
                        self.framed = true;
                        return Ok(());
                    }
                    Heard::Reply(_) | Heard::Broken => {}
                }
            }
            if self.speaks_bone(wait)? {
                self.framed = false;
                return Ok(());
            }
            wait *= 2;
        }
        Err(LinkError::Silent { port: self.name() })
    }

    /// Greets the board again, after an error.
    pub fn again(&mut self) -> Result<(), LinkError> {
        self.greet()
    }

    /// Closes the session, so that the board understands uartbone again. Tried once.
    pub fn bye(&mut self) {
        if !self.framed {
            return;
        }
        let bye = wire::request(Op::Bye, self.seq, 0, &[]);
        if self.send(&bye).is_ok() {
            let until = self.port.now() + SLACK + self.byte_time * 64;
            while matches!(self.hear(until), Ok(Heard::Reply(reply)) if reply.code != Op::Bye.reply()) {}
        }
    }

    /// Fills `to` from an address; both are multiples of 4.
    pub fn read(&mut self, address: u32, to: &mut [u8]) -> Result<(), LinkError> {
        let starts = (0..to.len()).step_by(wire::PAYLOAD);
        let requests: Vec<Request> =
            starts.map(|at| Request::read(address.wrapping_add(at as u32), (to.len() - at).min(wire::PAYLOAD))).collect();
        let replies = self.batch(&requests)?;
        to.chunks_mut(wire::PAYLOAD).zip(&replies).for_each(|(to, data)| to.copy_from_slice(data));
        Ok(())
    }

    /// Writes bytes from an address on; both are multiples of 4.
    pub fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), LinkError> {
        let starts = (0..bytes.len()).step_by(wire::PAYLOAD);
        let chunk = |at: usize| &bytes[at..bytes.len().min(at + wire::PAYLOAD)];
        let requests: Vec<Request> = starts.map(|at| Request::write(address.wrapping_add(at as u32), chunk(at))).collect();
        self.batch(&requests).map(|_| ())
    }

    /// CRC-32 of ranges of the device.
    pub fn check(&mut self, ranges: &[(u32, u32)]) -> Result<Vec<u32>, LinkError> {
        let requests: Vec<Request> = ranges.iter().map(|(address, count)| Request::check(*address, *count)).collect();
        let replies = self.batch(&requests)?;
        Ok(replies.iter().map(|data| data.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))).collect())
    }

    /// Carries out requests in order, several under way; the data of each reply.
    pub fn batch(&mut self, requests: &[Request]) -> Result<Vec<Vec<u8>>, LinkError> {
        if !self.framed {
            return self.one_by_one(requests);
        }
        let mut done = Vec::with_capacity(requests.len());
        // Answered, sent, and the failures since the last answer; whether the frames under way were already given up.
        let (mut sent, mut failures, mut again) = (0, 0, false);
        let first = self.seq;
        // Until when the first answer is waited for; what else is heard does not put it off.
        let mut until = None;
        while done.len() < requests.len() {
            let base = done.len();
            while sent < requests.len().min(base + wire::WINDOW) {
                let request = &requests[sent];
                let frame = wire::request(request.op, first.wrapping_add(sent as u8), request.address, &request.payload);
                self.send(&frame)?;
                sent += 1;
            }
            let patience = self.patience(&requests[base..sent], failures);
            let heard = self.hear(*until.get_or_insert(self.port.now() + patience))?;
            let timed_out = matches!(heard, Heard::Nothing);
            let lost = match heard {
                Heard::Nothing => {
                    self.counts.timeouts += 1;
                    true
                }
                Heard::Broken => !std::mem::replace(&mut again, true),
                Heard::Reply(reply) => {
                    let place = usize::from(reply.seq.wrapping_sub(first.wrapping_add(base as u8)));
                    match reply.status {
                        Status::Closed => return Err(LinkError::Reset { port: self.name() }),
                        Status::Again => !std::mem::replace(&mut again, true),
                        // The answer of something older, or of what is not asked.
                        _ if place >= sent - base || reply.code != requests[base + place].op.reply() => false,
                        _ if place > 0 => !std::mem::replace(&mut again, true),
                        status => {
                            done.push(self.answer(&requests[base], reply.data, status)?);
                            (failures, again, until) = (0, false, None);
                            self.seq = self.seq.wrapping_add(1);
                            false
                        }
                    }
                }
            };
            if lost {
                failures += 1;
                if failures > ATTEMPTS {
                    return Err(LinkError::Lost { port: self.name(), attempts: ATTEMPTS });
                }
                self.counts.repeated += (sent - base) as u64;
                (again, until) = (!timed_out, None);
                sent = base;
            }
        }
        Ok(done)
    }

    /// The data of the reply to a request, or why there is none.
    fn answer(&mut self, request: &Request, data: Vec<u8>, status: Status) -> Result<Vec<u8>, LinkError> {
        self.counts.requests += 1;
        if status == Status::Ok && data.len() == request.reply {
            return Ok(data);
        }
        let (port, address) = (self.name(), request.address);
        // What was sent behind it is void; a new greeting makes sure of it.
        self.greet()?;
        match status {
            Status::Bus => Err(LinkError::Bus { port, address }),
            _ => Err(LinkError::Refused { port, op: request.op.doc()[0], address }),
        }
    }

    /// How long to wait for the first of these answers.
    fn patience(&self, under_way: &[Request], failures: u32) -> Duration {
        self.waits(under_way.iter().map(Request::bytes).sum(), failures)
    }

    /// The time of so many bytes, with some to spare.
    fn waits(&self, bytes: u32, failures: u32) -> Duration {
        ((SLACK + 2 * self.byte_time * bytes) * (1 << failures.min(8))).min(LONGEST_WAIT)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        self.port.write(bytes).map_err(|source| LinkError::Io { port: self.name(), source })
    }

    /// The next frame, good or broken.
    fn hear(&mut self, until: Duration) -> Result<Heard, LinkError> {
        loop {
            let mut taken = 0;
            let found = self.received.iter().find_map(|byte| {
                taken += 1;
                self.unframer.push(*byte, LONGEST_REPLY)
            });
            self.received.drain(..taken);
            match found {
                Some(Unframed::Good(bytes)) => {
                    if let Some(reply) = parse(bytes) {
                        return Ok(Heard::Reply(reply));
                    }
                }
                Some(Unframed::Broken) => {
                    self.counts.broken += 1;
                    return Ok(Heard::Broken);
                }
                None => {
                    let mut buffer = [0; 4096];
                    let count = self.port.read(&mut buffer, until).map_err(|source| LinkError::Io { port: self.name(), source })?;
                    if count == 0 {
                        return Ok(Heard::Nothing);
                    }
                    self.received.extend(&buffer[..count]);
                }
            }
        }
    }
}

fn parse(mut bytes: Vec<u8>) -> Option<Reply> {
    let status = Status::from_code(bytes.pop()?)?;
    let &[code, seq, ..] = bytes.as_slice() else { return None };
    bytes.drain(..2);
    Some(Reply { code, seq, data: bytes, status })
}
