// SPDX-License-Identifier: MIT OR Apache-2.0
//! The modules of a netlist put together: gates over numbered nets, each with the instance that it is in.

use super::{
    AsicError,
    function::{self, Function},
    library::{Cell, Library},
};
use crate::netlist::{RawCell, RawModule, read};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

/// Nets that are always low and always high.
pub const LOW: u32 = 0;
pub const HIGH: u32 = 1;

/// A netlist without hierarchy.
#[derive(Clone, Debug, Default)]
pub struct Flat {
    pub top: String,
    /// Nets are `0..nets`.
    pub nets: u32,
    /// Paths of instances, `/` between the names; the first is the top, whose path is empty.
    pub instances: Vec<String>,
    pub ports: BTreeMap<String, Port>,
    pub clock: Option<u32>,
    /// In an order in which each gate follows those that it depends on, together with reads of memories.
    pub steps: Vec<Step>,
    pub registers: Vec<Register>,
    pub memories: Vec<Memory>,
    pub cells: Vec<Placed>,
}

/// A port of the top: its bits, the lowest first.
#[derive(Clone, Debug)]
pub struct Port {
    pub input: bool,
    pub bits: Vec<u32>,
}

/// What is evaluated: a gate, or a read port of a memory.
#[derive(Clone, Debug)]
pub enum Step {
    Gate(Gate),
    Read { memory: u32, address: Vec<u32>, data: Vec<u32> },
}

/// `out` is bit `i` of the table, where input `k` is bit `k` of `i`.
#[derive(Clone, Debug)]
pub struct Gate {
    pub inputs: Vec<u32>,
    pub table: u64,
    pub out: u32,
}

/// State that takes `next` at each clock edge.
#[derive(Clone, Debug)]
pub struct Register {
    pub next: Gate,
    /// Nets with the state and with its complement.
    pub state: Vec<u32>,
    pub complement: Vec<u32>,
}

/// A memory that stayed one.
#[derive(Clone, Debug)]
pub struct Memory {
    pub instance: u32,
    pub words: u32,
    pub width: u32,
    /// Address, data and an enable for each bit, taken at each clock edge.
    pub writes: Vec<[Vec<u32>; 3]>,
    /// Words at the start; zero where there are none.
    pub init: Vec<Vec<bool>>,
}

/// A standard cell in its instance, with the nets at its pins.
#[derive(Clone, Debug)]
pub struct Placed {
    pub kind: String,
    pub instance: u32,
    pub pins: Vec<(String, u32)>,
}

impl Flat {
    /// Reads Yosys' JSON; all registers must have the clock port as their clock.
    pub fn read(path: &Path, top: &str, clock: Option<&str>, library: &Library) -> Result<Flat, AsicError> {
        let document = read(path)?;
        let mut builder = Builder {
            modules: &document.modules,
            library,
            top,
            union: vec![LOW, HIGH],
            clears: vec![],
            clocks: vec![],
            flat: Flat::default(),
        };
        let module = builder.module(top)?;
        let mut ports = BTreeMap::new();
        let nets = builder.instance(top, module, String::new(), &HashMap::new())?;
        for (name, port) in &module.ports {
            let bits = port.bits.iter().map(|bit| nets.net(bit)).collect();
            ports.insert(name.clone(), Port { input: port.direction == "input", bits });
        }
        builder.flat.ports = ports;
        builder.finish(clock)
    }

    /// Bits in memories that stayed memories.
    pub fn memory_bits(&self) -> u64 {
        self.memories.iter().map(|m| u64::from(m.words) * u64::from(m.width)).sum()
    }
}

/// Nets of an instance by the numbers that its module gives them.
struct Local(HashMap<u64, u32>);

impl Local {
    fn net(&self, bit: &Value) -> u32 {
        match bit.as_u64() {
            Some(bit) => self.0.get(&bit).copied().unwrap_or(LOW),
            None if bit.as_str() == Some("1") => HIGH,
            None => LOW,
        }
    }
}

struct Builder<'a> {
    modules: &'a BTreeMap<String, RawModule>,
    library: &'a Library,
    top: &'a str,
    /// The net that each net is another name of.
    union: Vec<u32>,
    /// What clears or presets registers, and their clocks: looked at once all nets are known.
    clears: Vec<Gate>,
    clocks: Vec<u32>,
    flat: Flat,
}

