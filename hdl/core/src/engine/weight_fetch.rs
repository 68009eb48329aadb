// SPDX-License-Identifier: MIT OR Apache-2.0
//! Read master: jobs (address, beats, destination) to one stream of beats, in order.
//!
//! Ports      `job_*`: jobs; `ar*`, `r*`: AXI4 read channels; `beat_*`: the stream, each beat with its destination;
//!            events for the counters
//! Latency    memory latency + 4 cycles      Throughput  one beat per cycle, without a gap between bursts or jobs
//! Rounding   none      Reset  drops everything
//!
//! A burst never crosses a 4 KiB boundary and is asked for only when the FIFO has room for all of it, so `rready`
//! is constantly high. The FIFO is as deep as the latency it hides needs, and lets reads run on while the array
//! is held up.

use crate::config::Config;
use heddle_lang::{BuildError, Builder, Expr, Module, Ty, stdlib};
use std::sync::Arc;

/// Bits that count the beats of a job: rows x blocks of the largest MATMUL, in beats of the narrowest port.
pub const BEATS_BITS: u32 = 38;
/// Bits of a destination, one for each: a beat that has come far is not to be decoded.
pub const DEST_BITS: u32 = 3;
/// Destinations of a job's beats.
pub const DEST_DESCRIPTOR: u64 = 1;
pub const DEST_ACTIVATIONS: u64 = 2;
pub const DEST_WEIGHTS: u64 = 4;
/// Bursts that may be outstanding.
const TAGS: u32 = 8;
/// Bytes that no burst crosses.
const PAGE: u32 = 4096;

