// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is synthesised, and how.

use crate::{
    Device, SynthError, harness,
    names::{Names, Outside},
};
use heddle_lang::{Module, Target, module::NetKind, verilog};
use serde::Serialize;
use std::{sync::Arc, time::Duration};

/// Verilog with a top, and the modules that its names come from.
#[derive(Clone, Debug)]
pub struct Design {
    /// Name of the top in Verilog.
    pub top: String,
    /// The top, if it was built: printed for the device.
    pub outer: Option<Arc<Module>>,
    /// Further Verilog files: name and text.
    pub files: Vec<(String, String)>,
    /// The design as it was built, within the top or the top itself; names are looked up in it.
    pub module: Option<Arc<Module>>,
    /// Instance that holds the design within a harness; empty: the top is the design.
    pub within: String,
    /// What stands around that instance.
    pub outside: Outside,
    /// Clock ports of the top.
    pub clocks: Vec<String>,
}

impl Design {
    /// A module whose ports are pins.
    pub fn pins(module: &Arc<Module>) -> Design {
        let clocks = module.ports().filter(|(_, net)| net.kind == NetKind::Clock).map(|(_, net)| verilog::net_name(net));
        Design {
            top: module.name.clone(),
            outer: Some(module.clone()),
            files: vec![],
            clocks: clocks.collect(),
            module: Some(module.clone()),
            within: String::new(),
            outside: Outside::Harness,
        }
    }

    /// A module in a harness of shift registers, for modules with more ports than a package has pins. The harness'
    /// cells are not part of the area.
    pub fn in_harness(module: &Arc<Module>) -> Result<Design, SynthError> {
        let outer = harness::harness(module)?;
        Ok(Design { within: harness::INSTANCE.into(), module: Some(module.clone()), ..Design::pins(&outer) })
    }

    /// Verilog written by hand: its names stay as they are.
    pub fn verilog(top: &str, text: &str, clocks: &[&str]) -> Design {
        Design {
            top: top.into(),
            outer: None,
            files: vec![(format!("{top}.v"), text.into())],
            module: None,
            within: String::new(),
            outside: Outside::Harness,
            clocks: clocks.iter().map(|clock| clock.to_string()).collect(),
        }
    }

    /// The Verilog files, with the primitives of a target.
    pub(crate) fn sources(&self, target: Target) -> Result<Vec<(String, String)>, SynthError> {
        let failed = |error: verilog::PrintError| SynthError::Verilog { module: self.top.clone(), reason: error.to_string() };
        let print = |module| verilog::files(module, &verilog::Options { target, ..Default::default() }).map_err(failed);
        let printed = self.outer.as_ref().map_or_else(|| Ok(vec![]), print)?;
        Ok(printed.into_iter().map(|file| (file.name, file.text)).chain(self.files.iter().cloned()).collect())
    }

    /// Finds out where cells and nets of the netlist come from.
    pub fn names(&self) -> Names<'_> {
        Names::new(self.module.as_ref(), &self.within, self.outside)
    }

    /// With another file, such as one with cells of the device.
    pub fn file(mut self, name: &str, text: &str) -> Design {
        self.files.push((name.into(), text.into()));
        self
    }
}

/// A clock port and its target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Clock {
    pub port: String,
    pub mhz: f64,
}

/// How many cells of a kind may come out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    pub least: u32,
    pub most: u32,
}

impl Count {
    pub fn exactly(n: u32) -> Count {
        Count { least: n, most: n }
    }

    pub fn holds(self, n: u32) -> bool {
        (self.least..=self.most).contains(&n)
    }
}

impl std::ops::Add for Count {
    type Output = Count;

    fn add(self, other: Count) -> Count {
        Count { least: self.least + other.least, most: self.most + other.most }
    }
}

impl std::iter::Sum for Count {
    fn sum<I: Iterator<Item = Count>>(counts: I) -> Count {
        counts.fold(Count::default(), |a, b| a + b)
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.least == self.most {
            true => write!(f, "{}", self.least),
            false => write!(f, "{} to {}", self.least, self.most),
        }
    }
}

/// Numbers of cells that must come out; another number of multipliers or memories means that a tool dropped or duplicated
/// some.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Expected {
    pub dsp: Option<Count>,
    pub ram: Option<Count>,
    /// Lookup tables at most.
    pub lut: Option<u32>,
}

/// How a design is synthesised.
#[derive(Clone, Debug)]
pub struct Options {
    pub device: Device,
    /// Target in MHz of every clock.
    pub mhz: f64,
    /// Targets of clock ports that differ from it.
    pub clocks: Vec<Clock>,
    /// Text of an LPF (ECP5) or PCF (iCE40); without it the tool places pins as it likes.
    pub constraints: Option<String>,
    /// Place and route with the seeds `1..=seeds`.
    pub seeds: u32,
    pub expected: Expected,
    /// For each seed; one that cannot be routed may otherwise be tried for ever.
    pub limit: Duration,
    /// Further arguments of nextpnr.
    pub arguments: Vec<String>,
}

impl Options {
    /// One seed, no expectations, an hour.
    pub fn new(device: Device, mhz: f64) -> Options {
        Options {
            device,
            mhz,
            clocks: vec![],
            constraints: None,
            seeds: 1,
            expected: Expected::default(),
            limit: Duration::from_secs(3600),
            arguments: vec![],
        }
    }

    /// The clocks of a design with their targets.
    pub(crate) fn targets(&self, design: &Design) -> Vec<Clock> {
        let target = |port: &String| self.clocks.iter().find(|c| c.port == *port).map_or(self.mhz, |c| c.mhz);
        design.clocks.iter().map(|port| Clock { port: port.clone(), mhz: target(port) }).collect()
    }
}
