// SPDX-License-Identifier: MIT OR Apache-2.0
//! The activation vectors on chip: per column int8 blocks of 32, their scales and, for formats with a minimum,
//! the sums of their integers.
//!
//! Ports      Load: `load_*` says how many blocks and columns follow and into which bank, `beat_*` brings the
//!            beats of the region (per column: scales, then integers); `busy_o`, from the cycle after a beat until what came is readable.
//!            Read: `x_addr_i` = {bank, step, part} -> `x_o`; `scale_addr_i` = {bank, step} -> `dx_o`, `sum_x_o`
//! Latency    [`latency`] cycles from an address to its data      Throughput  one beat in and one read of each kind per cycle
//! Rounding   none      Reset  clears the load
//!
//! Two banks: a vector is loaded into one while the other is in use. The sums are formed once, while a block
//! is loaded, and shared by all rows: a second adder tree in every column would cost as much as the products.

use super::{
    column::BLOCK,
    place::SCALE_BITS,
    ram::{self, Shape},
    scale_acc::SUM_X_BITS,
};
use crate::config::{Config, Format};
use heddle_lang::{BuildError, Builder, Expr, Module, Ty, builder::address_bits};
use std::sync::Arc;

/// Bits that count columns, 1 to 8.
pub const COLUMNS_BITS: u32 = 4;

/// Bits that count the blocks of a vector.
pub fn blocks_bits(config: &Config) -> u32 {
    config.activations.blocks.ilog2() + 1
}

/// Bits of the index of the last block of a vector.
pub fn last_block_bits(config: &Config) -> u32 {
    config.activations.blocks.ilog2()
}

/// Bits of `scale_addr_i`: bank and step, a step being the blocks of one cycle.
pub fn scale_address_bits(config: &Config) -> u32 {
    1 + (config.activations.blocks / config.blocks_per_cycle()).ilog2()
}

/// Bits of `x_addr_i`: bank, step and the part of a block.
pub fn x_address_bits(config: &Config) -> u32 {
    scale_address_bits(config) + config.cycles_per_block().ilog2()
}

/// Cycles from an address to its data, of every memory alike.
pub fn latency(config: &Config) -> u32 {
    let g = Geometry::new(config);
    let sum = has_minima(config).then_some(g.sum);
    [g.x, g.scale].into_iter().chain(sum).map(|shape| shape.latency()).max().unwrap_or_default()
}

/// Whether some format has a minimum, so that the sums are needed.
pub fn has_minima(config: &Config) -> bool {
    config.formats.contains(&Format::Q4_1)
}

/// The buffer for all columns.
pub fn act_buffer(config: &Config) -> Result<Arc<Module>, BuildError> {
    let geometry = Geometry::new(config);
    let mut m = Builder::clocked("act_buffer", file!());
    m.doc(&format!(
        "Activations of {}, two banks of {} blocks of {BLOCK} int8 each, with their scales{}.",
        super::counted(config.array.columns, "column"),
        config.activations.blocks,
        if has_minima(config) { " and sums" } else { "" }
    ));
    let writes = load(&mut m, config, &geometry);
    m.comment(&format!("Memories, read {} cycles after the address", latency(config)));
    let x_addr = m.input("x_addr", Ty::Unsigned(x_address_bits(config)));
    let scale_addr = m.input("scale_addr", Ty::Unsigned(scale_address_bits(config)));
    let mut outputs = [Vec::new(), Vec::new(), Vec::new()];
    for c in 0..config.array.columns {
        let mut memory = |name: &str, shape: Shape, write: &Write, address: &Expr| {
            let enable = &write.enable & write.column.eq(c);
            let inputs = [
                ("write_en", enable),
                ("write_addr", write.address.clone()),
                ("write_data", write.data.clone()),
                ("read_addr", address.clone()),
            ];
            Ok(m.instance(&format!("{name}_{c}"), &ram::ram(shape, latency(config))?, &inputs).get("read_data"))
        };
        outputs[0].push(memory("x", geometry.x, &writes.x, &x_addr)?);
        outputs[1].push(memory("scale", geometry.scale, &writes.scale, &scale_addr)?);
        if let Some(sum) = &writes.sum {
            outputs[2].push(memory("sum", geometry.sum, sum, &scale_addr)?);
        }
    }
    let [x, dx, sum_x] = outputs;
    m.output("x", Expr::pack(&x));
    m.output("dx", Expr::pack(&dx));
    if !sum_x.is_empty() {
        m.output("sum_x", Expr::pack(&sum_x));
    }
    m.build()
}

/// Shapes of the memories of one column.
struct Geometry {
    port_bytes: u32,
    x: Shape,
    scale: Shape,
    sum: Shape,
}

