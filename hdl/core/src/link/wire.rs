// SPDX-License-Identifier: MIT OR Apache-2.0
//! The wire format between host and board, declared once: for the RTL, its golden model, the host and the docs.
//!
//! Two protocols share the wire. *uartbone* is LiteX's: a command byte, a count of words, a word address and data,
//! without any check. *Frames* are ours, octet-stuffed as in RFC 1662: `FLAG`, bytes, CRC-32, `FLAG`, where a byte that
//! equals `FLAG` or `ESCAPE` is sent as `ESCAPE` and the byte with bit 5 turned. No operation is a command of uartbone.

/// Begins and ends a frame.
pub const FLAG: u8 = 0x7e;
/// The next byte has bit 5 turned. A frame that ends in `ESCAPE FLAG` is given up by its sender.
pub const ESCAPE: u8 = 0x7d;
/// What `ESCAPE` turns.
pub const TURN: u8 = 0x20;

/// Bytes of a request ahead of its payload: operation, sequence number, address (little-endian).
pub const HEAD: usize = 6;
/// Bytes of the CRC-32 behind the payload, little-endian.
pub const TAIL: usize = 4;
/// Bytes of a word. Addresses and counts of a frame are multiples of it.
pub const WORD: usize = 4;
/// Most payload bytes of a frame, in either direction.
pub const PAYLOAD: usize = 1024;
/// Bytes that the board takes in while it works on a command.
pub const BACKLOG: u32 = 256;
/// Requests that may be under way: their bytes, or their replies, fit the backlog.
pub const WINDOW: usize = 8;
/// Version of the frames, in the reply to [`Op::Hello`].
pub const VERSION: u16 = 1;

/// First byte address of the registers, of which there are 4 KiB.
pub const REGISTERS: u32 = 0xf000_0000;
/// Bytes of the registers.
pub const REGISTER_BYTES: u32 = 0x1000;
/// First byte address of the memory.
pub const MEMORY: u32 = 0x4000_0000;

/// First byte address of the window that tells what the link can do. A bridge with frames has nothing there: it reads 0.
pub const LINK: u32 = 0xe000_0000;
/// What a bridge without frames reads there.
pub const BONE_ONLY: u32 = u32::from_be_bytes(*b"BONE");
/// The word behind it there: [`crc`] of every byte that passed, either way, since it was asked for last. The bytes that ask
/// for it count, the word itself belongs to the next.
pub const BONE_CRC: u32 = LINK + 4;

/// The address field of [`Op::Hello`]: with operation and sequence number the frame reads `HEDDLE`. None of
/// its bytes, CRC included, is a command of uartbone, or begins an address of registers or memory.
pub const GREETING: u32 = u32::from_le_bytes(*b"DDLE");
/// The sequence number of [`Op::Hello`]; the first request after it has the next one.
pub const FIRST: u8 = b'E';

/// Set in the operation of a reply.
pub const REPLY: u8 = 0x20;

/// Commands of uartbone; count and address are in words, numbers big-endian. A count of 0 means 256.
pub mod bone {
    pub const WRITE: u8 = 1;
    pub const READ: u8 = 2;
    pub const WRITE_FIXED: u8 = 3;
    pub const READ_FIXED: u8 = 4;
    /// Every command: code, name, what it does.
    pub const ALL: [(u8, &str, &str); 4] = [
        (WRITE, "write", "`count` words follow; the address counts up"),
        (READ, "read", "answered by `count` words; the address counts up"),
        (WRITE_FIXED, "write fixed", "`count` words follow, all for one address"),
        (READ_FIXED, "read fixed", "answered by `count` words, all from one address"),
    ];
}

/// What a frame asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Op {
    Hello = b'H',
    Read = b'R',
    Write = b'W',
    Check = b'C',
    Bye = b'B',
    /// Only as a reply.
    Again = b'N',
}

/// How an operation went; the last byte of a reply ahead of its CRC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    Ok = 0,
    Bus = 1,
    Refused = 2,
    Again = 3,
    Closed = 4,
}

impl Op {
    pub const ALL: [Op; 6] = [Op::Hello, Op::Read, Op::Write, Op::Check, Op::Bye, Op::Again];

    pub fn code(self) -> u8 {
        self as u8
    }

    /// The operation of a reply.
    pub fn reply(self) -> u8 {
        self as u8 | REPLY
    }

    pub fn from_code(code: u8) -> Option<Op> {
        Op::ALL.into_iter().find(|op| op.code() == code)
    }

