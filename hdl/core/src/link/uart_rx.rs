// SPDX-License-Identifier: MIT OR Apache-2.0
//! UART receiver: 8 data bits, no parity, one stop bit.
//!
//! Ports      `rx_i`: the line, already of this clock; `step_i`: 2^24 x baud / clock; `valid_o`: a byte came, for one
//!            cycle, with `data_o`; `broken_o`: in its place a byte whose stop bit was low, for one cycle
//! Latency    9.5 bits from the falling edge of the start bit      Throughput  one byte in 10 bits
//! Rounding   a sample is up to a cycle late; the baud rate is exact to 2^-24 of the clock      Reset  waits for a start bit
//!
//! Each bit is sampled once, in its middle. A start bit that is high again in its middle was none. After a broken byte
//! the line must go high before the next start bit.

use heddle_lang::{
    Module,
    import::{Import, ImportError},
};
use rust_hdl::prelude::*;
use std::sync::Arc;

/// Bits of the phase.
pub const PHASE_BITS: u32 = 24;

/// What holds in each state.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum UartRxState {
    Idle,
    StartBit,
    DataBits,
    StopBit,
    /// The line is low where it should be high.
    Broken,
}

/// The receiver.
#[derive(LogicBlock, Default)]
pub struct UartRx {
    pub clock: Signal<In, Clock>,
    pub rx: Signal<In, Bit>,
    pub step: Signal<In, Bits<24>>,
    pub valid: Signal<Out, Bit>,
    pub data: Signal<Out, Bits<8>>,
    pub broken: Signal<Out, Bit>,
    state: DFF<UartRxState>,
    /// Parts of a bit; its carry is the moment of a sample.
    phase: DFF<Bits<25>>,
    position: DFF<Bits<3>>,
    byte: DFF<Bits<8>>,
    came: DFF<Bit>,
    failed: DFF<Bit>,
    sample: Signal<Local, Bit>,
    part: Signal<Local, Bits<25>>,
}

impl Logic for UartRx {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, phase, position, byte);
        clock!(self, clock, came, failed);
        self.valid.next = self.came.q.val();
        self.data.next = self.byte.q.val();
        self.broken.next = self.failed.q.val();
        self.came.d.next = false;
        self.failed.d.next = false;
        self.sample.next = self.phase.q.val().get_bit(24);
        self.part.next = bit_cast::<25, 24>(self.phase.q.val().get_bits::<24>(0));
        self.phase.d.next = self.part.val() + bit_cast::<25, 24>(self.step.val());
        match self.state.q.val() {
            UartRxState::Idle => {
                // Half a bit ahead, and the cycle that a sample is late: the first is in the middle of the start bit.
                self.phase.d.next = bit_cast::<25, 24>(self.step.val()) + 0x80_0000;
                self.position.d.next = 0.into();
                if !self.rx.val() {
                    self.state.d.next = UartRxState::StartBit;
                }
            }
            UartRxState::StartBit => {
                if self.sample.val() {
                    self.state.d.next = UartRxState::DataBits;
                    if self.rx.val() {
                        self.state.d.next = UartRxState::Idle;
                    }
                }
            }
            UartRxState::DataBits => {
                if self.sample.val() {
                    self.byte.d.next = self.byte.q.val() >> 1;
                    if self.rx.val() {
                        self.byte.d.next = (self.byte.q.val() >> 1) | 0x80;
                    }
                    self.position.d.next = self.position.q.val() + 1;
                    if self.position.q.val().all() {
                        self.state.d.next = UartRxState::StopBit;
                    }
                }
            }
            UartRxState::StopBit => {
                if self.sample.val() {
                    self.came.d.next = self.rx.val();
                    self.failed.d.next = !self.rx.val();
                    self.state.d.next = UartRxState::Broken;
                    if self.rx.val() {
                        self.state.d.next = UartRxState::Idle;
                    }
                }
            }
            UartRxState::Broken => {
                if self.rx.val() {
                    self.state.d.next = UartRxState::Idle;
                }
            }
            // Rust knows no other state, but flip-flops do.
            #[allow(unreachable_patterns)]
            _ => {
                self.state.d.next = UartRxState::Idle;
            }
        }
    }
}

/// The receiver as a module.
pub fn uart_rx() -> Result<Arc<Module>, ImportError> {
    Import::new("uart_rx", file!()).doc("UART receiver, 8N1; each bit is sampled in its middle.").reset().module(&UartRx::default())
}

/// The same, in plain Rust.
pub mod golden {
    /// The byte of ten samples, from the start bit to the stop bit; `None` where one of them is not as it must be.
    pub fn byte(samples: [bool; 10]) -> Option<u8> {
        let [start, data @ .., stop] = samples;
        let byte = data.into_iter().zip(0..8).map(|(bit, i)| u8::from(bit) << i).sum();
        (!start && stop).then_some(byte)
    }
}
