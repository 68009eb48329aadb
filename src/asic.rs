// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ASIC view of a configuration: its gates run a product of a real model, and what they cost is put in a table by
//! module and power domain. The table is what an energy model reads; all of it is an estimate.

use crate::{generate::licensed, netlist};
use heddle_core::{
    config::Config,
    power::intent::{Intent, IntentError},
    top,
};
use heddle_lang::BuildError;
use heddle_synth::asic::{
    AsicError, Flat, Library, Sim, map,
    power::{self, Row},
};
use heddle_tb::{
    SimError,
    blocks::BlockError,
    blocks::compare,
    matmul::{self, Product},
    simulator::Simulator,
    soc::{Soc, SocError},
};
use serde::Serialize;
use std::{cell::RefCell, fmt::Write, sync::Arc};

/// Version of the table's fields.
pub const SCHEMA: &str = "heddle-power-1";
/// Domain of what no domain of the configuration holds.
pub const ALWAYS_ON: &str = "always_on";
/// Cycles without work that are counted for the idle energy.
const IDLE: u64 = 256;
/// Rows of a matrix that are multiplied: activity no longer changes with more of them.
const ROWS: usize = 64;
const METHOD: &str = "standard cells mapped by Yosys, module by module; a zero-delay simulation of the gates on a matrix product of a real \
     model, equal to the golden model, counts the changes of every net; energy = changes x (internal power of the cell at its load and \
     0.1 ns input transition + C V^2 / 2 of the input pins that the net drives), leakage = mean over states";
const LIMITS: &str = "estimate: no wires, no clock tree, no glitches, no timing, one corner; memories of more than 16 words are not in area \
     or power";

