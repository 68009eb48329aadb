// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of `engine::counters`: random events, every counter compared in every cycle.

use super::{Block, BlockError, Dut, Pin, geometry, shape};
use crate::{random::Random, simulator::Simulator};
use heddle_core::{config::Config, engine::counters};
use heddle_lang::{BuildError, Module};
use std::sync::Arc;

const CYCLES: usize = 3000;
/// Counters of cycles in which an event of their name holds while the accelerator is busy.
const EVENTS: [(&str, &str); 9] = [
    ("read_beats_event", "read_beats"),
    ("read_wait_event", "read_wait"),
    ("read_blocked_event", "read_blocked"),
    ("read_idle_event", "read_idle"),
    ("array_busy_event", "array_busy"),
    ("array_starved_event", "array_starved"),
    ("array_blocked_event", "array_blocked"),
    ("write_beats_event", "write_beats"),
    ("write_wait_event", "write_wait"),
];

/// The counters of a configuration.
pub struct Counters {
    pub config: Config,
}

impl Counters {
    pub fn new(lanes: u32, columns: u32) -> Counters {
        Counters { config: geometry(lanes, columns, 64) }
    }
}

/// What a build that counts cycles alone has not.
struct Pins {
    /// `columns`, `block`, `row`, `descriptor`, `weights`, `acknowledged`
    inputs: [Pin; 6],
    /// `blocks`, `rows`, `descriptors`, `first_beat`, `last_result`
    outputs: [Pin; 5],
    events: [(Pin, Pin); EVENTS.len()],
}

impl Pins {
    fn of(dut: &Dut) -> Result<Pins, BlockError> {
        let (inputs, outputs) = (dut.inputs(EVENTS.map(|(event, _)| event))?, dut.outputs(EVENTS.map(|(_, counter)| counter))?);
        Ok(Pins {
            inputs: dut.inputs(["columns", "block", "row", "descriptor", "weights", "acknowledged"])?,
            outputs: dut.outputs(["blocks", "rows", "descriptors", "first_beat", "last_result"])?,
            events: std::array::from_fn(|i| (inputs[i], outputs[i])),
        })
    }
}

/// The same in plain Rust.
#[derive(Default)]
struct Model {
    events: [u64; EVENTS.len()],
    cycles: u64,
    blocks: u64,
    rows: u64,
    descriptors: u64,
    first: Option<u64>,
    last: u64,
}

impl Block for Counters {
    fn name(&self) -> String {
        format!("counters, {}", shape(&self.config))
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        counters::counters(&self.config)
    }

    fn run(&self, mut dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        dut.reset()?;
        let ([clear, busy], [cycles]) = (dut.inputs(["clear", "busy"])?, dut.outputs(["cycles"])?);
        let pins = if self.config.counters { Some(Pins::of(&dut)?) } else { None };
        let mut model = Model::default();
        for _ in 0..CYCLES {
            let mut bit = |pin: Pin, chance: u8| {
                let value = rng.chance(chance);
                dut.put(pin, value.into());
                value
            };
            let (clear, busy) = (bit(clear, 2), bit(busy, 200));
            let Some(pins) = &pins else {
                dut.settle()?;
                dut.expect(cycles, model.cycles)?;
                dut.tick()?;
                model.cycles = if clear { 0 } else { model.cycles + u64::from(busy) };
                continue;
            };
            let held = pins.events.map(|(event, _)| bit(event, 100));
            let [columns, block, row, descriptor, weights, acknowledged] = pins.inputs;
            let [block, row, descriptor] = [bit(block, 100), bit(row, 40), bit(descriptor, 10)];
            let [weights, acknowledged] = [bit(weights, 20), bit(acknowledged, 20)];
            let in_use = 1 + rng.bits() % u64::from(self.config.array.columns);
            dut.put(columns, in_use);
            dut.settle()?;
            dut.expect(cycles, model.cycles)?;
            let values = [model.blocks, model.rows, model.descriptors, model.first.unwrap_or(0), model.last];
            pins.outputs.iter().zip(values).try_for_each(|(pin, value)| dut.expect(*pin, value))?;
            pins.events.iter().zip(model.events).try_for_each(|((_, pin), value)| dut.expect(*pin, value))?;
            dut.tick()?;
            if clear {
                model = Model::default();
                continue;
            }
            model.events.iter_mut().zip(held).for_each(|(count, event)| *count += u64::from(event && busy));
            model.blocks += u64::from(block) * in_use * u64::from(self.config.blocks_per_cycle());
            model.rows += u64::from(row) * in_use;
            model.descriptors += u64::from(descriptor);
            if weights {
                model.first.get_or_insert(model.cycles);
            }
            if acknowledged {
                model.last = model.cycles;
            }
            model.cycles += u64::from(busy);
        }
        Ok(())
    }
}
