// SPDX-License-Identifier: MIT OR Apache-2.0
//! The unit in the accelerator: between sequencer, registers and the ports to the supplies.
//!
//! The acknowledges may come from any clock: each goes through two registers. `dvfs_tick_i` is of the accelerator's own.

use super::dvfs;
use crate::{config::Config, registers::map};
use heddle_lang::{BuildError, Builder, Expr, Ty, builder::Outputs, import::ImportError, stdlib};

/// The unit in place.
pub struct Attached {
    unit: Outputs,
}

/// Inputs of the unit that registers drive: the unit's name, the register's port, bits.
const FROM_REGISTERS: [(&str, &str, u32); 8] = [
    ("ttft", "dvfs_ttft_ticks", 31),
    ("tpot", "dvfs_tpot_ticks", 31),
    ("table_write", "dvfs_control_write", 1),
    ("index", "dvfs_entry_index", 6),
    ("table_clock", "dvfs_entry_clock", 6),
    ("table_voltage", "dvfs_entry_voltage", 8),
    ("limit", "dvfs_limit_cycles", 16),
    ("clear", "dvfs_control_clear", 1),
];

/// Registers that the unit drives: the register's port and the unit's.
const TO_REGISTERS: [(&str, &str); 14] = [
    ("dvfs_read_clock", "read_clock"),
    ("dvfs_read_voltage", "read_voltage"),
    ("dvfs_read_present", "read_present"),
    ("dvfs_state_clock", "clock_code"),
    ("dvfs_state_voltage", "voltage"),
    ("dvfs_state_index", "applied_index"),
    ("dvfs_state_state", "state_code"),
    ("dvfs_state_cause", "cause"),
    ("dvfs_elapsed_ticks", "elapsed"),
    ("dvfs_slack", "slack"),
    ("dvfs_violations_ttft", "ttft_violations"),
    ("dvfs_violations_tpot", "tpot_violations"),
    ("dvfs_moves_count", "moves"),
    ("power_irq_status_dvfs_set", "event"),
];

const LAYER: [&str; 6] = ["layer_valid", "layer_phase", "layer_class", "layer_first", "layer_last", "layer_progress"];

/// Places the unit with its ports to the outside, `dvfs_*`; nothing without one in the configuration.
pub fn attach(m: &mut Builder, config: &Config, sequencer: &Outputs) -> Result<Option<Attached>, BuildError> {
    if config.power.dvfs_entries == 0 {
        return Ok(None);
    }
    let module = dvfs(config.power.dvfs_entries, &config.power.clock_limits).map_err(ImportError::build_error)?;
    m.comment("Clock and voltage: their supplies are outside");
    let tick = m.input("dvfs_tick", Ty::BIT);
    let mut inputs: Vec<(&str, Expr)> = LAYER.map(|name| (name, sequencer.get(name))).into();
    inputs.push(("tick", tick));
    let synchroniser = stdlib::synchroniser(1)?;
    for (name, ack, instance) in
        [("voltage_ack", "dvfs_voltage_ack", "dvfs_voltage_ack_sync"), ("clock_ack", "dvfs_clock_ack", "dvfs_clock_ack_sync")]
    {
        let from = m.input(ack, Ty::BIT);
        inputs.push((name, m.instance(instance, &synchroniser, &[("from", from)]).get("to")));
    }
    // The register block stands behind the unit: its outputs drive these wires.
    inputs.extend(FROM_REGISTERS.map(|(name, port, bits)| (name, m.forward(&format!("csr_{port}"), Ty::Unsigned(bits)))));
    let unit = m.instance("dvfs", &module, &inputs);
    for (port, name) in
        [("dvfs_voltage", "voltage"), ("dvfs_voltage_req", "voltage_req"), ("dvfs_clock", "clock_code"), ("dvfs_clock_req", "clock_req")]
    {
        m.output(port, unit.get(name));
    }
    Ok(Some(Attached { unit }))
}

impl Attached {
    /// What the register block reads of the unit, by its ports; the fault event of the domains is not among it.
    pub fn registers(&self) -> Vec<(String, Expr)> {
        let mut inputs: Vec<(String, Expr)> = TO_REGISTERS.iter().map(|(port, name)| (port.to_string(), self.unit.get(name))).collect();
        for (event, name) in [(map::POWER_IRQ_TTFT, "ttft_event"), (map::POWER_IRQ_TPOT, "tpot_event")] {
            inputs.push((format!("power_irq_status_{}_set", event.name), self.unit.get(name)));
        }
        inputs
    }
}
