// SPDX-License-Identifier: MIT OR Apache-2.0
//! What several tests of whole models share: the reference data, if it is there.

#![allow(dead_code, reason = "each test uses a part")]

pub mod tiny;

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use heddle::compile::compile;
use heddle::decoder::{Decoder, generate};
use heddle::driver::{Driver, golden::Golden};
use heddle::model::embedded::embedded;
use heddle::model::gguf::Gguf;
use heddle::sampling::{Sampler, SamplingConfig};
use heddle_core::config::Config;
pub use heddle_tb::tools::reference_file as shared_path;

pub fn shared(path: &str) -> Option<Arc<Gguf>> {
    Some(Arc::new(Gguf::open(shared_path(path)?).unwrap()))
}

/// The arrays of an `.npz` file by name.
pub struct Npz(zip::ZipArchive<File>);

impl Npz {
    pub fn open(path: &str) -> Option<Npz> {
        let file = File::open(shared_path(path)?).unwrap();
        Some(Npz(zip::ZipArchive::new(file).unwrap()))
    }

    pub fn ids(&mut self, name: &str) -> Vec<u32> {
        let (kind, data) = self.array(name);
        match kind.as_str() {
            "<i8" => data.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b) as u32).collect(),
            "<i4" => data.as_chunks::<4>().0.iter().map(|b| i32::from_le_bytes(*b) as u32).collect(),
            other => panic!("{name} has type {other}"),
        }
    }

    pub fn floats(&mut self, name: &str) -> Vec<f32> {
        let (kind, data) = self.array(name);
        assert_eq!(kind, "<f4", "{name}");
        data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
    }

    /// The type and the elements of a version 1 `.npy` member in C order.
    fn array(&mut self, name: &str) -> (String, Vec<u8>) {
        let mut bytes = Vec::new();
        self.0.by_name(&format!("{name}.npy")).unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes[..8], *b"\x93NUMPY\x01\x00");
        let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let header = String::from_utf8_lossy(&bytes[10..start]);
        assert!(header.contains("'fortran_order': False"));
        let kind = header.split("'descr': '").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
        (kind.to_string(), bytes[start..].to_vec())
    }
}

/// The position of the largest element; the first of equals.
pub fn argmax(x: &[f32]) -> usize {
    (0..x.len()).rev().max_by(|&a, &b| x[a].total_cmp(&x[b])).unwrap()
}

/// An embedded model.
pub fn nano(name: &str) -> Arc<Gguf> {
    Arc::new(Gguf::from_static(embedded(name).unwrap()).unwrap())
}

/// The model on the golden device of `config`.
pub fn decoder(gguf: &Arc<Gguf>, config: &Config) -> Decoder {
    let compiled = compile(gguf, config).unwrap();
    let driver = Driver::connect(Box::new(Golden::new(config)), config).unwrap();
    Decoder::new(&compiled, driver).unwrap()
}

/// The most likely continuation, past ends of text too.
pub fn greedy(decoder: &mut Decoder, prompt: &[u32], tokens: usize) -> Vec<u32> {
    let mut sampler = Sampler::new(SamplingConfig::default()).unwrap();
    generate(decoder, prompt, tokens, &mut sampler, |_| false, |_| true).unwrap().ids
}
