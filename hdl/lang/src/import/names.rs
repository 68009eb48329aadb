// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names: from rust-hdl's paths to those of nets, modules and parameters.

/// `clk` for `clock`, otherwise the path with `_` between its parts.
pub fn net(path: &str) -> String {
    match path {
        "clock" => "clk".into(),
        _ => path.replace('$', "_"),
    }
}

/// The path without the indices of arrays: `pe$3` is an instance of `pe`.
pub fn without_indices(path: &str) -> String {
    path.split('$').filter(|part| !part.chars().all(|c| c.is_ascii_digit())).collect::<Vec<_>>().join("_")
}

/// `LoadBit` as `LOAD_BIT`, `SampleMISO` as `SAMPLE_MISO`.
pub fn screaming(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (i, c) in chars.iter().enumerate() {
        let after_lower = i > 0 && !chars[i - 1].is_ascii_uppercase() && chars[i - 1] != '_';
        let before_lower = i > 0 && chars[i - 1].is_ascii_uppercase() && chars.get(i + 1).is_some_and(|n| n.is_ascii_lowercase());
        if c.is_ascii_uppercase() && (after_lower || before_lower) {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}

/// Parameter name of `Variant` of the enum `type_name`; `UartState::Idle` is `UART_IDLE`.
pub fn variant(type_name: &str, variant: &str) -> String {
    let stem = screaming(type_name);
    let stem = stem.strip_suffix("_STATE").unwrap_or(&stem);
    format!("{stem}_{}", screaming(variant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_verilog_does() {
        assert_eq!(variant("SPIState", "SampleMISO"), "SPI_SAMPLE_MISO");
        assert_eq!(variant("State", "Idle"), "STATE_IDLE");
        assert_eq!(net("wires$mosi"), "wires_mosi");
        assert_eq!(without_indices("pe$3$mul"), "pe_mul");
    }
}
