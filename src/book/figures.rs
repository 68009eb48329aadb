// SPDX-License-Identifier: MIT OR Apache-2.0
//! The figures: what the native simulation of a module does, recorded and drawn.

use super::BookError;
use super::timeline::{self, Row};
use super::wave::{self, Signal, Value};
use heddle_core::config::{Config, Format};
use heddle_core::engine::column;
use heddle_core::engine::weight_fetch::{DEST_ACTIVATIONS, DEST_DESCRIPTOR, DEST_WEIGHTS};
use heddle_core::power::dvfs;
use heddle_core::registers::map;
use heddle_core::top;
use heddle_lang::{Simulator, stdlib};
use heddle_tb::matmul::{self, Image, Product};
use heddle_tb::random::Random;
use heddle_tb::rtl::Native;
use heddle_tb::soc::Soc;

/// File names and texts.
pub fn all() -> Result<Vec<(&'static str, String)>, BookError> {
    let figure = |name, result: Result<String, Failure>| {
        result.map(|text| (name, text)).map_err(|e| BookError::Figure { figure: name, reason: e.to_string() })
    };
    let [raise, lower] = match dvfs_moves() {
        Ok(moves) => moves.map(Ok),
        Err(e) => [Err(e.to_string().into()), Err(e)],
    };
    let mut all = vec![
        figure("stream.svg", stream())?,
        figure("column.svg", column_blocks())?,
        figure("matmul.svg", matmul_overlap())?,
        figure("power_dvfs_raise.svg", raise)?,
        figure("power_dvfs_lower.svg", lower)?,
    ];
    for (name, text) in super::power::figures() {
        all.push(figure(name, text)?);
    }
    Ok(all)
}

/// Why a figure cannot be made.
pub type Failure = Box<dyn std::error::Error>;

/// Ports of a simulated module, recorded cycle by cycle.
struct Recorder {
    sim: Simulator,
    signals: Vec<Signal>,
}

impl Recorder {
    fn new(sim: Simulator, names: &[&str]) -> Recorder {
        let signals = names.iter().map(|name| Signal { name: name.to_string(), values: vec![] }).collect();
        Recorder { sim, signals }
    }

    fn set(&mut self, port: &str, value: u64) -> Result<(), Failure> {
        let port = self.sim.port(port)?;
        self.sim.set(port, value);
        Ok(())
    }

    /// Notes this cycle's values as `show` renders them, then takes the clock edge.
    fn cycle(&mut self, show: impl Fn(&str, u64) -> Value) -> Result<(), Failure> {
        for signal in &mut self.signals {
            let base = signal.name.trim_end_matches("_i").trim_end_matches("_o");
            let port = self.sim.port(base)?;
            signal.values.push(show(&signal.name, self.sim.get(port)));
        }
        Ok(self.sim.step()?)
    }
}

/// A skid buffer whose consumer stalls: words wait, none is lost or sent twice.
fn stream() -> Result<String, Failure> {
    const NAMES: [&str; 6] = ["in_valid_i", "in_ready_o", "in_data_i", "out_valid_o", "out_ready_i", "out_data_o"];
    let mut recorder = Recorder::new(Simulator::new(&stdlib::skid(8)?)?, &NAMES);
    recorder.sim.reset()?;
    let mut word = 0;
    for (cycle, ready) in "110001111101".chars().map(|c| u64::from(c == '1')).enumerate() {
        let valid = u64::from(cycle > 0 && word < 6);
        recorder.set("in_valid", valid)?;
        recorder.set("in_data", 0xa0 + word)?;
        recorder.set("out_ready", ready)?;
        let in_ready = recorder.sim.port("in_ready")?;
        let out_valid = recorder.sim.port("out_valid")?;
        let accepted = valid & recorder.sim.get(in_ready);
        let offered = recorder.sim.get(out_valid) == 1;
        recorder.cycle(|name, value| match name {
            "in_data_i" if valid == 0 => Value::Any,
            "out_data_o" if !offered => Value::Any,
            "in_data_i" | "out_data_o" => Value::Bus(format!("{value:x}")),
            _ => Value::Bit(value == 1),
        })?;
        word += accepted;
    }
    Ok(wave::draw("A stream through a skid buffer", &recorder.signals, wave::CYCLE))
}

/// Three blocks back to back through a column of 8 lanes; activations all 1, weights of block k all k.
fn column_blocks() -> Result<String, Failure> {
    const LANES: u32 = 8;
    const BLOCKS: u64 = 3;
    let per_block = u64::from(column::BLOCK / LANES);
    let latency = u64::from(column::latency(LANES));
    let mut recorder = Recorder::new(Simulator::new(&column::column(LANES, 0, false)?)?, &["valid_i", "first_i", "x_i", "w_i", "sum_o"]);
    let lanes = |value: u64| (0..LANES).fold(0, |word, _| word << 8 | value);
    for cycle in 0..BLOCKS * per_block + latency {
        let (block, part) = (cycle / per_block + 1, cycle % per_block);
        let valid = block <= BLOCKS;
        recorder.set("valid", valid.into())?;
        recorder.set("first", (valid && part == 0).into())?;
        recorder.set("x", lanes(1))?;
        recorder.set("w", lanes(block))?;
        let whole = cycle + 1 > latency && (cycle + 1 - latency) % per_block == 0;
        recorder.cycle(|name, value| match name {
            "valid_i" | "first_i" => Value::Bit(value == 1),
            "x_i" if valid => Value::Bus(format!("x[{}..]", 8 * part)),
            "w_i" if valid => Value::Bus(format!("{block}, {block}..")),
            "sum_o" if whole => Value::Bus(value.to_string()),
            _ => Value::Any,
        })?;
    }
    Ok(wave::draw("Three blocks through a column of 8 lanes", &recorder.signals, wave::CYCLE))
}

