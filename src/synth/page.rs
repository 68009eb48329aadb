// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page of results, and one of each target with its modules and pictures.

use super::targets::{Found, Target};
use crate::{bench::machine, generate::licensed};
use heddle_synth::{Outcome, chart, report::SeedResult};
use std::{collections::BTreeMap, fmt::Write};

/// A target with what is known of it.
pub struct Line {
    pub target: Target,
    pub found: Found,
    pub products: u32,
    /// Of the run that packed its bitstream.
    pub packing_seconds: Option<f64>,
}

const HEAD: &str = "# Area and timing\n\nWritten by `heddle synth --docs`, which runs nothing: it takes what the commands below left in the \
    cache for the design as it is. Placed and routed; parts and presets alone on their device, within shift registers that are not \
    counted; a board is the whole chip. Fmax is the median of the seeds by nextpnr's timing model. What the words mean: \
    [synthesis](../synthesis.md).\n\n\
    | target | device | LUT | LUT per product of a cycle | FF | DSP | RAM | Fmax, MHz [each seed] | must reach | result |\n\
    |---|---|---|---|---|---|---|---|---|---|\n";

const TIMES: &str = "\n## Time of each step\n\nSeconds of the runs that made these results, seeds side by side. A run again takes what is in the \
    cache.\n\n| command | Yosys | nextpnr, each seed | packing |\n|---|---|---|---|\n";

impl Line {
    fn outcome(&self) -> Option<&Outcome> {
        match &self.found {
            Found::Result(outcome) => Some(outcome),
            Found::NotRun | Found::Failed(_) => None,
        }
    }

    /// What is missed; None: nothing, or it was not run.
    pub fn missed(&self) -> Option<String> {
        self.found.missed(self.target.goal, self.products)
    }

    fn title(&self) -> String {
        match self.outcome() {
            Some(_) => format!("[{}](synth/{}.md)", self.target.title(), self.target.name()),
            None => self.target.title(),
        }
    }

    fn row(&self, device: &str) -> String {
        let goal = self.target.goal;
        let area = goal.lut_per_product.map(|most| format!(", {most:.1} LUT")).unwrap_or_default();
        let goal = format!("{:.1} MHz{area}", goal.mhz);
        let result = match (&self.found, self.missed()) {
            (Found::NotRun, _) => "not run".into(),
            (_, None) => self.met(),
            (_, Some(what)) => format!("missed: {what}"),
        };
        let figures = self.outcome().map_or_else(|| " - | - | - | - | - | -".into(), |outcome| self.figures(outcome));
        format!("| {} | {device} |{figures} | {goal} | {result} |\n", self.title())
    }

    /// A goal is for the median of all seeds, so fewer are told.
    fn met(&self) -> String {
        match self.outcome().map_or(0, |outcome| outcome.report.seeds.len() as u32) {
            seeds if seeds < super::targets::SEEDS => format!("met, with {seeds} of {} seeds run", super::targets::SEEDS),
            _ => "met".into(),
        }
    }

    fn figures(&self, outcome: &Outcome) -> String {
        let (report, area) = (&outcome.report, &outcome.report.area);
        let Some(clock) = report.tightest() else { return " - | - | - | - | - | -".into() };
        let fmax = |seed: &SeedResult| seed.clocks.iter().find(|c| c.clock == clock.clock).map_or(0.0, |c| c.fmax_mhz);
        let seeds: Vec<String> = report.seeds.iter().map(|seed| format!("{:.0}", fmax(seed))).collect();
        let per_product = f64::from(area.lut) / f64::from(self.products);
        let (dsp, ram) = (area.dsp, area.ram);
        format!(" {} | {per_product:.1} | {} | {dsp} | {ram} | {:.1} [{}]", area.lut, area.ff, clock.fmax_mhz, seeds.join(" "))
    }

    /// The command that gave the result, or would.
    fn command(&self) -> String {
        self.target.command(self.outcome().map_or(super::targets::SEEDS, |outcome| outcome.report.seeds.len() as u32))
    }

    fn times(&self) -> String {
        let Some(outcome) = self.outcome() else { return format!("| `{}` | not run | - | - |\n", self.command()) };
        let seeds: Vec<String> = outcome.report.seeds.iter().map(|seed| format!("{:.0}", seed.seconds)).collect();
        let packing = self.packing_seconds.map_or_else(|| "-".into(), |seconds| format!("{seconds:.1}"));
        format!("| `{}` | {:.0} | {} | {packing} |\n", self.command(), outcome.report.synthesis_seconds, seeds.join(" "))
    }

    /// Its page and pictures by name in the folder `synth`; None without a result.
    pub fn files(&self) -> Option<Vec<(String, String)>> {
        let (outcome, name) = (self.outcome()?, self.target.name());
        let title = self.target.title();
        let missed = self.missed().map(|what| format!("Missed: {what}.\n\n")).unwrap_or_default();
        let page = format!(
            "# {title}\n\nWritten by `heddle synth --docs`; all results: [area and timing](../synth.md).\n\n{missed}{}\n![Area by \
             module]({name}-area.svg)\n\n![Floorplan]({name}.svg)\n",
            outcome.report.markdown(3)
        );
        Some(vec![
            (format!("{name}.md"), licensed(&page)),
            (format!("{name}.svg"), outcome.floorplan()),
            (format!("{name}-area.svg"), chart::svg(&outcome.report)),
        ])
    }
}

/// Names of the files of a target, whether it has a result or not.
pub fn file_names(target: &Target) -> [String; 3] {
    let name = target.name();
    [format!("{name}.md"), format!("{name}.svg"), format!("{name}-area.svg")]
}

/// The page `docs/results/synth.md`; each line with the title of its device.
pub fn page(lines: &[(Line, String)]) -> String {
    let rows: String = lines.iter().map(|(line, device)| line.row(device)).collect();
    let times: String = lines.iter().map(|(line, _)| line.times()).collect();
    let outcomes = lines.iter().filter_map(|(line, _)| line.outcome());
    let tools: BTreeMap<&String, &String> = outcomes.flat_map(|outcome| &outcome.report.tools).collect();
    let tools: Vec<String> = tools.into_iter().map(|(tool, version)| format!("{tool} {version}")).collect();
    let mut text = format!("{HEAD}{rows}{TIMES}{times}");
    if !tools.is_empty() {
        let _ = writeln!(text, "\nTools: {}. Page written on {}.", tools.join(", "), machine());
    }
    licensed(&text)
}
