// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bench of the whole accelerator: programs of matrix products, on any simulation, against the golden device.

use crate::{
    axi::MemoryConfig,
    random::Random,
    simulator::Simulator,
    soc::{Soc, SocError},
};
use heddle_core::{
    config::{Config, Format},
    descriptor::{Descriptor, Matmul, program_bytes},
    device::Device,
    format::{
        layout::{Layout, relayout},
        region::ActivationLayout,
    },
    numerics::{F24, quant::Activations},
    registers::map,
};

/// One product: a matrix in GGUF's blocks and the vectors it is multiplied with.
#[derive(Clone, Debug)]
pub struct Product {
    pub format: Format,
    pub rows: usize,
    /// Blocks of 32 in a row, before fill.
    pub blocks: usize,
    /// `rows * blocks` blocks as in a file.
    pub weights: Vec<u8>,
    pub columns: Vec<Activations>,
    /// Take the vectors of the product before.
    pub reuse: bool,
    /// A FENCE before it.
    pub fence: bool,
}

/// A device memory with everything in it, and where the program starts.
pub struct Image {
    pub memory: Vec<u8>,
    pub program: u32,
}

/// Lays out weights, activations, results and program one after the other.
pub fn image(config: &Config, products: &[Product]) -> Image {
    let (lanes, port) = (config.array.lanes as usize, config.memory.port_bits as usize);
    let mut memory = Vec::new();
    let mut put = |bytes: &[u8]| {
        let address = memory.len() as u32;
        memory.extend_from_slice(bytes);
        memory.resize(memory.len().next_multiple_of(64), 0xee);
        address
    };
    let mut program = Vec::new();
    let mut results = Vec::new();
    for p in products {
        let weights = relayout(p.format, &p.weights, p.rows, p.blocks, lanes, port).expect("a legal matrix");
        let weights = put(&weights);
        let layout = ActivationLayout::new(p.blocks, lanes, port).expect("legal activations");
        let activations = put(&layout.write(&p.columns).expect("vectors of this length"));
        if p.fence {
            program.push(Descriptor::Fence { tag: 0 });
        }
        results.push(4 * p.rows * p.columns.len());
        program.push(Descriptor::Matmul(Matmul {
            format: p.format,
            reuse_act: p.reuse,
            columns: p.columns.len() as u8,
            rows: p.rows as u32,
            blocks: layout.blocks() as u32,
            weights,
            activations,
            results: 0,
            tag: program.len() as u16,
        }));
    }
    program.push(Descriptor::End { tag: 0 });
    let results: Vec<u32> = results.iter().map(|&bytes| put(&vec![0xcc; bytes])).collect();
    let mut next = results.into_iter();
    for d in &mut program {
        if let Descriptor::Matmul(m) = d {
            m.results = next.next().expect("one region per product");
        }
    }
    let program = put(&program_bytes(&program));
    memory.resize(memory.len().next_multiple_of(4096), 0);
    Image { memory, program }
}

/// How a run ended: the memory and the registers a program leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub memory: Vec<u8>,
    pub cause: u32,
    pub error_addr: u32,
    pub saturated: bool,
}

/// What the golden device makes of an image.
pub fn golden(config: &Config, image: &Image) -> Outcome {
    let mut device = Device::new(config, image.memory.clone());
    let (cause, error_addr) = match device.run(image.program) {
        Ok(_) => (0, 0),
        Err(stop) => (stop.cause.code(), stop.address),
    };
    Outcome { saturated: device.saturated(), memory: device.memory().to_vec(), cause, error_addr }
}

/// Counters of a run, by register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub cycles: u64,
    pub read_beats: u64,
    pub blocks: u64,
    pub rows: u64,
    pub descriptors: u64,
    pub first_beat: u64,
    pub last_result: u64,
    pub read_wait: u64,
    pub read_blocked: u64,
    pub read_idle: u64,
    pub array_busy: u64,
    pub array_starved: u64,
    pub array_blocked: u64,
}

impl Counters {
    /// Cycles from the first beat of weights to the last result.
    pub fn span(&self) -> u64 {
        self.last_result - self.first_beat + 1
    }
}

/// Runs an image on a simulation of the accelerator until it stops, and reads the counters, which the build must have.
pub fn run<S: Simulator>(soc: &mut Soc<S>, image: &Image, limit: u64) -> Result<(Outcome, Counters), SocError> {
    Ok((execute(soc, image, limit)?, counters(soc)?))
}

