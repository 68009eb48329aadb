// SPDX-License-Identifier: MIT OR Apache-2.0
//! `power.upf` against the Verilog beside it: every name is there, every polarity is that of the hardware.

mod upf_support;

use heddle::generate::{Files, generate};
use heddle_core::{config::Config, power::intent::Intent, registers::map, top};
use heddle_tb::{axi::MemoryConfig, rtl::Native, simulator::Simulator, soc::Soc};
use std::collections::{BTreeMap, BTreeSet};
use upf_support::{Command, VerilogModule, condition, list, parse, verilog};

/// One domain with one segment, one column per domain, several, and a block that is summed over cycles.
fn configurations() -> Vec<Config> {
    let shapes = [(32, 1, 1, 1), (32, 4, 1, 4), (16, 3, 2, 2), (64, 2, 2, 8)];
    let config = |(lanes, columns, per_domain, stages): (u32, u32, u32, u32)| {
        let settings = [
            format!("array.lanes={lanes}"),
            format!("array.columns={columns}"),
            format!("power.columns_per_domain={per_domain}"),
            format!("power.switch_stages={stages}"),
            "power.dvfs_entries=0".into(),
        ];
        Config::gated().with_settings(&settings).unwrap()
    };
    shapes.map(config).into()
}

/// A file and the design that it is about.
struct Upf {
    commands: Vec<Command>,
    modules: BTreeMap<String, VerilogModule>,
    top: String,
}

impl Upf {
    fn new(files: &Files) -> Upf {
        let sources = files.iter().filter(|(name, _)| name.ends_with(".v") && !name.contains('/'));
        let commands = parse(&files["power.upf"]);
        let top = commands.iter().find(|c| c.verb == "set_design_top").unwrap().object.clone();
        Upf { commands, modules: verilog(sources.map(|(_, text)| text.as_str())), top }
    }

    fn all(&self, verb: &str) -> Vec<&Command> {
        self.commands.iter().filter(|c| c.verb == verb).collect()
    }

    /// The command that makes an object.
    fn one(&self, verb: &str, object: &str) -> &Command {
        self.all(verb).into_iter().find(|c| c.object == object).unwrap_or_else(|| panic!("{verb} {object}"))
    }

    /// The module of the instance at a path.
    fn module(&self, path: &str) -> &VerilogModule {
        let step = |module: String, name: &str| {
            let found = self.modules[&module].instances.get(name);
            found.unwrap_or_else(|| panic!("`{path}`: `{module}` has no instance `{name}`")).clone()
        };
        let names = path.split('/').filter(|name| !name.is_empty());
        &self.modules[&names.fold(self.top.clone(), step)]
    }

    /// Direction of a bit of a net of the top.
    fn signal(&self, text: &str) -> &str {
        let (net, bit) = text.split_once('[').map_or((text, None), |(net, bit)| (net, Some(bit.trim_end_matches(']').parse().unwrap())));
        let (direction, bits) = self.modules[&self.top].nets.get(net).unwrap_or_else(|| panic!("`{text}` is no net of the top"));
        assert!(bit.map_or(*bits == 1, |bit: u32| bit < *bits), "`{text}` of {bits} bits");
        direction
    }

    /// Names of the domains that can be switched off.
    fn domains(&self) -> Vec<String> {
        let all = self.all("create_power_domain").into_iter().map(|c| c.object.clone());
        all.filter(|name| name != "PD_top").map(|name| name.trim_start_matches("PD_").to_string()).collect()
    }
}

/// `path/name` to both.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap()
}

#[test]
fn every_name_is_in_the_verilog() {
    for config in configurations() {
        let upf = Upf::new(&generate(&config).unwrap());
        assert_eq!(upf.commands[0].verb, "upf_version");
        assert_eq!(upf.commands[0].object, "2.1");
        assert_eq!(upf.domains().len() as u32, config.domains());
        let mut elements = BTreeSet::new();
        for name in upf.domains() {
            let domain = upf.one("create_power_domain", &format!("PD_{name}"));
            for path in list(domain.option("-elements")) {
                assert!(!upf.module(&path).registers.is_empty() || !upf.module(&path).instances.is_empty());
                assert!(elements.insert(path.clone()), "{path} is in two domains");
            }
            let retention = upf.one("set_retention", &format!("RET_{name}"));
            for register in list(retention.option("-elements")) {
                let (path, register) = split(&register);
                assert!(upf.module(path).registers.iter().any(|r| r == register), "{path}/{register}");
                assert!(elements.iter().any(|e| path.starts_with(&format!("{e}/"))), "{path}");
            }
            for option in ["-save_signal", "-restore_signal"] {
                let value = list(retention.option(option));
                upf.signal(&value[0]);
                assert_eq!(value[1], "high");
            }
            upf.signal(upf.one("set_isolation", &format!("ISO_{name}")).option("-isolation_signal"));
        }
        assert_eq!(elements.len() as u32, config.array.columns);
    }
}

