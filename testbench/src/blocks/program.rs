// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of the whole accelerator as a block: a short random program, against the golden device.

use super::{Block, BlockError, Dut, geometry, shape};
use crate::{
    axi::{Backpressure, MemoryConfig},
    matmul::{self, Product},
    random::Random,
    soc::Soc,
};
use heddle_core::{config::Config, top};
use heddle_lang::{BuildError, Module};
use std::sync::Arc;

const PRODUCTS: usize = 3;
const LIMIT: u64 = 60_000;

/// The accelerator of a configuration.
pub struct Program {
    pub config: Config,
}

impl Program {
    pub fn new(lanes: u32, columns: u32, port_bits: u32) -> Program {
        Program { config: geometry(lanes, columns, port_bits) }
    }
}

impl Block for Program {
    fn name(&self) -> String {
        format!("top, {}", shape(&self.config))
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        top::top(&self.config)
    }

    fn run(&self, dut: Dut, rng: &mut Random) -> Result<(), BlockError> {
        let mut products: Vec<Product> = Vec::new();
        for _ in 0..PRODUCTS {
            products.push(matmul::random_product(rng, &self.config, products.last()));
        }
        let image = matmul::image(&self.config, &products);
        let expected = matmul::golden(&self.config, &image);
        let backpressure = rng.chance(128).then(|| Backpressure { seed: rng.bits(), chance: 90 });
        let memory = MemoryConfig { backpressure, ..matmul::memory_config(&self.config, &image) };
        let mut soc = Soc::new(dut, memory)?;
        compare(&matmul::execute(&mut soc, &image, LIMIT)?, &expected)?;
        if !self.config.counters {
            return Ok(());
        }
        let counters = matmul::counters(&mut soc)?;
        let results: u64 = products.iter().map(|p| (p.rows * p.columns.len()) as u64).sum();
        if counters.rows == results { Ok(()) } else { Err(BlockError::wrong(format!("{} results, not {results}", counters.rows))) }
    }
}

/// An error at the first difference of two outcomes.
pub fn compare(got: &matmul::Outcome, want: &matmul::Outcome) -> Result<(), BlockError> {
    let status = |o: &matmul::Outcome| (o.cause, o.error_addr, o.saturated);
    if status(got) != status(want) {
        return Err(BlockError::wrong(format!("cause, address, saturated: {:x?}, not {:x?}", status(got), status(want))));
    }
    match got.memory.iter().zip(&want.memory).position(|(a, b)| a != b) {
        None => Ok(()),
        Some(at) => {
            let (got, want) = (got.memory[at], want.memory[at]);
            Err(BlockError::wrong(format!("byte {at:#x} of the memory is {got:#04x}, not {want:#04x}")))
        }
    }
}
