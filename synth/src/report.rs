// SPDX-License-Identifier: MIT OR Apache-2.0
//! What came out: area by module, timing by clock and seed, the critical path by names of the builder.

use crate::{
    Device, Expected, SynthError,
    names::{Names, Origin},
    netlist::{Cell, Kind},
    route::{CriticalPath, Routed},
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write, ops::AddAssign};

/// Cells as they were placed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Area {
    /// Lookup tables, those in carry chains too.
    pub lut: u32,
    /// Lookup tables in carry chains.
    pub carry: u32,
    pub ff: u32,
    /// Multipliers.
    pub dsp: u32,
    /// Block RAMs.
    pub ram: u32,
}

impl Area {
    /// Of one cell.
    pub fn of(kind: Kind) -> Area {
        let count = |kinds: &[Kind]| u32::from(kinds.contains(&kind));
        Area {
            lut: count(&[Kind::Lut, Kind::Carry, Kind::LutFf, Kind::CarryFf]),
            carry: count(&[Kind::Carry, Kind::CarryFf]),
            ff: count(&[Kind::Ff, Kind::LutFf, Kind::CarryFf]),
            dsp: count(&[Kind::Dsp]),
            ram: count(&[Kind::Ram]),
        }
    }
}

impl AddAssign for Area {
    fn add_assign(&mut self, other: Area) {
        self.lut += other.lut;
        self.carry += other.carry;
        self.ff += other.ff;
        self.dsp += other.dsp;
        self.ram += other.ram;
    }
}

/// An instance with all below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModuleArea {
    /// Path of instances, `/` between them; `(top)`: what is in no instance; `(harness)`: not part of the design.
    pub name: String,
    /// Module of the instance, and the Rust file that describes it.
    pub module: String,
    pub source: String,
    pub depth: usize,
    #[serde(flatten)]
    pub area: Area,
}

/// A clock, median of the seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClockResult {
    pub clock: String,
    pub target_mhz: f64,
    pub fmax_mhz: f64,
    pub slack_ns: f64,
}

/// One seed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeedResult {
    pub seed: u32,
    pub clocks: Vec<ClockResult>,
    /// Of the worst clock.
    pub fmax_mhz: f64,
    pub slack_ns: f64,
    pub seconds: f64,
}

/// A step of the critical path.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// `clk-to-q`, `logic`, `routing`, `setup`.
    pub kind: String,
    pub delay_ns: f64,
    /// Where it ends.
    pub at: Origin,
}

/// The whole result. Totals are without the harness.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub name: String,
    pub device: Device,
    /// Of the clock with the least slack, median of the seeds.
    pub fmax_mhz: f64,
    pub slack_ns: f64,
    #[serde(flatten)]
    pub area: Area,
    pub clocks: Vec<ClockResult>,
    pub seeds: Vec<SeedResult>,
    pub modules: Vec<ModuleArea>,
    /// Of the seed with the median.
    pub critical_path: Vec<Step>,
    /// Of the run of Yosys that made the netlist.
    pub synthesis_seconds: f64,
    pub expected: Expected,
    /// Name and version.
    pub tools: BTreeMap<String, String>,
    /// Yosys, then nextpnr with each seed.
    pub commands: Vec<String>,
    /// What Yosys runs, `script.ys`.
    pub script: String,
}

/// The seed whose result stands for all: the median by slack, the worse of two.
pub fn median(seeds: &[SeedResult]) -> usize {
    let mut order: Vec<usize> = (0..seeds.len()).collect();
    order.sort_by(|&a, &b| seeds[a].slack_ns.total_cmp(&seeds[b].slack_ns));
    order.get(order.len().saturating_sub(1) / 2).copied().unwrap_or(0)
}

/// Results of one seed; the error says that nothing is timed.
pub fn seed(top: &str, routed: &Routed) -> Result<SeedResult, SynthError> {
    let clocks: Vec<ClockResult> = routed
        .timing
        .fmax
        .iter()
        .map(|(clock, fmax)| ClockResult {
            clock: clock_name(clock),
            target_mhz: fmax.constraint,
            fmax_mhz: fmax.achieved,
            slack_ns: 1e3 / fmax.constraint - 1e3 / fmax.achieved,
        })
        .collect();
    let worst = clocks.iter().min_by(|a, b| a.slack_ns.total_cmp(&b.slack_ns)).ok_or_else(|| SynthError::NoClock { top: top.into() })?;
    Ok(SeedResult {
        seed: routed.seed,
        fmax_mhz: worst.fmax_mhz,
        slack_ns: worst.slack_ns,
        clocks: clocks.clone(),
        seconds: routed.seconds,
    })
}

/// `$glbnet$clk_i$TRELLIS_IO_IN` is the net of port `clk_i`.
fn clock_name(net: &str) -> String {
    let net = net.strip_prefix("$glbnet$").unwrap_or(net);
    let end = ["$TRELLIS_IO_IN", "$SB_IO_IN", "$sb_io"].iter().filter_map(|end| net.find(end)).min().unwrap_or(net.len());
    net[..end].to_owned()
}

/// Every clock with the median of its seeds, the worse of two.
pub fn clocks(seeds: &[SeedResult]) -> Vec<ClockResult> {
    let first = seeds.first().map_or(&[][..], |seed| &seed.clocks);
    let of_clock = |clock: &ClockResult| {
        let mut all: Vec<&ClockResult> = seeds.iter().flat_map(|s| &s.clocks).filter(|c| c.clock == clock.clock).collect();
        all.sort_by(|a, b| a.slack_ns.total_cmp(&b.slack_ns));
        all[(all.len() - 1) / 2].clone()
    };
    first.iter().map(of_clock).collect()
}