#[test]
fn every_output_of_a_domain_has_its_cell() {
    for config in configurations() {
        let upf = Upf::new(&generate(&config).unwrap());
        for name in upf.domains() {
            let isolation = upf.one("set_isolation", &format!("ISO_{name}"));
            let pairs: Vec<Vec<String>> = list(isolation.option("-instance")).iter().map(|pair| list(pair)).collect();
            for path in list(upf.one("create_power_domain", &format!("PD_{name}")).option("-elements")) {
                let outputs = upf.module(&path).nets.iter().filter(|(_, (direction, _))| direction == "output");
                for (port, _) in outputs {
                    let cells: Vec<&str> = pairs.iter().filter(|p| p[1] == format!("{path}/{port}")).map(|p| p[0].as_str()).collect();
                    assert_eq!(cells.len(), 1, "{path}/{port}");
                    // The text of the Verilog connects the two.
                    let (way, element) = split(&path);
                    let parent = upf.module(way);
                    let net = &parent.connections[&(element.to_string(), port.clone())];
                    let (_, cell) = split(cells[0]);
                    assert!(parent.connections.iter().any(|((i, _), n)| i == cell && n == net), "{cell} does not read {net}");
                    let readers = parent.connections.iter().filter(|((i, _), n)| *n == net && i != cell && i != element);
                    assert_eq!(readers.count(), 0, "{net}");
                }
            }
        }
    }
}

#[test]
fn supplies_are_made_before_they_are_used() {
    for config in configurations() {
        let upf = Upf::new(&generate(&config).unwrap());
        let mut made: BTreeSet<&str> = BTreeSet::new();
        for c in &upf.commands {
            let uses: Vec<String> = match c.verb.as_str() {
                "connect_supply_net" => list(c.option("-ports")).into_iter().chain([c.object.clone()]).collect(),
                "create_supply_set" => c.all("-function").iter().map(|f| list(f)[1].clone()).collect(),
                "create_power_domain" => vec![list(c.option("-supply"))[1].clone()],
                "create_power_switch" => {
                    let nets = ["-input_supply_port", "-output_supply_port"].map(|o| list(c.option(o))[1].clone());
                    nets.into_iter().chain([c.option("-domain").into()]).collect()
                }
                "set_isolation" => vec![c.option("-domain").into(), c.option("-isolation_supply_set").into()],
                "set_retention" => vec![c.option("-domain").into(), c.option("-retention_supply_set").into()],
                "add_power_state" => vec![c.object.clone()],
                _ => vec![],
            };
            assert!(uses.iter().all(|name| made.contains(name.as_str())), "{} {} uses {uses:?}", c.verb, c.object);
            made.insert(&c.object);
        }
        for name in upf.domains() {
            // Driven by two chains.
            assert_eq!(upf.one("create_supply_net", &format!("VDD_{name}")).option("-resolve"), "parallel");
            let states: Vec<String> =
                upf.one("add_power_state", &format!("SS_{name}")).all("-state").iter().map(|s| list(s)[0].clone()).collect();
            assert_eq!(states, ["ON", "CHARGING", "OFF"]);
        }
        // A row for each number of domains that are on, each with every domain.
        let table: Vec<Vec<String>> = upf.one("add_power_state", "PD_top").all("-state").iter().map(|s| list(s)).collect();
        assert_eq!(table.len(), upf.domains().len() + 1);
        for (on, row) in table.iter().enumerate() {
            let state = |d: usize| if d < on { "ON" } else { "OFF" };
            let domains = upf.domains().iter().enumerate().map(|(d, name)| format!(" && PD_{name} == {}", state(d))).collect::<String>();
            assert_eq!(row[..], [format!("DOMAINS_{on}"), "-logic_expr".into(), format!("SS_top == ON{domains}")]);
        }
    }
}

/// Bit of a port of the running design, by its name in the file.
fn level<S: Simulator>(sim: &S, text: &str) -> bool {
    let (net, bit) = text.split_once('[').map_or((text, 0), |(net, bit)| (net, bit.trim_end_matches(']').parse().unwrap()));
    sim.get(sim.port(net).unwrap()) >> bit & 1 == 1
}

