// SPDX-License-Identifier: MIT OR Apache-2.0
//! The register map as a page of documentation.

use super::{Register, origin, present};
use crate::config::Config;
use std::fmt::Write;

/// An overview table, then one section for each register that has fields.
pub fn markdown(config: &Config) -> String {
    let mut text = format!(
        "# Registers\n\n{}\n\n\
         AXI4-Lite, 32-bit words. RO: writes have no effect. W1C: writing a 1 clears the bit. WO: reads 0. \
         Bits that are not listed read 0. An access to an address that is not listed is answered with `SLVERR`. \
         The counters from 0x100 on are 32 bits wide, wrap, and are cleared by `CONTROL.start`.\n\n\
         | offset | name | access | reset | meaning |\n|---|---|---|---|---|\n",
        origin(config)
    );
    for register in present(config) {
        let _ = writeln!(
            text,
            "| 0x{:03x} | `{}` | {} | 0x{:08x} | {} |",
            register.offset,
            register.name,
            register.access.abbreviation(),
            register.reset_value(config),
            register.doc
        );
    }
    for register in present(config).filter(|register| !register.fields.is_empty()) {
        text += &fields_markdown(register);
    }
    text
}

fn fields_markdown(register: &Register) -> String {
    let mut text =
        format!("\n## {} (0x{:03x})\n\n{}\n\n| bits | field | meaning |\n|---|---|---|\n", register.name, register.offset, register.doc);
    for field in register.fields {
        let _ = writeln!(text, "| {} | `{}` | {} |", field.range(), field.name, field.doc);
    }
    for field in register.fields.iter().filter(|field| !field.values.is_empty()) {
        let _ = write!(text, "\n| `{}` | name | meaning |\n|---|---|---|\n", field.name);
        for value in field.values {
            let _ = writeln!(text, "| {} | `{}` | {} |", value.value, value.name, value.doc);
        }
    }
    text
}
