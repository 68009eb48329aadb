// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bench of the whole accelerator with given matrix products, such as those of a real model, against the golden device.

use super::{Block, BlockError, Dut, compare, shape};
use crate::{
    matmul::{self, Product},
    random::Random,
    soc::Soc,
};
use heddle_core::{config::Config, top};
use heddle_lang::{BuildError, Module};
use std::sync::Arc;

/// Cycles for each block of 32 and for each descriptor; with them a run that hangs ends.
const CYCLES_PER_BLOCK: u64 = 100;
const CYCLES_PER_PRODUCT: u64 = 10_000;

/// The accelerator of a configuration, and what it has to multiply.
pub struct Products {
    pub config: Config,
    /// What they are, for messages: `blk.0.attn_q.weight`.
    pub what: String,
    pub products: Vec<Product>,
}

impl Block for Products {
    fn name(&self) -> String {
        format!("top with {}, {}", self.what, shape(&self.config))
    }

    fn module(&self) -> Result<Arc<Module>, BuildError> {
        top::top(&self.config)
    }

    fn run(&self, dut: Dut, _rng: &mut Random) -> Result<(), BlockError> {
        let image = matmul::image(&self.config, &self.products);
        let expected = matmul::golden(&self.config, &image);
        let mut soc = Soc::new(dut, matmul::memory_config(&self.config, &image))?;
        let limit = self.products.iter().map(|p| CYCLES_PER_PRODUCT + CYCLES_PER_BLOCK * (p.rows * p.blocks) as u64).sum();
        compare(&matmul::execute(&mut soc, &image, limit)?, &expected)
    }
}