impl Geometry {
    fn new(config: &Config) -> Self {
        let (port_bytes, blocks) = (config.port_bytes(), 2 * config.activations.blocks);
        let per_cycle = config.blocks_per_cycle();
        Geometry {
            port_bytes,
            x: Shape { element_bits: 8, write_elements: port_bytes, read_elements: config.array.lanes, elements: blocks * BLOCK },
            scale: Shape { element_bits: SCALE_BITS, write_elements: port_bytes / 4, read_elements: per_cycle, elements: blocks },
            sum: Shape {
                element_bits: SUM_X_BITS,
                write_elements: (port_bytes / BLOCK).max(1),
                read_elements: per_cycle,
                elements: blocks,
            },
        }
    }
}

struct Write {
    enable: Expr,
    address: Expr,
    data: Expr,
    column: Expr,
}

struct Writes {
    x: Write,
    scale: Write,
    sum: Option<Write>,
}

/// Counts the beats of a region and says where each goes.
fn load(m: &mut Builder, config: &Config, g: &Geometry) -> Writes {
    let beats_bits = g.x.write_address_bits();
    m.comment("What to load: last block of a column, columns, bank");
    let load_valid = m.input("load_valid", Ty::BIT);
    let load_ready = m.output_port("load_ready", Ty::BIT);
    let load_last_block = m.input("load_last_block", Ty::Unsigned(last_block_bits(config)));
    let load_columns = m.input("load_columns", Ty::Unsigned(COLUMNS_BITS));
    let load_bank = m.input("load_bank", Ty::BIT);
    m.comment("Beats of the vectors, scales first");
    let beat_valid = m.input("beat_valid", Ty::BIT);
    let beat_ready = m.output_port("beat_ready", Ty::BIT);
    let beat_data = m.input("beat_data", Ty::Unsigned(8 * g.port_bytes));

    let active = m.reg("active", Ty::BIT, 0);
    let integers = m.reg("integers", Ty::BIT, 0);
    let column = m.reg("column", Ty::Unsigned(COLUMNS_BITS), 0);
    let beat = m.reg("beat", Ty::Unsigned(beats_bits - 1), 0);
    m.drive(&load_ready, !active.q());
    m.drive(&beat_ready, active.q());
    let start = m.wire("start", &load_valid & !active.q());
    let take = m.wire("take", &beat_valid & active.q());

    m.comment("Last beat of the scales and of the integers of a column");
    let last = |bytes_per_block: u32| {
        let ones = Expr::bit_const(true).repeat(bytes_per_block.ilog2());
        let byte = Expr::concat([load_last_block.clone(), ones]);
        let in_beat = g.port_bytes.ilog2();
        byte.slice(in_beat, byte.width() - in_beat).resize(beats_bits - 1)
    };
    let last_scale = m.register_when("last_scale", &start, last(4));
    let last_integer = m.register_when("last_integer", &start, last(BLOCK));
    if g.port_bytes > BLOCK {
        m.unused("last_block", "Blocks within a beat do not count.", &[load_last_block.slice(0, (g.port_bytes / BLOCK).ilog2())]);
    }
    let last_column = m.register_when("last_column", &start, load_columns.wrapping_sub(1));
    let bank = m.register_when("bank", &start, &load_bank);
    // Known before the beat comes: a beat has come a long way.
    let end = m.reg_no_reset("part_end", Ty::BIT);
    let next_beat = m.wire("next_beat", beat.q().wrapping_add(1));
    let is_integers = integers.q();
    let next_ends = m.wire("next_ends", next_beat.eq(is_integers.mux(&last_integer, &last_scale)));
    let other_ends = m.wire("other_ends", is_integers.mux(&last_scale, &last_integer).is_zero());
    m.on(&end, &start, last(4).is_zero());
    m.on(&end, &take, end.q().mux(other_ends, &next_ends));
    let end = end.q();
    let column_end = m.wire("column_end", &take & &end & integers.q());
    let finish = m.wire("finish", &column_end & column.q().eq(&last_column));
    m.on(&active, &start, 1);
    m.on(&active, &finish, 0);
    m.on(&integers, &take & &end, !integers.q());
    m.on(&column, &start, 0);
    m.on(&column, &column_end, column.q().wrapping_add(1));
    m.on(&beat, &take & &end, 0);
    m.on(&beat, &take, &next_beat);

    // The memories are far apart: what is written, and where, comes from registers.
    let stage = |m: &mut Builder, name: &str, value: Expr| if config.compact { value } else { m.register(name, value) };
    let flag = |m: &mut Builder, name: &str, value: Expr| if config.compact { value } else { m.register_reset(name, value) };
    let data = stage(m, "write_beat", beat_data);
    let place = stage(m, "write_place", Expr::concat([bank, beat.q()]));
    let column = stage(m, "write_column", column.q());
    let write_integers = flag(m, "write_integers", &take & integers.q());
    let write_scales = flag(m, "write_scales", &take & !integers.q());

    m.comment("A beat of scales holds one u32 each: exponent and fraction are kept");
    let scales: Vec<Expr> = data.chunks(32).iter().map(|s| s.slice(8, SCALE_BITS)).collect();
    let address = |shape: Shape| Expr::concat([place.msb(), place.slice(0, beats_bits - 1).resize(shape.write_address_bits() - 1)]);
    let writing = m.wire("writing", &write_integers | &write_scales);
    let x = Write { enable: write_integers, address: address(g.x), data, column: column.clone() };
    let scale = Write { enable: write_scales, address: address(g.scale), data: Expr::pack(&scales), column };
    let mut pending = Expr::bit_const(false);
    let sum = has_minima(config).then(|| {
        let (write, until) = sums(m, g, &x, &place);
        pending = until;
        write
    });
    m.comment("Readable two cycles after the last write");
    let moving = m.wire("moving", take | writing | pending);
    let settle = m.register_reset("settle", &moving);
    let busy = m.register_reset("busy", moving | settle);
    m.output("busy", busy);
    Writes { x, scale, sum }
}

