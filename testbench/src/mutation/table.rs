// SPDX-License-Identifier: MIT OR Apache-2.0
//! The changes that are tried.

use super::{
    Change::{self, Always, Constant, DropNot, DropUpdate, Net, Operator, Reset, Slice, SwapMux, Unary, ZeroExtend},
    Mutation,
};
use crate::blocks::{
    ActBuffer, Block, Column, ColumnPacked, Counters, Csr, Dequant, Isolate, Lanes, LinkBridge, LinkWhole, LutMultiplier, Place,
    PowerDemand, PowerDomain, PowerDvfs, PowerIdle, PowerQDevice, PowerResidency, PowerSwitches, Program, ResultStore, ScaleAcc, Sequencer,
    ToFloat, UartRx, UartTx, WeightFetch,
};
use heddle_core::config::Format;
use heddle_lang::expr::{
    BinaryOp::{Add, And, Eq, Le, Lt, Ne, Or, Sub, WrapAdd, WrapSub, Xor},
    UnaryOp::{ReduceAnd, ReduceOr},
};
use std::rc::Rc;

type Changes<'a> = &'a [(&'static str, Change)];

/// Every mutation, by block.
pub fn table() -> Vec<Mutation> {
    let mut all = Table(Vec::new());
    arithmetic(&mut all);
    weights(&mut all);
    memory(&mut all);
    control(&mut all);
    power(&mut all);
    power_around(&mut all);
    link(&mut all);
    whole(&mut all);
    all.0
}

struct Table(Vec<Mutation>);

impl Table {
    fn add(&mut self, bench: impl Block + 'static, module: &'static str, changes: Changes<'_>) {
        let bench: Rc<dyn Block> = Rc::new(bench);
        let mutation = |(net, change): &(&'static str, Change)| Mutation { bench: bench.clone(), module, net, change: change.clone() };
        self.0.extend(changes.iter().map(mutation));
    }
}

fn arithmetic(all: &mut Table) {
    all.add(
        Column { lanes: 8, lut_lanes: 0, gated: false },
        "column_8",
        &[
            ("tree_level0_1_q", Slice(1)),
            ("tree_level0_0_q", Operator(Add, Sub)),
            ("block_q", Operator(WrapAdd, WrapSub)),
            ("block_q", DropUpdate(0)),
            ("block_q", ZeroExtend),
            ("block_q", Slice(-1)),
        ],
    );
    all.add(
        ColumnPacked { lanes: 8 },
        "column_packed_8",
        &[
            ("upper_2_q", Operator(Sub, Add)),
            ("tree1_level0_1_q", Operator(WrapAdd, WrapSub)),
            ("products_0_q", Slice(1)),
            ("block1_q", SwapMux),
            ("block0_q", Operator(WrapAdd, WrapSub)),
        ],
    );
    all.add(
        LutMultiplier,
        "mul2_s8xs8_lut",
        &[("pair_1_3_q", Operator(Sub, Add)), ("four_0_1_q", Operator(WrapAdd, WrapSub)), ("row_0_7", SwapMux)],
    );
    all.add(
        Place { bits: 21, gated: false },
        "place_21",
        &[
            ("sd_q", SwapMux),
            ("exponent_q", Constant(1, 0)),
            ("down_q", Constant(148, 147)),
            ("down_vanishes_q", Slice(1)),
            ("by16_value_q", ZeroExtend),
            ("by4_sticky_q", Operator(Or, And)),
            ("up", Operator(Or, And)),
            ("overflow_q", Operator(And, Or)),
            ("beyond", Operator(And, Or)),
        ],
    );
    all.add(
        ScaleAcc { blocks: 1, minima: true, gated: false },
        "scale_acc_1_min",
        &[("term_q", Operator(WrapSub, WrapAdd)), ("acc_q", DropUpdate(0)), ("acc_q", Slice(-1)), ("too_large_q", Operator(And, Or))],
    );
    all.add(ScaleAcc { blocks: 4, minima: false, gated: false }, "scale_acc_4", &[("pair0_1_q", Operator(WrapAdd, WrapSub))]);
    all.add(
        ToFloat { serial: false },
        "to_float",
        &[
            ("magnitude_q", SwapMux),
            ("by4_zeros", Operator(Or, And)),
            ("exponent", Constant(154, 153)),
            ("sticky_q", Unary(ReduceOr, ReduceAnd)),
            ("up", Operator(Or, And)),
            ("rounded", Operator(WrapAdd, WrapSub)),
            ("f24_q", Slice(-1)),
        ],
    );
    all.add(
        ToFloat { serial: true },
        "to_float_serial",
        &[
            ("last_try", Constant(2, 1)),
            ("places_q", DropUpdate(0)),
            ("copies_q", Operator(WrapAdd, WrapSub)),
            ("by4", Operator(And, Or)),
            ("up", Operator(Or, And)),
            ("done", Constant(3, 2)),
        ],
    );
}

fn weights(all: &mut Table) {
    all.add(Lanes { format: Format::Q4_0, lanes: 4 }, "dequant_q4_0_4", &[("w_o", DropNot)]);
    all.add(Lanes { format: Format::Q5_0, lanes: 4 }, "dequant_q5_0_4", &[("w_o", Slice(1))]);
    all.add(
        Dequant::new(16, 64),
        "dequant",
        &[
            ("offered", Operator(Or, And)),
            ("has_chunk", Operator(And, Or)),
            ("last_row_q", Constant(2, 1)),
            ("last_of_row_q", DropUpdate(2)),
            ("single_q", DropUpdate(1)),
            ("rows_q", Operator(WrapSub, WrapAdd)),
            ("step_q", DropUpdate(0)),
            ("word_free", DropNot),
            ("group_last_q", Constant(9, 8)),
            ("high_next", Constant(1, 2)),
            ("is_integers_q", DropNot),
            ("drain_q", DropUpdate(1)),
            ("scales_q", DropUpdate(1)),
            ("high_q", DropUpdate(1)),
            ("full", Operator(And, Or)),
            ("dmin_q", SwapMux),
            ("w_q", Operator(Eq, Ne)),
            ("x_addr_line_q", Net("step_q", "last_step_q")),
            ("load_high_q", Operator(And, Or)),
            ("block_left_q", Net("block_out", "emit")),
        ],
    );
    all.add(
        ActBuffer::new(8, 2, 64),
        "act_buffer",
        &[
            ("integers_q", DropNot),
            ("column_end", Operator(And, Or)),
            ("part_end_q", SwapMux),
            ("next_ends", Operator(Eq, Ne)),
            ("last_column_q", Operator(WrapSub, WrapAdd)),
            ("scale_0.write_data", Slice(-8)),
            ("x_0.write_en", Operator(And, Or)),
            ("running_q", Operator(WrapAdd, WrapSub)),
            ("sum_first", Constant(0, 1)),
        ],
    );
}

fn memory(all: &mut Table) {
    let fetch = || WeightFetch::new(64, 128, 32);
    all.add(
        fetch(),
        "weight_fetch",
        &[
            ("to_page", Constant(512, 511)),
            ("whole_q", SwapMux),
            ("len_q", SwapMux),
            ("last_burst", Operator(Eq, Ne)),
            ("addr_q", Operator(WrapAdd, WrapSub)),
            ("arlen_q", Operator(WrapSub, WrapAdd)),
            ("space_q", Reset(255)),
            ("space_left", Operator(WrapSub, WrapAdd)),
            ("tags.out_ready", Operator(And, Or)),
            ("outstanding_q", Operator(WrapSub, WrapAdd)),
        ],
    );
    all.add(fetch(), "fifo_67x128", &[("fetch", Operator(Or, And)), ("stored_q", DropUpdate(1)), ("count_q", Constant(1, 2))]);
    all.add(fetch(), "pair_67", &[("to_q", DropUpdate(0)), ("some_q", DropUpdate(1))]);
    all.add(fetch(), "fifo_3x8", &[("word_1_q", Constant(2, 3))]);
    all.add(
        ResultStore::new(2, 64),
        "result_store",
        &[
            ("apart", SwapMux),
            ("after_take", Operator(WrapSub, WrapAdd)),
            ("last_result", Constant(1, 2)),
            ("filled", SwapMux),
            ("place", DropNot),
            ("full_q", Operator(Or, And)),
            ("fresh_q", Reset(0)),
            ("next_q", Constant(8, 4)),
            ("wstrb_q", Slice(1)),
            ("wvalid_q", DropUpdate(1)),
        ],
    );
}

fn control(all: &mut Table) {
    all.add(
        Sequencer::new(8, 2, 64),
        "sequencer",
        &[
            ("columns_ok", Operator(Le, Lt)),
            ("rows_ok", Operator(And, Or)),
            ("blocks_ok", Constant(16, 8)),
            ("misaligned", Operator(Or, And)),
            ("reuse_bad", Operator(And, Or)),
            ("check_cause_q", Constant(6, 5)),
            ("product_q", Constant(3, 2)),
            ("header_beats", Operator(WrapAdd, WrapSub)),
            ("slot_q", Operator(Lt, Le)),
            ("job_ours_q", Operator(And, Or)),
            ("in_flight_q", DropUpdate(1)),
            ("bank_q", DropNot),
            ("vector_addr_q", Operator(WrapAdd, WrapSub)),
            ("fetch_addr_q", Constant(32, 16)),
            ("drained_q", Operator(And, Or)),
            ("begin_program", DropNot),
            ("clear_accepted", Operator(And, Or)),
        ],
    );
    all.add(
        Counters::new(32, 4),
        "counters",
        &[
            ("cycles_q", DropUpdate(0)),
            ("read_wait_q", Operator(And, Or)),
            ("blocks_q", Operator(WrapAdd, WrapSub)),
            ("first_beat_q", DropNot),
        ],
    );
    all.add(
        Csr::new(32, 4, 128),
        "csr",
        &[
            ("write_accept", Operator(And, Or)),
            ("scratch_q", SwapMux),
            ("program_address_q", Slice(1)),
            ("irq_status_done_kept", DropNot),
            ("irq_status_error_q", Operator(Or, And)),
            ("bresp_q", Constant(2, 0)),
            ("rvalid_q", Always(0)),
        ],
    );
}

/// The blocks of a power domain.
fn power(all: &mut Table) {
    all.add(
        PowerDomain::default(),
        "power_domain",
        &[
            ("lost", Operator(And, Or)),
            ("wake", Operator(Or, And)),
            ("late", Operator(Le, Lt)),
            ("isolate_o", DropNot),
            ("domain_rst_o", DropNot),
            ("state_d", DropNot),
            ("state_d", Net("saved_q", "released_q")),
            ("cause_held_d", Operator(Or, And)),
            ("state_q", Reset(7)),
        ],
    );
    all.add(
        PowerQDevice,
        "power_q_device",
        &[("occupied", Operator(Or, And)), ("state_q", Reset(1)), ("qdeny_o", Net("denied_q", "active_q"))],
    );
    all.add(PowerIdle, "power_idle", &[("recent", Operator(Lt, Le)), ("wanted_o", DropNot), ("count_d", DropNot), ("count_q", Reset(0))]);
    all.add(
        PowerSwitches { stages: 4 },
        "power_switches_4",
        &[("closed", Operator(And, Or)), ("live", Operator(Or, And)), ("told_d", Unary(ReduceAnd, ReduceOr))],
    );
    all.add(
        PowerResidency,
        "power_residency",
        &[
            ("counted", SwapMux),
            ("resumed", SwapMux),
            ("residency_o", SwapMux),
            ("written_q", Operator(Or, And)),
            ("cold_q", DropUpdate(0)),
            ("ups_q", Operator(WrapAdd, WrapSub)),
        ],
    );
}

/// What joins the domains to the array, and the DVFS unit.
fn power_around(all: &mut Table) {
    all.add(
        PowerDemand::new(4, 1),
        "power_demand",
        &[("need_o", DropNot), ("is_powered", Operator(Or, And)), ("error_o", Operator(And, Or)), ("stall_o", Operator(And, Or))],
    );
    all.add(Isolate, "isolate", &[("clamped_acc_o", SwapMux), ("clamped_too_large_o", SwapMux)]);
    let dvfs = || PowerDvfs { entries: 16, clock_limits: [7, 15, 23, 31, 39, 47, 55, 63] };
    all.add(
        dvfs(),
        "power_dvfs_mover",
        &[
            ("raising_d", Net("voltage_held_q", "found_voltage_i")),
            ("late", Operator(Le, Lt)),
            ("overdue_d", Operator(Or, And)),
            ("voltage_held_q", Reset(254)),
            ("voltage_due_q", Reset(0)),
            ("complains", DropNot),
        ],
    );
    all.add(dvfs(), "power_dvfs_points", &[("legal", Operator(Le, Lt)), ("found_legal_o", Operator(Le, Lt)), ("refusal_q", DropNot)]);
    all.add(
        dvfs(),
        "power_dvfs_meter",
        &[("overdue", Operator(Lt, Le)), ("work_slack_d", Operator(WrapSub, WrapAdd)), ("bin", Constant(0, 1))],
    );
}

/// UART and bridge.
fn link(all: &mut Table) {
    all.add(
        UartRx { millicycles: 8681 },
        "uart_rx",
        &[("sample", Slice(-1)), ("phase_d", Operator(WrapAdd, WrapSub)), ("byte_d", Constant(0x80, 0x40)), ("failed_d", DropNot)],
    );
    all.add(
        UartTx { millicycles: 8681 },
        "uart_tx",
        &[("tx_o", DropNot), ("rest_d", Constant(0x100, 0)), ("low_d", DropNot), ("over", Slice(-1))],
    );
    let bridge = || LinkBridge { port_bits: 64, frames: true };
    all.add(
        bridge(),
        "link_receiver",
        &[
            ("is_bone", Operator(And, Or)),
            ("plain_o", Operator(Xor, And)),
            ("bone_bytes", Operator(WrapAdd, WrapSub)),
            ("past_frame", Operator(WrapSub, WrapAdd)),
            ("in_head", Operator(Lt, Le)),
            ("gathered_d", Operator(Or, And)),
            ("state_d", DropNot),
            ("escaped_d", Constant(0, 1)),
        ],
    );
    all.add(
        bridge(),
        "link_executor",
        &[
            ("is_next", Unary(ReduceAnd, ReduceOr)),
            ("behind", Operator(WrapSub, WrapAdd)),
            ("is_greeting", Operator(And, Or)),
            ("aligned", Operator(And, Or)),
            ("counted", Operator(And, Or)),
            ("short", Operator(Le, Lt)),
            ("next_address", Operator(WrapAdd, WrapSub)),
            ("final_word", Constant(1, 2)),
            ("complained_d", Constant(0, 1)),
            ("session_d", Constant(0, 1)),
        ],
    );
    all.add(
        bridge(),
        "link_framer",
        &[("body_special", Operator(Or, And)), ("crc_special", Operator(Or, And)), ("out_data_o", Operator(Xor, Or))],
    );
    all.add(bridge(), "link_bus_64", &[("in_memory", Operator(Lt, Le)), ("known", Operator(Or, And)), ("error_q", Operator(Or, And))]);
    all.add(bridge(), "link_bridge_64", &[("payload_fits", Slice(-1)), ("crc_right", Operator(Eq, Ne))]);
    all.add(
        LinkBridge { port_bits: 32, frames: false },
        "link_bone_32",
        &[
            ("late", Operator(Eq, Ne)),
            ("known", SwapMux),
            ("taking", DropNot),
            ("word_whole", Unary(ReduceAnd, ReduceOr)),
            ("offset_q", Operator(WrapAdd, WrapSub)),
            ("unsummed", DropNot),
            ("crc_q", Operator(Xor, Or)),
            ("crc_asked", DropNot),
            ("bits_q", SwapMux),
        ],
    );
    all.add(bridge(), "crc32_byte", &[("low", Operator(Xor, Or)), ("next_o", Operator(Xor, And))]);
    all.add(
        LinkWhole { baud: 250_000, port_bits: 32, frames: true },
        "link",
        &[("backlog.out_ready", Net("bridge_in_ready", "uart_tx_in_ready"))],
    );
}

fn whole(all: &mut Table) {
    let program = || Program::new(16, 4, 128);
    all.add(
        program(),
        "array",
        &[("column_0.d", Slice(-16)), ("column_1.dx", Slice(-23)), ("columns_even_q", DropNot), ("row_columns_o", SwapMux)],
    );
    all.add(
        program(),
        "top",
        &[("to_act", Slice(1)), ("to_dequant", DropNot), ("matrix_ready", Operator(And, Or)), ("program_addr", Constant(0, 1))],
    );
}
