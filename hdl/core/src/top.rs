// SPDX-License-Identifier: MIT OR Apache-2.0
//! The accelerator: sequencer, weight fetch, activations, dequantisation, array, results, registers.
//!
//! Ports      AXI4-Lite slave `s_axil_*` (12-bit address), AXI4 master `m_axi_*`, level interrupt `irq_o`, one
//!            clock, one synchronous reset (docs/architecture.md)
//! Latency    about 100 cycles from `CONTROL.start` to the first weights, plus three memory latencies
//! Throughput one beat of weights per cycle      Rounding  docs/numerics.md      Reset  stops and clears

use crate::{
    config::Config,
    engine::{
        act_buffer, array, counted, counters, csr, dequant, result_store, sequencer,
        weight_fetch::{self, DEST_ACTIVATIONS, DEST_DESCRIPTOR, DEST_WEIGHTS},
    },
    power::dvfs::attach,
    registers::ADDRESS_BITS,
};
use heddle_lang::{BuildError, Builder, Expr, Module, Ty, builder::Outputs};
use power::{Power, Units};
use std::sync::Arc;

pub mod fpga;
mod power;

/// Name of the top module, without the prefix.
pub const NAME: &str = "top";
/// AXI `INCR` bursts.
const BURST_INCR: i128 = 1;

/// The accelerator of a configuration.
pub fn top(config: &Config) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked(NAME, file!());
    m.doc(&format!(
        "Matrix engine {}: {} lanes x {}, memory port of {} bits.",
        config.name,
        config.array.lanes,
        counted(config.array.columns, "column"),
        config.memory.port_bits
    ));
    let axi = Axi::new(&mut m, config);
    let wires = Wires::new(&mut m, config);
    let power = Power::new(&mut m, config)?;

    let csr_unit = csr::csr(config)?;
    let counters_unit = counters::counters(config)?;
    let sequencer = sequencer(&mut m, config, &wires, power.as_ref())?;
    let dvfs = attach::attach(&mut m, config, &sequencer)?;
    let fetch = fetch(&mut m, config, &axi, &sequencer, &wires)?;
    route(&mut m, &fetch, &wires);
    let power = power.map(|power| power.units(&mut m, config, &sequencer, &wires)).transpose()?;
    let (dequant, array) = engine(&mut m, config, &sequencer, &fetch, &wires, power.as_ref())?;
    let store = store(&mut m, config, &axi, &sequencer, &array, &wires)?;

    m.comment("Columns of the matrix that is being read");
    let columns = m.register_when("columns", sequencer.get("matrix_start"), sequencer.get("matrix_columns"));
    m.drive(&wires.matrix_ready, dequant.get("start_ready") & store.get("cmd_ready"));
    m.drive(&wires.issue_columns, &columns);

    m.comment("Sticky: a term left the grid");
    let saturated = m.reg("saturated", Ty::BIT, 0);
    m.on(&saturated, array.get("saturated"), 1);
    m.on(&saturated, sequencer.get("cleared"), 0);

    m.comment("Counters and registers");
    let mut events = vec![("clear", sequencer.get("begin") | sequencer.get("cleared")), ("busy", sequencer.get("busy"))];
    let counted = [
        ("read_beats_event", fetch.get("beat")),
        ("read_wait_event", fetch.get("wait")),
        ("read_blocked_event", fetch.get("blocked")),
        ("read_idle_event", fetch.get("idle")),
        ("array_busy_event", dequant.get("busy")),
        ("array_starved_event", dequant.get("starved")),
        ("array_blocked_event", dequant.get("blocked")),
        ("write_beats_event", store.get("beat")),
        ("write_wait_event", store.get("wait")),
        ("columns", columns),
        ("block", dequant.get("block")),
        ("row", dequant.get("row_issue")),
        ("descriptor", sequencer.get("descriptor")),
        ("weights", dequant.get("taken")),
        ("acknowledged", store.get("acknowledged")),
    ];
    match config.counters {
        true => events.extend(counted),
        false => m.unused("counted", "This build has no counters of them.", &counted.map(|(_, event)| event)),
    }
    events.extend(power.iter().map(|power| ("wake_stall_event", power.stall.clone())));
    let counters = m.instance("counters", &counters_unit, &events);
    let shown = power::registers(power.as_ref(), dvfs.as_ref());
    registers(&mut m, config, &csr_unit, &sequencer, &counters, &saturated.q(), &wires, shown);
    m.build()
}

