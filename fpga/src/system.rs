// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything of a board that runs with its one clock: link, accelerator, arbiter, memory, lights.
//!
//! Ports      `rx_i`, `tx_o`: the wires of the link; `led_o`; with SDRAM its `sdram_*` pins, the data bus as value out,
//!            enable and value in
//! Latency    of the units      Throughput  likewise      Rounding  none      Reset  of every unit
//!
//! The link reaches the registers directly; it shares the memory with the accelerator. Addresses in memory start at 0
//! for both; the link's own map (docs/link.md) is decoded inside it.

use crate::{
    arbiter::{UNDER_WAY, arbiter},
    block_ram::block_ram,
    lights::{STATES, lights},
    sdram::{SdramConfig, sdram},
    spram::{self, spram_memory},
};
use heddle_core::{
    config::Config,
    link::{LinkConfig, link},
    top::{fpga::fpga, top},
};
use heddle_lang::{BuildError, Builder, Expr, Module, Ty, module::NetKind};
use std::{collections::BTreeMap, sync::Arc};

/// The memory of a system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Memory {
    BlockRam { bytes: u64 },
    Spram { bytes: u64 },
    Sdram(SdramConfig),
}

impl Memory {
    /// Bursts that the arbiter lets through ahead of their answers.
    fn under_way(&self) -> u32 {
        if matches!(self, Memory::Spram { .. }) { spram::UNDER_WAY } else { UNDER_WAY }
    }
}

/// What a system is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct SystemConfig {
    pub accelerator: Config,
    pub link: LinkConfig,
    pub memory: Memory,
    /// Lights, 1 to 8.
    pub lights: u32,
}

/// A unit that stands later, with its outputs declared ahead.
struct Unit {
    name: &'static str,
    module: Arc<Module>,
    outputs: BTreeMap<String, Expr>,
}

impl Unit {
    fn ahead(m: &mut Builder, name: &'static str, module: Arc<Module>) -> Unit {
        let ports: Vec<(String, Ty)> =
            module.ports().filter(|(_, net)| net.kind == NetKind::Output).map(|(_, net)| (net.name.clone(), net.ty)).collect();
        let outputs = ports.into_iter().map(|(port, ty)| (port.clone(), m.forward(&format!("{name}_{port}"), ty))).collect();
        Unit { name, module, outputs }
    }

    fn output(&self, port: &str) -> Expr {
        let missing = || Expr::poison(Ty::BIT, format!("unit `{}` has no output `{port}`", self.name));
        self.outputs.get(port).cloned().unwrap_or_else(missing)
    }

    /// The unit itself; `wire` gives the value of an input.
    fn place(&self, m: &mut Builder, mut wire: impl FnMut(&mut Builder, &str, Ty) -> Option<Expr>) {
        let ports: Vec<(String, Ty)> =
            self.module.ports().filter(|(_, net)| net.kind == NetKind::Input).map(|(_, net)| (net.name.clone(), net.ty)).collect();
        let inputs: Vec<(String, Expr)> =
            ports.into_iter().filter_map(|(port, ty)| wire(m, &port, ty).map(|value| (port, value))).collect();
        let inputs: Vec<(&str, Expr)> = inputs.iter().map(|(port, value)| (port.as_str(), value.clone())).collect();
        m.instance(self.name, &self.module, &inputs);
    }
}

