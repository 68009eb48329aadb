// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that is always on about power: per domain a policy, a controller, both sides of its Q-Channel, its two
//! chains of switches and its residency counters.
//!
//! Ports      per domain: `need_i`, `busy_i` from `power_demand`; `power_good_i`, chains of switches `weak_*`,
//!            `strong_*` (domain-major, segment 0 first); `on_o`, `fault_o`; `clock_enable_o`, `domain_rst_o`,
//!            `isolate_o`, `save_o`, `restore_o`; what registers set and show; `event_o`: a controller complained
//! Latency    as `power_domain`      Throughput  every domain by itself      Rounding  none
//! Reset      all domains off; they are switched on after it until software lets them sleep

use super::{domain, idle, q_device, residency, switches};
use crate::config::Config;
use heddle_lang::{BuildError, Builder, Expr, Module, Ty, import::ImportError};
use std::sync::Arc;

/// Outputs with a bit per domain.
const CONTROLS: [&str; 7] = ["on", "fault", "clock_enable", "domain_rst", "isolate", "save", "restore"];
/// What a register shows of one domain, with its width.
const SHOWN: [(&str, u32); 6] = [("state_code", 5), ("on", 1), ("fault", 1), ("cause", 3), ("residency", 32), ("ups", 32)];

/// The unit.
pub fn unit(config: &Config) -> Result<Arc<Module>, BuildError> {
    let domains = config.domains();
    let mut m = Builder::clocked("power", file!());
    m.doc(&format!("Control of {} of the array.", crate::engine::counted(domains, "power domain")));
    let io = Io::new(&mut m, config);
    let parts = Parts::new(config).map_err(|e| BuildError { module: "power".into(), messages: vec![e.to_string()] })?;
    let residency = residency::residency()?;
    let all: Vec<Domain> = (0..domains).map(|d| Domain::new(&mut m, config, &io, &parts, &residency, d)).collect();

    for name in CONTROLS {
        if name == "on" {
            m.comment("Domains: may be given work, have a fault");
        }
        if name == "clock_enable" {
            m.comment("Domains: clock gates, resets, isolation; retained registers are saved, and restored");
        }
        m.output(name, pack(&all, name));
    }
    m.comment("Chains of switches to close");
    m.output("weak_on", pack(&all, "weak"));
    m.output("strong_on", pack(&all, "strong"));
    m.comment("The selected domain");
    for (name, width) in SHOWN {
        let none = Expr::constant(Ty::Unsigned(width), 0);
        let pick = |(d, domain): (usize, &Domain)| (io.select_domain.eq(d as u32), domain.get(name));
        let value = all.iter().enumerate().map(pick).fold(none, |other, (selected, value)| selected.mux(value, &other));
        m.output(&format!("selected_{name}"), value);
    }
    m.comment("A controller complained");
    m.output("event", pack(&all, "event").any());
    m.build()
}

/// The modules of one domain.
struct Parts {
    idle: Arc<Module>,
    domain: Arc<Module>,
    q_device: Arc<Module>,
    switches: Arc<Module>,
}

impl Parts {
    fn new(config: &Config) -> Result<Parts, ImportError> {
        Ok(Parts {
            idle: idle::idle()?,
            domain: domain::domain()?,
            q_device: q_device::q_device()?,
            switches: switches::switches(config.power.switch_stages)?,
        })
    }
}

struct Io {
    need: Expr,
    busy: Expr,
    power_good: Expr,
    weak_acks: Expr,
    strong_acks: Expr,
    enable: Expr,
    threshold: Expr,
    limit: Expr,
    clear: Expr,
    select_domain: Expr,
    select_state: Expr,
}

