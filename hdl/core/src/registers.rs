// SPDX-License-Identifier: MIT OR Apache-2.0
//! The registers of the accelerator, declared once.
//!
//! An AXI4-Lite slave with 12-bit addresses and 32-bit words. [`map::REGISTERS`] is the declaration; the
//! hardware's register block, the host driver and the JSON, SVD, C, Markdown and Rust renderings below are
//! made from it. An access to an address that is not listed is answered with `SLVERR`, and reads 0.

mod c_header;
pub mod dvfs;
mod json;
pub mod map;
mod markdown;
mod rust_source;
mod svd;

pub use c_header::c_header;
pub use json::json;
pub use map::REGISTERS;
pub use markdown::markdown;
pub use rust_source::rust_source;
pub use svd::svd;

use crate::config::Config;
use crate::descriptor::Cause;

/// Width of a register address in bits.
pub const ADDRESS_BITS: u32 = 12;

/// What the bus may do with a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Written by the hardware; a write has no effect.
    ReadOnly,
    ReadWrite,
    /// Reads the events; writing a 1 to a bit clears it.
    WriteOneToClear,
    /// A 1 triggers; reads 0.
    WriteOnly,
}

/// Value after reset.
#[derive(Clone, Copy, Debug)]
pub enum Reset {
    Value(u32),
    /// A constant of the build.
    Build(fn(&Config) -> u32),
}

/// What a build must have for a register to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    /// The performance counters beyond CYCLES.
    Counters,
    /// Power domains.
    Domains,
    /// The DVFS unit.
    Dvfs,
    /// Either of them.
    Power,
}

/// One 32-bit register.
#[derive(Clone, Copy, Debug)]
pub struct Register {
    /// Upper-case identifier.
    pub name: &'static str,
    /// Byte offset, a multiple of 4.
    pub offset: u32,
    pub access: Access,
    pub reset: Reset,
    pub needs: Needs,
    pub doc: &'static str,
    /// Empty when all 32 bits are one value.
    pub fields: &'static [Bits],
}

/// A field of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bits {
    /// Lower-case identifier.
    pub name: &'static str,
    pub lsb: u32,
    pub width: u32,
    pub doc: &'static str,
    /// Named values; empty for numbers and flags.
    pub values: &'static [Value],
}

/// A named value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    pub name: &'static str,
    pub value: u32,
    pub doc: &'static str,
}

/// The registers of a build, by offset.
pub fn present(config: &Config) -> impl Iterator<Item = &'static Register> {
    let (domains, dvfs) = (config.domains() > 0, config.power.dvfs_entries > 0);
    REGISTERS.into_iter().filter(move |register| match register.needs {
        Needs::Nothing => true,
        Needs::Counters => config.counters,
        Needs::Domains => domains,
        Needs::Dvfs => dvfs,
        Needs::Power => domains || dvfs,
    })
}

impl Register {
    /// Value after reset in a build of this configuration.
    pub fn reset_value(&self, config: &Config) -> u32 {
        match self.reset {
            Reset::Value(value) => value,
            Reset::Build(value) => value(config),
        }
    }

    /// The bits that exist; the others read 0 and ignore writes.
    pub const fn mask(&self) -> u32 {
        if self.fields.is_empty() {
            return u32::MAX;
        }
        let (mut mask, mut i) = (0, 0);
        while i < self.fields.len() {
            mask |= self.fields[i].mask();
            i += 1;
        }
        mask
    }

    const fn with_fields(self, fields: &'static [Bits]) -> Register {
        Register { fields, ..self }
    }

    const fn with_reset(self, reset: Reset) -> Register {
        Register { reset, ..self }
    }

    const fn with_needs(self, needs: Needs) -> Register {
        Register { needs, ..self }
    }
}

impl Bits {
    /// The field's bits in place.
    pub const fn mask(&self) -> u32 {
        (u32::MAX >> (32 - self.width)) << self.lsb
    }

    /// The field's value in a word read from the register.
    pub const fn get(&self, word: u32) -> u32 {
        (word & self.mask()) >> self.lsb
    }

    /// Bit range as in data sheets: `7:0`, or `3`.
    fn range(&self) -> String {
        match self.width {
            1 => self.lsb.to_string(),
            _ => format!("{}:{}", self.lsb + self.width - 1, self.lsb),
        }
    }
}

impl Access {
    /// Abbreviation as in data sheets.
    pub const fn abbreviation(self) -> &'static str {
        match self {
            Access::ReadOnly => "RO",
            Access::ReadWrite => "RW",
            Access::WriteOneToClear => "W1C",
            Access::WriteOnly => "WO",
        }
    }
}

const fn register(name: &'static str, offset: u32, access: Access, doc: &'static str) -> Register {
    Register { name, offset, access, reset: Reset::Value(0), needs: Needs::Nothing, doc, fields: &[] }
}

const fn bits(name: &'static str, lsb: u32, width: u32, doc: &'static str) -> Bits {
    Bits { name, lsb, width, doc, values: &[] }
}

const fn cause_values() -> [Value; Cause::ALL.len()] {
    let mut values = [Value { name: "", value: 0, doc: "" }; Cause::ALL.len()];
    let mut i = 0;
    while i < values.len() {
        let cause = Cause::ALL[i];
        values[i] = Value { name: cause.name(), value: cause.code(), doc: cause.doc() };
        i += 1;
    }
    values
}

/// The line that opens every generated file: what it is and which build it belongs to.
fn origin(config: &Config) -> String {
    format!("Registers of the Heddle accelerator, configuration {} (digest {}).", config.name, config.digest_hex())
}

#[cfg(test)]
mod tests;