/// Cells by instance, with all below it; parents before their children. `owners`: see [`crate::owners`].
pub fn modules(cells: &[Cell], owners: &[Option<Vec<String>>], names: &Names) -> (Area, Vec<ModuleArea>) {
    let mut by_path: BTreeMap<String, Area> = BTreeMap::new();
    let mut total = Area::default();
    for (cell, owner) in cells.iter().zip(owners) {
        let area = Area::of(cell.kind);
        let Some(path) = owner else {
            *by_path.entry("(harness)".into()).or_default() += area;
            continue;
        };
        total += area;
        if path.is_empty() {
            *by_path.entry("(top)".into()).or_default() += area;
        }
        (1..=path.len()).for_each(|depth| *by_path.entry(path[..depth].join("/")).or_default() += area);
    }
    let rows = by_path.into_iter().filter(|(_, area)| *area != Area::default()).map(|(name, area)| {
        let module = names.module(&name).filter(|_| !name.starts_with('('));
        let (module, source) = module.map_or_else(Default::default, |m| (m.name.clone(), m.source.clone()));
        ModuleArea { depth: name.matches('/').count() + 1, name, module, source, area }
    });
    (total, rows.collect())
}

/// The slowest path between registers.
pub fn critical_path(paths: &[CriticalPath], names: &Names) -> Vec<Step> {
    let length = |path: &&CriticalPath| path.path.iter().map(|s| s.delay).sum::<f64>();
    let between_edges = paths.iter().filter(|p| p.from.contains("edge") && p.to.contains("edge"));
    let Some(worst) = between_edges.max_by(|a, b| length(a).total_cmp(&length(b))) else { return vec![] };
    let step = |segment: &crate::route::Segment| {
        let name = if segment.net.is_empty() { &segment.to.cell } else { &segment.net };
        Step { kind: segment.kind.clone(), delay_ns: segment.delay, at: names.origin(name) }
    };
    worst.path.iter().map(step).collect()
}

impl Report {
    /// The clock that is nearest to its target, or misses it most.
    pub fn tightest(&self) -> Option<&ClockResult> {
        let share = |clock: &ClockResult| clock.fmax_mhz / clock.target_mhz;
        self.clocks.iter().min_by(|a, b| share(a).total_cmp(&share(b)))
    }

    /// The figures that must hold: no negative slack, the expected numbers of multipliers and memories, not more lookup tables than allowed.
    pub fn check(&self) -> Result<(), SynthError> {
        let counts = [("multipliers", self.area.dsp, self.expected.dsp), ("block RAMs", self.area.ram, self.expected.ram)];
        for (what, found, expected) in counts {
            if let Some(expected) = expected.filter(|expected| !expected.holds(found)) {
                return Err(SynthError::Count { top: self.name.clone(), what, found, expected });
            }
        }
        if let Some(most) = self.expected.lut.filter(|&most| self.area.lut > most) {
            return Err(SynthError::Area { top: self.name.clone(), found: self.area.lut, most });
        }
        match self.clocks.iter().find(|clock| clock.slack_ns < 0.0) {
            None => Ok(()),
            Some(clock) => Err(SynthError::NegativeSlack {
                top: self.name.clone(),
                clock: clock.clock.clone(),
                fmax: clock.fmax_mhz,
                target: clock.target_mhz,
                slack: clock.slack_ns,
                seeds: self.seeds.len(),
            }),
        }
    }

    /// Tables for people; modules down to this depth.
    pub fn markdown(&self, depth: usize) -> String {
        let mut text = format!("{} on {}\n\n", self.name, self.device.title());
        let _ = writeln!(text, "| clock | Fmax, MHz | target | slack, ns | each seed |\n|---|---|---|---|---|");
        for clock in &self.clocks {
            let seeds: Vec<String> = self
                .seeds
                .iter()
                .flat_map(|s| s.clocks.iter().filter(|c| c.clock == clock.clock))
                .map(|c| format!("{:.1}", c.fmax_mhz))
                .collect();
            let ClockResult { clock, target_mhz, fmax_mhz, slack_ns } = clock;
            let _ = writeln!(text, "| {clock} | {fmax_mhz:.1} | {target_mhz:.1} | {slack_ns:.2} | {} |", seeds.join(" "));
        }
        let _ = writeln!(text, "\n| module | LUT | of them carry | FF | DSP | RAM |\n|---|---|---|---|---|---|");
        let mut row = |name: &str, area: &Area| {
            let Area { lut, carry, ff, dsp, ram } = area;
            let _ = writeln!(text, "| {name} | {lut} | {carry} | {ff} | {dsp} | {ram} |");
        };
        row("**all**", &self.area);
        self.modules.iter().filter(|m| m.depth <= depth).for_each(|m| row(&m.name, &m.area));
        text + &self.path_text() + &self.commands_text()
    }

    fn commands_text(&self) -> String {
        let tools: Vec<String> = self.tools.iter().map(|(tool, version)| format!("{tool} {version}")).collect();
        format!(
            "\nMade with {}:\n\n```text\n{}\n```\n\n`script.ys`:\n\n```text\n{}\n```\n",
            tools.join(", "),
            self.commands.join("\n"),
            self.script.trim_end()
        )
    }

    fn path_text(&self) -> String {
        let total: f64 = self.critical_path.iter().map(|step| step.delay_ns).sum();
        let mut text = format!("\nCritical path, {total:.2} ns:\n\n");
        for Step { kind, delay_ns, at } in &self.critical_path {
            let place = if at.path.is_empty() { "(top)" } else { &at.path };
            let _ = writeln!(text, "- {delay_ns:.2} {kind} {place}: {}", at.net);
        }
        text
    }
}
