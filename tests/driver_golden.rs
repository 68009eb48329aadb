// SPDX-License-Identifier: MIT OR Apache-2.0
//! The driver's checks and errors, on the golden device and on transports that misbehave.

mod decoder_support;

use decoder_support::{decoder, tiny::Tiny};
use heddle::compile::Program;
use heddle::decoder::DecodeError;
use heddle::driver::{Driver, DriverError, Transport, TransportError, golden::Golden};
use heddle_core::config::{Config, Format};
use heddle_core::descriptor::{Cause, Descriptor, Matmul, Words, program_bytes};
use heddle_core::registers::map;

/// The golden device with some registers overruled and an interrupt that may never come.
struct Odd {
    golden: Golden,
    registers: Vec<(u32, u32)>,
    silent: bool,
}

impl Transport for Odd {
    fn read_reg(&mut self, offset: u32) -> Result<u32, TransportError> {
        match self.registers.iter().find(|(o, _)| *o == offset) {
            Some((_, value)) => Ok(*value),
            None => self.golden.read_reg(offset),
        }
    }

    fn write_reg(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        self.golden.write_reg(offset, value)
    }

    fn read_mem(&mut self, address: u32, to: &mut [u8]) -> Result<(), TransportError> {
        self.golden.read_mem(address, to)
    }

    fn write_mem(&mut self, address: u32, from: &[u8]) -> Result<(), TransportError> {
        self.golden.write_mem(address, from)
    }

    fn wait_irq(&mut self, limit: u64) -> Result<(), TransportError> {
        if self.silent { Err(TransportError::Limit { limit }) } else { self.golden.wait_irq(limit) }
    }

    fn has_cycles(&self) -> bool {
        false
    }
}

fn odd(registers: &[(u32, u32)], silent: bool) -> Result<Driver, DriverError> {
    let config = Config::small();
    let transport = Odd { golden: Golden::new(&config), registers: registers.to_vec(), silent };
    Driver::connect(Box::new(transport), &config)
}

fn golden() -> Driver {
    odd(&[], false).unwrap()
}

#[test]
fn something_else_than_the_accelerator_is_refused() {
    let text = odd(&[(map::ID.offset, 0xffff_ffff)], false).err().unwrap().to_string();
    assert!(text.contains("0xffffffff instead of 0x48444c45"), "{text}");
}

#[test]
fn another_major_version_is_refused_and_a_later_minor_one_is_not() {
    let text = odd(&[(map::VERSION.offset, 0x0002_0000)], false).err().unwrap().to_string();
    assert!(text.contains("version 2.0") && text.contains("1.0"), "{text}");
    assert!(odd(&[(map::VERSION.offset, 0x0001_0007)], false).is_ok());
}

#[test]
fn hardware_of_another_configuration_is_refused_with_both_digests() {
    let (hardware, wanted) = (Config::small(), Config::base());
    let error = Driver::connect(Box::new(Golden::new(&hardware)), &wanted).err().unwrap();
    let text = error.to_string();
    assert!(text.contains(&hardware.digest_hex()) && text.contains(&wanted.digest_hex()), "{text}");
    assert!(text.contains("16 lanes x 2 columns, 64-bit port") && text.contains("`base`"), "{text}");
}

#[test]
fn hardware_that_does_not_finish_is_an_error() {
    let mut driver = odd(&[], true).unwrap();
    let error = driver.run(&Program { address: 0, beats: 100 }).unwrap_err();
    assert!(matches!(error, DriverError::Transport(TransportError::Limit { limit: 106_400 })), "{error}");
}

fn matmul() -> Matmul {
    Matmul {
        format: Format::Q8_0,
        reuse_act: false,
        columns: 1,
        rows: 2,
        blocks: 1,
        weights: 0x1000,
        activations: 0x2000,
        results: 0x3000,
        tag: 7,
    }
}

/// Runs descriptors from address 0x40 on.
fn run(driver: &mut Driver, program: &[Words]) -> Result<(), DriverError> {
    let bytes: Vec<u8> = program.iter().flatten().flat_map(|w| w.to_le_bytes()).collect();
    driver.transport().write_mem(0x40, &bytes).unwrap();
    driver.run(&Program { address: 0x40, beats: 10 })
}

