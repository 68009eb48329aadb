// SPDX-License-Identifier: MIT OR Apache-2.0
//! The accelerator with power domains on an FPGA, which has no switches: each answers as soon as it is told.
//!
//! Ports      those of the accelerator, without the switches' and the acknowledges of the DVFS unit
//! Latency    that of the accelerator      Throughput, rounding, reset  likewise
//!
//! The controllers go through their whole sequence; clock enables, clamps and resets work as in silicon. What a domain
//! holds survives, and nothing is saved (docs/power.md).

use crate::config::Config;
use heddle_lang::{BuildError, Builder, Expr, Module, module::NetKind};
use std::sync::Arc;

/// Name of the module, without the prefix.
pub const NAME: &str = "top_fpga";

/// The accelerator in it; `None` where it has neither power domains nor a DVFS unit, and needs nothing around it.
pub fn fpga(config: &Config) -> Result<Option<Arc<Module>>, BuildError> {
    let (domains, stages) = (config.domains(), config.power.switch_stages);
    let has_dvfs = config.power.dvfs_entries > 0;
    if domains == 0 && !has_dvfs {
        return Ok(None);
    }
    let top = super::top(config)?;
    let mut m = Builder::clocked(NAME, file!());
    m.doc("The accelerator with switches and supplies that answer at once: an FPGA has none.");
    let pair = |answer, control| (answer, control);
    let mut looped = Vec::new();
    if domains > 0 {
        looped.extend([pair("power_weak_ack", "power_weak_on"), pair("power_strong_ack", "power_strong_on")]);
    }
    if has_dvfs {
        looped.extend([pair("dvfs_voltage_ack", "dvfs_voltage_req"), pair("dvfs_clock_ack", "dvfs_clock_req")]);
    }
    m.comment("Controls of switches and supplies are their acknowledges");
    let ahead: Vec<(&str, Expr)> = looped
        .iter()
        .filter_map(|(answer, control)| Some((*answer, m.forward(&format!("top_{control}"), top.port(control)?.1.ty))))
        .collect();
    let mut inputs: Vec<(String, Expr)> = Vec::new();
    for (_, net) in top.ports().filter(|(_, n)| n.kind == NetKind::Input && n.name != "rst") {
        let value = match (ahead.iter().find(|(answer, _)| *answer == net.name), net.name.as_str()) {
            (Some((_, control)), _) => control.clone(),
            (None, "power_good") => good(domains, stages, &ahead),
            _ => m.input(&net.name, net.ty),
        };
        inputs.push((net.name.clone(), value));
    }
    let inputs: Vec<(&str, Expr)> = inputs.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let out = m.instance("top", &top, &inputs);
    for (_, net) in top.ports().filter(|(_, n)| n.kind == NetKind::Output) {
        if !looped.iter().any(|(_, control)| *control == net.name) {
            m.output(&net.name, out.get(&net.name));
        }
    }
    Ok(Some(m.build()?))
}

/// The supply of a domain is good while all its switches are closed.
fn good(domains: u32, stages: u32, ahead: &[(&str, Expr)]) -> Expr {
    let chains = ahead.iter().filter(|(answer, _)| answer.starts_with("power_")).map(|(_, control)| control.clone());
    let closed = chains.reduce(|weak, strong| weak & strong).unwrap_or_else(|| Expr::poison(heddle_lang::Ty::BIT, "no switches".into()));
    let each: Vec<Expr> = (0..domains).map(|d| closed.slice(d * stages, stages).all()).collect();
    Expr::pack(&each)
}