/// External ports that units below drive or read.
struct Axi {
    arready: Expr,
    rvalid: Expr,
    rdata: Expr,
    rresp: Expr,
    rlast: Expr,
    awready: Expr,
    wready: Expr,
    bvalid: Expr,
    bresp: Expr,
    arvalid: Expr,
    araddr: Expr,
    arlen: Expr,
    awvalid: Expr,
    awaddr: Expr,
    wvalid: Expr,
    wdata: Expr,
    wstrb: Expr,
}

impl Axi {
    fn new(m: &mut Builder, config: &Config) -> Axi {
        let (port, bytes) = (config.memory.port_bits, config.port_bytes());
        let size = Expr::constant(Ty::Unsigned(3), bytes.ilog2().into());
        let incr = Expr::constant(Ty::Unsigned(2), BURST_INCR);
        let one = || Expr::bit_const(true);
        let single = || Expr::constant(Ty::Unsigned(8), 0);
        m.comment("Memory: read address");
        let arvalid = m.output_port("m_axi_arvalid", Ty::BIT);
        let arready = m.input("m_axi_arready", Ty::BIT);
        let araddr = m.output_port("m_axi_araddr", Ty::Unsigned(32));
        let arlen = m.output_port("m_axi_arlen", Ty::Unsigned(8));
        m.output("m_axi_arsize", &size);
        m.output("m_axi_arburst", &incr);
        m.comment("Memory: read data, always taken");
        let rvalid = m.input("m_axi_rvalid", Ty::BIT);
        m.output("m_axi_rready", one());
        let rdata = m.input("m_axi_rdata", Ty::Unsigned(port));
        let rresp = m.input("m_axi_rresp", Ty::Unsigned(2));
        let rlast = m.input("m_axi_rlast", Ty::BIT);
        m.comment("Memory: write address, single beats");
        let awvalid = m.output_port("m_axi_awvalid", Ty::BIT);
        let awready = m.input("m_axi_awready", Ty::BIT);
        let awaddr = m.output_port("m_axi_awaddr", Ty::Unsigned(32));
        m.output("m_axi_awlen", single());
        m.output("m_axi_awsize", size);
        m.output("m_axi_awburst", incr);
        m.comment("Memory: write data");
        let wvalid = m.output_port("m_axi_wvalid", Ty::BIT);
        let wready = m.input("m_axi_wready", Ty::BIT);
        let wdata = m.output_port("m_axi_wdata", Ty::Unsigned(port));
        let wstrb = m.output_port("m_axi_wstrb", Ty::Unsigned(bytes));
        m.output("m_axi_wlast", one());
        m.comment("Memory: write response");
        let bvalid = m.input("m_axi_bvalid", Ty::BIT);
        m.output("m_axi_bready", one());
        let bresp = m.input("m_axi_bresp", Ty::Unsigned(2));
        Axi {
            arvalid,
            arready,
            araddr,
            arlen,
            rvalid,
            rdata,
            rresp,
            rlast,
            awvalid,
            awready,
            awaddr,
            wvalid,
            wready,
            wdata,
            wstrb,
            bvalid,
            bresp,
        }
    }
}

/// What runs against the order in which the units stand.
struct Wires {
    start: Expr,
    clear: Expr,
    program: Expr,
    job_ready: Expr,
    load_ready: Expr,
    matrix_ready: Expr,
    matrix_done: Expr,
    store_idle: Expr,
    store_error: Expr,
    fetch_error: Expr,
    room: Expr,
    act_busy: Expr,
    act_beat_ready: Expr,
    dequant_beat_ready: Expr,
    beat_ready: Expr,
    to_descriptor: Expr,
    to_act: Expr,
    to_dequant: Expr,
    scale_addr: Expr,
    fetched: Expr,
    issue_columns: Expr,
    row_issue: Expr,
}