impl<'a> Builder<'a> {
    fn module(&self, name: &str) -> Result<&'a RawModule, AsicError> {
        self.modules
            .get(name)
            .ok_or_else(|| AsicError::Netlist { top: self.top.into(), reason: format!("no module `{name}` in the netlist") })
    }

    fn find(&self, mut net: u32) -> u32 {
        while self.union[net as usize] != net {
            net = self.union[net as usize];
        }
        net
    }

    /// Two nets are one; the lower number stays, so that constants do.
    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        self.union[a.max(b) as usize] = a.min(b);
    }

    /// Adds an instance with all below it. `outer`: nets at its ports.
    fn instance(&mut self, name: &str, module: &'a RawModule, path: String, outer: &HashMap<&str, Vec<u32>>) -> Result<Local, AsicError> {
        let number = self.flat.instances.len() as u32;
        self.flat.instances.push(path.clone());
        let mut local = Local(HashMap::new());
        let bits = module.ports.values().flat_map(|port| &port.bits);
        for bit in bits.chain(module.cells.values().flat_map(|cell| cell.connections.values().flatten())).filter_map(Value::as_u64) {
            let union = &mut self.union;
            local.0.entry(bit).or_insert_with(|| {
                union.push(union.len() as u32);
                union.len() as u32 - 1
            });
        }
        for (port, bits) in &module.ports {
            for (inside, outside) in bits.bits.iter().zip(outer.get(port.as_str()).into_iter().flatten()) {
                self.join(local.net(inside), *outside);
            }
        }
        for (cell_name, cell) in &module.cells {
            let pins: HashMap<&str, Vec<u32>> =
                cell.connections.iter().map(|(pin, bits)| (pin.as_str(), bits.iter().map(|bit| local.net(bit)).collect())).collect();
            let refused = |reason: String| AsicError::Cell { top: name.into(), cell: cell_name.clone(), kind: cell.kind.clone(), reason };
            if let Some(known) = self.library.cells.get(&cell.kind) {
                self.cell(cell, known, number, &pins).map_err(refused)?;
            } else if let Some(inner) = self.modules.get(&cell.kind).filter(|_| !cell.kind.starts_with('$')) {
                let path = if path.is_empty() { cell_name.clone() } else { format!("{path}/{cell_name}") };
                self.instance(&cell.kind, inner, path, &pins)?;
            } else if cell.kind == "$mem_v2" {
                self.memory(cell, number, &pins).map_err(refused)?;
            } else if cell.kind != "$scopeinfo" {
                return Err(refused("is no cell of the library".into()));
            }
        }
        Ok(local)
    }

    fn cell(&mut self, cell: &RawCell, known: &Cell, instance: u32, pins: &HashMap<&str, Vec<u32>>) -> Result<(), String> {
        let net = |pin: &str| pins.get(pin).and_then(|nets| nets.first()).copied();
        let gate = |function: &Function, out: u32| -> Result<Gate, String> {
            let inputs = function.inputs.iter().map(|pin| net(pin).ok_or_else(|| format!("pin `{pin}` is not connected")));
            Ok(Gate { inputs: inputs.collect::<Result<_, _>>()?, table: function.table, out })
        };
        let placed = pins.iter().filter_map(|(pin, nets)| Some((pin.to_string(), *nets.first()?)));
        self.flat.cells.push(Placed { kind: cell.kind.clone(), instance, pins: placed.collect() });
        let outputs = known.pins.iter().filter(|(_, pin)| pin.output).filter_map(|(name, pin)| Some((pin.function.as_ref()?, net(name)?)));
        let Some(register) = &known.register else {
            for (function, out) in outputs {
                self.flat.steps.push(Step::Gate(gate(&function::parse(function)?, out)?));
            }
            return Ok(());
        };
        for function in &register.asynchronous {
            let fixed = gate(function, LOW)?;
            self.clears.push(fixed);
        }
        let clock = net(&register.clock).ok_or_else(|| format!("clock `{}` is not a connected pin", register.clock))?;
        self.clocks.push(clock);
        let mut state = Register { next: gate(&register.next, LOW)?, state: vec![], complement: vec![] };
        for (function, out) in outputs {
            let plain = function.trim_matches(['(', ')', ' ']);
            match plain {
                _ if plain == register.state.0 => state.state.push(out),
                _ if plain == register.state.1 => state.complement.push(out),
                _ => return Err(format!("output `{function}` is neither the state nor its complement")),
            }
        }
        self.flat.registers.push(state);
        Ok(())
    }

    /// A memory with reads that follow the address and writes at the clock.
    fn memory(&mut self, cell: &RawCell, instance: u32, pins: &HashMap<&str, Vec<u32>>) -> Result<(), String> {
        let number = |name: &str| cell.parameters.get(name).and_then(integer).ok_or_else(|| format!("no parameter `{name}`"));
        let (words, width, address) = (number("SIZE")? as u32, number("WIDTH")? as usize, number("ABITS")? as usize);
        let clocked = |name: &str| cell.parameters.get(name).and_then(Value::as_str).is_some_and(|bits| bits.contains('1'));
        if clocked("RD_CLK_ENABLE") {
            return Err("has a read port with a clock".into());
        }
        let port = |pin: &str, index: usize, width: usize| -> Vec<u32> {
            pins.get(pin).map_or(vec![], |nets| nets.iter().skip(index * width).take(width).copied().collect())
        };
        let memory = self.flat.memories.len() as u32;
        for read in 0..number("RD_PORTS")? as usize {
            self.flat.steps.push(Step::Read { memory, address: port("RD_ADDR", read, address), data: port("RD_DATA", read, width) });
        }
        let writes = (0..number("WR_PORTS")? as usize)
            .map(|write| [port("WR_ADDR", write, address), port("WR_DATA", write, width), port("WR_EN", write, width)]);
        let init: Vec<bool> = cell.parameters.get("INIT").and_then(Value::as_str).unwrap_or("").bytes().rev().map(|b| b == b'1').collect();
        let init = init.chunks(width.max(1)).map(<[bool]>::to_vec).collect();
        self.flat.memories.push(Memory { instance, words, width: width as u32, writes: writes.collect(), init });
        Ok(())
    }

    /// Numbers the nets anew, checks clocks, puts the steps in order.
    fn finish(mut self, clock: Option<&str>) -> Result<Flat, AsicError> {
        let mut numbers = vec![u32::MAX; self.union.len()];
        (numbers[0], numbers[1]) = (LOW, HIGH);
        let mut count = 2;
        for net in 2..self.union.len() as u32 {
            let root = self.find(net) as usize;
            if numbers[root] == u32::MAX {
                numbers[root] = count;
                count += 1;
            }
            numbers[net as usize] = numbers[root];
        }
        let mut flat = std::mem::take(&mut self.flat);
        flat.rename(&numbers);
        (flat.top, flat.nets) = (self.top.to_owned(), count);
        flat.clock = clock.and_then(|name| flat.ports.get(name)).and_then(|port| port.bits.first()).copied();
        let refused = |reason: String| AsicError::Netlist { top: self.top.into(), reason };
        let idle = |clear: &Gate| {
            let nets = clear.inputs.iter().map(|net| numbers[*net as usize]);
            let row = nets.enumerate().try_fold(0, |row, (k, net)| (net <= HIGH).then_some(row | net << k));
            row.is_some_and(|row| clear.table >> row & 1 == 0)
        };
        if !self.clears.iter().all(idle) {
            return Err(refused("a register has a clear or preset that is in use; resets must be synchronous".into()));
        }
        if self.clocks.iter().any(|net| Some(numbers[*net as usize]) != flat.clock) {
            return Err(refused("a register has another clock than the clock port".into()));
        }
        flat.order().map_err(refused)?;
        Ok(flat)
    }
}