/// The DVFS unit from a layer to the pair of its entry, up and then down; the supplies answer after two cycles.
fn dvfs_moves() -> Result<[String; 2], Failure> {
    const NAMES: [&str; 8] =
        ["layer_valid_i", "layer_class_i", "voltage_o", "voltage_req_o", "voltage_ack_i", "clock_code_o", "clock_req_o", "clock_ack_i"];
    const CYCLES: usize = 32;
    let config = Config::gated();
    let module = dvfs::dvfs(config.power.dvfs_entries, &config.power.clock_limits)?;
    let mut recorder = Recorder::new(Simulator::new(&module)?, &NAMES);
    recorder.sim.reset()?;
    recorder.set("limit", 1000)?;
    // Without targets a layer takes the last of the four entries of its class.
    for (index, clock, voltage) in [(3, 8, 64), (7, 40, 160)] {
        for (port, value) in [("index", index), ("table_clock", clock), ("table_voltage", voltage), ("table_write", 1)] {
            recorder.set(port, value)?;
        }
        recorder.sim.step()?;
    }
    recorder.set("table_write", 0)?;
    // From the reset's pair down to the first one, up, and down again.
    let mut drawn = Vec::new();
    for (class, title) in [(0, "From reset"), (1, "Up: voltage, then clock"), (0, "Down: clock, then voltage")] {
        recorder.signals.iter_mut().for_each(|s| s.values.clear());
        let mut requests = [[0; 2]; 2];
        for cycle in 0..CYCLES {
            let valid = u64::from(cycle == 1);
            recorder.set("layer_valid", valid)?;
            recorder.set("layer_class", class)?;
            for (request, rail) in requests.iter_mut().zip(["voltage", "clock"]) {
                recorder.set(&format!("{rail}_ack"), request[1])?;
                let port = recorder.sim.port(&format!("{rail}_req"))?;
                *request = [recorder.sim.get(port), request[0]];
            }
            recorder.cycle(|name, value| match name {
                "layer_class_i" if valid == 0 => Value::Any,
                "layer_class_i" | "voltage_o" | "clock_code_o" => Value::Bus(value.to_string()),
                _ => Value::Bit(value == 1),
            })?;
        }
        drawn.push(wave::draw(title, &recorder.signals, wave::CYCLE));
    }
    Ok([drawn.swap_remove(1), drawn.swap_remove(1)])
}

const DESCRIPTOR: &str = "#c23b5a";
const ACTIVATIONS: &str = "#d9902f";
const WEIGHTS: &str = "#3b6fc2";
const WORK: &str = "#3a9a6b";
const RESULTS: &str = "#7d4fb3";

/// Two products in the preset `small`: the reads of the second one are under way while the first one streams.
fn matmul_overlap() -> Result<String, Failure> {
    let config = Config::small();
    let image = two_products(&config);
    let sim = Native::new(&top::top(&config)?)?;
    let mut soc = Soc::new(sim, matmul::memory_config(&config, &image))?;
    soc.memory_mut().bytes_mut()[..image.memory.len()].copy_from_slice(&image.memory);
    soc.write_reg(map::IRQ_ENABLE.offset, map::IRQ_DONE.mask())?;
    soc.write_reg(map::PROGRAM.offset, image.program)?;
    soc.write_reg(map::CONTROL.offset, map::CONTROL_START.mask())?;
    let names = ["requests", "beats", "array takes weights", "array starved", "results written"];
    let mut rows: Vec<Row> = names.map(|name| Row { name: name.into(), cycles: vec![] }).into();
    while !soc.irq() {
        let mut peek = |path: &str| soc.simulator().raw().peek(path).map(|bits| bits.low_u64());
        let dest = |tag: u64| match tag {
            DEST_DESCRIPTOR => DESCRIPTOR,
            DEST_ACTIVATIONS => ACTIVATIONS,
            DEST_WEIGHTS => WEIGHTS,
            _ => WORK,
        };
        let bar = |on: u64, colour: &'static str| (on == 1).then_some(colour);
        rows[0].cycles.push(bar(peek("weight_fetch.issue")?, dest(peek("weight_fetch.dest_q")?)));
        rows[1].cycles.push(bar(peek("weight_fetch.passed_on")?, dest(peek("weight_fetch.beat_dest_o")?)));
        rows[2].cycles.push(bar(peek("dequant.busy_o")?, WORK));
        rows[3].cycles.push(bar(peek("dequant.starved_o")?, "#b9c4d3"));
        rows[4].cycles.push(bar(peek("result_store.beat_o")?, RESULTS));
        soc.cycle()?;
    }
    Ok(timeline::draw("Two products, cycle by cycle", &rows, 2, 50))
}

fn two_products(config: &Config) -> Image {
    let mut random = Random::new(1);
    let mut product = |format: Format, rows: usize, blocks: usize| Product {
        format,
        rows,
        blocks,
        weights: matmul::random_matrix(&mut random, format, rows * blocks),
        columns: vec![matmul::random_vector(&mut random, blocks)],
        reuse: false,
        fence: false,
    };
    let products = [product(Format::Q4_0, 24, 4), product(Format::Q8_0, 8, 4)];
    matmul::image(config, &products)
}
