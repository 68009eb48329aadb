// SPDX-License-Identifier: MIT OR Apache-2.0
//! The golden model behind the registers: every result of the hardware, without its time.

use heddle_core::config::Config;
use heddle_core::descriptor::{BYTES, Decoder, Descriptor};
use heddle_core::device::{Counts, Device, Stop};
use heddle_core::format::region::result_bytes;
use heddle_core::registers::{Access, Register, Reset, map, present};
use std::collections::BTreeMap;

use super::{Transport, TransportError};

/// The golden model of a device as a transport. Counters that need time read 0.
pub struct Golden {
    device: Device,
    /// What software wrote into registers that only keep it, by offset.
    written: BTreeMap<u32, u32>,
    irq_status: u32,
    done: bool,
    stop: Option<Stop>,
    counts: Counts,
    traffic: Traffic,
}

/// Beats of a program that are not among the counts of the device.
#[derive(Clone, Copy, Default)]
struct Traffic {
    descriptors: u64,
    results: u64,
}

impl Golden {
    /// A device with empty memory. (Its pages come into being when they are written.)
    pub fn new(config: &Config) -> Golden {
        Golden {
            device: Device::new(config, vec![0; config.memory_bytes() as usize]),
            written: BTreeMap::new(),
            irq_status: 0,
            done: false,
            stop: None,
            counts: Counts::default(),
            traffic: Traffic::default(),
        }
    }

    fn control(&mut self, value: u32) {
        if value & map::CONTROL_CLEAR.mask() != 0 {
            self.device.clear();
            self.stop = None;
            self.done = false;
            (self.counts, self.traffic) = (Counts::default(), Traffic::default());
        }
        if value & map::CONTROL_START.mask() != 0 && self.stop.is_none() {
            self.start();
        }
    }

    fn start(&mut self) {
        self.counts = Counts::default();
        // Before it runs, since results may be written over it.
        self.traffic = self.traffic();
        match self.device.run(self.kept(&map::PROGRAM)) {
            Ok(counts) => {
                self.counts = counts;
                self.done = true;
                self.irq_status |= map::IRQ_DONE.mask();
            }
            Err(stop) => {
                self.stop = Some(stop);
                self.done = false;
                self.irq_status |= map::IRQ_ERROR.mask();
            }
        }
    }

    /// What a program that runs to its end reads of itself and writes: whole beats, results packed per matrix.
    fn traffic(&self) -> Traffic {
        let (config, beat) = (self.device.config(), self.device.config().port_bytes() as usize);
        let mut decoder = Decoder::new(config);
        let mut traffic = Traffic::default();
        let program = self.device.memory().get(self.kept(&map::PROGRAM) as usize..).unwrap_or_default();
        for bytes in program.as_chunks::<{ BYTES as usize }>().0 {
            let (words, _) = bytes.as_chunks::<4>();
            let descriptor = decoder.decode(&std::array::from_fn(|i| u32::from_le_bytes(words[i])));
            traffic.descriptors += bytes.len().div_ceil(beat) as u64;
            match descriptor {
                Ok(Descriptor::Matmul(m)) => {
                    traffic.results += result_bytes(m.rows as usize, usize::from(m.columns)).div_ceil(beat) as u64;
                }
                Ok(Descriptor::Fence { .. } | Descriptor::Layer(_)) => {}
                Ok(Descriptor::End { .. }) | Err(_) => break,
            }
        }
        traffic
    }

    fn status(&self) -> u32 {
        u32::from(self.done) << map::STATUS_DONE.lsb
            | u32::from(self.stop.is_some()) << map::STATUS_ERROR.lsb
            | u32::from(self.device.saturated()) << map::STATUS_SATURATED.lsb
    }

    /// What software wrote last, or the value after reset.
    fn kept(&self, register: &Register) -> u32 {
        let reset = register.reset_value(self.device.config());
        self.written.get(&register.offset).copied().unwrap_or(reset)
    }

    /// The register of this build at an offset.
    fn register(&self, offset: u32) -> Result<&'static Register, TransportError> {
        present(self.device.config()).find(|r| r.offset == offset).ok_or(TransportError::Register { offset })
    }

    /// The bytes of a region of the memory.
    fn region(&mut self, address: u32, bytes: usize) -> Result<&mut [u8], TransportError> {
        let memory = self.device.memory_mut();
        let (start, size) = (address as usize, memory.len() as u64);
        match start.checked_add(bytes).and_then(|end| memory.get_mut(start..end)) {
            Some(region) => Ok(region),
            None => Err(TransportError::Memory { address, bytes, size }),
        }
    }
}

impl Transport for Golden {
    fn read_reg(&mut self, offset: u32) -> Result<u32, TransportError> {
        let count = |n: u64| n as u32; // counters wrap
        let register = self.register(offset)?;
        Ok(match register.name {
            _ if matches!(register.reset, Reset::Build(_)) => register.reset_value(self.device.config()),
            "ID" | "VERSION" => register.reset_value(self.device.config()),
            "STATUS" => self.status(),
            "CAUSE" => self.stop.map_or(0, |s| s.cause.code()),
            "ERROR_ADDR" => self.stop.map_or(0, |s| s.address),
            "IRQ_STATUS" => self.irq_status,
            "READ_BEATS" => count(self.counts.weight_beats + self.counts.activation_beats + self.traffic.descriptors),
            "WRITE_BEATS" => count(self.traffic.results),
            "BLOCKS" => count(self.counts.blocks),
            "ROWS" => count(self.counts.rows),
            "DESCRIPTORS" => count(self.counts.descriptors),
            _ if register.access == Access::ReadWrite => self.kept(register),
            _ => 0,
        })
    }

    fn write_reg(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        let register = self.register(offset)?;
        match register.name {
            "CONTROL" => self.control(value),
            "IRQ_STATUS" => self.irq_status &= !value,
            _ if register.access == Access::ReadWrite => {
                self.written.insert(offset, value & register.mask());
            }
            _ => {}
        }
        Ok(())
    }

    fn read_mem(&mut self, address: u32, to: &mut [u8]) -> Result<(), TransportError> {
        to.copy_from_slice(self.region(address, to.len())?);
        Ok(())
    }

    fn write_mem(&mut self, address: u32, from: &[u8]) -> Result<(), TransportError> {
        self.region(address, from.len())?.copy_from_slice(from);
        Ok(())
    }

    fn wait_irq(&mut self, limit: u64) -> Result<(), TransportError> {
        if self.irq_status & self.kept(&map::IRQ_ENABLE) != 0 { Ok(()) } else { Err(TransportError::Limit { limit }) }
    }

    fn has_cycles(&self) -> bool {
        false
    }
}
