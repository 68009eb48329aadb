// SPDX-License-Identifier: MIT OR Apache-2.0
//! The register map as a C header of constants (C89 and later, C++).

use super::{Register, origin, present};
use crate::config::Config;

/// Offsets, reset values, field positions, masks and named values as `#define`s.
pub fn c_header(config: &Config) -> String {
    let mut text = format!(
        "/* SPDX-License-Identifier: MIT OR Apache-2.0 */\n\
         /* {} */\n\n\
         #ifndef HEDDLE_REGISTERS_H\n#define HEDDLE_REGISTERS_H\n",
        origin(config)
    );
    for register in present(config) {
        text += &register_defines(register, config);
    }
    text + "\n#endif\n"
}

fn register_defines(register: &Register, config: &Config) -> String {
    let name = register.name;
    let mut text = format!("\n/* {} ({}) */\n", register.doc, register.access.abbreviation());
    text += &define(&format!("{name}_OFFSET"), format!("0x{:03x}u", register.offset));
    text += &define(&format!("{name}_RESET"), format!("0x{:08x}u", register.reset_value(config)));
    for field in register.fields {
        let name = format!("{name}_{}", field.name.to_uppercase());
        text += &format!("/* {} */\n", field.doc);
        text += &define(&format!("{name}_LSB"), format!("{}u", field.lsb));
        text += &define(&format!("{name}_MASK"), format!("0x{:08x}u", field.mask()));
        for value in field.values {
            let name = format!("{name}_{}", value.name.to_uppercase());
            text += &define(&name, format!("{}u", value.value));
        }
    }
    text
}

fn define(name: &str, value: String) -> String {
    format!("#define {:<44} {value}\n", format!("HEDDLE_{name}"))
}