    /// Name, payload of the request, data of the reply, what it does.
    pub fn doc(self) -> [&'static str; 4] {
        match self {
            Op::Hello => [
                "hello",
                "none; the address is `DDLE`, the sequence number `E`",
                "version (2 bytes), largest payload (2 bytes)",
                "opens the session: from now on only frames are understood",
            ],
            Op::Read => ["read", "count of bytes (4)", "the bytes", "reads memory or registers"],
            Op::Write => ["write", "the bytes", "none", "writes memory or registers, once the CRC is known to be right"],
            Op::Check => ["check", "count of bytes (4)", "CRC-32 of the bytes (4)", "tells what the memory holds, without sending it"],
            Op::Bye => ["bye", "none", "none", "closes the session: uartbone is understood again"],
            Op::Again => ["again", "never a request", "none", "a frame was broken or missing: resume at this sequence number"],
        }
    }
}

impl Status {
    pub const ALL: [Status; 5] = [Status::Ok, Status::Bus, Status::Refused, Status::Again, Status::Closed];

    pub fn code(self) -> u8 {
        self as u8
    }

    pub fn from_code(code: u8) -> Option<Status> {
        Status::ALL.into_iter().find(|s| s.code() == code)
    }

    pub fn doc(self) -> &'static str {
        match self {
            Status::Ok => "done",
            Status::Bus => {
                "an address outside of registers and memory, or the bus answered with an error; what was written before it stays"
            }
            Status::Refused => "unknown operation, address or count no multiple of 4, count 0, payload or count too long; nothing was done",
            Status::Again => "a frame was broken or missing; nothing was done",
            Status::Closed => "no session is open (the board was reset, or nobody said hello); nothing was done",
        }
    }
}

/// CRC-32 (IEEE 802.3, reflected) with one more byte; starts at all ones and is sent inverted.
pub fn crc_byte(crc: u32, byte: u8) -> u32 {
    (0..8).fold(crc ^ u32::from(byte), |c, _| if c & 1 == 1 { (c >> 1) ^ CRC_POLYNOMIAL } else { c >> 1 })
}

/// CRC-32 of bytes, as it is sent.
pub fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(CRC_START, |crc, byte| {
        let at = (crc as u8 ^ byte) as usize;
        (crc >> 8) ^ CRC_TABLE[at]
    })
}

/// The polynomial, bit 31 first.
pub const CRC_POLYNOMIAL: u32 = 0xedb8_8320;
pub const CRC_START: u32 = u32::MAX;
/// The register after a frame whose CRC is right.
pub const CRC_RIGHT: u32 = 0xdebb_20e3;

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let (mut c, mut k) = (i as u32, 0);
        while k < 8 {
            c = if c & 1 == 1 { (c >> 1) ^ CRC_POLYNOMIAL } else { c >> 1 };
            k += 1;
        }
        table[i] = c;
        i += 1;
    }
    table
};

/// Flag, stuffed bytes with their CRC, flag.
pub fn frame(bytes: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(bytes.len() + bytes.len() / 64 + 8);
    wire.push(FLAG);
    for &byte in bytes.iter().chain(&crc(bytes).to_le_bytes()) {
        match byte {
            FLAG | ESCAPE => wire.extend([ESCAPE, byte ^ TURN]),
            _ => wire.push(byte),
        }
    }
    wire.push(FLAG);
    wire
}

/// A request as a frame.
pub fn request(op: Op, seq: u8, address: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![op.code(), seq];
    bytes.extend(address.to_le_bytes());
    bytes.extend(payload);
    frame(&bytes)
}

/// Takes frames out of a stream of bytes.
#[derive(Clone, Debug, Default)]
pub struct Unframer {
    bytes: Vec<u8>,
    escaped: bool,
    /// A flag was seen: what comes now belongs to a frame.
    open: bool,
}

/// What a byte completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unframed {
    /// The bytes of a frame whose CRC is right, without it.
    Good(Vec<u8>),
    /// A frame of which something is wrong.
    Broken,
}

impl Unframer {
    /// One more byte of at most `longest` unstuffed bytes per frame, CRC included.
    pub fn push(&mut self, byte: u8, longest: usize) -> Option<Unframed> {
        match byte {
            FLAG => {
                let (mut bytes, escaped) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.escaped));
                self.open = true;
                if bytes.is_empty() || escaped {
                    return None;
                }
                let body = bytes.len().saturating_sub(TAIL);
                let whole = bytes.len() <= longest && body > 0 && crc(&bytes[..body]).to_le_bytes() == bytes[body..];
                bytes.truncate(body);
                return Some(if whole { Unframed::Good(bytes) } else { Unframed::Broken });
            }
            ESCAPE if self.open => self.escaped = true,
            _ if self.open && self.bytes.len() <= longest => {
                let turn = if std::mem::take(&mut self.escaped) { TURN } else { 0 };
                self.bytes.push(byte ^ turn);
            }
            _ => self.escaped = false,
        }
        None
    }

    /// Forgets what came of a frame.
    pub fn clear(&mut self) {
        *self = Unframer::default();
    }
}