impl Io {
    fn new(m: &mut Builder, config: &Config) -> Io {
        let per_domain = Ty::Unsigned(config.domains());
        let chains = Ty::Unsigned(config.domains() * config.power.switch_stages);
        m.comment("Domains: needed, with work on its way; supplies");
        let (need, busy) = (m.input("need", per_domain), m.input("busy", per_domain));
        let power_good = m.input("power_good", per_domain);
        let (weak_acks, strong_acks) = (m.input("weak_acks", chains), m.input("strong_acks", chains));
        m.comment("Settings: domains that may sleep, cycles without need, cycles to wait; faults to forget");
        let enable = m.input("enable", per_domain);
        let threshold = m.input("threshold", Ty::Unsigned(16));
        let limit = m.input("limit", Ty::Unsigned(16));
        let clear = m.input("clear", per_domain);
        m.comment("What registers show");
        let select_domain = m.input("select_domain", Ty::Unsigned(3));
        let select_state = m.input("select_state", Ty::Unsigned(5));
        Io { need, busy, power_good, weak_acks, strong_acks, enable, threshold, limit, clear, select_domain, select_state }
    }
}

/// Nets of one domain, by name.
struct Domain(Vec<(&'static str, Expr)>);

impl Domain {
    fn new(m: &mut Builder, config: &Config, io: &Io, parts: &Parts, residency: &Arc<Module>, d: u32) -> Domain {
        let (of, stages) = (|port: &Expr| port.bit(d), config.power.switch_stages);
        let named = |part: &str| format!("{part}_{d}");
        m.comment(&format!("Domain {d}"));
        let inputs = [("need", of(&io.need)), ("enable", of(&io.enable)), ("threshold", io.threshold.clone())];
        let wanted = m.instance(&named("idle"), &parts.idle, &inputs).get("wanted");
        let mut ahead = |part: &str, port: &str| m.forward(&format!("{part}_{d}_{port}"), Ty::BIT);
        let (qreqn, weak, strong) = (ahead("domain", "qreqn"), ahead("domain", "weak_on"), ahead("domain", "strong_on"));
        let inputs = [("qreqn", qreqn), ("busy", of(&io.busy)), ("need", of(&io.need))];
        let device = m.instance(&named("q_device"), &parts.q_device, &inputs);
        m.unused(&format!("run_{d}"), "A chunk waits for `on`, which says as much.", &[device.get("run")]);
        let chain = |m: &mut Builder, name: &str, request: Expr, acks: &Expr| {
            m.instance(&named(name), &parts.switches, &[("request", request), ("acks", acks.slice(d * stages, stages))])
        };
        let weak = chain(m, "weak", weak, &io.weak_acks);
        let strong = chain(m, "strong", strong, &io.strong_acks);
        let mut inputs = vec![
            ("wanted", wanted),
            ("weak_ack", weak.get("ack")),
            ("strong_ack", strong.get("ack")),
            ("power_good", of(&io.power_good)),
            ("limit", io.limit.clone()),
            ("clear", of(&io.clear)),
        ];
        inputs.extend(["qacceptn", "qdeny", "qactive"].map(|name| (name, device.get(name))));
        let control = m.instance(&named("domain"), &parts.domain, &inputs);
        let inputs = [("state", control.get("state_code")), ("select", io.select_state.clone())];
        let counts = m.instance(&named("residency"), residency, &inputs);
        let mut nets = vec![("weak", weak.get("on")), ("strong", strong.get("on"))];
        nets.extend(CONTROLS.into_iter().chain(["state_code", "cause", "event"]).map(|name| (name, control.get(name))));
        nets.extend(["residency", "ups"].map(|name| (name, counts.get(name))));
        Domain(nets)
    }

    fn get(&self, name: &str) -> Expr {
        let net = self.0.iter().find(|(n, _)| *n == name);
        net.map_or_else(|| Expr::poison(Ty::BIT, format!("a domain has no `{name}`")), |(_, net)| net.clone())
    }
}

/// One net of every domain, domain 0 lowest.
fn pack(all: &[Domain], name: &str) -> Expr {
    Expr::pack(&all.iter().map(|domain| domain.get(name)).collect::<Vec<_>>())
}