impl Wires {
    fn new(m: &mut Builder, config: &Config) -> Wires {
        m.comment("Between the units");
        let mut bit = |name: &str| m.forward(name, Ty::BIT);
        Wires {
            start: bit("start"),
            clear: bit("clear"),
            job_ready: bit("weight_fetch_job_ready"),
            load_ready: bit("act_buffer_load_ready"),
            matrix_ready: bit("matrix_ready"),
            matrix_done: bit("result_store_matrix_done"),
            store_idle: bit("result_store_idle"),
            store_error: bit("result_store_error"),
            fetch_error: bit("weight_fetch_error"),
            room: bit("result_store_room"),
            act_busy: bit("act_buffer_busy"),
            act_beat_ready: bit("act_buffer_beat_ready"),
            dequant_beat_ready: bit("dequant_beat_ready"),
            beat_ready: bit("beat_ready"),
            to_descriptor: bit("to_descriptor"),
            to_act: bit("to_act"),
            to_dequant: bit("to_dequant"),
            row_issue: bit("dequant_row_issue"),
            program: m.forward("program_addr", Ty::Unsigned(32)),
            fetched: m.forward("weight_fetch_beat_data", Ty::Unsigned(config.memory.port_bits)),
            issue_columns: m.forward("issue_columns", Ty::Unsigned(act_buffer::COLUMNS_BITS)),
            scale_addr: m.forward("array_scale_addr", Ty::Unsigned(act_buffer::scale_address_bits(config))),
        }
    }
}

fn sequencer(m: &mut Builder, config: &Config, w: &Wires, power: Option<&Power>) -> Result<Outputs, BuildError> {
    let mut inputs = vec![
        ("start", w.start.clone()),
        ("clear", w.clear.clone()),
        ("program", w.program.clone()),
        ("job_ready", w.job_ready.clone()),
        ("load_ready", w.load_ready.clone()),
        ("matrix_ready", w.matrix_ready.clone()),
        ("matrix_done", w.matrix_done.clone()),
        ("store_idle", w.store_idle.clone()),
        ("read_error", w.fetch_error.clone()),
        ("write_error", w.store_error.clone()),
        ("beat_valid", w.to_descriptor.clone()),
        ("beat_data", w.fetched.clone()),
    ];
    inputs.extend(power.map(|power| ("power_error", power.error.clone())));
    Ok(m.instance("sequencer", &sequencer::sequencer(config)?, &inputs))
}

fn fetch(m: &mut Builder, config: &Config, axi: &Axi, sequencer: &Outputs, w: &Wires) -> Result<Outputs, BuildError> {
    let out = m.instance(
        "weight_fetch",
        &weight_fetch::weight_fetch(config)?,
        &[
            ("job_valid", sequencer.get("job_valid")),
            ("job_addr", sequencer.get("job_addr")),
            ("job_beats", sequencer.get("job_beats")),
            ("job_dest", sequencer.get("job_dest")),
            ("arready", axi.arready.clone()),
            ("rvalid", axi.rvalid.clone()),
            ("rdata", axi.rdata.clone()),
            ("rresp", axi.rresp.clone()),
            ("rlast", axi.rlast.clone()),
            ("beat_ready", w.beat_ready.clone()),
        ],
    );
    m.drive(&axi.arvalid, out.get("arvalid"));
    m.drive(&axi.araddr, out.get("araddr"));
    m.drive(&axi.arlen, out.get("arlen"));
    Ok(out)
}

/// Each beat goes to the unit that asked for it; weights wait until the activations they need are readable.
fn route(m: &mut Builder, fetch: &Outputs, w: &Wires) {
    m.comment("Each beat goes to the unit that asked for it; weights wait until the activations are readable");
    let (valid, dest) = (fetch.get("beat_valid"), fetch.get("beat_dest"));
    let is = |d: u64| &valid & dest.bit(d.trailing_zeros());
    m.drive(&w.to_descriptor, is(DEST_DESCRIPTOR));
    m.drive(&w.to_act, is(DEST_ACTIVATIONS));
    m.drive(&w.to_dequant, is(DEST_WEIGHTS) & !&w.act_busy);
    let taken = &w.to_descriptor | (&w.to_act & &w.act_beat_ready) | (&w.to_dequant & &w.dequant_beat_ready);
    m.drive(&w.beat_ready, taken);
}