#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    #[error(transparent)]
    Asic(#[from] AsicError),
    #[error(transparent)]
    Hdl(#[from] BuildError),
    #[error(transparent)]
    Soc(#[from] SocError),
    #[error(transparent)]
    Intent(#[from] IntentError),
    #[error("the gates differ from the golden model: {0}")]
    Wrong(#[from] BlockError),
}

/// Figures of a power domain: what the energy model reads.
#[derive(Clone, Debug, Serialize)]
pub struct Domain {
    pub name: String,
    pub area_um2: f64,
    pub leakage_w: f64,
    /// J of a cycle in which the array takes weights.
    pub energy_active_j: f64,
    /// J of any other cycle with a running clock.
    pub energy_idle_j: f64,
    pub cells: u64,
    pub memory_bits: u64,
}

/// The table.
#[derive(Clone, Debug, Serialize)]
pub struct View {
    pub schema: &'static str,
    pub status: &'static str,
    pub name: String,
    /// Of the configuration.
    pub digest: String,
    pub liberty: String,
    pub node: String,
    pub corner: heddle_synth::asic::library::Corner,
    /// Only for `power_w` of the modules; energies are per cycle at any clock.
    pub clock_mhz: f64,
    pub workload: String,
    /// Cycles of the workload, and those in which the array took weights.
    pub cycles: u64,
    pub active_cycles: u64,
    pub method: &'static str,
    pub limits: &'static str,
    pub domains: Vec<Domain>,
    pub modules: Vec<Module>,
}

/// Figures of an instance with all below it.
#[derive(Clone, Debug, Serialize)]
pub struct Module {
    #[serde(flatten)]
    pub row: Row,
    /// Mean over the workload at the configuration's clock, leakage included.
    pub power_w: f64,
}

/// The view of a configuration; `progress` hears of each step.
pub fn view(config: &Config, library: &Library, progress: &dyn Fn(&str)) -> Result<View, ViewError> {
    let top = top::top(config)?;
    progress("Yosys: from Verilog to standard cells");
    let flat = Arc::new(map(&top, library)?);
    let product = few_rows(netlist::product(config)?);
    progress(&format!("a product on {} cells", flat.cells.len()));
    let activity = run(config, &flat, library, &product)?;
    let intent = Intent::of(config, &top)?;
    let elements: Vec<(String, Vec<String>)> = intent.domains.into_iter().map(|d| (d.name, d.elements)).collect();
    let clock = config.clock_mhz * 1e6;
    let modules = power::with_all_below(&activity.run).into_iter().map(|row| {
        let power_w = row.leakage_w + row.dynamic_j / activity.cycles as f64 * clock;
        Module { row, power_w }
    });
    Ok(View {
        schema: SCHEMA,
        status: "estimate",
        name: config.name.clone(),
        digest: config.digest_hex(),
        liberty: library.name.clone(),
        node: library.node().unwrap_or("not known by the library's name").into(),
        corner: library.corner.clone(),
        clock_mhz: config.clock_mhz,
        workload: format!("{} rows of {} of the embedded model, {}", product.rows, netlist::TENSOR, counted(product.columns.len())),
        cycles: activity.cycles,
        active_cycles: activity.active,
        method: METHOD,
        limits: LIMITS,
        domains: domains(&elements, &activity),
        modules: modules.collect(),
    })
}

fn counted(columns: usize) -> String {
    if columns == 1 { "1 vector".into() } else { format!("{columns} vectors") }
}

fn few_rows(product: Product) -> Product {
    let rows = product.rows.min(ROWS);
    let bytes = product.weights.len() / product.rows * rows;
    Product { rows, weights: product.weights[..bytes].to_vec(), ..product }
}

/// Figures of each instance alone, idle and at work.
struct Activity {
    idle: Vec<Row>,
    run: Vec<Row>,
    cycles: u64,
    active: u64,
}

/// Runs the gates without work, then the product; the results must be those of the golden model.
fn run(config: &Config, flat: &Arc<Flat>, library: &Library, product: &Product) -> Result<Activity, ViewError> {
    let image = matmul::image(config, std::slice::from_ref(product));
    let mut soc = Soc::new(Gates::new(flat), matmul::memory_config(config, &image))?;
    soc.simulator().sim.get_mut().restart();
    (0..IDLE).try_for_each(|_| soc.cycle())?;
    let idle = power::own(soc.simulator().sim.get_mut(), library);
    soc.simulator().sim.get_mut().restart();
    let limit = 100_000 + 200 * (product.rows * product.blocks) as u64;
    let outcome = matmul::execute(&mut soc, &image, limit)?;
    compare(&outcome, &matmul::golden(config, &image))?;
    let sim = soc.simulator().sim.get_mut();
    Ok(Activity { idle, run: power::own(sim, library), cycles: sim.activity().1, active: active(config, product) })
}

/// Cycles in which the array takes weights of a product; a small build does not count them.
fn active(config: &Config, product: &Product) -> u64 {
    let blocks = config.padded_blocks(product.blocks as u32) / config.blocks_per_cycle();
    product.rows as u64 * u64::from(blocks * config.cycles_per_block())
}

/// Idle cycles cost what they cost without work; the rest of the energy is that of the active ones.
fn domains(elements: &[(String, Vec<String>)], activity: &Activity) -> Vec<Domain> {
    let inside = |path: &str, element: &str| path.strip_prefix(element).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let owner = |path: &str| elements.iter().position(|(_, parts)| parts.iter().any(|element| inside(path, element)));
    let of = |wanted: Option<usize>, rows: &[Row]| power::sum("", rows.iter().filter(|row| owner(&row.path) == wanted));
    let names = elements.iter().enumerate().map(|(i, (name, _))| (name.as_str(), Some(i)));
    let domain = |(name, which): (&str, Option<usize>)| {
        let (idle, run) = (of(which, &activity.idle), of(which, &activity.run));
        let energy_idle_j = idle.dynamic_j / IDLE as f64;
        let rest = (activity.cycles - activity.active) as f64;
        Domain {
            name: name.into(),
            area_um2: run.area_um2,
            leakage_w: run.leakage_w,
            energy_active_j: (run.dynamic_j - energy_idle_j * rest) / activity.active as f64,
            energy_idle_j,
            cells: run.cells,
            memory_bits: run.memory_bits,
        }
    };
    [(ALWAYS_ON, None)].into_iter().chain(names).map(domain).collect()
}

impl View {
    /// The whole as a row of the page.
    fn row(&self) -> String {
        let sum = |f: &dyn Fn(&Domain) -> f64| self.domains.iter().map(f).sum::<f64>();
        let watts = self.modules.iter().find(|m| m.row.path.is_empty()).map_or(0.0, |all| all.power_w);
        format!(
            "| `{}` | {} | {}, {}, {} V, {} C | {:.3} | {:.2} | {:.2} at {} MHz | {:.0} | {:.0} | {} |\n",
            self.name,
            self.digest,
            self.node,
            self.corner.name,
            self.corner.volts,
            self.corner.celsius,
            sum(&|d| d.area_um2) / 1e6,
            sum(&|d| d.leakage_w) * 1e6,
            watts * 1e3,
            self.clock_mhz,
            sum(&|d| d.energy_active_j) * 1e12,
            sum(&|d| d.energy_idle_j) * 1e12,
            self.domains.iter().map(|d| d.memory_bits).sum::<u64>()
        )
    }

    /// Modules down to a depth as a Markdown table, after those of a path if one is given.
    pub fn markdown(&self, below: &str, depth: usize) -> String {
        let mut text = format!(
            "Estimate: {}, {} ({}, {} V, {} C). Workload: {}; {} cycles, {} of them active.\n\n| domain | cells | area, um2 | leakage, W | \
             active cycle, J | idle cycle, J | bits in memories |\n|---|---|---|---|---|---|---|\n",
            self.node,
            self.liberty,
            self.corner.name,
            self.corner.volts,
            self.corner.celsius,
            self.workload,
            self.cycles,
            self.active_cycles
        );
        for d in &self.domains {
            let (active, idle) = (d.energy_active_j, d.energy_idle_j);
            let _ = writeln!(
                text,
                "| {} | {} | {:.0} | {:.3e} | {active:.3e} | {idle:.3e} | {} |",
                d.name, d.cells, d.area_um2, d.leakage_w, d.memory_bits
            );
        }
        let _ = writeln!(
            text,
            "\n| module | cells | registers | area, um2 | leakage, W | power at {} MHz, W | of it clock, W | bits in memories |\n\
             |---|---|---|---|---|---|---|---|",
            self.clock_mhz
        );
        let seconds = self.cycles as f64 / (self.clock_mhz * 1e6);
        let shown =
            |path: &str| path.starts_with(below) && path[below.len()..].matches('/').count() + usize::from(!path.is_empty()) <= depth;
        for m in self.modules.iter().filter(|m| shown(&m.row.path)) {
            let (row, clock) = (&m.row, m.row.clock_j / seconds);
            let name = if row.path.is_empty() { "(all)" } else { &row.path };
            let _ = writeln!(
                text,
                "| {name} | {} | {} | {:.0} | {:.3e} | {:.3e} | {clock:.3e} | {} |",
                row.cells, row.registers, row.area_um2, row.leakage_w, m.power_w, row.memory_bits
            );
        }
        let _ = writeln!(text, "\n{LIMITS}.");
        text
    }
}

/// Running gates, as a bench sees them.
pub struct Gates {
    top: String,
    ports: Vec<(String, Vec<u32>)>,
    /// Reading an output may settle them first.
    sim: RefCell<Sim>,
}

impl Gates {
    pub fn new(flat: &Arc<Flat>) -> Gates {
        let ports = flat.ports.iter().map(|(name, port)| (name.clone(), port.bits.clone())).collect();
        Gates { top: flat.top.clone(), ports, sim: RefCell::new(Sim::new(flat)) }
    }
}

impl Simulator for Gates {
    type Port = usize;

    fn port(&self, name: &str) -> Result<usize, SimError> {
        let known = || self.ports.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        let found = self.ports.iter().position(|(n, _)| n == name);
        found.ok_or_else(|| SimError::NoPort { top: self.top.clone(), name: name.into(), known: known() })
    }

    fn width(&self, port: usize) -> u32 {
        self.ports[port].1.len() as u32
    }

    fn get(&self, port: usize) -> u64 {
        let mut bytes = [0; 8];
        self.get_bytes(port, &mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn set(&mut self, port: usize, value: u64) {
        self.set_bytes(port, &value.to_le_bytes());
    }

    fn get_bytes(&self, port: usize, to: &mut [u8]) {
        let mut sim = self.sim.borrow_mut();
        sim.settle();
        sim.get(&self.ports[port].1, to);
    }

    fn set_bytes(&mut self, port: usize, from: &[u8]) {
        self.sim.get_mut().set(&self.ports[port].1, from);
    }

    fn settle(&mut self) -> Result<(), SimError> {
        self.sim.get_mut().settle();
        Ok(())
    }

    fn tick(&mut self) -> Result<(), SimError> {
        self.sim.get_mut().tick();
        Ok(())
    }

    fn cycles(&self) -> u64 {
        self.sim.borrow().cycles()
    }
}

/// The page `docs/results/asic.md`.
pub fn page(views: &[View]) -> String {
    let mut text = String::from(
        "# ASIC view\n\nWritten by `heddle synth --asic --docs`. **Estimates**, from gates that run a product of a real model: no wires, no \
         clock tree, no glitches, no timing; memories of more than 16 words are in neither area nor power. How they are made: [ASIC \
         view](../asic.md).\n\n| configuration | digest | library | area, mm2 | leakage, uW | at its clock, mW | active cycle, pJ | idle \
         cycle, pJ | bits in memories |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    views.iter().for_each(|view| text += &view.row());
    for view in views {
        let _ = write!(text, "\n## {}{}\n\n{}", view.name[..1].to_uppercase(), &view.name[1..], view.markdown("", 2));
    }
    licensed(&text)
}