#[test]
fn switches_have_the_polarity_of_the_hardware() {
    for config in configurations() {
        let upf = Upf::new(&generate(&config).unwrap());
        let top = top::top(&config).unwrap();
        let memory = MemoryConfig::new(1 << 16, config.port_bytes() as usize);
        let mut soc = Soc::new(Native::new(&top).unwrap(), memory).unwrap();
        let check = |soc: &mut Soc<Native>, state: &str| {
            let sim: &Native = soc.simulator();
            for switch in upf.all("create_power_switch") {
                let controls: BTreeMap<String, String> =
                    switch.all("-control_port").iter().map(|c| (list(c)[0].clone(), list(c)[1].clone())).collect();
                let closed = |port: &str| level(sim, &controls[port]);
                let is = |option: &str, at: usize| condition(&list(switch.option(option))[at], &closed);
                let found = if is("-on_state", 2) {
                    "on"
                } else if is("-off_state", 1) {
                    "off"
                } else {
                    "partial"
                };
                assert_eq!(found, state, "{}", switch.object);
                // An acknowledge follows its own segment.
                for ack in switch.all("-ack_port") {
                    let ack = list(ack);
                    assert_eq!(condition(&ack[2], &closed), level(sim, &ack[1]), "{}", ack[1]);
                }
            }
        };
        for c in upf.all("create_power_switch").into_iter().flat_map(|s| s.all("-control_port")) {
            assert_eq!(upf.signal(&list(c)[1]), "output");
        }
        for c in upf.all("create_power_switch").into_iter().flat_map(|s| s.all("-ack_port")) {
            assert_eq!(upf.signal(&list(c)[1]), "input");
        }
        check(&mut soc, "off");
        (0..200).for_each(|_| soc.cycle().unwrap());
        check(&mut soc, "on");
        soc.write_reg(map::POWER_IDLE.offset, 0).unwrap();
        soc.write_reg(map::POWER_ENABLE.offset, 0xff).unwrap();
        (0..200).for_each(|_| soc.cycle().unwrap());
        check(&mut soc, "off");
    }
}

#[test]
fn isolation_clamps_and_retention_keeps_at_the_levels_told() {
    let config = &configurations()[2];
    let upf = Upf::new(&generate(config).unwrap());
    let top = top::top(config).unwrap();
    let corrupted = Intent::of(config, &top).unwrap().corrupted(&top).unwrap();
    let memory = MemoryConfig::new(1 << 16, config.port_bytes() as usize);
    let mut soc = Soc::new(Native::new(&corrupted).unwrap(), memory).unwrap();
    (0..200).for_each(|_| soc.cycle().unwrap());
    soc.write_reg(map::POWER_IDLE.offset, 0).unwrap();
    soc.write_reg(map::POWER_ENABLE.offset, 0xff).unwrap();
    let dotted = |path: &str| path.replace('/', ".");
    let peek = |soc: &mut Soc<Native>, path: &str| soc.simulator().raw().peek(path).unwrap();
    let (mut saved, mut isolated) = (BTreeSet::new(), 0);
    for _ in 0..200 {
        for name in upf.domains() {
            let isolation = upf.one("set_isolation", &format!("ISO_{name}"));
            let clamp = isolation.option("-clamp_value") == "1";
            let bit = |soc: &mut Soc<Native>, text: &str| {
                let (net, bit) = text.split_once('[').map_or((text, 0), |(net, bit)| (net, bit.trim_end_matches(']').parse().unwrap()));
                peek(soc, net).bit(bit)
            };
            let active = bit(&mut soc, isolation.option("-isolation_signal")) == (isolation.option("-isolation_sense") == "high");
            let save = list(upf.one("set_retention", &format!("RET_{name}")).option("-save_signal"));
            if bit(&mut soc, &save[0]) {
                saved.insert(name.clone());
            }
            for pair in list(isolation.option("-instance")).iter().filter(|_| active) {
                let (cell, port) = (dotted(&list(pair)[0]), list(pair)[1].clone());
                let port = split(&port).1.trim_end_matches("_o").to_string();
                let out = peek(&mut soc, &format!("{cell}.clamped_{port}"));
                assert!((0..out.width()).all(|b| out.bit(b) == clamp), "{cell}");
                isolated += u32::from(!peek(&mut soc, &format!("{cell}.{port}")).is_zero());
            }
        }
        soc.cycle().unwrap();
    }
    assert_eq!(saved.len() as u32, config.domains(), "each domain saved before it lost its power");
    assert!(isolated > 100, "behind the cells there was noise: {isolated}");
}

#[test]
fn a_design_without_domains_has_no_power_intent() {
    let files = generate(&Config::base()).unwrap();
    assert!(!files.keys().any(|name| name.ends_with(".upf") || name.starts_with("sim/")));
}
