// SPDX-License-Identifier: MIT OR Apache-2.0
//! A block behind a bus of bytes, so that its bench reaches all of its ports through the few pins of a package.
//!
//! Ports      `clk_i`: the block's clock; `load_i`: at its edge the input byte `address_i` becomes `data_i`; `data_o`: the
//!            output byte `address_i`
//! Each port of the block starts at a byte of its own, inputs and outputs counted apart. The bench sets inputs, which are
//! loaded while the block's clock stands still, then clocks it.

use heddle_lang::{Module, module::NetKind, verilog};
use heddle_tb::{
    SimError,
    simulator::Simulator,
    verilator::{Design, Port},
};
use std::{cell::RefCell, fmt::Write};

/// Bits of the address.
const ADDRESS: u32 = 7;
/// Pins of a bus: clocks, address, data in and out.
const COUNT: usize = 2 + ADDRESS as usize + 16;
/// Pins of an iCE40 UP5K in sg48 that a bus may use; the first two have a buffer for a clock.
const SG48: [&str; COUNT] = [
    "35", "44", "2", "3", "4", "6", "9", "10", "11", "12", "13", "18", "19", "20", "21", "23", "25", "26", "27", "28", "31", "32", "34",
    "36", "37",
];
/// Likewise of an iCE40 HX8K in ct256.
const CT256: [&str; COUNT] = [
    "J3", "H11", "A1", "A2", "A5", "A6", "A7", "A9", "A10", "A11", "A15", "A16", "B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9",
    "B10", "B11", "B12", "B13",
];

/// A port of the block and its place on the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lane {
    /// In Verilog.
    name: String,
    width: u32,
    input: bool,
    first: u32,
}

impl Lane {
    fn bytes(&self) -> u32 {
        self.width.div_ceil(8)
    }
}

/// The wrapper of a block.
#[derive(Clone, Debug)]
pub struct Bus {
    /// Name of the wrapper in Verilog.
    pub top: String,
    block: String,
    lanes: Vec<Lane>,
}

impl Bus {
    /// The bus of a block with one clock, `clk`; None if it has another, or too many bytes of ports.
    pub fn of(module: &Module) -> Option<Bus> {
        let clocks: Vec<&str> = module.ports().filter(|(_, net)| net.kind == NetKind::Clock).map(|(_, net)| net.name.as_str()).collect();
        let mut ends = [0; 2];
        let mut lanes = vec![];
        for (_, net) in module.ports().filter(|(_, net)| net.kind != NetKind::Clock) {
            let input = net.kind == NetKind::Input;
            let end = &mut ends[usize::from(input)];
            let lane = Lane { name: verilog::net_name(net), width: net.ty.width(), input, first: *end };
            *end += lane.bytes();
            lanes.push(lane);
        }
        let bus = Bus { top: format!("{}_bus", module.name), block: module.name.clone(), lanes };
        (clocks == ["clk"] && ends.iter().all(|&end| end <= 1 << ADDRESS)).then_some(bus)
    }

    fn bytes(&self, input: bool) -> u32 {
        self.lanes.iter().filter(|lane| lane.input == input).map(|lane| lane.first + lane.bytes()).max().unwrap_or(1)
    }

