// SPDX-License-Identifier: MIT OR Apache-2.0
//! The register map as a Rust module of constants.
//!
//! There is no struct that overlays the registers: a reference into device memory would be unsound.

use super::{Register, origin, present};
use crate::config::Config;
use std::fmt::Write;

const HEAD: &str = "
/// A register: its byte offset and its value after reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    pub offset: usize,
    pub reset: u32,
}

/// A field of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    pub lsb: u32,
    pub width: u32,
}

impl Field {
    /// The field's bits in place.
    pub const fn mask(self) -> u32 {
        (u32::MAX >> (32 - self.width)) << self.lsb
    }

    /// The field's value in `word`.
    pub const fn get(self, word: u32) -> u32 {
        (word & self.mask()) >> self.lsb
    }

    /// `word` with the field set to `value`; bits beyond its width are dropped.
    pub const fn set(self, word: u32, value: u32) -> u32 {
        word & !self.mask() | (value << self.lsb) & self.mask()
    }
}
";

/// Registers as constants, and a module of fields and named values for each register that has any.
pub fn rust_source(config: &Config) -> String {
    let origin = origin(config);
    let mut text = format!("// SPDX-License-Identifier: MIT OR Apache-2.0\n//! {origin}\n{HEAD}");
    for register in present(config) {
        let (name, offset, reset) = (register.name, register.offset, register.reset_value(config));
        let access = register.access.abbreviation();
        let _ = write!(
            text,
            "\n/// {} ({access})\npub const {name}: Register = Register {{ offset: 0x{offset:03x}, reset: 0x{reset:08x} }};\n",
            register.doc
        );
    }
    for register in present(config).filter(|register| !register.fields.is_empty()) {
        text += &fields_module(register);
    }
    text
}

fn fields_module(register: &Register) -> String {
    let mut text = format!("\n/// Fields of [`{}`].\npub mod {} {{\n    use super::Field;\n", register.name, register.name.to_lowercase());
    for field in register.fields {
        let name = field.name.to_uppercase();
        let _ = write!(
            text,
            "\n    /// {}\n    pub const {name}: Field = Field {{ lsb: {}, width: {} }};\n",
            field.doc, field.lsb, field.width
        );
        for value in field.values {
            let value_name = value.name.to_uppercase();
            let _ = write!(text, "    /// {}\n    pub const {name}_{value_name}: u32 = {};\n", value.doc, value.value);
        }
    }
    text + "}\n"
}
