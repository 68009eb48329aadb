// SPDX-License-Identifier: MIT OR Apache-2.0
//! Controller of a 16-bit SDR SDRAM behind an AXI4 port.
//!
//! Ports      `s_axi_*`: AXI4 slave, signals as those of the accelerator's memory port; `sdram_*`: the pins, the data
//!            bus as value out, enable and value in; `started_o`: the device is initialised
//! Latency    10 cycles, the CAS latency, `read_delay` and the words of a beat until a read has its first one in an open
//!            row; tRCD more in a closed one, tRP and tRCD more where another one is open
//! Throughput one word per cycle but for refreshes; a beat is `port_bits / 16` words
//! Rounding   none      Reset  starts the device anew; its content is lost
//!
//! A beat is one burst of the device. [`front`] cuts bursts into pieces of one row, [`scheduler`] opens the row of
//! the next piece while it moves the beats of this one, [`upkeep`] starts and refreshes the device, and the data go
//! through [`write_path`] and [`read_path`]. [`device`] is the device in plain Rust, which checks every rule.

pub mod config;
pub mod device;
pub mod front;
pub mod read_path;
pub mod scheduler;
pub mod upkeep;
pub mod write_path;

pub use config::{Geometry, SdramConfig, SdramError, Timing};

use config::WORD_BITS;
use heddle_lang::{BuildError, Builder, Expr, Module, Ty, stdlib};
use std::sync::Arc;

/// Lines of the device's address bus.
pub const ADDRESS_PINS: u32 = 13;
/// Lines that choose the bank.
pub const BANK_PINS: u32 = 2;

/// Beats through a block RAM and a register behind it, whose output is early in the cycle.
struct Beats {
    ready: Expr,
    valid: Expr,
    data: Expr,
}

/// A queue of `depth` beats; `reason`: why its count is not read.
fn beats(m: &mut Builder, depth: u32, valid: Expr, data: Expr, taken: &Expr, reason: &str) -> Result<Beats, BuildError> {
    let next = m.forward("next_beat", Ty::BIT);
    let inputs = [("in_valid", valid), ("in_data", data.clone()), ("out_ready", next.clone())];
    let queue = m.instance("beats", &stdlib::fifo(data.width(), depth)?, &inputs);
    m.unused("beats", reason, &[queue.get("count")]);
    let held = m.reg("beat_valid", Ty::BIT, 0);
    m.drive(&next, !held.q() | taken);
    m.on(&held, &next, queue.get("out_valid"));
    let beat = m.register_when("beat_data", &next, queue.get("out_data"));
    Ok(Beats { ready: queue.get("in_ready"), valid: held.q(), data: beat })
}