/// Sums of the integers of each block, formed from the beats on their way into the memory.
fn sums(m: &mut Builder, g: &Geometry, x: &Write, place: &Expr) -> (Write, Expr) {
    m.comment("Sum of the integers of each block");
    let bytes: Vec<Expr> = x.data.chunks(8).iter().map(Expr::as_signed).collect();
    let per_tree = bytes.len().min(BLOCK as usize);
    let levels = per_tree.ilog2();
    let trees: Vec<Vec<Expr>> = bytes.chunks(per_tree).map(<[Expr]>::to_vec).collect();
    let several = trees.len() > 1;
    let name = |t: usize| if several { format!("part{t}") } else { "part".to_string() };
    let at = m.stages_reset("sum_valid", &x.enable, levels);
    let mut sum = |(t, values)| m.pipelined_sum(&name(t), values, &at[..levels as usize]).extend(SUM_X_BITS);
    let parts: Vec<Expr> = trees.into_iter().enumerate().map(&mut sum).collect();
    let beats_per_block = (BLOCK / g.port_bytes).max(1);
    let enable = at[levels as usize].clone();
    let column = m.delay("sum_column", &x.column, levels);
    let place = m.delay("sum_beat", place, levels);
    if beats_per_block == 1 {
        let write = Write { enable: enable.clone(), address: place.resize(g.sum.write_address_bits()), data: packed(&parts), column };
        let pending = pending(m, &x.enable, levels);
        return (write, pending);
    }
    let part_bits = beats_per_block.trailing_zeros();
    let part = place.slice(0, part_bits);
    let first = m.wire("sum_first", part.is_zero());
    let last = m.wire("sum_last", part.all());
    let running = m.reg_no_reset("running", Ty::Signed(SUM_X_BITS));
    m.on(&running, &enable & &first, &parts[0]);
    m.on(&running, &enable, running.q().wrapping_add(&parts[0]));
    let done = m.register_reset("sum_done", &enable & last);
    let column = m.register("sum_column_done", column);
    let address = m.register("sum_address", place.slice(part_bits, g.sum.write_address_bits()));
    let pending = pending(m, &x.enable, levels + 1);
    (Write { enable: done, address, data: running.q().as_unsigned(), column }, pending)
}

fn packed(parts: &[Expr]) -> Expr {
    let parts: Vec<Expr> = parts.iter().map(Expr::as_unsigned).collect();
    Expr::pack(&parts)
}

/// High after a beat until its sum has been written, `cycles` later.
fn pending(m: &mut Builder, beat: &Expr, cycles: u32) -> Expr {
    let count = m.reg("sum_pending", Ty::Unsigned(address_bits(cycles + 1)), 0);
    m.on(&count, beat, i64::from(cycles));
    m.on(&count, count.q().any(), count.q().wrapping_sub(1));
    count.q().any()
}

/// The same, in plain Rust: what a region holds is [`crate::format`]'s reader; the sum of a block's integers.
pub mod golden {
    /// Exact sum of 32 activations, 13 bits signed.
    pub fn sum_x(block: &[i8; 32]) -> i32 {
        block.iter().map(|&q| i32::from(q)).sum()
    }
}