/// Runs an image on a simulation of the accelerator until it stops.
pub fn execute<S: Simulator>(soc: &mut Soc<S>, image: &Image, limit: u64) -> Result<Outcome, SocError> {
    soc.memory_mut().bytes_mut()[..image.memory.len()].copy_from_slice(&image.memory);
    soc.write_reg(map::CONTROL.offset, map::CONTROL_CLEAR.mask())?;
    soc.write_reg(map::IRQ_STATUS.offset, map::IRQ_DONE.mask() | map::IRQ_ERROR.mask())?;
    soc.write_reg(map::IRQ_ENABLE.offset, map::IRQ_DONE.mask() | map::IRQ_ERROR.mask())?;
    soc.write_reg(map::PROGRAM.offset, image.program)?;
    // The interrupt register lags its cause by a cycle.
    soc.write_reg(map::CONTROL.offset, map::CONTROL_START.mask())?;
    soc.run_until_irq(limit)?;
    let status = soc.read_reg(map::STATUS.offset)?;
    Ok(Outcome {
        memory: soc.memory().bytes()[..image.memory.len()].to_vec(),
        cause: soc.read_reg(map::CAUSE.offset)?,
        error_addr: soc.read_reg(map::ERROR_ADDR.offset)?,
        saturated: map::STATUS_SATURATED.get(status) == 1,
    })
}

/// Reads the counters, which the build must have.
pub(crate) fn counters<S: Simulator>(soc: &mut Soc<S>) -> Result<Counters, SocError> {
    let mut counter = |r: &heddle_core::registers::Register| soc.read_reg(r.offset).map(u64::from);
    Ok(Counters {
        cycles: counter(&map::CYCLES)?,
        read_beats: counter(&map::READ_BEATS)?,
        blocks: counter(&map::BLOCKS)?,
        rows: counter(&map::ROWS)?,
        descriptors: counter(&map::DESCRIPTORS)?,
        first_beat: counter(&map::FIRST_BEAT)?,
        last_result: counter(&map::LAST_RESULT)?,
        read_wait: counter(&map::READ_WAIT)?,
        read_blocked: counter(&map::READ_BLOCKED)?,
        read_idle: counter(&map::READ_IDLE)?,
        array_busy: counter(&map::ARRAY_BUSY)?,
        array_starved: counter(&map::ARRAY_STARVED)?,
        array_blocked: counter(&map::ARRAY_BLOCKED)?,
    })
}

/// A memory of the size the image needs, as the configuration's port sees it.
pub fn memory_config(config: &Config, image: &Image) -> MemoryConfig {
    MemoryConfig { read_latency: config.memory.latency_cycles, ..MemoryConfig::new(image.memory.len(), config.port_bytes() as usize) }
}

/// A random product that the configuration can run.
pub fn random_product(rng: &mut Random, config: &Config, before: Option<&Product>) -> Product {
    let format = config.formats[rng.bits() as usize % config.formats.len()];
    let reuse = before.is_some() && rng.chance(64);
    let (blocks, columns) = match before {
        Some(p) if reuse => (p.blocks, p.columns.clone()),
        _ => {
            let blocks = 1 + rng.bits() as usize % 9;
            let n = 1 + rng.bits() as usize % config.array.columns as usize;
            (blocks, (0..n).map(|_| random_vector(rng, blocks)).collect())
        }
    };
    let rows = 1 + rng.bits() as usize % 40;
    Product { format, rows, blocks, weights: random_matrix(rng, format, rows * blocks), columns, reuse, fence: rng.chance(32) }
}

/// Blocks with random integers and finite random scales; some extreme.
pub fn random_matrix(rng: &mut Random, format: Format, blocks: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(blocks * format.block_bytes());
    for _ in 0..blocks {
        out.extend(random_scale(rng).to_le_bytes());
        if format.has_minimum() {
            out.extend(random_scale(rng).to_le_bytes());
        }
        let rest = format.block_bytes() - if format.has_minimum() { 4 } else { 2 };
        // The least and the largest integers of 8 bits, and of two 4-bit halves.
        let extreme = rng.chance(16).then(|| [0x80, 0x7f, 0x00, 0xff][rng.bits() as usize % 4]);
        out.extend((0..rest).map(|_| extreme.unwrap_or(rng.bits() as u8)));
    }
    out
}

fn random_scale(rng: &mut Random) -> u16 {
    match rng.bits() % 64 {
        0..4 => 0,
        4..8 => rng.bits() as u16 & 0x83ff,
        8..12 => 0x3c00,
        12 => 0x7bff,
        _ => (rng.bits() as u16 & 0x83ff) | (10 + rng.bits() as u16 % 8) << 10,
    }
}

/// A vector of int8 blocks with scales as real activations have them; some zero, some extreme.
pub fn random_vector(rng: &mut Random, blocks: usize) -> Activations {
    let scale = |rng: &mut Random| match rng.bits() % 12 {
        0 => F24::ZERO,
        _ => F24::from_bits(((110 + rng.bits() as u32 % 16) << 23) | (rng.bits() as u32 & 0x7f_ff00)),
    };
    let d = (0..blocks).map(|_| scale(rng)).collect();
    let extreme = rng.chance(32);
    let q = (0..32 * blocks).map(|_| if extreme { -127 } else { (rng.bits() as i8).max(-127) }).collect();
    Activations { d, q }
}

/// Beats of a product's weights.
pub fn weight_beats(config: &Config, p: &Product) -> u64 {
    let layout = Layout::new(p.format, p.rows, p.blocks, config.array.lanes as usize, config.memory.port_bits as usize);
    layout.map_or(0, |l| l.beats() as u64)
}
