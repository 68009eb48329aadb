// SPDX-License-Identifier: MIT OR Apache-2.0
//! Power in the accelerator: its ports, its two units, and its registers.

use super::Wires;
use crate::{
    config::Config,
    power::{demand, dvfs::attach::Attached, unit},
    registers::map,
};
use heddle_lang::{BuildError, Builder, Expr, Ty, builder::Outputs, stdlib};

/// Bits of a register with one bit per domain.
const DOMAIN_BITS: u32 = 8;

/// What runs ahead of the units that drive it, and the power ports of the top.
pub struct Power {
    domains: u32,
    power_good: Expr,
    weak_acks: Expr,
    strong_acks: Expr,
    enable: Expr,
    idle: Expr,
    limit: Expr,
    within: Expr,
    select_domain: Expr,
    select_state: Expr,
    clear: Expr,
    on: Expr,
    fault: Expr,
    offered: Expr,
    emit: Expr,
    /// To the sequencer: a domain that was needed has a fault.
    pub error: Expr,
}

impl Power {
    /// `None` without power domains.
    pub fn new(m: &mut Builder, config: &Config) -> Result<Option<Power>, BuildError> {
        let domains = config.domains();
        if domains == 0 {
            return Ok(None);
        }
        let chains = Ty::Unsigned(domains * config.power.switch_stages);
        m.comment("Power switches: acknowledges per domain and segment; supplies of the domains are good. Of no clock");
        let ports = [("power_weak_ack", chains), ("power_strong_ack", chains), ("power_good", Ty::Unsigned(domains))];
        let from = ports.map(|(name, ty)| (name, m.input(name, ty)));
        let mut synchronised = Vec::new();
        for (name, from) in from {
            let unit = stdlib::synchroniser(from.width())?;
            synchronised.push(m.instance(&format!("{name}_sync"), &unit, &[("from", from)]).get("to"));
        }
        let [weak_acks, strong_acks, power_good] = [0, 1, 2].map(|i: usize| synchronised[i].clone());
        m.comment("Between registers, power and the units");
        let mut ahead = |name: &str, width: u32| m.forward(name, Ty::Unsigned(width));
        Ok(Some(Power {
            domains,
            power_good,
            weak_acks,
            strong_acks,
            enable: ahead("csr_power_enable_domains", DOMAIN_BITS),
            idle: ahead("csr_power_idle_cycles", 16),
            limit: ahead("csr_power_limit_cycles", 16),
            within: ahead("csr_power_mode_within_matrix", 1),
            select_domain: ahead("csr_power_select_domain", 3),
            select_state: ahead("csr_power_select_state", 5),
            clear: ahead("csr_power_clear_domains", DOMAIN_BITS),
            on: ahead("power_on", domains),
            fault: ahead("power_fault", domains),
            offered: ahead("dequant_offered", 1),
            emit: ahead("dequant_busy", 1),
            error: ahead("power_demand_error", 1),
        }))
    }

    /// The units.
    pub fn units(&self, m: &mut Builder, config: &Config, sequencer: &Outputs, w: &Wires) -> Result<Units, BuildError> {
        let demand = m.instance(
            "power_demand",
            &demand::demand(config)?,
            &[
                ("preparing", sequencer.get("preparing")),
                ("preparing_columns", sequencer.get("matrix_columns")),
                ("go", sequencer.get("matrix_start")),
                ("done", w.matrix_done.clone()),
                ("offered", self.offered.clone()),
                ("emit", self.emit.clone()),
                ("columns", w.issue_columns.clone()),
                ("on", self.on.clone()),
                ("fault", self.fault.clone()),
                ("within", self.within.clone()),
            ],
        );
        let own = |word: &Expr| word.slice(0, self.domains);
        if self.domains < DOMAIN_BITS {
            let rest = |word: &Expr| word.slice(self.domains, DOMAIN_BITS - self.domains);
            m.unused("domains", "Bits of domains that are not built.", &[rest(&self.enable), rest(&self.clear)]);
        }
        let power = m.instance(
            "power",
            &unit::unit(config)?,
            &[
                ("need", demand.get("need")),
                ("busy", demand.get("busy")),
                ("power_good", self.power_good.clone()),
                ("weak_acks", self.weak_acks.clone()),
                ("strong_acks", self.strong_acks.clone()),
                ("enable", own(&self.enable)),
                ("threshold", self.idle.clone()),
                ("limit", self.limit.clone()),
                ("clear", own(&self.clear)),
                ("select_domain", self.select_domain.clone()),
                ("select_state", self.select_state.clone()),
            ],
        );
        m.comment("Power switches: segments to close, per domain and segment");
        m.output("power_weak_on", power.get("weak_on"));
        m.output("power_strong_on", power.get("strong_on"));
        m.unused(
            "retention",
            "Retention is of the power intent; the cells are not in the RTL.",
            &[power.get("save"), power.get("restore")],
        );
        Ok(Units { powered: demand.get("powered"), stall: demand.get("stall"), power })
    }
}

/// The units, as others see them.
pub struct Units {
    /// To `dequant`: the columns in use may be given a chunk.
    pub powered: Expr,
    /// A chunk waits for power.
    pub stall: Expr,
    power: Outputs,
}

impl Units {
    /// Inputs of `array`.
    pub fn array(&self) -> [(&'static str, Expr); 3] {
        [("domain_ce", "clock_enable"), ("domain_rst", "domain_rst"), ("isolate", "isolate")]
            .map(|(input, net)| (input, self.power.get(net)))
    }

    /// Inputs of the registers.
    fn registers(&self) -> Vec<(&'static str, Expr)> {
        let shown = [
            ("power_state_state", "selected_state_code"),
            ("power_state_on", "selected_on"),
            ("power_state_fault", "selected_fault"),
            ("power_state_cause", "selected_cause"),
            ("power_residency", "selected_residency"),
            ("power_ups", "selected_ups"),
            ("power_irq_status_fault_set", "event"),
        ];
        let shown = shown.into_iter().map(|(port, net)| (port, self.power.get(net)));
        shown.chain([("power_faults_domains", self.power.get("fault").resize(DOMAIN_BITS))]).collect()
    }
}

/// Inputs of the registers from what there is; an event of what there is not never happens.
pub fn registers(units: Option<&Units>, dvfs: Option<&Attached>) -> Vec<(String, Expr)> {
    let domains = units.into_iter().flat_map(Units::registers).map(|(port, value)| (port.to_string(), value));
    let mut shown: Vec<(String, Expr)> = domains.chain(dvfs.into_iter().flat_map(Attached::registers)).collect();
    if shown.is_empty() {
        return shown;
    }
    for event in map::POWER_IRQ_STATUS.fields {
        let port = format!("power_irq_status_{}_set", event.name);
        if shown.iter().all(|(name, _)| *name != port) {
            shown.push((port, Expr::bit_const(false)));
        }
    }
    shown
}

/// An event of power is pending and enabled.
pub fn pending(csr: &Outputs) -> Expr {
    let fields = map::POWER_IRQ_STATUS.fields.iter();
    let pending = fields.map(|f| csr.get(&format!("power_irq_status_{}", f.name)) & csr.get(&format!("power_irq_enable_{}", f.name)));
    pending.reduce(|a, b| a | b).unwrap_or_else(|| Expr::bit_const(false))
}
