// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C++ between Verilator's classes and the driver, and its division into translation units.

use std::fmt::Write;

use super::build::Generated;
use super::{Opt, header};

pub(super) const SHIM: &str = include_str!("shim.h");
pub(super) const ABI: u32 = 1;

/// One file for the C++ compiler.
pub(super) struct Unit {
    pub name: String,
    pub text: String,
    /// Constructors and initial blocks, which run once: not worth `-O3`.
    pub cold: bool,
}

/// Generated code below this is one unit: the headers cost a second of compilation per unit.
const SPLIT_BYTES: u64 = 300_000;

/// Divides the generated files into at most `jobs` hot units of similar size, and cold ones beside them.
///
/// Files of one unit are included into it, so that the headers are read once.
pub(super) fn units(designs: &[Generated], opt: Opt, jobs: usize) -> Vec<Unit> {
    let mut main = String::from(SHIM);
    for design in designs {
        glue(&mut main, design);
    }
    table(&mut main, designs.len());

    let files: Vec<&(String, u64)> = designs.iter().flat_map(|d| &d.files).collect();
    let total: u64 = files.iter().map(|(_, bytes)| bytes).sum();
    if total < SPLIT_BYTES || jobs == 1 {
        include(&mut main, files.iter().map(|(name, _)| name.as_str()));
        return vec![Unit { name: "main.cc".into(), text: main, cold: false }];
    }
    let is_cold = |name: &str| opt == Opt::Fast && (name.contains("__Slow") || name.contains("__Syms"));
    let (cold, hot): (Vec<_>, Vec<_>) = files.into_iter().partition(|(name, _)| is_cold(name));
    let mut units = vec![Unit { name: "main.cc".into(), text: main, cold: true }];
    for (kind, files, cold) in [("hot", hot, false), ("cold", cold, true)] {
        for (index, names) in spread(files, jobs).into_iter().enumerate().filter(|(_, n)| !n.is_empty()) {
            let mut text = String::new();
            include(&mut text, names.into_iter());
            units.push(Unit { name: format!("{kind}{index}.cc"), text, cold });
        }
    }
    units
}

/// Largest first, each to the emptiest bin.
fn spread(mut files: Vec<&(String, u64)>, bins: usize) -> Vec<Vec<&str>> {
    files.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let mut spread = vec![(0u64, Vec::new()); bins];
    for (name, bytes) in files {
        if let Some(bin) = spread.iter_mut().min_by_key(|bin| bin.0) {
            bin.0 += bytes;
            bin.1.push(name.as_str());
        }
    }
    spread.into_iter().map(|(_, names)| names).collect()
}

fn include<'a>(text: &mut String, names: impl Iterator<Item = &'a str>) {
    for name in names {
        // Newer versions allow one design per unit, for the sake of precompiled headers, which are not used here.
        let _ = writeln!(text, "#undef VL_PCH_INCLUDED\n#include \"{name}\"");
    }
}

/// The `Traits` of one design.
fn glue(text: &mut String, design: &Generated) {
    let Generated { index, class, clock, ports, .. } = design;
    let _ = writeln!(text, "#include \"d{index}/{class}.h\"\nnamespace heddle {{\nstruct Traits{index} {{");
    let _ = writeln!(text, "    using Top = {class};\n    static constexpr uint32_t PORTS = {};", ports.len());
    let drive = clock.as_ref().map(|c| format!("top.{c} = value;")).unwrap_or_default();
    let _ = writeln!(text, "    static void clock(Top& top, uint8_t value) {{ (void)top, (void)value; {drive} }}");
    let _ = writeln!(text, "    static void* port(Top& top, uint32_t index) {{\n        switch (index) {{");
    for (i, port) in ports.iter().enumerate() {
        let (name, bytes) = (&port.name, header::storage_bytes(port.width));
        let _ = writeln!(text, "        case {i}: static_assert(sizeof(top.{name}) == {bytes}, \"{name}\"); return &top.{name};");
    }
    let _ = writeln!(text, "        }}\n        (void)top;\n        return nullptr;\n    }}\n    static const PortInfo* info() {{");
    let _ = writeln!(text, "        static const PortInfo list[] = {{");
    for port in ports {
        let _ = writeln!(text, "            {{\"{}\", {}, {}}},", port.name, port.width, u8::from(port.input));
    }
    let _ = writeln!(text, "            {{nullptr, 0, 0}}}};\n        return list;\n    }}\n}};\n}}  // namespace heddle");
}

fn table(text: &mut String, designs: usize) {
    text.push_str("extern \"C\" __attribute__((visibility(\"default\"))) const heddle::Table* heddle_table(uint32_t index) {\n");
    text.push_str("    switch (index) {\n");
    for i in 0..designs {
        let _ = writeln!(text, "    case {i}: return heddle::Model<heddle::Traits{i}>::table();");
    }
    text.push_str("    }\n    return nullptr;\n}\n");
}