/// The system.
pub fn system(config: &SystemConfig) -> Result<Arc<Module>, BuildError> {
    let port_bits = config.accelerator.memory.port_bits;
    let mut m = Builder::clocked("system", file!());
    m.doc("Link, accelerator, memory and lights of a board.");
    let accelerator = match fpga(&config.accelerator)? {
        Some(with_switches) => with_switches,
        None => top(&config.accelerator)?,
    };
    let memory = match &config.memory {
        Memory::BlockRam { bytes } => block_ram(port_bits, *bytes)?,
        Memory::Spram { bytes } => spram_memory(port_bits, *bytes)?,
        Memory::Sdram(sdram_config) => sdram(sdram_config)?,
    };
    let link = Unit::ahead(&mut m, "link", link(&config.link)?);
    let accelerator = Unit::ahead(&mut m, "accelerator", accelerator);
    let arbiter = Unit::ahead(&mut m, "arbiter", arbiter(port_bits, config.memory.under_way())?);
    let memory = Unit::ahead(&mut m, "memory", memory);

    m.comment("The link is master of the registers, and one of two masters of the memory");
    let rx = m.input("rx", Ty::BIT);
    link.place(&mut m, |_, port, _| match port.split_once("_axi") {
        None if port == "rx" => Some(rx.clone()),
        Some(("m", signal)) if signal.starts_with('l') => Some(accelerator.output(&format!("s_axi{signal}"))),
        Some(("m", signal)) => Some(arbiter.output(&format!("s1_axi{signal}"))),
        _ => None,
    });
    accelerator.place(&mut m, |_, port, _| match port.split_once("_axi") {
        Some(("s", signal)) => Some(link.output(&format!("m_axi{signal}"))),
        Some(("m", signal)) => Some(arbiter.output(&format!("s0_axi{signal}"))),
        _ => None,
    });
    arbiter.place(&mut m, |_, port, _| match port.split_once("_axi") {
        Some(("s0", signal)) => Some(accelerator.output(&format!("m_axi{signal}"))),
        Some(("s1", signal)) => Some(link.output(&format!("m_axi{signal}"))),
        Some(("m", signal)) => Some(memory.output(&format!("s_axi{signal}"))),
        _ => None,
    });
    memory.place(&mut m, |m, port, ty| match port.split_once("_axi") {
        Some(("s", signal)) => Some(arbiter.output(&format!("m_axi{signal}"))),
        None if port != "rst" => Some(m.input(port, ty)),
        _ => None,
    });
    m.comment("Pins");
    m.output("tx", link.output("tx"));
    for (port, value) in memory.outputs.iter().filter(|(port, _)| port.starts_with("sdram_")) {
        m.output(port, value);
    }
    show(&mut m, config, &rx, [&link, &accelerator, &arbiter, &memory])?;
    m.build()
}

/// The lights.
fn show(m: &mut Builder, config: &SystemConfig, rx: &Expr, units: [&Unit; 4]) -> Result<(), BuildError> {
    let [link, accelerator, arbiter, memory] = units;
    m.comment("Lights");
    let failed = |valid: &str, response: &str| arbiter.output(valid) & arbiter.output(response).slice(1, 1);
    let error = m.reg("memory_error", Ty::BIT, 0);
    m.on(&error, failed("s0_axi_rvalid", "s0_axi_rresp") | failed("s0_axi_bvalid", "s0_axi_bresp"), 1);
    let ready = match config.memory {
        Memory::Sdram(_) => memory.output("started"),
        Memory::BlockRam { .. } | Memory::Spram { .. } => Expr::bit_const(true),
    };
    let line = m.instance("rx_light", &heddle_lang::stdlib::synchroniser(1)?, &[("from", rx.clone())]).get("to");
    let states = [
        ("session", link.output("open")),
        ("computes", accelerator.output("m_axi_arvalid")),
        ("receives", !line),
        ("sends", !link.output("tx")),
        ("memory_ready", ready),
        ("interrupt", accelerator.output("irq")),
        ("memory_error", error.q()),
    ];
    let (shown, dark) = states.split_at((config.lights.max(1) - 1) as usize);
    let dark: Vec<Expr> = dark.iter().map(|(_, value)| value.clone()).collect();
    if !dark.is_empty() {
        m.unused("dark", "The board has no lights for these.", &dark);
    }
    debug_assert_eq!(states.len() + 1, STATES.len());
    let lights = m.instance("lights", &lights(config.lights, config.link.clock_hz)?, shown);
    m.output("led", lights.get("led"));
    Ok(())
}