fn engine(
    m: &mut Builder,
    config: &Config,
    sequencer: &Outputs,
    fetch: &Outputs,
    w: &Wires,
    power: Option<&Units>,
) -> Result<(Outputs, Outputs), BuildError> {
    let data = fetch.get("beat_data");
    let mut inputs = vec![
        ("start_valid", sequencer.get("matrix_start")),
        ("start_format", sequencer.get("matrix_format")),
        ("start_rows", sequencer.get("matrix_rows")),
        ("start_last_step", sequencer.get("matrix_last_step")),
        ("start_bank", sequencer.get("matrix_bank")),
        ("start_tag", sequencer.get("matrix_tag")),
        ("beat_valid", w.to_dequant.clone()),
        ("beat_data", data.clone()),
        ("room", w.room.clone()),
    ];
    inputs.extend(power.map(|power| ("powered", power.powered.clone())));
    let dequant = m.instance("dequant", &dequant::dequant(config)?, &inputs);
    let address = dequant.get("x_addr");
    let part_bits = config.cycles_per_block().ilog2();
    let step_addr = address.shift_right(part_bits);
    let act = m.instance(
        "act_buffer",
        &act_buffer::act_buffer(config)?,
        &[
            ("load_valid", sequencer.get("load_valid")),
            ("load_last_block", sequencer.get("load_last_block")),
            ("load_columns", sequencer.get("load_columns")),
            ("load_bank", sequencer.get("load_bank")),
            ("beat_valid", w.to_act.clone()),
            ("beat_data", data),
            ("x_addr", address),
            ("scale_addr", w.scale_addr.clone()),
        ],
    );
    let mut inputs = vec![
        ("start", sequencer.get("matrix_start")),
        ("start_tag", sequencer.get("matrix_tag")),
        ("start_columns", sequencer.get("matrix_columns")),
        ("step_addr", step_addr),
        ("x", act.get("x")),
        ("dx", act.get("dx")),
    ];
    if act_buffer::has_minima(config) {
        inputs.extend([("dmin", dequant.get("dmin")), ("sum_x", act.get("sum_x"))]);
    }
    if config.cycles_per_block() > 1 {
        inputs.push(("block_first", dequant.get("block_first")));
    }
    for name in ["valid", "w", "d", "block_last", "row_first", "row_last", "matrix_last", "tag"] {
        inputs.push((name, dequant.get(name)));
    }
    inputs.extend(power.iter().flat_map(|power| power.array()));
    let array = m.instance("array", &array::array(config)?, &inputs);
    Ok((dequant, array))
}

fn store(m: &mut Builder, config: &Config, axi: &Axi, sequencer: &Outputs, array: &Outputs, w: &Wires) -> Result<Outputs, BuildError> {
    let out = m.instance(
        "result_store",
        &result_store::result_store(config)?,
        &[
            ("cmd_valid", sequencer.get("matrix_start")),
            ("cmd_addr", sequencer.get("matrix_results")),
            ("row_issue", w.row_issue.clone()),
            ("issue_columns", w.issue_columns.clone()),
            ("row_valid", array.get("row_valid")),
            ("row_matrix_last", array.get("row_matrix_last")),
            ("row_columns", array.get("row_columns")),
            ("acc", array.get("acc")),
            ("awready", axi.awready.clone()),
            ("wready", axi.wready.clone()),
            ("bvalid", axi.bvalid.clone()),
            ("bresp", axi.bresp.clone()),
        ],
    );
    m.drive(&axi.awvalid, out.get("awvalid"));
    m.drive(&axi.awaddr, out.get("awaddr"));
    m.drive(&axi.wvalid, out.get("wvalid"));
    m.drive(&axi.wdata, out.get("wdata"));
    m.drive(&axi.wstrb, out.get("wstrb"));
    Ok(out)
}