    /// The wrapper.
    pub fn verilog(&self) -> String {
        let (inputs, outputs) = (self.bytes(true), self.bytes(false));
        let mut text = format!(
            "// SPDX-License-Identifier: MIT OR Apache-2.0\n// A block behind a bus of bytes.\n\n`default_nettype none\n\nmodule {} (\n    \
             input  wire clk_i,\n    input  wire load_i,\n    input  wire [{}:0] address_i,\n    input  wire [7:0] data_i,\n    \
             output reg  [7:0] data_o\n);\n\n    reg  [{}:0] inputs_q;\n    wire [{}:0] outputs;\n",
            self.top,
            ADDRESS - 1,
            8 * inputs - 1,
            8 * outputs - 1
        );
        for lane in self.lanes.iter().filter(|lane| !lane.input && !lane.width.is_multiple_of(8)) {
            let (low, end) = (8 * lane.first + lane.width, 8 * (lane.first + lane.bytes()));
            let _ = writeln!(text, "    assign outputs[{}:{low}] = {}'d0;", end - 1, end - low);
        }
        let pin = |lane: &Lane| {
            let net = if lane.input { "inputs_q" } else { "outputs" };
            format!("        .{}({net}[{}:{}])", lane.name, 8 * lane.first + lane.width - 1, 8 * lane.first)
        };
        let pins: Vec<String> = std::iter::once("        .clk_i(clk_i)".to_owned()).chain(self.lanes.iter().map(pin)).collect();
        let _ = writeln!(text, "    {} dut (\n{}\n    );\n\n    always @(posedge load_i) begin", self.block, pins.join(",\n"));
        (0..inputs).for_each(|byte| {
            let _ = writeln!(text, "        if (address_i == {ADDRESS}'d{byte}) inputs_q[{}:{}] <= data_i;", 8 * byte + 7, 8 * byte);
        });
        let _ = writeln!(text, "    end\n\n    always @* begin\n        case (address_i)");
        (0..outputs).for_each(|byte| {
            let _ = writeln!(text, "            {ADDRESS}'d{byte}: data_o = outputs[{}:{}];", 8 * byte + 7, 8 * byte);
        });
        text + "            default: data_o = 8'd0;\n        endcase\n    end\n\nendmodule\n\n`default_nettype wire\n"
    }

    /// Its pins in a package, as a PCF.
    pub fn constraints(&self, package: &str) -> String {
        let pins = if package == "ct256" { CT256 } else { SG48 };
        let bits = |name: &'static str, count: u32| (0..count).map(move |bit| format!("{name}[{bit}]"));
        let single = ["clk_i", "load_i"].into_iter().map(str::to_owned);
        let signals = single.chain(bits("address_i", ADDRESS)).chain(bits("data_i", 8)).chain(bits("data_o", 8));
        signals.zip(pins).map(|(signal, pin)| format!("set_io {signal} {pin}\n")).collect()
    }

    /// Verilog files that have the wrapper's ports, for Verilator.
    pub fn design(&self, files: &[(String, String)]) -> Design {
        let port = |name: &str, width, input| Port { name: name.into(), width, input };
        let design = Design::new(&self.top).clock("clk_i").port(port("load_i", 1, true));
        let design = design.port(port("address_i", ADDRESS, true)).port(port("data_i", 8, true)).port(port("data_o", 8, false));
        files.iter().fold(design, |design, (name, text)| design.file(name, text))
    }

    /// The block, as its bench sees it, behind a simulation of the wrapper.
    pub fn behind<S: Simulator>(&self, mut sim: S) -> Result<Behind<S>, SimError> {
        let [load, address, data, read] = ["load_i", "address_i", "data_i", "data_o"].map(|name| sim.port(name));
        let pins = Pins { load: load?, address: address?, data: data?, read: read? };
        // A simulation sees no edge in its first evaluation.
        sim.settle()?;
        let inputs = vec![0; self.bytes(true) as usize];
        let loaded = vec![None; inputs.len()];
        Ok(Behind { top: self.block.clone(), lanes: self.lanes.clone(), inputs, loaded, pins, sim: RefCell::new(sim) })
    }
}

struct Pins<P> {
    load: P,
    address: P,
    data: P,
    read: P,
}

/// A block that is reached through its bus.
pub struct Behind<S: Simulator> {
    top: String,
    lanes: Vec<Lane>,
    pins: Pins<S::Port>,
    /// What the bench has set, and what of it is in the wrapper.
    inputs: Vec<u8>,
    loaded: Vec<Option<u8>>,
    /// Reading an output moves the address.
    sim: RefCell<S>,
}

impl<S: Simulator> Behind<S> {
    /// Brings changed inputs to the block.
    fn load(&mut self) -> Result<(), SimError> {
        let (sim, pins) = (self.sim.get_mut(), &self.pins);
        for (address, (value, loaded)) in (0..).zip(self.inputs.iter().zip(&mut self.loaded)) {
            if *loaded == Some(*value) {
                continue;
            }
            sim.set(pins.address, address);
            sim.set(pins.data, u64::from(*value));
            for level in [1, 0] {
                sim.set(pins.load, level);
                sim.settle()?;
            }
            *loaded = Some(*value);
        }
        Ok(())
    }