/// A parameter: a number, or a string of bits.
fn integer(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| u64::from_str_radix(value.as_str()?, 2).ok())
}

impl Flat {
    fn rename(&mut self, numbers: &[u32]) {
        let to = |net: &mut u32| *net = numbers.get(*net as usize).copied().unwrap_or(*net);
        let gate = |gate: &mut Gate| {
            gate.inputs.iter_mut().for_each(to);
            to(&mut gate.out);
        };
        self.ports.values_mut().for_each(|port| port.bits.iter_mut().for_each(to));
        for step in &mut self.steps {
            match step {
                Step::Gate(g) => gate(g),
                Step::Read { address, data, .. } => address.iter_mut().chain(data).for_each(to),
            }
        }
        for register in &mut self.registers {
            gate(&mut register.next);
            register.state.iter_mut().chain(&mut register.complement).for_each(to);
        }
        self.memories.iter_mut().flat_map(|m| m.writes.iter_mut().flatten().flatten()).for_each(to);
        self.cells.iter_mut().flat_map(|cell| &mut cell.pins).for_each(|(_, net)| to(net));
    }

    /// Steps in the order of their dependencies.
    fn order(&mut self) -> Result<(), String> {
        let steps = std::mem::take(&mut self.steps);
        let parts = |step: &Step| match step {
            Step::Gate(gate) => (gate.inputs.clone(), vec![gate.out]),
            Step::Read { address, data, .. } => (address.clone(), data.clone()),
        };
        let mut driver = vec![u32::MAX; self.nets as usize];
        for (i, step) in steps.iter().enumerate() {
            parts(step).1.iter().for_each(|net| driver[*net as usize] = i as u32);
        }
        let (mut waits, mut readers) = (vec![0u32; steps.len()], vec![vec![]; steps.len()]);
        for (i, step) in steps.iter().enumerate() {
            for from in parts(step).0.iter().map(|net| driver[*net as usize]).filter(|from| *from != u32::MAX) {
                readers[from as usize].push(i as u32);
                waits[i] += 1;
            }
        }
        let mut ready: Vec<u32> = (0..steps.len() as u32).filter(|i| waits[*i as usize] == 0).collect();
        let mut at = 0;
        while let Some(&step) = ready.get(at) {
            at += 1;
            for &reader in &readers[step as usize] {
                waits[reader as usize] -= 1;
                if waits[reader as usize] == 0 {
                    ready.push(reader);
                }
            }
        }
        if ready.len() < steps.len() {
            return Err(format!("a combinational loop through {} gates", steps.len() - ready.len()));
        }
        let mut steps: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
        self.steps = ready.into_iter().filter_map(|i| steps[i as usize].take()).collect();
        Ok(())
    }
}