#[allow(clippy::too_many_arguments)]
fn registers(
    m: &mut Builder,
    config: &Config,
    unit: &Arc<Module>,
    sequencer: &Outputs,
    counters: &Outputs,
    saturated: &Expr,
    w: &Wires,
    power: Vec<(String, Expr)>,
) {
    let powered = !power.is_empty();
    let port = |m: &mut Builder, name: &str, width: u32| m.input(&format!("s_axil_{name}"), Ty::Unsigned(width));
    let mut inputs: Vec<(String, Expr)> = Vec::new();
    m.comment("Registers");
    for (name, width) in [
        ("awvalid", 1),
        ("awaddr", ADDRESS_BITS),
        ("wvalid", 1),
        ("wdata", 32),
        ("wstrb", 4),
        ("bready", 1),
        ("arvalid", 1),
        ("araddr", ADDRESS_BITS),
        ("rready", 1),
    ] {
        inputs.push((format!("s_axil_{name}"), port(m, name, width)));
    }
    let status = [
        ("status_busy", sequencer.get("busy")),
        ("status_done", sequencer.get("done")),
        ("status_error", sequencer.get("error")),
        ("status_saturated", saturated.clone()),
        ("cause", sequencer.get("cause")),
        ("error_addr", sequencer.get("error_addr")),
        ("irq_status_done_set", sequencer.get("finished")),
        ("irq_status_error_set", sequencer.get("stopped")),
    ];
    inputs.extend(status.map(|(n, e)| (n.to_string(), e)));
    for register in counters::all(config) {
        let name = register.name.to_lowercase();
        let value = counters.get(&name);
        inputs.push((name, value));
    }
    inputs.extend(power);
    let inputs: Vec<(&str, Expr)> = inputs.iter().map(|(n, e)| (n.as_str(), e.clone())).collect();
    let csr = m.instance("csr", unit, &inputs);
    for name in ["awready", "wready", "bvalid", "bresp", "arready", "rvalid", "rdata", "rresp"] {
        let port = format!("s_axil_{name}");
        let value = csr.get(&port);
        m.output(&port, value);
    }
    m.drive(&w.start, csr.get("control_start"));
    m.drive(&w.clear, csr.get("control_clear"));
    m.drive(&w.program, Expr::concat([csr.get("program_address"), Expr::constant(Ty::Unsigned(5), 0)]));
    m.unused("scratch", "SCRATCH is for tests of the link.", &[csr.get("scratch")]);
    let pending = (csr.get("irq_status_done") & csr.get("irq_enable_done")) | (csr.get("irq_status_error") & csr.get("irq_enable_error"));
    let pending = if powered { pending | power::pending(&csr) } else { pending };
    let irq = m.register_reset("irq", pending);
    m.output("irq", irq);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Format;

    #[test]
    fn every_legal_shape_builds() {
        let mut built = 0;
        for lanes in [4, 8, 16, 32, 64, 128] {
            for port in [32, 64, 128, 256, 512] {
                for formats in Format::ALL.map(|f| vec![f]).into_iter().chain([Format::ALL.to_vec()]) {
                    for columns in [1, 3, 8] {
                        let mut config = Config { formats: formats.clone(), ..Config::wide() };
                        config.array = crate::config::Array { lanes, columns, lut_lanes: 0 };
                        config.memory.port_bits = port;
                        config.memory.burst_beats = 16;
                        if config.validate().is_ok() {
                            top(&config).unwrap_or_else(|e| panic!("{lanes} lanes, {columns} columns, {port} bits, {formats:?}: {e}"));
                            built += 1;
                        }
                    }
                }
            }
        }
        assert!(built > 400, "{built}");
    }

    #[test]
    fn absent_power_domains_cost_no_gate() {
        let parts = |config: &Config| -> Vec<String> {
            let modules = top(config).unwrap().hierarchy();
            let power = modules.iter().map(|m| m.name.clone()).filter(|name| name.starts_with("power") || name == "isolate");
            let gates = modules.iter().filter(|m| m.port("ce").is_some()).map(|m| format!("ce of {}", m.name));
            power.chain(gates).collect()
        };
        for config in [Config::nano(), Config::small(), Config::base(), Config::wide()] {
            assert_eq!(parts(&config), [""; 0], "{}", config.name);
        }
        let gated = parts(&Config::gated());
        assert!(["power", "power_domain", "isolate", "ce of array_column"].iter().all(|part| gated.iter().any(|p| p == part)), "{gated:?}");
        let dvfs_alone = Config::gated().with_settings(&["power.columns_per_domain=0"]).unwrap();
        assert!(parts(&dvfs_alone).iter().all(|part| part.starts_with("power_dvfs")));
    }
}
