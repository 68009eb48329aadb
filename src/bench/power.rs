// SPDX-License-Identifier: MIT OR Apache-2.0
//! The power controller: cycles of its transitions, measured; its area, synthesised.

use super::{BenchError, Part, Progress, Table};
use heddle_core::config::Config;
use heddle_core::power::{domain, dvfs, idle, q_device, residency, switches};
use heddle_lang::Module;
use heddle_tb::blocks::one_domain;
use heddle_tb::power::{Area, Family, Latency, area, latencies};
use heddle_tb::tools::formal_or_provision;
use std::sync::Arc;

pub const NAME: &str = "power";
/// Segments of each chain of switches.
const STAGES: u32 = 4;

/// Latencies on the native simulation, area by Yosys.
pub fn run(progress: Progress<'_>) -> Result<Table, BenchError> {
    let mut table = Table::new(NAME, "The power controller", &["transition", "from", "to", "cycles"]);
    table.notes = format!(
        "Latency of each transition of a domain's controller, *simulated*, with switches and a unit that answer in the cycle in which they \
         are asked; `limit` is the number of cycles that it waits for an answer. Area of the blocks of one domain with chains of {STAGES} \
         switches, *synthesised* by Yosys for each block alone and, in the row `power_one_domain_4`, for all of them together (two chains); the DVFS unit, one for an \
         accelerator, with 16 and with 64 entries. Nothing was placed or routed."
    );
    progress("latencies");
    for Latency { name, from, to, cycles } in latencies()? {
        table.rows.push(vec![name.into(), from.into(), to.into(), cycles.to_string()]);
    }
    let (yosys, _) = formal_or_provision(progress)?;
    for family in [Family::Ecp5, Family::Ice40] {
        let mut part = Part::new(title(family), &["block", "LUTs", "carries", "flip-flops", "LUT memories", "block memories"]);
        for (name, module) in modules()? {
            progress(&format!("{}: {name}", family.name()));
            part.rows.push(row(&name, &area(&yosys, &module, family)?));
        }
        table.parts.push(part);
    }
    Ok(table)
}

fn title(family: Family) -> &'static str {
    match family {
        Family::Ecp5 => "Area, ECP5",
        Family::Ice40 => "Area, iCE40",
    }
}

/// The blocks of a domain, the domain, the DVFS unit.
fn modules() -> Result<Vec<(String, Arc<Module>)>, BenchError> {
    let blocks = [domain::domain()?, q_device::q_device()?, idle::idle()?, switches::switches(STAGES)?, residency::residency()?];
    let all = blocks.into_iter().chain([one_domain(STAGES)?]).map(|module| (format!("`{}`", module.name), module));
    let limits = Config::gated().power.clock_limits;
    let units = [16, 64].map(|entries| dvfs::dvfs(entries, &limits).map(|module| (format!("`power_dvfs`, {entries} entries"), module)));
    Ok(all.chain(units.into_iter().collect::<Result<Vec<_>, _>>()?).collect())
}

fn row(name: &str, area: &Area) -> Vec<String> {
    let counts = [area.luts, area.carries, area.registers, area.lut_memories, area.block_memories];
    std::iter::once(name.to_string()).chain(counts.map(|count| count.to_string())).collect()
}