/// The controller.
pub fn sdram(config: &SdramConfig) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked("sdram", file!());
    m.doc(&format!(
        "Controller of {} MiB of SDRAM: port of {} bits, {} MHz, CAS latency {}.",
        config.bytes() >> 20,
        config.port_bits,
        config.clock_mhz,
        config.cas_latency
    ));
    if let Err(mistake) = config.check() {
        m.error(mistake.to_string());
        return m.build();
    }
    let (bit, port) = (Ty::BIT, config.port_bits);
    let mut address = |channel: &str, what: &str| {
        m.comment(what);
        let valid = m.input(&format!("s_axi_{channel}valid"), bit);
        let ready = m.output_port(&format!("s_axi_{channel}ready"), bit);
        let fields = [("addr", 32), ("len", 8), ("size", 3), ("burst", 2)];
        let fields = fields.map(|(field, bits)| m.input(&format!("s_axi_{channel}{field}"), Ty::Unsigned(bits)));
        (valid, ready, fields)
    };
    let (arvalid, arready, ar) = address("ar", "Read address");
    let (awvalid, awready, aw) = address("aw", "Write address");
    m.comment("Write data");
    let wvalid = m.input("s_axi_wvalid", bit);
    let wready = m.output_port("s_axi_wready", bit);
    let wdata = m.input("s_axi_wdata", Ty::Unsigned(port));
    let wstrb = m.input("s_axi_wstrb", Ty::Unsigned(port / 8));
    let wlast = m.input("s_axi_wlast", bit);
    m.unused("wlast", "The address says how many beats there are.", &[wlast]);
    m.comment("Responses");
    let bready = m.input("s_axi_bready", bit);
    let rready = m.input("s_axi_rready", bit);

    m.comment("From the units below");
    let piece_ready = m.forward("scheduler_piece_ready", bit);
    let w_ready = m.forward("write_path_ready", bit);
    let beat_valid = m.forward("write_path_beat_valid", bit);
    let room = m.forward("read_path_room", bit);
    let (hold, close_all) = (m.forward("upkeep_hold", bit), m.forward("upkeep_close_all", bit));
    let (refresh, load_mode) = (m.forward("upkeep_refresh", bit), m.forward("upkeep_load_mode", bit));

    let stored = m.wire("beat_stored", &wvalid & &w_ready);
    let mut inputs = vec![("arvalid", arvalid), ("awvalid", awvalid), ("bready", bready), ("beat_stored", stored)];
    inputs.extend(["araddr", "arlen", "arsize", "arburst"].into_iter().zip(ar));
    inputs.extend(["awaddr", "awlen", "awsize", "awburst"].into_iter().zip(aw));
    inputs.push(("piece_ready", piece_ready));
    let front = m.instance("front", &front::front(config)?, &inputs);
    m.drive(&arready, front.get("arready"));
    m.drive(&awready, front.get("awready"));
    m.output("s_axi_bvalid", front.get("bvalid"));
    m.output("s_axi_bresp", Expr::concat([front.get("berror"), Expr::bit_const(false)]));

    let scheduler = m.instance(
        "scheduler",
        &scheduler::scheduler(config)?,
        &[
            ("piece_valid", front.get("piece_valid")),
            ("piece_write", front.get("piece_write")),
            ("piece_refused", front.get("piece_refused")),
            ("piece_address", front.get("piece_address")),
            ("piece_len", front.get("piece_len")),
            ("beat_valid", beat_valid),
            ("room", room),
            ("hold", hold),
            ("close_all", close_all),
            ("refresh", refresh),
            ("load_mode", load_mode),
        ],
    );
    let upkeep = m.instance(
        "upkeep",
        &upkeep::upkeep(config)?,
        &[("quiet", scheduler.get("quiet")), ("work", scheduler.get("busy") | front.get("piece_valid"))],
    );
    let write_path = m.instance(
        "write_path",
        &write_path::write_path(config)?,
        &[
            ("valid", wvalid),
            ("data", wdata),
            ("strobe", wstrb),
            ("take", scheduler.get("write")),
            ("refused", scheduler.get("refused")),
            ("started", upkeep.get("started")),
        ],
    );
    m.drive(&wready, w_ready);

    m.comment("Pins");
    m.output("sdram_cke", scheduler.get("cke"));
    m.output("sdram_cs_n", Expr::bit_const(false));
    let command = scheduler.get("command");
    for (pin, i) in [("ras", 2), ("cas", 1), ("we", 0)] {
        m.output(&format!("sdram_{pin}_n"), command.bit(i));
    }
    m.output("sdram_ba", scheduler.get("ba"));
    m.output("sdram_a", scheduler.get("a"));
    m.output("sdram_dqm", write_path.get("mask"));
    m.output("sdram_dq", write_path.get("word"));
    m.output("sdram_dq_enable", write_path.get("drive"));
    let dq = m.input("sdram_dq_read", Ty::Unsigned(WORD_BITS));

    let read_path = m.instance(
        "read_path",
        &read_path::read_path(config)?,
        &[
            ("dq", dq),
            ("asked", scheduler.get("read")),
            ("asked_last", scheduler.get("read_last")),
            ("asked_refused", scheduler.get("refused")),
            ("ready", rready),
        ],
    );
    m.output("s_axi_rvalid", read_path.get("valid"));
    m.output("s_axi_rdata", read_path.get("data"));
    m.output("s_axi_rresp", Expr::concat([read_path.get("error"), Expr::bit_const(false)]));
    m.output("s_axi_rlast", read_path.get("last"));
    m.output("started", upkeep.get("started"));
    m.build()
}