/// The read master.
pub fn weight_fetch(config: &Config) -> Result<Arc<Module>, BuildError> {
    let (port_bits, port_bytes) = (config.memory.port_bits, config.port_bytes());
    let (depth, burst) = (config.memory.fifo_beats, config.memory.burst_beats);
    let mut m = Builder::clocked("weight_fetch", file!());
    m.doc(&format!(
        "Read master: jobs to a stream of beats of {port_bits} bits, in order.\nBursts of up to {burst} beats, never across a 4 KiB boundary, and only when the FIFO of {depth} beats has room."
    ));
    m.comment("Jobs");
    let job_valid = m.input("job_valid", Ty::BIT);
    let job_ready = m.output_port("job_ready", Ty::BIT);
    let job_addr = m.input("job_addr", Ty::Unsigned(32));
    let job_beats = m.input("job_beats", Ty::Unsigned(BEATS_BITS));
    let job_dest = m.input("job_dest", Ty::Unsigned(DEST_BITS));
    m.comment("AXI4 read channels");
    let arvalid_port = m.output_port("arvalid", Ty::BIT);
    let arready = m.input("arready", Ty::BIT);
    let araddr_port = m.output_port("araddr", Ty::Unsigned(32));
    let arlen_port = m.output_port("arlen", Ty::Unsigned(8));
    let rvalid = m.input("rvalid", Ty::BIT);
    let rdata = m.input("rdata", Ty::Unsigned(port_bits));
    let rresp = m.input("rresp", Ty::Unsigned(2));
    let rlast = m.input("rlast", Ty::BIT);

    m.comment("The job in hand");
    let len_bits = burst.ilog2() + 1;
    let space_bits = depth.ilog2() + 1;
    let active = m.reg("active", Ty::BIT, 0);
    let addr = m.reg_no_reset("addr", Ty::Unsigned(32));
    let left = m.reg_no_reset("left", Ty::Unsigned(BEATS_BITS));
    let dest = m.reg_no_reset("dest", Ty::Unsigned(DEST_BITS));
    let planned = m.reg("planned", Ty::BIT, 0);
    let space = m.reg("space", Ty::Unsigned(space_bits), i128::from(depth));
    let arvalid = m.reg("arvalid", Ty::BIT, 0);
    let start = m.wire("start", &job_valid & !active.q());
    m.drive(&job_ready, !active.q());

    m.comment("Length of the next burst: what is left, up to the longest burst and the next 4 KiB boundary");
    let in_page = PAGE / port_bytes;
    let page_bits = in_page.ilog2();
    let to_page = m.wire(
        "to_page",
        (Expr::constant(Ty::Unsigned(page_bits + 1), in_page.into()) - addr.q().slice(port_bytes.ilog2(), page_bits))
            .as_unsigned()
            .truncate(page_bits + 1),
    );
    let longest = Expr::constant(Ty::Unsigned(len_bits), burst.into());
    let whole = to_page.ge(u64::from(burst).min(u64::from(in_page))).mux(&longest, &to_page.resize(len_bits));
    // In two cycles: what the page allows, then what is left.
    let whole = m.register("whole", whole);
    let fits = left.q().lt(whole.extend(BEATS_BITS));
    let measured = m.reg("measured", Ty::BIT, 0);
    let plan = m.wire("plan", measured.q() & !planned.q());
    let len = m.register_when("len", &plan, fits.mux(left.q().resize(len_bits), &whole));

    m.comment("A burst is asked for when the FIFO has room for it and a tag is free");
    let tag_ready = m.forward("tag_ready", Ty::BIT);
    // A cycle behind the plan: room only grows until the burst is issued.
    let room = m.register_reset("room", planned.q() & space.q().ge(len.resize(space_bits)));
    let idle = m.wire("ar_free", !arvalid.q() | &arready);
    let issue = m.wire("issue", planned.q() & &room & &idle & &tag_ready);
    let last = m.wire("last_burst", left.q().eq(&len));
    m.on(&active, &start, 1);
    m.on(&active, &issue & &last, 0);
    m.on(&measured, &issue, 0);
    m.next(&measured, active.q());
    m.on(&planned, &plan, 1);
    m.on(&planned, &issue, 0);
    m.on(&addr, &start, &job_addr);
    m.on(&addr, &issue, addr.q().wrapping_add(len.shift_left(port_bytes.ilog2()).resize(32)));
    m.on(&left, &start, &job_beats);
    m.on(&left, &issue, left.q().wrapping_sub(len.resize(BEATS_BITS)));
    m.on(&dest, &start, &job_dest);
    m.on(&arvalid, &issue, 1);
    m.on(&arvalid, &arready, 0);
    let araddr = m.register_when("araddr", &issue, addr.q());
    let arlen = m.register_when("arlen", &issue, len.wrapping_sub(1).resize(8));
    m.drive(&arvalid_port, arvalid.q());
    m.drive(&araddr_port, araddr);
    m.drive(&arlen_port, arlen);

    m.comment("Destination of each burst under way");
    let tags = m.instance(
        "tags",
        &stdlib::fifo(DEST_BITS, TAGS)?,
        &[("in_valid", issue.clone()), ("in_data", dest.q()), ("out_ready", &rvalid & &rlast)],
    );
    // A cycle late, too: no two bursts are planned in so short a time.
    let tag_free = m.register_reset("tag_free", tags.get("in_ready"));
    m.drive(&tag_ready, tag_free);
    m.unused("tags", "A beat comes only after its burst was asked for, so its tag is there.", &[tags.get("out_valid"), tags.get("count")]);

    m.comment("Beats");
    let beat_ready = m.input("beat_ready", Ty::BIT);
    let take = m.forward("take_beat", Ty::BIT);
    let fifo = m.instance(
        "beats",
        &stdlib::fifo(port_bits + DEST_BITS, depth)?,
        &[("in_valid", rvalid.clone()), ("in_data", Expr::concat([tags.get("out_data"), rdata])), ("out_ready", take.clone())],
    );
    m.comment("Two beats behind the memory of the FIFO, on the way to three units");
    let inputs = [("in_valid", fifo.get("out_valid")), ("in_data", fifo.get("out_data")), ("out_ready", beat_ready.clone())];
    let next = m.instance("next", &stdlib::pair(port_bits + DEST_BITS)?, &inputs);
    m.drive(&take, next.get("in_ready"));
    let (offered, data) = (next.get("out_valid"), next.get("out_data"));
    m.output("beat_valid", offered.clone());
    m.output("beat_data", data.slice(0, port_bits));
    m.output("beat_dest", data.slice(port_bits, DEST_BITS));
    m.unused("beats", "Room was reserved when the burst was asked for.", &[fifo.get("in_ready"), fifo.get("count"), rresp.bit(0)]);
    let taken = issue.mux(len.resize(space_bits), &Expr::constant(Ty::Unsigned(space_bits), 0));
    // A cycle late: the units' ready is on a long way already.
    let passed_on = m.wire("passed_on", offered & &beat_ready);
    let freed = m.register_reset("freed", passed_on).extend(space_bits);
    let space_left = m.wire("space_left", space.q().wrapping_sub(taken));
    m.next(&space, space_left.wrapping_add(freed));

    m.comment("Events");
    let outstanding = m.reg("outstanding", Ty::Unsigned(space_bits), 0);
    let asked = issue.mux(len.resize(space_bits), &Expr::constant(Ty::Unsigned(space_bits), 0));
    let with_new = m.wire("with_new", outstanding.q().wrapping_add(asked));
    m.next(&outstanding, with_new.wrapping_sub(rvalid.extend(space_bits)));
    let waiting = m.wire("waiting", outstanding.q().any() & !&rvalid);
    m.output("error", &rvalid & rresp.bit(1));
    m.output("beat", rvalid);
    m.output("wait", waiting);
    let looked = m.register_reset("looked", planned.q());
    m.output("blocked", !outstanding.q().any() & planned.q() & looked & !room);
    m.output("idle", !outstanding.q().any() & !active.q());
    m.build()
}

/// The same, in plain Rust.
pub mod golden {
    use super::PAGE;

    /// Bursts `(address, beats)` of a job: what a memory sees.
    pub fn bursts(address: u32, beats: u64, port_bytes: u32, burst_beats: u32) -> Vec<(u32, u32)> {
        let mut out = Vec::new();
        let (mut address, mut left) = (address, beats);
        while left > 0 {
            let to_page = (PAGE - address % PAGE) / port_bytes;
            let len = left.min(burst_beats.min(to_page).into()) as u32;
            out.push((address, len));
            address = address.wrapping_add(len * port_bytes);
            left -= u64::from(len);
        }
        out
    }
}
