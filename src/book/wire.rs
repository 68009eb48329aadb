// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tables of the link's wire format, from its declaration.

use heddle_core::link::wire::{self, Op, Status, bone};
use std::fmt::Write;

/// Commands of uartbone, operations and statuses of frames, and their limits.
pub fn tables() -> String {
    let mut text = String::from("| uartbone: command | name | what it does |\n|---|---|---|\n");
    for (code, name, doc) in bone::ALL {
        let _ = writeln!(text, "| `0x{code:02x}` | {name} | {doc} |");
    }
    text += "\n| frame: operation | name | payload of the request | data of the reply | what it does |\n|---|---|---|---|---|\n";
    for op in Op::ALL {
        let ([name, request, reply, doc], code) = (op.doc(), char::from(op.code()));
        let _ = writeln!(text, "| `{code}` | {name} | {request} | {reply} | {doc} |");
    }
    text += "\n| status | name | meaning |\n|---|---|---|\n";
    for status in Status::ALL {
        let name = format!("{status:?}").to_lowercase();
        let _ = writeln!(text, "| {} | {name} | {} |", status.code(), status.doc());
    }
    text += "\n| constant | value |\n|---|---|\n";
    let hex = |value: u8| format!("`0x{value:02x}`");
    let rows = [
        ("flag", hex(wire::FLAG)),
        ("escape; the next byte is turned by", format!("{}; {}", hex(wire::ESCAPE), hex(wire::TURN))),
        ("set in the operation of a reply", hex(wire::REPLY)),
        ("largest payload, bytes", wire::PAYLOAD.to_string()),
        ("requests under way, at most", wire::WINDOW.to_string()),
        ("bytes that the board takes in while it works", wire::BACKLOG.to_string()),
        ("version", wire::VERSION.to_string()),
        ("registers", format!("`0x{:08x}`, {} bytes", wire::REGISTERS, wire::REGISTER_BYTES)),
        ("memory", format!("from `0x{:08x}`", wire::MEMORY)),
    ];
    for (what, value) in rows {
        let _ = writeln!(text, "| {what} | {value} |");
    }
    text
}