    fn read(&self, lane: &Lane, to: &mut [u8]) {
        to.fill(0);
        let mut sim = self.sim.borrow_mut();
        for (address, byte) in (lane.first..lane.first + lane.bytes()).zip(to) {
            sim.set(self.pins.address, u64::from(address));
            // A simulation that has stopped says so again at the next edge.
            let _ = sim.settle();
            *byte = sim.get(self.pins.read) as u8;
        }
    }
}

impl<S: Simulator> Simulator for Behind<S> {
    type Port = usize;

    fn port(&self, name: &str) -> Result<usize, SimError> {
        let known = || self.lanes.iter().map(|lane| lane.name.as_str()).collect::<Vec<_>>().join(", ");
        let found = self.lanes.iter().position(|lane| lane.name == name);
        found.ok_or_else(|| SimError::NoPort { top: self.top.clone(), name: name.into(), known: known() })
    }

    fn width(&self, port: usize) -> u32 {
        self.lanes[port].width
    }

    fn get(&self, port: usize) -> u64 {
        let mut bytes = [0; 8];
        self.get_bytes(port, &mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn set(&mut self, port: usize, value: u64) {
        self.set_bytes(port, &value.to_le_bytes());
    }

    fn get_bytes(&self, port: usize, to: &mut [u8]) {
        let lane = &self.lanes[port];
        match lane.input {
            false => self.read(lane, to),
            true => {
                let from = &self.inputs[lane.first as usize..][..lane.bytes() as usize];
                to.iter_mut().zip(from.iter().chain(std::iter::repeat(&0))).for_each(|(to, from)| *to = *from);
            }
        }
    }

    fn set_bytes(&mut self, port: usize, from: &[u8]) {
        let lane = &self.lanes[port];
        let to = &mut self.inputs[lane.first as usize..][..lane.bytes() as usize];
        to.iter_mut().zip(from.iter().chain(std::iter::repeat(&0))).for_each(|(to, from)| *to = *from);
        if let Some(last) = to.last_mut().filter(|_| !lane.width.is_multiple_of(8)) {
            *last &= (1 << (lane.width % 8)) - 1;
        }
    }

    fn settle(&mut self) -> Result<(), SimError> {
        self.load()?;
        self.sim.get_mut().settle()
    }

    fn tick(&mut self) -> Result<(), SimError> {
        self.load()?;
        self.sim.get_mut().tick()
    }

    fn cycles(&self) -> u64 {
        self.sim.borrow().cycles()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heddle_tb::{
        blocks::{Block, BlockError, Column, Dut, check_duts},
        tools::have_verilator,
        verilator::BuildOptions,
    };

    #[test]
    fn ports_have_bytes_of_their_own() {
        let module = Column { lanes: 4, lut_lanes: 4, gated: false }.module().unwrap();
        let bus = Bus::of(&module).unwrap();
        let text = bus.verilog();
        for line in [
            "    reg  [79:0] inputs_q;",
            "    assign outputs[23:21] = 3'd0;",
            "        .w_i(inputs_q[79:48])",
            "        .valid_i(inputs_q[0:0])",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        let constraints = bus.constraints("sg48");
        assert!(constraints.starts_with("set_io clk_i 35\nset_io load_i 44\nset_io address_i[0] 2\n"), "{constraints}");
        assert_eq!(constraints.lines().count(), 25);
    }

    #[test]
    fn a_bench_reaches_the_block_through_the_bus() {
        if !have_verilator("a_bench_reaches_the_block_through_the_bus") {
            return;
        }
        let block = Column { lanes: 4, lut_lanes: 4, gated: false };
        let module = block.module().unwrap();
        let bus = Bus::of(&module).unwrap();
        let printed = verilog::files(&module, &verilog::Options::default()).unwrap();
        let wrapper = (format!("{}.v", bus.top), bus.verilog());
        let files: Vec<(String, String)> = printed.into_iter().map(|file| (file.name, file.text)).chain([wrapper]).collect();
        let library = bus.design(&files).build(&BuildOptions::default(), &mut |_| {}).unwrap();
        let mut dut = || Ok::<Dut, BlockError>(Dut::of(bus.behind(library.instance()?)?));
        check_duts(&block, "the bus", 1..=2, &mut dut).unwrap_or_else(|e| panic!("{e}"));
    }
}
