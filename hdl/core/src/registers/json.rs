// SPDX-License-Identifier: MIT OR Apache-2.0
//! The register map as JSON.

use super::{Register, present};
use crate::config::Config;
use serde::Serialize;

#[derive(Serialize)]
struct MapView {
    license: &'static str,
    config: String,
    digest: String,
    address_bits: u32,
    registers: Vec<RegisterView>,
}

#[derive(Serialize)]
struct RegisterView {
    name: &'static str,
    offset: u32,
    access: &'static str,
    reset: u32,
    description: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldView>,
}

#[derive(Serialize)]
struct FieldView {
    name: &'static str,
    lsb: u32,
    width: u32,
    description: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<ValueView>,
}

#[derive(Serialize)]
struct ValueView {
    name: &'static str,
    value: u32,
    description: &'static str,
}

/// The register map with the reset values of this configuration, as indented JSON.
pub fn json(config: &Config) -> String {
    let map = MapView {
        license: "MIT OR Apache-2.0",
        config: config.name.clone(),
        digest: config.digest_hex(),
        address_bits: super::ADDRESS_BITS,
        registers: present(config).map(|register| view(register, config)).collect(),
    };
    let mut text = serde_json::to_string_pretty(&map).expect("strings and numbers have a JSON form");
    text.push('\n');
    text
}

fn view(register: &Register, config: &Config) -> RegisterView {
    let fields = register.fields.iter().map(|field| FieldView {
        name: field.name,
        lsb: field.lsb,
        width: field.width,
        description: field.doc,
        values: field.values.iter().map(|v| ValueView { name: v.name, value: v.value, description: v.doc }).collect(),
    });
    RegisterView {
        name: register.name,
        offset: register.offset,
        access: register.access.abbreviation(),
        reset: register.reset_value(config),
        description: register.doc,
        fields: fields.collect(),
    }
}