#[test]
fn descriptors_that_cannot_run_are_told_with_cause_address_and_listing() {
    let end = Descriptor::End { tag: 0 }.encode();
    let bad: [(Words, Cause); 10] = [
        ([9, 0, 0, 0, 0, 0, 0, 0], Cause::BadOpcode),
        ([0x0100_0901, 2, 1, 0, 0, 0, 0, 0], Cause::FormatAbsent),
        (Matmul { columns: 3, ..matmul() }.encode(), Cause::BadColumns),
        (Matmul { rows: 0, ..matmul() }.encode(), Cause::BadRows),
        (Matmul { blocks: 129, ..matmul() }.encode(), Cause::BadBlocks),
        (Matmul { weights: 0x1020, ..matmul() }.encode(), Cause::Misaligned),
        ([2, 1, 0, 0, 0, 0, 0, 0], Cause::ReservedNotZero),
        (Matmul { weights: 0x0800_0000, ..matmul() }.encode(), Cause::ReadError),
        (Matmul { results: 0x0800_0000, ..matmul() }.encode(), Cause::WriteError),
        (Matmul { reuse_act: true, columns: 2, ..matmul() }.encode(), Cause::ReuseWithoutActivations),
    ];
    let mut driver = golden();
    for (words, cause) in bad {
        let error = run(&mut driver, &[matmul().encode(), words, end]).unwrap_err();
        let DriverError::Stopped(stopped) = &error else { panic!("{error}") };
        assert_eq!((stopped.cause, stopped.code, stopped.address), (Some(cause), cause.code(), 0x60));
        assert_eq!(stopped.listing.lines().count(), 2, "{}", stopped.listing);
        let text = error.to_string();
        assert!(text.contains("0x00000060") && text.contains(cause.name()) && text.contains("tag 7"), "{text}");
        // The error state is left: the next program runs.
        run(&mut driver, &[matmul().encode(), end]).unwrap();
    }
}

#[test]
fn a_program_outside_of_the_memory_is_an_error() {
    let error = golden().run(&Program { address: 0x0fff_ffe0, beats: 1 }).unwrap_err();
    assert!(matches!(&error, DriverError::Stopped(s) if s.cause == Some(Cause::ReadError) && s.listing.is_empty()), "{error}");
    let error = golden().transport().write_mem(0x01ff_ffff, &[0; 2]).unwrap_err().to_string();
    assert!(error.contains("0x01ffffff") && error.contains("33554432"), "{error}");
}

#[test]
fn counters_are_summed_over_programs() {
    let mut driver = golden();
    let program = program_bytes(&[Descriptor::Matmul(matmul()), Descriptor::End { tag: 0 }]);
    driver.transport().write_mem(0, &program).unwrap();
    for _ in 0..3 {
        driver.run(&Program { address: 0, beats: 10 }).unwrap();
    }
    let counters = driver.take_counters();
    assert_eq!((counters.rows, counters.blocks, counters.descriptors), (6, 6, 6));
    assert_eq!(driver.counters().rows, 0);
}

#[test]
fn results_out_of_range_are_an_error() {
    // 65504 as the scale of every block.
    let error = decoder(&Tiny { scale: 0x7bff, ..Tiny::default() }.gguf(), &Config::base()).prefill(&[1]).unwrap_err();
    assert!(matches!(error, DecodeError::Driver(DriverError::Saturated { .. })), "{error}");
}

#[test]
fn registers_behave_as_declared() {
    let config = Config::nano();
    let mut golden = Golden::new(&config);
    for register in heddle_core::registers::present(&config) {
        assert_eq!(golden.read_reg(register.offset).unwrap(), register.reset_value(&config), "{}", register.name);
    }
    golden.write_reg(map::SCRATCH.offset, 0x1234_5678).unwrap();
    golden.write_reg(map::PROGRAM.offset, 0xffff_ffff).unwrap();
    assert_eq!(golden.read_reg(map::SCRATCH.offset).unwrap(), 0x1234_5678);
    assert_eq!(golden.read_reg(map::PROGRAM.offset).unwrap(), 0xffff_ffe0);
    assert!(matches!(golden.read_reg(0x200), Err(TransportError::Register { offset: 0x200 })));
    assert!(golden.write_reg(0x040, 0).is_err());
}
